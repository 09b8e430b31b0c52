#include "page/page_result.h"

#include <stddef.h>
#include <string.h>

#include "page/page_json.h"
#include "sql/decimal.h"
#include "sql/value_convert.h"

static struct page_result *result_of(struct result_sink *k)
{
    return (struct page_result *)((char *)k - offsetof(struct page_result, sink));
}

static void put(struct page_result *r, const char *text)
{
    r->lacks_room |= buffer_append(r->out, text, strlen(text)) != 0;
}

static void put_string(struct page_result *r, const char *s, size_t len)
{
    r->lacks_room |= page_json_string(r->out, s, len) != 0;
}

static const char *type_name(const struct value_type *t)
{
    switch (t->kind) {
    case DATUM_INT:
    case DATUM_UINT:
        return "int";
    case DATUM_DECIMAL:
        return "decimal";
    case DATUM_DOUBLE:
        return "double";
    case DATUM_DATE:
        return "date";
    case DATUM_DATETIME:
        return "datetime";
    case DATUM_TIME:
        return "time";
    default:
        return t->is_binary ? "binary" : t->is_json ? "json" : "text";
    }
}

static int result_begin(struct result_sink *k, const struct mysql_column *columns,
                        const struct value_type *types, uint32_t n)
{
    struct page_result *r = result_of(k);

    r->types = types;
    r->n_columns = n;
    r->has_rows = true;
    put(r, "\"columns\":[");
    for (uint32_t i = 0; i < n; i++) {
        const char *name = columns[i].name ? columns[i].name : "";

        put(r, i ? ",{\"name\":" : "{\"name\":");
        put_string(r, name, strlen(name));
        put(r, ",\"type\":\"");
        put(r, type_name(&types[i]));
        put(r, "\"}");
    }
    put(r, "],\"rows\":[");
    return r->lacks_room ? -1 : 0;
}

/* The value as its column's type says: what a statement computes may be of another kind. */
static bool convert(const struct datum *d, const struct value_type *t, struct datum *out)
{
    int64_t v;

    *out = *d;
    switch (t->kind) {
    case DATUM_DECIMAL:
        out->kind = DATUM_DECIMAL;
        out->scale = t->scale;
        __int128 dec;
        unsigned scale;
        if (!datum_to_decimal(d, &dec, &scale) || !decimal_rescale(dec, scale, t->scale, &dec))
            *out = *d;
        else
            out->dec = dec;
        return true;
    case DATUM_DOUBLE:
        datum_set_double(out, datum_to_double(d) + 0.0); /* no minus before zero */
        return true;
    case DATUM_INT:
    case DATUM_UINT:
        if (d->kind == DATUM_UINT || d->kind == DATUM_INT)
            return true;
        datum_to_int(d, &v);
        datum_set_int(out, v);
        return true;
    case DATUM_DATE:
    case DATUM_DATETIME:
    case DATUM_TIME:
        if (!(t->kind == DATUM_DATE       ? datum_to_date(d, &v)
              : t->kind == DATUM_DATETIME ? datum_to_datetime(d, &v)
                                          : datum_to_time(d, &v)))
            return false;
        datum_set_temporal(out, t->kind, v);
        return true;
    default:
        return true;
    }
}

static void put_value(struct page_result *r, const struct datum *d, const struct value_type *t)
{
    char buf[DATUM_TEXT];
    struct datum x;
    size_t len;

    if (d->kind == DATUM_NULL || !convert(d, t, &x)) {
        put(r, "null");
        return;
    }
    const char *s = datum_to_text(&x, t, buf, &len);
    size_t shown = t->is_binary && len > PAGE_RESULT_VALUE / 2
                       ? PAGE_RESULT_VALUE / 2
                       : page_json_cut(s, len, PAGE_RESULT_VALUE);
    r->has_cut |= shown < len;
    if (t->is_binary && x.kind == DATUM_STRING)
        r->lacks_room |= page_json_bytes(r->out, (const unsigned char *)s, shown) != 0;
    else
        put_string(r, s, shown);
}

/* The row is told whole or not at all. */
static bool result_row(struct result_sink *k, const struct datum *cells)
{
    struct page_result *r = result_of(k);
    size_t before = r->out->len;

    if (!r->is_full && r->n_rows < PAGE_RESULT_ROWS) {
        put(r, r->n_rows ? ",[" : "[");
        for (uint32_t i = 0; i < r->n_columns && !r->lacks_room; i++) {
            put(r, i ? "," : "");
            put_value(r, &cells[i], &r->types[i]);
        }
        put(r, "]");
        if (!r->lacks_room && r->out->len - r->start <= PAGE_RESULT_BYTES) {
            r->n_rows++;
            return true;
        }
        r->out->len = before;
        r->lacks_room = false;
    }
    r->is_full = true;
    r->full(r);
    return false;
}

static void result_end(struct result_sink *k, uint16_t warnings)
{
    (void)k;
    (void)warnings;
}

static void result_ok(struct result_sink *k, uint64_t affected, uint64_t insert_id,
                      uint16_t warnings, const char *info)
{
    struct page_result *r = result_of(k);

    (void)insert_id;
    (void)warnings;
    r->lacks_room |=
        buffer_printf(r->out, "\"affected\":%llu,\"info\":", (unsigned long long)affected) != 0;
    put_string(r, info ? info : "", info ? strlen(info) : 0);
}

static void result_error(struct result_sink *k, const struct mysql_error *e)
{
    struct page_result *r = result_of(k);

    if (r->is_full) /* ended by us: the rows that are there are the answer */
        return;
    r->has_failed = true;
    r->out->len = r->start;
    page_result_error(r->out, e->code, e->sqlstate, e->text);
}

void page_result_error(struct buffer *out, unsigned code, const char *state, const char *text)
{
    buffer_printf(out, "\"error\":{\"code\":%u,\"state\":", code);
    page_json_string(out, state, strlen(state));
    buffer_append(out, ",\"text\":", 8);
    page_json_string(out, text, strlen(text));
    buffer_append(out, "}", 1);
}

void page_result_init(struct page_result *r, struct buffer *out,
                      void (*full)(struct page_result *r))
{
    *r = (struct page_result){.sink = {.begin = result_begin,
                                       .row = result_row,
                                       .end = result_end,
                                       .ok = result_ok,
                                       .error = result_error},
                              .out = out,
                              .full = full,
                              .start = out->len};
}

void page_result_finish(struct page_result *r, const struct gateway_session *session)
{
    if (r->lacks_room && !r->has_failed) {
        r->out->len = r->start;
        r->has_failed = true;
        page_result_error(r->out, MYSQL_ER_OUT_OF_RESOURCES, "HY000",
                          "The answer is too large for the page");
        r->lacks_room = false;
    }
    if (r->has_rows && !r->has_failed) {
        put(r, "],\"more\":");
        put(r, r->is_full ? "true,\"cut\":" : "false,\"cut\":");
        put(r, r->has_cut ? "true" : "false");
    }
    put(r, ",\"warnings\":[");
    for (uint32_t i = 0; i < session->n_warnings; i++) {
        const struct session_warning *w = &session->warnings[i];

        r->lacks_room |=
            buffer_printf(r->out, "%s{\"level\":\"%s\",\"code\":%u,\"text\":", i ? "," : "",
                          w->level, w->code) != 0;
        put_string(r, w->text, strlen(w->text));
        put(r, "}");
    }
    buffer_printf(r->out, "],\"warning_count\":%u", session->warning_count);
}

#include "sql/dml_limit.h"

#include <stdio.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/infoschema_tables.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"
#include "storage/schema.h"

enum { FOUND_BYTES = 60, ALLOWED_BYTES = 100, YEAR_FIRST = 1901, YEAR_LAST = 2155 };

/* An error, or where values near are taken a warning: the beginning is MySQL's text. */
static bool refuse(struct statement *s, unsigned code, const char *what, const struct column *c,
                   uint64_t row, const struct datum *found, const char *allowed)
{
    char text[500], buf[DATUM_TEXT];
    size_t len = 0;
    const char *value = datum_to_text(found, NULL, buf, &len);
    bool cut = len > FOUND_BYTES;

    if (cut)
        for (len = FOUND_BYTES; len && ((uint8_t)value[len] & 0xc0) == 0x80;)
            len--;
    snprintf(text, sizeof text,
             "%s for column '%.64s' at row %llu: found '%.*s%s'; allowed: %.*s%s", what, c->name,
             (unsigned long long)row, (int)len, value, cut ? "..." : "", ALLOWED_BYTES, allowed,
             strlen(allowed) > ALLOWED_BYTES ? "..." : "");
    if (s->takes_near)
        gateway_session_warn(s->session, "Warning", code, text);
    else
        mysql_error_set_text(&s->error, code, "%s", text);
    return s->takes_near;
}

static bool out_of_range(struct statement *s, const struct column *c, uint64_t row,
                         const struct datum *found, const char *allowed)
{
    return refuse(s, MYSQL_ER_WARN_DATA_OUT_OF_RANGE, "Out of range value", c, row, found, allowed);
}

static bool not_a_member(struct statement *s, const struct column *c, uint64_t row,
                         const struct datum *found)
{
    return refuse(s, 1265, "Data truncated", c, row, found, infoschema_column_type(&s->scratch, c));
}

/* ---- before conversion ---- */

static bool is_number_text(const struct datum *d)
{
    return d->kind == DATUM_STRING && d->len && datum_string_is_number(d->s, d->len);
}

/* 7 is 2007, 70 is 1970, '0' is 2000 and the number 0 the year 0000; of a time the year counts. */
static void read_year(struct datum *d)
{
    bool is_text = d->kind == DATUM_STRING;
    int64_t days, v;
    unsigned month, day;
    int year;

    if (d->kind == DATUM_DATE || d->kind == DATUM_DATETIME) {
        days = d->kind == DATUM_DATE ? d->i : temporal_us_to_days(d->i);
        if (date_from_days(days, &year, &month, &day) == 0)
            datum_set_int(d, year);
        return;
    }
    if ((is_text && (!is_number_text(d) || d->len > 2)) || !datum_to_int(d, &v) || v < 0 || v > 99)
        return;
    if (v || is_text)
        datum_set_int(d, v < 70 ? 2000 + v : 1900 + v);
}

/* A number stands for a member, also as text unless it is one itself. */
static bool read_member(struct statement *s, const struct column *c, struct datum *d, uint64_t row)
{
    int64_t at;

    if (d->kind == DATUM_STRING &&
        (declared_find_member(c, d->s, d->len) >= 0 || !is_number_text(d)))
        return true;
    if (d->kind != DATUM_STRING && !datum_kind_is_number(d->kind))
        return true;
    if (datum_to_int(d, &at) && at > 0 && at <= (int64_t)c->n_values) {
        const char *text = c->values[at - 1].value;
        datum_set_string(d, text, strlen(text));
        return true;
    }
    if (!not_a_member(s, c, row, d))
        return false;
    datum_set_string(d, "", 0);
    return true;
}

bool dml_limit_input(struct statement *s, const struct column *c, struct datum *d, uint64_t row)
{
    if (c->declared.kind == DECLARED_YEAR)
        read_year(d);
    return c->declared.kind != DECLARED_ENUM || read_member(s, c, d, row);
}

/* ---- lengths ---- */

/* Where a text must end to fit. */
static uint32_t room_of(const struct column *c, const struct value *v)
{
    uint64_t bytes = declared_text_bytes(c->declared.kind);
    uint32_t n = 0, at = 0;

    if (bytes && v->len > bytes) {
        for (at = (uint32_t)bytes; at && (v->bytes[at] & 0xc0) == 0x80;)
            at--;
        return at;
    }
    if (!c->max_length || v->len <= c->max_length)
        return v->len;
    for (; at < v->len; at++)
        if ((v->bytes[at] & 0xc0) != 0x80 && n++ == c->max_length)
            break;
    return at;
}

bool dml_limit_text(struct statement *s, const struct column *c, struct value *v, uint64_t row)
{
    uint32_t room = v->kind == VALUE_TEXT ? room_of(c, v) : v->len;

    for (uint32_t i = room; i < v->len; i++) {
        if (v->bytes[i] == ' ')
            continue;
        if (!s->takes_near) {
            statement_fail(s, MYSQL_ER_DATA_TOO_LONG, c->name, (long)row);
            return false;
        }
        const char *text = statement_printf(s, "Data truncated for column '%s' at row %llu",
                                            c->name, (unsigned long long)row);
        if (text)
            gateway_session_warn(s->session, "Warning", 1265, text);
        break;
    }
    v->len = room;
    return true;
}

/* ---- after conversion ---- */

static void put_number(const struct column *c, int64_t v, struct datum *d)
{
    if (c->type == COLUMN_DECIMAL)
        datum_set_decimal(d, v, c->scale);
    else
        datum_set_int(d, v);
}

static bool clamp(struct statement *s, const struct column *c, int64_t min, int64_t max,
                  struct datum *d, uint64_t row)
{
    int64_t v = c->type == COLUMN_DECIMAL ? (int64_t)d->dec : d->i;
    bool year = c->declared.kind == DECLARED_YEAR;
    char buf[DATUM_TEXT], low[DATUM_TEXT], allowed[2 * DATUM_TEXT + 40];
    struct datum bound;
    size_t len;

    if (v >= min && v <= max && (!year || !v || v >= YEAR_FIRST))
        return true;
    put_number(c, year ? YEAR_FIRST : min, &bound);
    const char *text = datum_to_text(&bound, NULL, buf, &len);
    snprintf(low, sizeof low, "%.*s", (int)len, text);
    put_number(c, max, &bound);
    text = datum_to_text(&bound, NULL, buf, &len);
    snprintf(allowed, sizeof allowed, "%s to %.*s%s", low, (int)len, text, year ? ", and 0" : "");
    if (!out_of_range(s, c, row, d, allowed))
        return false;
    put_number(c, year ? 0 : v < min ? min : max, d);
    return true;
}

bool dml_limit_stored(struct statement *s, const struct column *c, struct datum *d, uint64_t row)
{
    int64_t min, max;

    if (c->declared.kind == DECLARED_ENUM) {
        if (d->kind != DATUM_STRING || declared_find_member(c, d->s, d->len) >= 0 ||
            (s->takes_near && !d->len))
            return true;
        if (!not_a_member(s, c, row, d))
            return false;
        datum_set_string(d, "", 0);
        return true;
    }
    if (d->kind == DATUM_NULL || !declared_range(c, &min, &max))
        return true;
    return clamp(s, c, min, max, d, row);
}

bool dml_limit_list(struct statement *s, const struct column *c, struct cell *items, uint32_t *n,
                    uint64_t row)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < *n; i++) {
        struct datum d;
        if (c->declared.kind != DECLARED_SET ||
            declared_find_member(c, items[i].bytes, items[i].len) >= 0) {
            items[kept++] = items[i];
            continue;
        }
        datum_set_string(&d, items[i].bytes, items[i].len);
        if (!not_a_member(s, c, row, &d))
            return false;
    }
    *n = kept;
    return true;
}

/* ---- values near ---- */

static bool is_negative(const struct datum *d)
{
    const char *at = d->s;

    if (d->kind != DATUM_STRING)
        return d->kind == DATUM_DOUBLE ? d->f < 0 : d->kind == DATUM_DECIMAL && d->dec < 0;
    for (size_t i = 0; i < d->len; i++)
        if (at[i] != ' ')
            return at[i] == '-';
    return false;
}

bool dml_limit_near(struct statement *s, const struct column *c, const struct error_info *err,
                    const struct datum *in, struct datum *out, uint64_t row)
{
    unsigned scale;
    __int128 v = 0;

    if (!s->takes_near || (c->type != COLUMN_INT && c->type != COLUMN_DECIMAL) ||
        (err->code != MYSQL_ER_WARN_DATA_OUT_OF_RANGE && err->code != 1366))
        return false;
    bool is_range = err->code == MYSQL_ER_WARN_DATA_OUT_OF_RANGE, known = false;
    if (in->kind != DATUM_DOUBLE)
        known = datum_to_decimal(in, &v, &scale) &&
                decimal_rescale(v, scale, c->type == COLUMN_DECIMAL ? c->scale : 0, &v);
    if (!known)
        v = !is_range ? 0 : is_negative(in) ? INT64_MIN : INT64_MAX;
    v = v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : v;
    const char *text = statement_printf(s, "%s at row %llu", err->text, (unsigned long long)row);
    if (!text)
        return false;
    gateway_session_warn(s->session, "Warning", (unsigned)err->code, text);
    int64_t min = INT64_MIN, max = INT64_MAX;
    declared_range(c, &min, &max);
    put_number(c, (int64_t)(v < min ? min : v > max ? max : v), out);
    return true;
}

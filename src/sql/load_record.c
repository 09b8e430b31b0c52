#include "sql/load_record.h"

#include <string.h>
#include <strings.h>

#include "sql/token.h"

void load_format_init(struct load_format *f)
{
    *f = (struct load_format){.field_end = {"\t", 1},
                              .line_end = {"\n", 1},
                              .enclosed = -1,
                              .escaped = '\\'};
}

/* 1: the mark stands at p; 0: it does not; -1: perhaps, the text ends within it. */
static int mark_at(const struct load_mark *m, const char *p, const char *end)
{
    size_t left = (size_t)(end - p);

    if (!m->len || p == end || *p != m->bytes[0])
        return 0;
    if (left >= m->len)
        return memcmp(p, m->bytes, m->len) == 0;
    return memcmp(p, m->bytes, left) == 0 ? -1 : 0;
}

/* One line being read, twice: first to see that it is whole, then bytes of fields move to their begins as escapes are
 * taken out. Lives on the stack. */
struct reading {
    const struct load_format *f;
    const char *p, *end;
    bool is_last;
    bool writes;
    char *out;
};

enum stop { STOP_FIELD, STOP_LINE, STOP_MORE };

static void put(struct reading *r, char c)
{
    if (r->writes)
        *r->out = c;
    r->out++;
}

/* Where a field without quotes, or what follows one with quotes, may end; false: it goes on. */
static bool at_end(struct reading *r, enum stop *stop)
{
    int line = mark_at(&r->f->line_end, r->p, r->end),
        field = mark_at(&r->f->field_end, r->p, r->end);

    if (field == 1) {
        r->p += r->f->field_end.len;
        *stop = STOP_FIELD;
    } else if (line == 1) {
        r->p += r->f->line_end.len;
        *stop = STOP_LINE;
    } else if (r->p == r->end) {
        *stop = r->is_last ? STOP_LINE : STOP_MORE;
    } else if ((line < 0 || field < 0) && !r->is_last) {
        *stop = STOP_MORE;
    } else {
        return false;
    }
    return true;
}

static bool is_escape(const struct reading *r)
{
    return r->f->escaped >= 0 && *r->p == (char)r->f->escaped;
}

/* The byte behind an escape; false when it is not there yet. */
static bool escape(struct reading *r)
{
    if (r->p + 1 == r->end) {
        if (!r->is_last)
            return false;
        put(r, *r->p++);
        return true;
    }
    put(r, sql_token_escape(r->p[1]));
    r->p += 2;
    return true;
}

static enum stop quoted(struct reading *r)
{
    char quote = (char)r->f->enclosed;
    enum stop stop;

    for (r->p++; r->p < r->end;) {
        if (is_escape(r) && r->f->escaped != r->f->enclosed) {
            if (!escape(r))
                return STOP_MORE;
        } else if (*r->p != quote) {
            put(r, *r->p++);
        } else if (r->p + 1 < r->end && r->p[1] == quote) {
            put(r, quote);
            r->p += 2;
        } else { /* the end, when an end follows; else a quote in the text */
            r->p++;
            if (at_end(r, &stop))
                return stop;
            put(r, quote);
        }
    }
    return r->is_last ? STOP_LINE : STOP_MORE;
}

static enum stop plain(struct reading *r, bool *is_null)
{
    enum stop stop;
    const char *begin = r->p;

    if (r->f->escaped >= 0 && r->end - r->p >= 2 && is_escape(r) && r->p[1] == 'N') {
        r->p += 2;
        *is_null = true;
        if (at_end(r, &stop))
            return stop;
        *is_null = false;
        r->p = begin;
    }
    while (!at_end(r, &stop)) {
        if (!is_escape(r))
            put(r, *r->p++);
        else if (!escape(r))
            return STOP_MORE;
    }
    return stop;
}

/* One pass over the line; changes the text only when writes. */
static enum load_result read_line(struct reading *r, char *text, struct load_field *fields,
                                  uint32_t *n)
{
    const struct load_format *f = r->f;

    for (*n = 0;; ++*n) {
        struct load_field *field = &fields[*n];
        enum stop stop;
        if (*n == LOAD_FIELDS_MAX)
            return LOAD_TOO_MANY;
        bool is_quoted = f->enclosed >= 0 && r->p < r->end && *r->p == (char)f->enclosed;
        field->is_null = false;
        field->at = r->out = text + (r->p - text);
        stop = is_quoted ? quoted(r) : plain(r, &field->is_null);
        if (stop == STOP_MORE)
            return LOAD_MORE;
        field->len = (size_t)(r->out - field->at);
        /* Without escapes, or with quotes, the word stands for itself. */
        if (!is_quoted && (f->enclosed >= 0 || f->escaped < 0) && r->writes && field->len == 4 &&
            memcmp(field->at, "NULL", 4) == 0)
            field->is_null = true;
        if (stop == STOP_LINE) {
            ++*n;
            return LOAD_RECORD;
        }
    }
}

/* Behind the mark that lines begin with; what stands before it does not count. */
static const char *find_start(const struct load_format *f, const char *text, size_t len)
{
    return f->line_start.len ? memmem(text, len, f->line_start.bytes, f->line_start.len) : text;
}

enum load_result load_record(const struct load_format *f, char *text, size_t len, bool is_last,
                             struct load_field *fields, uint32_t *n_fields, size_t *taken)
{
    const char *start = len ? find_start(f, text, len) : NULL;

    if (!start)
        return LOAD_MORE;
    start += f->line_start.len;
    for (int pass = 0; pass < 2; pass++) {
        struct reading r = {f, start, text + len, is_last, pass == 1, NULL};
        enum load_result rc = read_line(&r, text, fields, n_fields);
        if (rc != LOAD_RECORD)
            return rc;
        *taken = (size_t)(r.p - text);
    }
    return LOAD_RECORD;
}

enum load_result load_skip_line(const struct load_format *f, const char *text, size_t len,
                                bool is_last, size_t *taken)
{
    const char *end =
        len && f->line_end.len ? memmem(text, len, f->line_end.bytes, f->line_end.len) : NULL;

    if (!end && (!is_last || !len))
        return LOAD_MORE;
    *taken = end ? (size_t)(end - text) + f->line_end.len : len;
    return LOAD_RECORD;
}

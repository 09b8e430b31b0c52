#include "sql/export_text.h"

#include <limits.h>
#include <string.h>

#include "sql/value_convert.h"

void export_text_init(struct export_text *t, enum export_text_kind kind)
{
    *t = (struct export_text){.kind = kind, .enclosed = -1, .escaped = -1};
    if (kind == EXPORT_TEXT_BARE)
        return;
    t->field_end = (struct export_mark){"\t", 1};
    t->line_end = (struct export_mark){"\n", 1};
    if (kind == EXPORT_TEXT_LINES)
        t->escaped = '\\';
}

static int put_mark(struct buffer *out, const struct export_mark *m)
{
    return buffer_append(out, m->bytes, m->len);
}

static int put_byte(struct buffer *out, int c)
{
    char byte = (char)c;

    return buffer_append(out, &byte, 1);
}

static int first(const struct export_mark *m)
{
    return m->len ? (unsigned char)m->bytes[0] : INT_MAX;
}

/* MySQL's result type of a value that is sent as text: dates are texts. */
static bool is_text(const struct value_type *t)
{
    return t->kind == DATUM_STRING || datum_kind_is_temporal(t->kind);
}

/* What would be read as something else has the escape before it; NUL becomes the digit. */
static int put_escaped(const struct export_text *t, struct buffer *out, const char *s, size_t len,
                       bool is_enclosed)
{
    int separator = is_enclosed ? t->enclosed : first(&t->field_end);
    int line = first(&t->line_end);
    /* Behind the escape these letters mean something else: such a separator is doubled. */
    bool doubles = separator < CHAR_MAX && separator && strchr("ntrb0ZN", separator);
    size_t from = 0;
    int rc = 0;

    for (size_t i = 0; i < len && rc == 0; i++) {
        int c = (unsigned char)s[i];
        if (c != t->escaped && c != separator && c != line && c)
            continue;
        rc = buffer_append(out, s + from, i - from);
        if (rc == 0)
            rc = put_byte(out, doubles && c == separator ? c : t->escaped);
        if (rc == 0)
            rc = put_byte(out, c ? c : '0');
        from = i + 1;
    }
    return rc == 0 ? buffer_append(out, s + from, len - from) : rc;
}

/* A number may hold a separator such as '-' or '1', too. */
static bool is_unsafe(const struct export_text *t)
{
    int separator = t->enclosed >= 0 ? t->enclosed : first(&t->field_end);

    return separator && separator < CHAR_MAX && strchr("0123456789.+-e", separator);
}

static int put_field(const struct export_text *t, struct buffer *out, const char *s, size_t len,
                     const struct value_type *type)
{
    bool is_enclosed = t->enclosed >= 0 && (!t->only_texts_enclosed || is_text(type));
    int rc = is_enclosed ? put_byte(out, t->enclosed) : 0;

    if (rc)
        return rc;
    if (t->escaped >= 0 && (is_text(type) || is_unsafe(t)))
        rc = put_escaped(t, out, s, len, is_enclosed);
    else
        rc = buffer_append(out, s, len);
    return rc == 0 && is_enclosed ? put_byte(out, t->enclosed) : rc;
}

static int put_null(const struct export_text *t, struct buffer *out)
{
    if (t->kind == EXPORT_TEXT_BARE)
        return 0;
    if (t->escaped < 0)
        return buffer_append(out, "NULL", 4);
    int rc = put_byte(out, t->escaped);
    return rc == 0 ? put_byte(out, 'N') : rc;
}

/* ---- CSV ---- */

/* The text NULL is quoted, as the bare word is the value NULL. */
static bool needs_quotes(const struct export_text *t, const char *s, size_t len)
{
    if ((len == 4 && memcmp(s, "NULL", 4) == 0) || (len && (s[0] == ' ' || s[0] == '\t')))
        return true;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '"' || s[i] == '\n' || s[i] == '\r')
            return true;
    return t->field_end.len && memmem(s, len, t->field_end.bytes, t->field_end.len);
}

static int put_csv(const struct export_text *t, struct buffer *out, const char *s, size_t len)
{
    size_t from = 0;
    int rc;

    if (!needs_quotes(t, s, len))
        return buffer_append(out, s, len);
    rc = put_byte(out, '"');
    for (size_t i = 0; i < len && rc == 0; i++)
        if (s[i] == '"') { /* twice: once here, once with what follows */
            rc = buffer_append(out, s + from, i + 1 - from);
            from = i;
        }
    if (rc == 0)
        rc = buffer_append(out, s + from, len - from);
    return rc == 0 ? put_byte(out, '"') : rc;
}

/* ---- rows ---- */

static int put_cell(const struct export_text *t, struct buffer *out, const struct datum *d,
                    const struct value_type *type)
{
    char room[DATUM_TEXT];
    size_t len;

    if (datum_is_null(d))
        return put_null(t, out);
    const char *s = datum_to_text(d, type, room, &len);
    switch (t->kind) {
    case EXPORT_TEXT_CSV:
        return put_csv(t, out, s, len);
    case EXPORT_TEXT_BARE:
        return buffer_append(out, s, len);
    default:
        return put_field(t, out, s, len, type);
    }
}

int export_text_row(const struct export_text *t, struct buffer *out, const struct datum *cells,
                    const struct value_type *types, uint32_t n)
{
    int rc = put_mark(out, &t->line_start);

    for (uint32_t i = 0; i < n && rc == 0; i++) {
        if (i)
            rc = put_mark(out, &t->field_end);
        if (rc == 0)
            rc = put_cell(t, out, &cells[i], &types[i]);
    }
    return rc == 0 ? put_mark(out, &t->line_end) : rc;
}

int export_text_names(const struct export_text *t, struct buffer *out, const char *const *names,
                      uint32_t n)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && rc == 0; i++) {
        if (i)
            rc = put_mark(out, &t->field_end);
        if (rc == 0)
            rc = put_csv(t, out, names[i], strlen(names[i]));
    }
    return rc == 0 ? put_mark(out, &t->line_end) : rc;
}

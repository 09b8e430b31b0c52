/* Text. Lengths and positions count characters of UTF-8. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/function.h"
#include "sql/function_utf8.h"
#include "sql/value_convert.h"

/* Upper or lower case of letters with a counterpart of the same width in UTF-8: Latin, Greek,
 * Cyrillic. */
static unsigned change_case(unsigned c, bool upper)
{
    if (c < 0x80) {
        if (upper)
            return c >= 'a' && c <= 'z' ? c - 32 : c;
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    if (upper) {
        if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
            (c >= 0x430 && c <= 0x44f))
            return c - 32;
        if (c == 0xff)
            return 0x178;
        if (c >= 0x450 && c <= 0x45f)
            return c - 80;
    } else {
        if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
            (c >= 0x410 && c <= 0x42f))
            return c + 32;
        if (c == 0x178)
            return 0xff;
        if (c >= 0x400 && c <= 0x40f)
            return c + 80;
    }
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177))
        return upper ? c & ~1u : c | 1u;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return upper ? (c % 2 == 0 ? c - 1 : c) : (c % 2 == 1 ? c + 1 : c);
    return c;
}

static unsigned encode(unsigned c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    return 0;
}

/* ---- results ---- */

/* Room for a result; NULL with *out NULL when it is too long. */
static char *result(struct expr_ctx *x, size_t n, struct datum *out)
{
    char *p = n > FUNCTION_MAX_STRING ? NULL : expr_alloc(x, n + 1);

    datum_set_null(out);
    return p;
}

static bool resolve_first(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(value_type_text_length(&e->args[0]->type));
    return true;
}

static bool resolve_long(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(65535);
    return true;
}

/* ---- lengths ---- */

static void eval_length(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, (int64_t)len);
}

static void eval_char_length(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, (int64_t)utf8_length(s, len));
}

static void eval_bit_length(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, (int64_t)len * 8);
}

/* ---- joining ---- */

static void eval_concat(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, total = 0, cap = 64;
    char *p = expr_alloc(x, cap);

    for (uint32_t i = 0; i < e->n_args && p; i++) {
        if (!function_arg_text(e, x, i, &s, &len, out))
            return;
        if (total + len > FUNCTION_MAX_STRING) {
            datum_set_null(out);
            return;
        }
        if (total + len > cap) {
            size_t want = (total + len) * 2;
            char *q = expr_alloc(x, want);
            if (q)
                memcpy(q, p, total);
            p = q;
            cap = want;
        }
        if (p && len)
            memcpy(p + total, s, len);
        total += len;
    }
    if (p)
        datum_set_string(out, p, total);
    else
        datum_set_null(out);
}

static void eval_concat_ws(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *sep, *s;
    size_t sep_len, len, total = 0;
    struct datum d;
    bool first = true;

    if (!function_arg_text(e, x, 0, &sep, &sep_len, out))
        return;
    char *p = NULL;
    size_t cap = 0;
    for (uint32_t i = 1; i < e->n_args; i++) {
        expr_eval(e->args[i], x, &d);
        if (d.kind == DATUM_NULL)
            continue;
        s = function_text(x, &d, &e->args[i]->type, &len);
        size_t need = total + len + sep_len;
        if (!s || need > FUNCTION_MAX_STRING) {
            datum_set_null(out);
            return;
        }
        if (need > cap) {
            char *q = expr_alloc(x, need * 2 + 16);
            if (!q) {
                datum_set_null(out);
                return;
            }
            if (total)
                memcpy(q, p, total);
            p = q;
            cap = need * 2 + 16;
        }
        if (!first) {
            memcpy(p + total, sep, sep_len);
            total += sep_len;
        }
        if (len)
            memcpy(p + total, s, len);
        total += len;
        first = false;
    }
    datum_set_string(out, p ? p : "", total);
}

/* ---- case ---- */

static void eval_case(const struct expr *e, struct expr_ctx *x, bool upper, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    char *p = result(x, len, out);
    if (!p)
        return;
    for (size_t i = 0; i < len;) {
        unsigned width, c = utf8_decode(s + i, len - i, &width);
        char changed[4];
        unsigned n = width <= 2 ? encode(change_case(c, upper), changed) : 0;
        if (n == width)
            memcpy(p + i, changed, width);
        else
            memcpy(p + i, s + i, width);
        i += width;
    }
    datum_set_string(out, p, len);
}

static void eval_upper(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_case(e, x, true, out);
}

static void eval_lower(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_case(e, x, false, out);
}

/* ---- parts ---- */

/* Characters [from, from + n) of s. */
static void put_part(const char *s, size_t len, uint64_t from, uint64_t n, struct datum *out)
{
    size_t a = utf8_offset(s, len, from), b = a + utf8_offset(s + a, len - a, n);

    datum_set_string(out, s + a, b - a);
}

static void eval_substring(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t from, n = INT64_MAX;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &from, out) ||
        (e->n_args > 2 && !function_arg_int(e, x, 2, &n, out)))
        return;
    int64_t all = (int64_t)utf8_length(s, len);
    if (from < 0)
        from = all + from + 1;
    if (from < 1 || from > all || n <= 0)
        datum_set_string(out, "", 0);
    else
        put_part(s, len, (uint64_t)from - 1, (uint64_t)n, out);
}

static void eval_left(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t n;

    if (function_arg_text(e, x, 0, &s, &len, out) && function_arg_int(e, x, 1, &n, out))
        put_part(s, len, 0, n < 0 ? 0 : (uint64_t)n, out);
}

static void eval_right(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t n;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &n, out))
        return;
    uint64_t all = utf8_length(s, len), want = n < 0 ? 0 : (uint64_t)n;
    put_part(s, len, want >= all ? 0 : all - want, want, out);
}

static void eval_substring_index(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *d;
    size_t len, n;
    int64_t count;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &d, &n, out) ||
        !function_arg_int(e, x, 2, &count, out))
        return;
    if (!n || !count) {
        datum_set_string(out, "", 0);
        return;
    }
    if (count > 0) {
        const char *p = s, *end = s + len, *q;
        while ((q = memmem(p, (size_t)(end - p), d, n)) && --count > 0)
            p = q + n;
        datum_set_string(out, s, q ? (size_t)(q - s) : len);
        return;
    }
    for (size_t i = len; i-- > 0;)
        if (i + n <= len && memcmp(s + i, d, n) == 0) {
            if (++count == 0) {
                datum_set_string(out, s + i + n, len - i - n);
                return;
            }
            i = i >= n - 1 ? i - (n - 1) : 0;
        }
    datum_set_string(out, s, len);
}

/* ---- searching ---- */

/* Position in characters from 1 of needle in s at or after character `from`; 0 = none. */
static int64_t find(const char *s, size_t len, const char *needle, size_t n, int64_t from)
{
    if (from < 1)
        return 0;
    size_t at = utf8_offset(s, len, (uint64_t)from - 1);
    if (at == len && (uint64_t)from > utf8_length(s, len) + 1)
        return 0;
    const char *p = n ? memmem(s + at, len - at, needle, n) : s + at;
    return p ? (int64_t)utf8_length(s, (size_t)(p - s)) + 1 : 0;
}

static void eval_locate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *needle;
    size_t len, n;
    int64_t from = 1;

    if (function_arg_text(e, x, 0, &needle, &n, out) && function_arg_text(e, x, 1, &s, &len, out) &&
        (e->n_args < 3 || function_arg_int(e, x, 2, &from, out)))
        datum_set_int(out, find(s, len, needle, n, from));
}

static void eval_instr(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *needle;
    size_t len, n;

    if (function_arg_text(e, x, 0, &s, &len, out) && function_arg_text(e, x, 1, &needle, &n, out))
        datum_set_int(out, find(s, len, needle, n, 1));
}

static void eval_find_in_set(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *list;
    size_t len, n;
    int64_t k = 1;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &list, &n, out))
        return;
    datum_set_int(out, 0);
    if (memchr(s, ',', len) || !n)
        return;
    for (const char *p = list, *end = list + n; p <= end; k++) {
        const char *q = memchr(p, ',', (size_t)(end - p));
        if (!q)
            q = end;
        if ((size_t)(q - p) == len && memcmp(p, s, len) == 0) {
            datum_set_int(out, k);
            return;
        }
        p = q + 1;
    }
}

static void eval_strcmp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *a, *b;
    struct datum p, q;
    size_t n, m;

    if (!function_arg_text(e, x, 0, &a, &n, out) || !function_arg_text(e, x, 1, &b, &m, out))
        return;
    datum_set_string(&p, a, n);
    datum_set_string(&q, b, m);
    datum_set_int(out, datum_order(&p, &q));
}

/* ---- changing ---- */

static void eval_replace(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *from, *to, *q;
    size_t len, n, m, count = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_text(e, x, 1, &from, &n, out) ||
        !function_arg_text(e, x, 2, &to, &m, out))
        return;
    const char *p = s, *end = s + len;
    while (n && (q = memmem(p, (size_t)(end - p), from, n))) {
        count++;
        p = q + n;
    }
    if (!count) {
        datum_set_string(out, s, len);
        return;
    }
    size_t total = len - count * n + count * m, at = 0;
    char *r = result(x, total, out);
    if (!r)
        return;
    for (p = s; (q = memmem(p, (size_t)(end - p), from, n)); p = q + n) {
        memcpy(r + at, p, (size_t)(q - p));
        at += (size_t)(q - p);
        memcpy(r + at, to, m);
        at += m;
    }
    memcpy(r + at, p, (size_t)(end - p));
    datum_set_string(out, r, total);
}

static void eval_reverse(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    char *p = result(x, len, out);
    if (!p)
        return;
    for (size_t i = 0; i < len;) {
        size_t j = i + 1;
        while (j < len && !utf8_is_first(s[j]))
            j++;
        memcpy(p + len - j, s + i, j - i);
        i = j;
    }
    datum_set_string(out, p, len);
}

static void eval_repeat(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    int64_t n;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &n, out))
        return;
    if (n <= 0 || !len) {
        datum_set_string(out, "", 0);
        return;
    }
    if ((uint64_t)n > FUNCTION_MAX_STRING / len) {
        datum_set_null(out);
        return;
    }
    char *p = result(x, len * (size_t)n, out);
    for (int64_t i = 0; p && i < n; i++)
        memcpy(p + (size_t)i * len, s, len);
    if (p)
        datum_set_string(out, p, len * (size_t)n);
}

static void eval_space(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t n;

    if (!function_arg_int(e, x, 0, &n, out))
        return;
    if (n < 0)
        n = 0;
    char *p = n > FUNCTION_MAX_STRING ? NULL : result(x, (size_t)n, out);
    if (!p) {
        datum_set_null(out);
        return;
    }
    memset(p, ' ', (size_t)n);
    datum_set_string(out, p, (size_t)n);
}

static void eval_pad(const struct expr *e, struct expr_ctx *x, bool left, struct datum *out)
{
    const char *s, *pad = " ";
    size_t len, m = 1;
    int64_t n;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &n, out) ||
        (e->n_args > 2 && !function_arg_text(e, x, 2, &pad, &m, out)))
        return;
    uint64_t have = utf8_length(s, len);
    if (n < 0 || n > FUNCTION_MAX_STRING) {
        datum_set_null(out);
        return;
    }
    if ((uint64_t)n <= have) {
        put_part(s, len, 0, (uint64_t)n, out);
        return;
    }
    if (!m) { /* nothing to pad with */
        datum_set_null(out);
        return;
    }
    uint64_t add = (uint64_t)n - have, unit = utf8_length(pad, m);
    size_t rest = utf8_offset(pad, m, add % unit), total = (size_t)(add / unit) * m + rest;
    char *p = result(x, len + total, out);
    if (!p)
        return;
    char *q = left ? p : p + len;
    memcpy(left ? p + total : p, s, len);
    for (uint64_t i = 0; i < add / unit; i++, q += m)
        memcpy(q, pad, m);
    memcpy(q, pad, rest);
    datum_set_string(out, p, len + total);
}

static void eval_lpad(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_pad(e, x, true, out);
}

static void eval_rpad(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    eval_pad(e, x, false, out);
}

static bool resolve_pad(struct expr *e, struct function_bind *b)
{
    int64_t n = 255;

    (void)b;
    if (expr_is_const(e->args[1]) && e->args[1]->u.value.kind != DATUM_NULL)
        datum_to_int(&e->args[1]->u.value, &n);
    e->type = value_type_string(n < 0 ? 0 : n > 65535 ? 65535 : (uint32_t)n);
    return true;
}

/* INSERT(s, pos, len, new). */
static void eval_insert(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *t;
    size_t len, m;
    int64_t pos, n;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !function_arg_int(e, x, 1, &pos, out) ||
        !function_arg_int(e, x, 2, &n, out) || !function_arg_text(e, x, 3, &t, &m, out))
        return;
    if (pos < 1 || pos > (int64_t)utf8_length(s, len)) {
        datum_set_string(out, s, len);
        return;
    }
    size_t a = utf8_offset(s, len, (uint64_t)pos - 1);
    size_t b = a + (n < 0 ? len - a : utf8_offset(s + a, len - a, (uint64_t)n));
    char *p = result(x, a + m + len - b, out);
    if (!p)
        return;
    memcpy(p, s, a);
    memcpy(p + a, t, m);
    memcpy(p + a + m, s + b, len - b);
    datum_set_string(out, p, a + m + len - b);
}

/* ---- TRIM ---- */

static const struct function trim_function = {.name = "trim"};

static void trim(const char *s, size_t len, const char *r, size_t n, enum sql_trim side,
                 struct datum *out)
{
    if (n) {
        while (side != SQL_TRIM_TRAILING && len >= n && memcmp(s, r, n) == 0) {
            s += n;
            len -= n;
        }
        while (side != SQL_TRIM_LEADING && len >= n && memcmp(s + len - n, r, n) == 0)
            len -= n;
    }
    datum_set_string(out, s, len);
}

static void eval_trim(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s, *r = " ";
    size_t len, n = 1;

    if (function_arg_text(e, x, 0, &s, &len, out) &&
        (e->n_args < 2 || function_arg_text(e, x, 1, &r, &n, out)))
        trim(s, len, r, n, e->op, out);
}

struct expr *function_new_trim(struct function_bind *b, enum sql_trim side, struct expr *text,
                               struct expr *remove)
{
    struct expr *e = expr_new(b->arena, EXPR_CALL, remove ? 2 : 1);

    if (!e) {
        mysql_error_set_text(b->error, 1041, "Out of memory");
        return NULL;
    }
    e->args[0] = text;
    if (remove)
        e->args[1] = remove;
    e->op = (uint8_t)side;
    e->u.function = &trim_function;
    e->eval = eval_trim;
    e->volatile_ = text->volatile_;
    e->type = value_type_string(value_type_text_length(&text->type));
    return e;
}

static void eval_ltrim(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        trim(s, len, " ", 1, SQL_TRIM_LEADING, out);
}

static void eval_rtrim(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        trim(s, len, " ", 1, SQL_TRIM_TRAILING, out);
}

const struct function function_string[] = {
    {"length", 1, 1, 0, function_is_int, eval_length},
    {"octet_length", 1, 1, 0, function_is_int, eval_length},
    {"lengthb", 1, 1, 0, function_is_int, eval_length},
    {"char_length", 1, 1, 0, function_is_int, eval_char_length},
    {"character_length", 1, 1, 0, function_is_int, eval_char_length},
    {"bit_length", 1, 1, 0, function_is_int, eval_bit_length},
    {"concat", 1, 255, 0, function_is_text, eval_concat},
    {"concat_ws", 2, 255, FUNCTION_NULL_IN, function_is_text, eval_concat_ws},
    {"upper", 1, 1, 0, resolve_first, eval_upper},
    {"ucase", 1, 1, 0, resolve_first, eval_upper},
    {"string.uppercase", 1, 1, 0, resolve_first, eval_upper},
    {"lower", 1, 1, 0, resolve_first, eval_lower},
    {"lcase", 1, 1, 0, resolve_first, eval_lower},
    {"tolower", 1, 1, 0, resolve_first, eval_lower},
    {"string.lowercase", 1, 1, 0, resolve_first, eval_lower},
    {"substring", 2, 3, 0, resolve_first, eval_substring},
    {"substr", 2, 3, 0, resolve_first, eval_substring},
    {"mid", 3, 3, 0, resolve_first, eval_substring},
    {"left", 2, 2, 0, resolve_first, eval_left},
    {"right", 2, 2, 0, resolve_first, eval_right},
    {"substring_index", 3, 3, 0, resolve_first, eval_substring_index},
    {"locate", 2, 3, 0, function_is_int, eval_locate},
    {"position", 2, 2, 0, function_is_int, eval_locate},
    {"instr", 2, 2, 0, function_is_int, eval_instr},
    {"find_in_set", 2, 2, 0, function_is_int, eval_find_in_set},
    {"strcmp", 2, 2, 0, function_is_int, eval_strcmp},
    {"replace", 3, 3, 0, resolve_long, eval_replace},
    {"reverse", 1, 1, 0, resolve_first, eval_reverse},
    {"repeat", 2, 2, 0, resolve_long, eval_repeat},
    {"space", 1, 1, 0, resolve_long, eval_space},
    {"lpad", 2, 3, 0, resolve_pad, eval_lpad},
    {"rpad", 2, 3, 0, resolve_pad, eval_rpad},
    {"insert", 4, 4, 0, function_is_text, eval_insert},
    {"ltrim", 1, 1, 0, resolve_first, eval_ltrim},
    {"rtrim", 1, 1, 0, resolve_first, eval_rtrim},
    {"trim", 1, 1, 0, resolve_first, eval_trim},
    {0},
};

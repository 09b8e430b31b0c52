/* Text made of parts or sounds: SOUNDEX, MAKE_SET, EXPORT_SET, sizes for people, and the like. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/function.h"
#include "sql/function_utf8.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

static bool resolve_short(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(64);
    return true;
}

static bool resolve_bytes(struct expr *e, struct function_bind *b)
{
    function_is_text(e, b);
    e->type.is_binary = true;
    e->type.length *= 4;
    return true;
}

/* As MySQL counts: vowels do not tell equal codes apart, and nothing is cut at four. */
static void eval_soundex(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const char codes[] = "01230120022455012623010202"; /* A to Z */
    const char *s;
    size_t len, n = 0;
    char last = 0, *p;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (!(p = expr_alloc(x, len + 4)))
        return;
    for (size_t i = 0; i < len; i++) {
        char c = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];
        if (c < 'A' || c > 'Z')
            continue;
        char code = codes[c - 'A'];
        if (n && (code == '0' || code == last))
            continue;
        p[n] = n ? code : c;
        n++;
        last = code;
    }
    while (n && n < 4)
        p[n++] = '0';
    datum_set_string(out, p, n);
}

static bool arg_bits(const struct expr *e, struct expr_ctx *x, uint64_t *bits, struct datum *out)
{
    struct datum d;
    __int128 v;

    if (!function_arg(e, x, 0, &d, out))
        return false;
    expr_value_as_number(e->args[0], &d);
    *bits = datum_to_wide_int(&d, &v) ? (uint64_t)v : INT64_MAX;
    return true;
}

static void eval_make_set(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *parts[64];
    size_t lens[64], total = 0, n = 0, at = 0;
    uint64_t bits;
    struct datum d;

    if (!arg_bits(e, x, &bits, out))
        return;
    for (uint32_t i = 1; i < e->n_args && i <= 64; i++) {
        if (!(bits >> (i - 1) & 1))
            continue;
        expr_eval(e->args[i], x, &d);
        if (d.kind == DATUM_NULL)
            continue;
        parts[n] = function_text(x, &d, &e->args[i]->type, &lens[n]);
        if (!parts[n]) {
            datum_set_null(out);
            return;
        }
        total += lens[n++] + 1;
    }
    datum_set_null(out);
    char *p = expr_alloc(x, total + 1);
    for (size_t i = 0; p && i < n; i++) {
        if (i)
            p[at++] = ',';
        memcpy(p + at, parts[i], lens[i]);
        at += lens[i];
    }
    if (p)
        datum_set_string(out, p, at);
}

static bool resolve_set(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(4096);
    return true;
}

static void eval_export_set(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *words[2], *between = ",";
    size_t lens[2], between_len = 1, at = 0;
    int64_t n = 64;
    uint64_t bits;

    if (!arg_bits(e, x, &bits, out) || !function_arg_text(e, x, 1, &words[1], &lens[1], out) ||
        !function_arg_text(e, x, 2, &words[0], &lens[0], out) ||
        (e->n_args > 3 && !function_arg_text(e, x, 3, &between, &between_len, out)) ||
        (e->n_args > 4 && !function_arg_int(e, x, 4, &n, out)))
        return;
    if (n < 0 || n > 64)
        n = 64;
    size_t longest = lens[0] > lens[1] ? lens[0] : lens[1];
    datum_set_null(out);
    char *p = longest + between_len < FUNCTION_MAX_STRING / 64
                  ? expr_alloc(x, 64 * (longest + between_len) + 1)
                  : NULL;
    for (int64_t i = 0; p && i < n; i++) {
        bool on = bits >> i & 1;
        if (i) {
            memcpy(p + at, between, between_len);
            at += between_len;
        }
        memcpy(p + at, words[on], lens[on]);
        at += lens[on];
    }
    if (p)
        datum_set_string(out, p, at);
}

/* The bytes that decide the order: those of the text, as it compares by them. */
static void eval_weight_string(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_string(out, s, len);
}

static void put_printed(struct expr_ctx *x, const char *text, struct datum *out)
{
    size_t n = strlen(text);
    char *p = expr_alloc(x, n + 1);

    datum_set_null(out);
    if (p) {
        memcpy(p, text, n);
        datum_set_string(out, p, n);
    }
}

/* A number with the largest unit that leaves 1 before the point. */
static void eval_units(const struct expr *e, struct expr_ctx *x, const double *sizes,
                       const char *const *units, unsigned n, struct datum *out)
{
    char text[64];
    double v;
    unsigned i = n - 1;

    if (!function_arg_double(e, x, 0, &v, out))
        return;
    while (i && fabs(v) < sizes[i])
        i--;
    if (i)
        snprintf(text, sizeof text, "%.2f %s", v / sizes[i], units[i]);
    else
        snprintf(text, sizeof text, "%.0f %s", v, units[0]);
    put_printed(x, text, out);
}

static void eval_format_bytes(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const double sizes[] = {1, 0x1p10, 0x1p20, 0x1p30, 0x1p40, 0x1p50, 0x1p60};
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    eval_units(e, x, sizes, units, 7, out);
}

static void eval_format_pico_time(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const double sizes[] = {1, 1e3, 1e6, 1e9, 1e12, 6e13, 3.6e15, 8.64e16};
    static const char *const units[] = {"ps", "ns", "us", "ms", "s", "min", "h", "d"};

    eval_units(e, x, sizes, units, 8, out);
}

static bool resolve_nvl2(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = expr_common_type(&e->args[1]->type, &e->args[2]->type);
    return true;
}

static void eval_nvl2(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;

    expr_eval(e->args[0], x, &d);
    unsigned i = d.kind == DATUM_NULL ? 2 : 1;
    expr_eval(e->args[i], x, out);
    expr_to_type(x, out, &e->args[i]->type, &e->type);
}

static bool resolve_second(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = e->args[1]->type;
    return true;
}

static void eval_second(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    expr_eval(e->args[1], x, out);
}

/* +hh:mm, UTC: minutes. Names of places are unknown, as there is no table of them. */
static bool read_zone(const char *s, size_t len, int64_t *minutes)
{
    *minutes = 0;
    if ((len == 3 && strncasecmp(s, "utc", 3) == 0) ||
        (len == 6 && strncasecmp(s, "system", 6) == 0))
        return true;
    if (len < 5 || len > 6 || (s[0] != '+' && s[0] != '-') || s[len - 3] != ':')
        return false;
    for (size_t i = 1; i < len; i++)
        if (i != len - 3 && (s[i] < '0' || s[i] > '9'))
            return false;
    int64_t hours = len == 6 ? (s[1] - '0') * 10 + (s[2] - '0') : s[1] - '0';
    *minutes = hours * 60 + (s[len - 2] - '0') * 10 + (s[len - 1] - '0');
    if (s[len - 2] > '5' || *minutes > 14 * 60)
        return false;
    if (s[0] == '-')
        *minutes = -*minutes;
    return true;
}

static bool resolve_convert_tz(struct expr *e, struct function_bind *b)
{
    unsigned scale = e->args[0]->type.kind == DATUM_DATETIME ? e->args[0]->type.scale
                     : e->args[0]->type.kind == DATUM_DATE   ? 0
                                                             : 6;
    (void)b;
    if (expr_is_const(e->args[0]) && e->args[0]->u.value.kind == DATUM_STRING) {
        const struct datum *d = &e->args[0]->u.value;
        const char *point = memchr(d->s, '.', d->len);
        size_t digits = point ? (size_t)(d->s + d->len - point - 1) : 0;
        scale = digits > 6 ? 6 : (unsigned)digits;
    }
    e->type = value_type_temporal(DATUM_DATETIME, scale);
    return true;
}

static void eval_convert_tz(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    enum { MINUTE_US = 60000000 };
    const char *s;
    size_t len;
    struct datum d;
    int64_t us, from, to;

    if (!function_arg(e, x, 0, &d, out) || !function_arg_text(e, x, 1, &s, &len, out))
        return;
    bool ok = read_zone(s, len, &from);
    if (!function_arg_text(e, x, 2, &s, &len, out))
        return;
    datum_set_null(out);
    if (!ok || !read_zone(s, len, &to) || !datum_to_datetime(&d, &us))
        return;
    /* What no TIMESTAMP can be stays as it is, as in MySQL. */
    int64_t utc = us - from * MINUTE_US;
    bool is_timestamp = utc >= 1000000 && utc <= TEMPORAL_UNIX_MAX_US;
    datum_set_temporal(out, DATUM_DATETIME, is_timestamp ? utc + to * MINUTE_US : us);
}

/* get_format(DATE, 'EUR'): what stands first, bind_call.c has made a text of it. */
static void eval_get_format(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const char *const formats[][4] = {
        {"usa", "%m.%d.%Y", "%Y-%m-%d %H.%i.%s", "%h:%i:%s %p"},
        {"jis", "%Y-%m-%d", "%Y-%m-%d %H:%i:%s", "%H:%i:%s"},
        {"iso", "%Y-%m-%d", "%Y-%m-%d %H:%i:%s", "%H:%i:%s"},
        {"eur", "%d.%m.%Y", "%Y-%m-%d %H.%i.%s", "%H.%i.%s"},
        {"internal", "%Y%m%d", "%Y%m%d%H%i%s", "%H%i%s"},
    };
    const char *s[2];
    size_t len[2];

    for (unsigned i = 0; i < 2; i++)
        if (!function_arg_text(e, x, i, &s[i], &len[i], out))
            return;
    unsigned kind = len[0] > 4 ? 2 : (*s[0] | 32) == 'd' ? 1 : 3;
    datum_set_null(out);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strlen(formats[i][0]) == len[1] && strncasecmp(formats[i][0], s[1], len[1]) == 0)
            datum_set_string(out, formats[i][kind], strlen(formats[i][kind]));
}

const struct function function_words[] = {
    {"soundex", 1, 1, 0, function_is_text, eval_soundex},
    {"make_set", 2, 65, FUNCTION_NULL_IN, function_is_text, eval_make_set},
    {"export_set", 3, 5, 0, resolve_set, eval_export_set},
    {"weight_string", 1, 1, 0, resolve_bytes, eval_weight_string},
    {"format_bytes", 1, 1, 0, resolve_short, eval_format_bytes},
    {"format_pico_time", 1, 1, 0, resolve_short, eval_format_pico_time},
    {"nvl2", 3, 3, FUNCTION_NULL_IN, resolve_nvl2, eval_nvl2},
    {"name_const", 2, 2, FUNCTION_NULL_IN, resolve_second, eval_second},
    {"get_format", 2, 2, 0, resolve_short, eval_get_format},
    {"convert_tz", 3, 3, 0, resolve_convert_tz, eval_convert_tz},
    {0},
};

/* Text and its bytes: codes, hexadecimal, numbers written for people. */
#include <stdio.h>
#include <string.h>

#include "sql/function.h"
#include "sql/function_utf8.h"
#include "sql/value_convert.h"

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

static void eval_ascii(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, len ? (unsigned char)s[0] : 0);
}

static void eval_ord(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    unsigned width;
    int64_t v = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (len) {
        utf8_decode(s, len, &width);
        for (unsigned i = 0; i < width; i++)
            v = v << 8 | (unsigned char)s[i];
    }
    datum_set_int(out, v);
}

static bool resolve_char(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(4 * e->n_args);
    e->type.is_binary = true;
    return true;
}

static bool resolve_unhex(struct expr *e, struct function_bind *b)
{
    resolve_first(e, b);
    e->type.is_binary = true;
    return true;
}

static void eval_char(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    char *p = result(x, 4 * (size_t)e->n_args, out);
    size_t n = 0;

    for (uint32_t i = 0; p && i < e->n_args; i++) {
        struct datum d;
        int64_t v;
        expr_eval(e->args[i], x, &d);
        if (d.kind == DATUM_NULL || !datum_to_int(&d, &v))
            continue;
        uint32_t c = (uint32_t)v;
        for (int shift = 24; shift >= 0; shift -= 8)
            if (c >> shift || shift == 0)
                p[n++] = (char)(c >> shift);
    }
    if (p)
        datum_set_string(out, p, n);
}

static void eval_hex(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    const char *s;
    size_t len;
    char number[20];

    if (!function_arg(e, x, 0, &d, out))
        return;
    if (d.kind != DATUM_STRING && !datum_kind_is_temporal(d.kind)) {
        __int128 v;
        if (!datum_to_wide_int(&d, &v))
            v = -1;
        int n = snprintf(number, sizeof number, "%llX", (unsigned long long)(uint64_t)v);
        char *p = result(x, (size_t)n, out);
        if (p) {
            memcpy(p, number, (size_t)n);
            datum_set_string(out, p, (size_t)n);
        }
        return;
    }
    s = function_text(x, &d, &e->args[0]->type, &len);
    char *p = s ? result(x, 2 * len, out) : NULL;
    for (size_t i = 0; p && i < len; i++) {
        p[2 * i] = "0123456789ABCDEF"[(unsigned char)s[i] >> 4];
        p[2 * i + 1] = "0123456789ABCDEF"[s[i] & 15];
    }
    if (p)
        datum_set_string(out, p, 2 * len);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void eval_unhex(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, at = 0, i = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    char *p = result(x, len / 2 + 1, out);
    if (!p)
        return;
    if (len % 2) {
        int d = hex_digit(s[i++]);
        if (d < 0)
            return;
        p[at++] = (char)d;
    }
    for (; i + 1 < len; i += 2) {
        int a = hex_digit(s[i]), b = hex_digit(s[i + 1]);
        if (a < 0 || b < 0)
            return;
        p[at++] = (char)(a << 4 | b);
    }
    datum_set_string(out, p, at);
}

/* FORMAT(1234.5, 2) = '1,234.50'. */
/* How a locale writes numbers: what stands between thousands (0 = nothing), what before the fraction. */
struct number_style {
    char thousands, point;
    bool indian; /* pairs of digits above the first three */
};

static bool is_one_of(const char *words, const char *s, size_t len)
{
    for (const char *p = words; (p = strchr(p, ' ')); p++)
        if (strncmp(p + 1, s, len) == 0 && (p[1 + len] == ' ' || !p[1 + len]))
            return true;
    return false;
}

static struct number_style style_of(const char *s, size_t len)
{
    if (len != 5)
        return (struct number_style){',', '.', false};
    if (is_one_of(
            " be_BY da_DK de_BE de_DE de_LU es_AR es_BO es_CL es_CO es_EC es_ES es_PY es_UY es_VE "
            "fo_FO hu_HU id_ID is_IS lt_LT mn_MN nb_NO no_NO ro_RO ru_UA sq_AL tr_TR uk_UA vi_VN",
            s, len))
        return (struct number_style){'.', ',', false};
    if (is_one_of(
            " ca_ES de_AT el_GR eu_ES fr_BE fr_CA fr_CH fr_FR fr_LU gl_ES hr_HR it_IT nl_BE nl_NL "
            "pl_PL pt_BR pt_PT sl_SI",
            s, len))
        return (struct number_style){0, ',', false};
    if (is_one_of(" cs_CZ es_CR et_EE fi_FI lv_LV mk_MK ru_RU sk_SK sv_FI sv_SE", s, len))
        return (struct number_style){' ', ',', false};
    if (is_one_of(" en_IN ta_IN te_IN", s, len))
        return (struct number_style){',', '.', true};
    if (is_one_of(" de_CH it_CH", s, len))
        return (struct number_style){'\'', s[0] == 'd' ? '.' : ',', false};
    return (struct number_style){s[0] == 's' && is_one_of(" sr_RS", s, len) ? 0 : ',', '.', false};
}

/* Whether a separator stands before the digit that has n - 1 others behind it. */
static bool is_group(const struct number_style *style, size_t n)
{
    if (!style->thousands)
        return false;
    return style->indian && n > 3 ? (n - 3) % 2 == 0 : n % 3 == 0;
}

static void eval_format(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t digits;
    char text[DATUM_TEXT], *p;
    size_t len;
    struct value_type t;
    struct number_style style = {',', '.', false};

    if (!function_arg(e, x, 0, &d, out) || !function_arg_int(e, x, 1, &digits, out))
        return;
    if (e->n_args > 2) {
        struct datum unknown; /* a locale that is NULL is the usual one */
        const char *name;
        if (function_arg_text(e, x, 2, &name, &len, &unknown))
            style = style_of(name, len);
    }
    if (digits < 0)
        digits = 0;
    if (digits > 30)
        digits = 30;
    t = value_type_decimal(65, (unsigned)digits);
    if (d.kind == DATUM_DECIMAL || d.kind == DATUM_INT || d.kind == DATUM_UINT) {
        expr_to_type(x, &d, &e->args[0]->type, &t);
    } else {
        datum_set_double(&d, datum_to_double(&d));
        t = value_type_double();
        t.scale = (uint8_t)digits;
    }
    const char *s = datum_to_text(&d, &t, text, &len);
    size_t sign = len && s[0] == '-', point = len;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '.')
            point = i;
    p = result(x, len * 2, out);
    if (!p)
        return;
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > sign && i < point && is_group(&style, point - i))
            p[at++] = style.thousands;
        p[at++] = i == point ? style.point : s[i];
    }
    datum_set_string(out, p, at);
}

static void eval_elt(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t n;
    const char *s;
    size_t len;

    if (!function_arg_int(e, x, 0, &n, out))
        return;
    datum_set_null(out);
    if (n >= 1 && n < e->n_args && function_arg_text(e, x, (unsigned)n, &s, &len, out))
        datum_set_string(out, s, len);
}

static void eval_quote(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    size_t len, at = 0;

    expr_eval(e->args[0], x, &d);
    if (d.kind == DATUM_NULL) {
        datum_set_string(out, "NULL", 4);
        return;
    }
    const char *s = function_text(x, &d, &e->args[0]->type, &len);
    char *p = s ? result(x, 2 * len + 2, out) : NULL;
    if (!p)
        return;
    p[at++] = '\'';
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\'' || s[i] == '\\')
            p[at++] = '\\';
        p[at++] = s[i];
    }
    p[at++] = '\'';
    datum_set_string(out, p, at);
}

const struct function function_encode[] = {
    {"ascii", 1, 1, 0, function_is_int, eval_ascii},
    {"ord", 1, 1, 0, function_is_int, eval_ord},
    {"char", 1, 255, FUNCTION_NULL_IN, resolve_char, eval_char},
    {"hex", 1, 1, 0, resolve_long, eval_hex},
    {"unhex", 1, 1, 0, resolve_unhex, eval_unhex},
    {"format", 2, 3, FUNCTION_NULL_IN, resolve_long, eval_format},
    {"elt", 2, 255, FUNCTION_NULL_IN, function_is_text, eval_elt},
    {"quote", 1, 1, FUNCTION_NULL_IN, resolve_long, eval_quote},
    {0},
};

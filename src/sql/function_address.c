/* Addresses of IPv6, and UUIDs as texts and bytes. */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <string.h>

#include "sql/function.h"

static bool resolve_bytes(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(16);
    e->type.is_binary = true;
    return true;
}

static bool resolve_text(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(39);
    return true;
}

static bool resolve_number(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_uint(20);
    return true;
}

static void put_copy(struct expr_ctx *x, const void *bytes, size_t n, struct datum *out)
{
    char *p = expr_alloc(x, n + 1);

    datum_set_null(out);
    if (p) {
        memcpy(p, bytes, n);
        datum_set_string(out, p, n);
    }
}

/* Argument as an address: its bytes, 0 when it is none. -1: NULL. */
static int read_address(const struct expr *e, struct expr_ctx *x, uint8_t bytes[16],
                        struct datum *out)
{
    char text[64];
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return -1;
    if (len >= sizeof text || memchr(s, 0, len))
        return 0;
    memcpy(text, s, len);
    text[len] = 0;
    return inet_pton(AF_INET, text, bytes) == 1    ? 4
           : inet_pton(AF_INET6, text, bytes) == 1 ? 16
                                                   : 0;
}

static void eval_inet6_aton(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint8_t bytes[16];
    int n = read_address(e, x, bytes, out);

    if (n > 0)
        put_copy(x, bytes, (size_t)n, out);
    else
        datum_set_null(out);
}

static void eval_inet6_ntoa(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    char text[INET6_ADDRSTRLEN];
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if ((len == 4 || len == 16) && inet_ntop(len == 4 ? AF_INET : AF_INET6, s, text, sizeof text))
        put_copy(x, text, strlen(text), out);
}

static void is_address(const struct expr *e, struct expr_ctx *x, int want, struct datum *out)
{
    uint8_t bytes[16];
    int n = read_address(e, x, bytes, out);

    datum_set_int(out, n == want); /* NULL is none */
}

static void eval_is_ipv4(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    is_address(e, x, 4, out);
}

static void eval_is_ipv6(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    is_address(e, x, 16, out);
}

/* Bytes of IPv6 that begin like this, with an address of IPv4 behind. */
static void has_prefix(const struct expr *e, struct expr_ctx *x, const uint8_t prefix[12],
                       struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, 0);
    else
        datum_set_int(out, len == 16 && memcmp(s, prefix, 12) == 0);
}

static void eval_is_compat(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const uint8_t prefix[12];

    has_prefix(e, x, prefix, out);
}

static void eval_is_mapped(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    has_prefix(e, x, prefix, out);
}

/* ---- UUIDs ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* 32 digits, with the four dashes or without them, also in braces. */
static bool read_uuid(const char *s, size_t len, uint8_t bytes[16])
{
    if (len == 38 && s[0] == '{' && s[37] == '}') {
        s++;
        len -= 2;
    }
    if (len != 36 && len != 32)
        return false;
    for (size_t i = 0, at = 0; i < len; at++) {
        if (len == 36 && (i == 8 || i == 13 || i == 18 || i == 23) && s[i++] != '-')
            return false;
        int high = hex_digit(s[i]), low = hex_digit(s[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[at] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

static void eval_is_uuid(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    uint8_t bytes[16];

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_int(out, read_uuid(s, len, bytes));
}

static bool arg_swap(const struct expr *e, struct expr_ctx *x, struct datum *out, int64_t *swap)
{
    *swap = 0;
    return e->n_args < 2 || function_arg_int(e, x, 1, swap, out);
}

/* Error 1411 for what is no UUID. */
static void fail_uuid(const struct expr *e, struct expr_ctx *x, const char *s, size_t len,
                      struct datum *out)
{
    const char *text = arena_strndup(x->scratch, s, len < 64 ? len : 64);

    expr_fail(x, out, MYSQL_ER_WRONG_VALUE_FOR_TYPE, "string", text ? text : "",
              e->u.function->name);
}

static void eval_uuid_to_bin(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    uint8_t b[16], t[16];
    int64_t swap;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !arg_swap(e, x, out, &swap))
        return;
    if (!read_uuid(s, len, b)) {
        fail_uuid(e, x, s, len, out);
        return;
    }
    memcpy(t, b, 16);
    if (swap) { /* the time's high part first, so that they ascend */
        memcpy(t, b + 6, 2);
        memcpy(t + 2, b + 4, 2);
        memcpy(t + 4, b, 4);
    }
    put_copy(x, t, 16, out);
}

static void eval_bin_to_uuid(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, n = 0;
    uint8_t t[16];
    char text[40];
    int64_t swap;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !arg_swap(e, x, out, &swap))
        return;
    if (len != 16) {
        fail_uuid(e, x, s, len, out);
        return;
    }
    memcpy(t, s, 16);
    if (swap) {
        memcpy(t, s + 4, 4);
        memcpy(t + 4, s + 2, 2);
        memcpy(t + 6, s, 2);
    }
    for (int i = 0; i < 16; i++) {
        static const char hex[] = "0123456789abcdef";
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[n++] = '-';
        text[n++] = hex[t[i] >> 4];
        text[n++] = hex[t[i] & 15];
    }
    put_copy(x, text, n, out);
}

/* Ascending on this server: seconds, and how many there were since its start. */
static void eval_uuid_short(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static _Atomic uint64_t given;

    (void)e;
    datum_set_uint(out, ((uint64_t)(x->now_us / 1000000) << 24) + atomic_fetch_add(&given, 1));
}

const struct function function_address[] = {
    {"inet6_aton", 1, 1, 0, resolve_bytes, eval_inet6_aton},
    {"inet6_ntoa", 1, 1, 0, resolve_text, eval_inet6_ntoa},
    {"is_ipv4", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_is_ipv4},
    {"is_ipv6", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_is_ipv6},
    {"is_ipv4_compat", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_is_compat},
    {"is_ipv4_mapped", 1, 1, FUNCTION_NULL_IN, function_is_bool, eval_is_mapped},
    {"is_uuid", 1, 1, 0, function_is_bool, eval_is_uuid},
    {"uuid_to_bin", 1, 2, 0, resolve_bytes, eval_uuid_to_bin},
    {"bin_to_uuid", 1, 2, 0, resolve_text, eval_bin_to_uuid},
    {"uuid_short", 0, 0, FUNCTION_VOLATILE, resolve_number, eval_uuid_short},
    {0},
};

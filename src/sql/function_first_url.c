/* Functions of the first Quanta over addresses of the web and of mail, and its hash. What failed there is NULL. */
#include <string.h>
#include <strings.h>

#include "sql/function_first.h"
#include "sql/url.h"

static bool resolve_text(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(value_type_text_length(&e->args[0]->type) + 8);
    return true;
}

static bool resolve_hash(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(19);
    return true;
}

static void put_lower(struct expr_ctx *x, const char *s, size_t len, struct datum *out)
{
    datum_set_null(out);
    if (len && (s = function_lower(x, s, len)))
        datum_set_string(out, s, len);
}

/* ---- URLs ---- */

static bool arg_url(const struct expr *e, struct expr_ctx *x, struct url *u, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_first(e, x, 0, &s, &len, out))
        return false;
    url_read(s, len, u);
    datum_set_null(out);
    return true;
}

static void eval_host(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct url u;

    if (arg_url(e, x, &u, out))
        put_lower(x, u.host, u.host_len, out);
}

static void eval_domain(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct url u;
    size_t len;

    if (!arg_url(e, x, &u, out) || u.host_len <= 2)
        return;
    const char *s = url_domain(&u, &len);
    put_lower(x, s, len, out);
}

static void eval_path(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct url u;

    if (arg_url(e, x, &u, out))
        put_lower(x, u.path, u.path_len, out);
}

static void eval_urlmain(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct url u;

    if (!arg_url(e, x, &u, out) || !u.host_len)
        return;
    char *p = expr_alloc(x, u.host_len + u.path_len + 1);
    if (!p)
        return;
    memcpy(p, u.host, u.host_len);
    memcpy(p + u.host_len, u.path, u.path_len);
    datum_set_string(out, p, u.host_len + u.path_len);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A plus is a blank, %41 an A; NULL for escapes that are none. */
static void put_decoded(struct expr_ctx *x, const char *s, size_t len, struct datum *out)
{
    char *p = expr_alloc(x, len + 1);
    size_t n = 0;

    datum_set_null(out);
    for (size_t i = 0; p && i < len; i++) {
        if (s[i] != '%') {
            p[n++] = s[i] == '+' ? ' ' : s[i];
            continue;
        }
        int high = i + 2 < len ? hex_digit(s[i + 1]) : -1;
        int low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
        if (high < 0 || low < 0)
            return;
        p[n++] = (char)(high << 4 | low);
        i += 2;
    }
    if (p)
        datum_set_string(out, p, n);
}

static void eval_urldecode(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        put_decoded(x, s, len, out);
}

/* The value of a parameter of the query. */
static void query_value(const struct expr *e, struct expr_ctx *x, bool in_lower, struct datum *out)
{
    const char *name;
    size_t len;
    struct url u;

    if (!arg_url(e, x, &u, out) || !function_arg_text(e, x, 1, &name, &len, out))
        return;
    datum_set_null(out);
    if (in_lower && !(u.query = function_lower(x, u.query, u.query_len)))
        return;
    for (const char *p = u.query, *end = p + u.query_len; u.query_len && p < end;) {
        const char *next = memchr(p, '&', (size_t)(end - p));
        const char *stop = next ? next : end, *is = memchr(p, '=', (size_t)(stop - p));
        if (is && (size_t)(is - p) == len && memcmp(p, name, len) == 0 && stop > is + 1) {
            put_decoded(x, is + 1, (size_t)(stop - is - 1), out);
            return;
        }
        p = stop + 1;
    }
}

static void eval_qs2(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    query_value(e, x, false, out);
}

static void eval_qs(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    query_value(e, x, true, out);
}

/* ---- mail ---- */

/* "Name <a@b>" or "a@b": false when it is none. */
static bool arg_mail(const struct expr *e, struct expr_ctx *x, const char *mail[2],
                     const char *name[2], struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_first(e, x, 0, &s, &len, out))
        return false;
    datum_set_null(out);
    const char *open = memchr(s, '<', len), *end = s + len;
    const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
    if (open && !close)
        return false;
    mail[0] = open ? open + 1 : s;
    mail[1] = open ? close : end;
    name[0] = s;
    name[1] = open ? open : s;
    for (int i = 0; i < 2; i++) {
        const char **part = i ? name : mail;
        while (part[0] < part[1] && (*part[0] == ' ' || *part[0] == '"'))
            part[0]++;
        while (part[0] < part[1] && (part[1][-1] == ' ' || part[1][-1] == '"'))
            part[1]--;
    }
    const char *at = memchr(mail[0], '@', (size_t)(mail[1] - mail[0]));
    return at && at > mail[0] && at + 1 < mail[1] &&
           !memchr(mail[0], ' ', (size_t)(mail[1] - mail[0]));
}

static void eval_email(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *mail[2], *name[2];

    if (arg_mail(e, x, mail, name, out))
        put_lower(x, mail[0], (size_t)(mail[1] - mail[0]), out);
}

static void eval_emailname(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *mail[2], *name[2];

    if (arg_mail(e, x, mail, name, out))
        datum_set_string(out, name[0], (size_t)(name[1] - name[0]));
}

static void eval_emaildomain(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *mail[2], *name[2];

    if (!arg_mail(e, x, mail, name, out))
        return;
    const char *at = memchr(mail[0], '@', (size_t)(mail[1] - mail[0]));
    put_lower(x, at + 1, (size_t)(mail[1] - at - 1), out);
}

/* ---- hash ---- */

/* MurmurHash64A with seed 1, whatever the first Quanta called it. */
static uint64_t murmur(const char *s, size_t len)
{
    const uint64_t m = 0xc6a4a7935bd1e995u;
    uint64_t h = 1 ^ (len * m), k;

    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&k, s, 8);
        k *= m;
        k ^= k >> 47;
        h = (h ^ k * m) * m;
    }
    if (len) {
        for (k = 0; len; len--)
            k = k << 8 | (uint8_t)s[len - 1];
        h = (h ^ k) * m;
    }
    h = (h ^ h >> 47) * m;
    return h ^ h >> 47;
}

static void eval_hash(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_first(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (len)
        datum_set_int(out, (int64_t)murmur(s, len));
}

const struct function function_first_url[] = {
    {"host", 1, 1, 0, resolve_text, eval_host},
    {"domain", 1, 1, 0, resolve_text, eval_domain},
    {"path", 1, 1, 0, resolve_text, eval_path},
    {"urlmain", 1, 1, 0, resolve_text, eval_urlmain},
    {"urldecode", 1, 1, 0, resolve_text, eval_urldecode},
    {"qs", 2, 2, 0, resolve_text, eval_qs},
    {"qsl", 2, 2, 0, resolve_text, eval_qs},
    {"qs2", 2, 2, 0, resolve_text, eval_qs2},
    {"email", 1, 1, 0, resolve_text, eval_email},
    {"emailname", 1, 1, 0, resolve_text, eval_emailname},
    {"emaildomain", 1, 1, 0, resolve_text, eval_emaildomain},
    {"hash", 1, 1, 0, resolve_hash, eval_hash},
    {"hash.sip", 1, 1, 0, resolve_hash, eval_hash},
    {0},
};

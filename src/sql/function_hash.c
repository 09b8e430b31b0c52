/* Digests, encodings, checksums and UUID. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sql/function.h"
#include "sql/value_convert.h"

static bool resolve_digest(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(128);
    return true;
}

static void put_hex(struct expr_ctx *x, const unsigned char *bytes, size_t n, struct datum *out)
{
    char *p = expr_alloc(x, 2 * n + 1);

    datum_set_null(out);
    for (size_t i = 0; p && i < n; i++) {
        p[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        p[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    if (p)
        datum_set_string(out, p, 2 * n);
}

static void digest(const struct expr *e, struct expr_ctx *x, const EVP_MD *md, struct datum *out)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (md && EVP_Digest(s, len, bytes, &n, md, NULL) == 1)
        put_hex(x, bytes, n, out);
}

static void eval_md5(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    digest(e, x, EVP_md5(), out);
}

static void eval_sha1(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    digest(e, x, EVP_sha1(), out);
}

static void eval_sha256(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    digest(e, x, EVP_sha256(), out);
}

static void eval_sha512(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    digest(e, x, EVP_sha512(), out);
}

static void eval_sha2(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t bits;

    if (!function_arg_int(e, x, 1, &bits, out))
        return;
    const EVP_MD *md = bits == 224                ? EVP_sha224()
                       : bits == 256 || bits == 0 ? EVP_sha256()
                       : bits == 384              ? EVP_sha384()
                       : bits == 512              ? EVP_sha512()
                                                  : NULL;
    digest(e, x, md, out);
}

static bool resolve_crc(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_uint(10);
    return true;
}

static void eval_crc32(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (function_arg_text(e, x, 0, &s, &len, out))
        datum_set_uint(out, crc32(0, (const unsigned char *)s, (uInt)len));
}

static bool resolve_bytes(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(65535);
    e->type.is_binary = true;
    return true;
}

static bool resolve_encoded(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(65535);
    return true;
}

static void eval_to_base64(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    if (len > FUNCTION_MAX_STRING / 2)
        return;
    /* Lines of 76 characters, as MySQL writes them. */
    size_t encoded = (len + 2) / 3 * 4, lines = encoded ? (encoded - 1) / 76 : 0;
    char *p = expr_alloc(x, encoded + lines + 8), *flat = expr_alloc(x, encoded + 8);
    if (!p || !flat)
        return;
    EVP_EncodeBlock((unsigned char *)flat, (const unsigned char *)s, (int)len);
    size_t at = 0;
    for (size_t i = 0; i < encoded; i++) {
        if (i && i % 76 == 0)
            p[at++] = '\n';
        p[at++] = flat[i];
    }
    datum_set_string(out, p, at);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void eval_from_base64(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, at = 0, pad = 0, digits = 0;
    uint32_t bits = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    char *p = expr_alloc(x, len + 1);
    if (!p)
        return;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\n' || s[i] == ' ' || s[i] == '\r' || s[i] == '\t')
            continue;
        if (s[i] == '=') {
            pad++;
            continue;
        }
        int d = base64_digit(s[i]);
        if (d < 0 || pad)
            return;
        bits = bits << 6 | (uint32_t)d;
        if (++digits % 4 == 0) {
            p[at++] = (char)(bits >> 16);
            p[at++] = (char)(bits >> 8);
            p[at++] = (char)bits;
        }
    }
    if ((digits + pad) % 4 || pad > 2 || digits % 4 == 1)
        return;
    if (digits % 4 == 2) {
        p[at++] = (char)(bits >> 4);
    } else if (digits % 4 == 3) {
        p[at++] = (char)(bits >> 10);
        p[at++] = (char)(bits >> 2);
    }
    datum_set_string(out, p, at);
}

static uint64_t next_random(struct expr_ctx *x)
{
    uint64_t z = x->random += 0x9E3779B97F4A7C15ull;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static void eval_uuid(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    uint64_t a = next_random(x), b = next_random(x);
    char *p = expr_alloc(x, 40);

    (void)e;
    datum_set_null(out);
    if (!p)
        return;
    int n = snprintf(p, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                     (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                     (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
                     (unsigned long long)(b & 0xffffffffffffull));
    datum_set_string(out, p, (size_t)n);
}

const struct function function_hash[] = {
    {"md5", 1, 1, 0, resolve_digest, eval_md5},
    {"hash.md5", 1, 1, 0, resolve_digest, eval_md5},
    {"sha", 1, 1, 0, resolve_digest, eval_sha1},
    {"sha1", 1, 1, 0, resolve_digest, eval_sha1},
    {"hash.sha1", 1, 1, 0, resolve_digest, eval_sha1},
    {"sha2", 2, 2, 0, resolve_digest, eval_sha2},
    {"hash.sha256", 1, 1, 0, resolve_digest, eval_sha256},
    {"hash.sha512", 1, 1, 0, resolve_digest, eval_sha512},
    {"crc32", 1, 1, 0, resolve_crc, eval_crc32},
    {"to_base64", 1, 1, 0, resolve_encoded, eval_to_base64},
    {"encoding.b64encode", 1, 1, 0, resolve_encoded, eval_to_base64},
    {"from_base64", 1, 1, 0, resolve_bytes, eval_from_base64},
    {"encoding.b64decode", 1, 1, 0, resolve_encoded, eval_from_base64},
    {"uuid", 0, 0, FUNCTION_VOLATILE, resolve_digest, eval_uuid},
    {0},
};

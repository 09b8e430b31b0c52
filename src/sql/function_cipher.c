/* Bytes from bytes: encryption, compression, checksums, random ones. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <zlib.h>

#include "sql/function.h"

enum { MAX_RANDOM = 1024, AES_KEY = 16, COMPRESSED_HEADER = 4 };

static bool resolve_bytes(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(FUNCTION_MAX_STRING / 4);
    e->type.is_binary = true;
    return true;
}

/* The key folded into 16 bytes, as MySQL does: AES-128 in ECB mode. */
static bool arg_key(const struct expr *e, struct expr_ctx *x, uint8_t key[AES_KEY],
                    struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 1, &s, &len, out))
        return false;
    memset(key, 0, AES_KEY);
    for (size_t i = 0; i < len; i++)
        key[i % AES_KEY] ^= (uint8_t)s[i];
    return true;
}

static void aes(const struct expr *e, struct expr_ctx *x, int encrypt, struct datum *out)
{
    uint8_t key[AES_KEY];
    const char *s;
    size_t len;
    int n = 0, more = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out) || !arg_key(e, x, key, out))
        return;
    datum_set_null(out);
    unsigned char *p = len < FUNCTION_MAX_STRING ? expr_alloc(x, len + 32) : NULL;
    EVP_CIPHER_CTX *c = p ? EVP_CIPHER_CTX_new() : NULL;
    if (c && EVP_CipherInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) == 1 &&
        EVP_CipherUpdate(c, p, &n, (const unsigned char *)s, (int)len) == 1 &&
        EVP_CipherFinal_ex(c, p + n, &more) == 1)
        datum_set_string(out, (char *)p, (size_t)(n + more));
    EVP_CIPHER_CTX_free(c);
}

static void eval_aes_encrypt(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    aes(e, x, 1, out);
}

static void eval_aes_decrypt(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    aes(e, x, 0, out);
}

static void eval_random_bytes(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t n;

    if (!function_arg_int(e, x, 0, &n, out))
        return;
    if (n < 1 || n > MAX_RANDOM) {
        expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "length", "random_bytes");
        return;
    }
    unsigned char *p = expr_alloc(x, (size_t)n);
    datum_set_null(out);
    if (p && RAND_bytes(p, (int)n) == 1)
        datum_set_string(out, (char *)p, (size_t)n);
}

/* The length in four bytes, low ones first, then zlib's bytes; nothing of nothing. */
static void eval_compress(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (!len) {
        datum_set_string(out, "", 0);
        return;
    }
    uLongf n = compressBound(len);
    uint8_t *p = expr_alloc(x, n + COMPRESSED_HEADER);
    datum_set_null(out);
    if (!p || compress(p + COMPRESSED_HEADER, &n, (const Bytef *)s, len) != Z_OK)
        return;
    for (int i = 0; i < COMPRESSED_HEADER; i++)
        p[i] = (uint8_t)(len >> 8 * i);
    datum_set_string(out, (char *)p, n + COMPRESSED_HEADER);
}

static bool read_length(const char *s, size_t len, uint32_t *n)
{
    const uint8_t *p = (const uint8_t *)s;

    if (len <= COMPRESSED_HEADER)
        return false;
    *n = (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24) & 0x3fffffff;
    return true;
}

static void eval_uncompress(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    uint32_t n;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (!len) {
        datum_set_string(out, "", 0);
        return;
    }
    datum_set_null(out);
    if (!read_length(s, len, &n) || n > FUNCTION_MAX_STRING)
        return;
    uLongf size = n;
    uint8_t *p = expr_alloc(x, (size_t)n + 1);
    if (p &&
        uncompress(p, &size, (const Bytef *)s + COMPRESSED_HEADER, len - COMPRESSED_HEADER) == Z_OK)
        datum_set_string(out, (char *)p, size);
}

static void eval_uncompressed_length(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    uint32_t n = 0;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    if (len && !read_length(s, len, &n))
        datum_set_null(out);
    else
        datum_set_int(out, n);
}

static bool resolve_crc(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_uint(10);
    return true;
}

/* Castagnoli's polynomial, bit by bit: for a few bytes now and then. */
static void eval_crc32c(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len;
    uint32_t crc = UINT32_MAX;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)s[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    datum_set_uint(out, crc ^ UINT32_MAX);
}

const struct function function_cipher[] = {
    {"aes_encrypt", 2, 2, 0, resolve_bytes, eval_aes_encrypt},
    {"aes_decrypt", 2, 2, 0, resolve_bytes, eval_aes_decrypt},
    {"random_bytes", 1, 1, FUNCTION_VOLATILE, resolve_bytes, eval_random_bytes},
    {"compress", 1, 1, 0, resolve_bytes, eval_compress},
    {"uncompress", 1, 1, 0, resolve_bytes, eval_uncompress},
    {"uncompressed_length", 1, 1, 0, resolve_crc, eval_uncompressed_length},
    {"crc32c", 1, 1, 0, resolve_crc, eval_crc32c},
    {0},
};

/* SHA-crypt with SHA-256, in steps: see sha256_crypt.h. */
#include "sql/sha256_crypt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "reactor/assert.h"

enum { LEN = SHA256_CRYPT_DIGEST_LEN };

static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Bytes of the digest that make four characters each; the last three characters come from two bytes. */
static const uint8_t order[10][3] = {{0, 10, 20}, {21, 1, 11}, {12, 22, 2}, {3, 13, 23},
                                     {24, 4, 14}, {15, 25, 5}, {6, 16, 26}, {27, 7, 17},
                                     {18, 28, 8}, {9, 19, 29}};

/* A hash whose first error is kept until its end. */
struct hash {
    EVP_MD_CTX *ctx;
    bool failed;
};

static void hash_begin(struct hash *h)
{
    if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
        h->failed = true;
}

static void hash_add(struct hash *h, const void *bytes, size_t n)
{
    if (!h->failed && EVP_DigestUpdate(h->ctx, bytes, n) != 1)
        h->failed = true;
}

static void hash_end(struct hash *h, uint8_t *digest)
{
    if (!h->failed && EVP_DigestFinal_ex(h->ctx, digest, NULL) != 1)
        h->failed = true;
}

static void repeat(uint8_t *dst, size_t n, const uint8_t *digest)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = digest[i % LEN];
}

/* The first digest, before any round. */
static void first_digest(struct hash *h, const void *password, size_t len, const void *salt,
                         size_t salt_len, uint8_t *digest)
{
    uint8_t other[LEN];
    size_t left = len;

    hash_begin(h);
    hash_add(h, password, len);
    hash_add(h, salt, salt_len);
    hash_add(h, password, len);
    hash_end(h, other);
    hash_begin(h);
    hash_add(h, password, len);
    hash_add(h, salt, salt_len);
    for (; left > LEN; left -= LEN)
        hash_add(h, other, LEN);
    hash_add(h, other, left);
    for (size_t bits = len; bits; bits >>= 1)
        hash_add(h, bits & 1 ? other : password, bits & 1 ? LEN : len);
    hash_end(h, digest);
    OPENSSL_cleanse(other, sizeof other);
}

int sha256_crypt_begin(struct sha256_crypt *c, const void *password, size_t len, const void *salt,
                       size_t salt_len)
{
    struct hash h = {.ctx = EVP_MD_CTX_new()};
    uint8_t once[LEN] = {0};

    ASSERT(len <= SHA256_CRYPT_PASSWORD_MAX && salt_len <= SHA256_CRYPT_SALT_MAX);
    *c = (struct sha256_crypt){.password_len = len, .salt_len = salt_len};
    first_digest(&h, password, len, salt, salt_len, c->digest);
    hash_begin(&h);
    for (size_t i = 0; i < len; i++)
        hash_add(&h, password, len);
    hash_end(&h, once);
    repeat(c->password, len, once);
    hash_begin(&h);
    for (unsigned i = 0; i < 16u + c->digest[0]; i++)
        hash_add(&h, salt, salt_len);
    hash_end(&h, once);
    repeat(c->salt, salt_len, once);
    OPENSSL_cleanse(once, sizeof once);
    EVP_MD_CTX_free(h.ctx);
    return h.failed ? -EIO : 0;
}

static void run_round(struct hash *h, struct sha256_crypt *c)
{
    bool odd = c->round & 1;

    hash_begin(h);
    hash_add(h, odd ? c->password : c->digest, odd ? c->password_len : LEN);
    if (c->round % 3)
        hash_add(h, c->salt, c->salt_len);
    if (c->round % 7)
        hash_add(h, c->password, c->password_len);
    hash_add(h, odd ? c->digest : c->password, odd ? LEN : c->password_len);
    hash_end(h, c->digest);
    c->round++;
}

int sha256_crypt_run(struct sha256_crypt *c, uint32_t round)
{
    struct hash h = {.ctx = EVP_MD_CTX_new()};

    h.failed = !h.ctx;
    while (c->round < round && !h.failed)
        run_round(&h, c);
    EVP_MD_CTX_free(h.ctx);
    return h.failed ? -EIO : 0;
}

void sha256_crypt_wipe(struct sha256_crypt *c)
{
    OPENSSL_cleanse(c, sizeof *c);
}

static void encode_bits(uint32_t bits, unsigned n, char *text)
{
    for (unsigned i = 0; i < n; i++, bits >>= 6)
        text[i] = alphabet[bits & 63];
}

void sha256_crypt_encode(const uint8_t digest[SHA256_CRYPT_DIGEST_LEN],
                         char text[SHA256_CRYPT_TEXT_LEN])
{
    for (unsigned i = 0; i < 10; i++)
        encode_bits((uint32_t)digest[order[i][0]] << 16 | (uint32_t)digest[order[i][1]] << 8 |
                        digest[order[i][2]],
                    4, text + (size_t)4 * i);
    encode_bits((uint32_t)digest[31] << 8 | digest[30], 3, text + 40);
}

static bool decode_bits(const char *text, unsigned n, uint32_t *bits)
{
    *bits = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!found)
            return false;
        *bits |= (uint32_t)(found - alphabet) << 6 * i;
    }
    return true;
}

int sha256_crypt_decode(const char text[SHA256_CRYPT_TEXT_LEN],
                        uint8_t digest[SHA256_CRYPT_DIGEST_LEN])
{
    uint32_t bits;

    for (unsigned i = 0; i < 10; i++) {
        if (!decode_bits(text + (size_t)4 * i, 4, &bits))
            return -EINVAL;
        for (unsigned k = 0; k < 3; k++)
            digest[order[i][k]] = (uint8_t)(bits >> (16 - 8 * k));
    }
    if (!decode_bits(text + 40, 3, &bits) || bits > 0xffff)
        return -EINVAL;
    digest[31] = (uint8_t)(bits >> 8);
    digest[30] = (uint8_t)bits;
    return 0;
}

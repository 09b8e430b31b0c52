#pragma once
/*
 * The slow salted hash of caching_sha2_password accounts: SHA-crypt with SHA-256, as crypt(3) makes it for "$5$", with
 * MySQL's salt of 20 bytes. Thousands of rounds take milliseconds, so they are done in steps.
 *
 * Pure computation (OpenSSL EVP), any core.
 * Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512"; MySQL 8.0 manual, "Caching SHA-2 Pluggable
 * Authentication".
 */
#include <stddef.h>
#include <stdint.h>

enum {
    SHA256_CRYPT_DIGEST_LEN = 32,
    SHA256_CRYPT_TEXT_LEN = 43, /* of the digest, in crypt's base 64 */
    SHA256_CRYPT_SALT_MAX = 20,
    SHA256_CRYPT_PASSWORD_MAX = 256, /* bytes; MySQL's limit, too */
};

/* One computation. Owner: the caller; holds secrets until sha256_crypt_wipe. */
struct sha256_crypt {
    uint8_t digest[SHA256_CRYPT_DIGEST_LEN]; /* the result, when all rounds are done */
    uint8_t password[SHA256_CRYPT_PASSWORD_MAX], salt[SHA256_CRYPT_SALT_MAX]; /* stretched */
    size_t password_len, salt_len;
    uint32_t round;
};

/* Lengths up to the limits above. 0, or -EIO when OpenSSL refuses. */
int sha256_crypt_begin(struct sha256_crypt *c, const void *password, size_t len, const void *salt,
                       size_t salt_len);
/* Goes on to `round`, counted from the begin; 0 or -EIO. */
int sha256_crypt_run(struct sha256_crypt *c, uint32_t round);
void sha256_crypt_wipe(struct sha256_crypt *c);

/* Digest to text (no NUL) and back; 0 or -EINVAL for what is no such text. */
void sha256_crypt_encode(const uint8_t digest[SHA256_CRYPT_DIGEST_LEN],
                         char text[SHA256_CRYPT_TEXT_LEN]);
int sha256_crypt_decode(const char text[SHA256_CRYPT_TEXT_LEN],
                        uint8_t digest[SHA256_CRYPT_DIGEST_LEN]);

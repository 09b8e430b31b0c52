/* Password verification: see mysql_auth.h. */
#include "sql/mysql_auth.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

static const char *const plugin_names[] = {
    [MYSQL_AUTH_NATIVE] = "mysql_native_password",
    [MYSQL_AUTH_CACHING_SHA2] = "caching_sha2_password",
    [MYSQL_AUTH_CLEAR] = "mysql_clear_password",
};

const char *mysql_auth_plugin_name(enum mysql_auth_plugin plugin)
{
    return plugin < MYSQL_AUTH_UNKNOWN ? plugin_names[plugin] : NULL;
}

enum mysql_auth_plugin mysql_auth_plugin_find(const char *name, size_t len)
{
    for (int i = 0; i < MYSQL_AUTH_UNKNOWN; i++) {
        if (strlen(plugin_names[i]) == len && memcmp(plugin_names[i], name, len) == 0)
            return (enum mysql_auth_plugin)i;
    }
    return MYSQL_AUTH_UNKNOWN;
}

/* Digest of a followed by b. */
static int digest(const EVP_MD *md, const void *a, size_t a_len, const void *b, size_t b_len,
                  uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = -EIO;

    if (ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, a, a_len) == 1 &&
        (b_len == 0 || EVP_DigestUpdate(ctx, b, b_len) == 1) &&
        EVP_DigestFinal_ex(ctx, out, NULL) == 1)
        rc = 0;
    EVP_MD_CTX_free(ctx);
    return rc;
}

/* H(H(password)): what the server stores in both schemes. */
static int stored_hash(const EVP_MD *md, size_t hash_len, const char *password, size_t len,
                       uint8_t *hash)
{
    uint8_t once[MYSQL_SHA2_HASH_LEN];
    int rc = digest(md, password, len, NULL, 0, once);

    if (rc == 0)
        rc = digest(md, once, hash_len, NULL, 0, hash);
    OPENSSL_cleanse(once, sizeof(once));
    return rc;
}

int mysql_auth_native_hash(const char *password, size_t len, uint8_t hash[MYSQL_NATIVE_HASH_LEN])
{
    return stored_hash(EVP_sha1(), MYSQL_NATIVE_HASH_LEN, password, len, hash);
}

int mysql_auth_sha2_hash(const char *password, size_t len, uint8_t hash[MYSQL_SHA2_HASH_LEN])
{
    return stored_hash(EVP_sha256(), MYSQL_SHA2_HASH_LEN, password, len, hash);
}

/* What H(password) is hidden with: native H(salt, stored), caching_sha2 H(stored, salt). */
static int hiding_mask(bool is_native, const uint8_t *salt, const uint8_t *stored, uint8_t *mask)
{
    if (is_native)
        return digest(EVP_sha1(), salt, MYSQL_SALT_LEN, stored, MYSQL_NATIVE_HASH_LEN, mask);
    return digest(EVP_sha256(), stored, MYSQL_SHA2_HASH_LEN, salt, MYSQL_SALT_LEN, mask);
}

static int scramble(bool is_native, const char *password, size_t len, const uint8_t *salt,
                    uint8_t *reply)
{
    const EVP_MD *md = is_native ? EVP_sha1() : EVP_sha256();
    size_t hash_len = is_native ? MYSQL_NATIVE_HASH_LEN : MYSQL_SHA2_HASH_LEN;
    uint8_t stored[MYSQL_SHA2_HASH_LEN], mask[MYSQL_SHA2_HASH_LEN];
    int rc = digest(md, password, len, NULL, 0, reply);

    if (rc == 0)
        rc = digest(md, reply, hash_len, NULL, 0, stored);
    if (rc == 0)
        rc = hiding_mask(is_native, salt, stored, mask);
    for (size_t i = 0; rc == 0 && i < hash_len; i++)
        reply[i] ^= mask[i];
    return rc;
}

int mysql_auth_native_scramble(const char *password, size_t len, const uint8_t salt[MYSQL_SALT_LEN],
                               uint8_t reply[MYSQL_NATIVE_HASH_LEN])
{
    return scramble(true, password, len, salt, reply);
}

int mysql_auth_sha2_scramble(const char *password, size_t len, const uint8_t salt[MYSQL_SALT_LEN],
                             uint8_t reply[MYSQL_SHA2_HASH_LEN])
{
    return scramble(false, password, len, salt, reply);
}

/* Uncovers H(password) from the answer; its hash must be the stored one. */
static bool verify(bool is_native, const uint8_t *reply, size_t reply_len, const uint8_t *salt,
                   const uint8_t *stored)
{
    const EVP_MD *md = is_native ? EVP_sha1() : EVP_sha256();
    size_t hash_len = is_native ? MYSQL_NATIVE_HASH_LEN : MYSQL_SHA2_HASH_LEN;
    uint8_t once[MYSQL_SHA2_HASH_LEN], twice[MYSQL_SHA2_HASH_LEN];
    bool is_right;

    if (reply_len != hash_len || hiding_mask(is_native, salt, stored, once) != 0)
        return false;
    for (size_t i = 0; i < hash_len; i++)
        once[i] ^= reply[i];
    is_right = digest(md, once, hash_len, NULL, 0, twice) == 0 &&
               CRYPTO_memcmp(twice, stored, hash_len) == 0;
    OPENSSL_cleanse(once, sizeof(once));
    return is_right;
}

bool mysql_auth_native_verify(const uint8_t *reply, size_t reply_len,
                              const uint8_t salt[MYSQL_SALT_LEN],
                              const uint8_t hash[MYSQL_NATIVE_HASH_LEN])
{
    return verify(true, reply, reply_len, salt, hash);
}

bool mysql_auth_sha2_verify(const uint8_t *reply, size_t reply_len,
                            const uint8_t salt[MYSQL_SALT_LEN],
                            const uint8_t hash[MYSQL_SHA2_HASH_LEN])
{
    return verify(false, reply, reply_len, salt, hash);
}

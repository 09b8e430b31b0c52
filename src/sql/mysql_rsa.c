/* RSA for passwords without TLS: see mysql_rsa.h. */
#include "sql/mysql_rsa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* Owner: the program; constant between new and free. */
struct mysql_rsa {
    EVP_PKEY *key;
    char *public_pem;
};

static char *public_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *pem = NULL;

    if (bio && PEM_write_bio_PUBKEY(bio, key) == 1) {
        size_t n = (size_t)BIO_get_mem_data(bio, &data); /* without a NUL */
        pem = calloc(1, n + 1);
        if (pem)
            memcpy(pem, data, n);
    }
    BIO_free(bio);
    return pem;
}

struct mysql_rsa *mysql_rsa_new(void)
{
    struct mysql_rsa *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->key = EVP_RSA_gen(MYSQL_RSA_BITS);
    k->public_pem = k->key ? public_pem(k->key) : NULL;
    if (k->public_pem)
        return k;
    mysql_rsa_free(k);
    return NULL;
}

void mysql_rsa_free(struct mysql_rsa *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->key);
    free(k->public_pem);
    free(k);
}

const char *mysql_rsa_public(const struct mysql_rsa *k)
{
    return k->public_pem;
}

int mysql_rsa_decrypt(const struct mysql_rsa *k, const void *bytes, size_t n,
                      const uint8_t salt[MYSQL_SALT_LEN], char password[MYSQL_RSA_BYTES],
                      size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->key, NULL);
    size_t out = MYSQL_RSA_BYTES;
    int rc = -EBADMSG;

    *len = 0;
    if (ctx && n == MYSQL_RSA_BYTES && EVP_PKEY_decrypt_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_decrypt(ctx, (unsigned char *)password, &out, bytes, n) == 1) {
        for (size_t i = 0; i < out; i++)
            password[i] = (char)((uint8_t)password[i] ^ salt[i % MYSQL_SALT_LEN]);
        if (out > 0 && password[out - 1] == 0) {
            *len = out - 1;
            rc = 0;
        }
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

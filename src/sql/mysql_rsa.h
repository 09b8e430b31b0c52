#pragma once
/*
 * The key pair with which caching_sha2_password clients send their password over a connection without TLS.
 * RSA of 2048 bits, made at each start; any core may use it, one that decrypts takes about a millisecond.
 */
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_protocol.h"

struct mysql_rsa;

enum { MYSQL_RSA_BITS = 2048, MYSQL_RSA_BYTES = MYSQL_RSA_BITS / 8 };

/* Makes a key pair: tens to hundreds of milliseconds, main thread. NULL: OpenSSL refuses. */
struct mysql_rsa *mysql_rsa_new(void);
void mysql_rsa_free(struct mysql_rsa *k); /* NULL is allowed */
/* The public key as clients want it: PEM, NUL-terminated, as long as k. */
const char *mysql_rsa_public(const struct mysql_rsa *k);
/*
 * What a client sent: its password with NUL, XORed with the salt, under the public key (OAEP). Room for
 * MYSQL_RSA_BYTES; *len without the NUL. 0 or -EBADMSG.
 */
int mysql_rsa_decrypt(const struct mysql_rsa *k, const void *bytes, size_t n,
                      const uint8_t salt[MYSQL_SALT_LEN], char password[MYSQL_RSA_BYTES],
                      size_t *len);

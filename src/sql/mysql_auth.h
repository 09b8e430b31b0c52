#pragma once
/*
 * Password verification of the two MySQL authentication plugins we answer to.
 *
 * Pure computation (OpenSSL EVP), any core. Comparisons take constant time.
 * Source: MySQL 8.0 manual, "Native Authentication", "Caching_sha2_password information".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_protocol.h"

enum mysql_auth_plugin {
    MYSQL_AUTH_NATIVE,       /* mysql_native_password */
    MYSQL_AUTH_CACHING_SHA2, /* caching_sha2_password */
    MYSQL_AUTH_CLEAR,        /* mysql_clear_password; only ever asked for over TLS */
    MYSQL_AUTH_UNKNOWN,
};

#define MYSQL_NATIVE_HASH_LEN 20u /* SHA1(SHA1(password)) */
#define MYSQL_SHA2_HASH_LEN 32u   /* SHA256(SHA256(password)) */

/* Name as on the wire; NULL for MYSQL_AUTH_UNKNOWN. */
const char *mysql_auth_plugin_name(enum mysql_auth_plugin plugin);
/* The plugin of a name of `len` bytes; MYSQL_AUTH_UNKNOWN when it is none of ours. */
enum mysql_auth_plugin mysql_auth_plugin_find(const char *name, size_t len);

/* Stored forms of a clear-text password. 0 or -EIO when OpenSSL refuses (FIPS, no memory). */
int mysql_auth_native_hash(const char *password, size_t len, uint8_t hash[MYSQL_NATIVE_HASH_LEN]);
int mysql_auth_sha2_hash(const char *password, size_t len, uint8_t hash[MYSQL_SHA2_HASH_LEN]);

/* What a client sends for a password and salt: for tests and for our own client. */
int mysql_auth_native_scramble(const char *password, size_t len, const uint8_t salt[MYSQL_SALT_LEN],
                               uint8_t reply[MYSQL_NATIVE_HASH_LEN]);
int mysql_auth_sha2_scramble(const char *password, size_t len, const uint8_t salt[MYSQL_SALT_LEN],
                             uint8_t reply[MYSQL_SHA2_HASH_LEN]);

/* True when the client's answer proves the password with this stored hash. An answer of the wrong
 * length is false; an empty password is the caller's to decide (reply_len 0). */
bool mysql_auth_native_verify(const uint8_t *reply, size_t reply_len,
                              const uint8_t salt[MYSQL_SALT_LEN],
                              const uint8_t hash[MYSQL_NATIVE_HASH_LEN]);
bool mysql_auth_sha2_verify(const uint8_t *reply, size_t reply_len,
                            const uint8_t salt[MYSQL_SALT_LEN],
                            const uint8_t hash[MYSQL_SHA2_HASH_LEN]);

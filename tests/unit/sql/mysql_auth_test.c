/* Password proofs: the answers of real clients (libmariadb 3.3.20, PyMySQL 1.0.2) to one salt. */
#include "mysql_test_util.h"
#include "sql/mysql_auth.h"

#define NATIVE_SECRET "51ceabfd837b8a4ba6627126a5ba230a8db7fe44"
#define SHA2_SECRET "0666633354988f857d9e7620bcb9cdb8d79f68926eaeb85f84a16170385c6a77"

Test(mysql_auth, native_password_of_real_clients)
{
    uint8_t hash[MYSQL_NATIVE_HASH_LEN], reply[MYSQL_NATIVE_HASH_LEN];
    size_t len;
    uint8_t *sent = unhex(NATIVE_SECRET, &len);

    cr_assert_eq(mysql_auth_native_hash("secret", 6, hash), 0);
    /* SELECT PASSWORD('secret') in MariaDB. */
    cr_assert(bytes_are(hash, sizeof(hash), "14e65567abdb5135d0cfd9a70b3032c179a49ee7"));
    cr_assert(mysql_auth_native_verify(sent, len, test_salt, hash));
    cr_assert_eq(mysql_auth_native_scramble("secret", 6, test_salt, reply), 0);
    cr_assert(bytes_are(reply, sizeof(reply), NATIVE_SECRET));
    sent[7] ^= 1;
    cr_assert_not(mysql_auth_native_verify(sent, len, test_salt, hash));
    cr_assert_not(mysql_auth_native_verify(sent, len - 1, test_salt, hash));
    cr_assert_not(mysql_auth_native_verify(sent, 0, test_salt, hash));
    free(sent);
}

Test(mysql_auth, caching_sha2_password_of_real_clients)
{
    uint8_t hash[MYSQL_SHA2_HASH_LEN], other[MYSQL_SHA2_HASH_LEN], reply[MYSQL_SHA2_HASH_LEN];
    size_t len;
    uint8_t *sent = unhex(SHA2_SECRET, &len);

    cr_assert_eq(mysql_auth_sha2_hash("secret", 6, hash), 0);
    cr_assert_eq(mysql_auth_sha2_hash("Secret", 6, other), 0);
    cr_assert(mysql_auth_sha2_verify(sent, len, test_salt, hash));
    cr_assert_not(mysql_auth_sha2_verify(sent, len, test_salt, other));
    cr_assert_eq(mysql_auth_sha2_scramble("secret", 6, test_salt, reply), 0);
    cr_assert(bytes_are(reply, sizeof(reply), SHA2_SECRET));
    free(sent);
}

Test(mysql_auth, plugin_names)
{
    cr_assert_eq(mysql_auth_plugin_find("caching_sha2_password", 21), MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(mysql_auth_plugin_find("caching_sha2_passwor", 20), MYSQL_AUTH_UNKNOWN);
    cr_assert_eq(mysql_auth_plugin_find("", 0), MYSQL_AUTH_UNKNOWN);
    cr_assert_null(mysql_auth_plugin_name(MYSQL_AUTH_UNKNOWN));
}

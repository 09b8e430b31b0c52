/* Handshake packets recorded from real clients, and what is made of damaged ones. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_handshake.h"

/* Payloads (without the packet header) that clients sent to a greeting with test_salt and all
 * capabilities offered. */
#define MARIADB_EMPTY                                                                              \
    "8da2bf0000001000210000000000000000000000000000000000000000000000616e6100007175616e7461006d79" \
    "73716c5f6e61746976655f70617373776f7264007e035f6f73054c696e75780c5f636c69656e745f6e616d650a6c" \
    "69626d617269616462045f70696404343733330f5f636c69656e745f76657273696f6e06332e332e3230095f706c" \
    "6174666f726d067838365f36340c70726f6772616d5f6e616d65056d7973716c0c5f7365727665725f686f737409" \
    "3132372e302e302e31"
#define MARIADB_SHA2_SECRET                                                                        \
    "8da2bf0000001000210000000000000000000000000000000000000000000000616e6100200666633354988f857d" \
    "9e7620bcb9cdb8d79f68926eaeb85f84a16170385c6a777175616e74610063616368696e675f736861325f706173" \
    "73776f7264007e035f6f73054c696e75780c5f636c69656e745f6e616d650a6c69626d617269616462045f706964" \
    "04343733350f5f636c69656e745f76657273696f6e06332e332e3230095f706c6174666f726d067838365f36340c" \
    "70726f6772616d5f6e616d65056d7973716c0c5f7365727665725f686f7374093132372e302e302e31"
#define PYMYSQL_SECRET                                                                             \
    "0da23a00ffffff002d0000000000000000000000000000000000000000000000616e61001451ceabfd837b8a4ba6" \
    "627126a5ba230a8db7fe447175616e7461006d7973716c5f6e61746976655f70617373776f726400350c5f636c69" \
    "656e745f6e616d650770796d7973716c045f70696404343734310f5f636c69656e745f76657273696f6e05312e30" \
    "2e32"

static int decode(const char *hex, struct mysql_handshake *hs, uint8_t **bytes)
{
    size_t len;

    *bytes = unhex(hex, &len);
    return mysql_handshake_decode(*bytes, len, MYSQL_CAPS_OFFERED, hs);
}

Test(mysql_handshake, greeting_bytes)
{
    struct buffer out;
    struct mysql_wire wire = {.out = &out};
    struct mysql_greeting greeting = {
        .version = "8.0.34-Quanta",
        .connection_id = 7,
        .salt = test_salt,
        .capabilities = MYSQL_CAPS_OFFERED,
        .status = MYSQL_STATUS_AUTOCOMMIT,
        .charset = MYSQL_CHARSET_UTF8MB4_0900_AI_CI,
        .plugin = MYSQL_AUTH_NATIVE,
    };

    buffer_init(&out, 1000);
    cr_assert_eq(mysql_greeting_encode(&wire, &greeting), 0);
    cr_assert(bytes_are(out.data, out.len,
                        "51000000"
                        "0a"
                        "382e302e33342d5175616e746100"
                        "07000000"
                        "3132333435363738"
                        "00"
                        "afa7"
                        "ff"
                        "0200"
                        "bf05"
                        "15"
                        "00000000000000000000"
                        "393a3b3c3d3e3f404142434400"
                        "6d7973716c5f6e61746976655f70617373776f726400"));
    buffer_fini(&out);
}

Test(mysql_handshake, mariadb_client)
{
    struct mysql_handshake hs;
    struct mysql_text key, value;
    uint8_t *bytes;
    bool is_named = false;

    cr_assert_eq(decode(MARIADB_EMPTY, &hs, &bytes), 0);
    cr_assert(text_is(hs.user, "ana"));
    cr_assert(text_is(hs.database, "quanta"));
    cr_assert_eq(hs.response.len, 0);
    cr_assert(text_is(hs.plugin, "mysql_native_password"));
    cr_assert_eq(hs.charset, 33);
    cr_assert_eq(hs.capabilities & ~MYSQL_CAPS_OFFERED, 0);
    cr_assert_not(hs.capabilities & MYSQL_CAP_DEPRECATE_EOF);
    cr_assert(hs.capabilities & MYSQL_CAP_MULTI_RESULTS);
    while (mysql_attribute_next(&hs.attributes, &key, &value))
        is_named |= text_is(key, "program_name") && text_is(value, "mysql");
    cr_assert(is_named);
    free(bytes);
    cr_assert_eq(decode(MARIADB_SHA2_SECRET, &hs, &bytes), 0);
    cr_assert(text_is(hs.plugin, "caching_sha2_password"));
    cr_assert_eq(hs.response.len, MYSQL_SHA2_HASH_LEN);
    free(bytes);
}

Test(mysql_handshake, pymysql)
{
    struct mysql_handshake hs;
    uint8_t *bytes;

    cr_assert_eq(decode(PYMYSQL_SECRET, &hs, &bytes), 0);
    cr_assert(text_is(hs.user, "ana") && text_is(hs.database, "quanta"));
    cr_assert_eq(hs.response.len, MYSQL_NATIVE_HASH_LEN);
    cr_assert_eq(hs.charset, 45);
    cr_assert_gt(hs.attributes.len, 0);
    free(bytes);
}

Test(mysql_handshake, cut_anywhere_is_refused_or_whole)
{
    struct mysql_handshake hs;
    size_t len;
    uint8_t *whole = unhex(MARIADB_SHA2_SECRET, &len);

    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n + 1); /* its own allocation, so that reads past it are seen */
        int rc;

        memcpy(cut, whole, n);
        rc = mysql_handshake_decode(n ? cut : NULL, n, MYSQL_CAPS_OFFERED, &hs);
        /* Behind the proof, clients leave out what they have not got. */
        cr_assert(n >= 69 || rc == -EBADMSG, "%zu", n);
        free(cut);
    }
    free(whole);
}

Test(mysql_handshake, old_protocols_and_ssl)
{
    struct mysql_handshake hs;
    uint8_t *bytes;
    uint8_t long_user[32 + MYSQL_USER_LEN_MAX + 3] = {0x00, 0x82};

    /* Protocol 4.0: no PROTOCOL_41. */
    cr_assert_eq(decode("85a4000000006f6c6400", &hs, &bytes), -EBADMSG);
    free(bytes);
    cr_assert_eq(decode("00820000000000002d"
                        "0000000000000000000000000000000000000000000000"
                        "7200"
                        "00",
                        &hs, &bytes),
                 0, "no plugin, no database");
    cr_assert(text_is(hs.user, "r") && hs.plugin.len == 0 && hs.database.len == 0);
    free(bytes);
    cr_assert_eq(decode("008a0000000000002d"
                        "0000000000000000000000000000000000000000000000",
                        &hs, &bytes),
                 0);
    cr_assert(hs.is_ssl_request);
    free(bytes);
    memset(long_user + 32, 'u', MYSQL_USER_LEN_MAX + 1);
    cr_assert_eq(mysql_handshake_decode(long_user, sizeof(long_user), MYSQL_CAPS_OFFERED, &hs),
                 -EBADMSG);
}

Test(mysql_handshake, damaged_attributes_are_dropped)
{
    struct mysql_handshake hs;
    uint8_t *bytes;

    /* CONNECT_ATTRS announcing 9 bytes where 2 follow. */
    cr_assert_eq(decode("00821000000000002d"
                        "0000000000000000000000000000000000000000000000"
                        "7200"
                        "00"
                        "09"
                        "0161",
                        &hs, &bytes),
                 0);
    cr_assert_eq(hs.attributes.len, 0);
    free(bytes);
    /* A key without a value. */
    cr_assert_eq(decode("00821000000000002d"
                        "0000000000000000000000000000000000000000000000"
                        "7200"
                        "00"
                        "02"
                        "0161",
                        &hs, &bytes),
                 0);
    cr_assert_eq(hs.attributes.len, 0);
    free(bytes);
}

Test(mysql_handshake, change_user)
{
    struct mysql_handshake hs;
    const char body[] = "bob\0\0quanta\0\x2d\0mysql_native_password\0";

    cr_assert_eq(mysql_change_user_decode((struct mysql_text){body, sizeof(body) - 1},
                                          MYSQL_CAPS_OFFERED, &hs),
                 0);
    cr_assert(text_is(hs.user, "bob") && text_is(hs.database, "quanta"));
    cr_assert(hs.response.len == 0 && hs.charset == 45);
    cr_assert(text_is(hs.plugin, "mysql_native_password"));
    cr_assert_eq(mysql_change_user_decode((struct mysql_text){"bob", 3}, MYSQL_CAPS_OFFERED, &hs),
                 -EBADMSG);
}

Test(mysql_handshake, salt_has_no_nul_and_no_dollar)
{
    uint8_t salt[MYSQL_SALT_LEN] = {0, 0x80, '$', 0xa4, 255, 1};

    mysql_salt_clean(salt);
    for (size_t i = 0; i < sizeof(salt); i++)
        cr_assert(salt[i] != 0 && salt[i] != '$' && salt[i] < 0x80);
}

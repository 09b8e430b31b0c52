/* The protocol state machine: login, commands, limits, what it costs when idle. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/mysql_error.h"

/* Checks that the output is one ERR packet with this code and sequence number. */
static void check_err(struct peer *p, unsigned code, uint8_t want_seq)
{
    size_t len;
    uint8_t seq;
    const uint8_t *payload = take_packet(&p->out, &len, &seq);

    cr_assert(len > 9 && payload[0] == 0xff && payload[3] == '#');
    cr_assert_eq(payload[1] | payload[2] << 8, code);
    cr_assert_eq(seq, want_seq);
    cr_assert_eq(p->out.len, 0);
}

static void check_ok(struct peer *p, uint8_t want_seq)
{
    size_t len;
    uint8_t seq;
    const uint8_t *payload = take_packet(&p->out, &len, &seq);

    cr_assert(len >= 7 && payload[0] == 0x00);
    cr_assert_eq(seq, want_seq);
    cr_assert_eq(p->out.len, 0);
}

Test(mysql_session, login_byte_by_byte)
{
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t *login = unhex(PYMYSQL_LOGIN, &len);

    peer_open(&p);
    for (size_t i = 0; i < len; i++) {
        cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
        cr_assert_eq(mysql_session_feed(&p.s, login + i, 1), 1);
    }
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_AUTH);
    cr_assert(text_is(ev.u.auth.user, "ana") && text_is(ev.u.auth.database, "quanta"));
    cr_assert(ev.u.auth.plugin == MYSQL_AUTH_NATIVE && ev.u.auth.response.len == 0);
    cr_assert_eq(ev.u.auth.charset, 45);
    cr_assert(mysql_session_is_busy(&p.s) && mysql_session_is_authenticating(&p.s));
    cr_assert_eq(mysql_session_feed(&p.s, login, len), 0, "nothing is taken before the answer");
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 2);
    cr_assert_not(mysql_session_is_authenticating(&p.s));
    free(login);
    peer_close(&p);
}

Test(mysql_session, refused_login_closes)
{
    struct mysql_event ev;
    struct peer p;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_err(&p.s, 1045, "Access denied"), 0);
    check_err(&p, 1045, 2);
    cr_assert(mysql_session_is_closed(&p.s));
    cr_assert_eq(mysql_session_feed(&p.s, (const uint8_t *)"abc", 3), 3);
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
    peer_close(&p);
}

Test(mysql_session, refusal_instead_of_a_greeting)
{
    struct mysql_session_config cfg = {.connection_id = 1};
    struct peer p;

    buffer_init(&p.out, 1000);
    mysql_session_init(&p.s, &cfg, &p.out);
    cr_assert_eq(mysql_session_refuse(&p.s, MYSQL_ER_CON_COUNT_ERROR, "Too many connections"), 0);
    check_err(&p, 1040, 0);
    cr_assert(mysql_session_is_closed(&p.s));
    peer_close(&p);
}

Test(mysql_session, plugin_switch_keeps_user_and_changes_salt)
{
    const uint8_t salt[MYSQL_SALT_LEN] = "ABCDEFGHIJKLMNOPQRST";
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t seq;
    const uint8_t *payload;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_CACHING_SHA2, salt), 0);
    payload = take_packet(&p.out, &len, &seq);
    cr_assert_eq(seq, 2);
    cr_assert_eq(payload[0], 0xfe);
    cr_assert_str_eq((const char *)payload + 1, "caching_sha2_password");
    cr_assert(memcmp(payload + 23, salt, MYSQL_SALT_LEN) == 0 && len == 23 + MYSQL_SALT_LEN + 1);
    cr_assert(memcmp(mysql_session_salt(&p.s), salt, MYSQL_SALT_LEN) == 0);
    cr_assert_eq(peer_send_hex(&p,
                               "20000003"
                               "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                               &ev),
                 MYSQL_EVENT_AUTH);
    cr_assert(text_is(ev.u.auth.user, "ana") && ev.u.auth.response.len == 32);
    cr_assert_eq(ev.u.auth.plugin, MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    /* AuthMoreData "fast authentication passed", then OK. */
    payload = take_packet(&p.out, &len, &seq);
    cr_assert(len == 2 && payload[0] == 1 && payload[1] == 3 && seq == 4);
    check_ok(&p, 5);
    peer_close(&p);
}

Test(mysql_session, empty_sha2_password_is_one_nul)
{
    struct mysql_event ev;
    struct peer p;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_CACHING_SHA2, test_salt), 0);
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "0100000300", &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(ev.u.auth.response.len, 0);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 4);
    peer_close(&p);
}

Test(mysql_session, unknown_plugin_is_switched_by_the_session)
{
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t seq;
    const uint8_t *payload;

    peer_open(&p);
    /* Plugin "dialog". */
    cr_assert_eq(peer_send_hex(&p,
                               "2a00000100820800000000002d"
                               "0000000000000000000000000000000000000000000000"
                               "7200"
                               "00"
                               "6469616c6f6700",
                               &ev),
                 MYSQL_EVENT_NONE);
    payload = take_packet(&p.out, &len, &seq);
    cr_assert_eq(payload[0], 0xfe);
    cr_assert_str_eq((const char *)payload + 1, "mysql_native_password");
    cr_assert_eq(peer_send_hex(&p, "00000003", &ev), MYSQL_EVENT_AUTH);
    cr_assert(text_is(ev.u.auth.user, "r") && ev.u.auth.response.len == 0);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 4);
    peer_close(&p);
}

/* What a client that begins with caching_sha2_password sends: it has no salt for it, so no proof. */
#define SHA2_FIRST_LOGIN                             \
    "3900000100820800000000002d"                     \
    "0000000000000000000000000000000000000000000000" \
    "7200"                                           \
    "00"                                             \
    "63616368696e675f736861325f70617373776f726400"

Test(mysql_session, plugin_that_is_not_the_greetings_is_asked_for)
{
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t seq;
    const uint8_t *payload;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, SHA2_FIRST_LOGIN, &ev), MYSQL_EVENT_NONE);
    payload = take_packet(&p.out, &len, &seq);
    cr_assert(seq == 2 && payload[0] == 0xfe);
    cr_assert_str_eq((const char *)payload + 1, "caching_sha2_password");
    cr_assert(memcmp(payload + 23, test_salt, MYSQL_SALT_LEN) == 0);
    cr_assert_eq(peer_send_hex(&p, "0100000300", &ev), MYSQL_EVENT_AUTH);
    cr_assert(text_is(ev.u.auth.user, "r") && ev.u.auth.response.len == 0);
    cr_assert_eq(ev.u.auth.plugin, MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 4);
    /* COM_CHANGE_USER without a proof waits for a salt as well. */
    cr_assert_eq(peer_send_hex(&p,
                               "1d00000011"
                               "7300"
                               "00"
                               "00"
                               "2d00"
                               "63616368696e675f736861325f70617373776f726400",
                               &ev),
                 MYSQL_EVENT_NONE);
    payload = take_packet(&p.out, &len, &seq);
    cr_assert(seq == 1 && payload[0] == 0xfe);
    cr_assert_eq(peer_send_hex(&p, "0100000200", &ev), MYSQL_EVENT_CHANGE_USER);
    cr_assert(text_is(ev.u.auth.user, "s"));
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 3);
    peer_close(&p);
}

Test(mysql_session, client_without_plugins_cannot_be_switched)
{
    struct mysql_event ev;
    struct peer p;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p,
                               "2300000100820000000000002d"
                               "0000000000000000000000000000000000000000000000"
                               "7200"
                               "00",
                               &ev),
                 MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_NATIVE, test_salt), -EPROTONOSUPPORT);
    peer_close(&p);
}

Test(mysql_session, bad_handshakes)
{
    static const struct {
        const char *hex;
        unsigned code;
        uint8_t seq;
    } cases[] = {
        {"0a00000185a4000000006f6c6400", 1043, 2}, /* protocol 4.0 */
        {"00000001", 1043, 2},                     /* empty */
        {"ffffff01", 1043, 2},                     /* far too long */
        {"474554202f20485454502f", 1156, 33},      /* GET / HTTP/ */
        {"20000001008a0000000000002d0000000000000000000000000000000000000000000000", 1043, 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mysql_event ev;
        struct peer p;

        peer_open(&p);
        cr_assert_eq(peer_send_hex(&p, cases[i].hex, &ev), MYSQL_EVENT_PROTOCOL_ERROR, "%zu", i);
        cr_assert_eq(ev.u.error.code, cases[i].code);
        check_err(&p, cases[i].code, cases[i].seq);
        cr_assert(mysql_session_is_closed(&p.s));
        cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
        peer_close(&p);
    }
}

Test(mysql_session, tls_slot)
{
    struct mysql_session_config cfg = {.connection_id = 7, .offer_ssl = true};
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t *request = unhex("20000001008a0000000000002d"
                             "0000000000000000000000000000000000000000000000"
                             "160301",
                             &len);
    struct mysql_session_config full = cfg;

    memcpy(full.salt, test_salt, sizeof(full.salt));
    peer_open_with(&p, &full);
    cr_assert_eq(mysql_session_feed(&p.s, request, len), 36, "TLS bytes stay with the owner");
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_SSL_REQUEST);
    cr_assert_eq(mysql_session_feed(&p.s, request + 36, 3), 0);
    mysql_session_tls_started(&p.s);
    cr_assert_eq(peer_send_hex(&p,
                               "2a00000200820800000000002d"
                               "0000000000000000000000000000000000000000000000"
                               "7200"
                               "00"
                               "6469616c6f6700",
                               &ev),
                 MYSQL_EVENT_NONE);
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "00000004", &ev), MYSQL_EVENT_AUTH);
    /* Full authentication: the password itself. */
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_CACHING_SHA2, test_salt), 0);
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "020000060102", &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_full(&p.s), 0);
    cr_assert(bytes_are(p.out.data, p.out.len, "020000070104"));
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "0700000873656372657400", &ev), MYSQL_EVENT_AUTH);
    cr_assert(ev.u.auth.is_clear_text && text_is(ev.u.auth.response, "secret"));
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 9);
    free(request);
    peer_close(&p);
}

Test(mysql_session, full_authentication_without_tls)
{
    struct mysql_session_config cfg = {.plugin = MYSQL_AUTH_CACHING_SHA2, .public_key = "PEM"};
    struct mysql_event ev;
    struct peer p;

    peer_open_with(&p, &cfg);
    cr_assert_eq(peer_send_hex(&p,
                               "3a00000100820800000000002d"
                               "0000000000000000000000000000000000000000000000"
                               "7200"
                               "01aa"
                               "63616368696e675f736861325f70617373776f726400",
                               &ev),
                 MYSQL_EVENT_AUTH);
    cr_assert(!ev.u.auth.is_clear_text && !ev.u.auth.is_encrypted);
    cr_assert(mysql_session_can_ask_full(&p.s));
    cr_assert_eq(mysql_session_auth_full(&p.s), 0);
    cr_assert(bytes_are(p.out.data, p.out.len, "020000020104"));
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "0100000302", &ev), MYSQL_EVENT_NONE);
    cr_assert(bytes_are(p.out.data, p.out.len,
                        "0400000401"
                        "50454d"));
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "04000005aabbcc00", &ev), MYSQL_EVENT_AUTH);
    cr_assert(ev.u.auth.is_encrypted && !ev.u.auth.is_clear_text);
    cr_assert_eq(ev.u.auth.response.len, 4, "the last byte may be a NUL");
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 6);
    peer_close(&p);
}

Test(mysql_session, tls_may_be_required)
{
    struct mysql_session_config cfg = {.offer_ssl = true, .require_ssl = true};
    struct mysql_event ev;
    struct peer p;

    peer_open_with(&p, &cfg);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_PROTOCOL_ERROR);
    check_err(&p, 3159, 2);
    cr_assert(mysql_session_is_closed(&p.s));
    peer_close(&p);
}

Test(mysql_session, commands_and_back_pressure)
{
    struct mysql_event ev;
    struct peer p;
    size_t len;
    uint8_t *two = unhex("09000000"
                         "0373656c6563742031"
                         "01000000"
                         "0e",
                         &len);

    peer_login(&p, PYMYSQL_LOGIN);
    cr_assert_eq(mysql_session_feed(&p.s, two, len), 13, "one message at a time");
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_QUERY);
    cr_assert(text_is(ev.u.text, "select 1"));
    cr_assert_eq(mysql_session_feed(&p.s, two + 13, len - 13), 0);
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, MYSQL_STATUS_MORE_RESULTS, 0, NULL), 0);
    cr_assert(mysql_session_is_busy(&p.s));
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
    cr_assert_not(mysql_session_is_busy(&p.s));
    cr_assert_eq(mysql_session_feed(&p.s, two + 13, len - 13), len - 13);
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_PING);
    p.out.len = 0;
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
    check_ok(&p, 1);
    free(two);
    peer_close(&p);
}

Test(mysql_session, every_simple_command)
{
    struct mysql_event ev;
    struct peer p;

    peer_login(&p, PYMYSQL_LOGIN);
#define EXPECT(COM, DATA, LEN, KIND)                                               \
    cr_assert_eq(peer_command(&p, (COM), (DATA), (LEN), &ev), (KIND), "%s", #COM); \
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0)
    EXPECT(MYSQL_COM_INIT_DB, "quanta", 6, MYSQL_EVENT_INIT_DB);
    EXPECT(MYSQL_COM_PING, "", 0, MYSQL_EVENT_PING);
    EXPECT(MYSQL_COM_STATISTICS, "", 0, MYSQL_EVENT_STATISTICS);
    EXPECT(MYSQL_COM_FIELD_LIST, "t\0%", 3, MYSQL_EVENT_FIELD_LIST);
    cr_assert(text_is(ev.u.field_list.table, "t") && text_is(ev.u.field_list.wild, "%"));
    EXPECT(MYSQL_COM_SET_OPTION, "\0\0", 2, MYSQL_EVENT_SET_OPTION);
    cr_assert(ev.u.set_option.multi_statements);
    EXPECT(MYSQL_COM_SET_OPTION, "\1\0", 2, MYSQL_EVENT_SET_OPTION);
    cr_assert_not(ev.u.set_option.multi_statements);
    EXPECT(MYSQL_COM_RESET_CONNECTION, "", 0, MYSQL_EVENT_RESET_CONNECTION);
    EXPECT(MYSQL_COM_PROCESS_KILL, "\5\0\0\0", 4, MYSQL_EVENT_PROCESS_KILL);
    cr_assert_eq(ev.u.process_kill.connection_id, 5);
    EXPECT(MYSQL_COM_STMT_PREPARE, "select ?", 8, MYSQL_EVENT_STMT_PREPARE);
    EXPECT(MYSQL_COM_SHUTDOWN, "", 0, MYSQL_EVENT_UNKNOWN);
    cr_assert_eq(ev.u.unknown.command, MYSQL_COM_SHUTDOWN);
    EXPECT(0x77, "abc", 3, MYSQL_EVENT_UNKNOWN);
#undef EXPECT
    cr_assert_eq(peer_command(&p, MYSQL_COM_QUIT, "", 0, &ev), MYSQL_EVENT_QUIT);
    cr_assert(mysql_session_is_closed(&p.s));
    peer_close(&p);
}

Test(mysql_session, malformed_commands_are_answered_and_survived)
{
    struct mysql_event ev;
    struct peer p;

    peer_login(&p, PYMYSQL_LOGIN);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_RESET, "\1", 1, &ev), MYSQL_EVENT_NONE);
    check_err(&p, 1835, 1);
    cr_assert_eq(peer_send_hex(&p, "00000000", &ev), MYSQL_EVENT_NONE);
    check_err(&p, 1835, 1);
    cr_assert_eq(peer_command(&p, MYSQL_COM_SET_OPTION, "\7\0", 2, &ev), MYSQL_EVENT_NONE);
    check_err(&p, 1047, 1);
    cr_assert_eq(peer_command(&p, MYSQL_COM_PING, "", 0, &ev), MYSQL_EVENT_PING);
    peer_close(&p);
}

Test(mysql_session, statements)
{
    const struct mysql_column column = {.name = "a", .type = MYSQL_TYPE_LONGLONG};
    struct mysql_event ev;
    struct peer p;
    uint32_t id = 0;

    peer_login(&p, PYMYSQL_LOGIN);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_EXECUTE, "\1\0\0\0\0\1\0\0\0", 9, &ev),
                 MYSQL_EVENT_NONE);
    check_err(&p, 1243, 1);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_PREPARE, "select ?, ?", 11, &ev),
                 MYSQL_EVENT_STMT_PREPARE);
    cr_assert_eq(mysql_session_prepared(&p.s, 2, &column, 1, &id), 0);
    cr_assert_eq(id, 1);
    p.out.len = 0;
    /* The second parameter is sent ahead, in two pieces. */
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_SEND_LONG_DATA, "\1\0\0\0\1\0ab", 8, &ev),
                 MYSQL_EVENT_STMT_LONG_DATA);
    cr_assert(ev.u.long_data.len == 2 && p.out.len == 0);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_SEND_LONG_DATA, "\1\0\0\0\1\0cd", 8, &ev),
                 MYSQL_EVENT_STMT_LONG_DATA);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_EXECUTE,
                              "\1\0\0\0\0\1\0\0\0"
                              "\0\1"
                              "\1\0\xfc\0"
                              "\x7",
                              16, &ev),
                 MYSQL_EVENT_STMT_EXECUTE);
    cr_assert_eq(ev.u.execute.n_params, 2);
    cr_assert(ev.u.execute.params[0].v.i == 7 && text_is(ev.u.execute.params[1].v.bytes, "abcd"));
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
    p.out.len = 0;
    /* Types are remembered; the long data are gone. */
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_EXECUTE,
                              "\1\0\0\0\0\1\0\0\0"
                              "\2\0"
                              "\x8",
                              12, &ev),
                 MYSQL_EVENT_STMT_EXECUTE);
    cr_assert(ev.u.execute.params[0].v.i == 8 && ev.u.execute.params[1].kind == MYSQL_PARAM_NULL);
    cr_assert_eq(mysql_err(&p.s.wire, 1105, NULL, "no"), 0);
    check_err(&p, 1105, 1);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_FETCH, "\1\0\0\0\5\0\0\0", 8, &ev),
                 MYSQL_EVENT_STMT_FETCH);
    cr_assert(ev.u.fetch.rows == 5 && mysql_err(&p.s.wire, 1421, NULL, "no cursor") == 0);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_RESET, "\1\0\0\0", 4, &ev),
                 MYSQL_EVENT_STMT_RESET);
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_CLOSE, "\1\0\0\0", 4, &ev),
                 MYSQL_EVENT_STMT_CLOSE);
    p.out.len = 0;
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_CLOSE, "\1\0\0\0", 4, &ev), MYSQL_EVENT_NONE);
    cr_assert_eq(p.out.len, 0, "close is never answered");
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_RESET, "\1\0\0\0", 4, &ev), MYSQL_EVENT_NONE);
    check_err(&p, 1243, 1);
    peer_close(&p);
}

Test(mysql_session, change_user_and_reset_drop_statements)
{
    struct mysql_event ev;
    struct peer p;
    uint32_t id;
    const char body[] = "bob\0\0\0\x2d\0dialog\0";

    peer_login(&p, PYMYSQL_LOGIN);
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_PREPARE, "do 1", 4, &ev),
                     MYSQL_EVENT_STMT_PREPARE);
        cr_assert_eq(mysql_session_prepared(&p.s, 0, NULL, 0, &id), 0);
        p.out.len = 0;
        if (round == 0) {
            cr_assert_eq(peer_command(&p, MYSQL_COM_RESET_CONNECTION, "", 0, &ev),
                         MYSQL_EVENT_RESET_CONNECTION);
            cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
        } else {
            /* With a plugin we do not have: the session asks for another. */
            cr_assert_eq(peer_command(&p, MYSQL_COM_CHANGE_USER, body, sizeof(body) - 1, &ev),
                         MYSQL_EVENT_NONE);
            cr_assert_eq(p.out.data[4], 0xfe);
            p.out.len = 0;
            cr_assert_eq(peer_send_hex(&p, "00000002", &ev), MYSQL_EVENT_CHANGE_USER);
            cr_assert(text_is(ev.u.auth.user, "bob"));
            cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
            check_ok(&p, 3);
        }
        p.out.len = 0;
        cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_EXECUTE, "\1\0\0\0\0\1\0\0\0", 9, &ev),
                     MYSQL_EVENT_NONE);
        check_err(&p, 1243, 1);
    }
    peer_close(&p);
}

/* mysql2 3.16 and libmysqlclient disagree about the salt to use then. */
Test(mysql_session, change_user_after_a_switch_is_asked_again)
{
    const char body[] = "bob\0\3xyz\0\x2d\0mysql_native_password\0";
    struct mysql_event ev;
    struct peer p;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_CACHING_SHA2, test_salt), 0);
    cr_assert_eq(peer_send_hex(&p, "00000003", &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    p.out.len = 0;
    cr_assert_eq(peer_command(&p, MYSQL_COM_CHANGE_USER, body, sizeof(body) - 1, &ev),
                 MYSQL_EVENT_NONE);
    cr_assert_str_eq((const char *)p.out.data + 5, "mysql_native_password");
    cr_assert_eq(peer_send_hex(&p, "03000002616263", &ev), MYSQL_EVENT_CHANGE_USER);
    cr_assert(text_is(ev.u.auth.response, "abc") && ev.u.auth.plugin == MYSQL_AUTH_NATIVE);
    peer_close(&p);
}

Test(mysql_session, packets_out_of_order)
{
    struct mysql_event ev;
    struct peer p;

    peer_login(&p, PYMYSQL_LOGIN);
    cr_assert_eq(peer_send_hex(&p, "010000050e", &ev), MYSQL_EVENT_PROTOCOL_ERROR);
    cr_assert_eq(ev.u.error.code, MYSQL_ER_NET_PACKETS_OUT_OF_ORDER);
    check_err(&p, 1156, 6);
    peer_close(&p);
}

/* Feeds one message of len bytes of payload: COM_QUERY and blanks. */
static void feed_long_query(struct peer *p, size_t len)
{
    static uint8_t piece[1 << 16];
    uint8_t seq = 0;
    size_t n_packet, at = 0;

    memset(piece, ' ', sizeof(piece));
    do {
        n_packet = len - at < MYSQL_PACKET_PAYLOAD_MAX ? len - at : MYSQL_PACKET_PAYLOAD_MAX;
        uint8_t header[4] = {(uint8_t)n_packet, (uint8_t)(n_packet >> 8), (uint8_t)(n_packet >> 16),
                             seq++};

        cr_assert_eq(mysql_session_feed(&p->s, header, 4), 4);
        for (size_t i = 0; i < n_packet;) {
            size_t n = n_packet - i < sizeof(piece) ? n_packet - i : sizeof(piece);

            piece[0] = at + i == 0 ? MYSQL_COM_QUERY : ' ';
            cr_assert_eq(mysql_session_feed(&p->s, piece, n), n);
            i += n;
        }
        at += n_packet;
    } while (n_packet == MYSQL_PACKET_PAYLOAD_MAX);
}

Test(mysql_session, long_queries_up_to_the_limit)
{
    const size_t sizes[] = {MYSQL_PACKET_PAYLOAD_MAX - 1, MYSQL_PACKET_PAYLOAD_MAX,
                            MYSQL_PACKET_PAYLOAD_MAX + 1, MYSQL_MAX_ALLOWED_PACKET_DEFAULT};
    struct mysql_event ev;
    struct peer p;

    peer_login(&p, PYMYSQL_LOGIN);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        feed_long_query(&p, sizes[i]);
        cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_QUERY);
        cr_assert_eq(ev.u.text.len, sizes[i] - 1);
        mysql_session_release_input(&p.s);
        cr_assert_eq(p.s.in.cap, 0);
        cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
        p.out.len = 0;
    }
    feed_long_query(&p, MYSQL_MAX_ALLOWED_PACKET_DEFAULT + 1);
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_PROTOCOL_ERROR);
    cr_assert_eq(ev.u.error.code, MYSQL_ER_NET_PACKET_TOO_LARGE);
    check_err(&p, 1153, 5);
    cr_assert(mysql_session_is_closed(&p.s) && p.s.in.cap == 0);
    peer_close(&p);
}

Test(mysql_session, smaller_limit_is_found_in_the_header)
{
    struct mysql_session_config cfg = {.max_allowed_packet = 1000};
    struct mysql_event ev;
    struct peer p;

    peer_open_with(&p, &cfg);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    p.out.len = 0;
    cr_assert_eq(peer_send_hex(&p, "e9030000", &ev), MYSQL_EVENT_PROTOCOL_ERROR);
    check_err(&p, 1153, 1);
    peer_close(&p);
}

Test(mysql_session, idle_sessions_cost_little)
{
    struct mysql_event ev;
    struct peer p;
    char text[3000];

    memset(text, 'a', sizeof(text));
    peer_login(&p, PYMYSQL_LOGIN);
    cr_assert_eq(peer_command(&p, MYSQL_COM_QUERY, text, sizeof(text), &ev), MYSQL_EVENT_QUERY);
    cr_assert_eq(mysql_ok(&p.s.wire, 0, 0, 0, 0, NULL), 0);
    cr_assert_eq(mysql_session_next(&p.s, &ev), MYSQL_EVENT_NONE);
    cr_assert_leq(p.s.in.cap, MYSQL_FRAMER_KEEP_BYTES);
    cr_assert_leq(sizeof(struct mysql_session), 300);
    cr_assert(p.s.login == NULL && p.s.stmts == NULL);
    peer_close(&p);
}

Test(mysql_session, full_output_buffer)
{
    struct mysql_event ev;
    struct peer p;

    peer_open(&p);
    cr_assert_eq(peer_send_hex(&p, PYMYSQL_LOGIN, &ev), MYSQL_EVENT_AUTH);
    p.out.limit = p.out.cap = p.out.len;
    cr_assert_eq(mysql_session_auth_ok(&p.s), -ENOBUFS);
    cr_assert(mysql_session_is_busy(&p.s));
    cr_assert_eq(mysql_session_auth_switch(&p.s, MYSQL_AUTH_CACHING_SHA2, test_salt), -ENOBUFS);
    p.out.limit = 1 << 20;
    cr_assert_eq(mysql_session_auth_ok(&p.s), 0);
    check_ok(&p, 2);
    p.out.limit = p.out.cap = p.out.len;
    cr_assert_eq(peer_command(&p, MYSQL_COM_STMT_RESET, "\1", 1, &ev), MYSQL_EVENT_PROTOCOL_ERROR);
    cr_assert(mysql_session_is_closed(&p.s));
    peer_close(&p);
}

/* From accepted to logged in: TLS, and who the client is. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "reactor/log.h"
#include "reactor/tls.h"
#include "sql/conn.h"
#include "sql/infoschema.h"
#include "sql/login_throttle.h"
#include "sql/mysql_rsa.h"

bool conn_is_database(const char *name, size_t len)
{
    char copy[65];

    if (len >= sizeof copy)
        return false;
    memcpy(copy, name, len);
    copy[len] = 0;
    return strcasecmp(copy, SESSION_DATABASE) == 0 || infoschema_is_database(copy);
}

void conn_unknown_database(char *text, size_t cap, struct mysql_text name)
{
    snprintf(text, cap, "Unknown database '%.*s'", (int)(name.len > 64 ? 64 : name.len), name.data);
}

static void fill_salt(struct conn *c, uint8_t salt[MYSQL_SALT_LEN])
{
    if (RAND_bytes(salt, MYSQL_SALT_LEN) == 1)
        return;
    for (unsigned i = 0; i < MYSQL_SALT_LEN; i++)
        salt[i] = (uint8_t)reactor_random(c->gateway->reactor);
}

static enum mysql_auth_plugin account_plugin(void *ctx, struct mysql_text user,
                                             enum mysql_auth_plugin wanted)
{
    struct conn *c = ctx;

    return auth_account_plugin(&c->gateway->auth, user, wanted);
}

void conn_session_init(struct conn *c)
{
    const struct gateway *g = c->gateway;
    struct mysql_session_config config = {
        .connection_id = c->session.id,
        .plugin = auth_plugin(&g->auth),
        .public_key = g->auth.rsa ? mysql_rsa_public(g->auth.rsa) : NULL,
        .account_plugin = account_plugin,
        .ctx = c,
        .offer_ssl = g->tls != NULL,
        .require_ssl = g->tls && g->config.security.tls_required,
    };

    fill_salt(c, config.salt);
    mysql_session_init(&c->mysql, &config, stream_out(c->stream));
}

void conn_start_tls(struct conn *c, const uint8_t *rest, size_t n)
{
    struct tls *t = c->gateway->tls ? tls_accept(c->gateway->tls) : NULL;

    if (!t) {
        log_warn("mysql: connection %u: no memory for TLS", c->session.id);
        stream_abort(c->stream);
        return;
    }
    c->session.tls = t;
    mysql_session_tls_started(&c->mysql);
    stream_set_filter(c->stream, &tls_filter, t, rest, n);
}

/* ---- who it is ---- */

/* The address of the client, without its port. */
static struct mysql_text address_of(const struct conn *c)
{
    const char *host = c->session.host ? c->session.host : "", *port = strrchr(host, ':');

    return (struct mysql_text){host, port ? (size_t)(port - host) : strlen(host)};
}

static void deny(struct conn *c, bool has_password)
{
    struct mysql_text address = address_of(c);
    char where[64], text[MYSQL_ERROR_TEXT_MAX + 1];

    snprintf(where, sizeof where, "%.*s", (int)address.len, address.data);
    if (c->gateway->config.throttle)
        login_throttle_failed(c->gateway->config.throttle, address.data, address.len,
                              reactor_now_ns(c->gateway->reactor));
    mysql_error_format(text, sizeof text, MYSQL_ER_ACCESS_DENIED_ERROR,
                       c->session.user ? c->session.user : "", where, has_password ? "YES" : "NO");
    c->gateway->stats.denied++;
    mysql_session_auth_err(&c->mysql, MYSQL_ER_ACCESS_DENIED_ERROR, text);
}

/* The user may come in. */
static void admit(struct conn *c, struct mysql_text database)
{
    char text[128];

    if (database.len && !conn_is_database(database.data, database.len)) {
        conn_unknown_database(text, sizeof text, database);
        mysql_session_auth_err(&c->mysql, 1049, text);
        return;
    }
    if (gateway_session_set_text(&c->session.database, database.len ? database.data : NULL,
                                 database.len) != 0) {
        mysql_session_auth_err(&c->mysql, 1041, "Out of memory");
        return;
    }
    if (mysql_session_auth_ok(&c->mysql) != 0 || conn_compress_start(c) != 0)
        stream_abort(c->stream);
    c->session.timeouts_at_login.interactive_s = c->gateway->config.interactive_timeout_s;
    c->session.timeouts_at_login.wait_s = c->mysql.wire.capabilities & MYSQL_CAP_INTERACTIVE
                                              ? c->gateway->config.interactive_timeout_s
                                              : c->gateway->config.wait_timeout_s;
    c->session.timeouts = c->session.timeouts_at_login;
    c->session.found_rows = c->mysql.wire.capabilities & MYSQL_CAP_FOUND_ROWS;
}

static void ask_scramble(struct conn *c, enum mysql_auth_plugin plugin)
{
    uint8_t salt[MYSQL_SALT_LEN];

    fill_salt(c, salt);
    if (mysql_session_auth_switch(&c->mysql, plugin, salt) != 0)
        mysql_session_auth_err(&c->mysql, MYSQL_ER_NOT_SUPPORTED_AUTH_MODE,
                               mysql_error_find(MYSQL_ER_NOT_SUPPORTED_AUTH_MODE)->format);
}

/* One question to auth.h. Owner: the connection, until it is answered. Texts are the session's. */
struct conn_login {
    struct conn *conn;
    struct mysql_text database;
    struct auth_attempt attempt;
    struct timer wait; /* armed: its turn has not come */
};

/* Frees the login. */
static void answer(struct conn_login *login, enum auth_verdict verdict)
{
    struct conn *c = login->conn;
    bool has_password = login->attempt.response.len > 0;

    switch (verdict) {
    case AUTH_ALLOW:
        admit(c, login->database);
        break;
    case AUTH_SWITCH:
        ask_scramble(c, login->attempt.switch_to);
        break;
    case AUTH_FULL:
        if (mysql_session_can_ask_full(&c->mysql))
            mysql_session_auth_full(&c->mysql);
        else
            deny(c, has_password);
        break;
    default:
        deny(c, has_password);
    }
    free(login);
}

static void decided(struct auth_attempt *a, enum auth_verdict verdict)
{
    struct conn_login *login =
        (struct conn_login *)((char *)a - offsetof(struct conn_login, attempt));
    struct conn *c = login->conn;

    c->login = NULL;
    if (c->gone) {
        free(login);
        conn_leave(c);
        return;
    }
    answer(login, verdict);
    conn_continue(c);
}

static void decide(struct conn_login *login)
{
    struct conn *c = login->conn;

    c->login = login;
    enum auth_verdict verdict = auth_check(&c->gateway->auth, &login->attempt);
    if (verdict != AUTH_PENDING) /* else decided() goes on */
        decided(&login->attempt, verdict);
}

static void waited(struct timer *t)
{
    decide((struct conn_login *)((char *)t - offsetof(struct conn_login, wait)));
}

void conn_login_cancel(struct conn *c)
{
    if (!c->login || !c->login->wait.armed)
        return;
    timer_cancel(c->gateway->reactor, &c->login->wait);
    free(c->login);
    c->login = NULL;
}

/* Milliseconds until it is the turn of the login, among those of an address that failed too often. */
static uint32_t turn_of(struct conn *c)
{
    struct login_throttle *t = c->gateway->config.throttle;
    struct mysql_text address = address_of(c);

    if (!t || !c->gateway->auth.users || c->has_waited)
        return 0;
    c->has_waited = true;
    return login_throttle_wait(t, address.data, address.len, reactor_now_ns(c->gateway->reactor));
}

void conn_authenticate(struct conn *c, const struct mysql_event_auth *ev)
{
    struct conn_login *login = malloc(sizeof *login);
    enum auth_verdict verdict;
    uint32_t ms;

    if (!login || gateway_session_set_text(&c->session.user, ev->user.data, ev->user.len) != 0) {
        free(login);
        mysql_session_auth_err(&c->mysql, 1041, "Out of memory");
        return;
    }
    *login = (struct conn_login){.conn = c,
                                 .database = ev->database,
                                 .attempt = {.user = ev->user,
                                             .response = ev->response,
                                             .plugin = ev->plugin,
                                             .proof = ev->is_encrypted    ? AUTH_PROOF_ENCRYPTED
                                                      : ev->is_clear_text ? AUTH_PROOF_PASSWORD
                                                                          : AUTH_PROOF_SCRAMBLE,
                                             .salt = mysql_session_salt(&c->mysql),
                                             .done = decided},
                                 .wait = {.fire = waited}};
    c->session.charset = ev->charset;
    ms = turn_of(c);
    if (ms) {
        c->login = login;
        timer_arm(c->gateway->reactor, &login->wait, ms * UINT64_C(1000000));
        return;
    }
    verdict = auth_check(&c->gateway->auth, &login->attempt);
    if (verdict == AUTH_PENDING)
        c->login = login; /* decided() goes on */
    else
        answer(login, verdict);
}

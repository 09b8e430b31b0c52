/* Handshake and authentication of the protocol state machine: see mysql_session.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "reactor/assert.h"
#include "sql/mysql_error.h"
#include "sql/mysql_handshake.h"
#include "sql/mysql_session_internal.h"

enum {
    SHA2_FAST_OK = 3,
    SHA2_SEND_PASSWORD = 4,
    SHA2_ASKS_PUBLIC_KEY = 2,      /* the client's whole packet */
    AUTH_RESPONSE_MAX = 64 * 1024, /* longest clear-text password, bytes */
};

/*
 * What the client said when it connected or changed user, kept while further authentication packets
 * are exchanged. Owner: the session, until the login is decided. The texts point into `bytes`.
 */
struct mysql_login {
    struct mysql_handshake hs;
    uint8_t *switched; /* answer to a plugin switch, replaces hs.response; malloc'ed */
    bool is_change_user;
    uint8_t bytes[];
};

/* It may be a password. */
static void drop_switched(struct mysql_login *login)
{
    if (login->switched)
        OPENSSL_cleanse(login->switched, login->hs.response.len);
    free(login->switched);
    login->switched = NULL;
}

void mysql_session_drop_login(struct mysql_session *s)
{
    if (s->login)
        drop_switched(s->login);
    free(s->login);
    s->login = NULL;
}

const uint8_t *mysql_session_salt(const struct mysql_session *s)
{
    return s->salt;
}

/* Copies the message held, so that the login outlives it. NULL: no memory. */
static struct mysql_login *copy_login(const uint8_t *bytes, size_t len)
{
    struct mysql_login *login = malloc(sizeof(*login) + len);

    if (login) {
        *login = (struct mysql_login){.hs = {0}};
        if (len)
            memcpy(login->bytes, bytes, len);
    }
    return login;
}

/* Clients send an empty password for caching_sha2_password as one NUL, and clear-text passwords
 * with one at the end. */
static struct mysql_text proof_of(const struct mysql_session *s, struct mysql_text response)
{
    bool is_text = (s->full && s->tls) || s->plugin == MYSQL_AUTH_CLEAR;
    bool is_lone_nul = s->plugin == MYSQL_AUTH_CACHING_SHA2 && response.len == 1;

    if ((is_text || is_lone_nul) && response.len > 0 && response.data[response.len - 1] == '\0')
        response.len--;
    return response;
}

static enum mysql_event_kind auth_event(struct mysql_session *s, struct mysql_event *ev)
{
    const struct mysql_login *login = s->login;

    s->state = MYSQL_SESSION_AUTH;
    s->wire.answered = false;
    ev->kind = login->is_change_user ? MYSQL_EVENT_CHANGE_USER : MYSQL_EVENT_AUTH;
    ev->u.auth = (struct mysql_event_auth){
        .user = login->hs.user,
        .database = login->hs.database,
        .response = proof_of(s, login->hs.response),
        .attributes = login->hs.attributes,
        .plugin = s->plugin,
        .is_clear_text = (s->full && s->tls) || s->plugin == MYSQL_AUTH_CLEAR,
        .is_encrypted = s->full && !s->tls,
        .charset = login->hs.charset,
    };
    return ev->kind;
}

static int send_switch(struct mysql_session *s, enum mysql_auth_plugin plugin)
{
    int rc = mysql_auth_switch_encode(&s->wire, plugin, s->salt);

    if (rc == 0) {
        s->plugin = plugin;
        s->full = false;
        s->state = MYSQL_SESSION_SWITCH;
        mysql_framer_release(&s->in, s->wire.seq);
    }
    return rc;
}

/* After a switch at login, a later COM_CHANGE_USER is ambiguous: libmysqlclient uses the salt of
 * the switch, mysql2 the greeting's. Asking again, with the salt spelled out, settles it. */
static bool proof_is_ambiguous(const struct mysql_session *s)
{
    return s->login->is_change_user && s->resalted && s->login->hs.response.len > 0 &&
           (s->wire.capabilities & MYSQL_CAP_PLUGIN_AUTH);
}

/*
 * Whether the client waits to be asked with a salt for the plugin it names. At login the salt was the
 * greeting's plugin's, so libmysqlclient, which begins with its own default, sends nothing (others
 * use that salt all the same; asking them again costs a round trip). In COM_CHANGE_USER it has sent
 * nothing when caching_sha2_password's answer is empty: no password is a NUL.
 */
static bool is_waiting_for_salt(const struct mysql_session *s, enum mysql_auth_plugin plugin)
{
    if (!(s->wire.capabilities & MYSQL_CAP_PLUGIN_AUTH))
        return false;
    if (s->login->is_change_user)
        return plugin == MYSQL_AUTH_CACHING_SHA2 && s->login->hs.response.len == 0;
    return plugin != s->plugin;
}

/* The client's plugin decides how its proof is read; one we do not know is replaced by ours. */
static enum mysql_event_kind begin_auth(struct mysql_session *s, struct mysql_event *ev)
{
    const struct mysql_handshake *hs = &s->login->hs;
    enum mysql_auth_plugin plugin = hs->plugin.len
                                        ? mysql_auth_plugin_find(hs->plugin.data, hs->plugin.len)
                                        : MYSQL_AUTH_NATIVE;

    s->charset = hs->charset;
    if (plugin == MYSQL_AUTH_CLEAR && s->tls) {
        s->plugin = plugin;
        s->full = false;
        return auth_event(s, ev);
    }
    if (plugin != MYSQL_AUTH_NATIVE && plugin != MYSQL_AUTH_CACHING_SHA2) {
        plugin = s->plugin == MYSQL_AUTH_CACHING_SHA2 ? s->plugin : MYSQL_AUTH_NATIVE;
    } else if (!proof_is_ambiguous(s) && !is_waiting_for_salt(s, plugin)) {
        s->plugin = plugin;
        s->full = false;
        return auth_event(s, ev);
    }
    if (s->account_plugin)
        plugin = s->account_plugin(s->ctx, hs->user, plugin);
    if (send_switch(s, plugin) != 0)
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_HANDSHAKE_ERROR);
    return MYSQL_EVENT_NONE;
}

enum mysql_event_kind mysql_session_next_handshake(struct mysql_session *s, struct mysql_event *ev)
{
    struct mysql_login *login = copy_login(s->in.payload, s->in.len);
    int rc;

    s->wire.seq = s->in.seq;
    if (!login) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_OUT_OF_RESOURCES);
        return MYSQL_EVENT_NONE;
    }
    s->login = login;
    rc = mysql_handshake_decode(login->bytes, s->in.len, s->capabilities_offered, &login->hs);
    if (rc == 0 && login->hs.is_ssl_request) {
        mysql_session_drop_login(s);
        if ((s->capabilities_offered & MYSQL_CAP_SSL) && !s->tls) {
            s->state = MYSQL_SESSION_TLS;
            mysql_framer_release(&s->in, s->wire.seq);
            return ev->kind = MYSQL_EVENT_SSL_REQUEST;
        }
        rc = -EBADMSG;
    }
    if (rc != 0) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_HANDSHAKE_ERROR);
        return MYSQL_EVENT_NONE;
    }
    if (s->require_ssl && !s->tls) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_SECURE_TRANSPORT_REQUIRED);
        return MYSQL_EVENT_NONE;
    }
    s->wire.capabilities = login->hs.capabilities;
    s->zstd_level = login->hs.zstd_level;
    mysql_framer_release(&s->in, s->wire.seq);
    return begin_auth(s, ev);
}

enum mysql_event_kind mysql_session_next_change_user(struct mysql_session *s,
                                                     struct mysql_event *ev, struct mysql_text body)
{
    struct mysql_login *login = copy_login((const uint8_t *)body.data, body.len);
    struct mysql_text copy;

    if (!login) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_OUT_OF_RESOURCES);
        return MYSQL_EVENT_NONE;
    }
    mysql_session_drop_statements(s);
    s->login = login;
    copy = (struct mysql_text){(const char *)login->bytes, body.len};
    if (mysql_change_user_decode(copy, s->wire.capabilities, &login->hs) != 0) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_MALFORMED_PACKET);
        return MYSQL_EVENT_NONE;
    }
    login->is_change_user = true;
    s->handed_out = false;
    mysql_framer_release(&s->in, 0);
    return begin_auth(s, ev);
}

void mysql_session_tls_started(struct mysql_session *s)
{
    ASSERT(s->state == MYSQL_SESSION_TLS);
    s->tls = true;
    s->state = MYSQL_SESSION_HANDSHAKE;
}

static bool asks_public_key(const struct mysql_session *s)
{
    return s->full && !s->tls && s->in.len == 1 && s->in.payload[0] == SHA2_ASKS_PUBLIC_KEY;
}

/* The answer to a plugin switch or to the request for the password is the whole packet. */
enum mysql_event_kind mysql_session_next_switch(struct mysql_session *s, struct mysql_event *ev)
{
    size_t len = s->in.len;
    uint8_t *copy;

    s->wire.seq = s->in.seq;
    if (asks_public_key(s)) {
        if (mysql_auth_data_encode(&s->wire, s->public_key, strlen(s->public_key)) != 0)
            mysql_session_fail(s, s->wire.seq, MYSQL_ER_OUT_OF_RESOURCES);
        else
            mysql_framer_release(&s->in, s->wire.seq);
        return MYSQL_EVENT_NONE;
    }
    copy = len <= AUTH_RESPONSE_MAX ? malloc(len + 1) : NULL;
    if (!copy) {
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_HANDSHAKE_ERROR);
        return MYSQL_EVENT_NONE;
    }
    if (len)
        memcpy(copy, s->in.payload, len);
    drop_switched(s->login);
    s->login->switched = copy;
    s->login->hs.response = (struct mysql_text){(const char *)copy, len};
    mysql_framer_release(&s->in, s->wire.seq);
    return auth_event(s, ev);
}

int mysql_session_auth_ok(struct mysql_session *s)
{
    size_t len = s->wire.out->len;
    uint8_t seq = s->wire.seq;
    int rc = 0;

    ASSERT(s->state == MYSQL_SESSION_AUTH);
    if (s->plugin == MYSQL_AUTH_CACHING_SHA2 && !s->full &&
        proof_of(s, s->login->hs.response).len > 0)
        rc = mysql_auth_more_encode(&s->wire, SHA2_FAST_OK);
    if (rc == 0)
        rc = mysql_ok(&s->wire, 0, 0, s->status, 0, NULL);
    if (rc != 0) {
        s->wire.out->len = len;
        s->wire.seq = seq;
        return rc;
    }
    mysql_session_drop_login(s);
    s->state = MYSQL_SESSION_READY;
    s->handed_out = false;
    s->in.limit = s->max_allowed_packet;
    mysql_framer_release(&s->in, 0);
    return 0;
}

int mysql_session_auth_err(struct mysql_session *s, uint16_t code, const char *text)
{
    int rc;

    ASSERT(s->state == MYSQL_SESSION_AUTH);
    rc = mysql_err(&s->wire, code, NULL, text);
    if (rc == 0) {
        mysql_session_drop_login(s);
        s->state = MYSQL_SESSION_CLOSED;
        mysql_framer_fini(&s->in);
    }
    return rc;
}

int mysql_session_auth_switch(struct mysql_session *s, enum mysql_auth_plugin plugin,
                              const uint8_t salt[MYSQL_SALT_LEN])
{
    uint8_t old[MYSQL_SALT_LEN];
    int rc;

    ASSERT(s->state == MYSQL_SESSION_AUTH && plugin < MYSQL_AUTH_UNKNOWN);
    ASSERT(plugin != MYSQL_AUTH_CLEAR || s->tls);
    if (!(s->wire.capabilities & MYSQL_CAP_PLUGIN_AUTH))
        return -EPROTONOSUPPORT;
    memcpy(old, s->salt, sizeof(old));
    memcpy(s->salt, salt, MYSQL_SALT_LEN);
    mysql_salt_clean(s->salt);
    rc = send_switch(s, plugin);
    if (rc != 0)
        memcpy(s->salt, old, sizeof(old));
    else
        s->resalted = true;
    return rc;
}

bool mysql_session_can_ask_full(const struct mysql_session *s)
{
    return s->tls || s->public_key;
}

int mysql_session_auth_full(struct mysql_session *s)
{
    int rc;

    ASSERT(s->state == MYSQL_SESSION_AUTH && mysql_session_can_ask_full(s));
    ASSERT(s->plugin == MYSQL_AUTH_CACHING_SHA2);
    rc = mysql_auth_more_encode(&s->wire, SHA2_SEND_PASSWORD);
    if (rc == 0) {
        s->full = true;
        s->state = MYSQL_SESSION_SWITCH;
        mysql_framer_release(&s->in, s->wire.seq);
    }
    return rc;
}

/* Protocol state machine of one connection: see mysql_session.h. */
#include "sql/mysql_session_internal.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/mysql_error.h"
#include "sql/mysql_handshake.h"
#include "sql/mysql_stmt.h"

enum {
    MAX_ALLOWED_PACKET_LIMIT = 1 << 30,
};

void mysql_session_drop_statements(struct mysql_session *s)
{
    mysql_statements_free(s->stmts);
    s->stmts = NULL;
}

void mysql_session_init(struct mysql_session *s, const struct mysql_session_config *cfg,
                        struct buffer *out)
{
    uint32_t max =
        cfg->max_allowed_packet ? cfg->max_allowed_packet : MYSQL_MAX_ALLOWED_PACKET_DEFAULT;

    ASSERT(cfg->plugin == MYSQL_AUTH_NATIVE || cfg->plugin == MYSQL_AUTH_CACHING_SHA2);
    *s = (struct mysql_session){
        .wire = {.out = out},
        .server_version = cfg->server_version ? cfg->server_version : MYSQL_SERVER_VERSION,
        .connection_id = cfg->connection_id,
        .max_allowed_packet = max < MAX_ALLOWED_PACKET_LIMIT ? max : MAX_ALLOWED_PACKET_LIMIT,
        .capabilities_offered = MYSQL_CAPS_OFFERED | (cfg->offer_ssl ? MYSQL_CAP_SSL : 0),
        .status = MYSQL_STATUS_AUTOCOMMIT,
        .public_key = cfg->public_key,
        .account_plugin = cfg->account_plugin,
        .ctx = cfg->ctx,
        .require_ssl = cfg->require_ssl,
        .plugin = cfg->plugin,
        .state = MYSQL_SESSION_NEW,
    };
    memcpy(s->salt, cfg->salt, MYSQL_SALT_LEN);
    mysql_salt_clean(s->salt);
    mysql_framer_init(&s->in, MYSQL_HANDSHAKE_PACKET_MAX);
}

void mysql_session_fini(struct mysql_session *s)
{
    mysql_session_drop_login(s);
    mysql_session_drop_statements(s);
    mysql_framer_fini(&s->in);
    s->state = MYSQL_SESSION_CLOSED;
}

void mysql_session_set_out(struct mysql_session *s, struct buffer *out)
{
    s->wire.out = out;
}

int mysql_session_greet(struct mysql_session *s)
{
    struct mysql_greeting greeting = {
        .version = s->server_version,
        .connection_id = s->connection_id,
        .salt = s->salt,
        .capabilities = s->capabilities_offered,
        .status = s->status,
        .charset = MYSQL_CHARSET_UTF8MB4_0900_AI_CI,
        .plugin = s->plugin,
    };
    int rc;

    ASSERT(s->state == MYSQL_SESSION_NEW);
    rc = mysql_greeting_encode(&s->wire, &greeting);
    if (rc == 0) {
        s->state = MYSQL_SESSION_HANDSHAKE;
        mysql_framer_release(&s->in, s->wire.seq);
    }
    return rc;
}

int mysql_session_refuse(struct mysql_session *s, uint16_t code, const char *text)
{
    int rc;

    ASSERT(s->state == MYSQL_SESSION_NEW);
    rc = mysql_err(&s->wire, code, NULL, text);
    if (rc == 0)
        s->state = MYSQL_SESSION_CLOSED;
    return rc;
}

bool mysql_session_has_part(const struct mysql_session *s)
{
    return !s->in.done && (s->in.header_len > 0 || s->in.len > 0);
}

bool mysql_session_is_busy(const struct mysql_session *s)
{
    return s->state == MYSQL_SESSION_AUTH ||
           (s->state == MYSQL_SESSION_ANSWER && !s->wire.answered);
}

bool mysql_session_is_authenticating(const struct mysql_session *s)
{
    return s->state < MYSQL_SESSION_READY;
}

bool mysql_session_is_closed(const struct mysql_session *s)
{
    return s->state == MYSQL_SESSION_CLOSED;
}

/* ---- failures ---- */

void mysql_session_fail(struct mysql_session *s, uint8_t seq, uint16_t code)
{
    const struct mysql_error_info *info = mysql_error_find(code);

    ASSERT(info);
    s->wire.seq = seq;
    (void)mysql_err(&s->wire, code, info->sqlstate, info->format);
    s->error_code = code;
    s->error_text = info->format;
    s->state = MYSQL_SESSION_CLOSED;
    mysql_session_drop_login(s);
    mysql_session_drop_statements(s);
    mysql_framer_fini(&s->in);
    s->in.done = false;
}

static void fail_frame(struct mysql_session *s, enum mysql_frame_result result)
{
    bool is_early = mysql_session_is_authenticating(s);

    switch (result) {
    case MYSQL_FRAME_TOO_LARGE:
        mysql_session_fail(s, s->in.seq,
                           is_early ? MYSQL_ER_HANDSHAKE_ERROR : MYSQL_ER_NET_PACKET_TOO_LARGE);
        break;
    case MYSQL_FRAME_ORDER:
        mysql_session_fail(s, (uint8_t)(s->in.seen_seq + 1), MYSQL_ER_NET_PACKETS_OUT_OF_ORDER);
        break;
    default:
        mysql_session_fail(s, s->in.seq, MYSQL_ER_OUT_OF_RESOURCES);
        break;
    }
}

/* ---- input ---- */

/* Drops the message that was handed out, once nothing points into it any more. */
static void settle(struct mysql_session *s)
{
    if (s->state == MYSQL_SESSION_ANSWER && s->wire.answered) {
        s->state = MYSQL_SESSION_READY;
        if (s->stmts)
            mysql_statements_executed(s->stmts);
    }
    if (s->state == MYSQL_SESSION_READY && s->handed_out) {
        s->handed_out = false;
        mysql_framer_release(&s->in, 0);
    }
}

size_t mysql_session_feed(struct mysql_session *s, const uint8_t *data, size_t len)
{
    enum mysql_frame_result result;
    size_t taken;

    if (s->state == MYSQL_SESSION_CLOSED)
        return len;
    settle(s);
    if (mysql_session_is_busy(s) || s->state == MYSQL_SESSION_NEW || s->state == MYSQL_SESSION_TLS)
        return 0;
    result = mysql_framer_feed(&s->in, data, len, &taken);
    if (result == MYSQL_FRAME_MORE || result == MYSQL_FRAME_DONE)
        return taken;
    fail_frame(s, result);
    return len;
}

void mysql_session_release_input(struct mysql_session *s)
{
    if (s->state == MYSQL_SESSION_ANSWER)
        mysql_framer_fini(&s->in);
}

int mysql_session_ask_file(struct mysql_session *s, const char *name, size_t len)
{
    struct mysql_packet pkt;

    ASSERT(s->state == MYSQL_SESSION_ANSWER && !s->wire.answered);
    if (!(s->wire.capabilities & MYSQL_CAP_LOCAL_FILES))
        return -EPERM;
    mysql_packet_begin(&pkt, &s->wire);
    mysql_packet_u8(&pkt, 0xfb);
    mysql_packet_bytes(&pkt, name, len);
    s->in.seq = (uint8_t)(s->wire.seq + 1);
    return mysql_packet_end(&pkt);
}

void mysql_session_ask_bytes(struct mysql_session *s)
{
    ASSERT(s->state == MYSQL_SESSION_ANSWER && !s->wire.answered);
    mysql_framer_release(&s->in, s->in.seq);
    s->handed_out = false;
    s->state = MYSQL_SESSION_LOCAL;
}

bool mysql_attribute_next(struct mysql_text *rest, struct mysql_text *key, struct mysql_text *value)
{
    struct mysql_cursor cur;

    mysql_cursor_init(&cur, rest->data, rest->len);
    if (mysql_cursor_left(&cur) == 0)
        return false;
    key->data = (const char *)mysql_cursor_lenenc_bytes(&cur, &key->len);
    value->data = (const char *)mysql_cursor_lenenc_bytes(&cur, &value->len);
    if (cur.failed)
        return false;
    *rest = (struct mysql_text){(const char *)cur.pos, mysql_cursor_left(&cur)};
    return true;
}

enum mysql_event_kind mysql_session_next(struct mysql_session *s, struct mysql_event *ev)
{
    *ev = (struct mysql_event){.kind = MYSQL_EVENT_NONE};
    if (s->state != MYSQL_SESSION_CLOSED)
        settle(s);
    if (s->in.done && !s->handed_out) {
        switch (s->state) {
        case MYSQL_SESSION_HANDSHAKE:
            mysql_session_next_handshake(s, ev);
            break;
        case MYSQL_SESSION_SWITCH:
            mysql_session_next_switch(s, ev);
            break;
        case MYSQL_SESSION_READY:
            mysql_session_next_command(s, ev);
            break;
        case MYSQL_SESSION_LOCAL:
            ev->kind = MYSQL_EVENT_LOCAL_DATA;
            ev->u.text = (struct mysql_text){(const char *)s->in.payload, s->in.len};
            s->state = MYSQL_SESSION_ANSWER;
            s->handed_out = true;
            s->wire.seq = s->in.seq;
            break;
        default:
            break;
        }
    }
    if (ev->kind == MYSQL_EVENT_NONE && s->error_code) {
        ev->kind = MYSQL_EVENT_PROTOCOL_ERROR;
        ev->u.error.code = s->error_code;
        ev->u.error.text = s->error_text;
        s->error_code = 0;
    }
    return ev->kind;
}

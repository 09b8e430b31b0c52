/*
 * The server side of the MySQL protocol against any client bytes.
 *
 * Input byte 0 chooses: salt and plugin offered, TLS, a packet limit, how bytes are cut into feeds,
 * and whether the input starts after a login. The rest is what the client sends. Checked besides
 * crashes: feed never claims more than it got, the session makes progress, output is whole packets,
 * input memory stays below the limit.
 */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/mysql_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    START_READY = 1,
    OFFER_SSL = 2,
    OFFER_SHA2 = 4,
    SMALL_OUTPUT = 8,
    REFUSE_OR_SWITCH = 16,
    FEED_STEP_SHIFT = 5, /* the upper three bits: 1, 2, 3 … bytes a feed, or everything */
    PACKET_LIMIT = 4096,
};

/* A login with user r, no password, all capabilities of the 4.1 protocol without DEPRECATE_EOF. */
static const uint8_t login[] = {
    0x23, 0, 0, 1, 0, 0x82, 0x38, 0, 0, 0, 0, 0, 45, 0, 0, 0, 0,   0, 0, 0,
    0,    0, 0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0,  0, 0, 0, 'r', 0, 0,
};

static const struct mysql_column columns[] = {
    {.name = "i", .type = MYSQL_TYPE_TINY},
    {.name = "s", .type = MYSQL_TYPE_VAR_STRING},
    {.name = "t", .type = MYSQL_TYPE_DATETIME, .decimals = 6},
};

/* Every byte is read, so that a wrong pointer is seen. */
static uint64_t touch(struct mysql_text text)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text.len; i++)
        sum += (uint8_t)text.data[i];
    return sum;
}

static uint64_t touch_auth(const struct mysql_event_auth *auth)
{
    struct mysql_text rest = auth->attributes, key, value;
    uint64_t sum = touch(auth->user) + touch(auth->database) + touch(auth->response);

    while (mysql_attribute_next(&rest, &key, &value))
        sum += touch(key) + touch(value);
    ASSERT(rest.len == 0);
    return sum;
}

static void write_param(struct mysql_result *res, const struct mysql_param *param)
{
    switch (param->kind) {
    case MYSQL_PARAM_INT:
        mysql_row_int64(res, param->v.i);
        mysql_row_decimal64(res, param->v.i, 9);
        mysql_row_datetime(res, param->v.i);
        break;
    case MYSQL_PARAM_UINT:
        mysql_row_uint64(res, param->v.u);
        mysql_row_decimal128(res, (__int128)param->v.u * -3, 38);
        mysql_row_date(res, (int64_t)param->v.u);
        break;
    case MYSQL_PARAM_DOUBLE:
        mysql_row_double(res, param->v.d);
        mysql_row_double(res, param->v.d);
        mysql_row_null(res);
        break;
    case MYSQL_PARAM_BYTES:
        mysql_row_null(res);
        mysql_row_string(res, param->v.bytes.data, param->v.bytes.len);
        mysql_row_null(res);
        break;
    case MYSQL_PARAM_DATETIME:
    case MYSQL_PARAM_TIME:
        mysql_row_null(res);
        mysql_row_time(res, (int64_t)param->v.time.hour * 3600000000);
        mysql_row_null(res);
        break;
    case MYSQL_PARAM_NULL:
        for (size_t i = 0; i < 3; i++)
            mysql_row_null(res);
        break;
    }
}

/* A result with one row per parameter; false when the output is full. */
static bool write_rows(struct mysql_session *s, const struct mysql_event *ev)
{
    enum mysql_row_mode mode = ev->u.execute.cursor & 2 ? MYSQL_TEXT : MYSQL_BINARY;
    struct mysql_result res;

    if (mysql_result_begin(&res, &s->wire, columns, 3, mode, s->status) != 0)
        return false;
    for (uint32_t i = 0; i < ev->u.execute.n_params; i++) {
        mysql_row_begin(&res);
        write_param(&res, &ev->u.execute.params[i]);
        (void)mysql_row_end(&res);
    }
    return mysql_result_end(&res, 0, s->status) == 0;
}

static bool answer_auth(struct mysql_session *s, const struct mysql_event *ev, unsigned how,
                        unsigned *n_switches)
{
    uint8_t salt[MYSQL_SALT_LEN] = {0};

    ASSERT(touch_auth(&ev->u.auth) < UINT64_MAX);
    if (!(how & REFUSE_OR_SWITCH))
        return mysql_session_auth_ok(s) == 0;
    if (++*n_switches > 3)
        return mysql_session_auth_err(s, 1045, "no") == 0;
    if (mysql_session_can_ask_full(s) && ev->u.auth.plugin == MYSQL_AUTH_CACHING_SHA2)
        return mysql_session_auth_full(s) == 0;
    return mysql_session_auth_switch(s, MYSQL_AUTH_CACHING_SHA2, salt) == 0;
}

/* Parameters are as many as question marks. */
static bool answer_prepare(struct mysql_session *s, struct mysql_text sql)
{
    uint16_t n = 0;
    uint32_t id;

    for (size_t i = 0; i < sql.len; i++)
        n += sql.data[i] == '?';
    return mysql_session_prepared(s, n, columns, n & 1 ? 3 : 0, &id) == 0;
}

/* False when the answer does not fit. */
static bool answer(struct mysql_session *s, const struct mysql_event *ev, unsigned how,
                   unsigned *n_switches)
{
    switch (ev->kind) {
    case MYSQL_EVENT_SSL_REQUEST:
        mysql_session_tls_started(s);
        return true;
    case MYSQL_EVENT_AUTH:
    case MYSQL_EVENT_CHANGE_USER:
        return answer_auth(s, ev, how, n_switches);
    case MYSQL_EVENT_STMT_PREPARE:
        return answer_prepare(s, ev->u.text);
    case MYSQL_EVENT_STMT_EXECUTE:
        return write_rows(s, ev);
    case MYSQL_EVENT_FIELD_LIST:
        ASSERT(touch(ev->u.field_list.table) + touch(ev->u.field_list.wild) < UINT64_MAX);
        return mysql_field_list(&s->wire, columns, 3, s->status) == 0;
    case MYSQL_EVENT_QUERY:
    case MYSQL_EVENT_INIT_DB:
        ASSERT(touch(ev->u.text) < UINT64_MAX);
        mysql_session_release_input(s);
        return mysql_ok(&s->wire, 1, 2, s->status, 3, "info") == 0;
    case MYSQL_EVENT_QUIT:
    case MYSQL_EVENT_PROTOCOL_ERROR:
    case MYSQL_EVENT_STMT_CLOSE:
    case MYSQL_EVENT_STMT_LONG_DATA:
        return true;
    default:
        return mysql_eof(&s->wire, s->status, 0) == 0;
    }
}

/* The output is a whole number of packets; empties it. */
static void check_output(struct buffer *out)
{
    size_t at = 0;

    while (at < out->len) {
        ASSERT(out->len - at >= 4);
        at +=
            4 + (out->data[at] | (size_t)out->data[at + 1] << 8 | (size_t)out->data[at + 2] << 16);
    }
    ASSERT(at == out->len);
    out->len = 0;
}

static void serve(struct mysql_session *s, const uint8_t *data, size_t size, unsigned how)
{
    unsigned n_switches = 0;
    struct mysql_event ev;

    while (!mysql_session_is_closed(s)) {
        size_t step = how >> FEED_STEP_SHIFT, n;

        step = step == 0 || step > size ? size : step;
        n = mysql_session_feed(s, data, step);
        ASSERT(n <= step);
        ASSERT(s->in.cap <= MYSQL_HANDSHAKE_PACKET_MAX);
        data += n;
        size -= n;
        if (mysql_session_next(s, &ev) != MYSQL_EVENT_NONE) {
            if (!answer(s, &ev, how, &n_switches))
                return;
        } else if (size == 0) {
            return;
        } else {
            ASSERT(n > 0);
        }
        check_output(s->wire.out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = size ? data[0] : 0;
    struct mysql_session_config cfg = {
        .max_allowed_packet = PACKET_LIMIT,
        .plugin = (how & OFFER_SHA2) && !(how & START_READY) /* `login` has the other one */
                      ? MYSQL_AUTH_CACHING_SHA2
                      : MYSQL_AUTH_NATIVE,
        .offer_ssl = (how & OFFER_SSL) != 0,
        .public_key = how & OFFER_SSL ? NULL : "a key",
    };
    struct mysql_session s;
    struct mysql_event ev;
    struct buffer out;

    if (size == 0)
        return 0;
    buffer_init(&out, how & SMALL_OUTPUT ? 300 : 1 << 20);
    mysql_session_init(&s, &cfg, &out);
    ASSERT(mysql_session_greet(&s) == 0);
    check_output(&out);
    if (how & START_READY) {
        ASSERT(mysql_session_feed(&s, login, sizeof(login)) == sizeof(login));
        ASSERT(mysql_session_next(&s, &ev) == MYSQL_EVENT_AUTH);
        ASSERT(mysql_session_auth_ok(&s) == 0);
        check_output(&out);
    }
    serve(&s, data + 1, size - 1, how);
    mysql_session_fini(&s);
    buffer_fini(&out);
    return 0;
}

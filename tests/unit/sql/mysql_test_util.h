#pragma once
/* What the tests of the MySQL codec share: hex, packets of a client, packets of the server. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "reactor/buffer.h"
#include "sql/mysql_session.h"

/* Decodes hex digits into a new allocation; blanks are skipped. */
static inline uint8_t *unhex(const char *hex, size_t *len)
{
    uint8_t *bytes = malloc(strlen(hex) / 2 + 1);
    unsigned byte;

    *len = 0;
    for (; *hex; hex += 2) {
        while (*hex == ' ')
            hex++;
        cr_assert_eq(sscanf(hex, "%2x", &byte), 1);
        bytes[(*len)++] = (uint8_t)byte;
    }
    return bytes;
}

static inline bool bytes_are(const void *data, size_t len, const char *hex)
{
    size_t want_len;
    uint8_t *want = unhex(hex, &want_len);
    bool is_equal = len == want_len && memcmp(data, want, len) == 0;

    if (!is_equal) {
        fprintf(stderr, "found  ");
        for (size_t i = 0; i < len; i++)
            fprintf(stderr, "%02x", ((const uint8_t *)data)[i]);
        fprintf(stderr, "\nwanted %s\n", hex);
    }
    free(want);
    return is_equal;
}

/* Takes the first physical packet off the buffer's front; returns its payload in a static copy. */
static inline const uint8_t *take_packet(struct buffer *out, size_t *len, uint8_t *seq)
{
    static uint8_t *copy;

    cr_assert_geq(out->len, 4);
    *len = out->data[0] | (size_t)out->data[1] << 8 | (size_t)out->data[2] << 16;
    *seq = out->data[3];
    cr_assert_geq(out->len, 4 + *len);
    free(copy);
    copy = malloc(*len + 1);
    memcpy(copy, out->data + 4, *len);
    copy[*len] = 0;
    buffer_consume(out, 4 + *len);
    return copy;
}

/* A session with its output. */
struct peer {
    struct mysql_session s;
    struct buffer out;
};

static const uint8_t test_salt[MYSQL_SALT_LEN] = {
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a,
    0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44,
};

/* A client's handshake response as PyMySQL 1.0.2 sends it with an empty password. */
#define PYMYSQL_LOGIN                                                                              \
    "780000010da23a00ffffff002d0000000000000000000000000000000000000000000000616e6100007175616e74" \
    "61006d7973716c5f6e61746976655f70617373776f726400350c5f636c69656e745f6e616d650770796d7973716c" \
    "045f70696404343733370f5f636c69656e745f76657273696f6e05312e302e32"

/* The same with DEPRECATE_EOF set in the capabilities. */
#define DEPRECATE_EOF_LOGIN                                                                        \
    "780000010da23a01ffffff002d0000000000000000000000000000000000000000000000616e6100007175616e74" \
    "61006d7973716c5f6e61746976655f70617373776f726400350c5f636c69656e745f6e616d650770796d7973716c" \
    "045f70696404343733370f5f636c69656e745f76657273696f6e05312e302e32"

static inline void peer_open_with(struct peer *p, const struct mysql_session_config *cfg)
{
    size_t len;
    uint8_t seq;

    buffer_init(&p->out, 64u << 20);
    mysql_session_init(&p->s, cfg, &p->out);
    cr_assert_eq(mysql_session_greet(&p->s), 0);
    take_packet(&p->out, &len, &seq);
    cr_assert_eq(seq, 0);
}

static inline void peer_open(struct peer *p)
{
    struct mysql_session_config cfg = {.connection_id = 7};

    memcpy(cfg.salt, test_salt, sizeof(cfg.salt));
    peer_open_with(p, &cfg);
}

static inline void peer_close(struct peer *p)
{
    mysql_session_fini(&p->s);
    buffer_fini(&p->out);
}

/* Feeds hex bytes; all must be taken. Returns the next event. */
static inline enum mysql_event_kind peer_send_hex(struct peer *p, const char *hex,
                                                  struct mysql_event *ev)
{
    size_t len;
    uint8_t *bytes = unhex(hex, &len);

    cr_assert_eq(mysql_session_feed(&p->s, bytes, len), len);
    free(bytes);
    return mysql_session_next(&p->s, ev);
}

/* Sends a command packet: command byte and payload. */
static inline enum mysql_event_kind peer_command(struct peer *p, uint8_t com, const void *data,
                                                 size_t len, struct mysql_event *ev)
{
    uint8_t header[5] = {(uint8_t)(len + 1), (uint8_t)((len + 1) >> 8), (uint8_t)((len + 1) >> 16),
                         0, com};

    cr_assert_eq(mysql_session_feed(&p->s, header, 5), 5);
    cr_assert_eq(mysql_session_feed(&p->s, data, len), len);
    return mysql_session_next(&p->s, ev);
}

/* A session that has let its client in. */
static inline void peer_login(struct peer *p, const char *login)
{
    struct mysql_event ev;
    size_t len;
    uint8_t seq;

    peer_open(p);
    cr_assert_eq(peer_send_hex(p, login, &ev), MYSQL_EVENT_AUTH);
    cr_assert_eq(mysql_session_auth_ok(&p->s), 0);
    take_packet(&p->out, &len, &seq);
    cr_assert_eq(seq, 2);
    cr_assert_eq(mysql_session_next(&p->s, &ev), MYSQL_EVENT_NONE);
}

static inline bool text_is(struct mysql_text text, const char *want)
{
    return text.len == strlen(want) && memcmp(text.data, want, text.len) == 0;
}

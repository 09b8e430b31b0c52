/* Packets of the connection phase: see mysql_handshake.h. */
#include "sql/mysql_handshake.h"

#include <errno.h>
#include <string.h>

enum {
    PROTOCOL_VERSION = 10,
    SALT_FIRST_PART = 8,  /* bytes of the salt in front of the capabilities */
    RESPONSE_FILLER = 23, /* unused bytes of the handshake response */
    SWITCH_MARKER = 0xfe,
    MORE_DATA_MARKER = 0x01,
    PLUGIN_NAME_MAX = 64,
};

int mysql_greeting_encode(struct mysql_wire *wire, const struct mysql_greeting *greeting)
{
    const char *plugin = mysql_auth_plugin_name(greeting->plugin);
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, PROTOCOL_VERSION);
    mysql_packet_bytes(&pkt, greeting->version, strlen(greeting->version) + 1);
    mysql_packet_u32(&pkt, greeting->connection_id);
    mysql_packet_bytes(&pkt, greeting->salt, SALT_FIRST_PART);
    mysql_packet_u8(&pkt, 0);
    mysql_packet_u16(&pkt, (uint16_t)greeting->capabilities);
    mysql_packet_u8(&pkt, greeting->charset);
    mysql_packet_u16(&pkt, greeting->status);
    mysql_packet_u16(&pkt, (uint16_t)(greeting->capabilities >> 16));
    mysql_packet_u8(&pkt, MYSQL_SALT_LEN + 1);
    mysql_packet_zeros(&pkt, 10);
    mysql_packet_bytes(&pkt, greeting->salt + SALT_FIRST_PART, MYSQL_SALT_LEN - SALT_FIRST_PART);
    mysql_packet_u8(&pkt, 0);
    mysql_packet_bytes(&pkt, plugin, strlen(plugin) + 1);
    return mysql_packet_end(&pkt);
}

/* A NUL-terminated text, which as the last field may lack its NUL. */
static struct mysql_text read_cstr(struct mysql_cursor *cur, bool may_end)
{
    struct mysql_text text = {"", 0};
    size_t left = mysql_cursor_left(cur);
    const uint8_t *bytes;

    if (may_end && (left == 0 || !memchr(cur->pos, 0, left))) {
        bytes = mysql_cursor_bytes(cur, left);
        text.len = bytes ? left : 0;
    } else {
        bytes = mysql_cursor_cstr(cur, &text.len);
    }
    if (bytes)
        text.data = (const char *)bytes;
    return text;
}

static struct mysql_text read_counted(struct mysql_cursor *cur, bool is_lenenc)
{
    struct mysql_text text = {"", 0};
    const uint8_t *bytes;

    if (is_lenenc) {
        bytes = mysql_cursor_lenenc_bytes(cur, &text.len);
    } else {
        text.len = mysql_cursor_u8(cur);
        bytes = mysql_cursor_bytes(cur, text.len);
    }
    if (bytes)
        text.data = (const char *)bytes;
    else
        text.len = 0;
    return text;
}

bool mysql_attributes_is_valid(struct mysql_text attributes)
{
    struct mysql_cursor cur;

    mysql_cursor_init(&cur, attributes.data, attributes.len);
    while (mysql_cursor_left(&cur) > 0) {
        read_counted(&cur, true);
        read_counted(&cur, true);
    }
    return !cur.failed;
}

/* Connect attributes end the packet. Clients differ in what they send when there are none, and the
 * attributes only inform: damaged ones are dropped rather than the login refused. */
static struct mysql_text read_attributes(struct mysql_cursor *cur)
{
    struct mysql_text none = {"", 0}, attributes;

    if (mysql_cursor_left(cur) == 0)
        return none;
    attributes = read_counted(cur, true);
    if (cur->failed || !mysql_attributes_is_valid(attributes)) {
        cur->failed = false;
        return none;
    }
    return attributes;
}

static bool handshake_lengths_are_valid(const struct mysql_handshake *hs)
{
    return hs->user.len <= MYSQL_USER_LEN_MAX && hs->database.len <= MYSQL_DATABASE_LEN_MAX &&
           hs->plugin.len <= PLUGIN_NAME_MAX;
}

int mysql_handshake_decode(const uint8_t *payload, size_t len, uint32_t offered,
                           struct mysql_handshake *hs)
{
    struct mysql_text none = {"", 0};
    struct mysql_cursor cur;

    *hs = (struct mysql_handshake){
        .user = none, .response = none, .database = none, .plugin = none, .attributes = none};
    mysql_cursor_init(&cur, payload, len);
    hs->capabilities = mysql_cursor_u32(&cur);
    hs->max_packet = mysql_cursor_u32(&cur);
    hs->charset = mysql_cursor_u8(&cur);
    mysql_cursor_bytes(&cur, RESPONSE_FILLER);
    if (cur.failed || !(hs->capabilities & MYSQL_CAP_PROTOCOL_41))
        return -EBADMSG;
    if ((hs->capabilities & MYSQL_CAP_SSL) && mysql_cursor_left(&cur) == 0) {
        hs->is_ssl_request = true;
        return 0;
    }
    hs->user = read_cstr(&cur, false);
    /* The bits the client set tell how it wrote the packet, also those we did not offer. */
    if (hs->capabilities & MYSQL_CAP_PLUGIN_AUTH_LENENC)
        hs->response = read_counted(&cur, true);
    else if (hs->capabilities & MYSQL_CAP_SECURE_CONNECTION)
        hs->response = read_counted(&cur, false);
    else
        hs->response = read_cstr(&cur, false);
    /* Some clients set the bits below and then send nothing; what follows may be missing. */
    if ((hs->capabilities & MYSQL_CAP_CONNECT_WITH_DB) && mysql_cursor_left(&cur) > 0)
        hs->database = read_cstr(&cur, true);
    if ((hs->capabilities & MYSQL_CAP_PLUGIN_AUTH) && mysql_cursor_left(&cur) > 0)
        hs->plugin = read_cstr(&cur, true);
    if (hs->capabilities & MYSQL_CAP_CONNECT_ATTRS)
        hs->attributes = read_attributes(&cur);
    if ((hs->capabilities & MYSQL_CAP_ZSTD) && mysql_cursor_left(&cur) > 0)
        hs->zstd_level = mysql_cursor_u8(&cur);
    hs->capabilities &= offered;
    return cur.failed || !handshake_lengths_are_valid(hs) ? -EBADMSG : 0;
}

int mysql_change_user_decode(struct mysql_text body, uint32_t capabilities,
                             struct mysql_handshake *hs)
{
    struct mysql_text none = {"", 0};
    struct mysql_cursor cur;

    *hs =
        (struct mysql_handshake){.capabilities = capabilities, .plugin = none, .attributes = none};
    mysql_cursor_init(&cur, body.data, body.len);
    hs->user = read_cstr(&cur, false);
    hs->response = read_counted(&cur, false);
    hs->database = read_cstr(&cur, true);
    if (mysql_cursor_left(&cur) >= 2)
        hs->charset = mysql_cursor_u16(&cur);
    if ((capabilities & MYSQL_CAP_PLUGIN_AUTH) && mysql_cursor_left(&cur) > 0)
        hs->plugin = read_cstr(&cur, true);
    if (capabilities & MYSQL_CAP_CONNECT_ATTRS)
        hs->attributes = read_attributes(&cur);
    return cur.failed || !handshake_lengths_are_valid(hs) ? -EBADMSG : 0;
}

int mysql_auth_switch_encode(struct mysql_wire *wire, enum mysql_auth_plugin plugin,
                             const uint8_t salt[MYSQL_SALT_LEN])
{
    const char *name = mysql_auth_plugin_name(plugin);
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, SWITCH_MARKER);
    mysql_packet_bytes(&pkt, name, strlen(name) + 1);
    mysql_packet_bytes(&pkt, salt, MYSQL_SALT_LEN);
    mysql_packet_u8(&pkt, 0);
    return mysql_packet_end(&pkt);
}

int mysql_auth_more_encode(struct mysql_wire *wire, uint8_t what)
{
    return mysql_auth_data_encode(wire, &what, 1);
}

int mysql_auth_data_encode(struct mysql_wire *wire, const void *data, size_t len)
{
    struct mysql_packet pkt;

    mysql_packet_begin(&pkt, wire);
    mysql_packet_u8(&pkt, MORE_DATA_MARKER);
    mysql_packet_bytes(&pkt, data, len);
    return mysql_packet_end(&pkt);
}

void mysql_salt_clean(uint8_t salt[MYSQL_SALT_LEN])
{
    for (size_t i = 0; i < MYSQL_SALT_LEN; i++) {
        salt[i] &= 0x7f;
        if (salt[i] == 0 || salt[i] == '$')
            salt[i]++;
    }
}

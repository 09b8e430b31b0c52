#pragma once
/*
 * Packets of the connection phase: greeting, handshake response, authentication switch.
 *
 * Pure encoding and decoding; the order of packets is mysql_session.h's. Any core.
 * Source: MySQL 8.0 "Client/Server Protocol", chapter "Connection Phase".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_auth.h"
#include "sql/mysql_command.h"
#include "sql/mysql_packet.h"

/* Longest user name; JSON web tokens travel as user names and reach 1-2 KiB. */
#define MYSQL_USER_LEN_MAX 8192u
#define MYSQL_DATABASE_LEN_MAX 256u

/* What the server says first. Lives on the stack; borrows version and salt. */
struct mysql_greeting {
    const char *version;
    uint32_t connection_id;
    const uint8_t *salt; /* MYSQL_SALT_LEN bytes without NUL */
    uint32_t capabilities;
    uint16_t status;
    uint8_t charset;
    enum mysql_auth_plugin plugin;
};

/* What the client answers. Borrows from the payload. */
struct mysql_handshake {
    uint32_t capabilities;
    uint32_t max_packet;
    uint16_t charset;
    bool is_ssl_request; /* only the four fields above are set */
    struct mysql_text user;
    struct mysql_text response;
    struct mysql_text database;   /* empty without CONNECT_WITH_DB */
    struct mysql_text plugin;     /* empty without PLUGIN_AUTH */
    struct mysql_text attributes; /* empty without CONNECT_ATTRS */
    uint8_t zstd_level;           /* 0 without ZSTD */
};

/* Appends the greeting (protocol version 10). 0, -ENOBUFS, -ENOMEM. */
int mysql_greeting_encode(struct mysql_wire *wire, const struct mysql_greeting *greeting);
/* Decodes SSLRequest or HandshakeResponse41. `offered`: capabilities of our greeting; bits beyond
 * them do not count. 0, or -EBADMSG: truncated, not protocol 4.1, names too long. */
int mysql_handshake_decode(const uint8_t *payload, size_t len, uint32_t offered,
                           struct mysql_handshake *hs);
/* Decodes the body of COM_CHANGE_USER (after the command byte) for a session with these
 * capabilities. Sets user, response, database, charset, plugin, attributes. 0 or -EBADMSG. */
int mysql_change_user_decode(struct mysql_text body, uint32_t capabilities,
                             struct mysql_handshake *hs);
/* Appends AuthSwitchRequest. */
int mysql_auth_switch_encode(struct mysql_wire *wire, enum mysql_auth_plugin plugin,
                             const uint8_t salt[MYSQL_SALT_LEN]);
/* Appends AuthMoreData with one byte: 3 = fast authentication passed, 4 = send the password. */
int mysql_auth_more_encode(struct mysql_wire *wire, uint8_t what);
/* Appends AuthMoreData with any bytes, such as the public key. */
int mysql_auth_data_encode(struct mysql_wire *wire, const void *data, size_t len);
/* Makes salt bytes printable as clients expect: 7 bits, neither NUL nor '$'. */
void mysql_salt_clean(uint8_t salt[MYSQL_SALT_LEN]);
/* True when connect attributes are a whole number of key/value pairs. */
bool mysql_attributes_is_valid(struct mysql_text attributes);

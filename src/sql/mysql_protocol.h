#pragma once
/*
 * Numbers of the MySQL client/server protocol that more than one file needs.
 *
 * Source: MySQL 8.0 "Client/Server Protocol" and MariaDB "Clients & Server Protocol" manuals. Only
 * what this server sends or understands is listed.
 */

#include <stdint.h>

/*
 * What clients see as the server's version. The leading 8.0 makes drivers choose the behaviour of
 * MySQL 8 (utf8mb4 default, caching_sha2_password known, no query cache variables asked for); there
 * is no "MariaDB" in it, so MariaDB's own extensions are not tried.
 */
#define MYSQL_SERVER_VERSION "8.0.34-Quanta"

/* Largest payload of one physical packet; a packet of exactly this size continues in the next. */
#define MYSQL_PACKET_PAYLOAD_MAX 0xffffffu
#define MYSQL_PACKET_HEADER_LEN 4u
#define MYSQL_SALT_LEN 20u

/* Capability bits (CLIENT_* in MySQL's sources). */
enum mysql_cap {
    MYSQL_CAP_LONG_PASSWORD = 1u << 0, /* for MariaDB peers: "I am a MySQL server" */
    MYSQL_CAP_FOUND_ROWS = 1u << 1,    /* affected rows = matched rows */
    MYSQL_CAP_LONG_FLAG = 1u << 2,
    MYSQL_CAP_CONNECT_WITH_DB = 1u << 3,
    MYSQL_CAP_COMPRESS = 1u << 5,
    MYSQL_CAP_LOCAL_FILES = 1u << 7,
    MYSQL_CAP_IGNORE_SPACE = 1u << 8,
    MYSQL_CAP_PROTOCOL_41 = 1u << 9,
    MYSQL_CAP_INTERACTIVE = 1u << 10,
    MYSQL_CAP_SSL = 1u << 11,
    MYSQL_CAP_TRANSACTIONS = 1u << 13,
    MYSQL_CAP_SECURE_CONNECTION = 1u << 15,
    MYSQL_CAP_MULTI_STATEMENTS = 1u << 16,
    MYSQL_CAP_MULTI_RESULTS = 1u << 17,
    MYSQL_CAP_PS_MULTI_RESULTS = 1u << 18,
    MYSQL_CAP_PLUGIN_AUTH = 1u << 19,
    MYSQL_CAP_CONNECT_ATTRS = 1u << 20,
    MYSQL_CAP_PLUGIN_AUTH_LENENC = 1u << 21,
    MYSQL_CAP_SESSION_TRACK = 1u << 23,
    MYSQL_CAP_DEPRECATE_EOF = 1u << 24,
    MYSQL_CAP_ZSTD = 1u << 26,
};

/* What the greeting offers; MYSQL_CAP_SSL is added by configuration. Not offered on purpose:
 * QUERY_ATTRIBUTES. */
#define MYSQL_CAPS_OFFERED                                                                     \
    ((uint32_t)(MYSQL_CAP_LONG_PASSWORD | MYSQL_CAP_FOUND_ROWS | MYSQL_CAP_LONG_FLAG |         \
                MYSQL_CAP_CONNECT_WITH_DB | MYSQL_CAP_IGNORE_SPACE | MYSQL_CAP_PROTOCOL_41 |   \
                MYSQL_CAP_LOCAL_FILES | MYSQL_CAP_COMPRESS | MYSQL_CAP_ZSTD |                  \
                MYSQL_CAP_SESSION_TRACK | MYSQL_CAP_INTERACTIVE | MYSQL_CAP_TRANSACTIONS |     \
                MYSQL_CAP_SECURE_CONNECTION | MYSQL_CAP_MULTI_STATEMENTS |                     \
                MYSQL_CAP_MULTI_RESULTS | MYSQL_CAP_PS_MULTI_RESULTS | MYSQL_CAP_PLUGIN_AUTH | \
                MYSQL_CAP_CONNECT_ATTRS | MYSQL_CAP_PLUGIN_AUTH_LENENC | MYSQL_CAP_DEPRECATE_EOF))

/* First byte of a command payload. */
enum mysql_com {
    MYSQL_COM_SLEEP = 0x00,
    MYSQL_COM_QUIT = 0x01,
    MYSQL_COM_INIT_DB = 0x02,
    MYSQL_COM_QUERY = 0x03,
    MYSQL_COM_FIELD_LIST = 0x04,
    MYSQL_COM_CREATE_DB = 0x05,
    MYSQL_COM_DROP_DB = 0x06,
    MYSQL_COM_REFRESH = 0x07,
    MYSQL_COM_SHUTDOWN = 0x08,
    MYSQL_COM_STATISTICS = 0x09,
    MYSQL_COM_PROCESS_INFO = 0x0a,
    MYSQL_COM_PROCESS_KILL = 0x0c,
    MYSQL_COM_DEBUG = 0x0d,
    MYSQL_COM_PING = 0x0e,
    MYSQL_COM_CHANGE_USER = 0x11,
    MYSQL_COM_STMT_PREPARE = 0x16,
    MYSQL_COM_STMT_EXECUTE = 0x17,
    MYSQL_COM_STMT_SEND_LONG_DATA = 0x18,
    MYSQL_COM_STMT_CLOSE = 0x19,
    MYSQL_COM_STMT_RESET = 0x1a,
    MYSQL_COM_SET_OPTION = 0x1b,
    MYSQL_COM_STMT_FETCH = 0x1c,
    MYSQL_COM_RESET_CONNECTION = 0x1f,
};

/* Column and parameter types. */
enum mysql_type {
    MYSQL_TYPE_DECIMAL = 0x00,
    MYSQL_TYPE_TINY = 0x01,
    MYSQL_TYPE_SHORT = 0x02,
    MYSQL_TYPE_LONG = 0x03,
    MYSQL_TYPE_FLOAT = 0x04,
    MYSQL_TYPE_DOUBLE = 0x05,
    MYSQL_TYPE_NULL = 0x06,
    MYSQL_TYPE_TIMESTAMP = 0x07,
    MYSQL_TYPE_LONGLONG = 0x08,
    MYSQL_TYPE_INT24 = 0x09,
    MYSQL_TYPE_DATE = 0x0a,
    MYSQL_TYPE_TIME = 0x0b,
    MYSQL_TYPE_DATETIME = 0x0c,
    MYSQL_TYPE_YEAR = 0x0d,
    MYSQL_TYPE_VARCHAR = 0x0f,
    MYSQL_TYPE_BIT = 0x10,
    MYSQL_TYPE_JSON = 0xf5,
    MYSQL_TYPE_NEWDECIMAL = 0xf6,
    MYSQL_TYPE_ENUM = 0xf7,
    MYSQL_TYPE_SET = 0xf8,
    MYSQL_TYPE_TINY_BLOB = 0xf9,
    MYSQL_TYPE_MEDIUM_BLOB = 0xfa,
    MYSQL_TYPE_LONG_BLOB = 0xfb,
    MYSQL_TYPE_BLOB = 0xfc,
    MYSQL_TYPE_VAR_STRING = 0xfd,
    MYSQL_TYPE_STRING = 0xfe,
    MYSQL_TYPE_GEOMETRY = 0xff,
};

/* Column flags in a column definition. */
enum mysql_column_flag {
    MYSQL_COLUMN_NOT_NULL = 1u << 0,
    MYSQL_COLUMN_PRI_KEY = 1u << 1,
    MYSQL_COLUMN_UNIQUE_KEY = 1u << 2,
    MYSQL_COLUMN_MULTIPLE_KEY = 1u << 3,
    MYSQL_COLUMN_BLOB = 1u << 4,
    MYSQL_COLUMN_UNSIGNED = 1u << 5,
    MYSQL_COLUMN_BINARY = 1u << 7,
    MYSQL_COLUMN_ENUM = 1u << 8,
    MYSQL_COLUMN_TIMESTAMP = 1u << 10,
    MYSQL_COLUMN_SET = 1u << 11,
    MYSQL_COLUMN_NUM = 1u << 15,
};

/* Server status bits in OK and EOF packets. */
enum mysql_status {
    MYSQL_STATUS_IN_TRANS = 1u << 0,
    MYSQL_STATUS_AUTOCOMMIT = 1u << 1,
    MYSQL_STATUS_MORE_RESULTS = 1u << 3,
    MYSQL_STATUS_NO_GOOD_INDEX_USED = 1u << 4,
    MYSQL_STATUS_NO_INDEX_USED = 1u << 5,
    MYSQL_STATUS_CURSOR_EXISTS = 1u << 6,
    MYSQL_STATUS_LAST_ROW_SENT = 1u << 7,
    MYSQL_STATUS_SESSION_CHANGED = 1u << 14,
};

/* Cursor types of COM_STMT_EXECUTE; there is no other. */
enum { MYSQL_CURSOR_READ_ONLY = 1u << 0 };

/* "decimals" of a column whose values have no fixed number of fraction digits. */
#define MYSQL_DECIMALS_NOT_FIXED 31

/* Character set ids used in column definitions; the table of all is in mysql_charset.h. */
#define MYSQL_CHARSET_BINARY 63
#define MYSQL_CHARSET_UTF8MB4_GENERAL_CI 45
#define MYSQL_CHARSET_UTF8MB4_BIN 46
#define MYSQL_CHARSET_UTF8MB4_0900_AI_CI 255

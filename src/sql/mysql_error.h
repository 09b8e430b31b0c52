#pragma once
/*
 * MySQL error numbers, SQLSTATEs and message texts we use.
 *
 * The texts are MySQL's own formats, so that users and tools recognise them. Any core; the table is
 * constant. Source: MySQL 8.0 "Server Error Message Reference".
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* The comment behind a code lists the arguments of its text: s = const char *, d = int,
 * u = unsigned, ld/lu = long, llu = unsigned long long. */
enum mysql_error_code {
    MYSQL_ER_CON_COUNT_ERROR = 1040,
    MYSQL_ER_OUT_OF_RESOURCES = 1041,
    MYSQL_ER_BAD_HOST_ERROR = 1042,
    MYSQL_ER_HANDSHAKE_ERROR = 1043,
    MYSQL_ER_DBACCESS_DENIED_ERROR = 1044, /* s user, s host, s database */
    MYSQL_ER_ACCESS_DENIED_ERROR = 1045,   /* s user, s host, s "YES" or "NO" */
    MYSQL_ER_NO_DB_ERROR = 1046,
    MYSQL_ER_UNKNOWN_COM_ERROR = 1047,
    MYSQL_ER_BAD_NULL_ERROR = 1048,     /* s column */
    MYSQL_ER_BAD_DB_ERROR = 1049,       /* s database */
    MYSQL_ER_TABLE_EXISTS_ERROR = 1050, /* s table */
    MYSQL_ER_BAD_TABLE_ERROR = 1051,    /* s table */
    MYSQL_ER_NON_UNIQ_ERROR = 1052,     /* s column, s clause */
    MYSQL_ER_SERVER_SHUTDOWN = 1053,
    MYSQL_ER_BAD_FIELD_ERROR = 1054,        /* s column, s clause */
    MYSQL_ER_WRONG_FIELD_WITH_GROUP = 1055, /* s column */
    MYSQL_ER_WRONG_GROUP_FIELD = 1056,      /* s column */
    MYSQL_ER_WRONG_VALUE_COUNT = 1058,
    MYSQL_ER_TOO_LONG_IDENT = 1059, /* s name */
    MYSQL_ER_DUP_FIELDNAME = 1060,  /* s column */
    MYSQL_ER_DUP_ENTRY = 1062,      /* s value, s key */
    MYSQL_ER_PARSE_ERROR = 1064,    /* s message, s near, d line */
    MYSQL_ER_EMPTY_QUERY = 1065,
    MYSQL_ER_NONUNIQ_TABLE = 1066,     /* s table */
    MYSQL_ER_INVALID_DEFAULT = 1067,   /* s column */
    MYSQL_ER_UPDATE_TABLE_USED = 1093, /* s table */
    MYSQL_ER_NO_SUCH_THREAD = 1094,    /* lu id */
    MYSQL_ER_KILL_DENIED_ERROR = 1095, /* lu id */
    MYSQL_ER_NO_TABLES_USED = 1096,
    MYSQL_ER_WRONG_DB_NAME = 1102,    /* s name */
    MYSQL_ER_WRONG_TABLE_NAME = 1103, /* s name */
    MYSQL_ER_TOO_BIG_SELECT = 1104,
    MYSQL_ER_UNKNOWN_ERROR = 1105,
    MYSQL_ER_UNKNOWN_PROCEDURE = 1106,     /* s name */
    MYSQL_ER_UNKNOWN_TABLE = 1109,         /* s table, s clause */
    MYSQL_ER_FIELD_SPECIFIED_TWICE = 1110, /* s column */
    MYSQL_ER_INVALID_GROUP_FUNC_USE = 1111,
    MYSQL_ER_UNSUPPORTED_EXTENSION = 1112, /* s table */
    MYSQL_ER_TABLE_MUST_HAVE_COLUMNS = 1113,
    MYSQL_ER_RECORD_FILE_FULL = 1114,      /* s table */
    MYSQL_ER_UNKNOWN_CHARACTER_SET = 1115, /* s name */
    MYSQL_ER_TOO_MANY_TABLES = 1116,       /* d limit */
    MYSQL_ER_TOO_MANY_FIELDS = 1117,
    MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW = 1136,     /* ld row */
    MYSQL_ER_MIX_OF_GROUP_FUNC_AND_FIELDS = 1140, /* u position, s column */
    MYSQL_ER_TABLEACCESS_DENIED_ERROR = 1142,     /* s command, s user, s host, s table */
    MYSQL_ER_NO_SUCH_TABLE = 1146,                /* s database, s table */
    MYSQL_ER_SYNTAX_ERROR = 1149,
    MYSQL_ER_NET_PACKET_TOO_LARGE = 1153,
    MYSQL_ER_NET_PACKETS_OUT_OF_ORDER = 1156,
    MYSQL_ER_TOO_LONG_STRING = 1162,
    MYSQL_ER_WRONG_COLUMN_NAME = 1166, /* s column */
    MYSQL_ER_PRIMARY_CANT_HAVE_NULL = 1171,
    MYSQL_ER_KEY_DOES_NOT_EXIST = 1176, /* s key, s table */
    MYSQL_ER_CANT_DO_THIS_DURING_TRANS = 1179,
    MYSQL_ER_UNKNOWN_SYSTEM_VARIABLE = 1193, /* s name */
    MYSQL_ER_LOCK_WAIT_TIMEOUT = 1205,
    MYSQL_ER_FT_MATCHING_KEY_NOT_FOUND = 1191,
    MYSQL_ER_WRONG_ARGUMENTS = 1210, /* s function */
    MYSQL_ER_LOCK_DEADLOCK = 1213,
    MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT = 1222,
    MYSQL_ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227, /* s privilege */
    MYSQL_ER_LOCAL_VARIABLE = 1228,               /* s name */
    MYSQL_ER_GLOBAL_VARIABLE = 1229,              /* s name */
    MYSQL_ER_WRONG_VALUE_FOR_VAR = 1231,          /* s name, s value */
    MYSQL_ER_WRONG_TYPE_FOR_VAR = 1232,           /* s name */
    MYSQL_ER_CANT_USE_OPTION_HERE = 1234,         /* s option */
    MYSQL_ER_NOT_SUPPORTED_YET = 1235,            /* s feature */
    MYSQL_ER_INCORRECT_GLOBAL_LOCAL_VAR = 1238,   /* s name, s kind */
    MYSQL_ER_OPERAND_COLUMNS = 1241,              /* d columns */
    MYSQL_ER_SUBQUERY_NO_1_ROW = 1242,
    MYSQL_ER_UNKNOWN_STMT_HANDLER = 1243, /* d length, s id, s command */
    MYSQL_ER_ILLEGAL_REFERENCE = 1247,    /* s name, s reason */
    MYSQL_ER_DERIVED_MUST_HAVE_ALIAS = 1248,
    MYSQL_ER_TABLENAME_NOT_ALLOWED_HERE = 1250, /* s table, s clause */
    MYSQL_ER_NOT_SUPPORTED_AUTH_MODE = 1251,
    MYSQL_ER_COLLATION_CHARSET_MISMATCH = 1253, /* s collation, s character set */
    MYSQL_ER_WARN_DATA_OUT_OF_RANGE = 1264,     /* s column, ld row */
    MYSQL_ER_WARN_DATA_TRUNCATED = 1265,        /* s column, ld row */
    MYSQL_ER_CANT_AGGREGATE_2COLLATIONS = 1267, /* 2 (s collation, s coercibility), s operation */
    MYSQL_ER_UNKNOWN_COLLATION = 1273,          /* s name */
    MYSQL_ER_TRUNCATED_WRONG_VALUE = 1292,      /* s type, s value */
    MYSQL_ER_UNKNOWN_TIME_ZONE = 1298,          /* s name */
    MYSQL_ER_INVALID_CHARACTER_STRING = 1300,   /* s character set, s text */
    MYSQL_ER_SP_DOES_NOT_EXIST = 1305,          /* s kind, s name */
    MYSQL_ER_QUERY_INTERRUPTED = 1317,
    MYSQL_ER_NO_DEFAULT_FOR_FIELD = 1364, /* s column */
    MYSQL_ER_DIVISION_BY_ZERO = 1365,
    MYSQL_ER_TRUNCATED_WRONG_VALUE_FOR_FIELD = 1366, /* s type, s value, s column, ld row */
    MYSQL_ER_CANNOT_USER = 1396,                     /* s operation, s users */
    MYSQL_ER_DATA_TOO_LONG = 1406,                   /* s column, ld row */
    MYSQL_ER_WRONG_VALUE_FOR_TYPE = 1411,            /* s type, s value, s function */
    MYSQL_ER_SP_NO_RETSET = 1415,                    /* s where */
    MYSQL_ER_STMT_HAS_NO_OPEN_CURSOR = 1421,         /* lu statement id */
    MYSQL_ER_TOO_BIG_PRECISION = 1426,               /* u precision, s column, lu limit */
    MYSQL_ER_DATETIME_FUNCTION_OVERFLOW = 1441,      /* s function */
    MYSQL_ER_MAX_PREPARED_STMT_COUNT_REACHED = 1461, /* lu limit */
    MYSQL_ER_PARTITION_MGMT_ON_NONPARTITIONED = 1505,
    MYSQL_ER_DROP_PARTITION_NON_EXISTENT = 1507,    /* s operation */
    MYSQL_ER_WRONG_VALUE = 1525,                    /* s type, s value */
    MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT = 1582, /* s function */
    MYSQL_ER_WRONG_PARAMETERS_TO_NATIVE_FCT = 1583, /* s function */
    MYSQL_ER_DUP_ENTRY_WITH_KEY_NAME = 1586,        /* s value, s key */
    MYSQL_ER_DATA_OUT_OF_RANGE = 1690,              /* s type, s expression */
    MYSQL_ER_ROW_DOES_NOT_MATCH_PARTITION = 1748,
    MYSQL_ER_CANT_EXECUTE_IN_READ_ONLY = 1792,
    MYSQL_ER_MALFORMED_PACKET = 1835,
    MYSQL_ER_QUERY_TIMEOUT = 3024,
    MYSQL_ER_INVALID_JSON_TEXT = 3140, /* u argument, s function, s reason, u position, s */
    MYSQL_ER_INVALID_JSON_PATH = 3143, /* u position */
    MYSQL_ER_SECURE_TRANSPORT_REQUIRED = 3159,
    MYSQL_ER_WINDOW_NO_SUCH_WINDOW = 3579, /* s window */
    MYSQL_ER_WINDOW_CIRCULARITY = 3580,
    MYSQL_ER_WINDOW_NO_CHILD_PARTITIONING = 3581,
    MYSQL_ER_WINDOW_NO_INHERIT_FRAME = 3582,          /* s window */
    MYSQL_ER_WINDOW_NO_REDEFINE_ORDER_BY = 3583,      /* s window, s window */
    MYSQL_ER_WINDOW_FRAME_START_ILLEGAL = 3584,       /* s window */
    MYSQL_ER_WINDOW_FRAME_END_ILLEGAL = 3585,         /* s window */
    MYSQL_ER_WINDOW_FRAME_ILLEGAL = 3586,             /* s window */
    MYSQL_ER_WINDOW_RANGE_FRAME_ORDER_TYPE = 3587,    /* s window */
    MYSQL_ER_WINDOW_RANGE_FRAME_TEMPORAL_TYPE = 3588, /* s window */
    MYSQL_ER_WINDOW_RANGE_FRAME_NUMERIC_TYPE = 3589,  /* s window */
    MYSQL_ER_WINDOW_RANGE_BOUND_NOT_CONSTANT = 3590,  /* s window */
    MYSQL_ER_WINDOW_DUPLICATE_NAME = 3591,            /* s window */
    MYSQL_ER_WINDOW_ILLEGAL_ORDER_BY = 3592,          /* s window */
    MYSQL_ER_WINDOW_INVALID_USE = 3593,               /* s function */
    MYSQL_ER_WINDOW_INVALID_ALIAS_USE = 3594,         /* s alias */
    MYSQL_ER_REGEXP_ERROR = 3685,
    MYSQL_ER_CLIENT_INTERACTION_TIMEOUT = 4031,
};

/* Longest message on the wire, bytes without the NUL. */
#define MYSQL_ERROR_TEXT_MAX 512u

/* One row of the table. Constant, any core. */
struct mysql_error_info {
    uint16_t code;
    char sqlstate[6];
    const char *format; /* printf format of the message */
};

/* An error on its way to the user: made once, where it is decided. Owner: the statement. */
struct mysql_error {
    uint16_t code; /* 0 = none */
    char sqlstate[6];
    char text[MYSQL_ERROR_TEXT_MAX + 1];
};

/* The row of a code; NULL when we never send it. */
const struct mysql_error_info *mysql_error_find(unsigned code);
/* SQLSTATE of a code, "HY000" when it is not in the table. */
const char *mysql_error_sqlstate(unsigned code);
/* Writes MySQL's text for a code of the table (asserted) with the arguments listed at its name to
 * dst, cut to cap - 1 bytes at a UTF-8 character boundary. Returns the length written. */
size_t mysql_error_format(char *dst, size_t cap, unsigned code, ...);
/* Fills *err with MySQL's text for the code. */
void mysql_error_set(struct mysql_error *err, unsigned code, ...);
/* Fills *err with the code's SQLSTATE and a text of our own. */
void mysql_error_set_text(struct mysql_error *err, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* MySQL's error numbers, states and texts: see mysql_error.h. */
#include "sql/mysql_error.h"

#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"

/* In order of code, for the binary search; mysql_error_test checks the order. */
static const struct mysql_error_info errors[] = {
    {1040, "08004", "Too many connections"},
    {1041, "HY000", "Out of memory."},
    {1042, "08S01", "Can't get hostname for your address"},
    {1043, "08S01", "Bad handshake"},
    {1044, "42000", "Access denied for user '%-.48s'@'%-.255s' to database '%-.192s'"},
    {1045, "28000", "Access denied for user '%-.48s'@'%-.255s' (using password: %s)"},
    {1046, "3D000", "No database selected"},
    {1047, "08S01", "Unknown command"},
    {1048, "23000", "Column '%-.192s' cannot be null"},
    {1049, "42000", "Unknown database '%-.192s'"},
    {1050, "42S01", "Table '%-.192s' already exists"},
    {1051, "42S02", "Unknown table '%-.129s'"},
    {1052, "23000", "Column '%-.192s' in %-.192s is ambiguous"},
    {1053, "08S01", "Server shutdown in progress"},
    {1054, "42S22", "Unknown column '%-.192s' in '%-.192s'"},
    {1055, "42000", "'%-.192s' isn't in GROUP BY"},
    {1056, "42000", "Can't group on '%-.192s'"},
    {1058, "21S01", "Column count doesn't match value count"},
    {1059, "42000", "Identifier name '%-.100s' is too long"},
    {1060, "42S21", "Duplicate column name '%-.192s'"},
    {1062, "23000", "Duplicate entry '%-.192s' for key '%-.192s'"},
    {1064, "42000", "%s near '%-.80s' at line %d"},
    {1065, "42000", "Query was empty"},
    {1066, "42000", "Not unique table/alias: '%-.192s'"},
    {1067, "42000", "Invalid default value for '%-.192s'"},
    {1093, "HY000", "You can't specify target table '%-.192s' for update in FROM clause"},
    {1094, "HY000", "Unknown thread id: %lu"},
    {1095, "HY000", "You are not owner of thread %lu"},
    {1096, "HY000", "No tables used"},
    {1102, "42000", "Incorrect database name '%-.100s'"},
    {1103, "42000", "Incorrect table name '%-.100s'"},
    {1104, "42000",
     "The SELECT would examine more than MAX_JOIN_SIZE rows; check your WHERE and use SET "
     "SQL_BIG_SELECTS=1 or SET MAX_JOIN_SIZE=# if the SELECT is okay"},
    {1105, "HY000", "Unknown error"},
    {1106, "42000", "Unknown procedure '%-.192s'"},
    {1109, "42S02", "Unknown table '%-.192s' in %-.32s"},
    {1110, "42000", "Column '%-.192s' specified twice"},
    {1111, "HY000", "Invalid use of group function"},
    {1112, "42000", "Table '%-.192s' uses an extension that doesn't exist in this MySQL version"},
    {1113, "42000", "A table must have at least 1 column"},
    {1114, "HY000", "The table '%-.192s' is full"},
    {1115, "42000", "Unknown character set: '%-.64s'"},
    {1116, "HY000", "Too many tables; MySQL can only use %d tables in a join"},
    {1117, "HY000", "Too many columns"},
    {1136, "21S01", "Column count doesn't match value count at row %ld"},
    {1140, "42000",
     "In aggregated query without GROUP BY, expression #%u of SELECT list contains nonaggregated "
     "column '%s'; this is incompatible with sql_mode=only_full_group_by"},
    {1142, "42000", "%-.128s command denied to user '%-.48s'@'%-.255s' for table '%-.64s'"},
    {1146, "42S02", "Table '%-.192s.%-.192s' doesn't exist"},
    {1149, "42000",
     "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server "
     "version for the right syntax to use"},
    {1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes"},
    {1156, "08S01", "Got packets out of order"},
    {1162, "42000", "Result string is longer than 'max_allowed_packet' bytes"},
    {1166, "42000", "Incorrect column name '%-.192s'"},
    {1171, "42000",
     "All parts of a PRIMARY KEY must be NOT NULL; if you need NULL in a key, use UNIQUE instead"},
    {1176, "42000", "Key '%-.192s' doesn't exist in table '%-.192s'"},
    {1179, "25000", "You are not allowed to execute this command in a transaction"},
    {1191, "HY000", "Can't find FULLTEXT index matching the column list"},
    {1193, "HY000", "Unknown system variable '%-.64s'"},
    {1205, "HY000", "Lock wait timeout exceeded; try restarting transaction"},
    {1210, "HY000", "Incorrect arguments to %s"},
    {1213, "40001", "Deadlock found when trying to get lock; try restarting transaction"},
    {1222, "21000", "The used SELECT statements have a different number of columns"},
    {1227, "42000",
     "Access denied; you need (at least one of) the %-.128s privilege(s) for this operation"},
    {1228, "HY000", "Variable '%-.64s' is a SESSION variable and can't be used with SET GLOBAL"},
    {1229, "HY000", "Variable '%-.64s' is a GLOBAL variable and should be set with SET GLOBAL"},
    {1231, "42000", "Variable '%-.64s' can't be set to the value of '%-.200s'"},
    {1232, "42000", "Incorrect argument type to variable '%-.64s'"},
    {1234, "42000", "Incorrect usage/placement of '%s'"},
    {1235, "42000", "This version of MySQL doesn't yet support '%s'"},
    {1238, "HY000", "Variable '%-.192s' is a %s variable"},
    {1241, "21000", "Operand should contain %d column(s)"},
    {1242, "21000", "Subquery returns more than 1 row"},
    {1243, "HY000", "Unknown prepared statement handler (%.*s) given to %s"},
    {1247, "42S22", "Reference '%-.64s' not supported (%s)"},
    {1248, "42000", "Every derived table must have its own alias"},
    {1250, "42000", "Table '%-.192s' from one of the SELECTs cannot be used in %-.32s"},
    {1251, "08004",
     "Client does not support authentication protocol requested by server; consider upgrading "
     "MySQL client"},
    {1253, "42000", "COLLATION '%s' is not valid for CHARACTER SET '%s'"},
    {1264, "22003", "Out of range value for column '%s' at row %ld"},
    {1265, "01000", "Data truncated for column '%s' at row %ld"},
    {1267, "HY000", "Illegal mix of collations (%s,%s) and (%s,%s) for operation '%s'"},
    {1273, "HY000", "Unknown collation: '%-.64s'"},
    {1292, "22007", "Truncated incorrect %-.64s value: '%-.128s'"},
    {1298, "HY000", "Unknown or incorrect time zone: '%-.64s'"},
    {1300, "HY000", "Invalid %s character string: '%.64s'"},
    {1305, "42000", "%s %s does not exist"},
    {1317, "70100", "Query execution was interrupted"},
    {1356, "HY000", "View '%-.192s.%-.192s' references invalid table(s) or column(s)"},
    {1364, "HY000", "Field '%-.192s' doesn't have a default value"},
    {1365, "22012", "Division by 0"},
    {1366, "HY000", "Incorrect %-.32s value: '%-.128s' for column '%.192s' at row %ld"},
    {1396, "HY000", "Operation %s failed for %.256s"},
    {1406, "22001", "Data too long for column '%s' at row %ld"},
    {1411, "HY000", "Incorrect %-.32s value: '%-.128s' for function %-.32s"},
    {1415, "0A000", "Not allowed to return a result set from a %s"},
    {1421, "HY000", "The statement (%lu) has no open cursor."},
    {1426, "42000", "Too-big precision %u specified for '%-.192s'. Maximum is %lu."},
    {1441, "22008", "Datetime function: %-.32s field overflow"},
    {1461, "42000",
     "Can't create more than max_prepared_stmt_count statements (current value: %lu)"},
    {1505, "HY000", "Partition management on a not partitioned table is not possible"},
    {1507, "HY000", "Error in list of partitions to %-.64s"},
    {1525, "HY000", "Incorrect %-.32s value: '%-.128s'"},
    {1582, "42000", "Incorrect parameter count in the call to native function '%-.192s'"},
    {1583, "42000", "Incorrect parameters in the call to native function '%-.192s'"},
    {1586, "23000", "Duplicate entry '%-.64s' for key '%-.192s'"},
    {1690, "22003", "%s value is out of range in '%s'"},
    {1748, "HY000", "Found a row not matching the given partition set"},
    {1792, "25006", "Cannot execute statement in a READ ONLY transaction."},
    {1835, "HY000", "Malformed communication packet."},
    {3024, "HY000", "Query execution was interrupted, maximum statement execution time exceeded"},
    {3140, "22032", "Invalid JSON text in argument %u to function %s: \"%s\" at position %u.%s"},
    {3143, "42000", "Invalid JSON path expression. The error is around character position %u."},
    {3159, "HY000",
     "Connections using insecure transport are prohibited while --require_secure_transport=ON."},
    {3579, "HY000", "Window name '%-.192s' is not defined."},
    {3580, "HY000", "There is a circularity in the window dependency graph."},
    {3581, "HY000", "A window which depends on another cannot define partitioning."},
    {3582, "HY000",
     "Window '%-.192s' has a frame definition, so cannot be referenced by "
     "another window."},
    {3583, "HY000",
     "Window '%-.192s' cannot inherit '%-.192s' since both contain an ORDER "
     "BY clause."},
    {3584, "HY000", "Window '%-.192s': frame start cannot be UNBOUNDED FOLLOWING."},
    {3585, "HY000", "Window '%-.192s': frame end cannot be UNBOUNDED PRECEDING."},
    {3586, "HY000",
     "Window '%-.192s': frame start or end is negative, NULL or of "
     "non-integral type"},
    {3587, "HY000",
     "Window '%-.192s' with RANGE N PRECEDING/FOLLOWING frame requires "
     "exactly one ORDER BY expression, of numeric or temporal type"},
    {3588, "HY000",
     "Window '%-.192s' with RANGE frame has ORDER BY expression of datetime "
     "type. Only INTERVAL bound value allowed."},
    {3589, "HY000",
     "Window '%-.192s' with RANGE frame has ORDER BY expression of numeric "
     "type, INTERVAL bound value not allowed."},
    {3590, "HY000", "Window '%-.192s' has a non-constant frame bound."},
    {3591, "HY000", "Window '%-.192s' is defined twice."},
    {3592, "HY000",
     "Window '%-.192s': ORDER BY or PARTITION BY uses legacy position "
     "indication which is not supported, use expression."},
    {3593, "HY000", "You cannot use the window function '%-.192s' in this context."},
    {3594, "HY000",
     "You cannot use the alias '%-.192s' of an expression containing a "
     "window function in this context."},
    {3685, "HY000", "Illegal argument to a regular expression."},
    {4031, "HY000",
     "The client was disconnected by the server because of inactivity. See wait_timeout and "
     "interactive_timeout for configuring this behavior."},
};

const struct mysql_error_info *mysql_error_find(unsigned code)
{
    size_t low = 0, high = sizeof(errors) / sizeof(errors[0]);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (errors[middle].code == code)
            return &errors[middle];
        if (errors[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *mysql_error_sqlstate(unsigned code)
{
    const struct mysql_error_info *info = mysql_error_find(code);

    return info ? info->sqlstate : "HY000";
}

/* Cuts a text of `len` bytes so that it does not end inside a UTF-8 character. */
static size_t cut_at_character(char *text, size_t len)
{
    size_t start = len, need;
    uint8_t lead;

    while (start > 0 && len - start < 3 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return len;
    lead = (uint8_t)text[start - 1];
    need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (len - (start - 1) < need)
        len = start - 1;
    text[len] = '\0';
    return len;
}

static size_t format_args(char *dst, size_t cap, const char *format, va_list args)
{
    int n = vsnprintf(dst, cap, format, args);

    if (n < 0) { /* cannot be represented: say nothing rather than something cut anywhere */
        dst[0] = '\0';
        return 0;
    }
    return (size_t)n < cap ? (size_t)n : cut_at_character(dst, cap - 1);
}

static size_t format_code(char *dst, size_t cap, unsigned code, va_list args)
{
    const struct mysql_error_info *info = mysql_error_find(code);

    ASSERT(info && cap > 0);
    return format_args(dst, cap, info->format, args);
}

size_t mysql_error_format(char *dst, size_t cap, unsigned code, ...)
{
    va_list args;
    size_t len;

    va_start(args, code);
    len = format_code(dst, cap, code, args);
    va_end(args);
    return len;
}

void mysql_error_set(struct mysql_error *err, unsigned code, ...)
{
    va_list args;

    err->code = (uint16_t)code;
    memcpy(err->sqlstate, mysql_error_sqlstate(code), sizeof(err->sqlstate));
    va_start(args, code);
    format_code(err->text, sizeof(err->text), code, args);
    va_end(args);
}

void mysql_error_set_text(struct mysql_error *err, unsigned code, const char *format, ...)
{
    va_list args;

    err->code = (uint16_t)code;
    memcpy(err->sqlstate, mysql_error_sqlstate(code), sizeof(err->sqlstate));
    va_start(args, format);
    format_args(err->text, sizeof(err->text), format, args);
    va_end(args);
}

/* Statements of MySQL that the grammar does not have: named in the error instead of "syntax error". */
#include "sql/known_statement.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* First words; the longer of two that begin alike comes first. */
static const char *const statements[] = {"LOAD XML",
                                         "SHOW ALL SLAVES STATUS",
                                         "SHOW ALL REPLICAS STATUS",
                                         "SHOW CREATE USER",
                                         "SHOW PROFILE",
                                         "GRANT",
                                         "REVOKE",
                                         "CREATE USER",
                                         "ALTER USER",
                                         "DROP USER",
                                         "RENAME USER",
                                         "CREATE ROLE",
                                         "DROP ROLE",
                                         "SET ROLE",
                                         "CREATE TRIGGER",
                                         "DROP TRIGGER",
                                         "CREATE EVENT",
                                         "ALTER EVENT",
                                         "DROP EVENT",
                                         "CREATE FUNCTION",
                                         "DROP FUNCTION",
                                         "CREATE PROCEDURE",
                                         "DROP PROCEDURE",
                                         "CREATE SERVER",
                                         "CREATE SEQUENCE",
                                         "CREATE TABLESPACE",
                                         "ALTER DATABASE",
                                         "ALTER SCHEMA",
                                         "ALTER VIEW",
                                         "HANDLER",
                                         "XA",
                                         "INSTALL",
                                         "UNINSTALL",
                                         "CHANGE MASTER",
                                         "CHANGE REPLICATION",
                                         "START SLAVE",
                                         "START REPLICA",
                                         "STOP SLAVE",
                                         "STOP REPLICA",
                                         "PURGE",
                                         "RESET",
                                         "CACHE INDEX",
                                         "HELP",
                                         "SHUTDOWN",
                                         "RESTART",
                                         "IMPORT TABLE",
                                         "SIGNAL",
                                         "RESIGNAL",
                                         "GET DIAGNOSTICS",
                                         "BINLOG"};
/* What may stand behind ALTER TABLE name. */
static const char *const actions[] = {"ADD (",
                                      "ADD COLUMN (",
                                      "ADD PARTITION",
                                      "CONVERT TO",
                                      "TRUNCATE PARTITION",
                                      "COALESCE PARTITION",
                                      "REORGANIZE PARTITION",
                                      "EXCHANGE PARTITION",
                                      "ANALYZE PARTITION",
                                      "CHECK PARTITION",
                                      "OPTIMIZE PARTITION",
                                      "REBUILD PARTITION",
                                      "REPAIR PARTITION",
                                      "REMOVE PARTITIONING",
                                      "PARTITION BY",
                                      "DISCARD TABLESPACE",
                                      "IMPORT TABLESPACE",
                                      "ORDER BY",
                                      "RENAME INDEX",
                                      "RENAME KEY",
                                      "ALTER INDEX",
                                      "FORCE"};

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* Where the words end in the text; NULL when it begins otherwise. A blank of the words is any number of them, or
 * none before a parenthesis. */
static const char *begins(const char *p, const char *words)
{
    for (; *words; words++) {
        if (*words == ' ') {
            const char *next = skip_blanks(p);
            if (next == p && words[1] != '(')
                return NULL;
            p = next;
        } else if (toupper((unsigned char)*p++) != *words) {
            return NULL;
        }
    }
    return words[-1] != '(' && (isalnum((unsigned char)*p) || *p == '_' || *p == '$') ? NULL : p;
}

/* Behind a name, in backticks or not, with a database or not. */
static const char *skip_name(const char *p)
{
    for (;; p++) {
        p = skip_blanks(p);
        if (*p == '`') {
            const char *end = strchr(p + 1, '`');
            if (!end)
                return p;
            p = end + 1;
        } else {
            while (isalnum((unsigned char)*p) || *p == '_' || *p == '$' || (*p & 0x80))
                p++;
        }
        if (*p != '.')
            return skip_blanks(p);
    }
}

static const char *find(const char *p, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (begins(p, list[i]))
            return list[i];
    return NULL;
}

const char *known_statement(const char *text)
{
    const char *p = skip_blanks(text), *name = begins(p, "ALTER TABLE");

    if (name)
        return find(skip_name(name), actions, sizeof actions / sizeof *actions);
    return find(p, statements, sizeof statements / sizeof *statements);
}

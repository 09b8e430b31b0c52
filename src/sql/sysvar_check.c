/* What variables with a meaning may be set to; the others take anything. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reactor/arena.h"
#include "sql/mysql_charset.h"
#include "sql/sysvar.h"

/* Of MySQL 8.0 and MariaDB 10.11; those without a meaning here are kept. */
static const char *const modes[] = {"ALLOW_INVALID_DATES",
                                    "ANSI",
                                    "ANSI_QUOTES",
                                    "DB2",
                                    "EMPTY_STRING_IS_NULL",
                                    "ERROR_FOR_DIVISION_BY_ZERO",
                                    "HIGH_NOT_PRECEDENCE",
                                    "IGNORE_BAD_TABLE_OPTIONS",
                                    "IGNORE_SPACE",
                                    "MAXDB",
                                    "MSSQL",
                                    "MYSQL323",
                                    "MYSQL40",
                                    "NO_AUTO_CREATE_USER",
                                    "NO_AUTO_VALUE_ON_ZERO",
                                    "NO_BACKSLASH_ESCAPES",
                                    "NO_DIR_IN_CREATE",
                                    "NO_ENGINE_SUBSTITUTION",
                                    "NO_FIELD_OPTIONS",
                                    "NO_KEY_OPTIONS",
                                    "NO_TABLE_OPTIONS",
                                    "NO_UNSIGNED_SUBTRACTION",
                                    "NO_ZERO_DATE",
                                    "NO_ZERO_IN_DATE",
                                    "ONLY_FULL_GROUP_BY",
                                    "ORACLE",
                                    "PAD_CHAR_TO_FULL_LENGTH",
                                    "PIPES_AS_CONCAT",
                                    "POSTGRESQL",
                                    "QUANTA",
                                    "REAL_AS_FLOAT",
                                    "SIMULTANEOUS_ASSIGNMENT",
                                    "STRICT_ALL_TABLES",
                                    "STRICT_TRANS_TABLES",
                                    "TIME_ROUND_FRACTIONAL",
                                    "TIME_TRUNCATE_FRACTIONAL",
                                    "TRADITIONAL"};

static bool is_mode(const char *s, size_t len)
{
    if (!len)
        return true;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strncasecmp(modes[i], s, len) == 0 && !modes[i][len])
            return true;
    return false;
}

bool sysvar_check_sql_mode(const char *text, struct mysql_error *error)
{
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");
        if (!is_mode(p, len)) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60), p);
            mysql_error_set(error, MYSQL_ER_WRONG_VALUE_FOR_VAR, "sql_mode", name);
            return false;
        }
        p += len;
        if (!*p)
            return true;
    }
}

/* Texts are UTF-8. Clients of other sets connect all the same, and have ASCII right. */
static void check_charset(struct gateway_session *s, const struct mysql_collation *c)
{
    if (c->kind == MYSQL_CHARSET_KIND_LATIN1)
        gateway_session_warn(s, "Warning", MYSQL_ER_NOT_SUPPORTED_YET,
                             "latin1: texts are read and sent as utf8mb4");
}

/* Everything is UTC. Names of places are unknown, as to a MySQL without its tables of time zones. */
static bool check_time_zone(struct gateway_session *s, const char *text, struct mysql_error *error)
{
    static const char *const utc[] = {"SYSTEM",  "UTC",           "GMT", "Etc/UTC",
                                      "Etc/GMT", "Etc/Universal", "Zulu"};
    unsigned hours, minutes;
    int end = 0;

    for (size_t i = 0; i < sizeof utc / sizeof *utc; i++)
        if (strcasecmp(text, utc[i]) == 0)
            return true;
    if ((*text != '+' && *text != '-') ||
        sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &end) < 2 || text[1 + end] || hours > 14 ||
        minutes > 59) {
        mysql_error_set(error, MYSQL_ER_UNKNOWN_TIME_ZONE, text);
        return false;
    }
    if (hours || minutes)
        gateway_session_warn(s, "Warning", MYSQL_ER_NOT_SUPPORTED_YET,
                             "time_zone: all times are UTC; the setting has no effect");
    return true;
}

bool sysvar_check(struct gateway_session *s, const struct sysvar *v, const struct datum *value,
                  struct arena *a, struct mysql_error *error)
{
    bool collation = strncmp(v->name, "collation_", 10) == 0;
    bool charset = strncmp(v->name, "character_set_", 14) == 0 &&
                   strcmp(v->name, "character_set_filesystem") != 0;

    if (value->kind == DATUM_NULL && (charset || collation))
        return true; /* character_set_results: as the texts are */
    if (value->kind != DATUM_STRING)
        return true;
    const char *text = arena_strndup(a, value->s, value->len);
    if (!text) {
        mysql_error_set_text(error, 1041, "Out of memory");
        return false;
    }
    if (strcmp(v->name, "sql_mode") == 0)
        return sysvar_check_sql_mode(text, error);
    if (strcmp(v->name, "time_zone") == 0)
        return check_time_zone(s, text, error);
    if (!charset && !collation)
        return true;
    const struct mysql_collation *c = collation ? mysql_collation_by_name(text, value->len)
                                                : mysql_charset_default(text, value->len);
    if (!c && collation && strncasecmp(text, "utf8", 4) == 0)
        return true; /* MySQL has hundreds for languages */
    if (!c) {
        mysql_error_set(error,
                        collation ? MYSQL_ER_UNKNOWN_COLLATION : MYSQL_ER_UNKNOWN_CHARACTER_SET,
                        text);
        return false;
    }
    check_charset(s, c);
    return true;
}

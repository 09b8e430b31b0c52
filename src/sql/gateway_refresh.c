/*
 * A gateway without data knows the tables by asking the nodes now and then, so its catalog can be old. Statements that
 * tell what exists ask first; others ask after an error that an old catalog may be the reason of, and are tried again
 * with the new one. Joins that turn out to be too large for the cores are tried again, too, in the gateway.
 */
#include <string.h>
#include <strings.h>

#include "sql/dml_row.h"
#include "sql/infoschema.h"

enum { DEFINITION_CHANGED = 1412, MAX_REFRESHES = 8 };

static bool show_tells_tables(enum sql_show_kind kind)
{
    return kind == SQL_SHOW_TABLES || kind == SQL_SHOW_TABLE_STATUS || kind == SQL_SHOW_COLUMNS ||
           kind == SQL_SHOW_INDEX || kind == SQL_SHOW_CREATE_TABLE || kind == SQL_SHOW_CREATE_VIEW;
}

/* By its text: a string that happens to hold the word costs a needless question, nothing else. */
static bool names_infoschema(const struct statement *s)
{
    static const char word[] = "information_schema";
    const char *p = s->text + s->ast->offset, *end = p + s->ast->length;

    if (s->session->database && infoschema_is_database(s->session->database))
        return true;
    for (; end - p >= (long)sizeof word - 1; p++)
        if ((*p | 32) == 'i' && strncasecmp(p, word, sizeof word - 1) == 0)
            return true;
    return false;
}

bool refresh_comes_first(const struct statement *s)
{
    if (s->asks_newest)
        return true;
    switch (s->ast->kind) {
    case SQL_STMT_CREATE_TABLE: /* exists, or IF NOT EXISTS, is decided by the catalog */
    case SQL_STMT_DROP_TABLE:
    case SQL_STMT_CREATE_VIEW:
    case SQL_STMT_ALTER_TABLE:
    case SQL_STMT_RENAME_TABLE:
    case SQL_STMT_LOAD_DATA: /* the file is read once */
    case SQL_STMT_MAINTAIN:
        return true;
    case SQL_STMT_SHOW:
    case SQL_STMT_DESCRIBE:
        return show_tells_tables(s->ast->u.show->kind);
    case SQL_STMT_SELECT:
    case SQL_STMT_EXPLAIN:
        return names_infoschema(s);
    case SQL_STMT_INSERT: /* not the text of VALUES, which can be long */
        return s->ast->u.insert->query && names_infoschema(s);
    default:
        return false;
    }
}

/* Errors about tables and columns, and about values that do not fit the columns. */
static bool is_of_definitions(unsigned code)
{
    static const uint16_t codes[] = {
        MYSQL_ER_BAD_NULL_ERROR,
        MYSQL_ER_BAD_TABLE_ERROR,
        MYSQL_ER_NON_UNIQ_ERROR,
        MYSQL_ER_BAD_FIELD_ERROR,
        MYSQL_ER_UNKNOWN_TABLE,
        MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW,
        MYSQL_ER_NO_SUCH_TABLE,
        MYSQL_ER_KEY_DOES_NOT_EXIST,
        MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT,
        1264, /* out of range */
        1292, /* incorrect value */
        1364, /* no default */
        1366, /* incorrect value for column */
        1406, /* too long */
        DEFINITION_CHANGED,
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool wrote_nothing(const struct statement *s)
{
    for (const struct dml_writer *w = s->writers; w; w = w->next) {
        if (!w->in_flight && !w->rows_before) /* nothing was sent */
            continue;
        const struct dml_total *r = &w->total;
        if (w->in_flight || r->inserted + r->updated + r->deleted ||
            !cluster_wrote_nothing(s->env->cluster, w->write))
            return false;
    }
    return true;
}

/* Nothing was answered or written. */
static bool can_begin_again(const struct statement *s)
{
    if (s->has_begun || s->answered || !s->ast)
        return false;
    switch (s->ast->kind) {
    case SQL_STMT_SELECT:
    case SQL_STMT_EXPLAIN:
    case SQL_STMT_DO:
        return true;
    case SQL_STMT_INSERT:
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
        return wrote_nothing(s);
    default: /* asked before, or leaves the question to the nodes */
        return false;
    }
}

bool refresh_may_help(const struct statement *s)
{
    /* Nodes that are altered one after the other can refuse one after the other; else once is enough. */
    unsigned enough = s->error.code == DEFINITION_CHANGED ? MAX_REFRESHES : 1;

    return s->refreshes < enough && is_of_definitions(s->error.code) && can_begin_again(s);
}

bool gateway_alone_may_help(const struct statement *s)
{
    return s->error.code && s->exec.too_large_for_cores && !s->gateway_alone && can_begin_again(s);
}

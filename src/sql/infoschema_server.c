/* information_schema: the server, its variables, connections and character sets. */
#include <stdio.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/gateway.h"
#include "sql/infoschema_tables.h"
#include "sql/keyword.h"
#include "sql/mysql_charset.h"
#include "sql/parse.h"
#include "sql/sysvar.h"

static const struct infoschema_column schemata_columns[] = {INFO_TEXT("CATALOG_NAME"),
                                                            INFO_TEXT("SCHEMA_NAME"),
                                                            INFO_TEXT("DEFAULT_CHARACTER_SET_NAME"),
                                                            INFO_TEXT("DEFAULT_COLLATION_NAME"),
                                                            INFO_TEXT("SQL_PATH"),
                                                            INFO_TEXT("DEFAULT_ENCRYPTION")};

static int fill_schemata(struct exec *x, struct infoschema_rows *out)
{
    static const char *const names[] = {"information_schema", SESSION_DATABASE};

    (void)x;
    for (int i = 0; i < 2; i++) {
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, "def");
        infoschema_put_text(out, names[i]);
        infoschema_put_text(out, "utf8mb4");
        infoschema_put_text(out, "utf8mb4_bin");
        infoschema_put_null(out);
        infoschema_put_text(out, "NO");
    }
    return 0;
}

INFO_TABLE(infoschema_schemata, "SCHEMATA", schemata_columns, fill_schemata);

static const struct infoschema_column engines_columns[] = {
    INFO_TEXT("ENGINE"),       INFO_TEXT("SUPPORT"), INFO_TEXT("COMMENT"),
    INFO_TEXT("TRANSACTIONS"), INFO_TEXT("XA"),      INFO_TEXT("SAVEPOINTS")};

static int fill_engines(struct exec *x, struct infoschema_rows *out)
{
    static const char *const cells[] = {"QUANTA", "DEFAULT", "Compressed bitmaps, sharded by row",
                                        "NO",     "NO",      "NO"};

    (void)x;
    if (infoschema_row(out) != 0)
        return -1;
    for (int i = 0; i < 6; i++)
        infoschema_put_text(out, cells[i]);
    return 0;
}

INFO_TABLE(infoschema_engines, "ENGINES", engines_columns, fill_engines);

static const struct infoschema_column collations_columns[] = {
    INFO_TEXT("COLLATION_NAME"), INFO_TEXT("CHARACTER_SET_NAME"), INFO_INT("ID"),
    INFO_TEXT("IS_DEFAULT"),     INFO_TEXT("IS_COMPILED"),        INFO_INT("SORTLEN"),
    INFO_TEXT("PAD_ATTRIBUTE")};

static int each_collation(struct infoschema_rows *out, bool default_ones,
                          void (*put)(struct infoschema_rows *, const struct mysql_collation *))
{
    size_t n;
    const struct mysql_collation *c = mysql_collation_list(&n);

    for (size_t i = 0; i < n; i++) {
        if (default_ones && !c[i].is_default)
            continue;
        if (infoschema_row(out) != 0)
            return -1;
        put(out, &c[i]);
    }
    return 0;
}

static void put_collation(struct infoschema_rows *out, const struct mysql_collation *c)
{
    infoschema_put_text(out, c->name);
    infoschema_put_text(out, c->charset);
    infoschema_put_int(out, c->id);
    infoschema_put_text(out, c->is_default ? "Yes" : "");
    infoschema_put_text(out, "Yes");
    infoschema_put_int(out, 1);
    infoschema_put_text(out, c->is_pad_space ? "PAD SPACE" : "NO PAD");
}

static int fill_collations(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    return each_collation(out, false, put_collation);
}

INFO_TABLE(infoschema_collations, "COLLATIONS", collations_columns, fill_collations);

static const struct infoschema_column applicability_columns[] = {INFO_TEXT("COLLATION_NAME"),
                                                                 INFO_TEXT("CHARACTER_SET_NAME")};

static void put_applicability(struct infoschema_rows *out, const struct mysql_collation *c)
{
    infoschema_put_text(out, c->name);
    infoschema_put_text(out, c->charset);
}

static int fill_applicability(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    return each_collation(out, false, put_applicability);
}

INFO_TABLE(infoschema_collation_applicability, "COLLATION_CHARACTER_SET_APPLICABILITY",
           applicability_columns, fill_applicability);

static const struct infoschema_column charsets_columns[] = {INFO_TEXT("CHARACTER_SET_NAME"),
                                                            INFO_TEXT("DEFAULT_COLLATE_NAME"),
                                                            INFO_TEXT("DESCRIPTION"),
                                                            INFO_INT("MAXLEN")};

static void put_charset(struct infoschema_rows *out, const struct mysql_collation *c)
{
    infoschema_put_text(out, c->charset);
    infoschema_put_text(out, c->name);
    infoschema_put_text(out, c->charset);
    infoschema_put_int(out, c->max_len);
}

static int fill_charsets(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    return each_collation(out, true, put_charset);
}

INFO_TABLE(infoschema_character_sets, "CHARACTER_SETS", charsets_columns, fill_charsets);

/* ---- variables ---- */

static const struct infoschema_column pair_columns[] = {INFO_ANY_CASE("VARIABLE_NAME"),
                                                        INFO_TEXT("VARIABLE_VALUE")};

static int fill_variables(struct exec *x, struct infoschema_rows *out)
{
    size_t n;
    const struct sysvar *v = sysvar_list(&n);

    for (size_t i = 0; i < n; i++) {
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, v[i].name);
        infoschema_put_text(out, sysvar_text(x->session, v[i].name, x->arena));
    }
    return 0;
}

INFO_TABLE(infoschema_session_variables, "SESSION_VARIABLES", pair_columns, fill_variables);
INFO_TABLE(infoschema_global_variables, "GLOBAL_VARIABLES", pair_columns, fill_variables);

INFO_TABLE_OF("performance_schema", infoschema_p_s_session_variables, "session_variables",
              pair_columns, fill_variables);
INFO_TABLE_OF("performance_schema", infoschema_p_s_global_variables, "global_variables",
              pair_columns, fill_variables);

/* ---- connections ---- */

static const struct infoschema_column process_columns[] = {INFO_INT("ID"),       INFO_TEXT("USER"),
                                                           INFO_TEXT("HOST"),    INFO_TEXT("DB"),
                                                           INFO_TEXT("COMMAND"), INFO_INT("TIME"),
                                                           INFO_TEXT("STATE"),   INFO_TEXT("INFO")};

struct process_gather { /* in the statement's arena */
    struct exec *x;
    struct infoschema_rows *out;
    struct gateway_list_request request;
    bool is_told, failed;
};

static void put_connection(struct gateway_list_request *q, const struct gateway_connection *c)
{
    struct process_gather *g = q->ctx;
    struct infoschema_rows *out = g->out;

    if (g->failed || infoschema_row(out) != 0) {
        g->failed = true;
        return;
    }
    infoschema_put_int(out, c->id);
    infoschema_put_text(out, c->user ? c->user : "");
    infoschema_put_text(out, c->host ? c->host : "");
    infoschema_put_text(out, c->database);
    infoschema_put_text(out, c->command);
    infoschema_put_int(out, c->seconds);
    infoschema_put_text(out, c->state);
    infoschema_put_text(out, c->info);
}

static void processes_told(struct gateway_list_request *q)
{
    struct process_gather *g = q->ctx;

    g->is_told = true;
    g->failed |= q->failed;
    g->x->open_queries--;
    exec_wake(g->x);
}

/* Connections of all cores become rows as they are told. */
static bool gather_processes(struct exec *x, struct infoschema_rows *out, bool *failed)
{
    struct process_gather *g = out->gathered;

    *failed = false;
    if (!gateway_of(x->reactor))
        return true;
    if (!g) {
        g = out->gathered = arena_alloc(x->arena, sizeof *g);
        if (g)
            *g = (struct process_gather){.x = x,
                                         .out = out,
                                         .request = {.found = put_connection,
                                                     .done = processes_told,
                                                     .ctx = g}};
        if (!g || !gateway_list_start(x->reactor, &g->request))
            return *failed = exec_no_memory(x, "information_schema") == EXEC_ERROR;
        x->open_queries++;
    }
    if (!g->is_told)
        return false;
    if (g->failed)
        *failed = exec_no_memory(x, "information_schema") == EXEC_ERROR;
    return true;
}

const struct infoschema_table infoschema_processlist = {
    .database = "information_schema",
    .name = "PROCESSLIST",
    .columns = process_columns,
    .n_columns = sizeof process_columns / sizeof *process_columns,
    .gather = gather_processes,
    .fill = infoschema_fill_nothing,
};

static const struct infoschema_column warning_columns[] = {INFO_TEXT("LEVEL"), INFO_INT("CODE"),
                                                           INFO_TEXT("MESSAGE")};

static int fill_warnings(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->session->n_warnings; i++) {
        const struct session_warning *w = &x->session->warnings[i];
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, w->level);
        infoschema_put_int(out, w->code);
        infoschema_put_text(out, w->text);
    }
    return 0;
}

INFO_TABLE(infoschema_warnings, "WARNINGS", warning_columns, fill_warnings);

static const struct infoschema_column connection_columns[] = {INFO_TEXT("USER"), INFO_TEXT("HOST"),
                                                              INFO_TEXT("DB")};

static int fill_connection(struct exec *x, struct infoschema_rows *out)
{
    if (infoschema_row(out) != 0)
        return -1;
    infoschema_put_text(out, x->session->user);
    infoschema_put_text(out, x->session->host);
    infoschema_put_text(out, x->session->database);
    return 0;
}

INFO_TABLE(infoschema_connection, "CONNECTION", connection_columns, fill_connection);

/* ---- the rest ---- */

static const struct infoschema_column plugins_columns[] = {INFO_TEXT("PLUGIN_NAME"),
                                                           INFO_TEXT("PLUGIN_STATUS"),
                                                           INFO_TEXT("PLUGIN_TYPE"),
                                                           INFO_TEXT("PLUGIN_LIBRARY"),
                                                           INFO_TEXT("PLUGIN_LICENSE")};

static int fill_plugins(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    if (infoschema_row(out) != 0)
        return -1;
    infoschema_put_text(out, "QUANTA");
    infoschema_put_text(out, "ACTIVE");
    infoschema_put_text(out, "STORAGE ENGINE");
    infoschema_put_null(out);
    infoschema_put_text(out, "Apache-2.0");
    return 0;
}

INFO_TABLE(infoschema_plugins, "PLUGINS", plugins_columns, fill_plugins);

static const struct infoschema_column privileges_columns[] = {INFO_TEXT("GRANTEE"),
                                                              INFO_TEXT("TABLE_CATALOG"),
                                                              INFO_TEXT("PRIVILEGE_TYPE"),
                                                              INFO_TEXT("IS_GRANTABLE")};

static int fill_privileges(struct exec *x, struct infoschema_rows *out)
{
    static const char *const names[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP"};
    char grantee[160];

    snprintf(grantee, sizeof grantee, "'%.64s'@'%%'", x->session->user ? x->session->user : "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, grantee);
        infoschema_put_text(out, "def");
        infoschema_put_text(out, names[i]);
        infoschema_put_text(out, "NO");
    }
    return 0;
}

INFO_TABLE(infoschema_user_privileges, "USER_PRIVILEGES", privileges_columns, fill_privileges);

static const struct infoschema_column keywords_columns[] = {INFO_TEXT("WORD"),
                                                            INFO_INT("RESERVED")};

/* Whether the grammar takes the word for a name. */
static bool is_reserved(struct exec *x, const char *word)
{
    char text[80];
    struct sql_stmt *stmt;
    struct parse_error error;
    int n = snprintf(text, sizeof text, "USE %s", word);

    return sql_parse(x->arena, text, (size_t)n, 0, &stmt, NULL, &error) != 0;
}

static int fill_keywords(struct exec *x, struct infoschema_rows *out)
{
    const char *word;

    for (size_t i = 0; (word = sql_keyword_at(i)) != NULL; i++) {
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, word);
        infoschema_put_int(out, is_reserved(x, word));
    }
    return 0;
}

INFO_TABLE(infoschema_keywords, "KEYWORDS", keywords_columns, fill_keywords);

static const struct infoschema_column user_columns[] = {
    INFO_TEXT("Host"),        INFO_TEXT("User"),          INFO_TEXT("Select_priv"),
    INFO_TEXT("Insert_priv"), INFO_TEXT("Update_priv"),   INFO_TEXT("Delete_priv"),
    INFO_TEXT("Create_priv"), INFO_TEXT("Drop_priv"),     INFO_TEXT("Process_priv"),
    INFO_TEXT("Super_priv"),  INFO_TEXT("account_locked")};

/* Who asks; what other users there are is nobody's business. */
static int fill_user(struct exec *x, struct infoschema_rows *out)
{
    if (infoschema_row(out) != 0)
        return -1;
    infoschema_put_text(out, "%");
    infoschema_put_text(out, x->session->user ? x->session->user : "");
    for (int i = 0; i < 8; i++)
        infoschema_put_text(out, "Y");
    infoschema_put_text(out, "N");
    return 0;
}

INFO_TABLE_OF("mysql", infoschema_mysql_user, "user", user_columns, fill_user);

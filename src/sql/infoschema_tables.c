/* information_schema: what is known of the tables. */
#include "sql/infoschema_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/exec.h"

const char *infoschema_data_type(const struct column *c)
{
    if (c->declared.kind != DECLARED_NONE)
        return declared_name(c->declared.kind);
    switch (c->type) {
    case COLUMN_BOOL:
        return "tinyint";
    case COLUMN_INT:
        return "bigint";
    case COLUMN_DECIMAL:
        return "decimal";
    case COLUMN_DATE:
        return "date";
    case COLUMN_DATETIME:
        return "datetime";
    default:
        return "varchar";
    }
}

/* enum('a','it''s') */
static const char *members_text(struct arena *a, const struct column *c)
{
    size_t bytes = 8;

    for (uint32_t i = 0; i < c->n_values; i++)
        bytes += 2 * strlen(c->values[i].value) + 3;
    char *out = arena_alloc(a, bytes), *at = out;
    if (!out)
        return "";
    at = stpcpy(at, declared_name(c->declared.kind));
    *at++ = '(';
    for (uint32_t i = 0; i < c->n_values; i++) {
        at = stpcpy(at, i ? ",'" : "'");
        for (const char *p = c->values[i].value; *p; p++) {
            if (*p == '\'' || *p == '\\')
                *at++ = *p;
            *at++ = *p;
        }
        *at++ = '\'';
    }
    stpcpy(at, ")");
    return out;
}

static uint32_t characters_of(const struct column *c)
{
    uint64_t bytes = declared_text_bytes(c->declared.kind);

    return c->max_length ? c->max_length : bytes ? (uint32_t)bytes : 255;
}

const char *infoschema_column_type(struct arena *a, const struct column *c)
{
    const char *word = infoschema_data_type(c);
    char out[DECLARED_TEXT_BYTES + 32];

    switch (c->declared.kind) {
    case DECLARED_ENUM:
    case DECLARED_SET:
        return members_text(a, c);
    case DECLARED_NONE:
    case DECLARED_CHAR:
    case DECLARED_DECIMAL:
        break;
    default:
        declared_print(&c->declared, out);
        word = arena_strndup(a, out, strlen(out));
        return word ? word : "";
    }
    switch (c->type) {
    case COLUMN_BOOL:
        return "tinyint(1)";
    case COLUMN_DECIMAL:
        snprintf(out, sizeof out, "decimal(%u,%u)%s",
                 c->declared.precision ? c->declared.precision : DECLARED_MAX_PRECISION, c->scale,
                 c->declared.is_unsigned ? " unsigned" : "");
        break;
    case COLUMN_STRING:
        snprintf(out, sizeof out, "%s(%u)", word, characters_of(c));
        break;
    case COLUMN_DATETIME:
        if (c->scale) {
            snprintf(out, sizeof out, "datetime(%u)", c->scale);
            break;
        }
        /* fallthrough */
    default:
        return word;
    }
    word = arena_strndup(a, out, strlen(out));
    return word ? word : "";
}

const char *infoschema_column_key(const struct column *c)
{
    if (c->in_key)
        return "PRI";
    return c->parent_table ? "MUL" : "";
}

enum { TABLES_FIRST_FIGURE = 7, TABLES_LAST_FIGURE = 12 }; /* TABLE_ROWS to DATA_FREE */

struct tables_gather { /* in the statement's arena */
    struct exec *x;
    struct cluster_tables_stats stats; /* list copied there, too */
    bool in_flight, told, failed;
};

static void tables_told(struct cluster_tables_stats *t)
{
    struct tables_gather *g = t->ctx;
    size_t bytes = t->n * sizeof *t->list;
    void *copy = t->list ? arena_alloc(g->x->arena, bytes + 1) : NULL;

    if (copy)
        memcpy(copy, t->list, bytes);
    else
        exec_no_memory(g->x, "information_schema");
    g->failed = !copy;
    free(t->list);
    t->list = copy;
    g->in_flight = false;
    g->told = true;
    g->x->open_queries--;
    exec_wake(g->x);
}

static bool wants_figures(const struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < out->n_wanted; i++)
        if (out->wanted[i] >= TABLES_FIRST_FIGURE && out->wanted[i] <= TABLES_LAST_FIGURE)
            return true;
    return false;
}

/* Asks all cores for the figures of their tables, when they are wanted. */
static bool gather_tables(struct exec *x, struct infoschema_rows *out, bool *failed)
{
    struct tables_gather *g = out->gathered;

    if (g) {
        *failed = g->failed;
        return !g->in_flight;
    }
    g = out->gathered = arena_alloc(x->arena, sizeof *g);
    *failed = !g;
    if (!g)
        return exec_no_memory(x, "information_schema") == EXEC_ERROR;
    *g = (struct tables_gather){.x = x, .stats = {.done = tables_told, .ctx = g}};
    g->in_flight =
        wants_figures(out) && x->cluster && cluster_tables_stats_start(x->cluster, &g->stats);
    x->open_queries += g->in_flight;
    return !g->in_flight;
}

static void table_stats(struct exec *x, const struct infoschema_rows *rows, const struct schema *s,
                        struct cluster_table_stats *out)
{
    const struct tables_gather *g = rows->gathered;

    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; g->told && i < g->stats.n; i++)
        if (g->stats.list[i].table_id == s->table_id)
            *out = g->stats.list[i];
    if (!g->told &&
        (!wants_figures(rows) || !x->cluster || !cluster_table_stats(x->cluster, s->table_id, out)))
        memset(out, 0, sizeof *out);
}

static const struct infoschema_column tables_columns[] = {
    INFO_TEXT("TABLE_CATALOG"),  INFO_TEXT("TABLE_SCHEMA"),   INFO_TEXT("TABLE_NAME"),
    INFO_ANY_CASE("TABLE_TYPE"), INFO_ANY_CASE("ENGINE"),     INFO_INT("VERSION"),
    INFO_TEXT("ROW_FORMAT"),     INFO_INT("TABLE_ROWS"),      INFO_INT("AVG_ROW_LENGTH"),
    INFO_INT("DATA_LENGTH"),     INFO_INT("MAX_DATA_LENGTH"), INFO_INT("INDEX_LENGTH"),
    INFO_INT("DATA_FREE"),       INFO_INT("AUTO_INCREMENT"),  INFO_TEXT("CREATE_TIME"),
    INFO_TEXT("UPDATE_TIME"),    INFO_TEXT("CHECK_TIME"),     INFO_TEXT("TABLE_COLLATION"),
    INFO_INT("CHECKSUM"),        INFO_TEXT("CREATE_OPTIONS"), INFO_TEXT("TABLE_COMMENT"),
};

static int put_system_table(struct infoschema_rows *out, const struct infoschema_table *t)
{
    if (infoschema_row(out) != 0)
        return -1;
    infoschema_put_text(out, "def");
    infoschema_put_text(out, t->database);
    infoschema_put_text(out, t->name);
    infoschema_put_text(out, "SYSTEM VIEW");
    infoschema_put_text(out, "MEMORY");
    infoschema_put_int(out, 11);
    for (int i = 6; i < 19; i++)
        infoschema_put_null(out);
    infoschema_put_text(out, "");
    infoschema_put_text(out, "");
    return 0;
}

static int fill_tables(struct exec *x, struct infoschema_rows *out)
{
    const struct infoschema_table *system_table;

    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        struct cluster_table_stats stats;
        table_stats(x, out, s, &stats);
        if (infoschema_row(out) != 0)
            return -1;
        infoschema_put_text(out, "def");
        infoschema_put_text(out, SESSION_DATABASE);
        infoschema_put_text(out, s->name);
        infoschema_put_text(out, schema_is_view(s) ? "VIEW" : "BASE TABLE");
        if (schema_is_view(s)) {
            for (int k = 4; k < 20; k++)
                infoschema_put_null(out);
            infoschema_put_text(out, "VIEW");
            continue;
        }
        infoschema_put_text(out, "QUANTA");
        infoschema_put_int(out, 10);
        infoschema_put_text(out, "Dynamic");
        infoschema_put_int(out, (int64_t)stats.rows);
        infoschema_put_int(out, stats.rows ? (int64_t)(stats.bytes / stats.rows) : 0);
        infoschema_put_int(out, (int64_t)stats.bytes);
        infoschema_put_int(out, 0);
        infoschema_put_int(out, (int64_t)stats.index_bytes);
        infoschema_put_int(out, (int64_t)stats.free_bytes);
        for (int k = 0; k < 4; k++)
            infoschema_put_null(out);
        infoschema_put_text(out, "utf8mb4_bin");
        infoschema_put_null(out);
        infoschema_put_text(out, "");
        infoschema_put_text(out, s->comment ? s->comment : "");
    }
    for (uint32_t i = 0; (system_table = infoschema_at(i)) != NULL; i++)
        if (put_system_table(out, system_table) != 0)
            return -1;
    return 0;
}

const struct infoschema_table infoschema_tables = {
    .database = "information_schema",
    .name = "TABLES",
    .columns = tables_columns,
    .n_columns = sizeof tables_columns / sizeof *tables_columns,
    .gather = gather_tables,
    .fill = fill_tables,
};

static const struct infoschema_column columns_columns[] = {
    INFO_TEXT("TABLE_CATALOG"),
    INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),
    INFO_ANY_CASE("COLUMN_NAME"),
    INFO_INT("ORDINAL_POSITION"),
    INFO_TEXT("COLUMN_DEFAULT"),
    INFO_ANY_CASE("IS_NULLABLE"),
    INFO_TEXT("DATA_TYPE"),
    INFO_INT("CHARACTER_MAXIMUM_LENGTH"),
    INFO_INT("CHARACTER_OCTET_LENGTH"),
    INFO_INT("NUMERIC_PRECISION"),
    INFO_INT("NUMERIC_SCALE"),
    INFO_INT("DATETIME_PRECISION"),
    INFO_TEXT("CHARACTER_SET_NAME"),
    INFO_TEXT("COLLATION_NAME"),
    INFO_TEXT("COLUMN_TYPE"),
    INFO_ANY_CASE("COLUMN_KEY"),
    INFO_ANY_CASE("EXTRA"),
    INFO_TEXT("PRIVILEGES"),
    INFO_TEXT("COLUMN_COMMENT"),
    INFO_TEXT("IS_GENERATED"),
    INFO_TEXT("GENERATION_EXPRESSION"),
    INFO_TEXT("MAPPING"),
};

/* Decimal digits of the numbers of a column. */
static int64_t digits_of(const struct column *c)
{
    static const uint8_t digits[DECLARED_COUNT] = {[DECLARED_TINYINT] = 3,
                                                   [DECLARED_SMALLINT] = 5,
                                                   [DECLARED_MEDIUMINT] = 7,
                                                   [DECLARED_INT] = 10,
                                                   [DECLARED_YEAR] = 4};

    if (c->type == COLUMN_BOOL)
        return 3;
    if (c->type == COLUMN_DECIMAL)
        return c->declared.precision ? c->declared.precision : DECLARED_MAX_PRECISION;
    return digits[c->declared.kind] ? digits[c->declared.kind] : 19;
}

static void put_numbers(struct infoschema_rows *out, const struct column *c)
{
    bool text = c->type == COLUMN_STRING;
    uint64_t bytes = declared_text_bytes(c->declared.kind);

    if (text) {
        infoschema_put_int(out, characters_of(c));
        infoschema_put_int(out, bytes ? (int64_t)bytes : (int64_t)characters_of(c) * 4);
    } else {
        infoschema_put_null(out);
        infoschema_put_null(out);
    }
    if (c->type == COLUMN_BOOL || c->type == COLUMN_INT || c->type == COLUMN_DECIMAL) {
        infoschema_put_int(out, digits_of(c));
        infoschema_put_int(out, c->type == COLUMN_DECIMAL ? c->scale : 0);
    } else {
        infoschema_put_null(out);
        infoschema_put_null(out);
    }
    if (c->type == COLUMN_DATETIME)
        infoschema_put_int(out, c->scale);
    else
        infoschema_put_null(out);
    infoschema_put_text(out, text ? "utf8mb4" : NULL);
    infoschema_put_text(out, text ? "utf8mb4_bin" : NULL);
}

static int fill_columns(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        int64_t position = 0;
        for (uint16_t k = 0; k < s->n_columns; k++) {
            const struct column *c = &s->columns[k];
            if (c->hidden)
                continue;
            if (infoschema_row(out) != 0)
                return -1;
            infoschema_put_text(out, "def");
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, s->name);
            infoschema_put_text(out, c->name);
            infoschema_put_int(out, ++position);
            infoschema_put_text(out, c->default_value);
            infoschema_put_text(out, c->required || c->in_key ? "NO" : "YES");
            infoschema_put_text(out, infoschema_data_type(c));
            put_numbers(out, c);
            infoschema_put_text(out, infoschema_column_type(x->arena, c));
            infoschema_put_text(out, infoschema_column_key(c));
            infoschema_put_text(out, "");
            infoschema_put_text(out, "select,insert,update,references");
            infoschema_put_text(out, c->comment ? c->comment : "");
            infoschema_put_text(out, "NEVER");
            infoschema_put_null(out);
            infoschema_put_text(out, mapping_name(c->mapping));
        }
    }
    return 0;
}

INFO_TABLE(infoschema_columns, "COLUMNS", columns_columns, fill_columns);

static const struct infoschema_column statistics_columns[] = {
    INFO_TEXT("TABLE_CATALOG"), INFO_TEXT("TABLE_SCHEMA"),    INFO_TEXT("TABLE_NAME"),
    INFO_INT("NON_UNIQUE"),     INFO_TEXT("INDEX_SCHEMA"),    INFO_ANY_CASE("INDEX_NAME"),
    INFO_INT("SEQ_IN_INDEX"),   INFO_ANY_CASE("COLUMN_NAME"), INFO_TEXT("COLLATION"),
    INFO_INT("CARDINALITY"),    INFO_INT("SUB_PART"),         INFO_TEXT("PACKED"),
    INFO_ANY_CASE("NULLABLE"),  INFO_TEXT("INDEX_TYPE"),      INFO_TEXT("COMMENT"),
    INFO_TEXT("INDEX_COMMENT"), INFO_TEXT("IS_VISIBLE"),      INFO_TEXT("EXPRESSION"),
};

static int put_index_column(struct exec *x, struct infoschema_rows *out, const struct schema *s,
                            const struct column *c, const char *index, int64_t seq, bool unique,
                            const char *type)
{
    struct cluster_table_stats stats = {0};

    if (infoschema_row(out) != 0)
        return -1;
    if (!x->cluster || !cluster_table_stats(x->cluster, s->table_id, &stats))
        stats.rows = 0;
    infoschema_put_text(out, "def");
    infoschema_put_text(out, SESSION_DATABASE);
    infoschema_put_text(out, s->name);
    infoschema_put_int(out, !unique);
    infoschema_put_text(out, SESSION_DATABASE);
    infoschema_put_text(out, index);
    infoschema_put_int(out, seq);
    infoschema_put_text(out, c->name);
    if (strcmp(type, "FULLTEXT") == 0) {
        infoschema_put_null(out);
        infoschema_put_null(out);
    } else {
        infoschema_put_text(out, "A");
        infoschema_put_int(out, (int64_t)stats.rows);
    }
    infoschema_put_null(out);
    infoschema_put_null(out);
    infoschema_put_text(out, c->required || c->in_key ? "" : "YES");
    infoschema_put_text(out, type);
    infoschema_put_text(out, "");
    infoschema_put_text(out, "");
    infoschema_put_text(out, "YES");
    infoschema_put_null(out);
    return 0;
}

static int fill_statistics(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        int64_t seq = 0;
        for (unsigned k = 0; k < s->n_key; k++) {
            const struct column *c = &s->columns[s->key[k]];
            if (!c->hidden && put_index_column(x, out, s, c, "PRIMARY", ++seq, true, "BITMAP") != 0)
                return -1;
        }
        for (uint16_t k = 0; k < s->n_columns; k++) {
            const struct column *c = &s->columns[k];
            if (c->parent_table && put_index_column(x, out, s, c, c->name, 1, false, "BITMAP") != 0)
                return -1;
            if (column_is_searchable(c) &&
                put_index_column(x, out, s, c, c->name, 1, false, "FULLTEXT") != 0)
                return -1;
        }
    }
    return 0;
}

INFO_TABLE(infoschema_statistics, "STATISTICS", statistics_columns, fill_statistics);

static const struct infoschema_column usage_columns[] = {
    INFO_TEXT("CONSTRAINT_CATALOG"),
    INFO_TEXT("CONSTRAINT_SCHEMA"),
    INFO_TEXT("CONSTRAINT_NAME"),
    INFO_TEXT("TABLE_CATALOG"),
    INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),
    INFO_ANY_CASE("COLUMN_NAME"),
    INFO_INT("ORDINAL_POSITION"),
    INFO_INT("POSITION_IN_UNIQUE_CONSTRAINT"),
    INFO_TEXT("REFERENCED_TABLE_SCHEMA"),
    INFO_TEXT("REFERENCED_TABLE_NAME"),
    INFO_ANY_CASE("REFERENCED_COLUMN_NAME"),
};

/* The first key column of a parent, when it is known. */
static const char *parent_column(struct exec *x, const struct column *c)
{
    const struct schema *p;

    if (c->parent_key)
        return c->parent_key;
    p = catalog_find(x->listed, c->parent_table, strlen(c->parent_table));
    return p && p->n_key ? p->columns[p->key[p->n_key - 1]].name : NULL;
}

static int fill_usage(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        for (unsigned k = 0; k < s->n_key + s->n_columns; k++) {
            bool key = k < s->n_key;
            const struct column *c = &s->columns[key ? s->key[k] : k - s->n_key];
            if (c->hidden || (!key && !c->parent_table))
                continue;
            if (infoschema_row(out) != 0)
                return -1;
            infoschema_put_text(out, "def");
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, key ? "PRIMARY" : c->name);
            infoschema_put_text(out, "def");
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, s->name);
            infoschema_put_text(out, c->name);
            infoschema_put_int(out, key ? (int64_t)k + 1 : 1);
            if (key) {
                for (int n = 0; n < 4; n++)
                    infoschema_put_null(out);
            } else {
                infoschema_put_int(out, 1);
                infoschema_put_text(out, SESSION_DATABASE);
                infoschema_put_text(out, c->parent_table);
                infoschema_put_text(out, parent_column(x, c));
            }
        }
    }
    return 0;
}

INFO_TABLE(infoschema_key_column_usage, "KEY_COLUMN_USAGE", usage_columns, fill_usage);

static const struct infoschema_column constraint_columns[] = {
    INFO_TEXT("CONSTRAINT_CATALOG"), INFO_TEXT("CONSTRAINT_SCHEMA"),
    INFO_TEXT("CONSTRAINT_NAME"),    INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),         INFO_ANY_CASE("CONSTRAINT_TYPE"),
    INFO_TEXT("ENFORCED"),
};

static int fill_constraints(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        for (int k = -1; k < s->n_columns; k++) {
            if (k < 0 ? !s->primary_key : !s->columns[k].parent_table)
                continue;
            if (infoschema_row(out) != 0)
                return -1;
            infoschema_put_text(out, "def");
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, k < 0 ? "PRIMARY" : s->columns[k].name);
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, s->name);
            infoschema_put_text(out, k < 0 ? "PRIMARY KEY" : "FOREIGN KEY");
            infoschema_put_text(out, k < 0 ? "YES" : "NO"); /* parents need not exist */
        }
    }
    return 0;
}

INFO_TABLE(infoschema_table_constraints, "TABLE_CONSTRAINTS", constraint_columns, fill_constraints);

static const struct infoschema_column referential_columns[] = {
    INFO_TEXT("CONSTRAINT_CATALOG"),
    INFO_TEXT("CONSTRAINT_SCHEMA"),
    INFO_TEXT("CONSTRAINT_NAME"),
    INFO_TEXT("UNIQUE_CONSTRAINT_SCHEMA"),
    INFO_TEXT("UNIQUE_CONSTRAINT_NAME"),
    INFO_TEXT("MATCH_OPTION"),
    INFO_TEXT("UPDATE_RULE"),
    INFO_TEXT("DELETE_RULE"),
    INFO_TEXT("TABLE_NAME"),
    INFO_TEXT("REFERENCED_TABLE_NAME"),
};

static int fill_referential(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        for (uint16_t k = 0; k < s->n_columns; k++) {
            if (!s->columns[k].parent_table)
                continue;
            if (infoschema_row(out) != 0)
                return -1;
            infoschema_put_text(out, "def");
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, s->columns[k].name);
            infoschema_put_text(out, SESSION_DATABASE);
            infoschema_put_text(out, "PRIMARY");
            infoschema_put_text(out, "NONE");
            infoschema_put_text(out, "NO ACTION");
            infoschema_put_text(out, "NO ACTION");
            infoschema_put_text(out, s->name);
            infoschema_put_text(out, s->columns[k].parent_table);
        }
    }
    return 0;
}

INFO_TABLE(infoschema_referential_constraints, "REFERENTIAL_CONSTRAINTS", referential_columns,
           fill_referential);

static const struct infoschema_column views_columns[] = {INFO_TEXT("TABLE_CATALOG"),
                                                         INFO_TEXT("TABLE_SCHEMA"),
                                                         INFO_TEXT("TABLE_NAME"),
                                                         INFO_TEXT("VIEW_DEFINITION"),
                                                         INFO_TEXT("CHECK_OPTION"),
                                                         INFO_TEXT("IS_UPDATABLE"),
                                                         INFO_TEXT("DEFINER"),
                                                         INFO_TEXT("SECURITY_TYPE"),
                                                         INFO_TEXT("CHARACTER_SET_CLIENT"),
                                                         INFO_TEXT("COLLATION_CONNECTION")};

static int fill_views(struct exec *x, struct infoschema_rows *out)
{
    for (uint32_t i = 0; i < x->listed->n_tables; i++) {
        const struct schema *s = x->listed->tables[i];
        const char *const cells[] = {"def",        SESSION_DATABASE, s->name,
                                     s->selector,  "NONE",           "NO",
                                     "root@%",     "INVOKER",        "utf8mb4",
                                     "utf8mb4_bin"};
        if (!schema_is_view(s))
            continue;
        if (infoschema_row(out) != 0)
            return -1;
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
            infoschema_put_text(out, cells[k]);
    }
    return 0;
}

INFO_TABLE(infoschema_views, "VIEWS", views_columns, fill_views);

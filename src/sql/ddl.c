/*
 * CREATE, DROP and TRUNCATE TABLE (ALTER: ddl_alter.c, RENAME: ddl_rename.c). SQL types choose a mapping strategy: ddl_type.c.
 *
 * A column's COMMENT 'strategy=StringEnum scale=2 multivalued delim=|; text', or the options
 * STRATEGY '..', SCALE n, MULTIVALUED 1, DELIM '..', choose others; settings of a strategy stand there as
 * key=value or key="value" (bounds="0,10"). Table options TIME_QUANTUM_FIELD and TIME_QUANTUM_TYPE partition;
 * RETENTION, SECONDARY_KEYS, SHARD_KEY and REPLICATED are those of schema.yaml.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/ddl_impl.h"
#include "sql/ddl_partition.h"
#include "sql/ddl_wish.h"
#include "sql/dml_row_default.h"
#include "sql/value_convert.h"
#include "storage/schema_check.h"

bool ddl_check_database(struct statement *s, const char *db)
{
    if (!db)
        db = s->session->database;
    if (!db) {
        statement_fail(s, MYSQL_ER_NO_DB_ERROR);
        return false;
    }
    if (strcasecmp(db, SESSION_DATABASE) == 0)
        return true;
    if (!strcasecmp(db, "information_schema"))
        statement_fail(s, MYSQL_ER_DBACCESS_DENIED_ERROR, s->session->user ? s->session->user : "",
                       "%", db);
    else
        statement_fail(s, MYSQL_ER_BAD_DB_ERROR, db);
    return false;
}

/* ---- columns ---- */

static bool set_settings(struct statement *s, struct column *c, const struct wish *w)
{
    bool any = c->mapping == MAPPING_CUSTOM || c->mapping == MAPPING_CUSTOM_BSI;

    for (unsigned i = 0; i < w->n_settings; i++) {
        const char *key =
            any ? w->settings[i].key : strategy_setting(c->mapping, w->settings[i].key);

        if (!key) {
            mysql_error_set_text(&s->error, 1105,
                                 "column '%.64s', strategy %s: found setting \"%.40s\"; allowed "
                                 "are those of docs/schema.md",
                                 c->name, mapping_name(c->mapping), w->settings[i].key);
            return false;
        }
        if (schema_set_config(c, key, w->settings[i].value) != 0)
            return statement_alloc(s, SIZE_MAX / 4) != NULL;
    }
    return true;
}

static bool mapping_of(struct statement *s, const char *name, enum mapping *out)
{
    char list[400];

    for (enum mapping m = 0; m < MAPPING_COUNT; m++)
        if (strcasecmp(mapping_name(m), name) == 0 && strategy_is_column(m)) {
            *out = m;
            return true;
        }
    strategy_list(list, sizeof list);
    mysql_error_set_text(&s->error, 1105, "strategy: found \"%.60s\"; allowed are %s", name, list);
    return false;
}

static bool set_text(struct statement *s, char **where, const char *text)
{
    free(*where);
    *where = text ? strdup(text) : NULL;
    if (text && !*where)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    return true;
}

/* DEFAULT: a literal's text, or the text of a call such as now(). */
bool ddl_set_default(struct statement *s, struct column *c, const struct sql_expr *e)
{
    if (e->kind == SQL_EXPR_NULL)
        return true;
    if (e->kind == SQL_EXPR_CALL) {
        const char *text = arena_strndup(&s->arena, s->text + e->offset, e->length);
        if (!text)
            return statement_alloc(s, SIZE_MAX / 4) != NULL;
        if (!strchr(text, '(') && !(text = statement_printf(s, "%s()", text)))
            return false;
        if (!set_text(s, &c->default_value, text))
            return false;
        return row_default_ast(s, c) ||
               bind_expr(&s->bind, e); /* other columns are not known yet */
    }
    const char *text = ddl_literal_text(s, e);
    return text && set_text(s, &c->default_value, text);
}

static bool set_members(struct statement *s, struct column *c, const struct sql_text_list *members)
{
    uint32_t n = 0;

    for (const struct sql_text_list *m = members; m; m = m->next)
        n++;
    if (!n)
        return true;
    c->values = calloc(n, sizeof *c->values);
    if (!c->values)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    for (const struct sql_text_list *m = members; m; m = m->next) {
        c->values[c->n_values].value = strndup(m->text, m->length);
        if (!c->values[c->n_values].value)
            return statement_alloc(s, SIZE_MAX / 4) != NULL;
        c->n_values++;
    }
    return true;
}

static bool set_relation(struct statement *s, struct column *c, const struct sql_reference *r)
{
    if (!r || !ddl_check_database(s, r->table.db))
        return r == NULL;
    if (!catalog_find(s->exec.listed, r->table.name, strlen(r->table.name))) {
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, r->table.name);
        return false;
    }
    c->mapping = MAPPING_PARENT_RELATION;
    return set_text(s, &c->parent_table, r->table.name);
}

static bool note(struct statement *s, const char *text)
{
    if (text)
        gateway_session_warn(s->session, "Note", MYSQL_ER_NOT_SUPPORTED_YET, text);
    return text != NULL;
}

/* What the column will be, where that is not what was written and people do not expect it. */
static void note_differences(struct statement *s, const struct sql_column_def *d,
                             enum mapping mapping)
{
    if ((d->type.kind == SQL_TYPE_DOUBLE || d->type.kind == SQL_TYPE_FLOAT) && d->type.scale < 0 &&
        mapping == MAPPING_FLOAT_SCALE_BSI && !d->comment && !d->options)
        note(s, statement_printf(s, "Column '%s': %s is kept as DECIMAL(18,%d)", d->name,
                                 sql_type_name(d->type.kind), DDL_DOUBLE_SCALE));
    if (d->type.kind == SQL_TYPE_DECIMAL && d->type.size > DECLARED_MAX_PRECISION)
        note(s, statement_printf(s, "Column '%s': DECIMAL(%d,%d) is kept as DECIMAL(18,%d)",
                                 d->name, d->type.size, d->type.scale > 0 ? d->type.scale : 0,
                                 d->type.scale > 0 ? d->type.scale : 0));
    if (d->type.kind == SQL_TYPE_BIGINT && d->type.is_unsigned)
        note(s, statement_printf(s, "Column '%s': BIGINT UNSIGNED holds numbers up to %lld",
                                 d->name, (long long)INT64_MAX));
    if (d->check)
        note(s, statement_printf(s, "Column '%s': CHECK is not enforced", d->name));
}

/* A literal that the column could not hold would be found by the first INSERT only. */
bool ddl_check_defaults(struct statement *s, const struct schema *t)
{
    for (uint16_t i = 0; i < t->n_columns; i++) {
        const struct column *c = &t->columns[i];
        struct datum d;
        if (!row_default_is_sound(s, t, c))
            return false;
        if (!c->default_value || schema_is_call(c->default_value) ||
            c->mapping == MAPPING_PARENT_RELATION ||
            (c->declared.kind != DECLARED_ENUM && c->declared.kind != DECLARED_SET &&
             c->type != COLUMN_INT && c->type != COLUMN_DECIMAL && c->type != COLUMN_BOOL &&
             c->type != COLUMN_DATE && c->type != COLUMN_DATETIME))
            continue;
        datum_set_string(&d, c->default_value, strlen(c->default_value));
        if (!dml_store(s, t, i, &d, 1, &d)) {
            char why[200];
            snprintf(why, sizeof why, "%.199s", s->error.text);
            mysql_error_set_text(&s->error, MYSQL_ER_INVALID_DEFAULT,
                                 "Invalid default value for '%.64s': found '%.64s': %s", c->name,
                                 c->default_value, why);
            return false;
        }
    }
    return true;
}

bool ddl_add_column(struct statement *s, struct schema *t, const struct sql_column_def *d)
{
    enum column_type type;
    enum mapping mapping;
    uint8_t scale;
    struct wish w = {.scale = -1};

    if (!ddl_type_of(s, &d->type, &type, &mapping, &scale))
        return false;
    if (d->generated || d->is_auto_increment) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET,
                       d->generated ? "generated columns" : "AUTO_INCREMENT");
        return false;
    }
    if (d->on_update) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "ON UPDATE of a column");
        return false;
    }
    note_differences(s, d, mapping);
    if (d->comment) {
        const char *text = arena_strndup(&s->arena, d->comment->v.text, d->comment->count);
        if (!text || !ddl_read_comment(s, text, &w))
            return false;
    }
    if (!ddl_read_options(s, d->options, &w) ||
        (w.strategy && !mapping_of(s, w.strategy, &mapping)))
        return false;
    if (schema_find_column(t, d->name, strlen(d->name)) >= 0) {
        statement_fail(s, MYSQL_ER_DUP_FIELDNAME, d->name);
        return false;
    }
    struct column *c = schema_add_column(t, d->name, type, mapping);
    if (!c)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    if (w.strategy && type == COLUMN_DATETIME) /* the strategy says the unit */
        scale = strategy_tick_scale(mapping);
    c->scale = w.scale >= 0 && type == COLUMN_DECIMAL ? (uint8_t)w.scale : scale;
    c->required = d->is_not_null || d->is_primary;
    c->multi_valued = d->type.kind == SQL_TYPE_SET || w.multi_valued;
    c->searchable = w.searchable;
    c->delim = w.delim ? w.delim : ',';
    if (!set_settings(s, c, &w))
        return false;
    ddl_declare(&d->type, c);
    if (w.text && *w.text && !set_text(s, &c->comment, w.text))
        return false;
    if (d->default_value && !ddl_set_default(s, c, d->default_value))
        return false;
    return set_members(s, c, d->type.members) && set_relation(s, c, d->reference);
}

/* ---- keys ---- */

static bool add_key_column(struct statement *s, struct schema *t, const char *name,
                           const char **key)
{
    int c = schema_find_column(t, name, strlen(name));

    if (c < 0) {
        mysql_error_set_text(&s->error, 1072, "Key column '%s' doesn't exist in table", name);
        return false;
    }
    t->columns[c].required = true;
    *key = *key ? statement_printf(s, "%s+%s", *key, t->columns[c].name) : t->columns[c].name;
    return *key != NULL;
}

bool ddl_add_fulltext(struct statement *s, struct schema *t, const struct sql_key *k)
{
    for (const struct sql_name_list *n = k->columns; n; n = n->next) {
        int c = schema_find_column(t, n->name, strlen(n->name));

        if (c < 0) {
            mysql_error_set_text(&s->error, 1072, "Key column '%s' doesn't exist in table",
                                 n->name);
            return false;
        }
        t->columns[c].searchable = true;
        if (!column_is_searchable(&t->columns[c])) {
            mysql_error_set_text(&s->error, 1283,
                                 "Column '%s' cannot be part of FULLTEXT index: it is %s; allowed "
                                 "are StringHashBSI and StringEnum",
                                 n->name, mapping_name(t->columns[c].mapping));
            return false;
        }
    }
    return true;
}

static bool add_keys(struct statement *s, struct schema *t, const struct sql_create_table *ast)
{
    const char *primary = NULL;
    bool has = false;

    for (const struct sql_column_def *d = ast->columns; d; d = d->next) {
        if (d->is_unique && !d->is_primary) {
            statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "UNIQUE keys beside the primary key");
            return false;
        }
        if (!d->is_primary)
            continue;
        if (has) {
            mysql_error_set_text(&s->error, 1068, "Multiple primary key defined");
            return false;
        }
        has = true;
        if (!add_key_column(s, t, d->name, &primary))
            return false;
    }
    for (const struct sql_key *k = ast->keys; k; k = k->next) {
        if (k->kind == SQL_KEY_UNIQUE) {
            statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "UNIQUE keys beside the primary key");
            return false;
        }
        if (k->kind == SQL_KEY_FOREIGN) {
            int c = schema_find_column(t, k->columns->name, strlen(k->columns->name));
            if (c < 0 || k->columns->next) {
                mysql_error_set_text(
                    &s->error, c < 0 ? 1072 : 1235,
                    c < 0 ? "Key column '%s' doesn't exist in table"
                          : "FOREIGN KEY of several columns (%s, ...) is not supported",
                    k->columns->name);
                return false;
            }
            if (!set_relation(s, &t->columns[c], k->reference))
                return false;
        }
        if (k->kind == SQL_KEY_FULLTEXT && !ddl_add_fulltext(s, t, k))
            return false;
        if (k->kind != SQL_KEY_PRIMARY)
            continue; /* every column is indexed */
        if (has) {
            mysql_error_set_text(&s->error, 1068, "Multiple primary key defined");
            return false;
        }
        has = true;
        for (const struct sql_name_list *n = k->columns; n; n = n->next)
            if (!add_key_column(s, t, n->name, &primary))
                return false;
    }
    return set_text(s, &t->primary_key, primary);
}

bool ddl_add_table_options(struct statement *s, struct schema *t, const struct sql_option *o)
{
    for (; o; o = o->next) {
        char **where = strcasecmp(o->key, "comment") == 0              ? &t->comment
                       : strcasecmp(o->key, "time_quantum_field") == 0 ? &t->time_field
                       : strcasecmp(o->key, "time_quantum_type") == 0  ? &t->time_type
                       : strcasecmp(o->key, "retention") == 0          ? &t->retention
                       : strcasecmp(o->key, "secondary_keys") == 0     ? &t->secondary_keys
                       : strcasecmp(o->key, "shard_key") == 0          ? &t->shard_key
                                                                       : NULL;
        bool replicated = strcasecmp(o->key, "replicated") == 0;
        if (!where && !replicated)
            continue; /* ENGINE, CHARSET and their like */
        const char *v = ddl_literal_text(s, o->value);
        if (!v || (where && !set_text(s, where, v)))
            return false;
        if (replicated)
            t->replicated = *v == '1' || *v == 't' || *v == 'T';
    }
    return true;
}

/* CREATE TABLE t LIKE u. */
static struct schema *copy_table(struct statement *s, const struct sql_create_table *ast)
{
    const struct schema *from =
        catalog_find(s->exec.catalog, ast->like->name, strlen(ast->like->name));
    struct error_info err = {0};
    struct schema *t = NULL;
    char *yaml;

    if (!from) {
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, ast->like->name);
        return NULL;
    }
    yaml = schema_print_yaml(from);
    if (!yaml || schema_parse_yaml("LIKE", yaml, strlen(yaml), NULL, NULL, &t, &err) != 0) {
        mysql_error_set_text(&s->error, 1105, "%s", yaml ? err.text : "Out of memory");
        t = NULL;
    }
    free(yaml);
    if (t) {
        free(t->name);
        t->name = strdup(ast->table.name);
        t->table_id = 0;
        t->version = 0;
        if (!t->name) {
            schema_put(t);
            t = NULL;
            statement_alloc(s, SIZE_MAX / 4);
        }
    }
    return t;
}

struct schema *ddl_make_table(struct statement *s, const struct sql_create_table *ast)
{
    struct error_info err = {0};
    struct schema *t;

    if (ast->like)
        return copy_table(s, ast);
    if (!ast->columns) {
        statement_fail(s, MYSQL_ER_TABLE_MUST_HAVE_COLUMNS);
        return NULL;
    }
    t = schema_new(ast->table.name);
    if (!t)
        return statement_alloc(s, SIZE_MAX / 4);
    bool ok = true;
    for (const struct sql_column_def *d = ast->columns; d && ok; d = d->next)
        ok = ddl_add_column(s, t, d);
    ok = ok && add_keys(s, t, ast) && ddl_add_table_options(s, t, ast->options);
    if (ok && schema_finish(t, &err) != 0) {
        mysql_error_set_text(&s->error, err.code ? (unsigned)err.code : 1105, "%s", err.text);
        ok = false;
    }
    if (!ok || !ddl_check_defaults(s, t)) {
        schema_put(t);
        return NULL;
    }
    return t;
}

/* ---- running ---- */

static void ddl_done(struct cluster_ddl *r)
{
    struct ddl *d = r->ctx;

    d->in_flight = false;
    if (r->schema)
        schema_put(r->schema);
    d->s->exec.open_queries--;
    exec_wake(&d->s->exec);
}

void ddl_start(struct ddl *d, enum cluster_ddl_kind kind, struct schema *schema, const char *name)
{
    memset(&d->request, 0, sizeof d->request);
    d->request.kind = kind;
    d->request.schema = schema;
    d->request.name = name;
    d->request.renames = d->renames;
    d->request.n_renames = d->n_renames;
    d->request.done = ddl_done;
    d->request.ctx = d;
    d->error_name = name ? name : statement_printf(d->s, "%s", schema->name);
    d->started = d->in_flight = true;
    d->s->exec.open_queries++;
    cluster_ddl_start(d->s->env->cluster, &d->request);
}

/* False when the statement has failed. */
static bool take_result(struct ddl *d)
{
    int rc = d->request.rc;
    struct statement *s = d->s;

    d->started = false;
    if (rc == 0)
        return true;
    if (d->n_renames && d->request.error.code) {
        mysql_error_set_text(&s->error, (unsigned)d->request.error.code, "%s",
                             d->request.error.text);
    } else if (rc == -EEXIST) {
        if (d->if_exists)
            return true;
        statement_fail(s, MYSQL_ER_TABLE_EXISTS_ERROR, d->error_name);
    } else if (rc == -ENOENT && d->request.kind == CLUSTER_DROP_TABLE) {
        if (d->if_exists)
            return true;
        statement_fail(s, MYSQL_ER_BAD_TABLE_ERROR,
                       statement_printf(s, "%s.%s", SESSION_DATABASE, d->error_name));
    } else if (rc == -ENOENT) {
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, d->error_name);
    } else {
        mysql_error_set_text(&s->error,
                             d->request.error.code ? (unsigned)d->request.error.code : 1105, "%s",
                             d->request.error.text[0] ? d->request.error.text
                                                      : "The definition could not be changed");
    }
    return false;
}

static enum step ddl_run(struct statement *s)
{
    struct ddl *d = s->state;

    for (;;) {
        if (d->started) {
            if (d->in_flight)
                return STEP_PENDING;
            if (!take_result(d))
                return STEP_READY;
        }
        if (!d->next) {
            if (!s->next_text)
                statement_ok(s, 0, 0, NULL);
            return STEP_READY;
        }
        struct sql_table_name *t = d->next;
        d->next = t->next;
        ddl_start(d, CLUSTER_DROP_TABLE, NULL, t->name);
    }
}

static bool drop_tables(struct statement *s, struct ddl *d)
{
    const struct sql_drop *drop = s->ast->u.drop;
    const char *missing = NULL;

    d->if_exists = drop->if_exists;
    struct sql_table_name **end = &d->next, *temporaries = NULL;
    for (struct sql_table_name *t = drop->tables, *next; t; t = next) {
        next = t->next;
        if (!ddl_check_database(s, t->db))
            return false;
        if (!drop->is_view && ddl_is_temporary(s, t->name)) {
            t->next = temporaries;
            temporaries = t;
            continue;
        }
        const struct schema *found =
            drop->is_temporary ? NULL : catalog_find(s->exec.listed, t->name, strlen(t->name));
        if (!drop->is_temporary && (!found || schema_is_view(found) == drop->is_view)) {
            *end = t; /* the list loses what is of the other kind */
            end = &t->next;
        }
        if (found && schema_is_view(found) == drop->is_view)
            continue;
        if (found && drop->is_view) {
            mysql_error_set_text(&s->error, 1347, "'%s.%s' is not VIEW", SESSION_DATABASE, t->name);
            return false;
        }
        missing = missing ? statement_printf(s, "%s,%s.%s", missing, SESSION_DATABASE, t->name)
                          : statement_printf(s, "%s.%s", SESSION_DATABASE, t->name);
        if (!missing)
            return false;
    }
    *end = NULL;
    if (missing && !drop->if_exists) {
        statement_fail(s, MYSQL_ER_BAD_TABLE_ERROR, missing);
        return false;
    }
    ddl_drop_temporaries(s, temporaries);
    if (missing)
        gateway_session_warn(s->session, "Note", MYSQL_ER_BAD_TABLE_ERROR,
                             statement_printf(s, "Unknown table '%s'", missing));
    return true;
}

static bool create_table(struct statement *s, struct ddl *d)
{
    const struct sql_create_table *ast = s->ast->u.create_table;
    struct schema *t;

    if (!ddl_check_database(s, ast->table.db))
        return false;
    if (ast->is_temporary)
        return ddl_create_temporary(s, s->ast->u.create_table);
    d->if_exists = ast->if_not_exists;
    if (catalog_find(s->exec.listed, ast->table.name, strlen(ast->table.name))) {
        if (!ast->if_not_exists) {
            statement_fail(s, MYSQL_ER_TABLE_EXISTS_ERROR, ast->table.name);
            return false;
        }
        gateway_session_warn(s->session, "Note", MYSQL_ER_TABLE_EXISTS_ERROR,
                             statement_printf(s, "Table '%s' already exists", ast->table.name));
        return true; /* nothing to do */
    }
    if (ast->query && !ddl_take_query(s, s->ast->u.create_table))
        return false;
    t = ddl_make_table(s, ast);
    if (!t)
        return false;
    ddl_start(d, CLUSTER_CREATE_TABLE, t, NULL); /* our reference is given back by ddl_done */
    return true;
}

/* What is no view; that it exists is found out later. */
static bool check_table(struct statement *s, const char *name)
{
    const struct schema *t = catalog_find(s->exec.catalog, name, strlen(name));

    if (!t || !schema_is_view(t))
        return true;
    mysql_error_set_text(&s->error, 1347, "'%s.%s' is not BASE TABLE", SESSION_DATABASE, name);
    return false;
}

static bool create_database(struct statement *s)
{
    const struct sql_database *db = s->ast->u.database;
    bool create = s->ast->kind == SQL_STMT_CREATE_DATABASE,
         known = strcasecmp(db->name, SESSION_DATABASE) == 0;

    if (create && known && !db->if_exists) {
        mysql_error_set_text(&s->error, 1007, "Can't create database '%s'; database exists",
                             db->name);
        return false;
    }
    if (!create && !known && !db->if_exists) {
        mysql_error_set_text(&s->error, 1008, "Can't drop database '%s'; database doesn't exist",
                             db->name);
        return false;
    }
    if (create != known) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET,
                       create ? "databases other than " SESSION_DATABASE
                              : "DROP DATABASE " SESSION_DATABASE);
        return false;
    }
    return true;
}

/* Actions that are not judged by what they change in the definition. */
static bool is_of_catalog(const struct sql_alter_action *a)
{
    return a && (a->kind == SQL_ALTER_RENAME_TABLE || a->kind >= SQL_ALTER_DROP_PARTITION);
}

bool ddl_prepare(struct statement *s)
{
    struct ddl *d = statement_alloc(s, sizeof *d);
    bool ok;

    if (!d)
        return false;
    d->s = s;
    s->state = d;
    s->run = ddl_run;
    switch (s->ast->kind) {
    case SQL_STMT_CREATE_TABLE:
        return create_table(s, d);
    case SQL_STMT_DROP_TABLE:
        return drop_tables(s, d);
    case SQL_STMT_TRUNCATE:
        if (!ddl_check_database(s, s->ast->u.table_name->db) ||
            !check_table(s, s->ast->u.table_name->name))
            return false;
        if (ddl_truncate_temporary(s, s->ast->u.table_name->name))
            return true;
        ddl_start(d, CLUSTER_TRUNCATE_TABLE, NULL, s->ast->u.table_name->name);
        return true;
    case SQL_STMT_CREATE_INDEX:
    case SQL_STMT_DROP_INDEX:
        return ddl_check_database(s, s->ast->u.index->table.db) &&
               ddl_prepare_index(d, s->ast->u.index);
    case SQL_STMT_CREATE_DATABASE:
    case SQL_STMT_DROP_DATABASE:
        return create_database(s);
    case SQL_STMT_CREATE_VIEW:
        return ddl_create_view(d);
    case SQL_STMT_ALTER_TABLE:
        if (!ddl_check_database(s, s->ast->u.alter->table.db) ||
            (is_of_catalog(s->ast->u.alter->actions) &&
             ddl_refuse_temporary(s, s->ast->u.alter->table.name)) ||
            !check_table(s, s->ast->u.alter->table.name))
            return false;
        if (s->ast->u.alter->actions && s->ast->u.alter->actions->kind == SQL_ALTER_RENAME_TABLE)
            return ddl_rename_one(d, s->ast->u.alter);
        if (ddl_prepare_partitions(s, &ok))
            return ok;
        return ddl_prepare_alter(d, s->ast->u.alter);
    default:
        return ddl_rename_tables(d, s->ast->u.rename);
    }
}

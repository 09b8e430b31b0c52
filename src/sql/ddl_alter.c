/*
 * ALTER TABLE: the definition that the table has, with the changes, is what it shall be; the rules of schema_check_alter
 * decide. Columns are added at the end, nothing is dropped or renamed.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/ddl_impl.h"
#include "sql/dml_row.h"
#include "sql/value_convert.h"
#include "storage/initial.h"

/* Owner: the preparation of one statement. */
struct alter {
    struct statement *s;
    const struct schema *old;
    struct schema *next; /* not finished, nobody shares it */
    bool changes;
};

static bool refuse(struct alter *a, const char *what, const char *found, const char *allowed)
{
    mysql_error_set_text(&a->s->error, 1846, "table '%.64s', %s: found %.100s; allowed: %s",
                         a->old->name, what, found, allowed);
    return false;
}

static bool take_error(struct alter *a, const struct error_info *err)
{
    mysql_error_set_text(&a->s->error, err->code ? (unsigned)err->code : 1105, "%s", err->text);
    return false;
}

static bool note(struct alter *a, unsigned code, const char *text)
{
    if (text)
        gateway_session_warn(a->s->session, "Note", code, text);
    return text != NULL;
}

static struct column *find(struct alter *a, const char *name)
{
    int at = schema_find_column(a->next, name, strlen(name));

    return at < 0 ? NULL : &a->next->columns[at];
}

static struct column *need(struct alter *a, const char *name)
{
    struct column *c = find(a, name);

    if (!c)
        statement_fail(a->s, MYSQL_ER_BAD_FIELD_ERROR, name, a->old->name);
    return c;
}

/* ---- ADD COLUMN ---- */

static bool check_place(struct alter *a, const struct sql_column_def *d)
{
    const struct schema *t = a->next;

    if (!d->is_first &&
        (!d->after || (t->n_columns && !strcasecmp(d->after, t->columns[t->n_columns - 1].name))))
        return true;
    return refuse(a, "place of a new column", d->is_first ? "FIRST" : d->after,
                  "the end; columns keep their order");
}

static bool add_column(struct alter *a, const struct sql_alter_action *action)
{
    const struct sql_column_def *d = action->column;

    if (action->if_exists && find(a, d->name))
        return note(a, 1060, statement_printf(a->s, "Duplicate column name '%s'", d->name));
    if (d->is_primary)
        return refuse(a, "primaryKey", d->name, "the key that the table has");
    if (d->is_unique) {
        statement_fail(a->s, MYSQL_ER_NOT_SUPPORTED_YET, "UNIQUE keys beside the primary key");
        return false;
    }
    a->changes = true;
    return check_place(a, d) && ddl_add_column(a->s, a->next, d);
}

/* ---- MODIFY, CHANGE, ALTER COLUMN ---- */

static bool names_strategy(const struct sql_column_def *d)
{
    if (d->comment && d->comment->count >= 9 && !strncasecmp(d->comment->v.text, "strategy=", 9))
        return true;
    for (const struct sql_option *o = d->options; o; o = o->next)
        if (!strcasecmp(o->key, "strategy") || !strcasecmp(o->key, "mapping"))
            return true;
    return false;
}

#define SWAP(a, b)             \
    do {                       \
        __typeof__(a) x = (a); \
        (a) = (b);             \
        (b) = x;               \
    } while (0)

/* What SQL cannot say, or did not, stays; both columns are freed later. */
static void take_definition(struct column *c, struct column *said, const struct sql_column_def *d)
{
    bool same_type = c->type == said->type;

    SWAP(c->default_value, said->default_value);
    SWAP(c->comment, said->comment);
    c->max_length = said->max_length;
    c->declared = said->declared;
    c->required = said->required || c->in_key;
    c->type = said->type;
    c->scale = said->scale;
    if (said->n_values) {
        SWAP(c->values, said->values);
        SWAP(c->n_values, said->n_values);
    }
    if (d->reference) {
        SWAP(c->parent_table, said->parent_table);
        c->mapping = said->mapping;
    }
    if (!names_strategy(d) && same_type)
        return;
    c->mapping = said->mapping;
    c->multi_valued = said->multi_valued;
    c->searchable |= said->searchable; /* a FULLTEXT key stays */
    c->delim = said->delim;
    SWAP(c->config, said->config);
    SWAP(c->n_config, said->n_config);
}

static bool modify_column(struct alter *a, const struct sql_alter_action *action)
{
    const struct sql_column_def *d = action->column;
    const char *name = action->name ? action->name : d->name;
    struct column *c;
    struct schema *said;

    if (action->if_exists && !find(a, name))
        return note(a, 1054, statement_printf(a->s, "Unknown column '%s'", name));
    c = need(a, name);
    if (!c)
        return false;
    if (strcasecmp(name, d->name))
        return refuse(a, "fieldName", d->name, "the names that the columns have");
    if (d->is_first || d->after)
        return refuse(a, "place of a column", d->is_first ? "FIRST" : d->after,
                      "none; columns keep their order");
    said = schema_new(a->old->name);
    if (!said)
        return statement_alloc(a->s, SIZE_MAX / 4) != NULL;
    bool ok = ddl_add_column(a->s, said, d);
    if (ok)
        take_definition(c, &said->columns[0], d);
    schema_put(said);
    a->changes = true;
    return ok;
}

static bool set_default(struct alter *a, const struct sql_alter_action *action)
{
    struct column *c = need(a, action->name);

    if (!c)
        return false;
    a->changes = true;
    if (schema_set_text(&c->default_value, NULL) != 0)
        return false;
    return !action->value || ddl_set_default(a->s, c, action->value);
}

/* ---- what is refused, or means nothing here ---- */

static bool drop_column(struct alter *a, const struct sql_alter_action *action)
{
    struct error_info err;

    if (find(a, action->name)) {
        schema_refuse_drop(a->old, action->name, &err);
        return take_error(a, &err);
    }
    const char *text =
        statement_printf(a->s, "Can't DROP COLUMN `%.64s`; check that it exists", action->name);
    if (action->if_exists || !text)
        return note(a, 1091, text);
    mysql_error_set_text(&a->s->error, 1091, "%s", text);
    return false;
}

/* A FULLTEXT key has the name of its column; others are no keys of ours, and their names are not kept. */
static bool drop_index(struct alter *a, const char *name)
{
    struct column *c = name ? find(a, name) : NULL;

    if (c && column_is_searchable(c)) {
        c->searchable = false;
        a->changes = true;
        return true;
    }
    const char *text = statement_printf(a->s,
                                        "Nothing was dropped for '%.64s': the FULLTEXT key of a "
                                        "column has its name, and other keys do nothing",
                                        name ? name : "");
    if (text)
        gateway_session_warn(a->s->session, "Warning", 1091, text);
    return text != NULL;
}

/* A CHECK, which is not enforced, or the FOREIGN KEY of a relation, which stays. */
static bool drop_constraint(struct alter *a, const char *name)
{
    for (uint16_t i = 0; i < a->old->n_columns; i++)
        if (a->old->columns[i].parent_table)
            return refuse(a, "foreignKey", name, "the relations that the table has");
    return note(a, 1091,
                statement_printf(a->s, "CHECK is not enforced: '%.64s' was not there", name));
}

static bool add_index(struct alter *a, const struct sql_key *key)
{
    if (key->kind != SQL_KEY_FULLTEXT)
        return true;
    a->changes = true;
    return ddl_add_fulltext(a->s, a->next, key);
}

/* Every column is an index. */
static bool change_key(struct alter *a, enum sql_key_kind kind, const char *what)
{
    switch (kind) {
    case SQL_KEY_PRIMARY:
        return refuse(a, "primaryKey", what, "the key that the table has");
    case SQL_KEY_FOREIGN:
        return refuse(a, "foreignKey", what, "the relations that the table has");
    case SQL_KEY_UNIQUE:
        statement_fail(a->s, MYSQL_ER_NOT_SUPPORTED_YET, "UNIQUE keys beside the primary key");
        return false;
    default:
        return true;
    }
}

static bool take_action(struct alter *a, const struct sql_alter_action *action)
{
    switch (action->kind) {
    case SQL_ALTER_ADD_COLUMN:
        return add_column(a, action);
    case SQL_ALTER_MODIFY_COLUMN:
    case SQL_ALTER_CHANGE_COLUMN:
        return modify_column(a, action);
    case SQL_ALTER_SET_DEFAULT:
        return set_default(a, action);
    case SQL_ALTER_DROP_COLUMN:
        return drop_column(a, action);
    case SQL_ALTER_OPTION:
        a->changes = true;
        return ddl_add_table_options(a->s, a->next, action->options);
    case SQL_ALTER_ADD_KEY:
        return change_key(a, action->key->kind, "another key") && add_index(a, action->key);
    case SQL_ALTER_DROP_KEY:
        if (action->key_kind == SQL_KEY_CHECK)
            return drop_constraint(a, action->name);
        return change_key(a, action->key_kind, "DROP") && drop_index(a, action->name);
    case SQL_ALTER_KEYS: /* ENABLE and DISABLE KEYS, which dumps are full of */
        return true;
    default:
        statement_fail(a->s, MYSQL_ER_NOT_SUPPORTED_YET,
                       action->kind == SQL_ALTER_RENAME_COLUMN
                           ? "RENAME COLUMN"
                           : "RENAME beside other changes of ALTER TABLE");
        return false;
    }
}

/* ---- the whole ---- */

/* Defaults that are calls: the rows there are get what the call says now. */
static bool evaluate_default(struct alter *a, uint16_t column)
{
    struct column *c = &a->next->columns[column];
    struct datum value;
    struct error_info err;
    char buf[DATUM_TEXT];
    size_t len;
    bool has;

    if (!c->default_value || !schema_is_call(c->default_value) || schema_is_now(c->default_value) ||
        schema_find_column(a->old, c->name, strlen(c->name)) >= 0)
        return true;
    if (!dml_default(a->s, a->next, column, &value, &has))
        return false;
    if (!has || value.kind == DATUM_NULL)
        return true;
    const char *text = datum_to_text(&value, NULL, buf, &len);
    text = statement_printf(a->s, "%.*s", (int)len, text);
    return text && (initial_make(c, text, &c->initial_value, &err) == 0 || take_error(a, &err));
}

static bool finish(struct alter *a)
{
    struct error_info err = {0};

    if (schema_finish(a->next, &err) != 0)
        return take_error(a, &err);
    if (!ddl_check_defaults(a->s, a->next))
        return false;
    for (uint16_t i = 0; i < a->next->n_columns; i++)
        if (!evaluate_default(a, i))
            return false;
    int rc = schema_succeed(a->old, a->next, a->s->now_us, NULL, NULL, &err);
    if (rc < 0)
        return take_error(a, &err);
    a->changes = rc == 0;
    a->next->table_id = 0;
    return true;
}

static bool make(struct alter *a, const struct sql_alter *ast)
{
    struct error_info err = {0};

    if (schema_copy(a->old, &a->next, &err) != 0)
        return take_error(a, &err);
    schema_reopen(a->next);
    for (const struct sql_alter_action *x = ast->actions; x; x = x->next)
        if (!take_action(a, x))
            return false;
    return !a->changes || (!ddl_refuse_temporary(a->s, a->old->name) && finish(a));
}

bool ddl_prepare_alter(struct ddl *d, const struct sql_alter *ast)
{
    struct alter a = {.s = d->s,
                      .old = catalog_find(d->s->exec.catalog, ast->table.name,
                                          strlen(ast->table.name))};

    if (!a.old) {
        statement_fail(d->s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, ast->table.name);
        return false;
    }
    bool ok = make(&a, ast);
    if (ok && a.changes)
        ddl_start(d, CLUSTER_ALTER_TABLE, a.next,
                  NULL); /* the reference is given back by its end */
    else
        schema_put(a.next);
    return ok;
}

bool ddl_prepare_index(struct ddl *d, const struct sql_index *ast)
{
    struct sql_alter_action action = {.kind = ast->key ? SQL_ALTER_ADD_KEY : SQL_ALTER_DROP_KEY,
                                      .name = ast->name,
                                      .key_kind = SQL_KEY_INDEX,
                                      .key = ast->key};
    struct sql_alter alter = {ast->table, &action};

    return ddl_prepare_alter(d, &alter);
}

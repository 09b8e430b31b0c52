/* The FROM clause: tables, derived tables, joins. */
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/infoschema.h"
#include "sql/parse.h"

enum { MAX_SOURCES = 61 }; /* as MySQL's join limit */

struct value_type bind_column_type(const struct column *c)
{
    struct value_type t;

    switch (c->type) {
    case COLUMN_BOOL:
        t = value_type_int(1);
        break;
    case COLUMN_INT:
        t = value_type_int(19);
        break;
    case COLUMN_DECIMAL:
        t = value_type_decimal(18, c->scale);
        break;
    case COLUMN_DATE:
        t = value_type_temporal(DATUM_DATE, 0);
        break;
    case COLUMN_DATETIME:
        t = value_type_temporal(DATUM_DATETIME, c->scale);
        break;
    default:
        t = value_type_string(c->max_length ? c->max_length : 255);
    }
    t.not_null = c->required || c->in_key;
    return t;
}

/* Memory for which columns are used. */
static bool prepare_source(struct bind *b, struct source *s)
{
    size_t n = s->n_columns ? s->n_columns : 1;

    s->used = bind_alloc(b, n * sizeof *s->used);
    s->cell_of = bind_alloc(b, n * sizeof *s->cell_of);
    return s->used && s->cell_of;
}

static bool bind_table_source(struct bind *b, struct source *s, const struct schema *schema)
{
    s->kind = SOURCE_TABLE;
    s->schema = schema;
    s->name = schema->name;
    s->db = SESSION_DATABASE;
    s->n_columns = schema->n_columns;
    s->columns = bind_alloc(b, (schema->n_columns + 1u) * sizeof *s->columns);
    if (!s->columns)
        return false;
    for (uint16_t i = 0; i < schema->n_columns; i++) {
        const struct column *c = &schema->columns[i];
        s->columns[i] =
            (struct source_column){.name = c->name,
                                   .type = bind_column_type(c),
                                   .delim =
                                       c->layout == LAYOUT_LIST ? (c->delim ? c->delim : ',') : 0,
                                   .hidden = c->hidden,
                                   .column = i};
    }
    return true;
}

static bool bind_virtual_source(struct bind *b, struct source *s, const struct infoschema_table *t)
{
    s->kind = SOURCE_VIRTUAL;
    s->table = t;
    s->name = t->name;
    s->db = t->database;
    s->n_columns = (uint16_t)t->n_columns;
    s->columns = bind_alloc(b, (t->n_columns + 1u) * sizeof *s->columns);
    if (!s->columns)
        return false;
    for (uint16_t i = 0; i < t->n_columns; i++)
        s->columns[i] = (struct source_column){.name = t->columns[i].name,
                                               .type = t->columns[i].type,
                                               .column = i};
    return true;
}

/* at: a name of WITH RECURSIVE, or NULL. */
static bool bind_query_source(struct bind *b, struct source *s, const struct sql_query *q,
                              const struct sql_name_list *names, struct bind_cte *at)
{
    /* A derived table sees nothing of the query it stands in. */
    struct bind_scope *outer = b->scope;
    b->scope = outer ? outer->outer : NULL;
    bool ok = !at || bind_recursive(b, at, &s->query);
    if (ok && !s->query)
        s->query = bind_query(b, q);
    b->scope = outer;
    if (!ok || !s->query)
        return false;
    s->kind = SOURCE_QUERY;
    s->n_columns = (uint16_t)s->query->n_columns;
    s->columns = bind_alloc(b, (s->n_columns + 1u) * sizeof *s->columns);
    if (!s->columns)
        return false;
    for (uint16_t i = 0; i < s->n_columns; i++) {
        const struct bound_column *c = &s->query->columns[i];
        s->columns[i] = (struct source_column){.name = c->name,
                                               .type = c->type,
                                               .column = i,
                                               .delim = c->delim};
        if (names) {
            s->columns[i].name = names->name;
            names = names->next;
            if (!names && i + 1 < s->n_columns)
                return bind_fail(b, MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW, 1l);
        }
        for (uint16_t k = 0; k < i; k++)
            if (strcasecmp(s->columns[k].name, s->columns[i].name) == 0)
                return bind_fail(b, MYSQL_ER_DUP_FIELDNAME, s->columns[i].name);
    }
    if (names)
        return bind_fail(b, MYSQL_ER_WRONG_VALUE_COUNT_ON_ROW, 1l);
    return true;
}

/* The query of a view, in which nothing of the statement is seen. */
static bool bind_view_source(struct bind *b, struct source *s, const struct schema *view)
{
    struct bind_cte *ctes = b->ctes;
    struct bind_scope *scope = b->scope;
    const char *text = b->text;
    const struct catalog *catalog = b->catalog;
    struct sql_name_list *names = NULL;
    struct parse_error pe;
    struct sql_stmt *ast;

    for (uint16_t i = view->n_columns; i-- > 0;) {
        struct sql_name_list *n = bind_alloc(b, sizeof *n);
        if (!n)
            return false;
        if (view->columns[i].hidden)
            continue;
        n->name = view->columns[i].name;
        n->next = names;
        names = n;
    }
    if (sql_parse(b->arena, view->selector, strlen(view->selector), 0, &ast, NULL, &pe) != 0 ||
        ast->kind != SQL_STMT_SELECT)
        return bind_fail(b, 1356, SESSION_DATABASE, view->name);
    b->ctes = NULL;
    b->scope = NULL;
    b->text = view->selector;
    b->catalog = b->listed;
    bool ok = bind_query_source(b, s, ast->u.query, names, NULL);
    b->ctes = ctes;
    b->scope = scope;
    b->text = text;
    b->catalog = catalog;
    s->name = view->name;
    return ok;
}

static const struct sql_cte *find_cte(struct bind *b, const char *name, struct bind_cte **at)
{
    for (struct bind_cte *c = b->ctes; c; c = c->next)
        if (strcasecmp(c->cte->name, name) == 0) {
            *at = c;
            return c->cte;
        }
    return NULL;
}

static bool bind_named_source(struct bind *b, struct source *s, const struct sql_table *t)
{
    const char *db = t->db ? t->db : b->session->database;
    struct bind_cte *at;
    const struct sql_cte *cte = t->db ? NULL : find_cte(b, t->name, &at);

    if (cte) {
        /* Names defined after it, and itself, cannot be seen from inside. */
        if (at->recursion)
            return bind_work_source(b, s, at);
        struct bind_cte *all = b->ctes;
        bool recurs = at->may_recur && cte->query->terms->next && !cte->query->ctes;
        b->ctes = recurs ? at : at->next;
        bool ok = bind_query_source(b, s, cte->query, cte->columns, recurs ? at : NULL);
        b->ctes = all;
        return ok;
    }
    if (!db)
        return bind_fail(b, MYSQL_ER_NO_DB_ERROR);
    if (strcasecmp(db, SESSION_DATABASE) != 0) {
        const struct infoschema_table *v = infoschema_find(db, t->name);
        if (v)
            return bind_virtual_source(b, s, v);
        if (!infoschema_is_database(db))
            return bind_fail(b, MYSQL_ER_BAD_DB_ERROR, db);
        return bind_fail(b, MYSQL_ER_NO_SUCH_TABLE, db, t->name);
    }
    bool is_made = b->made && strcmp(b->made, t->name) == 0;
    const struct schema *schema =
        catalog_find(is_made ? b->listed : b->catalog, t->name, strlen(t->name));
    if (!schema)
        return bind_fail(b, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, t->name);
    if (schema->rows && b->is_view) {
        mysql_error_set_text(b->error, 1352, "View's SELECT refers to a temporary table '%s'",
                             t->name);
        return false;
    }
    return schema_is_view(schema) ? bind_view_source(b, s, schema)
                                  : bind_table_source(b, s, schema);
}

bool bind_add_source(struct bind *b, struct bound_select *sel, const struct sql_table *t)
{
    struct source *s = &sel->sources[sel->n_sources];

    s->alias = t->alias ? t->alias : t->name;
    if (t->kind == SQL_TABLE_QUERY) {
        if (!t->alias)
            return bind_fail(b, MYSQL_ER_DERIVED_MUST_HAVE_ALIAS);
        if (!bind_query_source(b, s, t->query, t->columns, NULL))
            return false;
        s->name = t->alias;
    } else if (!bind_named_source(b, s, t)) {
        return false;
    }
    for (uint16_t i = 0; i < sel->n_sources; i++)
        if (strcmp(sel->sources[i].alias, s->alias) == 0)
            return bind_fail(b, MYSQL_ER_NONUNIQ_TABLE, s->alias);
    if (!prepare_source(b, s))
        return false;
    sel->n_sources++;
    return true;
}

/* ---- joins ---- */

static unsigned count_sources(const struct sql_table *t)
{
    if (!t || t->kind == SQL_TABLE_DUAL)
        return 0;
    return t->kind == SQL_TABLE_JOIN ? count_sources(t->left) + count_sources(t->right) : 1;
}

/* Finds a column by name below a node, for USING and NATURAL: 0 when there is none, 2 when there
 * are several. */
static unsigned find_below(const struct bound_select *s, const struct join_tree *n,
                           const char *name, uint16_t *source, uint16_t *column)
{
    unsigned found = 0;

    for (uint16_t i = n->first_source; i < n->first_source + n->n_sources; i++)
        for (uint16_t c = 0; c < s->sources[i].n_columns; c++) {
            const struct source_column *sc = &s->sources[i].columns[c];
            if (sc->hidden || sc->merged || strcasecmp(sc->name, name) != 0)
                continue;
            if (!found++) {
                *source = i;
                *column = c;
            }
        }
    return found > 2 ? 2 : found;
}

static bool add_on(struct bind *b, struct join_tree *n, struct expr *e)
{
    struct expr **on = bind_alloc(b, (n->n_on + 1) * sizeof *on);

    if (!on || !e)
        return false;
    if (n->n_on)
        memcpy(on, n->on, n->n_on * sizeof *on);
    on[n->n_on++] = e;
    n->on = on;
    return true;
}

/* One column of USING: left = right, shown once. */
static bool join_on_column(struct bind *b, struct bound_select *s, struct join_tree *n,
                           const char *name)
{
    uint16_t ls, lc, rs, rc;
    unsigned l = find_below(s, n->left, name, &ls, &lc),
             r = find_below(s, n->right, name, &rs, &rc);

    if (!l || !r)
        return bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, name, "from clause");
    if (l > 1 || r > 1)
        return bind_fail(b, MYSQL_ER_NON_UNIQ_ERROR, name, "from clause");
    struct expr *e = expr_new(b->arena, EXPR_COMPARE, 2);
    if (!e)
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    e->op = SQL_OP_EQ;
    e->args[0] = bind_source_column(b, s, ls, lc);
    e->args[1] = bind_source_column(b, s, rs, rc);
    if (!e->args[0] || !e->args[1])
        return false;
    if (e->args[0]->delim || e->args[1]->delim)
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "joins on multi-valued columns");
    for (int i = 0; i < 2; i++) {
        e->args[i]->text = name;
        e->args[i]->text_len = (uint32_t)strlen(name);
    }
    expr_prepare(e, b->arena);
    if (n->kind == SQL_JOIN_RIGHT)
        s->sources[ls].columns[lc].merged = true;
    else
        s->sources[rs].columns[rc].merged = true;
    return add_on(b, n, e);
}

static bool join_natural(struct bind *b, struct bound_select *s, struct join_tree *n)
{
    for (uint16_t i = n->left->first_source; i < n->left->first_source + n->left->n_sources; i++)
        for (uint16_t c = 0; c < s->sources[i].n_columns; c++) {
            const struct source_column *sc = &s->sources[i].columns[c];
            uint16_t rs, rc;
            if (sc->hidden || sc->merged || !find_below(s, n->right, sc->name, &rs, &rc))
                continue;
            if (!join_on_column(b, s, n, sc->name))
                return false;
        }
    return true;
}

static void make_nullable(struct bound_select *s, const struct join_tree *n)
{
    for (uint16_t i = n->first_source; i < n->first_source + n->n_sources; i++)
        s->sources[i].nullable = true;
}

static struct join_tree *bind_join(struct bind *b, struct bound_select *s,
                                   const struct sql_table *t)
{
    struct join_tree *n = bind_alloc(b, sizeof *n);

    if (!n)
        return NULL;
    n->first_source = s->n_sources;
    if (t->kind != SQL_TABLE_JOIN) {
        n->n_sources = 1;
        return bind_add_source(b, s, t) ? n : NULL;
    }
    n->kind = t->join;
    n->left = bind_join(b, s, t->left);
    if (!n->left)
        return NULL;
    n->right = bind_join(b, s, t->right);
    if (!n->right)
        return NULL;
    n->n_sources = (uint16_t)(s->n_sources - n->first_source);
    if (n->kind == SQL_JOIN_LEFT)
        make_nullable(s, n->right);
    else if (n->kind == SQL_JOIN_RIGHT)
        make_nullable(s, n->left);
    if (t->is_natural && !join_natural(b, s, n))
        return NULL;
    for (const struct sql_name_list *u = t->using_; u; u = u->next)
        if (!join_on_column(b, s, n, u->name))
            return NULL;
    if (t->on) {
        struct expr **on;
        uint32_t count;
        b->scope->clause = BIND_ON;
        if (!bind_conjuncts(b, t->on, &on, &count))
            return NULL;
        for (uint32_t i = 0; i < count; i++)
            if (!add_on(b, n, on[i]))
                return NULL;
    }
    if ((n->kind == SQL_JOIN_LEFT || n->kind == SQL_JOIN_RIGHT) && !n->n_on) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "outer join without a condition");
        return NULL;
    }
    return n;
}

bool bind_from(struct bind *b, struct bound_select *s, const struct sql_table *from)
{
    unsigned n = count_sources(from);

    if (n > MAX_SOURCES)
        return bind_fail(b, MYSQL_ER_TOO_MANY_TABLES, MAX_SOURCES);
    s->sources = bind_alloc(b, (n + 1) * sizeof *s->sources);
    if (!s->sources)
        return false;
    if (n == 0)
        return true;
    s->from = bind_join(b, s, from);
    return s->from != NULL;
}

struct bound_select *bind_single_table(struct bind *b, const struct sql_table *table)
{
    struct bound_select *s = bind_alloc(b, sizeof *s);

    if (!s)
        return NULL;
    s->limit = UINT64_MAX;
    return bind_from(b, s, table) ? s : NULL;
}

/* EXPLAIN FORMAT=TRADITIONAL: MySQL's table, a row for each table that is read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sql/explain.h"
#include "sql/infoschema.h"
#include "sql/plan_subquery.h"

const char *const explain_table_columns[EXPLAIN_TABLE_COLUMNS] = {
    "id",  "select_type", "table", "partitions", "type",     "possible_keys",
    "key", "key_len",     "ref",   "rows",       "filtered", "Extra"};

struct table {
    const struct explain_view *v;
    struct sql_printer *cells;
    struct arena *a;
    unsigned id;
    const char *select_type;
    unsigned n_rows;
    struct sql_printer extras; /* for the next table */
    bool failed;
};

static void put(struct table *t, const char *text)
{
    explain_put_cell(t->cells, text, text ? strlen(text) : 0);
}

/* rows: what is known of the table's size; NULL = unknown. */
static void put_row(struct table *t, const char *name, const char *type, const char *key,
                    const char *ref, const char *rows, const char *extra)
{
    char id[12];

    snprintf(id, sizeof id, "%u", t->id);
    put(t, id); /* explain.c makes numbers of id and rows */
    put(t, t->select_type);
    put(t, name);
    put(t, NULL);
    put(t, type);
    put(t, key);
    put(t, key);
    put(t, NULL);
    put(t, ref);
    put(t, rows);
    put(t, rows ? "100.00" : NULL);
    if (extra)
        sql_put(&t->extras, extra);
    put(t, t->extras.length ? t->extras.text : NULL);
    t->failed |= t->extras.has_failed;
    t->extras = (struct sql_printer){.arena = t->a};
    t->n_rows++;
}

static const char *table_rows(struct table *t, const struct schema *s, char *out, size_t cap)
{
    struct cluster_table_stats stats;

    if (!t->v->exec->cluster || !cluster_table_stats(t->v->exec->cluster, s->table_id, &stats))
        return NULL;
    snprintf(out, cap, "%llu", (unsigned long long)stats.rows);
    return out;
}

static void put_scan(struct table *t, const struct plan_scan *s)
{
    char rows[24];
    struct sql_printer p = {.arena = t->a};
    const char *name = s->source->alias ? s->source->alias : s->schema->name;

    sql_put(&p, s->n_pushed ? "Using where; on the cores: " : "On the cores: ");
    sql_put(&p, explain_scan_output(s));
    for (unsigned i = 0; i < s->n_columns + s->n_aggregates; i++) {
        sql_put(&p, i ? ", " : " ");
        explain_put_output(&p, s, i);
    }
    t->failed |= p.has_failed;
    put_row(t, name, s->n_pushed ? "range" : "ALL", NULL, NULL,
            table_rows(t, s->schema, rows, sizeof rows), p.text);
}

/* A table whose rows the cores join along its key; its own parents are behind it. */
static void put_parent(struct table *t, const struct plan_scan *child, const struct plan_parent *r)
{
    const struct plan_scan *s = plan_parent_scan(r);
    const char *name = s->source->alias ? s->source->alias : s->schema->name;

    put_row(t, name, "eq_ref", "PRIMARY", child->schema->columns[r->column].name, "1",
            s->n_pushed ? "Using where; joined on the cores" : "Joined on the cores");
    for (uint16_t i = 0; i < s->n_parents; i++)
        put_parent(t, s, &s->parents[i]);
}

/* What the gateway does with the rows of the tables below: told with the first of them, as MySQL does. */
static const char *extra_of(const struct plan *n)
{
    switch (n->kind) {
    case PLAN_SORT:
        return "Using filesort";
    case PLAN_AGGREGATE:
    case PLAN_DISTINCT:
    case PLAN_WINDOW:
        return "Using temporary";
    case PLAN_JOIN:
        return n->u.join.n_keys ? "Using join buffer (hash join)" : "Using join buffer";
    default:
        return NULL;
    }
}

static void put_tables(struct table *t, const struct plan *n)
{
    if (!n)
        return;
    const char *extra = extra_of(n);
    if (extra && (!t->extras.length || !strstr(t->extras.text, extra))) {
        sql_put(&t->extras, extra);
        sql_put(&t->extras, "; ");
    }
    if (n->kind == PLAN_SCAN) {
        put_scan(t, &n->u.scan);
        for (uint16_t i = 0; i < n->u.scan.n_parents; i++)
            put_parent(t, &n->u.scan, &n->u.scan.parents[i]);
        return;
    }
    if (n->kind == PLAN_VIRTUAL)
        put_row(t, n->u.virtual_.table->name, "ALL", NULL, NULL, NULL, "In the gateway");
    put_tables(t, n->child);
    put_tables(t, n->right);
    for (uint32_t i = 0; i < n->n_children; i++)
        put_tables(t, n->children[i]);
}

/* A query without tables has a row, too. */
static void put_query(struct table *t, const struct plan *n)
{
    unsigned before = t->n_rows;

    put_tables(t, n);
    if (t->n_rows == before)
        put_row(t, NULL, NULL, NULL, NULL, NULL, "No tables used");
}

int explain_table(const struct explain_view *v, struct arena *a, struct sql_printer *cells)
{
    static const char *const types[] = {"SIMPLE", "PRIMARY"};
    const char *change = explain_change_name(v->stmt);
    struct table t = {.v = v,
                      .cells = cells,
                      .a = a,
                      .id = 1,
                      .extras = {.arena = a},
                      .select_type = types[v->subqueries != NULL]};

    if (change) {
        t.select_type = v->stmt->kind == SQL_STMT_UPDATE   ? "UPDATE"
                        : v->stmt->kind == SQL_STMT_DELETE ? "DELETE"
                        : *change == 'r'                   ? "REPLACE"
                                                           : "INSERT";
        if (v->stmt->kind == SQL_STMT_INSERT)
            put_row(&t, explain_target(v->stmt), "ALL", NULL, NULL, NULL, NULL);
        if (v->stmt->kind == SQL_STMT_INSERT)
            t.select_type = types[v->subqueries != NULL];
    }
    if (v->plan)
        put_query(&t, v->plan);
    for (const struct subquery *q = v->subqueries; q; q = q->next) {
        t.id++;
        t.select_type = q->mode == SUBQUERY_ONCE ? "SUBQUERY" : "DEPENDENT SUBQUERY";
        put_query(&t, q->plan);
    }
    return t.failed || t.extras.has_failed ? -ENOMEM : 0;
}

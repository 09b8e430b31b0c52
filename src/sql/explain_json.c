/*
 * EXPLAIN FORMAT=JSON, after the second version of MySQL's: "query_plan" is an operator, whose "inputs" are the operators
 * that it reads. "runs_on" tells cores and gateway apart.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sql/explain.h"
#include "sql/infoschema.h"
#include "sql/json.h"
#include "sql/plan_subquery.h"

struct writer {
    const struct explain_view *v;
    struct arena *a;
    bool failed;
};

static struct json *put(struct writer *w, struct json *object, const char *key, struct json *v)
{
    if (!v || !object) {
        w->failed = true;
        return NULL;
    }
    v->key = key;
    v->key_len = key ? strlen(key) : 0;
    json_append(object, v);
    return v;
}

static void put_text(struct writer *w, struct json *object, const char *key, const char *text)
{
    put(w, object, key, json_new_text(w->a, text ? text : "", text ? strlen(text) : 0));
}

static void put_number(struct writer *w, struct json *object, const char *key, const char *fmt,
                       double v)
{
    char text[40];
    int n = snprintf(text, sizeof text, fmt, v);
    char *copy = arena_strndup(w->a, text, (size_t)n);

    put(w, object, key, copy ? json_new_scalar(w->a, JSON_NUMBER, copy, (size_t)n) : NULL);
}

static void put_count(struct writer *w, struct json *object, const char *key, uint64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    char *copy = arena_strndup(w->a, text, (size_t)n);

    put(w, object, key, copy ? json_new_scalar(w->a, JSON_NUMBER, copy, (size_t)n) : NULL);
}

static void put_bool(struct writer *w, struct json *object, const char *key, bool v)
{
    put(w, object, key,
        json_new_scalar(w->a, v ? JSON_TRUE : JSON_FALSE, v ? "true" : "false", v ? 4 : 5));
}

static void put_ms(struct writer *w, struct json *object, const char *key, uint64_t ns)
{
    put_number(w, object, key, "%.3f", (double)ns / 1e6);
}

/* What was printed, as a member; nothing when it is empty. */
static void put_printed(struct writer *w, struct json *object, const char *key,
                        struct sql_printer *p)
{
    w->failed |= p->has_failed;
    if (!w->failed && p->length)
        put_text(w, object, key, p->text);
    *p = (struct sql_printer){.arena = w->a};
}

/* ---- operators ---- */

static void put_parents(struct writer *w, struct json *o, const struct plan_scan *s)
{
    struct json *list =
        s->n_parents ? put(w, o, "joins_on_cores", json_new(w->a, JSON_ARRAY)) : NULL;

    for (uint16_t i = 0; list && i < s->n_parents; i++) {
        const struct plan_parent *r = &s->parents[i];
        struct json *j = put(w, list, NULL, json_new(w->a, JSON_OBJECT));
        put_text(w, j, "join_type", r->left ? "left" : "inner");
        put_text(w, j, "column", s->schema->columns[r->column].name);
        put_text(w, j, "table_name", plan_parent_scan(r)->schema->name);
        put_text(w, j, "key", r->key->name);
        if (plan_parent_scan(r)->n_pushed) {
            struct sql_printer p = {.arena = w->a};
            explain_put_exprs(&p, plan_parent_scan(r)->pushed, plan_parent_scan(r)->n_pushed,
                              " AND ");
            put_printed(w, j, "condition", &p);
        }
    }
}

static void put_outputs(struct writer *w, struct json *o, const struct plan_scan *s)
{
    struct sql_printer p = {.arena = w->a};
    struct json *list;

    put_text(w, o, "output", explain_scan_output(s));
    list = put(w, o, "columns", json_new(w->a, JSON_ARRAY));
    for (unsigned i = 0; list && i < s->n_columns + s->n_aggregates; i++) {
        if (i == s->n_columns)
            list = put(w, o, "aggregates", json_new(w->a, JSON_ARRAY));
        explain_put_output(&p, s, i);
        put_printed(w, list, NULL, &p);
    }
    for (uint16_t i = 0; i < s->n_order; i++) {
        sql_put(&p, i ? ", " : "");
        explain_put_output(&p, s, s->order[i].output);
        sql_put(&p, s->order[i].descending ? " desc" : "");
    }
    put_printed(w, o, "order_by", &p);
    if (s->limit != UINT64_MAX)
        put_count(w, o, "limit", s->limit);
}

static void put_legs(struct writer *w, struct json *o, const struct plan *n)
{
    const struct exec_scan_stats *k = explain_legs(w->v, n);
    struct json *list = k ? put(w, o, "cores", json_new(w->a, JSON_ARRAY)) : NULL;

    for (uint32_t i = 0; list && i < k->n_legs; i++) {
        const struct scan_stats *x = &k->legs[i].scan;
        struct json *j = put(w, list, NULL, json_new(w->a, JSON_OBJECT));
        put_text(w, j, "name", k->legs[i].where);
        put_count(w, j, "slots", x->slots);
        put_count(w, j, "segments", x->segments);
        put_count(w, j, "segments_pruned", x->segments_pruned);
        put_count(w, j, "rows_examined", x->rows_total);
        put_count(w, j, "rows_matched", x->rows_matched);
        put_count(w, j, "rows_out", x->rows_out);
        put_count(w, j, "blocks", x->blocks);
        put_count(w, j, "blocks_skipped", x->blocks_skipped);
        put_ms(w, j, "time_ms", x->ns);
    }
}

static void put_scan(struct writer *w, struct json *o, const struct plan *n)
{
    const struct plan_scan *s = &n->u.scan;
    struct sql_printer p = {.arena = w->a};

    put_text(w, o, "access_type", "table");
    put_text(w, o, "schema_name", SESSION_DATABASE);
    put_text(w, o, "table_name", s->schema->name);
    if (s->source->alias && strcmp(s->source->alias, s->schema->name) != 0)
        put_text(w, o, "alias", s->source->alias);
    explain_put_exprs(&p, s->pushed, s->n_pushed, " AND ");
    put_printed(w, o, "condition", &p);
    put_parents(w, o, s);
    put_outputs(w, o, s);
    put_legs(w, o, n);
}

static void put_join(struct writer *w, struct json *o, const struct plan *n)
{
    struct sql_printer p = {.arena = w->a};

    put_text(w, o, "access_type", "join");
    put_text(w, o, "join_type", explain_join_form(n));
    put_text(w, o, "join_algorithm", n->u.join.n_keys ? "hash" : "nested_loop");
    explain_put_join_keys(&p, n);
    put_printed(w, o, "hash_condition", &p);
    explain_put_exprs(&p, n->u.join.residual, n->u.join.n_residual, " AND ");
    put_printed(w, o, "extra_condition", &p);
    put_text(w, o, "table_built_of", n->u.join.build_left ? "first" : "second");
}

/* What its words tell, once more by name. */
static void put_details(struct writer *w, struct json *o, const struct plan *n)
{
    struct sql_printer p = {.arena = w->a};

    switch (n->kind) {
    case PLAN_SCAN:
        put_scan(w, o, n);
        return;
    case PLAN_JOIN:
        put_join(w, o, n);
        return;
    case PLAN_VIRTUAL:
        put_text(w, o, "access_type", "table");
        put_text(w, o, "schema_name", n->u.virtual_.table->database);
        put_text(w, o, "table_name", n->u.virtual_.table->name);
        return;
    case PLAN_FILTER:
        explain_put_exprs(&p, n->u.list.exprs, n->u.list.n, " AND ");
        put_printed(w, o, "condition", &p);
        return;
    case PLAN_SORT:
        explain_put_sort_keys(&p, n);
        put_printed(w, o, "order_by", &p);
        if (n->u.sort.limit != UINT64_MAX)
            put_count(w, o, "limit", n->u.sort.limit);
        return;
    case PLAN_LIMIT:
        if (n->u.limit.count != UINT64_MAX)
            put_count(w, o, "limit", n->u.limit.count);
        if (n->u.limit.offset)
            put_count(w, o, "offset", n->u.limit.offset);
        return;
    case PLAN_AGGREGATE:
        explain_put_exprs(&p, n->u.aggregate.groups, n->u.aggregate.n_groups, ", ");
        put_printed(w, o, "group_by", &p);
        return;
    default:
        return;
    }
}

static void put_step(struct writer *w, struct json *o, const struct plan *n)
{
    const struct exec_step *k = explain_step(w->v, n);

    if (!k)
        return;
    put_count(w, o, "actual_rows", k->rows);
    put_count(w, o, "actual_loops", k->loops);
    if (!k->was_called)
        return;
    put_ms(w, o, "actual_first_row_ms",
           (k->has_rows ? k->first_row_ns : k->last_ns) - k->first_call_ns);
    put_ms(w, o, "actual_last_row_ms", k->last_ns - k->first_call_ns);
}

static void put_node(struct writer *w, struct json *o, const struct plan *n);

static void put_input(struct writer *w, struct json *list, const struct plan *n)
{
    if (n)
        put_node(w, put(w, list, NULL, json_new(w->a, JSON_OBJECT)), n);
}

static void put_inputs(struct writer *w, struct json *o, const struct plan *n)
{
    struct json *list = n->child || n->right || n->n_children
                            ? put(w, o, "inputs", json_new(w->a, JSON_ARRAY))
                            : NULL;

    if (!list)
        return;
    put_input(w, list, n->child);
    put_input(w, list, n->right);
    for (uint32_t i = 0; i < n->n_children; i++)
        put_input(w, list, n->children[i]);
}

static void put_node(struct writer *w, struct json *o, const struct plan *n)
{
    struct sql_printer p = {.arena = w->a};

    if (!o)
        return;
    put_text(w, o, "operation", explain_node_name(n));
    put_text(w, o, "runs_on", n->kind == PLAN_SCAN ? "cores" : "gateway");
    explain_put_node(&p, n);
    put_printed(w, o, "description", &p);
    put_details(w, o, n);
    put_step(w, o, n);
    put_inputs(w, o, n);
}

/* ---- the statement ---- */

static void put_change(struct writer *w, struct json *o)
{
    const struct sql_stmt *stmt = w->v->stmt;
    struct sql_printer p = {.arena = w->a};

    put_text(w, o, "operation", explain_change_name(stmt));
    put_text(w, o, "runs_on", "cores");
    explain_put_change(&p, stmt);
    put_printed(w, o, "description", &p);
    put_text(w, o, "schema_name", SESSION_DATABASE);
    put_text(w, o, "table_name", explain_target(stmt));
    if (stmt->kind == SQL_STMT_INSERT && stmt->u.insert->row_count)
        put_count(w, o, "rows", stmt->u.insert->row_count);
    if (w->v->plan)
        put_input(w, put(w, o, "inputs", json_new(w->a, JSON_ARRAY)), w->v->plan);
}

static void put_subqueries(struct writer *w, struct json *top)
{
    unsigned number = 0;
    struct json *list =
        w->v->subqueries ? put(w, top, "subqueries", json_new(w->a, JSON_ARRAY)) : NULL;

    for (const struct subquery *q = w->v->subqueries; list && q; q = q->next) {
        struct json *o = put(w, list, NULL, json_new(w->a, JSON_OBJECT));
        put_count(w, o, "number", ++number);
        put_text(w, o, "gives", explain_subquery_use(q));
        put_text(w, o, "when", explain_subquery_mode(q));
        put_bool(w, o, "depends_on_outer_row", q->mode != SUBQUERY_ONCE);
        if (q->plan)
            put_node(w, put(w, o, "query_plan", json_new(w->a, JSON_OBJECT)), q->plan);
    }
}

int explain_json(const struct explain_view *v, struct arena *a, struct sql_printer *cells)
{
    struct writer w = {.v = v, .a = a};
    struct sql_printer p = {.arena = a};
    struct json *top = json_new(a, JSON_OBJECT), *plan;
    const char *change = explain_change_name(v->stmt), *text;
    size_t len;

    sql_put_stmt(&p, v->stmt);
    put_printed(&w, top, "query", &p);
    put_text(&w, top, "query_type", change ? change : "select");
    put_subqueries(&w, top);
    plan = put(&w, top, "query_plan", json_new(a, JSON_OBJECT));
    if (plan && change)
        put_change(&w, plan);
    else if (plan && v->plan)
        put_node(&w, plan, v->plan);
    text = w.failed ? NULL : json_print(a, top, JSON_DETAILED, &len);
    if (!text)
        return -ENOMEM;
    explain_put_cell(cells, text, len);
    return 0;
}

/* EXPLAIN FORMAT=TREE: a line for each operator, indented below the one that reads its rows. */
#include <errno.h>

#include "sql/explain.h"
#include "sql/plan_subquery.h"

enum { INDENT = 3 };

struct tree {
    const struct explain_view *v;
    struct sql_printer *cells;
    struct sql_printer line;
};

static void indent(struct tree *t, unsigned depth)
{
    sql_put_format(&t->line, "%*s", (int)(depth * INDENT), "");
}

static void end_line(struct tree *t)
{
    explain_put_cell(t->cells, t->line.text ? t->line.text : "", t->line.length);
    t->line.length = 0;
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void put_step(struct tree *t, const struct plan *n)
{
    const struct exec_step *k = explain_step(t->v, n);

    if (!k)
        return;
    if (!k->was_called) {
        sql_put(&t->line, " (never run)");
        return;
    }
    sql_put_format(&t->line, " (rows=%llu", (unsigned long long)k->rows);
    if (k->loops > 1)
        sql_put_format(&t->line, " loops=%llu", (unsigned long long)k->loops);
    sql_put_format(&t->line, " time=%.3f..%.3fms)",
                   ms((k->has_rows ? k->first_row_ns : k->last_ns) - k->first_call_ns),
                   ms(k->last_ns - k->first_call_ns));
}

static void put_legs(struct tree *t, const struct plan *n, unsigned depth)
{
    const struct exec_scan_stats *k = explain_legs(t->v, n);

    for (uint32_t i = 0; k && i < k->n_legs; i++) {
        const struct scan_stats *x = &k->legs[i].scan;
        indent(t, depth);
        sql_put(&t->line, "  ");
        sql_put(&t->line, k->legs[i].where);
        sql_put_format(&t->line, ": slots=%u rows=%llu matched=%llu out=%llu", x->slots,
                       (unsigned long long)x->rows_total, (unsigned long long)x->rows_matched,
                       (unsigned long long)x->rows_out);
        sql_put_format(&t->line, " blocks=%llu skipped=%llu segments=%llu pruned=%llu time=%.3fms",
                       (unsigned long long)x->blocks, (unsigned long long)x->blocks_skipped,
                       (unsigned long long)x->segments, (unsigned long long)x->segments_pruned,
                       ms(x->ns));
        end_line(t);
    }
}

static void put_tree(struct tree *t, const struct plan *n, unsigned depth)
{
    if (!n)
        return;
    indent(t, depth);
    sql_put(&t->line, "-> ");
    explain_put_node(&t->line, n);
    put_step(t, n);
    end_line(t);
    put_legs(t, n, depth + 1);
    put_tree(t, n->child, depth + 1);
    put_tree(t, n->right, depth + 1);
    for (uint32_t i = 0; i < n->n_children; i++)
        put_tree(t, n->children[i], depth + 1);
}

int explain_tree(const struct explain_view *v, struct arena *a, struct sql_printer *cells)
{
    struct tree t = {.v = v, .cells = cells, .line = {.arena = a}};
    unsigned number = 0;
    bool changes = explain_change_name(v->stmt) != NULL;

    for (const struct subquery *q = v->subqueries; q; q = q->next) {
        sql_put_format(&t.line, "subquery %u, %s, %s", ++number, explain_subquery_use(q),
                       explain_subquery_mode(q));
        end_line(&t);
        put_tree(&t, q->plan, 1);
    }
    if (changes) {
        sql_put(&t.line, "-> ");
        explain_put_change(&t.line, v->stmt);
        end_line(&t);
    }
    put_tree(&t, v->plan, changes);
    return t.line.has_failed ? -ENOMEM : 0;
}

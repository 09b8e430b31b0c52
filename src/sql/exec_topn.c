/* topn(): value, count, percent; the rest as OTHER: and all as TOTAL:. Takes few rows: one per
 * value. */
#include <stdlib.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/exec.h"
#include "sql/function.h"

struct topn_row {
    struct datum value;
    int64_t count;
};

struct topn_state {
    struct topn_row *rows;
    uint32_t n, cap, next;
    int64_t total, shown;
    bool sorted, total_done;
    struct datum *cells;
};

static int compare_rows(const void *p, const void *q)
{
    const struct topn_row *a = p, *b = q;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return datum_order(&a->value, &b->value);
}

static bool collect(struct exec_op *op, struct topn_state *t, const struct rowset *in)
{
    for (uint32_t i = 0; i < in->rows; i++) {
        const struct datum *row = rowset_row(in, i);
        if (row[0].kind == DATUM_NULL)
            continue;
        if (t->n == t->cap) {
            uint32_t cap = t->cap ? t->cap * 2 : 64;
            struct topn_row *rows = arena_alloc(&op->arena, cap * sizeof *rows);
            if (!rows)
                return false;
            if (t->n)
                memcpy(rows, t->rows, t->n * sizeof *rows);
            t->rows = rows;
            t->cap = cap;
        }
        if (!datum_copy(&t->rows[t->n].value, &row[0], &op->arena))
            return false;
        t->rows[t->n++].count = row[1].i;
        t->total += row[1].i;
    }
    return true;
}

static void put(struct exec_op *op, struct topn_state *t, struct datum *row,
                const struct datum *value, const char *label, int64_t count)
{
    struct expr_ctx ctx;
    __int128 percent = 0;
    unsigned scale;
    size_t len;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    if (label) {
        datum_set_string(&row[0], label, strlen(label));
    } else {
        const char *s = function_text(&ctx, value, &op->plan->u.topn.value_type, &len);
        datum_set_string(&row[0], s ? s : "", s ? len : 0);
    }
    datum_set_int(&row[1], count);
    if (t->total)
        decimal_div((__int128)count * 100, 0, t->total, 0, 6, &percent, &scale);
    else
        scale = 0;
    decimal_rescale(percent, scale, 2, &percent);
    datum_set_decimal(&row[2], t->total ? percent : (label ? 10000 : 0), 2);
}

enum exec_state exec_topn_next(struct exec_op *op, struct rowset *out)
{
    struct topn_state *t = op->state;
    uint64_t limit = op->plan->u.topn.limit;

    if (!t &&
        (!(t = op->state = arena_alloc(&op->arena, sizeof *t)) || !(t->cells = exec_cells(op, 3))))
        return exec_no_memory(op->x, "topn()");
    while (!t->sorted) {
        struct rowset in;
        enum exec_state s = exec_next(op->child, &in);
        if (s == EXEC_PENDING || s == EXEC_ERROR)
            return s;
        if (s == EXEC_END) {
            if (t->n)
                qsort(t->rows, t->n, sizeof *t->rows, compare_rows);
            t->sorted = true;
        } else if (!collect(op, t, &in)) {
            return exec_no_memory(op->x, "topn()");
        } else if (exec_yield(op->x)) {
            return EXEC_PENDING;
        }
    }
    uint32_t n = 0;
    arena_reset(&op->scratch);
    while (n + 2 < ROWSET_ROWS && t->next < t->n && (!limit || t->next < limit)) {
        const struct topn_row *r = &t->rows[t->next++];
        put(op, t, t->cells + 3 * n++, &r->value, NULL, r->count);
        t->shown += r->count;
    }
    bool all = t->next == t->n || (limit && t->next >= limit);
    if (all && !t->total_done) {
        if (t->next < t->n)
            put(op, t, t->cells + 3 * n++, NULL, "OTHER:", t->total - t->shown);
        put(op, t, t->cells + 3 * n++, NULL, "TOTAL:", t->total);
        t->total_done = true;
    }
    *out = (struct rowset){.cells = t->cells, .rows = n, .width = 3};
    return n ? EXEC_ROWS : EXEC_END;
}

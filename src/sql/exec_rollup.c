/* Rows for GROUP BY … WITH ROLLUP: each row once for every level, with the groups beyond the level NULL. */
#include <string.h>

#include "sql/exec.h"

struct rollup_exec {
    struct rowset in;
    uint32_t row;
    struct datum *cells;
};

/* The row's values of the groups, the level, and the row itself: once for each level. */
static void expand(struct exec_op *op, struct rollup_exec *r, struct expr_ctx *ctx, uint32_t at)
{
    uint32_t n = op->plan->u.list.n, width = op->plan->width;
    struct datum *first = r->cells + (size_t)at * width;

    ctx->row = rowset_row(&r->in, r->row);
    for (uint32_t i = 0; i < n; i++) {
        const struct expr *e = op->plan->u.list.exprs[i];
        expr_eval(e, ctx, &first[i]);
        datum_round_to_type(&first[i], &e->type);
    }
    memcpy(first + n + 1, ctx->row, r->in.width * sizeof *first);
    for (uint32_t level = 0; level <= n; level++) {
        struct datum *row = first + (size_t)level * width;
        if (level)
            memcpy(row, first, width * sizeof *row);
        for (uint32_t i = n - level; i < n; i++)
            datum_set_null(&row[i]);
        datum_set_int(&row[n], n - level);
    }
}

enum exec_state exec_rollup_next(struct exec_op *op, struct rowset *out)
{
    struct rollup_exec *r = op->state;
    uint32_t levels = op->plan->u.list.n + 1, made = 0;
    struct expr_ctx ctx;

    if (!r && (!(r = op->state = arena_alloc(&op->arena, sizeof *r)) ||
               !(r->cells = exec_cells(op, op->plan->width))))
        return exec_no_memory(op->x, "WITH ROLLUP");
    if (r->row >= r->in.rows) {
        enum exec_state s = exec_next(op->child, &r->in);
        r->row = 0;
        if (s != EXEC_ROWS) {
            r->in.rows = 0;
            return s;
        }
    }
    arena_reset(&op->scratch);
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->child->plan->base;
    for (; r->row < r->in.rows && made + levels <= ROWSET_ROWS; r->row++, made += levels)
        expand(op, r, &ctx, made);
    *out = (struct rowset){.cells = r->cells, .rows = made, .width = op->plan->width};
    return expr_has_failed(&ctx) ? EXEC_ERROR : EXEC_ROWS;
}

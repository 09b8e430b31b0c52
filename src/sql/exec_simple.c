/* Operators that keep no rows: one row, filter, project, limit, union. */
#include <string.h>

#include "sql/exec.h"

enum exec_state exec_one_row_next(struct exec_op *op, struct rowset *out)
{
    struct datum *cells = op->state;

    if (cells)
        return EXEC_END;
    if (!exec_cells_for(op, &cells, 1, 1))
        return EXEC_ERROR;
    op->state = cells;
    *out = (struct rowset){.cells = cells, .rows = 1, .width = 0};
    return EXEC_ROWS;
}

enum exec_state exec_filter_next(struct exec_op *op, struct rowset *out)
{
    struct expr_ctx ctx;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->child->plan->base;
    for (;;) {
        enum exec_state s = exec_next(op->child, out);
        uint32_t kept = 0;
        if (s != EXEC_ROWS)
            return s;
        arena_reset(&op->scratch);
        for (uint32_t i = 0; i < out->rows; i++) {
            bool keep = true;
            ctx.row = rowset_row(out, i);
            for (uint32_t k = 0; k < op->plan->u.list.n && keep; k++)
                keep = expr_is_true(op->plan->u.list.exprs[k], &ctx);
            if (!keep)
                continue;
            if (kept != i)
                memcpy(rowset_row(out, kept), ctx.row, out->width * sizeof *ctx.row);
            kept++;
        }
        if (expr_has_failed(&ctx))
            return EXEC_ERROR;
        out->rows = kept;
        if (kept)
            return EXEC_ROWS;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

enum exec_state exec_project_next(struct exec_op *op, struct rowset *out)
{
    uint32_t width = op->plan->width;
    struct datum *cells = op->state;
    struct expr_ctx ctx;
    struct rowset in;
    enum exec_state s = exec_next(op->child, &in);

    if (s != EXEC_ROWS)
        return s;
    if (!exec_cells_for(op, &cells, in.rows, width))
        return EXEC_ERROR;
    op->state = cells;
    arena_reset(&op->scratch);
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->child->plan->base;
    for (uint32_t i = 0; i < in.rows; i++) {
        struct datum *row = cells + (size_t)i * width;
        ctx.row = rowset_row(&in, i);
        for (uint32_t k = 0; k < op->plan->u.list.n; k++) {
            const struct expr *e = op->plan->u.list.exprs[k];
            expr_eval(e, &ctx, &row[k]);
            datum_round_to_type(&row[k], &e->type);
        }
    }
    *out = (struct rowset){.cells = cells, .rows = in.rows, .width = width};
    return expr_has_failed(&ctx) ? EXEC_ERROR : EXEC_ROWS;
}

struct limit_state {
    uint64_t skipped, given;
};

enum exec_state exec_limit_next(struct exec_op *op, struct rowset *out)
{
    struct limit_state *l = op->state;
    uint64_t offset = op->plan->u.limit.offset, count = op->plan->u.limit.count;

    if (!l && !(l = op->state = arena_alloc(&op->arena, sizeof *l)))
        return exec_no_memory(op->x, "The query");
    for (;;) {
        if (l->given >= count)
            return EXEC_END;
        enum exec_state s = exec_next(op->child, out);
        if (s != EXEC_ROWS)
            return s;
        if (l->skipped < offset) {
            uint64_t skip = offset - l->skipped < out->rows ? offset - l->skipped : out->rows;
            out->cells += skip * out->width;
            out->rows -= (uint32_t)skip;
            l->skipped += skip;
        }
        if (out->rows > count - l->given)
            out->rows = (uint32_t)(count - l->given);
        l->given += out->rows;
        if (out->rows)
            return EXEC_ROWS;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

struct union_state {
    uint32_t at;
    struct exec_op *child;    /* the open one */
    struct value_type *types; /* of its cells */
};

void exec_union_close(struct exec_op *op)
{
    struct union_state *u = op->state;

    if (u) {
        exec_close(u->child);
        u->child = NULL;
    }
}

enum exec_state exec_union_next(struct exec_op *op, struct rowset *out)
{
    struct union_state *u = op->state;
    struct expr_ctx ctx;

    if (!u && !(u = op->state = arena_alloc(op->x->arena, sizeof *u)))
        return exec_no_memory(op->x, "The query");
    for (;;) {
        if (u->at >= op->plan->n_children)
            return EXEC_END;
        const struct plan *p = op->plan->children[u->at];
        if (!u->child && !(u->child = exec_open(op->x, p)))
            return EXEC_ERROR;
        enum exec_state s = exec_next(u->child, out);
        if (s == EXEC_END) {
            exec_close(u->child);
            u->child = NULL;
            u->at++;
            continue;
        }
        if (s != EXEC_ROWS)
            return s;
        /* Hidden ORDER BY cells cannot be there: terms have no ORDER BY of their own without a
         * LIMIT. */
        exec_expr_ctx(op->x, &ctx, &op->scratch);
        arena_reset(&op->scratch);
        for (uint32_t i = 0; i < out->rows; i++) {
            struct datum *from = rowset_row(out, i), *to = out->cells + (size_t)i * op->plan->width;
            for (uint32_t c = 0; c < op->plan->width; c++) {
                to[c] = from[c];
                expr_to_type(&ctx, &to[c], p->types ? &p->types[c] : &op->plan->types[c],
                             &op->plan->types[c]);
                datum_round_to_type(&to[c], &op->plan->types[c]);
            }
        }
        out->width = op->plan->width;
        return EXEC_ROWS;
    }
}

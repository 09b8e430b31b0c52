/*
 * A subquery run once for all rows outside, but only for the keys these have: the rows are collected, their keys go to
 * the scans of the subquery (exec_reduce.c), it is run, and the rows are handed on. When they are too many it is run for
 * all keys, and the rows that follow are handed on as they come.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/plan_subquery.h"

enum {
    MOST_ROWS = 1 << 19,
    MOST_BYTES = 64 << 20, /* of the rows, */
    BUDGET_PART = 8,       /* and at most this part of the statement's memory */
    FIRST_VALUES = 4096,
};

/* Rows as they came. Owner: the operator. */
struct kept_rows {
    struct kept_rows *next;
    struct rowset rows;
};

enum keyed_stage { KEYED_COLLECT, KEYED_RUN, KEYED_GIVE, KEYED_PASS };

struct keyed_exec {
    enum keyed_stage stage;
    struct arena rows;
    struct kept_rows *first, **end;
    uint32_t n_rows;
    size_t most_bytes;
    bool has_ended;                       /* the child */
    int64_t *values[PLAN_MAX_REDUCTIONS]; /* by reduction */
    uint32_t n[PLAN_MAX_REDUCTIONS], cap[PLAN_MAX_REDUCTIONS];
    struct exec_op *run;
};

static bool add_value(struct keyed_exec *k, uint32_t i, int64_t v)
{
    if (k->n[i] && k->values[i][k->n[i] - 1] == v)
        return true;
    if (k->n[i] == k->cap[i]) {
        uint32_t cap = k->cap[i] ? k->cap[i] * 2 : FIRST_VALUES;
        int64_t *more = arena_alloc_raw(&k->rows, cap * sizeof *more);
        if (!more)
            return false;
        if (k->n[i])
            memcpy(more, k->values[i], k->n[i] * sizeof *more);
        k->values[i] = more;
        k->cap[i] = cap;
    }
    k->values[i][k->n[i]++] = v;
    return true;
}

/* The keys of a row. False without memory. */
static bool take_keys(const struct exec_op *op, struct keyed_exec *k, struct expr_ctx *ctx)
{
    const struct expr *node = op->plan->u.keyed.node;
    const struct subquery_keyed *keyed = node->u.subquery->keyed;
    const struct plan_reductions *r = &op->plan->u.keyed.reductions;
    struct datum d;

    subquery_take_params(node, ctx);
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t key = r->list[i].key;
        expr_eval(keyed->outside[key], ctx, &d);
        datum_round_to_type(&d, &keyed->outside[key]->type); /* as the rows look it up */
        if (d.kind != DATUM_NULL && datum_normalise(&d, keyed->classes[key]) &&
            d.kind == DATUM_INT && !add_value(k, i, d.i))
            return false;
    }
    return true;
}

/* A copy of the rows. False without memory. */
static bool keep_rows(struct keyed_exec *k, const struct rowset *in)
{
    size_t cells = (size_t)in->rows * in->width;
    struct kept_rows *r = arena_alloc(&k->rows, sizeof *r);

    if (!r || !(r->rows.cells = arena_alloc_raw(&k->rows, (cells + 1) * sizeof(struct datum))))
        return false;
    for (size_t i = 0; i < cells; i++)
        if (!datum_copy(&r->rows.cells[i], &in->cells[i], &k->rows))
            return false;
    r->rows.rows = in->rows;
    r->rows.width = in->width;
    *k->end = r;
    k->end = &r->next;
    k->n_rows += in->rows;
    return true;
}

static bool take_rows(struct exec_op *op, struct keyed_exec *k, const struct rowset *in)
{
    struct expr_ctx ctx;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->plan->base;
    arena_reset(&op->scratch);
    for (uint32_t i = 0; i < in->rows; i++) {
        ctx.row = rowset_row(in, i);
        if (!take_keys(op, k, &ctx))
            return false;
    }
    return keep_rows(k, in);
}

static bool is_full(const struct keyed_exec *k)
{
    return k->n_rows >= MOST_ROWS || k->rows.used >= k->most_bytes;
}

/* To the end of the child, or until there are too many rows: END. */
static enum exec_state collect(struct exec_op *op, struct keyed_exec *k)
{
    struct rowset in;

    while (!is_full(k)) {
        enum exec_state s = exec_next(op->child, &in);
        k->has_ended = s == EXEC_END;
        if (s != EXEC_ROWS)
            return s;
        if (!take_rows(op, k, &in))
            return exec_no_memory(op->x, "The subquery");
        if (op->x->error->code)
            return EXEC_ERROR;
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    return EXEC_END;
}

static void reduce(struct exec_op *op, struct keyed_exec *k)
{
    const struct plan_reductions *r = &op->plan->u.keyed.reductions;

    for (uint32_t i = 0; i < r->n; i++)
        exec_reduce(op, &r->list[i], k->values[i], k->n[i]);
}

/* END when the subquery has been run. */
static enum exec_state run(struct exec_op *op, struct keyed_exec *k)
{
    struct subquery *q = op->plan->u.keyed.node->u.subquery;
    struct rowset rows;

    if (!k->n_rows) { /* nothing will ask */
        q->done = true;
        return EXEC_END;
    }
    if (!k->run) {
        if (k->has_ended)
            reduce(op, k);
        if (!(k->run = exec_open(op->x, q->plan)))
            return EXEC_ERROR;
    }
    for (;;) {
        enum exec_state s = exec_next(k->run, &rows);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        for (uint32_t i = 0; i < rows.rows; i++)
            if (subquery_add_row(q, rowset_row(&rows, i), op->x->arena) == -ENOMEM)
                return exec_no_memory(op->x, "The subquery");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    exec_close(k->run);
    k->run = NULL;
    q->done = true;
    return EXEC_END;
}

static struct keyed_exec *keyed_open(struct exec_op *op)
{
    struct keyed_exec *k = op->state = arena_alloc(&op->arena, sizeof *k);
    uint64_t part = budget_least_limit(op->x->budget) / BUDGET_PART;

    if (!k)
        return NULL;
    arena_init(&k->rows, SIZE_MAX, op->x->budget);
    k->end = &k->first;
    k->most_bytes = part && part < MOST_BYTES ? part : MOST_BYTES;
    k->stage = op->plan->u.keyed.node->u.subquery->done ? KEYED_PASS : KEYED_COLLECT;
    return k;
}

enum exec_state exec_keyed_next(struct exec_op *op, struct rowset *out)
{
    struct keyed_exec *k = op->state ? op->state : keyed_open(op);
    enum exec_state s;

    if (!k)
        return exec_no_memory(op->x, "The subquery");
    if (k->stage == KEYED_COLLECT) {
        if ((s = collect(op, k)) != EXEC_END)
            return s;
        k->stage = KEYED_RUN;
    }
    if (k->stage == KEYED_RUN) {
        if ((s = run(op, k)) != EXEC_END)
            return s;
        k->stage = KEYED_GIVE;
    }
    if (k->stage == KEYED_GIVE) {
        if (k->first) {
            *out = k->first->rows;
            k->first = k->first->next;
            return EXEC_ROWS;
        }
        k->stage = KEYED_PASS;
    }
    return k->has_ended ? EXEC_END : exec_next(op->child, out);
}

void exec_keyed_close(struct exec_op *op)
{
    struct keyed_exec *k = op->state;

    if (!k)
        return;
    exec_close(k->run);
    k->run = NULL;
    arena_fini(&k->rows);
}

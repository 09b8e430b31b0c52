/*
 * Subqueries that are run for each row outside: before rows are handed on, every subquery that expressions above will
 * evaluate for them has been run for the values it depends on, once for equal ones. Results are kept in a cache by
 * these values; the expressions look them up (plan_subquery.c).
 *
 * A run is an execution of its own, with an arena that is emptied after it: when its queries have closed.
 */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/exec.h"
#include "sql/plan_subquery.h"

enum {
    CACHE_BYTES = 4 << 20, /* beyond them a cache is emptied before the next rows */
    FIRST_RESULTS = 256,
};

/* Lives in the statement's arena until its queries have closed. */
struct apply_exec {
    struct exec inner;
    struct exec_op *op; /* of the run, NULL between runs */
    struct arena arena; /* of the run */
    struct rowset rows;
    uint32_t row, node; /* at work */
    bool has_rows, was_run, closed;
    struct datum *key; /* values of the node's arguments */
    uint64_t hash;
    struct exec *outer;
    struct subquery_cache *caches; /* by node */
};

static bool is_idle(const struct apply_exec *a)
{
    return !a->inner.open_queries && !a->inner.waiting;
}

static void inner_resumed(struct exec *x)
{
    struct apply_exec *a = x->ctx;

    if (a->closed && is_idle(a)) {
        arena_fini(&a->arena);
        a->outer->open_queries--;
    }
    exec_wake(a->outer);
}

static struct apply_exec *apply_open(struct exec_op *op)
{
    struct exec *x = op->x;
    struct apply_exec *a = op->state = arena_alloc(x->arena, sizeof *a);
    uint32_t n = op->plan->u.list.n, most = 0;

    if (!a)
        return NULL;
    a->outer = x;
    a->inner.reactor = x->reactor;
    a->inner.cluster = x->cluster;
    a->inner.session = x->session;
    a->inner.catalog = x->catalog;
    a->inner.listed = x->listed;
    a->inner.budget = x->budget;
    a->inner.error = x->error;
    a->inner.now_us = x->now_us;
    a->inner.deadline_ns = x->deadline_ns;
    a->inner.arena = &a->arena;
    a->inner.resume = inner_resumed;
    a->inner.ctx = a;
    arena_init(&a->arena, SIZE_MAX, x->budget);
    exec_init(&a->inner);
    a->caches = arena_alloc(x->arena, n * sizeof *a->caches);
    for (uint32_t i = 0; i < n; i++)
        if (op->plan->u.list.exprs[i]->n_args > most)
            most = op->plan->u.list.exprs[i]->n_args;
    a->key = arena_alloc(x->arena, (most + 1) * sizeof *a->key);
    if (!a->caches || !a->key)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        arena_init(&a->caches[i].arena, SIZE_MAX, x->budget);
    return a;
}

void exec_apply_close(struct exec_op *op)
{
    struct apply_exec *a = op->state;

    if (!a || a->closed)
        return;
    a->closed = true;
    exec_close(a->op);
    a->op = NULL;
    for (uint32_t i = 0; a->caches && i < op->plan->u.list.n; i++) {
        arena_fini(&a->caches[i].arena);
        op->plan->u.list.exprs[i]->u.subquery->cache = NULL;
    }
    if (is_idle(a))
        arena_fini(&a->arena);
    else
        a->outer->open_queries++;
}

/* ---- one run ---- */

static int keep(struct subquery_cache *c, const struct datum *key, uint32_t n, uint64_t hash,
                const struct datum *result)
{
    if (c->table.n == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : FIRST_RESULTS;
        struct datum *more = arena_alloc(&c->arena, cap * sizeof *more);
        if (!more)
            return -1;
        if (c->cap)
            memcpy(more, c->results, c->cap * sizeof *more);
        c->results = more;
        c->cap = cap;
    }
    if (!datum_copy(&c->results[c->table.n], result, &c->arena))
        return -1;
    return group_table_add(&c->table, key, n, hash, &c->arena) < 0 ? -1 : 0;
}

static bool begin_run(struct exec_op *op, struct apply_exec *a, const struct expr *e,
                      struct expr_ctx *ctx)
{
    struct subquery *q = e->u.subquery;

    subquery_clear(q, &a->arena);
    subquery_take_params(e, ctx);
    for (struct outer_param *p = q->params; p; p = p->next) {
        struct datum d = p->value; /* the scratch memory it may lie in does not last */
        if (!datum_copy(&p->value, &d, &a->arena))
            return exec_no_memory(op->x, "The subquery") != EXEC_ERROR;
    }
    a->inner.reducers = NULL; /* they lay in the memory of the run before */
    a->was_run = true;
    return (a->op = exec_open(&a->inner, q->plan)) != NULL;
}

/* Takes the rows of the run: END when there are enough of them. */
static enum exec_state take_rows(struct apply_exec *a, struct subquery *q)
{
    struct rowset rows;

    for (;;) {
        enum exec_state s = exec_next(a->op, &rows);
        if (s != EXEC_ROWS)
            return s;
        for (uint32_t i = 0; i < rows.rows; i++) {
            int rc = subquery_add_row(q, rowset_row(&rows, i), &a->arena);
            if (rc == 1)
                return EXEC_END;
            if (rc == 0)
                continue;
            if (rc == -ENOMEM)
                return exec_no_memory(&a->inner, "The subquery");
            mysql_error_set(a->inner.error, MYSQL_ER_SUBQUERY_NO_1_ROW);
            return EXEC_ERROR;
        }
        if (exec_yield(&a->inner))
            return EXEC_PENDING;
    }
}

/* Runs the subquery of a node for the row: END when its result is in the cache. */
static enum exec_state run(struct exec_op *op, struct apply_exec *a, const struct expr *e,
                           struct expr_ctx *ctx)
{
    struct subquery *q = e->u.subquery;
    struct datum result;

    if (!a->op && a->was_run) { /* the one before must have closed */
        if (!is_idle(a))
            return EXEC_PENDING;
        arena_reset(&a->arena);
        a->was_run = false;
    }
    if (!a->op && !begin_run(op, a, e, ctx))
        return EXEC_ERROR;
    enum exec_state s = take_rows(a, q);
    op->x->too_large_for_cores |= a->inner.too_large_for_cores;
    if (s != EXEC_END)
        return s;
    q->done = true;
    subquery_eval_here(e, ctx, &result);
    int rc = keep(&a->caches[a->node], a->key, e->n_args, a->hash, &result);
    exec_close(a->op);
    a->op = NULL;
    return rc == 0 ? EXEC_END : exec_no_memory(op->x, "The subquery");
}

/* ---- the operator ---- */

static bool is_known(struct apply_exec *a, const struct expr *e, struct expr_ctx *ctx)
{
    const struct subquery_cache *c = &a->caches[a->node];

    for (uint32_t i = 0; i < e->n_args; i++) {
        expr_eval(e->args[i], ctx, &a->key[i]);
        datum_round_to_type(&a->key[i], &e->args[i]->type);
    }
    a->hash = group_table_hash(a->key, e->n_args);
    return group_table_find(&c->table, a->key, e->n_args, a->hash) >= 0;
}

/* All subqueries for the row at hand: END, PENDING, ERROR. */
static enum exec_state apply_row(struct exec_op *op, struct apply_exec *a)
{
    struct expr_ctx ctx;

    exec_expr_ctx(op->x, &ctx, &op->scratch);
    ctx.base = op->child->plan->base;
    ctx.row = rowset_row(&a->rows, a->row);
    for (; a->node < op->plan->u.list.n; a->node++) {
        const struct expr *e = op->plan->u.list.exprs[a->node];
        arena_reset(&op->scratch);
        e->u.subquery->cache = &a->caches[a->node];
        bool known = is_known(a, e, &ctx);
        if (expr_has_failed(&ctx))
            return EXEC_ERROR;
        if (known)
            continue;
        enum exec_state s = run(op, a, e, &ctx);
        if (s != EXEC_END)
            return s;
        if (exec_yield(op->x)) {
            a->node++;
            return EXEC_PENDING;
        }
    }
    a->node = 0;
    return EXEC_END;
}

static void empty_caches(struct exec_op *op, struct apply_exec *a)
{
    for (uint32_t i = 0; i < op->plan->u.list.n; i++) {
        struct subquery_cache *c = &a->caches[i];
        if (c->arena.used <= CACHE_BYTES)
            continue;
        arena_reset(&c->arena);
        c->table = (struct group_table){0};
        c->results = NULL;
        c->cap = 0;
    }
}

enum exec_state exec_apply_next(struct exec_op *op, struct rowset *out)
{
    struct apply_exec *a = op->state ? op->state : apply_open(op);

    if (!a)
        return exec_no_memory(op->x, "The subquery");
    if (!a->has_rows) {
        enum exec_state s = exec_next(op->child, &a->rows);
        if (s != EXEC_ROWS)
            return s;
        a->has_rows = true;
        a->row = 0;
        empty_caches(op, a);
    }
    for (; a->row < a->rows.rows; a->row++) {
        enum exec_state s = apply_row(op, a);
        if (s != EXEC_END)
            return s;
    }
    a->has_rows = false;
    *out = a->rows;
    return EXEC_ROWS;
}

#include "sql/exec.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/plan_subquery.h"

enum {
    BATCHES_PER_TURN = 32,
    FEW_ROWS = 16,
};

static void run_task(struct task *t)
{
    struct exec *x = (struct exec *)((char *)t - offsetof(struct exec, task));

    x->waiting = false;
    x->work = 0;
    x->resume(x);
}

void exec_init(struct exec *x)
{
    x->task.run = run_task;
}

void exec_wake(struct exec *x)
{
    if (x->waiting)
        return;
    x->waiting = true;
    reactor_task(x->reactor, &x->task, TASK_BULK);
}

bool exec_yield(struct exec *x)
{
    if (++x->work < BATCHES_PER_TURN)
        return false;
    exec_wake(x);
    return true;
}

enum exec_state exec_no_memory(struct exec *x, const char *what)
{
    if (!x->error->code)
        mysql_error_set_text(x->error, 1038,
                             "%s needs more memory than the statement may use (%llu MiB)", what,
                             (unsigned long long)budget_least_limit(x->budget) >> 20);
    return EXEC_ERROR;
}

void exec_expr_ctx(struct exec *x, struct expr_ctx *ctx, struct arena *scratch)
{
    memset(ctx, 0, sizeof *ctx);
    ctx->scratch = scratch;
    ctx->session = x->session;
    ctx->now_us = x->now_us;
    ctx->random = reactor_random(x->reactor);
    ctx->error = x->error;
    ctx->sleep_ns = &x->sleep_ns;
}

struct datum *exec_cells(struct exec_op *op, uint32_t width)
{
    struct datum *cells =
        arena_alloc(&op->arena, (size_t)ROWSET_ROWS * (width ? width : 1) * sizeof *cells);

    if (!cells)
        exec_no_memory(op->x, "The query");
    return cells;
}

bool exec_cells_for(struct exec_op *op, struct datum **cells, uint32_t rows, uint32_t width)
{
    if (rows > op->room) {
        uint32_t room = rows <= FEW_ROWS ? FEW_ROWS : ROWSET_ROWS;
        *cells = arena_alloc_raw(&op->arena, (size_t)room * (width ? width : 1) * sizeof **cells);
        if (!*cells)
            return exec_no_memory(op->x, "The query") != EXEC_ERROR;
        op->room = room;
        op->cleared = 0;
    }
    if (rows > op->cleared) {
        memset(*cells + (size_t)op->cleared * width, 0,
               (size_t)(rows - op->cleared) * width * sizeof **cells);
        op->cleared = rows;
    }
    return true;
}

struct exec_op *exec_open(struct exec *x, const struct plan *p)
{
    struct exec_op *op = arena_alloc(x->arena, sizeof *op);

    if (!op) {
        exec_no_memory(x, "The plan");
        return NULL;
    }
    op->plan = p;
    op->x = x;
    if (x->steps && p->id < EXEC_MAX_STEPS)
        x->steps[p->id].loops++;
    arena_init(&op->arena, SIZE_MAX, x->budget);
    arena_init(&op->scratch, SIZE_MAX, x->budget);
    if (p->child && !(op->child = exec_open(x, p->child)))
        return NULL;
    if (p->right && !(op->right = exec_open(x, p->right))) {
        exec_close(op->child);
        return NULL;
    }
    return op;
}

static struct exec_step *step_of(struct exec_op *op)
{
    return op->x->steps && op->plan->id < EXEC_MAX_STEPS ? &op->x->steps[op->plan->id] : NULL;
}

void exec_note_call(struct exec_op *op)
{
    struct exec_step *k = step_of(op);

    if (!k || k->was_called)
        return;
    k->was_called = true;
    k->first_call_ns = k->last_ns = reactor_clock_ns(op->x->reactor);
}

static void note_rows(struct exec_op *op, uint32_t n)
{
    struct exec_step *k = step_of(op);

    if (!k)
        return;
    exec_note_call(op);
    k->rows += n;
    k->last_ns = reactor_clock_ns(op->x->reactor);
    if (n && !k->has_rows) {
        k->has_rows = true;
        k->first_row_ns = k->last_ns;
    }
}

void exec_count_rows(struct exec_op *op, uint32_t n)
{
    if (op->x->steps)
        note_rows(op, n);
}

enum exec_state exec_next(struct exec_op *op, struct rowset *out)
{
    static enum exec_state (*const next[])(struct exec_op *, struct rowset *) = {
        [PLAN_ONE_ROW] = exec_one_row_next, [PLAN_SCAN] = exec_scan_next,
        [PLAN_VIRTUAL] = exec_virtual_next, [PLAN_FILTER] = exec_filter_next,
        [PLAN_PROJECT] = exec_project_next, [PLAN_AGGREGATE] = exec_aggregate_next,
        [PLAN_SORT] = exec_sort_next,       [PLAN_DISTINCT] = exec_distinct_next,
        [PLAN_LIMIT] = exec_limit_next,     [PLAN_JOIN] = exec_join_next,
        [PLAN_UNION] = exec_union_next,     [PLAN_WINDOW] = exec_window_next,
        [PLAN_TOPN] = exec_topn_next,       [PLAN_PERCENTILE] = exec_percentile_next,
        [PLAN_APPLY] = exec_apply_next,     [PLAN_KEYED] = exec_keyed_next,
        [PLAN_ROLLUP] = exec_rollup_next,   [PLAN_RECURSIVE] = exec_recursive_next,
        [PLAN_WORK] = exec_work_next,       [PLAN_SET] = exec_set_next,
    };

    if (op->x->error->code)
        return EXEC_ERROR;
    if (op->x->steps)
        exec_note_call(op);
    enum exec_state s = next[op->plan->kind](op, out);
    if (s == EXEC_ERROR && !op->x->error->code) /* the only one that says nothing */
        exec_no_memory(op->x, "The query");
    if (s != EXEC_PENDING)
        exec_count_rows(op, s == EXEC_ROWS ? out->rows : 0);
    return op->x->error->code ? EXEC_ERROR : s;
}

void exec_close(struct exec_op *op)
{
    if (!op)
        return;
    if (op->plan->kind == PLAN_SCAN)
        exec_scan_close(op);
    else if (op->plan->kind == PLAN_UNION)
        exec_union_close(op);
    else if (op->plan->kind == PLAN_SORT)
        exec_sort_close(op);
    else if (op->plan->kind == PLAN_AGGREGATE)
        exec_aggregate_close(op);
    else if (op->plan->kind == PLAN_DISTINCT)
        exec_distinct_close(op);
    else if (op->plan->kind == PLAN_JOIN)
        exec_join_close(op);
    else if (op->plan->kind == PLAN_WINDOW)
        exec_window_close(op);
    else if (op->plan->kind == PLAN_APPLY)
        exec_apply_close(op);
    else if (op->plan->kind == PLAN_KEYED)
        exec_keyed_close(op);
    else if (op->plan->kind == PLAN_RECURSIVE)
        exec_recursive_close(op);
    else if (op->plan->kind == PLAN_WORK)
        exec_work_close(op);
    else if (op->plan->kind == PLAN_SET)
        exec_set_close(op);
    exec_close(op->child);
    exec_close(op->right);
    arena_fini(&op->arena);
    arena_fini(&op->scratch);
}

/* ---- subqueries ---- */

/* One round of a subquery: END when it is done. */
static enum exec_state run_subquery(struct exec *x, struct subquery *q)
{
    struct rowset rows;

    if (!x->subquery_op && !(x->subquery_op = exec_open(x, q->plan)))
        return EXEC_ERROR;
    for (;;) {
        enum exec_state s = exec_next(x->subquery_op, &rows);
        if (s != EXEC_ROWS)
            return s;
        for (uint32_t i = 0; i < rows.rows; i++) {
            int rc = subquery_add_row(q, rowset_row(&rows, i), x->arena);
            if (rc == 1)
                return EXEC_END;
            if (rc == -E2BIG) {
                mysql_error_set(x->error, MYSQL_ER_SUBQUERY_NO_1_ROW);
                return EXEC_ERROR;
            }
            if (rc)
                return exec_no_memory(x, "The subquery");
        }
        if (exec_yield(x))
            return EXEC_PENDING;
    }
}

enum exec_state exec_run_subqueries(struct exec *x)
{
    for (; x->subqueries; x->subqueries = x->subqueries->next) {
        struct subquery *q = x->subqueries;
        if (q->done || q->waits || q->mode == SUBQUERY_PER_ROW)
            continue;
        enum exec_state s = run_subquery(x, q);
        if (s == EXEC_PENDING)
            return s;
        exec_close(x->subquery_op);
        x->subquery_op = NULL;
        if (s == EXEC_ERROR)
            return s;
        q->done = true;
    }
    return EXEC_END;
}

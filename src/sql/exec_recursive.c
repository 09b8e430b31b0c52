/* WITH RECURSIVE: the seed's rows, then the step's, over those that came last. All rows handed on are kept for one round,
 * with DISTINCT till the end. */
#include <string.h>

#include "sql/exec.h"
#include "sql/group_table.h"
#include "sql/plan_recursive.h"

enum { FIRST_ROWS = 128, ERROR_TOO_DEEP = 3636 };

/* Rows of one round. Memory: its arena. */
struct round {
    struct arena arena;
    struct datum *rows;
    uint32_t n, cap;
};

struct recursive_exec {
    struct round rounds[2]; /* the one before, and the one at work, in turns */
    uint64_t round;
    struct exec_op *child;
    struct group_table seen;
    struct arena seen_rows;
};

static bool round_add(struct round *r, const struct datum *row, uint32_t width)
{
    if (r->n == r->cap) {
        uint32_t cap = r->cap ? r->cap * 2 : FIRST_ROWS;
        struct datum *rows =
            arena_alloc(&r->arena, (size_t)cap * (width ? width : 1) * sizeof *rows);
        if (!rows || cap > UINT32_MAX / 4)
            return false;
        if (r->n)
            memcpy(rows, r->rows, (size_t)r->n * width * sizeof *rows);
        r->rows = rows;
        r->cap = cap;
    }
    struct datum *to = r->rows + (size_t)r->n * width;
    for (uint32_t i = 0; i < width; i++)
        if (!datum_copy(&to[i], &row[i], &r->arena))
            return false;
    r->n++;
    return true;
}

/* 1: the row is new, 0, or -1 without memory. */
static int is_new(struct exec_op *op, struct recursive_exec *s, const struct datum *row)
{
    uint32_t width = op->plan->width;

    if (!op->plan->u.recursion->distinct)
        return 1;
    uint64_t hash = group_table_hash(row, width);
    if (group_table_find(&s->seen, row, width, hash) >= 0)
        return 0;
    return group_table_add(&s->seen, row, width, hash, &s->seen_rows) < 0 ? -1 : 1;
}

/* Keeps the new rows of a batch, in their place. */
static bool keep_rows(struct exec_op *op, struct recursive_exec *s, struct rowset *out)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < out->rows; i++) {
        struct datum *row = rowset_row(out, i);
        int rc = is_new(op, s, row);
        if (rc < 0 || (rc && !round_add(&s->rounds[s->round & 1], row, op->plan->width)))
            return false;
        if (rc && kept++ != i)
            memcpy(rowset_row(out, kept - 1), row, out->width * sizeof *row);
    }
    out->rows = kept;
    return true;
}

/* What came last is what the next round reads: false at the end, or with an error set. */
static bool next_round(struct exec_op *op, struct recursive_exec *s)
{
    struct recursion *r = op->plan->u.recursion;
    struct round *last = &s->rounds[s->round & 1];

    exec_close(s->child);
    s->child = NULL;
    if (!last->n)
        return false;
    if (s->round >= r->limit) {
        mysql_error_set_text(op->x->error, ERROR_TOO_DEEP,
                             "Recursive query aborted after %llu iterations. Try increasing "
                             "@@cte_max_recursion_depth to a larger value.",
                             (unsigned long long)s->round + 1);
        return false;
    }
    r->rows = last->rows;
    r->n_rows = last->n;
    s->round++;
    struct round *next = &s->rounds[s->round & 1];
    arena_reset(&next->arena);
    next->rows = NULL;
    next->n = next->cap = 0;
    return true;
}

static struct recursive_exec *recursive_open(struct exec_op *op)
{
    struct recursive_exec *s = op->state = arena_alloc(&op->arena, sizeof *s);

    if (!s)
        return NULL;
    for (int i = 0; i < 2; i++)
        arena_init(&s->rounds[i].arena, SIZE_MAX, op->x->budget);
    arena_init(&s->seen_rows, SIZE_MAX, op->x->budget);
    return s;
}

void exec_recursive_close(struct exec_op *op)
{
    struct recursive_exec *s = op->state;

    if (!s)
        return;
    exec_close(s->child);
    s->child = NULL;
    for (int i = 0; i < 2; i++)
        arena_fini(&s->rounds[i].arena);
    arena_fini(&s->seen_rows);
}

enum exec_state exec_recursive_next(struct exec_op *op, struct rowset *out)
{
    struct recursive_exec *s = op->state ? op->state : recursive_open(op);

    if (!s)
        return exec_no_memory(op->x, "WITH RECURSIVE");
    for (;;) {
        if (!s->child && !(s->child = exec_open(op->x, op->plan->children[s->round ? 1 : 0])))
            return EXEC_ERROR;
        enum exec_state state = exec_next(s->child, out);
        if (state == EXEC_END) {
            if (!next_round(op, s))
                return op->x->error->code ? EXEC_ERROR : EXEC_END;
        } else if (state != EXEC_ROWS) {
            return state;
        } else {
            if (!keep_rows(op, s, out))
                return exec_no_memory(op->x, "WITH RECURSIVE");
            if (out->rows)
                return EXEC_ROWS;
        }
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
}

/* ---- the rows that came last, as a table ---- */

struct work_exec {
    uint32_t next;
    struct datum *cells;
};

enum exec_state exec_work_next(struct exec_op *op, struct rowset *out)
{
    struct work_exec *w = op->state;
    const struct recursion *r = op->plan->u.work.recursion;
    uint32_t width = op->plan->width;

    if (!w && !(w = op->state = arena_alloc(&op->arena, sizeof *w)))
        return exec_no_memory(op->x, "WITH RECURSIVE");
    uint32_t n = r->n_rows - w->next;
    if (!n)
        return EXEC_END;
    n = n < ROWSET_ROWS ? n : ROWSET_ROWS;
    if (!exec_cells_for(op, &w->cells, n, width))
        return EXEC_ERROR;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < width; c++)
            w->cells[(size_t)i * width + c] =
                r->rows[(size_t)(w->next + i) * r->n_columns + op->plan->u.work.columns[c]];
    w->next += n;
    *out = (struct rowset){.cells = w->cells, .rows = n, .width = width};
    return EXEC_ROWS;
}

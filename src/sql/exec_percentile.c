/*
 * Percentiles of a column whose rows come counted (program.h): pieces of counters are added up, single values sorted,
 * and the value at a rank is found by bisection over how many are not greater.
 */
#include <math.h>
#include <string.h>

#include "sql/exec.h"

enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS, SORT_FEW = 65536 };

struct piece { /* of PROGRAM_COUNTED values from `first` on */
    int64_t first;
    uint64_t rows;
    uint64_t *counts;
};

/* Owner: the operator; memory of its arena. */
struct percentile_exec {
    struct piece *pieces; /* ascending */
    uint32_t n_pieces, pieces_cap;
    int64_t *single, *spare; /* spare: for sorting */
    size_t n_single, single_cap;
    unsigned sorted_bits;
    uint64_t rows;
    int64_t min, max; /* bounds of the values */
    bool collected, done;
    struct datum *cells;
};

/* ---- collecting ---- */

static bool add_single(struct exec_op *op, struct percentile_exec *g, int64_t v)
{
    if (g->n_single == g->single_cap) {
        size_t cap = g->single_cap ? g->single_cap * 2 : 1024;
        int64_t *more = arena_alloc(&op->arena, cap * sizeof *more);
        if (!more)
            return false;
        if (g->n_single)
            memcpy(more, g->single, g->n_single * sizeof *more);
        g->single = more;
        g->single_cap = cap;
    }
    g->single[g->n_single++] = v;
    g->rows++;
    return true;
}

static struct piece *find_piece(struct exec_op *op, struct percentile_exec *g, int64_t first)
{
    uint32_t at = 0;

    while (at < g->n_pieces && g->pieces[at].first < first)
        at++;
    if (at < g->n_pieces && g->pieces[at].first == first)
        return &g->pieces[at];
    if (g->n_pieces == g->pieces_cap) {
        uint32_t cap = g->pieces_cap ? g->pieces_cap * 2 : 16;
        struct piece *more = arena_alloc(&op->arena, cap * sizeof *more);
        if (!more)
            return NULL;
        if (g->n_pieces)
            memcpy(more, g->pieces, g->n_pieces * sizeof *more);
        g->pieces = more;
        g->pieces_cap = cap;
    }
    uint64_t *counts = arena_alloc(&op->arena, PROGRAM_COUNTED * sizeof *counts);
    if (!counts)
        return NULL;
    memmove(&g->pieces[at + 1], &g->pieces[at], (g->n_pieces - at) * sizeof *g->pieces);
    g->pieces[at] = (struct piece){.first = first, .counts = counts};
    g->n_pieces++;
    return &g->pieces[at];
}

static bool add_counts(struct exec_op *op, struct percentile_exec *g, int64_t first,
                       const char *bytes)
{
    struct piece *p = find_piece(op, g, first);
    uint64_t rows = 0;

    if (!p)
        return false;
    for (uint32_t i = 0; i < PROGRAM_COUNTED; i++) {
        uint32_t n;
        memcpy(&n, bytes + i * sizeof n, sizeof n);
        p->counts[i] += n;
        rows += n;
    }
    p->rows += rows;
    g->rows += rows;
    return true;
}

static bool add_row(struct exec_op *op, struct percentile_exec *g, const struct datum *row)
{
    const struct datum *value = &row[0], *counts = &row[1];
    bool many = counts->kind == DATUM_STRING;

    if (value->kind == DATUM_NULL)
        return true;
    if (many && (counts->len != PROGRAM_COUNTED * sizeof(uint32_t) ||
                 value->i > INT64_MAX - (PROGRAM_COUNTED - 1))) {
        mysql_error_set_text(op->x->error, 1105, "A result batch has numbers of rows of %u bytes",
                             (unsigned)counts->len);
        return false;
    }
    int64_t last = many ? value->i + PROGRAM_COUNTED - 1 : value->i;
    if (!g->rows || value->i < g->min)
        g->min = value->i;
    if (!g->rows || last > g->max)
        g->max = last;
    return many ? add_counts(op, g, value->i, counts->s) : add_single(op, g, value->i);
}

static enum exec_state collect(struct exec_op *op, struct percentile_exec *g)
{
    struct rowset in;

    for (;;) {
        enum exec_state s = exec_next(op->child, &in);
        if (s == EXEC_END)
            break;
        if (s != EXEC_ROWS)
            return s;
        for (uint32_t i = 0; i < in.rows; i++)
            if (!add_row(op, g, rowset_row(&in, i)))
                return exec_no_memory(op->x, "The percentile");
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    if (g->n_single && !(g->spare = arena_alloc(&op->arena, g->n_single * sizeof *g->spare)))
        return exec_no_memory(op->x, "The percentile");
    g->collected = true;
    return EXEC_END;
}

/* ---- single values in order ---- */

/* By the next digit of their distance from the least. */
static void sort_digit(struct percentile_exec *g)
{
    size_t at[RADIX_SIZE] = {0}, sum = 0;

    for (size_t i = 0; i < g->n_single; i++)
        at[((uint64_t)g->single[i] - (uint64_t)g->min) >> g->sorted_bits & (RADIX_SIZE - 1)]++;
    for (unsigned d = 0; d < RADIX_SIZE; d++) {
        size_t n = at[d];
        at[d] = sum;
        sum += n;
    }
    for (size_t i = 0; i < g->n_single; i++) {
        int64_t v = g->single[i];
        g->spare[at[((uint64_t)v - (uint64_t)g->min) >> g->sorted_bits & (RADIX_SIZE - 1)]++] = v;
    }
    int64_t *sorted = g->spare;
    g->spare = g->single;
    g->single = sorted;
    g->sorted_bits += RADIX_BITS;
}

/* True when they are sorted; with many, a digit a turn of the core. */
static bool sort_singles(struct exec_op *op, struct percentile_exec *g)
{
    uint64_t span = (uint64_t)g->max - (uint64_t)g->min;

    while (g->n_single > 1 && g->sorted_bits < 64 && span >> g->sorted_bits) {
        sort_digit(g);
        if (g->n_single > SORT_FEW) {
            exec_wake(op->x);
            return false;
        }
    }
    return true;
}

/* ---- ranks ---- */

static uint64_t singles_up_to(const struct percentile_exec *g, int64_t v)
{
    size_t lo = 0, hi = g->n_single;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (g->single[mid] <= v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Rows whose value is not greater. */
static uint64_t rows_up_to(const struct percentile_exec *g, int64_t v)
{
    uint64_t rows = singles_up_to(g, v);

    for (uint32_t i = 0; i < g->n_pieces && g->pieces[i].first <= v; i++) {
        const struct piece *p = &g->pieces[i];
        uint64_t last = (uint64_t)v - (uint64_t)p->first;
        if (last >= PROGRAM_COUNTED - 1) {
            rows += p->rows;
            continue;
        }
        for (uint64_t k = 0; k <= last; k++)
            rows += p->counts[k];
    }
    return rows;
}

/* The value at a rank, 0 = least. */
static int64_t value_at(const struct percentile_exec *g, uint64_t rank)
{
    int64_t lo = g->min, hi = g->max;

    while (lo < hi) {
        int64_t mid = lo + (int64_t)(((uint64_t)hi - (uint64_t)lo) / 2);
        if (rows_up_to(g, mid) > rank)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static void ranked(const struct exec_op *op, const struct aggregate_call *c, uint64_t rank,
                   struct datum *out)
{
    const struct percentile_exec *g = op->state;
    const struct plan_scan *scan = &op->child->plan->u.scan;

    if (c->descending)
        rank = g->rows - 1 - rank;
    plan_canonical_datum(plan_scan_column(scan, scan->columns[0]), value_at(g, rank), out);
}

static void percentile(const struct exec_op *op, const struct aggregate_call *c, struct expr_ctx *x,
                       struct datum *out)
{
    const struct percentile_exec *g = op->state;
    struct datum a, b;
    double p;

    datum_set_null(out);
    if (!g->rows || !aggregate_fraction(c, x, &p))
        return;
    if (c->op == AGG_PERCENTILE_DISC) {
        uint64_t i = (uint64_t)ceil(p * (double)g->rows);
        ranked(op, c, i ? i - 1 : 0, out);
        return;
    }
    double at = p * (double)(g->rows - 1);
    ranked(op, c, (uint64_t)floor(at), &a);
    ranked(op, c, (uint64_t)ceil(at), &b);
    aggregate_set_between(out, &a, &b, at - floor(at));
}

enum exec_state exec_percentile_next(struct exec_op *op, struct rowset *out)
{
    const struct plan *p = op->plan;
    struct percentile_exec *g = op->state;
    struct expr_ctx ctx;

    if (!g) {
        g = op->state = arena_alloc(&op->arena, sizeof *g);
        if (!g || !(g->cells = exec_cells(op, p->width)))
            return exec_no_memory(op->x, "The percentile");
    }
    if (!g->collected) {
        enum exec_state s = collect(op, g);
        if (s != EXEC_END)
            return s;
    }
    if (g->done)
        return EXEC_END;
    if (!sort_singles(op, g))
        return EXEC_PENDING;
    exec_expr_ctx(op->x, &ctx, &op->scratch);
    for (uint32_t i = 0; i < p->u.aggregate.n_aggregates; i++)
        percentile(op, p->u.aggregate.aggregates[i], &ctx, &g->cells[i]);
    if (expr_has_failed(&ctx))
        return EXEC_ERROR;
    g->done = true;
    *out = (struct rowset){.cells = g->cells, .rows = 1, .width = p->width};
    return EXEC_ROWS;
}

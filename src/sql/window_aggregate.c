/*
 * Aggregates over frames. A frame that begins where the one before began takes the rows that came; any
 * other is put together from a tree of parts, so that it costs the logarithm of its rows: nothing is ever
 * taken out of a sum, which would not be exact for floating point values nor possible for a minimum.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/value_compare.h"
#include "sql/value_convert.h"
#include "sql/window.h"

enum { FEW_ROWS = 2 * WINDOW_FAN }; /* no tree for less */

static const struct datum *cell_of(const struct window_rows *r, const struct window_run *run,
                                   uint32_t row)
{
    return &window_row(r, row)[run->cells[0]];
}

static void add_decimal(struct datum *sum, const struct datum *d, struct expr_ctx *x)
{
    __int128 v;
    unsigned scale;

    if (decimal_add(sum->dec, sum->scale, d->dec, d->scale, &v, &scale))
        datum_set_decimal(sum, v, scale);
    else
        expr_fail(x, NULL, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum");
}

/* Chan's way to add means and squares. */
static void merge_spread(struct window_part *to, const struct window_part *p)
{
    double n = (double)to->count, m = (double)p->count, delta = p->spread.mean - to->spread.mean;

    to->spread.mean += delta * m / (n + m);
    to->spread.m2 += p->spread.m2 + delta * delta * n * m / (n + m);
}

static void merge(const struct window_rows *r, const struct window_run *run, struct window_part *to,
                  const struct window_part *p, struct expr_ctx *x)
{
    enum aggregate_op op = run->call->aggregate->op;
    int c;

    if (!p->count)
        return;
    if (!to->count) {
        *to = *p;
        return;
    }
    switch (op) {
    case AGG_SUM:
    case AGG_AVG:
        if (p->sum.kind == DATUM_DOUBLE)
            to->sum.f += p->sum.f;
        else
            add_decimal(&to->sum, &p->sum, x);
        break;
    case AGG_MIN:
    case AGG_MAX:
        c = datum_order(cell_of(r, run, p->row), cell_of(r, run, to->row));
        if (op == AGG_MIN ? c < 0 : c > 0)
            to->row = p->row;
        break;
    case AGG_BIT_AND:
        to->bits &= p->bits;
        break;
    case AGG_BIT_OR:
        to->bits |= p->bits;
        break;
    case AGG_BIT_XOR:
        to->bits ^= p->bits;
        break;
    case AGG_STDDEV_POP:
    case AGG_STDDEV_SAMP:
    case AGG_VAR_POP:
    case AGG_VAR_SAMP:
        merge_spread(to, p);
        break;
    default:
        break;
    }
    to->count += p->count;
}

static void part_of_row(const struct window_rows *r, const struct window_run *run, uint32_t row,
                        struct window_part *p, struct expr_ctx *x)
{
    const struct aggregate_call *c = run->call->aggregate;
    __int128 v;
    unsigned scale;

    memset(p, 0, sizeof *p);
    p->count = 1;
    if (c->op == AGG_COUNT_ROWS)
        return;
    const struct datum *d = cell_of(r, run, row);
    if (d->kind == DATUM_NULL && c->op != AGG_ANY) {
        p->count = 0;
        return;
    }
    switch (c->op) {
    case AGG_SUM:
    case AGG_AVG:
        if (aggregate_type(AGG_SUM, c->args[0]).kind == DATUM_DOUBLE)
            datum_set_double(&p->sum, datum_to_double(d));
        else if (datum_to_decimal(d, &v, &scale))
            datum_set_decimal(&p->sum, v, scale);
        else
            expr_fail(x, NULL, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum");
        break;
    case AGG_BIT_AND:
    case AGG_BIT_OR:
    case AGG_BIT_XOR:
        p->bits = datum_to_wide_int(d, &v) ? (uint64_t)v : INT64_MAX;
        break;
    case AGG_STDDEV_POP:
    case AGG_STDDEV_SAMP:
    case AGG_VAR_POP:
    case AGG_VAR_SAMP:
        p->spread.mean = datum_to_double(d);
        break;
    default:
        p->row = row;
    }
}

static void merge_row(const struct window_rows *r, const struct window_run *run, uint32_t row,
                      struct window_part *to, struct expr_ctx *x)
{
    struct window_part p;

    part_of_row(r, run, row, &p, x);
    merge(r, run, to, &p, x);
}

/* ---- tree ---- */

static bool start_level(struct window_tree *t, uint32_t below, struct arena *a)
{
    uint32_t n = (below + WINDOW_FAN - 1) / WINDOW_FAN;

    t->n[t->n_levels] = n;
    t->levels[t->n_levels] = arena_alloc(a, n * sizeof(struct window_part));
    t->built = 0;
    return t->levels[t->n_levels++] != NULL;
}

/* 1, 0 when the turn ends before, -ENOMEM. */
static int build_tree(const struct window_rows *r, struct window_run *run, struct expr_ctx *x,
                      struct arena *a)
{
    struct window_tree *t = &run->tree;
    uint32_t rows = r->end - r->start;

    if (!t->n_levels && !start_level(t, rows, a))
        return -ENOMEM;
    while (!t->is_done) {
        uint32_t level = t->n_levels - 1;
        uint32_t below = level ? t->n[level - 1] : rows;
        for (; t->built < t->n[level]; t->built++) {
            struct window_part *to = &t->levels[level][t->built];
            uint32_t from = t->built * WINDOW_FAN;
            uint32_t end = below - from < WINDOW_FAN ? below : from + WINDOW_FAN;
            if (run->work < WINDOW_FAN) {
                run->work = 0;
                return 0;
            }
            run->work -= WINDOW_FAN;
            for (uint32_t i = from; i < end; i++)
                if (level)
                    merge(r, run, to, &t->levels[level - 1][i], x);
                else
                    merge_row(r, run, r->start + i, to, x);
        }
        t->is_done = t->n[level] <= WINDOW_FAN || t->n_levels == WINDOW_MAX_LEVELS;
        if (!t->is_done && !start_level(t, t->n[level], a))
            return -ENOMEM;
    }
    return 1;
}

/* Parts from `lo` to `hi` of a level, or rows where level is 0: level l of the tree is l + 1 here. */
static void merge_level(const struct window_rows *r, const struct window_run *run, uint32_t level,
                        uint32_t lo, uint32_t hi, struct window_part *to, struct expr_ctx *x)
{
    for (uint32_t i = lo; i < hi; i++)
        if (level)
            merge(r, run, to, &run->tree.levels[level - 1][i], x);
        else
            merge_row(r, run, r->start + i, to, x);
}

static void query_tree(const struct window_rows *r, const struct window_run *run,
                       struct window_part *to, struct expr_ctx *x)
{
    uint32_t lo = run->lo - r->start, hi = run->hi - r->start, level = 0;

    while (level < run->tree.n_levels && hi - lo >= FEW_ROWS) {
        uint32_t up = (lo + WINDOW_FAN - 1) / WINDOW_FAN, down = hi / WINDOW_FAN;
        merge_level(r, run, level, lo, up * WINDOW_FAN, to, x);
        merge_level(r, run, level, down * WINDOW_FAN, hi, to, x);
        lo = up;
        hi = down;
        level++;
    }
    merge_level(r, run, level, lo, hi, to, x);
}

/* ---- results ---- */

static void finish_average(const struct aggregate_call *c, const struct window_part *p,
                           struct expr_ctx *x, struct datum *out)
{
    __int128 q;
    unsigned scale;

    if (p->sum.kind == DATUM_DOUBLE)
        datum_set_double(out, p->sum.f / (double)p->count);
    else if (decimal_div(p->sum.dec, p->sum.scale, (__int128)p->count, 0,
                         decimal_div_scale(p->sum.scale, 0, 4), &q, &scale))
        datum_set_decimal(out, q, scale);
    else
        expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", aggregate_name(c->op));
}

static void finish_spread(enum aggregate_op op, const struct window_part *p, struct datum *out)
{
    bool sample = op == AGG_STDDEV_SAMP || op == AGG_VAR_SAMP;

    if (p->count <= (sample ? 1 : 0))
        return;
    double v = p->spread.m2 / (double)(p->count - sample);
    datum_set_double(out, op == AGG_VAR_POP || op == AGG_VAR_SAMP ? v : sqrt(v));
}

static void finish(const struct window_rows *r, const struct window_run *run,
                   const struct window_part *p, struct expr_ctx *x, struct datum *out)
{
    const struct aggregate_call *c = run->call->aggregate;

    datum_set_null(out);
    switch (c->op) {
    case AGG_COUNT_ROWS:
    case AGG_COUNT:
        datum_set_int(out, (int64_t)p->count);
        return;
    case AGG_SUM:
        if (p->count)
            *out = p->sum;
        return;
    case AGG_AVG:
        if (p->count)
            finish_average(c, p, x, out);
        return;
    case AGG_BIT_AND:
    case AGG_BIT_OR:
    case AGG_BIT_XOR:
        datum_set_uint(out, p->count ? p->bits : c->op == AGG_BIT_AND ? UINT64_MAX : 0);
        return;
    case AGG_MIN:
    case AGG_MAX:
    case AGG_ANY:
        if (p->count)
            *out = *cell_of(r, run, p->row);
        return;
    default:
        finish_spread(c->op, p, out);
    }
}

int window_aggregate(const struct window_rows *r, struct window_run *run, struct expr_ctx *x,
                     struct arena *a, struct datum *out)
{
    struct window_part *p = &run->part;

    if (run->lo >= run->hi) {
        struct window_part none = {0};
        finish(r, run, &none, x, out);
        return 1;
    }
    if (run->lo == run->part_from && run->hi >= run->part_to) {
        /* goes on from the frame before */
    } else if (run->lo == r->start || run->hi - run->lo < FEW_ROWS) {
        memset(p, 0, sizeof *p);
        run->part_from = run->part_to = run->lo;
    } else {
        int rc = run->tree.is_done ? 1 : build_tree(r, run, x, a);
        if (rc != 1)
            return rc;
        memset(p, 0, sizeof *p);
        query_tree(r, run, p, x);
        run->part_from = run->lo;
        run->part_to = run->hi;
    }
    for (; run->part_to < run->hi; run->part_to++) {
        if (run->work == 0)
            return 0;
        run->work--;
        merge_row(r, run, run->part_to, p, x);
    }
    finish(r, run, p, x, out);
    return 1;
}

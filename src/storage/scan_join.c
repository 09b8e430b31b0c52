#include "storage/scan_join.h"

#include <errno.h>

#include "storage/selection.h"

static void note_attribute(struct scan *x, uint16_t ref)
{
    if (ref >= PROGRAM_PARENT && ref < PROGRAM_COMPUTED)
        x->attributes |= 1u << program_ref_join(ref);
}

static void note_attributes(struct scan *x)
{
    const struct program *p = x->program;

    for (unsigned i = 0; i < p->n_columns; i++)
        note_attribute(x, p->columns[i]);
    for (unsigned i = 0; p->output == OUTPUT_GROUPS && i < p->n_aggregates; i++)
        if (p->aggregates[i].kind != AGGREGATE_COUNT_ROWS)
            note_attribute(x, p->aggregates[i].column);
    for (unsigned i = 0; i < 2u * p->n_computed; i++)
        note_attribute(x, p->computed[i / 2].operands[i % 2].column);
}

int scan_join_open(struct scan *x)
{
    const struct program *p = x->program;
    int rc = 0;

    for (unsigned i = 0; i < p->n_joins && !rc; i++) {
        rc = join_map_new(&p->joins[i], &x->arena, x->budget, &x->joins[i]);
        x->parent_rows[i] = arena_alloc_raw(&x->arena, x->window_rows * sizeof(*x->parent_rows[i]));
        if (!rc && !x->parent_rows[i])
            rc = -ENOMEM;
        if (!rc)
            rc = join_sieve_init(&x->sieves[i], x->joins[i], &x->arena);
        x->join_order[i] = x->sieve_order[i] = (uint8_t)i;
    }
    note_attributes(x);
    return rc;
}

int scan_join_bind(struct scan *x, const struct slot *slot)
{
    int rc = 0;

    for (unsigned i = 0; i < x->program->n_joins && !rc; i++) {
        rc = join_map_bind(x->joins[i], slot, &x->slot_arena);
        if (!rc)
            rc = join_sieve_bind(&x->sieves[i], x->joins[i], &x->slot_arena);
    }
    return rc;
}

/* Are the rows left those with a parent, whose attributes nobody asks for? Then none is looked up. */
static bool is_done(const struct scan *x, unsigned join)
{
    return (x->sieved & ~x->attributes) >> join & 1;
}

int scan_join_prepare(struct scan *x)
{
    int rc = 0;

    for (unsigned i = 0; i < x->program->n_joins && !rc; i++)
        if (!is_done(x, i))
            rc = join_map_prepare(x->joins[i], &x->arena, x->budget);
    return rc;
}

/* Does join a leave a smaller part of its rows than b? */
static bool is_sharper(const struct scan *x, unsigned a, unsigned b)
{
    bool left = x->program->joins[a].left, other = x->program->joins[b].left;

    if (left != other)
        return other;
    return (unsigned __int128)x->kept[a] * (x->joined[b] + 1) <
           (unsigned __int128)x->kept[b] * (x->joined[a] + 1);
}

/* The joins that dropped the largest parts so far come first: the others decode fewer rows. */
static void order_joins(struct scan *x)
{
    for (unsigned i = 1; i < x->program->n_joins; i++)
        for (unsigned k = i; k > 0 && is_sharper(x, x->join_order[k], x->join_order[k - 1]); k--) {
            uint8_t t = x->join_order[k];
            x->join_order[k] = x->join_order[k - 1];
            x->join_order[k - 1] = t;
        }
}

/* Drops rows without a parent in join `at` of the order from the window and closes the gaps in the rows found so far. */
static uint32_t drop_orphans(struct scan *x, uint32_t first_word, unsigned at, uint32_t n)
{
    uint32_t *rows = x->parent_rows[x->join_order[at]], i = 0, kept = 0;
    uint16_t from[SCAN_WINDOW];

    for (uint32_t w = first_word; w < first_word + SCAN_WORDS; w++) {
        uint64_t keep = 0;
        for (uint64_t bits = x->window[w]; bits; bits &= bits - 1, i++) {
            uint64_t has = rows[i] != 0;
            keep |= (bits & -bits) & -has;
            from[kept] = (uint16_t)i;
            rows[kept] = rows[i];
            kept += (uint32_t)has;
        }
        x->window[w] = keep;
    }
    for (unsigned k = 0; k < at && kept < n; k++) {
        uint32_t *earlier = x->parent_rows[x->join_order[k]];
        for (i = 0; i < kept && !is_done(x, x->join_order[k]); i++)
            earlier[i] = earlier[from[i]];
    }
    return kept;
}

uint32_t scan_join_window(struct scan *x, const struct block *b, uint32_t first_word, uint32_t n)
{
    if (first_word == 0)
        order_joins(x);
    for (unsigned k = 0; k < x->program->n_joins && n; k++) {
        unsigned i = x->join_order[k];
        uint32_t before = n;
        if (is_done(x, i))
            continue;
        join_map_rows(x->joins[i], b, x->window, x->parent_rows[i]);
        if (!x->program->joins[i].left)
            n = drop_orphans(x, first_word, k, n);
        x->joined[i] += before;
        x->kept[i] += n;
    }
    return n;
}

/* ---- sieves ---- */

static bool is_sieved(const struct scan *x, unsigned join)
{
    return !x->program->joins[join].left && x->sieves[join].kind != JOIN_SIEVE_UNKNOWN;
}

uint32_t scan_join_sieves(const struct scan *x)
{
    uint32_t joins = 0;

    for (unsigned i = 0; i < x->program->n_joins; i++)
        joins |= (uint32_t)is_sieved(x, i) << i;
    return joins;
}

/* Of the rows a join looks at, how many it drops for its cost: of a comparison 1, of a look at each value 4. */
static double sharpness(const struct scan *x, const struct block *b, unsigned join)
{
    const struct colblock *c = b->columns[x->program->joins[join].column];
    double dropped = x->sifted[join] ? 1 - (double)x->passed[join] / (double)x->sifted[join] : 0.5;

    if (join_sieve_is_cheap(&x->sieves[join], c))
        return dropped * 4;
    return join_sieve_is_small(&x->sieves[join]) ? dropped * 1.125 : dropped;
}

static void order_sieves(struct scan *x, const struct block *b)
{
    double sharp[PROGRAM_MAX_JOINS];

    for (unsigned i = 0; i < x->program->n_joins; i++) {
        unsigned join = x->sieve_order[i], k = i;
        double own = is_sieved(x, join) ? sharpness(x, b, join) : -1;
        for (; k > 0 && sharp[k - 1] < own; k--) {
            sharp[k] = sharp[k - 1];
            x->sieve_order[k] = x->sieve_order[k - 1];
        }
        sharp[k] = own;
        x->sieve_order[k] = (uint8_t)join;
    }
}

/* Joins whose parents are looked up for each row in any case, and rows without one dropped then. */
static uint32_t looked_up(const struct scan *x)
{
    return x->attributes | (x->dense_on ? group_dense_looks_up(x->dense) : 0);
}

/* A join that lets most rows pass is left to where parents are looked up; what comes later may differ. */
static bool is_worth(const struct scan *x, unsigned join)
{
    return !(looked_up(x) >> join & 1) || x->stats.blocks % SCAN_SIEVE_AGAIN == 1 ||
           x->passed[join] <= x->sifted[join] / 4 * 3;
}

/*
 * The same of bits: a range alone may be enough, as with keys that are days, and of few rows so many must be dropped
 * that lines are left without any, because slices are read by the line.
 */
static bool are_bits_worth(const struct scan *x, unsigned join, uint32_t n)
{
    unsigned of_four = n < SCAN_SIEVE_FEW ? 1 : 3;

    return !(looked_up(x) >> join & 1) || x->stats.blocks % SCAN_SIEVE_AGAIN == 1 ||
           x->members[join] <= x->tested[join] / 4 * of_four;
}

/* One join: the rows left of n. */
static uint32_t sieve_one(struct scan *x, const struct block *b, unsigned join, uint32_t n)
{
    const struct colblock *c = b->columns[x->program->joins[join].column];
    struct join_sieve *s = &x->sieves[join];
    enum join_sieve_done done = join_sieve_range(s, c, n, x->sel);
    uint32_t left = selection_count(x->sel), some = left;

    if (done == JOIN_SIEVE_SOME && (!left || are_bits_worth(x, join, left))) {
        done = !left || join_sieve_bits(s, c, x->sel) ? JOIN_SIEVE_ALL : JOIN_SIEVE_NOT;
        left = selection_count(x->sel);
        x->tested[join] += some;
        x->members[join] += left;
    }
    x->sieved |= (uint32_t)(done == JOIN_SIEVE_ALL) << join;
    x->sifted[join] += n;
    x->passed[join] += left;
    return left;
}

uint32_t scan_join_sieve(struct scan *x, const struct block *b, uint32_t n)
{
    x->sieved = 0;
    order_sieves(x, b);
    for (unsigned k = 0; k < x->program->n_joins; k++) {
        unsigned i = x->sieve_order[k];
        if (!is_sieved(x, i) || (n && !is_worth(x, i)))
            continue;
        if (!n) {
            x->sieved |= 1u << i;
            continue;
        }
        x->work += (b->rows / LINE_ROWS + 1) * SCAN_WORK_SIEVE + n / SCAN_SIEVE_ROWS;
        n = sieve_one(x, b, i, n);
    }
    return n;
}

int scan_join_again(struct scan *x, const struct block *b)
{
    for (unsigned i = 0; i < x->program->n_joins; i++) {
        const struct colblock *c = b->columns[x->program->joins[i].column];
        uint32_t n = selection_count(x->window);
        if (!n || !(x->sieved >> i & 1))
            continue;
        enum join_sieve_done done = join_sieve_range(&x->sieves[i], c, n, x->window);
        if (done == JOIN_SIEVE_SOME && !selection_is_empty(x->window))
            done = join_sieve_bits(&x->sieves[i], c, x->window) ? JOIN_SIEVE_ALL : JOIN_SIEVE_NOT;
        if (done == JOIN_SIEVE_NOT)
            x->sieved &= ~(1u << i);
    }
    return scan_join_prepare(x);
}

#include "storage/group_dense.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/colblock_lines.h"
#include "storage/group_dense_impl.h"
#include "storage/join_place.h"
#include "storage/slot_numbers.h"

enum {
    DENSE_BYTES = 128 << 20, /* of the arrays of a core */
    DENSE_SPARSE = 8,    /* positions per row from which hashing wins: they are cleared and read */
    DENSE_FEW = 65536,   /* positions that are always worth it */
    DENSE_DROPS = 16384, /* values that are looked up only to drop rows */
    DENSE_FOUND =
        16, /* positions per row up to which it is worth finding out which strings are numbers */
};

static bool take_column(struct group_dense *d, unsigned a)
{
    const struct aggregate *g = &d->program->aggregates[a];
    unsigned i = 0;

    while (i < d->n_columns && d->columns[i].ref != g->column)
        i++;
    d->columns[i].ref = g->column;
    if (!group_value_init(&d->columns[i].value, d->program, d->schema, g->column,
                          g->kind == AGGREGATE_COUNT))
        return false;
    d->n_columns += i == d->n_columns;
    if (g->kind == AGGREGATE_SUM && !d->columns[i].word)
        d->columns[i].word = d->stride++;
    d->column_of[a] = i;
    return true;
}

static bool take_key(struct group_dense *d, unsigned i)
{
    struct input *in = &d->inputs[i];

    d->keys[i].input = in;
    if (in->ref < PROGRAM_PARENT)
        d->sources[d->n_sources++] = (struct dense_source){.ref = in->ref, .key = &d->keys[i]};
    return in->ref < PROGRAM_PARENT ? !in->list : in->coded;
}

/* A join whose parents give no group column, and that keeps rows without one, changes nothing. */
static void take_join(struct group_dense *d, unsigned i)
{
    bool used = !d->program->joins[i].left;

    d->inner |= (uint32_t)used << i;
    for (unsigned k = 0; k < d->n_keys && !used; k++)
        used = d->inputs[k].ref >= PROGRAM_PARENT && d->inputs[k].join == i;
    if (used)
        d->sources[d->n_sources++] = (struct dense_source){.ref = d->program->joins[i].column,
                                                           .join = d->joins[i],
                                                           .number = i};
}

static bool is_usable(struct group_dense *d)
{
    const struct program *p = d->program;

    if (!p->n_columns && !p->n_joins && !p->n_computed)
        return false;
    for (unsigned i = 0; i < p->n_columns; i++) {
        if (!take_key(d, i))
            return false;
    }
    for (unsigned i = 0; i < p->n_joins; i++)
        take_join(d, i);
    for (unsigned a = 0; a < p->n_aggregates; a++) {
        enum aggregate_kind kind = p->aggregates[a].kind;
        if (kind == AGGREGATE_COUNT_ROWS)
            continue;
        if ((kind != AGGREGATE_COUNT && kind != AGGREGATE_SUM) || !take_column(d, a))
            return false;
    }
    return d->stride <= DENSE_SUMS + 1;
}

int group_dense_new(const struct program *p, const struct schema *s, struct input *inputs,
                    struct join_map *const *joins, struct budget *budget, uint64_t limit,
                    struct group_dense **out)
{
    struct group_dense *d = calloc(1, sizeof(*d));

    *out = NULL;
    if (!d)
        return -ENOMEM;
    d->program = p;
    d->schema = s;
    d->inputs = inputs;
    d->joins = joins;
    d->budget = budget;
    d->n_keys = p->n_columns;
    d->stride = 1;
    d->limit = limit;
    d->only_keys = !p->n_aggregates || p->count_groups;
    if (is_usable(d))
        *out = d;
    else
        group_dense_free(d);
    return 0;
}

void group_dense_clear(struct group_dense *d)
{
    if (d->budget)
        budget_release(d->budget, d->bytes);
    free(d->counts);
    free(d->seen);
    free(d->cells);
    free(d->packed.words);
    d->packed.words = NULL;
    for (unsigned i = 0; i < d->n_columns; i++) {
        free(d->columns[i].nulls);
        d->columns[i].nulls = NULL;
    }
    d->counts = NULL;
    d->seen = NULL;
    d->cells = NULL;
    d->bytes = d->size = 0;
}

void group_dense_free(struct group_dense *d)
{
    if (!d)
        return;
    group_dense_clear(d);
    free(d);
}

/* Zeroed and charged: NULL when there is no memory for it. */
static void *take(struct group_dense *d, size_t bytes)
{
    if (d->bytes + bytes > d->limit || (d->budget && budget_charge(d->budget, bytes)))
        return NULL;
    void *p = calloc(1, bytes);
    if (!p && d->budget)
        budget_release(d->budget, bytes);
    if (p)
        d->bytes += bytes;
    return p;
}

/* Codes of a column: those of its dictionary, or the values of its range. False when they are too many. */
static bool count_codes(const struct dict *d, const struct dense_range *range, int64_t *base,
                        uint32_t *dim)
{
    uint64_t span;

    if (d) {
        *base = 0;
        *dim = dict_count(d) + 1;
        return true;
    }
    *base = range->any ? range->min : 0;
    span = range->any ? (uint64_t)range->max - (uint64_t)range->min : 0;
    *dim = (uint32_t)span + 2;
    return span<DENSE_BYTES && * base> INT64_MIN;
}

/* Positions of all keys: 0 when they are more than `most`. */
static uint64_t size_keys(struct group_dense *d, const struct dense_range *ranges, uint64_t most)
{
    uint64_t size = 1;

    for (unsigned i = d->n_keys; i-- > 0;) {
        struct dense_key *k = &d->keys[i];
        uint16_t ref = k->input->ref;
        if (!count_codes(k->input->coded ? k->input->dict : NULL,
                         ref < PROGRAM_PARENT ? &ranges[ref] : NULL, &k->base, &k->dim))
            return 0;
        k->step = (uint32_t)size;
        size *= k->dim;
        if (size > most)
            return 0;
    }
    return size;
}

/* Room for the slices of codes that only containers have. */
static bool take_scratch(struct dense_source *x, const struct schema *schema, struct arena *arena)
{
    x->scratch = NULL;
    x->scratch_bytes = 0;
    if (schema->columns[x->ref].layout != LAYOUT_ENUM)
        return true;
    x->scratch_bytes = colblock_lines_scratch(x->dim - 1);
    char *p = arena_alloc(arena, x->scratch_bytes + 64);
    x->scratch = p ? (uint64_t *)(void *)(p + (-(uintptr_t)p & 63)) : NULL;
    return p != NULL;
}

/*
 * What the relation's values add to positions: not for many more values than rows, as each is looked up. When only
 * rows are dropped and a sieve does that, then for few values: a sieve may find some rows only.
 */
static bool take_places(struct group_dense *d, struct dense_source *x,
                        const struct dense_range *range, uint64_t rows, struct arena *arena)
{
    struct join_place_key keys[PROGRAM_MAX_GROUPS];
    struct dense_range between = *range;
    unsigned n = 0;

    for (unsigned i = 0; i < d->n_keys; i++) {
        const struct dense_key *k = &d->keys[i];
        if (k->input->ref >= PROGRAM_PARENT && d->joins[k->input->join] == x->join)
            keys[n++] = (struct join_place_key){k->input->attribute, k->step};
    }
    bool sieved = d->sieves >> x->number & 1;
    x->places = NULL;
    x->adds = n > 0;
    group_dense_narrow(x, &between);
    if (!count_codes(x->join->row_of_code ? x->join->dict : NULL, &between, &x->base, &x->dim) ||
        x->dim > (sieved && !n ? DENSE_DROPS : rows + DENSE_FEW))
        return sieved && !n;
    if (x->join->row_of_code && x->dim > x->join->n_codes + 1)
        x->dim = x->join->n_codes + 1;
    x->places = join_place_make(x->join, x->base, x->dim - 1, keys, n, arena);
    return x->places != NULL;
}

static bool bind_sources(struct group_dense *d, const struct dense_range *ranges, uint64_t rows,
                         struct arena *arena)
{
    d->looked = 0;
    for (unsigned i = 0; i < d->n_sources; i++) {
        struct dense_source *x = &d->sources[i];
        if (x->join && !take_places(d, x, &ranges[x->ref], rows, arena))
            return false;
        if (!x->join) {
            x->base = x->key->base;
            x->dim = x->key->dim;
        }
        if ((!x->join || x->places) && !take_scratch(x, d->schema, arena))
            return false;
        if (x->join && x->places)
            d->looked |= d->inner & 1u << x->number;
    }
    return true;
}

static bool size_sums(struct group_dense *d, const struct dense_range *ranges)
{
    for (unsigned i = 0; i < d->n_columns; i++) {
        struct dense_column *c = &d->columns[i];
        if ((c->word || c->value.n > 1) && !group_value_bound(&c->value, ranges))
            return false;
    }
    return true;
}

/* Few groups with one or two sums of narrow values are added in single words. */
static void choose_packed(struct group_dense *d)
{
    unsigned width[DENSE_SUMS] = {0};
    uint32_t size = (uint32_t)(d->size + LINE_WORDS - 1) / LINE_WORDS * LINE_WORDS;

    if (d->stride != 2 && d->stride != 3)
        return;
    for (unsigned i = 0; i < d->n_columns; i++)
        if (d->columns[i].word)
            width[d->columns[i].word - 1] =
                d->columns[i].value.span ? 32 - (unsigned)__builtin_clz(d->columns[i].value.span)
                                         : 0;
    if (group_packed_init(&d->packed, size, width, d->stride - 1))
        d->packed.words = take(d, size * sizeof(*d->packed.words));
}

bool group_dense_begin(struct group_dense *d, const struct dense_range *ranges, uint64_t rows,
                       uint32_t sieves, struct arena *arena)
{
    uint64_t most =
        d->only_keys ? DENSE_BYTES * 8ull : DENSE_BYTES / (d->stride > 1 ? d->stride * 8 : 4);

    group_dense_clear(d);
    d->sieves = d->inner & sieves;
    if (most > rows * DENSE_SPARSE + DENSE_FEW)
        most = rows * DENSE_SPARSE + DENSE_FEW;
    if (d->program->n_joins && most > JOIN_PLACE_NONE)
        most = JOIN_PLACE_NONE;
    if (rows > UINT32_MAX) /* counts are 32 bits wide, and sums of as many 32-bit values 64 */
        return false;
    uint64_t size = size_keys(d, ranges, most);
    if (size)
        size = group_direct_align(d, size, most);
    if (!size || !size_sums(d, ranges) || !bind_sources(d, ranges, rows, arena))
        return false;
    d->size = size;
    choose_packed(d);
    if (d->packed.words)
        size = d->packed.size;
    if (d->only_keys)
        d->seen = take(d, (size + 63) / 64 * sizeof(*d->seen));
    else if (d->stride > 1)
        d->cells = take(d, size * d->stride * sizeof(*d->cells));
    else
        d->counts = take(d, size * sizeof(*d->counts));
    if (d->cells || d->counts || d->seen)
        return true;
    d->size = 0;
    return false;
}

uint32_t group_dense_looks_up(const struct group_dense *d)
{
    return d->looked;
}

/* ---- a block ---- */

static bool open_block(struct group_dense *d, const struct block *b, uint32_t sieved)
{
    d->drops = d->inner & ~sieved;
    for (unsigned i = 0; i < d->n_sources; i++) {
        struct dense_source *x = &d->sources[i];
        const struct colblock *c = b->columns[x->ref];
        bool all = x->join && sieved >> x->number & 1;
        x->active = !x->join || (x->places && (x->adds || !all));
        if (!x->active && !all)
            return false;
        if (!x->active)
            continue;
        if (!group_dense_open_source(x, c))
            return false;
    }
    for (unsigned i = 0; i < d->n_columns; i++) {
        struct dense_column *c = &d->columns[i];
        /* Of a column that is only counted no value is read; one that is computed must not be too large. */
        if (!c->word && c->value.n == 1)
            group_value_view(&c->value, b);
        else if (!group_value_open(&c->value, b))
            return false;
        if (!c->nulls && group_value_has_nulls(&c->value) &&
            !(c->nulls = take(d, d->size * sizeof(*c->nulls))))
            return false;
    }
    return true;
}

static const uint64_t full[LINE_WORDS] = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};

static void clear_rows(uint32_t *values, const uint64_t *rows)
{
    for (unsigned w = 0; w < LINE_WORDS; w++)
        for (uint64_t bits = rows[w]; bits; bits &= bits - 1)
            values[w * 64 + (unsigned)__builtin_ctzll(bits)] = 0;
}

/* Group of every row of the line; rows without a parent have one beyond all. */
static void read_positions(struct group_dense *d, uint32_t line, const uint64_t *sel, uint32_t *pos)
{
    _Alignas(64) uint32_t codes[LINE_ROWS];
    uint64_t nulls[LINE_WORDS];
    bool direct = d->n_sources && !d->sources[0].join && d->sources[0].key->step == 1;

    if (!direct)
        memset(pos, 0, LINE_ROWS * sizeof(*pos));
    for (unsigned i = 0; i < d->n_sources; i++) {
        const struct dense_source *x = &d->sources[i];
        uint32_t *to = !i && direct ? pos : codes;
        if (!x->active)
            continue;
        colblock_lines_read(&x->lines, line, to);
        /* NULLs have any value; as what is looked up must be a code they count also where they are not selected. */
        if (colblock_lines_nulls(&x->lines, line, x->join ? full : sel, nulls))
            clear_rows(to, nulls);
        if (x->join)
            group_dense_look_up(x, codes, LINE_ROWS, pos);
        else if (to != pos)
            kernel_table()->add_scaled_line32(codes, x->key->step, pos);
    }
}

static void count_nulls(const struct dense_column *c, const uint32_t *pos, const uint64_t *nulls)
{
    for (unsigned w = 0; w < LINE_WORDS; w++)
        for (uint64_t bits = nulls[w]; bits; bits &= bits - 1)
            c->nulls[pos[w * 64 + (unsigned)__builtin_ctzll(bits)]]++;
}

static void add_counts(uint32_t *counts, const uint32_t *pos, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        counts[pos[i]]++;
}

static void add_seen(uint64_t *seen, const uint32_t *pos, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        seen[pos[i] >> 6] |= 1ull << (pos[i] & 63);
}

static void add_one(uint64_t *cells, const uint32_t *pos, const uint32_t *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *cell = cells + (size_t)pos[i] * 2;
        cell[0]++;
        cell[1] += a[i];
    }
}

static void add_two(uint64_t *cells, const uint32_t *pos, const uint32_t *a, const uint32_t *b,
                    uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *cell = cells + (size_t)pos[i] * 3;
        cell[0]++;
        cell[1] += a[i];
        cell[2] += b[i];
    }
}

static void add_sum(uint64_t *words, unsigned stride, const uint32_t *pos, const uint32_t *values,
                    uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        words[(size_t)pos[i] * stride] += values[i];
}

/* Sums of columns at a time, so that the values of a line stay in L1. */
static void add_sums(struct group_dense *d, const uint32_t *pos, uint32_t (*values)[LINE_ROWS],
                     uint32_t n)
{
    if (d->packed.words) {
        group_packed_add(&d->packed, pos, values[1], d->stride > 2 ? values[2] : NULL, n, d->cells);
    } else if (d->stride == 2) {
        add_one(d->cells, pos, values[1], n);
    } else if (d->stride == 3) {
        add_two(d->cells, pos, values[1], values[2], n);
    } else {
        for (uint32_t i = 0; i < n; i++)
            d->cells[(size_t)pos[i] * d->stride]++;
        for (unsigned w = 1; w < d->stride; w++)
            add_sum(d->cells + w, d->stride, pos, values[w], n);
    }
}

void group_dense_add_rows_at(struct group_dense *d, const uint32_t *pos,
                             uint32_t (*values)[LINE_ROWS], uint32_t n)
{
    if (d->only_keys)
        add_seen(d->seen, pos, n);
    else if (d->stride > 1)
        add_sums(d, pos, values, n);
    else
        add_counts(d->counts, pos, n);
}

static void add_line(struct group_dense *d, uint32_t line, const uint64_t *sel, uint32_t n)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint32_t all[LINE_ROWS], pos[LINE_ROWS], column[LINE_ROWS],
        values[DENSE_SUMS + 1][LINE_ROWS];
    uint64_t nulls[LINE_WORDS], kept[LINE_WORDS];

    read_positions(d, line, sel, all);
    if (d->drops) {
        memcpy(kept, sel, sizeof(kept));
        k->below_line32(all, JOIN_PLACE_NONE, kept);
        sel = kept;
        n = k->count_lines(sel, 1);
        if (!n)
            return;
    }
    const uint32_t *at = n == LINE_ROWS ? all : pos;
    if (n < LINE_ROWS)
        k->compress_line32(all, sel, pos);
    for (unsigned i = 0; i < d->n_columns; i++) {
        struct dense_column *c = &d->columns[i];
        bool has_nulls = c->nulls && group_value_nulls(&c->value, line, sel, nulls);
        if (has_nulls)
            count_nulls(c, all, nulls);
        if (!c->word)
            continue;
        uint32_t *to = n == LINE_ROWS ? values[c->word] : column;
        group_value_read(&c->value, line, to);
        if (has_nulls)
            clear_rows(to, nulls);
        if (n < LINE_ROWS)
            k->compress_line32(column, sel, values[c->word]);
    }
    group_dense_add_rows_at(d, at, values, n);
}

/* Few enough rows of a block that the others are not worth being read? */
static bool is_few(const struct block *b, const uint64_t *sel)
{
    return kernel_table()->count_lines(sel, BLOCK_WORDS / LINE_WORDS) < b->rows / 2;
}

bool group_dense_add(struct group_dense *d, const struct block *b, const uint64_t *sel,
                     uint32_t sieved)
{
    if (!open_block(d, b, sieved))
        return false;
    group_direct_open(d);
    if (sel && !d->direct_lines && group_dense_is_sparse(d) && is_few(b, sel)) {
        group_dense_add_sparse(d, b, sel);
        return true;
    }
    for (uint32_t line = 0; line * LINE_ROWS < b->rows; line++) {
        uint32_t left = b->rows - line * LINE_ROWS, n = LINE_ROWS;
        const uint64_t *rows = sel ? sel + line * LINE_WORDS : full;
        uint64_t mask[LINE_WORDS] = {0};
        if (!sel && left < LINE_ROWS) {
            for (uint32_t i = 0; i < left; i++)
                mask[i / 64] |= 1ull << (i % 64);
            rows = mask;
            n = left;
        } else if (sel) {
            n = kernel_table()->count_lines(rows, 1);
        }
        if (n && line < d->direct_lines)
            group_direct_add(d, line, rows, n);
        else if (n)
            add_line(d, line, rows, n);
    }
    return true;
}

/* ---- the groups ---- */

/* Rows (word 0) or a sum of a group. */
static uint64_t word_at(const struct group_dense *d, size_t at, unsigned word)
{
    if (d->packed.words)
        return d->cells[(size_t)word * d->packed.size + at];
    if (d->only_keys)
        return d->seen[at >> 6] >> (at & 63) & 1;
    return d->stride > 1 ? d->cells[at * d->stride + word] : d->counts[at];
}

static void read_key(const struct group_dense *d, size_t at, int64_t *key)
{
    int64_t mask = 0;

    for (unsigned i = d->n_keys; i-- > 0;) {
        const struct dense_key *k = &d->keys[i];
        uint32_t code = (uint32_t)(at % k->dim);
        at /= k->dim;
        key[i] = code ? k->base + (int64_t)code - 1 : 0;
        mask |= (int64_t)(code > 0) << i;
    }
    key[d->n_keys] = mask;
}

static void read_sum(const struct group_dense *d, unsigned a, size_t at, struct group_sum *out)
{
    enum aggregate_kind kind = d->program->aggregates[a].kind;
    const struct dense_column *c = &d->columns[d->column_of[a]];
    uint64_t rows = word_at(d, at, 0);

    if (kind != AGGREGATE_COUNT_ROWS && c->nulls)
        rows -= c->nulls[at];
    *out = (struct group_sum){.count = (int64_t)rows};
    if (kind == AGGREGATE_SUM)
        out->sum = (__int128)word_at(d, at, c->word) + (__int128)c->value.base * (__int128)rows;
}

/* First position from `at` on with rows; `end` when there is none before it. */
static size_t next_group(const struct group_dense *d, size_t at, size_t end)
{
    if (!d->only_keys) {
        while (at < end && !word_at(d, at, 0))
            at++;
        return at;
    }
    while (at < end) {
        uint64_t bits = d->seen[at >> 6] >> (at & 63);
        if (bits)
            return at + (size_t)__builtin_ctzll(bits) < end ? at + (size_t)__builtin_ctzll(bits)
                                                            : end;
        at = (at | 63) + 1;
    }
    return end;
}

void group_dense_settle(struct group_dense *d)
{
    if (d->packed.words)
        group_packed_empty(&d->packed, d->cells);
}

int group_dense_flush(struct group_dense *d, struct group_table *to)
{
    struct group_sum sums[PROGRAM_MAX_AGGREGATES];
    int64_t key[PROGRAM_MAX_GROUPS + 1];
    int rc = 0;

    group_dense_settle(d);
    for (size_t at = 0; (at = next_group(d, at, d->size)) < d->size && !rc; at++) {
        read_key(d, at, key);
        for (unsigned a = 0; a < d->program->n_aggregates; a++)
            read_sum(d, a, at, &sums[a]);
        rc = group_add_sums(to, key, sums);
    }
    group_dense_clear(d);
    return rc;
}

/* ---- handed out as they are ---- */

/* Grouped by one own column? */
static bool is_by_own(const struct group_dense *d)
{
    return d->n_keys == 1 && d->keys[0].input->ref < PROGRAM_PARENT;
}

bool group_dense_is_shared(const struct group_dense *d)
{
    /* What joins look up is that of a slot. */
    return is_by_own(d) && !d->keys[0].input->coded && d->n_sources == 1;
}

bool group_dense_is_open(const struct group_dense *d)
{
    return d->size > 0;
}

bool group_dense_span(const struct group_dense *d, int64_t *first, int64_t *last)
{
    if (d->size < 2)
        return false;
    *first = d->keys[0].base;
    *last = d->keys[0].base + (int64_t)(d->size - 2);
    return true;
}

void group_dense_add_rows(const struct group_dense *d, int64_t first, uint32_t n, uint64_t *rows)
{
    int64_t from, last;

    if (!group_dense_span(d, &from, &last) || last < first)
        return;
    uint64_t skip = from > first ? (uint64_t)from - (uint64_t)first : 0;
    uint64_t room = (uint64_t)last - (uint64_t)first + 1, end = room < n ? room : n;
    if (skip >= end)
        return;
    size_t at = (size_t)((uint64_t)first + skip - (uint64_t)from) + 1;
    if (d->counts) {
        for (uint64_t i = skip; i < end; i++)
            rows[i] += d->counts[at + i - skip];
    } else {
        for (uint64_t i = skip; i < end; i++)
            rows[i] += word_at(d, at + i - skip, 0);
    }
}

bool group_dense_read(const struct group_dense *d, const int64_t *value, struct group_sum *sums)
{
    int64_t first, last;
    size_t at = 0;

    if (value && (!group_dense_span(d, &first, &last) || *value < first || *value > last))
        return false;
    if (value)
        at = (size_t)((uint64_t)*value - (uint64_t)first) + 1;
    if (at >= d->size || !word_at(d, at, 0))
        return false;
    for (unsigned a = 0; a < d->program->n_aggregates; a++) {
        struct group_sum s;
        read_sum(d, a, at, &s);
        sums[a].sum += s.sum;
        sums[a].count += s.count;
    }
    return true;
}

bool group_dense_can_set(const struct group_dense *d)
{
    if (!is_by_own(d) || !d->keys[0].input->coded || d->keys[0].input->kind != BATCH_BYTES)
        return false;
    for (unsigned a = 0; a < d->program->n_aggregates; a++)
        if (d->program->aggregates[a].kind == AGGREGATE_SUM)
            return false;
    return true;
}

unsigned group_dense_set_words(const struct group_dense *d)
{
    return d->only_keys ? 0 : d->program->n_aggregates;
}

static int add_to_set(const struct group_dense *d, size_t at, struct group_set *to)
{
    uint64_t counts[PROGRAM_MAX_AGGREGATES];
    uint32_t len;

    for (unsigned a = 0; a < group_dense_set_words(d); a++) {
        struct group_sum s;
        read_sum(d, a, at, &s);
        counts[a] = (uint64_t)s.count;
    }
    if (!at) {
        group_set_add_null(to, counts);
        return 0;
    }
    const char *bytes = dict_bytes(d->keys[0].input->dict, (uint32_t)at - 1, &len);
    return group_set_add(to, bytes, len, counts);
}

/* Places of the strings from position `at` to before `end` when they are known, or worth finding out for their rows. */
static const uint32_t *find_numbers(const struct group_dense *d, struct slot *slot, size_t at,
                                    size_t end, const struct group_set *to)
{
    size_t seen = 0;

    if (!group_set_takes_numbers(to) || at % SLOT_NUMBERS || end - at > SLOT_NUMBERS)
        return NULL;
    for (size_t w = at / 64; w < (end + 63) / 64; w++)
        seen += (size_t)__builtin_popcountll(d->seen[w]);
    return slot_numbers(slot, d->keys[0].input->ref, at, end - at, seen > (end - at) / DENSE_FOUND);
}

/* The positions of a word of d->seen, when nothing else is known of them; places from position `at` on. */
static int fold_word(const struct group_dense *d, size_t at, uint64_t bits, const uint32_t *places,
                     struct group_set *to)
{
    const struct dict *dict = d->keys[0].input->dict;
    uint32_t numbers[64], n = 0, len;

    for (; bits; bits &= bits - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(bits);
        size_t pos = at + bit;
        if (!pos) {
            group_set_add_null(to, NULL);
            continue;
        }
        if (places && places[bit] != SLOT_NO_NUMBER) {
            numbers[n++] = places[bit];
            continue;
        }
        const char *bytes = dict_bytes(dict, (uint32_t)pos - 1, &len);
        if (group_set_add(to, bytes, len, NULL))
            return -ENOMEM;
    }
    return group_set_add_numbers(to, numbers, n);
}

/* All positions with rows from `at` to before `end`; both begin a word of d->seen, or are its end. */
static int fold_seen(const struct group_dense *d, struct slot *slot, size_t at, size_t end,
                     struct group_set *to)
{
    const uint32_t *places = find_numbers(d, slot, at, end, to);
    int rc = 0;

    for (size_t from = at; at < end && !rc; at += 64)
        rc = fold_word(d, at, d->seen[at / 64], places ? places + (at - from) : NULL, to);
    return rc;
}

int group_dense_fold(struct group_dense *d, struct slot *slot, size_t *at, size_t most,
                     struct group_set *to)
{
    size_t end = d->size - *at < most ? d->size : *at + most;

    if (d->only_keys) {
        if (fold_seen(d, slot, *at, end, to))
            return -ENOMEM;
        *at = end;
    }
    while ((*at = next_group(d, *at, end)) < end) {
        if (add_to_set(d, *at, to))
            return -ENOMEM;
        ++*at;
    }
    if (*at < d->size)
        return 0;
    group_dense_clear(d);
    return 1;
}

/* Column block: what the executor asks, over the sealed part and the tail. */
#include "storage/colblock.h"

#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock_impl.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/slices.h"

enum {
    SPARSE_LINE = 12, /* selected rows of a line up to which they are read one by one */
    SLICES_SOME = 32, /* few columns have more */
    CONTAINERS_SOME = 256,
    TAIL_SOME = 512, /* bytes */
};

const uint64_t *tail_all(uint32_t rows, uint64_t *out)
{
    memset(out, 0, presence_words(rows) * sizeof *out);
    presence_fill(out, 0, rows);
    return out;
}

void sealed_all(const struct sealed *s, uint64_t *out)
{
    memset(out, 0, s->words * sizeof *out);
    presence_fill(out, 0, s->rows);
}

static uint32_t block_rows(const struct colblock *c)
{
    return sealed_rows(c) + c->tail.rows;
}

static uint32_t block_present(const struct colblock *c)
{
    uint32_t tail = c->tail.rows ? c->tail.present : 0;

    if (c->summed)
        return c->present + tail;
    return (c->sealed ? c->sealed->present : 0) + tail;
}

static uint32_t sealed_words(const struct colblock *c)
{
    return c->sealed ? c->sealed->words : 0;
}

static uint32_t block_words(const struct colblock *c)
{
    return sealed_words(c) + presence_words(c->tail.rows);
}

void colblock_prefetch(const struct colblock *c, unsigned step, bool all)
{
    const struct sealed *s;

    if (step == 0) {
        __builtin_prefetch(c);
        return;
    }
    for (size_t at = 0; at < (size_t)c->tail.rows * c->tail.width && at < TAIL_SOME; at += 64)
        __builtin_prefetch(c->tail.data + at);
    if ((s = c->sealed) && !(all && c->summed)) {
        __builtin_prefetch(s);
        if (c->layout == LAYOUT_ORDERED) /* for sums */
            for (uint32_t i = 0; i < SLICES_SOME; i += 16)
                __builtin_prefetch(&s->slice_counts[i]);
    }
}

void colblock_prefetch_code(const struct colblock *c, uint32_t code)
{
    const struct sealed *s = c->sealed;

    if (c->filter)
        __builtin_prefetch(code_filter_word(c->filter, code));
    else if (s && code < s->n_containers)
        __builtin_prefetch(&s->directory[code]);
}

void colblock_prefetch_row(const struct colblock *c, uint32_t row)
{
    const struct sealed *s = c->sealed;

    if (!s || row >= s->rows || !s->has_slices)
        return;
    for (uint32_t i = 0; i < s->slices.width; i++)
        __builtin_prefetch(s->slices.words + (size_t)i * s->slices.stride + row / 64);
}

void colblock_prefetch_counts(const struct colblock *c)
{
    const struct sealed *s = c->sealed;

    if (s)
        __builtin_prefetch(&s->present);
    for (uint32_t i = 0; s && i < s->n_containers && i < CONTAINERS_SOME; i += 4)
        __builtin_prefetch(&s->directory[i]);
}

bool colblock_has_nulls(const struct colblock *c)
{
    return block_present(c) < block_rows(c);
}

size_t colblock_memory(const struct colblock *c)
{
    return sizeof *c + (c->sealed ? c->sealed->bytes : 0) + (c->filter ? sizeof *c->filter : 0) +
           tail_memory(&c->tail);
}

bool colblock_bounds(const struct colblock *c, int64_t *min, int64_t *max)
{
    if (c->any) {
        *min = c->min;
        *max = c->max;
    }
    return c->any;
}

bool colblock_bounds_tight(const struct colblock *c)
{
    return c->tight;
}

static bool is_present(const struct colblock *c, uint32_t row)
{
    uint32_t n = sealed_rows(c);

    return row < n ? sealed_is_present(c->sealed, row) : tail_is_present(&c->tail, row - n);
}

bool colblock_get(const struct colblock *c, uint32_t row, int64_t *value)
{
    uint32_t n = sealed_rows(c);

    ASSERT_HOT(row < block_rows(c));
    if (!is_present(c, row))
        return false;
    *value = row < n ? sealed_get(c->sealed, row) : tail_get(&c->tail, row - n);
    return true;
}

static void keep_present(const struct colblock *c, uint64_t *sel)
{
    if (c->sealed)
        presence_and(sel, c->sealed->presence, sealed_words(c));
    presence_and(sel + sealed_words(c), c->tail.presence, presence_words(c->tail.rows));
}

/* sel when every value, or (all false) none, is kept. */
static void keep_all(const struct colblock *c, bool all, uint64_t *sel)
{
    if (all)
        keep_present(c, sel);
    else
        memset(sel, 0, block_words(c) * sizeof *sel);
}

void colblock_filter_null(const struct colblock *c, bool want_null, uint64_t *sel)
{
    uint64_t had[BLOCK_WORDS];
    uint32_t words = block_words(c);

    if (!colblock_has_nulls(c)) {
        if (want_null)
            memset(sel, 0, words * sizeof *sel);
        return;
    }
    if (!want_null) {
        keep_present(c, sel);
        return;
    }
    memcpy(had, sel, words * sizeof *sel);
    keep_present(c, had);
    for (uint32_t i = 0; i < words; i++)
        sel[i] &= ~had[i];
}

/* ---- ranges of ordered values ---- */

static void range_sealed(const struct sealed *s, int64_t lo, int64_t hi, bool negate, uint64_t *sel)
{
    const struct slices *x = &s->slices;
    uint64_t mask = x->width == 64 ? ~0ull : (1ull << x->width) - 1;
    uint64_t from = lo <= x->base ? 0 : (uint64_t)lo - (uint64_t)x->base;
    uint64_t to = hi < x->base ? 0 : (uint64_t)hi - (uint64_t)x->base;

    presence_and(sel, s->presence, s->words);
    if (hi < x->base || from > mask) {
        if (!negate)
            memset(sel, 0, s->words * sizeof *sel);
        return;
    }
    kernel_table()->filter_range(x, from, to < mask ? to : mask, negate, sel);
}

static void range_tail(const struct tail *t, int64_t lo, int64_t hi, bool negate, uint64_t *sel)
{
    uint64_t flip = negate ? ~0ull : 0;

    presence_and(sel, t->presence, presence_words(t->rows));
    for (uint32_t from = 0; from < t->rows; from += 64, sel++) {
        if (*sel)
            *sel &= tail_match(t, from, lo, hi) ^ flip;
    }
}

void colblock_filter_range(const struct colblock *c, int64_t lo, int64_t hi, bool negate,
                           uint64_t *sel)
{
    ASSERT_HOT(c->layout == LAYOUT_ORDERED);
    if (!c->any || lo > hi || hi < c->min || lo > c->max) {
        keep_all(c, negate, sel);
    } else if (lo <= c->min && hi >= c->max) {
        keep_all(c, !negate, sel);
    } else {
        if (c->sealed)
            range_sealed(c->sealed, lo, hi, negate, sel);
        range_tail(&c->tail, lo, hi, negate, sel + sealed_words(c));
    }
}

/* ---- decoding ---- */

/* Present flags of the selected rows of a line, and zero where they are clear. */
static void mark_nulls(const uint64_t *presence, const uint64_t *sel, int64_t *values,
                       uint8_t *present)
{
    uint32_t n = 0;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        for (uint64_t w = sel[k]; w; w &= w - 1, n++) {
            bool has = presence[k] >> __builtin_ctzll(w) & 1;

            if (present)
                present[n] = has;
            if (!has)
                values[n] = 0;
        }
    }
}

static uint32_t decode_few(const struct sealed *s, uint32_t line, const uint64_t *sel,
                           int64_t *values)
{
    uint32_t n = 0;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        for (uint64_t w = sel[k]; w; w &= w - 1)
            values[n++] = sealed_get(s, line * LINE_ROWS + k * 64 + (uint32_t)__builtin_ctzll(w));
    }
    return n;
}

static uint32_t decode_sealed(const struct sealed *s, const uint64_t *sel, int64_t *values,
                              uint8_t *present)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) int64_t line_values[LINE_ROWS];
    uint32_t total = 0;

    for (uint32_t line = 0; line < s->words / LINE_WORDS; line++, sel += LINE_WORDS) {
        uint32_t n;

        if (presence_is_empty(sel, LINE_WORDS))
            continue;
        n = presence_count(sel, LINE_WORDS);
        if (n <= SPARSE_LINE) {
            decode_few(s, line, sel, values + total);
        } else if (n == LINE_ROWS) {
            sealed_decode_line(s, k, line, values + total);
        } else {
            sealed_decode_line(s, k, line, line_values);
            k->compress_line(line_values, sel, values + total);
        }
        if (s->presence)
            mark_nulls(s->presence + line * LINE_WORDS, sel, values + total,
                       present ? present + total : NULL);
        else if (present)
            memset(present + total, 1, n);
        total += n;
    }
    return total;
}

static uint32_t decode_tail(const struct tail *t, const uint64_t *sel, int64_t *values,
                            uint8_t *present)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) int64_t line_values[LINE_ROWS] = {0};
    uint32_t total = 0;

    for (uint32_t from = 0; from < t->rows; from += LINE_ROWS, sel += LINE_WORDS) {
        uint32_t rows = t->rows - from < LINE_ROWS ? t->rows - from : LINE_ROWS, n;
        uint32_t words = presence_words(rows);
        uint64_t mask[LINE_WORDS] = {0};

        if (presence_is_empty(sel, words))
            continue;
        memcpy(mask, sel, words * sizeof *mask);
        tail_read(t, from, rows, line_values);
        n = k->compress_line(line_values, mask, values + total);
        if (t->presence)
            mark_nulls(t->presence + from / 64, mask, values + total,
                       present ? present + total : NULL);
        else if (present)
            memset(present + total, 1, n);
        total += n;
    }
    return total;
}

uint32_t colblock_decode(const struct colblock *c, const uint64_t *sel, int64_t *values,
                         uint8_t *present)
{
    uint32_t n = c->sealed ? decode_sealed(c->sealed, sel, values, present) : 0;

    return n +
           decode_tail(&c->tail, sel + sealed_words(c), values + n, present ? present + n : NULL);
}

/* ---- aggregates of ordered values ---- */

uint32_t colblock_count(const struct colblock *c, const uint64_t *sel)
{
    const struct sealed *s = c->sealed;
    const struct kernels *k = kernel_table();
    uint32_t n = 0;

    if (!sel)
        return block_present(c);
    if (s)
        n = s->presence ? kernel_count_both(k, sel, s->presence, s->words / LINE_WORDS)
                        : k->count_lines(sel, s->words / LINE_WORDS);
    return n + presence_count_and(sel + sealed_words(c), c->tail.presence,
                                  presence_words(c->tail.rows));
}

static uint32_t sum_sealed(const struct sealed *s, const uint64_t *sel, __int128 *sum)
{
    const struct kernels *k = kernel_table();
    uint32_t lines = s->words / LINE_WORDS, n = sel ? k->count_lines(sel, lines) : s->rows;
    bool all = n == s->rows;
    unsigned __int128 total = 0;

    if (all)
        n = s->present;
    else if (s->presence)
        n = kernel_count_both(k, sel, s->presence, lines);

    if (all) {
        for (uint32_t i = 0; i < s->slices.width; i++)
            total += (unsigned __int128)s->slice_counts[i] << i;
    } else if (n) {
        total = k->sum(&s->slices, sel); /* NULL rows have no bits in any slice */
    }
    *sum += (__int128)s->slices.base * n + (__int128)total;
    return n;
}

void colblock_note_sealed(struct colblock *c)
{
    __int128 sum = 0;

    c->summed = false;
    if (!c->sealed || c->layout != LAYOUT_ORDERED)
        return;
    c->present = sum_sealed(c->sealed, NULL, &sum);
    c->sum = (int64_t)sum;
    c->summed = c->sum == sum;
}

static uint32_t sum_tail(const struct tail *t, const uint64_t *sel, __int128 *sum)
{
    uint32_t total = 0;

    for (uint32_t from = 0; from < t->rows; from += 64, sel++) {
        uint64_t w = *sel & (t->presence ? t->presence[from / 64] : ~0ull);

        if (!w)
            continue;
        total += (uint32_t)__builtin_popcountll(w);
        *sum += tail_sum(t, from, w);
    }
    return total;
}

uint32_t colblock_sum(const struct colblock *c, const uint64_t *sel, __int128 *sum)
{
    uint64_t tail_sel[BLOCK_WORDS];
    uint32_t n;

    ASSERT_HOT(c->layout == LAYOUT_ORDERED);
    *sum = 0;
    if (!sel && c->summed && !c->tail.rows) {
        *sum = c->sum;
        return c->present;
    }
    n = c->sealed ? sum_sealed(c->sealed, sel, sum) : 0;
    sel = sel ? sel + sealed_words(c) : tail_all(c->tail.rows, tail_sel);
    return n + sum_tail(&c->tail, sel, sum);
}

static bool min_max_tail(const struct tail *t, const uint64_t *sel, bool found, int64_t *min,
                         int64_t *max)
{
    int64_t values[64];

    for (uint32_t from = 0; from < t->rows; from += 64, sel++) {
        uint64_t w = *sel & (t->presence ? t->presence[from / 64] : ~0ull);

        if (!w)
            continue;
        tail_read(t, from, t->rows - from < 64 ? t->rows - from : 64, values);
        for (; w; w &= w - 1) {
            int64_t v = values[__builtin_ctzll(w)];

            *min = found && *min < v ? *min : v;
            *max = found && *max > v ? *max : v;
            found = true;
        }
    }
    return found;
}

bool colblock_min_max(const struct colblock *c, const uint64_t *sel, int64_t *min, int64_t *max)
{
    uint64_t tail_sel[BLOCK_WORDS];
    bool found = false;

    ASSERT_HOT(c->layout == LAYOUT_ORDERED);
    if (block_present(c) == 0)
        return false;
    if (c->tight && (!sel || presence_count(sel, block_words(c)) == block_rows(c)))
        return colblock_bounds(c, min, max);
    if (c->sealed) {
        uint64_t some[BLOCK_WORDS];

        if (sel)
            memcpy(some, sel, sealed_words(c) * sizeof *some);
        else
            sealed_all(c->sealed, some);
        presence_and(some, c->sealed->presence, sealed_words(c));
        found = !presence_is_empty(some, sealed_words(c));
        if (found)
            slices_min_max(&c->sealed->slices, some, min, max);
    }
    sel = sel ? sel + sealed_words(c) : tail_all(c->tail.rows, tail_sel);
    return min_max_tail(&c->tail, sel, found, min, max);
}

/* Column block: predicates and counts over dictionary codes. */
#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock.h"
#include "storage/colblock_impl.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/slices.h"

enum {
    FEW_CODES =
        4, /* codes up to which a set is tested by equality on slices instead of by decoding */
    VAIN_LEAST = 2, /* searches for nothing after which a block gets a filter: */
    VAIN_TURNS = 4, /* blocks differ by less, so that no statement makes those of all */
};

static bool set_has(const struct code_set *set, uint32_t code)
{
    return code < set->limit && (set->bits[code >> 6] >> (code & 63) & 1);
}

/* Is the value, or one of the list's, in the set? */
static bool value_matches(const struct colblock *c, const struct code_set *set, int64_t value)
{
    uint32_t n;
    const uint32_t *codes;

    if (c->layout != LAYOUT_LIST)
        return set_has(set, (uint32_t)value);
    codes = dict_list(c->lists, (uint32_t)value, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (set_has(set, codes[i]))
            return true;
    }
    return false;
}

/* sel of one line by its values; rows without a value are out of sel already. */
static void filter_line(const struct colblock *c, const struct code_set *set, bool negate,
                        const int64_t *values, uint32_t words, uint64_t *sel)
{
    for (uint32_t k = 0; k < words; k++, values += 64) {
        uint64_t in = 0;

        for (uint64_t w = sel[k]; w; w &= w - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(w);

            in |= (uint64_t)value_matches(c, set, values[bit]) << bit;
        }
        sel[k] &= negate ? ~in : in;
    }
}

static void filter_tail(const struct colblock *c, const struct code_set *set, bool negate,
                        uint64_t *sel)
{
    const struct tail *t = &c->tail;
    int64_t values[LINE_ROWS];

    presence_and(sel, t->presence, presence_words(t->rows));
    for (uint32_t from = 0; from < t->rows; from += LINE_ROWS, sel += LINE_WORDS) {
        uint32_t n = t->rows - from < LINE_ROWS ? t->rows - from : LINE_ROWS;

        if (presence_is_empty(sel, presence_words(n)))
            continue;
        tail_read(t, from, n, values);
        filter_line(c, set, negate, values, presence_words(n), sel);
    }
}

/*
 * By containers: the smaller side of the values is united, unless lists make rows belong to
 * several.
 */
static void filter_containers(const struct sealed *s, const struct code_set *set, bool negate,
                              uint64_t *sel)
{
    const struct container *only = NULL;
    uint64_t in_rows = 0, all_rows = 0, acc[BLOCK_WORDS];
    uint32_t n_in = 0;
    bool want = true;

    for (uint32_t i = 0; i < s->n_containers; i++) {
        const struct container *x = &s->directory[i];

        all_rows += x->count;
        if (x->count && set_has(set, x->code)) {
            in_rows += x->count;
            n_in++;
            only = x;
        }
    }
    presence_and(sel, s->presence, s->words);
    if (n_in == 0 || (s->layout == LAYOUT_ENUM && in_rows == all_rows)) {
        if (negate != (n_in == 0))
            memset(sel, 0, s->words * sizeof *sel);
        return;
    }
    if (n_in == 1) {
        container_and(only, sealed_arena(s), s->words, negate, sel);
        return;
    }
    if (s->layout == LAYOUT_ENUM && in_rows > all_rows / 2)
        want = false;
    memset(acc, 0, s->words * sizeof *acc);
    for (uint32_t i = 0; i < s->n_containers; i++) {
        if (set_has(set, s->directory[i].code) == want)
            container_or(&s->directory[i], sealed_arena(s), s->words, acc);
    }
    const struct kernels *k = kernel_table();
    (want == negate ? k->and_not_lines : k->and_lines)(sel, acc, s->words / LINE_WORDS);
}

/* One value; rows without a value are out of sel already. */
static void filter_container(const struct sealed *s, uint32_t code, bool negate, uint64_t *sel)
{
    const struct container *x = sealed_container(s, code);

    if (x)
        container_and(x, sealed_arena(s), s->words, negate, sel);
    else if (!negate)
        memset(sel, 0, s->words * sizeof *sel);
}

/* Can a sealed row have the code? */
static bool sealed_may_have(const struct colblock *c, int64_t code)
{
    return slices_can_hold(&c->sealed->slices, code) &&
           (!c->filter || code_filter_may_have(c->filter, (uint32_t)code));
}

/* Members of the set among the codes that can occur: their number, at most FEW_CODES + 1. */
static uint32_t few_codes(const struct colblock *c, const struct code_set *set, int64_t *codes)
{
    int64_t from = c->min > 0 ? c->min : 0, to = c->max;
    uint32_t n = 0;

    if (!c->any || from >= set->limit)
        return 0;
    if (to >= set->limit)
        to = (int64_t)set->limit - 1;
    for (int64_t k = from / 64; k <= to / 64; k++) {
        for (uint64_t w = set->bits[k]; w; w &= w - 1) {
            int64_t code = k * 64 + __builtin_ctzll(w);

            if (code < from || code > to || !sealed_may_have(c, code))
                continue;
            codes[n++] = code;
            if (n > FEW_CODES)
                return n;
        }
    }
    return n;
}

static void filter_equal(const struct sealed *s, const int64_t *codes, uint32_t n, bool negate,
                         uint64_t *sel)
{
    const struct kernels *k = kernel_table();
    uint64_t acc[BLOCK_WORDS], one[BLOCK_WORDS];
    size_t bytes = s->words * sizeof *sel;

    if (n == 1) {
        uint64_t offset = (uint64_t)codes[0] - (uint64_t)s->slices.base;

        k->filter_range(&s->slices, offset, offset, negate, sel);
        return;
    }
    memset(acc, 0, bytes);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t offset = (uint64_t)codes[i] - (uint64_t)s->slices.base;

        memcpy(one, sel, bytes);
        k->filter_range(&s->slices, offset, offset, false, one);
        k->or_lines(acc, one, s->words / LINE_WORDS);
    }
    (negate ? k->and_not_lines : k->and_lines)(sel, acc, s->words / LINE_WORDS);
}

static void filter_slices(const struct colblock *c, const struct code_set *set, bool negate,
                          uint64_t *sel)
{
    const struct sealed *s = c->sealed;
    const struct kernels *k = kernel_table();
    _Alignas(64) int64_t values[LINE_ROWS];
    int64_t codes[FEW_CODES + 1];

    presence_and(sel, s->presence, s->words);
    if (c->layout != LAYOUT_LIST) {
        uint32_t n = few_codes(c, set, codes);

        if (n <= FEW_CODES) {
            filter_equal(s, codes, n, negate, sel);
            return;
        }
    }
    for (uint32_t line = 0; line < s->words / LINE_WORDS; line++, sel += LINE_WORDS) {
        if (presence_is_empty(sel, LINE_WORDS))
            continue;
        k->decode_line(&s->slices, line, values);
        filter_line(c, set, negate, values, LINE_WORDS, sel);
    }
}

void colblock_filter_codes(const struct colblock *c, const struct code_set *set, bool negate,
                           uint64_t *sel)
{
    ASSERT_HOT(c->layout != LAYOUT_ORDERED);
    if (c->sealed && c->sealed->has_containers)
        filter_containers(c->sealed, set, negate, sel);
    else if (c->sealed)
        filter_slices(c, set, negate, sel);
    filter_tail(c, set, negate, sel + (c->sealed ? c->sealed->words : 0));
}

static void filter_tail_code(const struct colblock *c, int64_t code, bool negate, uint64_t *sel)
{
    const struct tail *t = &c->tail;

    presence_and(sel, t->presence, presence_words(t->rows));
    for (uint32_t from = 0; from < t->rows; from += 64, sel++) {
        if (*sel)
            *sel &= tail_match(t, from, code, code) ^ (negate ? ~0ull : 0);
    }
}

void colblock_filter_tail_code(const struct colblock *c, uint32_t code, uint64_t *sel)
{
    filter_tail_code(c, code, false, sel);
}

/* A full block was searched for a code; after several for nothing it gets a filter. */
static void note_search(struct colblock *c, const uint64_t *sel)
{
    const struct sealed *s = c->sealed;

    if (c->filter || s->rows < BLOCK_ROWS || !presence_is_empty(sel, s->words))
        return;
    if (++c->vain < VAIN_LEAST + c->max % VAIN_TURNS)
        return;
    c->filter = code_filter_new(&s->slices, c->budget);
    c->vain = 0;
}

static void filter_code_slices(struct colblock *c, int64_t code, bool negate, uint64_t *sel)
{
    bool may = sealed_may_have(c, code);

    filter_equal(c->sealed, &code, may, negate, sel);
    if (may && !negate)
        note_search(c, sel);
}

void colblock_filter_code(struct colblock *c, uint32_t code, bool negate, uint64_t *sel)
{
    struct sealed *s = c->sealed;
    int64_t value = code;

    ASSERT(c->layout == LAYOUT_ENUM || c->layout == LAYOUT_CODED);
    if (s) {
        presence_and(sel, s->presence, s->words);
        if (s->has_containers)
            filter_container(s, code, negate, sel);
        else
            filter_code_slices(c, value, negate, sel);
        sel += s->words;
    }
    filter_tail_code(c, value, negate, sel);
}

bool colblock_code_rows(const struct colblock *c, uint32_t code, struct container_rows *rows)
{
    const struct container *x;

    ASSERT_HOT(c->layout == LAYOUT_ENUM || c->layout == LAYOUT_CODED);
    *rows = (struct container_rows){.words = c->sealed ? c->sealed->words : 0};
    if (!c->any || code < c->min || code > c->max)
        return true;
    if (!c->sealed || !c->sealed->has_containers)
        return c->filter && !c->tail.rows && !code_filter_may_have(c->filter, code);
    x = sealed_container(c->sealed, code);
    if (x)
        container_view(x, sealed_arena(c->sealed), c->sealed->words, rows);
    rows->tail = c->tail.rows;
    return true;
}

/* ---- counts per code ---- */

static void count_value(const struct colblock *c, int64_t value, uint64_t *counts, uint32_t n_codes)
{
    uint32_t one, n;
    const uint32_t *codes = sealed_codes(c->layout, c->lists, value, &one, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (codes[i] < n_codes)
            counts[codes[i]]++;
    }
}

static void count_line(const struct colblock *c, const int64_t *values, const uint64_t *sel,
                       const uint64_t *presence, uint32_t words, uint64_t *counts, uint32_t n_codes)
{
    for (uint32_t k = 0; k < words; k++, values += 64) {
        for (uint64_t w = sel[k] & (presence ? presence[k] : ~0ull); w; w &= w - 1) {
            int64_t value = values[__builtin_ctzll(w)];

            if (c->layout == LAYOUT_LIST)
                count_value(c, value, counts, n_codes);
            else if ((uint64_t)value < n_codes)
                counts[value]++;
        }
    }
}

/* Is the container of every code at its place? */
static bool is_dense(const struct sealed *s)
{
    return s->n_containers && s->directory[s->n_containers - 1].code == s->n_containers - 1;
}

static void count_containers(const struct sealed *s, const uint64_t *sel, bool all,
                             uint64_t *counts, uint32_t n_codes)
{
    const struct container *directory = s->directory;
    uint32_t n = s->n_containers;

    if (all && n <= n_codes && is_dense(s)) {
        for (uint32_t i = 0; i < n; i++)
            counts[i] += directory[i].count;
        return;
    }
    for (uint32_t i = 0; i < s->n_containers && s->directory[i].code < n_codes; i++) {
        const struct container *x = &s->directory[i];

        counts[x->code] += all ? x->count : container_count(x, sealed_arena(s), s->words, sel);
    }
}

/* Codes are below 2^32, whatever the frame of the slices. */
static void count_single(const struct sealed *s, const uint64_t *sel, uint64_t *counts,
                         uint32_t n_codes)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint32_t codes[LINE_ROWS], some[LINE_ROWS];
    uint64_t mask[LINE_WORDS];

    for (uint32_t line = 0; line < s->words / LINE_WORDS; line++, sel += LINE_WORDS) {
        memcpy(mask, sel, sizeof mask);
        if (s->presence)
            presence_and(mask, s->presence + line * LINE_WORDS, LINE_WORDS);
        if (presence_is_empty(mask, LINE_WORDS))
            continue;
        k->decode_line32(&s->slices, line, (uint32_t)s->slices.base, codes);
        uint32_t n = k->compress_line32(codes, mask, some);
        for (uint32_t i = 0; i < n; i++) {
            if (some[i] < n_codes)
                counts[some[i]]++;
        }
    }
}

static void count_slices(const struct colblock *c, const uint64_t *sel, uint64_t *counts,
                         uint32_t n_codes)
{
    const struct sealed *s = c->sealed;
    const struct kernels *k = kernel_table();
    _Alignas(64) int64_t values[LINE_ROWS];

    if (c->layout != LAYOUT_LIST && s->slices.width <= 32) {
        count_single(s, sel, counts, n_codes);
        return;
    }
    for (uint32_t line = 0; line < s->words / LINE_WORDS; line++, sel += LINE_WORDS) {
        if (presence_is_empty(sel, LINE_WORDS))
            continue;
        k->decode_line(&s->slices, line, values);
        count_line(c, values, sel, s->presence ? s->presence + line * LINE_WORDS : NULL, LINE_WORDS,
                   counts, n_codes);
    }
}

void colblock_count_codes(const struct colblock *c, const uint64_t *sel, uint64_t *counts,
                          uint32_t n_codes)
{
    const struct sealed *s = c->sealed;
    const struct tail *t = &c->tail;
    int64_t values[LINE_ROWS];
    uint64_t tail_sel[BLOCK_WORDS];

    ASSERT_HOT(c->layout != LAYOUT_ORDERED);
    if (s) {
        bool all = !sel || kernel_table()->count_lines(sel, s->words / LINE_WORDS) == s->rows;

        if (s->has_containers && (all || !s->has_slices || c->layout == LAYOUT_LIST))
            count_containers(s, sel, all, counts, n_codes);
        else if (sel)
            count_slices(c, sel, counts, n_codes);
        else {
            sealed_all(s, tail_sel);
            count_slices(c, tail_sel, counts, n_codes);
        }
        sel = sel ? sel + s->words : NULL;
    }
    if (!sel)
        sel = tail_all(t->rows, tail_sel);
    for (uint32_t from = 0; from < t->rows; from += LINE_ROWS, sel += LINE_WORDS) {
        uint32_t n = t->rows - from < LINE_ROWS ? t->rows - from : LINE_ROWS;

        if (presence_is_empty(sel, presence_words(n)))
            continue;
        tail_read(t, from, n, values);
        count_line(c, values, sel, t->presence ? t->presence + from / 64 : NULL, presence_words(n),
                   counts, n_codes);
    }
}

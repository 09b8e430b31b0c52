#include "storage/join_sieve.h"

#include <errno.h>
#include <string.h>

#include "storage/colblock_lines.h"
#include "storage/selection.h"

enum {
    SIEVE_RANGE_ROWS = BLOCK_ROWS / 128, /* selected, from which all are compared with a range */
    SIEVE_KEYS = 512,                    /* of parents, read at a time */
    SIEVE_FEW = 6,                       /* rows of a line whose values are looked up one by one, */
    SIEVE_SOME = 256,                    /* or are packed before that; */
    SIEVE_SET = 96,                      /* the same with a small set */
    SIEVE_SET_BITS = 1 << KERNEL_SET_WIDTH,
    SIEVE_FAR = 1 << 30,    /* values so far from the first one are not told from those with bits */
    SIEVE_ALWAYS = 8 << 20, /* bits that are always worth it: 1 MiB; */
    SIEVE_PER_PARENT = 512, /* else so many for each parent */
};

/* Are bits for so many values worth it? */
static bool is_near(uint64_t span, uint32_t parents)
{
    return span < SIEVE_ALWAYS || (span < SIEVE_FAR && span < (uint64_t)SIEVE_PER_PARENT * parents);
}

int join_sieve_init(struct join_sieve *s, const struct join_map *m, struct arena *arena)
{
    struct batch_column key;
    uint32_t n = 0;

    *s = (struct join_sieve){.kind = JOIN_SIEVE_UNKNOWN};
    batch_column_at(m->join->parents, 0, &key);
    if (!m->has_int_keys)
        return 0;
    s->first = m->first_key;
    s->last = m->last_key;
    uint64_t span = (uint64_t)s->last - (uint64_t)s->first;
    if (!is_near(span, key.rows))
        return 0;
    s->bits = arena_alloc(arena, (span / 64 + 1) * sizeof(uint64_t));
    if (!s->bits)
        return -ENOMEM;
    if (span < SIEVE_SET_BITS) {
        s->set = arena_alloc_raw(arena, SIEVE_SET_BITS / 8 + 64);
        if (!s->set)
            return -ENOMEM;
        s->set += (-(uintptr_t)s->set & 63) / sizeof(*s->set);
    }
    for (uint32_t from = 0, some; from < key.rows; from += some) {
        int64_t v[SIEVE_KEYS];
        some = key.rows - from < SIEVE_KEYS ? key.rows - from : SIEVE_KEYS;
        batch_read_i64(&key, from, some, v);
        for (uint32_t i = 0; i < some; i++) {
            uint64_t at = (uint64_t)v[i] - (uint64_t)s->first;
            if (!batch_is_present(&key, from + i))
                continue;
            n += !(s->bits[at >> 5] >> (at & 31) & 1);
            s->bits[at >> 5] |= 1u << (at & 31);
        }
    }
    s->solid = n == span + 1;
    return 0;
}

static int bind_codes(struct join_sieve *s, const struct join_map *m, struct arena *arena)
{
    uint64_t *bits = arena_alloc(arena, ((size_t)m->n_codes + 64) / 64 * sizeof(*bits));

    if (!bits)
        return -ENOMEM;
    s->codes = (struct code_set){.bits = bits, .limit = m->n_codes};
    for (uint32_t code = 0; code < m->n_codes; code++)
        if (m->row_of_code[code]) {
            bits[code >> 6] |= 1ull << (code & 63);
            s->codes.count++;
            s->codes.only = code;
        }
    s->n_codes = m->n_codes;
    return 0;
}

int join_sieve_bind(struct join_sieve *s, const struct join_map *m, struct arena *arena)
{
    s->kind = m->row_of_code     ? JOIN_SIEVE_CODES
              : s->bits          ? JOIN_SIEVE_BITS
              : !m->has_int_keys ? JOIN_SIEVE_NONE
                                 : JOIN_SIEVE_UNKNOWN;
    return s->kind == JOIN_SIEVE_CODES ? bind_codes(s, m, arena) : 0;
}

static bool is_bit(const struct join_sieve *s, uint32_t limit, uint32_t code)
{
    return code < limit && s->bits[code >> 5] >> (code & 31) & 1;
}

/* The n rows of a line with these values, one by one. */
static void keep_few(const struct join_sieve *s, uint32_t limit, const uint32_t *codes,
                     const uint16_t *rows, uint32_t n, uint64_t *sel)
{
    for (uint32_t i = 0; i < n; i++)
        sel[rows[i] >> 6] &= ~((uint64_t)!is_bit(s, limit, codes[i]) << (rows[i] & 63));
}

/* The same with whole vectors; codes has room for all rows of a line. */
static void keep_some(const struct join_sieve *s, uint32_t limit, uint32_t *codes, uint32_t n,
                      uint64_t *sel)
{
    const struct kernels *k = kernel_table();
    uint64_t bits[LINE_WORDS] = {0};

    memset(codes + n, 0, (-n & 63) * sizeof(*codes));
    memset(bits, 0xff, n / 64 * sizeof(*bits));
    if (n & 63)
        bits[n / 64] = (1ull << (n & 63)) - 1;
    k->member_line32(codes, s->bits, limit, bits);
    k->expand_line(bits, sel);
}

/* The i-th line with rows, which are few enough to be packed before they are looked up. */
static void sieve_packed(const struct join_sieve *s, uint32_t limit,
                         const struct colblock_lines *lines, const struct line_rows *r, uint32_t i,
                         uint64_t *sel)
{
    _Alignas(64) uint32_t codes[LINE_ROWS];
    uint16_t rows[LINE_ROWS + LINE_ROWS_SPARE];
    uint32_t n = r->counts[i];

    if (n <= kernel_table()->pick_rows)
        line_rows_list(r, i, rows);
    colblock_lines_pick(lines, r, i, rows, codes);
    if (n <= SIEVE_FEW && n <= kernel_table()->pick_rows)
        keep_few(s, limit, codes, rows, n, sel);
    else
        keep_some(s, limit, codes, n, sel);
}

/* 32 bits of the set from value s->first + at on. */
static uint32_t bits_at(const struct join_sieve *s, int64_t at)
{
    int64_t words = (int64_t)(((uint64_t)s->last - (uint64_t)s->first) / 32) + 1, w = at >> 5;
    unsigned shift = at & 31;
    uint64_t two = w >= 0 && w < words ? s->bits[w] : 0;

    if (w + 1 >= 0 && w + 1 < words)
        two |= (uint64_t)s->bits[w + 1] << 32;
    return (uint32_t)(two >> shift);
}

/* The set by the offsets of these slices, mostly those of the block before. False: they have too many. */
static bool make_set(struct join_sieve *s, const struct slices *slices)
{
    __int128 from = (__int128)slices->base - s->first, end = (__int128)s->last - slices->base + 1;

    if (!s->set || slices->width > KERNEL_SET_WIDTH || from > SIEVE_FAR || from < -SIEVE_FAR)
        return false;
    if (s->set_parts && s->set_base == slices->base)
        return true;
    end = end < 1 ? 1 : end > SIEVE_SET_BITS ? SIEVE_SET_BITS : end;
    s->set_base = slices->base;
    s->set_parts = ((uint32_t)end + KERNEL_SET_PART - 1) / KERNEL_SET_PART;
    for (uint32_t i = 0; i < s->set_parts * (KERNEL_SET_PART / 32); i++)
        s->set[i] = bits_at(s, (int64_t)from + 32 * (int64_t)i);
    return true;
}

static void sieve_lines(struct join_sieve *s, const struct colblock_lines *lines, uint64_t *sel)
{
    uint32_t limit = (uint32_t)((uint64_t)s->last - (uint64_t)s->first) + 1;
    uint32_t set_lines = lines->sealed && make_set(s, &lines->slices) ? lines->sealed : 0;
    _Alignas(64) uint32_t codes[LINE_ROWS];
    struct line_rows r;

    line_rows_init(&r, sel, BLOCK_LINES);
    for (uint32_t i = 0; i < r.n; i++) {
        uint64_t *line = sel + r.lines[i] * LINE_WORDS;

        if (r.counts[i] > SIEVE_SET && r.lines[i] < set_lines) {
            kernel_table()->member_slices(&lines->slices, r.lines[i], s->set, s->set_parts, line);
        } else if (r.counts[i] <= SIEVE_SOME) {
            sieve_packed(s, limit, lines, &r, i, line);
        } else {
            colblock_lines_read(lines, r.lines[i], codes);
            kernel_table()->member_line32(codes, s->bits, limit, line);
        }
    }
}

/* How the values of a block, all in [min, max], lie to those with parents. */
static bool is_apart(const struct join_sieve *s, int64_t min, int64_t max)
{
    return max < s->first || min > s->last;
}

static bool is_inside(const struct join_sieve *s, int64_t min, int64_t max)
{
    return min >= s->first && max <= s->last;
}

/* Does the range leave less than seven eighths of a block's? */
static bool is_narrow(const struct join_sieve *s, int64_t min, int64_t max)
{
    uint64_t range = (uint64_t)s->last - (uint64_t)s->first, all = (uint64_t)max - (uint64_t)min;

    return range < all - all / 8;
}

static enum join_sieve_done sieve_range(const struct join_sieve *s, const struct colblock *c,
                                        uint32_t n, uint64_t *sel)
{
    int64_t min, max;

    if (!colblock_bounds(c, &min, &max) || is_apart(s, min, max)) {
        selection_clear_all(sel);
        return JOIN_SIEVE_ALL;
    }
    if (colblock_has_nulls(c))
        colblock_filter_null(c, false, sel);
    bool inside = is_inside(s, min, max);
    if (!inside && (s->solid || (is_narrow(s, min, max) && n >= SIEVE_RANGE_ROWS)))
        colblock_filter_range(c, s->first, s->last, false, sel);
    return s->solid ? JOIN_SIEVE_ALL : JOIN_SIEVE_SOME;
}

static enum join_sieve_done sieve_codes(const struct join_sieve *s, const struct colblock *c,
                                        uint64_t *sel)
{
    int64_t min, max;

    if (!colblock_bounds(c, &min, &max)) {
        selection_clear_all(sel);
        return JOIN_SIEVE_ALL;
    }
    if (max >= s->n_codes) /* a value that came since */
        return JOIN_SIEVE_NOT;
    colblock_filter_codes(c, &s->codes, false, sel);
    return JOIN_SIEVE_ALL;
}

enum join_sieve_done join_sieve_range(const struct join_sieve *s, const struct colblock *c,
                                      uint32_t n, uint64_t *sel)
{
    if (s->kind == JOIN_SIEVE_UNKNOWN)
        return JOIN_SIEVE_NOT;
    if (s->kind == JOIN_SIEVE_NONE || !c) {
        selection_clear_all(sel);
        return JOIN_SIEVE_ALL;
    }
    return s->kind == JOIN_SIEVE_BITS ? sieve_range(s, c, n, sel) : sieve_codes(s, c, sel);
}

bool join_sieve_bits(struct join_sieve *s, const struct colblock *c, uint64_t *sel)
{
    struct colblock_lines lines;
    int64_t min, max;

    if (!colblock_bounds(c, &min, &max) || (__int128)s->first - min > SIEVE_FAR ||
        (__int128)max - s->first > SIEVE_FAR || !colblock_lines_open(&lines, c, min, NULL, 0))
        return false;
    colblock_lines_rebase(&lines, s->first);
    sieve_lines(s, &lines, sel);
    return true;
}

bool join_sieve_is_small(const struct join_sieve *s)
{
    return s->set != NULL;
}

bool join_sieve_is_cheap(const struct join_sieve *s, const struct colblock *c)
{
    int64_t min, max;

    if (s->kind == JOIN_SIEVE_NONE || !c || !colblock_bounds(c, &min, &max))
        return s->kind != JOIN_SIEVE_UNKNOWN;
    return s->kind == JOIN_SIEVE_BITS &&
           (is_apart(s, min, max) || s->solid || is_narrow(s, min, max));
}

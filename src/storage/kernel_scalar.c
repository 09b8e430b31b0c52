/* Kernels in plain C over 64-bit words. */
#include <string.h>

#include "storage/kernel.h"
#include "storage/kernel_words.h"
#include "storage/slices.h"

enum {
    PICK_ROWS = 6, /* of a line, that are cheaper read one by one than transposed with all */
    LIST_FEW = 10, /* mostly two of a word at most */
};

/*
 * Rows of one line with lo <= offset <= hi into in[]. While the bounds' bits agree a row must have
 * the same bits; at the bit where they part, rows with 0 (low) are below hi and only lo is left to
 * test, rows with 1 (high) are above lo and only hi is left.
 */
static void range_line(const struct slices *s, uint32_t line, uint64_t lo, uint64_t hi,
                       const uint64_t *sel, uint64_t *in)
{
    uint64_t low[LINE_WORDS], high[LINE_WORDS], open = ~0ull;
    const uint64_t *at = s->words + (size_t)s->width * s->stride + line * LINE_WORDS;
    uint32_t i = s->width, split = 0;
    bool parts = kernel_split(lo, hi, &split);

    for (unsigned k = 0; k < LINE_WORDS; k++)
        in[k] = sel[k];
    for (; open && i > (parts ? split + 1 : 0); i--) {
        uint64_t flip = lo >> (i - 1) & 1 ? 0 : ~0ull;

        at -= s->stride;
        open = 0;
        for (unsigned k = 0; k < LINE_WORDS; k++)
            open |= in[k] &= at[k] ^ flip;
    }
    if (!parts || !open)
        return;
    at -= s->stride;
    i--;
    for (unsigned k = 0; k < LINE_WORDS; k++) {
        low[k] = in[k] & ~at[k];
        high[k] = in[k] & at[k];
        in[k] = 0;
    }
    for (; open && i-- > 0;) {
        uint64_t flip_lo = lo >> i & 1 ? 0 : ~0ull, flip_hi = hi >> i & 1 ? 0 : ~0ull;

        at -= s->stride;
        open = 0;
        for (unsigned k = 0; k < LINE_WORDS; k++) {
            uint64_t w = at[k];

            in[k] |= (low[k] & w & flip_lo) | (high[k] & ~w & ~flip_hi);
            low[k] &= w ^ flip_lo;
            high[k] &= w ^ flip_hi;
            open |= low[k] | high[k];
        }
    }
    for (unsigned k = 0; k < LINE_WORDS; k++)
        in[k] |= low[k] | high[k];
}

static void filter_range(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                         uint64_t *sel)
{
    for (uint32_t line = 0; line < s->lines; line++, sel += LINE_WORDS) {
        uint64_t in[LINE_WORDS], any = 0;

        for (unsigned k = 0; k < LINE_WORDS; k++)
            any |= sel[k];
        if (!any)
            continue;
        range_line(s, line, lo, hi, sel, in);
        for (unsigned k = 0; k < LINE_WORDS; k++)
            sel[k] = negate ? sel[k] & ~in[k] : in[k];
    }
}

static unsigned __int128 sum(const struct slices *s, const uint64_t *sel)
{
    unsigned __int128 total = 0;

    for (uint32_t i = 0; i < s->width; i++) {
        const uint64_t *w = s->words + (size_t)i * s->stride;
        uint64_t n = 0;

        for (uint32_t k = 0; k < s->lines * LINE_WORDS; k++)
            n += (uint64_t)__builtin_popcountll(w[k] & sel[k]);
        total += (unsigned __int128)n << i;
    }
    return total;
}

uint32_t kernel_compress_line(const int64_t *values, const uint64_t *sel, int64_t *out)
{
    int64_t *at = out;

    for (unsigned k = 0; k < LINE_WORDS; k++, values += 64) {
        uint64_t w = sel[k];

        if (w == ~0ull) {
            memcpy(at, values, 64 * sizeof *at);
            at += 64;
            continue;
        }
        for (; w; w &= w - 1)
            *at++ = values[__builtin_ctzll(w)];
    }
    return (uint32_t)(at - out);
}

uint32_t kernel_compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out)
{
    uint32_t *at = out;

    for (unsigned k = 0; k < LINE_WORDS; k++, values += 64)
        for (uint64_t w = sel[k]; w; w &= w - 1)
            *at++ = values[__builtin_ctzll(w)];
    return (uint32_t)(at - out);
}

/* 64 rows of a line of slices, NULL = zeros, as numbers. */
static void transpose_word(const uint64_t *const *bits, uint32_t n, size_t at, uint64_t add,
                           uint64_t out[64])
{
    memset(out, 0, 64 * sizeof(*out));
    for (uint32_t i = 0; i < n; i++)
        for (uint64_t w = bits[i] ? bits[i][at] : 0; w; w &= w - 1)
            out[__builtin_ctzll(w)] |= 1ull << i;
    for (unsigned r = 0; r < 64; r++)
        out[r] += add;
}

static void transpose_line64(const uint64_t *const *bits, uint32_t n, size_t at, uint64_t add,
                             uint64_t *out)
{
    for (unsigned k = 0; k < LINE_WORDS; k++)
        transpose_word(bits, n, at + k, add, out + k * 64);
}

static void transpose_line16(const uint64_t *const *bits, uint32_t n, size_t at, uint16_t add,
                             uint16_t *out)
{
    uint64_t values[64];

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        transpose_word(bits, n, at + k, add, values);
        for (unsigned r = 0; r < 64; r++)
            *out++ = (uint16_t)values[r];
    }
}

static void decode_line(const struct slices *s, uint32_t line, int64_t *out)
{
    const uint64_t *bits[SLICES_MAX];

    list_slices(s, bits);
    transpose_line64(bits, s->width, (size_t)line * LINE_WORDS, (uint64_t)s->base, (uint64_t *)out);
}

static void decode_line32(const struct slices *s, uint32_t line, uint32_t add, uint32_t *out)
{
    const uint64_t *bits[SLICES_MAX];
    uint64_t values[64];

    list_slices(s, bits);
    for (unsigned k = 0; k < LINE_WORDS; k++) {
        transpose_word(bits, s->width, (size_t)line * LINE_WORDS + k, add, values);
        for (unsigned r = 0; r < 64; r++)
            *out++ = (uint32_t)values[r];
    }
}

void kernel_expand_line(const uint64_t *bits, uint64_t *sel)
{
    uint32_t at = 0;

    for (unsigned k = 0; k < LINE_WORDS; k++) {
        uint64_t kept = 0;

        for (uint64_t w = sel[k]; w; w &= w - 1, at++)
            kept |= (w & -w) & -(bits[at >> 6] >> (at & 63) & 1);
        sel[k] = kept;
    }
}

/* Some at a time whether they are there or not: how many a word has is a branch that cannot be foretold. */
static inline __attribute__((always_inline)) void list_steps(const uint64_t *sel, unsigned steps,
                                                             uint16_t *rows)
{
    for (uint32_t w = 0; w < LINE_WORDS; w++) {
        uint64_t bits = sel[w];

        do {
            for (unsigned step = 0; step < steps; step++) {
                *rows = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(bits | 1ull << 63));
                rows += bits != 0;
                bits &= bits - 1;
            }
        } while (bits);
    }
}

void kernel_list_rows(const uint64_t *sel, uint32_t n, uint16_t *rows)
{
    /* Of 8 rows 10 ns instead of 30 one by one, of 20 rows 30 instead of 56. */
    if (n <= LIST_FEW)
        list_steps(sel, 2, rows);
    else
        list_steps(sel, LINE_ROWS_SPARE, rows);
}

static uint32_t pick_line32(const struct slices *s, uint32_t line, uint32_t add,
                            const uint64_t *sel, uint32_t *out)
{
    _Alignas(64) uint32_t values[LINE_WORDS * 64];

    decode_line32(s, line, add, values);
    return kernel_compress_line32(values, sel, out);
}

static void pick_rows32(const struct slices *s, uint32_t line, uint32_t ahead, uint32_t add,
                        const uint16_t *rows, uint32_t n, uint32_t *out)
{
    const uint64_t *top = s->words + (size_t)s->width * s->stride;

    for (uint32_t i = 1; i <= s->width; i++)
        __builtin_prefetch(top - (size_t)i * s->stride + (size_t)ahead * LINE_WORDS);
    for (uint32_t k = 0; k < n; k++) {
        const uint64_t *at = top + (size_t)line * LINE_WORDS + rows[k] / 64;
        unsigned bit = rows[k] & 63;
        uint32_t offset = 0;

        for (uint32_t i = 0; i < s->width; i++) {
            at -= s->stride;
            offset = offset << 1 | (uint32_t)(*at >> bit & 1);
        }
        out[k] = offset + add;
    }
}

static uint32_t count_lines(const uint64_t *a, uint32_t lines)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < lines * LINE_WORDS; i++)
        n += (uint64_t)__builtin_popcountll(a[i]);
    return (uint32_t)n;
}

static uint32_t meet_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *sel,
                           const uint64_t *const *next, uint32_t n_next)
{
    const struct meet_fetch fetch = meet_fetch_of(bits, n, next, n_next);
    uint64_t ones = 0;

    for (uint32_t k = 0; k < lines * LINE_WORDS; k++) {
        uint64_t both = bits[0][k];

        if (k % LINE_WORDS == 0)
            meet_fetch_line(&fetch, k);

        for (uint32_t i = 1; i < n; i++)
            both &= bits[i][k];
        ones += (uint64_t)__builtin_popcountll(both);
        if (sel)
            sel[k] = both;
    }
    return (uint32_t)ones;
}

static void unite_lines(const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *out)
{
    for (uint32_t k = 0; k < lines * LINE_WORDS; k++) {
        uint64_t all = 0;

        for (uint32_t i = 0; i < n; i++)
            all |= bits[i][k];
        out[k] = all;
    }
}

static void below_line32(const uint32_t *values, uint32_t limit, uint64_t *sel)
{
    below_line32_body(values, limit, sel);
}

static void member_line32(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                          uint64_t *sel)
{
    member_line32_body(codes, bits, limit, sel);
}

static void encode_line32(const struct slices *s, uint32_t line, const uint32_t *offsets,
                          uint32_t *counts)
{
    for (unsigned k = 0; k < LINE_WORDS; k++) {
        uint64_t word[64];

        for (unsigned r = 0; r < 64; r++)
            word[r] = *offsets++;
        slices_encode_word(s, line * LINE_WORDS + k, word, counts);
    }
}

KERNEL_WORDS()

static void member_slices(const struct slices *s, uint32_t line, const uint32_t *bits,
                          uint32_t parts, uint64_t *sel)
{
    member_slices_body(&kernels_scalar, s, line, bits, parts, sel);
}

const struct kernels kernels_scalar = {
    .name = "scalar",
    .filter_range = filter_range,
    .sum = sum,
    .decode_line = decode_line,
    .compress_line = kernel_compress_line,
    .decode_line32 = decode_line32,
    .transpose_line16 = transpose_line16,
    .transpose_line64 = transpose_line64,
    .compress_line32 = kernel_compress_line32,
    .pick_line32 = pick_line32,
    .pick_rows = PICK_ROWS,
    .pick_rows32 = pick_rows32,
    .list_rows = kernel_list_rows,
    .below_line32 = below_line32,
    .member_line32 = member_line32,
    .member_slices = member_slices,
    .expand_line = kernel_expand_line,
    .add_scaled_line32 = add_scaled_line32,
    .add_fields = add_fields,
    .and_lines = and_lines,
    .and_not_lines = and_not_lines,
    .or_lines = or_lines,
    .count_lines = count_lines,
    .meet_lines = meet_lines,
    .unite_lines = unite_lines,
    .encode_line32 = encode_line32,
};

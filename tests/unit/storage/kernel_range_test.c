/* Ranges over blocks of any number of lines: all forms against the values. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/kernel.h"

enum { MOST_LINES = 128, WIDEST = 40 };

static uint64_t state;

static uint64_t next(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static _Alignas(64) uint64_t words[WIDEST * (MOST_LINES + 1) * LINE_WORDS];
static uint64_t offsets[MOST_LINES * 512];

/* Even values, few low ones among zeros, ascending ones, a different kind every 20 lines. */
static uint64_t draw(unsigned kind, uint32_t row, uint32_t width)
{
    uint64_t mask = (1ull << width) - 1, v = next();

    switch (kind == 3 ? row / 512 / 20 % 3 : kind) {
    case 0:
        return v & mask;
    case 1:
        return v % 50 ? v & mask & 3 : v & mask;
    default:
        return (row * 37ull + (v & 3)) & mask;
    }
}

static void fill(const struct slices *s, unsigned kind)
{
    memset(words, 0, sizeof words);
    for (uint32_t row = 0; row < s->lines * 512; row++) {
        offsets[row] = draw(kind, row, s->width);
        for (uint32_t i = 0; i < s->width; i++)
            s->words[i * (size_t)s->stride + row / 64] |= (offsets[row] >> i & 1) << (row % 64);
    }
}

/* Rows at hand: all, half, few, and some lines without any. */
static void select_rows(uint64_t *sel, uint32_t lines, unsigned density)
{
    for (uint32_t i = 0; i < lines * LINE_WORDS; i++) {
        uint64_t few = next() & next() & next() & next();

        sel[i] = density == 0   ? ~0ull
                 : density == 1 ? next()
                 : density == 2 ? few
                                : few & next() & next() & next();
        if (density == 4 && i / LINE_WORDS % 7)
            sel[i] = 0;
    }
}

static void check(const struct kernels *k, const struct slices *s, const uint64_t *sel, uint64_t lo,
                  uint64_t hi, bool negate)
{
    uint64_t got[MOST_LINES * LINE_WORDS];

    memcpy(got, sel, s->lines * LINE_WORDS * sizeof *got);
    k->filter_range(s, lo, hi, negate, got);
    for (uint32_t i = 0; i < s->lines * LINE_WORDS; i++) {
        uint64_t want = 0;

        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t v = offsets[i * 64 + bit];
            want |= (uint64_t)((v >= lo && v <= hi) != negate) << bit;
        }
        if (got[i] != (sel[i] & want))
            cr_assert(false,
                      "%s: %" PRIu32 " lines, width %" PRIu32 ", %" PRIu64 "..%" PRIu64
                      " negate %d, word %" PRIu32,
                      k->name, s->lines, s->width, lo, hi, negate, i);
    }
}

static void check_lines(const struct kernels *const *forms, unsigned n, uint32_t lines)
{
    uint64_t sel[MOST_LINES * LINE_WORDS];
    struct slices s = {.words = words, .stride = (lines + 1) * LINE_WORDS, .lines = lines};

    s.width = 1 + (uint32_t)(next() % WIDEST);
    for (unsigned kind = 0; kind < 4; kind++) {
        fill(&s, kind);
        for (unsigned density = 0; density < 5; density++) {
            uint64_t lo = offsets[next() % (lines * 512)],
                     hi = next() % 2 ? lo : draw(0, 0, s.width);
            bool negate = next() % 2;

            select_rows(sel, lines, density);
            for (unsigned i = 0; i < n; i++)
                check(forms[i], &s, sel, lo < hi ? lo : hi, lo < hi ? hi : lo, negate);
        }
    }
}

Test(kernel_range, blocks_of_any_number_of_lines)
{
    static const uint32_t lines[] = {1, 7, 15, 16, 17, 31, 33, 64, 65, 100, 127, 128};
    const struct kernels *forms[4];
    unsigned n = kernel_forms(forms);
    const char *given = getenv("TEST_SEED");

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "kernel_range TEST_SEED=%" PRIu64 "\n", state);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
            check_lines(forms, n, lines[i]);
}

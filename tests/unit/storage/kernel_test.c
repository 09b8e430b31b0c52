/* Every form of the kernels this machine runs, against values computed one by one. */
#include "storage/kernel.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/slices.h"

#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

enum { LINES = 9, ROWS = LINES * 512 };

static uint64_t state;

static uint64_t next(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t mask_of(uint32_t width)
{
    return width == 64 ? ~0ull : (1ull << width) - 1;
}

struct data {
    struct slices slices;
    uint64_t offsets[ROWS], sel[ROWS / 64];
    int64_t values[ROWS];
    uint32_t counts[SLICES_MAX];
};

static void draw(struct data *d, uint32_t width)
{
    unsigned kind = (unsigned)(next() % 4);
    uint64_t common = next() & mask_of(width);

    d->slices = (struct slices){
        .words = aligned_alloc(64, slices_bytes(LINES, width) + 64),
        .stride = (LINES + 1) * LINE_WORDS,
        .lines = LINES,
        .width = width,
        .base =
            (int64_t)((uint64_t)INT64_MIN + (width == 64 ? 0 : next() % (~0ull - mask_of(width)))),
    };
    for (uint32_t i = 0; i < ROWS; i++) {
        d->offsets[i] = kind == 0   ? next()
                        : kind == 1 ? common ^ (next() & 3)
                        : kind == 2 ? common
                                    : i;
        d->offsets[i] &= mask_of(width);
        d->values[i] = (int64_t)((uint64_t)d->slices.base + d->offsets[i]);
    }
    slices_encode(&d->slices, d->values, d->counts);
    for (uint32_t i = 0; i < ROWS / 64; i++)
        d->sel[i] = i / LINE_WORDS == 2   ? 0
                    : i / LINE_WORDS == 3 ? ~0ull
                    : i / LINE_WORDS == 4 ? next() & next() & next() & next()
                                          : next();
}

static bool selected(const uint64_t *sel, uint32_t row)
{
    return sel[row / 64] >> (row % 64) & 1;
}

static void check_decode(const struct kernels *k, const struct data *d)
{
    _Alignas(64) int64_t line[512];

    for (uint32_t l = 0; l < LINES; l++) {
        int64_t *out;
        uint32_t n, want = 0;

        k->decode_line(&d->slices, l, line);
        for (uint32_t i = 0; i < 512; i++) {
            CHECK(line[i] == d->values[l * 512 + i],
                  "%s: width %" PRIu32 " line %" PRIu32 " row %" PRIu32, k->name, d->slices.width,
                  l, i);
            want += selected(d->sel, l * 512 + i);
        }
        out =
            malloc(want * sizeof *out + 1); /* exact, so that the sanitizer sees a byte too many */
        n = k->compress_line(line, d->sel + l * LINE_WORDS, out);
        CHECK(n == want, "%s: compress gave %" PRIu32 " of %" PRIu32, k->name, n, want);
        n = 0;
        for (uint32_t i = 0; i < 512; i++) {
            if (selected(d->sel, l * 512 + i))
                CHECK(out[n++] == line[i], "%s: compress, row %" PRIu32, k->name, i);
        }
        free(out);
    }
}

static void check_range(const struct kernels *k, const struct data *d)
{
    uint64_t mask = mask_of(d->slices.width), got[ROWS / 64];

    for (int i = 0; i < 8; i++) {
        uint64_t lo = i < 4 ? next() & mask : d->offsets[next() % ROWS],
                 hi = i % 2 ? next() & mask : lo, swap;
        bool negate = next() & 1;

        if (i == 5)
            lo = 0;
        if (i == 7)
            hi = mask;
        if (lo > hi) {
            swap = lo;
            lo = hi;
            hi = swap;
        }
        memcpy(got, d->sel, sizeof got);
        k->filter_range(&d->slices, lo, hi, negate, got);
        for (uint32_t row = 0; row < ROWS; row++) {
            bool want =
                selected(d->sel, row) && (d->offsets[row] >= lo && d->offsets[row] <= hi) != negate;

            CHECK(selected(got, row) == want,
                  "%s: width %" PRIu32 " range %" PRIu64 "..%" PRIu64 " row %" PRIu32, k->name,
                  d->slices.width, lo, hi, row);
        }
    }
}

static void check_sum(const struct kernels *k, const struct data *d)
{
    unsigned __int128 want = 0;

    for (uint32_t row = 0; row < ROWS; row++)
        want += selected(d->sel, row) ? d->offsets[row] : 0;
    CHECK(k->sum(&d->slices, d->sel) == want, "%s: sum at width %" PRIu32, k->name,
          d->slices.width);
}

static void check_decode32(const struct kernels *k, const struct data *d)
{
    _Alignas(64) uint32_t line[512], out[512];
    uint32_t add = (uint32_t)next();

    for (uint32_t l = 0; l < LINES; l++) {
        uint32_t n, at = 0;

        k->decode_line32(&d->slices, l, add, line);
        for (uint32_t i = 0; i < 512; i++)
            CHECK(line[i] == (uint32_t)d->offsets[l * 512 + i] + add,
                  "%s: 32 bits, width %" PRIu32 " line %" PRIu32 " row %" PRIu32, k->name,
                  d->slices.width, l, i);
        n = k->compress_line32(line, d->sel + l * LINE_WORDS, out);
        for (uint32_t i = 0; i < 512; i++) {
            if (selected(d->sel, l * 512 + i))
                CHECK(out[at++] == line[i], "%s: compress32, row %" PRIu32, k->name, i);
        }
        CHECK(n == at, "%s: compress32 gave %" PRIu32 " of %" PRIu32, k->name, n, at);
        uint32_t *picked =
            malloc((at + 1) * sizeof(*picked)); /* exact for the sanitizer, and not aligned */
        n = k->pick_line32(&d->slices, l, add, d->sel + l * LINE_WORDS, picked + 1);
        CHECK(n == at && !memcmp(picked + 1, out, at * sizeof(*out)),
              "%s: pick32, width %" PRIu32 " line %" PRIu32, k->name, d->slices.width, l);
        memset(picked, 0, (at + 1) * sizeof(*picked));
        uint16_t *rows = malloc(at * sizeof(*rows) + 1); /* exact, too */
        for (uint32_t i = 0, m = 0; i < 512; i++)
            if (selected(d->sel, l * 512 + i))
                rows[m++] = (uint16_t)i;
        k->pick_rows32(&d->slices, l, l ? 0 : LINES - 1, add, rows, at, picked + 1);
        CHECK(!memcmp(picked + 1, out, at * sizeof(*out)),
              "%s: rows, width %" PRIu32 " line %" PRIu32, k->name, d->slices.width, l);
        uint16_t *listed = malloc((at + LINE_ROWS_SPARE) * sizeof(*listed));
        k->list_rows(d->sel + l * LINE_WORDS, at, listed);
        CHECK(!memcmp(listed, rows, at * sizeof(*rows)), "%s: list of rows, line %" PRIu32, k->name,
              l);
        free(listed);
        free(rows);
        free(picked);
    }
}

/* Slices in any places, with gaps, against the bits of rows. */
static void check_transpose(const struct kernels *k, const struct data *d)
{
    _Alignas(64) uint64_t out64[512];
    _Alignas(64) uint16_t out16[512];
    const uint64_t *bits[SLICES_MAX];
    uint64_t add = next();
    uint32_t width = d->slices.width, from[SLICES_MAX], n = (uint32_t)(next() % (SLICES_MAX + 1)),
             gap = (uint32_t)(next() % 8);

    for (uint32_t i = 0; i < n; i++) {
        bool none = !width || next() % 8 < gap;
        from[i] = none ? SLICES_MAX : (uint32_t)(next() % width);
        bits[i] = none ? NULL : d->slices.words + (size_t)from[i] * d->slices.stride;
    }
    for (uint32_t l = 0; l < LINES; l++) {
        uint32_t n16 = n < 16 ? n : 16;

        k->transpose_line64(bits, n, (size_t)l * LINE_WORDS, add, out64);
        k->transpose_line16(bits, n16, (size_t)l * LINE_WORDS, (uint16_t)add, out16);
        for (uint32_t i = 0; i < 512; i++) {
            uint64_t want = 0;
            for (uint32_t b = 0; b < n; b++)
                want |= from[b] < SLICES_MAX ? (d->offsets[l * 512 + i] >> from[b] & 1) << b : 0;
            CHECK(out64[i] == want + add &&
                      out16[i] == (uint16_t)((want & mask_of(n16)) + (uint16_t)add),
                  "%s: %" PRIu32 " slices, line %" PRIu32 " row %" PRIu32, k->name, n, l, i);
        }
    }
}

/* What a form writes are the slices it was given, to the last bit. */
static void check_encode32(const struct kernels *k, const struct data *d)
{
    _Alignas(64) uint32_t line[512];
    uint32_t counts[SLICES_MAX] = {0};
    size_t bytes = slices_bytes(LINES, d->slices.width);
    struct slices again = d->slices;

    again.words = aligned_alloc(64, bytes + 64);
    for (uint32_t l = 0; l < LINES; l++) {
        for (uint32_t i = 0; i < 512; i++)
            line[i] = (uint32_t)d->offsets[l * 512 + i];
        k->encode_line32(&again, l, line, counts);
    }
    for (uint32_t i = 0; i < d->slices.width; i++) {
        const uint64_t *want = d->slices.words + (size_t)i * d->slices.stride,
                       *got = again.words + (size_t)i * again.stride;
        uint32_t ones = 0;

        for (uint32_t w = 0; w < LINES * LINE_WORDS; w++) {
            ones += (uint32_t)__builtin_popcountll(want[w]);
            CHECK(got[w] == want[w], "%s: encode, width %" PRIu32 " slice %" PRIu32, k->name,
                  d->slices.width, i);
        }
        CHECK(counts[i] == ones, "%s: ones of slice %" PRIu32, k->name, i);
    }
    free(again.words);
}

/* Codes beyond the set, too, are none of its members. */
static void check_members(const struct kernels *k, const uint64_t *sel)
{
    _Alignas(64) uint32_t codes[512];
    uint32_t limit = (uint32_t)(next() % 3000), bits[94];
    uint64_t kept[LINE_WORDS];

    for (unsigned i = 0; i < 94; i++)
        bits[i] = (uint32_t)next();
    for (uint32_t i = 0; i < 512; i++)
        codes[i] = next() % 8 ? (uint32_t)(next() % 3000) : (uint32_t)next();
    memcpy(kept, sel, sizeof(kept));
    kept[next() % LINE_WORDS] = 0;
    uint64_t had[LINE_WORDS];
    memcpy(had, kept, sizeof(had));
    k->member_line32(codes, bits, limit, kept);
    for (uint32_t i = 0; i < 512; i++)
        CHECK(selected(kept, i) == (selected(had, i) && codes[i] < limit &&
                                    (bits[codes[i] / 32] >> codes[i] % 32 & 1)),
              "%s: members, row %" PRIu32, k->name, i);
    uint64_t packed[LINE_WORDS];
    for (unsigned i = 0; i < LINE_WORDS; i++)
        packed[i] = next();
    memcpy(kept, had, sizeof(kept));
    k->expand_line(packed, kept);
    for (uint32_t i = 0, at = 0; i < 512; i++) {
        CHECK(selected(kept, i) == (selected(had, i) && selected(packed, at)),
              "%s: expand, row %" PRIu32, k->name, i);
        at += selected(had, i);
    }
}

/* Sets of offsets, with fewer parts than the slices have offsets and with more. */
static void check_set(const struct kernels *k, const struct slices *s, uint32_t line)
{
    static _Alignas(64) uint32_t bits[(1 << KERNEL_SET_WIDTH) / 32];
    int64_t values[512];
    uint64_t sel[LINE_WORDS], kept[LINE_WORDS];
    uint32_t parts = (uint32_t)(next() % 33);

    for (unsigned i = 0; i < sizeof(bits) / sizeof(*bits); i++)
        bits[i] = (uint32_t)(next() & next());
    for (unsigned i = 0; i < LINE_WORDS; i++)
        kept[i] = sel[i] = next() % 4 ? next() : 0;
    kernels_scalar.decode_line(s, line, values);
    k->member_slices(s, line, bits, parts, kept);
    for (uint32_t i = 0; i < 512; i++) {
        uint64_t at = (uint64_t)values[i] - (uint64_t)s->base;
        CHECK(selected(kept, i) == (selected(sel, i) && at < parts * KERNEL_SET_PART &&
                                    (bits[at / 32] >> at % 32 & 1)),
              "%s: set at width %" PRIu32 ", row %" PRIu32, k->name, s->width, i);
    }
}

/* Positions of groups, and words of fields. */
static void check_groups(const struct kernels *k)
{
    _Alignas(64) uint32_t values[512], out[512];
    uint64_t sel[LINE_WORDS], kept[LINE_WORDS], words[16], a[16], b[16], c[16];
    uint32_t limit = (uint32_t)next(), factor = (uint32_t)next();
    unsigned second = 1 + (unsigned)(next() % 40), third = second + (unsigned)(next() % 20);

    for (uint32_t i = 0; i < 512; i++) {
        values[i] = next() % 4 ? (uint32_t)next() : limit;
        out[i] = i;
    }
    for (unsigned i = 0; i < LINE_WORDS; i++)
        kept[i] = sel[i] = next();
    k->below_line32(values, limit, kept);
    k->add_scaled_line32(values, factor, out);
    for (uint32_t i = 0; i < 512; i++)
        CHECK(selected(kept, i) == (selected(sel, i) && values[i] < limit) &&
                  out[i] == i + values[i] * factor,
              "%s: groups, row %" PRIu32, k->name, i);
    check_members(k, sel);
    for (unsigned i = 0; i < 16; i++) {
        words[i] = next();
        a[i] = b[i] = c[i] = i;
    }
    uint64_t was[16];
    memcpy(was, words, sizeof was);
    k->add_fields(words, 16, second, third, a, b, c);
    for (unsigned i = 0; i < 16; i++)
        CHECK(words[i] == 0 && a[i] == i + (was[i] & mask_of(second)) &&
                  b[i] == i + (was[i] >> second & mask_of(third - second)) &&
                  c[i] == i + (was[i] >> third),
              "%s: fields from %u and %u, word %u", k->name, second, third, i);
}

static void check_words(const struct kernels *k, const struct data *d)
{
    uint64_t other[ROWS / 64], a[ROWS / 64], b[ROWS / 64], c[ROWS / 64];
    uint32_t ones = 0, both = 0;

    memcpy(a, d->sel, sizeof a);
    memcpy(b, d->sel, sizeof b);
    memcpy(c, d->sel, sizeof c);
    for (uint32_t i = 0; i < ROWS / 64; i++) {
        other[i] = next();
        ones += (uint32_t)__builtin_popcountll(d->sel[i]);
        both += (uint32_t)__builtin_popcountll(d->sel[i] & other[i]);
    }
    k->and_lines(a, other, LINES);
    k->and_not_lines(b, other, LINES);
    k->or_lines(c, other, LINES);
    for (uint32_t i = 0; i < ROWS / 64; i++)
        CHECK(a[i] == (d->sel[i] & other[i]) && b[i] == (d->sel[i] & ~other[i]) &&
                  c[i] == (d->sel[i] | other[i]),
              "%s: word %" PRIu32, k->name, i);
    CHECK(k->count_lines(d->sel, LINES) == ones &&
              kernel_count_both(k, d->sel, other, LINES) == both,
          "%s: ones", k->name);
    const uint64_t *sets[] = {d->sel, other, d->sel, d->sel};
    for (uint32_t n = 1; n <= 4; n++) {
        uint32_t met = k->meet_lines(sets, n, LINES, NULL, NULL, 0);

        CHECK(met == (n == 1 ? ones : both) && k->meet_lines(sets, n, LINES, b, sets, 2) == met,
              "%s: what %" PRIu32 " bitsets have in common", k->name, n);
        for (uint32_t i = 0; i < ROWS / 64; i++)
            CHECK(b[i] == (n == 1 ? d->sel[i] : a[i]), "%s: met, word %" PRIu32, k->name, i);
        k->unite_lines(sets, n - 1, LINES, b);
        for (uint32_t i = 0; i < ROWS / 64; i++)
            CHECK(b[i] == (n == 1   ? 0
                           : n == 2 ? d->sel[i]
                                    : d->sel[i] | other[i]),
                  "%s: united, word %" PRIu32, k->name, i);
    }
}

Test(kernel, all_forms_at_all_widths)
{
    const struct kernels *forms[4];
    unsigned n = kernel_forms(forms);
    static struct data d;
    const char *given = getenv("TEST_SEED");

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "kernel TEST_SEED=%" PRIu64 ", forms:", state);
    for (unsigned i = 0; i < n; i++)
        fprintf(stderr, " %s", forms[i]->name);
    fprintf(stderr, "\n");
    for (uint32_t width = 0; width <= 64; width++) {
        for (int round = 0; round < 4; round++) {
            draw(&d, width);
            for (unsigned i = 0; i < n; i++) {
                check_decode(forms[i], &d);
                check_range(forms[i], &d);
                check_sum(forms[i], &d);
                check_words(forms[i], &d);
                check_groups(forms[i]);
                check_transpose(forms[i], &d);
                if (width <= 32) {
                    check_decode32(forms[i], &d);
                    check_encode32(forms[i], &d);
                }
                for (uint32_t l = 0; width <= KERNEL_SET_WIDTH && l < d.slices.lines; l++)
                    check_set(forms[i], &d.slices, l);
            }
            for (uint32_t s = 0; s < width; s++) {
                uint32_t ones = 0;

                for (uint32_t row = 0; row < ROWS; row++)
                    ones += d.offsets[row] >> s & 1;
                CHECK(ones == d.counts[s], "ones of slice %" PRIu32, s);
            }
            free(d.slices.words);
        }
    }
}

#pragma once
/*
 * Kernels: the inner loops over bit slices, in several forms for the vector units of the machine,
 * chosen once at run time. All work on whole lines of 512 rows and give the same results (tested
 * against the scalar form). Stateless; any core. Layout and figures: layout study sections 1, 2 and
 * 6.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINE_WORDS = 8, /* 512 rows */
    SLICES_MAX = 64,
};

/*
 * View of bit slices: the value of a row is base + the number whose bit i is the row's bit of slice
 * i.
 */
struct slices {
    uint64_t *words; /* slice i begins at words + i * stride, 64-byte aligned */
    uint32_t stride; /* words: a slice and one spare line, so that slices do not share an L1 set */
    uint32_t lines;  /* of 512 rows */
    uint32_t width;  /* slices, 0..64 */
    int64_t base;
};

enum { LINE_ROWS_SPARE = 4 }; /* of kernel list_rows */

/* Of kernel member_slices. */
enum { KERNEL_SET_WIDTH = 15, KERNEL_SET_PART = 1024 };

struct kernels {
    const char *name;
    /*
     * sel &= rows with lo <= offset <= hi (negate: outside). Offsets are without the base; lo <=
     * hi, both < 2^width. NULL rows are the caller's. Most significant slice first, a line is left
     * when it is decided.
     */
    void (*filter_range)(const struct slices *s, uint64_t lo, uint64_t hi, bool negate,
                         uint64_t *sel);
    /* Sum of the offsets of the selected rows. */
    unsigned __int128 (*sum)(const struct slices *s, const uint64_t *sel);
    /* All 512 values of a line, base included. */
    void (*decode_line)(const struct slices *s, uint32_t line, int64_t *out);
    /*
     * The values of a line whose bits are set, in order; their number. Nothing is written beyond
     * them; values is 64-byte aligned, and those whose bits are clear may be anything.
     */
    uint32_t (*compress_line)(const int64_t *values, const uint64_t *sel, int64_t *out);
    /*
     * The same for slices at most 32 wide, as 32-bit numbers: a line's offsets without the base,
     * plus `add`, modulo 2^32; and those whose bits are set. Both arrays are 64-byte aligned.
     */
    void (*decode_line32)(const struct slices *s, uint32_t line, uint32_t add, uint32_t *out);
    /*
     * Slices of any columns side by side: bit i of a row's number is its bit of the line that begins at word `at` of
     * bits[i], NULL = 0; plus `add`, modulo 2^16 and 2^64. n at most 16, 64; bits and out are 64-byte
     * aligned. Lines to come are not fetched ahead, unlike with decode_line.
     */
    void (*transpose_line16)(const uint64_t *const *bits, uint32_t n, size_t at, uint16_t add,
                             uint16_t *out);
    void (*transpose_line64)(const uint64_t *const *bits, uint32_t n, size_t at, uint64_t add,
                             uint64_t *out);
    uint32_t (*compress_line32)(const uint32_t *values, const uint64_t *sel, uint32_t *out);
    /* decode_line32 and compress_line32 at once; out need not be aligned. */
    uint32_t (*pick_line32)(const struct slices *s, uint32_t line, uint32_t add,
                            const uint64_t *sel, uint32_t *out);
    /*
     * The same for the n rows of a line with these numbers (0 to 511), bit by bit, which costs less than to transpose all
     * up to `pick_rows` of them. Line `ahead`, which is read next but some, is fetched.
     */
    uint32_t pick_rows;
    void (*pick_rows32)(const struct slices *s, uint32_t line, uint32_t ahead, uint32_t add,
                        const uint16_t *rows, uint32_t n, uint32_t *out);
    /* The numbers of the n selected rows of a line for it; room for LINE_ROWS_SPARE more entries. */
    void (*list_rows)(const uint64_t *sel, uint32_t n, uint16_t *rows);
    /* sel &= rows of a line whose value is below the limit; values is 64-byte aligned. */
    void (*below_line32)(const uint32_t *values, uint32_t limit, uint64_t *sel);
    /*
     * sel &= rows of a line whose code is below the limit and a member of the set, a bit for each code; codes is 64-byte
     * aligned. bits has whole words up to the limit.
     */
    void (*member_line32)(const uint32_t *codes, const uint32_t *bits, uint32_t limit,
                          uint64_t *sel);
    /*
     * The same from slices at most KERNEL_SET_WIDTH wide: a bit for each offset without the base, in `parts` times
     * KERNEL_SET_PART bits, 64-byte aligned; offsets beyond them are no members.
     */
    void (*member_slices)(const struct slices *s, uint32_t line, const uint32_t *bits,
                          uint32_t parts, uint64_t *sel);
    /* The other way round than compress_line: the rows of a line that are selected stay whose bits, in order, are set. */
    void (*expand_line)(const uint64_t *bits, uint64_t *sel);
    /* out += values * factor, modulo 2^32, a line; both 64-byte aligned. */
    void (*add_scaled_line32)(const uint32_t *values, uint32_t factor, uint32_t *out);
    /*
     * Words of three fields (from bit 0, from bit `second`, from bit `third`) are added field by field and become 0.
     * second == third: there is no such field, and b is not touched. n is a multiple of LINE_WORDS.
     */
    void (*add_fields)(uint64_t *words, uint32_t n, unsigned second, unsigned third, uint64_t *a,
                       uint64_t *b, uint64_t *c);
    /* Bitsets of whole lines, aligned like words: sel &= other, sel &= ~other, sel |= other. */
    void (*and_lines)(uint64_t *sel, const uint64_t *other, uint32_t lines);
    void (*and_not_lines)(uint64_t *sel, const uint64_t *other, uint32_t lines);
    void (*or_lines)(uint64_t *sel, const uint64_t *other, uint32_t lines);
    /* Ones of a. */
    uint32_t (*count_lines)(const uint64_t *a, uint32_t lines);
    /*
     * Ones that n >= 1 bitsets have in common, in one pass; sel, which may be NULL, becomes those bits. On the way the
     * same lines of the n_next bitsets that are read after these are fetched, or without any the next lines of these.
     */
    uint32_t (*meet_lines)(const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *sel,
                           const uint64_t *const *next, uint32_t n_next);
    /* Bits that any of n bitsets has, in one pass. */
    void (*unite_lines)(const uint64_t *const *bits, uint32_t n, uint32_t lines, uint64_t *out);
    /*
     * The other way round: the offsets of a line, below 2^width, into the slices, at most 32 wide; the ones of each are
     * added to counts. offsets is 64-byte aligned.
     */
    void (*encode_line32)(const struct slices *s, uint32_t line, const uint32_t *offsets,
                          uint32_t *counts);
};

extern const struct kernels kernels_scalar;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512; /* AVX-512BW: Skylake and Cascade Lake servers */
extern const struct kernels
    kernels_gfni; /* with GFNI, VPOPCNTDQ, VBMI2: Ice Lake, Zen 4 and later */
#endif

/* Takes the form with this name ("auto", "avx512", "avx512bw", "avx2", "scalar") from now on: 0, or
 * -ENOTSUP when this machine cannot run it. Main thread, before the cores start. */
int kernel_choose(const char *name);

/* The form chosen; when none was: QUANTA_KERNELS in the environment, else the best one. */
const struct kernels *kernel_table(void);

/* Takes another form from now on: tests and benchmarks. */
void kernel_use(const struct kernels *form);

/* Ones that two bitsets have in common. */
static inline uint32_t kernel_count_both(const struct kernels *k, const uint64_t *a,
                                         const uint64_t *b, uint32_t lines)
{
    return k->meet_lines((const uint64_t *const[]){a, b}, 2, lines, NULL, NULL, 0);
}

/* Scalar ones that other forms share. */
uint32_t kernel_compress_line(const int64_t *values, const uint64_t *sel, int64_t *out);
uint32_t kernel_compress_line32(const uint32_t *values, const uint64_t *sel, uint32_t *out);
void kernel_list_rows(const uint64_t *sel, uint32_t n, uint16_t *rows);

void kernel_expand_line(const uint64_t *bits, uint64_t *sel);

/* Where two bounds of a range part: bits above *split are equal in both; false when all are. */
static inline bool kernel_split(uint64_t lo, uint64_t hi, uint32_t *split)
{
    if (lo != hi)
        *split = 63 - (uint32_t)__builtin_clzll(lo ^ hi);
    return lo != hi;
}

/* Every form this machine can run: fills out[], returns their number (at most 4). */
unsigned kernel_forms(const struct kernels *out[4]);

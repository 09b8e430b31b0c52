#pragma once
/*
 * Sealed part of a column block: lines of 512 rows in one 64-byte aligned arena: this header,
 * the bit slices (8 KiB + 64 B apart in a full block), the presence mask, the directory of
 * containers and the containers. The last line may have fewer rows, when nothing comes after it: what lies
 * beyond them in masks, bitsets and slices is zero. Changes are made in place where they fit; else the arena is built
 * anew. Owner: the slot's core.
 */
#include <stddef.h>

#include "storage/container.h"
#include "storage/kernel.h"
#include "storage/type.h"

struct budget;
struct dict;

enum {
    SEALED_FEW_CODES =
        16, /* enumerated values up to which containers alone are kept (layout study, 6) */
    SEALED_MANY_CODES =
        4096, /* above, 16 bytes of directory per value outweigh the slices: slices alone */
};

struct sealed {
    uint32_t rows, words; /* words of whole lines; up to `slices`: where rows lie, in one line */
    uint32_t n_containers;
    bool has_slices, has_containers;
    uint64_t *presence;          /* NULL = all rows have a value */
    struct container *directory; /* by code */
    struct slices slices;
    uint32_t present; /* rows with a value, deleted rows included, as all counts here */
    uint32_t cap_containers;
    uint32_t slice_counts[SLICES_MAX]; /* ones per slice */
    struct budget *budget;
    size_t bytes; /* of the arena */
    enum column_layout layout;
    const struct dict *lists; /* LIST */
    uint32_t heap_at,
        heap_end; /* free part for containers that grow: bytes from the arena's begin */
};

struct sealed_input {
    enum column_layout layout;
    const struct dict *lists;
    struct budget *budget;
    uint32_t rows; /* at most 65,536 */
    int64_t
        *values; /* one per row of whole lines; those of NULL rows, and beyond, are overwritten */
    const uint64_t *presence; /* of whole lines, zero beyond rows; NULL = all rows have a value */
    bool spare;               /* leave room for changes to come */
    bool nulls;               /* with a presence mask in any case */
    const int64_t *extra;     /* a value about to be set, or NULL */
};

/* Words of the lines that so many rows begin. */
static inline uint32_t sealed_words_of(uint32_t rows)
{
    return (rows + 64 * LINE_WORDS - 1) / (64 * LINE_WORDS) * LINE_WORDS;
}

/* Builds a sealed part: 0 or -ENOMEM. */
int sealed_build(const struct sealed_input *in, struct sealed **out);
void sealed_free(struct sealed *s);
/* The same once more: 0 or -ENOMEM. */
int sealed_copy(const struct sealed *s, struct sealed **out);

/* The rows as input for sealed_build: words * 64 values and words of presence. */
void sealed_read(const struct sealed *s, int64_t *values, uint64_t *presence);

/* Rows from `rows` on, all of the last line, go: a multiple of 512. */
void sealed_cut(struct sealed *s, uint32_t rows);

/*
 * Makes sure that sealed_put of this value fits in place: false = the arena must be built anew with
 * it as extra.
 */
bool sealed_reserve(struct sealed *s, int64_t value, bool present);

/* Changes a row; a sealed_reserve with the same value came before. */
void sealed_put(struct sealed *s, uint32_t row, int64_t value, bool present);

static inline bool sealed_is_present(const struct sealed *s, uint32_t row)
{
    return !s->presence || (s->presence[row >> 6] >> (row & 63) & 1);
}

/* Value of a row that has one. */
int64_t sealed_get(const struct sealed *s, uint32_t row);

/* All 512 values of a line; NULL rows read as any value. */
void sealed_decode_line(const struct sealed *s, const struct kernels *k, uint32_t line,
                        int64_t *out);

static inline const uint8_t *sealed_arena(const struct sealed *s)
{
    return (const uint8_t *)s;
}

/* Container of a code, or NULL. */
struct container *sealed_container(const struct sealed *s, uint32_t code);

/* Codes of single values behind a value: itself, or the items of a list. one is scratch. */
const uint32_t *sealed_codes(enum column_layout layout, const struct dict *lists, int64_t value,
                             uint32_t *one, uint32_t *n);

#pragma once
/*
 * Column block: what one column has for the up to 65,536 rows of a block, open (tail: forward codes) or sealed
 * (bit slices, containers). The executor sees both through these functions and never a layout.
 *
 * Values here are int64: canonical values for LAYOUT_ORDERED, dictionary codes for ENUM, CODED and LIST (for LIST
 * the code of the value list; predicates and groups use codes of single values). Owner: the slot's core.
 * Layout and kernels: layout study sections 1, 2 and 6. Selections are bitsets of BLOCK_WORDS words over the
 * block's rows; bits at and above `rows` are zero on entry and stay zero.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/container.h"
#include "storage/type.h"

enum { BLOCK_ROWS = 65536, BLOCK_WORDS = BLOCK_ROWS / 64, LINE_ROWS = 512 };

struct colblock;
struct dict;

/* Set of codes for predicates on coded columns: a bitset over [0, limit). */
struct code_set {
    const uint64_t *bits;
    uint32_t limit; /* codes >= limit are not in the set */
    uint32_t count; /* members */
    uint32_t only;  /* count == 1: the member */
};

/* sel &= rows with a value in [lo, hi] (negate: with a value outside). NULL rows never stay. ORDERED only. */
void colblock_filter_range(const struct colblock *c, int64_t lo, int64_t hi, bool negate,
                           uint64_t *sel);

/* sel &= rows whose code is in the set (LIST: any of whose values is); negate: a value, but none in the set. */
void colblock_filter_codes(const struct colblock *c, const struct code_set *set, bool negate,
                           uint64_t *sel);

/* The same for one code: cheaper than a set of one member when the dictionary is large. A block that is often asked for
 * codes that it does not have gets a filter of its codes. */
void colblock_filter_code(struct colblock *c, uint32_t code, bool negate, uint64_t *sel);

/* sel &= rows that are NULL (or, want_null false, that have a value). */
void colblock_filter_null(const struct colblock *c, bool want_null, uint64_t *sel);

/* Values of the selected rows in row order into values[]; returns their number. present (may be NULL when
 * !colblock_has_nulls) gets one byte per output, 0 = NULL (its value then reads 0). */
uint32_t colblock_decode(const struct colblock *c, const uint64_t *sel, int64_t *values,
                         uint8_t *present);

/* Asks for the memory that tells about the block: each step for what the next one reads. No result. Steps 0 and 1: the
 * headers, all: of what all rows add up to alone; colblock_prefetch_code: where the rows of a code are. */
void colblock_prefetch(const struct colblock *c, unsigned step, bool all);
void colblock_prefetch_code(const struct colblock *c, uint32_t code);
/* Asks for the memory of a row's value. */
void colblock_prefetch_row(const struct colblock *c, uint32_t row);
void colblock_prefetch_counts(
    const struct colblock *c); /* what colblock_count_codes reads for all rows */

bool colblock_has_nulls(const struct colblock *c);

/* Rows of all the block with this code, when one container holds them, or all but the `tail` last ones, which are told
 * when the code may be among them: false when rows must be looked at. Deleted ones count. Borrowed until the block
 * changes. ENUM, CODED. */
bool colblock_code_rows(const struct colblock *c, uint32_t code, struct container_rows *rows);

/* sel &= rows with this code among the last ones; sel begins with the first of them. */
void colblock_filter_tail_code(const struct colblock *c, uint32_t code, uint64_t *sel);

/* Below sel may be NULL: all rows of the block, which headers answer where they can. */

/* Selected rows that have a value; sum of their values (ORDERED). */
uint32_t colblock_count(const struct colblock *c, const uint64_t *sel);
uint32_t colblock_sum(const struct colblock *c, const uint64_t *sel, __int128 *sum);

/* Smallest and largest selected value (ORDERED): false when none has one. */
bool colblock_min_max(const struct colblock *c, const uint64_t *sel, int64_t *min, int64_t *max);

/* Bounds of all values ever set (may be wider than the live ones), for skipping: false when empty. */
bool colblock_bounds(const struct colblock *c, int64_t *min, int64_t *max);

/* Are the bounds those of the rows at hand? */
bool colblock_bounds_tight(const struct colblock *c);

/* ENUM, LIST: selected rows per code: counts[code] += n for every code < n_codes. A list row counts once per value. */
void colblock_count_codes(const struct colblock *c, const uint64_t *sel, uint64_t *counts,
                          uint32_t n_codes);

/* One row: false = NULL. */
bool colblock_get(const struct colblock *c, uint32_t row, int64_t *value);

size_t colblock_memory(const struct colblock *c); /* bytes */

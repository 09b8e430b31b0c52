#pragma once
/*
 * Lines of a column block as 32-bit numbers relative to a base, for loops that use every row of a line: slices are
 * transposed, containers without slices are first turned into slices of their codes. Owner: the slot's core; the view
 * is good until the block changes.
 */
#include "storage/colblock.h"
#include "storage/kernel.h"
#include "storage/line_rows.h"

struct colblock_lines {
    const struct colblock *c; /* NULL: the block lacks the column, all rows are NULL */
    struct slices slices;     /* of the sealed part, own or in the scratch space */
    uint32_t sealed;          /* lines that are sealed */
    uint32_t add;
    int64_t base;
};

/* Bytes of scratch space for codes below `codes`; 64-byte aligned. */
size_t colblock_lines_scratch(uint32_t codes);

/*
 * Values of the block lie in [base, base + 2^32). False: it has slices too wide, or values out of that range, or codes
 * for which the scratch space is too small. Not for LIST.
 */
bool colblock_lines_open(struct colblock_lines *x, const struct colblock *c, int64_t base,
                         uint64_t *scratch, size_t bytes);

/* For colblock_lines_nulls alone: of any layout. */
void colblock_lines_view(struct colblock_lines *x, const struct colblock *c);

/* The 512 values of a line less the base, 64-byte aligned; those of NULL rows and beyond the block may be anything. */
void colblock_lines_read(const struct colblock_lines *x, uint32_t line, uint32_t *out);

/* The same of the rows of the i-th line with rows, in order; `rows` as line_rows_list gives them, out needs no alignment. */
void colblock_lines_pick(const struct colblock_lines *x, const struct line_rows *r, uint32_t i,
                         const uint16_t *rows, uint32_t *out);

/* The same of the lines with rows [from, to). */
void colblock_lines_pick_all(const struct colblock_lines *x, const struct line_rows *r,
                             uint32_t from, uint32_t to, const uint16_t *rows, uint32_t *out);

/* Numbers are relative to another base from now on, modulo 2^32. */
void colblock_lines_rebase(struct colblock_lines *x, int64_t base);

/* nulls = rows of sel that are NULL, a line each: false when there are none. */
bool colblock_lines_nulls(const struct colblock_lines *x, uint32_t line, const uint64_t *sel,
                          uint64_t *nulls);

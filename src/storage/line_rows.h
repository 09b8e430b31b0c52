#pragma once
/*
 * Line rows: which lines of a block have selected rows, and their numbers, so that several columns are read for few
 * rows without looking at the selection again. Owner: the caller; good until the selection changes.
 */
#include <stdint.h>

#include "storage/kernel.h"
#include "storage/selection.h"

enum {
    LINE_ROWS_MAX = 64 * LINE_WORDS, /* rows of a line */
    LINE_ROWS_AHEAD = 4,             /* lines with rows, after which one is fetched */
};

struct line_rows {
    const uint64_t *sel;
    uint32_t n;                                    /* lines with rows: */
    uint16_t lines[BLOCK_LINES + LINE_ROWS_AHEAD]; /* their numbers, the last one several times, */
    uint16_t counts[BLOCK_LINES];                  /* rows of each */
};

/* The first `lines` lines of a selection. */
void line_rows_init(struct line_rows *r, const uint64_t *sel, uint32_t lines);

/* The line of the i-th one with rows that is read some time after it. */
static inline uint32_t line_rows_ahead(const struct line_rows *r, uint32_t i)
{
    return r->lines[i + LINE_ROWS_AHEAD];
}

/* Numbers in their line, 0 to 511, of the rows of the i-th line with rows; room for LINE_ROWS_SPARE more. */
void line_rows_list(const struct line_rows *r, uint32_t i, uint16_t *rows);

#pragma once
/*
 * What aggregates of dense groups add up, a line of 512 rows at a time: a column of the table, or a value computed from
 * some. As 32-bit numbers above a base: the bounds of the columns bound the value, and where it stays within 2^32 of
 * its smallest one all steps may be done modulo 2^32. Owner: the scan, on the slots' core.
 */
#include "storage/colblock_lines.h"
#include "storage/program.h"
#include "storage/segment.h"

struct dense_range { /* of an own column in the blocks to come */
    int64_t min, max;
    bool any;
};

enum { GROUP_VALUE_STEPS = 15 };

struct value_step { /* a column, a constant, or an operation on two steps before */
    enum value_step_kind {
        VALUE_COLUMN,
        VALUE_CONSTANT,
        VALUE_OPERATION,
    } kind;
    enum computed_kind operation;
    uint16_t column;
    uint8_t operands[2];
    int64_t factors[2]; /* of the operands */
    int64_t min, max;   /* of all rows; of a constant both are it */
    struct colblock_lines lines;
};

struct group_value {
    uint8_t n; /* steps, the value last */
    struct value_step steps[GROUP_VALUE_STEPS];
    int64_t base;
    uint32_t span; /* largest value less the base */
};

/* The value of a column reference of the program. False: of parents, of codes (unless it is only counted), or too long. */
bool group_value_init(struct group_value *v, const struct program *p, const struct schema *s,
                      uint16_t ref, bool counted);
/* Takes the ranges of all own columns. False: it may be beyond 32 bits, or beyond 64 on the way. */
bool group_value_bound(struct group_value *v, const struct dense_range *ranges);

/* A block. False: its values are out of the ranges, or cannot be read as lines. */
bool group_value_open(struct group_value *v, const struct block *b);
/* The same for group_value_nulls alone, whatever the bounds. */
void group_value_view(struct group_value *v, const struct block *b);
bool group_value_has_nulls(const struct group_value *v);
/* nulls = rows of sel that are NULL: false when there are none. */
bool group_value_nulls(const struct group_value *v, uint32_t line, const uint64_t *sel,
                       uint64_t *nulls);
/* The values of a line less the base, 64-byte aligned; those of NULL rows and beyond the block may be anything. */
void group_value_read(const struct group_value *v, uint32_t line, uint32_t *out);
/*
 * The same of the lines with rows [from, to), in order, n <= LINE_ROWS rows in all, which `rows` lists. None of them is
 * NULL.
 */
void group_value_pick(const struct group_value *v, const struct line_rows *r, uint32_t from,
                      uint32_t to, const uint16_t *rows, uint32_t n, uint32_t *out);

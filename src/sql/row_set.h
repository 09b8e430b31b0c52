#pragma once
/*
 * Set of rows for (a, b) IN (SELECT c, d ...), with NULLs as SQL counts them. Owner: the statement; memory from its
 * arena.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sql/value_compare.h"

struct arena;

struct row_set {
    struct arena *arena;
    uint32_t width;
    const enum compare_class *classes; /* per column */
    struct datum *cells;               /* rows one after the other, each different */
    uint32_t n, cap;
    uint32_t *slots, n_slots; /* open addressing: number of the row, from 1; 0 = free */
    bool has_null;            /* in some row */
};

void row_set_init(struct row_set *s, uint32_t width, const enum compare_class *classes,
                  struct arena *a);
/* 0, -ENOMEM. A row with a cell that cannot be read in its class is left out: it equals nothing. */
int row_set_add(struct row_set *s, const struct datum *cells);
/* 1 it is there, 0 it is not, -1 unknown for a NULL. Changes the cells to what is compared. With
 * `unknown_matters` false, 0 may stand for -1, which is found without a look at each row. */
int row_set_contains(const struct row_set *s, struct datum *cells, bool unknown_matters);

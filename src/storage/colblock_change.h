#pragma once
/*
 * Making and changing column blocks: append to the tail, set rows in place, seal. Preparing is
 * apart from doing, so that a row of many columns changes whole or not at all: a reserve may fail
 * and changes nothing that can be seen, what follows it cannot fail. Owner: the slot's core.
 *
 * A block is a sealed part (whole lines; any number of rows when there is no tail) and a tail after it. Counts in a block include deleted
 * rows: the answers from counts are given only when a selection holds all rows; with deletions
 * selections are counted.
 */
#include "storage/colblock.h"

struct budget;

/* lists: the dictionary of value lists, LIST only. NULL on -ENOMEM. */
struct colblock *colblock_new(enum column_layout layout, const struct dict *lists,
                              struct budget *budget);
void colblock_free(struct colblock *c);

uint32_t colblock_rows(const struct colblock *c);
uint32_t colblock_sealed_rows(const struct colblock *c);

/* Prepares the append of n rows, also to a line that was sealed with fewer than 512, which becomes tail; present: a byte per row, NULL = all have a value. 0 or -ENOMEM. */
int colblock_reserve(struct colblock *c, const int64_t *values, const uint8_t *present, uint32_t n);
/* Appends the rows reserved for. */
void colblock_append(struct colblock *c, const int64_t *values, const uint8_t *present, uint32_t n);

/* Prepares setting a row to the value (or NULL). 0 or -ENOMEM. */
int colblock_reserve_set(struct colblock *c, uint32_t row, int64_t value, bool present);
/* Sets a row; counts and bounds follow. Its colblock_reserve_set came just before. */
void colblock_set(struct colblock *c, uint32_t row, int64_t value, bool present);

/*
 * Seals the first `rows` rows: a multiple of 512, the rest stays tail; or all. 0 or -ENOMEM, then all is
 * as before.
 */
int colblock_seal(struct colblock *c, uint32_t rows);

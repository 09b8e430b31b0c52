#pragma once
/* Joins of a scan, for scan*.c only: the parents of a window's rows. */
#include "storage/scan_impl.h"

/* Reads the parents of all joins: 0 or -ENOMEM. */
int scan_join_open(struct scan *x);

/* Binds the joins to the slot: 0 or -ENOMEM. */
int scan_join_bind(struct scan *x, const struct slot *slot);

/* Before scan_join_window: 0 or -ENOMEM. */
int scan_join_prepare(struct scan *x);

/* Inner joins, by bits, that have a sieve. */
uint32_t scan_join_sieves(const struct scan *x);

/* Rows of the block without a parent leave x->sel, which has n >= 1, as far as sieves tell (x->sieved). Returns the
 * rows left. */
uint32_t scan_join_sieve(struct scan *x, const struct block *b, uint32_t n);

/* The same of the window's rows, where x->sieved says that all have their parent: 0 or -ENOMEM. */
int scan_join_again(struct scan *x, const struct block *b);

/* Finds the parents of the n rows of the window, which begins at first_word, into x->parent_rows. Rows that lack
 * one leave the window unless the join keeps them. Returns the rows left. */
uint32_t scan_join_window(struct scan *x, const struct block *b, uint32_t first_word, uint32_t n);

#pragma once
/*
 * The first rows, or groups, in an order: keeps at most about twice `limit` rows, each with a byte-comparable sort key.
 * Owner: one operation on one core. NULLs are smallest, strings compare bytewise.
 */
#include "storage/program.h"

struct budget;
struct topn;

int topn_new(const struct program *p, const struct schema *s, struct budget *budget,
             struct topn **out);
void topn_free(struct topn *t);

/* Takes in the rows of a batch in program output form (copied). -ENOMEM over program->memory. */
int topn_add(struct topn *t, const struct batch *b);

/* The worst first order value still of interest, once `limit` rows are there: false before that, and when the first
 * order column is not an integer. Rows beyond it (above if ascending, below if descending) cannot be in the result. */
bool topn_bound(const struct topn *t, int64_t *bound);
/* The same when the first order column is any number. */
bool topn_bound_number(const struct topn *t, __int128 *bound);

/* After the last add, rows in order: 1 with *out valid until the next call, 0 at the end, -errno. */
int topn_next(struct topn *t, uint32_t max_rows, struct batch *out);
/* All rows were handed out. */
bool topn_is_done(const struct topn *t);

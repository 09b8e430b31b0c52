#pragma once
/*
 * How often each value of an ordered column comes among the rows that a scan selects: one counter per value between
 * bounds known when the scan begins, for programs whose rows may come counted (program.h). Exact, in one pass, in
 * memory that depends on the bounds alone. Owner: the scan, on its core.
 */
#include "storage/batch.h"
#include "storage/colblock.h"

struct budget;
struct value_counts;

/*
 * For values in [min, max] of at most `rows` rows: *out = NULL when the counters would be more than `limit` bytes or
 * than is worth it for the rows. 0 or -ENOMEM.
 */
int value_counts_new(int64_t min, int64_t max, uint64_t rows, uint64_t limit, struct budget *budget,
                     struct value_counts **out);
void value_counts_free(struct value_counts *v);

/* Takes a block's column, NULL = all its rows are NULL, for value_counts_add: false when it has other values. */
bool value_counts_open(struct value_counts *v, const struct colblock *c);
/* Counts the selected rows of the block, `rows` long, that have a value. */
void value_counts_add(struct value_counts *v, const uint64_t *sel, uint32_t rows);

/* At most batch_rows rows of the next values, as program.h describes them: 1, 0 when there are no more, -errno. */
int value_counts_next(struct value_counts *v, uint32_t batch_rows, struct batch_builder *to);

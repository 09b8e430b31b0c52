#pragma once
/* Rows of a file converted a column at a time, for load_rows.c only. */
#include "ingest/load_rows_impl.h"

/* Finds out whether that goes with these columns. */
void load_columns_init(struct load_rows *l);
void load_columns_free(struct load_rows *l);

/*
 * Puts up to max_rows rows of the batch at hand, from l->row on, into the empty builder: 0, -ENOMEM. -EAGAIN: not this
 * way, for some value is refused, or a column has lists; then nothing was done.
 */
int load_columns_put(struct load_rows *l, uint32_t max_rows);

/* In load_rows.c: the value of column i in row l->row, into l->cells[i]. */
int load_rows_convert_cell(struct load_rows *l, unsigned i, struct error_info *err);

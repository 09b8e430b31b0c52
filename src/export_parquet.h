#pragma once
/* Rows of the gateway as a Parquet file. Owner: an export, on its core. */
#include "sql/export.h"

struct budget;
struct export_parquet;
struct export_stream;

/* Columns as want tells; the file goes to the stream, memory is charged to the budget. NULL with the error. */
struct export_parquet *export_parquet_new(const struct export_want *want, struct budget *budget,
                                          struct export_stream *to, struct error_info *err);
/* 0 or -errno with the error; then it can only be freed. */
int export_parquet_row(struct export_parquet *x, const struct datum *cells, struct error_info *err);
/* Whether the compression of want is one of ours. */
int export_parquet_check(const struct export_want *want, struct error_info *err);
int export_parquet_finish(struct export_parquet *x, struct error_info *err);
void export_parquet_free(struct export_parquet *x); /* NULL is allowed */

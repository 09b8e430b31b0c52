#pragma once
/* Rows of a scan put into its batch column by column, for scan*.c only. */
#include "storage/scan_impl.h"

/* Are the n rows of the window worth it, and is none of the columns of another kind or of long texts? */
bool scan_columns_fit(const struct scan *x, uint32_t n);

/* The n rows of the window into the builder, which has none: 0 or -errno. */
int scan_columns_put(struct scan *x, uint32_t n);

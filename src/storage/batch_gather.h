#pragma once
/* Some rows of a row batch as a batch of their own, column by column, each in the form it has. Any core. */
#include "storage/batch.h"

/*
 * Appends to out, which must be empty or 8-byte padded, the n different rows of src whose numbers are given, in that
 * order. Widths, bases and codes stay; values that no row has any more go where that saves something. 0, -ENOBUFS,
 * -ENOMEM.
 */
int batch_gather(const struct batch *src, const uint32_t *rows, uint32_t n, uint32_t slot,
                 struct buffer *out);

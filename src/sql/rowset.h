#pragma once
/*
 * A batch of rows between operators: cells row by row. Cells belong to the operator that gave them,
 * which may reuse them at its next call; the receiver may change them until then.
 */
#include "sql/value_datum.h"

enum { ROWSET_ROWS = 512 }; /* rows per batch: cells of a few columns stay in L2 */

struct rowset {
    struct datum *cells; /* rows * width */
    uint32_t rows, width;
};

static inline struct datum *rowset_row(const struct rowset *r, uint32_t i)
{
    return r->cells + (size_t)i * r->width;
}

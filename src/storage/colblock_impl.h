#pragma once
/* Inside of a column block, for colblock*.c only. */
#include "storage/colblock.h"
#include "storage/colblock_sealed.h"
#include "storage/tail.h"

/* Owner: the slot's core; lives as long as its segment. What tells whether a row can match is in its first line. */
struct colblock {
    enum column_layout layout;
    bool any;   /* a value was ever set */
    bool tight; /* min and max are those of the rows at hand */
    int64_t min, max;
    struct sealed *sealed; /* first rows, or NULL */
    struct tail tail;      /* rows after the sealed ones */
    struct budget *budget;
    const struct dict *lists; /* LIST */
};

/* A selection of all rows of a whole block. */
extern const uint64_t selection_all[BLOCK_WORDS];

/* Selection of all rows of a tail, in out[]; only its words are written. */
const uint64_t *tail_all(uint32_t rows, uint64_t *out);

static inline uint32_t sealed_rows(const struct colblock *c)
{
    return c->sealed ? c->sealed->rows : 0;
}

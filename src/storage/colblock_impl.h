#pragma once
/* Inside of a column block, for colblock*.c only. */
#include "storage/code_filter.h"
#include "storage/colblock.h"
#include "storage/colblock_sealed.h"
#include "storage/tail.h"

/* Owner: the slot's core; lives as long as its segment. What tells whether a row can match is in its first line. */
struct colblock {
    enum column_layout layout;
    bool any;     /* a value was ever set */
    bool tight;   /* min and max are those of the rows at hand */
    uint8_t vain; /* searches of the sealed rows for a code that none had, up to the filter */
    bool summed;  /* ORDERED: sum and present are those of the sealed rows */
    int64_t min, max;
    struct sealed *sealed;      /* first rows, or NULL */
    struct code_filter *filter; /* CODED: of these, a full block; NULL = none was made */
    int64_t sum;
    uint32_t present;
    struct tail tail; /* rows after the sealed ones */
    struct budget *budget;
    const struct dict *lists; /* LIST */
};

/* Selection of all rows of a tail, in out[]; only its words are written. */
const uint64_t *tail_all(uint32_t rows, uint64_t *out);

/* Selection of all rows of a sealed part, in out[]; only its words are written. */
void sealed_all(const struct sealed *s, uint64_t *out);

/* There is another sealed part: what is answered without a look at it. Rows set in it later end that. */
void colblock_note_sealed(struct colblock *c);

static inline uint32_t sealed_rows(const struct colblock *c)
{
    return c->sealed ? c->sealed->rows : 0;
}

#include "storage/row_bits.h"

void row_bits_init(struct row_bits *x, uint64_t add)
{
    x->n = 0;
    x->add = add;
}

bool row_bits_put(struct row_bits *x, const struct colblock_lines *c, unsigned at, unsigned end)
{
    if (c->slices.width > end - at || end > SLICES_MAX)
        return false;
    while (x->n < at + c->slices.width)
        x->bits[x->n++] = NULL;
    for (uint32_t i = 0; i < c->slices.width; i++)
        x->bits[at + i] = c->slices.words + (size_t)i * c->slices.stride;
    x->add += ((uint64_t)c->slices.base - (uint64_t)c->base) << at;
    return true;
}

/* Budgeted blocks: a charge is taken before the allocation and returned when it fails. */
#include "storage/slot_memory.h"

#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"

static size_t round_up(size_t size)
{
    return (size + SLOT_MEMORY_ALIGN - 1) & ~(size_t)(SLOT_MEMORY_ALIGN - 1);
}

void *slot_memory_new(struct budget *budget, size_t size)
{
    void *block;

    size = round_up(size);
    if (budget && budget_charge(budget, size) != 0)
        return NULL;
    block = aligned_alloc(SLOT_MEMORY_ALIGN, size);
    if (!block && budget)
        budget_release(budget, size);
    return block;
}

void *slot_memory_zeroed(struct budget *budget, size_t size)
{
    void *block = slot_memory_new(budget, size);

    return block ? memset(block, 0, size) : NULL;
}

void slot_memory_free(struct budget *budget, void *block, size_t size)
{
    if (!block)
        return;
    if (budget)
        budget_release(budget, round_up(size));
    free(block);
}

void *slot_memory_grow(struct budget *budget, void *block, size_t old_size, size_t new_size)
{
    void *grown = slot_memory_new(budget, new_size);

    if (!grown)
        return NULL;
    if (old_size)
        memcpy(grown, block, old_size);
    slot_memory_free(budget, block, old_size);
    return grown;
}

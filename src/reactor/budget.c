/* Byte budgets in a chain: a charge counts at every level or at none. */
#include "reactor/budget.h"

#include <errno.h>
#include <stddef.h>

#include "reactor/assert.h"

void budget_init(struct budget *b, const char *name, uint64_t limit, struct budget *parent)
{
    *b = (struct budget){.parent = parent, .name = name, .limit = limit};
}

static uint64_t room_of_one(const struct budget *b)
{
    uint64_t limit = b->limit ? b->limit : UINT64_MAX;

    return b->used < limit ? limit - b->used : 0;
}

int budget_charge(struct budget *b, uint64_t bytes)
{
    if (bytes > budget_room(b))
        return -ENOMEM;
    budget_charge_always(b, bytes);
    return 0;
}

void budget_charge_always(struct budget *b, uint64_t bytes)
{
    for (; b; b = b->parent) {
        ASSERT(bytes <= UINT64_MAX - b->used);
        b->used += bytes;
        if (b->used > b->peak)
            b->peak = b->used;
    }
}

void budget_release(struct budget *b, uint64_t bytes)
{
    for (; b; b = b->parent) {
        ASSERT(b->used >= bytes);
        b->used -= bytes;
    }
}

uint64_t budget_least_limit(const struct budget *b)
{
    uint64_t least = 0;

    for (; b; b = b->parent)
        if (b->limit && (!least || b->limit < least))
            least = b->limit;
    return least;
}

uint64_t budget_room(const struct budget *b)
{
    uint64_t room = UINT64_MAX;

    for (; b; b = b->parent) {
        uint64_t own = room_of_one(b);

        if (own < room)
            room = own;
    }
    return room;
}

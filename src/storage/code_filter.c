#include "storage/code_filter.h"

#include "reactor/budget.h"
#include "storage/colblock.h"
#include "storage/kernel.h"
#include "storage/slot_memory.h"

enum { FILTER_SPARE = 4 }; /* the fourth part of the memory must be free, as rows come first */

static bool has_room(const struct budget *b)
{
    return !b || budget_room(b) >= budget_least_limit(b) / FILTER_SPARE;
}

struct code_filter *code_filter_new(const struct slices *s, struct budget *budget)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint32_t codes[LINE_ROWS];
    struct code_filter *f = has_room(budget) ? slot_memory_zeroed(budget, sizeof(*f)) : NULL;

    for (uint32_t line = 0; f && line < s->lines; line++) {
        k->decode_line32(s, line, (uint32_t)s->base, codes);
        for (unsigned i = 0; i < LINE_ROWS; i++)
            code_filter_add(f, codes[i]);
    }
    return f;
}

void code_filter_free(struct code_filter *f, struct budget *budget)
{
    slot_memory_free(budget, f, sizeof(*f));
}

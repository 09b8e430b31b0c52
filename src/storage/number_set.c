#include "storage/number_set.h"

#include <errno.h>
#include <stddef.h>

#include "reactor/arena.h"
#include "storage/kernel.h"

enum { PAGE_WORDS = 1 << (NUMBER_PAGE_BITS - 6) };

_Static_assert(PAGE_WORDS % LINE_WORDS == 0, "pages are whole lines");

int number_set_add_page(struct number_set *s, struct arena *arena, uint32_t place)
{
    uint64_t ***shelf = &s->shelves[place >> NUMBER_PLACE_BITS], **page;

    if (!*shelf && !(*shelf = arena_alloc(arena, NUMBER_SHELF * sizeof(**shelf))))
        return -ENOMEM;
    page = &(*shelf)[place >> NUMBER_PAGE_BITS & (NUMBER_SHELF - 1)];
    if (!*page && !(*page = arena_alloc(arena, PAGE_WORDS * sizeof(**page))))
        return -ENOMEM;
    return number_set_add(s, arena, place);
}

void number_set_settle(struct number_set *s)
{
    for (uint32_t i = 0; i < NUMBER_AHEAD; i++) {
        if (s->words[i])
            *s->words[i] |= s->bits[i];
        s->words[i] = NULL;
    }
}

uint32_t number_sets_next(const struct number_set *const *sets, unsigned n, uint32_t page)
{
    for (; page < NUMBER_PAGES; page = (page / NUMBER_SHELF + 1) * NUMBER_SHELF)
        for (unsigned i = 0; i < n; i++)
            if (sets[i]->shelves[page / NUMBER_SHELF])
                return page;
    return NUMBER_PAGES;
}

uint32_t number_sets_count(const struct number_set *const *sets, unsigned n, uint32_t page)
{
    uint64_t any[PAGE_WORDS];
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t **shelf = sets[i]->shelves[page / NUMBER_SHELF];
        const uint64_t *bits = shelf ? shelf[page % NUMBER_SHELF] : NULL;
        if (bits && found++)
            kernel_table()->or_lines(any, bits, PAGE_WORDS / LINE_WORDS);
        else if (bits)
            memcpy(any, bits, sizeof(any));
    }
    return found ? kernel_table()->count_lines(any, PAGE_WORDS / LINE_WORDS) : 0;
}

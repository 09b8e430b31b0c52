#include "storage/slot_numbers.h"

#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/number_set.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

enum {
    NUMBERS_FEW = 1024, /* values that are as soon read each time */
    NUMBERS_SPARE = 8,  /* times the memory that all would take must be free */
    NUMBERS_SOME = 2,   /* at least every second value must be a number */
    NUMBERS_PAGES = 16, /* more pages that there is room for at once */
};

struct page {
    uint32_t n; /* words that are there */
    uint32_t places[SLOT_NUMBERS];
};

/* Places of a column, known by its dictionary, which keeps its place when columns get others. Owner: the slot. */
struct slot_numbers {
    struct slot_numbers *next;
    const struct dict *dict;
    struct page **pages; /* NULL = not there */
    uint32_t cap, made;  /* pages there is room for; that are there */
    uint64_t used;       /* tick */
    bool rare;           /* are numbers: nothing is kept */
};

static struct slot_numbers *find(const struct slot *t, unsigned column)
{
    for (struct slot_numbers *x = t->numbers; x; x = x->next)
        if (x->dict == t->dicts[column])
            return x;
    return NULL;
}

static struct slot_numbers *add(struct slot *t, unsigned column)
{
    struct slot_numbers *x = slot_memory_zeroed(t->budget, sizeof *x);

    if (!x)
        return NULL;
    x->dict = t->dicts[column];
    x->next = t->numbers;
    t->numbers = x;
    return x;
}

static size_t bytes_of(const struct slot_numbers *x)
{
    return x->cap * sizeof(*x->pages) + x->made * sizeof(**x->pages);
}

static void let_go(struct slot *t, struct slot_numbers *x)
{
    for (uint32_t i = 0; i < x->cap; i++)
        slot_memory_free(t->budget, x->pages[i], sizeof(**x->pages));
    slot_memory_free(t->budget, x->pages, x->cap * sizeof(*x->pages));
    x->pages = NULL;
    x->cap = x->made = 0;
}

/* Room for a page, with nothing in it. NULL: there is little memory. */
static struct page *add_page(struct slot *t, struct slot_numbers *x, uint32_t number)
{
    uint64_t all = dict_count(x->dict) * sizeof(uint32_t);

    if (t->budget && budget_room(t->budget) / NUMBERS_SPARE < all)
        return NULL;
    if (number >= x->cap) {
        uint32_t cap = number + number / 2 + NUMBERS_PAGES;
        struct page **pages =
            slot_memory_grow(t->budget, x->pages, x->cap * sizeof(*pages), cap * sizeof(*pages));
        if (!pages)
            return NULL;
        memset(pages + x->cap, 0, (cap - x->cap) * sizeof(*pages));
        x->pages = pages;
        x->cap = cap;
    }
    struct page *p = slot_memory_new(t->budget, sizeof(*p));
    if (!p)
        return NULL;
    p->n = 0;
    x->made++;
    return x->pages[number] = p;
}

static uint32_t place_of(const struct dict *d, uint32_t code)
{
    uint32_t len, place;
    uint64_t text = 0;
    const char *bytes = dict_bytes(d, code, &len);

    if (len - 1 >= sizeof(text))
        return SLOT_NO_NUMBER;
    memcpy(&text, bytes, len);
    return number_set_place(text, len, &place) ? place : SLOT_NO_NUMBER;
}

/* Words of the page up to the n-th. */
static void fill(struct slot *t, struct slot_numbers *x, struct page *p, size_t first, uint32_t n)
{
    uint32_t found = 0, from = p->n;

    for (; p->n < n; p->n++) {
        size_t at = first + p->n;
        p->places[p->n] = at ? place_of(x->dict, (uint32_t)at - 1) : SLOT_NO_NUMBER;
        found += p->places[p->n] != SLOT_NO_NUMBER;
    }
    x->rare = !from && found < n / NUMBERS_SOME;
    if (x->rare)
        let_go(t, x);
}

const uint32_t *slot_numbers(struct slot *t, unsigned column, size_t first, size_t n, bool make)
{
    struct slot_numbers *x = find(t, column);
    uint32_t number = (uint32_t)(first / SLOT_NUMBERS);
    struct page *p;

    ASSERT(first % SLOT_NUMBERS == 0 && n <= SLOT_NUMBERS);
    make &= n >= NUMBERS_FEW;
    if (!x && make)
        x = add(t, column);
    if (!x || x->rare)
        return NULL;
    x->used = t->tick;
    p = number < x->cap ? x->pages[number] : NULL;
    if (!p && (!make || !(p = add_page(t, x, number))))
        return NULL;
    if (p->n < n)
        fill(t, x, p, first, (uint32_t)n);
    return x->rare ? NULL : p->places;
}

size_t slot_numbers_evict(struct slot *t, size_t bytes, uint64_t tick, uint64_t idle)
{
    size_t freed = 0;

    for (struct slot_numbers *x = t->numbers; x && freed < bytes; x = x->next)
        if (x->used + idle <= tick) {
            freed += bytes_of(x);
            let_go(t, x);
        }
    return freed;
}

void slot_numbers_free(struct slot *t)
{
    while (t->numbers) {
        struct slot_numbers *x = t->numbers;

        t->numbers = x->next;
        let_go(t, x);
        slot_memory_free(t->budget, x, sizeof *x);
    }
}

size_t slot_numbers_memory(const struct slot *t)
{
    size_t bytes = 0;

    for (const struct slot_numbers *x = t->numbers; x; x = x->next)
        bytes += sizeof *x + bytes_of(x);
    return bytes;
}

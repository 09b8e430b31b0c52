#include "storage/wlog_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

void wlog_held_init(struct wlog_held *h, uint64_t first)
{
    *h = (struct wlog_held){.first = first};
}

void wlog_held_fini(struct wlog_held *h)
{
    free(h->bytes);
    *h = (struct wlog_held){0};
}

int wlog_held_reserve(struct wlog_held *h)
{
    if (h->n < h->cap)
        return 0;
    uint32_t cap = h->cap ? 2 * h->cap : 16;
    uint64_t *bytes = realloc(h->bytes, cap * sizeof(*bytes));
    if (!bytes)
        return -ENOMEM;
    h->bytes = bytes;
    h->cap = cap;
    return 0;
}

void wlog_held_add(struct wlog_held *h, uint64_t bytes)
{
    ASSERT(h->n < h->cap);
    h->bytes[h->n++] = bytes;
    h->total += bytes;
}

void wlog_held_drop_first(struct wlog_held *h)
{
    ASSERT(h->n > 0);
    h->total -= h->bytes[0];
    h->first++;
    memmove(h->bytes, h->bytes + 1, --h->n * sizeof(*h->bytes));
}

/* Arena: a list of chunks with a bump pointer into the newest. */
#include "reactor/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"

enum {
    ARENA_ALIGN = 16,
    ARENA_CHUNK_MIN = 4096,
    ARENA_CHUNK_MAX = 256 * 1024, /* larger blocks are allocated alone: no growth by surprise */
};

/* Header of a chunk; the bytes follow. Owner: the arena. */
struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* bytes, with this header */
};

_Static_assert(sizeof(struct arena_chunk) % ARENA_ALIGN == 0, "chunk bytes start aligned");

void arena_init(struct arena *a, size_t limit, struct budget *budget)
{
    *a = (struct arena){.limit = limit, .budget = budget};
}

static void chunk_free(struct arena *a, struct arena_chunk *c)
{
    ASSERT(a->used >= c->size);
    a->used -= c->size;
    if (a->budget)
        budget_release(a->budget, c->size);
    free(c);
}

void arena_fini(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *c = a->chunks;

        a->chunks = c->next;
        chunk_free(a, c);
    }
    ASSERT(a->used == 0);
    a->at = a->end = NULL;
}

void arena_reset(struct arena *a)
{
    if (!a->chunks)
        return;
    while (a->chunks->next) {
        struct arena_chunk *c = a->chunks;

        a->chunks = c->next;
        chunk_free(a, c);
    }
    a->at = (uint8_t *)(a->chunks + 1);
    a->end = (uint8_t *)a->chunks + a->chunks->size;
}

/* Size of the next chunk when `need` bytes with header must fit: as large as all before together. */
static size_t chunk_size(const struct arena *a, size_t need)
{
    size_t size = a->used;

    if (size < ARENA_CHUNK_MIN)
        size = ARENA_CHUNK_MIN;
    if (size > ARENA_CHUNK_MAX)
        size = ARENA_CHUNK_MAX;
    if (size > a->limit - a->used)
        size = (a->limit - a->used) & ~(size_t)(ARENA_ALIGN - 1);
    return size > need ? size : need;
}

static bool arena_grow(struct arena *a, size_t need)
{
    size_t size;
    struct arena_chunk *c;

    if (a->used >= a->limit || need > a->limit - a->used)
        return false;
    size = chunk_size(a, need);
    if (a->budget && budget_charge(a->budget, size) != 0) {
        if (size == need || budget_charge(a->budget, need) != 0)
            return false;
        size = need;
    }
    c = malloc(size);
    if (!c) {
        if (a->budget)
            budget_release(a->budget, size);
        return false;
    }
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    a->used += size;
    a->at = (uint8_t *)(c + 1);
    a->end = (uint8_t *)c + size;
    return true;
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
    uint8_t *p;

    if (size > SIZE_MAX - ARENA_ALIGN - sizeof(struct arena_chunk))
        return NULL;
    size = size ? (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
    if (size > (size_t)(a->end - a->at) && !arena_grow(a, size + sizeof(struct arena_chunk)))
        return NULL;
    p = a->at;
    a->at += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = arena_alloc_raw(a, size);

    return p ? memset(p, 0, size) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

    if (p && n)
        memcpy(p, s, n);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *p;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return NULL;
    p = arena_alloc(a, (size_t)n + 1);
    if (!p)
        return NULL;
    va_start(args, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, args);
    va_end(args);
    return p;
}

uint64_t arena_hash(const struct arena *a)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (const struct arena_chunk *c = a->chunks; c; c = c->next) {
        const uint8_t *p = (const uint8_t *)(c + 1),
                      *end = c == a->chunks ? a->at : (const uint8_t *)c + c->size;
        for (; p < end; p++)
            h = (h ^ *p) * 1099511628211u;
    }
    return h;
}

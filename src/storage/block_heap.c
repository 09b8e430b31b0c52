/* Places in chunks: a bit per unit, chunks listed by their longest free run. */
#include "storage/block_heap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "reactor/list.h"
#include "storage/presence.h"
#include "storage/slot_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#endif

enum {
    UNIT =
        512, /* bytes; smaller than a page, so that columns do not all begin in the same sets of the caches */
    CHUNK = 2 << 20,
    UNITS = CHUNK / UNIT,
    WORDS = UNITS / 64,
    PAGE = 4096,
    PAGE_UNITS = PAGE / UNIT,
    PAGES = CHUNK / PAGE,
    BINS = 13,
    LOOKS = 8, /* chunks of which not all in their bin are large enough */
    /* Smaller and larger places are the general allocator's: they would leave holes. */
    LEAST = 4096,
    MOST = CHUNK / 2,
    SMALL_PAGED = 8, /* chunks of a small heap have small pages until they are nearly full: */
    FULL = UNITS - UNITS / 16, /* so many units */
    IDLE_SHARE = 32,           /* so small a part of the heap may be free and in memory, */
    IDLE_LEAST = 1 << 20,      /* or so many bytes */
};

/* At the begin of its memory. Owner: the heap, under its lock. */
struct chunk {
    struct list bin;
    struct block_heap *heap;
    uint32_t used, most; /* units: in use, of the longest free run */
    bool huge;
    uint64_t taken[WORDS];     /* units; those of this header included */
    uint64_t gone[PAGES / 64]; /* pages that the system has or has not given yet */
};

enum { HEADER = (sizeof(struct chunk) + UNIT - 1) / UNIT }; /* units */

_Static_assert(UNITS == 1 << (BINS - 1), "a bin for each power of two");

struct block_heap {
    struct block_heap *next; /* of all */
    pthread_mutex_t lock;
    struct list bins[BINS]; /* of 2^i units at least, below 2^(i + 1) */
    struct list full;
    uint32_t chunks;
    _Atomic uint64_t used, held; /* bytes; written under the lock */
};

static _Thread_local struct block_heap *mine;
static struct block_heap *_Atomic heaps;

static struct block_heap *own_heap(void)
{
    struct block_heap *h = mine ? mine : calloc(1, sizeof(*h));

    if (mine || !h)
        return h;
    pthread_mutex_init(&h->lock, NULL);
    for (unsigned i = 0; i < BINS; i++)
        list_init(&h->bins[i]);
    list_init(&h->full);
    h->next = atomic_load(&heaps);
    while (!atomic_compare_exchange_weak(&heaps, &h->next, h))
        ;
    mine = h;
    return h;
}

static void add_used(struct block_heap *h, int64_t bytes)
{
    atomic_fetch_add_explicit(&h->used, (uint64_t)bytes, memory_order_relaxed);
}

static void add_held(struct block_heap *h, int64_t bytes)
{
    atomic_fetch_add_explicit(&h->held, (uint64_t)bytes, memory_order_relaxed);
}

static uint64_t idle_bytes(const struct block_heap *h)
{
    return atomic_load_explicit(&h->held, memory_order_relaxed) -
           atomic_load_explicit(&h->used, memory_order_relaxed);
}

/* ---- units of a chunk ---- */

/* The first unit from `from` on whose bit is `value`, or UNITS. */
static uint32_t next_unit(const struct chunk *c, uint32_t from, bool value)
{
    uint64_t mask = ~0ull << from % 64;

    for (uint32_t w = from / 64; w < WORDS; w++, mask = ~0ull) {
        uint64_t word = (value ? c->taken[w] : ~c->taken[w]) & mask;
        if (word)
            return w * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return UNITS;
}

/* The first free run of n units, or UNITS. */
static uint32_t find_run(const struct chunk *c, uint32_t n)
{
    uint32_t end;

    for (uint32_t at = next_unit(c, 0, false); at < UNITS; at = next_unit(c, end, false)) {
        end = next_unit(c, at, true);
        if (end - at >= n)
            return at;
    }
    return UNITS;
}

static uint32_t longest_run(const struct chunk *c)
{
    uint32_t most = 0, end;

    for (uint32_t at = next_unit(c, 0, false); at < UNITS; at = next_unit(c, end, false)) {
        end = next_unit(c, at, true);
        most = end - at > most ? end - at : most;
    }
    return most;
}

static void clear_units(struct chunk *c, uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++)
        presence_clear(c->taken, i);
}

static uint32_t bin_of(uint32_t units)
{
    return 31 - (uint32_t)__builtin_clz(units);
}

/* Into the list where it belongs now. */
static void list_chunk(struct chunk *c)
{
    c->most = longest_run(c);
    list_remove(&c->bin);
    list_push_front(c->most ? &c->heap->bins[bin_of(c->most)] : &c->heap->full, &c->bin);
}

/* ---- pages ---- */

/* An error is of no interest: the chunk has the pages that the system likes then. */
static void set_huge(struct chunk *c, bool huge)
{
    c->huge = huge;
    (void)madvise(c, CHUNK, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void touch_pages(struct chunk *c, uint32_t from, uint32_t n)
{
    for (uint32_t page = from / PAGE_UNITS; page <= (from + n - 1) / PAGE_UNITS; page++)
        if (presence_get(c->gone, page)) {
            presence_clear(c->gone, page);
            add_held(c->heap, PAGE);
        }
}

/* The whole pages of a free run go back to the system. */
static void give_back(struct chunk *c, uint32_t from, uint32_t end)
{
    uint32_t first = (from + PAGE_UNITS - 1) / PAGE_UNITS, last = end / PAGE_UNITS;

    if (first >= last)
        return;
    if (c->huge) /* else the system would make the page whole again, with memory for what went */
        set_huge(c, false);
    if (madvise((char *)c + (size_t)first * PAGE, (size_t)(last - first) * PAGE, MADV_DONTNEED))
        return;
    for (uint32_t page = first; page < last; page++)
        if (!presence_get(c->gone, page)) {
            presence_set(c->gone, page);
            add_held(c->heap, -PAGE);
        }
}

/* ---- chunks ---- */

/* Address space aligned to its size. */
static void *map_chunk(void)
{
    char *all = mmap(NULL, 2 * (size_t)CHUNK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (all == MAP_FAILED)
        return NULL;
    size_t before = (CHUNK - (uintptr_t)all % CHUNK) % CHUNK;
    if (before)
        munmap(all, before);
    munmap(all + before + CHUNK, CHUNK - before);
    return all + before;
}

static struct chunk *chunk_new(struct block_heap *h)
{
    struct chunk *c = map_chunk();
    bool huge = h->chunks >= SMALL_PAGED;

    if (!c)
        return NULL;
    (void)madvise(c, CHUNK, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE); /* before it is touched */
    c->heap = h;
    c->huge = huge;
    presence_fill(c->taken, 0, HEADER);
    if (!huge)
        presence_fill(c->gone, 1, PAGES - 1);
    h->chunks++;
    add_held(h, huge ? CHUNK : PAGE);
    add_used(h, HEADER * UNIT);
    c->used = HEADER;
    ASAN_POISON_MEMORY_REGION((char *)c + HEADER * UNIT, CHUNK - HEADER * UNIT);
    list_init(&c->bin);
    list_chunk(c);
    return c;
}

static void chunk_free(struct chunk *c)
{
    struct block_heap *h = c->heap;

    list_remove(&c->bin);
    h->chunks--;
    add_held(h, -(int64_t)(PAGES - presence_count(c->gone, PAGES / 64)) * PAGE);
    add_used(h, -(int64_t)(HEADER * UNIT));
    ASAN_UNPOISON_MEMORY_REGION((char *)c, CHUNK);
    if (munmap(c, CHUNK)) /* too many mappings: the addresses are lost, the memory is not */
        (void)madvise(c, CHUNK, MADV_DONTNEED);
}

/* A chunk with a free run of n units: of those that may have one the fullest. */
static struct chunk *find_chunk(struct block_heap *h, uint32_t n)
{
    uint32_t bin = bin_of(n), looks = 0;

    list_for_each(at, &h->bins[bin])
    {
        struct chunk *c = container_of(at, struct chunk, bin);
        if (c->most >= n)
            return c;
        if (++looks == LOOKS)
            break;
    }
    while (++bin < BINS)
        if (!list_is_empty(&h->bins[bin]))
            return container_of(list_first(&h->bins[bin]), struct chunk, bin);
    return chunk_new(h);
}

static void *take_units(struct chunk *c, uint32_t n)
{
    uint32_t at = find_run(c, n);

    ASSERT(at < UNITS);
    presence_fill(c->taken, at, n);
    touch_pages(c, at, n);
    c->used += n;
    add_used(c->heap, (int64_t)n * UNIT);
    if (!c->huge && c->used >= FULL)
        set_huge(c, true);
    list_chunk(c);
    return (char *)c + (size_t)at * UNIT;
}

static void put_units(struct chunk *c, uint32_t at, uint32_t n)
{
    struct block_heap *h = c->heap;

    clear_units(c, at, n);
    c->used -= n;
    add_used(h, -(int64_t)n * UNIT);
    if (c->used == HEADER) {
        chunk_free(c);
        return;
    }
    list_chunk(c);
    uint64_t idle = idle_bytes(h), used = atomic_load_explicit(&h->used, memory_order_relaxed);
    if (idle <= IDLE_LEAST || idle <= used / IDLE_SHARE)
        return;
    uint32_t end = next_unit(c, at, true);
    while (at && !presence_get(c->taken, at - 1))
        at--;
    give_back(c, at, end);
}

static bool is_ours(size_t size)
{
    return size >= LEAST && size <= MOST;
}

static uint32_t units_of(size_t size)
{
    return (uint32_t)((size + UNIT - 1) / UNIT);
}

void *block_heap_new(struct budget *budget, size_t size)
{
    struct block_heap *h;
    struct chunk *c;
    void *place = NULL;

    if (!is_ours(size))
        return slot_memory_new(budget, size);
    h = own_heap();
    if (!h || (budget && budget_charge(budget, (uint64_t)units_of(size) * UNIT) != 0))
        return NULL;
    pthread_mutex_lock(&h->lock);
    c = find_chunk(h, units_of(size));
    if (c)
        place = take_units(c, units_of(size));
    pthread_mutex_unlock(&h->lock);
    if (place)
        ASAN_UNPOISON_MEMORY_REGION(place, size);
    else if (budget)
        budget_release(budget, (uint64_t)units_of(size) * UNIT);
    return place;
}

void block_heap_free(struct budget *budget, void *place, size_t size)
{
    struct chunk *c = (struct chunk *)((uintptr_t)place & ~(uintptr_t)(CHUNK - 1));

    if (!place || !is_ours(size)) {
        slot_memory_free(budget, place, size);
        return;
    }
    struct block_heap *h = c->heap;
    if (budget)
        budget_release(budget, (uint64_t)units_of(size) * UNIT);
    ASAN_POISON_MEMORY_REGION(place, size);
    pthread_mutex_lock(&h->lock);
    put_units(c, (uint32_t)((uintptr_t)place % CHUNK / UNIT), units_of(size));
    pthread_mutex_unlock(&h->lock);
}

void block_heap_figures(uint64_t *used, uint64_t *held)
{
    *used = *held = 0;
    for (struct block_heap *h = atomic_load(&heaps); h; h = h->next) {
        *used += atomic_load_explicit(&h->used, memory_order_relaxed);
        *held += atomic_load_explicit(&h->held, memory_order_relaxed);
    }
}

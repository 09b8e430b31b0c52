/* The one place that knows jemalloc: a weak reference, so builds with a sanitizer work without it. */
#include "reactor/jemalloc.h"

#include <stddef.h>
#include <stdio.h>

__attribute__((weak)) int mallctl(const char *name, void *old, size_t *old_len, void *new,
                                  size_t new_len);

/*
 * Freed pages go back to the system soon, so that what is resident stays near what is charged to the budgets; the cores
 * have arenas of their own, all other threads share one. Blocks up to 64 KiB are kept for the thread: most of a short
 * statement's memory comes and goes without a lock or a page given back. MALLOC_CONF in the environment overrides it.
 */
extern const char *malloc_conf;
const char *malloc_conf = "dirty_decay_ms:200,muzzy_decay_ms:0,narenas:1,lg_tcache_max:16";

void jemalloc_own_arena(void)
{
    unsigned arena;
    size_t len = sizeof arena;

    /* Memory of a core is touched first by the core, so the arena's pages lie on its node. */
    if (mallctl && mallctl("arenas.create", &arena, &len, NULL, 0) == 0)
        mallctl("thread.arena", NULL, NULL, &arena, sizeof arena);
}

void jemalloc_purge(void)
{
    unsigned arena;
    size_t len = sizeof arena;
    char name[32];

    if (!mallctl || mallctl("thread.arena", &arena, &len, NULL, 0) != 0)
        return;
    snprintf(name, sizeof name, "arena.%u.purge", arena);
    mallctl(name, NULL, NULL, NULL, 0);
}

uint64_t jemalloc_freed(void)
{
    uint64_t freed = 0;
    size_t len = sizeof freed;

    if (!mallctl || mallctl("thread.deallocated", &freed, &len, NULL, 0) != 0)
        return 0;
    return freed;
}

int jemalloc_is_linked(void)
{
    return mallctl != NULL;
}

static int read_size(const char *name, uint64_t *out)
{
    size_t value, len = sizeof value;

    if (mallctl(name, &value, &len, NULL, 0) != 0)
        return 0;
    *out = value;
    return 1;
}

int jemalloc_get_stats(uint64_t *allocated, uint64_t *resident)
{
    uint64_t epoch = 1;
    size_t len = sizeof epoch;

    /* Figures are of the moment when the epoch was last set. */
    return mallctl && mallctl("epoch", &epoch, &len, &epoch, sizeof epoch) == 0 &&
           read_size("stats.allocated", allocated) && read_size("stats.resident", resident);
}

/* The one place that knows jemalloc: a weak reference, so builds with a sanitizer work without it. */
#include "reactor/jemalloc.h"

#include <stddef.h>

__attribute__((weak)) int mallctl(const char *name, void *old, size_t *old_len, void *new,
                                  size_t new_len);

void jemalloc_own_arena(void)
{
    unsigned arena;
    size_t len = sizeof arena;

    /* Memory of a core is touched first by the core, so the arena's pages lie on its node. */
    if (mallctl && mallctl("arenas.create", &arena, &len, NULL, 0) == 0)
        mallctl("thread.arena", NULL, NULL, &arena, sizeof arena);
}

int jemalloc_is_linked(void)
{
    return mallctl != NULL;
}

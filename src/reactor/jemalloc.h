#pragma once
/* Allocations of this thread come from a jemalloc arena of its own; without jemalloc it does nothing. */
void jemalloc_own_arena(void);

/* True when the process is linked with jemalloc. */
int jemalloc_is_linked(void);

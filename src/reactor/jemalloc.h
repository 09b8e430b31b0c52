#pragma once
#include <stdint.h>

/* Allocations of this thread come from a jemalloc arena of its own; without jemalloc it does nothing. */
void jemalloc_own_arena(void);

/* Gives pages that the arena of this thread keeps for later back to the system. Microseconds when there are few. */
void jemalloc_purge(void);

/* Bytes that this thread has freed since it began; 0 without jemalloc. */
uint64_t jemalloc_freed(void);

/* True when the process is linked with jemalloc. */
int jemalloc_is_linked(void);

/* Bytes allocated and bytes in memory, of the whole process; false without jemalloc. Takes locks: seldom. */
int jemalloc_get_stats(uint64_t *allocated, uint64_t *resident);

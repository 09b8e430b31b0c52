#pragma once
/*
 * Places (number_set.h) of a string column's values by code, 4 bytes each: which strings are numbers is found out once
 * instead of by every statement that counts them. Made at the first use and caught up with as the dictionary grows; not
 * on disk; let go when memory is short. Owner: the slot's core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot;

enum { SLOT_NUMBERS = 4096 }; /* handed out together */

#define SLOT_NO_NUMBER UINT32_MAX

/*
 * Of n values, at most SLOT_NUMBERS, whose codes begin at `first` - 1, a multiple of that less one: word i has the place
 * of code first + i - 1, SLOT_NO_NUMBER where there is none. NULL when they are not there. make: they are found out
 * now, unless there is little memory, they are few, or few of them are numbers. Good until the core does other work.
 */
const uint32_t *slot_numbers(struct slot *t, unsigned column, size_t first, size_t n, bool make);

/* Lets go what was not used for `idle` ticks, until so many bytes are free: bytes freed. */
size_t slot_numbers_evict(struct slot *t, size_t bytes, uint64_t tick, uint64_t idle);
void slot_numbers_free(struct slot *t);
size_t slot_numbers_memory(const struct slot *t); /* bytes */

#pragma once
/*
 * Memory of a slot's structures: aligned blocks charged to the byte budget of their core. Owner:
 * the slot's core; the caller keeps the size and gives it back with the block.
 */
#include <stddef.h>

struct budget;

enum { SLOT_MEMORY_ALIGN = 64 };

/*
 * `size` bytes, 64-byte aligned, not cleared; NULL when the budget (may be NULL) or the system has
 * no more.
 */
void *slot_memory_new(struct budget *budget, size_t size);

/* The same, cleared. */
void *slot_memory_zeroed(struct budget *budget, size_t size);

/* Gives a block of `size` bytes back; NULL is ignored. */
void slot_memory_free(struct budget *budget, void *block, size_t size);

/*
 * Block of new_size bytes with the first old_size bytes of `block`, which is freed; NULL and
 * unchanged when there is no more. `block` may be NULL with old_size 0.
 */
void *slot_memory_grow(struct budget *budget, void *block, size_t old_size, size_t new_size);

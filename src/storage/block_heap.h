#pragma once
/*
 * Memory of the sealed columns, nearly all that a node holds: cut from chunks that the system keeps as one huge page,
 * so that a scan's addresses are found without walks through page tables. What is free in a chunk is used again first;
 * more of it than a small part of the heap goes back to the system. Owner: each thread has a heap that lives as long
 * as the process; places may be given back by another thread.
 */
#include <stddef.h>
#include <stdint.h>

struct budget;

/* `size` bytes, 64-byte aligned, not cleared, charged to the budget (may be NULL); NULL when there is no more. */
void *block_heap_new(struct budget *budget, size_t size);

/* Gives a place of `size` bytes back; NULL is ignored. */
void block_heap_free(struct budget *budget, void *place, size_t size);

/* Bytes of all heaps: in use, and held in memory, free ones included. Any thread. */
void block_heap_figures(uint64_t *used, uint64_t *held);

#pragma once
/* Word indexes of a slot's searchable columns: made at the first search, let go when memory is short. Owner: the slot's
 * core. */
#include <stdint.h>

#include "storage/slot.h"

struct word_index;

/*
 * Index over the dictionary of a string column: made, with nothing in it, when there is none; NULL = -ENOMEM. It counts
 * as used now and is not evicted within the tick and the next one; after that it may be another one, whose *serial
 * differs. Room for it is made as for columns that are read.
 */
struct word_index *slot_words(struct slot *t, unsigned column, uint64_t *serial);

/* Index if there is one, NULL otherwise; it does not count as used. */
struct word_index *slot_words_peek(const struct slot *t, unsigned column);

/* Is there room for the index to grow without taking it from writes? Evicts what it may. */
bool slot_words_room(struct slot *t);

/* Lets indexes go that were not used for `idle` ticks, until so many bytes are free: bytes freed. */
size_t slot_words_evict(struct slot *t, size_t bytes, uint64_t tick, uint64_t idle);
void slot_words_free(struct slot *t);
size_t slot_words_memory(const struct slot *t); /* bytes */

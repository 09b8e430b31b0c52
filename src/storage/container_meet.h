#pragma once
/*
 * Where containers meet: the rows of a block that all of several row sets have, in one pass over
 * them. The smallest array, if there is one, is looked up in the others; bitsets alone are anded and
 * counted line by line. Stateless, on the stack of the caller; the sets are borrowed. Slot's core.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/container.h"

enum { CONTAINER_MEET_MAX = 16 };

struct container_meet {
    uint32_t n_bitsets, n_arrays;
    uint32_t words;                              /* rows beyond are in none */
    const uint64_t *bitsets[CONTAINER_MEET_MAX]; /* the fewest ones first */
    uint32_t ones[CONTAINER_MEET_MAX];           /* of the bitsets; at most */
    const uint16_t *arrays[CONTAINER_MEET_MAX];  /* the smallest first */
    uint32_t counts[CONTAINER_MEET_MAX];         /* of the arrays */
};

void container_meet_init(struct container_meet *m);

static inline bool container_meet_is_full(const struct container_meet *m)
{
    return m->n_bitsets + m->n_arrays == CONTAINER_MEET_MAX;
}

/* One more set, when it is not full: a container over `words` words; a bitset of BLOCK_WORDS words with any number of
 * ones. */
void container_meet_add(struct container_meet *m, const struct container_rows *rows);
void container_meet_add_bitset(struct container_meet *m, const uint64_t *bits);

/* Asks for the memory of all sets, what is read of them. No result. */
void container_meet_fetch(const struct container_meet *m);

/*
 * The rows in all sets, of which there is at least one: their number; sel (BLOCK_WORDS words) may be NULL, or one of
 * the bitsets. On the way it asks for the memory of the sets that meet next, unless that is NULL; nothing is read
 * there, so sets that are gone by now do no harm.
 */
uint32_t container_meet_rows(const struct container_meet *m, const struct container_meet *next,
                             uint64_t *sel);

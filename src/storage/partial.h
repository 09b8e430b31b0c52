#pragma once
/*
 * Partial groups: group values and aggregate states, keyed by value, so that slots, cores and nodes can be merged.
 * Owner: one operation on one core.
 */
#include "storage/mapping.h"
#include "storage/program.h"

struct budget;
struct partial;

/* State of one aggregate of one group. COUNT*: number; SUM: number; MIN, MAX: number or bytes. */
struct aggregate_state {
    __int128 number;
    const char *bytes;
    uint32_t len;
    bool present; /* false: no value yet (SUM, MIN, MAX are NULL) */
};

int partial_new(const struct program *p, const struct schema *s, struct budget *budget,
                struct partial **out);
void partial_free(struct partial *t);

/* The group with these values (program->n_columns cells), made when new. 0, -ENOMEM over program->memory. */
int partial_group(struct partial *t, const struct cell *cells, uint32_t *group);
/* Combines a state into aggregate i of a group. Bytes are copied when kept. */
int partial_combine(struct partial *t, uint32_t group, unsigned i,
                    const struct aggregate_state *add);
/* Takes in all rows of a partial batch. */
int partial_add_batch(struct partial *t, const struct batch *b);

uint32_t partial_groups(const struct partial *t);
/* Next batch of at most max_rows groups: 1 with *out valid until the next call, 0 at the end, -errno. */
int partial_next(struct partial *t, uint32_t max_rows, struct batch *out);

#pragma once
/*
 * Rows of two sides put aside by the hash of what makes them meet, in 16 pairs of streams, that are worked on one after
 * the other; what is put aside of a pair makes 16 pairs of that one, which come next. So an operator that keeps one side
 * in memory and runs the other past it gets through any number of rows.
 * Owner: the operator; zeroed before use.
 */
#include "sql/spill_parts.h"

/* Rows of both sides whose hashes begin alike. */
struct spill_pair {
    struct spill_pair *next;
    unsigned level;
    struct spill_stream build, probe; /* what is kept in memory, and what runs past it */
};

struct spill_pairs {
    struct spill_pair *open[SPILL_PARTS]; /* being written */
    struct spill_pair *waiting;           /* the next one first */
    struct spill_pair *reading;           /* NULL: the operator's input */
};

/* Is there a pair for the hash, or none: nothing of it was put aside. */
bool spill_pairs_has(const struct spill_pairs *p, uint64_t hash);
/* Puts a row aside. 0, -EAGAIN, -ENOMEM also when so many rows have one hash, or an error. */
int spill_pairs_put(struct exec *x, struct spill_pairs *p, bool builds, uint64_t hash,
                    const struct datum *cells, uint32_t n);
/* No row of the side follows: 0, -EAGAIN, or an error. */
int spill_pairs_finish(struct spill_pairs *p, bool builds);
/* Makes the next pair the one that is read, both sides finished; false when there is none. */
bool spill_pairs_next(struct spill_pairs *p);
void spill_pairs_free(struct spill_pairs *p);

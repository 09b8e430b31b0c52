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

/* Hash of the group with these values, the same on all cores and nodes. 0 or -ENOMEM. */
int partial_hash(struct partial *t, const struct cell *cells, uint64_t *hash);
/* At most so many bytes instead of program->memory. */
void partial_limit(struct partial *t, uint64_t bytes);
uint64_t partial_memory(const struct partial *t);
/* Forgets all groups; partial_next begins anew. */
void partial_reset(struct partial *t);

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
/* All groups were handed out. */
bool partial_is_done(const struct partial *t);

/* Groups that are of no interest: those that do not meet the program's HAVING, and those behind a bound of an aggregate
 * in the order wanted, NULL the smallest. */
struct partial_cut {
    bool has_bound;
    unsigned aggregate;
    bool descending;
    __int128 bound;
};

/* Looks at the bound alone. */
static inline bool partial_is_cut(const struct partial_cut *c, const struct aggregate_state *s)
{
    if (!s->present || s->bytes)
        return !s->present && c->descending;
    return c->descending ? s->number < c->bound : s->number > c->bound;
}

/* Looks at one condition of HAVING, for whose aggregate the state is. */
static inline bool partial_is_left_out(const struct program *p, const struct program_having *h,
                                       const struct aggregate_state *s)
{
    enum aggregate_kind kind = p->aggregates[h->aggregate].kind;

    if (!s->present && kind != AGGREGATE_COUNT && kind != AGGREGATE_COUNT_ROWS)
        return true;
    return !s->bytes &&
           ((h->lo != INT64_MIN && s->number < h->lo) || (h->hi != INT64_MAX && s->number > h->hi));
}

/* A bound of hashes that all are below of. */
#define PARTIAL_ALL UINT64_MAX
/* The same of the groups whose hashes are below a bound and that are not cut off (cut may be NULL), the same one until the end of them. Groups that are not below
 * may be added meanwhile. */
int partial_next_below(struct partial *t, uint64_t below, uint32_t max_rows,
                       const struct partial_cut *cut, struct batch *out);
/* How many there are, without the group of NULL. Of programs with one group column. */
uint64_t partial_count_below(const struct partial *t, uint64_t below);
/* After the end of those below: they are forgotten, and partial_next begins anew. 0 or -ENOMEM. */
int partial_drop_below(struct partial *t, uint64_t below);

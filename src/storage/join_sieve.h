#pragma once
/*
 * Join sieve: which values of a relation have a parent, a bit for each, so that rows without one leave the selection of
 * a block before anything else of them is read: the bits stay in L1 or L2 where the places of parents' rows do not.
 * Where parents' keys lie close together a range of them comes first, which headers and the compare kernel decide.
 * Owner: the scan, on the slot's core; the bits lie in its arenas.
 */
#include "reactor/arena.h"
#include "storage/join_map.h"

enum join_sieve_kind {
    JOIN_SIEVE_UNKNOWN, /* keys too far apart: the map must be asked */
    JOIN_SIEVE_NONE,    /* no value has a parent */
    JOIN_SIEVE_BITS,    /* ordered relation */
    JOIN_SIEVE_CODES,   /* relation with a dictionary */
};

struct join_sieve {
    enum join_sieve_kind kind;
    int64_t first, last;   /* BITS: the first and last value with a parent; */
    bool solid;            /* all between them have one; else */
    uint32_t *bits;        /* a bit for each of them */
    uint32_t *set;         /* when they are few: the same for offsets of slices, */
    int64_t set_base;      /* with this base; */
    uint32_t set_parts;    /* of kernel member_slices, 0 = not made yet */
    struct code_set codes; /* CODES: of the slot */
    uint32_t n_codes;      /* that it had at join_sieve_bind */
};

/* Once per scan, after join_map_new: 0 or -ENOMEM. */
int join_sieve_init(struct join_sieve *s, const struct join_map *m, struct arena *arena);
/* After every join_map_bind: 0 or -ENOMEM. */
int join_sieve_bind(struct join_sieve *s, const struct join_map *m, struct arena *arena);

enum join_sieve_done {
    JOIN_SIEVE_ALL,  /* the rows left have their parent */
    JOIN_SIEVE_SOME, /* those left may lack one, which join_sieve_bits finds out; */
    JOIN_SIEVE_NOT,  /* or nothing does */
};

/*
 * sel &= rows with a parent, of the n >= 1 that are selected, by what costs little: headers, a range, containers. c is
 * the relation column of the block, NULL = the block lacks it. Rows that left sel have no parent in any case.
 */
enum join_sieve_done join_sieve_range(const struct join_sieve *s, const struct colblock *c,
                                      uint32_t n, uint64_t *sel);

/* After JOIN_SIEVE_SOME, of a block with rows selected: the same by a bit of each. False: it cannot. */
bool join_sieve_bits(struct join_sieve *s, const struct colblock *c, uint64_t *sel);

/* May bits be tested in vectors, which costs less? */
bool join_sieve_is_small(const struct join_sieve *s);

/* Would a comparison with a range, or a header, drop most of what a look at every bit drops? */
bool join_sieve_is_cheap(const struct join_sieve *s, const struct colblock *c);

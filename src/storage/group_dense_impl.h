#pragma once
/* What group_dense.c, group_dense_sparse.c and group_direct.c share: private to them. */
#include "storage/colblock_lines.h"
#include "storage/group_dense.h"
#include "storage/group_packed.h"
#include "storage/join_map.h"
#include "storage/row_bits.h"

enum {
    DENSE_SUMS = 8, /* sums whose values of a line are kept while it is added */
};

struct dense_key { /* a group column */
    struct input *input;
    int64_t base;       /* value of code 1; code 0 = NULL */
    uint32_t dim, step; /* codes; positions between two of them */
};

struct
    dense_source { /* a column that gives positions: a group column of the table, or a relation */
    uint16_t ref;
    bool active;                 /* in the block at hand */
    const struct dense_key *key; /* own column */
    struct join_map *join;       /* relation, */
    unsigned number;             /* of the program's joins, with */
    const uint32_t *places;      /* what its codes add (NULL: its sieve drops rows), */
    bool adds;                   /* which is not only 0 or that there is no parent, and */
    int64_t base;                /* as of a key */
    uint32_t dim;
    bool narrow; /* there are values beyond them, which have no parent */
    uint64_t *scratch;
    size_t scratch_bytes;
    struct colblock_lines lines;
};

struct dense_column { /* of aggregates */
    uint16_t ref;
    unsigned word;   /* of its sum among a group's words; 0 = none */
    uint32_t *nulls; /* rows without a value by position; NULL = none yet */
    struct group_value value;
};

struct group_dense { /* owner: the scan */
    const struct program *program;
    const struct schema *schema;
    struct input *inputs;
    struct budget *budget;
    struct join_map *const *joins;
    unsigned n_keys, n_sources, n_columns;
    uint32_t inner;  /* joins, by bits, that drop rows without a parent; */
    uint32_t sieves; /* those of them with a sieve; */
    uint32_t looked; /* those with places */
    bool drops;      /* of the block at hand there are such rows */
    struct dense_key keys[PROGRAM_MAX_GROUPS];
    struct dense_source sources[PROGRAM_MAX_GROUPS + PROGRAM_MAX_JOINS];
    struct dense_column columns[PROGRAM_MAX_AGGREGATES];
    unsigned column_of[PROGRAM_MAX_AGGREGATES];
    unsigned stride;  /* words of a group: rows and sums; 1 = only counts */
    uint32_t *counts; /* stride 1 */
    bool only_keys;   /* are asked for: */
    uint64_t *seen;   /* a bit per position */
    uint64_t
        *cells; /* else: stride words per position, or with packed.words stride tables of words */
    size_t size, bytes; /* positions; charged */
    struct group_packed packed;
    uint64_t limit;                    /* of bytes */
    bool aligned;                      /* keys have bits of their own in a position */
    uint32_t direct_lines;             /* of the block at hand, that are read by: */
    struct row_bits places, fields;    /* positions; the words that packed rows add */
    const uint64_t *ahead[SLICES_MAX]; /* their slices that lie in the block */
    uint32_t n_ahead;
};

/*
 * Sizes of the keys are rounded up so that each has bits of its own in a position, when that is possible: the number of
 * positions, which was `plain` and may be at most `most`.
 */
uint64_t group_direct_align(struct group_dense *d, uint64_t plain, uint64_t most);
/* The block whose columns are open: d->direct_lines of it can be read so. */
void group_direct_open(struct group_dense *d);
/* The n selected rows of one of those lines. */
void group_direct_add(struct group_dense *d, uint32_t line, const uint64_t *sel, uint32_t n);

/* Adds rows with their positions and the values of every sum, which are from word 1 on. */
void group_dense_add_rows_at(struct group_dense *d, const uint32_t *pos,
                             uint32_t (*values)[LINE_ROWS], uint32_t n);

/* group_dense_source.c: of an inner join by integers only values between its parents' keys have a place. */
void group_dense_narrow(struct dense_source *x, struct dense_range *r);
/* Its column of a block. False: values do not fit. */
bool group_dense_open_source(struct dense_source *x, const struct colblock *c);

/* What the codes of a relation add to the positions of n rows. */
static inline void group_dense_look_up(const struct dense_source *x, const uint32_t *codes,
                                       uint32_t n, uint32_t *pos)
{
    const uint32_t *places = x->places;
    uint32_t dim = x->dim;

    if (x->narrow)
        for (uint32_t i = 0; i < n; i++)
            pos[i] += places[codes[i] < dim ? codes[i] : dim];
    else
        for (uint32_t i = 0; i < n; i++)
            pos[i] += places[codes[i]];
}

/* group_dense_sparse.c: may the rows of the block that is open be added packed? */
bool group_dense_is_sparse(const struct group_dense *d);
/* The same as adding its lines one by one. */
void group_dense_add_sparse(struct group_dense *d, const struct block *b, const uint64_t *sel);

#pragma once
/* Rows to be changed, each key once, in the order they came. Owner: the statement; memory from its arena. */
#include "sql/value_datum.h"

struct arena;

struct join_row {
    struct join_row *next, *next_hash;
    uint64_t hash;
    bool is_written;
    struct datum *cells; /* the key, then the new values */
};

struct join_rows {
    struct arena *arena;
    unsigned n_key;
    struct join_row *first, **end;
    struct join_row **buckets;
    uint32_t n, n_buckets;
};

void join_rows_init(struct join_rows *r, struct arena *a, unsigned n_key);
bool join_rows_has(const struct join_rows *r, const struct datum *key);
/* A row that is not there yet: a copy of n cells. NULL without memory. */
struct join_row *join_rows_add(struct join_rows *r, const struct datum *cells, uint32_t n);

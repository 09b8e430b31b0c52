#pragma once
/*
 * Rows by their values: open addressing over rows of key cells, numbered as they came. Memory: the
 * arena given. Owner: the operator.
 */
#include "reactor/arena.h"
#include "sql/value_compare.h"

struct group_table {
    uint32_t *index; /* 1 + number; 0 = free */
    uint32_t mask;
    uint32_t n, cap;
    uint64_t *hashes;
    struct datum **keys;
};

/* Bytes that the next key takes beyond its own: nothing, or larger arrays. */
size_t group_table_growth(const struct group_table *t);
uint64_t group_table_hash(const struct datum *cells, uint32_t n);
/* Number of the key, or -1. */
int64_t group_table_find(const struct group_table *t, const struct datum *key, uint32_t n,
                         uint64_t hash);
/* Adds a key that is not there, copied: its number, or -1 without memory, then nothing has changed. */
int64_t group_table_add(struct group_table *t, const struct datum *key, uint32_t n, uint64_t hash,
                        struct arena *a);

#pragma once
/*
 * Row keys in batches. The canonical bytes of a key are, for each key column in the order of
 * schema->key: 'i' and eight bytes little endian, or 's', four bytes of length and the bytes; so no
 * two keys share their bytes. They are hashed by XXH3 with the cluster's seed. Stateless; any core.
 */
#include "storage/batch.h"
#include "storage/schema.h"
#include "storage/slot.h"

/* Key columns of a batch. Owner: the caller; valid as long as the batch. */
struct key_columns {
    unsigned n;
    int time; /* which of them is the time field of a partitioned table, -1 = none */
    uint16_t column[SCHEMA_MAX_KEY_COLUMNS]; /* positions in the schema */
    bool given[SCHEMA_MAX_KEY_COLUMNS];      /* in the batch */
    struct batch_column in[SCHEMA_MAX_KEY_COLUMNS];
    const uint8_t *place; /* those that choose the slot, in the order of hashing; the schema's */
    unsigned n_place;
    bool is_sharded;           /* they are not all but the time field */
    const int64_t *time_value; /* hashed in place of the batch's time cell; NULL = the cell */
};

/*
 * Finds the key columns by id: 0, or -EINVAL with a text when one has another kind than its type
 * asks for.
 */
int key_columns_find(const struct schema *s, const struct batch *b, struct key_columns *out,
                     struct error_info *err);

/* Kind of batch column that carries a column's values. */
enum batch_kind key_batch_kind(const struct column *c);

/*
 * First key column that is not given or NULL in a row, the time field left out when skip_time; -1 =
 * none.
 */
int key_find_missing(const struct key_columns *k, uint32_t row, bool skip_time);

/* Hashes of a row of the columns that are given; without time field and shard key the full hash is the placing one. */
void key_hash_row(const struct key_columns *k, uint64_t seed, uint32_t row, struct key_hash *out);

/* The same of n rows. */
void key_hash_many(const struct key_columns *k, uint64_t seed, uint32_t from, uint32_t n,
                   struct key_hash *out);

/* May a row lack a part of its key? */
bool key_can_miss(const struct key_columns *k);

/* The placing hash alone, of a row that may lack other key columns. */
uint64_t key_hash_place(const struct key_columns *k, uint64_t seed, uint32_t row);

/* Do two rows of the batch have the same key? */
bool key_rows_equal(const struct key_columns *k, uint32_t a, uint32_t b);

/* Text of a key for messages, parts joined by '-' as MySQL does; always terminated. */
void key_print(const struct schema *s, const struct key_columns *k, uint32_t row, char *out,
               size_t cap);

#pragma once
/*
 * Hash table from 32-bit hashes to 32-bit numbers (dictionary codes, rows), open addressing with
 * linear probing. It knows no keys: a lookup walks the numbers whose hash is equal in its first 30
 * bits and the caller compares values. Large tables are cut into parts that grow one at a time, so that an insertion
 * never moves more than about 1/256 of the entries.
 *
 * Entries are mostly 5 bytes: the place tells the first bits of the hash, so an entry holds the number, the bits that
 * the place does not tell, and how far it lies from its place. Entries stand in the order of their hashes (Robin Hood
 * hashing), so parts may be seven eighths full, a walk ends early, and a part grows in one pass. Deletion shifts
 * entries back: there are no tombstones. Owner: the slot's core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct budget;

enum {
    KEY_TABLE_EMPTY = 0xffffffff, /* no number */
    KEY_TABLE_PART_BITS = 8,
};

struct key_entry {
    uint32_t hash;
    uint32_t number;
};

/*
 * Part of a table: entries of the hashes with the same top bits. An entry has, from the top, its distance + 1 (0: the
 * entry is free), the complement of the rest of its hash, its number. So along the entries what an entry of some hash
 * would be falls below those that are there just where it belongs. Owner: the table.
 */
struct key_part {
    uint8_t *entries; /* little endian, 8 bytes behind the last */
    uint32_t size;    /* of them; any number */
    uint32_t used;
    uint32_t most;       /* no number is above */
    uint8_t width;       /* bytes of an entry */
    uint8_t number_bits; /* of them */
    uint8_t rest_bits;
    uint8_t hash_bits; /* of a hash, by which it has its place */
};

/* Owner: the slot's core; embedded in its user. */
struct key_table {
    struct budget *budget;
    struct key_part *parts; /* 256 parts, or NULL while `one` holds everything */
    struct key_part one;
    uint32_t part_size; /* entries a part begins with; 0 = few */
    uint32_t most;      /* number that is expected, where part_size is set */
    uint64_t used;
    size_t memory; /* bytes */
};

void key_table_init(struct key_table *t, struct budget *budget);
void key_table_fini(struct key_table *t);

/*
 * Makes an empty table so large that about n insertions of numbers below n move nothing: 0 or -ENOMEM, then unchanged.
 */
int key_table_reserve(struct key_table *t, uint64_t n);

/*
 * The same in steps of well below a millisecond, for memory of that size takes its time: plan, then steps as long as
 * they answer 1; 0 = done, -ENOMEM. Entries may come in between.
 */
int key_table_plan(struct key_table *t, uint64_t n);
int key_table_plan_step(struct key_table *t);

/*
 * Adds an entry (never checks for equals): 0 or -ENOMEM, then unchanged. number < KEY_TABLE_EMPTY.
 */
int key_table_insert(struct key_table *t, uint32_t hash, uint32_t number);

/*
 * Adds an entry, in one walk, when no other has its hash and nothing must grow for it; false = nothing was done.
 */
bool key_table_add_new(struct key_table *t, uint32_t hash, uint32_t number);

/* Tells whether two numbers with equal hashes stand for equal keys. Owner: the caller of key_table_insert_many. */
struct key_equals {
    bool (*is_equal)(void *ctx, uint32_t a, uint32_t b);
    void *ctx;
    uint32_t a, b; /* -EEXIST: these do */
};

/*
 * Adds n entries, in whatever order: for large tables several times as fast as one by one, as it goes part by part
 * through memory. 0; -ENOMEM; -EEXIST when `equals` (may be NULL: nothing is compared) found two that are equal. After
 * an error some of them are in the table.
 */
int key_table_insert_many(struct key_table *t, const struct key_entry *entries, uint32_t n,
                          struct key_equals *equals);

/* Removes the entry with this hash and number, which must exist. */
void key_table_remove(struct key_table *t, uint32_t hash, uint32_t number);

static inline const struct key_part *key_table_part(const struct key_table *t, uint32_t hash)
{
    return t->parts ? &t->parts[hash >> (32 - KEY_TABLE_PART_BITS)] : &t->one;
}

/* The bits of a hash by which a part has its place: those that choose the part do not count again. */
static inline uint32_t key_part_hash(const struct key_part *p, uint32_t hash)
{
    return hash >> 2 & ((1u << p->hash_bits) - 1);
}

/* Its place times 2^hash_bits; what is below tells hashes of one place apart in its first rest_bits bits. */
static inline uint64_t key_part_spread(const struct key_part *p, uint32_t hash)
{
    return (uint64_t)key_part_hash(p, hash) * p->size;
}

static inline uint64_t key_part_load(const struct key_part *p, uint32_t at)
{
    uint64_t entry;

    memcpy(&entry, p->entries + (size_t)at * p->width, sizeof entry);
    return entry & UINT64_MAX >> (64 - 8 * p->width);
}

static inline void key_table_prefetch(const struct key_table *t, uint32_t hash)
{
    const struct key_part *p = key_table_part(t, hash);
    const uint8_t *at;

    __asm__ volatile(
        ""); /* GCC takes a function that only prefetches for one without effect, and drops the call */
    if (!p->entries)
        return;
    at = p->entries + (key_part_spread(p, hash) >> p->hash_bits) * p->width;
    /* A walk may run into the next cache line. */
    __builtin_prefetch(at);
    __builtin_prefetch(at + 48);
}

/* Distance + 1 and rest of a hash at its place: grows by 1 << rest_bits with each step away. */
static inline uint64_t key_part_head(const struct key_part *p, uint64_t spread)
{
    uint64_t rest = (spread & ((1ull << p->hash_bits) - 1)) >> (p->hash_bits - p->rest_bits);

    return (1ull << p->rest_bits) | (rest ^ ((1ull << p->rest_bits) - 1));
}

/* Walk over the numbers with one hash. Valid until the next insertion or removal. */
struct key_walk {
    const struct key_part *part;
    uint64_t head; /* that an entry of the hash has at `at` */
    uint32_t at;
};

static inline struct key_walk key_table_walk(const struct key_table *t, uint32_t hash)
{
    const struct key_part *p = key_table_part(t, hash);
    uint64_t spread = key_part_spread(p, hash);

    return (struct key_walk){p, key_part_head(p, spread), (uint32_t)(spread >> p->hash_bits)};
}

/* Next number with the hash: false at the end. */
static inline bool key_walk_next(struct key_walk *w, uint32_t *number)
{
    const struct key_part *p = w->part;

    if (!p->entries)
        return false;
    for (;;) {
        uint64_t entry = key_part_load(p, w->at), head = entry >> p->number_bits, want = w->head;

        if (head < want)
            return false;
        w->head += 1ull << p->rest_bits;
        if (++w->at == p->size)
            w->at = 0;
        if (head == want) {
            *number = (uint32_t)(entry & ((1ull << p->number_bits) - 1));
            return true;
        }
    }
}

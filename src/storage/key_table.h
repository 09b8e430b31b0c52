#pragma once
/*
 * Hash table from 32-bit hashes to 32-bit numbers (dictionary codes, rows), open addressing with
 * linear probing. It knows no keys: a lookup walks the numbers whose hash is equal and the caller
 * compares values. Deletion shifts entries back, so there are no tombstones. Large tables are cut
 * into parts that grow one at a time, so that an insertion never moves more than about 1/256 of the
 * entries. Owner: the slot's core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;

enum { KEY_TABLE_EMPTY = 0xffffffff };

struct key_entry {
    uint32_t hash;
    uint32_t number; /* KEY_TABLE_EMPTY = free */
};

/* Part of a table: entries of the hashes with the same top bits. Owner: the table. */
struct key_part {
    struct key_entry *entries;
    uint32_t size; /* of them; any number */
    uint32_t used;
};

/* Owner: the slot's core; embedded in its user. */
struct key_table {
    struct budget *budget;
    struct key_part *parts; /* 256 parts, or NULL while `one` holds everything */
    struct key_part one;
    uint32_t part_size; /* entries a part begins with; 0 = few */
    uint64_t used;
    size_t memory; /* bytes */
};

void key_table_init(struct key_table *t, struct budget *budget);
void key_table_fini(struct key_table *t);

/*
 * Makes an empty table so large that about n insertions move nothing: 0 or -ENOMEM, then unchanged.
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
    return t->parts ? &t->parts[hash >> 24] : &t->one;
}

/* Where a hash belongs: the bits that choose the part do not count again. */
static inline uint32_t key_part_home(uint32_t size, uint32_t hash)
{
    return (uint32_t)((uint64_t)(hash << 8) * size >> 32);
}

static inline void key_table_prefetch(const struct key_table *t, uint32_t hash)
{
    const struct key_part *p = key_table_part(t, hash);

    const struct key_entry *e;

    __asm__ volatile(
        ""); /* GCC takes a function that only prefetches for one without effect, and drops the call */
    if (!p->entries)
        return;
    e = &p->entries[key_part_home(p->size, hash)];
    /* A walk may run into the next cache line. */
    __builtin_prefetch(e);
    __builtin_prefetch(e + 7);
}

/* Walk over the numbers with one hash. Valid until the next insertion or removal. */
struct key_walk {
    const struct key_entry *entries;
    uint32_t at, size, hash;
};

static inline struct key_walk key_table_walk(const struct key_table *t, uint32_t hash)
{
    const struct key_part *p = key_table_part(t, hash);

    return (struct key_walk){p->entries, key_part_home(p->size, hash), p->size, hash};
}

/* Next number with the hash: false at the end. */
static inline bool key_walk_next(struct key_walk *w, uint32_t *number)
{
    if (!w->entries)
        return false;
    for (;;) {
        struct key_entry e = w->entries[w->at];

        if (e.number == KEY_TABLE_EMPTY)
            return false;
        if (++w->at == w->size)
            w->at = 0;
        if (e.hash == w->hash) {
            *number = e.number;
            return true;
        }
    }
}

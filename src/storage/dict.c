/*
 * Dictionary: a hash table of codes over values that never move.
 */
#include "storage/dict.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "reactor/assert.h"
#include "storage/dict_values.h"
#include "storage/key_table.h"
#include "storage/slot_memory.h"

enum {
    LARGE = 8192,         /* values; below, they and the table are in a near cache anyway */
    MANY = 512,           /* values looked at ahead */
    INDEX_MANY = 1 << 20, /* appended values that go into the table at once */
    INDEX_STEP = 1 << 13, /* in a step */
    FIND_STEPS = 32,      /* when one is looked for */
};

struct dict {
    enum dict_kind kind;
    uint64_t seed;
    struct budget *budget;
    struct key_table table;
    struct dict_values values;
    uint32_t count;   /* codes given */
    uint32_t indexed; /* codes in the table: all but after dict_append_* */
    bool has_twins;   /* two codes have the same value, and */
    uint32_t twins[2];
    bool told;    /* dict_index has told so */
    bool starved; /* the table had no memory when it was filled last */
};

struct dict *dict_new(enum dict_kind kind, uint64_t seed, struct budget *budget)
{
    struct dict *d = slot_memory_zeroed(budget, sizeof *d);

    if (!d)
        return NULL;
    d->kind = kind;
    d->seed = seed;
    d->budget = budget;
    dict_values_init(&d->values, budget);
    key_table_init(&d->table, budget);
    return d;
}

void dict_free(struct dict *d)
{
    if (!d)
        return;
    dict_values_fini(&d->values);
    key_table_fini(&d->table);
    slot_memory_free(d->budget, d, sizeof *d);
}

uint32_t dict_count(const struct dict *d)
{
    return d->count;
}

size_t dict_memory(const struct dict *d)
{
    return sizeof *d + d->values.memory + d->table.memory;
}

static uint32_t hash_bytes(const struct dict *d, const void *bytes, size_t len)
{
    return (uint32_t)XXH3_64bits_withSeed(bytes, len, d->seed);
}

static uint32_t hash_int(const struct dict *d, int64_t v)
{
    uint64_t z = (uint64_t)v ^ d->seed;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)(z ^ z >> 31);
}

/* Enters the value that was written, if it was, as the next code. */
static int code_insert(struct dict *d, uint32_t hash, int rc, uint32_t *code)
{
    if (rc == 0)
        rc = key_table_insert(&d->table, hash, d->count);
    if (rc != 0)
        return rc;
    dict_values_commit(&d->values);
    *code = d->count++;
    d->indexed++;
    return 0;
}

const char *dict_bytes(const struct dict *d, uint32_t code, uint32_t *len)
{
    ASSERT_HOT(d->kind == DICT_BYTES && code < d->count);
    return dict_values_bytes(&d->values, code, len);
}

/* Value of a code as bytes that are equal when values are. */
static const void *value_of(const struct dict *d, uint32_t code, size_t *len)
{
    uint32_t n;
    const void *at;

    switch (d->kind) {
    case DICT_BYTES:
        at = dict_bytes(d, code, &n);
        *len = n;
        return at;
    case DICT_LIST:
        at = dict_list(d, code, &n);
        *len = n * sizeof(uint32_t);
        return at;
    case DICT_INT:
        break;
    }
    *len = sizeof(int64_t);
    return dict_values_number(&d->values, code);
}

static int index_some(struct dict *d, uint32_t most);

/* Finds a value that is not in the table, which is only a way to the values: the next one has less to walk over. */
static bool find_unindexed(const struct dict *d, const void *value, size_t len, uint32_t *code)
{
    for (*code = d->indexed; *code < d->count; ++*code) {
        size_t n;
        const void *have = value_of(d, *code, &n);

        if (n == len && (len == 0 || memcmp(have, value, len) == 0))
            break;
    }
    bool found = *code < d->count;
    for (unsigned i = 0; i < FIND_STEPS && d->indexed < d->count && !d->starved; i++)
        (void)index_some((struct dict *)d, INDEX_STEP);
    return found;
}

static int index_all(struct dict *d)
{
    int rc = 0;

    while (d->indexed < d->count && (rc >= 0 || rc == -EEXIST))
        rc = index_some(d, INDEX_MANY);
    return rc;
}

static bool find_bytes(const struct dict *d, uint32_t hash, const void *bytes, uint32_t len,
                       uint32_t *code)
{
    struct key_walk w = key_table_walk(&d->table, hash);

    while (key_walk_next(&w, code)) {
        uint32_t n;
        const char *have = dict_bytes(d, *code, &n);

        if (n == len && (len == 0 || memcmp(have, bytes, len) == 0))
            return true;
    }
    return d->indexed < d->count && find_unindexed(d, bytes, len, code);
}

static int put_bytes(struct dict *d, uint32_t hash, const void *bytes, uint32_t len, uint32_t *code)
{
    int rc = index_all(d);

    if (rc != 0 || find_bytes(d, hash, bytes, len, code))
        return rc;
    rc = dict_values_write_bytes(&d->values, d->count, bytes, len);
    return code_insert(d, hash, rc, code);
}

int dict_put_bytes(struct dict *d, const void *bytes, uint32_t len, uint32_t *code)
{
    ASSERT(d->kind == DICT_BYTES);
    return put_bytes(d, hash_bytes(d, bytes, len), bytes, len, code);
}

/* Loads what the lookups of n hashes will touch, a level per pass, so that the misses overlap. */
static void prefetch_many(const struct dict *d, const uint32_t *hashes, uint32_t n)
{
    uint32_t codes[MANY];

    for (uint32_t i = 0; i < n; i++) {
        struct key_walk w = key_table_walk(&d->table, hashes[i]);

        if (!key_walk_next(&w, &codes[i]))
            codes[i] = KEY_TABLE_EMPTY;
        else
            __builtin_prefetch(dict_values_line(&d->values, codes[i] / DICT_LINE_VALUES));
    }
    for (uint32_t i = 0; i < n; i++) {
        if (codes[i] != KEY_TABLE_EMPTY)
            __builtin_prefetch(dict_values_at(&d->values, codes[i]));
    }
}

void dict_prefetch_bytes(const struct dict *d, const int64_t *codes, const uint8_t *present,
                         uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (present[i])
            __builtin_prefetch(dict_values_line(&d->values, (uint32_t)codes[i] / DICT_LINE_VALUES));
    for (uint32_t i = 0; i < n; i++)
        if (present[i])
            __builtin_prefetch(dict_values_at(&d->values, (uint32_t)codes[i]));
}

int dict_put_bytes_many(struct dict *d, const char *const *bytes, const uint32_t *lens, uint32_t n,
                        uint32_t *codes, uint32_t *done)
{
    uint32_t hashes[MANY];
    bool large = d->count > LARGE;

    ASSERT(d->kind == DICT_BYTES);
    for (*done = 0; *done < n;) {
        uint32_t step = n - *done < MANY ? n - *done : MANY;

        for (uint32_t i = 0; i < step; i++) {
            hashes[i] = hash_bytes(d, bytes[*done + i], lens[*done + i]);
            if (large)
                key_table_prefetch(&d->table, hashes[i]);
        }
        if (large)
            prefetch_many(d, hashes, step);
        for (uint32_t i = 0; i < step; i++) {
            int rc = put_bytes(d, hashes[i], bytes[*done], lens[*done], &codes[*done]);

            if (rc != 0)
                return rc;
            (*done)++;
        }
    }
    return 0;
}

bool dict_find_bytes(const struct dict *d, const void *bytes, uint32_t len, uint32_t *code)
{
    ASSERT(d->kind == DICT_BYTES);
    return find_bytes(d, hash_bytes(d, bytes, len), bytes, len, code);
}

int64_t dict_int(const struct dict *d, uint32_t code)
{
    ASSERT_HOT(d->kind == DICT_INT && code < d->count);
    return *dict_values_number(&d->values, code);
}

bool dict_find_int(const struct dict *d, int64_t v, uint32_t *code)
{
    struct key_walk w = key_table_walk(&d->table, hash_int(d, v));

    ASSERT(d->kind == DICT_INT);
    while (key_walk_next(&w, code)) {
        if (dict_int(d, *code) == v)
            return true;
    }
    return d->indexed < d->count && find_unindexed(d, &v, sizeof v, code);
}

int dict_put_int(struct dict *d, int64_t v, uint32_t *code)
{
    int rc = index_all(d);

    if (rc != 0 || dict_find_int(d, v, code))
        return rc;
    rc = dict_values_write_number(&d->values, d->count, v);
    return code_insert(d, hash_int(d, v), rc, code);
}

const uint32_t *dict_list(const struct dict *d, uint32_t code, uint32_t *n)
{
    ASSERT_HOT(d->kind == DICT_LIST && code < d->count);
    return dict_values_items(&d->values, code, n);
}

int dict_put_list(struct dict *d, const uint32_t *codes, uint32_t n, uint32_t *code)
{
    uint32_t hash = hash_bytes(d, codes, n * sizeof *codes);
    struct key_walk w;
    int rc = index_all(d);

    ASSERT(d->kind == DICT_LIST);
    if (rc != 0)
        return rc;
    w = key_table_walk(&d->table, hash);
    while (key_walk_next(&w, code)) {
        uint32_t have;
        const uint32_t *list = dict_list(d, *code, &have);

        if (have == n && (n == 0 || memcmp(list, codes, n * sizeof *codes) == 0))
            return 0;
    }
    rc = dict_values_write_items(&d->values, d->count, codes, n);
    return code_insert(d, hash, rc, code);
}

/* ---- many known to be new ---- */

/* Takes the value that was written, if it was, as the next code and leaves the table behind. */
static int code_append(struct dict *d, int rc)
{
    if (rc != 0)
        return rc;
    dict_values_commit(&d->values);
    d->count++;
    return 0;
}

int dict_append_bytes(struct dict *d, const void *bytes, uint32_t len)
{
    ASSERT(d->kind == DICT_BYTES);
    return code_append(d, dict_values_write_bytes(&d->values, d->count, bytes, len));
}

int dict_append_int(struct dict *d, int64_t v)
{
    ASSERT(d->kind == DICT_INT);
    return code_append(d, dict_values_write_number(&d->values, d->count, v));
}

int dict_append_list(struct dict *d, const uint32_t *codes, uint32_t n)
{
    ASSERT(d->kind == DICT_LIST);
    return code_append(d, dict_values_write_items(&d->values, d->count, codes, n));
}

static bool is_equal(void *ctx, uint32_t a, uint32_t b)
{
    size_t len_a, len_b;
    const void *at_a = value_of(ctx, a, &len_a), *at_b = value_of(ctx, b, &len_b);

    return len_a == len_b && (len_a == 0 || memcmp(at_a, at_b, len_a) == 0);
}

/* Takes up to `most` values into the table, whose memory is there. */
static int index_many(struct dict *d, uint32_t most, struct key_equals *equals)
{
    uint32_t n = d->count - d->indexed < most ? d->count - d->indexed : most;
    struct key_entry *entries = slot_memory_new(d->budget, n * sizeof *entries);

    if (!entries)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        uint32_t code = d->indexed + i;
        const void *at = value_of(d, code, &len);
        uint32_t hash =
            d->kind == DICT_INT ? hash_int(d, dict_int(d, code)) : hash_bytes(d, at, len);

        entries[i] = (struct key_entry){hash, code};
    }
    int rc = key_table_insert_many(&d->table, entries, n, d->has_twins ? NULL : equals);
    slot_memory_free(d->budget, entries, n * sizeof *entries);
    if (rc != 0) /* some of them may be in it: from the start again */
        key_table_fini(&d->table);
    d->indexed = rc ? 0 : d->indexed + n;
    return rc;
}

/* A step: memory for a part of the table, or up to `most` values. 1 = more are left. */
static int index_some(struct dict *d, uint32_t most)
{
    struct key_equals equals = {.is_equal = is_equal, .ctx = d};
    int rc = 0;

    if (d->indexed == d->count)
        return 0;
    if (!d->indexed) {
        rc = key_table_plan(&d->table, d->count);
        if (rc == 0)
            rc = key_table_plan_step(&d->table);
    }
    if (rc == 0) {
        rc = index_many(d, most, &equals);
        if (rc == 0)
            rc = d->indexed < d->count;
    }
    d->starved = rc == -ENOMEM;
    if (rc == -EEXIST) {
        d->has_twins = true;
        d->twins[0] = equals.a;
        d->twins[1] = equals.b;
    }
    return rc;
}

/* Twins are told once, whoever found them. */
static int tell_twins(struct dict *d, int rc, uint32_t *a, uint32_t *b)
{
    if (!d->has_twins || d->told)
        return rc;
    d->told = true;
    *a = d->twins[0];
    *b = d->twins[1];
    return -EEXIST;
}

bool dict_is_unindexed(const struct dict *d)
{
    return d->indexed < d->count;
}

int dict_index_step(struct dict *d, uint32_t *a, uint32_t *b)
{
    return tell_twins(d, index_some(d, INDEX_STEP), a, b);
}

int dict_index(struct dict *d, uint32_t *a, uint32_t *b)
{
    int rc;

    do
        rc = index_some(d, INDEX_MANY);
    while (rc > 0);
    return tell_twins(d, rc, a, b);
}

/*
 * Hash table of numbers: growth in steps, cut into 256 parts once it no longer fits a near
 * cache.
 */
#include "storage/key_table.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/slot_memory.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    PARTS = 1 << KEY_TABLE_PART_BITS,
    PART_MIN = 16,
    PART_DOUBLES = 1024, /* entries; below, sizes double */
    SPLIT_AT = 1 << 16,  /* entries of the single part; 320 KiB move at the cut */
    HASH_BITS = 30,      /* of a hash that are kept: the widest entry has 64 bits */
    FAR_BITS = 7,        /* at least, for the distance: 60 is rare where parts are 7/8 full */
    WIDTH_MIN = 5,
    WIDTH_MAX = 8,
};

void key_table_init(struct key_table *t, struct budget *budget)
{
    *t = (struct key_table){.budget = budget};
}

/* Memory of a part with so many entries: loads and stores of the last reach 8 bytes far. */
static size_t bytes_of(uint32_t size, unsigned width)
{
    return ((size_t)size * width + sizeof(uint64_t) + SLOT_MEMORY_ALIGN - 1) &
           ~(size_t)(SLOT_MEMORY_ALIGN - 1);
}

static size_t part_bytes(const struct key_part *p)
{
    return p->entries ? bytes_of(p->size, p->width) : 0;
}

static void part_fini(struct key_table *t, struct key_part *p)
{
    t->memory -= part_bytes(p);
    slot_memory_free(t->budget, p->entries, part_bytes(p));
    *p = (struct key_part){0};
}

void key_table_fini(struct key_table *t)
{
    part_fini(t, &t->one);
    if (t->parts) {
        for (unsigned i = 0; i < PARTS; i++)
            part_fini(t, &t->parts[i]);
        slot_memory_free(t->budget, t->parts, PARTS * sizeof *t->parts);
    }
    key_table_init(t, t->budget);
}

static unsigned bits_of(uint32_t n)
{
    return n ? 32 - (unsigned)__builtin_clz(n) : 0;
}

/* Bits that an entry has for its distance + 1. */
static unsigned far_bits(const struct key_part *p)
{
    return p->width * 8u - p->rest_bits - p->number_bits;
}

/*
 * An empty part of this size for numbers up to `most` and distances of so many bits. Spreads of the hashes of one place
 * are `size` apart, so their first bits, down to one worth no more than `size`, tell them apart. Of 64 bits what hash
 * and number leave is enough for any distance.
 */
static int part_init(struct key_table *t, struct key_part *out, uint32_t size, uint32_t most,
                     unsigned far)
{
    unsigned hash_bits = t->parts ? HASH_BITS - KEY_TABLE_PART_BITS : HASH_BITS;
    unsigned place_bits = bits_of(size) - 1 < hash_bits ? bits_of(size) - 1 : hash_bits;
    unsigned rest = hash_bits - place_bits, width = (rest + bits_of(most) + far + 7) / 8;
    struct key_part p = {.size = size,
                         .most = most,
                         .rest_bits = (uint8_t)rest,
                         .hash_bits = (uint8_t)hash_bits};
    unsigned spare; /* what is left is for numbers that come */

    width = width < WIDTH_MIN ? WIDTH_MIN : width < WIDTH_MAX ? width : WIDTH_MAX;
    spare = width * 8 - rest - bits_of(most);
    spare = bits_of(most) + (spare > far ? spare - far : 0);
    p.width = (uint8_t)width;
    p.number_bits = (uint8_t)(spare < 32 ? spare : 32);
    p.entries = slot_memory_zeroed(t->budget, bytes_of(size, width));
    if (!p.entries)
        return -ENOMEM;
    *out = p;
    t->memory += part_bytes(out);
    return 0;
}

static uint32_t next(const struct key_part *p, uint32_t at)
{
    return at + 1 == p->size ? 0 : at + 1;
}

/* Its bytes alone: a load of the next entry need not wait for what was stored here. */
static ALWAYS_INLINE void store(const struct key_part *p, uint32_t at, uint64_t entry)
{
    uint8_t *to = p->entries + (size_t)at * p->width;
    uint32_t low = (uint32_t)entry, high = (uint32_t)(entry >> 32);

    memcpy(to, &low, sizeof low);
    switch (p->width) {
    case WIDTH_MIN:
        to[4] = (uint8_t)high;
        break;
    case WIDTH_MAX:
        memcpy(to + 4, &high, sizeof high);
        break;
    default:
        memcpy(to + 4, &high, 2);
        if (p->width > 6)
            to[6] = (uint8_t)(high >> 16);
    }
}

/* Turns what it had of the hash by which it has its place back into that: dividing by a size many times. */
struct unspread {
    const struct key_part *part;
    uint64_t inverse; /* 2^64 / size, rounded up; 0 = too large for that */
};

static struct unspread unspread_of(const struct key_part *p)
{
    /* Exact while spread * size < 2^64. */
    bool is_exact = p->hash_bits + 2 * bits_of(p->size) < 64;

    return (struct unspread){p, is_exact ? UINT64_MAX / p->size + 1 : 0};
}

/* What key_part_hash gave for an entry, from where it is. */
static ALWAYS_INLINE uint32_t hash_at(const struct unspread *u, uint32_t at, uint64_t entry)
{
    const struct key_part *p = u->part;
    uint64_t mask = (1ull << p->rest_bits) - 1;
    uint64_t far = (entry >> (p->number_bits + p->rest_bits)) - 1;
    uint64_t rest = (entry >> p->number_bits & mask) ^ mask;
    uint64_t place = at >= far ? at - far : at + p->size - far;
    uint64_t n = (place << p->hash_bits | rest << (p->hash_bits - p->rest_bits)) + p->size - 1;

    return (uint32_t)(u->inverse ? (uint64_t)((__uint128_t)n * u->inverse >> 64) : n / p->size);
}

static uint32_t number_of(const struct key_part *p, uint64_t entry)
{
    return (uint32_t)(entry & ((1ull << p->number_bits) - 1));
}

static uint64_t far_most(const struct key_part *p)
{
    return (1ull << far_bits(p)) - 1;
}

/*
 * Room is known to be. False, and nothing is changed, when an entry would be too far from its place; alone: also when
 * another has the hash.
 */
static ALWAYS_INLINE bool put(struct key_part *part, uint32_t hash, uint32_t number, bool alone)
{
    const struct key_part copy = *part, *p = &copy; /* bytes that are stored might be its own */
    unsigned shift = p->number_bits + p->rest_bits;
    uint64_t one = 1ull << shift, most = far_most(p), spread = key_part_spread(p, hash);
    uint64_t entry = key_part_head(p, spread) << p->number_bits | number, there;
    uint32_t at = (uint32_t)(spread >> p->hash_bits), end;

    for (; (there = key_part_load(p, at) >> p->number_bits) >= entry >> p->number_bits;
         at = next(p, at)) {
        if (entry >> shift == most || (alone && there == entry >> p->number_bits))
            return false;
        entry += one;
    }
    for (end = at; (there = key_part_load(p, end)); end = next(p, end)) {
        if (there >> shift == most)
            return false;
    }
    for (;; at = next(p, at)) { /* each takes the place of the next one */
        there = key_part_load(p, at);
        store(p, at, entry);
        if (!there)
            break;
        entry = there + one;
    }
    part->used++;
    return true;
}

static bool part_put(struct key_part *p, uint32_t hash, uint32_t number)
{
    return put(p, hash, number, false);
}

/* Entries it may have before it grows. */
static uint32_t part_room(uint32_t size)
{
    return size ? size - size / 8 - 1 : 0;
}

/* Large parts grow by a quarter: what doubling would leave empty is memory. */
static uint32_t size_after(uint32_t size)
{
    return size < PART_DOUBLES ? size * 2 : size + size / 4;
}

/* All entries of a part into an empty one with room. False: one would be too far from its place. */
static bool part_copy(const struct key_part *from, struct key_part *made)
{
    const struct key_part copy = *from, made_copy = *made, *p = &copy, *to = &made_copy;
    struct unspread u = unspread_of(p);
    uint32_t first = 0;
    uint64_t entry, free = 0;

    /* The first ones may have their place at the end; what follows comes in order. */
    while ((entry = key_part_load(p, first)) >> (p->number_bits + p->rest_bits) > 1)
        first++;
    for (uint32_t at = first; at < p->size; at++) {
        entry = key_part_load(p, at);
        if (!entry)
            continue;
        uint32_t hash = hash_at(&u, at, entry) << (32 - HASH_BITS);
        uint64_t spread = key_part_spread(to, hash), place = spread >> to->hash_bits;

        free = place > free ? place : free;
        if (free >= to->size) { /* round to the beginning */
            if (!part_put(made, hash, number_of(p, entry)))
                return false;
            continue;
        }
        if (free - place >= far_most(to))
            return false;
        store(to, (uint32_t)free,
              (key_part_head(to, spread) + ((free - place) << to->rest_bits)) << to->number_bits |
                  number_of(p, entry));
        made->used++;
        free++;
    }
    for (uint32_t at = 0; at < first; at++) {
        entry = key_part_load(p, at);
        if (!part_put(made, hash_at(&u, at, entry) << (32 - HASH_BITS), number_of(p, entry)))
            return false;
    }
    return true;
}

/* The entries of a part into one of that size, for numbers up to `most` and distances of `far` bits or more. */
static int part_remake(struct key_table *t, struct key_part *p, uint32_t size, uint32_t most,
                       unsigned far)
{
    struct key_part made;

    for (;; far++) {
        if (part_init(t, &made, size, most, far) != 0)
            return -ENOMEM;
        if (part_copy(p, &made))
            break;
        far = far_bits(&made);
        part_fini(t, &made);
    }
    part_fini(t, p);
    *p = made;
    return 0;
}

/* Room for n entries more, numbers up to `number` among them. */
static int part_reserve(struct key_table *t, struct key_part *p, uint32_t n, uint32_t number)
{
    uint32_t most = number > p->most ? number : p->most, size = p->size;

    if (!p->entries) {
        size = t->part_size ? t->part_size : PART_MIN;
        most = t->most > most ? t->most : most;
    }
    while (p->used + (uint64_t)n > part_room(size))
        size = size_after(size);
    if (!p->entries)
        return part_init(t, p, size, most, FAR_BITS);
    if (size > p->size || bits_of(most) > p->number_bits)
        return part_remake(t, p, size, most, FAR_BITS);
    p->most = most;
    return 0;
}

/* An entry for which there is room. */
static int part_insert(struct key_table *t, struct key_part *p, uint32_t hash, uint32_t number)
{
    while (!part_put(p, hash, number)) {
        if (part_remake(t, p, p->size, p->most, far_bits(p) + 1) != 0)
            return -ENOMEM;
    }
    t->used++;
    return 0;
}

/* Cuts the single part: sizes are counted first, so that no part grows while it is filled. */
static int table_split(struct key_table *t)
{
    struct key_part one = t->one;
    struct unspread u = unspread_of(&one);
    uint32_t counts[PARTS] = {0};
    struct key_part *parts = slot_memory_zeroed(t->budget, PARTS * sizeof *parts);
    int rc = 0;

    if (!parts)
        return -ENOMEM;
    for (uint32_t k = 0; k < one.size; k++) {
        uint64_t entry = key_part_load(&one, k);

        if (entry)
            counts[hash_at(&u, k, entry) >> (HASH_BITS - KEY_TABLE_PART_BITS)]++;
    }
    t->parts = parts; /* from here on parts are made, and found */
    for (unsigned i = 0; i < PARTS && rc == 0; i++)
        rc = part_reserve(t, &parts[i], counts[i] + counts[i] / 4, one.most);
    for (uint32_t k = 0; k < one.size && rc == 0; k++) {
        uint64_t entry = key_part_load(&one, k);
        uint32_t hash = entry ? hash_at(&u, k, entry) << (32 - HASH_BITS) : 0;

        if (entry)
            rc = part_insert(t, (struct key_part *)key_table_part(t, hash), hash,
                             number_of(&one, entry));
    }
    t->used = one.used;
    if (rc == 0) {
        part_fini(t, &t->one);
        return 0;
    }
    t->parts = NULL;
    for (unsigned i = 0; i < PARTS; i++)
        part_fini(t, &parts[i]);
    slot_memory_free(t->budget, parts, PARTS * sizeof *parts);
    return rc;
}

int key_table_plan(struct key_table *t, uint64_t n)
{
    /* Parts get unequal shares: 1/16 and some more than their average. */
    uint64_t size = (n / PARTS + n / PARTS / 16 + PART_MIN) * 8 / 7 + 2;

    if (t->used || t->parts || t->one.entries || n < SPLIT_AT || n > KEY_TABLE_EMPTY)
        return 0;
    t->parts = slot_memory_zeroed(t->budget, PARTS * sizeof *t->parts);
    if (!t->parts)
        return -ENOMEM;
    t->part_size = (uint32_t)size;
    t->most = (uint32_t)(n - 1);
    return 0;
}

int key_table_plan_step(struct key_table *t)
{
    unsigned i = 0;

    while (t->part_size && i < PARTS && t->parts[i].entries)
        i++;
    if (!t->part_size || i == PARTS)
        return 0;
    return part_reserve(t, &t->parts[i], 0, 0) == 0 ? 1 : -ENOMEM;
}

int key_table_reserve(struct key_table *t, uint64_t n)
{
    bool planned = t->parts;
    int rc = key_table_plan(t, n);

    if (rc == 0 && !planned)
        while ((rc = key_table_plan_step(t)) > 0)
            continue;
    if (rc != 0)
        key_table_fini(t); /* it was empty */
    return rc;
}

int key_table_insert(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);
    int rc;

    ASSERT_HOT(number != KEY_TABLE_EMPTY);
    if (!t->parts && p->used >= part_room(SPLIT_AT)) {
        rc = table_split(t);
        if (rc != 0)
            return rc;
        p = (struct key_part *)key_table_part(t, hash);
    }
    rc = p->used < part_room(p->size) && number <= p->most ? 0 : part_reserve(t, p, 1, number);
    return rc != 0 ? rc : part_insert(t, p, hash, number);
}

bool key_table_add_new(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);

    ASSERT_HOT(number != KEY_TABLE_EMPTY);
    if (p->used >= part_room(p->size) || (number > p->most && (uint64_t)number >> p->number_bits) ||
        !put(p, hash, number, true))
        return false;
    p->most = number > p->most ? number : p->most;
    t->used++;
    return true;
}

static bool is_equal(struct key_equals *equals, uint32_t a, uint32_t b)
{
    if (!equals || !equals->is_equal(equals->ctx, a, b))
        return false;
    equals->a = a;
    equals->b = b;
    return true;
}

/* -EEXIST when the table has an equal key. */
static int check_equals(const struct key_table *t, struct key_entry e, struct key_equals *equals)
{
    struct key_walk w = key_table_walk(t, e.hash);
    uint32_t number;

    while (equals && key_walk_next(&w, &number)) {
        if (is_equal(equals, number, e.number))
            return -EEXIST;
    }
    return 0;
}

static int insert_each(struct key_table *t, const struct key_entry *entries, uint32_t n,
                       struct key_equals *equals)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && rc == 0; i++) {
        rc = check_equals(t, entries[i], equals);
        if (rc == 0)
            rc = key_table_insert(t, entries[i].hash, entries[i].number);
    }
    return rc;
}

/* Entries that belong to one part. */
static int part_fill(struct key_table *t, struct key_part *p, const struct key_entry *entries,
                     uint32_t n, struct key_equals *equals)
{
    uint32_t most = 0;
    int rc = 0;

    for (uint32_t i = 0; i < n; i++)
        most = entries[i].number > most ? entries[i].number : most;
    if (n)
        rc = part_reserve(t, p, n, most);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        rc = check_equals(t, entries[i], equals);
        if (rc == 0)
            rc = part_insert(t, p, entries[i].hash, entries[i].number);
    }
    return rc;
}

int key_table_insert_many(struct key_table *t, const struct key_entry *entries, uint32_t n,
                          struct key_equals *equals)
{
    uint32_t ends[PARTS] = {0}, at = 0;
    struct key_entry *sorted = NULL;
    int rc = 0;

    if (n >= PARTS * PART_MIN && (t->parts || key_table_reserve(t, n) == 0) && t->parts)
        sorted = slot_memory_new(t->budget, n * sizeof *sorted);
    if (!sorted)
        return insert_each(t, entries, n, equals);
    for (uint32_t i = 0; i < n; i++)
        ends[entries[i].hash >> (32 - KEY_TABLE_PART_BITS)]++;
    for (unsigned i = 0; i < PARTS; i++) { /* where each begins; it moves on to its end */
        uint32_t count = ends[i];

        ends[i] = at;
        at += count;
    }
    for (uint32_t i = 0; i < n; i++)
        sorted[ends[entries[i].hash >> (32 - KEY_TABLE_PART_BITS)]++] = entries[i];
    at = 0;
    for (unsigned i = 0; i < PARTS && rc == 0; at = ends[i++])
        rc = part_fill(t, &t->parts[i], sorted + at, ends[i] - at, equals);
    slot_memory_free(t->budget, sorted, n * sizeof *sorted);
    return rc;
}

void key_table_remove(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);
    struct key_walk w = key_table_walk(t, hash);
    unsigned shift = p->number_bits + p->rest_bits;
    uint64_t one = 1ull << shift, entry;
    uint32_t found = KEY_TABLE_EMPTY, at;

    do {
        bool any = key_walk_next(&w, &found);

        ASSERT(any);
    } while (found != number);
    at = w.at ? w.at - 1 : p->size - 1;
    /* Those behind come nearer, up to one that is at its place. */
    while ((entry = key_part_load(p, next(p, at))) >> shift > 1) {
        store(p, at, entry - one);
        at = next(p, at);
    }
    store(p, at, 0);
    p->used--;
    t->used--;
}

/*
 * Hash table of numbers: growth in steps, cut into 256 parts once it no longer fits a near
 * cache.
 */
#include "storage/key_table.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/slot_memory.h"

enum {
    PART_BITS = 8,
    PARTS = 1 << PART_BITS,
    PART_MIN = 16,
    PART_DOUBLES = 4096, /* entries; below, sizes double */
    SPLIT_AT = 1 << 16,  /* entries of the single part; 512 KiB move at the cut */
};

void key_table_init(struct key_table *t, struct budget *budget)
{
    *t = (struct key_table){.budget = budget};
}

static size_t part_bytes(const struct key_part *p)
{
    return (size_t)p->size * sizeof *p->entries;
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

static int part_init(struct key_table *t, struct key_part *p, uint32_t size)
{
    struct key_entry *entries = slot_memory_new(t->budget, size * sizeof *entries);

    if (!entries)
        return -ENOMEM;
    memset(entries, 0xff, size * sizeof *entries);
    *p = (struct key_part){.entries = entries, .size = size};
    t->memory += part_bytes(p);
    return 0;
}

static uint32_t next(const struct key_part *p, uint32_t at)
{
    return at + 1 == p->size ? 0 : at + 1;
}

/* Entries it may have before it grows. */
static uint32_t part_room(uint32_t size)
{
    return size / 5 * 4;
}

/* Large parts grow by a quarter: what doubling would leave empty is memory. */
static uint32_t size_after(uint32_t size)
{
    return size < PART_DOUBLES ? size * 2 : (size + size / 4 + 7) & ~7u;
}

static void part_put(struct key_part *p, struct key_entry e)
{
    uint32_t at = key_part_home(p->size, e.hash);

    while (p->entries[at].number != KEY_TABLE_EMPTY)
        at = next(p, at);
    p->entries[at] = e;
    p->used++;
}

static int part_grow(struct key_table *t, struct key_part *p)
{
    struct key_part old = *p, grown;

    uint32_t first = t->part_size ? t->part_size : PART_MIN;

    if (part_init(t, &grown, old.size ? size_after(old.size) : first) != 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < old.size; i++) {
        if (old.entries[i].number != KEY_TABLE_EMPTY)
            part_put(&grown, old.entries[i]);
    }
    *p = grown;
    part_fini(t, &old);
    return 0;
}

/* Cuts the single part: sizes are counted first, so that every part starts at most half full. */
static int table_split(struct key_table *t)
{
    uint32_t counts[PARTS] = {0};
    struct key_part *parts = slot_memory_zeroed(t->budget, PARTS * sizeof *parts);
    unsigned i = 0;

    if (!parts)
        return -ENOMEM;
    for (uint32_t k = 0; k < t->one.size; k++) {
        if (t->one.entries[k].number != KEY_TABLE_EMPTY)
            counts[t->one.entries[k].hash >> (32 - PART_BITS)]++;
    }
    for (; i < PARTS; i++) {
        uint32_t size = PART_MIN;

        while (size < counts[i] * 2)
            size = size_after(size);
        if (part_init(t, &parts[i], size) != 0)
            goto fail;
    }
    for (uint32_t k = 0; k < t->one.size; k++) {
        struct key_entry e = t->one.entries[k];

        if (e.number != KEY_TABLE_EMPTY)
            part_put(&parts[e.hash >> (32 - PART_BITS)], e);
    }
    part_fini(t, &t->one);
    t->parts = parts;
    return 0;
fail:
    while (i--)
        part_fini(t, &parts[i]);
    slot_memory_free(t->budget, parts, PARTS * sizeof *parts);
    return -ENOMEM;
}

int key_table_plan(struct key_table *t, uint64_t n)
{
    /* Parts get unequal shares: 1/16 and some more than their average. */
    uint64_t size = ((n / PARTS + n / PARTS / 16 + PART_MIN) * 5 / 4 + 7) & ~7ull;

    if (t->used || t->parts || t->one.entries || n < SPLIT_AT || size > UINT32_MAX / 2)
        return 0;
    t->parts = slot_memory_zeroed(t->budget, PARTS * sizeof *t->parts);
    if (!t->parts)
        return -ENOMEM;
    t->part_size = (uint32_t)size;
    return 0;
}

int key_table_plan_step(struct key_table *t)
{
    unsigned i = 0;

    while (t->part_size && i < PARTS && t->parts[i].entries)
        i++;
    if (!t->part_size || i == PARTS)
        return 0;
    return part_init(t, &t->parts[i], t->part_size) == 0 ? 1 : -ENOMEM;
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

    ASSERT_HOT(number != KEY_TABLE_EMPTY);
    if (p->used >= part_room(p->size)) {
        int rc = !t->parts && p->size >= SPLIT_AT ? table_split(t) : part_grow(t, p);

        if (rc != 0)
            return rc;
        p = (struct key_part *)key_table_part(t, hash);
        if (p->used >= part_room(p->size) && part_grow(t, p) != 0)
            return -ENOMEM;
    }
    part_put(p, (struct key_entry){hash, number});
    t->used++;
    return 0;
}

bool key_table_add_new(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);
    uint32_t at;

    ASSERT_HOT(number != KEY_TABLE_EMPTY);
    if (p->used >= part_room(p->size))
        return false;
    at = key_part_home(p->size, hash);
    while (p->entries[at].number != KEY_TABLE_EMPTY) {
        if (p->entries[at].hash == hash)
            return false;
        at = next(p, at);
    }
    p->entries[at] = (struct key_entry){hash, number};
    p->used++;
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

static int insert_each(struct key_table *t, const struct key_entry *entries, uint32_t n,
                       struct key_equals *equals)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && rc == 0; i++) {
        struct key_walk w = key_table_walk(t, entries[i].hash);
        uint32_t number;

        while (key_walk_next(&w, &number)) {
            if (is_equal(equals, number, entries[i].number))
                return -EEXIST;
        }
        rc = key_table_insert(t, entries[i].hash, entries[i].number);
    }
    return rc;
}

/* Entries that belong to one part. */
static int part_fill(struct key_table *t, struct key_part *p, const struct key_entry *entries,
                     uint32_t n, struct key_equals *equals)
{
    while (p->used + (uint64_t)n > part_room(p->size)) {
        if (part_grow(t, p) != 0)
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct key_entry e = entries[i];
        uint32_t at = key_part_home(p->size, e.hash);

        for (; p->entries[at].number != KEY_TABLE_EMPTY; at = next(p, at)) {
            if (p->entries[at].hash == e.hash && is_equal(equals, p->entries[at].number, e.number))
                return -EEXIST;
        }
        p->entries[at] = e;
    }
    p->used += n;
    t->used += n;
    return 0;
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
        ends[entries[i].hash >> (32 - PART_BITS)]++;
    for (unsigned i = 0; i < PARTS; i++) { /* where each begins; it moves on to its end */
        uint32_t count = ends[i];

        ends[i] = at;
        at += count;
    }
    for (uint32_t i = 0; i < n; i++)
        sorted[ends[entries[i].hash >> (32 - PART_BITS)]++] = entries[i];
    at = 0;
    for (unsigned i = 0; i < PARTS && rc == 0; at = ends[i++])
        rc = part_fill(t, &t->parts[i], sorted + at, ends[i] - at, equals);
    slot_memory_free(t->budget, sorted, n * sizeof *sorted);
    return rc;
}

/* Steps from one place to another. */
static uint32_t distance(const struct key_part *p, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + p->size - from;
}

void key_table_remove(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);
    uint32_t at, hole;

    ASSERT(p->entries);
    at = key_part_home(p->size, hash);
    while (p->entries[at].number != number || p->entries[at].hash != hash) {
        ASSERT(p->entries[at].number != KEY_TABLE_EMPTY);
        at = next(p, at);
    }
    hole = at;
    for (;;) {
        struct key_entry e;

        at = next(p, at);
        e = p->entries[at];
        if (e.number == KEY_TABLE_EMPTY)
            break;
        /* An entry may fill the hole unless its own place lies behind the hole. */
        if (distance(p, key_part_home(p->size, e.hash), at) >= distance(p, hole, at)) {
            p->entries[hole] = e;
            hole = at;
        }
    }
    p->entries[hole].number = KEY_TABLE_EMPTY;
    p->used--;
    t->used--;
}

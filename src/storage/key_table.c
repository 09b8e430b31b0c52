/*
 * Hash table of numbers: growth by doubling, cut into 256 parts once it no longer fits a near
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
    SPLIT_AT = 1 << 16, /* entries of the single part; 512 KiB move at the cut */
};

void key_table_init(struct key_table *t, struct budget *budget)
{
    *t = (struct key_table){.budget = budget};
}

static size_t part_bytes(const struct key_part *p)
{
    return p->entries ? ((size_t)p->mask + 1) * sizeof *p->entries : 0;
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
    *p = (struct key_part){.entries = entries, .mask = size - 1};
    t->memory += part_bytes(p);
    return 0;
}

static void part_put(struct key_part *p, struct key_entry e)
{
    uint32_t at = e.hash & p->mask;

    while (p->entries[at].number != KEY_TABLE_EMPTY)
        at = (at + 1) & p->mask;
    p->entries[at] = e;
    p->used++;
}

static int part_grow(struct key_table *t, struct key_part *p)
{
    struct key_part old = *p, grown;

    if (part_init(t, &grown, old.entries ? (old.mask + 1) * 2 : PART_MIN) != 0)
        return -ENOMEM;
    for (uint32_t i = 0; old.entries && i <= old.mask; i++) {
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
    for (uint32_t k = 0; k <= t->one.mask; k++) {
        if (t->one.entries[k].number != KEY_TABLE_EMPTY)
            counts[t->one.entries[k].hash >> (32 - PART_BITS)]++;
    }
    for (; i < PARTS; i++) {
        uint32_t size = PART_MIN;

        while (size < counts[i] * 2)
            size *= 2;
        if (part_init(t, &parts[i], size) != 0)
            goto fail;
    }
    for (uint32_t k = 0; k <= t->one.mask; k++) {
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

int key_table_reserve(struct key_table *t, uint64_t n)
{
    /* Parts get unequal shares: 1/16 and some more than their average. */
    uint64_t share = n / PARTS + n / PARTS / 16 + PART_MIN, size = PART_MIN;
    struct key_part *parts;
    unsigned i = 0;

    if (t->used || t->parts || t->one.entries || n < SPLIT_AT / 4 * 3)
        return 0;
    while (size / 4 * 3 < share && size < 1u << 31)
        size *= 2;
    parts = slot_memory_zeroed(t->budget, PARTS * sizeof *parts);
    if (!parts)
        return -ENOMEM;
    while (i < PARTS && part_init(t, &parts[i], (uint32_t)size) == 0)
        i++;
    if (i == PARTS) {
        t->parts = parts;
        return 0;
    }
    while (i--)
        part_fini(t, &parts[i]);
    slot_memory_free(t->budget, parts, PARTS * sizeof *parts);
    return -ENOMEM;
}

int key_table_insert(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);

    ASSERT_HOT(number != KEY_TABLE_EMPTY);
    if (!p->entries || p->used >= (p->mask + 1) / 4 * 3) {
        int rc =
            !t->parts && p->entries && p->mask + 1 >= SPLIT_AT ? table_split(t) : part_grow(t, p);

        if (rc != 0)
            return rc;
        p = (struct key_part *)key_table_part(t, hash);
        if (p->used >= (p->mask + 1) / 4 * 3 && part_grow(t, p) != 0)
            return -ENOMEM;
    }
    part_put(p, (struct key_entry){hash, number});
    t->used++;
    return 0;
}

void key_table_remove(struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_part *p = (struct key_part *)key_table_part(t, hash);
    uint32_t at, hole;

    ASSERT(p->entries);
    at = hash & p->mask;
    while (p->entries[at].number != number || p->entries[at].hash != hash) {
        ASSERT(p->entries[at].number != KEY_TABLE_EMPTY);
        at = (at + 1) & p->mask;
    }
    hole = at;
    for (;;) {
        struct key_entry e;

        at = (at + 1) & p->mask;
        e = p->entries[at];
        if (e.number == KEY_TABLE_EMPTY)
            break;
        /* An entry may fill the hole unless its own place lies behind the hole. */
        if (((at - e.hash) & p->mask) >= ((at - hole) & p->mask)) {
            p->entries[hole] = e;
            hole = at;
        }
    }
    p->entries[hole].number = KEY_TABLE_EMPTY;
    p->used--;
    t->used--;
}

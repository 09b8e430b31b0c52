/* Slot: dictionaries and partitions. */
#include "storage/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/partition.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"
#include "storage/slot_numbers.h"
#include "storage/slot_rewrite.h"
#include "storage/slot_words.h"

enum { PARTS_AHEAD = 16 }; /* of slot_segment, looked at ahead */

int slot_dict_new(const struct slot *t, const struct column *c, struct dict **values,
                  struct dict **lists)
{
    if (c->layout == LAYOUT_ORDERED)
        return 0;
    *values = dict_new(c->type == COLUMN_STRING ? DICT_BYTES : DICT_INT, t->seed, t->budget);
    if (!*values)
        return -ENOMEM;
    if (c->layout != LAYOUT_LIST)
        return 0;
    *lists = dict_new(DICT_LIST, t->seed, t->budget);
    return *lists ? 0 : -ENOMEM;
}

static int dicts_new(struct slot *t)
{
    unsigned n = t->schema->n_columns;
    int rc = 0;

    t->dicts = slot_memory_zeroed(t->budget, n * sizeof(struct dict *));
    t->lists = slot_memory_zeroed(t->budget, n * sizeof(struct dict *));
    if (!t->dicts || !t->lists)
        return -ENOMEM;
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = slot_dict_new(t, &t->schema->columns[i], &t->dicts[i], &t->lists[i]);
    return rc;
}

int slot_new(struct schema *s, uint32_t number, uint64_t hash_seed, struct budget *budget,
             struct slot **out)
{
    struct slot *t = slot_memory_zeroed(budget, sizeof *t);
    int rc;

    if (!t)
        return -ENOMEM;
    t->schema = schema_get(s);
    t->number = number;
    t->seed = hash_seed;
    t->budget = budget;
    rc = dicts_new(t);
    if (rc != 0) {
        slot_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void slot_part_free(struct slot *t, struct slot_part *p)
{
    slot_rewrite_stop(p);
    key_table_fini(&p->index);
    segment_detach(p->segment);
    if (t->room && t->room->leave)
        t->room->leave(t->room->ctx, p->segment);
    else
        segment_put(p->segment);
    slot_memory_free(t->budget, p, sizeof *p);
}

void slot_free(struct slot *t)
{
    size_t dicts_bytes;

    if (!t)
        return;
    dicts_bytes = t->schema->n_columns * sizeof(struct dict *);
    for (uint32_t i = 0; i < t->n_parts; i++)
        slot_part_free(t, t->parts[i]);
    slot_archive_free(t);
    slot_reap(t, true);
    slot_words_free(t);
    slot_numbers_free(t);
    slot_memory_free(t->budget, t->parts, t->cap_parts * sizeof(struct slot_part *));
    for (unsigned i = 0; i < t->schema->n_columns; i++) {
        dict_free(t->lists ? t->lists[i] : NULL);
        dict_free(t->dicts ? t->dicts[i] : NULL);
    }
    slot_memory_free(t->budget, t->lists, dicts_bytes);
    slot_memory_free(t->budget, t->dicts, dicts_bytes);
    store_file_put(t->dict_file.file);
    free(t->dict_file.pieces);
    schema_put(t->schema);
    slot_memory_free(t->budget, t, sizeof *t);
}

const struct schema *slot_schema(const struct slot *t)
{
    return t->schema;
}

uint32_t slot_number(const struct slot *t)
{
    return t->number;
}

uint32_t slot_segments(const struct slot *t)
{
    return t->n_parts;
}

void slot_prefetch_segments(const struct slot *t, uint32_t i)
{
    if (i + PARTS_AHEAD < t->n_parts) {
        segment_prefetch_blocks(t->parts[i + PARTS_AHEAD / 2]->segment);
        __builtin_prefetch(t->parts[i + PARTS_AHEAD]);
    }
}

struct segment *slot_segment(const struct slot *t, uint32_t i)
{
    return t->parts[i]->segment;
}

struct dict *slot_dict(const struct slot *t, unsigned column)
{
    return t->dicts[column];
}

struct dict *slot_list_dict(const struct slot *t, unsigned column)
{
    return t->lists[column];
}

uint64_t slot_live_rows(const struct slot *t)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < t->n_parts; i++)
        n += segment_live(t->parts[i]->segment);
    return n;
}

size_t slot_memory(const struct slot *t)
{
    size_t n = sizeof *t + t->cap_parts * sizeof(struct slot_part *) + slot_words_memory(t) +
               slot_numbers_memory(t);

    for (uint32_t i = 0; i < t->n_parts; i++)
        n += sizeof(struct slot_part) + segment_memory(t->parts[i]->segment) +
             t->parts[i]->index.memory +
             (t->parts[i]->rewrite ? slot_rewrite_memory(t->parts[i]->rewrite) : 0);
    for (const struct slot_part *p = t->leaving; p; p = p->next)
        n += sizeof *p + segment_memory(p->segment);
    n += slot_archive_memory(t);
    for (unsigned i = 0; i < t->schema->n_columns; i++) {
        n += 2 * sizeof(struct dict *);
        n += t->dicts[i] ? dict_memory(t->dicts[i]) : 0;
        n += t->lists[i] ? dict_memory(t->lists[i]) : 0;
    }
    return n;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t slot_partition_of(const struct schema *s, int64_t time)
{
    static const int64_t ticks[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    const struct column *c;
    int64_t unit, seconds;

    if (s->time_column < 0)
        return 0;
    c = &s->columns[s->time_column];
    unit = partition_seconds(s);
    if (c->type == COLUMN_DATE) {
        /* Days that no calendar has, from a batch gone wrong, share the outermost partitions. */
        if (__builtin_mul_overflow(time, (int64_t)86400, &seconds))
            seconds = time < 0 ? INT64_MIN / 86400 * 86400 : INT64_MAX / 86400 * 86400;
        return seconds;
    }
    seconds = floor_div(time, ticks[c->scale <= 6 ? c->scale : 6]);
    if (__builtin_mul_overflow(floor_div(seconds, unit), unit, &seconds))
        seconds = INT64_MIN / unit * unit;
    return seconds;
}

/* Position of the first partition >= the given one. */
static uint32_t find_part(const struct slot *t, int64_t partition)
{
    uint32_t from = 0, n = t->n_parts;

    while (n > 0) {
        uint32_t half = n / 2;

        if (t->parts[from + half]->partition < partition) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

struct slot_part *slot_part_find(const struct slot *t, int64_t partition)
{
    uint32_t at = find_part(t, partition);

    return at < t->n_parts && t->parts[at]->partition == partition ? t->parts[at] : NULL;
}

int slot_part_insert(struct slot *t, struct slot_part *p)
{
    uint32_t at = find_part(t, p->partition);

    if (t->n_parts == t->cap_parts) {
        uint32_t cap = t->cap_parts ? t->cap_parts * 2 : 4;
        void *grown =
            slot_memory_grow(t->budget, t->parts, t->cap_parts * sizeof p, cap * sizeof p);

        if (!grown)
            return -ENOMEM;
        t->parts = grown;
        t->cap_parts = cap;
    }
    segment_attach(p->segment, &t->absent, &t->tick, t->room);
    segment_touch(p->segment, t->tick);
    p->index_used = t->tick;
    memmove(t->parts + at + 1, t->parts + at, (t->n_parts - at) * sizeof p);
    t->parts[at] = p;
    t->n_parts++;
    return 0;
}

int slot_part_add(struct slot *t, int64_t partition, struct segment *g, struct slot_part **out)
{
    struct slot_part *p = slot_memory_zeroed(t->budget, sizeof *p);
    int rc;

    if (!p)
        return -ENOMEM;
    p->partition = partition;
    p->segment = g;
    key_table_init(&p->index, t->budget);
    rc = slot_part_insert(t, p);
    if (rc != 0)
        slot_memory_free(t->budget, p, sizeof *p);
    else
        *out = p;
    return rc;
}

int slot_part_open(struct slot *t, int64_t partition, struct slot_part **out)
{
    struct segment_dicts dicts = {t->dicts, t->lists};
    struct segment *g;

    *out = slot_part_find(t, partition);
    if (*out)
        return 0;
    if (segment_new(t->schema, &dicts, partition, t->budget, &g) != 0)
        return -ENOMEM;
    segment_set_store(g, t->store);
    if (slot_part_add(t, partition, g, out) != 0) {
        segment_put(g);
        return -ENOMEM;
    }
    return 0;
}

void slot_set_store(struct slot *t, struct store *store)
{
    t->store = store;
    for (uint32_t i = 0; i < t->n_parts; i++)
        segment_set_store(t->parts[i]->segment, store);
}

void slot_set_room(struct slot *t, const struct segment_room *room)
{
    t->room = room;
    for (uint32_t i = 0; i < t->n_parts; i++)
        segment_attach(t->parts[i]->segment, &t->absent, &t->tick, room);
}

void slot_set_tick(struct slot *t, uint64_t tick)
{
    t->tick = tick;
    slot_reap(t, false);
}

uint64_t slot_tick(const struct slot *t)
{
    return t->tick;
}

void slot_succeed(struct slot *t, const struct slot *old)
{
    t->generation = old->generation;
    if (old->dict_file.cut) /* files are still made for the old one: more than any cut has */
        t->generation += 1u << 20;
    t->tick = old->tick;
    slot_set_store(t, old->store);
    slot_set_room(t, old->room);
}

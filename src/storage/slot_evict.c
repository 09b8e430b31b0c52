/* Slot: clean columns and indexes leave memory, those of the partitions longest unused first. */
#include <stdlib.h>

#include "storage/slot_impl.h"
#include "storage/slot_numbers.h"
#include "storage/slot_words.h"

/* An index used within so many ticks stays, making it again reads all keys; when nothing else is left, fewer do. */
enum {
    INDEX_KEEP_TICKS = 30,
    INDEX_SHORT_TICKS = 2,
    WORDS_IN_USE_TICKS =
        2, /* an index of words used within these may be in the middle of a search */
};

/* Partition that may give memory back. Owner: one call. */
struct victim {
    struct slot *slot;
    struct slot_part *part;
    uint64_t used;
};

static int compare_victims(const void *a, const void *b)
{
    const struct victim *x = a, *y = b;

    if (x->used != y->used)
        return x->used < y->used ? -1 : 1;
    return (x->part->partition > y->part->partition) - (x->part->partition < y->part->partition);
}

static uint32_t count_parts(struct slot *const *slots, uint32_t n)
{
    uint32_t parts = 0;

    for (uint32_t i = 0; i < n; i++)
        parts += slots[i]->n_parts;
    return parts;
}

/* The index of a partition that nothing uses any more and that can be read again. */
static size_t evict_index(const struct victim *v, uint64_t tick, unsigned keep)
{
    size_t bytes = v->part->index.memory;

    if (v->part->index_used + keep > tick || !segment_file(v->part->segment) ||
        segment_is_loaded(v->part->segment))
        return 0;
    slot_index_drop(v->slot, v->part);
    if (bytes && v->slot->room && v->slot->room->traffic)
        v->slot->room->traffic->indexes_dropped++;
    return bytes;
}

/* All partitions, longest unused first; NULL without memory. */
static struct victim *list_victims(struct slot *const *slots, uint32_t n, uint32_t *parts)
{
    uint32_t at = 0;
    struct victim *victims;

    *parts = count_parts(slots, n);
    victims = malloc((*parts + 1u) * sizeof *victims);
    if (!victims)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < slots[i]->n_parts; k++) {
            struct slot_part *p = slots[i]->parts[k];

            victims[at++] = (struct victim){slots[i], p, segment_used_tick(p->segment)};
        }
    }
    qsort(victims, *parts, sizeof *victims, compare_victims);
    return victims;
}

static size_t evict_columns(const struct victim *victims, uint32_t parts, size_t bytes, bool all)
{
    size_t freed = 0;

    for (uint32_t i = 0; i < parts && freed < bytes; i++)
        freed += segment_evict(victims[i].part->segment, bytes - freed, all);
    return freed;
}

static size_t evict_indexes(const struct victim *victims, uint32_t parts, size_t bytes,
                            uint64_t tick, unsigned keep)
{
    size_t freed = 0;

    for (uint32_t i = 0; i < parts && freed < bytes; i++)
        freed += evict_index(&victims[i], tick, keep);
    return freed;
}

static size_t evict_words(struct slot *const *slots, uint32_t n, size_t bytes, uint64_t tick,
                          unsigned keep)
{
    size_t freed = 0;

    for (uint32_t i = 0; i < n && freed < bytes; i++)
        freed += slot_words_evict(slots[i], bytes - freed, tick, keep);
    for (uint32_t i = 0; i < n && freed < bytes; i++)
        freed += slot_numbers_evict(slots[i], bytes - freed, tick, keep);
    return freed;
}

/* Of partitions that were dropped: only statements that began before still want these. */
static size_t evict_leaving(struct slot *const *slots, uint32_t n, size_t bytes)
{
    size_t freed = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (struct slot_part *p = slots[i]->leaving; p && freed < bytes; p = p->next)
            freed += segment_evict(p->segment, bytes - freed, false);
    }
    return freed;
}

size_t slot_evict_many(struct slot *const *slots, uint32_t n, size_t bytes, uint64_t tick,
                       bool spare)
{
    uint32_t parts;
    struct victim *victims = list_victims(slots, n, &parts);
    size_t freed;

    if (!victims)
        return 0;
    freed = evict_leaving(slots, n, bytes);
    for (uint32_t i = 0; i < n && freed < bytes; i++)
        freed += slot_archive_evict(slots[i], bytes - freed);
    if (freed < bytes)
        freed += evict_columns(victims, parts, bytes - freed, false);
    if (freed < bytes)
        freed += evict_indexes(victims, parts, bytes - freed, tick, INDEX_KEEP_TICKS);
    if (freed < bytes)
        freed += evict_words(slots, n, bytes - freed, tick, INDEX_KEEP_TICKS);
    if (spare)
        bytes = 0;
    if (freed < bytes)
        freed += evict_columns(victims, parts, bytes - freed, true);
    if (freed < bytes)
        freed += evict_words(slots, n, bytes - freed, tick, WORDS_IN_USE_TICKS);
    if (freed < bytes)
        freed += evict_indexes(victims, parts, bytes - freed, tick, INDEX_SHORT_TICKS);
    free(victims);
    return freed;
}

size_t slot_evict(struct slot *t, size_t bytes, uint64_t tick)
{
    return slot_evict_many(&t, 1, bytes, tick, false);
}

void slot_residency(const struct slot *t, size_t *clean, size_t *changed, size_t *indexes)
{
    *clean = *changed = 0;
    *indexes = slot_words_memory(t) + slot_numbers_memory(t);
    for (uint32_t i = 0; i < t->n_parts; i++) {
        size_t some, other;

        segment_residency(t->parts[i]->segment, &some, &other);
        *clean += some;
        *changed += other;
        *indexes += t->parts[i]->index.memory;
    }
    slot_archive_residency(t, clean, changed);
}

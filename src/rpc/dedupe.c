#include "rpc/dedupe.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/root.h"

int dedupe_init(struct dedupe *d, uint32_t slots, uint32_t cores, uint32_t doublings)
{
    uint32_t own = (slots + cores - 1) / cores;

    d->n = DEDUPE_MAX_BATCHES;
    while (d->n > DEDUPE_MIN_BATCHES && (uint64_t)d->n * own > DEDUPE_ENTRIES)
        d->n /= 2;
    d->cores = cores;
    d->doublings = doublings;
    d->entries = calloc((size_t)d->n * own, sizeof(*d->entries));
    d->added = calloc(own, sizeof(*d->added));
    if (d->entries && d->added)
        return 0;
    dedupe_fini(d);
    return -ENOMEM;
}

void dedupe_fini(struct dedupe *d)
{
    free(d->entries);
    free(d->added);
    d->entries = NULL;
    d->added = NULL;
}

static struct dedupe_entry *ring_of(const struct dedupe *d, uint32_t slot)
{
    return d->entries + (size_t)(slot / d->cores) * d->n;
}

uint32_t dedupe_count(const struct dedupe *d, uint32_t slot)
{
    uint64_t added = d->added[slot / d->cores];

    return added < d->n ? (uint32_t)added : d->n;
}

bool dedupe_find(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                 struct write_result *result, unsigned *halvings)
{
    const struct dedupe_entry *ring = ring_of(d, slot);
    uint32_t n = dedupe_count(d, slot), i = 0;

    while (i < n && (ring[i].client != client || ring[i].sequence != sequence))
        i++;
    if (i == n)
        return false;
    result->inserted += ring[i].inserted;
    result->updated += ring[i].updated;
    result->unchanged += ring[i].unchanged;
    result->deleted += ring[i].deleted;
    result->rejected += ring[i].rejected;
    *halvings = d->doublings - ring[i].doublings;
    return true;
}

void dedupe_restore(struct dedupe *d, uint32_t slot, const struct root_batch *b)
{
    uint64_t *added = &d->added[slot / d->cores];

    ring_of(d, slot)[(*added)++ % d->n] = (struct dedupe_entry){
        .client = b->client,
        .sequence = b->sequence,
        .inserted = b->inserted,
        .updated = b->updated,
        .unchanged = b->unchanged,
        .deleted = b->deleted,
        .rejected = b->rejected,
        .doublings = b->doublings,
    };
}

void dedupe_add(struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                const struct write_result *result)
{
    const struct root_batch b = {.client = client,
                                 .sequence = sequence,
                                 .inserted = result->inserted,
                                 .updated = result->updated,
                                 .unchanged = result->unchanged,
                                 .deleted = result->deleted,
                                 .rejected = (uint32_t)result->rejected,
                                 .doublings = d->doublings};

    dedupe_restore(d, slot, &b);
}

uint32_t dedupe_copy(const struct dedupe *d, uint32_t slot, struct root_batch *out)
{
    const struct dedupe_entry *ring = ring_of(d, slot);
    uint64_t added = d->added[slot / d->cores];
    uint32_t n = dedupe_count(d, slot);

    for (uint32_t i = 0; i < n; i++) {
        const struct dedupe_entry *e = &ring[(added - n + i) % d->n];
        out[i] = (struct root_batch){.client = e->client,
                                     .sequence = e->sequence,
                                     .inserted = e->inserted,
                                     .updated = e->updated,
                                     .unchanged = e->unchanged,
                                     .deleted = e->deleted,
                                     .rejected = e->rejected,
                                     .doublings = e->doublings};
    }
    return n;
}

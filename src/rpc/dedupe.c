#include "rpc/dedupe.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/root.h"

int dedupe_init(struct dedupe *d, uint32_t slots)
{
    d->n = DEDUPE_MIN_ENTRIES;
    while (d->n / DEDUPE_BATCHES < slots && d->n < DEDUPE_MAX_ENTRIES)
        d->n *= 2;
    d->entries = calloc(d->n, sizeof(*d->entries));
    d->buckets = calloc(2 * (size_t)d->n, sizeof(*d->buckets));
    d->added = 0;
    if (d->entries && d->buckets)
        return 0;
    dedupe_fini(d);
    return -ENOMEM;
}

void dedupe_fini(struct dedupe *d)
{
    free(d->entries);
    free(d->buckets);
    d->entries = NULL;
    d->buckets = NULL;
}

static uint32_t bucket_of(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot)
{
    uint64_t h =
        (client ^ sequence * 0x9e3779b97f4a7c15ULL ^ (uint64_t)slot << 32) * 0xbf58476d1ce4e5b9ULL;

    return (uint32_t)(h >> 40) & (2 * d->n - 1);
}

bool dedupe_find(const struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                 struct write_result *result)
{
    for (uint32_t i = d->buckets[bucket_of(d, client, sequence, slot)]; i;
         i = d->entries[i - 1].next) {
        const struct dedupe_entry *e = &d->entries[i - 1];
        if (e->client != client || e->sequence != sequence || e->slot != slot)
            continue;
        result->inserted += e->inserted;
        result->updated += e->updated;
        result->unchanged += e->unchanged;
        result->deleted += e->deleted;
        result->rejected += e->rejected;
        return true;
    }
    return false;
}

/* Takes the oldest entry out of its bucket before it is overwritten. */
static void forget(struct dedupe *d, uint32_t i)
{
    const struct dedupe_entry *e = &d->entries[i];
    uint32_t *link = &d->buckets[bucket_of(d, e->client, e->sequence, e->slot)];

    while (*link != i + 1)
        link = &d->entries[*link - 1].next;
    *link = e->next;
}

void dedupe_add(struct dedupe *d, uint64_t client, uint64_t sequence, uint32_t slot,
                const struct write_result *result)
{
    uint32_t i = (uint32_t)(d->added % d->n);
    uint32_t *bucket = &d->buckets[bucket_of(d, client, sequence, slot)];

    if (d->added >= d->n)
        forget(d, i);
    d->entries[i] = (struct dedupe_entry){
        .client = client,
        .sequence = sequence,
        .slot = slot,
        .next = *bucket,
        .inserted = result->inserted,
        .updated = result->updated,
        .unchanged = result->unchanged,
        .deleted = result->deleted,
        .rejected = result->rejected,
    };
    *bucket = i + 1;
    d->added++;
}

static uint64_t oldest(const struct dedupe *d)
{
    return d->added > d->n ? d->added - d->n : 0;
}

uint32_t dedupe_count(const struct dedupe *d, uint32_t slot)
{
    uint32_t n = 0;

    for (uint64_t i = oldest(d); i < d->added; i++)
        n += d->entries[i % d->n].slot == slot;
    return n;
}

uint32_t dedupe_copy(const struct dedupe *d, uint32_t slot, struct root_batch *out)
{
    uint32_t n = 0;

    for (uint64_t i = oldest(d); i < d->added; i++) {
        const struct dedupe_entry *e = &d->entries[i % d->n];
        if (e->slot == slot)
            out[n++] = (struct root_batch){.client = e->client,
                                           .sequence = e->sequence,
                                           .inserted = e->inserted,
                                           .updated = e->updated,
                                           .unchanged = e->unchanged,
                                           .deleted = e->deleted,
                                           .rejected = e->rejected};
    }
    return n;
}

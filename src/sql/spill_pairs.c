#include "sql/spill_pairs.h"

#include <errno.h>
#include <stdlib.h>

static void free_pair(struct spill_pair *pair)
{
    if (!pair)
        return;
    spill_stream_free(&pair->build);
    spill_stream_free(&pair->probe);
    free(pair);
}

static unsigned level_of(const struct spill_pairs *p)
{
    return p->reading ? p->reading->level : 0;
}

bool spill_pairs_has(const struct spill_pairs *p, uint64_t hash)
{
    return p->open[spill_part_of(hash, level_of(p))] != NULL;
}

/* NULL without memory, also when so many rows have one hash. */
static struct spill_pair *pair_of(struct spill_pairs *p, uint64_t hash)
{
    unsigned level = level_of(p);

    if (level == SPILL_MAX_LEVEL)
        return NULL;
    struct spill_pair **pair = &p->open[spill_part_of(hash, level)];
    if (!*pair && (*pair = calloc(1, sizeof(**pair))))
        (*pair)->level = level + 1;
    return *pair;
}

int spill_pairs_put(struct exec *x, struct spill_pairs *p, bool builds, uint64_t hash,
                    const struct datum *cells, uint32_t n)
{
    struct spill_pair *pair = pair_of(p, hash);

    return pair ? spill_write(x, builds ? &pair->build : &pair->probe, cells, n) : -ENOMEM;
}

int spill_pairs_finish(struct spill_pairs *p, bool builds)
{
    for (unsigned i = 0; i < SPILL_PARTS; i++) {
        struct spill_pair *pair = p->open[i];
        int rc = pair ? spill_finish(builds ? &pair->build : &pair->probe) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

bool spill_pairs_next(struct spill_pairs *p)
{
    free_pair(p->reading);
    for (unsigned i = SPILL_PARTS; i-- > 0;)
        if (p->open[i]) {
            p->open[i]->next = p->waiting;
            p->waiting = p->open[i];
            p->open[i] = NULL;
        }
    p->reading = p->waiting;
    if (!p->reading)
        return false;
    p->waiting = p->reading->next;
    return true;
}

void spill_pairs_free(struct spill_pairs *p)
{
    free_pair(p->reading);
    for (unsigned i = 0; i < SPILL_PARTS; i++)
        free_pair(p->open[i]);
    while (p->waiting) {
        struct spill_pair *pair = p->waiting;
        p->waiting = pair->next;
        free_pair(pair);
    }
    *p = (struct spill_pairs){0};
}

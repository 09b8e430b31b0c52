#include "rpc/slotmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "reactor/assert.h"

static unsigned owner_of(uint32_t slot, const char *const *names, unsigned n)
{
    unsigned best = 0;
    uint64_t best_score = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t score = XXH3_64bits_withSeed(names[i], strlen(names[i]), slot);
        bool wins =
            score > best_score || (score == best_score && strcmp(names[i], names[best]) < 0);
        if (!i || wins) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

int slotmap_init(struct slotmap *m, const char *const *names, unsigned n, unsigned slot_bits)
{
    uint32_t slots = 1U << slot_bits;

    ASSERT(n && n <= SLOTMAP_MAX_NODES);
    m->slot_bits = slot_bits;
    m->n_nodes = n;
    m->node_of = malloc(slots);
    if (!m->node_of)
        return -ENOMEM;
    for (uint32_t s = 0; s < slots; s++)
        m->node_of[s] = (uint8_t)owner_of(s, names, n);
    return 0;
}

void slotmap_fini(struct slotmap *m)
{
    free(m->node_of);
    m->node_of = NULL;
}

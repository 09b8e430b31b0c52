#pragma once
/*
 * Slot map: which node owns a slot, by rendezvous hashing over host keys: the node with the highest
 * XXH3_64bits(host key, seed = slot) owns the slot, on a tie the one whose host key sorts first. So a node that comes
 * or goes moves its own share only, and every gateway comes to the same map. Owner: one core.
 */
#include <stdint.h>

enum { SLOTMAP_MAX_NODES = 64 };

struct slotmap {
    unsigned slot_bits, n_nodes;
    uint8_t *node_of; /* by slot; position in names */
};

/* 0 or -ENOMEM. Names are unique. */
int slotmap_init(struct slotmap *m, const char *const *names, unsigned n, unsigned slot_bits);
void slotmap_fini(struct slotmap *m);

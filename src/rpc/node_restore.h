#pragma once
/* Start of a node from its last checkpoint. Core 0, blocking, before anything is served. */
#include "rpc/local.h"
#include "storage/datafile.h"

struct node_restored {
    uint64_t log_generation; /* replay begins with this file */
    struct datafile_id *ids; /* data files that the root names, sorted */
    uint32_t n_ids, cap_ids;
};

/* Tables, slots and dictionaries of the root into the shards; columns stay on disk. Without a root nothing is done. */
int node_restore(struct node *n, struct reactor *r, struct node_restored *out,
                 struct error_info *err);

/* The root's bytes, from malloc: 0, -ENOENT when there is none, or an error with its text. */
int node_read_root(struct node *n, struct reactor *r, uint8_t **bytes, size_t *len,
                   struct error_info *err);

/* Once the log was replayed too: data files that the root does not name go. Gives `restored` back in any case. */
int node_restore_tidy(struct node *n, struct reactor *r, struct node_restored *restored, bool keep,
                      struct error_info *err);

#pragma once
/*
 * A node in the simulator: cores, disk, log and slots, booted, stopped and crashed any number of times with
 * any number of cores. The log is on the fake disk; quanta.meta and the lock are in a directory of their own
 * on the real one.
 */
#include "rpc/cluster.h"
#include "rpc/node.h"
#include "scenario.h"

/* Owner: the scenario. */
struct node_host {
    struct sim *sim;
    struct sim_disk *disk;
    char dir[64];
    bool has_dir;               /* the fake disk has it, too */
    unsigned slot_bits, splits; /* splits: starts that found more slots wanted than there were */
    uint64_t log_file_bytes;
    uint64_t checkpoint_log; /* an odd number: also one at each end */
    unsigned cores;
    uint64_t memory, data_memory; /* of each core, and what its rows may take of it */
    struct reactor_group *group;  /* while it runs */
    struct node *node;
    bool closed; /* node_host_close_begin: it came to its end */
};

void node_host_init(struct node_host *h, uint64_t seed);
void node_host_fini(struct node_host *h);

/* Boots and replays: 0 or -errno with a text; then only node_host_crash may follow. */
int node_host_boot(struct node_host *h, unsigned cores, unsigned ring_entries, uint64_t memory,
                   struct error_info *err);

/* What a core and its rows may use from now on. */
void node_host_limit(struct node_host *h, unsigned core, uint64_t bytes, uint64_t data_bytes);
/* All memory may be used again. */
void node_host_unlimit(struct node_host *h);

/* Closes the log, ends the cores. Nothing may be in flight. */
void node_host_halt(struct node_host *h);
/* The first part of it: on its way to h->closed. */
void node_host_close_begin(struct node_host *h);

/* Power loss or kill -9. What was in flight on the cores is lost with its memory. */
void node_host_crash(struct node_host *h, bool power);

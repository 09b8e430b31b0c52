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
    unsigned slot_bits;
    uint64_t log_file_bytes;
    uint64_t checkpoint_log; /* an odd number: also one at each end */
    unsigned cores;
    struct reactor_group *group; /* while it runs */
    struct node *node;
};

void node_host_init(struct node_host *h, uint64_t seed);
void node_host_fini(struct node_host *h);

/* Boots and replays; failing to is a failure of the scenario. */
void node_host_boot(struct node_host *h, unsigned cores, unsigned ring_entries, uint64_t memory);

/* Closes the log, ends the cores. Nothing may be in flight. */
void node_host_halt(struct node_host *h);

/* Power loss or kill -9. What was in flight on the cores is lost with its memory. */
void node_host_crash(struct node_host *h, bool power);

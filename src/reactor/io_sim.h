#pragma once
/*
 * Simulator: cores, clock, disk and network of any number of groups on the calling thread, in an
 * order that depends on the seed alone. See reactor_sim_run in reactor.h, which turns the cores of all
 * groups of the world.
 *
 * One thread owns a world, its disks and its groups. Probabilities are in parts per million of the
 * operations concerned.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reactor_group;
struct sim;
struct sim_disk;

struct sim_faults {
    uint32_t read_eio, write_eio, sync_eio;
    uint32_t short_read, short_write; /* at least one byte is transferred */
    uint32_t enospc;                  /* writes that make the file longer, and allocations */
    uint32_t rot;                     /* reads that get a bit wrong in every 256 bytes */
    const char *rot_spares;       /* not in files with this in their path; NULL = none is spared */
    uint32_t reset;               /* sends that break the connection instead */
    uint32_t short_receive;       /* receives and sends that move fewer bytes than they could */
    uint64_t disk_latency_max_ns; /* 0 = 200 us */
    uint64_t net_latency_max_ns;  /* 0 = 100 us */
};

/* What was done to the disks of a world so far. */
struct sim_disk_counts {
    uint64_t reads, writes, syncs, power_losses; /* all of them */
    uint64_t read_eio, write_eio, sync_eio, enospc, short_reads, short_writes, rotten_reads;
    uint64_t slow;         /* operations that took more than half the longest time */
    uint64_t torn_writes;  /* in flight at the end of a node, and neither whole nor nothing */
    uint64_t lost_sectors; /* written, not synced, and gone after a power loss */
    uint64_t kept_sectors; /* the same, but there */
    uint64_t lost_names;   /* changes of folders that were not synced and are gone */
    uint64_t lost_lengths; /* files that are not as long as they were */
};

/* A world with its clock at zero. Freed after its groups and disks. */
struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *w);
void sim_set_faults(struct sim *w, const struct sim_faults *faults);

const struct sim_disk_counts *sim_disk_counts(const struct sim *w);

uint64_t sim_now_ns(const struct sim *w);
uint64_t sim_steps(const struct sim *w);
uint64_t sim_random(struct sim *w); /* from the world's own seed: for decisions of a scenario */

/* Depends on every scheduling decision and completion so far: same seed and program, same value. */
uint64_t sim_trace_hash(const struct sim *w);

/* The world a simulated group lives in. */
struct sim *sim_of_group(const struct reactor_group *g);

/*
 * Power loss of a node: its cores never turn again, operations in flight happen wholly, in part or
 * not at all, its connections are gone, unsynced data is lost or torn at 512-byte sectors. The group must
 * be freed next; its disk may be given to a new one. The state of the layers above is the caller's to free.
 */
void sim_crash(struct reactor_group *g);

/* As kill -9: cores and connections as above, but the disk keeps what completed operations wrote. */
void sim_kill(struct reactor_group *g);

/* Disk: files of one node. bytes_max: total size, 0 = no limit. */
struct sim_disk *sim_disk_new(struct sim *w, uint64_t bytes_max);
void sim_disk_free(struct sim_disk *d);

/* Flips the bits of mask in the byte at `off`, on the medium: 0, -ENOENT, -EINVAL beyond the end. */
int sim_disk_flip(struct sim_disk *d, const char *path, uint64_t off, uint8_t mask);
uint64_t sim_disk_used(const struct sim_disk *d);

/* Network between two hosts (group numbers, see reactor_config.sim_host): cut = bytes and connection
 * attempts wait until it is healed; reset = every connection between them breaks. */
void sim_net_cut(struct sim *w, unsigned host_a, unsigned host_b, bool cut);
void sim_net_reset(struct sim *w, unsigned host_a, unsigned host_b);

#pragma once
/*
 * The cap of device writes of a node: in no second the kernel counts more than N writes of the device, the file
 * system's journal included. Everything that writes in the background or for a client takes from it: groups of the
 * log, the filling of new log files, data files, the root. The log comes first; the others take what it leaves, and
 * at least an eighth, so that checkpoints always progress.
 *
 * A write counts as one per piece that the device takes, and a durable one, on a device with a volatile cache and without FUA, as
 * one more for the flush (the kernel counts an empty write; seen in /sys/block/DEV/stat: 2.02 writes for each 4 KiB
 * written O_DIRECT|O_DSYNC into a zero-filled ext4 file; the .02 are the journal's commits of the time stamp, every
 * 5 s). A sixteenth of the cap is left to such commits and to opening and deleting files (a quarter of caps below
 * 40); bursts of up to a twentieth make up for timers that fire late, and are taken off the rate. Caps below 100 can
 * be exceeded by one group.
 *
 * Owner: the node, from before the first write to after the last; all its cores take from it at the same time.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct reactor;

enum {
    DEVICE_PACE_PIECE_BYTES = 256 << 10, /* at most: volumes that sell writes count so */
    /* Of the journal when a file became longer: blocks of metadata, then the commit (seen on ext4), and one more when
     * these blocks go to their places. The commit has the names of the files made before, too, so syncing their folder
     * seldom finds anything left to write. */
    DEVICE_PACE_SYNC = 3,
    DEVICE_PACE_SYNC_FOLDER = 1,
    DEVICE_PACE_UNLINK = 1
};

enum device_pace_use { DEVICE_PACE_LOG, DEVICE_PACE_DATA };

struct device_pace {
    uint64_t interval_ns;      /* of one device write; 0 = no cap */
    uint64_t burst_ns;         /* time that may be made up for */
    uint64_t piece_bytes;      /* of one device write; 0 = any, when there is no cap */
    unsigned flushes;          /* per durable write: 0 or 1 */
    _Atomic uint64_t free_ns;  /* all that was charged is worked off at this time */
    _Atomic uint64_t share_ns; /* the same of the share that the log leaves in any case */
};

/* iops 0 = no cap. Looks at the block device of `dir` when there is a cap; one it cannot see counts as one that needs
 * flushes. Blocking; at start. */
void device_pace_init(struct device_pace *p, struct reactor *r, const char *dir, unsigned iops);

/* Device writes that a write of so many bytes counts as. */
unsigned device_pace_writes(const struct device_pace *p, uint64_t bytes, bool durable);

/* So many writes shall begin: 0, they are charged; or the ns after which to ask again. p may be NULL: no cap. */
uint64_t device_pace_take(struct device_pace *p, enum device_pace_use use, uint64_t now_ns,
                          unsigned writes);

/* So many writes begin in any case. p may be NULL. */
void device_pace_charge(struct device_pace *p, uint64_t now_ns, unsigned writes);

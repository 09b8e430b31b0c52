#pragma once
/*
 * The cap of device writes: how long the next write of the log has to wait so that in no second the kernel counts more
 * than N writes of the device, the file system's journal included. Used by groups and by the filling of new files.
 *
 * A write counts as one per piece that the device takes, and a durable one, on a device with a volatile cache and without FUA, as
 * one more for the flush (the kernel counts an empty write; seen in /sys/block/DEV/stat: 2.02 writes for each 4 KiB
 * written O_DIRECT|O_DSYNC into a zero-filled ext4 file; the .02 are the journal's commits of the time stamp, every
 * 5 s). A thirty-second of the cap is left to such commits and to opening and deleting files (a quarter of caps below
 * 40); bursts of up to a twentieth make up for timers that fire late, and are taken off the rate. Caps below 100 can
 * be exceeded by one group.
 *
 * Owner: the log, on its core.
 */
#include <stdbool.h>
#include <stdint.h>

struct reactor;

enum { WLOG_PIECE_BYTES = 256 << 10 /* at most: volumes that sell writes count so */ };

struct wlog_pace {
    uint64_t interval_ns; /* of one device write; 0 = no cap */
    uint64_t burst_ns;    /* time that may be made up for */
    uint64_t free_ns;     /* all that was charged is worked off at this time */
    uint64_t piece_bytes; /* of one device write */
    unsigned flushes;     /* per durable write: 0 or 1 */
};

/* iops 0 = no cap. Looks at the block device of `dir` when there is a cap; one it cannot see counts as one that needs
 * flushes. Blocking; at start. */
void wlog_pace_init(struct wlog_pace *p, struct reactor *r, const char *dir, unsigned iops);

/* Time until a write of so many bytes may begin, ns; 0 = now. */
uint64_t wlog_pace_wait(const struct wlog_pace *p, uint64_t now_ns, uint64_t bytes, bool durable);

/* A write of so many bytes begins. */
void wlog_pace_charge(struct wlog_pace *p, uint64_t now_ns, uint64_t bytes, bool durable);

/* Device writes that a write counts as. */
unsigned wlog_pace_writes(const struct wlog_pace *p, uint64_t bytes, bool durable);

#pragma once
/*
 * Scan: a shard program at work on the slots of one core, a block at a time. Staged: scan_step does bounded work
 * (about one block) and answers READY when a result batch or the end is there, PENDING when it should be called
 * again (from a bulk task) or waits for a block (then `wake` is run). Owner: the core of the slots.
 *
 * Visibility: the segments and their row counts are pinned at scan_new; rows appended later are not seen; a row
 * deleted or updated meanwhile is seen whole, either before or after.
 */
#include "storage/program.h"
#include "storage/slot.h"

struct task;
struct scan;
struct group_whole;

struct scan_stats { /* for EXPLAIN ANALYZE */
    uint64_t rows_total, rows_matched, rows_out, blocks, blocks_skipped, ns;
    uint64_t segments,
        segments_pruned; /* a slot's parts of time partitions; not looked into for their times */
    uint32_t slots;
};

/* Program and schema must live until scan_free. Slots are borrowed (the shard pins the table while scanning). */
int scan_new(const struct program *p, const struct schema *s, struct slot *const *slots,
             uint32_t n_slots, struct budget *budget, struct task *wake, struct scan **out,
             struct error_info *err);
void scan_free(struct scan *x);

enum scan_state { SCAN_AGAIN, SCAN_WAIT, SCAN_BATCH, SCAN_WHOLE, SCAN_END, SCAN_ERROR };

/*
 * One step. SCAN_BATCH: *out views a batch valid until the next call: ROWS without order give batches of up to
 * batch_rows rows as they are found; GROUPS and ordered rows give their partial (in one or several batches, groups
 * each once per scan, in ascending ranges of their hashes) after the last block. SCAN_WHOLE: all groups lie where
 * scan_whole tells. SCAN_END: no more. SCAN_ERROR: error in scan_error.
 */
enum scan_state scan_step(struct scan *x, uint32_t batch_rows, struct batch *out);
/* Steps until one answers otherwise than SCAN_AGAIN or so much more scan_work is done: the answer of the last one. */
enum scan_state scan_run(struct scan *x, uint64_t work, uint32_t batch_rows, struct batch *out);
/* After SCAN_BATCH: nothing comes after it but SCAN_END. False when that is not known yet. */
bool scan_is_done(const struct scan *x);
/* GROUPS: those whose hashes (partial_hash) are below were all handed out before the last batch. */
uint64_t scan_below(const struct scan *x);
/* Before the first step: groups may be answered by SCAN_WHOLE, instead of in batches. */
void scan_allow_whole(struct scan *x);
/* After SCAN_WHOLE: constant until scan_unfold or scan_free. */
const struct group_whole *scan_whole(const struct scan *x);
/* After SCAN_WHOLE: batches after all. */
void scan_unfold(struct scan *x);
/* Before the first step: so many scans' groups are merged in one place, which holds ranges of all of them. */
void scan_share(struct scan *x, uint32_t n);
const struct error_info *scan_error(const struct scan *x);
const struct scan_stats *scan_stats(const struct scan *x);

/* Work done so far, in units of about 40 ns: counted, not measured, so that the simulator repeats it. */
uint64_t scan_work(const struct scan *x);

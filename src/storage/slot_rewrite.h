#pragma once
/*
 * Rewrite of a partition of a slot: its live rows are copied into a new segment, which then takes the place of the old
 * one, so that what the deleted rows held is free again. Statements and writes run meanwhile: a step copies some rows of
 * one block, a change of a row that was copied before is made in both segments, and the last step and the exchange are
 * one. Rows keep their order, and no log record tells of it: replay over the old file gives the same rows.
 *
 * Scans and cuts that have the old segment keep it, as with a dropped partition (slot_partition.c). A cut at work goes
 * on with the old segment, and its root names the old file; the next cut writes the new segment whole into a new one.
 * Owner: the slot's core.
 */
#include "storage/slot.h"

struct slot_part;
struct slot_rewrite;
struct task;
struct write_change;

enum slot_rewrite_state {
    SLOT_REWRITE_AGAIN, /* more to copy: another step, in another turn */
    SLOT_REWRITE_WAIT,  /* a block is being read; wake is run */
    SLOT_REWRITE_DONE,  /* the new segment is in its place */
    SLOT_REWRITE_ENDED, /* it was given up, the old segment stays; slot_rewrite_error tells why */
};

/*
 * Begins one of the i-th partition (as slot_segment counts them), step_rows rows at a time (0 = about a MiB of values).
 * The slot must outlive it. 0; -EBUSY: one is at work on the partition, or the table is being altered; -ENOMEM.
 */
int slot_rewrite_start(struct slot *t, uint32_t i, uint32_t step_rows, struct slot_rewrite **out);

/*
 * Copies some rows. It is given up (-ENOMEM; -EIO: a block cannot be read; -EBUSY: rows come faster than they are
 * copied; -ECANCELED: the partition went) without any harm. wake may be NULL when all is in memory.
 */
enum slot_rewrite_state slot_rewrite_step(struct slot_rewrite *x, struct task *wake);

/* Ends it, gives it up when it is not done: wake is not run by it any more. NULL is ignored. */
void slot_rewrite_free(struct slot_rewrite *x);

struct slot_rewrite_stats {
    uint64_t rows, reclaimed; /* copied; deleted ones of the old segment that are gone */
};
/* After SLOT_REWRITE_DONE. */
void slot_rewrite_get_stats(const struct slot_rewrite *x, struct slot_rewrite_stats *out);
/* After SLOT_REWRITE_ENDED. */
const struct error_info *slot_rewrite_error(const struct slot_rewrite *x);
int slot_rewrite_rc(const struct slot_rewrite *x);

/* What may be rewritten, for the i-th partition. */
struct slot_rewrite_part {
    int64_t partition;
    uint32_t rows, live;
    uint64_t written; /* tick of the last write, 0 = not since the start */
    uint64_t bytes;   /* that the copy will need, about */
    bool shared;      /* its file is one that other slots have, too (slot_split.h) */
};
void slot_rewrite_peek(const struct slot *t, uint32_t i, struct slot_rewrite_part *out);

/* --- for slot*.c only: what happens to a part with a rewrite at work --- */

/* A row was deleted from the segment. */
void slot_rewrite_delete(struct slot_part *p, uint32_t row, uint64_t hash);
/* n columns of a row were changed. */
void slot_rewrite_change(struct slot_part *p, uint32_t row, const struct write_change *changes,
                         uint32_t n);
/* The part goes, or its columns will be others. */
void slot_rewrite_stop(struct slot_part *p);
size_t slot_rewrite_memory(const struct slot_rewrite *x); /* bytes of the copy */

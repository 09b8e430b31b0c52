#pragma once
/* Inside of a checkpoint: the writer of extents (checkpoint_writer.c) and the staged operation (checkpoint.c). */
#include "storage/checkpoint.h"
#include "storage/slot_disk.h"

/*
 * Extents of one file after the other: one is filled while the one before is written. Owner: the checkpoint's work.
 */
struct checkpoint_writer {
    struct store *store;
    struct buffer extents[2];
    unsigned fill;           /* which is being filled */
    bool sealed;             /* that one has its trailer */
    struct store_file *file; /* that it will go to; the work's */
    bool writing;            /* the other one */
    struct store_append append;
    struct task *wake; /* bulk task of the work: run when it can go on */
    uint64_t bytes;    /* handed to the device */
    int rc;            /* a write failed: append.error */
};

void checkpoint_writer_init(struct checkpoint_writer *w, struct store *store, struct task *wake);
void checkpoint_writer_fini(struct checkpoint_writer *w); /* nothing being written, or abandoned */
/* The extent to fill, in memory: 0 or -ENOMEM. */
int checkpoint_writer_extent(struct checkpoint_writer *w, struct buffer **extent);
/* Offset in the file at which the extent will lie. */
uint64_t checkpoint_writer_at(const struct checkpoint_writer *w);
/* Nothing more comes into the extent: gives it its whole length. 0 or -ENOMEM. */
int checkpoint_writer_seal(struct checkpoint_writer *w);
/* Hands the filled extent to the device. STEP_PENDING: not yet, wake is run when to try again; *rc as the writer's. */
enum step checkpoint_writer_push(struct checkpoint_writer *w, int *rc);

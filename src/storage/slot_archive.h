#pragma once
/*
 * Archived partitions of a slot: their rows are not seen, not indexed and not written, and rows of their time are refused.
 * The segment stays in memory until a checkpoint has written it whole to a file of its own in archive/ and a durable root
 * names that; from then on there are only the file's name and figures. A slot without rows of the partition has it
 * archived all the same, so that it refuses them too. Owner: the slot's core.
 */
#include "storage/slot_disk.h"

struct archive_file;

/* A partition as it is archived, for telling. */
struct slot_archived_info {
    int64_t partition;
    uint64_t rows, bytes;
};

bool slot_is_archived(const struct slot *t, int64_t partition);
uint32_t slot_archived(const struct slot *t); /* how many */
void slot_archived_peek(const struct slot *t, uint32_t i, struct slot_archived_info *out);

/* Statements and cuts that have the segment go on reading it. *changed: it was not archived before. 0 or -ENOMEM. */
int slot_archive_partition(struct slot *t, int64_t partition, bool *changed);

/* The file that must be opened (slot_archive_open) before the partition can be restored; NULL = none. Borrowed. */
struct store_file *slot_archived_file(const struct slot *t, int64_t partition);
/* Its segment, all columns absent, from the directory in that file. Only slot_restore_partition makes it the slot's. */
int slot_archive_open(struct slot *t, struct store_file *file, const uint8_t *directory,
                      struct segment **out, struct error_info *err);
/*
 * Rows are seen and written again. opened: from slot_archive_open, taken over when 0 is answered, of the file that
 * slot_archived_file gives; else NULL. *changed: it was archived. 0; -ENOMEM; -EAGAIN: the file was not
 * opened, or not with the definition that the table has or will have.
 */
int slot_restore_partition(struct slot *t, int64_t partition, struct segment *opened,
                           bool *changed);
/* All of it at once, blocking (replay). */
int slot_restore_now(struct slot *t, int64_t partition, struct error_info *err);

/* Start: the root says that a partition is archived. Nothing is opened. 0 with the reference on its file, NULL = the slot
 * has no rows of it; -EBADMSG, -ENOMEM. */
struct root_file;
int slot_open_archived(struct slot *t, struct store *store, const struct root_file *f,
                       struct store_file **out, struct error_info *err);

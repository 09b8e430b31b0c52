#pragma once
/*
 * Split of slots: slot s of 2^k becomes 2s and 2s + 1 of 2^(k+1) by the next bit of the placing hash, at the start of a
 * node. Each opens the files of the old one and keeps the rows that are its own: the rest count as deleted in its row
 * masks, which are made anew at every start, and a rewrite (slot_rewrite.h) copies its rows into a segment of its own
 * while statements run. Nothing is written into a shared file: who has changed something in its segment, or has new
 * entries for its dictionaries, writes them whole into a file of its own at its next cut.
 */
#include "storage/slot.h"

/* A partition that was opened from a shared file: of its rows those whose place is this slot of 2^slot_bits stay. Without
 * any the slot does not have the partition. Blocking (start of the program), owner: the slot. 0, -ENOMEM, errors of reading. */
int slot_split_partition(struct slot *t, int64_t partition, unsigned slot_bits,
                         struct error_info *err);

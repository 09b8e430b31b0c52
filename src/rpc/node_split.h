#pragma once
/*
 * More slots in a data directory that has fewer (--slots), at the start of a node: every core opens what the slots that
 * came of an old one have of its files (storage/slot_split.h), log records of the old slots are split as they are
 * replayed, and when all that has gone well quanta.meta gets the new number, before anything is written with it. A crash
 * before that leaves the directory as it was, one after it a start that splits the same files again: root, log records and
 * remembered batches tell of how many doublings their slot numbers are. Core 0, blocking, before anything is served.
 */
#include "storage/type.h"

struct node;
struct reactor;
struct wlog_record;

unsigned node_split_bits(unsigned slots); /* so many or more slots */

/*
 * When more slots are wanted than there are, and no root names an archived partition (whose rows nobody can tell apart
 * before it is restored: then a line says so): makes the cores ready for them. 0, or an error with its text.
 */
int node_split_begin(struct node *n, struct reactor *r, struct error_info *err);
/* All is read and replayed: the number holds from now on. 0, or an error with its text. */
int node_split_end(struct node *n, struct error_info *err);

/* A record of a slot before it was split, for all slots that came of it. */
int node_split_replay(struct node *n, const struct wlog_record *rec,
                      int (*replay)(struct node *n, const struct wlog_record *rec,
                                    struct error_info *err),
                      struct error_info *err);

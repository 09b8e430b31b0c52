#pragma once
/* Replay of definition records. Core 0 at start. */
#include "rpc/local.h"

/* Every shard takes the catalog over; the reference goes with it. 0 or -ENOMEM. */
int local_take_catalog(struct node *n, struct catalog *next);

/* Also of a table that is altered. */
int local_replay_create(struct node *n, const struct wlog_record *rec, struct error_info *err);
int local_replay_drop(struct node *n, const struct wlog_record *rec);
int local_replay_truncate(struct local *l, const struct wlog_record *rec);
int local_replay_partition(struct local *l, const struct wlog_record *rec, struct error_info *err);

#pragma once
/* Definition changes: holding them back, and replay of their records at start. Core 0. */
#include "rpc/local.h"

/* Those that have not begun wait; a running one goes on. */
void local_ddl_hold(struct node *n, bool hold);

/* Every shard takes the catalog over; the reference goes with it. 0 or -ENOMEM. */
int local_take_catalog(struct node *n, struct catalog *next);

/* Also of a table that is altered. */
int local_replay_create(struct node *n, const struct wlog_record *rec, struct error_info *err);
int local_replay_rename(struct node *n, const struct wlog_record *rec, struct error_info *err);
int local_replay_drop(struct node *n, const struct wlog_record *rec);
int local_replay_truncate(struct local *l, const struct wlog_record *rec);
int local_replay_partition(struct local *l, const struct wlog_record *rec, struct error_info *err);

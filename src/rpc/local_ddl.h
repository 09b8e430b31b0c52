#pragma once
/* Replay of definition records. Core 0 at start. */
#include "rpc/local.h"

int local_replay_create(struct node *n, const struct wlog_record *rec, struct error_info *err);
int local_replay_drop(struct node *n, const struct wlog_record *rec);
int local_replay_truncate(struct local *l, const struct wlog_record *rec);

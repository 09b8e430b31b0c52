#pragma once
/* Replay of write records: the same application as when they were acknowledged. Core 0 at start. */
#include "rpc/local.h"

int local_replay_batch(struct local *l, const struct wlog_record *rec, struct error_info *err);

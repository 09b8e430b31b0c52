#pragma once
/*
 * Merge of partial results of one program: cores at the home core, nodes at the gateway; the same code. GROUPS:
 * groups with equal keys are combined, and then all, the first `limit` in an order or their number are given; ordered
 * ROWS: the first `limit` rows of all; unordered rows never come here.
 * Owner: one core, one operation.
 */
#include "storage/program.h"

struct merge;
struct budget;
struct group_whole;

int merge_new(const struct program *p, const struct schema *s, struct budget *budget,
              struct merge **out);
void merge_free(struct merge *m);
/* Takes in one partial batch (copied). -ENOMEM over program->memory, with a text. */
int merge_add(struct merge *m, const struct batch *b, struct error_info *err);
/* Takes in all groups of a source, which must stay where they are until the last merge_next. Either all sources have
 * theirs so, or none; merge_next then with MERGE_ALL only. 0 or -ENOMEM. */
int merge_add_whole(struct merge *m, const struct group_whole *w);
/* After all wholes: only a part of their groups is merged here; others, which have the same wholes, merge the others. */
void merge_share(struct merge *m, unsigned part, unsigned parts);
/* Takes in what such a merge gave, of groups in an order or counted; nothing else may have come. As merge_add. */
int merge_add_share(struct merge *m, const struct batch *b, struct error_info *err);
/*
 * Sources tell with each batch below which hash all their groups have come (0 at first, MERGE_ALL at the end);
 * `least` is the least of that over all sources. Next result batch of about max_rows rows (the merged partial, in
 * program output form): 1 with *out valid until the next call, 0 when there is none yet, or with MERGE_ALL none any
 * more, -EAGAIN when there is more to do first, -errno. What is ordered or counted comes at MERGE_ALL only.
 */
#define MERGE_ALL UINT64_MAX
int merge_next(struct merge *m, uint32_t max_rows, uint64_t least, struct batch *out);
/* Groups with hashes below were all handed out before the last batch. */
uint64_t merge_below(const struct merge *m);
/* Shall a source that stands at `below` go on? Not those ahead of others when much waits for these, and none when
 * much could be handed out. True for at least one of them once merge_next has none. */
bool merge_wants(const struct merge *m, uint64_t below, uint64_t least);

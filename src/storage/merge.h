#pragma once
/*
 * Merge of partial results of one program: cores at the home core, nodes at the gateway; the same code. GROUPS:
 * groups with equal keys are combined; ordered ROWS: the first `limit` rows of all; unordered rows never come here.
 * Owner: one core, one operation.
 */
#include "storage/program.h"

struct merge;
struct budget;

int merge_new(const struct program *p, const struct schema *s, struct budget *budget,
              struct merge **out);
void merge_free(struct merge *m);
/* Takes in one partial batch (copied). -ENOMEM over program->memory, with a text. */
int merge_add(struct merge *m, const struct batch *b, struct error_info *err);
/*
 * Sources tell with each batch below which hash all their groups have come (0 at first, MERGE_ALL at the end);
 * `least` is the least of that over all sources. Next result batch of about max_rows rows (the merged partial, in
 * program output form): 1 with *out valid until the next call, 0 when there is none yet, or with MERGE_ALL none any
 * more, -errno. Ordered rows come at MERGE_ALL only.
 */
#define MERGE_ALL UINT64_MAX
int merge_next(struct merge *m, uint32_t max_rows, uint64_t least, struct batch *out);
/* Groups with hashes below were all handed out before the last batch. */
uint64_t merge_below(const struct merge *m);
/* Shall a source that stands at `below` go on? Not those ahead of others when much waits for these, and none when
 * much could be handed out. True for at least one of them once merge_next has none. */
bool merge_wants(const struct merge *m, uint64_t below, uint64_t least);

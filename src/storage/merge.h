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
/* After the last add: next result batch of about max_rows rows (the merged partial, in program output form):
 * 1 with *out valid until the next call, 0 at the end, -errno. */
int merge_next(struct merge *m, uint32_t max_rows, struct batch *out);

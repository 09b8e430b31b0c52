#pragma once
/*
 * Tables of one session: their rows lie in a slot on the core of the session, in no log and on no other core. They are
 * asked and written through cluster.h like others; what tells them apart is schema->rows. Owner: the core that made
 * them, until the last reference on the definition is gone.
 */
#include "reactor/budget.h"
#include "rpc/cluster.h"

/* Ids of their definitions are from here on, so that they are none of the catalog's. */
#define TEMPORARY_FIRST_ID (1U << 31)

/* Rows for a finished definition, in memory charged to the budget, which outlives it; `id` is of this core. 0 or
 * -errno with a text. */
int temporary_new(struct schema *s, uint32_t id, struct budget *budget, struct error_info *err);
/* Statements at work go on with the rows that they began with. */
void temporary_truncate(const struct schema *s);
uint64_t temporary_rows(const struct schema *s);
size_t temporary_memory(const struct schema *s); /* bytes */

/* What cluster.c does with such definitions. */
struct slot *temporary_slot(const struct schema *s);
void temporary_query_start(struct cluster_query *q);
void temporary_write_start(struct cluster_write *w);

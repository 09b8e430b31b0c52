#pragma once
/* Figures of the tables of this process, as struct cluster_ops wants them. */
#include "rpc/cluster.h"

bool local_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out);
void local_tables_stats_start(struct cluster *c, struct cluster_tables_stats *t);

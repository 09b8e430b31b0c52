#pragma once
/* Partitions with their figures, summed up over slots, cores and nodes. Owner: the operation that gathers them. */
#include "rpc/cluster.h"

struct partition_list {
    struct cluster_partition *list; /* ascending; from malloc */
    uint32_t n, cap;
};

/* Adds to the partition with the same start: 0 or -ENOMEM. */
int partition_list_add(struct partition_list *l, const struct cluster_partition *p);
int partition_list_add_all(struct partition_list *to, const struct partition_list *from);

#pragma once
/* What stands behind a struct cluster: slots of this process (local_*.c) or of other nodes (remote_*.c). */
#include "rpc/cluster.h"

struct cluster_ops {
    struct catalog *(*catalog)(struct cluster *c);
    bool (*refresh_start)(struct cluster *c,
                          struct cluster_refresh *f); /* NULL: the catalog is always current */
    /* A write of which one part was refused with 1412 and no part told of a row: did none write? NULL: unknown. */
    bool (*is_refused_whole)(struct cluster *c, const struct cluster_write *w);
    void (*query_start)(struct cluster *c, struct cluster_query *q);
    void (*query_next)(struct cluster_query *q);
    void (*query_close)(struct cluster_query *q);
    void (*write_start)(struct cluster *c, struct cluster_write *w);
    void (*ddl_start)(struct cluster *c, struct cluster_ddl *d);
    void (*partitions_start)(struct cluster *c, struct cluster_partitions *p);
    bool (*table_stats)(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out);
    void (*tables_stats_start)(struct cluster *c,
                               struct cluster_tables_stats *t); /* NULL: nobody to ask */
};

/* First member of each implementation's per-core object. */
struct cluster {
    const struct cluster_ops *ops;
};

/* First member of each implementation's query object, which q->impl points to. */
struct cluster_query_impl {
    const struct cluster_ops *ops;
};

#pragma once
/*
 * TRUNCATE and DROP PARTITION: what goes at once from all slots of the node. They are definition changes (local_ddl.c):
 * every core prepares while writes to the table wait, the records of the change, which name no slot, are one group of
 * the log, then every core lets the rows go. So a restart finds all of it or nothing.
 */
#include "rpc/local.h"

struct removal { /* owner: the log's core; other cores read it while they are lent a leg */
    uint32_t table_id;
    bool all;                    /* TRUNCATE */
    struct wlog_record *records; /* for the log: one, or one per partition */
    uint32_t n;
    struct wlog_partition *payload; /* of each record of a partition */
};

/* 0, or -ENOENT, -EINVAL, -ENOMEM with a text. n is 0 when there is nothing to do. */
int removal_init(struct removal *r, const struct catalog *now, const struct cluster_ddl *d,
                 struct error_info *err);
void removal_fini(struct removal *r);

/* On every core: 0, -ENOMEM; then nothing can fail there. */
int removal_prepare(struct local *l, const struct removal *r);
void removal_take(struct local *l, const struct removal *r);
void removal_undo(struct local *l, const struct removal *r);

/* A record of LOG_TRUNCATE_TABLE or LOG_PARTITION without a slot. */
int removal_replay(struct node *n, const struct wlog_record *rec, struct error_info *err);

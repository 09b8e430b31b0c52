#include "rpc/local_removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_records(struct removal *r, const struct cluster_ddl *d)
{
    r->n = r->all ? 1 : d->n_partitions;
    r->records = calloc(r->n + 1UL, sizeof(*r->records));
    r->payload = calloc(r->n + 1UL, sizeof(*r->payload));
    if (!r->records || !r->payload)
        return -ENOMEM;
    for (uint32_t i = 0; i < r->n; i++) {
        struct wlog_partition *p = &r->payload[i];
        *p =
            (struct wlog_partition){r->table_id, LOG_PARTITION_DROP, r->all ? 0 : d->partitions[i]};
        r->records[i] = (struct wlog_record){.kind = r->all ? LOG_TRUNCATE_TABLE : LOG_PARTITION,
                                             .slot = BATCH_SLOT_ANY,
                                             .payload = r->all ? (const void *)&r->table_id : p,
                                             .len = r->all ? sizeof(r->table_id) : sizeof(*p)};
    }
    return 0;
}

int removal_init(struct removal *r, const struct catalog *now, const struct cluster_ddl *d,
                 struct error_info *err)
{
    const struct schema *s = catalog_find(now, d->name, strlen(d->name));

    if (!s || (d->table_id && d->table_id != s->table_id))
        return error_set(err, -ENOENT, 1146, "Table 'quanta.%s' doesn't exist", d->name);
    *r = (struct removal){.table_id = s->table_id, .all = d->kind == CLUSTER_TRUNCATE_TABLE};
    if (!r->all && d->n_partitions > CLUSTER_MAX_PARTITIONS)
        return error_set(err, -EINVAL, 1499, "%u partitions at once, allowed are %d",
                         d->n_partitions, CLUSTER_MAX_PARTITIONS);
    int rc = make_records(r, d);
    return rc ? error_set(err, rc, 1037, "out of memory for a change of table %s", s->name) : 0;
}

void removal_fini(struct removal *r)
{
    free(r->records);
    free(r->payload);
}

int removal_prepare(struct local *l, const struct removal *r)
{
    return shard_prepare_removal(l->shard, r->table_id, r->all);
}

void removal_take(struct local *l, const struct removal *r)
{
    for (uint32_t i = 0; !r->all && i < r->n; i++)
        shard_drop_partition_all(l->shard, r->table_id, r->payload[i].partition);
    shard_take_removal(l->shard, r->table_id);
}

void removal_undo(struct local *l, const struct removal *r)
{
    shard_drop_removal(l->shard, r->table_id);
}

/* ---- replay ---- */

static int replay_truncate(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    uint32_t table_id;
    int rc = 0;

    if (rec->len != sizeof(table_id))
        return error_set(err, -EBADMSG, 0, "a truncate record has %u bytes instead of %zu",
                         rec->len, sizeof(table_id));
    memcpy(&table_id, rec->payload, sizeof(table_id));
    for (unsigned i = 0; i < n->cores && !rc; i++)
        rc = shard_truncate(n->locals[i]->shard, table_id);
    if (rc == -ENOENT)
        return error_set(err, -EBADMSG, 0, "the log truncates table %u, which does not exist",
                         table_id);
    return rc ? error_set(err, rc, 0, "out of memory truncating a table") : 0;
}

static int replay_drop(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    struct wlog_partition p;

    if (rec->len != sizeof(p))
        return error_set(err, -EBADMSG, 0, "a partition record has %u bytes instead of %zu",
                         rec->len, sizeof(p));
    memcpy(&p, rec->payload, sizeof(p));
    if (p.operation != LOG_PARTITION_DROP)
        return error_set(err, -EBADMSG, 0,
                         "the log has partition operation %u of all slots; this program knows %d",
                         p.operation, LOG_PARTITION_DROP);
    for (unsigned i = 0; i < n->cores; i++)
        shard_drop_partition_all(n->locals[i]->shard, p.table_id, p.partition);
    return 0;
}

int removal_replay(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    return rec->kind == LOG_TRUNCATE_TABLE ? replay_truncate(n, rec, err)
                                           : replay_drop(n, rec, err);
}

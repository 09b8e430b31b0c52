/*
 * Time partitions of the slots of this process. A partition goes like a write: every core drops it from its slots and
 * logs that per slot, so that the record stands in the log exactly between the writes before and after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/local.h"
#include "rpc/local_ddl.h"
#include "rpc/partition_list.h"

struct partition_leg {
    struct leg leg; /* first */
    struct partition_op *op;
    struct log_submit submit;
    struct wlog_record *records; /* one per slot and partition */
    struct wlog_partition *payloads;
    struct partition_list found;
};

struct partition_op { /* owner: the home core; freed before done */
    struct local *home;
    struct cluster_ddl *ddl;         /* a change, or */
    struct cluster_partitions *info; /* a question */
    uint32_t table_id;
    unsigned lent;
    int rc;
    struct error_info error;
    struct task task; /* ends one that did not begin */
    struct partition_leg legs[];
};

static void op_free(struct partition_op *op)
{
    for (unsigned i = 0; i < op->home->node->cores; i++) {
        free(op->legs[i].records);
        free(op->legs[i].payloads);
        free(op->legs[i].found.list);
    }
    free(op);
}

static void op_done(struct partition_op *op)
{
    struct cluster_ddl *d = op->ddl;
    struct cluster_partitions *p = op->info;
    struct partition_list all = {0};

    for (unsigned i = 0; p && i < op->home->node->cores && !op->rc; i++)
        if (partition_list_add_all(&all, &op->legs[i].found))
            op->rc = error_set(&op->error, -ENOMEM, 1037, "out of memory");
    if (d) {
        d->rc = op->rc;
        d->error = op->error;
        op_free(op);
        d->done(d);
        return;
    }
    if (op->rc) {
        free(all.list);
        all = (struct partition_list){0};
    }
    p->rc = op->rc;
    p->error = op->error;
    p->list = all.list;
    p->n = all.n;
    op_free(op);
    p->done(p);
}

static int code_of(int rc)
{
    return rc == -ENOSPC ? 1021 : rc == -ENOMEM ? 1037 : 1026;
}

static void leg_home(struct leg *leg)
{
    struct partition_op *op = ((struct partition_leg *)leg)->op;

    if (leg->rc && !op->rc)
        op->rc = error_set(&op->error, leg->rc, code_of(leg->rc),
                           op->ddl ? "partitions of table %s cannot be dropped: %s"
                                   : "partitions of table %s cannot be told: %s",
                           op->ddl ? op->ddl->name : op->info->name, strerror(-leg->rc));
    if (!--op->lent)
        op_done(op);
}

static void op_task(struct task *t)
{
    op_done(container_of(t, struct partition_op, task));
}

/* Ends it soon, or gives the home's table and the legs. NULL: op_task is on its way. */
static struct partition_op *op_new(struct local *l, const char *name)
{
    struct partition_op *op =
        calloc(1, sizeof(*op) + l->node->cores * sizeof(struct partition_leg));

    ASSERT(op);
    op->home = l;
    op->task.run = op_task;
    const struct schema *s = catalog_find(shard_catalog(l->shard), name, strlen(name));
    if (s)
        op->table_id = s->table_id;
    else
        op->rc = error_set(&op->error, -ENOENT, 1146, "Table 'quanta.%s' doesn't exist", name);
    return op;
}

static void op_send(struct partition_op *op, leg_fn *run)
{
    struct local *l = op->home;

    if (op->rc) {
        reactor_task(l->reactor, &op->task, TASK_IO);
        return;
    }
    op->lent = l->node->cores;
    for (unsigned i = 0; i < l->node->cores; i++) {
        op->legs[i].op = op;
        op->legs[i].leg.run = run;
        op->legs[i].leg.done = leg_home;
    }
    for (unsigned i = 0; i < l->node->cores; i++)
        leg_send(l->reactor, &op->legs[i].leg, i, LEG_REQUEST);
}

/* --- DROP PARTITION --- */

static void drop_logged(struct log_submit *s)
{
    struct partition_leg *l = container_of(s, struct partition_leg, submit);

    l->leg.rc = s->rc;
    leg_reply(reactor_self(), &l->leg);
}

static uint32_t drop_all(struct partition_leg *l, struct local *local)
{
    const struct cluster_ddl *d = l->op->ddl;
    uint32_t slots = 1U << local->node->dir.slot_bits, n = 0;

    for (uint32_t i = reactor_core(local->reactor); i < slots; i += local->node->cores)
        for (uint32_t k = 0; k < d->n_partitions; k++) {
            if (!shard_drop_partition(local->shard, l->op->table_id, i, d->partitions[k]))
                continue;
            l->payloads[n] = (struct wlog_partition){.table_id = l->op->table_id,
                                                     .operation = LOG_PARTITION_DROP,
                                                     .partition = d->partitions[k]};
            l->records[n] = (struct wlog_record){.kind = LOG_PARTITION,
                                                 .slot = i,
                                                 .slot_lsn = ++local->slot_lsn[i],
                                                 .payload = &l->payloads[n],
                                                 .len = sizeof(l->payloads[n])};
            n++;
        }
    return n;
}

static void drop_run(struct leg *leg)
{
    struct partition_leg *l = (struct partition_leg *)leg;
    struct local *local = local_of(reactor_self());
    size_t max =
        ((1U << local->node->dir.slot_bits) / local->node->cores + 1UL) * l->op->ddl->n_partitions;
    uint32_t n = 0;

    l->records = calloc(max + 1, sizeof(*l->records));
    l->payloads = calloc(max + 1, sizeof(*l->payloads));
    leg->rc = l->records && l->payloads ? atomic_load(&local->node->refusing) : -ENOMEM;
    if (!leg->rc)
        n = drop_all(l, local);
    if (!n) {
        leg_reply(local->reactor, leg);
        return;
    }
    l->submit.done = drop_logged;
    log_submit(local, &l->submit, l->records, n);
}

void local_partition_start(struct local *l, struct cluster_ddl *d)
{
    struct partition_op *op = op_new(l, d->name);

    op->ddl = d;
    if (!op->rc && d->n_partitions > CLUSTER_MAX_PARTITIONS)
        op->rc = error_set(&op->error, -EINVAL, 1499, "%u partitions at once, allowed are %d",
                           d->n_partitions, CLUSTER_MAX_PARTITIONS);
    op_send(op, drop_run);
}

int local_replay_partition(struct local *l, const struct wlog_record *rec, struct error_info *err)
{
    struct wlog_partition p;

    if (rec->len != sizeof(p))
        return error_set(err, -EBADMSG, 0, "a partition record has %u bytes instead of %zu",
                         rec->len, sizeof(p));
    memcpy(&p, rec->payload, sizeof(p));
    if (p.operation != LOG_PARTITION_DROP)
        return error_set(err, -EBADMSG, 0,
                         "the log has partition operation %u; this program knows %d", p.operation,
                         LOG_PARTITION_DROP);
    l->slot_lsn[rec->slot] = rec->slot_lsn;
    (void)shard_drop_partition(l->shard, p.table_id, rec->slot, p.partition);
    return 0;
}

/* --- which there are --- */

static int tell_slot(struct partition_list *list, const struct slot *t)
{
    int rc = 0;

    for (uint32_t i = 0; i < slot_segments(t) && !rc; i++) {
        const struct segment *g = slot_segment(t, i);
        uint64_t memory = segment_memory(g), file = segment_file_live(g);

        rc = partition_list_add(list, segment_partition(g), segment_live(g),
                                memory > file ? memory : file);
    }
    return rc;
}

static void tell_run(struct leg *leg)
{
    struct partition_leg *l = (struct partition_leg *)leg;
    struct local *local = local_of(reactor_self());
    struct shard_pin pin;

    leg->rc = 0;
    if (!shard_pin(local->shard, l->op->table_id, &pin)) { /* else it was dropped meanwhile */
        for (uint32_t i = 0; i < pin.n_slots && !leg->rc; i++)
            leg->rc = tell_slot(&l->found, pin.slots[i]);
        shard_unpin(local->shard, &pin);
    }
    leg_reply(local->reactor, leg);
}

void local_partitions_start(struct cluster *c, struct cluster_partitions *p)
{
    struct partition_op *op = op_new((struct local *)c, p->name);

    op->info = p;
    op_send(op, tell_run);
}

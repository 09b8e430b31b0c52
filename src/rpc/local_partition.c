/*
 * Time partitions of the slots of this process. A partition is archived or restored like a write: every core does it in
 * its slots and logs that per slot, so that the record stands in the log exactly between the writes before and after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/local.h"
#include "rpc/local_ddl.h"
#include "rpc/partition_list.h"
#include "rpc/refuse.h"
#include "storage/archive_open.h"

enum { CHANGE_RETRY_NS = 1000000 };

static const struct {
    uint8_t operation; /* enum wlog_partition_operation */
    const char *done;
} kinds[] = {
    [CLUSTER_ARCHIVE_PARTITION] = {LOG_PARTITION_ARCHIVE, "archived"},
    [CLUSTER_RESTORE_PARTITION] = {LOG_PARTITION_RESTORE, "restored"},
};

struct partition_leg {
    struct leg leg; /* first */
    struct partition_op *op;
    struct log_submit submit;
    struct timer retry;          /* the table is being changed */
    struct wlog_record *records; /* one per slot and partition */
    struct wlog_partition *payloads;
    uint32_t n_records;
    int rc; /* of the changes before it was logged */
    struct error_info error;
    struct shard_pin pin; /* RESTORE, from the opening to the change */
    struct archive_open open;
    struct partition_list found;
};

struct partition_op { /* owner: the home core; freed before done */
    struct local *home;
    struct cluster_ddl *ddl;         /* a change, or */
    struct cluster_partitions *info; /* a question */
    uint32_t table_id;
    unsigned lent;
    bool opening, again; /* RESTORE: the files first; a checkpoint has made one since */
    int rc;
    struct error_info error;
    struct task task; /* ends one that did not begin */
    struct partition_leg legs[];
};

static void op_free(struct partition_op *op)
{
    for (unsigned i = 0; i < op->home->node->cores; i++)
        free(op->legs[i].found.list);
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

static void change_next(struct partition_op *op);

static int code_of(int rc)
{
    return rc == -ENOSPC ? 1021 : rc == -ENOMEM ? 1037 : 1026;
}

static void leg_home(struct leg *leg)
{
    struct partition_leg *l = (struct partition_leg *)leg;
    struct partition_op *op = l->op;
    bool has_text = op->opening && l->error.text[0];

    if (leg->rc == -EAGAIN && op->ddl)
        op->again = true;
    else if (leg->rc && !op->rc)
        op->rc = error_set(&op->error, leg->rc, has_text ? l->error.code : code_of(leg->rc),
                           "partitions of table %s cannot be %s: %s",
                           op->ddl ? op->ddl->name : op->info->name,
                           op->ddl ? kinds[op->ddl->kind].done : "told",
                           has_text ? l->error.text : strerror(-leg->rc));
    if (--op->lent)
        return;
    if (op->ddl)
        change_next(op);
    else
        op_done(op);
}

static void op_task(struct task *t)
{
    op_done(container_of(t, struct partition_op, task));
}

/* Knows its table, or how it ends. NULL: no memory. */
static struct partition_op *op_new(struct local *l, const char *name)
{
    struct partition_op *op =
        calloc(1, sizeof(*op) + l->node->cores * sizeof(struct partition_leg));

    if (!op)
        return NULL;
    op->home = l;
    op->task.run = op_task;
    const struct schema *s = catalog_find(shard_catalog(l->shard), name, strlen(name));
    if (s)
        op->table_id = s->table_id;
    else
        op->rc = error_set(&op->error, -ENOENT, 1146, "Table 'quanta.%s' doesn't exist", name);
    return op;
}

static void op_lend(struct partition_op *op, leg_fn *run)
{
    struct local *l = op->home;

    op->lent = l->node->cores;
    for (unsigned i = 0; i < l->node->cores; i++) {
        op->legs[i].op = op;
        op->legs[i].leg.run = run;
        op->legs[i].leg.done = leg_home;
    }
    for (unsigned i = 0; i < l->node->cores; i++)
        leg_send(l->reactor, &op->legs[i].leg, i, LEG_REQUEST);
}

static void op_send(struct partition_op *op, leg_fn *run)
{
    if (op->rc)
        reactor_task(op->home->reactor, &op->task, TASK_IO);
    else
        op_lend(op, run);
}

/* --- changes --- */

static void change_end(struct partition_leg *l)
{
    struct local *local = local_of(reactor_self());

    archive_open_fini(&l->open);
    if (l->pin.table)
        shard_unpin(local->shard, &l->pin);
    free(l->records);
    free(l->payloads);
    l->records = NULL;
    l->payloads = NULL;
    leg_reply(local->reactor, &l->leg);
}

static void change_logged(struct log_submit *s)
{
    struct partition_leg *l = container_of(s, struct partition_leg, submit);

    l->leg.rc = s->rc ? s->rc : l->rc;
    change_end(l);
}

/* opened: what was opened for it, for RESTORE. */
static int change_slot(struct partition_leg *l, struct slot *slot, int64_t partition,
                       struct archive_opened *opened, bool *changed)
{
    struct segment *g = NULL;
    int rc;

    if (l->op->ddl->kind == CLUSTER_ARCHIVE_PARTITION)
        return slot_archive_partition(slot, partition, changed);
    if (opened && opened->slot == slot) { /* not truncated meanwhile */
        g = opened->segment;
        opened->segment = NULL;
    }
    rc = slot_restore_partition(slot, partition, g, changed);
    if (rc && g)
        segment_put(g);
    return rc;
}

static void add_record(struct partition_leg *l, struct local *local, uint32_t slot,
                       int64_t partition)
{
    uint32_t n = l->n_records++;

    l->payloads[n] = (struct wlog_partition){.table_id = l->op->table_id,
                                             .operation = kinds[l->op->ddl->kind].operation,
                                             .partition = partition};
    l->records[n] = (struct wlog_record){.kind = LOG_PARTITION,
                                         .doublings = (uint8_t)local->node->dir.doublings,
                                         .slot = slot,
                                         .slot_lsn = ++local->slot_lsn[slot],
                                         .payload = &l->payloads[n],
                                         .len = sizeof(l->payloads[n])};
}

/* Up to the first that cannot be changed; what was changed is logged in any case. */
static int change_all(struct partition_leg *l, struct local *local)
{
    const struct cluster_ddl *d = l->op->ddl;
    uint32_t slots = 1U << local->node->dir.slot_bits, at = 0;

    for (uint32_t i = reactor_core(local->reactor); i < slots; i += local->node->cores) {
        struct slot *slot = shard_slot(local->shard, l->op->table_id, i);
        for (uint32_t k = 0; slot && k < d->n_partitions; k++, at++) {
            bool changed = false;
            struct archive_opened *opened = l->open.list ? &l->open.list[at] : NULL;
            int rc = change_slot(l, slot, d->partitions[k], opened, &changed);
            if (rc)
                return rc;
            if (changed)
                add_record(l, local, i, d->partitions[k]);
        }
    }
    return 0;
}

static void change_run(struct leg *leg);

static void retried(struct timer *t)
{
    change_run(&container_of(t, struct partition_leg, retry)->leg);
}

static void change_run(struct leg *leg)
{
    struct partition_leg *l = (struct partition_leg *)leg;
    struct local *local = local_of(reactor_self());
    size_t max =
        ((1U << local->node->dir.slot_bits) / local->node->cores + 1UL) * l->op->ddl->n_partitions;

    if (l->op->rc) { /* another core could not open what it needs */
        leg->rc = 0;
        change_end(l);
        return;
    }
    if (shard_is_changing(local->shard, l->op->table_id)) {
        l->retry.fire = retried;
        timer_arm(local->reactor, &l->retry, CHANGE_RETRY_NS);
        return;
    }
    l->n_records = 0;
    l->records = calloc(max + 1, sizeof(*l->records));
    l->payloads = calloc(max + 1, sizeof(*l->payloads));
    l->rc = l->records && l->payloads ? atomic_load(&local->node->refusing) : -ENOMEM;
    if (!l->rc)
        l->rc = change_all(l, local);
    if (!l->n_records) {
        leg->rc = l->rc;
        change_end(l);
        return;
    }
    l->submit.done = change_logged;
    log_submit(local, &l->submit, l->records, l->n_records);
}

/* RESTORE: first everything is opened, so that a file that is not there changes nothing. */
static void open_done(struct archive_open *x)
{
    struct partition_leg *l = x->ctx;

    l->leg.rc = x->rc;
    l->error = x->error;
    leg_reply(reactor_self(), &l->leg);
}

static void open_run(struct leg *leg)
{
    struct partition_leg *l = (struct partition_leg *)leg;
    struct local *local = local_of(reactor_self());
    const struct cluster_ddl *d = l->op->ddl;

    l->open = (struct archive_open){.store = local->store, .done = open_done, .ctx = l};
    leg->rc = shard_pin(local->shard, l->op->table_id, &l->pin);
    for (uint32_t i = 0; !leg->rc && i < l->pin.n_slots; i++)
        for (uint32_t k = 0; !leg->rc && k < d->n_partitions; k++)
            leg->rc = archive_open_add(&l->open, l->pin.slots[i], d->partitions[k]);
    if (leg->rc)
        leg_reply(local->reactor, leg);
    else
        archive_open_start(&l->open);
}

static void change_next(struct partition_op *op)
{
    if (op->opening) {
        op->opening = false;
        op_lend(op, change_run);
    } else if (op->again && !op->rc) {
        op->again = false;
        op->opening = true;
        op_lend(op, open_run);
    } else {
        op_done(op);
    }
}

void local_partition_start(struct local *l, struct cluster_ddl *d)
{
    struct partition_op *op = op_new(l, d->name);

    if (!op) {
        refuse_ddl(l->reactor, d);
        return;
    }
    op->ddl = d;
    if (!op->rc && d->n_partitions > CLUSTER_MAX_PARTITIONS)
        op->rc = error_set(&op->error, -EINVAL, 1499, "%u partitions at once, allowed are %d",
                           d->n_partitions, CLUSTER_MAX_PARTITIONS);
    op->opening = d->kind == CLUSTER_RESTORE_PARTITION;
    op_send(op, op->opening ? open_run : change_run);
}

int local_replay_partition(struct local *l, const struct wlog_record *rec, struct error_info *err)
{
    struct wlog_partition p;
    bool changed;
    int rc = 0;

    if (rec->len != sizeof(p))
        return error_set(err, -EBADMSG, 0, "a partition record has %u bytes instead of %zu",
                         rec->len, sizeof(p));
    memcpy(&p, rec->payload, sizeof(p));
    if (p.operation < LOG_PARTITION_DROP || p.operation > LOG_PARTITION_RESTORE)
        return error_set(err, -EBADMSG, 0,
                         "the log has partition operation %u; this program knows %d to %d",
                         p.operation, LOG_PARTITION_DROP, LOG_PARTITION_RESTORE);
    l->slot_lsn[rec->slot] = rec->slot_lsn;
    struct slot *slot = shard_slot(l->shard, p.table_id, rec->slot);
    if (!slot)
        return 0; /* of a table that is gone */
    if (p.operation == LOG_PARTITION_RESTORE)
        return slot_restore_now(slot, p.partition, err);
    if (p.operation == LOG_PARTITION_DROP)
        (void)slot_drop_partition(slot, p.partition);
    else
        rc = slot_archive_partition(slot, p.partition, &changed);
    return rc ? error_set(err, rc, 0, "out of memory archiving a partition") : 0;
}

/* --- which there are --- */

static int tell_slot(struct partition_list *list, const struct slot *t)
{
    int rc = 0;

    for (uint32_t i = 0; i < slot_segments(t) && !rc; i++) {
        const struct segment *g = slot_segment(t, i);
        uint64_t memory = segment_memory(g), file = segment_file_live(g);

        struct cluster_partition p = {.start = segment_partition(g),
                                      .rows = segment_live(g),
                                      .bytes = memory > file ? memory : file};

        rc = partition_list_add(list, &p);
    }
    for (uint32_t i = 0; i < slot_archived(t) && !rc; i++) {
        struct slot_archived_info a;

        slot_archived_peek(t, i, &a);
        rc = partition_list_add(list,
                                &(struct cluster_partition){a.partition, a.rows, a.bytes, true});
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
    struct local *l = (struct local *)c;
    struct partition_op *op = op_new(l, p->name);

    if (!op) {
        refuse_partitions(l->reactor, p);
        return;
    }
    op->info = p;
    op_send(op, tell_run);
}

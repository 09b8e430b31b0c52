#include "rpc/local_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/assert.h"
#include "rpc/local.h"
#include "rpc/local_load.h"
#include "storage/merge.h"

/* Of scan_work: blocks that cost little share a turn of about 50 us, after which the core's other work has its own. */
enum { TURN_WORK = 1250 };

struct shard_scan { /* owner: the core of the slots; lives from the first SCAN_NEXT to SCAN_CLOSE */
    struct local *local;
    struct scan_leg *leg; /* while lent; NULL when at home */
    struct scan *scan;
    struct merge *united; /* after SCAN_UNITE */
    uint64_t merge_ns;    /* spent in it */
    struct shard_pin pin;
    struct task task; /* bulk: a turn of TURN_WORK */
};

static void close_scan(struct local *local, struct scan_leg *l)
{
    struct shard_scan *x = l->scan;

    ASSERT(!x->task.queued);
    merge_free(x->united);
    scan_free(x->scan);
    shard_unpin(local->shard, &x->pin);
    free(x);
    l->scan = NULL;
}

/* After this answer the scan is of no use: the leg need not come again to have it closed. */
static bool is_over(struct shard_scan *x)
{
    struct scan_leg *l = x->leg;

    if (x->united || x->task.queued)
        return false;
    if (l->state == SCAN_LEG_END)
        return true;
    if (!l->last || l->batch.len > SCAN_LEG_SMALL)
        return false;
    memcpy(l->small, l->batch.bytes, l->batch.len);
    batch_open_trusted(l->small, &l->batch);
    return true;
}

static void reply(struct shard_scan *x, enum scan_leg_state state)
{
    struct local *local = x->local;
    struct scan_leg *l = x->leg;

    l->state = state;
    l->last = state == SCAN_LEG_BATCH && !x->united && scan_is_done(x->scan);
    l->stats = *scan_stats(x->scan);
    l->stats.ns += x->merge_ns;
    if (is_over(x))
        close_scan(local, l);
    else
        x->leg = NULL;
    leg_reply(local->reactor, &l->leg);
}

static void reply_error(struct shard_scan *x, int code, const char *text)
{
    error_set(&x->leg->error, -EIO, code, "%s", text);
    reply(x, SCAN_LEG_ERROR);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* A step of the merge of this core's part of the groups of all. */
static void unite_step(struct shard_scan *x)
{
    uint64_t start = now_ns();
    int rc = merge_next(x->united, x->leg->batch_rows, MERGE_ALL, &x->leg->batch);

    x->merge_ns += now_ns() - start;
    if (rc == -EAGAIN) {
        reactor_task(x->local->reactor, &x->task, TASK_BULK);
    } else if (rc < 0) {
        error_set(&x->leg->error, rc, rc == -ENOMEM ? 1038 : 0, "merging groups failed: %s",
                  strerror(-rc));
        reply(x, SCAN_LEG_ERROR);
    } else {
        reply(x, rc ? SCAN_LEG_BATCH : SCAN_LEG_END);
    }
}

static void shard_scan_step(struct task *t)
{
    struct shard_scan *x = (struct shard_scan *)((char *)t - offsetof(struct shard_scan, task));

    if (!x->leg)
        return; /* woken by a block that is no longer waited for */
    if (atomic_load_explicit(x->leg->cancelled, memory_order_relaxed)) {
        reply_error(x, 1317, "Query execution was interrupted");
        return;
    }
    if (x->leg->deadline_ns && reactor_now_ns(x->local->reactor) > x->leg->deadline_ns) {
        reply_error(x, 3024,
                    "Query execution was interrupted, maximum statement execution time exceeded");
        return;
    }
    local_spare_statements(x->local);
    if (x->united) {
        unite_step(x);
        return;
    }
    switch (scan_run(x->scan, TURN_WORK, x->leg->batch_rows, &x->leg->batch)) {
    case SCAN_AGAIN:
        reactor_task(x->local->reactor, &x->task, TASK_BULK);
        return;
    case SCAN_WAIT:
        return;
    case SCAN_BATCH:
        x->leg->below = scan_below(x->scan);
        reply(x, SCAN_LEG_BATCH);
        return;
    case SCAN_WHOLE:
        x->leg->whole = scan_whole(x->scan);
        reply(x, SCAN_LEG_WHOLE);
        return;
    case SCAN_END:
        reply(x, SCAN_LEG_END);
        return;
    case SCAN_ERROR:
        x->leg->error = *scan_error(x->scan);
        reply(x, SCAN_LEG_ERROR);
        return;
    }
}

/* Slots are never older than what statements know, and with a newer definition columns are where they were. */
static bool is_known(const struct local *local, const struct scan_leg *l)
{
    struct slot *any = shard_slot(local->shard, l->program->table_id, reactor_core(local->reactor));

    return !any || slot_schema(any)->version >= l->schema->version;
}

static int open_scan(struct local *local, struct scan_leg *l)
{
    struct schema *now = catalog_find_id(shard_catalog(local->shard), l->program->table_id);
    struct shard_scan *x = calloc(1, sizeof(*x));

    if (!now || !is_known(local, l)) {
        free(x);
        return error_set(&l->error, -ESTALE, 1412,
                         "Table definition of '%s' has changed, please retry", l->schema->name);
    }
    if (!x)
        return error_set(&l->error, -ENOMEM, 1037, "out of memory at the start of a scan");
    x->local = local;
    x->task.run = shard_scan_step;
    int rc = shard_pin(local->shard, l->program->table_id, &x->pin);
    ASSERT(!rc);
    struct slot **slots = x->pin.slots;
    uint32_t n = x->pin.n_slots;
    if (l->slot != BATCH_SLOT_ANY) {
        slots += l->slot / local->node->cores;
        n = 1;
    }
    rc = scan_new(l->program, l->schema, slots, n, reactor_budget(local->reactor), &x->task,
                  &x->scan, &l->error);
    if (rc) {
        shard_unpin(local->shard, &x->pin);
        free(x);
        return rc;
    }
    scan_share(x->scan, l->shares);
    if (!l->program
             ->shares) /* else what the home core gives is merged again, in the order of hashes */
        scan_allow_whole(x->scan);
    l->scan = x;
    return 0;
}

static int begin_unite(struct local *local, struct scan_leg *l)
{
    struct merge **m = &l->scan->united;
    int rc = merge_new(l->program, l->schema, reactor_budget(local->reactor), m);

    for (unsigned i = 0; i < l->n_all && !rc; i++)
        if (l->all[i].whole)
            rc = merge_add_whole(*m, l->all[i].whole);
    if (rc)
        return error_set(&l->error, rc, 1037, "out of memory at the merge of groups");
    merge_share(*m, l->part, l->parts);
    return 0;
}

void scan_leg_run(struct leg *leg)
{
    struct scan_leg *l = (struct scan_leg *)leg;
    struct local *local = local_of(reactor_self());

    if (l->command == SCAN_CLOSE) {
        close_scan(local, l);
        l->state = SCAN_LEG_END;
        leg_reply(local->reactor, leg);
        return;
    }
    if ((!l->scan && open_scan(local, l)) || (l->command == SCAN_UNITE && begin_unite(local, l))) {
        l->state = SCAN_LEG_ERROR;
        leg_reply(local->reactor, leg);
        return;
    }
    if (l->command == SCAN_UNFOLD)
        scan_unfold(l->scan->scan);
    l->scan->leg = l;
    reactor_task(local->reactor, &l->scan->task, TASK_BULK);
}

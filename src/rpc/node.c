#include "rpc/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "rpc/local.h"
#include "rpc/local_checkpoint.h"
#include "rpc/local_ddl.h"
#include "rpc/local_load.h"
#include "rpc/local_removal.h"
#include "rpc/local_retention.h"
#include "rpc/local_rewrite.h"
#include "rpc/local_stats.h"
#include "rpc/local_write.h"
#include "rpc/node_restore.h"
#include "rpc/node_split.h"
#include "storage/store.h"

enum {
    SEAL_TICK_NS = 1000000000,
    READY_CHECK_NS = 1000000,
    LOG_RETRY_NS = 2000000,
    LOG_TRIES = 500,
    DATA_SHARE = 16, /* of 16 parts of a core's memory rows may take 15; the rest answers queries */
};

struct closing { /* owner: core 0; of the node, so that ending needs no memory */
    struct node *node;
    struct checkpoint_wait last;
    struct timer again;
    unsigned tries;
    void (*closed)(void *ctx);
    void *ctx;
    unsigned lent;
    struct closing_leg {
        struct load_stop stop; /* first */
        struct closing *owner;
    } legs[]; /* one per core */
};

static void tell_slots(const struct node *n)
{
    unsigned slots = 1U << n->dir.slot_bits, asked = n->config.slots;

    if (slots < n->cores)
        log_warn("%u slots on %u cores: %u cores will hold no data%s", slots, n->cores,
                 n->cores - slots,
                 n->config.splits_slots ? "; a start with more --slots splits them" : "");
    if (asked && slots != 1U << node_split_bits(asked))
        log_warn("--slots %u does not count: data directory %s has %u slots", asked, n->data_dir,
                 slots);
}

int node_new(const struct node_config *config, struct reactor_group *g, struct node **out,
             struct error_info *err)
{
    struct node *n = calloc(1, sizeof(*n));

    if (!n)
        return error_set(err, -ENOMEM, 0, "out of memory at start");
    n->config = *config;
    n->group = g;
    n->cores = reactor_group_count(g);
    n->dir.lock_fd = -1;
    n->data_dir = strdup(config->data_dir);
    n->name = strdup(config->name);
    n->locals = calloc(n->cores, sizeof(struct local *));
    n->closing = calloc(1, sizeof(*n->closing) + n->cores * sizeof(n->closing->legs[0]));
    int rc = n->data_dir && n->name && n->locals && n->closing
                 ? 0
                 : error_set(err, -ENOMEM, 0, "out of memory at start");
    if (!rc)
        rc = datadir_open(config->data_dir,
                          node_split_bits(config->slots ? config->slots : n->cores), &n->dir, err);
    if (!rc && (rc = datadir_upgrade(config->data_dir, &n->dir)))
        error_set(err, rc, 0, "cannot write quanta.meta in %s: %s", config->data_dir,
                  strerror(-rc));
    if (rc) {
        node_free(n);
        return rc;
    }
    n->split_from = n->dir.slot_bits;
    *out = n;
    return 0;
}

static struct catalog *local_catalog(struct cluster *c)
{
    return catalog_get(shard_catalog(((struct local *)c)->shard));
}

const struct cluster_ops local_ops = {
    .catalog = local_catalog,
    .query_start = local_query_start,
    .query_next = local_query_next,
    .query_close = local_query_close,
    .write_start = local_write_start,
    .ddl_start = local_ddl_start,
    .partitions_start = local_partitions_start,
    .table_stats = local_table_stats,
    .tables_stats_start = local_tables_stats_start,
};

static void seal_run(struct task *t)
{
    struct local *l = container_of(t, struct local, seal_task);

    if (shard_seal_quiet(l->shard, l->seal_tick))
        reactor_task(l->reactor, t, TASK_BULK);
}

static void seal_fired(struct timer *t)
{
    struct local *l = container_of(t, struct local, seal_timer);
    bool ready = atomic_load(&l->node->ready);

    if (ready) { /* until then core 0 replays into the shards of all cores */
        l->seal_tick++;
        local_load_tick(l);
        rewriter_tick(l);
        reactor_task(l->reactor, &l->seal_task, TASK_BULK);
    }
    timer_arm(l->reactor, t, ready ? SEAL_TICK_NS : READY_CHECK_NS);
}

int node_start_core(struct node *n, struct reactor *r, struct error_info *err)
{
    struct local *l = calloc(1, sizeof(*l));
    struct shard_config config = {
        .core = reactor_core(r),
        .cores = n->cores,
        .slot_bits = n->dir.slot_bits,
        .hash_seed = n->dir.hash_seed,
    };

    if (!l)
        return error_set(err, -ENOMEM, 0, "out of memory at start");
    budget_init(&l->data, "data", reactor_budget(r)->limit / DATA_SHARE * (DATA_SHARE - 1),
                reactor_budget(r));
    config.budget = &l->data;
    l->base.ops = &local_ops;
    l->node = n;
    l->reactor = r;
    l->slot_lsn = calloc((size_t)1 << n->dir.slot_bits, sizeof(*l->slot_lsn));
    int rc = l->slot_lsn
                 ? dedupe_init(&l->dedupe, 1U << n->dir.slot_bits, n->cores, n->dir.doublings)
                 : -ENOMEM;
    if (!rc)
        rc = shard_new(&config, &l->shard);
    if (!rc)
        rc = store_new(r, n->data_dir, n->dir.id, &l->store);
    if (!rc)
        store_set_pace(l->store, &n->pace);
    if (!rc)
        shard_set_store(l->shard, l->store, l->data.limit / 4);
    if (!rc)
        rc = rewriter_new(l);
    n->locals[config.core] = l;
    if (rc)
        return error_set(err, rc, 0, "core %u cannot start: %s", config.core, strerror(-rc));
    l->seal_task.run = seal_run;
    l->seal_timer.fire = seal_fired;
    timer_arm(r, &l->seal_timer, READY_CHECK_NS);
    reactor_set_local(r, LOCAL_SHARD, l);
    reactor_set_local(r, LOCAL_CLUSTER, l);
    return 0;
}

struct replay {
    struct node *node;
    struct error_info *err;
};

static int replay_slot(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    struct local *l = n->locals[shard_core_of_slot(rec->slot, n->cores)];

    if (rec->kind == LOG_BATCH)
        return local_replay_batch(l, rec, err);
    if (rec->kind == LOG_TRUNCATE_TABLE)
        return local_replay_truncate(l, rec);
    if (rec->kind == LOG_PARTITION)
        return local_replay_partition(l, rec, err);
    return error_set(err, -EBADMSG, 0,
                     "the log has a record of unknown kind %u; this program knows 1 to %d",
                     rec->kind, LOG_KINDS);
}

static int replay_record(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    struct replay *p = ctx;
    struct node *n = p->node;

    if (rec->kind == LOG_BARRIER || (rec->slot == BATCH_SLOT_ANY && node_lsn < n->definitions_lsn))
        return 0;
    n->replayed++;
    if (rec->kind == LOG_CREATE_TABLE || rec->kind == LOG_ALTER_TABLE)
        return local_replay_create(n, rec, p->err);
    if (rec->kind == LOG_RENAME_TABLE)
        return local_replay_rename(n, rec, p->err);
    if (rec->kind == LOG_DROP_TABLE)
        return local_replay_drop(n, rec);
    if (rec->slot == BATCH_SLOT_ANY &&
        (rec->kind == LOG_TRUNCATE_TABLE || rec->kind == LOG_PARTITION))
        return removal_replay(n, rec, p->err);
    if (rec->doublings > n->dir.doublings ||
        rec->slot >> (n->dir.slot_bits - n->dir.doublings + rec->doublings))
        return error_set(p->err, -EBADMSG, 0,
                         "the log has a record of slot %u after %u doublings; the data directory "
                         "has %u slots after %u",
                         rec->slot, rec->doublings, 1U << n->dir.slot_bits, n->dir.doublings);
    /* Of the slots that came of it any will do: a root made since a doubling has all records before it. */
    if (rec->slot_lsn <= n->root_lsn[rec->slot << (n->dir.doublings - rec->doublings)]) {
        n->replayed--;
        return 0;
    }
    return rec->doublings < n->dir.doublings ? node_split_replay(n, rec, replay_slot, p->err)
                                             : replay_slot(n, rec, p->err);
}

static int open_log(struct node *n, struct reactor *r, uint64_t first_generation,
                    struct error_info *err)
{
    struct wlog_config config = {.dir = n->data_dir,
                                 .file_bytes = n->config.log_file_bytes,
                                 .pace = &n->pace,
                                 .first_generation = first_generation,
                                 .next_lsn = n->definitions_lsn};
    struct replay p = {n, err};

    device_pace_init(&n->pace, r, n->data_dir, n->config.log_iops);
    int rc = wlog_open(r, &config, replay_record, &p, &n->log, err);
    if (!rc)
        log_info("log: %llu records replayed from %s", (unsigned long long)n->replayed,
                 n->data_dir);
    return rc;
}

int node_replay(struct node *n, struct reactor *r, struct error_info *err)
{
    struct node_restored restored;

    ASSERT(reactor_core(r) == NODE_LOG_CORE);
    int rc = node_split_begin(n, r, err);
    if (rc)
        return rc;
    tell_slots(n);
    rc = node_restore(n, r, &restored, err);
    if (!rc)
        rc = open_log(n, r, restored.log_generation, err);
    int tidy = node_restore_tidy(n, r, &restored, rc != 0, err);
    if (!rc)
        rc = tidy;
    if (rc && n->split_from != n->dir.slot_bits)
        log_warn("slots: %u did not become %u; a start without --slots still has %u",
                 1U << n->split_from, 1U << n->dir.slot_bits, 1U << n->split_from);
    if (!rc)
        rc = node_split_end(n, err);
    if (!rc)
        rc = checkpoints_start(n, err);
    if (!rc && (rc = retention_start(n)))
        error_set(err, rc, 0, "out of memory at start");
    if (!rc)
        atomic_store(&n->ready, true);
    return rc;
}

static void close_log(struct closing *c)
{
    struct node *n = c->node;
    struct wlog *log = n->log;
    void (*closed)(void *ctx) = c->closed;
    void *closed_ctx = c->ctx;

    atomic_store(&n->refusing, -ESHUTDOWN);
    n->log = NULL;
    timer_cancel(reactor_self(), &n->space_timer);
    if (log)
        wlog_close(log, closed, closed_ctx);
    else
        closed(closed_ctx);
}

static void core_quiet(struct leg *leg)
{
    struct closing *c = ((struct closing_leg *)leg)->owner;

    if (!--c->lent)
        close_log(c);
}

static void quieten_cores(void *ctx)
{
    struct closing *c = ctx;

    c->lent = c->node->cores;
    for (unsigned i = 0; i < c->node->cores; i++) {
        struct closing_leg *l = &c->legs[i];
        l->owner = c;
        l->stop.leg.run = local_load_stop;
        l->stop.leg.done = core_quiet;
    }
    for (unsigned i = 0; i < c->node->cores; i++)
        leg_send(reactor_self(), &c->legs[i].stop.leg, i, LEG_REQUEST);
}

static void last_checkpoint_done(struct checkpoint_wait *w)
{
    struct closing *c = container_of(w, struct closing, last);

    checkpoints_stop(c->node, quieten_cores, c);
}

/* The last checkpoint: of a log that begins with it the next start has next to nothing to read. */
static void last_checkpoint(struct closing *c)
{
    struct node *n = c->node;

    if (!n->config.checkpoint_at_end || !checkpoints_can_request(n)) {
        checkpoints_stop(n, quieten_cores, c);
        return;
    }
    if (wlog_begin_file(n->log) == -EAGAIN && c->tries++ < LOG_TRIES) {
        timer_arm(reactor_self(), &c->again, LOG_RETRY_NS);
        return;
    }
    c->last.done = last_checkpoint_done;
    checkpoints_request(n, &c->last);
}

static void again_fired(struct timer *t)
{
    last_checkpoint(container_of(t, struct closing, again));
}

static void retention_ended(void *ctx)
{
    struct closing *c = ctx;

    c->again.fire = again_fired;
    if (!c->node->checkpoints) /* it never served */
        close_log(c);
    else
        last_checkpoint(c);
}

void node_close(struct node *n, void (*closed)(void *ctx), void *ctx)
{
    struct closing *c = n->closing;

    c->node = n;
    c->closed = closed;
    c->ctx = ctx;
    atomic_store(&n->ready, false);
    retention_stop(n, retention_ended, c);
}

void node_abandon(struct node *n)
{
    for (unsigned i = 0; i < n->cores; i++)
        if (n->locals[i] && n->locals[i]->store)
            store_abandon(n->locals[i]->store);
}

void node_free(struct node *n)
{
    if (!n)
        return;
    checkpoints_let_go(n);
    for (unsigned i = 0; n->locals && i < n->cores; i++) {
        struct local *l = n->locals[i];
        if (!l)
            continue;
        rewriter_free(l);
        shard_free(l->shard);
        store_free(l->store);
        dedupe_fini(&l->dedupe);
        free(l->slot_lsn);
        free(l);
    }
    free(n->locals);
    free(n->closing);
    log_free_held(n);
    checkpoints_free(n);
    retention_free(n);
    free(n->root_lsn);
    datadir_close(&n->dir);
    free(n->data_dir);
    free(n->name);
    free(n);
}

const char *node_name(const struct node *n)
{
    return n->name;
}

unsigned node_slot_bits(const struct node *n)
{
    return n->dir.slot_bits;
}

uint64_t node_hash_seed(const struct node *n)
{
    return n->dir.hash_seed;
}

bool node_is_ready(const struct node *n)
{
    return atomic_load(&((struct node *)n)->ready);
}

void node_log_stats(const struct node *n, struct wlog_stats *out)
{
    if (n->log)
        wlog_get_stats(n->log, out);
    else
        *out = (struct wlog_stats){0};
}

void node_checkpoint_stats(const struct node *n, struct node_checkpoint_stats *out)
{
    checkpoints_get_stats(n, out);
}

unsigned node_shared_files(const struct node *n)
{
    return atomic_load_explicit(&((struct node *)n)->shared_files, memory_order_relaxed);
}

void node_rewrite_stats(const struct node *n, struct node_rewrite_stats *out)
{
    *out = (struct node_rewrite_stats){0};
    for (unsigned i = 0; i < n->cores; i++) {
        struct local_rewrite_stats *s = &n->locals[i]->rewrite_stats;
        out->done += atomic_load_explicit(&s->done, memory_order_relaxed);
        out->given_up += atomic_load_explicit(&s->given_up, memory_order_relaxed);
        out->reclaimed += atomic_load_explicit(&s->reclaimed, memory_order_relaxed);
    }
}

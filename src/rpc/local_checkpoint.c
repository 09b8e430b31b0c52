#include "rpc/local_checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "rpc/local_ddl.h"
#include "rpc/root_writer.h"
#include "storage/checkpoint.h"

enum {
    TICK_NS = 100000000,
    QUIET_TICKS = 3000, /* something was written and no round was due for so long: one is made */
    SHORT_TICKS = 10,   /* between rounds for want of memory when nothing was written */
    ROUND_EXTRA_TICKS = 50,     /* at least, after a round that failed */
    LOG_LITTLE_BYTES = 1 << 20, /* read at a start in no time */
    PUT_OFF_TICKS = 10,         /* the same after one that was put off by a definition change */
    PUT_OFFS =
        3, /* of rounds, or of so many ticks at which one was due: then definitions wait for the next */
};

enum round_stage { ROUND_IDLE, ROUND_CORES, ROUND_ROOT, ROUND_END };

struct round_leg {  /* a core's share of a round */
    struct leg leg; /* first */
    struct checkpoints *owner;
    uint64_t catalog_version;
    struct checkpoint checkpoint;
    bool started;
    struct wlog_record barrier;
    struct log_submit submit;
    int64_t key_ms;
    int rc;
    struct error_info error;
};

struct checkpoints { /* owner: the log's core */
    struct node *node;
    struct timer tick;
    uint64_t ticks;                    /* since the last round began, or failed */
    unsigned put_offs;                 /* by definition changes, since the last good round */
    uint64_t pause;                    /* ticks until the next one, after one that failed */
    uint64_t bytes_found;              /* in the log at the start */
    uint64_t records_then, bytes_then; /* of the log that the last root covers */
    uint64_t records_now, bytes_now;   /* the same of the round at work */
    enum round_stage stage;
    bool stopping, committed;
    struct root_head head;
    struct catalog *catalog;
    uint64_t ddl_ended; /* when the round began */
    uint8_t *catalog_bytes;
    size_t catalog_len;
    uint64_t started_ns;
    unsigned lent;
    struct round_leg *legs; /* one per core */
    struct buffer **parts;  /* theirs */
    struct buffer root;
    struct root_writer writer;
    int rc;
    struct error_info error;
    struct checkpoint_wait *waits;  /* for the next round to begin */
    struct checkpoint_wait *served; /* by the round at work */
    struct node_checkpoint_stats stats;
    void (*ended)(void *ctx);
    void *ended_ctx;
};

static void round_end(struct checkpoints *k);

/* --- a core's share --- */

static int put_batches(const struct local *l, uint32_t slot, struct root_slot *out)
{
    struct root_batch *batches = calloc(dedupe_count(&l->dedupe, slot) + 1, sizeof(*batches));

    if (!batches)
        return -ENOMEM;
    out->batches = batches;
    out->n_batches = dedupe_copy(&l->dedupe, slot, batches);
    return 0;
}

static int slot_head(struct checkpoint *c, uint32_t slot, struct buffer *part)
{
    struct local *l = c->ctx;
    struct root_slot s = {.slot = slot, .lsn = l->slot_lsn[slot]};
    int rc = put_batches(l, slot, &s);

    if (!rc)
        rc = root_put_slot(part, &s);
    free((void *)s.batches);
    return rc;
}

static void share_logged(struct log_submit *s)
{
    struct round_leg *g = container_of(s, struct round_leg, submit);

    if (s->rc && s->rc != -ENOSPC)
        g->rc = error_set(&g->error, s->rc, 0, "the log cannot be written: %s", strerror(-s->rc));
    leg_reply(reactor_self(), &g->leg);
}

/*
 * What the cuts hold may not be newer than the log: the root would tell of rows that were never acknowledged. On a full
 * disk it may: those rows are kept for the log (local_log.c), replay will skip them, and only the round can free files.
 */
static void share_written(struct checkpoint *c)
{
    struct round_leg *g = container_of(c, struct round_leg, checkpoint);
    struct local *l = c->ctx;

    g->key_ms = l->key_ms;
    if (c->rc) {
        g->rc = c->rc;
        g->error = c->error;
    }
    if (c->rc || atomic_load_explicit(&l->node->refusing, memory_order_relaxed) == -ENOSPC) {
        leg_reply(l->reactor, &g->leg);
        return;
    }
    g->barrier = (struct wlog_record){.kind = LOG_BARRIER, .slot = BATCH_SLOT_ANY};
    g->submit.done = share_logged;
    log_submit(l, &g->submit, &g->barrier, 1);
}

static void share_run(struct leg *leg)
{
    struct round_leg *g = (struct round_leg *)leg;
    struct local *l = local_of(reactor_self());

    if (shard_catalog(l->shard)->version != g->catalog_version) {
        g->rc = error_set(&g->error, -ESTALE, 0, "a table is being created or dropped");
        leg_reply(l->reactor, leg);
        return;
    }
    g->checkpoint = (struct checkpoint){.shard = l->shard,
                                        .store = l->store,
                                        .slot_bits = l->node->dir.slot_bits,
                                        .slot_head = slot_head,
                                        .done = share_written,
                                        .ctx = l};
    g->started = true;
    checkpoint_start(&g->checkpoint);
}

static void share_end(struct leg *leg)
{
    struct round_leg *g = (struct round_leg *)leg;

    if (g->owner->committed)
        checkpoint_commit(&g->checkpoint);
    else
        checkpoint_abort(&g->checkpoint);
    leg_reply(reactor_self(), leg);
}

/* --- the round --- */

static void round_fail(struct checkpoints *k, int rc, const struct error_info *why)
{
    if (k->rc)
        return;
    k->rc = rc;
    k->error = *why;
}

static void ended_home(struct leg *leg)
{
    struct checkpoints *k = ((struct round_leg *)leg)->owner;

    if (!--k->lent)
        round_end(k);
}

/* The root holds, or it does not: every core is told. */
static void tell_cores(struct checkpoints *k)
{
    unsigned cores = k->node->cores;

    k->stage = ROUND_END;
    k->lent = 1; /* this function's own */
    for (unsigned i = 0; i < cores; i++) {
        struct round_leg *g = &k->legs[i];
        if (!g->started)
            continue;
        g->leg.run = share_end;
        g->leg.done = ended_home;
        k->lent++;
        leg_send(reactor_self(), &g->leg, i, LEG_REQUEST);
    }
    if (!--k->lent)
        round_end(k);
}

/* Files of the old and of the new root must stay, so nothing may be tidied up any more: a restart finds out. */
static void give_up(struct checkpoints *k)
{
    log_error("%s; writes are refused until a restart", k->error.text);
    atomic_store(&k->node->refusing, k->rc);
    k->stopping = true;
    round_end(k);
}

static void root_written(struct root_writer *w)
{
    struct checkpoints *k = w->ctx;

    if (w->rc)
        round_fail(k, w->rc, &w->error);
    else
        k->committed = true;
    if (w->is_uncertain)
        give_up(k);
    else
        tell_cores(k);
}

/*
 * A core may make a new table's slots and take rows for them before it has the new catalog: its cut covers their
 * records, but does not have the rows. Of rows that are removed from all slots at once some cuts would have theirs.
 */
static bool definitions_changed(const struct checkpoints *k)
{
    return k->node->ddl_running || k->node->ddl_ended != k->ddl_ended;
}

static void write_root(struct checkpoints *k)
{
    struct node *n = k->node;

    if (definitions_changed(k)) {
        struct error_info err;
        round_fail(k, error_set(&err, -ESTALE, 0, "a table is being changed"), &err);
        tell_cores(k);
        return;
    }
    k->head.wall_us = (uint64_t)reactor_wall_us(reactor_self());
    for (unsigned i = 0; i < n->cores; i++) {
        uint64_t us = (uint64_t)(k->legs[i].key_ms + HIDDEN_KEY_EPOCH_MS) * 1000;
        k->parts[i] = &k->legs[i].checkpoint.part;
        if (k->legs[i].key_ms && us > k->head.wall_us)
            k->head.wall_us = us;
    }
    int rc = root_encode(&k->head, n->dir.id, k->parts, n->cores, &k->root);
    if (rc) {
        struct error_info err;
        error_set(&err, rc, 0, "the root of the checkpoint cannot be made: %s", strerror(-rc));
        round_fail(k, rc, &err);
        tell_cores(k);
        return;
    }
    k->stage = ROUND_ROOT;
    k->writer = (struct root_writer){.dir = n->data_dir,
                                     .bytes = k->root.data,
                                     .len = k->root.len,
                                     .pace = &n->pace,
                                     .done = root_written,
                                     .ctx = k};
    root_writer_start(reactor_self(), &k->writer);
}

static void share_home(struct leg *leg)
{
    struct round_leg *g = (struct round_leg *)leg;
    struct checkpoints *k = g->owner;

    if (g->rc)
        round_fail(k, g->rc, &g->error);
    if (--k->lent)
        return;
    if (k->rc)
        tell_cores(k);
    else
        write_root(k);
}

static int round_prepare(struct checkpoints *k)
{
    struct node *n = k->node;
    struct wlog_stats log;

    wlog_get_stats(n->log, &log);
    k->records_now = log.node_lsn;
    k->bytes_now = log.bytes + k->bytes_found;
    k->ddl_ended = n->ddl_ended;
    k->catalog = catalog_get(shard_catalog(n->locals[NODE_LOG_CORE]->shard));
    int rc = catalog_encode(k->catalog, &k->catalog_bytes, &k->catalog_len);
    k->head =
        (struct root_head){.round = k->stats.round + 1,
                           .log_generation = wlog_generation(n->log),
                           /* what is being written may yet be refused; no definition is in it */
                           .definitions_lsn = log.durable_lsn + 1,
                           .doublings = n->dir.doublings,
                           .catalog = k->catalog_bytes,
                           .catalog_len = (uint32_t)k->catalog_len};
    return rc;
}

static void round_begin(struct checkpoints *k)
{
    struct node *n = k->node;

    k->stage = ROUND_CORES;
    k->rc = 0;
    k->committed = false;
    k->ticks = 0;
    k->started_ns = reactor_now_ns(reactor_self());
    if (k->put_offs >= PUT_OFFS)
        local_ddl_hold(n, true);
    k->served = k->waits;
    k->waits = NULL;
    for (unsigned i = 0; i < n->cores; i++)
        k->legs[i] = (struct round_leg){.owner = k};
    int rc = round_prepare(k);
    if (rc) {
        struct error_info err;
        error_set(&err, rc, 0, "out of memory for the catalog");
        round_fail(k, rc, &err);
        tell_cores(k);
        return;
    }
    k->lent = n->cores;
    for (unsigned i = 0; i < n->cores; i++) {
        struct round_leg *g = &k->legs[i];
        g->catalog_version = k->catalog->version;
        g->leg.run = share_run;
        g->leg.done = share_home;
        leg_send(reactor_self(), &g->leg, i, LEG_REQUEST);
    }
}

static void note_round(struct checkpoints *k)
{
    uint64_t ns = reactor_now_ns(reactor_self()) - k->started_ns, bytes = k->root.len;

    for (unsigned i = 0; i < k->node->cores; i++)
        bytes += k->legs[i].checkpoint.stats.bytes;
    if (!k->committed) {
        k->stats.failed++;
        /* As long as it took for nothing the disk is left to others. */
        uint64_t least = k->rc == -ESTALE ? PUT_OFF_TICKS : ROUND_EXTRA_TICKS;
        k->put_offs += k->rc == -ESTALE;
        k->pause = k->ticks > least ? k->ticks : least;
        k->ticks = 0;
        if (k->rc == -ESTALE || k->rc == -ECANCELED)
            log_debug("checkpoint put off: %s", k->error.text);
        else
            log_warn("checkpoint failed, the log keeps everything and it is tried again: %s",
                     k->error.text);
        return;
    }
    k->pause = 0;
    k->put_offs = 0;
    k->records_then = k->records_now + k->node->cores; /* each has logged a barrier */
    k->bytes_then = k->bytes_now;
    k->stats.round = k->head.round;
    k->stats.rounds++;
    k->stats.bytes += bytes;
    k->stats.wall_us = k->head.wall_us;
    log_info("checkpoint %llu: %.1f MB in %.1f s", (unsigned long long)k->head.round,
             (double)bytes / 1e6, (double)ns / 1e9);
}

static void serve_waits(struct checkpoints *k)
{
    struct checkpoint_wait *w = k->served;

    k->served = NULL;
    while (w) {
        struct checkpoint_wait *next = w->next;
        w->rc = k->committed ? 0 : k->rc;
        w->done(w);
        w = next;
    }
}

static void maybe_ended(struct checkpoints *k)
{
    if (!k->ended || k->stage != ROUND_IDLE)
        return;
    void (*ended)(void *ctx) = k->ended;
    k->ended = NULL;
    ended(k->ended_ctx);
}

static void round_end(struct checkpoints *k)
{
    note_round(k);
    if (k->committed && k->node->log)
        wlog_release(k->node->log, k->head.log_generation);
    for (unsigned i = 0; i < k->node->cores; i++)
        buffer_fini(&k->legs[i].checkpoint.part);
    buffer_fini(&k->root);
    buffer_init(&k->root, ROOT_MAX_BYTES);
    free(k->catalog_bytes);
    k->catalog_bytes = NULL;
    catalog_put(k->catalog);
    k->catalog = NULL;
    k->stage = ROUND_IDLE;
    local_ddl_hold(k->node, false);
    atomic_fetch_add_explicit(&k->node->rounds_ended, 1, memory_order_relaxed);
    serve_waits(k);
    maybe_ended(k);
}

/* --- when --- */

/* 0, or why no root could be written; a full disk is no reason, for a round frees log files. */
static int why_not(const struct node *n)
{
    int refusing = atomic_load_explicit(&n->refusing, memory_order_relaxed);

    return refusing == -ENOSPC ? 0 : refusing;
}

static bool can_begin(const struct checkpoints *k)
{
    const struct node *n = k->node;

    return k->stage == ROUND_IDLE && !k->stopping && n->log && !n->ddl_running && !why_not(n);
}

static bool is_due(const struct checkpoints *k)
{
    const struct node *n = k->node;
    uint64_t limit = n->config.checkpoint_log ? n->config.checkpoint_log : CHECKPOINT_LOG_BYTES;
    bool is_short = atomic_load_explicit(&n->memory_short, memory_order_relaxed);
    struct wlog_stats log;

    if (k->waits)
        return true;
    wlog_get_stats(n->log, &log);
    if (log.node_lsn == k->records_then) /* writes that found no memory have changed columns, too */
        return is_short && k->ticks >= SHORT_TICKS;
    return k->pause || is_short || wlog_needs_release(n->log) ||
           log.bytes + k->bytes_found - k->bytes_then >= limit || k->ticks >= QUIET_TICKS;
}

/* No round can begin while the log takes nothing: who waits for one is told. */
static void refuse_waits(struct checkpoints *k)
{
    int refusing = why_not(k->node);

    if (!k->waits || k->stage != ROUND_IDLE || !refusing)
        return;
    k->served = k->waits;
    k->waits = NULL;
    k->committed = false;
    k->rc = refusing;
    serve_waits(k);
}

static void tick_fired(struct timer *t)
{
    struct checkpoints *k = container_of(t, struct checkpoints, tick);

    timer_arm(reactor_self(), t, TICK_NS);
    k->ticks++;
    refuse_waits(k);
    if (k->stage != ROUND_IDLE)
        return;
    bool due = k->node->log && (k->waits || k->ticks >= k->pause) && is_due(k);
    if (k->node->ddl_running)
        k->put_offs += due;
    local_ddl_hold(k->node, due && k->put_offs >= PUT_OFFS && !why_not(k->node));
    if (due && can_begin(k)) {
        atomic_store_explicit(&k->node->memory_short, false, memory_order_relaxed);
        round_begin(k);
    }
}

bool checkpoints_can_request(const struct node *n)
{
    const struct checkpoints *k = n->checkpoints;
    struct wlog_stats log;

    wlog_get_stats(n->log, &log);
    bool is_new = log.node_lsn != k->records_then || wlog_bytes_held(n->log) > LOG_LITTLE_BYTES;
    return k && !k->stopping && is_new && !n->ddl_running && !why_not(n);
}

void checkpoints_request(struct node *n, struct checkpoint_wait *w)
{
    struct checkpoints *k = n->checkpoints;

    w->next = k->waits;
    k->waits = w;
    if (can_begin(k))
        round_begin(k);
}

int checkpoints_start(struct node *n, struct error_info *err)
{
    struct checkpoints *k = calloc(1, sizeof(*k));
    struct wlog_stats log;

    if (k) {
        k->legs = calloc(n->cores, sizeof(*k->legs));
        k->parts = calloc(n->cores, sizeof(struct buffer *));
    }
    if (!k || !k->legs || !k->parts) {
        if (k) {
            free(k->legs);
            free(k->parts);
        }
        free(k);
        return error_set(err, -ENOMEM, 0, "out of memory at start");
    }
    wlog_get_stats(n->log, &log);
    k->node = n;
    k->stats.round = n->root_round;
    k->records_then = log.node_lsn > n->replayed ? log.node_lsn - n->replayed : 0;
    k->bytes_found = n->replayed ? wlog_bytes_held(n->log) : 0;
    buffer_init(&k->root, ROOT_MAX_BYTES);
    k->tick.fire = tick_fired;
    n->checkpoints = k;
    timer_arm(reactor_self(), &k->tick, TICK_NS);
    return 0;
}

void checkpoints_stop(struct node *n, void (*ended)(void *ctx), void *ctx)
{
    struct checkpoints *k = n->checkpoints;

    timer_cancel(reactor_self(), &k->tick);
    k->stopping = true;
    k->ended = ended;
    k->ended_ctx = ctx;
    maybe_ended(k);
}

void checkpoints_let_go(struct node *n)
{
    for (unsigned i = 0; n->checkpoints && i < n->cores; i++) {
        struct round_leg *g = &n->checkpoints->legs[i];
        if (!g->checkpoint.work)
            continue;
        store_abandon(n->locals[i]->store);
        checkpoint_abort(&g->checkpoint);
    }
}

void checkpoints_free(struct node *n)
{
    if (!n->checkpoints)
        return;
    buffer_fini(&n->checkpoints->root);
    free(n->checkpoints->legs);
    free(n->checkpoints->parts);
    free(n->checkpoints);
    n->checkpoints = NULL;
}

void checkpoints_get_stats(const struct node *n, struct node_checkpoint_stats *out)
{
    *out = n->checkpoints ? n->checkpoints->stats : (struct node_checkpoint_stats){0};
}

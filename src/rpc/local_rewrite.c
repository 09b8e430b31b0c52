#include "rpc/local_rewrite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "storage/segment_disk.h"
#include "storage/slot_rewrite.h"

#define SHARED_BONUS (1ull << 32) /* more than a segment has rows */

enum {
    LOOK_TICKS = 5,
    QUIET_TICKS = 60,   /* without a write: then a smaller share of deleted rows is enough */
    BUSY_SHARE = 4,     /* one of so many rows is deleted */
    QUIET_SHARE = 16,   /* the same of a partition without writes */
    DELETED_MIN = 4096, /* rows; fewer are not worth the writing */
    PAUSE_NS = 2000000, /* between two steps that nobody waits for */
    RETRY_TICKS = 60,   /* after one was given up; doubled each time */
    RETRY_TICKS_MAX = 3600,
    ROOM_TO_BEGIN = 3, /* of 16 parts of the memory for rows, beside what the copy needs */
    ROOM_ON_REQUEST = 2,
    WAIT_NS = 500000000, /* a request waits for memory, which a checkpoint gives, or for an ALTER */
    WAIT_TRIES = 60,
};

struct rewriter { /* owner: its core */
    struct local *local;
    struct task task;
    struct timer pause;
    struct rewrite_request *first, *last; /* the first is at work */
    /* The partition at work: */
    struct slot_rewrite *rewrite; /* NULL = none */
    struct shard_pin pin;
    const struct schema *schema; /* of the pinned table */
    struct slot *slot;
    int64_t partition;
    bool on_request, splits; /* splits: its file is shared with other slots until then */
    uint64_t next_look, retry_ticks;
    /* A barrier for what was rewritten: */
    bool unlogged, logging;
    struct wlog_record barrier;
    struct log_submit submit;
    bool stopping;
};

static uint64_t parts(const struct local *l, unsigned n)
{
    return l->data.limit / 16 * n;
}

static void wake(struct rewriter *w)
{
    reactor_task(w->local->reactor, &w->task, TASK_BULK);
}

static void pause_over(struct timer *t)
{
    wake(container_of(t, struct rewriter, pause));
}

static bool is_stopping(const struct rewriter *w)
{
    return w->stopping || !atomic_load(&w->local->node->ready);
}

/* ---- the partition at work ---- */

static int begin(struct rewriter *w, const struct schema *s, struct slot *slot, uint32_t i)
{
    struct local *l = w->local;
    int rc = slot_rewrite_start(slot, i, l->node->config.rewrite_step_rows, &w->rewrite);

    if (rc)
        return rc;
    rc = shard_pin(l->shard, s->table_id, &w->pin);
    ASSERT(!rc);
    w->schema = s;
    w->slot = slot;
    w->partition = segment_partition(slot_segment(slot, i));
    w->splits = segment_is_shared(slot_segment(slot, i));
    return 0;
}

static void end(struct rewriter *w)
{
    slot_rewrite_free(w->rewrite);
    w->rewrite = NULL;
    shard_unpin(w->local->shard, &w->pin);
}

/* The partition that the request is at is tried again when a checkpoint has made rows such that they may leave. */
static bool may_wait(struct rewriter *w)
{
    struct local *l = w->local;
    struct shard_memory m;

    shard_get_memory(l->shard, &m);
    if (!m.changed || w->first->tries++ >= WAIT_TRIES)
        return false;
    atomic_store_explicit(&l->node->memory_short, true, memory_order_relaxed);
    timer_arm(l->reactor, &w->pause, WAIT_NS);
    return true;
}

static void note_failure(struct rewriter *w, int rc, const struct error_info *why)
{
    struct rewrite_request *r = w->first;

    w->local->rewrite_stats.given_up++;
    log_debug("core %u, slot %u: rewrite given up: %s", reactor_core(w->local->reactor),
              slot_number(w->slot), why->text);
    if (w->on_request && (rc == -ECANCELED || (rc == -ENOMEM && may_wait(w))))
        r->from = w->partition; /* once more */
    else if (w->on_request && !r->rc) {
        r->rc = rc;
        r->error = *why;
    }
    if (w->on_request)
        return;
    w->retry_ticks = w->retry_ticks ? w->retry_ticks * 2 : RETRY_TICKS;
    if (w->retry_ticks > RETRY_TICKS_MAX)
        w->retry_ticks = RETRY_TICKS_MAX;
    w->next_look = w->local->seal_tick + w->retry_ticks;
}

static void give_up(struct rewriter *w, int rc, int code, const char *why)
{
    struct error_info err;

    note_failure(w, rc, (error_set(&err, rc, code, "table %s: %s", w->schema->name, why), &err));
    end(w);
}

static void note_done(struct rewriter *w)
{
    struct local_rewrite_stats *all = &w->local->rewrite_stats;
    struct slot_rewrite_stats stats;

    slot_rewrite_get_stats(w->rewrite, &stats);
    all->done++;
    all->reclaimed += stats.reclaimed;
    if (w->on_request)
        w->first->tries = 0;
    w->retry_ticks = 0;
    if (w->splits) /* the next one at once */
        w->next_look = w->local->seal_tick;
    w->unlogged = true;
    log_debug("table %s, slot %u: a partition rewritten, %" PRIu64 " rows stay, %" PRIu64
              " deleted ones are gone",
              w->schema->name, slot_number(w->slot), stats.rows, stats.reclaimed);
    end(w);
}

/* The table may have been dropped or emptied since: then its slot is another. */
static bool is_there(const struct rewriter *w)
{
    return shard_slot(w->local->shard, slot_schema(w->slot)->table_id, slot_number(w->slot)) ==
           w->slot;
}

/* Room for so many bytes, for which what is not used leaves when somebody waits for it. */
static bool has_room(struct rewriter *w, uint64_t bytes, bool evict)
{
    struct local *l = w->local;
    uint64_t room = budget_room(&l->data);

    if (room < bytes && evict)
        (void)shard_evict(l->shard, bytes - room, l->seal_tick);
    return budget_room(&l->data) >= bytes;
}

static void step(struct rewriter *w)
{
    switch (slot_rewrite_step(w->rewrite, &w->task)) {
    case SLOT_REWRITE_AGAIN:
        break;
    case SLOT_REWRITE_WAIT:
        return;
    case SLOT_REWRITE_DONE:
        note_done(w);
        break;
    case SLOT_REWRITE_ENDED:
        note_failure(w, slot_rewrite_rc(w->rewrite), slot_rewrite_error(w->rewrite));
        end(w);
        break;
    }
    if (w->pause.armed)
        return;
    if (w->on_request || w->first)
        wake(w);
    else
        timer_arm(w->local->reactor, &w->pause, PAUSE_NS);
}

/* ---- requests ---- */

static void answer(struct rewriter *w)
{
    struct rewrite_request *r = w->first;

    w->first = r->next;
    leg_reply(w->local->reactor, &r->leg);
}

static void refuse(struct rewrite_request *r, int rc, int code, const char *why)
{
    r->rc = error_set(&r->error, rc, code, "%s", why);
}

/* 0: it is begun; -EAGAIN: it waits; else why it stays as it is. */
static int begin_partition(struct rewriter *w, struct slot *slot, uint32_t i)
{
    struct local *l = w->local;
    struct slot_rewrite_part p;
    int rc = -ENOMEM;

    slot_rewrite_peek(slot, i, &p);
    if (has_room(w, p.bytes + parts(l, ROOM_ON_REQUEST), true))
        rc = begin(w, slot_schema(slot), slot, i);
    if (rc == -EBUSY) { /* the table is being altered */
        timer_arm(l->reactor, &w->pause, WAIT_NS);
        return -EAGAIN;
    }
    if (rc == -ENOMEM && p.bytes + parts(l, ROOM_ON_REQUEST) <= parts(l, 16) && may_wait(w))
        return -EAGAIN;
    return rc;
}

/* True: the next partition of a slot with deleted rows is begun, or waits. */
static bool begin_in_slot(struct rewriter *w, struct rewrite_request *r, struct slot *slot)
{
    for (uint32_t i = 0; i < slot_segments(slot); i++) {
        const struct segment *g = slot_segment(slot, i);
        int rc;

        if ((r->is_begun && segment_partition(g) < r->from) ||
            (segment_rows(g) == segment_live(g) && !segment_is_shared(g)))
            continue;
        r->is_begun = true;
        r->from = segment_partition(g);
        rc = begin_partition(w, slot, i);
        if (rc == -EAGAIN)
            return true;
        r->from++;
        if (!rc)
            return true;
        r->tries = 0;
        w->local->rewrite_stats.given_up++;
        if (!r->rc)
            r->rc = error_set(&r->error, rc, 1037, "table %s: no memory to rewrite a partition",
                              slot_schema(slot)->name);
    }
    return false;
}

/* False: the request is done. */
static bool begin_requested(struct rewriter *w)
{
    struct rewrite_request *r = w->first;
    struct local *l = w->local;

    if (is_stopping(w)) {
        refuse(r, -ESHUTDOWN, 1053, "the node is stopping");
        return false;
    }
    if (atomic_load_explicit(r->cancelled, memory_order_relaxed)) {
        refuse(r, -ECANCELED, 1317, "Query execution was interrupted");
        return false;
    }
    for (; !(r->slot >> l->node->dir.slot_bits); r->slot += l->node->cores) {
        struct slot *slot = shard_slot(l->shard, r->table_id, r->slot);
        if (!slot) {
            refuse(r, -ENOENT, 1146, "the table was dropped meanwhile");
            return false;
        }
        if (begin_in_slot(w, r, slot))
            return true;
        r->is_begun = false;
    }
    return false;
}

void rewrite_request_run(struct leg *leg)
{
    struct rewrite_request *r = (struct rewrite_request *)leg;
    struct rewriter *w = local_of(reactor_self())->rewriter;

    r->next = NULL;
    r->rc = 0;
    r->slot = reactor_core(w->local->reactor);
    r->is_begun = false;
    r->tries = 0;
    if (w->first)
        w->last->next = r;
    else
        w->first = r;
    w->last = r;
    wake(w);
}

/* ---- by itself ---- */

static uint64_t least_deleted(const struct rewriter *w)
{
    uint32_t rows = w->local->node->config.rewrite_min_rows;

    return rows ? rows : DELETED_MIN;
}

static bool is_worth_it(const struct rewriter *w, const struct slot_rewrite_part *p)
{
    uint64_t deleted = p->rows - p->live;
    bool quiet = p->written + QUIET_TICKS <= w->local->seal_tick;

    return deleted >= least_deleted(w) && deleted >= p->rows / (quiet ? QUIET_SHARE : BUSY_SHARE);
}

struct candidate {
    struct slot *slot;
    uint32_t at;
    uint64_t deleted;
};

static void look_in_slot(const struct rewriter *w, struct slot *slot, struct candidate *best)
{
    for (uint32_t i = 0; i < slot_segments(slot); i++) {
        const struct segment *g = slot_segment(slot, i);
        uint64_t deleted = segment_rows(g) - segment_live(g);
        struct slot_rewrite_part p;

        if (segment_is_shared(g)) /* before others */
            deleted += SHARED_BONUS;
        if (deleted < least_deleted(w) || deleted <= best->deleted)
            continue;
        slot_rewrite_peek(slot, i, &p);
        if ((p.shared || is_worth_it(w, &p)) &&
            budget_room(&w->local->data) >= p.bytes + parts(w->local, ROOM_TO_BEGIN))
            *best = (struct candidate){slot, i, deleted};
    }
}

static bool begin_by_itself(struct rewriter *w)
{
    struct local *l = w->local;
    struct catalog *c = shard_catalog(l->shard);
    struct candidate best = {0};

    if (is_stopping(w) || l->seal_tick < w->next_look || atomic_load(&l->node->refusing) ||
        atomic_load_explicit(&l->node->memory_short, memory_order_relaxed))
        return false;
    w->next_look = l->seal_tick + LOOK_TICKS;
    for (uint32_t i = 0; i < c->n_tables; i++)
        for (uint32_t k = reactor_core(l->reactor); !(k >> l->node->dir.slot_bits);
             k += l->node->cores) {
            struct slot *slot = shard_slot(l->shard, c->tables[i]->table_id, k);
            if (slot)
                look_in_slot(w, slot, &best);
        }
    w->on_request = false;
    return best.slot && !begin(w, slot_schema(best.slot), best.slot, best.at);
}

/* ---- the task ---- */

static void logged(struct log_submit *s)
{
    struct rewriter *w = container_of(s, struct rewriter, submit);

    w->logging =
        false; /* a log that cannot be written is no matter here: the old files have it all */
    wake(w);
}

static void log_barrier(struct rewriter *w)
{
    w->unlogged = false;
    w->logging = true;
    w->barrier = (struct wlog_record){.kind = LOG_BARRIER, .slot = BATCH_SLOT_ANY};
    w->submit.done = logged;
    log_submit(w->local, &w->submit, &w->barrier, 1);
}

/* What is at work must not go on. */
static void check_work(struct rewriter *w)
{
    if (!is_there(w))
        give_up(w, -ECANCELED, 1146, "it went while it was rewritten");
    else if (is_stopping(w))
        give_up(w, -ESHUTDOWN, 1053, "the node is stopping");
    else if (w->on_request && atomic_load_explicit(w->first->cancelled, memory_order_relaxed))
        give_up(w, -ECANCELED, 1317, "the statement was interrupted");
    else if (!has_room(w, parts(w->local, 1) / 2, true))
        give_up(w, -ENOMEM, 1037, "no memory to rewrite a partition");
}

static void run(struct task *t)
{
    struct rewriter *w = container_of(t, struct rewriter, task);

    if (w->stopping || w->logging || w->pause.armed)
        return;
    if (w->rewrite)
        check_work(w);
    if (w->pause.armed)
        return;
    if (!w->rewrite && w->first) {
        w->on_request = true;
        if (!begin_requested(w)) {
            if (w->unlogged) {
                log_barrier(w);
                return;
            }
            answer(w);
            wake(w);
            return;
        }
        if (!w->rewrite)
            return; /* it waits */
    } else if (!w->rewrite && w->unlogged) {
        log_barrier(w);
        return;
    } else if (!w->rewrite && !begin_by_itself(w)) {
        return;
    }
    step(w);
}

void rewriter_tick(struct local *l)
{
    if (!l->rewriter->rewrite && l->seal_tick >= l->rewriter->next_look)
        wake(l->rewriter);
}

bool rewriter_give_way(struct local *l)
{
    struct rewriter *w = l->rewriter;

    if (!w->rewrite)
        return false;
    give_up(w, -ENOMEM, 1037, "no memory to rewrite a partition beside what is written");
    wake(w);
    return true;
}

/* ---- begin and end ---- */

int rewriter_new(struct local *l)
{
    struct rewriter *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->local = l;
    w->task.run = run;
    w->pause.fire = pause_over;
    w->next_look = LOOK_TICKS;
    l->rewriter = w;
    return 0;
}

void rewriter_stop(struct local *l)
{
    struct rewriter *w = l->rewriter;

    w->stopping = true;
    timer_cancel(l->reactor, &w->pause);
    if (w->rewrite)
        end(w);
    while (w->first) {
        refuse(w->first, -ESHUTDOWN, 1053, "the node is stopping");
        answer(w);
    }
}

bool rewriter_is_quiet(const struct local *l)
{
    return !l->rewriter->logging;
}

void rewriter_free(struct local *l)
{
    struct rewriter *w = l->rewriter;

    if (!w)
        return;
    if (w->rewrite)
        end(w);
    free(w);
    l->rewriter = NULL;
}

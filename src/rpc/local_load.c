#include "rpc/local_load.h"

#include "reactor/assert.h"
#include "reactor/jemalloc.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "rpc/local_rewrite.h"
#include "storage/figures.h"
#include "storage/shard.h"
#include "storage/store.h"

enum {
    QUIET_CHECK_NS = 2000000,
    LOAD_BYTES = 16 << 20, /* on their way at a time in the background */
    LOAD_SHARE = 64,       /* but no more than this part of the memory for rows */
    PROGRESS_TICKS = 5,
    /* Of 16 parts of the memory for rows. What is only kept for reading leaves a quarter to statements. */
    LOAD_UP_TO = 11, /* the background stops there */
    CACHE_UP_TO = 12,
    CACHE_DOWN_TO = 11,
    CHANGED_MANY = 1, /* worth a checkpoint */
    EVICT_ABOVE = 14, /* rows and indexes need it: whatever can leaves, changed rows are written */
    EVICT_DOWN_TO = 13,
    TRIM_ABOVE = 12,      /* of 16 parts of a core's memory: freed pages are given back at once, */
    TRIM_NS = 20000000,   /* but not more often; */
    TRIM_FREED = 14,      /* below, when with what was freed of late it would be so many parts, */
    FREED_NS = 200000000, /* as long as the allocator keeps pages: `malloc_conf` */
    STATEMENT_SHARE = 4,  /* so much of a core's memory is kept free while statements take it */
    DICT_SHARE = 1,       /* columns leave so many parts to dictionaries that find no memory */
    READ_SHARE = 1,       /* writes leave so many parts to columns that are read */
    ROW_SHARE =
        8, /* bytes of memory a write may need per byte of its batch, indexes and growth included */
};

static uint64_t parts(const struct local *l, unsigned n)
{
    return l->data.limit / 16 * n;
}

static void tell_absent(struct local *l);

static void load_run(struct task *t)
{
    struct local *l = container_of(t, struct local, load_task);
    uint64_t most = l->data.limit / LOAD_SHARE;
    struct error_info err;

    if (l->columns_loaded || l->loaded || !atomic_load(&l->node->ready))
        return;
    enum block_state state = shard_load(l->shard, most < LOAD_BYTES ? most : LOAD_BYTES,
                                        parts(l, 16 - LOAD_UP_TO), t, &err);
    if (state == BLOCK_PENDING)
        return;
    if (state == BLOCK_FAILED) /* statements that need it get the error */
        log_error("core %u: %s", reactor_core(l->reactor), err.text);
    l->columns_loaded = true;
    tell_absent(l);
    reactor_task(l->reactor, &l->index_task, TASK_IDLE);
}

/* Statements can do without: scans ask for none, and who looks up a key makes the index it needs itself. */
static void index_run(struct task *t)
{
    struct local *l = container_of(t, struct local, index_task);
    struct error_info err;

    if (l->loaded || !atomic_load(&l->node->ready))
        return;
    enum block_state state = shard_load_index(l->shard, parts(l, 16 - LOAD_UP_TO), &err);
    if (state == BLOCK_FAILED)
        log_error("core %u: %s", reactor_core(l->reactor), err.text);
    l->loaded = state != BLOCK_PENDING;
    if (!l->loaded)
        reactor_task(l->reactor, t, TASK_IDLE);
}

/* Statements can do with a part of them; a row written needs all, and makes them itself when it comes first. */
static void dict_run(struct task *t)
{
    struct local *l = container_of(t, struct local, dict_task);
    struct error_info err;

    if (l->dicts_filled || !atomic_load(&l->node->ready))
        return;
    enum block_state state = shard_fill_dicts(l->shard, &err);
    l->dicts_filled = state == BLOCK_READY;
    if (state == BLOCK_PENDING)
        reactor_task(l->reactor, t, TASK_IDLE);
    if (state != BLOCK_FAILED)
        return;
    if (!l->dicts_told)
        log_error("core %u: %s", reactor_core(l->reactor), err.text);
    l->dicts_told = true;
    (void)shard_evict_unused(l->shard, parts(l, DICT_SHARE)); /* the next tick goes on */
}

/* --- progress: every core tells what it lacks, core 0 adds it up --- */

static void tell_absent(struct local *l)
{
    uint64_t bytes = shard_absent_bytes(l->shard);

    atomic_store(&l->absent_bytes, bytes);
    if (!atomic_load(&l->absent_first))
        atomic_store(&l->absent_first, bytes + 1);
    atomic_store(&l->load_ended, l->columns_loaded || l->loaded);
}

static double mb(uint64_t bytes)
{
    return (double)bytes / 1e6;
}

static void log_progress(struct local *l)
{
    uint64_t first = 0, absent = 0;
    bool ended = true;

    for (unsigned i = 0; i < l->node->cores; i++) {
        struct local *x = l->node->locals[i];
        uint64_t told = atomic_load(&x->absent_first);

        if (!told)
            return; /* not every core knows yet */
        first += told - 1;
        absent += atomic_load(&x->absent_bytes);
        ended &= atomic_load(&x->load_ended);
    }
    if (!ended && l->seal_tick % PROGRESS_TICKS)
        return;
    l->progress_told = ended;
    if (!first)
        return;
    if (absent > first) /* evicted again meanwhile */
        absent = first;
    if (ended && absent)
        log_info("loading: %.1f of %.1f MB in memory, the rest is read when it is needed",
                 mb(first - absent), mb(first));
    else if (ended)
        log_info("loading: all %.1f MB in memory", mb(first));
    else
        log_info("loading: %.1f of %.1f MB", mb(first - absent), mb(first));
}

static void progress(struct local *l)
{
    if (!atomic_load(&l->load_ended))
        tell_absent(l);
    if (reactor_core(l->reactor) == NODE_LOG_CORE && !l->progress_told)
        log_progress(l);
}

static void reply_when_quiet(struct timer *t)
{
    struct load_stop *x = container_of(t, struct load_stop, timer);
    struct local *l = local_of(reactor_self());

    if (store_is_quiet(l->store) && rewriter_is_quiet(l))
        leg_reply(l->reactor, &x->leg);
    else
        timer_arm(l->reactor, t, QUIET_CHECK_NS);
}

void local_load_stop(struct leg *leg)
{
    struct load_stop *x = (struct load_stop *)leg;

    local_of(reactor_self())->loaded = local_of(reactor_self())->load_stopped = true;
    store_stop(local_of(reactor_self())->store);
    rewriter_stop(local_of(reactor_self()));
    x->timer.fire = reply_when_quiet;
    reply_when_quiet(&x->timer);
}

/* Pages that were freed and may still be kept would make it too much. */
static bool keeps_too_much(struct local *l, const struct budget *core, uint64_t now)
{
    uint64_t freed;

    if (core->used < core->limit / 2 || now < l->freed_look_ns)
        return false;
    l->freed_look_ns = now + TRIM_NS;
    freed = jemalloc_freed();
    if (now - l->freed_ns > FREED_NS) {
        l->freed_ns = now;
        l->freed_then = freed;
    }
    return core->used + (freed - l->freed_then) > core->limit / 16 * TRIM_FREED;
}

/* When memory is short, pages that were freed count too. */
static void trim(struct local *l)
{
    const struct budget *core = reactor_budget(l->reactor);
    uint64_t now = reactor_now_ns(l->reactor);

    if (now < l->trim_ns ||
        (core->used < core->limit / 16 * TRIM_ABOVE && !keeps_too_much(l, core, now)))
        return;
    l->trim_ns = now + TRIM_NS;
    jemalloc_purge();
    l->freed_ns = now;
    l->freed_then = jemalloc_freed();
}

static void evict(struct local *l, uint64_t wanted)
{
    size_t freed = shard_evict(l->shard, wanted, l->seal_tick);

    if (freed < wanted)
        atomic_store_explicit(&l->node->memory_short, true, memory_order_relaxed);
}

void local_spare_statements(struct local *l)
{
    struct budget *core = reactor_budget(l->reactor);
    uint64_t keep = core->limit / STATEMENT_SHARE, room = budget_room(core);
    struct shard_memory m;

    trim(l);
    if (room >= keep || (l->spare_tick == l->seal_tick && l->nothing_to_spare))
        return;
    l->spare_tick = l->seal_tick;
    l->nothing_to_spare = !shard_evict_unused(l->shard, keep - room);
    if (!l->nothing_to_spare)
        return;
    shard_get_memory(l->shard, &m);
    if (m.changed) /* once they are written they can leave, too */
        atomic_store_explicit(&l->node->memory_short, true, memory_order_relaxed);
}

/* Columns that are only kept for reading leave; when there are too few, many changed ones become such. */
static void spare_cache(struct local *l)
{
    struct shard_memory m;

    (void)shard_evict_unused(l->shard, l->data.used - parts(l, CACHE_DOWN_TO));
    if (l->data.used <= parts(l, CACHE_UP_TO))
        return;
    shard_get_memory(l->shard, &m);
    if (m.changed > parts(l, CHANGED_MANY))
        atomic_store_explicit(&l->node->memory_short, true, memory_order_relaxed);
}

void local_load_tick(struct local *l)
{
    trim(l);
    l->load_task.run = load_run;
    l->index_task.run = index_run;
    l->dict_task.run = dict_run;
    progress(l);
    if (!l->columns_loaded && !l->loaded)
        reactor_task(l->reactor, &l->load_task, TASK_BULK);
    if (!l->dicts_filled)
        reactor_task(l->reactor, &l->dict_task, TASK_IDLE);
    if (l->loaded && !l->load_stopped && shard_wants_index(l->shard, parts(l, 16 - LOAD_UP_TO))) {
        l->loaded = false;
        reactor_task(l->reactor, &l->index_task, TASK_IDLE);
    }
    if (l->data.used > parts(l, CACHE_UP_TO))
        spare_cache(l);
    if (l->data.used > parts(l, EVICT_ABOVE))
        evict(l, l->data.used - parts(l, EVICT_DOWN_TO));
}

enum local_room local_make_room(struct local *l, uint64_t bytes)
{
    uint64_t reserve = parts(l, READ_SHARE), wanted = reserve + bytes * ROW_SHARE;
    struct shard_memory m;

    trim(l);
    if (budget_room(&l->data) >= wanted)
        return LOCAL_ROOM;
    evict(l, wanted + parts(l, 16 - EVICT_DOWN_TO) - budget_room(&l->data));
    if (budget_room(&l->data) >= wanted ||
        (rewriter_give_way(l) && budget_room(&l->data) >= wanted))
        return LOCAL_ROOM;
    shard_get_memory(l->shard, &m);
    if (m.changed)
        return LOCAL_ROOM_SOON;
    return budget_room(&l->data) >= reserve + bytes ? LOCAL_ROOM_SCARCE : LOCAL_ROOM_NONE;
}

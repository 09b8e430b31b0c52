#include "rpc/local_load.h"

#include "reactor/assert.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "storage/shard.h"
#include "storage/store.h"

enum {
    QUIET_CHECK_NS = 2000000,
    LOAD_READS = 8,   /* chunks asked for at a time in the background */
    LOAD_UP_TO = 12,  /* of 16 parts of the memory for rows: the background stops there */
    EVICT_ABOVE = 14, /* more in use: cold columns leave */
    EVICT_DOWN_TO = 13,
    READ_SHARE = 1, /* writes leave so many parts to columns that are read */
    ROW_SHARE =
        8, /* bytes of memory a write may need per byte of its batch, indexes and growth included */
};

static uint64_t parts(const struct local *l, unsigned n)
{
    return l->data.limit / 16 * n;
}

static void load_run(struct task *t)
{
    struct local *l = container_of(t, struct local, load_task);
    struct error_info err;

    if (l->loaded || !atomic_load(&l->node->ready))
        return;
    enum block_state state = shard_load(l->shard, LOAD_READS, parts(l, 16 - LOAD_UP_TO), t, &err);
    if (state == BLOCK_FAILED) /* statements that need it get the error */
        log_error("core %u: %s", reactor_core(l->reactor), err.text);
    l->loaded = state != BLOCK_PENDING;
    if (l->loaded)
        log_debug("core %u: what there is room for is in memory", reactor_core(l->reactor));
}

static void reply_when_quiet(struct timer *t)
{
    struct load_stop *x = container_of(t, struct load_stop, timer);
    struct local *l = local_of(reactor_self());

    if (store_is_quiet(l->store))
        leg_reply(l->reactor, &x->leg);
    else
        timer_arm(l->reactor, t, QUIET_CHECK_NS);
}

void local_load_stop(struct leg *leg)
{
    struct load_stop *x = (struct load_stop *)leg;

    local_of(reactor_self())->loaded = true;
    x->timer.fire = reply_when_quiet;
    reply_when_quiet(&x->timer);
}

static void evict(struct local *l, uint64_t wanted)
{
    size_t freed = shard_evict(l->shard, wanted, l->seal_tick);

    if (freed < wanted)
        atomic_store_explicit(&l->node->memory_short, true, memory_order_relaxed);
}

void local_load_tick(struct local *l)
{
    l->load_task.run = load_run;
    if (!l->loaded)
        reactor_task(l->reactor, &l->load_task, TASK_BULK);
    if (l->data.used > parts(l, EVICT_ABOVE))
        evict(l, l->data.used - parts(l, EVICT_DOWN_TO));
}

enum local_room local_make_room(struct local *l, uint64_t bytes)
{
    uint64_t reserve = parts(l, READ_SHARE), wanted = reserve + bytes * ROW_SHARE;
    struct shard_memory m;

    if (budget_room(&l->data) >= wanted)
        return LOCAL_ROOM;
    evict(l, wanted + parts(l, 16 - EVICT_DOWN_TO) - budget_room(&l->data));
    if (budget_room(&l->data) >= wanted)
        return LOCAL_ROOM;
    shard_get_memory(l->shard, &m);
    if (m.changed)
        return LOCAL_ROOM_SOON;
    return budget_room(&l->data) >= reserve + bytes ? LOCAL_ROOM_SCARCE : LOCAL_ROOM_NONE;
}

/* The loop of a core: one turn over everything that is ready, then a wait. See reactor.h. */
#include "reactor/reactor.h"

#include <errno.h>
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/log.h"

/* Bulk tasks of one turn stop after this long: the share that keeps I/O latency bounded. */
#define BULK_SHARE_NS 100000
/* A core that is never idle runs an idle task after this long all the same. */
#define IDLE_WAIT_NS 5000000

static _Thread_local struct reactor *self;

struct reactor *reactor_self(void)
{
    return self;
}

void reactor_set_self(struct reactor *r)
{
    self = r;
    trace_set_ring(r ? &r->trace : NULL);
    log_set_core(r ? (int)r->core : -1);
}

static void task_push(struct task_queue *q, struct task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    t->next = NULL;
    if (q->tail)
        q->tail->next = t;
    else
        q->head = t;
    q->tail = t;
}

static struct task *task_pop(struct task_queue *q)
{
    struct task *t = q->head;

    if (t) {
        q->head = t->next;
        if (!q->head)
            q->tail = NULL;
        t->next = NULL;
        t->queued = false;
    }
    return t;
}

void reactor_task(struct reactor *r, struct task *t, enum task_class class)
{
    ASSERT_ON_CORE(r);
    ASSERT((unsigned)class < TASK_CLASSES);
    if (class == TASK_IDLE && !r->tasks[TASK_IDLE].head)
        r->idle_ns = r->now_ns;
    task_push(&r->tasks[class], t);
}

void reactor_task_turn_end(struct reactor *r, struct task *t)
{
    ASSERT_ON_CORE(r);
    task_push(&r->turn_end, t);
}

/* Runs the tasks that are queued now; those queued by them wait for the next turn. */
static void run_tasks(struct reactor *r, struct task_queue *q)
{
    struct task *last = q->tail, *t;

    if (!last)
        return;
    do {
        t = task_pop(q);
        counter_add(&r->counters.tasks, 1);
        t->run(t);
    } while (t != last && q->head);
}

static void run_bulk(struct reactor *r)
{
    struct task_queue *q = &r->tasks[TASK_BULK];
    struct task *last = q->tail, *t;
    uint64_t end;

    if (!last)
        return;
    end = r->backend->now_ns(r) + BULK_SHARE_NS;
    do {
        t = task_pop(q);
        counter_add(&r->counters.tasks, 1);
        t->run(t);
    } while (t != last && q->head && r->backend->now_ns(r) < end);
}

static void run_completed(struct reactor *r)
{
    struct io_op *last = r->completed.tail, *op;

    if (!last)
        return;
    do {
        uint16_t buf_id;

        op = io_queue_pop(&r->completed);
        if (op->kind == IO_RECV && r->backend->receive && op->res >= 0 &&
            !r->backend->receive(r, op))
            continue;
        counter_add(&r->counters.io_ops, 1);
        if (op->res < 0 && op->res != -ECANCELED) {
            counter_add(&r->counters.io_errors, 1);
            trace_note("io error", op->kind, (uint64_t)(uint32_t)-op->res);
        }
        buf_id = op->buf_id;
        op->in_flight = IO_IDLE;
        op->done(op); /* op may be gone or in use again */
        if (buf_id != IO_NO_BUFFER)
            r->backend->recycle(r, buf_id);
    } while (op != last && r->completed.head);
}

static void run_turn_end(struct reactor *r)
{
    while (r->turn_end.head)
        run_tasks(r, &r->turn_end);
    leg_publish(r);
}

/* Nothing that anybody waits for is ready. */
static bool has_nothing_else(const struct reactor *r)
{
    return !r->tasks[TASK_IO].head && !r->tasks[TASK_BULK].head && !r->completed.head &&
           !r->local_head && !reactor_has_mail(r);
}

static void run_idle(struct reactor *r)
{
    bool waited_long = r->now_ns - r->idle_ns >= IDLE_WAIT_NS;
    struct task *t;

    if (!waited_long && !has_nothing_else(r))
        return;
    r->backend->flush(r);
    if (!waited_long && r->backend->is_ready && r->backend->is_ready(r))
        return; /* a completion came meanwhile */
    r->idle_ns = r->now_ns;
    t = task_pop(&r->tasks[TASK_IDLE]);
    counter_add(&r->counters.tasks, 1);
    t->run(t);
    run_turn_end(r);
}

void reactor_turn(struct reactor *r)
{
    r->now_ns = r->backend->now_ns(r);
    counter_add(&r->counters.turns, 1);
    run_completed(r);
    leg_deliver(r);
    reactor_run_posts(r);
    counter_add(&r->counters.timers, timer_wheel_fire(&r->timers, r->now_ns));
    leg_run_local(r);
    run_tasks(r, &r->tasks[TASK_IO]);
    run_turn_end(r);
    if (r->tasks[TASK_BULK].head) {
        r->backend->flush(r); /* answers and wake-ups do not wait for a scan */
        run_bulk(r);
        run_turn_end(r);
    }
    if (r->tasks[TASK_IDLE].head)
        run_idle(r);
}

bool reactor_has_mail(const struct reactor *r)
{
    for (unsigned w = 0; w * 64 < r->group->count; w++)
        if (atomic_load(&r->doorbell[w]))
            return true;
    return atomic_load(&r->posts) != NULL || atomic_load(&r->returned) != NULL;
}

bool reactor_is_idle(const struct reactor *r)
{
    return has_nothing_else(r) && !r->tasks[TASK_IDLE].head;
}

void reactor_complete(struct reactor *r, struct io_op *op, int32_t res)
{
    op->res = res;
    op->in_flight = IO_COMPLETED;
    io_queue_push(&r->completed, op);
}

void reactor_return_op(struct reactor *r, struct io_op *op)
{
    struct io_op *top = atomic_load_explicit(&r->returned, memory_order_relaxed);

    do
        op->next = top;
    while (!atomic_compare_exchange_weak(&r->returned, &top, op));
    reactor_wake(NULL, r);
}

void reactor_take_returned(struct reactor *r)
{
    struct io_op *op, *oldest = NULL;

    if (!atomic_load_explicit(&r->returned, memory_order_relaxed))
        return;
    op = atomic_exchange(&r->returned, NULL);
    while (op) {
        struct io_op *next = op->next;

        op->next = oldest;
        oldest = op;
        op = next;
    }
    while (oldest) {
        struct io_op *next = oldest->next;

        r->helped--;
        reactor_complete(r, oldest, oldest->res);
        oldest = next;
    }
}

void reactor_wake(struct reactor *from, struct reactor *to)
{
    if (!atomic_load(&to->sleeping) || !atomic_exchange(&to->sleeping, 0))
        return;
    if (from && from->group != to->group)
        from = NULL; /* a stranger, perhaps with another back end */
    if (from)
        counter_add(&from->counters.wakeups_sent, 1);
    to->backend->wake(from, to);
}

/* Waits actively, but only for other cores: for answers to own legs, or after legs were served. Not while a helper
 * thread has something to do: it runs on the same cpu. */
static bool spin(struct reactor *r)
{
    uint64_t end;

    if (r->spin_ns == 0 || r->helped || (r->legs_out == 0 && !r->leg_activity))
        return false;
    r->backend->flush(r);
    end = r->now_ns + r->spin_ns;
    do {
        for (int i = 0; i < 16; i++) {
            if (reactor_has_mail(r) || (r->backend->is_ready && r->backend->is_ready(r)))
                return true;
            __builtin_ia32_pause();
        }
    } while (r->backend->now_ns(r) < end);
    return false;
}

/* Time until the next timer, from the real now. */
static uint64_t wait_for_timer(struct reactor *r, uint64_t now_ns)
{
    uint64_t next = timer_wheel_next_ns(&r->timers);

    if (next == UINT64_MAX)
        return IO_WAIT_FOREVER;
    return next > now_ns ? next - now_ns : 0;
}

static void count_busy(struct reactor *r, uint64_t now_ns, uint64_t *awake_since)
{
    if (now_ns <= *awake_since)
        return;
    counter_add(&r->counters.busy_ns, now_ns - *awake_since);
    *awake_since = now_ns;
}

static void sleep_in_ring(struct reactor *r, uint64_t *awake_since)
{
    uint64_t now = r->backend->now_ns(r), wait;

    count_busy(r, now, awake_since);
    wait = wait_for_timer(r, now);
    /* Store then look: pairs with publish then look of the sender (leg_publish, reactor_post). */
    atomic_store(&r->sleeping, 1);
    if (reactor_has_mail(r)) {
        wait = 0;
    } else {
        counter_add(&r->counters.sleeps, 1);
        trace_note("sleep", wait, 0);
    }
    r->backend->poll(r, wait);
    atomic_store(&r->sleeping, 0);
    *awake_since = r->backend->now_ns(r);
}

void reactor_loop(struct reactor *r)
{
    uint64_t awake_since = r->backend->now_ns(r);

    ASSERT_ON_CORE(r);
    r->now_ns = awake_since;
    while (!r->exiting) {
        if (reactor_is_idle(r) && !spin(r))
            sleep_in_ring(r, &awake_since);
        else
            r->backend->poll(r, 0);
        reactor_turn(r);
        count_busy(r, r->now_ns, &awake_since); /* a core may not sleep for a long time */
    }
    r->backend->flush(r); /* wake-ups for legs that were answered in the last turn */
}

unsigned reactor_core(const struct reactor *r)
{
    return r->core;
}

unsigned reactor_count(const struct reactor *r)
{
    return r->group->count;
}

struct reactor_group *reactor_group_of(const struct reactor *r)
{
    return r->group;
}

struct budget *reactor_budget(struct reactor *r)
{
    return &r->budget;
}

void reactor_exit(struct reactor *r)
{
    ASSERT_ON_CORE(r);
    r->exiting = true;
}

uint64_t reactor_now_ns(const struct reactor *r)
{
    return r->now_ns;
}

uint64_t reactor_clock_ns(struct reactor *r)
{
    return r->backend->now_ns(r);
}

int64_t reactor_wall_us(const struct reactor *r)
{
    return r->backend->wall_us((struct reactor *)r);
}

uint64_t reactor_random(struct reactor *r)
{
    /* xorshift128+: fast and good enough for sampling and jitter; not for secrets. */
    uint64_t s1 = r->random[0], s0 = r->random[1];

    r->random[0] = s0;
    s1 ^= s1 << 23;
    r->random[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
    return r->random[1] + s0;
}

void reactor_set_local(struct reactor *r, enum reactor_local slot, void *p)
{
    ASSERT((unsigned)slot < LOCAL_COUNT);
    r->locals[slot] = p;
}

void *reactor_get_local(const struct reactor *r, enum reactor_local slot)
{
    ASSERT((unsigned)slot < LOCAL_COUNT);
    return r->locals[slot];
}

void reactor_get_stats(const struct reactor *r, struct reactor_stats *out)
{
    const struct reactor_counters *c = &r->counters;
#define GET(name) .name = atomic_load_explicit(&c->name, memory_order_relaxed)

    *out = (struct reactor_stats){
        GET(turns),      GET(sleeps),      GET(wakeups_sent), GET(legs_sent), GET(legs_waited),
        GET(legs_local), GET(legs_served), GET(io_ops),       GET(io_errors), GET(tasks),
        GET(timers),     GET(posts),       GET(busy_ns),
    };
#undef GET
}

/* Legs: fan-out with tiny rings, cancellation, classes, wake-up of sleeping cores. */
#include "cores.h"

#include "reactor/leg.h"
#include "reactor/list.h"

enum { CORES = 4, LEGS = 4, CONCURRENT = 32, ROUNDS = 300 };

/* An operation that asks every core, as a query does; half-way through some are cancelled, which
 * only sets a flag: it still waits for every leg. */
struct fan_op;

struct fan_leg {
    struct leg leg;
    struct fan_op *op;
    struct task task;
    uint64_t answer;
};

struct fan_op {
    struct fan_leg legs[LEGS];
    struct reactor *home;
    unsigned waiting, rounds;
    uint64_t sum;
    bool cancelled;
    struct gate *finished;
};

static _Atomic uint64_t served[CORES];

static void shard_work(struct task *t)
{
    struct fan_leg *f = container_of(t, struct fan_leg, task);
    struct reactor *r = reactor_self();

    f->answer = reactor_core(r) + 1;
    f->leg.rc = f->op->cancelled ? -ECANCELED : 0;
    atomic_fetch_add_explicit(&served[reactor_core(r)], 1, memory_order_relaxed);
    leg_reply(r, &f->leg);
}

static void shard_run(struct leg *l)
{
    struct fan_leg *f = container_of(l, struct fan_leg, leg);
    struct reactor *r = reactor_self();

    cr_assert(l->target == reactor_core(r));
    f->task = (struct task){.run = shard_work};
    if (f->op->rounds % 3 == 0)
        shard_work(&f->task); /* at once */
    else
        reactor_task(r, &f->task, f->op->rounds % 3 == 1 ? TASK_IO : TASK_BULK);
}

static void fan_round(struct fan_op *op);

static void home_done(struct leg *l)
{
    struct fan_leg *f = container_of(l, struct fan_leg, leg);
    struct fan_op *op = f->op;

    cr_assert(reactor_self() == op->home);
    cr_assert(l->rc == 0 || op->cancelled);
    op->sum += f->answer;
    if (--op->waiting > 0)
        return;
    op->rounds++;
    if (op->rounds < ROUNDS)
        fan_round(op);
    else
        gate_add(op->finished, 1);
}

static void fan_round(struct fan_op *op)
{
    op->waiting = LEGS;
    op->cancelled = op->rounds % 7 == 6;
    for (unsigned i = 0; i < LEGS; i++) {
        op->legs[i].op = op;
        op->legs[i].leg.run = shard_run;
        op->legs[i].leg.done = home_done;
    }
    for (unsigned i = 0; i < LEGS; i++)
        leg_send(op->home, &op->legs[i].leg, i % reactor_count(op->home),
                 (enum leg_class)(op->rounds % LEG_CLASSES));
}

static struct fan_op ops[CORES][CONCURRENT];
static struct gate finished = GATE_INIT;

static void start_ops(struct reactor *r, void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < CONCURRENT; i++) {
        ops[reactor_core(r)][i] = (struct fan_op){.home = r, .finished = &finished};
        fan_round(&ops[reactor_core(r)][i]);
    }
}

/* Every core runs 32 operations of 4 legs with room for 2 legs per pair: full rings are the rule. */
static void fan_out_with_tiny_rings(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, CORES, 2);
    struct reactor_stats stats;
    uint64_t total = 0;

    finished.count = 0;
    for (unsigned i = 0; i < CORES; i++)
        reactor_post(reactor_group_get(g, i), start_ops, NULL);
    gate_wait(g, &finished, CORES * CONCURRENT);
    for (unsigned i = 0; i < CORES; i++) {
        for (unsigned k = 0; k < CONCURRENT; k++)
            cr_assert(ops[i][k].sum == (uint64_t)ROUNDS * (1 + 2 + 3 + 4));
        total += served[i];
        reactor_get_stats(reactor_group_get(g, i), &stats);
        cr_assert(stats.legs_waited > 0 && stats.legs_local == CONCURRENT * ROUNDS);
    }
    cr_assert(total == (uint64_t)CORES * CONCURRENT * LEGS * ROUNDS);
    cores_stop(g);
}
BACK_ENDS(leg, fan_out_with_tiny_rings)

static struct gate pings = GATE_INIT;
static long pings_left;

static void ping_run(struct leg *l)
{
    leg_reply(reactor_self(), l);
}

static void ping_done(struct leg *l)
{
    struct reactor *r = reactor_self();

    if (--pings_left > 0)
        leg_send(r, l, 1, LEG_REQUEST);
    else
        gate_add(&pings, 1);
}

static struct leg ping_leg;

static void set_spin(struct reactor *r, void *ctx)
{
    r->spin_ns = ctx ? 20000 : 0;
}

static void ping_start(struct reactor *r, void *ctx)
{
    (void)ctx;
    ping_leg = (struct leg){.run = ping_run, .done = ping_done};
    leg_send(r, &ping_leg, 1, LEG_REQUEST);
}

/* One leg to and fro: both cores sleep or are about to at nearly every step, so a lost wake-up
 * would stop it. */
static void wakes_sleeping_cores(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 2, 0);

    for (int spin = 0; spin < 2; spin++) {
        for (unsigned i = 0; i < 2; i++)
            reactor_post(reactor_group_get(g, i), set_spin, spin ? g : NULL);
        pings.count = 0;
        pings_left = 20000;
        reactor_post(reactor_group_get(g, 0), ping_start, NULL);
        gate_wait(g, &pings, 1);
    }
    cores_stop(g);
}
BACK_ENDS(leg, wakes_sleeping_cores)

static void posted(struct reactor *r, void *ctx)
{
    (void)r;
    gate_add(ctx, 1);
}

static struct reactor_group *post_group;
static struct gate post_gate = GATE_INIT;

static void *post_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5000; i++)
        reactor_post(reactor_group_get(post_group, (unsigned)i % 2), posted, &post_gate);
    return NULL;
}

static void posts_from_many_threads(enum reactor_io io)
{
    pthread_t threads[3];

    post_gate.count = 0;
    post_group = cores_start(io, 2, 0);
    for (int i = 0; i < 3; i++) {
        if (io == REACTOR_IO_SIM)
            post_many(NULL); /* one thread owns a simulation */
        else
            pthread_create(&threads[i], NULL, post_many, NULL);
    }
    for (int i = 0; i < 3 && io != REACTOR_IO_SIM; i++)
        pthread_join(threads[i], NULL);
    gate_wait(post_group, &post_gate, 15000);
    cores_stop(post_group);
}
BACK_ENDS(leg, posts_from_many_threads)

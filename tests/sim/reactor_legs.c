/*
 * Operations that ask all cores, over rings of two legs; shards answer at once, later, or only after
 * a leg of the next class went to the log's core and back. Every operation ends, also a cancelled one.
 */
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/leg.h"
#include "reactor/list.h"
#include "scenario.h"

enum { OPS = 32, LEGS = 4, ROUNDS = 10 };

struct fan_op;

struct fan_leg {
    struct leg leg;
    struct fan_op *op;
    struct task task;
    struct leg log; /* sent by the shard while it works on `leg` */
};

struct fan_op {
    struct fan_leg legs[LEGS];
    struct run *run;
    struct reactor *home;
    struct timer cancel;
    unsigned waiting, rounds;
    bool cancelled;
};

struct run {
    struct fan_op ops[OPS];
    unsigned cores, ended;
    uint64_t logged, answered;
    bool done;
};

static void start_round(struct fan_op *op);

static void log_run(struct leg *l)
{
    struct fan_leg *f = container_of(l, struct fan_leg, log);

    f->op->run->logged++;
    leg_reply(reactor_self(), l);
}

static void shard_logged(struct leg *l)
{
    struct fan_leg *f = container_of(l, struct fan_leg, log);

    f->leg.rc = f->op->cancelled ? -1 : 0;
    leg_reply(reactor_self(), &f->leg);
}

static void shard_work(struct task *t)
{
    struct fan_leg *f = container_of(t, struct fan_leg, task);
    struct reactor *r = reactor_self();

    ASSERT(f->leg.target == reactor_core(r));
    if (reactor_random(r) % 2) {
        f->leg.rc = 0;
        leg_reply(r, &f->leg);
        return;
    }
    f->log = (struct leg){.run = log_run, .done = shard_logged};
    leg_send(r, &f->log, 0, LEG_LOG);
}

static void shard_run(struct leg *l)
{
    struct fan_leg *f = container_of(l, struct fan_leg, leg);
    struct reactor *r = reactor_self();

    f->task = (struct task){.run = shard_work};
    if (reactor_random(r) % 3 == 0)
        shard_work(&f->task);
    else
        reactor_task(r, &f->task, reactor_random(r) % 2 ? TASK_BULK : TASK_IO);
}

static void home_done(struct leg *l)
{
    struct fan_op *op = container_of(l, struct fan_leg, leg)->op;

    ASSERT(reactor_self() == op->home);
    ASSERT(op->waiting > 0);
    op->run->answered++;
    if (--op->waiting > 0)
        return;
    timer_cancel(op->home, &op->cancel);
    if (++op->rounds < ROUNDS) {
        start_round(op);
        return;
    }
    op->run->done = ++op->run->ended == OPS;
}

static void deadline(struct timer *t)
{
    container_of(t, struct fan_op, cancel)->cancelled = true;
}

static void start_round(struct fan_op *op)
{
    op->waiting = LEGS;
    op->cancelled = false;
    op->cancel.fire = deadline;
    timer_arm(op->home, &op->cancel, reactor_random(op->home) % 3000000);
    for (unsigned i = 0; i < LEGS; i++) {
        struct fan_leg *f = &op->legs[i];

        f->op = op;
        f->leg = (struct leg){.run = shard_run, .done = home_done};
        leg_send(op->home, &f->leg, (unsigned)(reactor_random(op->home) % op->run->cores),
                 LEG_REQUEST);
    }
}

static void start_op(struct reactor *r, void *ctx)
{
    struct fan_op *op = ctx;

    op->home = r;
    start_round(op);
}

SCENARIO(reactor_legs)
{
    struct sim *w = sim_new(seed);
    struct run *run = calloc(1, sizeof *run);
    struct reactor_group *g;
    uint64_t hash;

    ASSERT(run);
    run->cores = 1 + (unsigned)(sim_random(w) % 6);
    g = scenario_group(w, NULL, 0, run->cores, 2);
    for (unsigned i = 0; i < OPS; i++) {
        run->ops[i].run = run;
        reactor_post(reactor_group_get(g, i % run->cores), start_op, &run->ops[i]);
    }
    scenario_run_until(g, &run->done);
    ASSERT(run->answered == OPS * LEGS * ROUNDS);
    hash = sim_trace_hash(w);
    scenario_stop(g);
    sim_free(w);
    free(run);
    return hash;
}

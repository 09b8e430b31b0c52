#include "cores.h"

#include <stdlib.h>

#include "reactor/list.h"
#include "reactor/timer.h"

#define MS 1000000ull

static uint64_t fired_at[64], fake_now;
static int fired_ids[64], fired_count;

struct numbered {
    struct timer timer;
    int id;
};

static void note(struct timer *t)
{
    cr_assert(t->at_ns <= fake_now);
    fired_at[fired_count % 64] = t->at_ns;
    fired_ids[fired_count++ % 64] = container_of(t, struct numbered, timer)->id;
}

Test(timer, wheel_fires_in_order_over_all_levels)
{
    static struct timer_wheel w;
    static const uint64_t delays[] = {1,    63,     64,     65,       4095,      4096,
                                      5000, 262144, 300000, 20000000, 1ull << 40};
    enum { N = sizeof delays / sizeof *delays };
    struct numbered t[N];

    fired_count = 0;
    fake_now = 123456789;
    timer_wheel_init(&w, fake_now);
    for (int i = N - 1; i >= 0; i--) {
        t[i] = (struct numbered){.timer.fire = note, .id = i};
        timer_wheel_add(&w, &t[i].timer, fake_now + delays[i] * MS);
    }
    for (int steps = 0; fired_count < N; steps++) {
        uint64_t next = timer_wheel_next_ns(&w);

        cr_assert(next != UINT64_MAX && steps < 200);
        if (next > fake_now)
            fake_now = next;
        timer_wheel_fire(&w, fake_now);
    }
    for (int i = 0; i < N; i++) {
        cr_assert(fired_ids[i] == i);
        cr_assert(!t[i].timer.armed);
    }
    cr_assert(timer_wheel_next_ns(&w) == UINT64_MAX);
}

Test(timer, wheel_agrees_with_a_sorted_list)
{
    enum { N = 300 };
    static struct timer_wheel w;
    static struct numbered t[N];
    unsigned seed = 7;
    uint64_t now = 0;
    int alive = 0;

    timer_wheel_init(&w, now);
    for (int i = 0; i < N; i++)
        t[i].timer.fire = note;
    for (int step = 0; step < 100000; step++) {
        struct numbered *n = &t[rand_r(&seed) % N];
        uint64_t first = UINT64_MAX, next;

        if (n->timer.armed) {
            timer_wheel_remove(&w, &n->timer);
            alive--;
        } else {
            timer_wheel_add(&w, &n->timer,
                            now + (uint64_t)rand_r(&seed) % (1ull << (rand_r(&seed) % 40)));
            alive++;
        }
        for (int i = 0; i < N; i++)
            if (t[i].timer.armed && t[i].timer.at_ns < first)
                first = t[i].timer.at_ns;
        next = timer_wheel_next_ns(&w);
        /* Never later than the first timer, rounded up to a tick. */
        cr_assert(next == UINT64_MAX ? alive == 0 : next < first + MS || first == UINT64_MAX);
        now += (uint64_t)rand_r(&seed) % (3 * MS);
        fake_now = now;
        alive -= (int)timer_wheel_fire(&w, now);
        for (int i = 0; i < N; i++)
            cr_assert(!t[i].timer.armed || t[i].timer.at_ns + MS > now);
    }
}

static struct timer_wheel *wheel;
static struct timer victim;
static int calls;

static void fire_and_cancel(struct timer *t)
{
    calls++;
    if (victim.armed)
        timer_wheel_remove(wheel, &victim);
    if (calls < 3)
        timer_wheel_add(wheel, t, fake_now); /* due at once, but in the next pass */
}

static void never(struct timer *t)
{
    (void)t;
    cr_assert(!"cancelled timer fired");
}

Test(timer, callbacks_cancel_and_rearm)
{
    static struct timer_wheel w;
    struct timer t = {.fire = fire_and_cancel};

    wheel = &w;
    fake_now = 0;
    timer_wheel_init(&w, 0);
    victim.fire = never;
    timer_wheel_add(&w, &t, 5 * MS);
    timer_wheel_add(&w, &victim, 5 * MS);
    fake_now = 5 * MS;
    cr_assert(timer_wheel_fire(&w, fake_now) == 1 && timer_wheel_next_ns(&w) == 0);
    cr_assert(timer_wheel_fire(&w, fake_now) == 1);
    cr_assert(timer_wheel_fire(&w, fake_now) == 1);
    cr_assert(timer_wheel_fire(&w, fake_now) == 0 && calls == 3);
}

static struct gate fired = GATE_INIT;
static uint64_t armed_at;
static int order[4];

static void on_core(struct timer *t)
{
    struct numbered *n = container_of(t, struct numbered, timer);

    cr_assert(reactor_now_ns(reactor_self()) >= t->at_ns);
    order[fired.count] = n->id;
    gate_add(&fired, 1);
}

static struct numbered on_core_timers[4];

static void arm(struct reactor *r, void *ctx)
{
    static const int delays[] = {30, 5, 80, 15};

    (void)ctx;
    armed_at = reactor_now_ns(r);
    for (int i = 0; i < 4; i++) {
        on_core_timers[i] = (struct numbered){.timer.fire = on_core, .id = i};
        timer_arm(r, &on_core_timers[i].timer, 1000 * MS);
        timer_arm(r, &on_core_timers[i].timer, (uint64_t)delays[i] * MS);
    }
}

static void sleeping_core_fires(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    fired.count = 0;
    reactor_post(reactor_group_get(g, 0), arm, NULL);
    gate_wait(g, &fired, 4);
    cr_assert(order[0] == 1 && order[1] == 3 && order[2] == 0 && order[3] == 2);
    cores_stop(g);
}
BACK_ENDS(timer, sleeping_core_fires)

/* World of the simulator: clock, events, scheduling of cores, crashes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/sim_impl.h"

/* A turn takes up to this long, so that time moves while cores are busy. */
enum { TURN_NS_MAX = 2000, EXIT_STEPS_MAX = 10000000 };

void *sim_alloc(size_t size)
{
    void *p = calloc(1, size);

    ASSERT(p);
    return p;
}

uint64_t sim_random(struct sim *w)
{
    /* xorshift128+, as reactor_random. */
    uint64_t s1 = w->random[0], s0 = w->random[1];

    w->random[0] = s0;
    s1 ^= s1 << 23;
    w->random[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
    return w->random[1] + s0;
}

uint64_t sim_below(struct sim *w, uint64_t n)
{
    ASSERT(n > 0);
    return (sim_random(w) >> 11) % n;
}

bool sim_chance(struct sim *w, uint32_t ppm)
{
    return ppm > 0 && sim_below(w, 1000000) < ppm;
}

void sim_note(struct sim *w, uint64_t value)
{
    /* FNV-1a over whole words, with the high half folded in. */
    w->hash = (w->hash ^ value) * 0x100000001b3ull;
    w->hash ^= w->hash >> 29;
}

struct sim *sim_new(uint64_t seed)
{
    struct sim *w = sim_alloc(sizeof *w);

    w->random[0] = seed * 0x9e3779b97f4a7c15ull + 1;
    w->random[1] = seed ^ 0xd1b54a32d192ed03ull;
    for (int i = 0; i < 16; i++)
        sim_random(w);
    w->hash = 0xcbf29ce484222325ull;
    w->next_port = 40000;
    list_init(&w->sockets);
    return w;
}

void sim_free(struct sim *w)
{
    if (!w)
        return;
    ASSERT(w->group_count == 0);
    for (unsigned i = 0; i < w->heap_len; i++)
        sim_packet_free(w->heap[i].packet);
    ASSERT(list_is_empty(&w->sockets));
    free(w->heap);
    free(w->files);
    free(w->groups);
    free(w);
}

void sim_set_faults(struct sim *w, const struct sim_faults *faults)
{
    w->faults = *faults;
}

const struct sim_disk_counts *sim_disk_counts(const struct sim *w)
{
    return &w->counts;
}

uint64_t sim_now_ns(const struct sim *w)
{
    return w->now_ns;
}

uint64_t sim_steps(const struct sim *w)
{
    return w->steps;
}

uint64_t sim_trace_hash(const struct sim *w)
{
    return w->hash;
}

struct sim *sim_of_group(const struct reactor_group *g)
{
    ASSERT(g->backend->is_simulated);
    return ((struct sim_node *)g->shared)->world;
}

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void heap_up(struct sim *w, unsigned i)
{
    while (i > 0 && event_before(&w->heap[i], &w->heap[(i - 1) / 2])) {
        struct sim_event e = w->heap[i];

        w->heap[i] = w->heap[(i - 1) / 2];
        w->heap[(i - 1) / 2] = e;
        i = (i - 1) / 2;
    }
}

static void heap_down(struct sim *w, unsigned i)
{
    for (;;) {
        unsigned least = i, child = 2 * i + 1;
        struct sim_event e;

        for (unsigned c = child; c < child + 2 && c < w->heap_len; c++)
            if (event_before(&w->heap[c], &w->heap[least]))
                least = c;
        if (least == i)
            return;
        e = w->heap[i];
        w->heap[i] = w->heap[least];
        w->heap[least] = e;
        i = least;
    }
}

static struct sim_event heap_remove(struct sim *w, unsigned i)
{
    struct sim_event e = w->heap[i];

    w->heap[i] = w->heap[--w->heap_len];
    if (i < w->heap_len) {
        heap_down(w, i);
        heap_up(w, i);
    }
    return e;
}

void sim_schedule(struct sim *w, uint64_t at_ns, struct sim_event event)
{
    if (w->heap_len == w->heap_cap) {
        w->heap_cap = w->heap_cap ? w->heap_cap * 2 : 64;
        w->heap = realloc(w->heap, w->heap_cap * sizeof *w->heap);
        ASSERT(w->heap);
    }
    event.at_ns = at_ns > w->now_ns ? at_ns : w->now_ns;
    event.order = w->order++;
    w->heap[w->heap_len] = event;
    heap_up(w, w->heap_len++);
}

bool sim_unschedule(struct sim *w, const struct io_op *op)
{
    for (unsigned i = 0; i < w->heap_len; i++) {
        if (w->heap[i].op == op) {
            heap_remove(w, i);
            return true;
        }
    }
    return false;
}

void sim_drop_events(struct sim *w, bool (*match)(void *ctx, struct sim_event *e), void *ctx)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < w->heap_len; i++) {
        struct sim_event e = w->heap[i];

        if (!match(ctx, &e))
            w->heap[kept++] = e;
    }
    w->heap_len = kept;
    for (unsigned i = kept / 2; i-- > 0;)
        heap_down(w, i);
}

static void run_due_events(struct sim *w)
{
    while (w->heap_len > 0 && w->heap[0].at_ns <= w->now_ns) {
        struct sim_event e = heap_remove(w, 0);

        sim_note(w, e.order);
        switch (e.kind) {
        case SIM_OP:
            sim_disk_finish(w, e.op);
            break;
        case SIM_ARRIVAL:
            sim_net_arrive(w, e.packet);
            break;
        case SIM_RETRY:
            sim_net_retry(w, e.op);
            break;
        }
    }
}

void sim_add_group(struct sim *w, struct reactor_group *g)
{
    w->groups = realloc(w->groups, (w->group_count + 1) * sizeof *w->groups);
    ASSERT(w->groups);
    w->groups[w->group_count++] = g;
}

void sim_remove_group(struct sim *w, struct reactor_group *g)
{
    for (unsigned i = 0; i < w->group_count; i++) {
        if (w->groups[i] == g) {
            memmove(w->groups + i, w->groups + i + 1, (w->group_count - i - 1) * sizeof *w->groups);
            w->group_count--;
            return;
        }
    }
}

static bool core_can_run(const struct sim *w, const struct reactor *r)
{
    const struct sim_core *c = r->io;

    return r->running && !r->exiting &&
           (c->submitted.head || !reactor_is_idle(r) ||
            timer_wheel_next_ns(&r->timers) <= w->now_ns);
}

/* The n-th core that can run, n counting down; NULL = there are fewer, *n then reduced by their number. */
static struct reactor *runnable(struct sim *w, unsigned *n)
{
    for (unsigned i = 0; i < w->group_count; i++) {
        for (unsigned core = 0; core < w->groups[i]->count; core++) {
            struct reactor *r = w->groups[i]->cores[core];

            if (core_can_run(w, r) && (*n)-- == 0)
                return r;
        }
    }
    return NULL;
}

static unsigned count_runnable(struct sim *w)
{
    unsigned n = UINT32_MAX;

    runnable(w, &n);
    return UINT32_MAX - n;
}

static void turn(struct sim *w, struct reactor *r)
{
    w->steps++;
    sim_note(w, w->now_ns);
    sim_note(w, r->core + 1);
    reactor_set_self(r);
    r->backend->poll(r, 0);
    reactor_turn(r);
    reactor_set_self(NULL);
    w->now_ns += sim_below(w, TURN_NS_MAX) + 1;
}

/* Jumps to the next event or timer: false when there is none. */
static bool jump(struct sim *w)
{
    uint64_t next = w->heap_len > 0 ? w->heap[0].at_ns : UINT64_MAX;

    for (unsigned i = 0; i < w->group_count; i++) {
        for (unsigned core = 0; core < w->groups[i]->count; core++) {
            const struct reactor *r = w->groups[i]->cores[core];
            uint64_t at = r->exiting || !r->running ? UINT64_MAX : timer_wheel_next_ns(&r->timers);

            next = at < next ? at : next;
        }
    }
    if (next == UINT64_MAX)
        return false;
    if (next > w->now_ns)
        w->now_ns = next;
    return true;
}

static int world_run(struct sim *w, bool (*until)(void *ctx), void *ctx, uint64_t max_steps)
{
    for (uint64_t i = 0; i < max_steps; i++) {
        unsigned n;

        if (until(ctx))
            return 0;
        run_due_events(w);
        while ((n = count_runnable(w)) == 0) {
            if (!jump(w))
                return -ETIME;
            run_due_events(w);
        }
        n = (unsigned)sim_below(w, n);
        turn(w, runnable(w, &n));
    }
    return until(ctx) ? 0 : -ELOOP;
}

int reactor_sim_run(struct reactor_group *g, bool (*until)(void *ctx), void *ctx,
                    uint64_t max_steps)
{
    ASSERT(reactor_self() == NULL);
    return world_run(sim_of_group(g), until, ctx, max_steps);
}

static bool all_exited(void *ctx)
{
    struct reactor_group *g = ctx;

    for (unsigned i = 0; i < g->count; i++)
        if (!g->cores[i]->exiting)
            return false;
    return true;
}

void sim_run_to_exit(struct reactor_group *g)
{
    int rc = reactor_sim_run(g, all_exited, g, EXIT_STEPS_MAX);

    /* A core that never called reactor_exit is a bug of the layers above; threads would hang here. */
    ASSERT(rc == 0);
}

struct loss {
    struct reactor_group *group;
    bool keep_ops;
};

static bool lose_event(void *ctx, struct sim_event *e)
{
    struct loss *loss = ctx;

    if (!e->owner || e->owner->group != loss->group)
        return false;
    if (loss->keep_ops && e->kind == SIM_OP)
        sim_disk_lose_op(sim_of_group(loss->group), e->op);
    return true;
}

static void close_files(struct sim_node *node)
{
    struct sim *w = node->world;

    for (unsigned i = 0; i < w->files_len; i++)
        if (w->files[i].inode && w->files[i].disk == node->disk)
            sim_fd_free(w, SIM_FD_FIRST + (int)i);
}

void sim_stop_node(struct reactor_group *g, bool keep_ops, bool power)
{
    struct sim_node *node = g->shared;
    struct loss loss = {g, keep_ops};

    ASSERT(reactor_self() == NULL);
    for (unsigned i = 0; i < g->count; i++)
        if (g->cores[i])
            g->cores[i]->exiting = true;
    sim_drop_events(node->world, lose_event, &loss);
    sim_net_close_group(node->world, g);
    close_files(node);
    if (power)
        sim_disk_power_loss(node->disk);
}

void sim_crash(struct reactor_group *g)
{
    sim_stop_node(g, true, true);
}

void sim_kill(struct reactor_group *g)
{
    sim_stop_node(g, true, false);
}

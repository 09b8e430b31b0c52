/* Legs: rings between cores, credits of the sender, delivery. See leg.h for the protocol. */
#include "reactor/leg.h"

#include <errno.h>
#include <sys/mman.h>

#include "reactor/assert.h"
#include "reactor/core.h"

enum leg_state { LEG_IDLE, LEG_WAITING, LEG_LENT, LEG_RETURNING };

static struct leg_port *port_of(struct reactor *r, unsigned peer, unsigned class)
{
    return &r->ports[peer * LEG_CLASSES + class];
}

static void mark_dirty(struct reactor *r, unsigned peer)
{
    r->dirty[peer / 64] |= 1ull << (peer % 64);
}

static void local_push(struct reactor *r, struct leg *l)
{
    l->next = NULL;
    if (r->local_tail)
        r->local_tail->next = l;
    else
        r->local_head = l;
    r->local_tail = l;
}

static void request_push(struct reactor *r, struct leg_port *port, struct leg *l)
{
    ASSERT(port->credits > 0);
    port->credits--;
    l->state = LEG_LENT;
    /* A credit is a free slot: the ring holds as many requests as there are credits. */
    ASSERT(spsc_push(port->request_out, l));
    mark_dirty(r, l->target);
}

void leg_send(struct reactor *r, struct leg *l, unsigned target, enum leg_class class)
{
    struct leg_port *port;

    ASSERT_ON_CORE(r);
    ASSERT(l->state == LEG_IDLE);
    ASSERT(target < r->group->count);
    ASSERT((unsigned)class < LEG_CLASSES);
    ASSERT(l->run && l->done);
    l->origin = (uint16_t)r->core;
    l->target = (uint16_t)target;
    l->class = (uint8_t) class;
    l->next = NULL;
    if (target == r->core) {
        counter_add(&r->counters.legs_local, 1);
        l->state = LEG_LENT;
        local_push(r, l);
        return;
    }
    counter_add(&r->counters.legs_sent, 1);
    r->legs_out++;
    port = port_of(r, target, class);
    if (port->credits > 0 && !port->wait_head) {
        request_push(r, port, l);
        return;
    }
    counter_add(&r->counters.legs_waited, 1);
    l->state = LEG_WAITING;
    if (port->wait_tail)
        port->wait_tail->next = l;
    else
        port->wait_head = l;
    port->wait_tail = l;
}

void leg_reply(struct reactor *r, struct leg *l)
{
    ASSERT_ON_CORE(r);
    ASSERT(l->state == LEG_LENT);
    ASSERT(l->target == r->core);
    l->state = LEG_RETURNING;
    if (l->origin == r->core) {
        local_push(r, l);
        return;
    }
    ASSERT(spsc_push(port_of(r, l->origin, l->class)->response_out, l));
    mark_dirty(r, l->origin);
}

/* The credit of a returned leg goes to the longest waiting one. */
static void credit_returned(struct reactor *r, struct leg_port *port)
{
    struct leg *l = port->wait_head;

    port->credits++;
    ASSERT(port->credits <= r->group->ring_entries);
    if (!l)
        return;
    port->wait_head = l->next;
    if (!port->wait_head)
        port->wait_tail = NULL;
    l->next = NULL;
    request_push(r, port, l);
}

static void run_done(struct leg *l)
{
    ASSERT(l->state == LEG_RETURNING);
    l->state = LEG_IDLE;
    trace_note("leg done", l->target, (uint64_t)(uint32_t)l->rc);
    l->done(l);
}

/* Delivers from one peer and class; true when the bound was reached and more may be there. */
static bool port_deliver(struct reactor *r, struct leg_port *port)
{
    unsigned bound = r->group->ring_entries;
    struct leg *l;

    for (unsigned i = 0; i < bound && (l = spsc_pop(port->request_in)) != NULL; i++) {
        ASSERT(l->state == LEG_LENT && l->target == r->core);
        counter_add(&r->counters.legs_served, 1);
        r->leg_activity = true;
        trace_note("leg run", l->origin, l->class);
        l->run(l);
    }
    for (unsigned i = 0; i < bound && (l = spsc_pop(port->response_in)) != NULL; i++) {
        ASSERT(r->legs_out > 0);
        r->legs_out--;
        credit_returned(r, port);
        run_done(l);
    }
    return !spsc_is_empty(port->request_in) || !spsc_is_empty(port->response_in);
}

void leg_deliver(struct reactor *r)
{
    r->leg_activity = false;
    for (unsigned w = 0; w * 64 < r->group->count; w++) {
        uint64_t peers;

        if (!atomic_load_explicit(&r->doorbell[w], memory_order_relaxed))
            continue;
        peers = atomic_exchange(&r->doorbell[w], 0);
        while (peers) {
            unsigned bit = (unsigned)__builtin_ctzll(peers);
            bool more = false;

            peers &= peers - 1;
            for (unsigned class = 0; class < LEG_CLASSES; class ++)
                more |= port_deliver(r, port_of(r, w * 64 + bit, class));
            if (more)
                atomic_fetch_or(&r->doorbell[w], 1ull << bit);
        }
    }
}

void leg_run_local(struct reactor *r)
{
    /* Only what is there now: a leg sent by a callback waits for the next turn. */
    struct leg *l = r->local_head;

    r->local_head = r->local_tail = NULL;
    while (l) {
        struct leg *next = l->next;

        l->next = NULL;
        if (l->state == LEG_LENT)
            l->run(l);
        else
            run_done(l);
        l = next;
    }
}

void leg_publish(struct reactor *r)
{
    for (unsigned w = 0; w * 64 < r->group->count; w++) {
        uint64_t peers = r->dirty[w];

        r->dirty[w] = 0;
        while (peers) {
            unsigned peer = w * 64 + (unsigned)__builtin_ctzll(peers);
            struct reactor *to = r->group->cores[peer];
            bool news = false;

            peers &= peers - 1;
            for (unsigned class = 0; class < LEG_CLASSES; class ++) {
                news |= spsc_publish(port_of(r, peer, class)->request_out);
                news |= spsc_publish(port_of(r, peer, class)->response_out);
            }
            if (!news)
                continue;
            /* Sequentially consistent, as are the store of `sleeping` and the look at the doorbell
             * after it on the other side: one of both sees the other. */
            atomic_fetch_or(&to->doorbell[r->core / 64], 1ull << (r->core % 64));
            reactor_wake(r, to);
        }
    }
}

/* Ring number i of the group: requests of (from, to, class), or the responses to them. */
static struct spsc *ring_at(struct reactor_group *g, size_t ring_bytes, unsigned from, unsigned to,
                            unsigned class, unsigned response)
{
    size_t i = ((size_t)from * g->count + to) * LEG_CLASSES + class;

    return (struct spsc *)((uint8_t *)g->rings + (i * 2 + response) * ring_bytes);
}

int leg_rings_new(struct reactor_group *g)
{
    size_t one = spsc_bytes(g->ring_entries);

    g->rings_bytes = (size_t)g->count * g->count * LEG_CLASSES * 2 * one;
    g->rings =
        mmap(NULL, g->rings_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->rings == MAP_FAILED) {
        g->rings = NULL;
        return -ENOMEM;
    }
    for (unsigned me = 0; me < g->count; me++) {
        for (unsigned peer = 0; peer < g->count; peer++) {
            for (unsigned class = 0; class < LEG_CLASSES; class ++) {
                struct leg_port *port = port_of(g->cores[me], peer, class);

                *port = (struct leg_port){
                    .request_out = ring_at(g, one, me, peer, class, 0),
                    .response_in = ring_at(g, one, me, peer, class, 1),
                    .request_in = ring_at(g, one, peer, me, class, 0),
                    .response_out = ring_at(g, one, peer, me, class, 1),
                    .credits = g->ring_entries,
                };
                spsc_init(port->request_out, g->ring_entries);
                spsc_init(port->response_in, g->ring_entries);
            }
        }
    }
    return 0;
}

void leg_rings_free(struct reactor_group *g)
{
    if (g->rings)
        munmap(g->rings, g->rings_bytes);
    g->rings = NULL;
}

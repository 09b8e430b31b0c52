/*
 * A shard core's records on their way to the log's core and back.
 *
 * What comes here is applied already. When the disk is full its client gets an error, but the records are kept and
 * are the first to be written once there is room: later writes build on these rows, and a log without them would
 * give other rows at replay. Until then writes are refused; a restart finds neither the rows nor what builds on them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/list.h"
#include "reactor/log.h"
#include "rpc/local.h"

enum { SPACE_CHECK_NS = 1000000000, SPACE_WANTED = 1 << 20 };

struct log_held { /* owner: the log's core; until written */
    struct wlog_append append;
    struct node *node;
    struct log_held *next;
    struct wlog_record records[]; /* then the payloads */
};

static void write_held(struct node *n);

static void submit_home(struct leg *leg)
{
    struct log_submit *s = (struct log_submit *)leg;

    s->rc = s->append.rc;
    local_of(reactor_self())->unlogged--;
    s->done(s);
}

static struct log_held *copy_records(const struct wlog_append *a)
{
    size_t bytes = sizeof(struct log_held) + a->n * sizeof(*a->records);
    size_t at = (bytes + 7) & ~(size_t)7;

    bytes = at;
    for (uint32_t i = 0; i < a->n; i++)
        bytes += (a->records[i].len + 7UL) & ~7UL;
    struct log_held *h = malloc(bytes);
    if (!h)
        return NULL;
    *h = (struct log_held){.append = {.records = h->records, .n = a->n}};
    for (uint32_t i = 0; i < a->n; i++) {
        h->records[i] = a->records[i];
        h->records[i].payload = (uint8_t *)h + at;
        if (a->records[i].len)
            memcpy((uint8_t *)h + at, a->records[i].payload, a->records[i].len);
        at += (a->records[i].len + 7UL) & ~7UL;
    }
    return h;
}

/* The disk was full: writes go on once the log has room again and has got what was kept. */
static void check_space(struct timer *t)
{
    struct node *n = container_of(t, struct node, space_timer);

    if (!n->log)
        return;
    if (wlog_can_append(n->log, SPACE_WANTED))
        timer_arm(reactor_self(), t, SPACE_CHECK_NS);
    else
        write_held(n);
}

static void held_done(struct wlog_append *a)
{
    struct log_held *h = container_of(a, struct log_held, append);
    struct node *n = h->node;

    if (a->rc == -ENOSPC) {
        if (n->log)
            timer_arm(reactor_self(), &n->space_timer, SPACE_CHECK_NS);
        return;
    }
    if (a->rc) {
        atomic_store_explicit(&n->refusing, a->rc, memory_order_relaxed);
        return;
    }
    n->held = h->next;
    free(h);
    write_held(n);
}

static void write_held(struct node *n)
{
    int full = -ENOSPC;

    if (!n->log)
        return;
    if (n->held) {
        n->held->append.done = held_done;
        wlog_append(n->log, &n->held->append);
    } else if (atomic_compare_exchange_strong(&n->refusing, &full, 0)) {
        log_info("log: there is room again, writes are taken");
    }
}

static void hold(struct node *n, const struct wlog_append *a)
{
    struct log_held *h = copy_records(a);

    if (!h) {
        log_error("log: no memory to keep what the full disk did not take; writes are refused from "
                  "now on");
        atomic_store_explicit(&n->refusing, -ENOMEM, memory_order_relaxed);
        return;
    }
    h->node = n;
    if (n->held) {
        n->held_last->next = h;
    } else {
        n->held = h;
        n->space_timer.fire = check_space;
        timer_arm(reactor_self(), &n->space_timer, SPACE_CHECK_NS);
    }
    n->held_last = h;
}

static void append_done(struct wlog_append *a)
{
    struct log_submit *s = container_of(a, struct log_submit, append);

    if (a->rc)
        atomic_store_explicit(&s->node->refusing, a->rc, memory_order_relaxed);
    if (a->rc == -ENOSPC)
        hold(s->node, a);
    leg_reply(reactor_self(), &s->leg);
}

/* Nothing may overtake what is kept, and nothing may follow what was lost. */
static void append_run(struct leg *leg)
{
    struct log_submit *s = (struct log_submit *)leg;
    int refusing = atomic_load_explicit(&s->node->refusing, memory_order_relaxed);

    s->append.done = append_done;
    if (refusing && refusing != -ESHUTDOWN) {
        s->append.rc = refusing;
        append_done(&s->append);
        return;
    }
    wlog_append(s->node->log, &s->append);
}

static void written_here(struct wlog_append *a)
{
    struct log_submit *s = container_of(a, struct log_submit, append);

    if (a->rc) /* the log is broken, also if the disk was full */
        atomic_store_explicit(&s->node->refusing, a->rc == -ENOSPC ? -EIO : a->rc,
                              memory_order_relaxed);
    s->rc = a->rc;
    local_of(reactor_self())->unlogged--;
    s->done(s);
}

/* Nothing of this core may be overtaken. */
static bool write_here(struct local *l, struct log_submit *s)
{
    if (reactor_core(l->reactor) == NODE_LOG_CORE || l->unlogged ||
        atomic_load_explicit(&l->node->refusing, memory_order_relaxed))
        return false;
    s->append.done = written_here;
    return wlog_append_direct(l->node->log, &s->append);
}

void log_submit(struct local *l, struct log_submit *s, const struct wlog_record *records,
                uint32_t n)
{
    s->node = l->node;
    s->append.records = records;
    s->append.n = n;
    if (write_here(l, s)) {
        l->unlogged++;
        return;
    }
    s->leg.run = append_run;
    s->leg.done = submit_home;
    l->unlogged++;
    leg_send(l->reactor, &s->leg, NODE_LOG_CORE, LEG_LOG);
}

void log_free_held(struct node *n)
{
    while (n->held) {
        struct log_held *h = n->held;
        n->held = h->next;
        free(h);
    }
}

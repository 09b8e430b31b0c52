/* A shard core's records on their way to the log's core and back. */
#include <errno.h>

#include "reactor/log.h"
#include "rpc/local.h"

static void submit_home(struct leg *leg)
{
    struct log_submit *s = (struct log_submit *)leg;

    s->rc = s->append.rc;
    s->done(s);
}

enum { SPACE_CHECK_NS = 1000000000, SPACE_WANTED = 1 << 20 };

/* The disk was full: writes go on once the log has room again. */
static void check_space(struct timer *t)
{
    struct node *n = (struct node *)((char *)t - offsetof(struct node, space_timer));

    if (!n->log)
        return;
    if (wlog_can_append(n->log, SPACE_WANTED)) {
        timer_arm(reactor_self(), t, SPACE_CHECK_NS);
        return;
    }
    int full = -ENOSPC;
    if (atomic_compare_exchange_strong(&n->refusing, &full, 0))
        log_info("log: there is room again, writes are taken");
}

static void append_done(struct wlog_append *a)
{
    struct log_submit *s = (struct log_submit *)((char *)a - offsetof(struct log_submit, append));

    if (a->rc)
        atomic_store_explicit(&s->node->refusing, a->rc, memory_order_relaxed);
    if (a->rc == -ENOSPC) {
        s->node->space_timer.fire = check_space;
        timer_arm(reactor_self(), &s->node->space_timer, SPACE_CHECK_NS);
    }
    leg_reply(reactor_self(), &s->leg);
}

static void append_run(struct leg *leg)
{
    struct log_submit *s = (struct log_submit *)leg;

    s->append.done = append_done;
    wlog_append(s->node->log, &s->append);
}

void log_submit(struct local *l, struct log_submit *s, const struct wlog_record *records,
                uint32_t n)
{
    s->node = l->node;
    s->append.records = records;
    s->append.n = n;
    s->leg.run = append_run;
    s->leg.done = submit_home;
    leg_send(l->reactor, &s->leg, NODE_LOG_CORE, LEG_LOG);
}

/*
 * What a connection may wait for its client: the login, the next command, the rest of one that began, and that its answer
 * is read. One timer, armed for the next of these; what happened meanwhile is looked at when it fires.
 */
#include <stddef.h>

#include "reactor/log.h"
#include "sql/conn.h"

static uint64_t seconds(uint32_t s)
{
    return s * UINT64_C(1000000000);
}

static void give_up(struct conn *c, const char *what)
{
    log_debug("mysql: connection %u: %s", c->session.id, what);
    c->gateway->stats.aborted++;
    stream_abort(c->stream);
}

/* The client is told, if it reads at all. */
static void say_goodbye(struct conn *c)
{
    const struct mysql_error_info *e = mysql_error_find(MYSQL_ER_CLIENT_INTERACTION_TIMEOUT);

    log_debug("mysql: connection %u: nothing came in %u s", c->session.id,
              c->session.timeouts.wait_s);
    c->gateway->stats.aborted++;
    c->closing = true;
    conn_command_begins(c);
    c->mysql.wire.seq = 0;
    mysql_err(&c->mysql.wire, e->code, e->sqlstate, e->format);
    conn_flush(c);
    stream_close(c->stream);
}

/* How long the connection may stay as it is, ns; 0 = as long as it likes. */
static uint64_t patience(const struct conn *c)
{
    const struct session_timeouts *t = &c->session.timeouts;

    if (c->blocked || c->choked)
        return seconds(t->write_s);
    if (c->mysql.state == MYSQL_SESSION_LOCAL)
        return seconds(t->read_s);
    if (c->statement || c->task.queued)
        return 0;
    if (mysql_session_is_authenticating(&c->mysql) || c->login)
        return seconds(c->gateway->config.connect_timeout_s);
    return seconds(mysql_session_has_part(&c->mysql) ? t->read_s : t->wait_s);
}

static void on_timer(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    uint64_t now = reactor_now_ns(c->gateway->reactor), limit = patience(c), since = c->active_ns;
    size_t unsent = conn_unsent(c);

    if (mysql_session_is_authenticating(&c->mysql))
        since = c->started_ns; /* bytes one by one do not make it longer */
    if ((c->blocked || c->choked) && unsent < c->unsent_before)
        since = c->active_ns = now;
    c->unsent_before = unsent;
    if (!limit) /* armed again when the statement has ended */
        return;
    if (now - since < limit)
        timer_arm(c->gateway->reactor, &c->timer, limit - (now - since));
    else if (c->blocked || c->choked)
        give_up(c, "its answer is not read");
    else if (mysql_session_is_authenticating(&c->mysql))
        give_up(c, "no login in time");
    else if (c->statement)
        give_up(c, "the rest of a file did not come");
    else if (mysql_session_has_part(&c->mysql))
        give_up(c, "the rest of a command did not come");
    else
        say_goodbye(c);
}

void conn_timer_init(struct conn *c)
{
    c->timer.fire = on_timer;
    c->active_ns = c->started_ns = reactor_now_ns(c->gateway->reactor);
    timer_arm(c->gateway->reactor, &c->timer, seconds(c->gateway->config.connect_timeout_s));
}

void conn_timer_stop(struct conn *c)
{
    timer_cancel(c->gateway->reactor, &c->timer);
}

void conn_timer_check(struct conn *c)
{
    uint64_t limit;

    c->active_ns = reactor_now_ns(c->gateway->reactor);
    if (c->closing || c->gone)
        return;
    limit = patience(c);
    /* Only a timer that would fire too late is moved: a command costs nothing here. */
    if (!limit || (c->timer.armed && c->timer.at_ns <= c->active_ns + limit))
        return;
    c->unsent_before = conn_unsent(c);
    timer_arm(c->gateway->reactor, &c->timer, limit);
}

/*
 * Connections of all cores, for SHOW PROCESSLIST: a leg to each copies what its gateway has, and goes a second time to
 * free the copy where it was made.
 */
#include <stdlib.h>
#include <string.h>

#include "reactor/leg.h"
#include "reactor/list.h"
#include "sql/conn.h"
#include "sql/gateway_query.h"

enum { INFO_MAX = 64 << 10 /* bytes of a statement's text */ };

struct list_leg {
    struct leg leg; /* first */
    struct list_op *op;
    struct gateway_connection *list; /* texts behind it; malloc'ed by the core of the leg */
    uint32_t n;
    struct gateway_stats stats;
    bool failed;
};

struct list_op { /* owner: the core that asked; freed when all legs are home again */
    struct gateway_list_request *request;
    unsigned lent;
    struct list_leg legs[];
};

/* Copies of texts, one behind the other. */
static const char *copy_text(char **at, const char *text)
{
    char *start = *at;
    size_t len;

    if (!text)
        return NULL;
    len = strnlen(text, INFO_MAX);
    memcpy(start, text, len);
    start[len] = 0;
    *at += len + 1;
    return start;
}

static size_t text_bytes(const char *text)
{
    return text ? strnlen(text, INFO_MAX) + 1 : 0;
}

static struct gateway_connection describe(const struct gateway *g, const struct conn *c)
{
    bool authenticating = mysql_session_is_authenticating(&c->mysql), runs = c->statement != NULL;
    uint64_t since = runs ? c->started_ns : c->active_ns;

    return (struct gateway_connection){.id = c->session.id,
                                       .user = authenticating ? "unauthenticated user"
                                                              : c->session.user,
                                       .host = c->session.host,
                                       .database = c->session.database,
                                       .command = authenticating ? "Connect"
                                                  : !runs        ? "Sleep"
                                                  : c->command   ? c->command
                                                                 : "Query",
                                       .state = authenticating ? "login"
                                                : c->blocked   ? "Writing to net"
                                                : runs         ? "executing"
                                                               : "",
                                       .info = runs ? c->statement->text : NULL,
                                       .seconds = (uint32_t)((reactor_now_ns(g->reactor) - since) /
                                                             1000000000)};
}

static struct gateway_connection describe_query(const struct gateway *g,
                                                const struct gateway_query *q)
{
    return (struct gateway_connection){.id = q->session.id,
                                       .user = q->session.user,
                                       .host = q->session.host,
                                       .database = q->session.database,
                                       .command = q->command,
                                       .state = "executing",
                                       .info = q->statement.text,
                                       .seconds =
                                           (uint32_t)((reactor_now_ns(g->reactor) - q->started_ns) /
                                                      1000000000)};
}

static size_t bytes_of(const struct gateway_connection *x)
{
    return text_bytes(x->user) + text_bytes(x->host) + text_bytes(x->database) +
           text_bytes(x->info);
}

static void copy_one(struct list_leg *l, struct gateway_connection x, char **at)
{
    x.user = copy_text(at, x.user);
    x.host = copy_text(at, x.host);
    x.database = copy_text(at, x.database);
    x.info = copy_text(at, x.info);
    l->list[l->n++] = x;
}

static void copy_all(const struct gateway *g, struct list_leg *l)
{
    size_t bytes = 0;
    uint32_t n = 0;
    char *at;

    for (const struct conn *c = g->conns; c; c = c->next, n++) {
        struct gateway_connection x = describe(g, c);
        bytes += bytes_of(&x);
    }
    for (const struct gateway_query *q = g->queries; q; q = q->next, n++) {
        struct gateway_connection x = describe_query(g, q);
        bytes += bytes_of(&x);
    }
    l->list = malloc(n * sizeof *l->list + bytes + 1);
    l->failed = !l->list;
    if (l->failed)
        return;
    at = (char *)(l->list + n);
    for (const struct conn *c = g->conns; c; c = c->next)
        copy_one(l, describe(g, c), &at);
    for (const struct gateway_query *q = g->queries; q; q = q->next)
        copy_one(l, describe_query(g, q), &at);
}

static void copy_run(struct leg *leg)
{
    struct reactor *r = reactor_self();
    struct gateway *g = gateway_of(r);

    if (g) {
        gateway_stats(g, &((struct list_leg *)leg)->stats);
        copy_all(g, (struct list_leg *)leg);
    }
    leg_reply(r, leg);
}

static void free_run(struct leg *leg)
{
    free(((struct list_leg *)leg)->list);
    leg_reply(reactor_self(), leg);
}

static void freed(struct leg *leg)
{
    struct list_op *op = ((struct list_leg *)leg)->op;

    if (--op->lent == 0)
        free(op);
}

static void add_stats(struct gateway_stats *sum, const struct gateway_stats *s)
{
    sum->connections += s->connections;
    sum->refused += s->refused;
    sum->denied += s->denied;
    sum->aborted += s->aborted;
    sum->statements += s->statements;
    sum->errors += s->errors;
    sum->slow += s->slow;
    sum->rows_sent += s->rows_sent;
    sum->open_connections += s->open_connections;
    sum->running += s->running;
    if (s->uptime_s > sum->uptime_s)
        sum->uptime_s = s->uptime_s;
}

static void tell(struct list_op *op)
{
    struct gateway_list_request *q = op->request;
    unsigned cores = reactor_count(reactor_self());

    for (unsigned i = 0; i < cores; i++) {
        q->failed |= op->legs[i].failed;
        add_stats(&q->total, &op->legs[i].stats);
        for (uint32_t k = 0; k < op->legs[i].n; k++)
            q->found(q, &op->legs[i].list[k]);
    }
    op->lent = cores;
    for (unsigned i = 0; i < cores; i++) {
        op->legs[i].leg = (struct leg){.run = free_run, .done = freed};
        leg_send(reactor_self(), &op->legs[i].leg, i, LEG_REQUEST);
    }
    q->done(q);
}

static void copied(struct leg *leg)
{
    struct list_op *op = ((struct list_leg *)leg)->op;

    if (--op->lent == 0)
        tell(op);
}

bool gateway_list_start(struct reactor *r, struct gateway_list_request *q)
{
    unsigned cores = reactor_count(r);
    struct list_op *op = calloc(1, sizeof *op + cores * sizeof op->legs[0]);

    if (!op)
        return false;
    q->failed = false;
    q->total = (struct gateway_stats){0};
    op->request = q;
    op->lent = cores;
    for (unsigned i = 0; i < cores; i++) {
        op->legs[i] = (struct list_leg){.leg = {.run = copy_run, .done = copied}, .op = op};
        leg_send(r, &op->legs[i].leg, i, LEG_REQUEST);
    }
    return true;
}

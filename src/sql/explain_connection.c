/*
 * EXPLAIN FOR CONNECTION: the core of the connection renders what its statement does, in memory of its own; a second
 * leg frees that there.
 */
#include <errno.h>

#include "reactor/leg.h"
#include "sql/conn.h"
#include "sql/explain.h"

enum { ANSWER_MAX = 4 << 20 /* bytes of memory that rendering may use */, OF_NOTHING = 1 };

/* Owner: the statement, in its arena, which outlives the legs by open_queries. */
struct explain_request {
    struct leg leg; /* first */
    struct statement *s;
    uint32_t id;
    struct arena arena; /* of the connection's core */
    struct explain_answer answer;
    bool is_home;
};

static int render(struct explain_request *q, const struct conn *c)
{
    struct explain_view v;

    if (!c)
        return -ESRCH;
    if (!c->statement || !explain_view_of(c->statement, &v))
        return OF_NOTHING;
    return explain_render(&v, q->answer.format, &q->arena, &q->answer);
}

static void render_run(struct leg *leg)
{
    struct explain_request *q = (struct explain_request *)leg;
    struct reactor *r = reactor_self();
    struct gateway *g = gateway_of(r);

    arena_init(&q->arena, ANSWER_MAX, reactor_budget(r));
    leg->rc = render(q, g ? gateway_find(g, q->id) : NULL);
    leg_reply(r, leg);
}

static void free_run(struct leg *leg)
{
    arena_fini(&((struct explain_request *)leg)->arena);
    leg_reply(reactor_self(), leg);
}

static void freed(struct leg *leg)
{
    struct explain_request *q = (struct explain_request *)leg;

    q->s->exec.open_queries--;
    exec_wake(&q->s->exec);
}

/* Copies the answer before its memory goes back. */
static void rendered(struct leg *leg)
{
    struct explain_request *q = (struct explain_request *)leg;
    struct statement *s = q->s;
    unsigned core = gateway_core_of(q->id);

    if (leg->rc == -ESRCH)
        statement_fail(s, MYSQL_ER_NO_SUCH_THREAD, (unsigned long)q->id);
    else if (leg->rc == OF_NOTHING)
        mysql_error_set_text(&s->error, 3012,
                             "EXPLAIN FOR CONNECTION command is supported only for "
                             "SELECT/UPDATE/INSERT/DELETE/REPLACE");
    else if (leg->rc)
        exec_no_memory(&s->exec, "EXPLAIN");
    else
        explain_rows(s, &q->answer);
    q->is_home = true;
    *leg = (struct leg){.run = free_run, .done = freed};
    leg_send(s->env->reactor, leg, core, LEG_REQUEST);
    exec_wake(&s->exec);
}

static enum step wait_home(struct statement *s)
{
    const struct explain_request *q = s->state;

    if (!q->is_home)
        return STEP_PENDING;
    if (!s->error.code)
        s->stage = STATEMENT_EMIT;
    return STEP_READY;
}

bool explain_connection(struct statement *s, const struct sql_explain *e)
{
    uint32_t id = (uint32_t)e->connection;
    unsigned core = gateway_core_of(id);
    struct explain_request *q;

    if (e->connection > UINT32_MAX || !s->env->gateway || core >= reactor_count(s->env->reactor)) {
        statement_fail(s, MYSQL_ER_NO_SUCH_THREAD, (unsigned long)e->connection);
        return false;
    }
    q = statement_alloc(s, sizeof *q);
    if (!q)
        return false;
    *q = (struct explain_request){.leg = {.run = render_run, .done = rendered},
                                  .s = s,
                                  .id = id,
                                  .answer = {.format = e->format}};
    s->state = q;
    s->run = wait_home;
    s->exec.open_queries++;
    leg_send(s->env->reactor, &q->leg, core, LEG_REQUEST);
    return true;
}

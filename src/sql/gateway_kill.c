/* KILL: the core of the connection is asked, which knows whether there is such a one. */
#include "reactor/leg.h"
#include "sql/conn.h"
#include "sql/gateway_query.h"
#include "sql/value_convert.h"

/* One KILL. Owner: its statement, in its arena, which outlives the leg by open_queries. */
struct kill_request {
    struct leg leg; /* first */
    struct statement *s;
    uint32_t id;
    bool only_statement, is_home;
};

static void kill_run(struct leg *leg)
{
    struct kill_request *q = (struct kill_request *)leg;
    struct reactor *r = reactor_self();
    struct gateway *g = gateway_of(r);
    struct conn *c = g ? gateway_find(g, q->id) : NULL;

    leg->rc = c || (g && gateway_query_kill(g, q->id)) ? 0 : -1;
    if (c)
        conn_kill(c, q->only_statement);
    leg_reply(r, leg);
}

static void kill_home(struct leg *leg)
{
    struct kill_request *q = (struct kill_request *)leg;

    q->is_home = true;
    q->s->exec.open_queries--;
    exec_wake(&q->s->exec);
}

static enum step wait_home(struct statement *s)
{
    const struct kill_request *q = s->state;

    if (!q->is_home)
        return STEP_PENDING;
    if (q->leg.rc)
        statement_fail(s, MYSQL_ER_NO_SUCH_THREAD, (unsigned long)q->id);
    else
        statement_ok(s, 0, 0, NULL);
    return STEP_READY;
}

bool kill_prepare(struct statement *s)
{
    struct expr *e = bind_expr(&s->bind, s->ast->u.kill->id);
    struct kill_request *q;
    int64_t id;

    if (!e)
        return false;
    if (!expr_is_const(e) || e->u.value.kind == DATUM_NULL || !datum_to_int(&e->u.value, &id)) {
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS, "KILL");
        return false;
    }
    unsigned core = gateway_core_of((uint32_t)id);
    if (id < 0 || id > UINT32_MAX || !s->env->gateway || core >= reactor_count(s->env->reactor)) {
        statement_fail(s, MYSQL_ER_NO_SUCH_THREAD, (unsigned long)id);
        return false;
    }
    q = statement_alloc(s, sizeof *q);
    if (!q)
        return false;
    *q = (struct kill_request){.leg = {.run = kill_run, .done = kill_home},
                               .s = s,
                               .id = (uint32_t)id,
                               .only_statement = s->ast->u.kill->is_query};
    s->state = q;
    s->run = wait_home;
    s->exec.open_queries++;
    leg_send(s->env->reactor, &q->leg, core, LEG_REQUEST);
    return true;
}

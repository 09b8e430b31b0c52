#include "sql/gateway_query.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sql/conn.h"
#include "sql/sysvar.h"

static void forget(struct gateway_query *q)
{
    struct gateway *g = q->gateway;
    struct gateway_session session = q->session; /* outlives q, which may go when it is done */

    if (q->prev)
        q->prev->next = q->next;
    else
        g->queries = q->next;
    if (q->next)
        q->next->prev = q->prev;
    q->done(q); /* reads the warnings of its session */
    gateway_session_fini(&session);
    gateway_finish(g);
}

static void ended(struct statement *s)
{
    struct gateway_query *q = s->ctx;

    q->gateway->stats.errors += s->error.code != 0;
    statement_fini(s);
    forget(q);
}

static int init_session(struct gateway_query *q)
{
    struct gateway_session *s = &q->session;

    gateway_session_init(s, gateway_new_id(q->gateway));
    sysvar_default_sql_mode(s, q->gateway->config.sql_mode);
    s->timeouts_at_login.wait_s = s->timeouts_at_login.interactive_s =
        q->gateway->config.wait_timeout_s;
    s->timeouts = s->timeouts_at_login;
    if (gateway_session_set_text(&s->user, q->user, strlen(q->user)) == 0 &&
        gateway_session_set_text(&s->host, q->host, strlen(q->host)) == 0 &&
        gateway_session_set_text(&s->database, SESSION_DATABASE, strlen(SESSION_DATABASE)) == 0)
        return 0;
    gateway_session_fini(s);
    return -ENOMEM;
}

static void link_in(struct gateway *g, struct gateway_query *q)
{
    q->started_ns = reactor_now_ns(g->reactor);
    q->prev = NULL;
    q->next = g->queries;
    if (g->queries)
        g->queries->prev = q;
    g->queries = q;
    g->stats.statements++;
}

int gateway_query_start(struct reactor *r, struct gateway_query *q, const char *text, size_t len,
                        const struct datum *params, const struct value_type *types, uint32_t n)
{
    struct gateway *g = gateway_of(r);
    struct statement *s = &q->statement;
    size_t consumed;

    if (!g || g->stopping)
        return -ESHUTDOWN;
    q->gateway = g;
    if (init_session(q) != 0)
        return -ENOMEM;
    link_in(g, q);
    statement_init(s, &g->env, &q->session, q->sink);
    s->done = ended;
    s->ctx = q;
    if (statement_parse(s, text, len, &consumed) == 0 && consumed < len) {
        const char *rest = arena_strndup(&s->arena, text + consumed, len - consumed);

        statement_fail(s, MYSQL_ER_PARSE_ERROR,
                       "You have an error in your SQL syntax; only one statement is allowed",
                       rest ? rest : "", 1);
    }
    statement_start(s, params, types, n);
    return 0;
}

void gateway_query_resume(struct gateway_query *q)
{
    statement_resume(&q->statement);
}

void gateway_query_cancel(struct gateway_query *q, unsigned code, const char *text)
{
    statement_cancel(&q->statement, code, text);
}

bool gateway_query_kill(struct gateway *g, uint32_t id)
{
    for (struct gateway_query *q = g->queries; q; q = q->next)
        if (q->session.id == id) {
            gateway_query_cancel(q, MYSQL_ER_QUERY_INTERRUPTED, "Query execution was interrupted");
            return true;
        }
    return false;
}

void gateway_query_cancel_all(struct gateway *g)
{
    for (struct gateway_query *q = g->queries, *next; q; q = next) {
        next = q->next;
        gateway_query_cancel(q, MYSQL_ER_SERVER_SHUTDOWN, "Server shutdown in progress");
    }
}

bool gateway_asks_users(struct reactor *r, uint64_t *generation)
{
    const struct gateway *g = gateway_of(r);

    *generation = g ? g->secured : 0;
    return g && g->auth.users;
}

enum auth_verdict gateway_authenticate(struct reactor *r, struct auth_attempt *a)
{
    struct gateway *g = gateway_of(r);

    if (!g)
        return AUTH_DENY;
    return auth_check(&g->auth, a);
}

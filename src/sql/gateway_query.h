#pragma once
/*
 * A statement of somebody without a MySQL connection, such as the page: with a session of its own, in the list of
 * SHOW PROCESSLIST, ended by KILL, under the limits that statements of connections have.
 */
#include "sql/auth.h"
#include "sql/gateway.h"
#include "sql/gateway_session.h"
#include "sql/gateway_statement.h"

/* Owner: who asks, on the core where it asks; lives until done. */
struct gateway_query {
    /* By who asks. */
    struct result_sink *sink;              /* ask_file NULL: there are no files to be loaded */
    void (*done)(struct gateway_query *q); /* the last call: the answer is complete */
    void *ctx;
    const char *user, *host; /* as long as the start */
    const char *command;     /* constant: what the list calls it, such as "Query" */

    struct gateway *gateway;
    struct gateway_query *prev, *next;
    struct gateway_session session;
    struct statement statement;
    uint64_t started_ns;
};

/*
 * Runs one statement of text[len], which is copied; another behind it is an error. Parameters as of statement_start. 0:
 * done follows, perhaps before this returns; -ESHUTDOWN: the gateway stops or did not start; -ENOMEM.
 */
int gateway_query_start(struct reactor *r, struct gateway_query *q, const char *text, size_t len,
                        const struct datum *params, const struct value_type *types, uint32_t n);
/* Between start and done: the sink has room again; the statement shall end with this error. */
void gateway_query_resume(struct gateway_query *q);
void gateway_query_cancel(struct gateway_query *q, unsigned code, const char *text);

/* Whether users have to say who they are; and whether these are other ones than before: a number that changes then. */
bool gateway_asks_users(struct reactor *r, uint64_t *generation);
/* auth_check of the gateway on this core. */
enum auth_verdict gateway_authenticate(struct reactor *r, struct auth_attempt *a);

/* ---- for the gateway ---- */

bool gateway_query_kill(struct gateway *g, uint32_t id); /* false: there is no such one */
void gateway_query_cancel_all(struct gateway *g);

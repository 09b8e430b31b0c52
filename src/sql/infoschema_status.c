/* Figures of the server, of all cores together: SHOW STATUS. */
#include <stdio.h>

#include "reactor/tls.h"
#include "sql/exec.h"
#include "sql/gateway.h"
#include "sql/infoschema_tables.h"

static const struct infoschema_column status_columns[] = {INFO_ANY_CASE("VARIABLE_NAME"),
                                                          INFO_TEXT("VARIABLE_VALUE")};

struct status_gather { /* in the statement's arena */
    struct exec *x;
    struct gateway_list_request request;
    bool is_told;
};

static void connection_told(struct gateway_list_request *q, const struct gateway_connection *c)
{
    (void)q;
    (void)c;
}

static void status_told(struct gateway_list_request *q)
{
    struct status_gather *g = q->ctx;

    g->is_told = true;
    g->x->open_queries--;
    exec_wake(g->x);
}

static bool gather_status(struct exec *x, struct infoschema_rows *out, bool *failed)
{
    struct status_gather *g = out->gathered;

    *failed = false;
    if (g)
        return g->is_told;
    g = out->gathered = arena_alloc(x->arena, sizeof *g);
    if (!g)
        return *failed = exec_no_memory(x, "information_schema") == EXEC_ERROR;
    *g = (struct status_gather){
        .x = x, .request = {.found = connection_told, .done = status_told, .ctx = g}};
    if (!gateway_of(x->reactor))
        return true;
    if (!gateway_list_start(x->reactor, &g->request))
        return *failed = exec_no_memory(x, "information_schema") == EXEC_ERROR;
    x->open_queries++;
    return false;
}

static int put_text(struct infoschema_rows *out, const char *name, const char *text)
{
    if (infoschema_row(out) != 0)
        return -1;
    infoschema_put_text(out, name);
    infoschema_put_text(out, text);
    return 0;
}

static int put_figure(struct infoschema_rows *out, const char *name, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return put_text(out, name, text);
}

static int fill_status(struct exec *x, struct infoschema_rows *out)
{
    const struct status_gather *g = out->gathered;
    const struct gateway_stats *s = &g->request.total;
    const struct tls *tls = x->session ? x->session->tls : NULL;

    return put_figure(out, "Aborted_clients", s->aborted) ||
                   put_figure(out, "Aborted_connects", s->refused + s->denied) ||
                   put_figure(out, "Com_errors", s->errors) ||
                   put_figure(out, "Connection_errors_max_connections", s->refused) ||
                   put_figure(out, "Connections", s->connections) ||
                   put_figure(out, "Open_tables", x->catalog->n_tables) ||
                   put_figure(out, "Queries", s->statements) ||
                   put_figure(out, "Questions", s->statements) ||
                   put_figure(out, "Rows_sent", s->rows_sent) ||
                   put_figure(out, "Slow_queries", s->slow) ||
                   put_text(out, "Ssl_cipher", tls ? tls_cipher(tls) : "") ||
                   put_text(out, "Ssl_version", tls ? tls_version(tls) : "") ||
                   put_figure(out, "Threads_connected", s->open_connections) ||
                   put_figure(out, "Threads_running", s->running) ||
                   put_figure(out, "Uptime", s->uptime_s)
               ? -1
               : 0;
}

#define STATUS_TABLE(var, db, table)                                \
    const struct infoschema_table var = {.database = (db),          \
                                         .name = (table),           \
                                         .columns = status_columns, \
                                         .n_columns = 2,            \
                                         .gather = gather_status,   \
                                         .fill = fill_status}

STATUS_TABLE(infoschema_session_status, "information_schema", "SESSION_STATUS");
STATUS_TABLE(infoschema_global_status, "information_schema", "GLOBAL_STATUS");
STATUS_TABLE(infoschema_p_s_session_status, "performance_schema", "session_status");
STATUS_TABLE(infoschema_p_s_global_status, "performance_schema", "global_status");

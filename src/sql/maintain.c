/*
 * OPTIMIZE TABLE has all partitions with deleted rows rewritten. ANALYZE, CHECK, REPAIR and CHECKSUM TABLE have nothing
 * to do: there are no statistics, and every checksum is compared when it is read.
 */
#include <string.h>

#include "sql/gateway_statement.h"
#include "sql/infoschema.h"

struct maintain { /* in the statement's arena */
    struct statement *s;
    const struct sql_table_name *next; /* table */
    bool started, in_flight;
    struct cluster_ddl request;
};

static bool put_row(struct statement *s, const char *table, const char *type, const char *text)
{
    static const char *const ops[] = {[SQL_MAINTAIN_ANALYZE] = "analyze",
                                      [SQL_MAINTAIN_OPTIMIZE] = "optimize",
                                      [SQL_MAINTAIN_CHECK] = "check",
                                      [SQL_MAINTAIN_REPAIR] = "repair",
                                      [SQL_MAINTAIN_CHECKSUM] = "checksum"};
    const char *op = ops[s->ast->u.maintain->kind];
    struct datum *row = memory_result_row(s);
    const char *name = row ? statement_printf(s, "%s.%s", SESSION_DATABASE, table) : NULL;
    const char *copy = name ? statement_printf(s, "%s", text) : NULL;

    if (!copy)
        return false;
    datum_set_string(&row[0], name, strlen(name));
    datum_set_string(&row[1], op, strlen(op));
    datum_set_string(&row[2], type, strlen(type));
    datum_set_string(&row[3], copy, strlen(copy));
    return true;
}

static bool put_failure(struct statement *s, const char *table, const char *text)
{
    return put_row(s, table, "Error", text) && put_row(s, table, "status", "Operation failed");
}

static void rewritten(struct cluster_ddl *r)
{
    struct maintain *m = r->ctx;

    m->in_flight = false;
    m->s->exec.open_queries--;
    exec_wake(&m->s->exec);
}

static void start_rewrite(struct maintain *m)
{
    m->request = (struct cluster_ddl){.kind = CLUSTER_REWRITE_TABLE,
                                      .name = m->next->name,
                                      .done = rewritten,
                                      .ctx = m};
    m->started = m->in_flight = true;
    m->s->exec.open_queries++;
    cluster_ddl_start(m->s->env->cluster, &m->request);
}

static void stop(struct statement *s)
{
    struct maintain *m = s->state;

    if (m->in_flight)
        cluster_ddl_cancel(&m->request);
}

/* False: the statement has failed. *wait: the table is being rewritten. */
static bool next_table(struct maintain *m, bool *wait)
{
    struct statement *s = m->s;
    const struct sql_table_name *t = m->next;
    bool ok;

    *wait = m->in_flight;
    if (*wait)
        return true;
    const struct schema *table = catalog_find(s->exec.catalog, t->name, strlen(t->name));
    if (!table) {
        const char *text =
            statement_printf(s, "Table '%s.%s' doesn't exist", SESSION_DATABASE, t->name);
        ok = text && put_failure(s, t->name, text);
    } else if (s->ast->u.maintain->kind == SQL_MAINTAIN_OPTIMIZE && !m->started && !table->rows) {
        start_rewrite(m);
        *wait = m->in_flight;
        return true;
    } else if (m->started && m->request.rc) {
        ok = put_failure(s, t->name, m->request.error.text);
    } else {
        ok = put_row(s, t->name, "status", "OK");
    }
    m->started = false;
    m->next = t->next;
    return ok;
}

static enum step run(struct statement *s)
{
    struct maintain *m = s->state;
    bool wait = false;

    while (m->next && !wait)
        if (!next_table(m, &wait))
            return STEP_READY;
    if (wait)
        return STEP_PENDING;
    s->stage = STATEMENT_EMIT;
    return STEP_READY;
}

bool maintain_prepare(struct statement *s)
{
    static const char *const names[] = {"Table", "Op", "Msg_type", "Msg_text"};
    struct maintain *m = statement_alloc(s, sizeof *m);

    if (!m || !memory_result_begin(s, 4))
        return false;
    for (uint32_t i = 0; i < 4; i++)
        memory_result_column(s, i, names[i], value_type_string(192));
    m->s = s;
    m->next = s->ast->u.maintain->tables;
    s->state = m;
    s->run = run;
    s->stop = stop;
    return true;
}

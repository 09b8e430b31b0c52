#pragma once
/*
 * A node of two cores with its SQL engine, without sockets: statements in, rows as text out.
 *
 *     struct engine e;  engine_init(&e);
 *     check_sql(&e, "SELECT 1, NULL", "1|NULL\n");   rows; "OK n info" for changes; "ERROR code" for errors
 *     engine_fini(&e);
 */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/reactor.h"
#include "rpc/cluster.h"
#include "rpc/node.h"
#include "sql/gateway_statement.h"
#include "sql/value_convert.h"

struct engine {
    char dir[64];
    struct reactor_group *group;
    struct node *node;
    sem_t done;
    int rc;
    struct error_info error;
    struct gateway_session session;
    const char *sql;
    /* The statement at work, on core 0. */
    struct gateway_env env;
    struct statement statement;
    struct result_sink sink;
    const struct value_type *types;
    uint32_t n_columns;
    char *text;
    size_t len, cap;
    unsigned stalls; /* rows refused once before they are taken: back-pressure */
    bool stalled;
    struct task task;
};

static inline void engine_put(struct engine *e, const char *s, size_t n)
{
    if (e->len + n + 1 > e->cap) {
        e->cap = (e->len + n + 1) * 2;
        e->text = realloc(e->text, e->cap);
        cr_assert(e->text);
    }
    memcpy(e->text + e->len, s, n);
    e->len += n;
    e->text[e->len] = 0;
}

static inline struct engine *engine_of(struct result_sink *k)
{
    return (struct engine *)((char *)k - offsetof(struct engine, sink));
}

static inline int engine_begin(struct result_sink *k, const struct mysql_column *columns,
                               const struct value_type *types, uint32_t n)
{
    (void)columns;
    engine_of(k)->types = types;
    engine_of(k)->n_columns = n;
    return 0;
}

static inline void engine_go_on(struct task *t)
{
    struct engine *e = (struct engine *)((char *)t - offsetof(struct engine, task));

    statement_resume(&e->statement);
}

static inline bool engine_row(struct result_sink *k, const struct datum *cells)
{
    struct engine *e = engine_of(k);
    char buf[DATUM_TEXT];
    size_t n;

    if (e->stalls && !e->stalled) {
        e->stalls--;
        e->stalled = true;
        e->task.run = engine_go_on;
        reactor_task(e->env.reactor, &e->task, TASK_IO);
        return false;
    }
    e->stalled = false;
    for (uint32_t i = 0; i < e->n_columns; i++) {
        const char *s = datum_to_text(&cells[i], &e->types[i], buf, &n);
        if (i)
            engine_put(e, "|", 1);
        engine_put(e, s, n);
    }
    engine_put(e, "\n", 1);
    return true;
}

static inline void engine_end(struct result_sink *k, uint16_t warnings)
{
    (void)k;
    (void)warnings;
}

static inline void engine_ok(struct result_sink *k, uint64_t affected, uint64_t id,
                             uint16_t warnings, const char *info)
{
    char line[200];
    int n = snprintf(line, sizeof line, "OK %llu%s%s", (unsigned long long)affected,
                     info ? " " : "", info ? info : "");

    (void)id;
    (void)warnings;
    engine_put(engine_of(k), line, (size_t)n);
}

static inline void engine_error(struct result_sink *k, const struct mysql_error *err)
{
    char line[700];
    int n = snprintf(line, sizeof line, "ERROR %u %s", err->code, err->text);

    engine_put(engine_of(k), line, (size_t)n);
}

static inline void engine_done(struct statement *s)
{
    struct engine *e = s->ctx;

    statement_fini(s);
    sem_post(&e->done);
}

static inline void engine_start(struct reactor *r, void *ctx)
{
    struct engine *e = ctx;
    size_t consumed;

    e->env.reactor = r;
    if (!e->env.cluster) /* a test may have put its own in place */
        e->env.cluster = cluster_of(r);
    e->sink = (struct result_sink){.begin = engine_begin,
                                   .row = engine_row,
                                   .end = engine_end,
                                   .ok = engine_ok,
                                   .error = engine_error};
    statement_init(&e->statement, &e->env, &e->session, &e->sink);
    e->statement.done = engine_done;
    e->statement.ctx = e;
    statement_parse(&e->statement, e->sql, strlen(e->sql), &consumed);
    statement_start(&e->statement, NULL, NULL, 0);
}

static inline void engine_call(struct engine *e, void (*fn)(struct reactor *r, void *ctx))
{
    reactor_post(reactor_group_get(e->group, 0), fn, e);
    while (sem_wait(&e->done))
        continue;
}

/* The answer of one statement; valid until the next. */
static inline const char *engine_run(struct engine *e, const char *sql)
{
    e->len = 0;
    engine_put(e, "", 0);
    e->sql = sql;
    engine_call(e, engine_start);
    return e->text;
}

static inline int engine_start_core(struct reactor *r, void *ctx)
{
    return node_start_core(((struct engine *)ctx)->node, r, &((struct engine *)ctx)->error);
}

static inline void engine_replay(struct reactor *r, void *ctx)
{
    struct engine *e = ctx;

    e->rc = node_replay(e->node, r, &e->error);
    sem_post(&e->done);
}

static inline void engine_init(struct engine *e)
{
    struct reactor_config rc = {.cores = 2, .memory = 1 << 30};
    struct node_config nc = {.data_dir = e->dir,
                             .name = "n1",
                             .slots = 8,
                             .log_file_bytes = 1 << 20};
    char err[300];

    memset(e, 0, sizeof *e);
    snprintf(e->dir, sizeof e->dir, "/tmp/quanta-engine-XXXXXX");
    cr_assert(mkdtemp(e->dir));
    sem_init(&e->done, 0, 0);
    gateway_session_init(&e->session, 1);
    gateway_session_set_text(&e->session.database, "quanta", 6);
    gateway_session_set_text(&e->session.user, "tester", 6);
    cr_assert_eq(reactor_group_new(&rc, &e->group, err, sizeof err), 0, "%s", err);
    cr_assert_eq(node_new(&nc, e->group, &e->node, &e->error), 0, "%s", e->error.text);
    cr_assert_eq(reactor_group_start(e->group, engine_start_core, e), 0);
    engine_call(e, engine_replay);
    cr_assert_eq(e->rc, 0, "%s", e->error.text);
}

static inline void engine_closed(void *ctx)
{
    sem_post(&((struct engine *)ctx)->done);
}

static inline void engine_close(struct reactor *r, void *ctx)
{
    (void)r;
    gateway_session_reset(&((struct engine *)ctx)->session); /* its tables are this core's */
    node_close(((struct engine *)ctx)->node, engine_closed, ctx);
}

static inline void engine_exit(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static inline void engine_fini(struct engine *e)
{
    char command[128];

    engine_call(e, engine_close);
    reactor_group_stop(e->group, engine_exit, e);
    node_free(e->node);
    reactor_group_free(e->group);
    gateway_session_fini(&e->session);
    free(e->text);
    snprintf(command, sizeof command, "rm -rf %s", e->dir);
    cr_assert_eq(system(command), 0);
}

/* The answer must begin with `want` for errors, and be equal to it otherwise. */
#define check_sql(e, sql, want)                                                                 \
    do {                                                                                        \
        const char *got_ = engine_run(e, sql), *want_ = (want);                                 \
        bool same_ = strncmp(want_, "ERROR", 5) == 0 ? strncmp(got_, want_, strlen(want_)) == 0 \
                                                     : strcmp(got_, want_) == 0;                \
        cr_expect(same_, "%s\n  got:  %s\n  want: %s", sql, got_, want_);                       \
    } while (0)

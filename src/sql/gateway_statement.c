#include "sql/gateway_statement.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "sql/dml_row.h"
#include "sql/gateway.h"
#include "sql/infoschema.h"
#include "sql/known_statement.h"
#include "sql/parsed.h"
#include "sql/quanta_mode.h"
#include "sql/select_export.h"
#include "sql/session_temporary.h"
#include "sql/slow_log.h"
#include "sql/spill.h"
#include "sql/value_convert.h"

enum { MIN_STATEMENT_MEMORY = 256 << 20 };

static void deadline_passed(struct timer *t)
{
    struct statement *s = (struct statement *)((char *)t - offsetof(struct statement, deadline));

    statement_cancel(s, 3024, mysql_error_find(3024)->format);
}

static void nap_is_over(struct timer *t)
{
    statement_resume((struct statement *)((char *)t - offsetof(struct statement, nap)));
}

bool statement_naps(struct statement *s)
{
    if (s->nap.armed)
        return true;
    if (!s->exec.sleep_ns || s->error.code)
        return false;
    timer_arm(s->env->reactor, &s->nap, s->exec.sleep_ns);
    s->exec.sleep_ns = 0;
    return true;
}

static void exec_resumed(struct exec *x)
{
    statement_resume(x->ctx);
}

/* Clean for a try: what is needed to start one is kept. */
static void init_try(struct statement *s)
{
    memset(&s->stage, 0, sizeof *s - offsetof(struct statement, stage));
    arena_init(&s->arena, SIZE_MAX, &s->budget);
    arena_init(&s->scratch, SIZE_MAX, &s->budget);
    exec_init(&s->exec);
    s->exec.reactor = s->env->reactor;
    s->exec.cluster = s->env->cluster;
    s->exec.session = s->session;
    s->exec.arena = &s->arena;
    s->exec.budget = &s->budget;
    s->exec.spill_space = s->env->spill;
    s->exec.error = &s->error;
    s->exec.resume = exec_resumed;
    s->exec.ctx = s;
    s->exec.now_us = s->now_us;
    s->exec.deadline_ns = s->deadline_ns;
    s->exec.analyze = slow_log_is_on(); /* for the rows examined */
}

static void fini_try(struct statement *s)
{
    ASSERT(s->exec.open_queries == 0 && !s->exec.waiting);
    if (s->fini)
        s->fini(s);
    for (struct dml_writer *w = s->writers; w; w = w->next)
        dml_writer_fini(w);
    catalog_put(s->exec.catalog);
    catalog_put(s->exec.listed);
    arena_fini(&s->scratch);
    arena_fini(&s->arena);
    s->exec.catalog = s->exec.listed = NULL;
}

void statement_init(struct statement *s, const struct gateway_env *env,
                    struct gateway_session *session, struct result_sink *sink)
{
    struct budget *core = reactor_budget(env->reactor);
    uint64_t limit = env->statement_memory;

    memset(s, 0, sizeof *s);
    s->env = env;
    s->session = session;
    s->sink = sink;
    if (!limit) {
        limit = core && core->limit ? core->limit / 4 : MIN_STATEMENT_MEMORY;
        if (limit < MIN_STATEMENT_MEMORY)
            limit = MIN_STATEMENT_MEMORY;
    }
    budget_init(&s->budget, "statement", limit, core);
    arena_init(&s->kept, SIZE_MAX, &s->budget);
    s->deadline.fire = deadline_passed;
    s->nap.fire = nap_is_over;
    s->now_us = reactor_wall_us(env->reactor);
    if (env->timeout_ns)
        s->deadline_ns = reactor_now_ns(env->reactor) + env->timeout_ns;
    init_try(s);
}

void statement_fini(struct statement *s)
{
    ASSERT(!s->refresh.is_waiting && !s->deadline.armed && !s->nap.armed);
    fini_try(s);
    parsed_put(s->parsed);
    arena_fini(&s->kept);
}

/* ---- errors and answers ---- */

void statement_fail(struct statement *s, unsigned code, ...)
{
    va_list ap;

    if (s->error.code)
        return;
    const struct mysql_error_info *info = mysql_error_find(code);
    s->error.code = (uint16_t)code;
    memcpy(s->error.sqlstate, mysql_error_sqlstate(code), sizeof s->error.sqlstate);
    va_start(ap, code);
    vsnprintf(s->error.text, sizeof s->error.text, info ? info->format : "Error", ap);
    va_end(ap);
}

void *statement_alloc_raw(struct statement *s, size_t n)
{
    void *p = arena_alloc_raw(&s->arena, n);

    if (!p && !s->error.code)
        mysql_error_set_text(&s->error, 1041,
                             "Out of memory: the statement needs more than it may use");
    return p;
}

void *statement_alloc(struct statement *s, size_t n)
{
    void *p = statement_alloc_raw(s, n);

    return p ? memset(p, 0, n) : NULL;
}

char *statement_printf(struct statement *s, const char *fmt, ...)
{
    va_list ap;
    char small[512], *p;

    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    p = statement_alloc(s, (size_t)n + 1);
    if (!p)
        return NULL;
    if ((size_t)n < sizeof small) {
        memcpy(p, small, (size_t)n + 1);
        return p;
    }
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

static uint16_t warnings(const struct statement *s)
{
    uint32_t n = s->session->warning_count;

    return (uint16_t)(n > 65535 ? 65535 : n);
}

void statement_ok(struct statement *s, uint64_t affected, uint64_t insert_id, const char *info)
{
    if (s->answered)
        return;
    if (s->hides_affected)
        affected = 0;
    s->answered = true;
    s->session->row_count = (int64_t)affected;
    s->session->writes += affected && (s->session->in_transaction || !s->session->autocommit);
    if (insert_id)
        s->session->last_insert_id = insert_id;
    s->sink->ok(s->sink, affected, insert_id, warnings(s), info);
}

static void answer_error(struct statement *s)
{
    if (s->answered)
        return;
    s->answered = true;
    s->session->row_count = -1;
    if (!s->keeps_warnings)
        gateway_session_clear_warnings(s->session);
    gateway_session_warn(s->session, "Error", s->error.code, s->error.text);
    s->sink->error(s->sink, &s->error);
}

/* ---- rows in memory ---- */

bool memory_result_begin(struct statement *s, uint32_t n)
{
    struct memory_result *m = &s->memory;

    memset(m, 0, sizeof *m);
    m->n_columns = n;
    m->columns = statement_alloc(s, n * sizeof *m->columns);
    m->types = statement_alloc(s, n * sizeof *m->types);
    return m->columns && m->types;
}

void memory_result_column(struct statement *s, uint32_t i, const char *name, struct value_type type)
{
    s->memory.types[i] = type;
    s->memory.columns[i].name = name;
    mysql_column_of_type(&s->memory.columns[i], &type);
}

struct datum *memory_result_row(struct statement *s)
{
    struct memory_result *m = &s->memory;

    if (m->n_rows == m->cap_rows) {
        uint32_t cap = m->cap_rows ? m->cap_rows * 2 : 16;
        struct datum *cells = statement_alloc(s, (size_t)cap * m->n_columns * sizeof *cells);
        if (!cells)
            return NULL;
        if (m->n_rows)
            memcpy(cells, m->cells, (size_t)m->n_rows * m->n_columns * sizeof *cells);
        m->cells = cells;
        m->cap_rows = cap;
    }
    return m->cells + (size_t)m->n_rows++ * m->n_columns;
}

static enum step emit(struct statement *s)
{
    struct memory_result *m = &s->memory;

    if (!s->has_begun) {
        s->has_begun = true;
        if (s->sink->begin(s->sink, m->columns, m->types, m->n_columns) != 0) {
            mysql_error_set_text(&s->error, 1041, "Out of memory");
            return STEP_READY;
        }
    }
    for (; m->next < m->n_rows; m->next++)
        if (!s->sink->row(s->sink, m->cells + (size_t)m->next * m->n_columns))
            return STEP_PENDING;
    s->answered = true;
    s->session->row_count = -1;
    s->session->rows_found = m->n_rows;
    s->sink->end(s->sink, warnings(s));
    return STEP_READY;
}

/* ---- parse ---- */

static int parse_kept(struct statement *s, size_t *consumed)
{
    struct parse_error pe;

    if (s->parsed) {
        s->ast = s->parsed->ast;
        *consumed = s->text_len;
        return 0;
    }
    if (sql_parse(&s->arena, s->text, s->text_len, s->session->parse_flags, &s->ast, consumed,
                  &pe) != 0) {
        const char *known = pe.code == SQL_PARSE_SYNTAX ? known_statement(s->text) : NULL;
        *consumed = s->text_len;
        if (known) {
            statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, known);
            return -EINVAL;
        }
        s->error.code = (uint16_t)pe.code;
        memcpy(s->error.sqlstate, pe.sqlstate, sizeof s->error.sqlstate);
        snprintf(s->error.text, sizeof s->error.text, "%s", pe.text);
        return -EINVAL;
    }
    return 0;
}

int statement_parse(struct statement *s, const char *text, size_t len, size_t *consumed)
{
    *consumed = len;
    s->text = arena_strndup(&s->kept, text, len);
    s->text_len = len;
    if (!s->text) {
        mysql_error_set_text(&s->error, 1041, "Out of memory");
        return -EINVAL;
    }
    return parse_kept(s, consumed);
}

void statement_take_parsed(struct statement *s, struct parsed *p)
{
    s->parsed = parsed_get(p);
    s->text = p->text;
    s->text_len = p->len;
    s->ast = p->ast;
}

static bool prepare_bind(struct statement *s)
{
    s->exec.listed = cluster_catalog(s->env->cluster);
    if (!s->exec.listed) {
        mysql_error_set_text(&s->error, 1053, "The tables are not available yet");
        return false;
    }
    s->exec.catalog = session_catalog(s->session, s->exec.listed);
    if (!s->exec.catalog)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    exec_expr_ctx(&s->exec, &s->expr_ctx, &s->scratch);
    s->bind = (struct bind){.arena = &s->arena,
                            .error = &s->error,
                            .session = s->session,
                            .catalog = s->exec.catalog,
                            .listed = s->exec.listed,
                            .text = s->text,
                            .ctx = &s->expr_ctx,
                            .params = s->params,
                            .param_types = s->param_types,
                            .n_params = s->n_params,
                            .made = s->made,
                            .assigns_variables = s->ast && s->ast->assigns_variables};
    s->bind.subqueries_end = &s->bind.subqueries;
    return true;
}

/* ---- simple statements ---- */

static bool use_database(struct statement *s)
{
    const char *name = s->ast->u.database->name;

    if (strcasecmp(name, SESSION_DATABASE) != 0 && !infoschema_is_database(name)) {
        statement_fail(s, MYSQL_ER_BAD_DB_ERROR, name);
        return false;
    }
    s->session->changes |= SESSION_CHANGED_DATABASE;
    if (gateway_session_set_text(&s->session->database, name, strlen(name)) != 0)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    statement_ok(s, 0, 0, NULL);
    return true;
}

static enum step do_run(struct statement *s)
{
    if (statement_naps(s))
        return STEP_PENDING;
    statement_ok(s, 0, 0, NULL);
    return STEP_READY;
}

static bool evaluate_do(struct statement *s)
{
    const struct sql_call_stmt *c = s->ast->u.call;

    if (c->name) {
        statement_fail(s, MYSQL_ER_SP_DOES_NOT_EXIST, "PROCEDURE", c->name);
        return false;
    }
    for (uint32_t i = 0; i < c->arg_count; i++) {
        struct expr *e = bind_expr(&s->bind, c->args[i]);
        struct datum d;
        if (!e)
            return false;
        if (!expr_has_subquery(e))
            expr_eval(e, &s->expr_ctx, &d);
    }
    s->run = do_run;
    return !s->error.code;
}

/* SELECT ... INTO; what has no meaning is for the binder to refuse. */
static struct sql_into *take_into(struct sql_query *q)
{
    struct sql_into *into = q->into;

    if (!into || (into->kind != SQL_INTO_VARS && !select_export_is(into)))
        return NULL;
    q->into = NULL;
    return into;
}

static bool run_query(struct statement *s, struct sql_query *q)
{
    const struct sql_into *into = take_into(q);

    s->run = select_run;
    if (!select_prepare(s, q))
        return false;
    if (into &&
        !(select_export_is(into) ? select_export(s, into, q->options) : select_into(s, into)))
        return false;
    return select_open(s);
}

/* Comments alone are fine, as in MySQL: its client sends those of dumps. */
static bool empty_statement(struct statement *s)
{
    size_t blank = strspn(s->text, " \t\r\n\v\f");

    if (blank == s->text_len || s->text[blank] == ';')
        statement_fail(s, MYSQL_ER_EMPTY_QUERY);
    else
        statement_ok(s, 0, 0, NULL);
    return !s->error.code;
}

static bool prepare_kind(struct statement *s)
{
    switch (s->ast->kind) {
    case SQL_STMT_EMPTY:
        return empty_statement(s);
    case SQL_STMT_SELECT:
        return run_query(s, s->ast->u.query);
    case SQL_STMT_INSERT:
        return transaction_allows_write(s) && dml_insert_prepare(s);
    case SQL_STMT_LOAD_DATA:
        return transaction_allows_write(s) && load_prepare(s);
    case SQL_STMT_UPDATE:
        return transaction_allows_write(s) && dml_update_prepare(s);
    case SQL_STMT_DELETE:
        return transaction_allows_write(s) && dml_delete_prepare(s);
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_DROP_TABLE:
    case SQL_STMT_TRUNCATE:
    case SQL_STMT_ALTER_TABLE:
    case SQL_STMT_CREATE_INDEX:
    case SQL_STMT_DROP_INDEX:
    case SQL_STMT_RENAME_TABLE:
    case SQL_STMT_CREATE_DATABASE:
    case SQL_STMT_DROP_DATABASE:
    case SQL_STMT_CREATE_VIEW:
        return ddl_prepare(s);
    case SQL_STMT_USE:
        return use_database(s);
    case SQL_STMT_SET:
        return sysvar_prepare_set(s);
    case SQL_STMT_SHOW:
    case SQL_STMT_DESCRIBE:
        return show_prepare(s, s->ast->u.show);
    case SQL_STMT_EXPLAIN:
        return explain_prepare(s);
    case SQL_STMT_BEGIN:
    case SQL_STMT_COMMIT:
    case SQL_STMT_ROLLBACK:
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
        return transaction_prepare(s);
    case SQL_STMT_LOCK_TABLES:
    case SQL_STMT_UNLOCK_TABLES:
    case SQL_STMT_FLUSH:
        statement_ok(s, 0, 0, NULL);
        return true;
    case SQL_STMT_KILL:
        return kill_prepare(s);
    case SQL_STMT_MAINTAIN:
        return maintain_prepare(s);
    case SQL_STMT_CALL:
    case SQL_STMT_DO:
        return evaluate_do(s);
    case SQL_STMT_PREPARE:
    case SQL_STMT_EXECUTE:
    case SQL_STMT_DEALLOCATE:
        return prepared_statement(s);
    }
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "this statement");
    return false;
}

/* ---- stages ---- */

static void closed(struct statement *s);

static void begin_close(struct statement *s)
{
    if (s->stage >= STATEMENT_CLOSE)
        return;
    s->stage = STATEMENT_CLOSE;
    timer_cancel(s->env->reactor, &s->nap);
    exec_close(s->exec.subquery_op);
    s->exec.subquery_op = NULL;
    exec_close(s->op);
    exec_close(s->other_op);
    s->op = s->other_op = NULL;
    spill_close(&s->exec);
    if (s->stop)
        s->stop(s);
    if (s->error.code)
        s->next_text = NULL;
    s->is_held = refresh_may_help(s) || gateway_alone_may_help(s) || s->next_text;
    if (s->error.code && !s->is_held)
        answer_error(s);
}

static enum step run_stage(struct statement *s)
{
    enum exec_state x;
    enum step r;

    switch (s->stage) {
    case STATEMENT_SUBQUERIES:
        x = exec_run_subqueries(&s->exec);
        if (x == EXEC_PENDING)
            return STEP_PENDING;
        s->stage = STATEMENT_RUN;
        return STEP_READY;
    case STATEMENT_RUN:
        r = s->run ? s->run(s) : STEP_READY;
        if (r == STEP_READY && s->stage == STATEMENT_RUN)
            begin_close(s);
        return r;
    case STATEMENT_EMIT:
        r = emit(s);
        if (r == STEP_READY)
            begin_close(s);
        return r;
    default:
        return STEP_READY;
    }
}

void statement_resume(struct statement *s)
{
    if (s->running || s->stage == STATEMENT_NEW || s->stage == STATEMENT_DONE)
        return;
    s->running = true;
    while (s->stage < STATEMENT_CLOSE) {
        if (s->error.code) {
            begin_close(s);
            break;
        }
        if (run_stage(s) == STEP_PENDING && !s->error.code)
            break;
    }
    s->running = false;
    if (s->stage == STATEMENT_CLOSE && s->exec.open_queries == 0 && !s->exec.waiting)
        closed(s);
}

/* ---- a newer catalog ---- */

static void finish(struct statement *s)
{
    select_export_drop(s);
    timer_cancel(s->env->reactor, &s->deadline);
    s->stage = STATEMENT_DONE;
    s->done(s);
}

static void finish_failed(struct statement *s)
{
    answer_error(s);
    finish(s);
}

static bool prepare_columns(struct statement *s)
{
    s->stage = STATEMENT_RUN; /* no subqueries are run */
    if (s->ast->kind != SQL_STMT_SELECT)
        return true;
    bool into = take_into(s->ast->u.query);
    if (!select_prepare(s, s->ast->u.query))
        return false;
    if (into)
        s->n_columns = 0;
    return true;
}

static void begin(struct statement *s)
{
    s->stage = STATEMENT_SUBQUERIES;
    if (!s->keeps_warnings)
        gateway_session_clear_warnings(s->session);
    if (!s->error.code && prepare_bind(s) && quanta_mode_apply(s) &&
        (s->describes ? prepare_columns(s) : prepare_kind(s)) && !s->error.code)
        s->exec.subqueries = s->bind.subqueries;
    else if (!s->error.code)
        mysql_error_set_text(&s->error, 1105, "The statement could not be prepared");
    statement_resume(s);
}

static void try_again(struct statement *s)
{
    size_t consumed;

    fini_try(s);
    init_try(s);
    parse_kept(s, &consumed);
    begin(s);
}

static void refreshed(struct cluster_refresh *f)
{
    struct statement *s = f->ctx;

    if (!s->is_held) { /* asked before the first try */
        begin(s);
        return;
    }
    struct catalog *now = cluster_catalog(s->env->cluster);
    bool changed = now && now != s->exec.listed;
    if (now)
        catalog_put(now);
    if (changed)
        try_again(s);
    else
        finish_failed(s);
}

/* False: there is nothing to wait for. */
static bool start_refresh(struct statement *s)
{
    s->refreshes++;
    s->refresh = (struct cluster_refresh){.done = refreshed, .ctx = s};
    if (!cluster_refresh_start(s->env->cluster, &s->refresh))
        return false;
    s->stage = STATEMENT_REFRESH;
    return true;
}

static void closed(struct statement *s)
{
    if (!s->is_held) {
        finish(s);
    } else if (s->next_text) {
        parsed_put(s->parsed);
        s->parsed = NULL;
        s->text = s->next_text;
        s->text_len = strlen(s->next_text);
        s->next_text = NULL;
        try_again(s);
    } else if (gateway_alone_may_help(s)) {
        s->gateway_alone = true;
        try_again(s);
    } else if (!start_refresh(s)) {
        finish_failed(s);
    }
}

/* ---- start and end ---- */

/* Arrays that outlive the caller's. */
static bool keep_params(struct statement *s, const struct datum *params,
                        const struct value_type *types, uint32_t n)
{
    struct datum *p = arena_alloc(&s->kept, (n + 1u) * sizeof *p);
    struct value_type *t = arena_alloc(&s->kept, (n + 1u) * sizeof *t);

    if (!p || !t)
        return false;
    memcpy(p, params, n * sizeof *p);
    memcpy(t, types, n * sizeof *t);
    s->params = p;
    s->param_types = t;
    s->n_params = n;
    return true;
}

/* The shorter of the server's limit and the client's. */
static void limit_time(struct statement *s)
{
    uint64_t own = s->error.code ? 0 : statement_own_timeout(s),
             now = reactor_now_ns(s->env->reactor);

    if (own && (!s->deadline_ns || now + own < s->deadline_ns))
        s->exec.deadline_ns = s->deadline_ns = now + own;
    if (s->deadline_ns)
        timer_arm(s->env->reactor, &s->deadline, s->deadline_ns > now ? s->deadline_ns - now : 0);
}

void statement_start(struct statement *s, const struct datum *params,
                     const struct value_type *types, uint32_t n)
{
    ASSERT(s->stage == STATEMENT_NEW);
    if (!s->error.code && s->ast->kind == SQL_STMT_EXECUTE && prepared_execute(s))
        n = 0; /* its values are kept already */
    s->keeps_warnings = s->ast && s->ast->kind == SQL_STMT_SHOW &&
                        s->ast->u.show->kind >= SQL_SHOW_WARNINGS &&
                        s->ast->u.show->kind <= SQL_SHOW_COUNT_ERRORS;
    limit_time(s);
    if (n && !s->error.code && !keep_params(s, params, types, n))
        mysql_error_set_text(&s->error, 1041, "Out of memory");
    if (!s->error.code && !cluster_is_current(s->env->cluster) && refresh_comes_first(s) &&
        start_refresh(s))
        return;
    begin(s);
}

void statement_cancel(struct statement *s, unsigned code, const char *text)
{
    if (s->stage == STATEMENT_NEW || s->stage == STATEMENT_DONE ||
        (s->stage == STATEMENT_CLOSE && !s->is_held))
        return;
    if (!s->error.code || s->is_held)
        mysql_error_set_text(&s->error, code, "%s", text);
    if (s->stage == STATEMENT_REFRESH) {
        cluster_refresh_cancel(&s->refresh);
        finish_failed(s);
    } else if (s->stage == STATEMENT_CLOSE) { /* ends when its queries have closed */
        s->is_held = false;
        answer_error(s);
    } else {
        statement_resume(s);
    }
}

void statement_describe(struct statement *s)
{
    s->describes = true;
    statement_start(s, NULL, NULL, 0);
}

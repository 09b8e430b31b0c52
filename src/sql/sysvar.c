#include "sql/sysvar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reactor/arena.h"
#include "reactor/reactor.h"
#include "sql/gateway.h"
#include "sql/gateway_statement.h"
#include "sql/mysql_protocol.h"
#include "sql/slow_log.h"
#include "sql/value_convert.h"

/* Sorted by name, for SHOW VARIABLES. */
static const struct sysvar vars[] = {
    {"auto_increment_increment", "1", true, false},
    {"auto_increment_offset", "1", true, false},
    {"autocommit", "1", true, false},
    {"basedir", "/", false, true},
    {"big_tables", "0", true, false},
    {"binlog_format", "ROW", false, false},
    {"character_set_client", "utf8mb4", false, false},
    {"character_set_connection", "utf8mb4", false, false},
    {"character_set_database", "utf8mb4", false, false},
    {"character_set_filesystem", "binary", false, false},
    {"character_set_results", "utf8mb4", false, false},
    {"character_set_server", "utf8mb4", false, false},
    {"character_set_system", "utf8mb3", false, true},
    {"character_sets_dir", "/", false, true},
    {"collation_connection", "utf8mb4_bin", false, false},
    {"collation_database", "utf8mb4_bin", false, false},
    {"collation_server", "utf8mb4_bin", false, false},
    {"connect_timeout", "10", true, false},
    {"cte_max_recursion_depth", "1000", true, false},
    {"datadir", "", false, true},
    {"default_authentication_plugin", "caching_sha2_password", false, true},
    {"default_collation_for_utf8mb4", "utf8mb4_bin", false, false},
    {"default_storage_engine", "QUANTA", false, false},
    {"default_tmp_storage_engine", "QUANTA", false, false},
    {"default_week_format", "0", true, false},
    {"div_precision_increment", "4", true, true},
    {"end_markers_in_json", "0", true, false},
    {"event_scheduler", "OFF", false, false},
    {"explicit_defaults_for_timestamp", "1", true, false},
    {"foreign_key_checks", "1", true, false},
    {"ft_min_word_len", "1", true, true},
    {"general_log", "0", true, false},
    {"group_concat_max_len", "1048576", true, false},
    {"gtid_mode", "OFF", false, true},
    {"have_openssl", "YES", false, true},
    {"have_profiling", "NO", false, true},
    {"have_query_cache", "NO", false, true},
    {"have_ssl", "DISABLED", false, true},
    {"hostname", "quanta", false, true},
    {"identity", "0", true, false},
    {"information_schema_stats_expiry", "0", true, false},
    {"init_connect", "", false, false},
    {"innodb_lock_wait_timeout", "50", true, false},
    {"innodb_strict_mode", "1", true, false},
    {"innodb_version", "8.0.34", false, true},
    {"interactive_timeout", "28800", true, false},
    {"join_buffer_size", "262144", true, false},
    {"last_insert_id", "0", true, false},
    {"lc_messages", "en_US", false, false},
    {"lc_time_names", "en_US", false, false},
    {"license", "Apache-2.0", false, true},
    {"local_infile", "1", true, true},
    {"lock_wait_timeout", "86400", true, false},
    {"log_bin", "0", true, true},
    {"log_output", "FILE", false, true},
    {"log_queries_not_using_indexes", "0", true, false},
    {"long_query_time", "10.000000", false, false},
    {"low_priority_updates", "0", true, false},
    {"lower_case_file_system", "OFF", false, true},
    {"lower_case_table_names", "0", true, true},
    {"max_allowed_packet", "67108864", true, false},
    {"max_connections", "10000", true, true},
    {"max_error_count", "64", true, true},
    {"max_execution_time", "0", true, false},
    {"max_heap_table_size", "16777216", true, false},
    {"max_join_size", "18446744073709551615", true, false},
    {"max_length_for_sort_data", "4096", true, false},
    {"max_sort_length", "1024", true, false},
    {"max_statement_time", "0.000000", false, false},
    {"max_user_connections", "0", true, true},
    {"net_buffer_length", "16384", true, false},
    {"net_read_timeout", "30", true, false},
    {"net_write_timeout", "60", true, false},
    {"old_passwords", "0", true, false},
    {"open_files_limit", "20000", true, true},
    {"optimizer_prune_level", "1", true, false},
    {"optimizer_search_depth", "62", true, false},
    {"optimizer_switch", "", false, false},
    {"optimizer_trace", "enabled=off,one_line=off", false, false},
    {"performance_schema", "0", true, true},
    {"port", "4000", true, true},
    {"profiling", "0", true, false},
    {"protocol_version", "10", true, true},
    {"query_cache_size", "0", true, false},
    {"query_cache_type", "OFF", false, false},
    {"read_only", "0", true, false},
    {"require_secure_transport", "0", true, true},
    {"secure_file_priv", "NULL", false, true},
    {"server_id", "1", true, true},
    {"session_track_gtids", "OFF", false, false},
    {"session_track_schema", "1", true, false},
    {"session_track_state_change", "0", true, false},
    {"session_track_system_variables",
     "time_zone,autocommit,character_set_client,character_set_results,character_set_connection",
     false, false},
    {"show_create_table_skip_secondary_engine", "0", true, false},
    {"skip_networking", "0", true, true},
    {"slow_query_log", "0", true, false},
    {"slow_query_log_file", "stderr", false, true},
    {"socket", "", false, true},
    {"sort_buffer_size", "262144", true, false},
    {"sql_auto_is_null", "0", true, false},
    {"sql_big_selects", "1", true, false},
    {"sql_buffer_result", "0", true, false},
    {"sql_log_bin", "0", true, false},
    {"sql_log_off", "0", true, false},
    {"sql_mode", "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", false, false},
    {"sql_notes", "1", true, false},
    {"sql_quote_show_create", "1", true, false},
    {"sql_require_primary_key", "0", true, false},
    {"sql_safe_updates", "0", true, false},
    {"sql_select_limit", "18446744073709551615", true, false},
    {"sql_warnings", "0", true, false},
    {"ssl_ca", "", false, true},
    {"ssl_cipher", "", false, true},
    {"storage_engine", "QUANTA", false, false},
    {"super_read_only", "0", true, false},
    {"system_time_zone", "UTC", false, true},
    {"table_open_cache", "4000", true, true},
    {"thread_handling", "one-thread-per-core", false, true},
    {"time_zone", "SYSTEM", false, false},
    {"timestamp", "0", false, false},
    {"tmp_table_size", "16777216", true, false},
    {"tmpdir", "/tmp", false, true},
    {"transaction_isolation", "REPEATABLE-READ", false, false},
    {"transaction_read_only", "0", true, false},
    {"tx_isolation", "REPEATABLE-READ", false, false},
    {"tx_read_only", "0", true, false},
    {"unique_checks", "1", true, false},
    {"updatable_views_with_limit", "YES", false, false},
    {"version", MYSQL_SERVER_VERSION, false, true},
    {"version_comment", "Quanta", false, true},
    {"version_compile_machine", "x86_64", false, true},
    {"version_compile_os", "Linux", false, true},
    {"wait_timeout", "28800", true, false},
    {"warning_count", "0", true, true},
};

const struct sysvar *sysvar_list(size_t *n)
{
    *n = sizeof vars / sizeof *vars;
    return vars;
}

const struct sysvar *sysvar_find(const char *name)
{
    for (size_t i = 0; i < sizeof vars / sizeof *vars; i++)
        if (strcasecmp(vars[i].name, name) == 0)
            return &vars[i];
    return NULL;
}

/* As many as the limit of open files leaves; false where no gateway runs. */
static bool max_connections(int64_t *out)
{
    struct reactor *r = reactor_self();
    struct gateway *g = r ? gateway_of(r) : NULL;

    if (g)
        *out = (int64_t)gateway_max_connections(g);
    return g != NULL;
}

static uint32_t *timeout_of(struct session_timeouts *t, const char *name)
{
    if (strcasecmp(name, "wait_timeout") == 0)
        return &t->wait_s;
    if (strcasecmp(name, "interactive_timeout") == 0)
        return &t->interactive_s;
    if (strcasecmp(name, "net_read_timeout") == 0)
        return &t->read_s;
    return strcasecmp(name, "net_write_timeout") == 0 ? &t->write_s : NULL;
}

/* As MySQL, values out of range become the nearest. */
static void set_timeout(struct gateway_session *s, const char *name, uint32_t *timeout,
                        const struct datum *value)
{
    enum { LONGEST = 31536000 };
    int64_t n = *timeout;
    char text[100];

    if (!value)
        n = *timeout_of(&s->timeouts_at_login, name);
    else if (!datum_to_int(value, &n) || n < 1 || n > LONGEST) {
        snprintf(text, sizeof text, "Truncated incorrect %s value: '%lld'", name, (long long)n);
        gateway_session_warn(s, "Warning", 1292, text);
    }
    *timeout = (uint32_t)(n < 1 ? 1 : n > LONGEST ? LONGEST : n);
}

static bool has_tls(bool required)
{
    struct reactor *r = reactor_self();
    struct gateway *g = r ? gateway_of(r) : NULL;

    return g && gateway_has_tls(g, required);
}

/* Those that live in the session itself, or in the gateway. */
static bool session_value(const struct gateway_session *s, const char *name, int64_t *out)
{
    if (strcasecmp(name, "max_connections") == 0)
        return max_connections(out);
    const uint32_t *timeout = timeout_of((struct session_timeouts *)(uintptr_t)&s->timeouts, name);
    if (timeout)
        *out = *timeout;
    else if (strcasecmp(name, "autocommit") == 0)
        *out = s->autocommit;
    else if (strcasecmp(name, "require_secure_transport") == 0)
        *out = has_tls(true);
    else if (strcasecmp(name, "last_insert_id") == 0 || strcasecmp(name, "identity") == 0)
        *out = (int64_t)s->last_insert_id;
    else if (strcasecmp(name, "warning_count") == 0)
        *out = s->warning_count;
    else
        return false;
    return true;
}

static const char *text_value(const struct gateway_session *s, const struct sysvar *v)
{
    struct reactor *r = reactor_self();
    struct gateway *g = r ? gateway_of(r) : NULL;
    const char *folder = g ? gateway_export_folder(g) : NULL;

    if (strcmp(v->name, "have_ssl") == 0 && has_tls(false))
        return "YES";
    if (strcmp(v->name, "sql_mode") == 0 && s->sql_mode_at_login)
        return s->sql_mode_at_login;
    return strcmp(v->name, "secure_file_priv") == 0 && folder ? folder : v->value;
}

bool sysvar_get(struct gateway_session *s, const char *name, struct arena *a, struct datum *out,
                struct value_type *t)
{
    const struct sysvar *v = sysvar_find(name);
    const struct session_variable *own;
    int64_t n;

    if (!v)
        return false;
    if (session_value(s, name, &n)) {
        datum_set_int(out, n);
        *t = value_type_int(19);
        return true;
    }
    own = gateway_session_find(s->sys_vars, name);
    if (own) {
        *t = own->type;
        return datum_copy(out, &own->value, a);
    }
    char global[32];
    const char *value = text_value(s, v);
    if (slow_log_has(name)) {
        const char *text = slow_log_value(name, global, sizeof global);
        value = arena_strndup(a, text, strlen(text));
        if (!value)
            return false;
    }
    datum_set_string(out, value, strlen(value));
    *t = value_type_string(out->len);
    if (v->is_number) {
        __int128 w;
        struct datum text = *out;
        datum_to_wide_int(&text, &w);
        if (w > INT64_MAX) {
            datum_set_uint(out, (uint64_t)w);
            *t = value_type_uint(20);
        } else {
            datum_set_int(out, (int64_t)w);
            *t = value_type_int(19);
        }
    }
    return true;
}

const char *sysvar_text(struct gateway_session *s, const char *name, struct arena *a)
{
    struct datum d;
    struct value_type t;
    char buf[DATUM_TEXT];
    size_t len;

    if (!sysvar_get(s, name, a, &d, &t))
        return NULL;
    const char *text = datum_to_text(&d, &t, buf, &len);
    /* Switches are shown as words. */
    const struct sysvar *v = sysvar_find(name);
    static const char *const switches[] = {"autocommit",
                                           "big_tables",
                                           "foreign_key_checks",
                                           "general_log",
                                           "log_bin",
                                           "log_queries_not_using_indexes",
                                           "performance_schema",
                                           "profiling",
                                           "read_only",
                                           "require_secure_transport",
                                           "sql_auto_is_null",
                                           "sql_big_selects",
                                           "sql_log_bin",
                                           "sql_notes",
                                           "sql_quote_show_create",
                                           "sql_safe_updates",
                                           "sql_warnings",
                                           "super_read_only",
                                           "tx_read_only",
                                           "transaction_read_only",
                                           "unique_checks",
                                           "skip_networking",
                                           "slow_query_log"};
    for (size_t i = 0; v && i < sizeof switches / sizeof *switches; i++)
        if (strcmp(switches[i], v->name) == 0)
            return len == 1 && *text == '1'   ? "ON"
                   : len == 1 && *text == '0' ? "OFF"
                                              : arena_strndup(a, text, len);
    return arena_strndup(a, text, len);
}

/* sql_mode changes how later statements are read. */
static void apply_sql_mode(struct gateway_session *s, const char *mode)
{
    s->parse_flags = 0;
    s->is_lenient = !strcasestr(mode, "STRICT_") && !strcasestr(mode, "TRADITIONAL") &&
                    !strcasestr(mode, "QUANTA");
    if (strcasestr(mode, "ANSI"))
        s->parse_flags |= SQL_PARSE_ANSI_QUOTES;
    if (strcasestr(mode, "NO_BACKSLASH_ESCAPES"))
        s->parse_flags |= SQL_PARSE_NO_BACKSLASH_ESCAPES;
    if (strcasestr(mode, "PIPES_AS_CONCAT") || strcasestr(mode, "ANSI,") ||
        strcasecmp(mode, "ANSI") == 0)
        s->parse_flags |= SQL_PARSE_PIPES_AS_CONCAT;
    if (strcasestr(mode, "QUANTA"))
        s->parse_flags |= SQL_PARSE_QUANTA;
}

void sysvar_default_sql_mode(struct gateway_session *s, const char *mode)
{
    if (!mode)
        return;
    apply_sql_mode(s, mode);
    s->parse_flags_at_login = s->parse_flags;
    s->sql_mode_at_login = mode;
}

/* ON, OFF, TRUE, FALSE as numbers. */
static bool word_as_number(const struct datum *d, int64_t *v)
{
    if (d->kind != DATUM_STRING)
        return false;
    if ((d->len == 2 && strncasecmp(d->s, "on", 2) == 0) ||
        (d->len == 4 && strncasecmp(d->s, "true", 4) == 0))
        *v = 1;
    else if ((d->len == 3 && strncasecmp(d->s, "off", 3) == 0) ||
             (d->len == 5 && strncasecmp(d->s, "false", 5) == 0))
        *v = 0;
    else
        return false;
    return true;
}

int sysvar_set(struct gateway_session *s, const char *name, const struct datum *value,
               struct arena *a, struct mysql_error *error)
{
    const struct sysvar *v = sysvar_find(name);
    struct datum d;
    struct value_type t;
    int64_t n;

    if (!v) {
        mysql_error_set(error, MYSQL_ER_UNKNOWN_SYSTEM_VARIABLE, name);
        return -EINVAL;
    }
    if (slow_log_is_global(name)) {
        mysql_error_set(error, MYSQL_ER_GLOBAL_VARIABLE, v->name);
        return -EINVAL;
    }
    if (v->read_only) {
        mysql_error_set(error, MYSQL_ER_INCORRECT_GLOBAL_LOCAL_VAR, v->name, "read only");
        return -EINVAL;
    }
    if (value) {
        d = *value;
    } else {
        struct gateway_session fresh;
        gateway_session_init(&fresh, 0);
        fresh.sql_mode_at_login = s->sql_mode_at_login;
        sysvar_get(&fresh, name, a, &d, &t);
    }
    if (v->is_number && word_as_number(&d, &n))
        datum_set_int(&d, n);
    if (v->is_number && d.kind == DATUM_STRING) {
        mysql_error_set(error, MYSQL_ER_WRONG_TYPE_FOR_VAR, v->name);
        return -EINVAL;
    }
    if (!sysvar_check(s, v, &d, a, error))
        return -EINVAL;
    uint32_t *timeout = timeout_of(&s->timeouts, name);
    if (timeout) {
        set_timeout(s, v->name, timeout, value ? &d : NULL);
        return 0;
    }
    if (strcasecmp(name, "autocommit") == 0) {
        if (s->autocommit && datum_truth(&d) != 1)
            gateway_session_warn(s, "Note", MYSQL_ER_NOT_SUPPORTED_YET,
                                 "autocommit = 0 groups nothing: each statement is durable and "
                                 "visible at once, and ROLLBACK undoes nothing");
        s->autocommit = datum_truth(&d) == 1;
        if (s->autocommit && !s->in_transaction) { /* as MySQL, a COMMIT */
            gateway_session_drop_variables(s, &s->savepoints);
            s->writes = 0;
        }
        gateway_session_changed(s, v->name);
        return 0;
    }
    if (strcasecmp(name, "last_insert_id") == 0 || strcasecmp(name, "identity") == 0) {
        if (datum_to_int(&d, &n))
            s->last_insert_id = (uint64_t)n;
        return 0;
    }
    if (d.kind == DATUM_STRING) {
        t = value_type_string(d.len);
        if (strcasecmp(name, "sql_mode") == 0) {
            const char *mode = arena_strndup(a, d.s, d.len);
            if (mode)
                apply_sql_mode(s, mode);
        }
    } else {
        t = (struct value_type){.kind = d.kind,
                                .scale = d.kind == DATUM_DECIMAL ? d.scale : 0,
                                .precision = 19};
    }
    if (gateway_session_set(s, &s->sys_vars, v->name, &d, &t) != 0) {
        mysql_error_set_text(error, 1041, "Out of memory");
        return -EINVAL;
    }
    gateway_session_changed(s, v->name);
    return 0;
}

/* ---- SET ---- */

static bool set_user_var(struct statement *s, const struct sql_set_item *it)
{
    struct expr *e = bind_expr(&s->bind, it->value);
    struct value_type t;
    struct datum d;

    if (!e)
        return false;
    if (!expr_is_const(e)) {
        if (!expr_is_row_free(e) || expr_has_subquery(e)) {
            statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "subqueries in SET");
            return false;
        }
        expr_eval(e, &s->expr_ctx, &d);
    } else {
        d = e->u.value;
    }
    t = e->type;
    if (s->error.code)
        return false;
    if (gateway_session_set(s->session, &s->session->user_vars, it->name, &d, &t) != 0) {
        mysql_error_set_text(&s->error, 1041, "Out of memory: too many variables");
        return false;
    }
    return true;
}

/* (SELECT x) is x: `SET sql_mode = (SELECT replace(@@sql_mode, …))` is what many programs begin with. */
static const struct sql_expr *without_select(const struct sql_expr *v)
{
    const struct sql_query *q = v->kind == SQL_EXPR_SUBQUERY ? v->v.query : NULL;
    const struct sql_select *x = q && !q->ctes && !q->terms->next ? q->terms->select : NULL;

    if (!x || x->from || x->where || x->group_by || x->having || !x->items || x->items->next)
        return v;
    return x->items->expr;
}

/* What is set; *is_default: DEFAULT. False with the error. */
static bool value_of(struct statement *s, const struct sql_set_item *it, struct datum *d,
                     bool *is_default)
{
    const struct sql_expr *v = without_select(it->value);

    *is_default = v->kind == SQL_EXPR_DEFAULT;
    if (*is_default)
        return true;
    if (v->kind == SQL_EXPR_COLUMN && !v->v.column->table) { /* SET x = word */
        datum_set_string(d, v->v.column->name, strlen(v->v.column->name));
        return true;
    }
    struct expr *e = bind_expr(&s->bind, v);
    if (!e)
        return false;
    if (!expr_is_const(e)) {
        statement_fail(s, MYSQL_ER_WRONG_TYPE_FOR_VAR, it->name);
        return false;
    }
    *d = e->u.value;
    return true;
}

static bool set_sys_var(struct statement *s, const struct sql_set_item *it)
{
    struct datum d;
    bool is_default;

    return value_of(s, it, &d, &is_default) &&
           sysvar_set(s->session, it->name, is_default ? NULL : &d, &s->arena, &s->error) == 0;
}

/* Of the whole process: the slow query log. What is said about replication does not concern us; dumps of replicated
 * servers begin with it. */
static bool set_global(struct statement *s, const struct sql_set_item *it)
{
    struct datum d;
    bool is_default;

    if (slow_log_has(it->name))
        return value_of(s, it, &d, &is_default) &&
               slow_log_set(it->name, is_default ? NULL : &d, &s->error);
    if (strncasecmp(it->name, "gtid_", 5) != 0) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "SET GLOBAL");
        return false;
    }
    gateway_session_warn(s->session, "Note", MYSQL_ER_NOT_SUPPORTED_YET,
                         "there is no replication: the setting has no effect");
    return true;
}

static bool set_item(struct statement *s, const struct sql_set_item *it)
{
    switch (it->kind) {
    case SQL_SET_USER_VAR:
        return set_user_var(s, it);
    case SQL_SET_SYS_VAR:
        if (it->scope == SQL_SCOPE_GLOBAL || it->scope == SQL_SCOPE_PERSIST)
            return set_global(s, it);
        return set_sys_var(s, it);
    case SQL_SET_NAMES:
    case SQL_SET_CHARSET: {
        static const char *const names[] = {"character_set_client", "character_set_connection",
                                            "character_set_results"};
        struct datum d;
        if (!it->value || it->value->kind == SQL_EXPR_DEFAULT)
            return true;
        datum_set_string(&d, it->value->v.text, it->value->count);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (sysvar_set(s->session, names[i], &d, &s->arena, &s->error) != 0)
                return false;
        if (it->collation) {
            datum_set_string(&d, it->collation, strlen(it->collation));
            return sysvar_set(s->session, "collation_connection", &d, &s->arena, &s->error) == 0;
        }
        return true;
    }
    case SQL_SET_TRANSACTION:
        return true;
    case SQL_SET_PASSWORD:
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "SET PASSWORD");
        return false;
    }
    return false;
}

bool sysvar_prepare_set(struct statement *s)
{
    for (const struct sql_set_item *it = s->ast->u.set; it; it = it->next)
        if (!set_item(s, it))
            return false;
    statement_ok(s, 0, 0, NULL);
    return true;
}

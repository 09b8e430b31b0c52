#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ingest/export_stream.h"
#include "page/page.h"
#include "reactor/log.h"
#include "rpc/core_figures.h"
#include "rpc/http.h"
#include "rpc/node.h"
#include "rpc/node_metrics.h"
#include "rpc/remote.h"
#include "rpc/service.h"
#include "sql/function_plugin.h"
#include "sql/gateway.h"
#include "sql/sysvar.h"
#include "storage/datadir.h"
#include "storage/spill_file.h"

enum {
    MAX_CLIENTS = 10000,   /* of a core */
    OTHER_FILES = 600,     /* log, data files, nodes, HTTP */
    MIN_MEMORY = 32 << 20, /* bytes: less has no room for any table */
};

static int start_core(struct reactor *r, void *ctx)
{
    struct server *s = ctx;
    struct error_info err;
    int rc = s->node ? node_start_core(s->node, r, &err) : 0;

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, err.text);
    return rc;
}

static int call(struct server *s, unsigned core,
                void (*fn)(struct reactor *r, struct startup_call *c))
{
    struct startup_call c = {.ctx = s};
    int rc = startup_call(reactor_group_get(s->group, core), fn, &c);

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, c.err);
    return rc;
}

/* --- where the data is: in this process or in other nodes --- */

static void replay(struct reactor *r, struct startup_call *c)
{
    struct error_info err;
    int rc = node_replay(((struct server *)c->ctx)->node, r, &err);

    if (rc)
        snprintf(c->err, sizeof(c->err), "%s", err.text);
    startup_done(c, rc);
}

static void connected(void *ctx, int rc, const struct error_info *err)
{
    struct startup_call *c = ctx;

    if (rc)
        snprintf(c->err, sizeof(c->err), "%s", err->text);
    startup_done(c, rc);
}

static void connect_nodes(struct reactor *r, struct startup_call *c)
{
    struct remote_config config = {.nodes = ((struct server *)c->ctx)->nodes};
    struct error_info err;
    int rc = remote_cluster_start(r, &config, connected, c, &err);

    if (rc)
        connected(c, rc, &err);
}

static int reach_data(struct server *s)
{
    int rc = 0;

    if (s->node)
        return call(s, 0, replay);
    for (unsigned i = 0; i < reactor_group_count(s->group) && !rc; i++)
        rc = call(s, i, connect_nodes);
    return rc;
}

/* --- listening --- */

/* The share of a limit, if there is one. */
static uint64_t per_core(const struct server *s, uint64_t bytes)
{
    unsigned cores = reactor_group_count(s->group);

    return bytes ? (bytes + cores - 1) / cores : 0;
}

/* Each core listens for itself; core 0 comes first and tells the free ports it took. */
static void serve(struct reactor *r, struct startup_call *c)
{
    struct server *s = c->ctx;
    struct gateway_config gateway = {.bind = s->startup.bind,
                                     .port = s->mysql_port,
                                     .max_connections = s->max_clients,
                                     .statement_memory = s->statement_memory,
                                     .spill_dir = s->spill_dir,
                                     .spill_limit = per_core(s, s->spill_limit),
                                     .connect_timeout_s = (uint32_t)s->connect_timeout_s,
                                     .wait_timeout_s = (uint32_t)s->wait_timeout_s,
                                     .sql_mode = s->sql_mode,
                                     .interactive_timeout_s = (uint32_t)s->interactive_timeout_s,
                                     .throttle = s->throttle,
                                     .room = &s->room,
                                     .security = s->security.now,
                                     .exports = &s->exports.port,
                                     .insecure = s->startup.insecure};
    int rc =
        s->serves_mysql ? gateway_start(r, &gateway, &s->mysql_port, c->err, sizeof(c->err)) : 0;

    if (!rc && s->serves_grpc)
        rc = rpc_server_start(r, s->node, startup_open_bind(&s->startup), s->grpc_port,
                              &s->grpc_port, c->err, sizeof(c->err));
    startup_done(c, rc);
}

static bool is_ready(void *ctx)
{
    struct server *s = ctx;

    return !s->node || node_is_ready(s->node);
}

/* One scrape. Owner: core 0, until its answer ends. */
struct scrape {
    struct figures_request request;
    struct server *server;
    struct reactor *reactor;
    struct http_answer *answer;
};

static void figures_gathered(struct figures_request *q)
{
    struct scrape *x = q->ctx;

    if (q->found)
        node_metrics_print(x->reactor, x->server->node, q->found, http_answer_body(x->answer));
    figures_set_free(q->found);
    http_answer_end(x->answer);
    free(x);
}

static void metrics(void *ctx, struct http_answer *answer)
{
    struct scrape *x = calloc(1, sizeof(*x));

    if (!x) {
        http_answer_end(answer);
        return;
    }
    *x = (struct scrape){.request = {.done = figures_gathered, .ctx = x},
                         .server = ctx,
                         .reactor = reactor_self(),
                         .answer = answer};
    core_figures_start(x->reactor, x->server->node, &x->request);
}

static void other_path(void *ctx, struct http_answer *answer)
{
    page_answer(((struct server *)ctx)->page, answer);
}

/* People reach it where others than they may be, too, only when that is asked for. */
static int make_page(struct server *s, struct reactor *r)
{
    bool is_local = startup_is_loopback(startup_open_bind(&s->startup));
    struct page_config config = {.is_on = strcmp(s->page_wish, "on") == 0 ||
                                          (strcmp(s->page_wish, "auto") == 0 && is_local),
                                 .program = s->program,
                                 .hosts = s->page_hosts};

    if (config.is_on && !is_local)
        log_warn("page: what it shows, and passwords, go unencrypted over %s: put a proxy with TLS "
                 "before it",
                 s->startup.bind);
    s->page = page_new(r, &config);
    return s->page ? 0 : -ENOMEM;
}

static void serve_http(struct reactor *r, struct startup_call *c)
{
    struct server *s = c->ctx;
    struct http_config config = {.bind = startup_open_bind(&s->startup),
                                 .port = s->http_port,
                                 .program = s->program,
                                 .is_ready = is_ready,
                                 .metrics = metrics,
                                 .other = s->serves_mysql ? other_path : NULL,
                                 .max_body = PAGE_BODY_MAX,
                                 .ctx = s};
    int rc = s->serves_mysql ? make_page(s, r) : 0;

    if (!rc)
        rc = http_start(r, &config, &s->http, c->err, sizeof(c->err));
    if (!rc)
        s->http_port = http_port(s->http);
    startup_done(c, rc);
}

static int create_tables(struct server *s)
{
    struct error_info err;
    int rc = s->schema_dir ? startup_schema_dir(s->group, s->schema_dir, &err) : 0;

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, err.text);
    return rc;
}

static void clean_spill_folder(struct reactor *r, struct startup_call *c)
{
    const char *dir = ((struct server *)c->ctx)->spill_dir;
    int rc = spill_folder_clean(r, dir);

    if (rc)
        snprintf(c->err, sizeof(c->err), "%s cannot hold temporary files: %s", dir, strerror(-rc));
    startup_done(c, rc);
}

static int start(struct server *s)
{
    int rc = reach_data(s);

    if (!rc)
        rc = create_tables(s);
    if (!rc && s->node && s->serves_mysql)
        rc = call(s, 0, clean_spill_folder);
    for (unsigned i = 0; i < reactor_group_count(s->group) && !rc; i++)
        rc = call(s, i, serve);
    return rc ? rc : call(s, 0, serve_http);
}

static void tell_ready(const struct server *s)
{
    printf("ready");
    if (s->serves_mysql)
        printf(" mysql=%u", s->mysql_port);
    if (s->serves_grpc)
        printf(" grpc=%u", s->grpc_port);
    if (s->serves_mysql)
        printf(" token=0"); /* no token service while authentication is off */
    printf(" http=%u\n", s->http_port);
    fflush(stdout);
}

/* --- stopping: no new work, end what runs, close the log, end the cores --- */

static void call_ended(void *ctx)
{
    startup_done(ctx, 0);
}

static void stop_http(struct reactor *r, struct startup_call *c)
{
    struct server *s = c->ctx;

    (void)r;
    if (s->http)
        http_stop(s->http, call_ended, c);
    else
        startup_done(c, 0);
}

static void gateway_stopped(struct reactor *r, void *ctx)
{
    (void)r;
    startup_done(ctx, 0);
}

static void stop_gateway(struct reactor *r, struct startup_call *c)
{
    if (gateway_of(r))
        gateway_stop(r, gateway_stopped, c);
    else
        startup_done(c, 0);
}

static void stop_rpc(struct reactor *r, struct startup_call *c)
{
    rpc_server_drain(r, call_ended, c);
}

static void leave_nodes(struct reactor *r, struct startup_call *c)
{
    remote_cluster_stop(r, call_ended, c);
}

static void close_log(struct reactor *r, struct startup_call *c)
{
    (void)r;
    node_close(((struct server *)c->ctx)->node, call_ended, c);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static void stop(struct server *s)
{
    unsigned cores = reactor_group_count(s->group);

    call(s, 0, stop_http);
    for (unsigned i = 0; i < cores && s->serves_mysql; i++)
        call(s, i, stop_gateway);
    export_streams_wait();
    for (unsigned i = 0; i < cores && s->serves_grpc; i++)
        call(s, i, stop_rpc);
    for (unsigned i = 0; i < cores && !s->node; i++)
        call(s, i, leave_nodes);
    if (s->node)
        call(s, 0, close_log);
    reactor_group_stop(s->group, exit_core, s);
}

static int make_node(struct server *s)
{
    struct node_config config = {.data_dir = s->data_dir,
                                 .name = s->name,
                                 .slots = (unsigned)s->slots,
                                 .splits_slots = s->splits_slots,
                                 .cores_run = true,
                                 .log_iops = (unsigned)s->log_iops,
                                 .checkpoint_log = s->checkpoint_log,
                                 .checkpoint_at_end = true};
    struct error_info err;
    int rc = s->data_dir ? node_new(&config, s->group, &s->node, &err) : 0;

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, err.text);
    return rc;
}

/* A login often begins with 1,024 open files. Each core takes so many clients as the rest allows. */
static void raise_file_limit(struct server *s)
{
    struct rlimit files;
    unsigned cores = reactor_group_count(s->group);

    s->max_clients = MAX_CLIENTS;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files))
        (void)getrlimit(RLIMIT_NOFILE, &files);
    uint64_t most = files.rlim_cur > 2 * OTHER_FILES ? files.rlim_cur - OTHER_FILES : OTHER_FILES;
    if (most / cores < MAX_CLIENTS) {
        s->max_clients = (unsigned)(most / cores);
        log_warn("only %llu files may be open at once (ulimit -n): a core serves %u clients",
                 (unsigned long long)files.rlim_cur, s->max_clients);
    }
}

/* Two ports of one number would both be listened on, and clients get to either. */
static bool has_sound_sql_mode(const struct server *s)
{
    struct mysql_error error = {0};

    if (sysvar_check_sql_mode(s->sql_mode, &error))
        return true;
    fprintf(stderr, "%s: --sql-mode is '%s': %s; allowed are the modes of MySQL 8.0, and QUANTA\n",
            s->program, s->sql_mode, error.text);
    return false;
}

static bool has_sound_options(const struct server *s)
{
    const struct {
        const char *flag;
        uint16_t port;
    } ports[] = {{"mysql-port", s->serves_mysql ? s->mysql_port : 0},
                 {"grpc-port", s->serves_grpc ? s->grpc_port : 0},
                 {"http-port", s->http_port}};
    const size_t n = sizeof(ports) / sizeof(ports[0]);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (ports[i].port && ports[i].port == ports[k].port) {
                fprintf(stderr, "%s: --%s is %u; allowed are others than that of --%s\n",
                        s->program, ports[i].flag, ports[i].port, ports[k].flag);
                return false;
            }
    if (s->startup.memory && s->startup.memory < MIN_MEMORY) {
        fprintf(stderr, "%s: --memory is %llu; allowed are %uM and more\n", s->program,
                (unsigned long long)s->startup.memory, MIN_MEMORY >> 20);
        return false;
    }
    if (s->connect_timeout_s > 31536000 || s->wait_timeout_s > 31536000 ||
        s->interactive_timeout_s > 31536000) {
        fprintf(stderr,
                "%s: --connect-timeout, --wait-timeout, --interactive-timeout: allowed are 1 to "
                "31536000 seconds\n",
                s->program);
        return false;
    }
    if (s->sql_mode && !has_sound_sql_mode(s))
        return false;
    if (s->login_failures > LOGIN_THROTTLE_FREE_MAX) {
        fprintf(stderr, "%s: --login-failures is %llu; allowed are 0 to %d\n", s->program,
                (unsigned long long)s->login_failures, LOGIN_THROTTLE_FREE_MAX);
        return false;
    }
    if (s->serves_mysql && !security_has_sound_options(&s->security, s->program))
        return false;
    if (s->data_dir && !*s->data_dir) {
        fprintf(stderr, "%s: --data-dir is empty; allowed is the path of a directory\n",
                s->program);
        return false;
    }
    if (s->slots > 1U << DATADIR_MAX_SLOT_BITS) {
        fprintf(stderr, "%s: --slots is %llu; allowed are 1 to %u\n", s->program,
                (unsigned long long)s->slots, 1U << DATADIR_MAX_SLOT_BITS);
        return false;
    }
    return true;
}

/* Within the data directory, else where the system has such files: there they may be of others, too. */
static int name_spill_folder(struct server *s)
{
    const char *tmp = getenv("TMPDIR");
    int n = s->data_dir ? asprintf(&s->spill_dir, "%s/tmp", s->data_dir)
                        : asprintf(&s->spill_dir, "%s", tmp && *tmp ? tmp : "/tmp");

    if (n >= 0)
        return 0;
    s->spill_dir = NULL;
    return -ENOMEM;
}

/* --- users and certificate, at the start and when their files change --- */

enum { LOOK_MS = 1000 }; /* between two looks at the files */

static int open_security(struct server *s)
{
    struct error_info err;
    int rc = s->serves_mysql ? security_open(&s->security, &err) : 0;

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, err.text);
    else if (strcmp(s->startup.bind, startup_open_bind(&s->startup)) != 0)
        log_info("gRPC and HTTP have no authentication: they listen on %s only (--insecure: on %s)",
                 startup_open_bind(&s->startup), s->startup.bind);
    return rc;
}

static int open_extensions(struct server *s)
{
    struct error_info err;
    int rc = s->serves_mysql ? exports_init(&s->exports, s->data_dir, &err) : 0;

    if (!rc && s->functions && *s->functions)
        rc = function_plugins_load(s->functions, &err);

    if (rc)
        fprintf(stderr, "%s: %s\n", s->program, err.text);
    return rc;
}

static void secure(struct reactor *r, struct startup_call *c)
{
    startup_done(c, gateway_secure(r, &((struct server *)c->ctx)->security.now));
}

static void reload_security(struct server *s)
{
    struct gateway_security old;
    struct error_info err;

    if (security_reload(&s->security, &old, &err)) {
        log_error("%s; users and certificate stay as they were", err.text);
        return;
    }
    for (unsigned i = 0; i < reactor_group_count(s->group); i++)
        if (call(s, i, secure))
            log_error("users and certificate: core %u has no memory for the new ones", i);
    security_drop(&old);
    log_info("users and certificate were read again");
}

static int wait_for_end(struct server *s)
{
    bool has_files = s->serves_mysql && security_has_files(&s->security);

    for (;;) {
        int number = startup_wait_signal(LOOK_MS);

        if (number && number != SIGHUP)
            return number;
        if (has_files && (number || security_has_changed(&s->security)))
            reload_security(s);
    }
}

static int make_throttle(struct server *s)
{
    s->throttle = calloc(1, sizeof *s->throttle);
    if (!s->throttle) {
        fprintf(stderr, "%s: out of memory\n", s->program);
        return 1;
    }
    s->throttle->free = (uint32_t)s->login_failures;
    return 0;
}

int server_main(struct server *s)
{
    bool is_protected = s->serves_mysql && security_is_on(&s->security);

    if (startup_check_bind(&s->startup, is_protected, s->program) || !has_sound_options(s))
        return 2;
    startup_block_signals(s->serves_mysql && security_has_files(&s->security));
    if (startup_group(&s->startup, &s->group, s->program))
        return 1;
    raise_file_limit(s);
    s->room.max = s->max_connections;
    int rc = make_throttle(s);
    if (!rc)
        rc = name_spill_folder(s);
    if (!rc)
        rc = open_security(s);
    if (!rc)
        rc = open_extensions(s);
    if (!rc)
        rc = make_node(s);
    if (!rc && !(rc = reactor_group_start(s->group, start_core, s))) {
        rc = start(s);
        if (!rc) {
            tell_ready(s);
            log_info("stopping on signal %d", wait_for_end(s));
        }
        stop(s);
    }
    node_free(s->node);
    reactor_group_free(s->group);
    http_free(s->http);
    page_free(s->page);
    security_close(&s->security);
    free(s->throttle);
    free(s->spill_dir);
    return rc ? 1 : 0;
}

#include "startup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reactor/log.h"
#include "rpc/cluster.h"
#include "storage/kernel.h"
#include "storage/plugin.h"
#include "storage/schema_dir.h"

bool startup_is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return !strcmp(address, "localhost");
}

static bool is_address(const char *text)
{
    struct in6_addr any;

    return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1 ||
           !strcmp(text, "localhost");
}

const char *startup_open_bind(const struct startup *s)
{
    return s->insecure || startup_is_loopback(s->bind) ? s->bind : "127.0.0.1";
}

int startup_check_bind(const struct startup *s, bool is_protected, const char *program)
{
    if (!is_address(s->bind)) {
        fprintf(stderr,
                "%s: --bind %s: found no IPv4 or IPv6 address; allowed are those and localhost\n",
                program, s->bind);
        return -EINVAL;
    }
    if (s->insecure || is_protected || startup_is_loopback(s->bind))
        return 0;
    fprintf(stderr,
            "%s: --bind %s: without authentication (--auth off, --tls off) only loopback addresses "
            "are allowed; add --insecure to listen there all the same\n",
            program, s->bind);
    return -EPERM;
}

static bool takes_hangup;

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    if (takes_hangup)
        sigaddset(set, SIGHUP);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

void startup_block_signals(bool hangup)
{
    sigset_t set;

    takes_hangup = hangup;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int startup_wait_signal(unsigned timeout_ms)
{
    const struct timespec limit = {.tv_sec = timeout_ms / 1000,
                                   .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    sigset_t set;
    int number;

    signal_set(&set);
    number = sigtimedwait(&set, NULL, &limit);
    return number > 0 ? number : 0;
}

int startup_group(const struct startup *s, struct reactor_group **out, const char *program)
{
    struct reactor_config config = {.cores = (unsigned)s->cores,
                                    .cpus = s->cpus,
                                    .memory = s->memory,
                                    .pin = true};
    char err[300];

    plugin_set_directory(s->plugin_dir);
    if (s->io && !strcmp(s->io, "uring"))
        config.io = REACTOR_IO_URING;
    else if (s->io && !strcmp(s->io, "epoll"))
        config.io = REACTOR_IO_EPOLL;
    if (s->kernels && kernel_choose(s->kernels)) {
        fprintf(
            stderr,
            "%s: --kernels %s: this machine has not the instructions; auto takes the best it has\n",
            program, s->kernels);
        return -ENOTSUP;
    }
    log_info("kernels: %s", kernel_table()->name);
    int rc = reactor_group_new(&config, out, err, sizeof(err));
    if (rc)
        fprintf(stderr, "%s: %s\n", program, err);
    return rc;
}

static void run_call(struct reactor *r, void *ctx)
{
    struct startup_call *c = ctx;

    c->fn(r, c);
}

void startup_begin(struct reactor *r, void (*fn)(struct reactor *r, struct startup_call *c),
                   struct startup_call *c)
{
    c->fn = fn;
    sem_init(&c->done, 0, 0);
    reactor_post_lent(r, &c->post, run_call, c);
}

bool startup_wait(struct startup_call *c, unsigned timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    if (sem_timedwait(&c->done, &until))
        return false;
    sem_destroy(&c->done);
    return true;
}

static bool is_signal_waiting(void)
{
    sigset_t pending;

    return !sigpending(&pending) &&
           (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

int startup_call(struct reactor *r, void (*fn)(struct reactor *r, struct startup_call *c),
                 struct startup_call *c)
{
    startup_begin(r, fn, c);
    while (!startup_wait(c, 200))
        if (is_signal_waiting()) { /* during a long start or a second time: what is acknowledged is durable */
            log_info("stopping at once on a signal");
            _exit(0);
        }
    return c->rc;
}

void startup_done(struct startup_call *c, int rc)
{
    c->rc = rc;
    sem_post(&c->done);
}

struct table_creation {
    struct cluster_ddl ddl;
    struct schema *schema;
    struct startup_call *call;
};

static void table_created(struct cluster_ddl *d)
{
    struct table_creation *t = d->ctx;

    if (d->rc && d->rc != -EEXIST)
        snprintf(t->call->err, sizeof(t->call->err), "%s", d->error.text);
    startup_done(t->call, d->rc == -EEXIST ? 0 : d->rc);
}

static void tell(void *ctx, const char *line)
{
    (void)ctx;
    log_info("schema directory: %s", line);
}

/* A table that is there follows its definition as far as the rules permit; where it may not it stays, and is served. */
static bool is_to_be_altered(const struct schema *now, const struct schema *next)
{
    struct error_info err;
    int rc = schema_check_alter(now, next, tell, NULL, &err);

    if (rc < 0)
        log_warn("schema directory: %s; the table stays as it is", err.text);
    return rc == 0;
}

static void create_table(struct reactor *r, struct startup_call *c)
{
    struct table_creation *t = c->ctx;
    struct catalog *now = cluster_catalog(cluster_of(r));
    const struct schema *there = catalog_find(now, t->schema->name, strlen(t->schema->name));
    bool alter = there && is_to_be_altered(there, t->schema), nothing = there && !alter;

    catalog_put(now);
    if (nothing) {
        startup_done(c, 0);
        return;
    }
    t->call = c;
    t->ddl = (struct cluster_ddl){.kind = alter ? CLUSTER_ALTER_TABLE : CLUSTER_CREATE_TABLE,
                                  .schema = t->schema,
                                  .done = table_created,
                                  .ctx = t};
    cluster_ddl_start(cluster_of(r), &t->ddl);
}

int startup_schema_dir(struct reactor_group *g, const char *dir, struct error_info *err)
{
    struct schema_list list;
    int rc = schema_dir_read(dir, &list, err);

    for (unsigned i = 0; i < list.n && !rc; i++) {
        struct table_creation t = {.schema = list.schemas[i]};
        struct startup_call call = {.ctx = &t};
        rc = startup_call(reactor_group_get(g, 0), create_table, &call);
        if (rc)
            error_set(err, rc, 0, "%s", call.err);
    }
    schema_list_fini(&list);
    return rc;
}

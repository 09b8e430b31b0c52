#include "rpc/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/remote_impl.h"

#define READY_TIMEOUT_NS 10000000000ull
#define WRITE_TIMEOUT_NS 30000000000ull
#define TICK_NS 250000000ull
#define POLL_NS 1000000000ull

static struct catalog *remote_catalog(struct cluster *c)
{
    return catalog_get(((struct remote *)c)->catalog);
}

const struct cluster_ops remote_ops = {
    .catalog = remote_catalog,
    .refresh_start = remote_refresh_start,
    .is_refused_whole = remote_is_refused_whole,
    .query_start = remote_query_start,
    .query_next = remote_query_next,
    .query_close = remote_query_close,
    .write_start = remote_write_start,
    .ddl_start = remote_ddl_start,
    .partitions_start = remote_partitions_start,
    .table_stats = remote_table_stats,
};

/* --- the list of nodes --- */

static int bad_address(struct error_info *err, const char *found)
{
    return error_set(err, -EINVAL, 0,
                     "node '%s'; allowed is HOST:PORT, several separated by commas", found);
}

static int parse_node(char *text, struct remote_node *n, struct error_info *err)
{
    char *colon = strrchr(text, ':'), *end, *host = text;

    if (!colon || colon == text || !colon[1])
        return bad_address(err, text);
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || port < 1 || port > UINT16_MAX || colon[1] < '0' || colon[1] > '9')
        return bad_address(err, text);
    size_t len = (size_t)(colon - text);
    if (*host == '[' && len > 2 && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    n->port = (uint16_t)port;
    n->host = strndup(host, len);
    if (!n->host)
        return error_set(err, -ENOMEM, 1037, "out of memory");
    snprintf(n->who, sizeof(n->who), "node %.120s", text);
    return 0;
}

static int parse_nodes(struct remote *x, const char *list, struct error_info *err)
{
    char *copy = strdup(list), *at = copy, *text;
    int rc = copy ? 0 : error_set(err, -ENOMEM, 1037, "out of memory");

    while (!rc && (text = strsep(&at, ","))) {
        text += strspn(text, " ");
        text[strcspn(text, " ")] = 0;
        if (x->n_nodes == SLOTMAP_MAX_NODES) {
            rc = error_set(err, -EINVAL, 0, "more than the %d nodes allowed", SLOTMAP_MAX_NODES);
            break;
        }
        rc = parse_node(text, &x->nodes[x->n_nodes], err);
        if (!rc)
            x->n_nodes++;
    }
    free(copy);
    return rc;
}

/* --- becoming ready --- */

static void tell_ready(struct remote *x, int rc, const struct error_info *err)
{
    if (x->told)
        return;
    x->told = true;
    x->ready(x->ready_ctx, rc, err);
}

/* Nodes of one cluster hash alike and have names of their own. */
static int check_alike(const struct remote *x, struct error_info *err)
{
    const struct remote_node *a = &x->nodes[0];

    for (unsigned i = 1; i < x->n_nodes; i++) {
        const struct remote_node *b = &x->nodes[i];
        if (b->slot_bits != a->slot_bits || b->hash_seed != a->hash_seed)
            return error_set(
                err, -EINVAL, 0,
                "%s and %s are not of one cluster: slots %u and %u, hash seeds %016llx and %016llx",
                a->who, b->who, 1U << a->slot_bits, 1U << b->slot_bits,
                (unsigned long long)a->hash_seed, (unsigned long long)b->hash_seed);
        for (unsigned k = 0; k < i; k++)
            if (!strcmp(b->name, x->nodes[k].name))
                return error_set(err, -EINVAL, 0, "two nodes have the host key %s: %s and %s",
                                 b->name, x->nodes[k].who, b->who);
    }
    return 0;
}

static int become_ready(struct remote *x, struct error_info *err)
{
    const char *names[SLOTMAP_MAX_NODES];
    int rc = check_alike(x, err);

    for (unsigned i = 0; i < x->n_nodes; i++)
        names[i] = x->nodes[i].name;
    if (!rc && slotmap_init(&x->map, names, x->n_nodes, x->nodes[0].slot_bits))
        rc = error_set(err, -ENOMEM, 1037, "out of memory");
    if (!rc && remote_merge_catalogs(x))
        rc = error_set(err, -ENOMEM, 1037, "out of memory");
    x->is_ready = !rc;
    return rc;
}

void remote_node_changed(struct remote *x)
{
    struct error_info err = {0};

    if (x->told || x->stopping)
        return;
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (x->nodes[i].state == NODE_REFUSED) {
            tell_ready(x, -EINVAL, &x->nodes[i].error);
            return;
        }
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (x->nodes[i].state != NODE_READY)
            return;
    int rc = become_ready(x, &err);
    tell_ready(x, rc, &err);
}

static void check_timeout(struct remote *x, uint64_t now)
{
    struct error_info err;

    if (x->told || now < x->ready_by_ns)
        return;
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (x->nodes[i].state != NODE_READY) {
            error_set(&err, -ETIMEDOUT, 0, "%s cannot be reached: %s", x->nodes[i].who,
                      x->nodes[i].error.text[0] ? x->nodes[i].error.text : "no answer yet");
            tell_ready(x, -ETIMEDOUT, &err);
            return;
        }
}

static void tick_fire(struct timer *t)
{
    struct remote *x = container_of(t, struct remote, tick);
    uint64_t now = reactor_now_ns(x->r);
    bool poll = now - x->polled_ns >= POLL_NS;

    timer_arm(x->r, &x->tick, TICK_NS);
    if (poll)
        x->polled_ns = now;
    for (unsigned i = 0; i < x->n_nodes; i++) {
        remote_writes_expire(&x->nodes[i], now);
        remote_writes_send(&x->nodes[i]);
        if (poll && x->nodes[i].state == NODE_READY)
            remote_node_poll(&x->nodes[i]);
    }
    check_timeout(x, now);
}

/* --- start and stop --- */

static void remote_free(struct remote *x)
{
    for (unsigned i = 0; i < x->n_nodes; i++) {
        struct remote_node *n = &x->nodes[i];
        if (n->catalog)
            catalog_put(n->catalog);
        free(n->stats);
        free(n->host);
    }
    if (x->catalog)
        catalog_put(x->catalog);
    slotmap_fini(&x->map);
    grpc_metadata_fini(&x->fields);
    free(x);
}

static void end_run(struct task *t)
{
    struct remote *x = container_of(t, struct remote, end);
    void (*stopped)(void *ctx) = x->stopped;
    void *ctx = x->stopped_ctx;

    remote_free(x);
    if (stopped)
        stopped(ctx);
}

static void end_when_quiet(struct remote *x)
{
    if (x->stopping && !x->busy && !x->channels)
        reactor_task(x->r, &x->end, TASK_IO);
}

void remote_op_ended(struct remote *x)
{
    ASSERT(x->busy > 0);
    x->busy--;
    end_when_quiet(x);
}

static void channel_closed(void *ctx)
{
    struct remote *x = ctx;

    x->channels--;
    end_when_quiet(x);
}

static int fill(struct remote *x, const struct remote_config *config, struct error_info *err)
{
    int rc = parse_nodes(x, config->nodes, err);

    if (rc)
        return rc;
    x->catalog = catalog_new();
    rc = x->catalog ? 0 : -ENOMEM;
    if (!rc && config->user)
        rc = grpc_metadata_put(&x->fields, SERVICE_USER, config->user);
    if (!rc)
        rc = grpc_metadata_put_u64(&x->fields, SERVICE_EPOCH, 0);
    return rc ? error_set(err, rc, 1037, "out of memory, or a user name longer than allowed") : 0;
}

int remote_cluster_start(struct reactor *r, const struct remote_config *config,
                         void (*ready)(void *ctx, int rc, const struct error_info *err), void *ctx,
                         struct error_info *err)
{
    struct remote *x = calloc(1, sizeof(*x));

    ASSERT_ON_CORE(r);
    if (!x)
        return error_set(err, -ENOMEM, 1037, "out of memory");
    x->base.ops = &remote_ops;
    x->r = r;
    x->ready = ready;
    x->ready_ctx = ctx;
    x->tick.fire = tick_fire;
    x->end.run = end_run;
    remote_refresh_init(x);
    x->write_timeout_ns = config->write_timeout_ns ? config->write_timeout_ns : WRITE_TIMEOUT_NS;
    x->ready_by_ns = reactor_now_ns(r) +
                     (config->ready_timeout_ns ? config->ready_timeout_ns : READY_TIMEOUT_NS);
    while (!x->client_id)
        x->client_id = reactor_random(r);
    /* Negative, so that they never meet those of nodes; runs of two gateways are far apart with all likelihood. */
    x->hidden_key = INT64_MIN | (int64_t)(reactor_random(r) >> 2);
    grpc_metadata_init(&x->fields);
    int rc = fill(x, config, err);
    if (rc) {
        remote_free(x);
        return rc;
    }
    reactor_set_local(r, LOCAL_CLUSTER, x);
    timer_arm(r, &x->tick, TICK_NS);
    for (unsigned i = 0; i < x->n_nodes; i++) {
        struct remote_node *n = &x->nodes[i];
        n->remote = x;
        n->number = i;
        list_init(&n->pending);
        rc = remote_node_open(n);
        if (rc) /* the time-out will tell */
            error_set(&n->error, rc, 1037, "out of memory");
        else
            x->channels++;
    }
    return 0;
}

void remote_cluster_stop(struct reactor *r, void (*done)(void *ctx), void *ctx)
{
    struct remote *x = reactor_get_local(r, LOCAL_CLUSTER);
    const struct error_info stopping = {1053, "the program is stopping"};

    if (!x) {
        if (done)
            done(ctx);
        return;
    }
    ASSERT(x->base.ops == &remote_ops && !x->stopping);
    reactor_set_local(r, LOCAL_CLUSTER, NULL);
    x->stopping = true;
    x->told = true;
    x->stopped = done;
    x->stopped_ctx = ctx;
    timer_cancel(r, &x->tick);
    for (unsigned i = 0; i < x->n_nodes; i++) {
        remote_writes_fail(&x->nodes[i], -ESHUTDOWN, &stopping);
        remote_node_close(&x->nodes[i]);
        if (x->nodes[i].channel)
            grpc_channel_close(x->nodes[i].channel, channel_closed, x);
        x->nodes[i].channel = NULL;
    }
    remote_refresh_check(x);
    end_when_quiet(x);
}

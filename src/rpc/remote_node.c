/* One node as the gateway knows it: who it is, what tables it has, and whether it can be asked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/log.h"
#include "rpc/remote_impl.h"
#include "storage/datadir.h"

#define GREETING_TIMEOUT_NS 5000000000ull
#define POLL_TIMEOUT_NS 5000000000ull

int remote_node_unusable(const struct remote_node *n, struct error_info *err)
{
    if (n->state == NODE_READY)
        return 0;
    return error_set(err, -ENOTCONN, 1105, "%s cannot be reached: %s", n->who,
                     n->error.text[0] ? n->error.text : "no connection yet");
}

/* --- catalog --- */

static int take_stats(struct remote_node *n, const Quanta__CatalogReply *m)
{
    struct cluster_table_stats *stats = calloc(n->catalog->n_tables + 1, sizeof(*stats));

    if (!stats)
        return -ENOMEM;
    /* Both are in the order of the catalog as a rule; an id decides. */
    for (size_t i = 0; i < m->n_stats && i < n->catalog->n_tables; i++)
        if (n->catalog->tables[i]->table_id == m->stats[i]->table_id)
            stats[i] = (struct cluster_table_stats){m->stats[i]->table_id, m->stats[i]->rows,
                                                    m->stats[i]->bytes, m->stats[i]->index_bytes,
                                                    m->stats[i]->free_bytes};
    free(n->stats);
    n->stats = stats;
    return 0;
}

int remote_node_take_catalog(struct remote_node *n, const Quanta__CatalogReply *m,
                             struct error_info *err)
{
    struct catalog *c;
    int rc;

    if (m->catalog.len) {
        rc = catalog_decode(m->catalog.data, m->catalog.len, &c, err);
        if (rc)
            return rc;
        if (n->catalog) {
            catalog_remember(c, n->catalog);
            catalog_put(n->catalog);
        }
        n->catalog = c;
        free(n->stats);
        n->stats = NULL;
        if (n->remote->is_ready && remote_merge_catalogs(n->remote))
            return error_set(err, -ENOMEM, 1037, "out of memory for the catalog");
    }
    if (!n->catalog)
        return error_set(err, -EPROTO, 1105, "%s told no catalog", n->who);
    if (take_stats(n, m))
        return error_set(err, -ENOMEM, 1037, "out of memory for the catalog");
    return 0;
}

static void become_ready(struct remote_node *n)
{
    n->state = NODE_READY;
    n->error.text[0] = 0;
    log_info("%s: connected, catalog version %llu", n->who,
             (unsigned long long)n->catalog->version);
    remote_node_changed(n->remote);
    remote_writes_send(n);
}

static void refuse(struct remote_node *n, const struct error_info *why)
{
    n->state = NODE_REFUSED;
    n->error = *why;
    log_error("%s is refused: %s", n->who, why->text);
    remote_writes_fail(n, -EINVAL, why);
    remote_refresh_check(n->remote);
    remote_node_changed(n->remote);
}

static void poll_done(struct client_unary *u)
{
    struct remote_node *n = u->ctx;
    struct remote *x = n->remote;
    int rc = u->rc;

    n->polling = false;
    n->answered_for = n->polled_for;
    if (!rc && !x->stopping)
        rc = remote_node_take_catalog(n, u->reply, &u->error);
    if (rc && n->state == NODE_GREETED) {
        n->error = u->error;
        grpc_channel_reset(n->channel, "the node did not tell its catalog");
    } else if (!rc && n->state == NODE_GREETED && !x->stopping) {
        become_ready(n);
    }
    if ((n->poll_again || remote_refresh_needs(n)) && n->state == NODE_READY && !x->stopping)
        remote_node_poll(n);
    n->poll_again = false;
    remote_refresh_check(x);
    remote_op_ended(x);
}

void remote_node_poll(struct remote_node *n)
{
    Quanta__CatalogRequest m = QUANTA__CATALOG_REQUEST__INIT;

    if (n->polling) {
        n->poll_again = true; /* what is asked already may be too old */
        return;
    }
    m.known = n->catalog != NULL;
    m.known_version = n->catalog ? n->catalog->version : 0;
    n->poll = (struct client_unary){.reply_type = &quanta__catalog_reply__descriptor,
                                    .done = poll_done,
                                    .who = n->who,
                                    .ctx = n};
    n->polled_for = n->remote->refresh_number;
    if (client_unary_start(&n->poll, n->channel, "/quanta.ClusterAdmin/Catalog", &n->remote->fields,
                           reactor_now_ns(n->remote->r) + POLL_TIMEOUT_NS, &m.base)) {
        n->answered_for = n->polled_for; /* nobody should wait for an answer */
        return;
    }
    n->polling = true;
    n->remote->busy++;
}

void remote_node_saw_version(struct remote_node *n, uint64_t version)
{
    if (n->state == NODE_READY && n->catalog && version > n->catalog->version)
        remote_node_poll(n);
}

void remote_node_saw_end(struct remote_node *n, const struct grpc_call *c)
{
    uint64_t v;
    const struct grpc_metadata *m =
        grpc_metadata_get(&c->trailers, SERVICE_CATALOG_VERSION) ? &c->trailers : &c->fields;

    if (n->state != NODE_READY)
        return;
    if (grpc_metadata_get_u64(m, SERVICE_ERROR_CODE, &v) && v == 1412)
        remote_node_poll(n);
    else if (grpc_metadata_get_u64(m, SERVICE_CATALOG_VERSION, &v))
        remote_node_saw_version(n, v);
}

/* --- greeting --- */

/* A node that comes back must be the one that went. */
static int check_node(const struct remote_node *n, const Quanta__DescribeReply *m,
                      struct error_info *err)
{
    if (!*m->name || strlen(m->name) >= sizeof(n->name) ||
        strlen(m->data_directory) >= sizeof(n->directory) || m->slot_bits > DATADIR_MAX_SLOT_BITS)
        return error_set(err, -EPROTO, 1105, "%s describes itself in a way that makes no sense",
                         n->who);
    if (!n->name[0])
        return 0;
    if (strcmp(n->name, m->name) || n->slot_bits != m->slot_bits || n->hash_seed != m->hash_seed)
        return error_set(err, -EINVAL, 1105,
                         "%s was %s with %u slots and now is %s with %u: restart this program",
                         n->who, n->name, 1U << n->slot_bits, m->name, 1U << m->slot_bits);
    return 0;
}

static void take_description(struct remote_node *n, const Quanta__DescribeReply *m)
{
    if (strcmp(n->directory, m->data_directory) && n->catalog) {
        catalog_put(n->catalog); /* other data under the same name: nothing known holds */
        n->catalog = NULL;
    }
    snprintf(n->name, sizeof(n->name), "%s", m->name);
    snprintf(n->directory, sizeof(n->directory), "%s", m->data_directory);
    snprintf(n->who, sizeof(n->who), "node %s (%s)", m->name, grpc_channel_address(n->channel));
    n->slot_bits = m->slot_bits;
    n->hash_seed = m->hash_seed;
    n->batch_version = m->batch_version;
}

static void describe_done(struct client_unary *u)
{
    struct remote_node *n = u->ctx;
    struct remote *x = n->remote;
    const Quanta__DescribeReply *m = u->reply;
    struct error_info err;

    n->describing = false;
    if (u->rc || x->stopping) {
        n->error = u->error;
        if (!x->stopping && n->state == NODE_GREETED)
            grpc_channel_reset(n->channel, "the node did not describe itself");
    } else if (!m->ready) {
        error_set(&n->error, -EAGAIN, 1105, "%s is still starting", n->who);
        grpc_channel_reset(n->channel, "the node is still starting");
    } else if (check_node(n, m, &err)) {
        refuse(n, &err);
    } else {
        take_description(n, m);
        remote_node_poll(n);
    }
    remote_op_ended(x);
}

static void on_connected(struct grpc_channel *ch)
{
    struct remote_node *n = grpc_channel_ctx(ch);
    Quanta__DescribeRequest m = QUANTA__DESCRIBE_REQUEST__INIT;

    if (n->state == NODE_REFUSED)
        return;
    n->state = NODE_GREETED;
    if (n->describing)
        return; /* over a connection that is running to its end: the answer holds for this one */
    n->describe = (struct client_unary){.reply_type = &quanta__describe_reply__descriptor,
                                        .done = describe_done,
                                        .who = n->who,
                                        .ctx = n};
    if (client_unary_start(&n->describe, ch, "/quanta.ClusterAdmin/Describe", &n->remote->fields,
                           reactor_now_ns(n->remote->r) + GREETING_TIMEOUT_NS, &m.base)) {
        grpc_channel_reset(ch, "out of memory");
        return;
    }
    n->describing = true;
    n->remote->busy++;
}

static void on_lost(struct grpc_channel *ch, const char *why)
{
    struct remote_node *n = grpc_channel_ctx(ch);

    if (n->state == NODE_REFUSED)
        return;
    if (n->state == NODE_READY)
        log_warn("%s: connection lost: %s", n->who, why);
    n->state = NODE_DOWN;
    error_set(&n->error, -ENOTCONN, 1105, "%s", why);
    remote_refresh_check(n->remote);
}

int remote_node_open(struct remote_node *n)
{
    static const struct grpc_channel_handler handler = {.on_connected = on_connected,
                                                        .on_lost = on_lost};

    return grpc_channel_new(n->remote->r, n->host, n->port, &handler, n, &n->channel);
}

void remote_node_close(struct remote_node *n)
{
    n->state = NODE_DOWN;
    error_set(&n->error, -ESHUTDOWN, 1053, "the program is stopping");
    client_unary_cancel(&n->describe);
    client_unary_cancel(&n->poll);
}

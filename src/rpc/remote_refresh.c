/*
 * Refreshes of the catalog: numbered; each node notes the newest number its last answered poll began after. A refresh
 * is over when that holds for all nodes that can be asked. Refreshes of many statements share the polls.
 */
#include "rpc/remote_impl.h"

static bool is_over(const struct remote *x, uint64_t number)
{
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (x->nodes[i].state == NODE_READY && x->nodes[i].answered_for < number)
            return false;
    return true;
}

static struct cluster_refresh *oldest(struct remote *x)
{
    struct list *at = list_first(&x->refreshes);

    return at ? container_of(at, struct cluster_refresh, waiting) : NULL;
}

/* From the loop: who waits may start queries, which a channel that is being torn down would not stand. */
static void end_refreshes(struct task *t)
{
    struct remote *x = container_of(t, struct remote, refreshed);
    struct cluster_refresh *f;

    while ((f = oldest(x)) && is_over(x, f->number)) {
        cluster_refresh_cancel(f);
        f->done(f);
    }
    remote_op_ended(x);
}

void remote_refresh_init(struct remote *x)
{
    list_init(&x->refreshes);
    x->refreshed.run = end_refreshes;
}

void remote_refresh_check(struct remote *x)
{
    const struct cluster_refresh *f = oldest(x);

    if (!f || x->refreshed.queued || !is_over(x, f->number))
        return;
    x->busy++;
    reactor_task(x->r, &x->refreshed, TASK_IO);
}

bool remote_refresh_needs(const struct remote_node *n)
{
    return !list_is_empty(&n->remote->refreshes) && n->answered_for < n->remote->refresh_number;
}

bool remote_refresh_start(struct cluster *c, struct cluster_refresh *f)
{
    struct remote *x = (struct remote *)c;

    f->number = ++x->refresh_number;
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (x->nodes[i].state == NODE_READY)
            remote_node_poll(&x->nodes[i]);
    if (is_over(x, f->number)) /* no node could be asked */
        return false;
    f->is_waiting = true;
    list_push_back(&x->refreshes, &f->waiting);
    return true;
}

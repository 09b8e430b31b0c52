#include "rpc/core_figures.h"

#include <stdlib.h>

#include "reactor/list.h"
#include "rpc/local.h"

enum { BLOCKS_AT_ONCE = 4096 }; /* of a step: some 100 us */

struct figures_leg { /* on its way, or at work on its core */
    struct leg leg;  /* first */
    struct figures_op *op;
    struct local *local;
    struct core_figures *out;
    struct task task;
    uint32_t table; /* being walked: position in the catalog */
    struct figures_walk walk;
};

struct figures_op { /* owner: the core that asked; freed before done */
    struct figures_request *request;
    struct figures_set *set;
    unsigned lent;
    struct task task; /* ends one that did not begin */
    struct figures_leg legs[];
};

void figures_set_free(struct figures_set *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_cores; i++)
        free(s->cores[i].tables);
    if (s->catalog)
        catalog_put(s->catalog);
    free(s);
}

void figures_set_table(const struct figures_set *s, uint32_t table, struct figures *out)
{
    *out = (struct figures){0};
    for (unsigned i = 0; i < s->n_cores; i++)
        figures_add(out, &s->cores[i].tables[table]);
}

static void op_end(struct figures_op *op)
{
    struct figures_request *q = op->request;

    q->found = op->set;
    free(op);
    q->done(q);
}

static void leg_home(struct leg *leg)
{
    struct figures_op *op = ((struct figures_leg *)leg)->op;

    if (!--op->lent)
        op_end(op);
}

/* A part of the walk over the tables; tables that came after the catalog was looked at are left out. */
static void walk_run(struct task *t)
{
    struct figures_leg *l = container_of(t, struct figures_leg, task);
    const struct catalog *c = l->op->set->catalog;

    if (l->table < c->n_tables) {
        if (!l->walk.shard)
            l->walk = (struct figures_walk){.shard = l->local->shard,
                                            .table_id = c->tables[l->table]->table_id};
        if (figures_walk_step(&l->walk, BLOCKS_AT_ONCE, &l->out->tables[l->table])) {
            l->walk.shard = NULL;
            l->table++;
        }
        reactor_task(l->local->reactor, t, TASK_BULK);
        return;
    }
    leg_reply(l->local->reactor, &l->leg);
}

static void leg_run(struct leg *leg)
{
    struct figures_leg *l = (struct figures_leg *)leg;
    struct reactor *r = reactor_self();

    l->out->core = *reactor_budget(r);
    l->local = l->op->set->catalog ? local_of(r) : NULL;
    if (!l->local) {
        leg_reply(r, leg);
        return;
    }
    l->out->data = l->local->data;
    store_get_stats(l->local->store, &l->out->store);
    shard_get_traffic(l->local->shard, &l->out->traffic);
    l->task.run = walk_run;
    walk_run(&l->task);
}

static struct figures_set *set_new(struct reactor *r, struct node *node)
{
    unsigned cores = reactor_count(r);
    struct figures_set *s = calloc(1, sizeof(*s) + cores * sizeof(s->cores[0]));

    if (!s)
        return NULL;
    s->n_cores = cores;
    if (!node)
        return s;
    s->catalog = catalog_get(shard_catalog(local_of(r)->shard));
    for (unsigned i = 0; i < cores; i++) {
        s->cores[i].tables = calloc(s->catalog->n_tables + 1, sizeof(struct figures));
        if (!s->cores[i].tables) {
            figures_set_free(s);
            return NULL;
        }
    }
    return s;
}

static void refused_run(struct task *t)
{
    struct figures_request *q = container_of(t, struct figures_request, refused);

    q->done(q);
}

static void failed_run(struct task *t)
{
    op_end(container_of(t, struct figures_op, task));
}

void core_figures_start(struct reactor *r, struct node *node, struct figures_request *q)
{
    unsigned cores = reactor_count(r);
    struct figures_op *op = calloc(1, sizeof(*op) + cores * sizeof(op->legs[0]));

    if (!op) {
        q->found = NULL;
        q->refused.run = refused_run;
        reactor_task(r, &q->refused, TASK_IO);
        return;
    }
    op->request = q;
    op->set = set_new(r, node);
    if (!op->set) {
        op->task.run = failed_run;
        reactor_task(r, &op->task, TASK_IO);
        return;
    }
    op->lent = cores;
    for (unsigned i = 0; i < cores; i++)
        op->legs[i] = (struct figures_leg){.leg = {.run = leg_run, .done = leg_home},
                                           .op = op,
                                           .out = &op->set->cores[i]};
    for (unsigned i = 0; i < cores; i++)
        leg_send(r, &op->legs[i].leg, i, LEG_REQUEST);
}

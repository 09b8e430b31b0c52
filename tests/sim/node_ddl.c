/* The client that defines tables: one change at a time, all kinds, also such as must be refused. */
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"

static void ddl_done(struct cluster_ddl *d)
{
    struct work_client *c = d->ctx;
    struct model *m = &c->work->model;
    struct model_table *t = &m->tables[c->ddl_table];
    int expected = d->kind == CLUSTER_CREATE_TABLE ? 1050
                   : d->kind == CLUSTER_DROP_TABLE ? 1051
                                                   : 1146;
    bool refused = d->rc && d->error.code == expected;

    if (d->rc && !refused)
        work_check_error(c->work, t, t->generation, t->changed, &d->error);
    if (t->state == MODEL_CHANGING && !d->rc)
        model_change_end(m, t, d->kind == CLUSTER_CREATE_TABLE);
    else if (t->truncating)
        model_truncate_end(m, t, d->rc ? MODEL_UNKNOWN : MODEL_DONE);
    else
        ASSERT(d->rc); /* what is there was created, or what is not there dropped */
    ASSERT(!refused || t->state == (d->kind == CLUSTER_CREATE_TABLE ? MODEL_THERE : MODEL_GONE));
    if (c->schema)
        schema_put(c->schema);
    c->schema = NULL;
    work_next(c);
}

static enum cluster_ddl_kind choose(struct work_client *c, const struct model_table *t)
{
    if (t->state == MODEL_GONE)
        return work_chance(c, 90)   ? CLUSTER_CREATE_TABLE
               : work_chance(c, 50) ? CLUSTER_DROP_TABLE
                                    : CLUSTER_TRUNCATE_TABLE;
    return work_chance(c, 15)   ? CLUSTER_DROP_TABLE
           : work_chance(c, 10) ? CLUSTER_CREATE_TABLE
                                : CLUSTER_TRUNCATE_TABLE;
}

void work_ddl_start(struct work_client *c)
{
    struct model *m = &c->work->model;
    struct model_table *t = NULL;

    for (unsigned i = 0; i < MODEL_TABLES; i++)
        if (m->tables[i].state == MODEL_GONE)
            t = &m->tables[c->ddl_table = i];
    if (!t)
        t = &m->tables[c->ddl_table = (unsigned)work_random(c, MODEL_TABLES)];
    if (t->state == MODEL_CHANGING) { /* an earlier change failed: a restart will tell */
        work_next(c);
        return;
    }
    c->ddl =
        (struct cluster_ddl){.kind = choose(c, t), .name = t->name, .done = ddl_done, .ctx = c};
    c->schema = NULL;
    if (c->ddl.kind == CLUSTER_CREATE_TABLE)
        c->ddl.schema = c->schema = work_schema(c->ddl_table);
    if (c->ddl.kind == CLUSTER_TRUNCATE_TABLE && t->state == MODEL_THERE)
        model_truncate_begin(m, t);
    if ((c->ddl.kind == CLUSTER_CREATE_TABLE && t->state == MODEL_GONE) ||
        (c->ddl.kind == CLUSTER_DROP_TABLE && t->state == MODEL_THERE))
        model_change_begin(m, t);
    c->in_flight = true;
    cluster_ddl_start(cluster_of(c->reactor), &c->ddl);
}

void work_ddl_crashed(struct work_client *c)
{
    c->schema = NULL;
}

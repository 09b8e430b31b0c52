#include "node_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"

uint64_t work_random(struct work_client *c, uint64_t below)
{
    uint64_t s1 = c->random[0], s0 = c->random[1];

    c->random[0] = s0;
    s1 ^= s1 << 23;
    c->random[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
    return ((c->random[1] + s0) >> 11) % below;
}

bool work_chance(struct work_client *c, unsigned percent)
{
    return work_random(c, 100) < percent;
}

struct schema *work_schema(unsigned table)
{
    char name[8];
    struct error_info err;

    snprintf(name, sizeof name, "t%u", table);
    struct schema *s = schema_new(name);
    ASSERT(s && schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "ver", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "v", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "grp", COLUMN_STRING, MAPPING_STRING_ENUM));
    ASSERT(schema_add_column(s, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI));
    if (table == 0)
        s->primary_key = strdup("id");
    ASSERT(schema_finish(s, &err) == 0);
    return s;
}

void work_init(struct work *w, struct node_host *h)
{
    memset(w, 0, sizeof *w);
    w->host = h;
    model_init(&w->model);
    for (unsigned i = 0; i < WORK_CLIENTS; i++) {
        struct work_client *c = &w->clients[i];

        c->work = w;
        c->index = i;
        c->random[0] = sim_random(h->sim);
        c->random[1] = sim_random(h->sim) | 1;
        buffer_init(&c->now.bytes, BATCH_MAX_BYTES);
        buffer_init(&c->old.bytes, BATCH_MAX_BYTES);
    }
}

void work_fini(struct work *w)
{
    for (unsigned i = 0; i < WORK_CLIENTS; i++) {
        buffer_fini(&w->clients[i].now.bytes);
        buffer_fini(&w->clients[i].old.bytes);
    }
}

struct schema *work_find(struct work *w, struct reactor *r, unsigned table)
{
    struct catalog *c = cluster_catalog(cluster_of(r));
    struct model_table *t = &w->model.tables[table];
    struct schema *s = catalog_find(c, t->name, strlen(t->name));

    ASSERT(s ? t->state != MODEL_GONE : t->state != MODEL_THERE);
    if (s)
        schema_get(s);
    catalog_put(c);
    return s;
}

void work_check_error(struct work *w, const struct model_table *t, unsigned generation,
                      uint64_t since, const struct error_info *error)
{
    bool changed = t->state != MODEL_THERE || t->generation != generation || t->changed > since;
    bool possible = (error->code == 1412 && changed) ||
                    ((error->code == 1021 || error->code == 1026) && w->faulty) ||
                    ((error->code == 1037 || error->code == 1038) && w->poor);

    w->failures++;
    if (!possible)
        fprintf(stderr, "sim: error %d is not expected: %s\n", error->code, error->text);
    ASSERT(possible);
}

static void query_ended(struct work_query *q)
{
    work_next(container_of(q, struct work_client, query));
}

static void step(struct work_client *c)
{
    struct work *w = c->work;
    unsigned table;

    if (c->left == 0) {
        w->idle = --w->active == 0;
        return;
    }
    c->left--;
    w->operations++;
    if (c->index == WORK_CLIENTS - 1) {
        work_ddl_start(c);
        return;
    }
    if (c->index < WORK_WRITERS && work_chance(c, 80)) {
        work_write_start(c);
        return;
    }
    table = (unsigned)work_random(c, MODEL_TABLES);
    struct schema *s = work_find(w, c->reactor, table);
    if (!s) {
        work_next(c);
        return;
    }
    w->queries++;
    memset(&c->query, 0, sizeof c->query);
    c->query.work = w;
    c->query.schema = s;
    c->query.table = table;
    c->query.ended = query_ended;
    c->in_flight = true;
    work_query_start(&c->query, c->reactor, c, (enum work_reading)work_random(c, WORK_READINGS));
}

static void timer_fired(struct timer *t)
{
    step(container_of(t, struct work_client, timer));
}

void work_next(struct work_client *c)
{
    c->in_flight = false;
    c->writing = NULL;
    c->timer.fire = timer_fired;
    if (c->index == WORK_CLIENTS - 1 && work_chance(c, 90))
        timer_arm(c->reactor, &c->timer, work_random(c, 20000000));
    else
        timer_arm(c->reactor, &c->timer, work_chance(c, 30) ? work_random(c, 5000000) : 0);
}

static void client_start(struct reactor *r, void *ctx)
{
    struct work_client *c = ctx;

    c->reactor = r;
    step(c);
}

void work_start(struct work *w, unsigned operations)
{
    w->active = WORK_CLIENTS;
    w->idle = false;
    for (unsigned i = 0; i < WORK_CLIENTS; i++) {
        struct work_client *c = &w->clients[i];

        memset(&c->timer, 0, sizeof c->timer);
        c->left = i == WORK_CLIENTS - 1 ? operations / 4 : operations;
        reactor_post(reactor_group_get(w->host->group,
                                       (unsigned)(sim_random(w->host->sim) % w->host->cores)),
                     client_start, c);
    }
}

/* Objects of the node are gone with it; only what the clients know is brought up to date. */
void work_crash(struct work *w)
{
    for (unsigned i = 0; i < WORK_CLIENTS; i++) {
        struct work_client *c = &w->clients[i];

        if (i == WORK_CLIENTS - 1)
            work_ddl_crashed(c);
        else if (i < WORK_WRITERS)
            work_write_crashed(c);
        c->in_flight = false;
        c->writing = NULL;
    }
    model_crash(&w->model);
}

#include "node_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/list.h"

enum { DEFINER = WORK_CLIENTS - 1 };

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
        buffer_init(&c->twin.bytes, BATCH_MAX_BYTES);
    }
}

void work_fini(struct work *w)
{
    for (unsigned i = 0; i < WORK_CLIENTS; i++) {
        buffer_fini(&w->clients[i].now.bytes);
        buffer_fini(&w->clients[i].old.bytes);
        buffer_fini(&w->clients[i].twin.bytes);
    }
}

struct schema *work_find(struct work *w, struct reactor *r, unsigned table)
{
    struct catalog *c = cluster_catalog(cluster_of(r));
    struct model_table *t = &w->model.tables[table];
    struct schema *s = catalog_find(c, t->name, strlen(t->name));

    ASSERT(s ? t->state != MODEL_GONE : t->state != MODEL_THERE);
    if (s) {
        unsigned added = content_added(s, table);

        ASSERT(t->state == MODEL_CHANGING || added == t->added ||
               (t->altering && added == t->added + 1));
        schema_get(s);
    }
    catalog_put(c);
    return s;
}

void work_check_error(struct work *w, const struct model_table *t, unsigned generation,
                      uint64_t since, const struct error_info *error)
{
    const struct work_faults *f = &w->faults;
    bool changed = t->state != MODEL_THERE || t->generation != generation || t->changed > since;
    bool possible = false;

    switch (error->code) {
    case 1412: /* another definition */
        possible = changed;
        break;
    case 1021: /* disk full */
        possible = f->full;
        break;
    case 1026: /* the log takes no writes */
        possible = f->write_errors || f->full;
        break;
    case 1030: /* a chunk cannot be read or is damaged */
    case 1024: /* so is a file of an archived partition */
    case 1033:
        possible = f->read_errors;
        break;
    case 1020: /* rows changed between the passes that little memory makes necessary */
    case 1037: /* no memory */
    case 1038:
        possible = f->poor;
        break;
    default:
        break;
    }
    w->counts.failures++;
    if (!possible)
        fprintf(stderr, "sim: error %d is not expected: %s\n", error->code, error->text);
    ASSERT(possible);
}

static void query_ended(struct work_query *q)
{
    work_next(container_of(q, struct work_client, query));
}

static void query_start(struct work_client *c)
{
    unsigned table = (unsigned)work_random(c, CONTENT_TABLES);
    struct schema *s = work_find(c->work, c->reactor, table);

    if (!s) {
        c->work->counts.kinds[WORK_NOTHING]++;
        work_next(c);
        return;
    }
    c->work->counts.kinds[WORK_QUERY]++;
    memset(&c->query, 0, sizeof c->query);
    c->query.work = c->work;
    c->query.schema = s;
    c->query.table = table;
    c->query.ended = query_ended;
    work_query_start(&c->query, c->reactor, c, (enum work_reading)work_random(c, WORK_READINGS));
}

static void step(struct work_client *c)
{
    struct work *w = c->work;

    if (c->left == 0) {
        w->idle = --w->active == 0;
        return;
    }
    c->left--;
    c->in_flight = true;
    if (c->index == DEFINER)
        work_ddl_start(c);
    else if (c->index < WORK_WRITERS && work_chance(c, 80))
        work_write_start(c);
    else
        query_start(c);
}

static void timer_fired(struct timer *t)
{
    step(container_of(t, struct work_client, timer));
}

/* Now and then everybody is quiet for long enough that rows are sealed and memory is given back. */
static uint64_t pause_ns(struct work_client *c)
{
    if (work_chance(c, 1))
        return work_random(c, 4000000000);
    if (c->index == DEFINER)
        return work_chance(c, 95) ? work_random(c, 20000000) : 0;
    return work_chance(c, 30) ? work_random(c, 5000000) : 0;
}

void work_next(struct work_client *c)
{
    c->work->counts.ended++;
    c->in_flight = false;
    c->writing = NULL;
    c->timer.fire = timer_fired;
    timer_arm(c->reactor, &c->timer, pause_ns(c));
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
        memset(&c->cancel, 0, sizeof c->cancel);
        c->left = i == DEFINER ? operations / 4 : operations;
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

        if (i == DEFINER)
            work_ddl_crashed(c);
        else if (i < WORK_WRITERS)
            work_write_crashed(c);
        c->in_flight = false;
        c->writing = NULL;
    }
    model_crash(&w->model);
}

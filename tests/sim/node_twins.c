/*
 * Two writes of the same rows at once: either may be the first, but then it is so for good. After both are acknowledged
 * the rows are read, and what is read must be there after every crash: so records of a row keep their order in the log.
 */
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

static void end_rows(struct work_client *c)
{
    struct model *m = &c->work->model;
    struct model_table *t = &m->tables[c->now.table];

    for (uint32_t i = 0; i < c->now.n; i++) {
        struct model_row *r = &t->rows[c->now.rows[i]];

        if (t->generation != c->now.generation)
            model_write_without_effect(m, r);
        else
            model_twins_end(m, t, r, c->now.known ? MODEL_DONE : MODEL_UNKNOWN,
                            c->twin.known ? MODEL_DONE : MODEL_UNKNOWN);
    }
}

/* Only where nothing else has come in between. */
static void read(struct work_query *q)
{
    struct work_client *c = container_of(q, struct work_client, query);
    struct model_table *t = &c->work->model.tables[c->now.table];

    for (uint32_t i = 0; i < c->now.n && q->complete && t->generation == q->generation; i++) {
        struct model_row *r = &t->rows[c->now.rows[i]];

        if (model_is_stable(t, r, q->started))
            model_observe(r, q->seen[c->now.rows[i]]);
    }
    work_next(c);
}

static void read_rows(struct work_client *c)
{
    struct work_query *q = &c->query;
    struct schema *s = work_find(c->work, c->reactor, c->now.table);

    if (!s) {
        work_next(c);
        return;
    }
    memset(q, 0, sizeof *q);
    q->work = c->work;
    q->schema = s;
    q->table = c->now.table;
    q->ended = read;
    work_query_start(q, c->reactor, NULL, READ_ROWS);
}

static void done(struct cluster_write *cw)
{
    struct work_client *c = cw->ctx;
    bool is_twin = cw == &c->twin_write;
    struct work_write *w = is_twin ? &c->twin : &c->now;
    struct model_table *t = &c->work->model.tables[w->table];

    if (cw->rc)
        work_check_error(c->work, t, w->generation, t->rows[w->rows[0]].start, &cw->error);
    else
        c->work->counts.rows_acknowledged += w->n;
    w->known = cw->rc == 0;
    schema_put(is_twin ? c->twin_schema : c->schema);
    if (--c->twins_left)
        return;
    end_rows(c);
    if (c->now.known && c->twin.known)
        read_rows(c);
    else
        work_next(c);
}

void work_twins_crashed(struct work_client *c)
{
    if (c->twins_left)
        end_rows(c);
    c->twins_left = 0;
}

/* Those of which it is known what they are: what is read later is then due to the order alone. */
static void keep_known_rows(struct work_client *c)
{
    const struct model_table *t = &c->work->model.tables[c->now.table];
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->now.n; i++)
        if (t->rows[c->now.rows[i]].now.n == 1)
            c->now.rows[n++] = c->now.rows[i];
    c->now.n = n;
}

static void make_twin(struct work_client *c)
{
    struct work_write *w = &c->twin;

    w->table = c->now.table;
    w->n = c->now.n;
    memcpy(w->rows, c->now.rows, sizeof w->rows);
    work_write_choose(c, w);
    w->check_first = c->now.check_first = false;
}

bool work_twins_start(struct work_client *c, struct schema *s)
{
    struct model *m = &c->work->model;
    struct model_table *t = &m->tables[c->now.table];

    if (c->now.table == TABLE_KEYLESS)
        return false;
    keep_known_rows(c);
    if (c->now.n == 0) {
        schema_put(s);
        c->work->counts.kinds[WORK_NOTHING]++;
        work_next(c);
        return true;
    }
    make_twin(c);
    c->work->counts.kinds[WORK_TWINS]++;
    work_write_prepare(c, &c->now, s);
    work_write_prepare(c, &c->twin, s);
    c->now.sent = false; /* neither is repeated */
    for (uint32_t i = 0; i < c->now.n; i++)
        model_twins_begin(m, &t->rows[c->now.rows[i]], &c->now.write, &c->twin.write);
    schema_get(s);
    c->schema = c->twin_schema = s;
    c->twins_left = 2;
    work_write_fly(c, &c->now, &c->write, s, done);
    work_write_fly(c, &c->twin, &c->twin_write, s, done);
    return true;
}

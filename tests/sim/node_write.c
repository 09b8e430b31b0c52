/* Writes of a client: batches of its own rows, some sent a second time, also after a crash. */
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

enum {
    REPEAT_WITHIN = 150 /* writes: slots times this stays below the entries a core remembers */
};

static void build(struct work_write *w, const struct schema *s)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char text[16];
    int64_t v;
    int n;

    ASSERT(b);
    for (unsigned i = 0; i < (w->op == BATCH_DELETE ? 1 : WORK_COLUMNS); i++)
        ASSERT(batch_builder_add_column(b, s->columns[i].id, i < 3 ? BATCH_I64 : BATCH_BYTES, 0) ==
               (int)i);
    for (uint32_t i = 0; i < w->n; i++) {
        ASSERT(batch_builder_put_i64(b, 0, model_id(w->rows[i])) == 0);
        if (w->op != BATCH_DELETE) {
            ASSERT(batch_builder_put_i64(b, 1, w->version) == 0);
            if (model_number(w->version, &v))
                ASSERT(batch_builder_put_i64(b, 2, v) == 0);
            if ((n = model_group(w->version, text)) >= 0)
                ASSERT(batch_builder_put_bytes(b, 3, text, (uint32_t)n) == 0);
            n = model_name(w->version, text);
            ASSERT(batch_builder_put_bytes(b, 4, text, (uint32_t)n) == 0);
        }
        ASSERT(batch_builder_end_row(b) == 0);
    }
    w->bytes.len = 0;
    ASSERT(batch_builder_finish(b, w->op, s->table_id, BATCH_SLOT_ANY, &w->bytes) == 0);
    batch_builder_free(b);
}

/* What the counts of a result must lie between, from what the rows may be; those of a repetition are partly of the
 * first time, when they were something else. */
static void check_counts(const struct work_write *w, const struct model_table *t,
                         const struct write_result *r)
{
    uint64_t there_least = 0, there_most = 0, there, gone, n = w->n;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct model_row *row = &t->rows[w->rows[i]];

        there_least += !model_may_be(row, MODEL_ABSENT);
        there_most += !model_is_sure(row, MODEL_ABSENT);
    }
    if (w->check_first && r->inserted == 0) {
        ASSERT(r->rejected == n && r->n_errors > 0 && there_most > 0);
        return;
    }
    switch (w->op) {
    case BATCH_INSERT:
        there = r->rejected;
        gone = r->inserted;
        break;
    case BATCH_DELETE:
        there = r->deleted;
        gone = n - there;
        ASSERT(r->inserted + r->updated + r->rejected == 0);
        break;
    case BATCH_UPDATE:
        there = r->updated;
        gone = n - there;
        break;
    case BATCH_IGNORE:
        gone = r->inserted;
        there = n - gone;
        break;
    default:
        there = r->updated + r->unchanged;
        gone = r->inserted;
    }
    if (t->name[1] == '1') /* without a key of its own every row is new */
        ASSERT(there + gone == n && (w->repeated || there == 0));
    else
        ASSERT(there + gone == n && (w->repeated || (there >= there_least && there <= there_most)));
}

static void update_model(struct work_client *c, struct work_write *w, enum model_outcome outcome,
                         const struct write_result *result)
{
    struct model *m = &c->work->model;
    struct model_table *t = &m->tables[w->table];
    /* A statement that is refused as a whole when one key exists. */
    bool refused = outcome == MODEL_DONE && w->check_first && result->inserted == 0;

    for (uint32_t i = 0; i < w->n; i++) {
        struct model_row *r = &t->rows[w->rows[i]];

        if (t->generation != w->generation || refused) {
            r->busy = false;
            r->end = m->now++;
        } else {
            model_write_end(m, t, r, w->op, w->version, outcome);
        }
    }
}

static void remember(struct work_client *c)
{
    struct work_write *w = &c->now, *old = &c->old;
    struct buffer bytes = old->bytes;

    *old = *w;
    old->bytes = bytes;
    old->bytes.len = 0;
    ASSERT(buffer_append(&old->bytes, w->bytes.data, w->bytes.len) == 0);
}

static void check_repeated(const struct work_write *w, const struct write_result *r)
{
    ASSERT(r->inserted == w->result.inserted && r->updated == w->result.updated);
    ASSERT(r->deleted == w->result.deleted && r->rejected == w->result.rejected);
}

static void old_done(struct cluster_write *cw)
{
    struct work_client *c = cw->ctx;
    struct work_write *w = &c->old;
    struct model_table *t = &c->work->model.tables[w->table];

    if (cw->rc)
        work_check_error(c->work, t, w->generation, t->changed, &cw->error);
    else
        check_repeated(w, &cw->result);
    schema_put(c->schema);
    work_next(c);
}

static void now_done(struct cluster_write *cw)
{
    struct work_client *c = cw->ctx;
    struct work_write *w = &c->now;
    struct model_table *t = &c->work->model.tables[w->table];

    ASSERT(c->in_flight);
    if (cw->rc) {
        work_check_error(c->work, t, w->generation, t->rows[w->rows[0]].start, &cw->error);
        update_model(c, w, MODEL_UNKNOWN, &cw->result);
    } else {
        if (t->generation == w->generation)
            check_counts(w, t, &cw->result);
        update_model(c, w, MODEL_DONE, &cw->result);
    }
    w->known = cw->rc == 0;
    w->result = cw->result;
    /* a statement refused as a whole leaves nothing behind that a repetition could find */
    if (w->known && !(w->check_first && !cw->result.inserted) && work_chance(c, 20))
        remember(c);
    schema_put(c->schema);
    work_next(c);
}

static void send(struct work_client *c, struct work_write *w, struct schema *s,
                 void (*done)(struct cluster_write *cw))
{
    struct error_info err;

    c->schema = s;
    c->in_flight = true;
    c->writing = w;
    c->write = (struct cluster_write){.schema = s,
                                      .check_first = w->check_first,
                                      .client_id = c->index + 1,
                                      .sequence = w->sequence,
                                      .done = done,
                                      .ctx = c};
    ASSERT(batch_open(w->bytes.data, w->bytes.len, &c->write.batch, &err) == 0);
    cluster_write_start(cluster_of(c->reactor), &c->write);
}

static bool can_repeat(const struct work_client *c, const struct work_write *w)
{
    const struct model_table *t = &c->work->model.tables[w->table];

    return w->sent && t->state == MODEL_THERE && t->generation == w->generation &&
           c->work->writes - w->number < REPEAT_WITHIN;
}

/* A repetition may have done its work the first time, before whatever happened since. */
static void begin_rows(struct work_client *c, struct work_write *w)
{
    struct model *m = &c->work->model;

    if (!w->repeated)
        w->begun = m->now;
    for (uint32_t i = 0; i < w->n; i++) {
        struct model_row *r = &m->tables[w->table].rows[w->rows[i]];

        model_write_begin(m, r);
        r->start = w->begun;
    }
}

static void choose_op(struct work_client *c, struct work_write *w)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_INSERT, BATCH_UPSERT,  BATCH_UPSERT,
                                        BATCH_UPDATE, BATCH_DELETE, BATCH_REPLACE, BATCH_IGNORE};

    w->op = w->table == 0 ? ops[work_random(c, sizeof ops / sizeof *ops)] : BATCH_INSERT;
    w->check_first = w->op == BATCH_INSERT && w->table == 0 && work_chance(c, 40);
}

/* Rows of this client; in the table without a key only such as are surely not there. */
static void choose_rows(struct work_client *c, struct work_write *w)
{
    const struct model_table *t = &c->work->model.tables[w->table];
    uint64_t most = work_chance(c, 70) ? 4 : WORK_BATCH_ROWS, wanted = 1 + work_random(c, most);
    unsigned first = (unsigned)work_random(c, MODEL_ROWS / WORK_WRITERS);

    w->n = 0;
    for (unsigned i = 0; i < MODEL_ROWS / WORK_WRITERS && w->n < wanted; i++) {
        unsigned row = (first + i) % (MODEL_ROWS / WORK_WRITERS) * WORK_WRITERS + c->index;

        if (w->table == 0 || model_is_sure(&t->rows[row], MODEL_ABSENT))
            w->rows[w->n++] = row;
    }
}

void work_write_start(struct work_client *c)
{
    struct work *work = c->work;
    struct work_write *w = &c->now;
    struct schema *s;

    work->writes++;
    if (can_repeat(c, w) && !w->known && work_chance(c, 80) &&
        (s = work_find(work, c->reactor, w->table))) {
        work->repeats++;
        w->repeated = true;
        begin_rows(c, w);
        send(c, w, s, now_done);
        return;
    }
    if (can_repeat(c, &c->old) && work_chance(c, 15) &&
        (s = work_find(work, c->reactor, c->old.table))) {
        work->repeats++;
        send(c, &c->old, s, old_done);
        return;
    }
    w->table = work_chance(c, 75) ? 0 : 1;
    choose_op(c, w);
    choose_rows(c, w);
    s = w->n ? work_find(work, c->reactor, w->table) : NULL;
    if (!s) {
        w->sent = false;
        work_next(c);
        return;
    }
    w->generation = work->model.tables[w->table].generation;
    w->version = model_new_version(&work->model, w->op == BATCH_UPSERT);
    w->sequence = ++c->sequence;
    w->number = work->writes;
    w->sent = true;
    w->known = w->repeated = false;
    build(w, s);
    begin_rows(c, w);
    send(c, w, s, now_done);
}

/* A repetition of an old, acknowledged write changes nothing, whether it was in flight or not. */
void work_write_crashed(struct work_client *c)
{
    struct write_result none = {0};

    if (c->writing != &c->now)
        return;
    update_model(c, &c->now, MODEL_UNKNOWN, &none);
    c->now.known = false;
}

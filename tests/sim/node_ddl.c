/* The client that defines tables: one change at a time, all kinds, also such as must be refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

/* MySQL's number for a change that the tables do not allow; 0 = it may be done. */
static int expected_refusal(const struct model *m, unsigned table, enum cluster_ddl_kind kind)
{
    bool there = m->tables[table].state == MODEL_THERE;

    switch (kind) {
    case CLUSTER_CREATE_TABLE:
        return there                                                                 ? 1050
               : table == TABLE_CHILD && m->tables[TABLE_PLAIN].state != MODEL_THERE ? 1824
                                                                                     : 0;
    case CLUSTER_DROP_TABLE:
        return !there                                                                ? 1051
               : table == TABLE_PLAIN && m->tables[TABLE_CHILD].state == MODEL_THERE ? 3730
                                                                                     : 0;
    default:
        return there ? 0 : 1146;
    }
}

static enum model_place place_after(enum cluster_ddl_kind kind)
{
    return kind == CLUSTER_ARCHIVE_PARTITION ? MODEL_ARCHIVED : MODEL_ONLINE;
}

static void ddl_done(struct cluster_ddl *d)
{
    struct work_client *c = d->ctx;
    struct model *m = &c->work->model;
    struct model_table *t = &m->tables[c->ddl_table];

    timer_cancel(c->reactor, &c->cancel);
    bool begun = t->state == MODEL_CHANGING || t->clear_partitions || t->altering || t->moving ||
                 (d->kind == CLUSTER_REWRITE_TABLE && t->state == MODEL_THERE);
    int expected = begun ? 0 : expected_refusal(m, c->ddl_table, d->kind);

    if (expected && !d->rc)
        fprintf(stderr, "sim: a change of %s was not refused with %d\n", t->name, expected);
    ASSERT(d->rc || !expected);
    if (d->rc && d->error.code == 1317)
        ASSERT(d->kind == CLUSTER_REWRITE_TABLE);
    else if (d->rc && (begun || d->error.code != expected))
        work_check_error(c->work, t, t->generation, t->changed, &d->error);
    if (t->state == MODEL_CHANGING && !d->rc) {
        model_change_end(m, t, d->kind == CLUSTER_CREATE_TABLE);
    } else if (t->altering && !d->rc) {
        t->altering = false;
        t->added++;
    }
    if (t->clear_partitions)
        model_clear_end(m, t, d->rc ? MODEL_UNKNOWN : MODEL_DONE);
    if (t->moving)
        model_move_end(m, t, place_after(d->kind), d->rc ? MODEL_UNKNOWN : MODEL_DONE);
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
    if (t->number == TABLE_DAILY && work_chance(c, 60))
        return work_chance(c, 40)   ? CLUSTER_ARCHIVE_PARTITION
               : work_chance(c, 60) ? CLUSTER_RESTORE_PARTITION
                                    : CLUSTER_DROP_PARTITION;
    if (t->added < CONTENT_ADDED && work_chance(c, 20))
        return CLUSTER_ALTER_TABLE;
    if (work_chance(c, 40))
        return CLUSTER_REWRITE_TABLE;
    return work_chance(c, 15)   ? CLUSTER_DROP_TABLE
           : work_chance(c, 10) ? CLUSTER_CREATE_TABLE
                                : CLUSTER_TRUNCATE_TABLE;
}

static uint32_t choose_partitions(struct work_client *c)
{
    uint32_t bits = 0;

    c->ddl.partitions = c->starts;
    for (unsigned i = 0; i < CONTENT_PARTITIONS; i++) {
        if (!work_chance(c, 30) && (bits || i + 1 < CONTENT_PARTITIONS))
            continue;
        bits |= 1u << i;
        c->starts[c->ddl.n_partitions++] = content_partition_start(i);
    }
    return bits;
}

static void alter(struct work_client *c, struct model_table *t)
{
    struct schema *now = work_find(c->work, c->reactor, t->number);

    ASSERT(now);
    c->ddl.schema = c->schema = content_add_column(now, t->number);
    t->altering = true;
    schema_put(now);
}

static void begin(struct work_client *c, struct model_table *t)
{
    struct model *m = &c->work->model;
    bool allowed = expected_refusal(m, t->number, c->ddl.kind) == 0;
    uint32_t partitions = MODEL_ALL_PARTITIONS;

    switch (c->ddl.kind) {
    case CLUSTER_CREATE_TABLE:
        c->ddl.schema = c->schema = content_schema(t->number);
        /* fall through */
    case CLUSTER_DROP_TABLE:
        if (allowed)
            model_change_begin(m, t);
        break;
    case CLUSTER_ALTER_TABLE:
        alter(c, t);
        break;
    case CLUSTER_REWRITE_TABLE: /* nothing is seen of it */
        break;
    case CLUSTER_ARCHIVE_PARTITION:
    case CLUSTER_RESTORE_PARTITION:
        model_move_begin(m, t, choose_partitions(c));
        break;
    case CLUSTER_DROP_PARTITION:
        partitions = choose_partitions(c);
        /* fall through */
    default:
        if (allowed)
            model_clear_begin(m, t, partitions);
    }
}

/* ---- after a crash in the middle -------------------------------------------------------------------------- */

struct settling { /* owner: work_settle_partitions */
    struct work *work;
    struct cluster_ddl ddl;
    int64_t starts[CONTENT_PARTITIONS];
    bool done;
};

static void settled(struct cluster_ddl *d)
{
    struct settling *s = d->ctx;
    struct model *m = &s->work->model;
    struct model_table *t = &m->tables[TABLE_DAILY];

    if (d->rc)
        work_check_error(s->work, t, t->generation, t->changed, &d->error);
    model_move_end(m, t, place_after(d->kind), d->rc ? MODEL_UNKNOWN : MODEL_DONE);
    s->done = true;
}

static void settle(struct reactor *r, void *ctx)
{
    cluster_ddl_start(cluster_of(r), &((struct settling *)ctx)->ddl);
}

void work_settle_partitions(struct work *w)
{
    struct model_table *t = &w->model.tables[TABLE_DAILY];
    struct settling s = {.work = w};
    bool archive = sim_random(w->host->sim) % 2;
    uint32_t bits = 0;

    s.ddl = (struct cluster_ddl){.kind = archive ? CLUSTER_ARCHIVE_PARTITION
                                                 : CLUSTER_RESTORE_PARTITION,
                                 .name = t->name,
                                 .partitions = s.starts,
                                 .done = settled,
                                 .ctx = &s};
    for (unsigned i = 0; i < CONTENT_PARTITIONS; i++) {
        if (t->state != MODEL_THERE || t->partitions[i].place != MODEL_ANYWHERE)
            continue;
        bits |= 1u << i;
        s.starts[s.ddl.n_partitions++] = content_partition_start(i);
    }
    if (!bits)
        return;
    model_move_begin(&w->model, t, bits);
    reactor_post(reactor_group_get(w->host->group, 0), settle, &s);
    scenario_run_until(w->host->group, &s.done);
}

/* ---- the list of partitions ------------------------------------------------------------------------------- */

/* Rows are in no other partitions than theirs. */
static void listed(struct cluster_partitions *p)
{
    struct work_client *c = p->ctx;
    const struct model_table *t = &c->work->model.tables[TABLE_DAILY];

    if (p->rc)
        ASSERT(t->state != MODEL_THERE || c->work->faults.poor);
    for (uint32_t i = 0; i < p->n; i++) {
        unsigned k = 0;

        while (k < CONTENT_PARTITIONS && content_partition_start(k) != p->list[i].start)
            k++;
        ASSERT(k < CONTENT_PARTITIONS && p->list[i].rows <= CONTENT_ROWS);
        ASSERT(i == 0 || p->list[i - 1].start < p->list[i].start);
    }
    free(p->list);
    work_next(c);
}

static void list_partitions(struct work_client *c)
{
    c->work->counts.kinds[WORK_LIST_PARTITIONS]++;
    c->partitions = (struct cluster_partitions){.name = "t2", .done = listed, .ctx = c};
    cluster_partitions_start(cluster_of(c->reactor), &c->partitions);
}

/* ---- the next one ----------------------------------------------------------------------------------------- */

/* Mostly one that is gone. */
static struct model_table *choose_table(struct work_client *c)
{
    struct model *m = &c->work->model;
    unsigned table = (unsigned)work_random(c, CONTENT_TABLES);

    for (unsigned i = CONTENT_TABLES; i-- > 0 && !work_chance(c, 10);)
        if (m->tables[i].state == MODEL_GONE)
            table = i;
    c->ddl_table = table;
    return &m->tables[table];
}

/* An earlier change failed, of the table or of its parent or child: a restart will tell. */
static bool is_unknown(const struct model *m, const struct model_table *t)
{
    unsigned other = t->number == TABLE_PLAIN ? TABLE_CHILD : TABLE_PLAIN;

    return t->altering || t->state == MODEL_CHANGING ||
           ((t->number == TABLE_PLAIN || t->number == TABLE_CHILD) &&
            m->tables[other].state == MODEL_CHANGING);
}

static void cancel_fired(struct timer *t)
{
    cluster_ddl_cancel(&container_of(t, struct work_client, cancel)->ddl);
}

void work_ddl_start(struct work_client *c)
{
    static const enum work_kind kinds[] = {
        [CLUSTER_CREATE_TABLE] = WORK_CREATE,       [CLUSTER_DROP_TABLE] = WORK_DROP,
        [CLUSTER_TRUNCATE_TABLE] = WORK_TRUNCATE,   [CLUSTER_DROP_PARTITION] = WORK_DROP_PARTITION,
        [CLUSTER_ARCHIVE_PARTITION] = WORK_ARCHIVE, [CLUSTER_RESTORE_PARTITION] = WORK_RESTORE,
        [CLUSTER_ALTER_TABLE] = WORK_ALTER,         [CLUSTER_REWRITE_TABLE] = WORK_REWRITE};
    struct model *m = &c->work->model;
    struct model_table *t;

    work_faults_change(c);
    t = choose_table(c);
    if (t->state == MODEL_THERE && t->number == TABLE_DAILY && work_chance(c, 20)) {
        list_partitions(c);
        return;
    }
    if (is_unknown(m, t)) {
        c->work->counts.kinds[WORK_NOTHING]++;
        work_next(c);
        return;
    }
    c->ddl =
        (struct cluster_ddl){.kind = choose(c, t), .name = t->name, .done = ddl_done, .ctx = c};
    c->schema = NULL;
    c->work->counts.kinds[kinds[c->ddl.kind]]++;
    begin(c, t);
    cluster_ddl_start(cluster_of(c->reactor), &c->ddl);
    c->cancel.fire = cancel_fired;
    if (c->ddl.kind == CLUSTER_REWRITE_TABLE && work_chance(c, 20))
        timer_arm(c->reactor, &c->cancel, work_random(c, 3000000));
}

void work_ddl_crashed(struct work_client *c)
{
    c->schema = NULL;
}

/* Queries of a client: rows, ordered rows, groups, totals; read to the end or closed at any moment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

enum { COLUMN_ID, COLUMN_VER, COLUMN_V, COLUMN_GRP, COLUMN_NAME };

/* ---- what is asked ---------------------------------------------------------------------------------------- */

static void choose_where(struct work_query *q, struct work_client *c)
{
    struct predicate *p = &q->where;

    p->column = COLUMN_V;
    switch (work_random(c, 6)) {
    case 0:
        p->kind = PREDICATE_RANGE;
        p->lo = (int64_t)work_random(c, 2001) - 1000;
        p->hi = p->lo + (int64_t)work_random(c, 1000);
        p->negate = work_chance(c, 20);
        break;
    case 1:
        p->kind = PREDICATE_NULL;
        p->negate = work_chance(c, 50);
        break;
    case 2:
        p->kind = PREDICATE_STRINGS;
        p->column = COLUMN_GRP;
        q->text.len =
            (uint32_t)snprintf(q->group, sizeof q->group, "g%u", (unsigned)work_random(c, 11));
        q->text.bytes = q->group;
        p->strings = &q->text;
        p->n = 1;
        p->negate = work_chance(c, 30);
        break;
    case 3:
        p->kind = PREDICATE_RANGE;
        p->column = COLUMN_ID;
        p->lo = model_id((unsigned)work_random(c, MODEL_ROWS));
        p->hi = model_id((unsigned)work_random(c, MODEL_ROWS));
        break;
    default:
        return;
    }
    q->program.where = p;
}

/* Is the predicate true for a row of this version? */
static bool is_wanted(const struct work_query *q, unsigned row, uint32_t version)
{
    const struct predicate *p = q->program.where;
    char text[16];
    int64_t v;
    bool present;

    if (version == MODEL_ABSENT)
        return false;
    if (!p)
        return true;
    if (p->column == COLUMN_ID)
        return model_id(row) >= p->lo && model_id(row) <= p->hi;
    if (p->column == COLUMN_GRP)
        return model_group(version, text) >= 0 && (strcmp(text, q->group) == 0) != p->negate;
    present = model_number(version, &v);
    if (p->kind == PREDICATE_NULL)
        return present == p->negate;
    return present && (v >= p->lo && v <= p->hi) != p->negate;
}

static void make_program(struct work_query *q)
{
    static const uint16_t all[] = {COLUMN_ID, COLUMN_VER, COLUMN_V, COLUMN_GRP, COLUMN_NAME},
                          group[] = {COLUMN_GRP};
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                                  {AGGREGATE_SUM, COLUMN_V}};
    static const struct program_order order[] = {{COLUMN_V, true}, {COLUMN_ID, false}};
    struct program *p = &q->program;
    bool rows = q->reading == READ_ROWS || q->reading == READ_ORDERED;

    p->table_id = q->schema->table_id;
    p->output = rows ? OUTPUT_ROWS : OUTPUT_GROUPS;
    p->columns = rows ? all : group;
    p->n_columns = rows ? WORK_COLUMNS : q->reading == READ_GROUPS;
    p->n_aggregates = rows ? 0 : 2;
    p->aggregates = aggregates;
    p->order = order;
    p->n_order = q->reading == READ_ORDERED ? 2 : 0;
    p->limit = q->reading == READ_ORDERED ? MODEL_ROWS : UINT64_MAX;
    p->memory = 1 << 20;
}

/* ---- what is seen ----------------------------------------------------------------------------------------- */

static bool is_text(const struct batch_column *c, uint32_t i, const char *text, int len)
{
    uint32_t found;
    const char *s;

    if (!batch_is_present(c, i))
        return len < 0;
    s = batch_bytes(c, i, &found);
    return len >= 0 && found == (uint32_t)len && memcmp(s, text, found) == 0;
}

static void check_order(struct work_query *q, int64_t id, bool present, int64_t v)
{
    int64_t number = present ? v : INT64_MIN;

    if (q->rows > 0)
        ASSERT(number < q->last_number || (number == q->last_number && id > q->last_id));
    q->last_number = number;
    q->last_id = id;
}

static void take_row(struct work_query *q, const struct batch_column c[WORK_COLUMNS], uint32_t i)
{
    struct model_table *t = &q->work->model.tables[q->table];
    uint32_t version = (uint32_t)batch_i64(&c[COLUMN_VER], i);
    unsigned row = model_row_of(batch_i64(&c[COLUMN_ID], i));
    char text[16];
    int64_t v;

    ASSERT(row < MODEL_ROWS);
    ASSERT(version != MODEL_ABSENT && version <= q->work->model.next_version);
    /* every column belongs to the same version, and the predicate is true for it */
    bool present = model_number(version, &v);
    ASSERT(batch_is_present(&c[COLUMN_V], i) == present &&
           (!present || batch_i64(&c[COLUMN_V], i) == v));
    ASSERT(is_text(&c[COLUMN_GRP], i, text, model_group(version, text)));
    ASSERT(is_text(&c[COLUMN_NAME], i, text, model_name(version, text)));
    ASSERT(is_wanted(q, row, version));
    /* each row once */
    ASSERT(q->seen[row] == MODEL_ABSENT);
    q->seen[row] = version;
    if (q->generation == t->generation && model_is_stable(t, &t->rows[row], q->started))
        ASSERT(model_may_be(&t->rows[row], version));
    if (q->reading == READ_ORDERED)
        check_order(q, model_id(row), present, v);
    q->rows++;
}

static void take_rows(struct work_query *q)
{
    struct batch_column c[WORK_COLUMNS];

    ASSERT(q->query.batch.columns == WORK_COLUMNS);
    for (unsigned i = 0; i < WORK_COLUMNS; i++)
        batch_column_at(&q->query.batch, i, &c[i]);
    for (uint32_t i = 0; i < q->query.batch.rows; i++)
        take_row(q, c, i);
}

static unsigned group_of(const struct batch_column *c, uint32_t i)
{
    unsigned n = MODEL_GROUPS;
    uint32_t len;
    const char *s;

    if (!batch_is_present(c, i))
        return MODEL_GROUPS - 1;
    s = batch_bytes(c, i, &len);
    ASSERT(len >= 2 && len <= 3 && s[0] == 'g');
    n = len == 2 ? (unsigned)(s[1] - '0') : (unsigned)(10 + s[2] - '0');
    ASSERT(n < MODEL_GROUPS - 1);
    return n;
}

static void take_groups(struct work_query *q)
{
    struct batch_column group, count, sum;
    unsigned first = q->reading == READ_GROUPS;

    if (first)
        batch_column_at(&q->query.batch, 0, &group);
    batch_column_at(&q->query.batch, first, &count);
    batch_column_at(&q->query.batch, first + 1, &sum);
    for (uint32_t i = 0; i < q->query.batch.rows; i++) {
        unsigned g = first ? group_of(&group, i) : 0;

        ASSERT(q->counts[g] == 0);
        q->counts[g] = (uint64_t)batch_i64(&count, i);
        q->rows += q->counts[g];
        ASSERT(q->counts[g] > 0 || !first);
        if (batch_is_present(&sum, i)) {
            q->sum += batch_i128(&sum, i);
            q->has_sum = true;
        }
    }
}

/* ---- what must have been seen ----------------------------------------------------------------------------- */

struct expected {
    uint64_t least[MODEL_GROUPS], most[MODEL_GROUPS];
    __int128 sum;
    bool sure;
};

static void expect_row(const struct work_query *q, unsigned row, struct expected *e)
{
    const struct model_table *t = &q->work->model.tables[q->table];
    const struct model_row *r = &t->rows[row];
    bool stable = model_is_stable(t, r, q->started), all = true, may[MODEL_GROUPS] = {0};
    unsigned g = 0;
    int64_t v;

    for (unsigned i = 0; i < r->n; i++) {
        g = q->reading == READ_GROUPS ? model_group_number(r->may_be[i]) : 0;
        if (is_wanted(q, row, r->may_be[i]))
            may[g] = true;
        else
            all = false;
    }
    for (unsigned i = 0; i < MODEL_GROUPS; i++)
        e->most[i] += may[i] || !stable;
    if (stable && r->n == 1 && all) {
        e->least[g]++;
        e->sum += model_number(r->may_be[0], &v) ? v : 0;
    }
    e->sure &= stable && r->n == 1;
}

static void check_groups(const struct work_query *q)
{
    struct expected e = {.sure = true};

    for (unsigned row = 0; row < MODEL_ROWS; row++)
        expect_row(q, row, &e);
    for (unsigned g = 0; g < MODEL_GROUPS; g++)
        ASSERT(q->counts[g] >= e.least[g] && q->counts[g] <= e.most[g]);
    if (e.sure)
        ASSERT(q->sum == e.sum);
}

static void check_rows(const struct work_query *q)
{
    const struct model_table *t = &q->work->model.tables[q->table];

    for (unsigned row = 0; row < MODEL_ROWS; row++) {
        const struct model_row *r = &t->rows[row];
        bool possible = q->seen[row] != MODEL_ABSENT;

        for (unsigned i = 0; i < r->n; i++)
            possible |= !is_wanted(q, row, r->may_be[i]);
        ASSERT(possible || !model_is_stable(t, r, q->started));
    }
}

static void closed(struct cluster_query *cq)
{
    struct work_query *q = cq->ctx;
    const struct model_table *t = &q->work->model.tables[q->table];
    bool same = t->generation == q->generation && t->state != MODEL_CHANGING;

    timer_cancel(q->reactor, &q->timer);
    if (q->complete && same && (q->reading == READ_ROWS || q->reading == READ_ORDERED))
        check_rows(q);
    else if (q->complete && same)
        check_groups(q);
    schema_put(q->schema);
    q->ended(q);
}

static void close_query(struct work_query *q)
{
    ASSERT(!q->closing);
    q->closing = true;
    q->work->closed_early += !q->complete;
    cluster_query_close(&q->query);
}

static void next(struct cluster_query *cq)
{
    struct work_query *q = cq->ctx;
    const struct model_table *t = &q->work->model.tables[q->table];

    ASSERT(!q->closing);
    if (cq->state == CLUSTER_BATCH) {
        q->batches++;
        if (q->reading == READ_ROWS || q->reading == READ_ORDERED)
            take_rows(q);
        else
            take_groups(q);
        if (q->ending == END_AFTER_BATCH)
            close_query(q);
        else if (q->slow && !q->timer.armed)
            timer_arm(q->reactor, &q->timer, 1000000);
        else
            cluster_query_next(cq);
        return;
    }
    q->complete = cq->state == CLUSTER_END;
    if (cq->state == CLUSTER_ERROR && (cq->error.code != 3024 || !cq->deadline_ns))
        work_check_error(q->work, t, q->generation, q->started, &cq->error);
    close_query(q);
}

static void timer_fired(struct timer *timer)
{
    struct work_query *q = container_of(timer, struct work_query, timer);

    if (q->closing)
        return;
    if (q->ending == END_BY_TIMER)
        close_query(q);
    else
        cluster_query_next(&q->query);
}

static void choose_ending(struct work_query *q, struct work_client *c)
{
    unsigned n = (unsigned)work_random(c, 100);

    q->ending = n < 60   ? END_BY_ITSELF
                : n < 68 ? END_AT_START
                : n < 76 ? END_AT_NEXT
                : n < 88 ? END_AFTER_BATCH
                         : END_BY_TIMER;
    q->slow = work_chance(c, 20);
    if (work_chance(c, 10))
        q->query.deadline_ns = reactor_now_ns(q->reactor) + 1 + work_random(c, 2000000);
    if (q->ending == END_BY_TIMER)
        timer_arm(q->reactor, &q->timer, work_random(c, 3000000));
}

void work_query_start(struct work_query *q, struct reactor *r, struct work_client *random,
                      enum work_reading reading)
{
    struct model *m = &q->work->model;

    q->reactor = r;
    q->reading = reading;
    q->generation = m->tables[q->table].generation;
    q->started = m->now++;
    q->timer.fire = timer_fired;
    make_program(q);
    q->query.program = &q->program;
    q->query.schema = q->schema;
    q->query.on_next = next;
    q->query.on_closed = closed;
    q->query.ctx = q;
    if (random) {
        choose_where(q, random);
        choose_ending(q, random);
    }
    cluster_query_start(cluster_of(r), &q->query);
    if (q->ending == END_AT_START) {
        close_query(q);
        return;
    }
    cluster_query_next(&q->query);
    if (q->ending == END_AT_NEXT)
        close_query(q);
}

/* ---- reading everything when nothing else runs ------------------------------------------------------------ */

struct verification {
    struct work_query query;
    bool done;
};

static void verified(struct work_query *q)
{
    container_of(q, struct verification, query)->done = true;
}

static void verify_start(struct reactor *r, void *ctx)
{
    struct verification *v = ctx;

    v->query.schema = work_find(v->query.work, r, v->query.table);
    if (v->query.schema)
        work_query_start(&v->query, r, NULL, v->query.reading);
    else
        v->done = true;
}

static void verify_table(struct work *w, unsigned table, bool settle)
{
    struct model_table *t = &w->model.tables[table];

    for (enum work_reading reading = 0; reading < WORK_READINGS; reading++) {
        struct verification v = {
            .query = {.work = w, .table = table, .reading = reading, .ended = verified}};
        unsigned core = (unsigned)(sim_random(w->host->sim) % w->host->cores);

        w->model.now++;
        reactor_post(reactor_group_get(w->host->group, core), verify_start, &v);
        scenario_run_until(w->host->group, &v.done);
        if (!v.query.schema)
            return;
        ASSERT(v.query.complete || t->state == MODEL_CHANGING);
        for (unsigned row = 0; row < MODEL_ROWS && settle && reading == READ_ROWS; row++)
            model_observe(&t->rows[row], v.query.seen[row]);
        if (!settle)
            continue;
        uint64_t there = 0;
        for (unsigned row = 0; row < MODEL_ROWS; row++)
            there += !model_is_sure(&t->rows[row], MODEL_ABSENT);
        ASSERT(v.query.rows == there);
    }
}

void work_verify(struct work *w, bool settle)
{
    for (unsigned table = 0; table < MODEL_TABLES; table++)
        verify_table(w, table, settle);
}

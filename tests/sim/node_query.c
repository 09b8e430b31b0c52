/* Queries of a client: rows, ordered rows, groups, totals; read to the end or closed at any moment. */
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

static void make_program(struct work_query *q)
{
    static const uint16_t all[WORK_OUTPUTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                          group[] = {COLUMN_GRP}, tags[] = {COLUMN_TAGS};
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                                  {AGGREGATE_SUM, COLUMN_V}};
    static const struct program_order order[] = {{COLUMN_V, true}, {COLUMN_ID, false}};
    struct program *p = &q->program;
    bool rows = q->reading == READ_ROWS || q->reading == READ_ORDERED;

    p->table_id = q->schema->table_id;
    p->output = rows ? OUTPUT_ROWS : OUTPUT_GROUPS;
    p->columns = rows ? all : q->reading == READ_TAGS ? tags : group;
    p->n_columns = rows ? q->schema->n_columns : q->reading != READ_TOTALS;
    p->n_aggregates = rows ? 0 : 2;
    p->aggregates = aggregates;
    p->order = order;
    p->n_order = q->reading == READ_ORDERED ? 2 : 0;
    p->limit = q->reading == READ_ORDERED ? CONTENT_ROWS : UINT64_MAX;
    p->memory = 8 << 20;
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

/* Number of a tag or group from its text, which must be `prefix` and the number. */
static unsigned number_of(const char *text, uint32_t len, const char *prefix, unsigned most)
{
    uint32_t skip = (uint32_t)strlen(prefix);
    unsigned n = 0;

    ASSERT(len > skip && len <= skip + 2 && memcmp(text, prefix, skip) == 0);
    for (uint32_t i = skip; i < len; i++) {
        ASSERT(text[i] >= '0' && text[i] <= '9');
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    ASSERT(n < most);
    return n;
}

static uint64_t read_tags(const struct batch_column *c, uint32_t i)
{
    uint32_t n = batch_is_present(c, i) ? batch_list_count(c, i) : 0, len;
    uint64_t tags = 0;

    ASSERT(n > 0 || !batch_is_present(c, i));
    for (uint32_t k = 0; k < n; k++) {
        const char *text = batch_list_item(c, i, k, &len);
        unsigned tag = number_of(text, len, "tag", CONTENT_TAGS);

        ASSERT(!content_has_tag(tags, tag));
        tags = content_add_tags(tags, tag + 1);
    }
    return tags;
}

static void check_order(struct work_query *q, int64_t id, bool present, int64_t v)
{
    int64_t number = present ? v : INT64_MIN;

    if (q->rows > 0)
        ASSERT(number < q->last_number || (number == q->last_number && id > q->last_id));
    q->last_number = number;
    q->last_id = id;
}

/* Every column belongs to the same version. */
static void check_whole(unsigned row, struct content seen,
                        const struct batch_column c[WORK_OUTPUTS], uint32_t i)
{
    uint32_t version = seen.version;
    char text[CONTENT_TEXT];
    int64_t v;
    bool present = content_number(version, &v);

    ASSERT(batch_is_present(&c[COLUMN_V], i) == present &&
           (!present || batch_i64(&c[COLUMN_V], i) == v));
    ASSERT(is_text(&c[COLUMN_GRP], i, text, content_group(version, text)));
    ASSERT(is_text(&c[COLUMN_NAME], i, text, content_name(version, text)));
    ASSERT(batch_is_present(&c[COLUMN_REF], i) &&
           batch_i64(&c[COLUMN_REF], i) == content_ref(version));
    ASSERT(batch_is_present(&c[COLUMN_TS], i) && batch_i64(&c[COLUMN_TS], i) == content_time(row));
    ASSERT(content_add_tags(seen.tags, content_tags(version)) == seen.tags);
}

static void check_added(const struct work_query *q, const struct batch_column c[WORK_OUTPUTS],
                        uint32_t i)
{
    unsigned first = content_added_at(q->table);

    for (unsigned k = 0; k < content_added(q->schema, q->table); k++)
        if (content_is_added_int(k))
            ASSERT(batch_is_present(&c[first + k], i) &&
                   batch_i64(&c[first + k], i) == CONTENT_ADDED_INT);
        else
            ASSERT(is_text(&c[first + k], i, CONTENT_ADDED_NAME, sizeof CONTENT_ADDED_NAME - 1));
}

static void take_row(struct work_query *q, const struct batch_column c[WORK_OUTPUTS], uint32_t i)
{
    struct model_table *t = &q->work->model.tables[q->table];
    unsigned row = content_row(batch_i64(&c[COLUMN_ID], i));
    struct content seen = {.version = (uint32_t)batch_i64(&c[COLUMN_VER], i),
                           .tags = read_tags(&c[COLUMN_TAGS], i)};
    int64_t v;

    if (batch_is_present(&c[COLUMN_EXTRA], i))
        seen.extra = (uint32_t)batch_i64(&c[COLUMN_EXTRA], i);
    ASSERT(row < CONTENT_ROWS);
    ASSERT(seen.version && seen.version <= q->work->model.next_version);
    ASSERT(seen.extra <= q->work->model.next_version);
    check_whole(row, seen, c, i);
    check_added(q, c, i);
    ASSERT(work_where_is_true(q, row, seen));
    /* Each row once. One without a key that was removed and inserted again meanwhile is another row, elsewhere. */
    ASSERT(!q->seen[row].version ||
           (q->table == TABLE_KEYLESS && q->hidden[row] != batch_i64(&c[CONTENT_COLUMNS], i)));
    q->seen[row] = seen;
    if (q->table == TABLE_KEYLESS)
        q->hidden[row] = batch_i64(&c[CONTENT_COLUMNS], i);
    ASSERT(q->generation != t->generation || model_may_see(t, &t->rows[row], q->started, seen));
    ASSERT(q->generation != t->generation || t->changed >= q->started ||
           model_place(t, content_partition(row), q->started) != MODEL_ARCHIVED);
    bool present = content_number(seen.version, &v);
    if (q->reading == READ_ORDERED)
        check_order(q, content_id(row), present, v);
    q->rows++;
}

static void take_rows(struct work_query *q)
{
    struct batch_column c[WORK_OUTPUTS];

    ASSERT(q->query.batch.columns == q->program.n_columns);
    for (unsigned i = 0; i < q->program.n_columns; i++)
        batch_column_at(&q->query.batch, i, &c[i]);
    for (uint32_t i = 0; i < q->query.batch.rows; i++)
        take_row(q, c, i);
    q->work->counts.rows_read += q->query.batch.rows;
}

static unsigned group_of(const struct work_query *q, const struct batch_column *c, uint32_t i)
{
    bool tags = q->reading == READ_TAGS;
    uint32_t len;
    const char *s;

    if (!batch_is_present(c, i))
        return tags ? CONTENT_TAGS : CONTENT_GROUPS - 1;
    s = batch_bytes(c, i, &len);
    return number_of(s, len, tags ? "tag" : "g", tags ? CONTENT_TAGS : CONTENT_GROUPS - 1);
}

static void take_groups(struct work_query *q)
{
    struct batch_column group, count, sum;
    unsigned first = q->reading != READ_TOTALS;

    if (first)
        batch_column_at(&q->query.batch, 0, &group);
    batch_column_at(&q->query.batch, first, &count);
    batch_column_at(&q->query.batch, first + 1, &sum);
    for (uint32_t i = 0; i < q->query.batch.rows; i++) {
        unsigned g = first ? group_of(q, &group, i) : 0;

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
    uint64_t least[WORK_GROUPS], most[WORK_GROUPS];
    __int128 sum;
    bool sure;
};

/* The groups that a row with these contents counts in, as bits. */
static uint32_t groups_of(const struct work_query *q, struct content c)
{
    uint32_t groups = 0;

    if (q->reading == READ_TOTALS)
        return 1;
    if (q->reading == READ_GROUPS)
        return 1u << content_group_number(c.version);
    for (unsigned i = 0; i < content_tag_count(c.tags); i++)
        groups |= 1u << content_tag(c.tags, i);
    return groups ? groups : 1u << CONTENT_TAGS;
}

static void expect_row(const struct work_query *q, unsigned row, struct expected *e)
{
    const struct model_table *t = &q->work->model.tables[q->table];
    const struct model_row *r = &t->rows[row];
    bool stable = model_is_stable(t, r, q->started);
    uint32_t may = 0, must = UINT32_MAX;
    int64_t v;

    if (model_row_place(t, r, q->started) == MODEL_ARCHIVED)
        return;
    for (unsigned i = 0; i < r->now.n; i++) {
        struct content c = r->now.may_be[i];
        uint32_t groups = work_where_is_true(q, row, c) ? groups_of(q, c) : 0;

        may |= groups;
        must &= groups;
    }
    for (unsigned g = 0; g < WORK_GROUPS; g++) {
        e->most[g] += (may >> g & 1) || !stable;
        e->least[g] += (must >> g & 1) && stable;
    }
    e->sure &= stable && r->now.n == 1;
    if (must && r->now.n == 1 && content_number(r->now.may_be[0].version, &v))
        e->sum += v * __builtin_popcount(must);
}

static void check_groups(const struct work_query *q)
{
    struct expected e = {.sure = true};

    for (unsigned row = 0; row < CONTENT_ROWS; row++)
        expect_row(q, row, &e);
    for (unsigned g = 0; g < WORK_GROUPS; g++)
        ASSERT(q->counts[g] >= e.least[g] && q->counts[g] <= e.most[g]);
    if (e.sure)
        ASSERT(q->sum == e.sum);
}

static void check_rows(const struct work_query *q)
{
    const struct model_table *t = &q->work->model.tables[q->table];

    for (unsigned row = 0; row < CONTENT_ROWS; row++) {
        const struct model_row *r = &t->rows[row];
        bool possible = q->seen[row].version != 0;

        for (unsigned i = 0; i < r->now.n; i++)
            possible |= !work_where_is_true(q, row, r->now.may_be[i]);
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
    q->work->counts.closed_early += !q->complete;
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
        work_where_choose(q, random);
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

/* Nothing is known of rows that cannot be read. */
static void settle_rows(struct model_table *t, const struct work_query *q)
{
    for (unsigned row = 0; row < CONTENT_ROWS; row++)
        if (model_row_place(t, &t->rows[row], q->started) == MODEL_ONLINE)
            model_observe(&t->rows[row], q->seen[row]);
}

static void check_count(const struct model_table *t, const struct work_query *q)
{
    uint64_t there = 0;

    for (unsigned row = 0; row < CONTENT_ROWS; row++) {
        enum model_place place = model_row_place(t, &t->rows[row], q->started);

        if (place == MODEL_ANYWHERE)
            return;
        there += place == MODEL_ONLINE && !model_is_surely_absent(&t->rows[row]);
    }
    ASSERT(q->rows == there);
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
        if (settle && reading == READ_ROWS && v.query.complete)
            model_check_cleared(t, v.query.seen);
        if (settle && reading == READ_ROWS)
            settle_rows(t, &v.query);
        if (settle && reading != READ_TAGS)
            check_count(t, &v.query);
    }
}

void work_verify(struct work *w, bool settle)
{
    for (unsigned table = 0; table < CONTENT_TABLES; table++)
        verify_table(w, table, settle);
}

/* Writes of a client: batches of its own rows, some sent a second time, also after a crash. */
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

enum {
    REPEAT_WITHIN = 150, /* writes: slots times this stays below the entries a core remembers */
    TWINS_PERCENT = 15
};

/* ---- the batch -------------------------------------------------------------------------------------------- */

/* What it sets of its rows besides the key. */
static bool has_contents(const struct model_write *w)
{
    return w->op != BATCH_DELETE && w->version;
}

static bool is_making_rows(enum batch_op op)
{
    return op != BATCH_UPDATE && op != BATCH_DELETE;
}

static bool is_keyed_by_hand(const struct work_write *w)
{
    return w->table == TABLE_KEYLESS && w->write.op != BATCH_INSERT;
}

struct batch_layout { /* positions in the batch, -1 = it is not there */
    int at[WORK_OUTPUTS];
};

static void add_column(struct batch_builder *b, struct batch_layout *l, const struct schema *s,
                       unsigned column)
{
    static const enum batch_kind kinds[WORK_OUTPUTS] = {/* BATCH_I64 is 0 */ BATCH_I64,
                                                        BATCH_I64,
                                                        BATCH_I64,
                                                        BATCH_BYTES,
                                                        BATCH_BYTES,
                                                        BATCH_I64,
                                                        BATCH_LIST,
                                                        BATCH_I64,
                                                        BATCH_I64,
                                                        BATCH_I64};

    bool text = column >= CONTENT_COLUMNS && s->columns[column].type == COLUMN_STRING;

    l->at[column] =
        batch_builder_add_column(b, s->columns[column].id, text ? BATCH_BYTES : kinds[column], 0);
    ASSERT(l->at[column] >= 0);
}

static void add_columns(struct batch_builder *b, struct batch_layout *l, const struct work_write *w,
                        const struct schema *s)
{
    bool hidden = is_keyed_by_hand(w), contents = has_contents(&w->write);

    for (unsigned i = 0; i < WORK_OUTPUTS; i++)
        l->at[i] = -1;
    if (hidden)
        add_column(b, l, s, CONTENT_COLUMNS);
    else
        add_column(b, l, s, COLUMN_ID);
    if ((w->table == TABLE_DAILY && !w->timeless) || is_making_rows(w->write.op))
        add_column(b, l, s, COLUMN_TS);
    for (unsigned i = COLUMN_VER; i <= COLUMN_REF && contents; i++)
        if (i != COLUMN_EXTRA)
            add_column(b, l, s, i);
    if (w->write.has_extra)
        add_column(b, l, s, COLUMN_EXTRA);
    for (unsigned i = content_added_at(w->table); i < s->n_columns && is_making_rows(w->write.op);
         i++)
        add_column(b, l, s, i);
}

static void put_int(struct batch_builder *b, int at, int64_t v)
{
    ASSERT(at < 0 || batch_builder_put_i64(b, (unsigned)at, v) == 0);
}

static void put_text(struct batch_builder *b, int at, const char *text, int len)
{
    ASSERT(len < 0 || batch_builder_put_bytes(b, (unsigned)at, text, (uint32_t)len) == 0);
}

static void put_contents(struct batch_builder *b, const struct batch_layout *l, uint32_t version)
{
    uint64_t tags = content_tags(version);
    char text[CONTENT_TEXT];
    int64_t v;

    put_int(b, l->at[COLUMN_VER], version);
    if (content_number(version, &v))
        put_int(b, l->at[COLUMN_V], v);
    put_text(b, l->at[COLUMN_GRP], text, content_group(version, text));
    put_text(b, l->at[COLUMN_NAME], text, content_name(version, text));
    put_int(b, l->at[COLUMN_REF], content_ref(version));
    for (unsigned i = 0; i < content_tag_count(tags); i++) {
        int n = content_tag_name(content_tag(tags, i), text);

        ASSERT(batch_builder_put_list_item(b, (unsigned)l->at[COLUMN_TAGS], text, (uint32_t)n) ==
               0);
    }
}

static void put_added(struct batch_builder *b, const struct batch_layout *l,
                      const struct work_write *w)
{
    for (unsigned i = 0; i < w->added; i++) {
        int at = l->at[content_added_at(w->table) + i];

        if (at >= 0 && content_is_added_int(i))
            put_int(b, at, CONTENT_ADDED_INT);
        else if (at >= 0)
            put_text(b, at, CONTENT_ADDED_NAME, sizeof CONTENT_ADDED_NAME - 1);
    }
}

static void build(struct work_write *w, const struct schema *s)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct batch_layout l;

    ASSERT(b);
    w->added = content_added(s, w->table);
    add_columns(b, &l, w, s);
    for (uint32_t i = 0; i < w->n; i++) {
        put_int(b, l.at[COLUMN_ID], content_id(w->rows[i]));
        if (is_keyed_by_hand(w))
            put_int(b, l.at[CONTENT_COLUMNS], w->hidden[i]);
        put_int(b, l.at[COLUMN_TS], content_time(w->rows[i]));
        if (has_contents(&w->write))
            put_contents(b, &l, w->write.version);
        put_int(b, l.at[COLUMN_EXTRA], w->write.extra);
        put_added(b, &l, w);
        ASSERT(batch_builder_end_row(b) == 0);
    }
    w->bytes.len = 0;
    ASSERT(batch_builder_finish(b, w->write.op, s->table_id, BATCH_SLOT_ANY, &w->bytes) == 0);
    batch_builder_free(b);
}

/* ---- its end ---------------------------------------------------------------------------------------------- */

/* Some rows are archived, perhaps. When all are for sure, nothing is done; no more can be said. */
static void check_archived_counts(const struct work_write *w, const struct model_table *t,
                                  const struct write_result *r)
{
    bool all = !w->repeated;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct model_row *row = &t->rows[w->rows[i]];

        all &= model_row_place(t, row, row->start) == MODEL_ARCHIVED;
    }
    if (!all)
        return;
    ASSERT(r->inserted + r->updated + r->unchanged + r->deleted == 0);
    ASSERT(!is_making_rows(w->write.op) || (r->rejected == w->n && r->n_errors > 0));
}

/* What the counts of a result must lie between, from what the rows may be; those of a repetition are partly of the
 * first time, when they were something else. */
static void check_counts(const struct work_write *w, const struct model_table *t,
                         const struct write_result *r)
{
    uint64_t there_least = 0, there_most = 0, there, gone, n = w->n;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct model_row *row = &t->rows[w->rows[i]];

        if (model_row_place(t, row, row->start) != MODEL_ONLINE) { /* refused, and not found */
            check_archived_counts(w, t, r);
            return;
        }
        there_least += !model_may_be_absent(row);
        there_most += !model_is_surely_absent(row);
    }
    if (w->check_first && r->inserted == 0) {
        ASSERT(r->rejected == n && r->n_errors > 0 && there_most > 0);
        return;
    }
    switch (w->write.op) {
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
        there = r->updated + r->unchanged;
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
    ASSERT(there + gone == n);
    if (w->table == TABLE_KEYLESS && w->write.op == BATCH_INSERT) /* every row is new */
        ASSERT(w->repeated || there == 0);
    else
        ASSERT(w->repeated || (there >= there_least && there <= there_most));
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

        if (t->generation != w->generation || refused)
            model_write_without_effect(m, r);
        else
            model_write_end(m, t, r, outcome);
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
        c->work->counts.rows_acknowledged += w->n;
    }
    w->known = cw->rc == 0;
    w->result = cw->result;
    /* a statement refused as a whole leaves nothing behind that a repetition could find */
    if (w->known && !(w->check_first && !cw->result.inserted) && work_chance(c, 20))
        remember(c);
    schema_put(c->schema);
    work_next(c);
}

/* A repetition of an old, acknowledged write changes nothing, whether it was in flight or not. */
void work_write_crashed(struct work_client *c)
{
    struct write_result none = {0};

    work_twins_crashed(c);
    if (c->writing != &c->now)
        return;
    update_model(c, &c->now, MODEL_UNKNOWN, &none);
    c->now.known = false;
}

/* ---- its beginning ---------------------------------------------------------------------------------------- */

void work_write_fly(struct work_client *c, struct work_write *w, struct cluster_write *cw,
                    struct schema *s, void (*done)(struct cluster_write *cw))
{
    struct error_info err;

    *cw = (struct cluster_write){.schema = s,
                                 .check_first = w->check_first,
                                 .client_id = c->index + 1,
                                 .sequence = w->sequence,
                                 .done = done,
                                 .ctx = c};
    ASSERT(batch_open(w->bytes.data, w->bytes.len, &cw->batch, &err) == 0);
    cluster_write_start(cluster_of(c->reactor), cw);
}

static void send(struct work_client *c, struct work_write *w, struct schema *s,
                 void (*done)(struct cluster_write *cw))
{
    c->schema = s;
    c->writing = w;
    work_write_fly(c, w, &c->write, s, done);
}

/* A repetition may have done its work the first time, before whatever happened since. */
static void begin_rows(struct work_client *c, struct work_write *w)
{
    struct model *m = &c->work->model;

    if (!w->repeated)
        w->begun = m->now;
    for (uint32_t i = 0; i < w->n; i++) {
        struct model_row *r = &m->tables[w->table].rows[w->rows[i]];

        model_write_begin(m, r, &w->write);
        r->start = w->begun;
    }
}

static uint64_t count_writes(const struct work *w)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < WORK_WRITERS; i++)
        n += w->clients[i].sequence;
    return n + w->counts.kinds[WORK_REPEAT];
}

void work_write_prepare(struct work_client *c, struct work_write *w, const struct schema *s)
{
    static const enum work_kind kinds[] = {
        [BATCH_INSERT] = WORK_INSERT,   [BATCH_IGNORE] = WORK_IGNORE, [BATCH_UPSERT] = WORK_UPSERT,
        [BATCH_REPLACE] = WORK_REPLACE, [BATCH_UPDATE] = WORK_UPDATE, [BATCH_DELETE] = WORK_DELETE};
    struct work *work = c->work;

    work->counts.kinds[kinds[w->write.op]]++;
    w->generation = work->model.tables[w->table].generation;
    w->number = count_writes(work);
    w->sequence = ++c->sequence;
    w->sent = true;
    w->known = w->repeated = false;
    build(w, s);
}

void work_write_send(struct work_client *c, struct schema *s)
{
    work_write_prepare(c, &c->now, s);
    begin_rows(c, &c->now);
    send(c, &c->now, s, now_done);
}

static bool can_repeat(const struct work_client *c, const struct work_write *w)
{
    const struct model_table *t = &c->work->model.tables[w->table];

    return w->sent && t->state == MODEL_THERE && t->generation == w->generation &&
           count_writes(c->work) - w->number < REPEAT_WITHIN;
}

static bool repeat(struct work_client *c, struct work_write *w,
                   void (*done)(struct cluster_write *cw))
{
    struct schema *s = work_find(c->work, c->reactor, w->table);

    if (!s)
        return false;
    c->work->counts.kinds[WORK_REPEAT]++;
    if (w == &c->now) {
        if (w->added != content_added(s, w->table))
            build(w, s); /* a batch says everything that its definition has */
        w->repeated = true;
        begin_rows(c, w);
    }
    send(c, w, s, done);
    return true;
}

void work_write_choose(struct work_client *c, struct work_write *w)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_INSERT,  BATCH_UPSERT,
                                        BATCH_UPSERT, BATCH_UPDATE,  BATCH_DELETE,
                                        BATCH_DELETE, BATCH_REPLACE, BATCH_IGNORE};
    struct model *m = &c->work->model;
    enum batch_op op = BATCH_INSERT;

    if (w->table != TABLE_KEYLESS)
        op = ops[work_random(c, sizeof ops / sizeof *ops)];
    w->write =
        (struct model_write){.op = op, .has_extra = op != BATCH_DELETE && work_chance(c, 50)};
    if (op != BATCH_DELETE && !(op == BATCH_UPDATE && w->write.has_extra && work_chance(c, 50)))
        w->write.version = model_new_version(m, op == BATCH_UPSERT);
    if (w->write.has_extra)
        w->write.extra = model_new_version(m, false);
    w->check_first = op == BATCH_INSERT && w->table != TABLE_KEYLESS && work_chance(c, 40);
    w->timeless = (op == BATCH_UPDATE || op == BATCH_DELETE) && work_chance(c, 40);
}

/* Rows of this client; in the table without a key only such as are surely not there. */
static void choose_rows(struct work_client *c, struct work_write *w)
{
    const struct model_table *t = &c->work->model.tables[w->table];
    uint64_t most = work_chance(c, 70) ? 4 : WORK_BATCH_ROWS, wanted = 1 + work_random(c, most);
    unsigned mine = CONTENT_ROWS / WORK_WRITERS, first = (unsigned)work_random(c, mine);

    w->n = 0;
    for (unsigned i = 0; i < mine && w->n < wanted; i++) {
        unsigned row = (first + i) % mine * WORK_WRITERS + c->index;
        const struct model_row *r = &t->rows[row];

        if (w->table == TABLE_KEYLESS ? model_is_surely_absent(r) : r->now.n <= MODEL_UNSURE)
            w->rows[w->n++] = row;
    }
}

void work_write_start(struct work_client *c)
{
    static const uint8_t tables[] = {TABLE_PLAIN,   TABLE_PLAIN, TABLE_PLAIN, TABLE_KEYLESS,
                                     TABLE_KEYLESS, TABLE_DAILY, TABLE_DAILY, TABLE_CHILD};
    struct work_write *w = &c->now;
    struct schema *s;

    if (can_repeat(c, w) && !w->known && work_chance(c, 80) && repeat(c, w, now_done))
        return;
    if (can_repeat(c, &c->old) && work_chance(c, 15) && repeat(c, &c->old, old_done))
        return;
    w->sent = false;
    w->table = tables[work_random(c, sizeof tables)];
    if (work_chance(c, w->table == TABLE_KEYLESS ? 40 : 10) &&
        work_change_where(c, w->table, work_chance(c, 60) ? BATCH_DELETE : BATCH_UPDATE))
        return;
    choose_rows(c, w);
    s = w->n ? work_find(c->work, c->reactor, w->table) : NULL;
    if (!s) {
        c->work->counts.kinds[WORK_NOTHING]++;
        work_next(c);
        return;
    }
    work_write_choose(c, w);
    if (!work_chance(c, TWINS_PERCENT) || !work_twins_start(c, s))
        work_write_send(c, s);
}

#include "node_model.h"

#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"

static const struct content absent;

static void set_only(struct model_set *s, struct content c)
{
    s->may_be[0] = c;
    s->n = 1;
}

static bool has(const struct model_set *s, struct content c)
{
    for (unsigned i = 0; i < s->n; i++)
        if (content_is(s->may_be[i], c))
            return true;
    return false;
}

static void add(struct model_set *s, struct content c)
{
    if (has(s, c))
        return;
    ASSERT(s->n < MODEL_SET);
    s->may_be[s->n++] = c;
}

static void reset_rows(struct model_table *t)
{
    for (unsigned i = 0; i < CONTENT_ROWS; i++)
        set_only(&t->rows[i].now, absent);
    for (unsigned i = 0; i < CONTENT_ROWS; i++)
        t->rows[i].witness = false;
    t->moving = 0;
    memset(t->partitions, 0, sizeof t->partitions);
}

void model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    m->now = 1;
    for (unsigned i = 0; i < CONTENT_TABLES; i++) {
        m->tables[i].number = i;
        snprintf(m->tables[i].name, sizeof m->tables[i].name, "t%u", i);
        reset_rows(&m->tables[i]);
    }
}

uint32_t model_new_version(struct model *m, bool whole)
{
    char text[CONTENT_TEXT];
    int64_t v;

    do
        m->next_version++;
    while (whole &&
           (!content_number(m->next_version, &v) || content_group(m->next_version, text) < 0));
    return m->next_version;
}

bool model_may_be(const struct model_row *r, struct content c)
{
    return has(&r->now, c);
}

bool model_may_be_absent(const struct model_row *r)
{
    return has(&r->now, absent);
}

bool model_is_surely_absent(const struct model_row *r)
{
    return r->now.n == 1 && r->now.may_be[0].version == 0;
}

static struct content effect(struct content was, const struct model_write *w)
{
    struct content new = {w->version, w->has_extra ? w->extra : 0, content_tags(w->version)};

    switch (w->op) {
    case BATCH_INSERT:
    case BATCH_IGNORE:
        return was.version ? was : new;
    case BATCH_UPDATE:
        if (!was.version)
            return was;
        if (!w->version) {
            new = was;
            new.extra = w->extra;
        } else if (!w->has_extra) {
            new.extra = was.extra;
        }
        return new;
    case BATCH_DELETE:
        return absent;
    case BATCH_UPSERT:
        if (was.version && !w->has_extra)
            new.extra = was.extra;
        new.tags = content_add_tags(was.tags, new.tags);
        return new;
    default:
        return new;
    }
}

void model_write_begin(struct model *m, struct model_row *r, const struct model_write *write)
{
    ASSERT(!r->busy);
    r->busy = true;
    r->witness = false;
    r->write = *write;
    r->before = r->now;
    r->before_end = r->end;
    r->start = m->now++;
}

static void set_place(struct model *m, struct model_table *t, unsigned partition,
                      enum model_place place)
{
    t->partitions[partition].place = place;
    t->partitions[partition].changed = m->now++;
}

enum model_place model_place(const struct model_table *t, unsigned partition, uint64_t since)
{
    return t->partitions[partition].changed < since ? t->partitions[partition].place
                                                    : MODEL_ANYWHERE;
}

enum model_place model_row_place(const struct model_table *t, const struct model_row *r,
                                 uint64_t since)
{
    return model_place(t, content_partition((unsigned)(r - t->rows)), since);
}

static void end_write(struct model *m, struct model_row *r)
{
    r->busy = r->twins = false;
    r->end = m->now++;
}

void model_write_without_effect(struct model *m, struct model_row *r)
{
    end_write(m, r);
}

void model_write_end(struct model *m, struct model_table *t, struct model_row *r,
                     enum model_outcome outcome)
{
    enum model_place place = model_row_place(t, r, r->start);
    struct model_set was = r->now;

    if (place == MODEL_ARCHIVED) {
        end_write(m, r);
        return;
    }
    if (place == MODEL_ANYWHERE)
        outcome = MODEL_UNKNOWN;
    if (outcome == MODEL_DONE)
        r->now.n = 0;
    for (unsigned i = 0; i < was.n; i++)
        add(&r->now, effect(was.may_be[i], &r->write));
    if (r->clearing || r->clear_end > r->start)
        add(&r->now, absent);
    end_write(m, r);
}

void model_twins_begin(struct model *m, struct model_row *r, const struct model_write *first,
                       const struct model_write *second)
{
    model_write_begin(m, r, first);
    r->twins = true;
    r->twin = *second;
}

void model_twins_end(struct model *m, struct model_table *t, struct model_row *r,
                     enum model_outcome first, enum model_outcome second)
{
    enum model_place place = model_row_place(t, r, r->start);
    const struct model_write *a = &r->write, *b = &r->twin;
    bool cleared = r->clearing || r->clear_end > r->start;
    struct model_set was = r->now;

    if (place == MODEL_ARCHIVED) {
        end_write(m, r);
        return;
    }
    if (place == MODEL_ANYWHERE)
        first = second = MODEL_UNKNOWN;
    r->now.n = 0;
    if (cleared) {
        add(&was, absent);
        add(&r->now, absent);
    }
    for (unsigned i = 0; i < was.n; i++) {
        struct content c = was.may_be[i];

        add(&r->now, effect(effect(c, a), b));
        add(&r->now, effect(effect(c, b), a));
        if (first == MODEL_UNKNOWN || cleared)
            add(&r->now, effect(c, b));
        if (second == MODEL_UNKNOWN || cleared)
            add(&r->now, effect(c, a));
        if (first == MODEL_UNKNOWN && second == MODEL_UNKNOWN)
            add(&r->now, c);
    }
    end_write(m, r);
    r->before_end = r->end; /* who began before saw one of them, or both */
}

void model_clear_begin(struct model *m, struct model_table *t, uint32_t partitions)
{
    ASSERT(!t->clear_partitions);
    t->clear_partitions = partitions;
    t->clear_start = m->now++;
    for (unsigned i = 0; i < CONTENT_ROWS; i++) {
        struct model_row *r = &t->rows[i];

        r->witness = false;
        if (!(partitions >> content_partition(i) & 1))
            continue;
        r->witness = model_row_place(t, r, m->now) == MODEL_ONLINE && !r->busy && r->now.n == 1 &&
                     r->now.may_be[0].version;
        r->clearing = true;
        add(&r->now, absent);
    }
    for (unsigned i = 0; i < CONTENT_PARTITIONS; i++)
        if ((partitions >> i & 1) && t->partitions[i].place != MODEL_ONLINE)
            set_place(m, t, i, MODEL_ANYWHERE);
}

void model_check_cleared(struct model_table *t, const struct content there[CONTENT_ROWS])
{
    unsigned gone = 0, kept = 0;

    for (unsigned i = 0; i < CONTENT_ROWS; i++) {
        gone += t->rows[i].witness && !there[i].version;
        kept += t->rows[i].witness && there[i].version;
        t->rows[i].witness = false;
    }
    if (gone && kept)
        fprintf(stderr, "sim: of rows thrown away together in %s %u are gone and %u there\n",
                t->name, gone, kept);
    ASSERT(!gone || !kept);
}

void model_clear_end(struct model *m, struct model_table *t, enum model_outcome outcome)
{
    for (unsigned i = 0; i < CONTENT_ROWS; i++) {
        struct model_row *r = &t->rows[i];

        if (!r->clearing)
            continue;
        if (outcome == MODEL_DONE && !r->busy && r->end < t->clear_start)
            set_only(&r->now, absent);
        r->clearing = false;
        r->clear_end = m->now;
    }
    for (unsigned i = 0; i < CONTENT_PARTITIONS && outcome == MODEL_DONE; i++)
        if ((t->clear_partitions >> i & 1) && t->partitions[i].place != MODEL_ONLINE)
            set_place(m, t, i, MODEL_ONLINE);
    t->clear_partitions = 0;
    m->now++;
}

void model_move_begin(struct model *m, struct model_table *t, uint32_t partitions)
{
    ASSERT(!t->moving);
    t->moving = partitions;
    for (unsigned i = 0; i < CONTENT_ROWS; i++)
        if (partitions >> content_partition(i) & 1)
            t->rows[i].witness = false;
    for (unsigned i = 0; i < CONTENT_PARTITIONS; i++)
        if (partitions >> i & 1)
            set_place(m, t, i, MODEL_ANYWHERE);
}

void model_move_end(struct model *m, struct model_table *t, enum model_place to,
                    enum model_outcome outcome)
{
    for (unsigned i = 0; i < CONTENT_PARTITIONS && outcome == MODEL_DONE; i++)
        if (t->moving >> i & 1)
            set_place(m, t, i, to);
    t->moving = 0;
}

void model_change_begin(struct model *m, struct model_table *t)
{
    t->state = MODEL_CHANGING;
    t->changed = m->now++;
}

void model_change_end(struct model *m, struct model_table *t, bool there)
{
    t->state = there ? MODEL_THERE : MODEL_GONE;
    t->changed = m->now++;
    t->added = 0;
    if (there)
        return;
    t->generation++;
    reset_rows(t);
}

void model_crash(struct model *m)
{
    for (unsigned i = 0; i < CONTENT_TABLES; i++) {
        if (m->tables[i].clear_partitions)
            model_clear_end(m, &m->tables[i], MODEL_UNKNOWN);
        m->tables[i].moving = 0;
    }
}

static bool is_known(const struct model_table *t, const struct model_row *r, uint64_t since)
{
    return !r->clearing && r->clear_end < since && t->state != MODEL_CHANGING && t->changed < since;
}

bool model_is_stable(const struct model_table *t, const struct model_row *r, uint64_t since)
{
    return !r->busy && r->end < since && is_known(t, r, since) &&
           model_row_place(t, r, since) == MODEL_ONLINE;
}

static bool has_effect(const struct model_set *s, const struct model_write *w, struct content seen)
{
    for (unsigned i = 0; i < s->n; i++)
        if (content_is(effect(s->may_be[i], w), seen))
            return true;
    return false;
}

bool model_may_see(const struct model_table *t, const struct model_row *r, uint64_t since,
                   struct content seen)
{
    if (has(&r->now, seen) || !is_known(t, r, since))
        return true;
    if (!r->busy && r->end < since)
        return false;
    if (r->twins || r->before_end >= since ||
        has(&r->before, seen)) /* two writes at least: unknown */
        return true;
    return has_effect(&r->before, &r->write, seen) || has_effect(&r->now, &r->write, seen);
}

void model_observe(struct model_row *r, struct content seen)
{
    ASSERT(has(&r->now, seen));
    set_only(&r->now, seen);
}

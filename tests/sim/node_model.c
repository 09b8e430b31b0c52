#include "node_model.h"

#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"

static void set_only(struct model_row *r, uint32_t version)
{
    r->may_be[0] = version;
    r->n = 1;
}

static void reset_rows(struct model_table *t)
{
    for (unsigned i = 0; i < MODEL_ROWS; i++)
        set_only(&t->rows[i], MODEL_ABSENT);
}

void model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    m->now = 1;
    for (unsigned i = 0; i < MODEL_TABLES; i++) {
        snprintf(m->tables[i].name, sizeof m->tables[i].name, "t%u", i);
        reset_rows(&m->tables[i]);
    }
}

int64_t model_id(unsigned row)
{
    return (int64_t)row * 1000003 - 50000000;
}

unsigned model_row_of(int64_t id)
{
    int64_t row = (id + 50000000) / 1000003;

    return row >= 0 && row < MODEL_ROWS && model_id((unsigned)row) == id ? (unsigned)row
                                                                         : MODEL_ROWS;
}

bool model_number(uint32_t version, int64_t *v)
{
    *v = (int64_t)(version * 2654435761u % 2001) - 1000;
    return version % 5 != 0;
}

int model_group(uint32_t version, char out[16])
{
    return version % 7 ? snprintf(out, 16, "g%u", version % 11) : -1;
}

unsigned model_group_number(uint32_t version)
{
    return version % 7 ? version % 11 : MODEL_GROUPS - 1;
}

int model_name(uint32_t version, char out[16])
{
    return snprintf(out, 16, "name-%u", version);
}

uint32_t model_new_version(struct model *m, bool whole)
{
    char text[16];
    int64_t v;

    do
        m->next_version++;
    while (whole && (!model_number(m->next_version, &v) || model_group(m->next_version, text) < 0));
    return m->next_version;
}

bool model_may_be(const struct model_row *r, uint32_t version)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->may_be[i] == version)
            return true;
    return false;
}

bool model_is_sure(const struct model_row *r, uint32_t version)
{
    return r->n == 1 && r->may_be[0] == version;
}

static void add(struct model_row *r, uint32_t version)
{
    if (model_may_be(r, version))
        return;
    ASSERT(r->n < MODEL_VERSIONS);
    r->may_be[r->n++] = version;
}

void model_write_begin(struct model *m, struct model_row *r)
{
    ASSERT(!r->busy);
    r->busy = true;
    r->start = m->now++;
}

static uint32_t effect(uint32_t was, enum batch_op op, uint32_t version)
{
    switch (op) {
    case BATCH_INSERT:
    case BATCH_IGNORE:
        return was == MODEL_ABSENT ? version : was;
    case BATCH_UPDATE:
        return was == MODEL_ABSENT ? MODEL_ABSENT : version;
    case BATCH_DELETE:
        return MODEL_ABSENT;
    default:
        return version;
    }
}

void model_write_end(struct model *m, struct model_table *t, struct model_row *r, enum batch_op op,
                     uint32_t version, enum model_outcome outcome)
{
    struct model_row was = *r;

    if (outcome == MODEL_DONE)
        r->n = 0;
    for (unsigned i = 0; i < was.n; i++)
        add(r, effect(was.may_be[i], op, version));
    if (t->truncating || t->truncate_end > r->start)
        add(r, MODEL_ABSENT);
    r->busy = false;
    r->end = m->now++;
}

void model_truncate_begin(struct model *m, struct model_table *t)
{
    ASSERT(!t->truncating);
    t->truncating = true;
    t->truncate_start = m->now++;
    for (unsigned i = 0; i < MODEL_ROWS; i++)
        add(&t->rows[i], MODEL_ABSENT);
}

void model_truncate_end(struct model *m, struct model_table *t, enum model_outcome outcome)
{
    for (unsigned i = 0; i < MODEL_ROWS && outcome == MODEL_DONE; i++)
        if (!t->rows[i].busy && t->rows[i].end < t->truncate_start)
            set_only(&t->rows[i], MODEL_ABSENT);
    t->truncating = false;
    t->truncate_end = m->now++;
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
    if (there)
        return;
    t->generation++;
    reset_rows(t);
}

void model_crash(struct model *m)
{
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        if (m->tables[i].truncating)
            model_truncate_end(m, &m->tables[i], MODEL_UNKNOWN);
}

bool model_is_stable(const struct model_table *t, const struct model_row *r, uint64_t since)
{
    return !r->busy && r->end < since && !t->truncating && t->truncate_end < since &&
           t->state != MODEL_CHANGING && t->changed < since;
}

void model_observe(struct model_row *r, uint32_t version)
{
    ASSERT(model_may_be(r, version));
    set_only(r, version);
}

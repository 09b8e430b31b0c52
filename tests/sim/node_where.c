/* Conditions of queries: what is asked, and what the model says to it. */
#include <stdio.h>
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"

static void choose_range(struct predicate *p, unsigned column, int64_t lo, int64_t hi)
{
    p->kind = PREDICATE_RANGE;
    p->column = (uint16_t)column;
    p->lo = lo;
    p->hi = hi;
}

static void choose_text(struct work_where *w, enum predicate_kind kind, enum content_column column,
                        int len)
{
    w->predicate.kind = kind;
    w->predicate.column = column;
    w->predicate.n = 1;
    w->predicate.strings = &w->text;
    w->text = (struct program_string){w->bytes, (uint32_t)len};
}

/* The whole key: the row is found in the slot's index. */
static void choose_key(struct work_where *w, unsigned table)
{
    choose_range(&w->parts[0], COLUMN_ID, content_id(w->row), content_id(w->row));
    choose_range(&w->parts[1], COLUMN_TS, content_time(w->row), content_time(w->row));
    w->children[0] = &w->parts[0];
    w->children[1] = &w->parts[1];
    w->predicate = w->parts[0];
    if (table == TABLE_DAILY)
        w->predicate = (struct predicate){.kind = PREDICATE_AND, .n = 2, .children = w->children};
}

void work_where_choose(struct work_query *q, struct work_client *c)
{
    struct work_where *w = &q->where;
    struct predicate *p = &w->predicate;
    int64_t v = (int64_t)work_random(c, 2001) - 1000;

    memset(w, 0, sizeof *w);
    w->row = (unsigned)work_random(c, CONTENT_ROWS);
    switch (work_random(c, 12)) {
    case 0:
    case 1:
        choose_range(p, COLUMN_V, v, v + (int64_t)work_random(c, 1000));
        p->negate = work_chance(c, 20);
        break;
    case 2:
        p->kind = PREDICATE_NULL;
        p->column = COLUMN_V;
        p->negate = work_chance(c, 50);
        break;
    case 3:
        choose_text(w, PREDICATE_STRINGS, COLUMN_GRP,
                    content_group((uint32_t)work_random(c, 1000) * 7 + 1, w->bytes));
        p->negate = work_chance(c, 30);
        break;
    case 4:
        choose_range(p, COLUMN_ID, content_id(w->row),
                     content_id((unsigned)work_random(c, CONTENT_ROWS)));
        break;
    case 5:
        choose_key(w, q->table);
        break;
    case 6:
        choose_text(w, PREDICATE_LIKE, COLUMN_NAME,
                    snprintf(w->bytes, sizeof w->bytes, "name-%u%%", (unsigned)work_random(c, 30)));
        break;
    case 7:
        w->tag = (unsigned)work_random(c, CONTENT_TAGS);
        choose_text(w, PREDICATE_STRINGS, COLUMN_TAGS, content_tag_name(w->tag, w->bytes));
        break;
    case 8:
        choose_range(p, COLUMN_TS, content_partition_start(w->row % CONTENT_PARTITIONS),
                     content_time(w->row));
        break;
    case 9:
        choose_range(p, COLUMN_REF, content_id(w->row % 40), content_id(w->row % 40));
        break;
    case 10: /* true for all rows, or for none */
        if (!content_added(q->schema, q->table))
            return;
        choose_range(p, content_added_at(q->table), 0, CONTENT_ADDED_INT);
        p->negate = work_chance(c, 30);
        break;
    default:
        return;
    }
    q->program.where = p;
}

static bool is_in_range(const struct predicate *p, int64_t v)
{
    return (v >= p->lo && v <= p->hi) != p->negate;
}

static bool is_text_true(const struct work_where *w, struct content c)
{
    char text[CONTENT_TEXT];
    int n;

    switch (w->predicate.column) {
    case COLUMN_TAGS:
        return content_has_tag(c.tags, w->tag);
    case COLUMN_GRP:
        n = content_group(c.version, text);
        return n >= 0 && ((uint32_t)n == w->text.len && memcmp(text, w->bytes, (size_t)n) == 0) !=
                             w->predicate.negate;
    default:
        n = content_name(c.version, text);
        return (uint32_t)n + 1 >= w->text.len && memcmp(text, w->bytes, w->text.len - 1) == 0;
    }
}

bool work_where_is_true(const struct work_query *q, unsigned row, struct content c)
{
    const struct predicate *p = q->program.where;
    bool present;
    int64_t v;

    if (!c.version)
        return false;
    if (!p)
        return true;
    if (p->kind == PREDICATE_AND)
        return row == q->where.row;
    if (p->kind == PREDICATE_STRINGS || p->kind == PREDICATE_LIKE)
        return is_text_true(&q->where, c);
    if (p->column >= CONTENT_COLUMNS)
        return !p->negate;
    switch (p->column) {
    case COLUMN_ID:
        return is_in_range(p, content_id(row));
    case COLUMN_TS:
        return is_in_range(p, content_time(row));
    case COLUMN_REF:
        return is_in_range(p, content_ref(c.version));
    default:
        present = content_number(c.version, &v);
        return p->kind == PREDICATE_NULL ? present == p->negate : present && is_in_range(p, v);
    }
}

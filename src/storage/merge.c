#include "storage/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/group_union.h"
#include "storage/partial.h"
#include "storage/topn.h"

struct merge {
    const struct program *program;
    const struct schema *schema;
    struct budget *budget;
    struct partial *groups;    /* OUTPUT_GROUPS */
    struct group_union *whole; /* instead, when all sources have theirs lie where they are read */
    struct topn *rows;         /* ordered: the first of them */
    uint64_t many;             /* bytes of groups that are not added to needlessly */
    uint64_t given, giving;    /* groups below were handed out; are being handed out, 0 = none */
    uint64_t counted;          /* program->count_groups: of those handed out */
    bool ended;                /* the row with the number was given */
};

enum { MERGE_MANY_SHARE = 8 };

int merge_new(const struct program *p, const struct schema *s, struct budget *budget,
              struct merge **out)
{
    struct merge *m = calloc(1, sizeof(*m));
    int rc = 0;

    if (!m)
        return -ENOMEM;
    m->program = p;
    m->schema = s;
    m->budget = budget;
    m->many = program_room(p, budget) / MERGE_MANY_SHARE;
    if (p->output == OUTPUT_GROUPS)
        rc = partial_new(p, s, budget, &m->groups);
    if (!rc && p->n_order)
        rc = topn_new(p, s, budget, &m->rows);
    if (rc) {
        merge_free(m);
        return rc;
    }
    *out = m;
    return 0;
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    partial_free(m->groups);
    group_union_free(m->whole);
    topn_free(m->rows);
    free(m);
}

static int add_error(const struct merge *m, int rc, struct error_info *err)
{
    if (rc == -ENOMEM)
        return error_set(err, rc, 1038,
                         "the result needs more than the statement's memory of %llu MiB",
                         (unsigned long long)(m->program->memory >> 20));
    if (rc)
        return error_set(err, rc, 0, "a partial result has not the columns that were asked for");
    return 0;
}

int merge_add(struct merge *m, const struct batch *b, struct error_info *err)
{
    return add_error(m, m->groups ? partial_add_batch(m->groups, b) : topn_add(m->rows, b), err);
}

/* Of the row that give_count gave. */
static int add_count(struct merge *m, const struct batch *b)
{
    struct batch_column c;

    if (b->columns != 2 || b->rows != 1)
        return -EBADMSG;
    batch_column_at(b, 1, &c);
    m->counted += (uint64_t)batch_i64(&c, 0);
    return 0;
}

int merge_add_share(struct merge *m, const struct batch *b, struct error_info *err)
{
    return add_error(m, m->rows ? topn_add(m->rows, b) : add_count(m, b), err);
}

int merge_add_whole(struct merge *m, const struct group_whole *w)
{
    int rc = m->whole ? 0 : group_union_new(m->program, m->schema, m->budget, &m->whole);

    return rc ? rc : group_union_add(m->whole, w);
}

void merge_share(struct merge *m, unsigned part, unsigned parts)
{
    group_union_share(m->whole, part, parts);
}

/* Groups that HAVING leaves out, and those that cannot be among the first any more, when the first thing they are
 * ordered by is an aggregate. */
static const struct partial_cut *find_cut(const struct merge *m, struct partial_cut *cut)
{
    const struct program *p = m->program;

    cut->has_bound =
        m->rows && p->order[0].output >= p->n_columns && topn_bound_number(m->rows, &cut->bound);
    if (cut->has_bound) {
        cut->aggregate = p->order[0].output - p->n_columns;
        cut->descending = p->order[0].descending;
    }
    return cut->has_bound || p->n_having ? cut : NULL;
}

/* Batches of complete groups: 1, 0 when there are none now, -errno. */
static int next_groups(struct merge *m, uint32_t max_rows, uint64_t least, struct batch *out)
{
    struct partial_cut cut;

    for (;;) {
        if (!m->giving && least <= m->given)
            return 0;
        if (!m->giving)
            m->giving = least;
        int rc = 0;
        if (m->program->count_groups)
            m->counted += partial_count_below(m->groups, m->giving);
        else
            rc = partial_next_below(m->groups, m->giving, max_rows, find_cut(m, &cut), out);
        if (rc)
            return rc;
        rc = partial_drop_below(m->groups, m->giving);
        if (rc)
            return rc;
        m->given = m->giving;
        m->giving = 0;
    }
}

static int next_whole(struct merge *m, uint32_t max_rows, struct batch *out)
{
    struct partial_cut cut;

    return m->program->count_groups ? m->ended ? 0 : group_union_count(m->whole, &m->counted)
                                    : group_union_next(m->whole, max_rows, find_cut(m, &cut), out);
}

/* The row with the number of the groups: the group of NULL, which nothing is added to any more. */
static int give_count(struct merge *m, struct batch *out)
{
    struct aggregate_state n = {.number = (__int128)m->counted, .present = true};
    struct cell null = {.present = false};
    uint32_t group;

    if (m->ended)
        return 0;
    m->ended = true;
    partial_reset(m->groups);
    int rc = partial_group(m->groups, &null, &group);
    if (!rc)
        rc = partial_combine(m->groups, group, 0, &n);
    return rc ? rc : partial_next(m->groups, 1, out);
}

int merge_next(struct merge *m, uint32_t max_rows, uint64_t least, struct batch *out)
{
    int rc = 0;

    if (m->whole && least != MERGE_ALL)
        return 0;
    if (m->groups)
        rc = m->whole ? next_whole(m, max_rows, out) : next_groups(m, max_rows, least, out);
    if (rc == 1 && m->rows) {
        rc = topn_add(m->rows, out);
        return rc ? rc : -EAGAIN;
    }
    if (rc || least != MERGE_ALL)
        return rc;
    return m->rows                    ? topn_next(m->rows, max_rows, out)
           : m->program->count_groups ? give_count(m, out)
                                      : 0;
}

uint64_t merge_below(const struct merge *m)
{
    return m->rows || m->program->count_groups ? 0 : m->given;
}

bool merge_wants(const struct merge *m, uint64_t below, uint64_t least)
{
    if (!m->groups || partial_memory(m->groups) < m->many)
        return true;
    return below == least && !m->giving && least <= m->given;
}

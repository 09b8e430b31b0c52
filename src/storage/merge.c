#include "storage/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/partial.h"
#include "storage/topn.h"

struct merge {
    const struct program *program;
    struct partial *groups; /* OUTPUT_GROUPS */
    struct topn *rows;      /* ordered OUTPUT_ROWS */
    uint64_t many;          /* bytes of groups that are not added to needlessly */
    uint64_t given, giving; /* groups below were handed out; are being handed out, 0 = none */
};

enum { MERGE_MANY_SHARE = 8 };

int merge_new(const struct program *p, const struct schema *s, struct budget *budget,
              struct merge **out)
{
    struct merge *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->program = p;
    m->many = program_room(p, budget) / MERGE_MANY_SHARE;
    int rc = p->output == OUTPUT_GROUPS ? partial_new(p, s, budget, &m->groups)
                                        : topn_new(p, s, budget, &m->rows);
    if (rc) {
        free(m);
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
    topn_free(m->rows);
    free(m);
}

int merge_add(struct merge *m, const struct batch *b, struct error_info *err)
{
    int rc = m->groups ? partial_add_batch(m->groups, b) : topn_add(m->rows, b);

    if (rc == -ENOMEM)
        return error_set(err, rc, 1038,
                         "the result needs more than the statement's memory of %llu MiB",
                         (unsigned long long)(m->program->memory >> 20));
    if (rc)
        return error_set(err, rc, 0, "a partial result has not the columns that were asked for");
    return 0;
}

int merge_next(struct merge *m, uint32_t max_rows, uint64_t least, struct batch *out)
{
    if (!m->groups)
        return least == MERGE_ALL ? topn_next(m->rows, max_rows, out) : 0;
    for (;;) {
        if (!m->giving && least <= m->given)
            return 0;
        if (!m->giving)
            m->giving = least;
        int rc = partial_next_below(m->groups, m->giving, max_rows, out);
        if (rc)
            return rc;
        rc = partial_drop_below(m->groups, m->giving);
        if (rc)
            return rc;
        m->given = m->giving;
        m->giving = 0;
    }
}

uint64_t merge_below(const struct merge *m)
{
    return m->given;
}

bool merge_wants(const struct merge *m, uint64_t below, uint64_t least)
{
    if (!m->groups || partial_memory(m->groups) < m->many)
        return true;
    return below == least && !m->giving && least <= m->given;
}

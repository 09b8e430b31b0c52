#include "storage/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/partial.h"
#include "storage/topn.h"

struct merge {
    const struct program *program;
    struct partial *groups; /* OUTPUT_GROUPS */
    struct topn *rows;      /* ordered OUTPUT_ROWS */
};

int merge_new(const struct program *p, const struct schema *s, struct budget *budget,
              struct merge **out)
{
    struct merge *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->program = p;
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

int merge_next(struct merge *m, uint32_t max_rows, struct batch *out)
{
    return m->groups ? partial_next(m->groups, max_rows, out) : topn_next(m->rows, max_rows, out);
}

/* UPDATE and DELETE by a condition: the rows are read, then changed by their keys, as the gateway does it. */
#include <string.h>

#include "node_work.h"
#include "reactor/assert.h"
#include "reactor/list.h"

/* Those of this client: nobody else changes them meanwhile. */
static void take_rows(struct work_client *c, struct work_write *w)
{
    const struct work_query *q = &c->query;

    w->n = 0;
    for (unsigned row = c->index; row < CONTENT_ROWS && w->n < WORK_BATCH_ROWS;
         row += WORK_WRITERS) {
        const struct model_row *r = &c->work->model.tables[w->table].rows[row];

        if (!q->seen[row].version || r->now.n > MODEL_UNSURE)
            continue;
        w->hidden[w->n] = q->hidden[row];
        w->rows[w->n++] = row;
    }
}

static void found(struct work_query *q)
{
    struct work_client *c = container_of(q, struct work_client, query);
    struct work_write *w = &c->now;
    const struct model_table *t = &c->work->model.tables[w->table];
    struct schema *s = NULL;

    /* Hidden keys are of the table that was read. */
    if (q->complete && t->generation == q->generation && t->state == MODEL_THERE) {
        take_rows(c, w);
        s = w->n ? work_find(c->work, c->reactor, w->table) : NULL;
    }
    if (s)
        work_write_send(c, s);
    else
        work_next(c);
}

bool work_change_where(struct work_client *c, unsigned table, enum batch_op op)
{
    struct work *work = c->work;
    struct work_query *q = &c->query;
    struct work_write *w = &c->now;
    struct schema *s = work_find(work, c->reactor, table);

    if (!s)
        return false;
    work->counts.kinds[op == BATCH_DELETE ? WORK_DELETE_WHERE : WORK_UPDATE_WHERE]++;
    w->write = (struct model_write){.op = op};
    if (op == BATCH_UPDATE)
        w->write.version = model_new_version(&work->model, false);
    w->check_first = w->timeless = false;
    memset(q, 0, sizeof *q);
    q->work = work;
    q->schema = s;
    q->table = table;
    q->ended = found;
    work_where_choose(q, c);
    work_query_start(q, c->reactor, NULL, READ_ROWS);
    return true;
}

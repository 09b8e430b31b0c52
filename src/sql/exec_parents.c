/*
 * Parents of a scan: one plan after the other is run to its end, its rows become a batch with the
 * key first, which goes to the cores with the program.
 */
#include <errno.h>
#include <string.h>

#include "sql/exec.h"
#include "storage/batch_builder.h"

/* Of all joins of a scan: a program with them is one message of at most 64 MiB to a node. */
enum { PARENTS_BYTES = 56 << 20 };

/* Owner: the statement, in its arena. */
struct exec_parents {
    struct program_join joins[PROGRAM_MAX_JOINS];
    uint16_t n;   /* joins whose parents are there */
    size_t bytes; /* of these */
    struct exec_op *op;
    struct batch_builder *builder;
    bool none; /* an inner join has no parents: no row matches */
};

static int64_t canonical(const struct datum *d, const struct column *c)
{
    switch (d->kind) {
    case DATUM_DECIMAL:
        return (int64_t)d->dec;
    case DATUM_DATETIME:
        return d->i / (c->scale == 0 ? 1000000 : c->scale == 3 ? 1000 : 1);
    default:
        return d->i;
    }
}

static int put_cell(struct batch_builder *b, unsigned at, const struct datum *d,
                    const struct column *c)
{
    if (d->kind == DATUM_NULL)
        return 0;
    return d->kind == DATUM_STRING ? batch_builder_put_bytes(b, at, d->s, d->len)
                                   : batch_builder_put_i64(b, at, canonical(d, c));
}

static int put_rows(struct batch_builder *b, const struct plan_parent *p, const struct rowset *in)
{
    int rc = 0;

    for (uint32_t i = 0; i < in->rows && !rc; i++) {
        const struct datum *row = rowset_row(in, i);
        rc = put_cell(b, 0, &row[p->key_cell], p->key);
        for (uint16_t k = 0; k < p->n_attributes && !rc; k++)
            rc = put_cell(b, k + 1u, &row[p->attributes[k].cell], p->attributes[k].column);
        if (!rc)
            rc = batch_builder_end_row(b);
    }
    return rc;
}

static bool begin(struct exec_op *op, struct exec_parents *s, const struct plan_parent *p)
{
    s->op = exec_open(op->x, p->plan);
    if (!s->op)
        return false;
    s->builder = batch_builder_new(op->x->budget);
    bool ok = s->builder != NULL;
    for (uint16_t k = 0; k <= p->n_attributes && ok; k++) {
        const struct column *c = k ? p->attributes[k - 1].column : p->key;
        enum batch_kind kind = c->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
        ok = batch_builder_add_column(s->builder, k, kind, 0) >= 0;
    }
    return ok || exec_no_memory(op->x, "The join") != EXEC_ERROR;
}

/* The rows at hand as a batch in the statement's arena. */
static int finish(struct exec_op *op, struct exec_parents *s, struct program_join *j)
{
    struct buffer out;
    struct error_info err = {0};
    struct batch *batch = arena_alloc(op->x->arena, sizeof *batch);

    buffer_init(&out, BATCH_MAX_BYTES);
    int rc =
        batch ? batch_builder_finish(s->builder, BATCH_DATA, 0, BATCH_SLOT_ANY, &out) : -ENOMEM;
    if (!rc && out.len > PARENTS_BYTES - s->bytes)
        rc = -E2BIG;
    char *bytes = rc ? NULL : arena_alloc(op->x->arena, out.len);
    if (!rc && !bytes)
        rc = -ENOMEM;
    if (!rc) {
        memcpy(bytes, out.data, out.len);
        s->bytes += out.len;
        rc = batch_open(bytes, out.len, batch, &err);
    }
    buffer_fini(&out);
    j->parents = batch;
    return rc;
}

static enum exec_state too_many(struct exec_op *op, const struct plan_parent *p)
{
    op->x->too_large_for_cores = true;
    mysql_error_set_text(op->x->error, 1038,
                         "The rows of table %s for the join are more than the %d MiB or %d rows "
                         "that go to the cores, or than the statement may use",
                         plan_parent_scan(p)->schema->name, PARENTS_BYTES >> 20, BATCH_MAX_ROWS);
    return EXEC_ERROR;
}

static enum exec_state collect_one(struct exec_op *op, struct exec_parents *s)
{
    const struct plan_parent *p = &op->plan->u.scan.parents[s->n];
    struct program_join *j = &s->joins[s->n];
    struct rowset in;

    if (!s->op && !begin(op, s, p))
        return EXEC_ERROR;
    for (;;) {
        enum exec_state state = exec_next(s->op, &in);
        if (state == EXEC_END)
            break;
        if (state != EXEC_ROWS)
            return state;
        if (put_rows(s->builder, p, &in) || batch_builder_rows(s->builder) > BATCH_MAX_ROWS)
            return too_many(op, p);
        if (exec_yield(op->x))
            return EXEC_PENDING;
    }
    s->none |= !p->left && batch_builder_rows(s->builder) == 0;
    j->column = p->column;
    j->left = p->left;
    int rc = finish(op, s, j);
    exec_parents_close(op);
    if (rc)
        return too_many(op, p);
    s->n++;
    return EXEC_END;
}

enum exec_state exec_parents_collect(struct exec_op *op)
{
    struct exec_parents *s = op->parents;

    if (!s && !(s = op->parents = arena_alloc(op->x->arena, sizeof *s)))
        return exec_no_memory(op->x, "The join");
    while (s->n < op->plan->u.scan.n_parents) {
        enum exec_state state = collect_one(op, s);
        if (state != EXEC_END)
            return state;
    }
    return EXEC_END;
}

void exec_parents_join(struct exec_op *op, struct program *p)
{
    static const struct predicate no_row = {.kind = PREDICATE_FALSE};

    p->joins = op->parents->joins;
    p->n_joins = op->parents->n;
    if (op->parents->none)
        p->where = &no_row;
}

void exec_parents_close(struct exec_op *op)
{
    struct exec_parents *s = op->parents;

    if (!s)
        return;
    exec_close(s->op);
    batch_builder_free(s->builder);
    s->op = NULL;
    s->builder = NULL;
}

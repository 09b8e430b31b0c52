/*
 * Parents of a scan: one plan after the other is run to its end, its rows become a batch with the
 * key first, which goes to the cores with the program. Texts become codes as they come, so that
 * each core reads a value once.
 */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/exec.h"
#include "storage/batch.h"
#include "storage/text_codes.h"

/* Of all joins of a scan: a program with them is one message of at most 64 MiB to a node. */
enum { PARENTS_BYTES = 56 << 20 };

enum { KNOWN_TEXTS = 2048 }; /* values of a batch that are remembered by their codes */

/* Owner: the statement, in its arena. */
struct exec_parents {
    struct program_join joins[PROGRAM_MAX_JOINS];
    uint16_t n;   /* joins whose parents are there */
    size_t bytes; /* of these */
    struct exec_op *op;
    struct batch_builder *builder;
    struct text_codes **texts; /* by column of the parents at hand; NULL = integers */
    unsigned n_columns;
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

static const struct column *column_at(const struct plan_parent *p, unsigned i)
{
    return i ? p->attributes[i - 1].column : p->key;
}

static int put_integers(struct batch_builder *b, unsigned i, const struct column *c,
                        const struct datum *cell, const struct rowset *in, const uint64_t *presence)
{
    int64_t v[ROWSET_ROWS];

    for (uint32_t row = 0; row < in->rows; row++, cell += in->width)
        v[row] = cell->kind == DATUM_NULL ? 0 : canonical(cell, c);
    return batch_builder_put_i64s(b, i, v, presence, in->rows);
}

static int put_strings(struct exec_parents *s, unsigned i, const struct datum *cell,
                       const struct rowset *in, const uint64_t *presence)
{
    uint32_t codes[ROWSET_ROWS] = {0};
    int rc = 0;

    for (uint32_t row = 0; row < in->rows && !rc; row++, cell += in->width)
        if (cell->kind != DATUM_NULL)
            rc = text_codes_put(s->texts[i], cell->s, (uint32_t)cell->len, &codes[row]);
    return rc ? rc : batch_builder_append_codes(s->builder, i, codes, presence, in->rows);
}

/* Rows that went through a filter. */
static int put_rows(struct exec_parents *s, const struct plan_parent *p, const struct rowset *in)
{
    int rc = 0;

    for (unsigned i = 0; i <= p->n_attributes && !rc; i++) {
        const struct datum *cell = in->cells + (i ? p->attributes[i - 1].cell : p->key_cell);
        uint64_t presence[ROWSET_ROWS / 64] = {0};
        for (uint32_t row = 0; row < in->rows; row++)
            presence[row / 64] |= (uint64_t)(cell[(size_t)row * in->width].kind != DATUM_NULL)
                                  << row % 64;
        rc = s->texts[i] ? put_strings(s, i, cell, in, presence)
                         : put_integers(s->builder, i, column_at(p, i), cell, in, presence);
    }
    return rc ? rc : batch_builder_end_rows(s->builder, in->rows);
}

/* The column of the scan's answers for a column of the parents. */
static unsigned answer_column(const struct plan_parent *p, unsigned i)
{
    const struct plan_scan *scan = &p->plan->u.scan;
    uint32_t cell = i ? p->attributes[i - 1].cell : p->key_cell;
    unsigned k = 0;

    while (scan->cells[k] != cell) {
        k++;
        ASSERT(k < scan->n_columns);
    }
    return k;
}

/* Texts that came with codes: each is looked up once, and only if a row has it. */
static int read_codes(struct text_codes *texts, const struct batch_column *c,
                      const struct exec_piece *in, uint32_t *codes)
{
    uint32_t known[KNOWN_TEXTS], len;
    int rc = 0;

    memset(known, 0xff, c->n_values * sizeof(*known));
    batch_read_codes(c, in->from, in->n, codes);
    for (uint32_t row = 0; row < in->n && !rc; row++) {
        uint32_t *code = &known[codes[row]];
        if (*code == UINT32_MAX && batch_is_present(c, in->from + row)) {
            const char *text = batch_value(c, codes[row], &len);
            rc = text_codes_put(texts, text, len, code);
        }
        codes[row] = *code;
    }
    return rc;
}

static int read_texts(struct text_codes *texts, const struct batch_column *c,
                      const struct exec_piece *in, uint32_t *codes)
{
    uint32_t len;
    int rc = 0;

    for (uint32_t row = 0; row < in->n && !rc; row++)
        if (batch_is_present(c, in->from + row)) {
            const char *text = batch_bytes(c, in->from + row, &len);
            rc = text_codes_put(texts, text, len, &codes[row]);
        }
    return rc;
}

static int put_column(struct exec_parents *s, unsigned i, const struct batch_column *c,
                      const struct exec_piece *in)
{
    const uint64_t *presence = c->presence ? c->presence + in->from / 64 : NULL;
    uint32_t codes[ROWSET_ROWS] = {0};
    int64_t v[ROWSET_ROWS];

    if (c->kind != (s->texts[i] ? BATCH_BYTES : BATCH_I64))
        return -EPROTO;
    if (!s->texts[i]) {
        batch_read_i64(c, in->from, in->n, v);
        return batch_builder_put_i64s(s->builder, i, v, presence, in->n);
    }
    int rc = c->codes && c->n_values <= KNOWN_TEXTS ? read_codes(s->texts[i], c, in, codes)
                                                    : read_texts(s->texts[i], c, in, codes);
    return rc ? rc : batch_builder_append_codes(s->builder, i, codes, presence, in->n);
}

/* Rows as the cores answered them: column by column, without cells. */
static int put_piece(struct exec_parents *s, const struct plan_parent *p,
                     const struct exec_piece *in)
{
    int rc = 0;

    for (unsigned i = 0; i <= p->n_attributes && !rc; i++) {
        struct batch_column c;
        batch_column_at(in->batch, answer_column(p, i), &c);
        rc = put_column(s, i, &c, in);
    }
    return rc ? rc : batch_builder_end_rows(s->builder, in->n);
}

/* Texts of column i get codes of a dictionary of its own. */
static bool begin_texts(struct exec_op *op, struct exec_parents *s, unsigned i)
{
    struct dict *d = dict_new(DICT_BYTES, 0, op->x->budget);

    s->texts[i] = d ? arena_alloc(op->x->arena, sizeof *s->texts[i]) : NULL;
    if (s->texts[i])
        text_codes_init(s->texts[i], d);
    else
        dict_free(d);
    return s->texts[i] != NULL;
}

static bool begin(struct exec_op *op, struct exec_parents *s, const struct plan_parent *p)
{
    s->op = exec_open(op->x, p->plan);
    if (!s->op)
        return false;
    s->builder = batch_builder_new(op->x->budget);
    s->n_columns = p->n_attributes + 1u;
    s->texts = arena_alloc(op->x->arena, s->n_columns * sizeof(struct text_codes *));
    bool ok = s->builder && s->texts;
    for (uint16_t k = 0; k < s->n_columns && ok; k++) {
        enum batch_kind kind = column_at(p, k)->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
        ok = batch_builder_add_column(s->builder, k, kind, 0) >= 0 &&
             (kind != BATCH_BYTES || begin_texts(op, s, k));
    }
    return ok || exec_no_memory(op->x, "The join") != EXEC_ERROR;
}

/* The rows at hand as a batch in the statement's arena. */
static int finish(struct exec_op *op, struct exec_parents *s, struct program_join *j)
{
    struct buffer out;
    struct batch *batch = arena_alloc(op->x->arena, sizeof *batch);

    buffer_init(&out, BATCH_MAX_BYTES);
    int rc = batch ? 0 : -ENOMEM;
    for (unsigned i = 0; i < s->n_columns && !rc; i++)
        if (s->texts[i])
            rc = batch_builder_set_values(s->builder, i, s->texts[i]->dict);
    if (!rc)
        rc = batch_builder_finish(s->builder, BATCH_DATA, 0, BATCH_SLOT_ANY, &out);
    if (!rc && out.len > PARENTS_BYTES - s->bytes)
        rc = -E2BIG;
    char *bytes = rc ? NULL : arena_alloc_raw(op->x->arena, out.len);
    if (!rc && !bytes)
        rc = -ENOMEM;
    if (!rc) {
        memcpy(bytes, out.data, out.len);
        s->bytes += out.len;
        batch_open_trusted(bytes, batch);
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

/* Some more of the parents' rows: ROWS, or what exec_next says. */
static enum exec_state collect_some(struct exec_op *op, struct exec_parents *s,
                                    const struct plan_parent *p)
{
    struct exec_piece piece;
    struct rowset in;
    bool whole = p->plan->kind == PLAN_SCAN;
    enum exec_state state = whole ? exec_scan_next_piece(s->op, &piece) : exec_next(s->op, &in);

    if (state != EXEC_ROWS)
        return state;
    int rc = whole ? put_piece(s, p, &piece) : put_rows(s, p, &in);
    if (rc == -EPROTO) {
        mysql_error_set_text(op->x->error, 1105, "A column of table %s came as another kind",
                             plan_parent_scan(p)->schema->name);
        return EXEC_ERROR;
    }
    return rc ? too_many(op, p) : EXEC_ROWS;
}

static enum exec_state collect_one(struct exec_op *op, struct exec_parents *s)
{
    const struct plan_parent *p = &op->plan->u.scan.parents[s->n];
    struct program_join *j = &s->joins[s->n];

    if (!s->op && !begin(op, s, p))
        return EXEC_ERROR;
    for (;;) {
        enum exec_state state = collect_some(op, s, p);
        if (state == EXEC_END)
            break;
        if (state != EXEC_ROWS)
            return state;
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

size_t exec_parents_bytes(const struct exec_op *op)
{
    return op->parents ? op->parents->bytes : 0;
}

void exec_parents_close(struct exec_op *op)
{
    struct exec_parents *s = op->parents;

    if (!s)
        return;
    exec_close(s->op);
    batch_builder_free(s->builder);
    for (unsigned i = 0; i < s->n_columns && s->texts; i++)
        if (s->texts[i])
            dict_free(s->texts[i]->dict);
    s->op = NULL;
    s->builder = NULL;
    s->n_columns = 0;
}

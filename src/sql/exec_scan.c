/* Scans: a shard program run by the cluster, its batches turned into rowsets. */
#include <stddef.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/infoschema.h"

struct cell_reader {
    struct batch_column view;
    enum column_type type;
    uint8_t scale;
    char delim;
};

/* State of a scan. Lives in the statement's arena until its query has closed. */
struct scan_exec {
    struct exec *x;
    struct program program;
    struct cluster_query query;
    struct datum *cells;
    struct cell_reader *columns;
    uint32_t row; /* next row of the batch */
    bool started, arrived, has_batch, ended, closed;
    struct exec_op *op; /* NULL once the operator is gone */
    struct exec_scan_stats *kept;
};

static void on_next(struct cluster_query *q)
{
    struct scan_exec *s = q->ctx;

    s->arrived = true;
    if (s->op)
        exec_wake(s->x);
}

static void on_closed(struct cluster_query *q)
{
    struct scan_exec *s = q->ctx;
    struct exec *x = s->x;

    x->open_queries--;
    if (x->open_queries == 0)
        exec_wake(x);
}

/* What the statement may still take if its core has it; the core is asked as it is taken, and lets columns go for it. */
static uint64_t scan_memory(const struct budget *b)
{
    uint64_t room = b && b->limit > b->used ? b->limit - b->used : 0;

    return b && b->parent && b->parent->limit && b->parent->limit < room ? b->parent->limit : room;
}

static bool build_program(struct exec_op *op, struct scan_exec *s)
{
    const struct plan_scan *scan = &op->plan->u.scan;
    struct program *p = &s->program;

    p->table_id = scan->schema->table_id;
    p->catalog_version = scan->schema->version;
    if (!plan_scan_predicate(op->x->arena, scan, &p->where)) {
        exec_no_memory(op->x, "The condition");
        return false;
    }
    if (scan->n_parents)
        exec_parents_join(op, p);
    if (op->x->reducers && !exec_reduce_program(op, p)) {
        exec_no_memory(op->x, "The join");
        return false;
    }
    if (!plan_scan_having(op->x->arena, scan, &p->having, &p->n_having)) {
        exec_no_memory(op->x, "The condition");
        return false;
    }
    p->output = scan->output;
    p->n_columns = scan->n_columns;
    p->columns = scan->columns;
    if (scan->computed) {
        p->n_computed = scan->computed->n;
        p->computed = scan->computed->list;
    }
    p->n_aggregates = scan->n_aggregates;
    p->aggregates = scan->aggregates;
    p->n_order = scan->n_order;
    p->order = scan->order;
    p->limit = scan->limit;
    p->counted = scan->counted;
    p->count_groups = scan->count_groups;
    p->memory = scan_memory(op->x->budget);
    p->analyze = op->x->analyze;
    return true;
}

static bool scan_open(struct exec_op *op)
{
    struct exec *x = op->x;
    struct scan_exec *s = arena_alloc(x->arena, sizeof *s);
    uint32_t width = op->plan->width;

    if (!s) {
        exec_no_memory(x, "The query");
        return false;
    }
    s->columns = arena_alloc(&op->arena, (width + 1) * sizeof *s->columns);
    if (!s->columns || !build_program(op, s))
        return false;
    op->state = s;
    s->op = op;
    s->x = x;
    s->query.program = &s->program;
    s->query.schema = op->plan->u.scan.schema;
    s->query.deadline_ns = x->deadline_ns;
    s->query.on_next = on_next;
    s->query.on_closed = on_closed;
    s->query.ctx = s;
    s->started = true;
    x->open_queries++;
    cluster_query_start(x->cluster, &s->query);
    cluster_query_next(&s->query);
    return true;
}

/* Type and scale of output column i. */
static void column_meaning(const struct plan_scan *scan, uint32_t i, struct cell_reader *r)
{
    const struct column *c;

    if (scan->counted) { /* canonical integers, and how many */
        r->type = COLUMN_INT;
        return;
    }
    if (i < scan->n_columns) {
        c = plan_scan_column(scan, scan->columns[i]);
        r->delim = c->layout == LAYOUT_LIST ? (c->delim ? c->delim : ',') : 0;
    } else {
        const struct aggregate *a = &scan->aggregates[i - scan->n_columns];
        if (a->kind == AGGREGATE_COUNT_ROWS || a->kind == AGGREGATE_COUNT) {
            r->type = COLUMN_INT;
            return;
        }
        c = plan_scan_column(scan, a->column);
    }
    r->type = c->type;
    r->scale = c->scale;
}

/* Columns of a batch. */
static uint32_t outputs(const struct exec_op *op)
{
    const struct plan_scan *scan = &op->plan->u.scan;

    return scan->n_columns + (scan->output == OUTPUT_GROUPS ? scan->n_aggregates : 0u) +
           scan->counted;
}

static void open_batch(struct exec_op *op, struct scan_exec *s)
{
    for (uint32_t i = 0; i < outputs(op); i++) {
        batch_column_at(&s->query.batch, i, &s->columns[i].view);
        column_meaning(&op->plan->u.scan, i, &s->columns[i]);
    }
    s->row = 0;
    s->has_batch = true;
}

/* A multi-valued cell: its values joined by the delimiter, in insertion order. */
static bool read_list(struct exec_op *op, const struct cell_reader *r, uint32_t row,
                      struct datum *out)
{
    uint32_t n = batch_list_count(&r->view, row), len;
    size_t total = 0, at = 0;

    for (uint32_t i = 0; i < n; i++) {
        batch_list_item(&r->view, row, i, &len);
        total += len + 1u;
    }
    char *p = arena_alloc(&op->scratch, total + 1);
    if (!p)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const char *item = batch_list_item(&r->view, row, i, &len);
        if (i)
            p[at++] = r->delim;
        memcpy(p + at, item, len);
        at += len;
    }
    datum_set_string(out, p, at);
    return true;
}

static bool read_cell(struct exec_op *op, const struct cell_reader *r, uint32_t row,
                      struct datum *out)
{
    uint32_t len;
    const char *s;

    if (!batch_is_present(&r->view, row)) {
        datum_set_null(out);
        return true;
    }
    switch (r->view.kind) {
    case BATCH_BYTES:
        s = batch_bytes(&r->view, row, &len);
        datum_set_string(out, s, len);
        return true;
    case BATCH_LIST:
        return read_list(op, r, row, out);
    case BATCH_I128:
        datum_set_decimal(out, batch_i128(&r->view, row), r->type == COLUMN_DECIMAL ? r->scale : 0);
        return true;
    case BATCH_F64:
        datum_set_double(out, batch_f64(&r->view, row));
        return true;
    default: {
        int64_t v = batch_i64(&r->view, row);
        switch (r->type) {
        case COLUMN_DECIMAL:
            datum_set_decimal(out, v, r->scale);
            return true;
        case COLUMN_DATE:
            datum_set_temporal(out, DATUM_DATE, v);
            return true;
        case COLUMN_DATETIME:
            datum_set_temporal(out, DATUM_DATETIME,
                               r->scale == 0   ? v * 1000000
                               : r->scale == 3 ? v * 1000
                                               : v);
            return true;
        default:
            datum_set_int(out, v);
            return true;
        }
    }
    }
}

/* Column by column, so that each is read in a tight loop. */
static bool read_rows(struct exec_op *op, struct scan_exec *s, struct rowset *out)
{
    uint32_t width = op->plan->width, left = s->query.batch.rows - s->row;
    uint32_t n = left < ROWSET_ROWS ? left : ROWSET_ROWS;

    arena_reset(&op->scratch);
    if (!exec_cells_for(op, &s->cells, n, width))
        return false;
    for (uint32_t c = 0; c < outputs(op); c++) {
        struct datum *cell = s->cells + (op->plan->u.scan.cells ? op->plan->u.scan.cells[c] : c);
        for (uint32_t i = 0; i < n; i++, cell += width)
            if (!read_cell(op, &s->columns[c], s->row + i, cell))
                return exec_no_memory(op->x, "The query") != EXEC_ERROR;
    }
    s->row += n;
    *out = (struct rowset){.cells = s->cells, .rows = n, .width = width};
    return true;
}

/* At every answer: who reads the scan may need no more of it. */
static void keep_stats(struct exec_op *op, struct scan_exec *s)
{
    struct exec_scan_stats *k = s->kept;

    if (k && k->n_legs == s->query.n_stats)
        memcpy(k->legs, s->query.stats, k->n_legs * sizeof *k->legs);
    if (k || !s->query.n_stats || op->x->n_stats >= EXEC_MAX_STEPS ||
        !(k = arena_alloc(op->x->arena, sizeof *k)) ||
        !(k->legs = arena_alloc(op->x->arena, s->query.n_stats * sizeof *k->legs)))
        return;
    memcpy(k->legs, s->query.stats, s->query.n_stats * sizeof *k->legs);
    k->n_legs = s->query.n_stats;
    s->kept = k;
    k->plan_id = op->plan->id;
    k->program = &s->program;
    k->next = op->x->stats;
    op->x->stats = k;
    op->x->n_stats++;
}

static enum exec_state take_result(struct exec_op *op, struct scan_exec *s)
{
    s->arrived = false;
    if (op->x->analyze)
        keep_stats(op, s);
    switch (s->query.state) {
    case CLUSTER_BATCH:
        if (s->query.batch.columns < outputs(op)) {
            mysql_error_set_text(op->x->error, 1105, "A result batch has %u columns instead of %u",
                                 (unsigned)s->query.batch.columns, (unsigned)outputs(op));
            return EXEC_ERROR;
        }
        open_batch(op, s);
        return EXEC_ROWS;
    case CLUSTER_END:
        s->ended = true;
        return EXEC_END;
    default:
        /* Its parents may be what a core has not the memory for; the gateway knows larger numbers. */
        op->x->too_large_for_cores |=
            (s->query.error.code == 1038 && s->program.n_joins) ||
            (s->query.error.code == PROGRAM_OUT_OF_RANGE && op->plan->u.scan.computed);
        mysql_error_set_text(op->x->error,
                             s->query.error.code ? (unsigned)s->query.error.code : 1105, "%s",
                             s->query.error.text);
        return EXEC_ERROR;
    }
}

/* To where rows of a batch are at hand: ROWS. */
static enum exec_state to_rows(struct exec_op *op)
{
    struct scan_exec *s = op->state;

    if (!s) {
        enum exec_state parents = op->plan->u.scan.n_parents ? exec_parents_collect(op) : EXEC_END;
        if (parents != EXEC_END)
            return parents;
        if (!scan_open(op))
            return EXEC_ERROR;
        s = op->state;
    }
    for (;;) {
        if (s->ended)
            return EXEC_END;
        if (s->has_batch) {
            if (s->row < s->query.batch.rows)
                return EXEC_ROWS;
            s->has_batch = false;
            cluster_query_next(&s->query);
        }
        if (!s->arrived)
            return EXEC_PENDING;
        enum exec_state r = take_result(op, s);
        if (r != EXEC_ROWS)
            return r;
    }
}

enum exec_state exec_scan_next(struct exec_op *op, struct rowset *out)
{
    enum exec_state state = to_rows(op);

    if (state != EXEC_ROWS)
        return state;
    return read_rows(op, op->state, out) ? EXEC_ROWS : EXEC_ERROR;
}

enum exec_state exec_scan_next_piece(struct exec_op *op, struct exec_piece *out)
{
    exec_note_call(op);
    enum exec_state state = op->x->error->code ? EXEC_ERROR : to_rows(op);
    struct scan_exec *s = op->state;

    if (state == EXEC_ERROR && !op->x->error->code)
        return exec_no_memory(op->x, "The query");
    if (state != EXEC_ROWS)
        return state;
    uint32_t left = s->query.batch.rows - s->row;
    *out = (struct exec_piece){&s->query.batch, s->row, left < ROWSET_ROWS ? left : ROWSET_ROWS};
    s->row += out->n;
    exec_count_rows(op, out->n);
    return EXEC_ROWS;
}

void exec_scan_close(struct exec_op *op)
{
    struct scan_exec *s = op->state;

    exec_parents_close(op);
    if (!s || !s->started || s->closed)
        return;
    s->closed = true;
    s->op = NULL;
    cluster_query_close(&s->query);
}

/* ---- information_schema ---- */

struct virtual_state {
    struct infoschema_rows rows;
    uint32_t next;
    struct datum *cells;
    bool filled;
};

enum exec_state exec_virtual_next(struct exec_op *op, struct rowset *out)
{
    struct virtual_state *s = op->state;
    const struct infoschema_table *t = op->plan->u.virtual_.table;
    uint32_t width = op->plan->width, n = 0;

    if (!s) {
        s = op->state = arena_alloc(op->x->arena, sizeof *s);
        if (!s || !(s->cells = exec_cells(op, width)))
            return exec_no_memory(op->x, "The query");
        s->rows.exec = op->x;
        s->rows.table = t;
        s->rows.wanted = op->plan->u.virtual_.columns;
        s->rows.n_wanted = width;
    }
    if (!s->filled) {
        bool failed = false;
        if (t->gather && !t->gather(op->x, &s->rows, &failed))
            return EXEC_PENDING;
        if (failed)
            return EXEC_ERROR;
        if (t->fill(op->x, &s->rows) != 0)
            return exec_no_memory(op->x, "information_schema");
        s->filled = true;
    }
    for (; n < ROWSET_ROWS && s->next < s->rows.n_rows; n++, s->next++)
        for (uint32_t c = 0; c < width; c++)
            s->cells[(size_t)n * width + c] =
                s->rows.cells[(size_t)s->next * t->n_columns + op->plan->u.virtual_.columns[c]];
    *out = (struct rowset){.cells = s->cells, .rows = n, .width = width};
    return n ? EXEC_ROWS : EXEC_END;
}

/*
 * INSERT ... ON DUPLICATE KEY UPDATE. A batch of rows is taken, the rows with their keys are looked
 * up, each row becomes an insertion or a change of what is there (or of what this statement is
 * about to insert), then both batches are written.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/dml_assign.h"
#include "sql/dml_insert.h"

enum { BATCH_ROWS = 4096 };

enum stage { TAKE, LOOK_UP, APPLY, INSERT, UPDATE };

/* A row by its key: in the table, or to be inserted. Lives in the batch's arena. */
struct entry {
    struct entry *next;
    uint64_t hash;
    bool is_new, changed;
    struct datum *cells; /* n_columns of the row; after them room for the row of VALUES */
};

struct duplicate {
    struct insert *x;
    enum stage stage;
    struct bound_select *sel;
    struct dml_assign *assigns;
    uint16_t n_assigns;
    uint16_t key[SCHEMA_MAX_KEY_COLUMNS]; /* cells of the key */
    unsigned n_key;
    struct arena arena; /* of the batch */
    struct datum **rows;
    uint32_t n_rows;
    bool ended;
    struct entry **buckets;
    struct dml_writer update;
    uint64_t inserted, changed, unchanged;
    bool writing;
};

static uint64_t key_hash(const struct duplicate *d, const struct datum *cells)
{
    uint64_t h = 1;

    for (unsigned i = 0; i < d->n_key; i++)
        h = datum_hash(&cells[d->key[i]], h);
    return h;
}

static struct entry *find_entry(const struct duplicate *d, const struct datum *cells, uint64_t hash)
{
    for (struct entry *e = d->buckets[hash % (2 * BATCH_ROWS)]; e; e = e->next) {
        bool same = e->hash == hash;
        for (unsigned i = 0; i < d->n_key && same; i++)
            same = datum_is_same(&e->cells[d->key[i]], &cells[d->key[i]]);
        if (same)
            return e;
    }
    return NULL;
}

static struct entry *add_entry(struct duplicate *d, const struct datum *cells, uint64_t hash,
                               bool is_new)
{
    struct entry *e = arena_alloc(&d->arena, sizeof *e);
    uint16_t n = d->x->n_columns;

    if (!e || !(e->cells = arena_alloc(&d->arena, 2u * n * sizeof *cells)))
        return NULL;
    for (uint16_t i = 0; i < n; i++)
        if (!datum_copy(&e->cells[i], &cells[i], &d->arena))
            return NULL;
    e->hash = hash;
    e->is_new = is_new;
    e->next = d->buckets[hash % (2 * BATCH_ROWS)];
    d->buckets[hash % (2 * BATCH_ROWS)] = e;
    return e;
}

static bool no_memory(struct duplicate *d)
{
    exec_no_memory(&d->x->s->exec, "INSERT");
    return false;
}

/* ---- stages ---- */

static enum step take_rows(struct duplicate *d)
{
    struct insert *x = d->x;
    bool got;

    if (!d->n_rows && !d->rows) {
        d->rows = arena_alloc(&d->arena, BATCH_ROWS * sizeof *d->rows);
        d->buckets = arena_alloc(&d->arena, 2 * BATCH_ROWS * sizeof *d->buckets);
        if (!d->rows || !d->buckets)
            return no_memory(d) ? STEP_PENDING : STEP_READY;
    }
    while (d->n_rows < BATCH_ROWS && !d->ended) {
        if (insert_next_row(x, &got) == STEP_PENDING)
            return STEP_PENDING;
        if (x->s->error.code)
            return STEP_READY;
        if (!got) {
            d->ended = true;
            break;
        }
        struct datum *row = arena_alloc(&d->arena, x->n_columns * sizeof *row);
        for (uint16_t i = 0; row && i < x->n_columns; i++)
            if (!datum_copy(&row[i], &x->values[i], &d->arena))
                row = NULL;
        if (!row) {
            no_memory(d);
            return STEP_READY;
        }
        d->rows[d->n_rows++] = row;
    }
    d->stage = LOOK_UP;
    return STEP_READY;
}

/* A scan for the rows whose last key column is among those taken. */
static bool open_lookup(struct duplicate *d)
{
    struct insert *x = d->x;
    struct statement *s = x->s;
    struct planner p = {.bind = &s->bind};
    struct plan *n = plan_new(&p, PLAN_SCAN, NULL, x->n_columns);
    struct expr *in = expr_new(&s->arena, EXPR_IN, d->n_rows + 1);
    uint16_t key = d->key[d->n_key - 1];

    if (!n || !in || !(n->u.scan.pushed = bind_alloc(&s->bind, sizeof(struct expr *))))
        return no_memory(d);
    in->args[0] = bind_source_column(&s->bind, d->sel, 0, x->columns[key]);
    for (uint32_t i = 0; i < d->n_rows; i++) {
        in->args[i + 1] = expr_new_const(&s->arena, &d->rows[i][key], &in->args[0]->type);
        if (!in->args[i + 1])
            return no_memory(d);
    }
    expr_prepare(in, &s->arena);
    n->u.scan.schema = x->schema;
    n->u.scan.source = &d->sel->sources[0];
    n->u.scan.output = OUTPUT_ROWS;
    n->u.scan.limit = UINT64_MAX;
    n->u.scan.columns = x->columns;
    n->u.scan.n_columns = x->n_columns;
    n->u.scan.pushed[0] = in;
    n->u.scan.n_pushed = 1;
    s->other_op = exec_open(&s->exec, n);
    return s->other_op != NULL;
}

static enum step look_up(struct duplicate *d)
{
    struct statement *s = d->x->s;
    struct rowset rows;

    if (!d->n_rows || !d->n_key) {
        d->stage = APPLY;
        return STEP_READY;
    }
    if (!s->other_op && !open_lookup(d))
        return STEP_READY;
    for (;;) {
        enum exec_state r = exec_next(s->other_op, &rows);
        if (r == EXEC_PENDING)
            return STEP_PENDING;
        if (r == EXEC_ERROR)
            return STEP_READY;
        if (r == EXEC_END)
            break;
        for (uint32_t i = 0; i < rows.rows; i++) {
            const struct datum *cells = rowset_row(&rows, i);
            if (!add_entry(d, cells, key_hash(d, cells), false)) {
                no_memory(d);
                return STEP_READY;
            }
        }
    }
    exec_close(s->other_op);
    s->other_op = NULL;
    d->stage = APPLY;
    return STEP_READY;
}

static bool apply_row(struct duplicate *d, const struct datum *row, uint64_t number)
{
    struct insert *x = d->x;
    uint64_t hash = key_hash(d, row);
    struct entry *e = d->n_key ? find_entry(d, row, hash) : NULL;
    bool changed;

    if (!e) {
        d->inserted++;
        return add_entry(d, row, d->n_key ? hash : number, true) ? true : no_memory(d);
    }
    memcpy(e->cells + x->n_columns, row, x->n_columns * sizeof *row);
    arena_reset(&x->s->scratch);
    if (!dml_assign_apply(x->s, x->schema, d->assigns, d->n_assigns, e->cells, number, &changed))
        return false;
    for (uint16_t i = 0; i < d->n_assigns; i++) { /* out of scratch memory */
        struct datum *c = &e->cells[d->assigns[i].cell], copy;
        if (!datum_copy(&copy, c, &d->arena))
            return no_memory(d);
        *c = copy;
    }
    e->changed |= changed;
    if (changed)
        d->changed++;
    else
        d->unchanged++;
    return true;
}

static bool apply(struct duplicate *d)
{
    for (uint32_t i = 0; i < d->n_rows; i++)
        if (!apply_row(d, d->rows[i], d->x->row - d->n_rows + i + 1))
            return false;
    for (uint32_t b = 0; b < 2 * BATCH_ROWS; b++)
        for (const struct entry *e = d->buckets[b]; e; e = e->next) {
            struct dml_writer *w = e->is_new ? &d->x->writer : &d->update;
            if ((e->is_new || e->changed) && !dml_writer_put(w, e->cells))
                return false;
        }
    d->stage = INSERT;
    return true;
}

/* PENDING while the write is on its way; READY when it is done or failed. */
static enum step write_batch(struct duplicate *d, struct dml_writer *w)
{
    if (d->writing) {
        if (w->in_flight)
            return STEP_PENDING;
        d->writing = false;
        if (!dml_writer_take(w))
            return STEP_READY;
    } else if (dml_writer_flush(w) == STEP_PENDING) {
        d->writing = true;
        return w->in_flight ? STEP_PENDING : write_batch(d, w);
    }
    if (d->stage == INSERT) {
        d->stage = UPDATE;
        return STEP_READY;
    }
    d->stage = TAKE;
    d->rows = NULL;
    d->buckets = NULL;
    d->n_rows = 0;
    arena_reset(&d->arena);
    return STEP_READY;
}

static void answer(struct duplicate *d)
{
    struct insert *x = d->x;
    uint64_t matched = x->s->session->found_rows ? d->unchanged : 0;
    char info[96];

    snprintf(info, sizeof info, "Records: %llu  Duplicates: %llu  Warnings: %u",
             (unsigned long long)x->row, (unsigned long long)d->changed,
             x->s->session->warning_count);
    statement_ok(x->s, d->inserted + 2 * d->changed + matched, 0,
                 x->row > 1 || x->ast->query ? info : NULL);
}

enum step duplicate_run(struct statement *s)
{
    struct duplicate *d = ((struct insert *)s->state)->duplicate;

    while (!s->error.code) {
        enum step r = STEP_READY;
        switch (d->stage) {
        case TAKE:
            if (d->ended) {
                answer(d);
                return STEP_READY;
            }
            r = take_rows(d);
            break;
        case LOOK_UP:
            r = look_up(d);
            break;
        case APPLY:
            apply(d);
            break;
        case INSERT:
            r = write_batch(d, &d->x->writer);
            break;
        case UPDATE:
            r = write_batch(d, &d->update);
            break;
        }
        if (r == STEP_PENDING)
            return STEP_PENDING;
    }
    return STEP_READY;
}

static void duplicate_fini(struct statement *s)
{
    arena_fini(&((struct insert *)s->state)->duplicate->arena);
}

/* Names of VALUES (...) AS alias (a, b), for the columns of the statement; others have none. */
static bool name_columns(struct duplicate *d, struct source *v)
{
    const struct insert *x = d->x;
    const struct sql_name_list *n = x->ast->row_columns;
    uint16_t i = 0;

    for (uint16_t c = 0; c < v->n_columns; c++)
        v->columns[c].hidden = true;
    for (; n && i < x->n_targets; n = n->next, i++) {
        for (const struct sql_name_list *o = x->ast->row_columns; o != n; o = o->next)
            if (strcasecmp(o->name, n->name) == 0) {
                statement_fail(x->s, MYSQL_ER_DUP_FIELDNAME, n->name);
                return false;
            }
        v->columns[x->columns[i]].name = n->name;
        v->columns[x->columns[i]].hidden = false;
    }
    if (!n && i == x->n_targets)
        return true;
    mysql_error_set_text(&x->s->error, 1353,
                         "In definition of view, derived table or common table expression, SELECT "
                         "list and column names list have different column counts");
    return false;
}

/* With VALUES (...) AS alias the row's columns are found as those of a table; else only by VALUES(col). */
static bool name_values(struct duplicate *d, struct source *v)
{
    const struct sql_insert *ast = d->x->ast;

    if (!ast->row_alias) {
        v->alias = "VALUES";
        for (uint16_t i = 0; i < v->n_columns; i++)
            v->columns[i].merged = true;
        return true;
    }
    if (strcmp(ast->row_alias, v->name) == 0) {
        statement_fail(d->x->s, MYSQL_ER_NONUNIQ_TABLE, ast->row_alias);
        return false;
    }
    v->alias = ast->row_alias;
    return !ast->row_columns || name_columns(d, v);
}

/* The row of VALUES as a second source with the same columns. */
static bool add_values_source(struct duplicate *d, struct bound_select *sel)
{
    struct statement *s = d->x->s;
    const struct source *table = &sel->sources[0];
    struct source *sources = statement_alloc(s, 2 * sizeof *sources), *v;

    if (!sources)
        return false;
    sources[0] = *table;
    v = &sources[1];
    *v = *table;
    v->columns = statement_alloc(s, (table->n_columns + 1u) * sizeof *v->columns);
    v->used = statement_alloc(s, (table->n_columns + 1u) * sizeof *v->used);
    v->cell_of = statement_alloc(s, (table->n_columns + 1u) * sizeof *v->cell_of);
    if (!v->columns || !v->used || !v->cell_of)
        return false;
    memcpy(v->columns, table->columns, table->n_columns * sizeof *v->columns);
    if (!name_values(d, v))
        return false;
    v->n_used = 0;
    sel->sources = sources;
    sel->n_sources = 2;
    /* Both rows hold the columns in the order of the statement. */
    for (uint16_t k = 0; k < 2; k++)
        for (uint16_t i = 0; i < d->x->n_columns; i++)
            if (!bind_source_column(&s->bind, sel, k, d->x->columns[i]))
                return false;
    return true;
}

static bool find_key(struct duplicate *d)
{
    const struct schema *t = d->x->schema;

    for (unsigned k = 0; k < t->n_key; k++) {
        if (t->columns[t->key[k]].hidden)
            return true; /* rows without a key never meet */
        for (uint16_t i = 0; i < d->x->n_columns; i++)
            if (d->x->columns[i] == t->key[k])
                d->key[d->n_key++] = i;
    }
    return true;
}

static bool bind_changes(struct duplicate *d, struct bind_scope *scope)
{
    struct insert *x = d->x;
    struct statement *s = x->s;
    struct sql_table table = {.kind = SQL_TABLE_NAME,
                              .name = x->schema->name,
                              .db = SESSION_DATABASE};

    d->sel = bind_single_table(&s->bind, &table);
    if (!d->sel)
        return false;
    scope->select = d->sel;
    if (!add_values_source(d, d->sel) || !find_key(d))
        return false;
    s->bind.insert_values = &d->sel->sources[1];
    bool ok = dml_assign_bind(s, d->sel, x->ast->on_duplicate, &d->assigns, &d->n_assigns);
    s->bind.insert_values = NULL;
    return ok;
}

bool duplicate_prepare(struct insert *x)
{
    struct statement *s = x->s;
    struct duplicate *d = x->duplicate = statement_alloc(s, sizeof *d);
    struct bind_scope scope = {.clause = BIND_FIELDS};

    if (!d)
        return false;
    d->x = x;
    arena_init(&d->arena, SIZE_MAX, &s->budget);
    s->fini = duplicate_fini;
    s->bind.scope = &scope;
    bool ok = bind_changes(d, &scope);
    s->bind.scope = NULL;
    if (!ok)
        return false;
    bind_finish_slots(d->sel);
    if (!dml_writer_init(&x->writer, s, x->schema, BATCH_INSERT, x->columns, x->n_columns) ||
        !dml_writer_init(&d->update, s, x->schema, BATCH_UPDATE, x->columns, x->n_columns))
        return false;
    x->writer.check_first = true;
    s->run = duplicate_run;
    return true;
}

#include "sql/dml_join.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/dml_assign.h"
#include "sql/dml_join_rows.h"

/* One column of SET. */
struct join_set {
    uint16_t column;
    struct expr *value;
    uint32_t old_item, new_item; /* of the rows that are read */
};

/* A table that is changed. */
struct join_target {
    uint16_t source;
    const struct schema *schema;
    uint32_t key_item; /* the first of the key's */
    struct join_set *sets;
    uint16_t n_sets;
    struct join_rows rows;
    struct join_row *next; /* to be written */
    struct dml_writer writer;
};

struct join_change {
    struct statement *s;
    struct bound_select *sel;
    struct join_target *targets;
    uint16_t n_targets, writing; /* the target whose rows are being written */
    bool is_delete, is_read, in_flight;
    struct datum *cells;
    uint64_t matched, changed;
};

static const char *verb(const struct join_change *x)
{
    return x->is_delete ? "DELETE" : "UPDATE";
}

/* ---- binding ---- */

/* The target of a source, made when there is none. NULL with the error set. */
static struct join_target *target_of(struct join_change *x, uint16_t source)
{
    const struct source *src = &x->sel->sources[source];

    for (uint16_t i = 0; i < x->n_targets; i++)
        if (x->targets[i].source == source)
            return &x->targets[i];
    if (src->kind != SOURCE_TABLE) {
        mysql_error_set_text(&x->s->error, 1288, "The target table %s of the %s is not updatable",
                             src->alias, verb(x));
        return NULL;
    }
    struct join_target *t = &x->targets[x->n_targets++];
    t->source = source;
    t->schema = src->schema;
    return t;
}

static bool add_item(struct join_change *x, struct expr *e, uint32_t *item)
{
    *item = x->sel->n_items;
    return e && bind_add_item(&x->s->bind, x->sel, e, "");
}

/* The items of the rows that are read: for each target its key, then the old and the new values. */
static bool add_items(struct join_change *x)
{
    uint32_t item;

    for (uint16_t i = 0; i < x->n_targets; i++) {
        struct join_target *t = &x->targets[i];
        t->key_item = x->sel->n_items;
        for (unsigned k = 0; k < t->schema->n_key; k++)
            if (!add_item(x, bind_source_column(&x->s->bind, x->sel, t->source, t->schema->key[k]),
                          &item))
                return false;
        for (uint16_t k = 0; k < t->n_sets; k++) {
            struct join_set *set = &t->sets[k];
            struct expr *old = bind_source_column(&x->s->bind, x->sel, t->source, set->column);
            if (!add_item(x, old, &set->old_item) || !add_item(x, set->value, &set->new_item))
                return false;
        }
    }
    x->sel->n_visible = x->sel->n_items;
    return true;
}

static bool bind_rows(struct join_change *x, const struct sql_table *from)
{
    struct statement *s = x->s;

    if (!bind_from(&s->bind, x->sel, from))
        return false;
    x->targets = statement_alloc(s, (x->sel->n_sources + 1u) * sizeof *x->targets);
    return x->targets != NULL;
}

static bool bind_where(struct join_change *x, const struct sql_expr *where)
{
    struct statement *s = x->s;

    s->bind.scope->clause = BIND_WHERE;
    return !where || bind_conjuncts(&s->bind, where, &x->sel->where, &x->sel->n_where);
}

/* The place of a column among those that are set. */
static struct join_set *set_of(struct join_target *t, uint16_t column)
{
    for (uint16_t i = 0; i < t->n_sets; i++)
        if (t->sets[i].column == column)
            return &t->sets[i];
    t->sets[t->n_sets].column = column;
    return &t->sets[t->n_sets++];
}

static bool bind_assign_one(struct join_change *x, const struct sql_assign *a, uint16_t room)
{
    struct statement *s = x->s;
    const struct sql_column_ref *ref = a->column->v.column;
    uint16_t source, column;
    unsigned n = bind_find_column(x->sel, ref, &source, &column);

    if (n != 1) {
        statement_fail(s, n ? MYSQL_ER_NON_UNIQ_ERROR : MYSQL_ER_BAD_FIELD_ERROR,
                       bind_ref_text(&s->bind, ref), "field list");
        return false;
    }
    struct join_target *t = target_of(x, source);
    if (!t || (!t->sets && !(t->sets = statement_alloc(s, room * sizeof *t->sets))))
        return false;
    uint16_t at = x->sel->sources[source].columns[column].column;
    if (!dml_assign_allows(s, t->schema, at))
        return false;
    struct expr *value = dml_assign_value(s, t->schema, at, a->value);
    if (!value)
        return false;
    set_of(t, at)->value = value;
    return true;
}

static bool bind_update(struct join_change *x, const struct sql_update *u)
{
    uint16_t n = 0;

    if (!bind_rows(x, u->table))
        return false;
    x->s->bind.scope->clause = BIND_FIELDS;
    for (const struct sql_assign *a = u->assigns; a; a = a->next)
        n++;
    for (const struct sql_assign *a = u->assigns; a; a = a->next)
        if (!bind_assign_one(x, a, n))
            return false;
    return bind_where(x, u->where);
}

/* DELETE names tables by their aliases. */
static bool bind_target(struct join_change *x, const struct sql_table_name *name)
{
    uint16_t before = x->n_targets;

    for (uint16_t i = 0; i < x->sel->n_sources; i++) {
        const struct source *src = &x->sel->sources[i];
        if (strcmp(src->alias, name->name) != 0 ||
            (name->db && (!src->db || strcasecmp(name->db, src->db) != 0)))
            continue;
        if (!target_of(x, i))
            return false;
        if (x->n_targets != before)
            return true;
        statement_fail(x->s, MYSQL_ER_NONUNIQ_TABLE, name->name);
        return false;
    }
    mysql_error_set_text(&x->s->error, 1109, "Unknown table '%s' in MULTI DELETE", name->name);
    return false;
}

static bool bind_delete(struct join_change *x, const struct sql_delete *d)
{
    if (!bind_rows(x, d->table))
        return false;
    for (const struct sql_table_name *n = d->targets; n; n = n->next)
        if (!bind_target(x, n))
            return false;
    return bind_where(x, d->where);
}

/* ---- planning ---- */

static bool open_writers(struct join_change *x)
{
    struct statement *s = x->s;
    uint16_t most = 0;

    for (uint16_t i = 0; i < x->n_targets; i++) {
        struct join_target *t = &x->targets[i];
        uint16_t n = (uint16_t)(t->schema->n_key + t->n_sets);
        uint16_t *columns = statement_alloc(s, n * sizeof *columns);
        if (!columns)
            return false;
        memcpy(columns, t->schema->key, t->schema->n_key * sizeof *columns);
        for (uint16_t k = 0; k < t->n_sets; k++)
            columns[t->schema->n_key + k] = t->sets[k].column;
        join_rows_init(&t->rows, &s->arena, t->schema->n_key);
        if (!dml_writer_init(&t->writer, s, t->schema, x->is_delete ? BATCH_DELETE : BATCH_UPDATE,
                             columns, n))
            return false;
        most = n > most ? n : most;
    }
    x->cells = statement_alloc(s, (most + 1u) * sizeof *x->cells);
    return x->cells != NULL;
}

static bool plan_rows(struct join_change *x)
{
    struct statement *s = x->s;
    struct planner p = {.bind = &s->bind,
                        .cluster = s->env->cluster,
                        .gateway_alone = s->gateway_alone};
    struct bound_query *q = statement_alloc(s, sizeof *q);

    bind_finish_slots(x->sel);
    if (!q || !(q->terms = statement_alloc(s, sizeof *q->terms)))
        return false;
    q->n_terms = 1;
    q->terms[0].select = x->sel;
    q->limit = UINT64_MAX;
    s->plan = plan_query(&p, q);
    return s->plan && plan_subqueries(&p, s->plan) && select_open(s);
}

/* ---- running ---- */

/* The new values of a row of one table; *written tells whether they are others. */
static bool set_values(struct join_change *x, struct join_target *t, const struct datum *row,
                       bool *written)
{
    *written = x->is_delete;
    for (uint16_t i = 0; i < t->n_sets; i++) {
        struct datum *to = &x->cells[t->schema->n_key + i];
        if (!dml_store(x->s, t->schema, t->sets[i].column, &row[t->sets[i].new_item], x->matched,
                       to))
            return false;
        *written |= !datum_is_same(to, &row[t->sets[i].old_item]);
    }
    return true;
}

static bool take_target(struct join_change *x, struct join_target *t, const struct datum *row)
{
    unsigned n_key = t->schema->n_key;
    bool written;

    for (unsigned k = 0; k < n_key; k++) {
        if (row[t->key_item + k].kind == DATUM_NULL)
            return true; /* the outer join found none */
        x->cells[k] = row[t->key_item + k];
    }
    if (join_rows_has(&t->rows, x->cells))
        return true;
    x->matched++;
    if (!set_values(x, t, row, &written))
        return false;
    struct join_row *kept = join_rows_add(&t->rows, x->cells, n_key + t->n_sets);
    if (!kept) {
        exec_no_memory(&x->s->exec, verb(x));
        return false;
    }
    kept->is_written = written;
    x->changed += written;
    return true;
}

static enum step read_rows(struct join_change *x)
{
    struct statement *s = x->s;

    for (;;) {
        enum exec_state r = exec_next(s->op, &s->rows);
        if (r == EXEC_PENDING)
            return STEP_PENDING;
        if (r != EXEC_ROWS)
            break;
        for (uint32_t i = 0; i < s->rows.rows; i++) {
            arena_reset(&s->scratch);
            for (uint16_t k = 0; k < x->n_targets; k++)
                if (!take_target(x, &x->targets[k], rowset_row(&s->rows, i)))
                    return STEP_READY;
        }
        if (exec_yield(&s->exec))
            return STEP_PENDING;
    }
    x->is_read = true;
    for (uint16_t k = 0; k < x->n_targets; k++)
        x->targets[k].next = x->targets[k].rows.first;
    return STEP_READY;
}

/* READY when all rows of the target are written. */
static enum step write_target(struct join_change *x, struct join_target *t)
{
    for (;;) {
        if (x->in_flight) {
            if (t->writer.in_flight)
                return STEP_PENDING;
            x->in_flight = false;
            if (!dml_writer_take(&t->writer))
                return STEP_READY;
        }
        for (; t->next && !dml_writer_is_full(&t->writer); t->next = t->next->next)
            if (t->next->is_written && !dml_writer_put(&t->writer, t->next->cells))
                return STEP_READY;
        if (dml_writer_flush(&t->writer) == STEP_READY)
            return STEP_READY;
        x->in_flight = true;
    }
}

static void answer(struct join_change *x)
{
    struct statement *s = x->s;
    uint64_t deleted = 0;
    char info[96];

    for (uint16_t i = 0; i < x->n_targets; i++)
        deleted += x->targets[i].writer.total.deleted;
    if (x->is_delete) {
        statement_ok(s, deleted, 0, NULL);
        return;
    }
    snprintf(info, sizeof info, "Rows matched: %llu  Changed: %llu  Warnings: %u",
             (unsigned long long)x->matched, (unsigned long long)x->changed,
             s->session->warning_count);
    statement_ok(s, s->session->found_rows ? x->matched : x->changed, 0, info);
}

static enum step join_run(struct statement *s)
{
    struct join_change *x = s->state;

    if (!x->is_read && read_rows(x) == STEP_PENDING)
        return STEP_PENDING;
    for (; !s->error.code && x->writing < x->n_targets; x->writing++)
        if (write_target(x, &x->targets[x->writing]) == STEP_PENDING)
            return STEP_PENDING;
    if (!s->error.code)
        answer(x);
    return STEP_READY;
}

/* ---- preparing ---- */

static struct join_change *change_new(struct statement *s, bool is_delete)
{
    struct join_change *x = statement_alloc(s, sizeof *x);

    if (!x || !(x->sel = statement_alloc(s, sizeof *x->sel)))
        return NULL;
    x->s = s;
    x->is_delete = is_delete;
    x->sel->limit = UINT64_MAX;
    s->state = x;
    s->run = join_run;
    return x;
}

bool dml_join_update(struct statement *s, const struct sql_update *u)
{
    struct join_change *x = change_new(s, false);
    struct bind_scope scope = {.clause = BIND_FIELDS};

    if (!x)
        return false;
    if (u->order_by || u->limit.count) {
        mysql_error_set_text(&s->error, 1221, "Incorrect usage of UPDATE and %s",
                             u->order_by ? "ORDER BY" : "LIMIT");
        return false;
    }
    scope.select = x->sel;
    s->bind.scope = &scope;
    bool ok = bind_update(x, u) && add_items(x);
    s->bind.scope = NULL;
    return ok && plan_rows(x) && open_writers(x);
}

bool dml_join_delete(struct statement *s, const struct sql_delete *d)
{
    struct join_change *x = change_new(s, true);
    struct bind_scope scope = {.clause = BIND_FIELDS};

    if (!x)
        return false;
    scope.select = x->sel;
    s->bind.scope = &scope;
    bool ok = bind_delete(x, d) && add_items(x);
    s->bind.scope = NULL;
    return ok && plan_rows(x) && open_writers(x);
}

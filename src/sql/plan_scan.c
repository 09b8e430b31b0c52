/* What the cores can do beyond filtering: groups and aggregates, DISTINCT, order and limit. */
#include <string.h>

#include "sql/plan.h"

bool plan_is_plain_scan(const struct plan *n)
{
    return n->kind == PLAN_SCAN && n->u.scan.output == OUTPUT_ROWS && n->u.scan.limit == UINT64_MAX;
}

const struct column *plan_scan_column(const struct plan_scan *s, uint16_t ref)
{
    if (ref < PROGRAM_PARENT)
        return &s->schema->columns[ref];
    if (ref >= PROGRAM_COMPUTED)
        return &s->computed->columns[ref - PROGRAM_COMPUTED];
    return s->parents[program_ref_join(ref)].attributes[program_ref_attribute(ref) - 1].column;
}

const struct column *plan_plain_column(const struct plan_scan *scan, const struct expr *e,
                                       uint16_t *position)
{
    if (e->kind != EXPR_COLUMN)
        return NULL;
    if (e->u.column.source == scan->source_number) {
        *position = scan->source->columns[e->u.column.column].column;
        return &scan->schema->columns[*position];
    }
    for (uint16_t i = 0; i < scan->n_parents; i++)
        for (uint16_t k = 0; k < scan->parents[i].n_attributes; k++) {
            const struct plan_attribute *a = &scan->parents[i].attributes[k];
            if (a->source != e->u.column.source || a->source_column != e->u.column.column)
                continue;
            *position = program_parent_ref(i, k + 1u);
            return a->column;
        }
    return NULL;
}

/* Layout of the pushed groups while it is worked out. */
struct push {
    struct planner *p;
    struct plan_scan *scan;
    uint16_t columns[PROGRAM_MAX_GROUPS];
    uint16_t n_columns;
    struct aggregate aggregates[PROGRAM_MAX_AGGREGATES];
    uint16_t n_aggregates;
    struct plan_computed computed;
    uint16_t n_by_value; /* extra group columns */
    bool second_level;   /* groups of groups: DISTINCT aggregates */
    bool has_list;       /* an extra group column is multi-valued */
};

static int add_column(struct push *u, uint16_t position, uint16_t from)
{
    for (uint16_t i = from; i < u->n_columns; i++)
        if (u->columns[i] == position)
            return i;
    if (u->n_columns == PROGRAM_MAX_GROUPS)
        return -1;
    u->columns[u->n_columns] = position;
    return u->n_columns++;
}

static int add_aggregate(struct push *u, enum aggregate_kind kind, uint16_t position)
{
    for (uint16_t i = 0; i < u->n_aggregates; i++)
        if (u->aggregates[i].kind == kind &&
            (kind == AGGREGATE_COUNT_ROWS || u->aggregates[i].column == position))
            return i;
    if (u->n_aggregates == PROGRAM_MAX_AGGREGATES)
        return -1;
    u->aggregates[u->n_aggregates] = (struct aggregate){.kind = kind, .column = position};
    return u->n_aggregates++;
}

/* Constants as arguments: COUNT(1) counts rows. */
static bool counts_rows(const struct aggregate_call *c)
{
    return c->op == AGG_COUNT_ROWS ||
           (c->op == AGG_COUNT && !c->distinct && c->n_args == 1 && expr_is_const(c->args[0]) &&
            c->args[0]->u.value.kind != DATUM_NULL);
}

/* What a call looks at: a column, or what the cores compute. NULL: it is neither. */
static const struct column *call_input(struct push *u, const struct aggregate_call *c,
                                       uint16_t *position)
{
    const struct column *col = plan_plain_column(u->scan, c->args[0], position);

    if (col || u->p->gateway_alone || u->p->in_union || c->distinct ||
        !plan_compute(u->scan, &u->computed, c->args[0], position))
        return col;
    return &u->computed.columns[*position - PROGRAM_COMPUTED];
}

/*
 * How one aggregate is computed: *at is its aggregate of the program, or with *by_value the extra
 * group column whose values the second level looks at.
 */
static bool push_one(struct push *u, const struct aggregate_call *c, uint32_t n_groups, int *at,
                     bool *by_value)
{
    uint16_t position;
    const struct column *col;

    *by_value = false;
    if (counts_rows(c)) {
        *at = add_aggregate(u, AGGREGATE_COUNT_ROWS, 0);
        return *at >= 0;
    }
    if (c->n_args != 1 || !(col = call_input(u, c, &position)))
        return false;
    bool string = col->type == COLUMN_STRING, list = col->layout == LAYOUT_LIST;
    if (c->distinct || (string && (c->op == AGG_MIN || c->op == AGG_MAX))) {
        /* Its values become groups of their own. */
        if (c->op != AGG_COUNT && c->op != AGG_SUM && c->op != AGG_MIN && c->op != AGG_MAX)
            return false;
        if (list)
            return false;
        *by_value = true;
        *at = add_column(u, position, (uint16_t)n_groups);
        u->second_level = true;
        return *at >= 0;
    }
    switch (c->op) {
    case AGG_COUNT:
        *at = add_aggregate(u, AGGREGATE_COUNT, position);
        break;
    case AGG_SUM:
        if (string || col->type == COLUMN_DATE || col->type == COLUMN_DATETIME)
            return false;
        *at = add_aggregate(u, AGGREGATE_SUM, position);
        break;
    case AGG_MIN:
    case AGG_MAX:
        *at = add_aggregate(u, c->op == AGG_MIN ? AGGREGATE_MIN : AGGREGATE_MAX, position);
        break;
    default:
        return false;
    }
    return *at >= 0;
}

/* Type of a cell of the program's output. */
static struct value_type cell_type(const struct plan_scan *scan, enum aggregate_kind kind,
                                   uint16_t position)
{
    struct value_type t;

    if (kind == AGGREGATE_COUNT_ROWS || kind == AGGREGATE_COUNT)
        return value_type_int(20);
    t = bind_column_type(plan_scan_column(scan, position));
    t.not_null = false;
    if (kind == AGGREGATE_SUM)
        t = value_type_decimal(38, t.kind == DATUM_DECIMAL ? t.scale : 0);
    return t;
}

/* The aggregate of the second level that continues one of the first, or looks at distinct values.
 * */
static struct aggregate_call *second_call(struct push *u, const struct aggregate_call *c, int at,
                                          bool by_value)
{
    struct aggregate_call *n = bind_alloc(u->p->bind, sizeof *n);
    struct value_type t;
    uint32_t slot;

    if (!n || !(n->args = bind_alloc(u->p->bind, sizeof *n->args)))
        return NULL;
    n->n_args = 1;
    n->type = c->type;
    if (by_value) {
        n->op = c->op;
        /* With one such column a value comes but once in a group. */
        n->distinct = c->distinct && u->n_by_value > 1;
        slot = (uint32_t)at;
        t = c->args[0]->type;
    } else {
        bool count = u->aggregates[at].kind == AGGREGATE_COUNT ||
                     u->aggregates[at].kind == AGGREGATE_COUNT_ROWS;
        n->op = count ? AGG_SUM : c->op;
        slot = (uint32_t)(u->n_columns + at);
        t = cell_type(u->scan, u->aggregates[at].kind, u->aggregates[at].column);
    }
    n->args[0] = expr_new_slot(u->p->bind->arena, slot, &t);
    return n->args[0] ? n : NULL;
}

static bool set_program(struct push *u)
{
    struct plan_scan *scan = u->scan;

    scan->columns = bind_alloc(u->p->bind, (u->n_columns + 1u) * sizeof *scan->columns);
    scan->aggregates = bind_alloc(u->p->bind, (u->n_aggregates + 1u) * sizeof *scan->aggregates);
    if (!scan->columns || !scan->aggregates)
        return false;
    memcpy(scan->columns, u->columns, u->n_columns * sizeof *scan->columns);
    memcpy(scan->aggregates, u->aggregates, u->n_aggregates * sizeof *scan->aggregates);
    if (u->computed.n) {
        scan->computed = bind_alloc(u->p->bind, sizeof *scan->computed);
        if (!scan->computed)
            return false;
        *scan->computed = u->computed;
    }
    scan->n_columns = u->n_columns;
    scan->n_aggregates = u->n_aggregates;
    scan->output = OUTPUT_GROUPS;
    scan->cells = NULL;
    return true;
}

/* COUNT stays 0 instead of NULL when the second level sums up nothing. */
static struct expr *or_zero(struct push *u, struct expr *e, const struct value_type *type)
{
    struct function_bind fb = bind_function(u->p->bind);
    struct sql_type t = {.kind = SQL_TYPE_SIGNED};
    struct datum zero;

    datum_set_int(&zero, 0);
    struct expr *args[2] = {e, expr_new_const(u->p->bind->arena, &zero, type)};
    struct expr *c = args[1] ? function_new(&fb, function_find("coalesce", 8), args, 2) : NULL;
    c = c ? function_new_cast(&fb, c, &t) : NULL;
    if (c)
        c->type = *type;
    return c;
}

/* Groups of groups: the gateway aggregates again over the merged groups; a projection restores
 * types. */
static bool plan_second_level(struct push *u, struct bound_select *s, const int *at,
                              const bool *by_value, struct plan **from)
{
    struct planner *p = u->p;
    struct plan *n = plan_new(p, PLAN_AGGREGATE, *from, s->n_groups + s->n_aggregates);
    struct plan *r = n ? plan_new(p, PLAN_PROJECT, n, n->width) : NULL;

    if (!r)
        return false;
    n->u.aggregate.n_groups = s->n_groups;
    n->u.aggregate.n_aggregates = s->n_aggregates;
    n->u.aggregate.whole = s->n_groups == 0;
    n->u.aggregate.groups = bind_alloc(p->bind, (s->n_groups + 1) * sizeof(struct expr *));
    n->u.aggregate.aggregates =
        bind_alloc(p->bind, (s->n_aggregates + 1) * sizeof(struct aggregate_call *));
    r->u.list.n = n->width;
    r->u.list.exprs = bind_alloc(p->bind, (n->width + 1) * sizeof(struct expr *));
    r->types = bind_alloc(p->bind, (n->width + 1) * sizeof *r->types);
    if (!n->u.aggregate.groups || !n->u.aggregate.aggregates || !r->u.list.exprs || !r->types)
        return false;
    for (uint32_t i = 0; i < s->n_groups; i++) {
        n->u.aggregate.groups[i] = expr_new_slot(p->bind->arena, i, &s->groups[i]->type);
        r->u.list.exprs[i] = n->u.aggregate.groups[i];
        r->types[i] = s->groups[i]->type;
    }
    for (uint32_t i = 0; i < s->n_aggregates; i++) {
        const struct aggregate_call *c = s->aggregates[i];
        struct aggregate_call *second = second_call(u, c, at[i], by_value[i]);
        if (!second)
            return false;
        struct value_type sum =
            second->op == AGG_SUM && c->op != AGG_SUM ? value_type_decimal(38, 0) : c->type;
        second->type = sum;
        n->u.aggregate.aggregates[i] = second;
        struct expr *slot = expr_new_slot(p->bind->arena, s->n_groups + i, &sum);
        if (slot && second->op == AGG_SUM && c->op != AGG_SUM)
            slot = or_zero(u, slot, &c->type);
        if (!slot)
            return false;
        r->u.list.exprs[s->n_groups + i] = slot;
        r->types[s->n_groups + i] = c->type;
    }
    *from = r;
    return true;
}

/* Groups that are complete and in order only at the merge: it keeps the first of them. */
static bool push_group_order(struct planner *p, const struct bound_select *s,
                             struct plan_scan *scan)
{
    enum {
        FIRST_GROUPS = 1000
    }; /* more of them are sorted here, where memory is that of the statement */
    uint64_t rows = plan_rows_wanted(s->limit, s->offset);

    if (s->having || s->distinct || s->topn || s->windowed || !s->n_order ||
        s->n_order > PROGRAM_MAX_ORDER || rows > FIRST_GROUPS)
        return true;
    struct program_order *order = bind_alloc(p->bind, s->n_order * sizeof *order);
    if (!order)
        return false;
    for (uint32_t i = 0; i < s->n_order; i++) {
        const struct expr *e = s->items[s->order[i].item].expr;
        if (e->kind != EXPR_SLOT)
            return true;
        order[i] = (struct program_order){.output = (uint16_t)e->u.slot,
                                          .descending = s->order[i].descending};
    }
    scan->order = order;
    scan->n_order = (uint16_t)s->n_order;
    scan->limit = rows;
    return true;
}

/* SELECT COUNT(DISTINCT column): the merge counts its groups. */
static bool is_count_of_groups(const struct push *u, const struct bound_select *s)
{
    return s->n_groups == 0 && s->n_aggregates == 1 && u->n_by_value == 1 &&
           s->aggregates[0]->op == AGG_COUNT && s->aggregates[0]->distinct;
}

bool plan_push_groups(struct planner *p, struct bound_select *s, struct plan **from)
{
    struct plan *n = *from;
    struct push u = {.p = p, .scan = &n->u.scan};
    int at[PROGRAM_MAX_AGGREGATES];
    bool by_value[PROGRAM_MAX_AGGREGATES];
    uint16_t position;

    if (plan_push_percentiles(p, s, from))
        return true;
    if (!plan_is_plain_scan(n) || s->n_groups > PROGRAM_MAX_GROUPS ||
        s->n_aggregates > PROGRAM_MAX_AGGREGATES)
        return false;
    for (uint32_t i = 0; i < s->n_groups; i++) {
        const struct column *c = plan_plain_column(u.scan, s->groups[i], &position);
        if (!c)
            return false;
        u.columns[u.n_columns++] = position;
    }
    for (uint32_t i = 0; i < s->n_aggregates; i++)
        if (!push_one(&u, s->aggregates[i], s->n_groups, &at[i], &by_value[i]))
            return false;
    u.n_by_value = u.n_columns - (uint16_t)s->n_groups;
    if (!u.second_level) {
        /* One aggregate of the program per call, in the same order, so that slots agree. */
        u.n_aggregates = 0;
        for (uint32_t i = 0; i < s->n_aggregates; i++) {
            uint16_t k = u.n_aggregates;
            const struct aggregate_call *c = s->aggregates[i];
            uint16_t column = 0;
            if (!counts_rows(c))
                call_input(&u, c, &column);
            u.aggregates[k].kind = counts_rows(c)       ? AGGREGATE_COUNT_ROWS
                                   : c->op == AGG_COUNT ? AGGREGATE_COUNT
                                   : c->op == AGG_SUM   ? AGGREGATE_SUM
                                   : c->op == AGG_MIN   ? AGGREGATE_MIN
                                                        : AGGREGATE_MAX;
            u.aggregates[k].column = column;
            u.n_aggregates++;
        }
    }
    u.scan->count_groups = is_count_of_groups(&u, s);
    if (u.scan->count_groups)
        at[0] = add_aggregate(&u, AGGREGATE_COUNT_ROWS, 0);
    if (!set_program(&u) ||
        (!u.second_level && (!push_group_order(p, s, u.scan) || !plan_push_having(p, s, u.scan))))
        return false;
    n->width = u.n_columns + u.n_aggregates;
    n->base = 0;
    if (u.scan->count_groups)
        by_value[0] = false;
    return !u.second_level || plan_second_level(&u, s, at, by_value, from);
}

bool plan_push_distinct(struct planner *p, const struct bound_select *s, struct plan *n)
{
    struct push u = {.p = p, .scan = &n->u.scan};
    uint16_t position;

    if (!plan_is_plain_scan(n) || s->having || s->n_items > PROGRAM_MAX_GROUPS)
        return false;
    for (uint32_t i = 0; i < s->n_items; i++) {
        const struct column *c = plan_plain_column(u.scan, s->items[i].expr, &position);
        if (!c || c->layout == LAYOUT_LIST || add_column(&u, position, 0) != (int)i)
            return false;
    }
    if (u.n_columns == 0 || !set_program(&u))
        return false;
    n->width = u.n_columns;
    for (uint32_t i = 0; i < s->n_items; i++) {
        s->items[i].expr = expr_new_slot(p->bind->arena, i, &s->items[i].expr->type);
        if (!s->items[i].expr)
            return false;
    }
    n->base = 0;
    return true;
}

bool plan_push_order(struct planner *p, const struct bound_select *s, struct plan *n)
{
    uint64_t rows = plan_rows_wanted(s->limit, s->offset);
    uint16_t position;

    if (!plan_is_plain_scan(n) || s->having || s->distinct || rows == UINT64_MAX ||
        s->n_order > PROGRAM_MAX_ORDER)
        return false;
    if (!s->n_order) {
        n->u.scan.limit = rows;
        return true;
    }
    struct program_order *order = bind_alloc(p->bind, s->n_order * sizeof *order);
    if (!order)
        return false;
    for (uint32_t i = 0; i < s->n_order; i++) {
        const struct expr *e = s->items[s->order[i].item].expr;
        const struct column *c = plan_plain_column(&n->u.scan, e, &position);
        if (!c || c->layout == LAYOUT_LIST)
            return false;
        uint16_t out = 0;
        while (out < n->u.scan.n_columns && n->u.scan.columns[out] != position)
            out++;
        if (out == n->u.scan.n_columns)
            return false;
        order[i] = (struct program_order){.output = out, .descending = s->order[i].descending};
    }
    n->u.scan.order = order;
    n->u.scan.n_order = (uint16_t)s->n_order;
    n->u.scan.limit = rows;
    return true;
}

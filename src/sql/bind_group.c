/* Grouped queries: expressions over groups and aggregates instead of over table rows. */
#include <string.h>

#include "sql/bind.h"

static int find_group(const struct bound_select *s, const struct expr *e)
{
    for (uint32_t i = 0; i < s->n_groups; i++)
        if (expr_is_equal(s->groups[i], e))
            return (int)i;
    return -1;
}

/* Position of an aggregate, added when it is new; -1 without memory. */
static int add_aggregate(struct bind *b, struct bound_select *s, struct aggregate_call *c)
{
    for (uint32_t i = 0; i < s->n_aggregates; i++)
        if (aggregate_is_equal(s->aggregates[i], c))
            return (int)i;
    struct aggregate_call **list = bind_alloc(b, (s->n_aggregates + 1) * sizeof *list);
    if (!list)
        return -1;
    if (s->n_aggregates)
        memcpy(list, s->aggregates, s->n_aggregates * sizeof *list);
    list[s->n_aggregates] = c;
    s->aggregates = list;
    return (int)s->n_aggregates++;
}

static struct expr *aggregate_slot(struct bind *b, struct bound_select *s, struct aggregate_call *c)
{
    int i = add_aggregate(b, s, c);

    return i < 0 ? NULL : expr_new_slot(b->arena, s->n_groups + (uint32_t)i, &c->type);
}

/* AVG becomes SUM / COUNT over two slots. */
static struct expr *average(struct bind *b, struct bound_select *s, const struct aggregate_call *c)
{
    struct aggregate_call *sum = bind_alloc(b, sizeof *sum), *count = bind_alloc(b, sizeof *count);

    if (!sum || !count)
        return NULL;
    *sum = *count = *c;
    sum->op = AGG_SUM;
    sum->type = aggregate_type(AGG_SUM, c->args[0]);
    count->op = AGG_COUNT;
    count->type = aggregate_type(AGG_COUNT, c->args[0]);
    struct expr *p = aggregate_slot(b, s, sum), *q = p ? aggregate_slot(b, s, count) : NULL;
    return q ? aggregate_new_average(b->arena, p, q, &c->type) : NULL;
}

static const char *column_text(struct bind *b, const struct bound_select *s, const struct expr *e)
{
    const struct source *src = &s->sources[e->u.column.source];
    const char *t = arena_printf(b->arena, "%s.%s.%s", src->db ? src->db : "", src->alias,
                                 src->columns[e->u.column.column].name);

    return t ? t : "";
}

/* The column's value in one row of the group. */
static struct expr *any_of_group(struct bind *b, struct bound_select *s, struct expr *e)
{
    struct aggregate_call *c = bind_alloc(b, sizeof *c);
    struct expr *slot;

    if (!c || !(c->args = bind_alloc(b, sizeof *c->args)))
        return NULL;
    c->op = AGG_ANY;
    c->args[0] = e;
    c->n_args = 1;
    c->type = aggregate_type(AGG_ANY, e);
    if (!(slot = aggregate_slot(b, s, c)))
        return bind_alloc(b, SIZE_MAX / 2);
    slot->text = e->text;
    slot->text_len = e->text_len;
    return slot;
}

struct expr *bind_grouped(struct bind *b, struct bound_select *s, struct expr *e, uint32_t item,
                          enum bind_clause c)
{
    int g = find_group(s, e);

    if (g >= 0) {
        struct expr *slot = expr_new_slot(b->arena, (uint32_t)g, &e->type);
        if (!slot)
            return bind_alloc(b, SIZE_MAX / 2);
        slot->type.not_null = e->type.not_null && !s->rollup;
        slot->text = e->text;
        slot->text_len = e->text_len;
        return slot;
    }
    if (e->kind == EXPR_AGGREGATE) {
        struct aggregate_call *call = e->u.aggregate;
        struct expr *r = call->op == AGG_AVG ? average(b, s, call) : aggregate_slot(b, s, call);
        if (!r)
            return bind_alloc(b, SIZE_MAX / 2);
        r->text = e->text;
        r->text_len = e->text_len;
        return r;
    }
    /* Clients group information_schema as servers without ONLY_FULL_GROUP_BY let them. */
    if (e->kind == EXPR_COLUMN && s->n_groups &&
        s->sources[e->u.column.source].kind == SOURCE_VIRTUAL)
        return any_of_group(b, s, e);
    if (e->kind == EXPR_COLUMN) {
        const char *name = column_text(b, s, e);
        if (s->n_groups || c != BIND_FIELDS)
            bind_fail(b, MYSQL_ER_WRONG_FIELD_WITH_GROUP, name);
        else
            bind_fail(b, MYSQL_ER_MIX_OF_GROUP_FUNC_AND_FIELDS, item + 1, name);
        return NULL;
    }
    if (!e->n_args)
        return e;
    struct expr *copy = bind_alloc(b, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *e;
    copy->args = bind_alloc(b, e->n_args * sizeof *copy->args);
    if (!copy->args)
        return NULL;
    for (uint32_t i = 0; i < e->n_args; i++) {
        copy->args[i] = e->args[i];
        if (e->args[i] && !(copy->args[i] = bind_grouped(b, s, e->args[i], item, c)))
            return NULL;
    }
    /* Comparisons of a multi-valued column hold on to their arguments: grouped, it has one value
     * per group. */
    if (e->delim && e->kind != EXPR_COLUMN) {
        copy->delim = 0;
        copy->state = NULL;
        expr_prepare(copy, b->arena);
    }
    return copy;
}

bool bind_some_row(struct bind *b, struct bound_select *s)
{
    struct aggregate_call *count = bind_alloc(b, sizeof *count);

    if (!count)
        return false;
    count->op = AGG_COUNT_ROWS;
    count->type = aggregate_type(AGG_COUNT_ROWS, NULL);
    struct expr *rows = aggregate_slot(b, s, count);
    struct expr *both = s->having && rows ? expr_new(b->arena, EXPR_AND, 2) : rows;
    if (!both)
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    if (s->having) {
        both->args[0] = rows;
        both->args[1] = s->having;
        expr_prepare(both, b->arena);
    }
    s->having = both;
    return true;
}

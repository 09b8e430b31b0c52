/*
 * Joins. x IN (SELECT y ...) joins: a row for each row of the subquery. In an OUTER JOIN a condition on the right table
 * chooses among its rows before the join. ON a.x != b.y keeps the rows of the parent that no child refers to.
 */
#include <string.h>

#include "sql/quanta_mode_impl.h"

static struct sql_expr *column_of(struct quanta_mode *m, const char *table, const char *name,
                                  const struct sql_expr *at)
{
    struct sql_expr *e = mode_node(m, SQL_EXPR_COLUMN, 0, 0, at, NULL, 0);
    struct sql_column_ref *ref = statement_alloc(m->s, sizeof *ref);

    if (!e || !ref)
        return NULL;
    *ref = (struct sql_column_ref){.table = table, .name = name};
    e->v.column = ref;
    e->depth = 1;
    return e;
}

static const char *alias_of(const struct sql_table *t)
{
    return t->alias ? t->alias : t->name;
}

static struct sql_table *join(struct quanta_mode *m, enum sql_join_kind kind,
                              struct sql_table *left, struct sql_table *right, struct sql_expr *on)
{
    struct sql_table *t = statement_alloc(m->s, sizeof *t);

    if (!t)
        return NULL;
    *t = (struct sql_table){.kind = SQL_TABLE_JOIN,
                            .depth = left->depth,
                            .offset = left->offset,
                            .length = left->length,
                            .join = kind,
                            .left = left,
                            .right = right,
                            .on = on};
    return t;
}

/* ---- IN ---- */

/* * of the tables in the text, each by its name, as the derived ones shall not show. */
static struct sql_select_item *stars(struct quanta_mode *m, const struct sql_table *t,
                                     const struct sql_select_item *star,
                                     struct sql_select_item *next)
{
    if (t->kind == SQL_TABLE_JOIN) {
        next = stars(m, t->right, star, next);
        return next ? stars(m, t->left, star, next) : NULL;
    }
    struct sql_select_item *it = statement_alloc(m->s, sizeof *it);
    if (!it)
        return NULL;
    *it = *star;
    it->next = next;
    it->expr = column_of(m, alias_of(t), NULL, star->expr);
    if (it->expr)
        it->expr->kind = SQL_EXPR_STAR;
    return it->expr ? it : NULL;
}

static bool name_stars(struct quanta_mode *m, struct sql_select *select)
{
    static const struct sql_select_item end;

    for (struct sql_select_item **at = &select->items; *at; at = &(*at)->next) {
        const struct sql_expr *e = (*at)->expr;
        if (e->kind != SQL_EXPR_STAR || (e->v.column && e->v.column->table))
            continue;
        /* A list must be there to tell no memory from nothing behind it. */
        struct sql_select_item *rest = (*at)->next, last = end;
        struct sql_select_item *list = stars(m, m->from, *at, rest ? rest : &last);
        if (!list)
            return false;
        *at = list;
        while ((*at)->next != rest && (*at)->next != &last)
            at = &(*at)->next;
        (*at)->next = rest;
    }
    return true;
}

/* Whether its tables have all names that its condition uses: one that looks outside is no join. */
static bool visit_own(struct sql_expr *e, void *arg)
{
    const struct column *column;
    struct quanta_mode *m = *(struct quanta_mode **)arg;

    if (m && e->kind == SQL_EXPR_COLUMN && !mode_find(m, e->v.column, &column))
        *(struct quanta_mode **)arg = NULL;
    return true;
}

static bool stands_alone(const struct quanta_mode *m, const struct sql_select *select)
{
    struct quanta_mode own = *m, *found = &own;

    own.from = select->from;
    sql_expr_walk(select->where, visit_own, &found);
    return found != NULL;
}

static bool has_join(const struct sql_expr *e)
{
    return e->kind == SQL_EXPR_IN_QUERY && !(e->flags & SQL_FLAG_NOT) &&
           e->v.compare->left->kind == SQL_EXPR_COLUMN;
}

/* The join in place of the condition; *taken false: it stays one. */
static bool take_join(struct quanta_mode *m, struct sql_select *select, struct sql_expr *e,
                      bool *taken)
{
    struct sql_query *q = e->v.compare->query;
    const struct sql_select *sub = q->terms->next ? NULL : q->terms->select;

    *taken = false;
    if (!sub || !sub->from || !stands_alone(m, sub))
        return true;
    if (sub->items->next || sub->items->expr->kind == SQL_EXPR_STAR)
        return mode_refuse(m, "subquery must contain only 1 select column for join");
    struct sql_table *derived = statement_alloc(m->s, sizeof *derived);
    struct sql_name_list *name = statement_alloc(m->s, sizeof *name);
    const char *alias = statement_printf(m->s, "@in%u", ++m->n_joins);
    struct sql_expr *sides[2] = {e->v.compare->left, NULL};
    if (!derived || !name || !alias || !(sides[1] = column_of(m, alias, "@value", e)))
        return false;
    *name = (struct sql_name_list){.name = "@value", .offset = e->offset};
    *derived = (struct sql_table){.kind = SQL_TABLE_QUERY,
                                  .depth = q->depth,
                                  .offset = e->offset,
                                  .length = e->length,
                                  .alias = alias,
                                  .query = q,
                                  .columns = name};
    struct sql_expr *on = mode_node(m, SQL_EXPR_BINARY, SQL_OP_EQ, 0, e, sides, 2);
    *taken = on && (select->from = join(m, SQL_JOIN_INNER, select->from, derived, on));
    return *taken;
}

bool mode_in_joins(struct quanta_mode *m, struct sql_select *select)
{
    struct sql_expr *where = select->where, *left = NULL;
    uint32_t n = where->kind == SQL_EXPR_AND ? where->count : 1;
    bool any = false, taken;

    for (uint32_t i = 0; i < n; i++) {
        struct sql_expr *e = where->kind == SQL_EXPR_AND ? where->v.args[i] : where;
        taken = false;
        if (select->from && has_join(e) && !take_join(m, select, e, &taken))
            return false;
        any |= taken;
        if (!taken && !(left = mode_and(m, left, e)))
            return false;
    }
    if (!any)
        return true;
    if (!name_stars(m, select))
        return false;
    m->from = select->from;
    select->where = left;
    return true;
}

/* ---- outer joins ---- */

/* The tables that an expression names: one that is `of` each time, or not. */
struct table_visit {
    struct quanta_mode *m;
    const struct sql_table *of;
    bool others, any;
};

static bool visit_table(struct sql_expr *e, void *arg)
{
    struct table_visit *v = arg;
    const struct column *column;

    if (e->kind == SQL_EXPR_COLUMN) {
        v->any = true;
        v->others |= mode_find(v->m, e->v.column, &column) != v->of;
    }
    v->others |= e->kind >= SQL_EXPR_SUBQUERY && e->kind <= SQL_EXPR_QUANTIFIED;
    return true;
}

/* Takes what WHERE says of the table alone into *on. */
static bool take_conditions(struct quanta_mode *m, struct sql_select *select,
                            const struct sql_table *table, struct sql_expr **on)
{
    struct sql_expr *where = select->where, *left = NULL;
    uint32_t n = !where ? 0 : where->kind == SQL_EXPR_AND ? where->count : 1;

    for (uint32_t i = 0; i < n; i++) {
        struct sql_expr *e = where->kind == SQL_EXPR_AND ? where->v.args[i] : where;
        struct table_visit v = {.m = m, .of = table};
        sql_expr_walk(e, visit_table, &v);
        struct sql_expr **to = v.any && !v.others ? on : &left;
        if (!(*to = mode_and(m, *to, e)))
            return false;
    }
    select->where = left;
    return true;
}

/* ON a.x != b.y */
static bool is_anti(const struct sql_table *t)
{
    const struct sql_expr *on = t->on;

    return on && on->kind == SQL_EXPR_BINARY && on->op == SQL_OP_NE &&
           on->v.args[0]->kind == SQL_EXPR_COLUMN && on->v.args[1]->kind == SQL_EXPR_COLUMN &&
           t->left->kind != SQL_TABLE_JOIN && t->right->kind != SQL_TABLE_JOIN;
}

/* The side whose column refers to the other is the child: of the parent's rows those without one are left, and *absent
 * is what says so. */
static bool anti_join(struct quanta_mode *m, struct sql_select *select, struct sql_table *t,
                      struct sql_expr **absent)
{
    const struct column *column;
    struct sql_table *child = t->right;
    struct sql_expr *of_child = t->on->v.args[1];

    for (int i = 0; i < 2; i++) {
        struct sql_table *side = mode_find(m, t->on->v.args[i]->v.column, &column);
        if (side && column && column->mapping == MAPPING_PARENT_RELATION) {
            child = side;
            of_child = t->on->v.args[i];
        } else if (side == t->right && child == t->right) {
            of_child = t->on->v.args[i];
        }
    }
    t->join = child == t->left ? SQL_JOIN_RIGHT : SQL_JOIN_LEFT;
    t->is_bare_outer = false;
    t->on = mode_node(m, SQL_EXPR_BINARY, SQL_OP_EQ, 0, t->on, t->on->v.args, 2);
    struct sql_expr *none = mode_node(m, SQL_EXPR_IS, SQL_IS_NULL, 0, of_child, &of_child, 1);
    return t->on && none && take_conditions(m, select, child, &t->on) &&
           (*absent = mode_and(m, *absent, none));
}

static bool outer_joins(struct quanta_mode *m, struct sql_select *select, struct sql_table *t,
                        struct sql_expr **absent)
{
    if (!t || t->kind != SQL_TABLE_JOIN)
        return true;
    if (is_anti(t))
        return anti_join(m, select, t, absent);
    if (t->is_bare_outer && t->on && t->right->kind != SQL_TABLE_JOIN &&
        !take_conditions(m, select, t->right, &t->on))
        return false;
    return outer_joins(m, select, t->left, absent) && outer_joins(m, select, t->right, absent);
}

bool mode_outer_joins(struct quanta_mode *m, struct sql_select *select)
{
    struct sql_expr *absent = NULL;

    if (!outer_joins(m, select, select->from, &absent))
        return false;
    if (absent)
        select->where = mode_and(m, select->where, absent);
    return !absent || select->where;
}

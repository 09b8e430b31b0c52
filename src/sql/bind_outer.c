/*
 * Subqueries that depend on the row outside. A name of an enclosing query becomes a parameter of every subquery
 * between (EXPR_OUTER), and the value it stands for an argument of the subquery's expression.
 *
 * Where parameters are only compared with = in the WHERE clause, SELECT max(b) FROM t WHERE a = outer.a, the subquery
 * is rewritten to be run once: SELECT max(b), a FROM t GROUP BY a, and looked up by key for each row (SUBQUERY_KEYED,
 * subquery_keyed.c). Others are run for each different row outside (SUBQUERY_PER_ROW, exec_apply.c).
 */
#include <string.h>

#include "sql/bind.h"
#include "sql/plan_subquery.h"

/* ---- names ---- */

/* The parameter of the subquery that stands for the expression outside; NULL with the error set. */
static struct expr *outer_value(struct bind *b, struct subquery *q, struct expr *outside)
{
    struct outer_param *p = q->params, **end = &q->params;

    for (; p && !expr_is_equal(p->outside, outside); p = p->next)
        end = &p->next;
    if (!p) {
        if (!(p = bind_alloc(b, sizeof *p)))
            return NULL;
        p->outside = outside;
        *end = p;
        q->n_params++;
    }
    struct expr *e = expr_new(b->arena, EXPR_OUTER, 0);
    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    e->u.outer = p;
    p->uses++;
    expr_prepare(e, b->arena);
    e->type = outside->type;
    e->type.not_null = false;
    return e;
}

/* The value of a column outside, for the SELECT of the scope `inner`: through the subqueries between. */
static struct expr *pass_in(struct bind *b, struct bind_scope *inner, const struct bind_scope *at,
                            struct expr *column)
{
    if (inner == at)
        return column;
    struct expr *outside = pass_in(b, inner->outer, at, column);
    return outside && inner->subquery ? outer_value(b, inner->subquery, outside) : outside;
}

struct expr *bind_outer_column(struct bind *b, const struct sql_column_ref *ref)
{
    struct bind_scope *scope = b->scope;
    uint16_t source, column;

    for (struct bind_scope *s = scope ? scope->outer : NULL; s; s = s->outer) {
        unsigned n = s->select ? bind_find_column(s->select, ref, &source, &column) : 0;
        if (n > 1) {
            bind_fail(b, MYSQL_ER_NON_UNIQ_ERROR, bind_ref_text(b, ref),
                      bind_clause_name(scope->clause));
            return NULL;
        }
        if (!n)
            continue;
        struct expr *e = bind_source_column(b, s->select, source, column);
        if (e && e->delim) {
            bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "multi-valued columns of an enclosing query");
            return NULL;
        }
        if (e)
            e->text = ref->name;
        if (e)
            e->text_len = (uint32_t)strlen(ref->name);
        return e ? pass_in(b, scope, s, e) : NULL;
    }
    bind_fail(b, MYSQL_ER_BAD_FIELD_ERROR, bind_ref_text(b, ref),
              bind_clause_name(scope ? scope->clause : BIND_FIELDS));
    return NULL;
}

struct expr *bind_subquery_node(struct bind *b, enum expr_kind kind, struct subquery *s, uint32_t n)
{
    struct expr *e = expr_new(b->arena, kind, n + s->n_params);

    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    e->u.subquery = s;
    for (const struct outer_param *p = s->params; p; p = p->next)
        e->args[n++] = p->outside;
    return e;
}

/* ---- run once, looked up by key ---- */

struct key_walk {
    uint32_t outer; /* parameters */
    uint32_t inner; /* columns */
    bool other;     /* what is neither, nor made of them */
};

static bool visit_key(struct expr *e, void *ctx)
{
    struct key_walk *w = ctx;

    if (e->kind == EXPR_OUTER)
        w->outer++;
    else if (e->kind == EXPR_COLUMN)
        w->inner++;
    else if (e->kind >= EXPR_SUBQUERY && e->kind <= EXPR_EXISTS)
        w->other = true;
    return true;
}

static struct key_walk look_at(struct expr *e)
{
    struct key_walk w = {0};

    expr_walk(e, visit_key, &w);
    return w;
}

/* inner op outer: which argument is the inner one? -1: the condition is another one. */
static int inner_side(const struct expr *e)
{
    if (e->kind != EXPR_COMPARE || e->op == SQL_OP_NULL_EQ || e->volatile_ || e->delim ||
        e->class == COMPARE_TIME || e->args[0]->delim || e->args[1]->delim)
        return -1;
    for (int i = 0; i < 2; i++) {
        struct key_walk in = look_at(e->args[i]), out = look_at(e->args[1 - i]);
        if (!in.other && !out.other && in.inner && !in.outer && out.outer && !out.inner)
            return i;
    }
    return -1;
}

/* Does the class compare values of the type as MIN and MAX order them? */
static bool is_ordered_as(enum compare_class class, const struct value_type *t)
{
    switch (class) {
    case COMPARE_INT:
    case COMPARE_DECIMAL:
        return t->kind == DATUM_INT || t->kind == DATUM_UINT || t->kind == DATUM_DECIMAL;
    case COMPARE_DOUBLE:
        return datum_kind_is_number(t->kind);
    case COMPARE_STRING:
        return t->kind == DATUM_STRING;
    case COMPARE_DATETIME:
        return t->kind == DATUM_DATE || t->kind == DATUM_DATETIME;
    default:
        return false;
    }
}

/* Are different values of the type different in the class? Else rows of one key come in several groups. */
static bool is_told_apart(enum compare_class class, const struct value_type *t)
{
    enum { DOUBLE_DIGITS = 15 };

    if (class == COMPARE_DOUBLE && t->kind != DATUM_DOUBLE && t->precision > DOUBLE_DIGITS)
        return false;
    return is_ordered_as(class, t);
}

/* What the conditions of a subquery are. Owner: the arena. */
struct correlation {
    struct subquery_keyed *keyed;
    struct expr **keys; /* inside */
    struct expr **rest; /* conditions that do not depend on the row outside */
    uint32_t n_rest;
    struct expr *bound; /* inner <> outer, <, ...: at most one, of EXISTS */
    uint32_t uses;
    bool mixes; /* a key that its rows write in several ways */
};

static bool take_condition(struct correlation *c, struct expr *e)
{
    struct key_walk w = look_at(e);
    int in = w.outer ? inner_side(e) : -1;

    c->uses += w.outer;
    if (!w.outer) {
        c->rest[c->n_rest++] = e;
        return true;
    }
    if (in < 0)
        return false;
    if (e->op != SQL_OP_EQ) {
        bool first = !c->bound;
        c->bound = e;
        return first && is_ordered_as(e->class, &e->args[in]->type);
    }
    struct subquery_keyed *k = c->keyed;
    c->mixes |= !is_told_apart((enum compare_class)e->class, &e->args[in]->type);
    c->keys[k->n_keys] = e->args[in];
    k->outside[k->n_keys] = e->args[1 - in];
    k->classes[k->n_keys++] = e->class == COMPARE_INT ? COMPARE_DECIMAL : e->class;
    return true;
}

static bool limit_is(const struct sql_query *q, bool exactly_one)
{
    const struct sql_expr *n = q->limit.count;

    return !q->limit.offset && n && n->kind == SQL_EXPR_INT && n->v.integer >= 1 &&
           (!exactly_one || n->v.integer == 1);
}

/* Is the SELECT one that can be run for all keys at once, as far as its clauses go? */
static bool form_fits(const struct bound_select *s, const struct subquery *q,
                      const struct sql_select *ast)
{
    bool implicit = s->grouped && !ast->group_by;
    bool limited = q->ast->limit.count || q->ast->limit.offset;

    if (s->topn || !s->from || s->rollup || s->windowed || (ast->group_by && !s->n_groups))
        return false;
    if (implicit && s->having) /* a key whose rows it drops is not one without rows */
        return false;
    switch (q->use) {
    case SUBQUERY_SCALAR:
        return !limited || (limit_is(q->ast, true) && !s->distinct);
    case SUBQUERY_EXISTS:
        return !implicit && (!limited || limit_is(q->ast, false));
    case SUBQUERY_IN:
    case SUBQUERY_QUANTIFIED:
        return !implicit && !limited && !s->items[0].expr->delim;
    case SUBQUERY_IN_ROWS:
        return false;
    }
    return false;
}

static bool start(struct bind *b, struct correlation *c, uint32_t n)
{
    struct subquery_keyed *k = c->keyed = bind_alloc(b, sizeof *k);

    return k && (k->outside = bind_alloc(b, (n + 1) * sizeof(struct expr *))) &&
           (k->classes = bind_alloc(b, (n + 1) * sizeof *k->classes)) &&
           (k->key = bind_alloc(b, (n + 1) * sizeof *k->key)) &&
           (c->keys = bind_alloc(b, (n + 1) * sizeof(struct expr *))) &&
           (c->rest = bind_alloc(b, (n + 1) * sizeof(struct expr *)));
}

static bool add_groups(struct bind *b, struct bound_select *s, struct expr **keys, uint32_t n)
{
    struct expr **groups = bind_alloc(b, (s->n_groups + n) * sizeof *groups);

    if (!groups)
        return false;
    if (s->n_groups)
        memcpy(groups, s->groups, s->n_groups * sizeof *groups);
    for (uint32_t i = 0; i < n; i++)
        groups[s->n_groups++] = keys[i];
    s->groups = groups;
    return true;
}

static bool add_bound(struct bind *b, struct bound_select *s, enum aggregate_op op, struct expr *of)
{
    struct aggregate_call *call = bind_alloc(b, sizeof *call);
    struct expr *e = expr_new(b->arena, EXPR_AGGREGATE, 0);

    if (!call || !e || !(call->args = bind_alloc(b, sizeof *call->args)))
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    call->op = op;
    call->args[0] = of;
    call->n_args = 1;
    call->type = aggregate_type(op, of);
    e->u.aggregate = call;
    e->type = call->type;
    return bind_add_item(b, s, e, "bound");
}

/* EXISTS (… WHERE key = outer.key AND v > outer.v): it exists where the largest v of the key is greater. */
static bool rewrite_bound(struct bind *b, struct bound_select *s, struct correlation *c)
{
    int in = inner_side(c->bound);
    struct expr *v = c->bound->args[in];

    c->keyed->bound_outside = c->bound->args[1 - in];
    c->keyed->bound_class = (enum compare_class)c->bound->class;
    c->keyed->bound_op = c->bound->op;
    c->keyed->inner_is_first = in == 0;
    s->grouped = true;
    return add_bound(b, s, AGG_MIN, v) && add_bound(b, s, AGG_MAX, v);
}

static bool rewrite(struct bind *b, struct bound_select *s, struct subquery *q,
                    struct correlation *c, bool implicit)
{
    struct subquery_keyed *k = c->keyed;
    bool in_order = q->use == SUBQUERY_SCALAR && q->ast->limit.count;

    k->first_wins = in_order;
    if (!in_order) {
        s->n_order = 0;
        s->n_items = s->n_visible;
    }
    if (q->use == SUBQUERY_EXISTS) {
        s->n_items = 0;
        if (!s->grouped)
            s->distinct = !c->bound;
        if (c->bound && !rewrite_bound(b, s, c))
            return false;
    }
    k->key_cell = s->n_items;
    for (uint32_t i = 0; i < k->n_keys; i++)
        if (!bind_add_item(b, s, c->keys[i], "key"))
            return false;
    if (q->use == SUBQUERY_EXISTS)
        s->n_visible = s->n_items;
    if (s->grouped && !add_groups(b, s, c->keys, k->n_keys))
        return false;
    k->of_nothing = implicit;
    k->inside = c->keys;
    k->select = s;
    s->where = c->rest;
    s->n_where = c->n_rest;
    q->keyed = k;
    q->mode = SUBQUERY_KEYED;
    return true;
}

bool bind_correlated(struct bind *b, struct bound_select *s, const struct sql_select *ast)
{
    const struct bind_scope *around = b->scope->outer;
    struct subquery *q = around ? around->subquery : NULL;
    struct correlation c = {0};
    uint32_t uses = 0;

    if (!q || !q->n_params || q->ast->terms->next || q->ast->terms->select != ast)
        return true;
    if (!form_fits(s, q, ast))
        return true;
    if (!start(b, &c, s->n_where))
        return false;
    for (uint32_t i = 0; i < s->n_where; i++)
        if (!take_condition(&c, s->where[i]))
            return true;
    for (const struct outer_param *p = q->params; p; p = p->next)
        uses += p->uses;
    if (c.mixes && (s->grouped || s->distinct || c.bound))
        return true;
    bool may_be_bound = q->use == SUBQUERY_EXISTS && !s->grouped && !s->distinct;
    if (uses != c.uses || !c.keyed->n_keys || (c.bound && !may_be_bound))
        return true;
    return rewrite(b, s, q, &c, s->grouped && !ast->group_by);
}

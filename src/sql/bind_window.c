/* Window functions: which window a call means, and its frame. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/decimal.h"
#include "sql/value_convert.h"
#include "sql/window.h"

enum { MAX_REFERENCES = 64 }; /* windows that refer to each other */

/* A window with what it has from those it refers to. */
struct window_spec {
    const char *name;
    const struct sql_order *partition, *order;
    enum sql_frame_unit frame;
    struct sql_bound from, to;
};

static bool fail(struct bind *b, unsigned code, const struct window_spec *spec)
{
    return bind_fail(b, code, spec->name ? spec->name : "<unnamed window>");
}

static const struct sql_window *find_window(const struct bind *b, const char *name)
{
    const struct sql_window *w = b->scope->ast ? b->scope->ast->windows : NULL;

    while (w && strcasecmp(w->name, name) != 0)
        w = w->next;
    return w;
}

/* What another window adds to the one it refers to. */
static bool extend(struct bind *b, const struct sql_window *w, struct window_spec *spec)
{
    if (w->partition_by)
        return bind_fail(b, MYSQL_ER_WINDOW_NO_CHILD_PARTITIONING);
    if (spec->frame)
        return bind_fail(b, MYSQL_ER_WINDOW_NO_INHERIT_FRAME, w->base);
    if (w->order_by && spec->order)
        return bind_fail(b, MYSQL_ER_WINDOW_NO_REDEFINE_ORDER_BY,
                         w->name ? w->name : "<unnamed window>", w->base);
    spec->name = w->name;
    spec->order = w->order_by ? w->order_by : spec->order;
    return true;
}

static bool resolve(struct bind *b, const struct sql_window *w, unsigned depth,
                    struct window_spec *spec)
{
    *spec =
        (struct window_spec){.name = w->name, .partition = w->partition_by, .order = w->order_by};
    if (w->base) {
        const struct sql_window *base = find_window(b, w->base);
        if (!base)
            return bind_fail(b, MYSQL_ER_WINDOW_NO_SUCH_WINDOW, w->base);
        if (depth == MAX_REFERENCES)
            return bind_fail(b, MYSQL_ER_WINDOW_CIRCULARITY);
        if (!resolve(b, base, depth + 1, spec) || w->is_reference)
            return !b->error->code;
        if (!extend(b, w, spec))
            return false;
    }
    spec->frame = w->frame;
    spec->from = w->from;
    spec->to = w->to;
    if (spec->frame && !spec->to.kind)
        spec->to.kind = SQL_BOUND_CURRENT_ROW;
    return true;
}

bool bind_window_clause(struct bind *b, const struct sql_window *windows)
{
    struct window_spec spec;

    for (const struct sql_window *w = windows; w; w = w->next) {
        for (const struct sql_window *v = windows; v != w; v = v->next)
            if (strcasecmp(v->name, w->name) == 0)
                return bind_fail(b, MYSQL_ER_WINDOW_DUPLICATE_NAME, w->name);
        if (!resolve(b, w, 0, &spec))
            return false;
    }
    return true;
}

static bool visit_no_window(struct expr *e, void *ctx)
{
    (void)ctx;
    return e->kind != EXPR_WINDOW;
}

bool bind_without_windows(struct bind *b, struct expr *e)
{
    if (expr_walk(e, visit_no_window, NULL))
        return true;
    const char *text = e->text ? arena_strndup(b->arena, e->text, e->text_len) : NULL;
    return bind_fail(b, MYSQL_ER_WINDOW_INVALID_ALIAS_USE, text ? text : "?");
}

/* ---- frames ---- */

/* What is wrong with bounds whatever their numbers: 0 when nothing is. */
static unsigned check_bounds(const struct window_spec *spec)
{
    if (spec->from.kind == SQL_BOUND_UNBOUNDED_FOLLOWING)
        return MYSQL_ER_WINDOW_FRAME_START_ILLEGAL;
    if (spec->to.kind == SQL_BOUND_UNBOUNDED_PRECEDING)
        return MYSQL_ER_WINDOW_FRAME_END_ILLEGAL;
    bool backwards =
        (spec->from.kind == SQL_BOUND_CURRENT_ROW || spec->from.kind == SQL_BOUND_FOLLOWING) &&
        spec->to.kind < spec->from.kind;
    return backwards ? MYSQL_ER_WINDOW_FRAME_ILLEGAL : 0;
}

/* A number of a frame as a constant that is not negative; while a statement is prepared '?' is any. */
static bool bind_distance(struct bind *b, const struct sql_expr *e, const struct window_spec *spec,
                          struct expr **out)
{
    bool unknown = e->kind == SQL_EXPR_PARAM && !b->params;
    struct expr *n = bind_expr(b, e);

    if (!n)
        return false;
    if (!expr_is_const(n))
        return fail(b, MYSQL_ER_WINDOW_RANGE_BOUND_NOT_CONSTANT, spec);
    const struct datum *d = &n->u.value;
    if (unknown) {
        struct datum zero;
        struct value_type t = value_type_int(1);
        datum_set_int(&zero, 0);
        n = expr_new_const(b->arena, &zero, &t);
        if (!n)
            return bind_alloc(b, SIZE_MAX / 2) != NULL;
    } else if (!datum_kind_is_number(d->kind) || datum_to_double(d) < 0) {
        return fail(b, MYSQL_ER_WINDOW_FRAME_ILLEGAL, spec);
    }
    *out = n;
    return true;
}

static bool bind_rows(struct bind *b, const struct sql_bound *from, const struct window_spec *spec,
                      struct window_bound *to)
{
    struct expr *n;

    to->kind = from->kind;
    if (!from->expr)
        return true;
    if (from->expr->kind == SQL_EXPR_INTERVAL)
        return fail(b, MYSQL_ER_WINDOW_FRAME_ILLEGAL, spec);
    if (!bind_distance(b, from->expr, spec, &n))
        return false;
    if (n->u.value.kind != DATUM_INT && n->u.value.kind != DATUM_UINT)
        return fail(b, MYSQL_ER_WINDOW_FRAME_ILLEGAL, spec);
    to->rows = n->u.value.u;
    return true;
}

/* The number as a decimal where the key is an integer, so that no key is too small for it. */
static struct expr *distance_for(struct bind *b, const struct expr *key, struct expr *n)
{
    __int128 v;
    unsigned scale;

    if (!expr_is_const(n) || key->type.kind == DATUM_DOUBLE || n->type.kind == DATUM_DECIMAL ||
        n->type.kind == DATUM_DOUBLE || !datum_to_decimal(&n->u.value, &v, &scale))
        return n;
    struct datum d;
    struct value_type t = value_type_decimal(decimal_digits(v), scale);
    datum_set_decimal(&d, v, scale);
    return expr_new_const(b->arena, &d, &t);
}

/* The bound's key: that of the row, less or more the distance. */
static struct expr *bind_key(struct bind *b, const struct sql_bound *bound,
                             const struct window_spec *spec, struct expr *key, bool descending)
{
    struct function_bind fb = bind_function(b);
    bool subtract = (bound->kind == SQL_BOUND_PRECEDING) != descending;
    bool is_interval = bound->expr->kind == SQL_EXPR_INTERVAL;
    struct expr *n;

    if (is_interval != datum_kind_is_temporal(key->type.kind)) {
        fail(b,
             is_interval ? MYSQL_ER_WINDOW_RANGE_FRAME_NUMERIC_TYPE
                         : MYSQL_ER_WINDOW_RANGE_FRAME_TEMPORAL_TYPE,
             spec);
        return NULL;
    }
    if (!is_interval) {
        if (!bind_distance(b, bound->expr, spec, &n) || !(n = distance_for(b, key, n)))
            return NULL;
        struct expr *e = expr_new_arith(b->arena, subtract ? SQL_OP_SUB : SQL_OP_ADD, key, n);
        return e ? e : bind_alloc(b, SIZE_MAX / 2);
    }
    const struct sql_expr *amount = bound->expr->v.args[0];
    if (!(n = bind_expr(b, amount)))
        return NULL;
    if (!expr_is_const(n) || (n->u.value.kind == DATUM_NULL && b->params) ||
        (datum_kind_is_number(n->u.value.kind) && datum_to_double(&n->u.value) < 0)) {
        fail(b, MYSQL_ER_WINDOW_FRAME_ILLEGAL, spec);
        return NULL;
    }
    return function_new_interval(&fb, key, n, bound->expr->op, subtract);
}

/* Arguments of the call being made, in window_call's order. */
struct window_args {
    struct expr **list;
    uint32_t n;
    bool *descending;
};

static bool bind_range(struct bind *b, const struct sql_bound *from, const struct window_spec *spec,
                       struct window_call *c, struct window_args *args, struct window_bound *to)
{
    to->kind = from->kind;
    to->key = -1;
    if (!from->expr)
        return true;
    struct expr *key = c->n_order == 1 ? args->list[c->n_values + c->n_partition] : NULL;
    if (!key || (!datum_kind_is_number(key->type.kind) && !datum_kind_is_temporal(key->type.kind)))
        return fail(b, MYSQL_ER_WINDOW_RANGE_FRAME_ORDER_TYPE, spec);
    struct expr *moved = bind_key(b, from, spec, key, args->descending[0]);
    if (!moved)
        return false;
    to->key = (int32_t)args->n;
    to->class = compare_class_of(&key->type, &moved->type);
    args->list[args->n++] = moved;
    return true;
}

static bool bind_frame(struct bind *b, const struct window_spec *spec, struct window_call *c,
                       struct window_args *args)
{
    unsigned code = spec->frame ? check_bounds(spec) : 0;

    if (code)
        return fail(b, code, spec);
    c->is_range = spec->frame != SQL_FRAME_ROWS;
    c->from.kind = SQL_BOUND_UNBOUNDED_PRECEDING;
    c->to.kind = SQL_BOUND_CURRENT_ROW; /* without an order all rows are peers */
    c->from.key = c->to.key = -1;
    if (!spec->frame)
        return true;
    if (!c->is_range)
        return bind_rows(b, &spec->from, spec, &c->from) && bind_rows(b, &spec->to, spec, &c->to);
    return bind_range(b, &spec->from, spec, c, args, &c->from) &&
           bind_range(b, &spec->to, spec, c, args, &c->to);
}

/* ---- arguments ---- */

/* A constant number of rows: LAG(x, n), NTILE(n), NTH_VALUE(x, n). */
static bool bind_count(struct bind *b, const struct sql_call *c, const struct sql_expr *e,
                       uint64_t least, uint64_t *out)
{
    struct expr *n = bind_expr(b, e);

    if (!n)
        return false;
    if (e->kind == SQL_EXPR_PARAM && !b->params) {
        *out = least;
        return true;
    }
    const struct datum *d = &n->u.value;
    if (!expr_is_const(n) || (d->kind != DATUM_INT && d->kind != DATUM_UINT) ||
        (d->kind == DATUM_INT && d->i < 0) || d->u < least)
        return bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, c->name);
    *out = d->u;
    return true;
}

/* Value and default of LAG and LEAD as values of one type, each from a CASE that always takes it. */
static bool make_common(struct bind *b, struct expr **args)
{
    struct function_bind fb = bind_function(b);
    struct expr *value = args[0], *other = args[1];

    if (value->type.kind == other->type.kind && value->type.kind != DATUM_DECIMAL)
        return true;
    for (int i = 0; i < 2; i++) {
        struct datum first;
        struct value_type t = value_type_int(1);
        datum_set_int(&first, i == 0);
        struct expr *list[3] = {expr_new_const(b->arena, &first, &t), value, other};
        if (!list[0] || !(args[i] = function_new_case(&fb, list, 3, false, true)))
            return false;
    }
    return true;
}

static bool bind_values(struct bind *b, const struct sql_call *c, struct window_call *w,
                        struct window_args *args)
{
    static const uint8_t least[] = {
        [WINDOW_NTILE] = 1,       [WINDOW_LAG] = 1,        [WINDOW_LEAD] = 1,
        [WINDOW_FIRST_VALUE] = 1, [WINDOW_LAST_VALUE] = 1, [WINDOW_NTH_VALUE] = 2,
        [WINDOW_AGGREGATE] = 0};
    static const uint8_t most[] = {
        [WINDOW_NTILE] = 1,       [WINDOW_LAG] = 3,        [WINDOW_LEAD] = 3,
        [WINDOW_FIRST_VALUE] = 1, [WINDOW_LAST_VALUE] = 1, [WINDOW_NTH_VALUE] = 2,
        [WINDOW_AGGREGATE] = 0};

    if (c->arg_count < least[w->op] || c->arg_count > most[w->op] || c->is_distinct ||
        c->has_star || c->order_by || c->filter || c->within_group)
        return bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
    bool shifts = w->op == WINDOW_LAG || w->op == WINDOW_LEAD;
    if (w->op == WINDOW_NTILE)
        return bind_count(b, c, c->args[0], 1, &w->offset);
    w->offset = shifts ? 1 : 0;
    if (c->arg_count > 1 &&
        !bind_count(b, c, c->args[1], w->op == WINDOW_NTH_VALUE ? 1 : 0, &w->offset))
        return false;
    for (uint32_t i = 0; i < c->arg_count; i += 2)
        if (!(args->list[args->n++] = bind_expr(b, c->args[i])))
            return false;
    return args->n < 2 || make_common(b, args->list);
}

static bool bind_aggregate(struct bind *b, const struct sql_call *c, enum aggregate_op op,
                           struct window_call *w, struct window_args *args)
{
    bool is_simple = op != AGG_GROUP_CONCAT && op != AGG_PERCENTILE_CONT &&
                     op != AGG_PERCENTILE_DISC && op != AGG_JSON_ARRAY && op != AGG_JSON_OBJECT &&
                     !c->is_distinct && strcasecmp(c->name, "approx_count_distinct") != 0;

    if (!is_simple) {
        const char *text = arena_printf(b->arena, "%s%s as a window function", c->name,
                                        c->is_distinct ? "(DISTINCT ..)" : "");
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, text ? text : c->name);
    }
    w->op = WINDOW_AGGREGATE;
    if (!(w->aggregate = bind_aggregate_call(b, c, op)))
        return false;
    for (uint32_t i = 0; i < w->aggregate->n_args; i++)
        args->list[args->n++] = w->aggregate->args[i];
    return true;
}

static struct value_type type_of(const struct window_call *w, const struct window_args *args)
{
    struct value_type t;

    switch (w->op) {
    case WINDOW_AGGREGATE:
        return w->aggregate->type;
    case WINDOW_PERCENT_RANK:
    case WINDOW_CUME_DIST:
        t = value_type_double();
        t.not_null = true;
        return t;
    case WINDOW_LAG:
    case WINDOW_LEAD:
    case WINDOW_FIRST_VALUE:
    case WINDOW_LAST_VALUE:
    case WINDOW_NTH_VALUE:
        t = args->list[0]->type;
        if (w->n_values > 1)
            t = expr_common_type(&t, &args->list[1]->type);
        t.not_null = false;
        return t;
    default:
        t = value_type_int(21);
        t.not_null = true;
        return t;
    }
}

/* Expressions of PARTITION BY or ORDER BY; constants change nothing. */
static bool bind_list(struct bind *b, const struct sql_order *o, const struct window_spec *spec,
                      struct window_args *args, uint32_t *n, bool *descending)
{
    for (; o; o = o->next) {
        if (o->expr->kind == SQL_EXPR_INT && !(o->expr->flags & SQL_FLAG_PARENS))
            return fail(b, MYSQL_ER_WINDOW_ILLEGAL_ORDER_BY, spec);
        struct expr *e = bind_expr(b, o->expr);
        if (!e)
            return false;
        if (expr_is_const(e))
            continue;
        if (descending)
            descending[*n] = o->is_desc;
        args->list[args->n++] = e;
        ++*n;
    }
    return true;
}

static uint32_t count(const struct sql_order *o)
{
    uint32_t n = 0;

    for (; o; o = o->next)
        n++;
    return n;
}

static bool bind_parts(struct bind *b, const struct sql_call *c, struct window_call *w,
                       struct window_args *args)
{
    struct window_spec spec;
    enum aggregate_op op = AGG_COUNT;

    if (!resolve(b, c->over, 0, &spec))
        return false;
    args->list = bind_alloc(b, (c->arg_count + count(spec.partition) + count(spec.order) + 4) *
                                   sizeof(*args->list));
    args->descending = bind_alloc(b, count(spec.order) + 1);
    if (!args->list || !args->descending)
        return false;
    bool ok = window_find(c->name, &w->op) == 0 ? bind_values(b, c, w, args)
              : aggregate_find(c->name, &op) == 0
                  ? bind_aggregate(b, c, op, w, args)
                  : bind_fail(b, MYSQL_ER_WINDOW_INVALID_USE, c->name);
    w->n_values = args->n;
    w->descending = args->descending;
    return ok && bind_list(b, spec.partition, &spec, args, &w->n_partition, NULL) &&
           bind_list(b, spec.order, &spec, args, &w->n_order, args->descending) &&
           bind_frame(b, &spec, w, args);
}

struct expr *bind_window(struct bind *b, const struct sql_expr *e)
{
    const struct sql_call *c = e->v.call;
    struct bind_scope *s = b->scope;
    struct window_args args = {0};

    if (!s || !s->select || !s->allows_aggregates || s->in_aggregate || s->in_window ||
        (s->clause != BIND_FIELDS && s->clause != BIND_ORDER)) {
        bind_fail(b, MYSQL_ER_WINDOW_INVALID_USE, c->name);
        return NULL;
    }
    if (c->has_star && strcasecmp(c->name, "count") != 0) {
        bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
        return NULL;
    }
    struct window_call *w = bind_alloc(b, sizeof *w);
    if (!w)
        return NULL;
    s->in_window = true;
    bool ok = bind_parts(b, c, w, &args);
    s->in_window = false;
    if (!ok)
        return NULL;
    s->saw_window = true;
    struct expr *n = expr_new(b->arena, EXPR_WINDOW, args.n);
    if (!n)
        return bind_alloc(b, SIZE_MAX / 2);
    if (args.n)
        memcpy(n->args, args.list, args.n * sizeof(*args.list));
    n->u.window = w;
    n->type = type_of(w, &args);
    expr_prepare(n, b->arena);
    return n;
}

/* Calls: aggregates, functions with a syntax of their own, and the function tables. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/function_plugin.h"

static bool bind_aggregate_args(struct bind *b, const struct sql_call *c, struct aggregate_call *a)
{
    bool percentile = a->op == AGG_PERCENTILE_CONT || a->op == AGG_PERCENTILE_DISC;
    uint32_t n = c->arg_count + (percentile ? 1 : 0);

    a->args = bind_alloc(b, (n + 1) * sizeof *a->args);
    if (!a->args)
        return false;
    for (uint32_t i = 0; i < c->arg_count; i++)
        if (!(a->args[i] = bind_expr(b, c->args[i])))
            return false;
    a->n_args = n;
    bool of_numbers = a->op == AGG_SUM || a->op == AGG_AVG ||
                      (a->op >= AGG_BIT_AND && a->op <= AGG_PERCENTILE_DISC);
    if (of_numbers && !(a->args[0] = expr_as_number(b->arena, a->args[0])))
        return bind_alloc(b, SIZE_MAX / 2) != NULL;
    if (percentile && strcasecmp(c->name, "median") == 0) {
        struct datum half;
        struct value_type t = value_type_decimal(1, 1);
        datum_set_decimal(&half, 5, 1);
        a->args[1] = a->args[0];
        a->args[0] = expr_new_const(b->arena, &half, &t);
        return a->args[0] ? true : bind_alloc(b, SIZE_MAX / 2) != NULL;
    }
    if (percentile) {
        if (!c->within_group || c->arg_count != 1)
            return bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
        a->descending = c->within_group->is_desc;
        return (a->args[1] = bind_expr(b, c->within_group->expr)) != NULL;
    }
    uint32_t k = 0;
    for (const struct sql_order *o = c->order_by; o; o = o->next)
        k++;
    if (!k)
        return true;
    a->order = bind_alloc(b, k * sizeof *a->order);
    a->order_desc = bind_alloc(b, k * sizeof *a->order_desc);
    if (!a->order || !a->order_desc)
        return false;
    for (const struct sql_order *o = c->order_by; o; o = o->next) {
        a->order_desc[a->n_order] = o->is_desc;
        if (!(a->order[a->n_order++] = bind_expr(b, o->expr)))
            return false;
    }
    return true;
}

/* FILTER (WHERE f) as an argument that is NULL for the other rows. */
static bool apply_filter(struct bind *b, const struct sql_call *c, struct aggregate_call *a)
{
    struct function_bind fb = bind_function(b);
    struct datum one;
    struct value_type t = value_type_int(1);

    if (!c->filter)
        return true;
    struct expr *f = bind_expr(b, c->filter);
    if (!f)
        return false;
    if (a->op == AGG_COUNT_ROWS) {
        datum_set_int(&one, 1);
        a->op = AGG_COUNT;
        a->args[0] = expr_new_const(b->arena, &one, &t);
        a->n_args = 1;
    }
    struct expr *args[2] = {f, a->args[0]};
    a->args[0] = args[1] ? function_new_case(&fb, args, 2, false, false) : NULL;
    return a->args[0] != NULL;
}

/* What a plug-in says of its aggregate. */
static bool bind_plugin(struct bind *b, const struct sql_call *c, struct aggregate_call *a)
{
    const struct quanta_function_signature *s;

    a->plugin = aggregate_plugin_find(c->name);
    s = &a->plugin->signature;
    a->distinct = c->is_distinct;
    a->type = function_plugin_type(s);
    if (c->has_star || c->arg_count < s->min_args || c->arg_count > s->max_args)
        return bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
    if ((c->is_distinct && c->arg_count > 1) || c->order_by ||
        (c->filter && (s->flags & QUANTA_FUNCTION_TAKES_NULL)))
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                         "DISTINCT of several arguments, ORDER BY or FILTER in this aggregate of a "
                         "plug-in");
    return bind_aggregate_args(b, c, a) && apply_filter(b, c, a);
}

struct aggregate_call *bind_aggregate_call(struct bind *b, const struct sql_call *c,
                                           enum aggregate_op op)
{
    struct aggregate_call *a;

    if (op == AGG_PLUGIN) {
        if ((a = bind_alloc(b, sizeof *a)))
            a->op = op;
        return a && bind_plugin(b, c, a) ? a : NULL;
    }
    bool told_apart = c->is_distinct || strcasecmp(c->name, "approx_count_distinct") == 0;
    bool many = op == AGG_GROUP_CONCAT || (op == AGG_COUNT && told_apart);
    uint32_t most = many ? UINT32_MAX : op == AGG_JSON_OBJECT ? 2 : 1;

    if (!c->has_star && (c->arg_count == 0 || c->arg_count > most ||
                         (op == AGG_JSON_OBJECT && c->arg_count != 2))) {
        bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
        return NULL;
    }
    if (!(a = bind_alloc(b, sizeof *a)))
        return NULL;
    a->op = c->has_star ? AGG_COUNT_ROWS : op;
    a->distinct = told_apart && op != AGG_MIN && op != AGG_MAX && op != AGG_ANY;
    if (!bind_aggregate_args(b, c, a) || !apply_filter(b, c, a))
        return NULL;
    if (op == AGG_GROUP_CONCAT) {
        a->separator = c->separator ? c->separator->v.text : ",";
        a->separator_len = c->separator ? c->separator->count : 1;
    }
    bool percentile = op == AGG_PERCENTILE_CONT || op == AGG_PERCENTILE_DISC;
    a->type = aggregate_type(a->op, a->n_args ? a->args[percentile ? 1 : 0] : NULL);
    return a;
}

struct column_walk {
    bool inner, outer;
};

static bool visit_column(struct expr *e, void *ctx)
{
    struct column_walk *w = ctx;

    w->inner |= e->kind == EXPR_COLUMN;
    w->outer |= e->kind == EXPR_OUTER;
    return true;
}

/* Such an aggregate would be the enclosing query's. */
static bool is_of_enclosing(struct aggregate_call *a)
{
    struct column_walk w = {0};

    aggregate_walk(a, visit_column, &w);
    return w.outer && !w.inner;
}

static struct expr *bind_aggregate(struct bind *b, const struct sql_call *c, enum aggregate_op op)
{
    struct bind_scope *s = b->scope;

    if (!s || !s->select || !s->allows_aggregates || s->in_aggregate) {
        bind_fail(b, MYSQL_ER_INVALID_GROUP_FUNC_USE);
        return NULL;
    }
    s->in_aggregate = true;
    struct aggregate_call *a = bind_aggregate_call(b, c, op);
    s->in_aggregate = false;
    if (!a)
        return NULL;
    if (is_of_enclosing(a)) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                  "an aggregate of an enclosing query's columns alone");
        return NULL;
    }
    s->saw_aggregate = true;
    struct expr *e = expr_new(b->arena, EXPR_AGGREGATE, 0);
    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    e->u.aggregate = a;
    e->type = a->type;
    return e;
}

/* DATE_ADD(d, INTERVAL n unit) and its like; *done false when the call is another one. */
static struct expr *bind_date_call(struct bind *b, const struct sql_call *c, bool *done)
{
    struct function_bind fb = bind_function(b);
    bool add = strcasecmp(c->name, "date_add") == 0 || strcasecmp(c->name, "adddate") == 0;
    bool sub = strcasecmp(c->name, "date_sub") == 0 || strcasecmp(c->name, "subdate") == 0;
    struct expr *p, *q;

    *done = true;
    if ((add || sub) && c->arg_count == 2) {
        const struct sql_expr *i = c->args[1];
        bool interval = i->kind == SQL_EXPR_INTERVAL;
        p = bind_expr(b, c->args[0]);
        if (!p || !(q = bind_expr(b, interval ? i->v.args[0] : i)))
            return NULL;
        return bind_fold(b, function_new_interval(&fb, p, q, interval ? i->op : SQL_UNIT_DAY, sub));
    }
    if (c->arg_count == 3 && c->args[0]->kind == SQL_EXPR_UNIT) {
        if (!(p = bind_expr(b, c->args[1])) || !(q = bind_expr(b, c->args[2])))
            return NULL;
        if (strcasecmp(c->name, "timestampadd") == 0)
            return bind_fold(b, function_new_interval(&fb, q, p, c->args[0]->op, false));
        return bind_fold(b, function_new_timestampdiff(&fb, c->args[0]->op, p, q));
    }
    *done = false;
    return NULL;
}

/* The DATE of get_format(DATE, 'EUR') as a text. */
static struct expr *bind_format_word(struct bind *b, const struct sql_expr *e)
{
    static const char *const words[] = {"date", "time", "datetime", "timestamp"};
    const char *name = e->kind == SQL_EXPR_COLUMN && !e->v.column->table ? e->v.column->name : NULL;
    struct value_type type = value_type_string(16);
    struct datum d;

    for (size_t i = 0; name && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(name, words[i]) == 0) {
            datum_set_string(&d, words[i], strlen(words[i]));
            return expr_new_const(b->arena, &d, &type);
        }
    bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "get_format");
    return NULL;
}

/* A name that is no function here; of those that MySQL has it says so. */
static void fail_unknown(struct bind *b, const struct sql_call *c)
{
    const char *name = arena_printf(b->arena, "%s.%s", SESSION_DATABASE, c->name);

    if (strcasecmp(c->name, "extractvalue") == 0 || strcasecmp(c->name, "updatexml") == 0)
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "XML, and so EXTRACTVALUE and UPDATEXML");
    else
        bind_fail(b, MYSQL_ER_SP_DOES_NOT_EXIST, "FUNCTION", name ? name : c->name);
}

static struct expr *bind_plain_call(struct bind *b, const struct sql_call *c)
{
    struct function_bind fb = bind_function(b);
    const struct function *f = function_find(c->name, strlen(c->name));
    struct expr **args;

    if (!f) {
        fail_unknown(b, c);
        return NULL;
    }
    bool has_word = strcmp(f->name, "get_format") == 0;
    args = bind_alloc(b, (c->arg_count + 1) * sizeof *args);
    if (!args)
        return NULL;
    for (uint32_t i = 0; i < c->arg_count; i++)
        if (!(args[i] =
                  has_word && i == 0 ? bind_format_word(b, c->args[i]) : bind_expr(b, c->args[i])))
            return NULL;
    if (strcmp(f->name, "nullif") == 0 && c->arg_count == 2)
        return bind_nullif(b, f, args);
    struct expr *e = bind_fold(b, function_new(&fb, f, args, c->arg_count));
    return c->charset ? bind_charset(e, c->charset) : e;
}

/* sum(a, b) and avg(a, b) of the first Quanta; of one argument they are aggregates. */
static bool is_sum_of_arguments(const struct sql_call *c)
{
    return c->arg_count > 1 && !c->is_distinct && !c->order_by && !c->separator &&
           (strcasecmp(c->name, "sum") == 0 || strcasecmp(c->name, "avg") == 0);
}

struct expr *bind_call(struct bind *b, const struct sql_expr *e)
{
    const struct sql_call *c = e->v.call;
    enum aggregate_op op;
    bool done;

    if (c->over)
        return bind_window(b, e);
    if (strcasecmp(c->name, "grouping") == 0)
        return bind_grouping(b, c);
    if (strcasecmp(c->name, "match") == 0)
        return bind_columns_call(b, c);
    if (!is_sum_of_arguments(c) && (aggregate_find(c->name, &op) == 0 || c->has_star)) {
        if (c->has_star && strcasecmp(c->name, "count") != 0) {
            bind_fail(b, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, c->name);
            return NULL;
        }
        return bind_aggregate(b, c, op);
    }
    if (aggregate_plugin_find(c->name))
        return bind_aggregate(b, c, AGG_PLUGIN);
    if (strcasecmp(c->name, "sample_stratified") == 0)
        return bind_sample(b, c);
    struct expr *r = bind_date_call(b, c, &done);
    return done ? r : bind_plain_call(b, c);
}

/* Texts of information_schema that MySQL compares without case: in upper case, and what they are compared with. */
bool bind_any_case(struct bind *b, struct expr **args, uint32_t n)
{
    const struct function *upper = function_find("upper", 5);
    struct function_bind fb = bind_function(b);
    bool wanted = false;

    for (uint32_t i = 0; i < n; i++)
        wanted |= args[i]->type.kind == DATUM_STRING && args[i]->type.is_any_case;
    for (uint32_t i = 0; wanted && i < n; i++)
        if (args[i]->type.kind == DATUM_STRING &&
            !(args[i] = bind_fold(b, function_new(&fb, upper, &args[i], 1))))
            return false;
    return true;
}

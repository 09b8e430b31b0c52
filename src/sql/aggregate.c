#include "sql/aggregate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/decimal.h"
#include "sql/function_json.h"
#include "sql/function_plugin.h"
#include "sql/value_convert.h"

enum { GROUP_CONCAT_MAX = 1 << 20 }; /* bytes: MariaDB's group_concat_max_len */

static const struct {
    const char *name;
    enum aggregate_op op;
} names[] = {
    {"count", AGG_COUNT},
    {"sum", AGG_SUM},
    {"avg", AGG_AVG},
    {"min", AGG_MIN},
    {"max", AGG_MAX},
    {"any_value", AGG_ANY},
    {"group_concat", AGG_GROUP_CONCAT},
    {"bit_and", AGG_BIT_AND},
    {"bit_or", AGG_BIT_OR},
    {"bit_xor", AGG_BIT_XOR},
    {"std", AGG_STDDEV_POP},
    {"stddev", AGG_STDDEV_POP},
    {"stddev_pop", AGG_STDDEV_POP},
    {"stddev_samp", AGG_STDDEV_SAMP},
    {"variance", AGG_VAR_POP},
    {"var_pop", AGG_VAR_POP},
    {"var_samp", AGG_VAR_SAMP},
    {"percentile_cont", AGG_PERCENTILE_CONT},
    {"percentile_disc", AGG_PERCENTILE_DISC},
    {"median", AGG_PERCENTILE_CONT},
    {"approx_count_distinct", AGG_COUNT},
    {"json_arrayagg", AGG_JSON_ARRAY},
    {"json_objectagg", AGG_JSON_OBJECT},
};

int aggregate_find(const char *name, enum aggregate_op *op)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, name) == 0) {
            *op = names[i].op;
            return 0;
        }
    return -ENOENT;
}

const char *aggregate_name(enum aggregate_op op)
{
    if (op == AGG_COUNT_ROWS)
        return "count";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].op == op)
            return names[i].name;
    return "?";
}

static struct value_type sum_type(const struct value_type *t)
{
    switch (t->kind) {
    case DATUM_INT:
    case DATUM_UINT:
    case DATUM_DATE:
    case DATUM_DATETIME:
    case DATUM_TIME:
        return value_type_decimal(datum_kind_is_temporal(t->kind) ? 36 : t->precision + 22u, 0);
    case DATUM_DECIMAL:
        return value_type_decimal(t->precision + 22u, t->scale);
    case DATUM_DOUBLE: {
        struct value_type d = value_type_double();
        d.scale = t->scale;
        return d;
    }
    default:
        return value_type_double();
    }
}

struct value_type aggregate_type(enum aggregate_op op, const struct expr *arg)
{
    struct value_type t;

    switch (op) {
    case AGG_COUNT_ROWS:
    case AGG_COUNT:
        t = value_type_int(20);
        t.not_null = true;
        return t;
    case AGG_SUM:
        return sum_type(&arg->type);
    case AGG_AVG:
        t = sum_type(&arg->type);
        if (t.kind == DATUM_DECIMAL)
            t = value_type_decimal(arg->type.precision + 4u, t.scale + 4u);
        else if (t.scale < VALUE_SCALE_FREE)
            t.scale = (uint8_t)(t.scale + 4 < VALUE_SCALE_FREE ? t.scale + 4 : VALUE_SCALE_FREE);
        return t;
    case AGG_MIN:
    case AGG_MAX:
    case AGG_ANY:
    case AGG_PERCENTILE_DISC:
        t = arg->type.kind == DATUM_NULL ? value_type_string(0) : arg->type;
        t.not_null = false;
        return t;
    case AGG_GROUP_CONCAT:
        return value_type_string(GROUP_CONCAT_MAX);
    case AGG_JSON_ARRAY:
    case AGG_JSON_OBJECT:
        t = value_type_string(FUNCTION_MAX_STRING / 4);
        t.is_json = true;
        return t;
    case AGG_BIT_AND:
    case AGG_BIT_OR:
    case AGG_BIT_XOR:
        t = value_type_uint(20);
        t.not_null = true;
        return t;
    default: /* MariaDB shows spreads of exact numbers with scale + 4 digits */
        t = value_type_double();
        if (arg->type.kind == DATUM_INT || arg->type.kind == DATUM_UINT ||
            arg->type.kind == DATUM_DECIMAL)
            t.scale = (uint8_t)((arg->type.kind == DATUM_DECIMAL ? arg->type.scale : 0) + 4);
        return t;
    }
}

bool aggregate_is_equal(const struct aggregate_call *a, const struct aggregate_call *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->plugin != b->plugin || a->distinct != b->distinct ||
        a->n_args != b->n_args || a->n_order || b->n_order || a->descending != b->descending ||
        a->separator_len != b->separator_len ||
        (a->separator_len && memcmp(a->separator, b->separator, a->separator_len) != 0))
        return false;
    for (uint32_t i = 0; i < a->n_args; i++)
        if (!expr_is_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

bool aggregate_walk(const struct aggregate_call *a, bool (*fn)(struct expr *e, void *ctx),
                    void *ctx)
{
    for (uint32_t i = 0; i < a->n_args; i++)
        if (!expr_walk(a->args[i], fn, ctx))
            return false;
    for (uint32_t i = 0; i < a->n_order; i++)
        if (!expr_walk(a->order[i], fn, ctx))
            return false;
    return true;
}

/* ---- AVG ---- */

static const struct function average_function = {.name = "avg"};

static void eval_average(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum sum, count;
    __int128 v, q;
    unsigned scale, s;

    expr_eval(e->args[0], x, &sum);
    expr_eval(e->args[1], x, &count);
    datum_set_null(out);
    if (sum.kind == DATUM_NULL || count.kind == DATUM_NULL || datum_truth(&count) != 1)
        return;
    if (e->type.kind == DATUM_DOUBLE) {
        datum_set_double(out, datum_to_double(&sum) / datum_to_double(&count));
        return;
    }
    __int128 n;
    unsigned sn;
    if (datum_to_decimal(&sum, &v, &scale) && datum_to_decimal(&count, &n, &sn) &&
        decimal_div(v, scale, n, sn, decimal_div_scale(scale, sn, 4), &q, &s))
        datum_set_decimal(out, q, s);
    else
        expr_fail(x, out, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", "avg");
}

struct expr *aggregate_new_average(struct arena *a, struct expr *sum, struct expr *count,
                                   const struct value_type *type)
{
    struct expr *e = expr_new(a, EXPR_CALL, 2);

    if (!e)
        return NULL;
    e->args[0] = sum;
    e->args[1] = count;
    e->type = *type;
    e->u.function = &average_function;
    e->eval = eval_average;
    return e;
}

/* ---- accumulation ---- */

void aggregate_init(struct aggregate_state *s, const struct aggregate_call *c)
{
    memset(s, 0, sizeof *s);
    if (c->op == AGG_BIT_AND)
        s->bits = UINT64_MAX;
}

/* Sums in decimals or doubles, as the result's type says. */
static void add_sum(struct aggregate_state *s, const struct aggregate_call *c,
                    const struct datum *d, struct expr_ctx *x)
{
    __int128 v, r;
    unsigned scale, rs;

    if (c->type.kind == DATUM_DOUBLE) {
        double sum = s->count ? s->value.f : 0;
        datum_set_double(&s->value, sum + datum_to_double(d));
        return;
    }
    if (!datum_to_decimal(d, &v, &scale))
        goto overflow;
    if (!s->count) {
        datum_set_decimal(&s->value, v, scale);
        return;
    }
    if (!decimal_add(s->value.dec, s->value.scale, v, scale, &r, &rs))
        goto overflow;
    datum_set_decimal(&s->value, r, rs);
    return;
overflow:
    expr_fail(x, NULL, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum");
}

static int add_extreme(struct aggregate_state *s, const struct datum *d, int sign, struct arena *a)
{
    struct datum copy;

    if (s->count && datum_order(d, &s->value) * sign <= 0)
        return 0;
    if (s->count && d->kind == DATUM_STRING &&
        s->value.len >= d->len) { /* in place: the old bytes are ours */
        memmove((char *)(uintptr_t)s->value.s, d->s, d->len);
        s->value.len = d->len;
        return 0;
    }
    if (!datum_copy(&copy, d, a))
        return -ENOMEM;
    s->value = copy;
    return 0;
}

static int add_item(struct aggregate_state *s, const struct aggregate_call *c,
                    const struct datum *d, struct expr_ctx *x, struct arena *a)
{
    if (s->list.n == s->list.cap) {
        uint32_t cap = s->list.cap ? s->list.cap * 2 : 8;
        struct aggregate_item *items = arena_alloc(a, cap * sizeof *items);
        if (!items)
            return -ENOMEM;
        if (s->list.n)
            memcpy(items, s->list.items, s->list.n * sizeof *items);
        s->list.items = items;
        s->list.cap = cap;
    }
    struct aggregate_item *it = &s->list.items[s->list.n];
    it->number = s->list.n;
    if (!datum_copy(&it->value, d, a))
        return -ENOMEM;
    it->order = NULL;
    if (c->n_order) {
        it->order = arena_alloc(a, c->n_order * sizeof *it->order);
        if (!it->order)
            return -ENOMEM;
        for (uint32_t i = 0; i < c->n_order; i++) {
            struct datum o;
            expr_eval(c->order[i], x, &o);
            if (!datum_copy(&it->order[i], &o, a))
                return -ENOMEM;
        }
    }
    s->list.n++;
    return 0;
}

/* The arguments joined, for GROUP_CONCAT(a, b); false when one is NULL. */
static bool concat_args(const struct aggregate_call *c, struct expr_ctx *x, struct datum *out)
{
    const char *parts[64];
    size_t lens[64], total = 0;
    uint32_t n = c->n_args > 64 ? 64 : c->n_args;

    for (uint32_t i = 0; i < n; i++) {
        struct datum d;
        expr_eval(c->args[i], x, &d);
        if (d.kind == DATUM_NULL || !(parts[i] = function_text(x, &d, &c->args[i]->type, &lens[i])))
            return false;
        total += lens[i];
    }
    char *s = expr_alloc(x, total + 1);
    if (!s)
        return false;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(s + at, parts[i], lens[i]);
        at += lens[i];
    }
    datum_set_string(out, s, total);
    return true;
}

/* The row's element of a JSON array, or its member of an object, as text. */
static bool json_piece(const struct aggregate_call *c, struct expr_ctx *x, struct datum *out)
{
    bool is_object = c->op == AGG_JSON_OBJECT;
    const struct expr *value = c->args[is_object ? 1 : 0];
    const char *key = NULL;
    size_t key_len = 0;
    struct datum d;

    if (is_object) {
        expr_eval(c->args[0], x, &d);
        if (d.kind == DATUM_NULL) {
            if (!expr_has_failed(x))
                mysql_error_set_text(x->error, 3158,
                                     "JSON documents may not contain NULL member names.");
            return false;
        }
        key = function_text(x, &d, &c->args[0]->type, &key_len);
        if (!key || !(key = json_quote(x->scratch, key, key_len, &key_len)))
            return false;
    }
    expr_eval(value, x, &d);
    datum_round_to_type(&d, &value->type);
    struct json *v = function_json_of(x, value, &d);
    if (!v)
        return false;
    function_put_json(x, v, out);
    if (!is_object || out->kind == DATUM_NULL)
        return out->kind != DATUM_NULL;
    char *p = expr_alloc(x, key_len + 2 + out->len);
    if (!p)
        return false;
    memcpy(p, key, key_len);
    memcpy(p + key_len, ": ", 2);
    memcpy(p + key_len + 2, out->s, out->len);
    datum_set_string(out, p, key_len + 2 + out->len);
    return true;
}

/* Value of the row for this aggregate; false when the row does not count. */
static bool row_value(const struct aggregate_call *c, struct expr_ctx *x, struct datum *d)
{
    if (c->op == AGG_GROUP_CONCAT)
        return concat_args(c, x, d);
    if (c->op == AGG_JSON_ARRAY || c->op == AGG_JSON_OBJECT)
        return json_piece(c, x, d);
    bool percentile = c->op == AGG_PERCENTILE_CONT || c->op == AGG_PERCENTILE_DISC;
    expr_eval(c->args[percentile ? 1 : 0], x, d);
    if (!percentile && c->n_args > 1) /* COUNT(DISTINCT a, b): rows with a NULL do not count */
        for (uint32_t i = 1; i < c->n_args && d->kind != DATUM_NULL; i++) {
            struct datum more;
            expr_eval(c->args[i], x, &more);
            if (more.kind == DATUM_NULL)
                datum_set_null(d);
        }
    return d->kind != DATUM_NULL || c->op == AGG_ANY;
}

/* 1 when the value was not seen before, 2 when it was not and is not noted either. A tuple is made
 * one string with lengths in it, in place of *d. */
static int first_time(struct aggregate_state *s, const struct aggregate_call *c, struct datum *d,
                      struct expr_ctx *x, struct arena *a, bool is_full)
{
    struct datum key = *d;
    struct value_type t = {.kind = d->kind};

    if (c->op == AGG_COUNT && c->n_args > 1) {
        size_t total = 0, len;
        for (int pass = 0; pass < 2; pass++) {
            char *p = pass ? expr_alloc(x, total + 1) : NULL;
            if (pass && !p)
                return -ENOMEM;
            if (pass)
                datum_set_string(&key, p, total);
            for (uint32_t i = 0; i < c->n_args; i++) {
                struct datum v;
                expr_eval(c->args[i], x, &v);
                datum_round_to_type(&v, &c->args[i]->type);
                const char *text = function_text(x, &v, &c->args[i]->type, &len);
                if (!text)
                    return -ENOMEM;
                if (pass) {
                    uint32_t n = (uint32_t)len;
                    memcpy(p, &n, sizeof n);
                    memcpy(p + sizeof n, text, len);
                    p += sizeof n + len;
                }
                total += pass ? 0 : len + sizeof(uint32_t);
            }
        }
        t.kind = DATUM_STRING;
        *d = key;
    }
    if (!s->seen) {
        if (is_full || !(s->seen = arena_alloc(a, sizeof *s->seen)))
            return 2;
        datum_set_init(s->seen, compare_class_of(&t, &t), a);
    }
    if (datum_set_contains(s->seen, &key))
        return 0;
    return !is_full && datum_set_add(s->seen, &key) == 0 ? 1 : 2;
}

int aggregate_add(struct aggregate_state *s, const struct aggregate_call *c, struct expr_ctx *x,
                  struct arena *a)
{
    struct datum unseen;

    return aggregate_add_seen(s, c, x, a, a, false, &unseen) == 0 ? 0 : -ENOMEM;
}

int aggregate_add_seen(struct aggregate_state *s, const struct aggregate_call *c,
                       struct expr_ctx *x, struct arena *a, struct arena *seen, bool is_full,
                       struct datum *unseen)
{
    struct datum d;

    if (c->op == AGG_COUNT_ROWS) {
        s->count++;
        return 0;
    }
    if (c->op == AGG_PLUGIN && !c->distinct)
        return aggregate_plugin_step(s, c, x, NULL, a);
    if (!row_value(c, x, &d))
        return 0;
    if (c->distinct && c->op != AGG_MIN && c->op != AGG_MAX) {
        datum_round_to_type(&d, &c->args[0]->type);
        int rc = first_time(s, c, &d, x, seen, is_full);
        if (rc == 2) {
            *unseen = d;
            return 1;
        }
        if (rc <= 0)
            return rc;
    }
    return aggregate_add_value(s, c, x, &d, a);
}

int aggregate_add_value(struct aggregate_state *s, const struct aggregate_call *c,
                        struct expr_ctx *x, const struct datum *d, struct arena *a)
{
    int rc = 0;

    switch (c->op) {
    case AGG_SUM:
    case AGG_AVG:
        add_sum(s, c, d, x);
        break;
    case AGG_MIN:
        rc = add_extreme(s, d, -1, a);
        break;
    case AGG_MAX:
        rc = add_extreme(s, d, 1, a);
        break;
    case AGG_ANY:
        if (!s->count)
            rc = datum_copy(&s->value, d, a) ? 0 : -ENOMEM;
        break;
    case AGG_GROUP_CONCAT:
    case AGG_PERCENTILE_CONT:
    case AGG_PERCENTILE_DISC:
    case AGG_JSON_ARRAY:
    case AGG_JSON_OBJECT:
        rc = add_item(s, c, d, x, a);
        break;
    case AGG_PLUGIN:
        return aggregate_plugin_step(s, c, x, d, a);
    case AGG_BIT_AND:
    case AGG_BIT_OR:
    case AGG_BIT_XOR: {
        __int128 v;
        if (!datum_to_wide_int(d, &v))
            v = INT64_MAX;
        s->bits = c->op == AGG_BIT_AND  ? s->bits & (uint64_t)v
                  : c->op == AGG_BIT_OR ? s->bits | (uint64_t)v
                                        : s->bits ^ (uint64_t)v;
        break;
    }
    case AGG_STDDEV_POP:
    case AGG_STDDEV_SAMP:
    case AGG_VAR_POP:
    case AGG_VAR_SAMP: {
        double v = datum_to_double(d), delta = v - s->spread.mean;
        s->spread.mean += delta / (double)(s->count + 1);
        s->spread.m2 += delta * (v - s->spread.mean);
        break;
    }
    default:
        break;
    }
    s->count++;
    return rc;
}

static int compare_items(const void *p, const void *q, void *ctx)
{
    const struct aggregate_item *a = p, *b = q;
    const struct aggregate_call *c = ctx;

    if (!c->n_order) {
        int r = datum_order(&a->value, &b->value);
        return c->descending ? -r : r;
    }
    for (uint32_t i = 0; i < c->n_order; i++) {
        int r = datum_order(&a->order[i], &b->order[i]);
        if (r)
            return c->order_desc[i] ? -r : r;
    }
    return (a->number > b->number) - (a->number < b->number);
}

static void finish_concat(struct aggregate_state *s, const struct aggregate_call *c,
                          struct expr_ctx *x, struct datum *out)
{
    size_t total = 0, at = 0;

    if (c->n_order || c->distinct) /* distinct values come sorted, as in MariaDB */
        qsort_r(s->list.items, s->list.n, sizeof *s->list.items, compare_items,
                (void *)(uintptr_t)c);
    for (uint32_t i = 0; i < s->list.n; i++)
        total += s->list.items[i].value.len + (i ? c->separator_len : 0);
    if (total > GROUP_CONCAT_MAX)
        total = GROUP_CONCAT_MAX;
    char *p = expr_alloc(x, total + 1);
    if (!p) {
        datum_set_null(out);
        return;
    }
    for (uint32_t i = 0; i < s->list.n && at < total; i++) {
        size_t n = i ? c->separator_len : 0;
        if (n > total - at)
            n = total - at;
        if (n)
            memcpy(p + at, c->separator, n);
        at += n;
        n = s->list.items[i].value.len;
        if (n > total - at)
            n = total - at;
        memcpy(p + at, s->list.items[i].value.s, n);
        at += n;
    }
    datum_set_string(out, p, total);
}

/* The pieces between brackets. */
static void finish_json(struct aggregate_state *s, const struct aggregate_call *c,
                        struct expr_ctx *x, struct datum *out)
{
    size_t total = 2, at = 1;

    if (c->n_order || c->distinct)
        qsort_r(s->list.items, s->list.n, sizeof *s->list.items, compare_items,
                (void *)(uintptr_t)c);
    for (uint32_t i = 0; i < s->list.n; i++)
        total += s->list.items[i].value.len + (i ? 2u : 0u);
    char *p = total <= UINT32_MAX ? expr_alloc(x, total) : NULL;
    if (!p) {
        datum_set_null(out);
        return;
    }
    p[0] = c->op == AGG_JSON_ARRAY ? '[' : '{';
    for (uint32_t i = 0; i < s->list.n; i++) {
        if (i) {
            memcpy(p + at, ", ", 2);
            at += 2;
        }
        memcpy(p + at, s->list.items[i].value.s, s->list.items[i].value.len);
        at += s->list.items[i].value.len;
    }
    p[at] = c->op == AGG_JSON_ARRAY ? ']' : '}';
    datum_set_string(out, p, total);
}

bool aggregate_fraction(const struct aggregate_call *c, struct expr_ctx *x, double *p)
{
    struct datum f;

    expr_eval(c->args[0], x, &f);
    *p = f.kind == DATUM_NULL ? -1 : datum_to_double(&f);
    if (*p >= 0 && *p <= 1)
        return true;
    expr_fail(x, &f, MYSQL_ER_WRONG_ARGUMENTS, aggregate_name(c->op));
    return false;
}

void aggregate_set_between(struct datum *out, const struct datum *a, const struct datum *b,
                           double part)
{
    double lo = datum_to_double(a), hi = datum_to_double(b);

    datum_set_double(out, lo + (hi - lo) * part);
}

static void finish_percentile(struct aggregate_state *s, const struct aggregate_call *c,
                              struct expr_ctx *x, struct datum *out)
{
    double p;

    if (!aggregate_fraction(c, x, &p)) {
        datum_set_null(out);
        return;
    }
    qsort_r(s->list.items, s->list.n, sizeof *s->list.items, compare_items, (void *)(uintptr_t)c);
    if (c->op == AGG_PERCENTILE_DISC) {
        uint32_t i = (uint32_t)ceil(p * s->list.n);
        *out = s->list.items[i ? i - 1 : 0].value;
        return;
    }
    double at = p * (s->list.n - 1);
    aggregate_set_between(out, &s->list.items[(uint32_t)floor(at)].value,
                          &s->list.items[(uint32_t)ceil(at)].value, at - floor(at));
}

void aggregate_finish(struct aggregate_state *s, const struct aggregate_call *c, struct expr_ctx *x,
                      struct datum *out)
{
    datum_set_null(out);
    switch (c->op) {
    case AGG_COUNT_ROWS:
    case AGG_COUNT:
        datum_set_int(out, (int64_t)s->count);
        return;
    case AGG_SUM:
    case AGG_AVG:
    case AGG_MIN:
    case AGG_MAX:
    case AGG_ANY:
        if (s->count)
            *out = s->value;
        return;
    case AGG_GROUP_CONCAT:
        if (s->count)
            finish_concat(s, c, x, out);
        return;
    case AGG_JSON_ARRAY:
    case AGG_JSON_OBJECT:
        if (s->count)
            finish_json(s, c, x, out);
        return;
    case AGG_PERCENTILE_CONT:
    case AGG_PERCENTILE_DISC:
        if (s->count)
            finish_percentile(s, c, x, out);
        return;
    case AGG_PLUGIN:
        aggregate_plugin_finish(s, c, x, out);
        return;
    case AGG_BIT_AND:
    case AGG_BIT_OR:
    case AGG_BIT_XOR:
        datum_set_uint(out, s->bits);
        return;
    case AGG_STDDEV_POP:
    case AGG_VAR_POP:
        if (s->count) {
            double v = s->spread.m2 / (double)s->count;
            datum_set_double(out, c->op == AGG_VAR_POP ? v : sqrt(v));
        }
        return;
    case AGG_STDDEV_SAMP:
    case AGG_VAR_SAMP:
        if (s->count > 1) {
            double v = s->spread.m2 / (double)(s->count - 1);
            datum_set_double(out, c->op == AGG_VAR_SAMP ? v : sqrt(v));
        }
        return;
    }
}

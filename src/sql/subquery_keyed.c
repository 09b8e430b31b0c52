/* Subqueries run once for all rows outside: what the rows of each key came to. */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/aggregate.h"
#include "sql/bind.h"
#include "sql/plan_subquery.h"

enum { FIRST_ENTRIES = 128 };

static struct keyed_entry *find(const struct subquery_keyed *k)
{
    int64_t at =
        group_table_find(&k->table, k->key, k->n_keys, group_table_hash(k->key, k->n_keys));

    return at < 0 ? NULL : &k->entries[at];
}

/* The entry of k->key, made when there is none; NULL without memory. */
static struct keyed_entry *entry(struct subquery_keyed *k, struct arena *a)
{
    struct keyed_entry *e = find(k);

    if (e)
        return e;
    if (k->table.n == k->cap) {
        uint32_t cap = k->cap ? k->cap * 2 : FIRST_ENTRIES;
        struct keyed_entry *more = arena_alloc(a, cap * sizeof *more);
        if (!more)
            return NULL;
        if (k->cap)
            memcpy(more, k->entries, k->cap * sizeof *more);
        k->entries = more;
        k->cap = cap;
    }
    int64_t at =
        group_table_add(&k->table, k->key, k->n_keys, group_table_hash(k->key, k->n_keys), a);
    return at < 0 ? NULL : &k->entries[at];
}

/* Values of IN stand behind the key, which has room for one more cell. */
static uint64_t member_hash(struct subquery *q, const struct datum *d, bool *is_value)
{
    struct subquery_keyed *k = q->keyed;

    k->key[k->n_keys] = *d;
    *is_value = datum_normalise(&k->key[k->n_keys], q->class);
    return *is_value ? group_table_hash(k->key, k->n_keys + 1) : 0;
}

static int add_member(struct subquery *q, const struct datum *d, struct arena *a)
{
    struct subquery_keyed *k = q->keyed;
    bool is_value;
    uint64_t hash = member_hash(q, d, &is_value);

    if (!is_value || group_table_find(&k->members, k->key, k->n_keys + 1, hash) >= 0)
        return 0;
    return group_table_add(&k->members, k->key, k->n_keys + 1, hash, a) < 0 ? -ENOMEM : 0;
}

int subquery_keyed_add(struct subquery *q, const struct datum *cells, struct arena *a)
{
    struct subquery_keyed *k = q->keyed;

    for (uint32_t i = 0; i < k->n_keys; i++) {
        k->key[i] = cells[k->key_cell + i];
        if (k->key[i].kind == DATUM_NULL || !datum_normalise(&k->key[i], k->classes[i]))
            return 0; /* equals nothing */
    }
    struct keyed_entry *e = entry(k, a);
    if (!e)
        return -ENOMEM;
    e->rows++;
    switch (q->use) {
    case SUBQUERY_SCALAR:
        return e->rows > 1 || datum_copy(&e->min, &cells[0], a) ? 0 : -ENOMEM;
    case SUBQUERY_EXISTS:
        if (!k->bound_outside)
            return 0;
        return datum_copy(&e->min, &cells[0], a) && datum_copy(&e->max, &cells[1], a) ? 0 : -ENOMEM;
    default:
        break;
    }
    if (cells[0].kind == DATUM_NULL) {
        e->has_null = true;
        return 0;
    }
    if (q->use == SUBQUERY_IN)
        return add_member(q, &cells[0], a);
    return subquery_widen(q->class, &cells[0], &e->min, &e->max, a) ? 0 : -ENOMEM;
}

/* The entry of the row outside; NULL: its key has no rows. */
static struct keyed_entry *look_up(const struct expr *e, struct expr_ctx *x)
{
    struct subquery_keyed *k = e->u.subquery->keyed;

    subquery_take_params(e, x);
    for (uint32_t i = 0; i < k->n_keys; i++) {
        expr_eval(k->outside[i], x, &k->key[i]);
        datum_round_to_type(&k->key[i], &k->outside[i]->type);
        if (k->key[i].kind == DATUM_NULL || !datum_normalise(&k->key[i], k->classes[i]))
            return NULL;
    }
    return find(k);
}

/* What aggregates without GROUP BY are over no rows. */
static void value_of_nothing(struct subquery_keyed *k, struct expr_ctx *x, struct datum *out)
{
    const struct bound_select *s = k->select;
    struct expr_ctx inner = *x;
    struct datum *row = expr_alloc(x, (s->n_groups + s->n_aggregates + 1) * sizeof *row);

    datum_set_null(out);
    if (!row)
        return;
    for (uint32_t i = 0; i < s->n_aggregates; i++) {
        struct aggregate_state state;
        memset(&state, 0, sizeof state);
        aggregate_init(&state, s->aggregates[i]);
        aggregate_finish(&state, s->aggregates[i], x, &row[s->n_groups + i]);
    }
    inner.row = row;
    inner.base = 0;
    if (s->having && !expr_is_true(s->having, &inner))
        return;
    expr_eval(s->items[0].expr, &inner, out);
    datum_round_to_type(out, &s->items[0].expr->type);
}

static void eval_scalar(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct subquery_keyed *k = e->u.subquery->keyed;
    const struct keyed_entry *at = look_up(e, x);

    if (at && at->rows > 1 && !k->first_wins)
        expr_fail(x, out, MYSQL_ER_SUBQUERY_NO_1_ROW);
    else if (at)
        *out = at->min;
    else if (k->of_nothing)
        value_of_nothing(k, x, out);
    else
        datum_set_null(out);
}

/* Does the other condition hold for some row of the key? */
static bool bound_holds(const struct subquery_keyed *k, const struct keyed_entry *at,
                        struct expr_ctx *x)
{
    struct datum d;

    expr_eval(k->bound_outside, x, &d);
    datum_round_to_type(&d, &k->bound_outside->type);
    if (d.kind == DATUM_NULL || at->min.kind == DATUM_NULL)
        return false;
    const struct datum *ends[2] = {&at->min, &at->max};
    for (int i = 0; i < 2; i++) {
        bool unknown = false;
        int c = k->inner_is_first ? datum_compare_as(k->bound_class, ends[i], &d, &unknown)
                                  : datum_compare_as(k->bound_class, &d, ends[i], &unknown);
        if (!unknown && subquery_holds(k->bound_op, c))
            return true;
    }
    return false;
}

static void eval_in(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct subquery *q = e->u.subquery;
    struct subquery_keyed *k = q->keyed;
    const struct keyed_entry *at = look_up(e, x);
    struct datum d;
    bool is_value;

    if (!at) {
        datum_set_int(out, e->negated);
        return;
    }
    expr_eval(e->args[0], x, &d);
    datum_round_to_type(&d, &e->args[0]->type);
    datum_set_null(out);
    if (d.kind == DATUM_NULL)
        return;
    uint64_t hash = member_hash(q, &d, &is_value);
    if (is_value && group_table_find(&k->members, k->key, k->n_keys + 1, hash) >= 0)
        datum_set_int(out, !e->negated);
    else if (!at->has_null)
        datum_set_int(out, e->negated);
}

void subquery_eval_keyed(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    static const struct keyed_entry empty;
    const struct subquery *q = e->u.subquery;
    const struct keyed_entry *at;

    ASSERT(q->done);
    switch (q->use) {
    case SUBQUERY_SCALAR:
        eval_scalar(e, x, out);
        return;
    case SUBQUERY_IN:
        eval_in(e, x, out);
        return;
    case SUBQUERY_EXISTS: {
        at = look_up(e, x);
        bool exists = at && (!q->keyed->bound_outside || bound_holds(q->keyed, at, x));
        datum_set_int(out, exists != e->negated);
        return;
    }
    default:
        at = look_up(e, x);
        subquery_quantified(e, x, at ? at : &empty, out);
    }
}

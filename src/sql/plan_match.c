/*
 * MATCH as predicates of shard programs. The words of one column with one value are a predicate of their own, decided by
 * the column's dictionary. Where the words of a row come from several texts, each term has its predicates, one per
 * column, and the conditions on rows say how the terms go together.
 */
#include "sql/plan.h"
#include "storage/words_query.h"

/* What is built. Owner: one call of plan_push_match. */
struct match_push {
    struct arena *arena;
    const struct words_query *query;
    const uint16_t *columns; /* positions in the schema */
    uint32_t n_columns;
};

static struct predicate *predicate_of(struct arena *a, enum predicate_kind kind)
{
    struct predicate *p = arena_alloc(a, sizeof *p);

    if (p)
        p->kind = kind;
    return p;
}

/* AND or OR of children still to be set; NULL without memory. */
static struct predicate *branch(struct arena *a, enum predicate_kind kind, uint32_t cap,
                                const struct predicate ***children)
{
    struct predicate *p = predicate_of(a, kind);

    *children = arena_alloc(a, (cap + 1) * sizeof **children);
    if (!p || !*children)
        return NULL;
    p->children = *children;
    return p;
}

/* Rows whose text in the column the query holds for; negate: all others, those without a text too. */
static struct predicate *leaf(struct arena *a, uint16_t column, const char *text, uint32_t len,
                              bool negate)
{
    struct predicate *p = predicate_of(a, PREDICATE_WORDS), *null, *either;
    struct program_string *s = arena_alloc(a, sizeof *s);
    const struct predicate **children;

    if (!p || !s || !text)
        return NULL;
    *s = (struct program_string){text, len};
    p->column = column;
    p->strings = s;
    p->n = 1;
    p->negate = negate;
    if (!negate)
        return p;
    null = predicate_of(a, PREDICATE_NULL);
    either = branch(a, PREDICATE_OR, 2, &children);
    if (!null || !either)
        return NULL;
    null->column = column;
    children[0] = p;
    children[1] = null;
    either->n = 2;
    return either;
}

/* One term: in any of the columns, or in none. */
static struct predicate *push_term(const struct match_push *m, const struct words_term *t,
                                   bool negate)
{
    const struct predicate **children;
    struct predicate *p =
        branch(m->arena, negate ? PREDICATE_AND : PREDICATE_OR, m->n_columns, &children);
    uint32_t len;
    const char *text = words_term_print(t, m->arena, &len);

    for (; p && p->n < m->n_columns; p->n++)
        if (!(children[p->n] = leaf(m->arena, m->columns[p->n], text, len, negate)))
            return NULL;
    return p;
}

static struct predicate *push_group(const struct match_push *m, uint16_t group, bool negate);

static struct predicate *push_member(const struct match_push *m, uint16_t node, bool negate)
{
    const struct words_node *n = &m->query->nodes[node];

    return n->group ? push_group(m, node, negate) : push_term(m, &m->query->terms[n->term], negate);
}

/* Members with a sign, as children of p: false without memory. */
static bool push_members(const struct match_push *m, uint16_t group, enum words_sign sign,
                         bool negate, struct predicate *p, const struct predicate **children)
{
    const struct words_node *nodes = m->query->nodes;

    for (uint16_t i = group + 1; i < nodes[group].end; i = nodes[i].end)
        if (nodes[i].sign == sign && !(children[p->n++] = push_member(m, i, negate)))
            return false;
    return true;
}

/* All that must, none that must not; where nothing must, any of the others. Negated by De Morgan. */
static struct predicate *push_group(const struct match_push *m, uint16_t group, bool negate)
{
    enum predicate_kind all = negate ? PREDICATE_OR : PREDICATE_AND;
    enum predicate_kind any = negate ? PREDICATE_AND : PREDICATE_OR;
    uint32_t cap = m->query->nodes[group].end - group;
    const struct predicate **children, **others;
    struct predicate *p = branch(m->arena, all, cap, &children), *may;

    if (!p || !push_members(m, group, WORDS_MUST, negate, p, children))
        return NULL;
    if (p->n == 0) {
        may = branch(m->arena, any, cap, &others);
        if (!may || !push_members(m, group, WORDS_MAY, negate, may, others))
            return NULL;
        if (may->n == 0)
            return predicate_of(m->arena, negate ? PREDICATE_TRUE : PREDICATE_FALSE);
        children[p->n++] = may;
    }
    return push_members(m, group, WORDS_MUST_NOT, !negate, p, children) ? p : NULL;
}

bool plan_push_match(struct arena *a, const struct expr *e, const struct source *source,
                     bool negate, bool dry, struct predicate **out)
{
    uint32_t n = e->n_args - 1, len;
    uint16_t *columns = arena_alloc(a, n * sizeof *columns);
    struct match_push m = {a, e->u.words, columns, n};

    if (!columns)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (e->args[i]->kind != EXPR_COLUMN)
            return false;
        columns[i] = source->columns[e->args[i]->u.column.column].column;
    }
    if (dry)
        return true;
    if (n > 1 || source->schema->columns[columns[0]].layout == LAYOUT_LIST)
        *out = push_group(&m, 0, negate);
    else if (e->u.words->n_terms == 0)
        *out = predicate_of(a, negate ? PREDICATE_TRUE : PREDICATE_FALSE);
    else {
        const char *text = words_query_print(e->u.words, a, &len);
        *out = leaf(a, columns[0], text, len, negate);
    }
    return true;
}

/*
 * FROM as one scan: joins of a table (the child) with others by their whole primary key (its
 * parents), theirs with their own parents, and so on. The parents' rows that satisfy their own
 * conditions go to the cores with the program, which look them up for each row (storage/join_map.h).
 * Everything that is no such tree is left to plan_join.c.
 */
#include <string.h>

#include "rpc/cluster.h"
#include "sql/plan.h"

enum {
    STAR_MAX_SOURCES = PROGRAM_MAX_JOINS + 1,
    STAR_SURE_ROWS = 65536, /* parents of so few rows and bytes have room on the cores */
    STAR_SURE_BYTES = 16 << 20,
    SHARE_LEFT = 4, /* a condition leaves a quarter of the rows, say */
};

/* child.column = parent's key */
struct star_link {
    struct expr *condition;
    uint16_t child, parent; /* sources */
    uint16_t column;        /* of the child's schema */
    uint16_t key;           /* column of the parent source */
    bool left, used;
};

/* Lists have room for all conditions of the statement. */
struct star_list {
    struct expr **list;
    uint32_t n;
};

/* The work on one FROM clause; on the stack of plan_star. */
struct star {
    struct planner *p;
    struct bound_select *s;
    struct star_list inner; /* of WHERE and of inner joins */
    struct star_list above; /* for a filter above the scan */
    struct star_list own[STAR_MAX_SOURCES];
    bool left[STAR_MAX_SOURCES]; /* may be missing */
    struct star_link *links;
    uint32_t n_links;
    uint16_t fact;
    uint32_t width;
};

static void list_add(struct star_list *l, struct expr *e)
{
    l->list[l->n++] = e;
}

/* ---- what is joined how ---- */

/* Same values in both columns mean the same key. */
static bool keys_fit(const struct column *child, const struct column *key)
{
    if (child->layout == LAYOUT_LIST || key->layout == LAYOUT_LIST)
        return false;
    return child->type == key->type && (child->type == COLUMN_STRING || child->scale == key->scale);
}

static const struct column *column_of(const struct star *t, const struct expr *e, uint16_t *at)
{
    const struct source *src = &t->s->sources[e->u.column.source];

    *at = src->columns[e->u.column.column].column;
    return &src->schema->columns[*at];
}

/* Is it child = parent's whole key? */
static bool make_link(const struct star *t, struct expr *e, unsigned parent, struct star_link *out)
{
    struct expr *c = e->args[1 - parent], *k = e->args[parent];
    const struct schema *parents = t->s->sources[k->u.column.source].schema;
    uint16_t child_at, key_at;
    const struct column *child = column_of(t, c, &child_at), *key = column_of(t, k, &key_at);

    if (parents->n_key != 1 || parents->key[0] != key_at || !keys_fit(child, key))
        return false;
    *out = (struct star_link){.condition = e,
                              .child = c->u.column.source,
                              .parent = k->u.column.source,
                              .column = child_at,
                              .key = k->u.column.column};
    return true;
}

static bool compares_columns(const struct expr *e)
{
    return e->kind == EXPR_COMPARE && e->op == SQL_OP_EQ && !e->volatile_ &&
           e->args[0]->kind == EXPR_COLUMN && e->args[1]->kind == EXPR_COLUMN &&
           e->args[0]->u.column.source != e->args[1]->u.column.source;
}

/* An outer join keeps everything below one side; the other is one table, found by its key. */
static bool take_outer(struct star *t, const struct join_tree *n, const struct join_tree *filled)
{
    uint16_t source = filled->first_source;
    struct star_link link;
    bool linked = false;

    if (filled->kind)
        return false;
    t->left[source] = true;
    for (uint32_t i = 0; i < n->n_on; i++) {
        struct expr *e = n->on[i];
        if (!(plan_sources_of(e) & ~(UINT64_C(1) << source))) {
            list_add(&t->own[source], e);
            continue;
        }
        if (linked || !compares_columns(e))
            return false;
        unsigned parent = e->args[1]->u.column.source == source;
        if (!make_link(t, e, parent, &link) || link.parent != source)
            return false;
        linked = link.left = true;
        t->links[t->n_links++] = link;
    }
    return linked;
}

static bool take_tree(struct star *t, const struct join_tree *n)
{
    if (!n->kind)
        return t->s->sources[n->first_source].kind == SOURCE_TABLE;
    if (n->kind == SQL_JOIN_LEFT)
        return take_tree(t, n->left) && take_tree(t, n->right) && take_outer(t, n, n->right);
    if (n->kind == SQL_JOIN_RIGHT)
        return take_tree(t, n->left) && take_tree(t, n->right) && take_outer(t, n, n->left);
    for (uint32_t i = 0; i < n->n_on; i++)
        list_add(&t->inner, n->on[i]);
    return take_tree(t, n->left) && take_tree(t, n->right);
}

static bool reads_left(const struct star *t, uint64_t mask)
{
    for (uint16_t i = 0; i < t->s->n_sources; i++)
        if (t->left[i] && (mask >> i & 1))
            return true;
    return false;
}

/* Conditions that hold for the joined rows: of one table, links, or others. */
static void take_inner(struct star *t)
{
    for (uint32_t i = 0; i < t->inner.n; i++) {
        struct expr *e = t->inner.list[i];
        uint64_t mask = plan_sources_of(e);
        uint32_t before = t->n_links;
        if (e->volatile_ || !mask || reads_left(t, mask)) {
            list_add(&t->above, e);
            continue;
        }
        if (!(mask & (mask - 1))) {
            list_add(&t->own[__builtin_ctzll(mask)], e);
            continue;
        }
        for (unsigned parent = 0; parent < 2 && compares_columns(e); parent++)
            if (make_link(t, e, parent, &t->links[t->n_links]))
                t->n_links++;
        if (t->n_links == before)
            list_add(&t->above, e);
    }
}

/* Uses the links that lead from the source to all others: false when some cannot be reached. */
static bool reach_all(struct star *t, uint16_t from)
{
    uint64_t reached = UINT64_C(1) << from;
    bool more = true;

    for (uint32_t i = 0; i < t->n_links; i++)
        t->links[i].used = false;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < t->n_links; i++) {
            struct star_link *l = &t->links[i];
            if (!(reached >> l->child & 1) || (reached >> l->parent & 1))
                continue;
            reached |= UINT64_C(1) << l->parent;
            l->used = more = true;
        }
    }
    return reached == (UINT64_C(1) << t->s->n_sources) - 1;
}

static struct cluster_table_stats table_stats(const struct star *t, uint16_t source)
{
    struct cluster_table_stats stats;
    const struct schema *schema = t->s->sources[source].schema;

    if (!t->p->cluster || !cluster_schema_stats(t->p->cluster, schema, &stats))
        stats = (struct cluster_table_stats){0};
    return stats;
}

/* The part of a table's rows that its conditions and those of its parents leave, by a guess. */
static double share_left(const struct star *t, uint16_t source)
{
    double share = 1;

    for (uint32_t i = 0; i < t->own[source].n; i++)
        share /= SHARE_LEFT;
    for (uint32_t i = 0; i < t->n_links; i++)
        if (t->links[i].used && t->links[i].child == source && !t->links[i].left)
            share *= share_left(t, t->links[i].parent);
    return share;
}

/* May the rows of a parent be too many for a batch? In a UNION nothing can begin again when they turn out to be. */
static bool may_be_too_large(const struct star *t, uint16_t source)
{
    struct cluster_table_stats stats = table_stats(t, source);

    if (t->p->in_union)
        return stats.rows > STAR_SURE_ROWS || stats.bytes > STAR_SURE_BYTES;
    return stats.rows > BATCH_MAX_ROWS &&
           (double)stats.rows * share_left(t, source) > BATCH_MAX_ROWS;
}

/* The table whose rows are looked at: of several that would do, the largest. */
static bool choose_fact(struct star *t)
{
    uint64_t most = 0;
    bool found = false;

    for (uint16_t i = 0; i < t->s->n_sources; i++) {
        uint64_t rows = table_stats(t, i).rows;
        if (t->left[i] || (found && rows <= most) || !reach_all(t, i))
            continue;
        found = true;
        most = rows;
        t->fact = i;
    }
    if (!found || !reach_all(t, t->fact))
        return false;
    for (uint16_t i = 0; i < t->s->n_sources; i++)
        if (i != t->fact && may_be_too_large(t, i))
            return false;
    return true;
}

/* Equalities that were not needed as links are conditions; an outer join's must be a link. */
static bool keep_unused(struct star *t)
{
    for (uint32_t i = 0; i < t->n_links; i++) {
        bool used = false, first = true;
        for (uint32_t k = 0; k < t->n_links; k++)
            if (t->links[k].condition == t->links[i].condition) {
                used |= t->links[k].used;
                first &= k >= i;
            }
        if (!used && t->links[i].left)
            return false;
        if (!used && first)
            list_add(&t->above, t->links[i].condition);
    }
    return true;
}

/* ---- the plan ---- */

/* Columns of one scan while they are listed. */
struct star_columns {
    uint16_t *refs, *cells;
    uint16_t n;
};

static void add_ref(struct star_columns *c, uint16_t ref, uint32_t cell)
{
    c->refs[c->n] = ref;
    c->cells[c->n++] = (uint16_t)cell;
}

static bool push_conditions(struct star *t, struct plan_scan *scan, uint16_t i,
                            struct star_list *rest)
{
    struct star_list *own = &t->own[i];
    const struct predicate *ignored;

    scan->pushed = bind_alloc(t->p->bind, (own->n + 1) * sizeof(struct expr *));
    rest->list = bind_alloc(t->p->bind, (own->n + 1) * sizeof(struct expr *));
    if (!scan->pushed || !rest->list)
        return false;
    for (uint32_t c = 0; c < own->n; c++)
        if (plan_push_predicate(t->p->bind->arena, own->list[c], scan->source, true, &ignored))
            scan->pushed[scan->n_pushed++] = own->list[c];
        else
            list_add(rest, own->list[c]);
    return true;
}

/* Cells of the source that are read above its scan. */
static bool own_columns(struct star *t, uint16_t i, const struct star_list *rest,
                        struct star_columns *out)
{
    struct source *src = &t->s->sources[i];
    bool *needed = bind_alloc(t->p->bind, src->n_columns + 1u);

    if (!needed)
        return false;
    plan_needed(t->s, i, needed);
    plan_needed_by(t->above.list, t->above.n, i, needed);
    plan_needed_by(rest->list, rest->n, i, needed);
    for (uint32_t k = 0; k < t->n_links; k++)
        if (t->links[k].used && t->links[k].parent == i)
            needed[t->links[k].key] = true;
    for (uint16_t c = 0; c < src->n_used; c++)
        if (needed[src->used[c]])
            add_ref(out, src->columns[src->used[c]].column, src->first_slot + c);
    return true;
}

static struct plan *star_scan(struct star *t, uint16_t i, bool *fits);

/* The columns of a parent's rows become attributes; multi-valued ones cannot. */
static bool take_attributes(struct star *t, const struct plan_scan *from, struct plan_parent *to,
                            bool is_key_read)
{
    to->attributes = bind_alloc(t->p->bind, (from->n_columns + 1u) * sizeof *to->attributes);
    if (!to->attributes)
        return false;
    for (uint16_t k = 0; k < from->n_columns; k++) {
        if (from->cells[k] == to->key_cell && !is_key_read)
            continue;
        struct plan_attribute *a = &to->attributes[to->n_attributes++];
        a->column = plan_scan_column(from, from->columns[k]);
        a->cell = from->cells[k];
        for (uint16_t i = 0; i < t->s->n_sources; i++) {
            const struct source *src = &t->s->sources[i];
            uint32_t slot = a->cell;
            if (slot < src->first_slot || slot >= src->first_slot + src->n_used)
                continue;
            a->source = i;
            a->source_column = src->used[slot - src->first_slot];
        }
    }
    return true;
}

/* Is a parent's key read by what stands above the scan of its children? */
static bool is_key_read(struct star *t, const struct star_link *l)
{
    bool *needed = bind_alloc(t->p->bind, t->s->sources[l->parent].n_columns + 1u);

    if (!needed)
        return true;
    plan_needed(t->s, l->parent, needed);
    plan_needed_by(t->above.list, t->above.n, l->parent, needed);
    return needed[l->key];
}

static bool has_list(const struct plan_scan *s)
{
    for (uint16_t i = 0; i < s->n_columns; i++)
        if (plan_scan_column(s, s->columns[i])->layout == LAYOUT_LIST)
            return true;
    return false;
}

const struct plan_scan *plan_parent_scan(const struct plan_parent *r)
{
    const struct plan *n = r->plan;

    while (n->kind == PLAN_FILTER || n->kind == PLAN_APPLY || n->kind == PLAN_KEYED)
        n = n->child;
    return &n->u.scan;
}

static bool add_parent(struct star *t, struct plan *n, const struct star_link *l,
                       struct star_columns *out, bool *fits)
{
    struct plan_scan *scan = &n->u.scan;
    struct plan_parent *r = &scan->parents[scan->n_parents];
    const struct source *src = &t->s->sources[l->parent];

    r->plan = star_scan(t, l->parent, fits);
    if (!r->plan)
        return false;
    const struct plan_scan *from = plan_parent_scan(r);
    if (has_list(from) || from->n_columns >= PROGRAM_JOIN_STEP) {
        *fits = false;
        return false;
    }
    r->column = l->column;
    r->left = l->left;
    r->key = &src->schema->columns[src->columns[l->key].column];
    r->key_cell = src->first_slot + src->cell_of[l->key] - 1u;
    if (!take_attributes(t, from, r, is_key_read(t, l)))
        return false;
    for (uint16_t k = 0; k < r->n_attributes; k++)
        add_ref(out, program_parent_ref(scan->n_parents, k + 1u), r->attributes[k].cell);
    n->children[n->n_children++] = r->plan;
    scan->n_parents++;
    return true;
}

/* The scan of a source with its parents, and theirs. */
static struct plan *star_scan(struct star *t, uint16_t i, bool *fits)
{
    struct bind *b = t->p->bind;
    struct plan *n = plan_new(t->p, PLAN_SCAN, NULL, t->width);
    struct star_columns columns = {0};
    struct star_list rest = {0};

    if (!n)
        return NULL;
    struct plan_scan *scan = &n->u.scan;
    scan->source = &t->s->sources[i];
    scan->source_number = i;
    scan->schema = scan->source->schema;
    scan->output = OUTPUT_ROWS;
    scan->limit = UINT64_MAX;
    scan->parents = bind_alloc(b, (t->n_links + 1) * sizeof *scan->parents);
    n->children = bind_alloc(b, (t->n_links + 1) * sizeof *n->children);
    columns.refs = bind_alloc(b, (t->width + 1u) * sizeof(uint16_t));
    columns.cells = bind_alloc(b, (t->width + 1u) * sizeof(uint16_t));
    if (!scan->parents || !n->children || !columns.refs || !columns.cells ||
        !push_conditions(t, scan, i, &rest) || !own_columns(t, i, &rest, &columns))
        return NULL;
    for (uint32_t k = 0; k < t->n_links; k++)
        if (t->links[k].used && t->links[k].child == i &&
            !add_parent(t, n, &t->links[k], &columns, fits))
            return NULL;
    scan->columns = columns.refs;
    scan->cells = columns.cells;
    scan->n_columns = columns.n;
    return plan_filter(t->p, n, rest.list, rest.n);
}

static uint32_t count_conditions(const struct join_tree *n)
{
    return n ? n->n_on + count_conditions(n->left) + count_conditions(n->right) : 0;
}

static bool star_init(struct star *t, struct planner *p, struct bound_select *s)
{
    uint32_t n = s->n_where + count_conditions(s->from) + 1;
    struct star_list *lists[STAR_MAX_SOURCES + 2] = {&t->inner, &t->above};

    *t = (struct star){.p = p, .s = s};
    for (uint16_t i = 0; i < s->n_sources; i++) {
        lists[i + 2] = &t->own[i];
        t->width += s->sources[i].n_used;
    }
    for (uint16_t i = 0; i < s->n_sources + 2; i++)
        if (!(lists[i]->list = bind_alloc(p->bind, n * sizeof(struct expr *))))
            return false;
    t->links = bind_alloc(p->bind, 2 * n * sizeof *t->links);
    return t->links != NULL;
}

struct plan *plan_star(struct planner *p, struct bound_select *s, bool *fits)
{
    struct star t;

    *fits = false;
    if (s->n_sources > STAR_MAX_SOURCES)
        return NULL;
    if (!star_init(&t, p, s)) {
        *fits = true; /* the error is set */
        return NULL;
    }
    for (uint32_t i = 0; i < s->n_where; i++)
        list_add(&t.inner, s->where[i]);
    if (!take_tree(&t, s->from))
        return NULL;
    take_inner(&t);
    if (!choose_fact(&t) || !keep_unused(&t))
        return NULL;
    *fits = true;
    struct plan *n = star_scan(&t, t.fact, fits);
    return n ? plan_filter(p, n, t.above.list, t.above.n) : NULL;
}

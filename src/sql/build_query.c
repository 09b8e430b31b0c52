#include "sql/build_query.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/build_expr.h"

static unsigned expr_depth(const struct sql_expr *expr)
{
    return expr ? expr->depth : 0;
}

struct sql_select *sql_build_select(struct sql_parser *p, int flags, struct sql_list items,
                                    struct sql_into *into, struct sql_select *select,
                                    struct sql_span span)
{
    select->offset = span.begin;
    select->length = span.end - span.begin;
    select->is_distinct = flags & SQL_BUILD_DISTINCT;
    select->is_straight_join = flags & SQL_BUILD_STRAIGHT;
    select->has_found_rows = flags & SQL_BUILD_FOUND_ROWS;
    select->items = items.head;
    select->into = into;
    unsigned depth = sql_depth_max(expr_depth(select->where), expr_depth(select->having));
    depth = sql_depth_max(depth, select->from ? select->from->depth : 0);
    depth = sql_depth_max(depth, sql_depth_of_order(select->group_by));
    depth = sql_depth_max(depth, sql_depth_of_windows(select->windows));
    for (struct sql_select_item *item = select->items; item; item = item->next) {
        depth = sql_depth_max(depth, item->expr->depth);
    }
    select->depth = sql_depth_above(p, depth, span);
    return select;
}

struct sql_select_item *sql_build_item(struct sql_parser *p, struct sql_expr *expr,
                                       const char *alias, struct sql_span span)
{
    struct sql_select_item *item = sql_parser_alloc(p, sizeof *item);
    item->expr = expr;
    item->alias = alias;
    item->offset = span.begin;
    item->length = span.end - span.begin;
    return item;
}

static struct sql_table *table_new(struct sql_parser *p, enum sql_table_kind kind,
                                   struct sql_span span)
{
    struct sql_table *table = sql_parser_alloc(p, sizeof *table);
    table->kind = kind;
    table->depth = 1;
    table->offset = span.begin;
    table->length = span.end - span.begin;
    return table;
}

struct sql_table *sql_build_table(struct sql_parser *p, struct sql_table_name *name,
                                  const char *alias, struct sql_span span)
{
    if (!name) {
        return table_new(p, SQL_TABLE_DUAL, span);
    }
    struct sql_table *table = table_new(p, SQL_TABLE_NAME, span);
    table->db = name->db;
    table->name = name->name;
    table->alias = alias;
    return table;
}

struct sql_table *sql_build_derived(struct sql_parser *p, struct sql_query *query,
                                    const char *alias, struct sql_name_list *columns,
                                    struct sql_span span)
{
    struct sql_table *table = table_new(p, SQL_TABLE_QUERY, span);
    table->query = query;
    table->alias = alias;
    table->columns = columns;
    table->depth = sql_depth_above(p, query->depth, span);
    return table;
}

/* Depth and extent of a join from what hangs below it. */
static void join_measure(struct sql_parser *p, struct sql_table *join, struct sql_span span)
{
    unsigned depth = sql_depth_max(join->left->depth, join->right->depth);
    depth = sql_depth_max(depth, expr_depth(join->on));
    join->depth = sql_depth_above(p, depth, span);
}

struct sql_table *sql_build_join(struct sql_parser *p, int kind, struct sql_table *left,
                                 struct sql_table *right, struct sql_expr *on,
                                 struct sql_name_list *using_, struct sql_span span)
{
    struct sql_table *join = table_new(p, SQL_TABLE_JOIN, span);
    join->join = (enum sql_join_kind)kind;
    join->left = left;
    join->right = right;
    join->on = on;
    join->using_ = using_;
    join_measure(p, join, span);
    return join;
}

static bool is_open_join(const struct sql_table *table)
{
    return table->kind == SQL_TABLE_JOIN && !table->has_parens;
}

struct sql_table *sql_build_join_bare(struct sql_parser *p, struct sql_table *left,
                                      struct sql_table *right, bool is_straight,
                                      struct sql_span span)
{
    struct sql_table *path[SQL_DEPTH_MAX];
    unsigned n = 0;
    struct sql_table *leaf = right;
    while (is_open_join(leaf)) {
        path[n++] = leaf;
        leaf = leaf->left;
    }
    struct sql_span inner = {span.begin, leaf->offset + leaf->length};
    struct sql_table *join = sql_build_join(p, SQL_JOIN_CROSS, left, leaf, NULL, NULL, inner);
    join->is_straight = is_straight;
    while (n > 0) {
        struct sql_table *above = path[--n];
        uint32_t end = above->offset + above->length;
        above->left = join;
        above->offset = span.begin;
        above->length = end - span.begin;
        join_measure(p, above, span);
        join = above;
    }
    return join;
}

struct sql_table_name *sql_build_table_name(struct sql_parser *p, const char *db, const char *name,
                                            struct sql_span span)
{
    struct sql_table_name *table = sql_parser_alloc(p, sizeof *table);
    table->db = db;
    table->name = name;
    table->offset = span.begin;
    table->length = span.end - span.begin;
    return table;
}

struct sql_name_list *sql_build_name_entry(struct sql_parser *p, const char *name,
                                           struct sql_span span)
{
    struct sql_name_list *entry = sql_parser_alloc(p, sizeof *entry);
    entry->name = name;
    entry->offset = span.begin;
    return entry;
}

/* Whether the query is a body only, so that its parentheses mean nothing. */
static bool is_plain(const struct sql_query *query)
{
    return !query->ctes && !query->order_by && !query->limit.count && !query->limit.offset &&
           !query->lock && !query->into;
}

struct sql_query *sql_build_query(struct sql_parser *p, struct sql_select *select,
                                  struct sql_query *nested, struct sql_span span)
{
    if (nested && is_plain(nested)) {
        return nested;
    }
    struct sql_query_term *term = sql_parser_alloc(p, sizeof *term);
    term->select = select;
    term->query = nested;
    struct sql_query *query = sql_parser_alloc(p, sizeof *query);
    query->terms = term;
    query->offset = span.begin;
    query->length = span.end - span.begin;
    return query;
}

struct sql_select *sql_build_table_select(struct sql_parser *p, struct sql_table_name *name,
                                          struct sql_span span)
{
    struct sql_select *select = sql_parser_alloc(p, sizeof *select);
    struct sql_expr *star = sql_build_leaf(p, SQL_EXPR_STAR, span);
    struct sql_list items = {0};

    select->from = sql_build_table(p, name, NULL, span);
    items = sql_list_add(items, sql_build_item(p, star, NULL, span));
    return sql_build_select(p, 0, items, NULL, select, span);
}

struct sql_row *sql_build_row(struct sql_parser *p, struct sql_text word, struct sql_list values,
                              struct sql_span span)
{
    struct sql_row *row = sql_parser_alloc(p, sizeof *row);

    if (word.length != 3 || strncasecmp(word.at, "row", 3)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    row->values = values.head;
    row->count = values.count;
    return row;
}

bool sql_build_row_is_for_insert(const struct sql_row *row)
{
    for (const struct sql_expr *e = row->values; e; e = e->next) {
        if (e->kind == SQL_EXPR_DEFAULT && !e->count) {
            return true;
        }
    }
    return !row->values;
}

static struct sql_select *row_select(struct sql_parser *p, const struct sql_row *row,
                                     struct sql_span span)
{
    struct sql_select *select = sql_parser_alloc(p, sizeof *select);
    struct sql_list items = {0};
    char name[32];

    for (struct sql_expr *e = row->values; e; e = e->next) {
        int length = snprintf(name, sizeof name, "column_%u", items.count);
        const char *alias = sql_parser_copy(p, name, (size_t)length);
        struct sql_span at = {e->offset, e->offset + e->length};
        items = sql_list_add(items, sql_build_item(p, e, alias, at));
    }
    return sql_build_select(p, 0, items, NULL, select, span);
}

struct sql_query *sql_build_values(struct sql_parser *p, struct sql_list rows, struct sql_span span)
{
    struct sql_query *query = NULL;

    for (const struct sql_row *row = rows.head; row; row = row->next) {
        struct sql_query *one = sql_build_query(p, row_select(p, row, span), NULL, span);
        query = query ? sql_build_set(p, query, SQL_SET_UNION, true, one, span) : one;
        p->rows_for_insert += sql_build_row_is_for_insert(row);
    }
    query->rows = rows.head;
    return query;
}

static struct sql_into *term_into(const struct sql_query_term *term)
{
    return term->select ? term->select->into : term->query->into;
}

struct sql_query *sql_build_set(struct sql_parser *p, struct sql_query *left, enum sql_set_op op,
                                bool is_all, struct sql_query *right, struct sql_span span)
{
    if (term_into(right->terms)) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, right->offset);
    }
    struct sql_query_term *term = right->terms;
    if (term->next) {
        term = sql_parser_alloc(p, sizeof *term);
        term->query = right;
        struct sql_query_tail none = {0};
        sql_build_query_done(p, right, (struct sql_list){0}, false, &none,
                             (struct sql_span){right->offset, right->offset + right->length});
    }
    term->op = op;
    term->is_all = is_all;
    struct sql_query_term *last = left->last ? left->last : left->terms;
    last->next = term;
    left->last = term;
    left->rows = NULL;
    left->offset = span.begin;
    left->length = span.end - span.begin;
    return left;
}

/* Deepest of the terms and the clauses around them. */
static unsigned query_depth(const struct sql_query *query)
{
    unsigned depth = sql_depth_of_order(query->order_by);
    for (struct sql_query_term *term = query->terms; term; term = term->next) {
        depth = sql_depth_max(depth, term->select ? term->select->depth : term->query->depth);
    }
    for (struct sql_cte *cte = query->ctes; cte; cte = cte->next) {
        depth = sql_depth_max(depth, cte->query->depth);
    }
    return depth;
}

struct sql_query *sql_build_query_done(struct sql_parser *p, struct sql_query *query,
                                       struct sql_list ctes, bool is_recursive,
                                       const struct sql_query_tail *tail, struct sql_span span)
{
    query->ctes = ctes.head;
    query->is_recursive = is_recursive;
    query->order_by = tail->order_by;
    query->limit = tail->limit;
    query->lock = (enum sql_lock_kind)tail->lock;
    query->into = tail->into;
    /* ((SELECT ... LIMIT 1)) is the query inside. */
    struct sql_query_term *only = query->terms->next ? NULL : query->terms;
    if (only && only->query && is_plain(query)) {
        return only->query;
    }
    struct sql_into *early = term_into(query->terms);
    if (early && query->into) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.end);
    }
    query->into = early ? early : query->into;
    query->offset = span.begin;
    query->length = span.end - span.begin;
    query->depth = sql_depth_above(p, query_depth(query), span);
    return query;
}

struct sql_query *sql_build_inner(struct sql_parser *p, struct sql_query *query,
                                  struct sql_span span)
{
    if (query->into) {
        sql_parser_fail(p, SQL_PARSE_SYNTAX, span.begin);
    }
    return query;
}

struct sql_into *sql_build_into(struct sql_parser *p, enum sql_into_kind kind, struct sql_text text)
{
    struct sql_into *into = sql_parser_alloc(p, sizeof *into);
    bool has_scheme = memmem(text.at, text.length, "://", 3) != NULL;
    into->kind = kind == SQL_INTO_URI && !has_scheme ? SQL_INTO_OUTFILE : kind;
    into->target = sql_build_name(p, text);
    into->target_length = text.length;
    return into;
}

struct sql_option *sql_build_option(struct sql_parser *p, const char *key, struct sql_expr *value)
{
    struct sql_option *option = sql_parser_alloc(p, sizeof *option);
    option->key = strcasecmp(key, "charset") ? key : "CHARSET";
    option->value = value;
    return option;
}

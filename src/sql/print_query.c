#include "sql/print_internal.h"

void sql_put_clause(struct sql_printer *out, const char *words, const struct sql_expr *expr)
{
    if (expr) {
        sql_put(out, words);
        sql_put_expr(out, expr);
    }
}

void sql_put_order(struct sql_printer *out, const char *words, const struct sql_order *order)
{
    for (const struct sql_order *entry = order; entry; entry = entry->next) {
        sql_put(out, entry == order ? words : ", ");
        sql_put_expr(out, entry->expr);
        if (entry->is_explicit) {
            sql_put(out, entry->is_desc ? " DESC" : " ASC");
        }
    }
}

void sql_put_limit(struct sql_printer *out, const struct sql_limit *limit)
{
    sql_put_clause(out, " LIMIT ", limit->count);
    sql_put_clause(out, " OFFSET ", limit->offset);
}

static void put_bound(struct sql_printer *out, const struct sql_bound *bound)
{
    switch (bound->kind) {
    case SQL_BOUND_NONE:
        break;
    case SQL_BOUND_UNBOUNDED_PRECEDING:
        sql_put(out, "UNBOUNDED PRECEDING");
        break;
    case SQL_BOUND_PRECEDING:
        sql_put_clause(out, "", bound->expr);
        sql_put(out, " PRECEDING");
        break;
    case SQL_BOUND_CURRENT_ROW:
        sql_put(out, "CURRENT ROW");
        break;
    case SQL_BOUND_FOLLOWING:
        sql_put_clause(out, "", bound->expr);
        sql_put(out, " FOLLOWING");
        break;
    case SQL_BOUND_UNBOUNDED_FOLLOWING:
        sql_put(out, "UNBOUNDED FOLLOWING");
        break;
    }
}

void sql_put_window(struct sql_printer *out, const struct sql_window *window)
{
    sql_put(out, "(");
    if (window->base) {
        sql_put_name(out, window->base);
    }
    sql_put_order(out, " PARTITION BY ", window->partition_by);
    sql_put_order(out, " ORDER BY ", window->order_by);
    if (window->frame) {
        sql_put(out, window->frame == SQL_FRAME_ROWS ? " ROWS " : " RANGE ");
        sql_put(out, window->to.kind ? "BETWEEN " : "");
        put_bound(out, &window->from);
        sql_put(out, window->to.kind ? " AND " : "");
        put_bound(out, &window->to);
    }
    sql_put(out, ")");
}

/* ---------------------------------------------------------------- tables ---- */

static void put_join_word(struct sql_printer *out, const struct sql_table *join)
{
    if (join->is_comma) {
        sql_put(out, ", ");
        return;
    }
    sql_put(out, join->is_natural ? " NATURAL" : "");
    switch (join->join) {
    case SQL_JOIN_LEFT:
        sql_put(out, join->is_bare_outer ? " OUTER JOIN " : " LEFT JOIN ");
        break;
    case SQL_JOIN_RIGHT:
        sql_put(out, " RIGHT JOIN ");
        break;
    default:
        sql_put(out, join->is_straight ? " STRAIGHT_JOIN " : " JOIN ");
        break;
    }
}

/* A side of a join; a join on the right, or a comma's below another join, needs parentheses. */
static void put_side(struct sql_printer *out, const struct sql_table *side, bool needs_parens)
{
    bool has_parens = side->kind == SQL_TABLE_JOIN && needs_parens;
    sql_put(out, has_parens ? "(" : "");
    sql_put_table(out, side);
    sql_put(out, has_parens ? ")" : "");
}

static void put_join(struct sql_printer *out, const struct sql_table *join)
{
    /* "a, b JOIN c" joins b with c: under a comma a join on the right needs none, a comma under a
     * join always does. */
    bool right_parens = join->is_comma ? join->right->is_comma : true;
    put_side(out, join->left, join->left->is_comma && !join->is_comma);
    put_join_word(out, join);
    put_side(out, join->right, right_parens);
    sql_put_clause(out, " ON ", join->on);
    if (join->using_) {
        sql_put(out, " USING (");
        sql_put_names(out, join->using_);
        sql_put(out, ")");
    }
}

void sql_put_table(struct sql_printer *out, const struct sql_table *table)
{
    switch (table->kind) {
    case SQL_TABLE_NAME:
        sql_put_path(out, table->db, table->name);
        break;
    case SQL_TABLE_QUERY:
        sql_put(out, "(");
        sql_put_query(out, table->query);
        sql_put(out, ")");
        break;
    case SQL_TABLE_JOIN:
        put_join(out, table);
        break;
    case SQL_TABLE_DUAL:
        sql_put(out, "DUAL");
        break;
    }
    if (table->alias) {
        sql_put(out, " AS ");
        sql_put_name(out, table->alias);
    }
    if (table->columns) {
        sql_put(out, " (");
        sql_put_names(out, table->columns);
        sql_put(out, ")");
    }
}

/* ---------------------------------------------------------------- SELECT ---- */

static void put_items(struct sql_printer *out, const struct sql_select_item *items)
{
    for (const struct sql_select_item *item = items; item; item = item->next) {
        sql_put_comma(out, item == items);
        sql_put_expr(out, item->expr);
        if (item->alias) {
            sql_put(out, " AS ");
            /* A string may be empty or hold anything; as a name it could not. */
            if (item->alias[0]) {
                sql_put_name(out, item->alias);
            } else {
                sql_put(out, "''");
            }
        }
    }
}

static void put_windows(struct sql_printer *out, const struct sql_window *windows)
{
    for (const struct sql_window *window = windows; window; window = window->next) {
        sql_put(out, window == windows ? " WINDOW " : ", ");
        sql_put_name(out, window->name);
        sql_put(out, " AS ");
        sql_put_window(out, window);
    }
}

static void put_select(struct sql_printer *out, const struct sql_select *select)
{
    sql_put(out, "SELECT ");
    sql_put(out, select->is_distinct ? "DISTINCT " : "");
    sql_put(out, select->is_straight_join ? "STRAIGHT_JOIN " : "");
    sql_put(out, select->has_found_rows ? "SQL_CALC_FOUND_ROWS " : "");
    put_items(out, select->items);
    if (select->from) {
        sql_put(out, " FROM ");
        sql_put_table(out, select->from);
    }
    sql_put_clause(out, " WHERE ", select->where);
    sql_put_order(out, " GROUP BY ", select->group_by);
    sql_put(out, select->has_rollup ? " WITH ROLLUP" : "");
    sql_put_clause(out, " HAVING ", select->having);
    put_windows(out, select->windows);
}

static void put_set_op(struct sql_printer *out, const struct sql_query_term *term)
{
    static const char *const ops[] = {
        [SQL_SET_NONE] = "",
        [SQL_SET_UNION] = " UNION ",
        [SQL_SET_EXCEPT] = " EXCEPT ",
        [SQL_SET_INTERSECT] = " INTERSECT ",
    };
    sql_put(out, ops[term->op]);
    sql_put(out, term->is_all ? "ALL " : "");
}

static void put_term(struct sql_printer *out, const struct sql_query_term *term)
{
    put_set_op(out, term);
    if (term->select) {
        put_select(out, term->select);
        return;
    }
    sql_put(out, "(");
    sql_put_query(out, term->query);
    sql_put(out, ")");
}

/* A chain is evaluated from left to right, but INTERSECT binds closer: what is left of one needs
 * parentheses when it holds another operator. */
static bool needs_group(const struct sql_query_term *first, const struct sql_query_term *term)
{
    if (term->op != SQL_SET_INTERSECT) {
        return false;
    }
    for (const struct sql_query_term *t = first->next; t != term; t = t->next) {
        if (t->op != SQL_SET_INTERSECT) {
            return true;
        }
    }
    return false;
}

static void put_terms(struct sql_printer *out, const struct sql_query_term *terms)
{
    for (const struct sql_query_term *term = terms; term; term = term->next) {
        sql_put(out, needs_group(terms, term) ? "(" : "");
    }
    for (const struct sql_query_term *term = terms; term; term = term->next) {
        sql_put(out, needs_group(terms, term) ? ")" : "");
        put_term(out, term);
    }
}

static void put_ctes(struct sql_printer *out, const struct sql_query *query)
{
    for (const struct sql_cte *cte = query->ctes; cte; cte = cte->next) {
        const char *with = query->is_recursive ? "WITH RECURSIVE " : "WITH ";
        sql_put(out, cte == query->ctes ? with : ", ");
        sql_put_name(out, cte->name);
        if (cte->columns) {
            sql_put(out, " (");
            sql_put_names(out, cte->columns);
            sql_put(out, ")");
        }
        sql_put(out, " AS (");
        sql_put_query(out, cte->query);
        sql_put(out, ")");
    }
    sql_put(out, query->ctes ? " " : "");
}

void sql_put_outfile_format(struct sql_printer *out, const struct sql_option *format)
{
    static const struct {
        const char *key;
        const char *words;
    } words[] = {
        {"CHARSET", " CHARACTER SET "},
        {"fields_terminated", " FIELDS TERMINATED BY "},
        {"fields_enclosed", " FIELDS ENCLOSED BY "},
        {"fields_optionally_enclosed", " FIELDS OPTIONALLY ENCLOSED BY "},
        {"fields_escaped", " FIELDS ESCAPED BY "},
        {"lines_terminated", " LINES TERMINATED BY "},
        {"lines_starting", " LINES STARTING BY "},
    };
    for (; format; format = format->next) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (!__builtin_strcmp(format->key, words[i].key)) {
                sql_put_clause(out, words[i].words, format->value);
            }
        }
    }
}

static void put_into(struct sql_printer *out, const struct sql_into *into)
{
    static const char *const words[] = {
        [SQL_INTO_OUTFILE] = " INTO OUTFILE ",
        [SQL_INTO_DUMPFILE] = " INTO DUMPFILE ",
        [SQL_INTO_URI] = " INTO ",
        [SQL_INTO_NAME] = " INTO ",
        [SQL_INTO_VARS] = " INTO ",
    };
    if (!into) {
        return;
    }
    sql_put(out, words[into->kind]);
    if (into->kind == SQL_INTO_NAME) {
        sql_put_name(out, into->target);
    } else if (into->kind != SQL_INTO_VARS) {
        sql_put_string(out, into->target, into->target_length);
    }
    for (const struct sql_name_list *var = into->vars; var; var = var->next) {
        struct sql_expr expr = {.kind = SQL_EXPR_USER_VAR, .v.name = var->name};
        sql_put_comma(out, var == into->vars);
        sql_put_expr(out, &expr);
    }
    sql_put_outfile_format(out, into->format);
}

static void put_with_options(struct sql_printer *out, const struct sql_option *options)
{
    for (const struct sql_option *option = options; option; option = option->next) {
        sql_put(out, option == options ? " WITH " : ", ");
        sql_put_string(out, option->key, __builtin_strlen(option->key));
        sql_put_clause(out, " = ", option->value);
    }
}

void sql_put_query(struct sql_printer *out, const struct sql_query *query)
{
    static const char *const locks[] = {
        [SQL_LOCK_NONE] = "",
        [SQL_LOCK_UPDATE] = " FOR UPDATE",
        [SQL_LOCK_SHARE] = " LOCK IN SHARE MODE",
    };
    put_ctes(out, query);
    put_terms(out, query->terms);
    sql_put_order(out, " ORDER BY ", query->order_by);
    sql_put_limit(out, &query->limit);
    sql_put(out, locks[query->lock]);
    put_into(out, query->into);
    put_with_options(out, query->options);
}

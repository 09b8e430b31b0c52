#pragma once
/*
 * Bound expressions: names resolved, types known, evaluated one row at a time.
 *
 * A tree is made by bind.c and lives in the statement's arena. Where things are:
 *   expr.c            nodes, constant folding, columns, AND/OR/NOT, IS
 *   expr_arith.c      + - * / DIV % and bit operators
 *   expr_compare.c    comparisons, BETWEEN, IN, LIKE; multi-valued columns
 *   expr_match.c      MATCH ... AGAINST
 *   function*.c       everything written as a call (function.h)
 *   aggregate.c       COUNT, SUM, ... (aggregate.h)
 *   expr_set.c        hash set of values for IN
 * Evaluation cannot wait: subqueries have been materialised before (plan.h).
 * Owner: the core of the connection; lifetime: the statement.
 */
#include "reactor/arena.h"
#include "sql/ast.h"
#include "sql/mysql_error.h"
#include "sql/value_compare.h"
#include "sql/value_datum.h"

struct gateway_session;
struct function;
struct aggregate_call;
struct subquery;
struct outer_param;
struct datum_set;
struct words_query;
struct window_call;
struct expr;

enum expr_kind {
    EXPR_CONST,  /* u.value */
    EXPR_COLUMN, /* u.column: column of a table of the FROM clause */
    EXPR_SLOT,   /* u.slot: cell of the operator below (groups, aggregates, output columns) */
    EXPR_AND,    /* args, two or more */
    EXPR_OR,
    EXPR_NOT,
    EXPR_XOR,
    EXPR_COMPARE,   /* op: SQL_OP_EQ, NULL_EQ, NE, LT, LE, GT, GE; two args */
    EXPR_BETWEEN,   /* three args */
    EXPR_IN,        /* args[0] in the rest */
    EXPR_LIKE,      /* args[0] like args[1]; escape in u.escape */
    EXPR_IS,        /* op: sql_is */
    EXPR_CALL,      /* u.function: functions, arithmetic, CASE, CAST */
    EXPR_AGGREGATE, /* u.aggregate; only until the grouping pass has replaced it by a slot */
    EXPR_WINDOW,    /* u.window: a cell of the operator below, computed from args */
    EXPR_OUTER,     /* u.outer: a value of the row outside, while its subquery runs */
    /* Of these the last args are what u.subquery depends on of the row outside. */
    EXPR_SUBQUERY,   /* u.subquery: its one value */
    EXPR_IN_QUERY,   /* args[0] in u.subquery's first column */
    EXPR_IN_ROWS,    /* the row of all other args in u.subquery's rows; all: NULL may be 0 */
    EXPR_QUANTIFIED, /* args[0] op ANY or ALL (all) of u.subquery */
    EXPR_EXISTS,     /* u.subquery */
    EXPR_MATCH,      /* u.words in the texts of all args but the last, which is its constant */
};

struct expr_ctx;
typedef void expr_eval_fn(const struct expr *e, struct expr_ctx *x, struct datum *out);

struct expr_column {
    uint16_t source; /* number of the table in FROM */
    uint16_t column; /* of the source */
    uint32_t slot;   /* cell of the joined row; set when the whole block is bound */
};

struct expr {
    uint8_t kind;
    uint8_t op;
    bool negated;   /* NOT IN, NOT LIKE, NOT BETWEEN, IS NOT */
    uint8_t class;  /* comparisons: enum compare_class */
    char delim;     /* a multi-valued column: separator of its values; 0 = single-valued */
    bool volatile_; /* RAND() and its like: never folded nor computed once */
    bool all;       /* EXPR_QUANTIFIED with ALL */
    bool is_bits;   /* EXPR_CONST written as 0x41, x'41' or b'1': see expr_as_number */
    uint32_t n_args;
    struct expr **args;
    expr_eval_fn *eval;
    struct value_type type;
    union {
        struct datum value;
        struct expr_column column;
        uint32_t slot;
        char escape;
        const struct function *function;
        struct aggregate_call *aggregate;
        struct subquery *subquery;
        struct window_call *window;
        struct outer_param *outer;
        const struct words_query *words;
    } u;
    void *state;      /* of a function or an IN list; arena */
    const char *text; /* source text, for column names and messages; may be NULL */
    uint32_t text_len;
};

/* What evaluation needs. Owner: the operator or statement that evaluates. */
struct expr_ctx {
    const struct datum *row; /* cell of slot s is row[s - base] */
    uint32_t base;
    struct arena
        *scratch; /* results of this row and the next few; reset by the owner between batches */
    struct gateway_session *session;
    int64_t now_us;            /* start of the statement */
    uint64_t random;           /* state of RAND() */
    struct mysql_error *error; /* first error; rows after it do not count */
    uint64_t *sleep_ns;        /* what SLEEP() asks the statement to wait; NULL = it does not */
};

static inline void expr_eval(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    e->eval(e, x, out);
}

/* Records an error (the first one wins) and makes the result NULL. */
void expr_fail(struct expr_ctx *x, struct datum *out, unsigned code, ...);
static inline bool expr_has_failed(const struct expr_ctx *x)
{
    return x->error->code != 0;
}
/* Scratch memory, or NULL with an error recorded. */
void *expr_alloc(struct expr_ctx *x, size_t n);

/* True when the expression holds for the row (not false, not unknown). */
bool expr_is_true(const struct expr *e, struct expr_ctx *x);

/* Nodes; NULL when the arena is at its limit. */
struct expr *expr_new(struct arena *a, enum expr_kind kind, uint32_t n_args);
struct expr *expr_new_const(struct arena *a, const struct datum *value,
                            const struct value_type *type);
/* Bytes of a literal such as 0x41 as the number they are where one is wanted (of more than eight the
 * last eight); any other expression as it is. NULL: no memory. */
struct expr *expr_as_number(struct arena *a, struct expr *e);
/* The same for the value of `e` just evaluated. */
void expr_value_as_number(const struct expr *e, struct datum *d);
struct expr *expr_new_slot(struct arena *a, uint32_t slot, const struct value_type *type);
struct expr *expr_new_and(struct arena *a, struct expr **args, uint32_t n); /* one arg: itself */

/* Fills eval of a node whose kind, op, args and types are set (not EXPR_CALL). */
void expr_prepare(struct expr *e, struct arena *a);
/* The node, or a constant in its place when it is deterministic and all its arguments are
 * constants. */
struct expr *expr_fold(struct expr *e, struct expr_ctx *x, struct arena *a);

/* Same structure, so same value for every row. */
bool expr_is_equal(const struct expr *a, const struct expr *b);
static inline bool expr_is_const(const struct expr *e)
{
    return e->kind == EXPR_CONST;
}
/* Calls fn for the node and all below, parents first; stops when it answers false. */
bool expr_walk(struct expr *e, bool (*fn)(struct expr *e, void *ctx), void *ctx);
/* True when the expression reads no column or slot (subqueries allowed). */
bool expr_is_row_free(struct expr *e);
bool expr_has_subquery(struct expr *e);

/* Comparison set-up: class, exact reading of constant strings against numbers, IN sets. */
void expr_prepare_compare(struct expr *e, struct arena *a);

/* MATCH: the memory its evaluation needs; without it every evaluation fails. */
void expr_prepare_match(struct expr *e, struct arena *a);

/* Operators: `op` of sql_op. NULL with *error when the operands do not fit. */
struct expr *expr_new_arith(struct arena *a, enum sql_op op, struct expr *l, struct expr *r);
/* Is it one of + - * and the sign, by op, over exact numbers? */
bool expr_is_exact_arith(const struct expr *e);
struct expr *expr_new_negate(struct arena *a, struct expr *arg);

/* Type that holds values of both: for CASE, IF, COALESCE, UNION. */
struct value_type expr_common_type(const struct value_type *a, const struct value_type *b);
/* Makes the value of an expression of the common type: numbers become text when the type is text,
 * and so on. */
void expr_to_type(struct expr_ctx *x, struct datum *d, const struct value_type *from,
                  const struct value_type *to);
/* Most characters the text of a value of the type has. */
uint32_t value_type_text_length(const struct value_type *t);

/* ---- set of values (expr_set.c) ---- */

/* Hash set of values normalised to one comparison class. Owner: the statement; memory from its
 * arena. */
struct datum_set {
    struct arena *arena;
    enum compare_class class;
    struct datum *cells; /* open addressing; free cells are NULL */
    uint32_t n, cap;
    bool has_null;
};
void datum_set_init(struct datum_set *s, enum compare_class class, struct arena *a);
/* 0, -ENOMEM. NULL only sets has_null; what cannot be read in the class is left out. */
int datum_set_add(struct datum_set *s, const struct datum *d);
bool datum_set_contains(const struct datum_set *s, const struct datum *d);

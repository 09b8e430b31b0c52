#pragma once
/*
 * Expressions and types of the syntax tree; ast.h says how trees are kept and who owns them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most expression levels, counted over nested queries; more is a parse error. */
#define SQL_DEPTH_MAX 250
/* Most levels of open parentheses in a statement; more is a parse error. */
#define SQL_PAREN_MAX 200

struct sql_query;
struct sql_select;
struct sql_table;
struct sql_call;
struct sql_column_ref;

/* ---------------------------------------------------------------- expressions ---- */

enum sql_expr_kind {
    /* Literals. */
    SQL_EXPR_NULL = 1,
    SQL_EXPR_BOOL,      /* v.integer 0 or 1 */
    SQL_EXPR_INT,       /* v.integer; a minus sign before the digits is already folded in */
    SQL_EXPR_UINT,      /* v.uinteger, above INT64_MAX */
    SQL_EXPR_DECIMAL,   /* v.text, count bytes: [-]digits[.digits], exact, not NUL-terminated; also
                           integers too large for 64 bits */
    SQL_EXPR_FLOAT,     /* v.real, written with an exponent; always finite */
    SQL_EXPR_STRING,    /* v.text, count bytes, unescaped, may hold NUL, not NUL-terminated.
                           flags: SQL_FLAG_NATIONAL. A character set introducer is dropped. */
    SQL_EXPR_BYTES,     /* v.text, count bytes: x'41', 0x41, b'01' or _binary'..' decoded */
    SQL_EXPR_DATE,      /* DATE '..':      v.text, count bytes, not checked */
    SQL_EXPR_TIME,      /* TIME '..':      same */
    SQL_EXPR_TIMESTAMP, /* TIMESTAMP '..': same */
    /* Leaves. */
    SQL_EXPR_PARAM,    /* ?: v.integer is its number from 0 */
    SQL_EXPR_COLUMN,   /* v.column; also t.@rownum of the original (name begins with '@') */
    SQL_EXPR_STAR,     /* *, t.* and db.t.* of a select list (v.column with name NULL), and the *
                           of count(*) (v.column NULL) */
    SQL_EXPR_USER_VAR, /* @name: v.name without the '@'. The original's pseudo columns @rownum,
                           @timestamp and @userid arrive as this kind when unqualified */
    SQL_EXPR_SYS_VAR,  /* @@[scope.]name: v.name, op is an sql_scope */
    SQL_EXPR_DEFAULT,  /* DEFAULT as a value (count 0) or DEFAULT(col) (args[0]) */
    SQL_EXPR_UNIT,     /* a bare interval unit as first argument of timestampadd/timestampdiff:
                           op is an sql_unit */
    /* Operators; operands in v.args, number of them in count. */
    SQL_EXPR_UNARY,    /* op: sql_op NOT, NEG, PLUS, BIT_NOT, BINARY; args[0] */
    SQL_EXPR_BINARY,   /* op: sql_op; args[0], args[1] */
    SQL_EXPR_AND,      /* two or more args, flattened: a AND b AND c has three */
    SQL_EXPR_OR,       /* same */
    SQL_EXPR_IS,       /* args[0] IS [NOT] op: sql_is; SQL_FLAG_NOT */
    SQL_EXPR_LIKE,     /* args[0] [NOT] LIKE args[1] [ESCAPE args[2]]; SQL_FLAG_NOT */
    SQL_EXPR_BETWEEN,  /* args[0] [NOT] BETWEEN args[1] AND args[2]; SQL_FLAG_NOT */
    SQL_EXPR_IN,       /* args[0] [NOT] IN (args[1], ...); SQL_FLAG_NOT */
    SQL_EXPR_CASE,     /* args: [operand] (when then)... [else];
                           SQL_FLAG_CASE_OPERAND, SQL_FLAG_CASE_ELSE */
    SQL_EXPR_ROW,      /* (args[0], args[1], ...), two or more */
    SQL_EXPR_INTERVAL, /* INTERVAL args[0] op: sql_unit; only as an operand of + and -, as an
                           argument of a call, or in a window frame */
    SQL_EXPR_EXTRACT,  /* EXTRACT(op: sql_unit FROM args[0]) */
    SQL_EXPR_TRIM,     /* TRIM([op: sql_trim] [args[1] FROM] args[0]) */
    SQL_EXPR_VALUES,   /* VALUES(args[0]) in ON DUPLICATE KEY UPDATE */
    /* With a structure of their own. */
    SQL_EXPR_CALL,       /* v.call: any function, aggregate or window function */
    SQL_EXPR_CAST,       /* v.cast: CAST(x AS t), CONVERT(x, t) */
    SQL_EXPR_CONVERT,    /* v.collate: CONVERT(arg USING name) */
    SQL_EXPR_COLLATE,    /* v.collate: arg COLLATE name */
    SQL_EXPR_SUBQUERY,   /* v.query: (SELECT ...) as a value or row */
    SQL_EXPR_EXISTS,     /* v.query: EXISTS (SELECT ...) */
    SQL_EXPR_IN_QUERY,   /* v.compare: left [NOT] IN (SELECT ...); SQL_FLAG_NOT */
    SQL_EXPR_QUANTIFIED, /* v.compare: left op ANY|ALL (SELECT ...); op is the comparison;
                           SQL_FLAG_ALL for ALL, clear for ANY and SOME */
    SQL_EXPR_MATCH,      /* MATCH (args[0..count-2]) AGAINST (args[count-1]); op: sql_match */
};

/* Flags of an expression; bits. */
enum sql_flag {
    SQL_FLAG_NOT = 1,          /* NOT IN, NOT LIKE, NOT BETWEEN, IS NOT */
    SQL_FLAG_PARENS = 2,       /* was written inside parentheses; offset/length exclude them */
    SQL_FLAG_CASE_OPERAND = 4, /* CASE x WHEN ... */
    SQL_FLAG_CASE_ELSE = 8,    /* CASE ... ELSE y END */
    SQL_FLAG_ALL = 16,         /* quantified comparison with ALL */
    SQL_FLAG_NATIONAL = 32,    /* N'..' */
};

enum sql_match {
    SQL_MATCH_DEFAULT, /* natural language */
    SQL_MATCH_NATURAL,
    SQL_MATCH_BOOLEAN,
    SQL_MATCH_EXPANSION,         /* WITH QUERY EXPANSION */
    SQL_MATCH_NATURAL_EXPANSION, /* IN NATURAL LANGUAGE MODE WITH QUERY EXPANSION */
};

enum sql_op {
    /* Unary. */
    SQL_OP_NOT = 1, /* NOT and ! */
    SQL_OP_NEG,
    SQL_OP_PLUS,
    SQL_OP_BIT_NOT,
    SQL_OP_BINARY, /* BINARY x: compare as bytes */
    /* Comparison. */
    SQL_OP_EQ,      /* = and the original's == */
    SQL_OP_NULL_EQ, /* <=> */
    SQL_OP_NE,
    SQL_OP_LT,
    SQL_OP_LE,
    SQL_OP_GT,
    SQL_OP_GE,
    SQL_OP_REGEXP, /* REGEXP and RLIKE; NOT REGEXP is a UNARY NOT around it */
    SQL_OP_SOUNDS_LIKE,
    /* Logic other than AND and OR, which are kinds. */
    SQL_OP_XOR,
    /* Arithmetic and bits. */
    SQL_OP_BIT_OR,
    SQL_OP_BIT_AND,
    SQL_OP_BIT_XOR,
    SQL_OP_SHL,
    SQL_OP_SHR,
    SQL_OP_ADD, /* also date + INTERVAL: one operand is then SQL_EXPR_INTERVAL */
    SQL_OP_SUB,
    SQL_OP_MUL,
    SQL_OP_DIV,           /* '/' */
    SQL_OP_INT_DIV,       /* DIV */
    SQL_OP_MOD,           /* % and MOD */
    SQL_OP_ASSIGN,        /* @v := x */
    SQL_OP_JSON_GET,      /* col -> path */
    SQL_OP_JSON_GET_TEXT, /* col ->> path */
};

enum sql_is { SQL_IS_NULL = 1, SQL_IS_TRUE, SQL_IS_FALSE, SQL_IS_UNKNOWN };

enum sql_trim { SQL_TRIM_BOTH = 1, SQL_TRIM_LEADING, SQL_TRIM_TRAILING };

enum sql_unit {
    SQL_UNIT_MICROSECOND = 1,
    SQL_UNIT_SECOND,
    SQL_UNIT_MINUTE,
    SQL_UNIT_HOUR,
    SQL_UNIT_DAY,
    SQL_UNIT_WEEK,
    SQL_UNIT_MONTH,
    SQL_UNIT_QUARTER,
    SQL_UNIT_YEAR,
    SQL_UNIT_SECOND_MICROSECOND,
    SQL_UNIT_MINUTE_MICROSECOND,
    SQL_UNIT_MINUTE_SECOND,
    SQL_UNIT_HOUR_MICROSECOND,
    SQL_UNIT_HOUR_SECOND,
    SQL_UNIT_HOUR_MINUTE,
    SQL_UNIT_DAY_MICROSECOND,
    SQL_UNIT_DAY_SECOND,
    SQL_UNIT_DAY_MINUTE,
    SQL_UNIT_DAY_HOUR,
    SQL_UNIT_YEAR_MONTH,
};

enum sql_scope { SQL_SCOPE_NONE, SQL_SCOPE_SESSION, SQL_SCOPE_GLOBAL, SQL_SCOPE_PERSIST };

/* 32 bytes, because a bulk INSERT holds millions of them. */
struct sql_expr {
    uint8_t kind;    /* enum sql_expr_kind */
    uint8_t op;      /* sql_op, sql_is, sql_unit, sql_trim or sql_scope, by kind */
    uint8_t flags;   /* enum sql_flag */
    uint8_t depth;   /* levels below and with this node, nested queries included */
    uint32_t offset; /* of its source text */
    uint32_t length;
    uint32_t count; /* bytes of v.text, or operands in v.args */
    union {
        int64_t integer;
        uint64_t uinteger;
        double real;
        const char *text; /* count bytes */
        const char *name; /* NUL-terminated */
        struct sql_expr **args;
        struct sql_column_ref *column;
        struct sql_call *call;
        struct sql_cast *cast;
        struct sql_collate *collate;
        struct sql_query *query;
        struct sql_compare *compare;
    } v;
    struct sql_expr *next; /* in the values of a row; otherwise meaningless */
};

/* [[db.]table.]name; absent parts are NULL. */
struct sql_column_ref {
    const char *db;
    const char *table;
    const char *name;
};

/* Plain list of names: columns of a key, USING (...). */
struct sql_name_list {
    struct sql_name_list *next;
    const char *name;
    uint32_t offset;
    uint32_t prefix; /* bytes of a key part: name(10); 0 when absent */
    bool is_desc;    /* key part written with DESC */
};

struct sql_order {
    struct sql_order *next;
    struct sql_expr *expr;
    bool is_desc;
    bool is_explicit; /* ASC or DESC was written */
};

enum sql_frame_unit { SQL_FRAME_NONE, SQL_FRAME_ROWS, SQL_FRAME_RANGE };
enum sql_bound_kind {
    SQL_BOUND_NONE,
    SQL_BOUND_UNBOUNDED_PRECEDING,
    SQL_BOUND_PRECEDING, /* expr PRECEDING */
    SQL_BOUND_CURRENT_ROW,
    SQL_BOUND_FOLLOWING, /* expr FOLLOWING */
    SQL_BOUND_UNBOUNDED_FOLLOWING,
};

struct sql_bound {
    enum sql_bound_kind kind;
    struct sql_expr *expr; /* for PRECEDING and FOLLOWING */
};

/* OVER name, OVER (...) and WINDOW name AS (...). */
struct sql_window {
    struct sql_window *next;        /* in the WINDOW clause */
    const char *name;               /* its own name in a WINDOW clause, else NULL */
    const char *base;               /* the window it refers to, or NULL */
    bool is_reference;              /* OVER name without parentheses */
    struct sql_order *partition_by; /* is_desc unused */
    struct sql_order *order_by;
    enum sql_frame_unit frame;
    struct sql_bound from, to; /* to.kind NONE when the frame has one bound only */
};

/*
 * A function call. Names keep their case and may hold dots (hash.sha256). These spellings are
 * turned into plain calls: SUBSTRING(x FROM n FOR m) -> substring(x, n, m), POSITION(a IN b) ->
 * locate(a, b), CURRENT_TIMESTAMP -> a call without arguments and without parentheses.
 */
struct sql_call {
    const char *name;
    struct sql_expr **args;
    uint32_t arg_count;
    bool is_distinct;                 /* count(DISTINCT a, b) */
    bool has_star;                    /* count(*): arg_count 0 */
    bool has_parens;                  /* false for CURRENT_DATE and its like */
    struct sql_order *order_by;       /* group_concat(... ORDER BY ...) */
    const struct sql_expr *separator; /* STRING of group_concat(... SEPARATOR ..), or NULL */
    struct sql_order *within_group;   /* WITHIN GROUP (ORDER BY ...) */
    struct sql_expr *filter;          /* FILTER (WHERE ...), or NULL */
    struct sql_window *over;          /* or NULL */
    const char *charset;              /* CHAR(.. USING name), or NULL */
};

struct sql_compare {
    struct sql_expr *left;
    struct sql_query *query;
};

struct sql_collate {
    struct sql_expr *arg;
    const char *name;
};

/* ---------------------------------------------------------------- types ---- */

enum sql_type_kind {
    SQL_TYPE_BOOL = 1,
    SQL_TYPE_BIT,
    SQL_TYPE_TINYINT,
    SQL_TYPE_SMALLINT,
    SQL_TYPE_MEDIUMINT,
    SQL_TYPE_INT,
    SQL_TYPE_BIGINT,
    SQL_TYPE_DECIMAL,
    SQL_TYPE_FLOAT,
    SQL_TYPE_DOUBLE,
    SQL_TYPE_CHAR,
    SQL_TYPE_VARCHAR,
    SQL_TYPE_TINYTEXT,
    SQL_TYPE_TEXT,
    SQL_TYPE_MEDIUMTEXT,
    SQL_TYPE_LONGTEXT,
    SQL_TYPE_BINARY,
    SQL_TYPE_VARBINARY,
    SQL_TYPE_TINYBLOB,
    SQL_TYPE_BLOB,
    SQL_TYPE_MEDIUMBLOB,
    SQL_TYPE_LONGBLOB,
    SQL_TYPE_DATE,
    SQL_TYPE_TIME,
    SQL_TYPE_DATETIME,
    SQL_TYPE_TIMESTAMP,
    SQL_TYPE_YEAR,
    SQL_TYPE_ENUM,
    SQL_TYPE_SET,
    SQL_TYPE_JSON,
    SQL_TYPE_SIGNED,   /* CAST only: SIGNED [INTEGER] */
    SQL_TYPE_UNSIGNED, /* CAST only: UNSIGNED [INTEGER] */
    SQL_TYPE_NAMED,    /* CAST only: the original's type names, in `name` */
};

/* One string of a list: members of ENUM and SET. */
struct sql_text_list {
    struct sql_text_list *next;
    const char *text;
    uint32_t length;
};

struct sql_type {
    enum sql_type_kind kind;
    int32_t size;  /* (n) of the type: width, digits, characters or fraction digits; -1: absent */
    int32_t scale; /* m of (n,m); -1 when absent */
    bool is_unsigned;
    bool is_zerofill;
    bool is_binary;      /* CHAR(n) BINARY */
    const char *charset; /* CHARACTER SET name, or NULL */
    const char *collation;
    const char *name; /* SQL_TYPE_NAMED */
    struct sql_text_list *members;
};

struct sql_cast {
    struct sql_expr *arg;
    struct sql_type type;
    bool is_convert; /* written as CONVERT(x, t) */
};

/* Called for an expression; false skips what is below it. */
typedef bool (*sql_visit_fn)(struct sql_expr *expr, void *arg);

/*
 * Visits expr and all expressions below it, operands before later siblings, parents first. Does not
 * enter subqueries (the visitor sees their node and may). NULL is allowed. Any core.
 */
void sql_expr_walk(struct sql_expr *expr, sql_visit_fn visit, void *arg);

/* Whether the expression is any of the literal kinds (NULL to TIMESTAMP). Any core. */
bool sql_expr_is_literal(const struct sql_expr *expr);

/* Spelling of an operator ("+", "<=>", "REGEXP"); never NULL for values of the enum. Any core. */
const char *sql_op_name(enum sql_op op);

/* Spelling of a unit ("DAY_HOUR"), upper case; never NULL for values of the enum. Any core. */
const char *sql_unit_name(enum sql_unit unit);

/* Unit by name, any case; 0 when there is none. Any core. */
enum sql_unit sql_unit_find(const char *name, size_t length);

/* Spelling of a type's name without sizes ("VARCHAR"); never NULL for values of the enum. Any
 * core. */
const char *sql_type_name(enum sql_type_kind kind);

/* Expressions. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/bind.h"
#include "sql/decimal.h"
#include "sql/plan_subquery.h"
#include "sql/sysvar.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

bool bind_fail(struct bind *b, unsigned code, ...)
{
    va_list ap;

    if (b->error->code)
        return false;
    const struct mysql_error_info *info = mysql_error_find(code);
    b->error->code = (uint16_t)code;
    memcpy(b->error->sqlstate, mysql_error_sqlstate(code), sizeof b->error->sqlstate);
    va_start(ap, code);
    vsnprintf(b->error->text, sizeof b->error->text, info ? info->format : "Error", ap);
    va_end(ap);
    return false;
}

void *bind_alloc(struct bind *b, size_t n)
{
    void *p = n < SIZE_MAX / 4 ? arena_alloc(b->arena, n) : NULL;

    if (!p && !b->error->code)
        mysql_error_set_text(b->error, 1041,
                             "Out of memory: the statement needs more than it may use");
    return p;
}

struct function_bind bind_function(struct bind *b)
{
    return (struct function_bind){.arena = b->arena, .error = b->error, .session = b->session};
}

struct expr *bind_fold(struct bind *b, struct expr *e)
{
    if (!e)
        return NULL;
    e = expr_fold(e, b->ctx, b->arena);
    return b->error->code ? NULL : e;
}

static struct expr *constant(struct bind *b, const struct datum *d, struct value_type t)
{
    t.not_null = d->kind != DATUM_NULL;
    struct expr *e = expr_new_const(b->arena, d, &t);

    return e ? e : bind_alloc(b, SIZE_MAX / 2);
}

static uint32_t characters(const char *s, size_t len)
{
    uint32_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

static struct expr *bind_decimal(struct bind *b, const struct sql_expr *e)
{
    struct datum d;
    __int128 v;
    unsigned scale;
    size_t used;

    if (decimal_parse(e->v.text, e->count, &v, &scale, &used)) {
        unsigned digits = decimal_digits(v);
        datum_set_decimal(&d, v, scale);
        return constant(b, &d, value_type_decimal(digits > scale ? digits : scale, scale));
    }
    struct datum text;
    datum_set_string(&text, e->v.text, e->count);
    datum_set_double(&d, datum_to_double(&text));
    return constant(b, &d, value_type_double());
}

static struct expr *bind_temporal(struct bind *b, const struct sql_expr *e)
{
    struct datum d;
    int64_t us;
    unsigned fraction = 0;
    bool ok;

    if (e->kind == SQL_EXPR_TIME)
        ok = temporal_parse_time(e->v.text, e->count, &us);
    else
        ok = temporal_parse(e->v.text, e->count, &us, NULL, &fraction);
    if (!ok) {
        const char *text = arena_strndup(b->arena, e->v.text, e->count);
        bind_fail(b, MYSQL_ER_WRONG_VALUE,
                  e->kind == SQL_EXPR_DATE   ? "DATE"
                  : e->kind == SQL_EXPR_TIME ? "TIME"
                                             : "DATETIME",
                  text ? text : "");
        return NULL;
    }
    if (e->kind == SQL_EXPR_DATE) {
        datum_set_temporal(&d, DATUM_DATE, temporal_us_to_days(us));
        return constant(b, &d, value_type_temporal(DATUM_DATE, 0));
    }
    enum datum_kind kind = e->kind == SQL_EXPR_TIME ? DATUM_TIME : DATUM_DATETIME;
    datum_set_temporal(&d, kind, us);
    return constant(b, &d, value_type_temporal(kind, us % 1000000 && !fraction ? 6 : fraction));
}

static struct expr *bind_leaf(struct bind *b, const struct sql_expr *e)
{
    struct datum d;
    struct value_type t = {0};

    switch ((enum sql_expr_kind)e->kind) {
    case SQL_EXPR_NULL:
        datum_set_null(&d);
        return constant(b, &d, t);
    case SQL_EXPR_BOOL:
        datum_set_int(&d, e->v.integer);
        return constant(b, &d, value_type_int(1));
    case SQL_EXPR_INT:
        datum_set_int(&d, e->v.integer);
        return constant(b, &d, value_type_int(decimal_digits(e->v.integer)));
    case SQL_EXPR_UINT:
        datum_set_uint(&d, e->v.uinteger);
        return constant(b, &d, value_type_uint(20));
    case SQL_EXPR_DECIMAL:
        return bind_decimal(b, e);
    case SQL_EXPR_FLOAT:
        datum_set_double(&d, e->v.real);
        return constant(b, &d, value_type_double());
    case SQL_EXPR_STRING:
    case SQL_EXPR_BYTES: {
        datum_set_string(&d, e->v.text, e->count);
        t = value_type_string(characters(e->v.text, e->count));
        t.is_binary = e->kind == SQL_EXPR_BYTES;
        if (t.is_binary)
            t.length = e->count;
        struct expr *text = constant(b, &d, t);
        if (text)
            text->is_bits = t.is_binary;
        return text;
    }
    case SQL_EXPR_PARAM:
        datum_set_null(&d);
        if (b->params && (uint64_t)e->v.integer < b->n_params) {
            d = b->params[e->v.integer];
            t = b->param_types[e->v.integer];
        }
        return constant(b, &d, t);
    default:
        return bind_temporal(b, e);
    }
}

static struct expr *bind_user_var(struct bind *b, const char *name)
{
    const struct session_variable *v = gateway_session_find(b->session->user_vars, name);
    struct datum d;
    struct value_type t = {0};

    if (b->assigns_variables)
        return bind_changing_variable(b, name);
    datum_set_null(&d);
    if (v) {
        t = v->type;
        if (!datum_copy(&d, &v->value, b->arena))
            return bind_alloc(b, SIZE_MAX / 2);
    }
    return constant(b, &d, t);
}

static struct expr *bind_sys_var(struct bind *b, const struct sql_expr *e)
{
    struct datum d;
    struct value_type t;

    if (!sysvar_get(b->session, e->v.name, b->arena, &d, &t)) {
        bind_fail(b, MYSQL_ER_UNKNOWN_SYSTEM_VARIABLE, e->v.name);
        return NULL;
    }
    return constant(b, &d, t);
}

static bool is_row_expr(const struct sql_expr *e)
{
    return e->kind == SQL_EXPR_ROW;
}

/* Binds n arguments. */
static struct expr **bind_args(struct bind *b, struct sql_expr **args, uint32_t n)
{
    struct expr **out = bind_alloc(b, (n + 1) * sizeof *out);

    if (!out)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!(out[i] = bind_expr(b, args[i])))
            return NULL;
    return out;
}

/* The comparison with its operands exchanged. */
static const uint8_t mirrored[] = {
    [SQL_OP_EQ] = SQL_OP_EQ, [SQL_OP_NULL_EQ] = SQL_OP_NULL_EQ, [SQL_OP_NE] = SQL_OP_NE,
    [SQL_OP_LT] = SQL_OP_GT, [SQL_OP_LE] = SQL_OP_GE,           [SQL_OP_GT] = SQL_OP_LT,
    [SQL_OP_GE] = SQL_OP_LE};

static bool is_multi_valued(const struct expr *e)
{
    return e->kind == EXPR_COLUMN && e->delim;
}

/*
 * Comparisons try each value of a multi-valued column, and only of the first operand: = and its
 * like turn round for that, as does IN with one member. Any other multi-valued column would be taken
 * for the text of all its values, so it is refused.
 */
static bool place_multi_valued(struct bind *b, enum expr_kind kind, uint8_t *op, struct expr **args,
                               uint32_t n)
{
    if (kind != EXPR_COMPARE && kind != EXPR_IN && kind != EXPR_BETWEEN && kind != EXPR_LIKE)
        return true;
    if (n == 2 && (kind == EXPR_COMPARE || kind == EXPR_IN) && !is_multi_valued(args[0]) &&
        is_multi_valued(args[1])) {
        struct expr *first = args[0];
        args[0] = args[1];
        args[1] = first;
        if (kind == EXPR_COMPARE)
            *op = mirrored[*op];
    }
    for (uint32_t i = 1; i < n; i++) {
        bool text_of_all = args[i]->kind == EXPR_SUBQUERY && is_multi_valued(args[0]) &&
                           args[i]->u.subquery->query->columns[0].delim;
        if (!is_multi_valued(args[i]) && !text_of_all)
            continue;
        bool join = args[0]->kind == EXPR_COLUMN &&
                    (text_of_all || args[0]->u.column.source != args[i]->u.column.source);
        return bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET,
                         join ? "joins on multi-valued columns"
                              : "comparisons with a multi-valued column on the right");
    }
    return true;
}

/* A node of ours over bound arguments, folded. */
/* json_extract(…) = 'x' compares with what the JSON string says. */
static bool unquote_json(struct bind *b, struct expr **args, uint32_t n)
{
    struct function_bind fb = bind_function(b);

    for (uint32_t i = 0; i < n; i++)
        if (args[i]->type.kind == DATUM_STRING && args[i]->type.is_json &&
            !(args[i] = bind_fold(b, function_new_json_scalar(&fb, args[i]))))
            return false;
    return true;
}

static struct expr *make(struct bind *b, enum expr_kind kind, uint8_t op, struct expr **args,
                         uint32_t n, bool negated)
{
    struct expr *e;

    if (!place_multi_valued(b, kind, &op, args, n))
        return NULL;
    e = expr_new(b->arena, kind, n);
    if (!e)
        return bind_alloc(b, SIZE_MAX / 2);
    if ((kind == EXPR_COMPARE || kind == EXPR_BETWEEN || kind == EXPR_IN) &&
        (!unquote_json(b, args, n) || !bind_any_case(b, args, n)))
        return NULL;
    bool logic = kind == EXPR_AND || kind == EXPR_OR || kind == EXPR_NOT || kind == EXPR_XOR;
    for (uint32_t i = 0; i < n; i++) {
        e->args[i] = logic || (kind == EXPR_IS && op != SQL_IS_NULL)
                         ? expr_as_number(b->arena, args[i])
                         : args[i];
        if (!e->args[i])
            return bind_alloc(b, SIZE_MAX / 2);
    }
    e->op = op;
    e->negated = negated;
    for (uint32_t i = 0; i < n; i++)
        e->volatile_ |= args[i]->volatile_;
    expr_prepare(e, b->arena);
    return bind_fold(b, e);
}

/* (a, b) op (c, d) as comparisons of the parts: only = <> <=>. */
static struct expr *bind_row_compare(struct bind *b, uint8_t op, struct sql_expr *l,
                                     struct sql_expr *r)
{
    if (l->kind == SQL_EXPR_SUBQUERY || r->kind == SQL_EXPR_SUBQUERY) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "rows compared with a subquery");
        return NULL;
    }
    if (!is_row_expr(l) || !is_row_expr(r) || l->count != r->count) {
        bind_fail(b, MYSQL_ER_OPERAND_COLUMNS, (int)(is_row_expr(l) ? l->count : 1));
        return NULL;
    }
    if (op != SQL_OP_EQ && op != SQL_OP_NE && op != SQL_OP_NULL_EQ) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "ordering of rows");
        return NULL;
    }
    struct expr **parts = bind_alloc(b, l->count * sizeof *parts);
    if (!parts)
        return NULL;
    for (uint32_t i = 0; i < l->count; i++) {
        struct expr *args[2] = {bind_expr(b, l->v.args[i]), NULL};
        if (!args[0] || !(args[1] = bind_expr(b, r->v.args[i])) ||
            !(parts[i] = make(b, EXPR_COMPARE, op == SQL_OP_NE ? SQL_OP_EQ : op, args, 2, false)))
            return NULL;
    }
    struct expr *all = make(b, EXPR_AND, 0, parts, l->count, false);
    return all && op == SQL_OP_NE ? make(b, EXPR_NOT, 0, &all, 1, false) : all;
}

static struct expr *call_function(struct bind *b, const char *name, struct expr **args, uint32_t n)
{
    struct function_bind fb = bind_function(b);

    return bind_fold(b, function_new(&fb, function_find(name, strlen(name)), args, n));
}

/* column -> path, column ->> path */
static struct expr *bind_json_get(struct bind *b, struct expr **args, bool as_text)
{
    struct expr *e = call_function(b, "json_extract", args, 2);

    return e && as_text ? call_function(b, "json_unquote", &e, 1) : e;
}

static struct expr *bind_sounds_like(struct bind *b, struct expr **args)
{
    struct expr *sounds[2] = {call_function(b, "soundex", &args[0], 1), NULL};

    if (!sounds[0] || !(sounds[1] = call_function(b, "soundex", &args[1], 1)))
        return NULL;
    return make(b, EXPR_COMPARE, SQL_OP_EQ, sounds, 2, false);
}

static struct expr *bind_binary(struct bind *b, const struct sql_expr *e)
{
    struct sql_expr *l = e->v.args[0], *r = e->v.args[1];
    struct function_bind fb = bind_function(b);
    struct expr *args[2];

    if (e->op >= SQL_OP_EQ && e->op <= SQL_OP_GE && (is_row_expr(l) || is_row_expr(r)))
        return bind_row_compare(b, e->op, l, r);
    if ((e->op == SQL_OP_ADD || e->op == SQL_OP_SUB) &&
        (l->kind == SQL_EXPR_INTERVAL || r->kind == SQL_EXPR_INTERVAL)) {
        struct sql_expr *interval = r->kind == SQL_EXPR_INTERVAL ? r : l,
                        *date = interval == r ? l : r;
        args[0] = bind_expr(b, date);
        if (!args[0] || !(args[1] = bind_expr(b, interval->v.args[0])))
            return NULL;
        return bind_fold(b, function_new_interval(&fb, args[0], args[1], interval->op,
                                                  e->op == SQL_OP_SUB));
    }
    if (e->op == SQL_OP_ASSIGN)
        return bind_assign(b, e);
    args[0] = bind_expr(b, l);
    if (!args[0] || !(args[1] = bind_expr(b, r)))
        return NULL;
    if (e->op == SQL_OP_JSON_GET || e->op == SQL_OP_JSON_GET_TEXT)
        return bind_json_get(b, args, e->op == SQL_OP_JSON_GET_TEXT);
    if (e->op == SQL_OP_SOUNDS_LIKE)
        return bind_sounds_like(b, args);
    if (e->op == SQL_OP_REGEXP)
        return bind_fold(b, function_new_regexp(&fb, args[0], args[1]));
    if (e->op == SQL_OP_XOR)
        return make(b, EXPR_XOR, 0, args, 2, false);
    if (e->op >= SQL_OP_EQ && e->op <= SQL_OP_GE) {
        /* Constants to the right: predicates are easier to read that way. */
        if (expr_is_const(args[0]) && !expr_is_const(args[1])) {
            struct expr *swapped[2] = {args[1], args[0]};
            return make(b, EXPR_COMPARE, mirrored[e->op], swapped, 2, false);
        }
        return make(b, EXPR_COMPARE, e->op, args, 2, false);
    }
    struct expr *n = expr_new_arith(b->arena, e->op, args[0], args[1]);
    if (!n)
        return bind_alloc(b, SIZE_MAX / 2);
    n->volatile_ = args[0]->volatile_ || args[1]->volatile_;
    n->text = b->text ? b->text + e->offset : NULL;
    n->text_len = e->length;
    return bind_fold(b, n);
}

static struct expr *bind_unary(struct bind *b, const struct sql_expr *e)
{
    struct expr *arg = bind_expr(b, e->v.args[0]), *n;

    if (!arg)
        return NULL;
    switch (e->op) {
    case SQL_OP_NOT:
        return make(b, EXPR_NOT, 0, &arg, 1, false);
    case SQL_OP_PLUS:
    case SQL_OP_BINARY:
        return arg;
    case SQL_OP_BIT_NOT:
        n = expr_new_arith(b->arena, SQL_OP_BIT_NOT, arg, NULL);
        break;
    default:
        n = expr_new_negate(b->arena, arg);
    }
    if (!n)
        return bind_alloc(b, SIZE_MAX / 2);
    n->volatile_ = arg->volatile_;
    return bind_fold(b, n);
}

struct expr *bind_subquery(struct bind *b, const struct sql_query *q, int use,
                           struct subquery **out)
{
    struct subquery *s = bind_alloc(b, sizeof *s);
    struct bind_scope inner = {.outer = b->scope, .clause = BIND_FIELDS, .subquery = s};

    if (!s)
        return NULL;
    b->scope = &inner;
    s->use = use;
    s->ast = q;
    s->query = bind_query(b, q);
    b->scope = inner.outer;
    if (!s->query)
        return NULL;
    if (use != SUBQUERY_EXISTS && use != SUBQUERY_IN_ROWS && s->query->n_columns != 1) {
        bind_fail(b, MYSQL_ER_OPERAND_COLUMNS, 1);
        return NULL;
    }
    if (s->n_params && s->mode == SUBQUERY_ONCE)
        s->mode = SUBQUERY_PER_ROW;
    if (s->mode == SUBQUERY_KEYED) /* that of a row outside */
        s->keyed->select->limit = UINT64_MAX;
    *b->subqueries_end = s;
    b->subqueries_end = &s->next;
    enum expr_kind kind = use == SUBQUERY_EXISTS ? EXPR_EXISTS : EXPR_SUBQUERY;
    struct expr *e = bind_subquery_node(b, kind, s, 0);
    if (!e)
        return NULL;
    expr_prepare(e, b->arena);
    if (use != SUBQUERY_EXISTS) {
        e->type = s->query->columns[0].type;
        e->type.not_null = false;
    }
    *out = s;
    return e;
}

static struct expr *bind_in_query(struct bind *b, const struct sql_expr *e)
{
    struct subquery *s;
    struct expr *left, *value;
    bool in = e->kind == SQL_EXPR_IN_QUERY || (e->op == SQL_OP_EQ && !(e->flags & SQL_FLAG_ALL)) ||
              (e->op == SQL_OP_NE && (e->flags & SQL_FLAG_ALL));

    bool negated =
        e->kind == SQL_EXPR_IN_QUERY ? (e->flags & SQL_FLAG_NOT) != 0 : in && e->op == SQL_OP_NE;
    if (e->v.compare->left->kind == SQL_EXPR_ROW) {
        if (in)
            return bind_row_in_query(b, e->v.compare, negated);
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "rows compared with a subquery");
        return NULL;
    }
    left = bind_expr(b, e->v.compare->left);
    if (!left || !(value = bind_subquery(b, e->v.compare->query,
                                         in ? SUBQUERY_IN : SUBQUERY_QUANTIFIED, &s)))
        return NULL;
    s->delim = s->query->columns[0].delim;
    if (!in && s->delim) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "ALL and ANY of a multi-valued column");
        return NULL;
    }
    if (!in && is_multi_valued(left) && (e->op == SQL_OP_EQ || e->op == SQL_OP_NE)) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "= ALL and <> ANY of a multi-valued column");
        return NULL;
    }
    s->class = compare_class_of(&left->type, &value->type);
    if (s->class == COMPARE_INT)
        s->class = COMPARE_DECIMAL;
    datum_set_init(&s->set, s->class, b->arena);
    if (s->n_params && is_multi_valued(left)) {
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "correlated subquery of a multi-valued column");
        return NULL;
    }
    struct expr *n = bind_subquery_node(b, in ? EXPR_IN_QUERY : EXPR_QUANTIFIED, s, 1);
    if (!n)
        return NULL;
    n->args[0] = left;
    n->class = s->class;
    n->op = e->op;
    n->all = e->flags & SQL_FLAG_ALL;
    n->negated = negated;
    expr_prepare(n, b->arena);
    return n;
}

static struct expr *bind_in(struct bind *b, const struct sql_expr *e)
{
    bool negated = e->flags & SQL_FLAG_NOT;

    if (is_row_expr(e->v.args[0])) { /* (a, b) IN ((1, 2), ...) as a disjunction */
        struct expr **parts = bind_alloc(b, e->count * sizeof *parts);
        if (!parts)
            return NULL;
        for (uint32_t i = 1; i < e->count; i++)
            if (!(parts[i - 1] = bind_row_compare(b, SQL_OP_EQ, e->v.args[0], e->v.args[i])))
                return NULL;
        struct expr *any =
            e->count == 2 ? parts[0] : make(b, EXPR_OR, 0, parts, e->count - 1, false);
        return any && negated ? make(b, EXPR_NOT, 0, &any, 1, false) : any;
    }
    struct expr **args = bind_args(b, e->v.args, e->count);
    return args ? make(b, EXPR_IN, 0, args, e->count, negated) : NULL;
}

static struct expr *bind_like(struct bind *b, const struct sql_expr *e)
{
    struct expr **args = bind_args(b, e->v.args, e->count);
    char escape = b->session->parse_flags & 2 ? 0 : '\\';

    if (!args)
        return NULL;
    if (e->count == 3) {
        const struct expr *c = args[2];
        if (!expr_is_const(c) || (c->u.value.kind == DATUM_STRING && c->u.value.len > 1)) {
            bind_fail(b, MYSQL_ER_WRONG_ARGUMENTS, "ESCAPE");
            return NULL;
        }
        escape = c->u.value.kind == DATUM_STRING && c->u.value.len ? c->u.value.s[0] : 0;
    }
    uint8_t op = 0;
    if (!place_multi_valued(b, EXPR_LIKE, &op, args, 2) || !bind_any_case(b, args, 2))
        return NULL;
    struct expr *n = expr_new(b->arena, EXPR_LIKE, 2);
    if (!n)
        return bind_alloc(b, SIZE_MAX / 2);
    n->args[0] = args[0];
    n->args[1] = args[1];
    n->u.escape = escape;
    n->negated = e->flags & SQL_FLAG_NOT;
    n->volatile_ = args[0]->volatile_ || args[1]->volatile_;
    expr_prepare(n, b->arena);
    return bind_fold(b, n);
}

/* Values that = compares in a way of its own: any of several, or bytes that may be a number. */
static bool is_special(const struct expr *e)
{
    return is_multi_valued(e) || e->is_bits;
}

static struct expr *equal_to(struct bind *b, struct expr *l, struct expr *r)
{
    struct expr *args[2] = {l, r};

    return make(b, EXPR_COMPARE, SQL_OP_EQ, args, 2, false);
}

/* CASE x WHEN y is CASE WHEN x = y; written so only where it matters, as x is evaluated anew. */
static struct expr *bind_case(struct bind *b, const struct sql_expr *e)
{
    struct function_bind fb = bind_function(b);
    struct expr **args = bind_args(b, e->v.args, e->count);
    bool has_operand = e->flags & SQL_FLAG_CASE_OPERAND, has_else = e->flags & SQL_FLAG_CASE_ELSE;
    uint32_t n = e->count, whens = n - (has_else ? 1 : 0);

    if (!args)
        return NULL;
    if (has_operand) {
        bool special = is_special(args[0]);
        for (uint32_t i = 1; i < whens; i += 2)
            special |= is_special(args[i]);
        special &= !args[0]->volatile_;
        for (uint32_t i = 1; special && i < whens; i += 2)
            if (!(args[i] = equal_to(b, args[0], args[i])))
                return NULL;
        if (special) {
            has_operand = false;
            args++;
            n--;
        }
    }
    return bind_fold(b, function_new_case(&fb, args, n, has_operand, has_else));
}

struct expr *bind_charset(struct expr *e, const char *charset)
{
    bool is_binary = strcasecmp(charset, "binary") == 0;

    /* Others are shared with the columns below; only computed values are ever bytes. */
    if (e && (e->kind == EXPR_CONST || e->kind == EXPR_CALL) && e->type.kind == DATUM_STRING) {
        if (is_binary && !e->type.is_binary)
            e->type.length = e->type.length > UINT32_MAX / 4 ? UINT32_MAX : 4 * e->type.length;
        e->type.is_binary = is_binary;
        e->is_bits = false;
    }
    return e;
}

struct expr *bind_nullif(struct bind *b, const struct function *f, struct expr **args)
{
    struct function_bind fb = bind_function(b);
    struct datum nothing;

    if (!is_special(args[0]) && !is_special(args[1]))
        return bind_fold(b, function_new(&fb, f, args, 2));
    datum_set_null(&nothing);
    struct expr *whens[3] = {equal_to(b, args[0], args[1]),
                             constant(b, &nothing, (struct value_type){0}), args[0]};
    if (!whens[0] || !whens[1])
        return NULL;
    return bind_fold(b, function_new_case(&fb, whens, 3, false, true));
}

static struct expr *bind_values(struct bind *b, const struct sql_expr *e)
{
    const struct sql_expr *c = e->v.args[0];

    if (!b->insert_values || c->kind != SQL_EXPR_COLUMN) {
        struct datum d;
        datum_set_null(&d);
        return constant(b, &d, (struct value_type){0});
    }
    /* The row that was to be inserted is the second source of the scope. */
    const struct source *v = b->insert_values;
    struct sql_column_ref ref = {.table = v->alias, .name = c->v.column->name};
    for (uint16_t i = 0; i < v->n_columns; i++) /* AS alias (a, b) has other names */
        if (!v->columns[i].hidden &&
            strcasecmp(v->schema->columns[v->columns[i].column].name, c->v.column->name) == 0)
            ref.name = v->columns[i].name;
    return bind_column(b, &ref);
}

static struct expr *bind_node(struct bind *b, const struct sql_expr *e)
{
    struct function_bind fb = bind_function(b);
    struct expr **args, *arg;

    switch ((enum sql_expr_kind)e->kind) {
    case SQL_EXPR_COLUMN:
        return bind_column(b, e->v.column);
    case SQL_EXPR_USER_VAR:
        return bind_user_var(b, e->v.name);
    case SQL_EXPR_SYS_VAR:
        return bind_sys_var(b, e);
    case SQL_EXPR_UNARY:
        return bind_unary(b, e);
    case SQL_EXPR_BINARY:
        return bind_binary(b, e);
    case SQL_EXPR_AND:
    case SQL_EXPR_OR:
        args = bind_args(b, e->v.args, e->count);
        return args
                   ? make(b, e->kind == SQL_EXPR_AND ? EXPR_AND : EXPR_OR, 0, args, e->count, false)
                   : NULL;
    case SQL_EXPR_IS:
        arg = bind_expr(b, e->v.args[0]);
        return arg ? make(b, EXPR_IS, e->op == SQL_IS_UNKNOWN ? SQL_IS_NULL : e->op, &arg, 1,
                          e->flags & SQL_FLAG_NOT)
                   : NULL;
    case SQL_EXPR_LIKE:
        return bind_like(b, e);
    case SQL_EXPR_BETWEEN:
        args = bind_args(b, e->v.args, 3);
        return args ? make(b, EXPR_BETWEEN, 0, args, 3, e->flags & SQL_FLAG_NOT) : NULL;
    case SQL_EXPR_IN:
        return bind_in(b, e);
    case SQL_EXPR_CASE:
        return bind_case(b, e);
    case SQL_EXPR_EXTRACT:
        arg = bind_expr(b, e->v.args[0]);
        return arg ? bind_fold(b, function_new_extract(&fb, arg, e->op)) : NULL;
    case SQL_EXPR_TRIM:
        args = bind_args(b, e->v.args, e->count);
        return args ? bind_fold(b, function_new_trim(&fb, e->op, args[0],
                                                     e->count > 1 ? args[1] : NULL))
                    : NULL;
    case SQL_EXPR_VALUES:
        return bind_values(b, e);
    case SQL_EXPR_CALL:
        return bind_call(b, e);
    case SQL_EXPR_CAST:
        arg = bind_expr(b, e->v.cast->arg);
        return arg ? bind_fold(b, function_new_cast(&fb, arg, &e->v.cast->type)) : NULL;
    case SQL_EXPR_CONVERT:
        return bind_charset(bind_expr(b, e->v.collate->arg), e->v.collate->name);
    case SQL_EXPR_COLLATE:
        return bind_expr(b, e->v.collate->arg);
    case SQL_EXPR_SUBQUERY: {
        struct subquery *s;
        return bind_subquery(b, e->v.query, SUBQUERY_SCALAR, &s);
    }
    case SQL_EXPR_EXISTS: {
        struct subquery *s;
        arg = bind_subquery(b, e->v.query, SUBQUERY_EXISTS, &s);
        if (arg)
            arg->negated = e->flags & SQL_FLAG_NOT;
        return arg;
    }
    case SQL_EXPR_IN_QUERY:
    case SQL_EXPR_QUANTIFIED:
        return bind_in_query(b, e);
    case SQL_EXPR_DEFAULT:
        return bind_default(b, e);
    case SQL_EXPR_ROW:
        bind_fail(b, MYSQL_ER_OPERAND_COLUMNS, 1);
        return NULL;
    case SQL_EXPR_STAR:
    case SQL_EXPR_UNIT:
    case SQL_EXPR_INTERVAL:
        bind_fail(b, MYSQL_ER_NOT_SUPPORTED_YET, "this expression");
        return NULL;
    case SQL_EXPR_MATCH:
        return bind_match(b, e);
    default:
        return bind_leaf(b, e);
    }
}

struct expr *bind_expr(struct bind *b, const struct sql_expr *e)
{
    struct expr *r = bind_node(b, e);

    if (!r || b->error->code)
        return NULL;
    if (!r->text && b->text) {
        r->text = b->text + e->offset;
        r->text_len = e->length;
    }
    return r;
}

static bool add_conjunct(struct bind *b, struct expr *e, struct expr **list, uint32_t *n,
                         uint32_t cap)
{
    if (e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->n_args; i++)
            if (!add_conjunct(b, e->args[i], list, n, cap))
                return false;
        return true;
    }
    if (e->kind == EXPR_IN_ROWS && !e->negated)
        e->all = true; /* a condition: unknown is as false */
    list[(*n)++] = e;
    return true;
}

static uint32_t count_conjuncts(const struct expr *e)
{
    uint32_t n = 0;

    if (e->kind != EXPR_AND)
        return 1;
    for (uint32_t i = 0; i < e->n_args; i++)
        n += count_conjuncts(e->args[i]);
    return n;
}

/* The condition with every OR that stands for itself opened. */
static struct expr *open_or(struct bind *b, struct expr *e)
{
    if (e->kind == EXPR_OR)
        return bind_or(b, e);
    if (e->kind != EXPR_AND)
        return e;
    for (uint32_t i = 0; i < e->n_args; i++)
        if (!(e->args[i] = open_or(b, e->args[i])))
            return NULL;
    return e;
}

bool bind_conjuncts(struct bind *b, const struct sql_expr *ast, struct expr ***out, uint32_t *n)
{
    struct expr *e = bind_expr(b, ast);

    *n = 0;
    if (!e || !(e = open_or(b, e)))
        return false;
    uint32_t cap = count_conjuncts(e);
    *out = bind_alloc(b, cap * sizeof **out);
    return *out && add_conjunct(b, e, *out, n, cap);
}

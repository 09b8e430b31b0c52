/* What the parser makes of text: trees, literals, positions, statements one after the other. */
#include <stdlib.h>

#include "parse_test_util.h"

static void check_expr(const char *text, const char *want)
{
    struct arena arena;
    struct parse_error error;
    struct sql_expr *expr;
    struct dump d = {.length = 0};
    arena_init(&arena, 1 << 20, NULL);
    int rc = sql_parse_expr(&arena, text, strlen(text), 0, &expr, &error);
    cr_assert_eq(rc, 0, "%s: %s", text, error.text);
    dump_expr(&d, expr);
    cr_expect_str_eq(d.text, want, "%s: %s", text, d.text);
    arena_fini(&arena);
}

Test(parse, precedence)
{
    check_expr("a or b and c", "(or a (and b c))");
    check_expr("a and b or c and d", "(or (and a b) (and c d))");
    check_expr("a and b and c and d", "(and a b c d)");
    check_expr("a and (b and c)", "(and a (and b c))");
    check_expr("(a and b) and c", "(and (and a b) c)");
    check_expr("a or b xor c and d", "(or a (XOR b (and c d)))");
    check_expr("a xor b or c", "(or (XOR a b) c)");
    check_expr("not a = b and c", "(and (NOT (= a b)) c)");
    check_expr("not a or b", "(or (NOT a) b)");
    check_expr("! a = b", "(= (NOT a) b)");
    check_expr("not a between 1 and 2 and b", "(and (NOT (between a 1 2)) b)");
    check_expr("a between b and c and d", "(and (between a b c) d)");
    check_expr("a = b is null", "(is-null (= a b))");
    check_expr("a = b is true", "(is-true (= a b))");
    check_expr("a is not null = b", "(= not-(is-null a) b)");
    check_expr("a = b = c", "(= (= a b) c)");
    check_expr("a < b + c * d", "(< a (+ b (* c d)))");
    check_expr("a - b - c", "(- (- a b) c)");
    check_expr("a * b / c div d % e mod f", "(% (% (DIV (/ (* a b) c) d) e) f)");
    check_expr("a | b & c << d + e", "(| a (& b (<< c (+ d e))))");
    check_expr("a << b >> c", "(>> (<< a b) c)");
    check_expr("a * b ^ c", "(* a (^ b c))");
    check_expr("-a ^ b", "(^ (neg a) b)");
    check_expr("-a * b", "(* (neg a) b)");
    check_expr("~a + !b", "(+ (~ a) (NOT b))");
    check_expr("- - 5", "(neg -5)");
    check_expr("5 - -5", "(- 5 -5)");
    check_expr("5 -5", "(- 5 5)");
    check_expr("a || b && c", "(or a (and b c))");
    check_expr("a in (1, 2) and b not in (3)", "(and (in a 1 2) (not-in b 3))");
    check_expr("a like b and c not like d escape '!'", "(and (like a b) (not-like c d <7>))");
    check_expr("a + b like c", "(like (+ a b) c)");
    check_expr("a not regexp b", "(NOT (REGEXP a b))");
    check_expr("a collate x like b", "(like (collate a) b)");
    check_expr("-a collate x", "(neg (collate a))");
    check_expr("binary a = b", "(= (BINARY a) b)");
    check_expr("a + interval 1 day - interval b hour", "(- (+ a (DAY 1)) (HOUR b))");
    check_expr("interval 1 day + a", "(+ (DAY 1) a)");
    check_expr("@a := b or c", "(:= @a (or b c))");
    check_expr("1 + @a := b + c", "(+ 1 (:= @a (+ b c)))");
    check_expr("case a when 1 then b else c end + 1", "(+ (case a 1 b c) 1)");
    check_expr("(a, b) = (1, 2)", "(= (row a b) (row 1 2))");
    check_expr("row(a, b) <=> (select 1, 2)", "(<=> (row a b) (query))");
    check_expr("f(a, g(b)) + left(c, 1)", "(+ (f a (g b)) (left c 1))");
}

static struct sql_expr *expr_of(struct arena *arena, const char *text, size_t length)
{
    struct parse_error error;
    struct sql_expr *expr;
    int rc = sql_parse_expr(arena, text, length, 0, &expr, &error);
    cr_assert_eq(rc, 0, "%s: %s", text, error.text);
    return expr;
}

static void check_text(const char *text, enum sql_expr_kind kind, const char *want, size_t length)
{
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    struct sql_expr *expr = expr_of(&arena, text, strlen(text));
    cr_expect_eq(expr->kind, kind, "%s", text);
    cr_expect_eq(expr->count, length, "%s: %u", text, expr->count);
    cr_expect_eq(memcmp(expr->v.text, want, length), 0, "%s: %.*s", text, (int)expr->count,
                 expr->v.text);
    arena_fini(&arena);
}

#define STRING(text, want) check_text(text, SQL_EXPR_STRING, want, sizeof(want) - 1)
#define BYTES(text, want) check_text(text, SQL_EXPR_BYTES, want, sizeof(want) - 1)
#define DECIMAL(text, want) check_text(text, SQL_EXPR_DECIMAL, want, sizeof(want) - 1)

Test(parse, strings)
{
    STRING("'abc'", "abc");
    STRING("''", "");
    STRING("'it''s'", "it's");
    STRING("\"it's \"\"x\"\"\"", "it's \"x\"");
    STRING("'a\\0b\\n\\r\\t\\b\\Z\\\\\\'\\\"\\q'", "a\0b\n\r\t\b\032\\'\"q");
    STRING("'a\\%b\\_'", "a\\%b\\_");
    STRING("'a' 'b'\n\"c\"", "abc");
    STRING("'a' 'it''s' 'c'", "ait'sc");
    STRING("N'x'", "x");
    STRING("_utf8mb4'x' 'y'", "xy");
    STRING("_latin1 'x'", "x");
    STRING("'a -- b /* c */ # d'", "a -- b /* c */ # d");
    STRING("'\xc3\xa4\n\xe2\x82\xac'", "\xc3\xa4\n\xe2\x82\xac");
    BYTES("x'4142'", "AB");
    BYTES("X''", "");
    BYTES("0x414", "\x04\x14");
    BYTES("b'1'", "\x01");
    BYTES("0b100000001", "\x01\x01");
    BYTES("_binary'\\0'", "\0");
    check_text("date '2020-01-02'", SQL_EXPR_DATE, "2020-01-02", 10);
    check_text("timestamp'2020-01-02 03:04:05'", SQL_EXPR_TIMESTAMP, "2020-01-02 03:04:05", 19);
    check_text("{t '01:02'}", SQL_EXPR_TIME, "01:02", 5);
    DECIMAL("1.50", "1.50");
    DECIMAL("-1.50", "-1.50");
    DECIMAL("- 1.50", "-1.50");
    DECIMAL(".5", "0.5");
    DECIMAL("5.", "5.0");
    DECIMAL("-.5", "-0.5");
    DECIMAL("18446744073709551616", "18446744073709551616");
    DECIMAL("-9223372036854775809.0", "-9223372036854775809.0");
}

Test(parse, string_flags)
{
    struct parsed p;
    const char *text = "select 'a\\', \"b\"";
    parsed_init(&p, text, strlen(text), SQL_PARSE_NO_BACKSLASH_ESCAPES | SQL_PARSE_ANSI_QUOTES);
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    struct sql_select_item *item = p.stmt->u.query->terms->select->items;
    cr_expect_eq(item->expr->count, 2);
    cr_expect_eq(memcmp(item->expr->v.text, "a\\", 2), 0);
    cr_expect_eq(item->next->expr->kind, SQL_EXPR_COLUMN);
    parsed_fini(&p);
    text = "select a || b || c";
    parsed_init(&p, text, strlen(text), SQL_PARSE_PIPES_AS_CONCAT);
    cr_expect_str_eq(parsed_print(&p), "SELECT concat(concat(a, b), c)");
    parsed_fini(&p);
}

Test(parse, numbers)
{
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    struct sql_expr *expr = expr_of(&arena, "9223372036854775807", 19);
    cr_expect_eq(expr->kind, SQL_EXPR_INT);
    cr_expect_eq(expr->v.integer, INT64_MAX);
    expr = expr_of(&arena, "-9223372036854775808", 20);
    cr_expect_eq(expr->kind, SQL_EXPR_INT);
    cr_expect_eq(expr->v.integer, INT64_MIN);
    expr = expr_of(&arena, "18446744073709551615", 20);
    cr_expect_eq(expr->kind, SQL_EXPR_UINT);
    cr_expect_eq(expr->v.uinteger, UINT64_MAX);
    expr = expr_of(&arena, "-1.5e-3", 7);
    cr_expect_eq(expr->kind, SQL_EXPR_FLOAT);
    cr_expect_eq(expr->v.real, -1.5e-3);
    expr = expr_of(&arena, ".5e1", 4);
    cr_expect_eq(expr->kind, SQL_EXPR_FLOAT);
    cr_expect_eq(expr->v.real, 5.0);
    expr = expr_of(&arena, "true", 4);
    cr_expect_eq(expr->kind, SQL_EXPR_BOOL);
    cr_expect_eq(expr->v.integer, 1);
    arena_fini(&arena);
}

static void check_from(const char *text, const char *want)
{
    struct parsed p;
    struct dump d = {.length = 0};
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, 0, "%s: %s", text, p.error.text);
    dump_table(&d, p.stmt->u.query->terms->select->from);
    cr_expect_str_eq(d.text, want, "%s: %s", text, d.text);
    parsed_fini(&p);
}

Test(parse, joins)
{
    check_from("select 1 from a, b, c", "(cross (cross a b) c)");
    check_from("select 1 from a, b join c on x", "(cross a (inner b c on x))");
    check_from("select 1 from a join b join c on x", "(inner (cross a b) c on x)");
    check_from("select 1 from a join b join c on x on y", "(inner a (inner b c on x) on y)");
    check_from("select 1 from a join b left join c on x", "(left (cross a b) c on x)");
    check_from("select 1 from a join b on x join c on y", "(inner (inner a b on x) c on y)");
    check_from("select 1 from a left join b on x right join c on y",
               "(right (left a b on x) c on y)");
    check_from("select 1 from a join (b join c) on x", "(inner a (cross b c) on x)");
    check_from("select 1 from a join (b join c)", "(cross a (cross b c))");
    check_from("select 1 from a outer join b on x", "(left a b on x)");
    check_from("select 1 from a natural left join b natural join c",
               "natural-(inner natural-(left a b) c)");
    check_from("select 1 from (select 2) as x join dual2", "(cross (query) dual2)");
    check_from("select 1 from dual", "dual");
}

/* MySQL names a column after the text of its expression. */
Test(parse, positions)
{
    struct parsed p;
    const char *text = "/* x */ select  (a+1) , count( * ) AS c,\n'it''s', -5 from t ; select 2";
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    static const char *const want[] = {"(a+1)", "count( * )", "'it''s'", "-5"};
    struct sql_select_item *item = p.stmt->u.query->terms->select->items;
    for (size_t i = 0; i < 4; i++, item = item->next) {
        cr_expect_eq(item->length, strlen(want[i]), "%s: %u", want[i], item->length);
        cr_expect_eq(memcmp(text + item->offset, want[i], item->length), 0, "%s", want[i]);
    }
    cr_expect_eq(p.stmt->offset, 8);
    cr_expect_eq(memcmp(text + p.stmt->offset + p.stmt->length - 7, "from t ", 7), 0);
    cr_expect_eq(memcmp(text + p.end, " select 2", 9), 0);
    parsed_fini(&p);
}

Test(parse, statement_list)
{
    const char *text = "select 1;; select ';' ; -- c\n /* d */ insert into t values (';') ; # e\n";
    static const enum sql_stmt_kind want[] = {SQL_STMT_SELECT, SQL_STMT_EMPTY, SQL_STMT_SELECT,
                                              SQL_STMT_INSERT};
    size_t at = 0;
    size_t count = 0;
    while (at < strlen(text)) {
        struct parsed p;
        parsed_init(&p, text + at, strlen(text) - at, 0);
        cr_assert_eq(p.rc, 0, "%s", p.error.text);
        cr_assert_lt(count, 4);
        cr_expect_eq(p.stmt->kind, want[count]);
        cr_assert_gt(p.end, 0);
        at += p.end;
        count++;
        parsed_fini(&p);
    }
    cr_expect_eq(count, 4);
}

Test(parse, params_are_numbered)
{
    struct parsed p;
    const char *text = "select ?, 'a' from t where b in (?, ?) limit ?, ?; select ?";
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    cr_expect_eq(p.stmt->param_count, 5);
    cr_expect_eq(p.stmt->u.query->limit.offset->v.integer, 3);
    cr_expect_eq(p.stmt->u.query->limit.count->v.integer, 4);
    parsed_fini(&p);
}

Test(parse, comments)
{
    static const char *const texts[][2] = {
        {"select 1 -- c", "SELECT 1"},
        {"select 1 --\n+ 2", "SELECT 1 + 2"},
        {"select 1--2", "SELECT 1 - -2"},
        {"select 1 # c\n+ 2", "SELECT 1 + 2"},
        {"select /* ' */ 1 /**/ + /***/ 2 /* ** / */", "SELECT 1 + 2"},
        {"select /*! 1 + */ 2", "SELECT 1 + 2"},
        {"select /*!80000 1 + */ 2", "SELECT 1 + 2"},
        {"select /*!999999 ' broken */ 2", "SELECT 2"},
        {"select /*+ hint(a) */ 2", "SELECT 2"},
        {"/*!40101 SET NAMES utf8 */;", "SET NAMES 'utf8'"},
        {"select 2 */*c*/ 3", "SELECT 2 * 3"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct parsed p;
        parsed_init(&p, texts[i][0], strlen(texts[i][0]), 0);
        cr_assert_eq(p.rc, 0, "%s: %s", texts[i][0], p.error.text);
        cr_expect_str_eq(parsed_print(&p), texts[i][1], "%s", texts[i][0]);
        parsed_fini(&p);
    }
}

/* Words that MySQL does not reserve are names, also right before or after the places where they
 * mean something. */
Test(parse, words_as_names)
{
    static const char *const texts[] = {
        "select date, time, timestamp, status, value, end, offset, any, escape, filter from t",
        "select year, month, day, hour, user, names, format, query, first, full from first",
        "select date date, a offset, b escape, count(*) filter from t",
        "select t.select, t.group, t.1, t.1a from t",
        "select trim, cast, position, extract, substring from t",
        "select begin, commit, rollback, work, view, temporary, session, global, local from t",
        "select count(*) as rows, 1 as range from t",
        "create table t (date date, time time, timestamp timestamp, status int, year year)",
        "insert into status (value, names) value (1, 2)",
        "set names = 1, transaction = 2, global = 3, session charset = 4",
        "show columns from status from session",
        "describe format",
        "desc extended",
        "update t set first = 1, end = 2 where no = 3",
        "select `select` from `from` where `a b` = `c``d`",
        "select \xc3\xa4\xc3\xb6, $x, _y from \xe6\x97\xa5",
        "select 1st, 2e, 3ex from t",
        "savepoint savepoint",
        "rollback to savepoint savepoint",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct parsed p;
        parsed_init(&p, texts[i], strlen(texts[i]), 0);
        cr_expect_eq(p.rc, 0, "%s: %s", texts[i], p.error.text);
        parsed_fini(&p);
    }
}

Test(parse, options_of_the_original)
{
    struct parsed p;
    const char *text = "select a into \"s3://B/k\" from t where x with format = parquet, n = -2";
    parsed_init(&p, text, strlen(text), 0);
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    const struct sql_query *query = p.stmt->u.query;
    cr_expect_eq(query->into->kind, SQL_INTO_URI);
    cr_expect_str_eq(query->into->target, "s3://B/k");
    cr_expect_str_eq(query->options->key, "format");
    cr_expect_eq(query->options->value->kind, SQL_EXPR_STRING);
    cr_expect_eq(query->options->next->value->v.integer, -2);
    parsed_fini(&p);
}

static bool count_columns(struct sql_expr *expr, void *arg)
{
    *(int *)arg += expr->kind == SQL_EXPR_COLUMN;
    return expr->kind != SQL_EXPR_CASE;
}

Test(parse, walk)
{
    struct arena arena;
    int count = 0;
    const char *text = "f(a, b) + c in (d, e) and cast(f as char) collate x = (g, case h when 1 "
                       "then 2 end) and sum(i) over (partition by j order by k) > (select z)";
    arena_init(&arena, 1 << 20, NULL);
    sql_expr_walk(expr_of(&arena, text, strlen(text)), count_columns, &count);
    cr_expect_eq(count, 10, "%d", count);
    arena_fini(&arena);
}

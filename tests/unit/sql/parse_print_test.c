/* What is printed parses to the same tree. */
#include <stdlib.h>

#include "parse_test_util.h"

/* Whether two trees of expressions are alike but for positions; as text by dump_expr. */
static void check_round_trip(const char *text, size_t length)
{
    struct parsed first;
    struct parsed second;
    parsed_init(&first, text, length, 0);
    cr_assert_eq(first.rc, 0, "%.*s: %s", (int)length, text, first.error.text);
    const char *printed = parsed_print(&first);
    parsed_init(&second, printed, strlen(printed), 0);
    cr_assert_eq(second.rc, 0, "%.*s -> %s: %s", (int)length, text, printed, second.error.text);
    cr_expect_eq(second.stmt->kind, first.stmt->kind, "%s", printed);
    cr_expect_eq(second.stmt->param_count, first.stmt->param_count, "%s", printed);
    cr_expect_str_eq(parsed_print(&second), printed, "%.*s", (int)length, text);
    parsed_fini(&second);
    parsed_fini(&first);
}

static const char *const statements[] = {
    "SELECT 1",
    "alter table t drop partition p20260101, `P2`",
    "alter table db.t drop partition p1",
    "load data local infile 'a\\'b' into table t",
    "load data low_priority infile 'f' replace into table db.t character set utf8mb4 fields "
    "terminated by ',' "
    "optionally enclosed by '\"' escaped by '\\\\' lines starting by '>' terminated by '\\r\\n' "
    "ignore 2 lines "
    "(a, @b, `c d`) set c = @b + 1, d = now()",
    "load data local infile 'f' ignore into table t (a) set b = 1",
    "select * from t",
    "select t.*, db.t.* from db.t",
    "select a b, c as d, e 'f', g as \"h\", `i j` from t where a=1 and b<>2 or not c is "
    "null",
    "select count(*), count(distinct a,b), sum(distinct x) from t group by a, b with "
    "rollup having count(*) > 1 order by 1 desc, a asc limit 10",
    "select a from t limit 5, 10",
    "select a from t limit 10 offset 5",
    "select a from t limit ? offset ?",
    "select * from a join b on a.x=b.x left join c using (y) , d",
    "select * from a join b join c on b.x=c.x",
    "select * from a join b join c on b.x=c.x on a.y = b.y",
    "select * from a left outer join b on a.x=b.x right join c on 1 natural join d cross "
    "join e straight_join f on 1=1",
    "select * from a outer join b on a.x = b.y",
    "select * from (select 1 as x) as d, (select 2) e (z)",
    "select (select 1), exists (select 1 from t), a in (select b from t), a not in "
    "(1,2,3), (a,b) in ((1,2),(3,4)), ((select 1))",
    "(select 1) union (select 2) order by 1 limit 1",
    "select 1 union all select 2 union select 3 order by 1",
    "table t order by a limit 2",
    "values row(1, 'a'), row(2, (select 3)) order by column_0",
    "select * from (values row(1), row(2)) d union table db.t intersect values row(3), row(4)",
    "insert into t values row(1, default), row()",
    "insert into t (a) values row(1) union values row(2), row(3) limit 1",
    "insert into t values (1, 2) as new on duplicate key update a = new.b",
    "insert into t () values row() as n (x, y) on duplicate key update a = x + n.y",
    "insert into t set a = 1 as new on duplicate key update a = f(1, new.b)",
    "replace into t table u",
    "(select 1 order by 1 limit 1) union all (select 2 limit 3) limit 4",
    "select 1 from t where a = any (select 1) and b > all (select c from u)",
    "with c as (select 1), d (x, y) as (select 1,2) select * from c, d",
    "with recursive c as (select 1 union all select n+1 from c) select * from c",
    "select case a when 1 then 'x' when 2 then 'y' else 'z' end, case when a then b end "
    "from t",
    "select if(a,b,c), left(a,2), right(a,2), replace(a,b,c), insert(a,1,2,3), mod(a,b), "
    "a mod b, a div b, repeat('a',3)",
    "select cast(a as signed), cast(a as unsigned integer), cast(a as char(10) character "
    "set utf8), cast(a as decimal(10,2)), cast(a as datetime(6)), cast(a as date), "
    "convert(a, char), convert(a using utf8mb4), cast(x as string), cast(x as int), "
    "cast(a as json), cast(a as double), cast(a as binary(3)), cast(a as time)",
    "select date_add(a, interval 1 day), a + interval '1:2' day_hour, interval 1 month + "
    "a, a - interval b second, extract(year from a), timestampdiff(month, a, b)",
    "select substring(a from 1 for 2), substring(a, 1, 2), substr(a from 2), trim(a), "
    "trim(both 'x' from a), trim(leading from a), trim('x' from a), position('a' in b), "
    "mid(a,1)",
    "select current_timestamp, current_timestamp(), current_timestamp(6), current_date, "
    "utc_date(), now(), curdate(), current_user(), user(), database(), schema(), "
    "version()",
    "select hash.sha256(cust_id), topn(city), topn(city, 5), a.b.c(1)",
    "select group_concat(distinct a order by b desc, c separator ';'), "
    "percentile_cont(0.5) within group (order by x desc), count(*) filter (where a > 1)",
    "select row_number() over (partition by a order by b rows between unbounded "
    "preceding and current row), sum(x) over w, rank() over (), sum(a) over (order by b "
    "range between interval 1 day preceding and 2 following) from t window w as (order "
    "by c), v as (w)",
    "select @a, @@version, @@session.sql_mode, @@global.autocommit, @a := @a + 1, @`b "
    "c`, @'d'",
    "select date '2020-01-01', time '10:00:00', timestamp '2020-01-01 00:00:00', {d "
    "'2020-01-01'}, {ts '2020-01-01 01:02:03'}, {fn now()}",
    "select 'a' 'b', 'it''s', \"dq\"\"s\", 'esc\\n\\\\\\'\\%', N'nat', _utf8mb4'x', "
    "_binary'x', x'41', 0x41, b'01', 0b11, 1.5, .5, 1., 1e10, 1.5e-3, "
    "18446744073709551615, 18446744073709551616, -9223372036854775808, \\N",
    "select a like 'x%' escape '!', a not like 'y', a regexp 'z', a rlike 'z', a not "
    "regexp 'q', a sounds like b, a between 1 and 2 and b, a not between 1 and 2",
    "select a | b & c << 2 >> 3 + 4 - 5 * 6 / 7 % 8 ^ 9, -a, +a, ~a, !a, not a, a xor b, "
    "a || b, a && b, binary a, a collate utf8mb4_bin, a <=> b, a == b",
    "select a is true, a is not false, a is unknown, a is not unknown, a is null, a is "
    "not null",
    "select * from t use index (a, b) ignore key for join (primary) where 1 for update",
    "select * from t lock in share mode",
    "select * from t for share skip locked",
    "select a into outfile '/tmp/x' fields terminated by ',' optionally enclosed by '\"' "
    "lines terminated by '\\n' from t",
    "select a from t into outfile 's3://b/k'",
    "select a into \"s3://bucket/key\" from t where b = 1 with format = 'parquet', "
    "region = us, threads=4",
    "select a from t with {\"timeout\": 5, \"x\": \"y\"}",
    "select a from t with (timeout = 5)",
    "select a into tab from t",
    "select sql_calc_found_rows straight_join high_priority distinct a from t",
    "select c->'$.a', c->>'$.b' from t",
    "select date, time, timestamp, year, month, day, status, value, names, comment, "
    "escape, offset, any, filter, full, end, type from t",
    "select t.select, t.from, t.1a from t",
    "select t.@rownum, @rownum from t where @rownum = 1",
    "select 1 from dual where 1",
    "select 1 from dual",
    "select values(a) from t",
    "select default(a) from t",
    "insert into t values (1,2),(3,4)",
    "insert into t (a,b) values (1,'x'),(default,null), (-5, -1.5)",
    "insert into t () values ()",
    "insert ignore into db.t (a) select b from u",
    "insert into t (a) (select 1)",
    "insert into t select * from a on duplicate key update x = 1",
    "insert into t set a=1, b=2 on duplicate key update a = values(a), b = default",
    "replace into t (a) values ('a','b')",
    "select 1 from t outer join u on t.a = u.a",
    "replace t values (1)",
    "insert into t value (1)",
    "update t set a=1, t.b=b+1 where c=2 order by d limit 3",
    "update a x join b y on x.i=y.i set x.v=y.v",
    "delete from t where a=1 order by b limit 1",
    "delete from t",
    "delete a, b.* from a join b on a.x=b.x where 1",
    "delete from a using a join b on 1",
    "delete from t as x where x.a = 1",
    "create table if not exists db.t (id bigint unsigned not null auto_increment primary "
    "key, a varchar(10) character set utf8 collate utf8_bin default 'x' comment 'c', b "
    "decimal(10,2) null default -1.5, c datetime(6) default current_timestamp(6) on "
    "update current_timestamp(6), d enum('a','b'), e set('x','y') not null, f json, g "
    "tinyint(1) default true, h double precision, i char varying(3), j text, k year, l "
    "bool strategy 'StringEnum' scale=2, m int references p(id) on delete cascade on "
    "update set null, n int unique key check (n > 1), o int generated always as (a+b) "
    "stored, p date, q time(3), r timestamp null, primary key (id), unique key uk (a, "
    "b(10) desc), key k1 using btree (c), index (d) comment 'idx', constraint fk1 "
    "foreign key (m) references p (id) on delete no action, fulltext key ft (a), "
    "constraint chk check (a > b)) engine=InnoDB default charset=utf8mb4 "
    "collate=utf8mb4_bin comment='x' auto_increment=5, partitions_key = 'ts'",
    "create table t like u",
    "create table t select 1 as a",
    "create table t as select 1",
    "create table t (a int) as select 1",
    "create table t (select 1)",
    "create temporary table t (a int)",
    "drop temporary table if exists t, u",
    "create unique index i on t (a, b)",
    "create database if not exists d default character set utf8 collate utf8_bin",
    "create or replace view v (a) as select 1",
    "drop table if exists a, db.b cascade",
    "drop view v",
    "drop database if exists d",
    "drop index i on t",
    "truncate table t",
    "truncate t",
    "alter table t add column a int not null first, add b int after a, drop column c, "
    "modify d varchar(5), change e f int, rename column g to h, alter i set default 5, "
    "alter j drop default, add unique index u (a), drop index k, drop primary key, drop "
    "foreign key fk, rename to z, engine=innodb, disable keys, add constraint c foreign "
    "key (a) references p(b), default charset utf8",
    "rename table a to b, c to d",
    "use db",
    "set a = 1, @b = 2, @@session.c = 3, global d = on, session e = default, f := utf8",
    "set names utf8mb4 collate utf8mb4_bin",
    "set names 'utf8'",
    "set names default",
    "set character set utf8",
    "set session transaction isolation level read committed, read only",
    "set transaction isolation level repeatable read",
    "set autocommit=0, sql_mode='', names utf8",
    "set global transaction read write",
    "set password = 'x'",
    "set password for 'u'@'h' = 'x'",
    "set transaction = 5",
    "show databases",
    "show schemas like 'a%'",
    "show full tables from db like 'x'",
    "show tables in db where a = 1",
    "show full columns from t from db like 'a'",
    "show fields from db.t",
    "show index from t",
    "show keys in t from d where a=1",
    "show create table db.t",
    "show create database if not exists d",
    "show create view v",
    "show create procedure p",
    "show session variables like 'x'",
    "show global status",
    "show variables where variable_name = 'a' or b = 'c'",
    "show warnings limit 5",
    "show errors",
    "show count(*) warnings",
    "show count(*) errors",
    "show engines",
    "show storage engines",
    "show character set like 'utf8'",
    "show charset",
    "show collation where charset = 'utf8'",
    "show full processlist",
    "show processlist",
    "show plugins",
    "show table status from d like 't'",
    "show open tables",
    "show grants",
    "show grants for current_user()",
    "show grants for 'root'@'localhost'",
    "show privileges",
    "show triggers",
    "show events from d",
    "show procedure status where db='x'",
    "show function status",
    "show master status",
    "show binary log status",
    "show slave status",
    "show replica status",
    "show binary logs",
    "show engine innodb status",
    "describe t",
    "desc db.t a",
    "desc t 'a%'",
    "explain select 1",
    "explain analyze select 1",
    "explain format=json select 1",
    "explain format = tree delete from t",
    "explain t",
    "explain extended select * from t",
    "explain (select 1) union (select 2)",
    "begin",
    "begin work",
    "start transaction",
    "start transaction read only, with consistent snapshot",
    "commit",
    "commit work and no chain no release",
    "rollback",
    "rollback to savepoint s",
    "rollback to s",
    "rollback work to savepoint savepoint",
    "savepoint s",
    "release savepoint s",
    "lock tables a read, b as c write",
    "unlock tables",
    "flush tables",
    "flush tables a, b",
    "flush tables with read lock",
    "flush privileges",
    "flush status",
    "kill 5",
    "kill query 5",
    "kill connection 6",
    "prepare s from 'select ?'",
    "prepare s from @a",
    "execute s",
    "execute s using @a, @b",
    "deallocate prepare s",
    "drop prepare s",
    "analyze table a, b",
    "optimize table a",
    "check table a extended",
    "repair table a quick",
    "checksum table a",
    "call p(1,2)",
    "call p",
    "do sleep(1), 2",
    "select /* c */ 1 -- x",
    "select 1 # x",
    "/*!40101 SET NAMES utf8 */",
    "/*!999999 garbage ' */ select 1",
    "/*M! x */ select /*+ hint(a) */ 1",
    "select 1;",
    ";",
    "-- nothing",
    "select * from a, (b, c), (d join e on 1) join f",
    "select * from ((a join b on 1) join c on 1)",
    "select * from ((select 1) x)",
    "((select 1))",
    "((select 1) union (select 2)) order by 1",
    "select a from t group by a desc",
    "select match (a, b) against ('x' in boolean mode) from t",
    "select match (a) against ('x'), match (a) against ('x' in natural language mode), match (a) "
    "against ('x' with query expansion), match (a.b) against (concat('x', 1) in natural language "
    "mode with query expansion) from t",
    "select `a`.`b`.`c`, [x y] from `d`.`e`",
    "select count(*) as rows from t",
    "select timestampadd(day, 1, x), row(1,2) = (1,2)",
    "select char(65,66), char(65 using utf8)",
    "select 1 as 'x', 2 'y'",
    "select a from t where b in ('x') limit 10",
    "select 1 except select 2 intersect select 3",
    "select - 5, --5, -(-5), -1.5, - 1.5, 5 - -5",
    "select 1 union select 2 limit 5 into outfile 'x'",
    /* Found by fuzzing: names that look like variables, scopes as components, comments inside what
     * was once copied as text, empty and odd hosts. */
    "select a + `@1, c b`, t.@`x y`, t.`@z`",
    "insert into t (@rownum, `@a b`) values (1, 2)",
    "set global.c = 3, `session`.d = 4, @@`x`.y = 5",
    "flush status # ; \n , local",
    "show binary /* x */ logs",
    "show grants for 'roo\x01\x7f'@''",
    "show grants for u@`h'x`",
};

Test(parse_print, statements)
{
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        check_round_trip(statements[i], strlen(statements[i]));
    }
}

/* A random tree as text with all its parentheses, which the printer then leaves out where it can.
 * */
static size_t random_expr(char *to, unsigned *seed, int depth)
{
    static const char *const binary[] = {" or ", " and ", " xor ", " = ",  " <=> ",  " < ",
                                         " + ",  " - ",   " * ",   " / ",  " div ",  " % ",
                                         " ^ ",  " | ",   " & ",   " << ", " like ", " regexp "};
    static const char *const unary[] = {"not ", "- ", "~", "! ", "binary ", "+"};
    static const char *const after[] = {" is null",     " is not true", " is unknown",
                                        " collate x",   " in (1, b)",   " between a and b",
                                        " not like 'c'"};
    static const char *const leaves[] = {"a", "1", "-2", "1.5", "'s'", "null", "t.b", "f(a, b)"};
    char *at = to;
    if (depth == 0) {
        return (size_t)(stpcpy(at, leaves[(unsigned)rand_r(seed) % 8]) - to);
    }
    *at++ = '(';
    switch ((unsigned)rand_r(seed) % 4) {
    case 0:
        at = stpcpy(at, unary[(unsigned)rand_r(seed) % 6]);
        at += random_expr(at, seed, depth - 1);
        break;
    case 1:
        at += random_expr(at, seed, depth - 1);
        at = stpcpy(at, after[(unsigned)rand_r(seed) % 7]);
        break;
    default:
        at += random_expr(at, seed, depth - 1);
        at = stpcpy(at, binary[(unsigned)rand_r(seed) % 18]);
        at += random_expr(at, seed, depth - 1);
        break;
    }
    *at++ = ')';
    *at = 0;
    return (size_t)(at - to);
}

static const struct sql_expr *parse_expr(struct arena *arena, const char *text)
{
    struct sql_expr *expr;
    struct parse_error error;
    int rc = sql_parse_expr(arena, text, strlen(text), 0, &expr, &error);
    cr_assert_eq(rc, 0, "%s: %s", text, error.text);
    return expr;
}

Test(parse_print, random_expressions)
{
    unsigned seed = 20240607;
    for (int i = 0; i < 20000; i++) {
        unsigned start = seed;
        struct arena arena;
        char text[4096];
        const char *printed;
        struct dump want = {.length = 0};
        struct dump got = {.length = 0};
        arena_init(&arena, 1 << 20, NULL);
        random_expr(text, &seed, 1 + i % 5);
        const struct sql_expr *expr = parse_expr(&arena, text);
        dump_expr(&want, expr);
        cr_assert_eq(sql_print_expr(&arena, expr, &printed, NULL), 0);
        dump_expr(&got, parse_expr(&arena, printed));
        cr_assert_str_eq(got.text, want.text, "seed %u: %s\n%s", start, text, printed);
        arena_fini(&arena);
    }
}

Test(parse_print, quoting)
{
    static const char *const texts[][2] = {
        {"select `a`, `a b`, `select`, `c``d`, `1`", "SELECT a, `a b`, `select`, `c``d`, `1`"},
        {"select 'a\\0\\n''\\\\'", "SELECT 'a\\0\\n''\\\\'"},
        {"select 1e5, 0.1e0, 1.5", "SELECT 100000e0, 0.10000000000000001e0, 1.5"},
        {"select - (5), - -5, -(-a)", "SELECT -(5), -(-5), -(-a)"},
        {"select 1 as ''", "SELECT 1 AS ''"},
        {"(select 1 except select 2) intersect select 3",
         "(SELECT 1 EXCEPT SELECT 2) INTERSECT SELECT 3"},
        {"select 1 except select 2 intersect select 3",
         "SELECT 1 EXCEPT (SELECT 2 INTERSECT SELECT 3)"},
        {"select 1 union (select 2 union all select 3)",
         "SELECT 1 UNION (SELECT 2 UNION ALL SELECT 3)"},
        {"((select 1 limit 1))", "SELECT 1 LIMIT 1"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct parsed p;
        parsed_init(&p, texts[i][0], strlen(texts[i][0]), 0);
        cr_assert_eq(p.rc, 0, "%s: %s", texts[i][0], p.error.text);
        cr_expect_str_eq(parsed_print(&p), texts[i][1], "%s", texts[i][0]);
        check_round_trip(texts[i][0], strlen(texts[i][0]));
        parsed_fini(&p);
    }
}

/* The statements of the compatibility suites, when their list is there: pieces of a Markdown file
 * in back quotes that begin like a statement. QUANTA_SQL_CASES names the files, with blanks
 * between. */
static size_t check_file(const char *path)
{
    static const char *const words[] = {"select ", "insert ", "update ", "delete ", "SELECT "};
    FILE *file = fopen(path, "r");
    char line[65536];
    size_t count = 0;
    while (file && fgets(line, sizeof line, file)) {
        for (char *from = strchr(line, '`'); from; from = strchr(from + 1, '`')) {
            char *end = strchr(from + 1, '`');
            size_t length = end ? (size_t)(end - from - 1) : 0;
            bool is_statement = false;
            for (size_t i = 0; i < 5 && !is_statement; i++) {
                is_statement = length > 7 && !strncmp(from + 1, words[i], 7);
            }
            /* Forms with an ellipsis or angle brackets are patterns; empty slots are of the mode QUANTA. */
            if (is_statement && !memmem(from, length, "\xe2\x80\xa6", 3) &&
                !memmem(from, length, "...", 3) && !memmem(from, length, ",,", 2) &&
                !memmem(from, length, ";@", 2)) {
                check_round_trip(from + 1, length);
                count++;
            }
            if (!end) {
                break;
            }
            from = end;
        }
    }
    if (file) {
        fclose(file);
    }
    return count;
}

Test(parse_print, suites)
{
    const char *paths = getenv("QUANTA_SQL_CASES");
    if (!paths) {
        cr_skip("QUANTA_SQL_CASES is not set");
    }
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", paths);
    char *rest = NULL;
    for (char *path = strtok_r(copy, " ", &rest); path; path = strtok_r(NULL, " ", &rest)) {
        cr_expect_gt(check_file(path), 0, "%s", path);
    }
}

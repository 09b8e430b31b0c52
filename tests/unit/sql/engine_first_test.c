/* Functions of the first Quanta, and that words of SQL which are such keep their meaning. */
#include "engine_world.h"

Test(engine_first, words_of_sql_are_functions)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT add(1, 2.5, '3', 'x'), 1 = any(NULL, 5), (all(1, 0)), exists(''), exists(0)",
              "6.5|1|0|0|1\n");
    check_sql(&e, "SELECT join('a', 'b', '-'), match('x'), all(NULL, 1), any(NULL)",
              "a-b|NULL|0|0\n");
    check_sql(&e, "SELECT EXISTS(SELECT 1), EXISTS((SELECT 1)), EXISTS(/* c */ SELECT 1)",
              "1|1|1\n");
    check_sql(&e, "SELECT 1 = ANY(SELECT 1), 1 >= ALL (SELECT 1 UNION ALL SELECT 1)", "1|1\n");
    check_sql(&e, "SELECT ALL (5)", "5\n");
    check_sql(&e, "SELECT COUNT(ALL (x)) FROM (SELECT 1 AS x) t", "1\n");
    check_sql(&e, "SELECT COUNT(*) FILTER (WHERE x > 1) FROM (SELECT 1 AS x UNION SELECT 2) t",
              "1\n");
    check_sql(&e, "SELECT COUNT(*) FROM (SELECT 1 AS x) a JOIN (SELECT 1 AS x) b USING (x)", "1\n");
    check_sql(&e, "CREATE TABLE words (k INT PRIMARY KEY)", "OK 0");
    check_sql(&e, "ALTER TABLE words ADD (v INT)", "ERROR 1235");
    engine_fini(&e);
}

Test(engine_first, lists_and_columns)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT filter('[\"apple\",\"bob\"]', 'a'), filter('abc', '*c'), "
              "filtermatch('{\"a_\":1,\"ab\":2}', 'a_')",
              "[\"bob\"]|NULL|{\"a_\": 1}\n");
    check_sql(&e,
              "SELECT match('a_', 'z') FROM (SELECT 1 AS a_x, 'two' AS a_y, NULL AS a_z, 4 AS b) t",
              "{\"x\": 1, \"y\": \"two\"}\n");
    check_sql(&e, "SELECT match(x) FROM (SELECT 'x' AS x) t", "ERROR 1210");
    check_sql(&e, "SELECT match('a\\0bcdefghijklmnopqrstuvwxyz') FROM (SELECT 1 AS a) t", "NULL\n");
    check_sql(&e, "SELECT sum(1, '2', 'x'), avg('[1,3]', 5), sum('[1,\"x\"]', 3), add('x')",
              "3|3|NULL|NULL\n");
    check_sql(&e, "SELECT strip('[\" a \", 1]'), strip(' \\t a \\n')", "[\"a\", \"1\"]|a\n");
    engine_fini(&e);
}

Test(engine_first, times)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT todate('01/02/2006', '05/17/2024'), todate('01/02/2006', 'x')",
              "2024-05-17 00:00:00.000|NULL\n");
    check_sql(&e, "SELECT strftime('1715941230', '%F %T %% %Q %'), extract('2024-05-17', '%b')",
              "2024-05-17 10:20:30 % %Q %|May\n");
    check_sql(&e, "SELECT seconds('M10:30'), seconds('1:00:01'), seconds('30'), seconds('x')",
              "630|3601|30|NULL\n");
    check_sql(&e,
              "SELECT unixtrunc('1970-01-01 00:00:01.025', 's'), unixtrunc('1969-12-31 23:59:59')",
              "1.25|-1\n");
    check_sql(
        &e,
        "SELECT timediff('2024-05-17', '2024-05-16', 'hours'), timediff('now', 'now', 'duration')",
        "24|0s\n");
    check_sql(&e, "SELECT timediff('now', 'now', 'weeks')", "ERROR 1105");
    check_sql(&e, "SELECT cast('$5', 'int'), cast('[1]', '[]string'), cast('t', 'bool')",
              "5|[\"1\"]|1\n");
    check_sql(&e, "SELECT cast(1, 'thing')", "ERROR 1105");
    engine_fini(&e);
}

Test(engine_first, addresses)
{
    struct engine e;

    engine_init(&e);
    check_sql(
        &e, "SELECT hosts('http://A.b.c/x', 'short'), domains('http://a.b.c/x', NULL), hosts('x')",
        "[\"a.b.c\"]|[\"b.c\"]|NULL\n");
    check_sql(&e, "SELECT urlminusqs('http://a.b/p?z=1&b=2&&a#f', 'b'), urlminusqs('', 'b')",
              "http://a.b/p?a&z=1#f|NULL\n");
    check_sql(&e, "SELECT url.matchqs('http://a.b/p?z=1&y=2', '^z', 'q')", "a.b/p?z=1\n");
    check_sql(&e, "SELECT url.matchqs('http://a.b', '(')", "ERROR 1139");
    check_sql(&e, "SELECT useragent('curl/8.5', 'browser'), useragent('x', NULL)", "curl|NULL\n");
    check_sql(&e, "SELECT useragent('x', 'color')", "ERROR 1105");
    engine_fini(&e);
}

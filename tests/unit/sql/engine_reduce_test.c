/* Scans that read only what the keys of a join, or of the rows outside a subquery, ask for: the same answers as without. */
#include "engine_world.h"

enum { ROWS = 600 };

/* big: every third v and some g are NULL, g has gaps and values that small lacks; small: refs several times, NULL, none. */
static void make_tables(struct engine *e)
{
    char *text = malloc(64 * ROWS);
    size_t n = (size_t)sprintf(text, "INSERT INTO big VALUES ");

    cr_assert(text);
    engine_init(e);
    check_sql(e, "CREATE TABLE big (k BIGINT PRIMARY KEY, g BIGINT, v BIGINT)", "OK 0");
    check_sql(e, "CREATE TABLE small (id BIGINT PRIMARY KEY, ref BIGINT, w BIGINT)", "OK 0");
    for (int k = 0; k < ROWS; k++) {
        n += (size_t)sprintf(text + n, "%s(%d,", k ? "," : "", k);
        n += k % 11 == 0 ? (size_t)sprintf(text + n, "NULL,")
                         : (size_t)sprintf(text + n, "%d,", k * 7 % 150 * 3);
        n += k % 3 == 0 ? (size_t)sprintf(text + n, "NULL)")
                        : (size_t)sprintf(text + n, "%d)", k % 17);
    }
    engine_run(e, text);
    check_sql(e,
              "INSERT INTO small VALUES (1,3,5),(2,3,NULL),(3,21,16),(4,NULL,2),(5,-7,3),"
              "(6,300,9),(7,4,4),(8,21,1),(9,9000000,7)",
              "OK 9 Records: 9  Duplicates: 0  Warnings: 0");
    free(text);
}

/* In the second form the condition is one of OR, which is not waited for. */
static void check_both(struct engine *e, const char *select, const char *condition)
{
    char sql[1024];

    snprintf(sql, sizeof sql, "EXPLAIN %s %s", select, condition);
    cr_expect(strstr(engine_run(e, sql), "for the keys of the rows"), "%s: %s", sql, e->text);
    snprintf(sql, sizeof sql, "%s (%s OR id < -1) ORDER BY 1, 2", select, condition);
    char *wanted = strdup(engine_run(e, sql));
    snprintf(sql, sizeof sql, "%s %s ORDER BY 1, 2", select, condition);
    cr_expect_str_eq(engine_run(e, sql), wanted, "%s", sql);
    free(wanted);
}

Test(engine_reduce, subqueries_by_key)
{
    static const char *const conditions[] = {
        "EXISTS (SELECT * FROM big WHERE g = ref)",
        "NOT EXISTS (SELECT * FROM big WHERE g = ref)",
        "EXISTS (SELECT * FROM big WHERE g = ref AND v <> w)",
        "NOT EXISTS (SELECT * FROM big WHERE g = ref AND v > w)",
        "EXISTS (SELECT * FROM big WHERE g = ref + 3 AND k > 100)",
        "w < (SELECT AVG(v) FROM big WHERE g = ref)",
        "w < 0.5 * (SELECT SUM(v) FROM big WHERE g = ref)",
        "0 = (SELECT COUNT(*) FROM big WHERE g = ref)",
        "1 < (SELECT COUNT(v) FROM big WHERE g = ref)",
        "(SELECT MAX(v) FROM big WHERE g = ref) IS NULL",
        "w IN (SELECT v FROM big WHERE g = ref)",
        "w NOT IN (SELECT v FROM big WHERE g = ref)",
        "w NOT IN (SELECT v FROM big WHERE g = ref AND v IS NOT NULL)",
        "w > ALL (SELECT v FROM big WHERE g = ref)",
        "w <= ANY (SELECT v FROM big WHERE g = ref)",
        "7 = (SELECT v FROM big WHERE k = ref)",
        "EXISTS (SELECT * FROM big AS a JOIN big AS b ON a.g = b.k WHERE a.g = ref AND b.v > 3)",
        "EXISTS (SELECT * FROM big AS a LEFT JOIN big AS b ON a.v = b.k AND b.k > 5 WHERE a.g = "
        "ref)",
        "w < (SELECT MAX(v) FROM big WHERE g = ref AND k IN (SELECT k FROM big WHERE v > 2))",
        "EXISTS (SELECT * FROM big WHERE g = ref) AND NOT EXISTS (SELECT * FROM big WHERE k = w)",
    };
    struct engine e;

    make_tables(&e);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        check_both(&e, "SELECT id, ref FROM small WHERE", conditions[i]);
        check_both(&e, "SELECT id, k FROM small LEFT JOIN big AS j ON j.g = small.w * 3 WHERE",
                   conditions[i]);
    }
    engine_fini(&e);
}

Test(engine_reduce, errors_and_nothing)
{
    struct engine e;

    make_tables(&e);
    check_sql(&e, "SELECT id FROM small WHERE w = (SELECT v FROM big WHERE g = ref)", "ERROR 1242");
    check_sql(&e, "SELECT id FROM small WHERE id < 0 AND EXISTS (SELECT * FROM big WHERE g = ref)",
              "");
    check_sql(&e,
              "SELECT id FROM small WHERE ref IS NULL AND NOT EXISTS (SELECT * FROM big WHERE g = "
              "ref)",
              "4\n");
    check_sql(&e,
              "SELECT COUNT(*) FROM big WHERE g = ANY (SELECT ref FROM small WHERE id = g DIV 21 + "
              "2 AND EXISTS (SELECT * FROM big b WHERE b.g = small.ref))",
              "7\n");
    engine_fini(&e);
}

/* The keys of a join go to the other side; outer joins keep all their rows. */
Test(engine_reduce, joins)
{
    static const char *const forms[][2] = {
        {"SELECT id, k FROM small JOIN big ON g = ref",
         "SELECT id, k FROM small JOIN big ON g - ref = 0"},
        {"SELECT id, k FROM small JOIN big ON g = ref AND v = w",
         "SELECT id, k FROM small JOIN big ON g - ref = 0 AND v - w = 0"},
        {"SELECT id, k FROM small LEFT JOIN big ON g = ref",
         "SELECT id, k FROM small LEFT JOIN big ON g - ref = 0"},
        {"SELECT id, k FROM small RIGHT JOIN big ON g = ref",
         "SELECT id, k FROM small RIGHT JOIN big ON g - ref = 0"},
        {"SELECT id, b.k FROM small JOIN (big AS a LEFT JOIN big AS b ON a.v = b.g) ON a.g = ref",
         "SELECT id, b.k FROM small JOIN (big AS a LEFT JOIN big AS b ON a.v = b.g) ON a.g - ref = "
         "0"},
        {"SELECT id, b.k FROM small JOIN (big AS a LEFT JOIN big AS b ON a.v * 3 = b.g) ON b.g = "
         "ref",
         "SELECT id, b.k FROM small JOIN (big AS a LEFT JOIN big AS b ON a.v * 3 = b.g) ON b.g - "
         "ref = 0"},
    };
    struct engine e;
    char sql[512];

    make_tables(&e);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(sql, sizeof sql, "SELECT COUNT(*), SUM(id), SUM(k), SUM(k * id) FROM (%s) AS x",
                 forms[i][1]);
        char *wanted = strdup(engine_run(&e, sql));
        snprintf(sql, sizeof sql, "SELECT COUNT(*), SUM(id), SUM(k), SUM(k * id) FROM (%s) AS x",
                 forms[i][0]);
        cr_expect_str_eq(engine_run(&e, sql), wanted, "%s", sql);
        cr_expect(strncmp(wanted, "0|", 2) && strncmp(wanted, "ERROR", 5), "%s: %s", sql, wanted);
        free(wanted);
    }
    engine_fini(&e);
}

/* A step of a recursion and a subquery for each row are run several times, with other keys each time. */
Test(engine_reduce, run_again)
{
    struct engine e;

    make_tables(&e);
    check_sql(
        &e,
        "WITH RECURSIVE r (n, x) AS (SELECT 1, 3 UNION ALL SELECT n + 1, big.g + 21 FROM r JOIN "
        "big ON big.k = r.x WHERE n < 4) SELECT n, x FROM r ORDER BY n",
        "1|3\n2|84\n3|435\n4|156\n");
    check_sql(&e,
              "SELECT id, (SELECT COUNT(*) FROM big AS a JOIN small AS s ON a.g = s.ref WHERE s.id "
              "<= small.id) FROM small WHERE id < 4 ORDER BY id",
              "1|4\n2|8\n3|11\n");
    engine_fini(&e);
}

/* The parser and the printer when an allocation fails: an error, or the same tree. */
#include <errno.h>

#include "parse_test_util.h"
#include "unit/fail_alloc.h"

static const char *const statements[] = {
    "SELECT a, b AS x, count(DISTINCT c), CASE WHEN a > 1 THEN 'y' ELSE 'n' END FROM t JOIN u "
    "USING "
    "(k) LEFT JOIN (SELECT 1) s ON s.a = t.a WHERE a IN (1, 2, 3) AND b LIKE 'x%' OR NOT c IS NULL "
    "GROUP BY 1, b HAVING count(*) > 2 ORDER BY x DESC LIMIT 3, 4",
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL) ON DUPLICATE KEY UPDATE a = a + VALUES(a)",
    "UPDATE t SET a = a + 1, b = concat('x', b) WHERE c BETWEEN 1 AND 2 ORDER BY d LIMIT 5",
    "DELETE FROM t WHERE a = (SELECT max(a) FROM u)",
    "CREATE TABLE t (a BIGINT PRIMARY KEY, b DECIMAL(8,2) NOT NULL DEFAULT 1.5, c ENUM('x','y') "
    "COMMENT 'strategy=StringEnum', d DATETIME(3)) time_quantum_type='YMD' time_quantum_field='d'",
    "WITH x AS (SELECT 1 AS a UNION ALL SELECT 2) SELECT * FROM x",
    "ALTER TABLE t DROP PARTITION p20260131, p20260201",
    "SHOW FULL COLUMNS FROM t LIKE 'a%'",
    "SELECT 'a string that is long enough to be copied' 'and another', 0xff, 1.5e3, @v, "
    "@@max_connections",
    "SELECT FROM WHERE",
};

Test(torture_parse, statements)
{
    for (unsigned i = 0; i < sizeof statements / sizeof *statements; i++) {
        const char *sql = statements[i];
        struct parsed whole, p;

        parsed_init(&whole, sql, strlen(sql), 0);
        FAIL_ALLOC_EACH(f)
        {
            const char *text = NULL;
            int rc = 0;

            fail_alloc_arm(&f);
            parsed_init(&p, sql, strlen(sql), 0);
            if (p.rc == 0)
                rc = sql_print_stmt(&p.arena, p.stmt, &text, NULL);
            bool failed = fail_alloc_disarm(&f);
            cr_assert(p.rc == whole.rc || (failed && p.rc == -ENOMEM), "%s: %d", sql, p.rc);
            cr_assert(p.rc != 0 || rc == 0 || (failed && rc == -ENOMEM), "%s: %d", sql, rc);
            if (p.rc == 0 && rc == 0)
                cr_assert_str_eq(text, parsed_print(&whole));
            parsed_fini(&p);
        }
        parsed_fini(&whole);
    }
}

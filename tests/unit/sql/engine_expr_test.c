/* Expressions without tables. The expected values were taken from MariaDB 10.11. */
#include "engine_world.h"

Test(engine_expr, numbers)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT 1+1, 7/2, 1/3, (1/3)*3, 7 DIV 2, -7 DIV 2, -7 % 3, 7.5 % 2, 1.5*2.25",
              "2|3.5000|0.3333|1.0000|3|-3|-1|1.5|3.375\n");
    check_sql(&e, "SELECT 1/0, 1%0, 5 DIV 0, NULL+1", "NULL|NULL|NULL|NULL\n");
    check_sql(&e, "SELECT 0.1+0.2, 1e0/3, '12abc'+1, '1.5'*2, 1.10*1.10",
              "0.3|0.3333333333333333|13|3|1.2100\n");
    check_sql(&e, "SELECT 9223372036854775807 + 1", "ERROR 1690");
    check_sql(&e, "SELECT -9223372036854775808, -9223372036854775809, 18446744073709551615",
              "-9223372036854775808|-9223372036854775809|18446744073709551615\n");
    check_sql(&e,
              "SELECT ROUND(2.5), ROUND(-2.5), ROUND(1.255,2), TRUNCATE(1.999,1), "
              "ROUND(12345.678,-2), FLOOR(-1.5), CEIL(-1.5)",
              "3|-3|1.26|1.9|12300|-2|-1\n");
    check_sql(&e, "SELECT 7 & 3, 7 | 8, 5 ^ 1, 1 << 3, 1 << 64, ~0",
              "3|15|4|8|0|18446744073709551615\n");
    check_sql(&e,
              "SELECT COALESCE(1.5, 2.25), IF(1,1.5,2.25), GREATEST(1.5,2.25,1), CASE WHEN 1 THEN "
              "1 ELSE 2.50 END",
              "1.50|1.50|2.25|1.00\n");
    check_sql(&e,
              "SELECT CAST('12.7' AS SIGNED), CAST(12.7 AS SIGNED), CAST('1e2' AS SIGNED), CAST(-1 "
              "AS UNSIGNED), CAST('1.555' AS DECIMAL(5,2))",
              "12|13|1|18446744073709551615|1.56\n");
    engine_fini(&e);
}

Test(engine_expr, rounding_to_more_digits)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT ROUND(1.5,3), TRUNCATE(1.5,3), ROUND(CAST(721 AS DECIMAL(10,0)),1)",
              "1.500|1.500|721.0\n");
    /* Integers stay what they are; a BIGINT that a carry would take out of its range does not. */
    check_sql(&e,
              "SELECT ROUND(25, -1), TRUNCATE(9223372036854775807, -2), "
              "ROUND(9223372036854775807, -1)",
              "30|9223372036854775800|9223372036854775810\n");
    check_sql(&e, "SELECT ROUND(721,1), ROUND(-1.25,4), ROUND(600.00/7,6), ROUND(0.0,2)",
              "721|-1.2500|85.714286|0.00\n");
    check_sql(&e, "SELECT ROUND(12345678901234567890123.5,20)", "12345678901234567890123.5\n");
    engine_fini(&e);
}

Test(engine_expr, interval_and_seeded_rand)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT INTERVAL(5,1,3,10), INTERVAL (0,1), interval(9,1,3,NULL,9), INTERVAL(NULL,1)",
              "2|0|4|-1\n");
    check_sql(
        &e,
        "SELECT INTERVAL(1.5,'1',2) x, INTERVAL(3, (1), LENGTH('),(')) + 1, NOW() - INTERVAL (1+1) "
        "DAY < NOW()",
        "1|3|1\n");
    check_sql(&e, "SELECT DATE '2026-01-01' + INTERVAL(IF(1,2,3)) DAY", "2026-01-03\n");
    check_sql(&e, "SELECT INTERVAL(1)", "ERROR 1064");
    check_sql(&e, "SELECT RAND(1), RAND(3), RAND(NULL)",
              "0.40540353712197724|0.9057697559760601|0.15522042769493574\n");
    check_sql(&e, "SELECT RAND(1) UNION ALL SELECT RAND(1)",
              "0.40540353712197724\n0.40540353712197724\n");
    engine_fini(&e);
}

Test(engine_expr, hexadecimal_and_bits)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT 0x41+0, x'41'+1, b'101'+0, 0x0A > 9, CAST(0x41 AS UNSIGNED), -0x5, ~0x0",
              "65|66|5|1|65|-5|18446744073709551615\n");
    check_sql(&e, "SELECT 0xff & 0x0f, 0x10-0x01, 0x41*1.5, 0x41/2, bit_count(0xff), sqrt(0x10)",
              "15|15|97.5|32.5000|8|4\n");
    check_sql(&e, "SELECT 0xffffffffffffffff+0, 0x010000000000000002+0",
              "18446744073709551615|2\n");
    /* A text where one is wanted. */
    check_sql(&e, "SELECT concat(0x41,'b'), 0x41='A', 0x41 IN ('A'), hex(0x41), length(b'1')",
              "Ab|1|1|41|1\n");
    check_sql(&e, "SELECT if(0x41,1,2), NOT 0x41, 0x41 AND 1, 0x0 OR 0, 0x41 IS TRUE",
              "1|0|1|0|1\n");
    check_sql(&e, "SELECT left('abc',0x2), char(0x41,0x42), 65 IN (0x41), 0x41 BETWEEN 1 AND 65",
              "ab|AB|1|1\n");
    check_sql(&e, "SELECT CASE 65 WHEN 0x41 THEN 'y' END, nullif(65,0x41), nullif('A',0x41)",
              "y|NULL|NULL\n");
    check_sql(&e, "CREATE TABLE h (id INT PRIMARY KEY, n INT, d DECIMAL(9,2), s VARCHAR(9))",
              "OK 0");
    check_sql(&e, "INSERT INTO h VALUES (0x1, 0x41, b'11', 0x41), (2, 0, 0, '')",
              "OK 2 Records: 2  Duplicates: 0  Warnings: 0");
    check_sql(&e, "UPDATE h SET n = 0x20 WHERE n = 0x0",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&e, "SELECT id, n, d, s FROM h WHERE n IN (0x41, 0x20) ORDER BY id",
              "1|65|3.00|A\n2|32|0.00|\n");
    check_sql(&e, "SELECT id FROM h WHERE n BETWEEN 0x40 AND 0x7fffffffffffffff", "1\n");
    check_sql(&e, "SELECT id FROM h WHERE 0x21 < n AND s = 0x41", "1\n");
    check_sql(&e, "SELECT sum(0x2), max(0x41), bit_or(0x0f) FROM h", "4|A|15\n");
    engine_fini(&e);
}

Test(engine_expr, periods_and_addresses)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT timestamp('2020-01-02'), timestamp('2020-01-02 03:04:05.25'), "
              "timestamp('2020-01-02 01:00:00','-02:00:00.5'), timestamp('x'), timestamp(NULL), "
              "timestamp('9999-12-31','24:00:00')",
              "2020-01-02 00:00:00|2020-01-02 03:04:05.25|2020-01-01 22:59:59.5|NULL|NULL|NULL\n");
    check_sql(&e, "SELECT period_add(202601,3), period_add(2601,-2), period_diff(202603,202512)",
              "202604|202511|3\n");
    check_sql(&e, "SELECT period_add(202613,3)", "ERROR 1210");
    check_sql(&e,
              "SELECT inet_aton('10.0.5.9'), inet_aton('1.2'), inet_aton('256.1.1.1'), "
              "inet_aton('1.2.3.'), inet_ntoa(167773449), inet_ntoa(-1), inet_ntoa(4294967296)",
              "167773449|16777218|NULL|NULL|10.0.5.9|NULL|NULL\n");
    /* Unsigned, as in MySQL. */
    check_sql(&e, "SELECT inet_aton('0.0.0.1') - 2", "ERROR 1690");
    check_sql(&e, "SELECT crc32('a') - 3904355908", "ERROR 1690");
    engine_fini(&e);
}

Test(engine_expr, bytes_are_no_text)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT charset(unhex('ff')), charset(char(65)), charset(char(65 USING utf8mb4)), "
              "charset(from_base64('AA==')), charset(concat(unhex('ff'),'a')), charset(hex('a'))",
              "binary|binary|utf8mb4|binary|binary|utf8mb4\n");
    check_sql(&e,
              "SELECT charset(CONVERT(0x41 USING utf8mb4)), charset(CONVERT('a' USING binary)), "
              "charset(if(1,unhex('ff'),'a')), charset('a')",
              "utf8mb4|binary|binary|utf8mb4\n");
    check_sql(&e,
              "SELECT hex(CAST('ab' AS BINARY(4))), hex(CAST('abc' AS BINARY(2))), "
              "hex(CAST('\xc3\xa9' AS BINARY)), length(CAST('\xc3\xa9' AS BINARY(1))), "
              "CAST(NULL AS BINARY(2)), hex(CAST(1 AS BINARY(2)))",
              "61620000|6162|C3A9|1|NULL|3100\n");
    engine_fini(&e);
}

Test(engine_expr, comparison_and_logic)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT 'a'='A', 'a'='a ', 'a'<'B', 1=1.0, '1.0'=1, NULL=NULL, NULL<=>NULL",
              "0|0|0|1|1|NULL|1\n");
    check_sql(&e, "SELECT 1 AND NULL, 0 AND NULL, 1 OR NULL, 0 OR NULL, NOT NULL, TRUE XOR NULL",
              "NULL|0|1|NULL|NULL|NULL\n");
    check_sql(&e, "SELECT 1 IN (1,2), 3 IN (1,NULL), 1 NOT IN (2,NULL), NULL IN (1), 1 IN (1,NULL)",
              "1|NULL|NULL|NULL|1\n");
    check_sql(&e, "SELECT 5 BETWEEN 1 AND 10, 1 BETWEEN NULL AND 0, 1 BETWEEN 0 AND NULL",
              "1|0|NULL\n");
    check_sql(&e, "SELECT 1/3 = 0.3333, NULL IS NULL, 1 IS NOT TRUE, NULL IS UNKNOWN", "1|1|0|1\n");
    check_sql(&e,
              "SELECT 'abc' LIKE 'a%', 'abc' LIKE 'A%', 'a%c' LIKE 'a\\%c', 'a_' LIKE 'a|_' ESCAPE "
              "'|', 'abc' REGEXP '^a.c$'",
              "1|0|1|1|1\n");
    check_sql(&e, "SELECT (1,2) = (1,2), (1,2) <> (1,3), (1,NULL) = (1,2)", "1|1|NULL\n");
    engine_fini(&e);
}

Test(engine_expr, text)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT CONCAT('a',1,2.50), CONCAT('a',NULL), CONCAT_WS(',','a',NULL,'b'), "
              "LENGTH('h\xc3\xa9'), CHAR_LENGTH('h\xc3\xa9')",
              "a12.50|NULL|a,b|3|2\n");
    check_sql(&e,
              "SELECT SUBSTRING('abc',2), SUBSTRING('abc',-2,1), LEFT('abc',2), RIGHT('abc',2), "
              "REVERSE('abc'), UPPER('\xc3\xa9'), LPAD('5',3,'0')",
              "bc|b|ab|bc|cba|\xc3\x89|005\n");
    check_sql(&e,
              "SELECT REPLACE('aaa','a','bb'), INSTR('abc','c'), LOCATE('a','aba',2), TRIM(BOTH "
              "'x' FROM 'xax'), SUBSTRING_INDEX('a.b.c','.',-2)",
              "bbbbbb|3|3|a|b.c\n");
    check_sql(&e, "SELECT MD5('a'), HEX('abc'), HEX(255), BIN(5), CONV('ff',16,10)",
              "0cc175b9c0f1b6a831c399e269772661|616263|FF|101|255\n");
    engine_fini(&e);
}

Test(engine_expr, dates)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT DATE '2026-01-31' + INTERVAL 1 MONTH, DATE '2024-02-29' + INTERVAL 1 YEAR, "
              "'2026-01-01' + INTERVAL 90 MINUTE",
              "2026-02-28|2025-02-28|2026-01-01 01:30:00\n");
    check_sql(&e,
              "SELECT DATEDIFF('2026-03-01','2026-02-01'), "
              "TIMESTAMPDIFF(MONTH,'2026-01-31','2026-02-28'), WEEK('2026-12-31',3), "
              "DAYOFWEEK('2026-11-22')",
              "28|0|53|1\n");
    check_sql(&e,
              "SELECT DATE_FORMAT('2026-01-05 09:08:07','%W %D %b %Y %r'), "
              "STR_TO_DATE('05/03/2026','%d/%m/%Y'), LAST_DAY('2024-02-05')",
              "Monday 5th Jan 2026 09:08:07 AM|2026-03-05|2024-02-29\n");
    check_sql(&e,
              "SELECT YEAR('2026-13-01'), DATE('2026-02-30'), DATE '2026-01-05' = '2026-1-5', DATE "
              "'2026-01-01' + 0",
              "NULL|NULL|1|20260101\n");
    check_sql(&e,
              "SELECT UNIX_TIMESTAMP('2026-01-01'), FROM_UNIXTIME(0), SEC_TO_TIME(3661), "
              "TIMEDIFF('10:00:00','12:30:00')",
              "1767225600|1970-01-01 00:00:00|01:01:01|-02:30:00\n");
    check_sql(&e, "SELECT DATE 'abc'", "ERROR 1525");
    engine_fini(&e);
}

/* Each element once: neither time nor memory by the square of their number. */
Test(engine_expr, long_lists)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT LENGTH(`JOIN`(CONCAT('[', REPEAT('1,', 30000), '2]'), '--'))", "90001\n");
    check_sql(&e, "SELECT `JOIN`('[1,\"\",null,[2]]', 'x', '', NULL, '+')", "1+[2]+x\n");
    check_sql(&e, "SELECT LENGTH(ARRAY.SLICE(CONCAT('[', REPEAT('1,', 30000), '2]'), 1, 30001))",
              "90000\n");
    check_sql(&e, "SELECT ARRAY.SLICE('[1,2,3]', -2, 3), ARRAY.SLICE('[1,2,3]', 3)", "[2, 3]|[]\n");
    engine_fini(&e);
}

Test(engine_expr, errors)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT nosuch", "ERROR 1054 Unknown column 'nosuch' in 'field list'");
    check_sql(&e, "SELECT nofunc(1)", "ERROR 1305 FUNCTION quanta.nofunc does not exist");
    check_sql(&e, "SELECT ABS(1,2)", "ERROR 1582");
    check_sql(&e, "SELECT SUM(SUM(1))", "ERROR 1111");
    check_sql(&e, "SELECT * FROM nosuch", "ERROR 1146 Table 'quanta.nosuch' doesn't exist");
    check_sql(&e, "SELECT (SELECT 1,2)", "ERROR 1241");
    check_sql(&e, "SELECT 1 UNION SELECT 1,2", "ERROR 1222");
    check_sql(&e, "SELECT 'a' REGEXP '('", "ERROR 1139");
    check_sql(&e, "SELEC 1", "ERROR 1064");
    engine_fini(&e);
}

/* TIMESTAMPs end in the year 3001, as in MySQL since 8.0.28. */
Test(engine_expr, moments_that_are_no_timestamps)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e, "SELECT FROM_UNIXTIME(32536771199), FROM_UNIXTIME(32536771200)",
              "3001-01-18 23:59:59|NULL\n");
    check_sql(&e,
              "SELECT UNIX_TIMESTAMP('3001-01-18 23:59:59'), UNIX_TIMESTAMP('3001-01-19'), "
              "UNIX_TIMESTAMP('1969-12-31')",
              "32536771199|0|0\n");
    check_sql(&e,
              "SELECT CONVERT_TZ('1969-12-31 20:00:00', '+00:00', '+05:30'), "
              "CONVERT_TZ('1970-01-01 01:00:00', '+00:00', '+05:30'), "
              "CONVERT_TZ('3001-01-19 00:00:00', '+00:00', '+01:00')",
              "1969-12-31 20:00:00|1970-01-01 06:30:00|3001-01-19 00:00:00\n");
    engine_fini(&e);
}

Test(engine_expr, regular_expressions_know_all_letters)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT REGEXP_SUBSTR('über Ünal', '[[:upper:]]'), REGEXP_REPLACE('été 12', "
              "'\\\\w+', 'x'), 'naïve' REGEXP '^\\\\w+$', 'a é' REGEXP '\\\\bé'",
              "Ü|x x|1|1\n");
    engine_fini(&e);
}

Test(engine_expr, formats_of_places)
{
    struct engine e;

    engine_init(&e);
    check_sql(&e,
              "SELECT GET_FORMAT(DATE, 'EUR'), GET_FORMAT(TIME, 'usa'), GET_FORMAT(DATETIME, "
              "'JIS'), GET_FORMAT(TIMESTAMP, 'INTERNAL'), GET_FORMAT(DATE, 'x')",
              "%d.%m.%Y|%h:%i:%s %p|%Y-%m-%d %H:%i:%s|%Y%m%d%H%i%s|NULL\n");
    check_sql(&e,
              "SELECT GET_FORMAT(DATE, NULL), DATE_FORMAT('2024-05-17', GET_FORMAT(DATE, 'USA'))",
              "NULL|05.17.2024\n");
    check_sql(&e, "SELECT GET_FORMAT(x, 'EUR')", "ERROR 1210");
    check_sql(&e, "SELECT EXTRACTVALUE('<a/>', '/a')", "ERROR 1235");
    engine_fini(&e);
}

/* MATCH ... AGAINST: what it finds, on the cores and in the gateway, and what it refuses. */
#include "engine_world.h"

static struct engine engine;

static void setup(void)
{
    engine_init(&engine);
    check_sql(&engine,
              "CREATE TABLE d (id INT PRIMARY KEY, title VARCHAR(100), body TEXT, tags SET('red "
              "wine','white','rose'), n INT, FULLTEXT KEY ft (title, body), FULLTEXT (tags))",
              "OK 0");
    check_sql(&engine,
              "INSERT INTO d VALUES (1, '\xc3\x89l\xc3\xa8ve au caf\xc3\xa9', 'the quick brown "
              "fox', 'red wine,white', 1), (2, 'Stra\xc3\x9f"
              "e', NULL, 'white', 2), (3, NULL, 'quick fox jumps', NULL, 3), (4, 'Fox News', "
              "'nothing', 'red wine', 4)",
              "OK 4 Records: 4  Duplicates: 0  Warnings: 0");
}

static void teardown(void)
{
    engine_fini(&engine);
}

TestSuite(engine_match, .init = setup, .fini = teardown);

Test(engine_match, modes)
{
    static const char *const cases[][2] = {
        {"match(title) against('eleve')", "1\n"},
        {"match(title) against('STRASSE cafe')", "1\n2\n"},
        {"match(title) against('+strasse -fox (news' in natural language mode)", "2\n4\n"},
        {"match(body) against('+quick +fox' in boolean mode)", "1\n3\n"},
        {"match(body) against('\"quick fox\"' in boolean mode)", "3\n"},
        {"not match(body) against('\"quick fox\"' in boolean mode)", "1\n2\n4\n"},
        {"match(body) against('brown noth*' in boolean mode)", "1\n4\n"},
        {"match(body) against('-fox' in boolean mode)", ""},
        {"match(body) against('')", ""},
        {"match(body) against(NULL)", ""},
        {"not match(body) against(NULL)", "1\n2\n3\n4\n"},
        {"match(body, title) against('+fox -quick' in boolean mode)", "4\n"},
        {"match(title, body) against('+fo* +(news brown) -jumps' in boolean mode)", "1\n4\n"},
        {"not match(title, body) against('+fo* +(news brown) -jumps' in boolean mode)", "2\n3\n"},
        {"match(tags) against('+wine -white' in boolean mode)", "4\n"},
        {"match(tags) against('\"wine white\"' in boolean mode)", ""},
        {"not match(tags) against('wine')", "2\n3\n"},
        {"match(title) against(concat('str', 'asse'))", "2\n"},
        {"match(title) against('fox') or match(body) against('fox')", "1\n3\n4\n"},
        {"match(title) against('fox') = 1", "4\n"},
        {"match(title) against('fox') > 0.5", "4\n"},
    };
    char sql[400];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(sql, sizeof sql, "SELECT id FROM d WHERE %s ORDER BY id", cases[i][0]);
        check_sql(&engine, sql, cases[i][1]);
    }
}

Test(engine_match, as_an_expression)
{
    check_sql(&engine,
              "SELECT id, MATCH (title, body) AGAINST ('fox') m FROM d ORDER BY m DESC, id",
              "1|1\n3|1\n4|1\n2|0\n");
    check_sql(&engine,
              "SELECT a.id, b.id FROM d a LEFT JOIN d b ON a.id = b.id AND MATCH (b.title) AGAINST "
              "('fox') ORDER BY a.id",
              "1|NULL\n2|NULL\n3|NULL\n4|4\n");
    check_sql(&engine,
              "SELECT a.id, b.id FROM d a JOIN d b ON a.id < b.id WHERE MATCH (a.body) AGAINST "
              "('fox') <> MATCH (b.title) AGAINST ('fox') ORDER BY 1, 2",
              "1|2\n1|3\n2|4\n");
    check_sql(&engine, "SELECT title FROM d GROUP BY title HAVING MATCH (title) AGAINST ('fox')",
              "Fox News\n");
    check_sql(&engine, "SELECT tags FROM d GROUP BY tags HAVING MATCH (tags) AGAINST ('wine')",
              "red wine\n");
    check_sql(&engine, "SELECT SUM(MATCH (body) AGAINST ('fox')) FROM d", "2\n");
    check_sql(&engine,
              "SELECT COUNT(*) FROM d x WHERE id IN (SELECT id FROM d WHERE MATCH (body) "
              "AGAINST ('fox'))",
              "2\n");
    check_sql(&engine, "UPDATE d SET n = 9 WHERE MATCH (title) AGAINST ('fox')",
              "OK 1 Rows matched: 1  Changed: 1  Warnings: 0");
    check_sql(&engine, "DELETE FROM d WHERE NOT MATCH (title) AGAINST ('fox')", "OK 3");
    check_sql(&engine, "SELECT id, n FROM d", "4|9\n");
}

Test(engine_match, what_is_refused)
{
    char sql[20000];

    check_sql(&engine, "SELECT id FROM d WHERE MATCH (n) AGAINST ('x')", "ERROR 1191");
    check_sql(&engine, "SELECT id FROM d WHERE MATCH (title, n) AGAINST ('x')", "ERROR 1191");
    check_sql(&engine, "SELECT 1 FROM d a JOIN d b WHERE MATCH (a.title, b.title) AGAINST ('x')",
              "ERROR 1191");
    check_sql(&engine, "SELECT 1 FROM (SELECT title FROM d) x WHERE MATCH (title) AGAINST ('x')",
              "ERROR 1191");
    check_sql(&engine, "SELECT id FROM d WHERE MATCH (nope) AGAINST ('x')", "ERROR 1054");
    check_sql(&engine, "SELECT id FROM d WHERE MATCH (upper(title)) AGAINST ('x')", "ERROR 1210");
    check_sql(&engine, "SELECT id FROM d WHERE MATCH (title) AGAINST (body)", "ERROR 1210");
    check_sql(&engine, "SELECT id FROM d WHERE MATCH (title) AGAINST ('x' WITH QUERY EXPANSION)",
              "ERROR 1235");
    check_sql(&engine,
              "SELECT id FROM d WHERE MATCH (title) AGAINST ('\"a b\" @3' IN BOOLEAN MODE)",
              "ERROR 1235");
    int n = snprintf(sql, sizeof sql, "SELECT id FROM d WHERE MATCH (title) AGAINST ('");
    for (int i = 0; i < 300; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, "w%d ", i);
    snprintf(sql + n, sizeof sql - (size_t)n, "')");
    check_sql(&engine, sql, "ERROR 1210");
    check_sql(&engine, "CREATE TABLE e (id INT PRIMARY KEY, n INT, FULLTEXT (n))", "ERROR 1283");
    check_sql(&engine, "CREATE TABLE e (id INT PRIMARY KEY, FULLTEXT (zz))", "ERROR 1072");
}

Test(engine_match, definitions_come_back)
{
    check_sql(&engine, "CREATE TABLE e LIKE d", "OK 0");
    check_sql(&engine,
              "SELECT INDEX_NAME, COLUMN_NAME, INDEX_TYPE FROM information_schema.STATISTICS WHERE "
              "TABLE_NAME = 'e' ORDER BY 1",
              "PRIMARY|id|BITMAP\nbody|body|FULLTEXT\ntags|tags|FULLTEXT\ntitle|title|FULLTEXT\n");
    check_sql(
        &engine,
        "CREATE TABLE f (id INT PRIMARY KEY, s TEXT COMMENT 'strategy=StringHashBSI searchable')",
        "OK 0");
    check_sql(&engine, "SELECT COUNT(*) FROM f WHERE MATCH (s) AGAINST ('x')", "0\n");
    check_sql(&engine, "CREATE TABLE g (id INT PRIMARY KEY, s TEXT, KEY (s))", "OK 0");
    check_sql(&engine, "SELECT COUNT(*) FROM g WHERE MATCH (s) AGAINST ('x')", "ERROR 1191");
}

Test(engine_match, keys_come_and_go)
{
    static const char search[] = "SELECT id FROM g WHERE MATCH (s) AGAINST ('two') ORDER BY id";

    check_sql(&engine, "CREATE TABLE g (id INT PRIMARY KEY, s TEXT, n INT)", "OK 0");
    check_sql(&engine, "INSERT INTO g VALUES (1, 'one two', 1), (2, 'two', 2), (3, NULL, 3)",
              "OK 3 Records: 3  Duplicates: 0  Warnings: 0");
    check_sql(&engine, search, "ERROR 1191");
    check_sql(&engine, "ALTER TABLE g ADD FULLTEXT KEY words (n)", "ERROR 1283");
    check_sql(&engine, "ALTER TABLE g ADD FULLTEXT KEY words (s)", "OK 0");
    check_sql(&engine, search, "1\n2\n");
    check_sql(&engine, "ALTER TABLE g MODIFY s VARCHAR(80) COMMENT 'texts'", "OK 0");
    check_sql(&engine, search, "1\n2\n");
    check_sql(&engine, "DROP INDEX other ON g", "OK 0");
    check_sql(&engine, search, "1\n2\n");
    check_sql(&engine, "DROP INDEX s ON g", "OK 0");
    check_sql(&engine, search, "ERROR 1191");
    check_sql(&engine, "CREATE INDEX i ON g (s)", "OK 0");
    check_sql(&engine, search, "ERROR 1191");
    check_sql(&engine, "CREATE FULLTEXT INDEX i ON g (s)", "OK 0");
    check_sql(&engine, search, "1\n2\n");
    check_sql(&engine, "CREATE FULLTEXT INDEX i ON nowhere (s)", "ERROR 1146");
}

/* ---- on the cores and in the gateway ---- */

static const char *draw_word(uint64_t *random)
{
    static char word[4];
    uint64_t n = (*random = *random * 6364136223846793005u + 1442695040888963407u) >> 33;
    unsigned len = 1 + (unsigned)(n % 3);

    for (unsigned i = 0; i < len; i++, n /= 3)
        word[i] = (char)('a' + n / 7 % 3);
    word[len] = 0;
    return word;
}

static unsigned draw(uint64_t *random, unsigned n)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*random >> 33) % n;
}

static size_t draw_text(uint64_t *random, char *out, unsigned words)
{
    size_t n = (size_t)sprintf(out, draw(random, 8) ? "'" : "NULL");

    if (*out != '\'')
        return n;
    for (unsigned i = 0; i < words; i++)
        n += (size_t)sprintf(out + n, "%s ", draw_word(random));
    return n + (size_t)sprintf(out + n, "'");
}

static void insert_random(uint64_t *random)
{
    static char sql[200000];
    size_t n = (size_t)sprintf(sql, "REPLACE INTO d VALUES ");

    for (unsigned i = 0; i < 1500; i++) {
        n += (size_t)sprintf(sql + n, "%s(%u,", i ? "," : "", i);
        n += draw_text(random, sql + n, draw(random, 7));
        n += (size_t)sprintf(sql + n, ",");
        n += draw_text(random, sql + n, draw(random, 3));
        n += (size_t)sprintf(sql + n, ",'%s,%s %s',%u)", draw_word(random), draw_word(random),
                             draw_word(random), i);
    }
    check_sql(&engine, "DROP TABLE d", "OK 0");
    check_sql(&engine,
              "CREATE TABLE d (id INT PRIMARY KEY, title TEXT, body TEXT, tags TEXT COMMENT "
              "'strategy=StringEnum multivalued', n INT, FULLTEXT (title, body, tags))",
              "OK 0");
    const char *answer = engine_run(&engine, sql);
    cr_assert(strncmp(answer, "OK", 2) == 0, "%s", answer);
}

static size_t draw_query(uint64_t *random, char *out)
{
    static const char *const signs[] = {"", "+", "-"};
    size_t n = 0;

    for (unsigned terms = 1 + draw(random, 4); terms > 0; terms--) {
        n += (size_t)sprintf(out + n, "%s", signs[draw(random, 3)]);
        switch (draw(random, 4)) {
        case 0:
            n += (size_t)sprintf(out + n, "\"%s ", draw_word(random));
            n += (size_t)sprintf(out + n, "%s\" ", draw_word(random));
            break;
        case 1:
            n += (size_t)sprintf(out + n, "%s* ", draw_word(random));
            break;
        case 2:
            n += (size_t)sprintf(out + n, "(%s ", draw_word(random));
            n += (size_t)sprintf(out + n, "%s%s) ", signs[draw(random, 3)], draw_word(random));
            break;
        default:
            n += (size_t)sprintf(out + n, "%s ", draw_word(random));
        }
    }
    return n;
}

Test(engine_match, cores_and_gateway_agree, .timeout = 3600)
{
    static const char *const columns[] = {"title", "body", "tags", "title, body", "tags, title"};
    uint64_t random = 4711;
    unsigned some = 0;

    insert_random(&random);
    for (unsigned i = 0; i < 150; i++) {
        char query[300], match[500], sql[700];
        query[draw_query(&random, query)] = 0;
        snprintf(match, sizeof match, "MATCH (%s) AGAINST ('%s' IN BOOLEAN MODE)",
                 columns[draw(&random, 5)], query);
        const char *negated = draw(&random, 3) ? "" : "NOT ";
        /* arithmetic stays in the gateway */
        snprintf(sql, sizeof sql, "SELECT GROUP_CONCAT(id ORDER BY id) FROM d WHERE %s(%s + 0 > 0)",
                 negated, match);
        char *expected = strdup(engine_run(&engine, sql));
        snprintf(sql, sizeof sql, "SELECT GROUP_CONCAT(id ORDER BY id) FROM d WHERE %s%s", negated,
                 match);
        cr_assert_str_eq(engine_run(&engine, sql), expected, "%s", sql);
        some += strcmp(expected, "NULL\n") != 0;
        free(expected);
    }
    cr_assert_gt(some, 75);
}

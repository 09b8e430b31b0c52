#!/usr/bin/python3
"""Functions of SQL from plug-ins: in every clause, NULL, conversions, errors, aggregates, what a start refuses."""

import os
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect

import pymysql

sys.path.insert(0, os.path.join(support.SRC_DIR, "tests/peers"))
import quanta

PLACE = support.folder("plugins-")


# The description of version 1, as plug-ins have it that were compiled then.
OLD = """struct { unsigned abi, size; const char *version; unsigned n; const void *mappers; } self = {1, 32, "1", 0, 0};
const void *quanta_plugin(void);
const void *quanta_plugin(void) { return &self; }
"""


def compile_plugin(name, source, *flags):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        support.skip("no C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", *flags,
                    "-I" + os.path.join(support.SRC_DIR, "src/storage"), "-o", os.path.join(PLACE, name + ".so"),
                    os.path.join(support.SRC_DIR, "tests/e2e/lib", source), "-lm"], check=True)


def rows(server, statement):
    """All rows, or the error's number and text."""
    with server.connect() as conn, conn.cursor() as cur:
        try:
            cur.execute(statement)
            return list(cur.fetchall())
        except pymysql.MySQLError as error:
            return error.args


def value(server, expression):
    found = rows(server, "SELECT " + expression)
    return found[0][0] if isinstance(found, list) else found


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, kind VARCHAR(10), x INT, price DECIMAL(8,2), name VARCHAR(40), "
                    "day DATE)")
        cur.executemany("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)",
                        [(i, "even" if i % 2 == 0 else "odd", None if i == 7 else 2 ** i, f"{i}.50",
                          f"ada b{i} lovelace", f"2024-02-{20 + i}") for i in range(1, 9)])


def test_values_and_conversions(server):
    for expression, wanted in (
            ("round(dist_km(52.52, 13.405, 48.8566, 2.3522))", 877.0), ("dist_km('1', 2, 1.0, x'02')", 0.0),
            ("initials('ada king lovelace')", "AKL"), ("INITIALS(NULL)", None), ("initials(12)", ""),
            ("price_with(10)", Decimal("11.90")), ("price_with('0.005', 0)", Decimal("0.01")),
            ("price_with(10, NULL)", None), ("next_day('2024-02-28')", date(2024, 2, 29)), ("next_day('nothing')", None),
            ("first_known(NULL, 'b')", "b"), ("first_known(NULL)", "nothing"), ("first_known('a')", "a")):
        expect(value(server, expression), wanted, expression)


def test_every_clause(server):
    expect(rows(server, "SELECT id, initials(name) FROM t WHERE next_day(day) > '2024-02-27' ORDER BY price_with(price) "
                "DESC"), [(8, "ABL"), (7, "ABL")])
    expect(rows(server, "SELECT next_day(day) d, count(*) FROM t WHERE id < 3 GROUP BY next_day(day) "
                "HAVING next_day(d) > '2024-01-01' ORDER BY 1"), [(date(2024, 2, 22), 1), (date(2024, 2, 23), 1)])
    expect(rows(server, "SELECT sum(price_with(price, 0)) FROM t JOIN (SELECT 1 AS one) o ON first_known(NULL, '1') = one"),
           [(Decimal("40.00"),)])
    expect(len({row[0] for row in rows(server, "SELECT ticket() FROM t")}), 8)
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("PREPARE p FROM 'SELECT initials(?)'")
        cur.execute("SET @a = 'x y'")
        cur.execute("EXECUTE p USING @a")
        expect(cur.fetchall(), (("XY",),))
        cur.execute("UPDATE t SET name = concat(name, initials(name)) WHERE id = 1")
        cur.execute("SELECT name FROM t WHERE id = 1")
        expect(cur.fetchone()[0], "ada b1 lovelaceABL")


def test_aggregates(server):
    expect(rows(server, "SELECT kind, round(geo_mean(x), 6), span(x), span(DISTINCT x), count(*) FROM t GROUP BY kind "
                "ORDER BY kind"), [("even", 32.0, "4..256", "4..256", 4), ("odd", 8.0, "2..32", "2..32", 4)])
    expect(rows(server, "SELECT geo_mean(x), span(x) FROM t WHERE id > 100"), [(None, "empty")])
    expect(rows(server, "SELECT kind FROM t GROUP BY kind HAVING geo_mean(x) > 10 ORDER BY span(x)"), [("even",)])
    expect(rows(server, "SELECT kind, span(x) FROM t GROUP BY kind WITH ROLLUP"),
           [("even", "4..256"), ("odd", "2..32"), (None, "2..256")])
    expect(rows(server, "SELECT id, (SELECT span(b.x) FROM t b WHERE b.id > a.id) FROM t a WHERE id > 6 ORDER BY id"),
           [(7, "256..256"), (8, "empty")])
    expect(rows(server, "SELECT span(x) + 1, concat(span(x), '!') FROM t WHERE id = 2"), [(5.0, "4..4!")])


def test_many_groups(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE many (id INT PRIMARY KEY, g INT)")
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        number = "a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d"
        cur.execute(f"INSERT INTO many SELECT {number}, floor(({number}) / 2) FROM digits a, digits b, digits c, "
                    "digits e, digits f")
        cur.execute("SELECT count(*), sum(s = concat(2 * g, '..', 2 * g + 1)) FROM "
                    "(SELECT g, span(id) AS s FROM many GROUP BY g) x")
        expect(list(map(int, cur.fetchone())), [50_000, 50_000])


def test_errors(server):
    for statement, code, words in (
            ("SELECT dist_km(91, 0, 0, 0)", 3200, "dist_km UDF failed; a latitude is within -90 and 90"),
            ("SELECT price_with(price, id * 50) FROM t WHERE id = 3", 3200, "found 150"),
            ("SELECT geo_mean(x - 2) FROM t", 3200, "positive numbers, found 0"),
            ("SELECT dist_km(1)", 1582, "dist_km"), ("SELECT geo_mean()", 1582, "geo_mean"),
            ("SELECT geo_mean(x, x) FROM t", 1582, "geo_mean"), ("SELECT id FROM t WHERE geo_mean(x) > 1", 1111, ""),
            ("SELECT geo_mean(x) OVER () FROM t", 3593, ""), ("SELECT unknown_one(1)", 1305, "unknown_one")):
        found = rows(server, statement)
        if not isinstance(found, tuple) or found[0] != code or words not in found[1]:
            raise AssertionError(f"{statement}: found {found}, expected {code} with {words!r}")


def test_shown(server):
    expect(rows(server, "SELECT ROUTINE_NAME, DATA_TYPE, EXTERNAL_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES "
                "WHERE ROUTINE_NAME IN ('next_day', 'span') ORDER BY 1"),
           [("next_day", "date", "functions", "function"), ("span", "varchar", "functions", "aggregate")])
    expect([row[1] for row in rows(server, "SHOW FUNCTION STATUS LIKE 'geo%'")], ["geo_mean"])
    expect(len(rows(server, "SHOW FUNCTION STATUS")), 8)


def test_what_a_start_refuses(_):
    for name in ("upper", "SUM", "date_add", "row_number", "select", "Span", "initials", "a-b"):
        compile_plugin("taken", "plugin_functions.c", f'-DTAKEN_NAME="{name}"')
        words = ("has the same name as a native function" if name.lower() not in ("span", "initials", "a-b") else
                 "letters, digits" if "-" in name else "exists already")
        try:
            with Node("--plugin-dir", PLACE, "--functions", "taken"):
                raise AssertionError(f"{name} was taken")
        except quanta.QuantaError as error:
            if words not in str(error) or name not in str(error):
                raise AssertionError(f"{name}: {error}") from error
    for list_, words in (("missing", "missing.so"), ("../x", "letters, digits"), ("old", "needed for functions: 2")):
        try:
            with Node("--plugin-dir", PLACE, "--functions", list_):
                raise AssertionError(f"{list_} was taken")
        except quanta.QuantaError as error:
            if words not in str(error):
                raise AssertionError(f"{list_}: {error}") from error


def main():
    support.need("quanta")
    compile_plugin("functions", "plugin_functions.c")
    with open(os.path.join(PLACE, "old.c"), "w", encoding="ascii") as file:
        file.write(OLD)
    compile_plugin("old", os.path.join(PLACE, "old.c"))
    try:
        with Node("--cores", "2", "--plugin-dir", PLACE, "--functions", "functions") as server:
            prepare(server)
            support.run_tests(globals(), server, server=server)
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)


main()

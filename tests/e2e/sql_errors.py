#!/usr/bin/python3
"""Wrong statements: MySQL's error codes, and the connection is usable afterwards."""

import os
import sys
import threading
import time
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect

import pymysql

SETUP = [
    "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(8), n BIGINT, must INT NOT NULL, d DATE)",
    "CREATE TABLE two (id INT PRIMARY KEY, n INT)",
    "CREATE TABLE child (id INT PRIMARY KEY, two INT REFERENCES two (id))",
    "INSERT INTO t VALUES (1, 'one', 1, 1, '2024-01-01'), (2, NULL, NULL, 2, NULL)",
    "INSERT INTO two VALUES (1, 10), (3, 30)",
]
# Statement, codes of which one must come.
WRONG = [
    ("SELEC 1", 1064),
    ("SELECT", 1064),
    ("SELECT 1 FROM", 1064),
    ("SELECT * FROM t WHERE", 1064),
    ("SELECT * FROM t WHERE (id = 1", 1064),
    ("SELECT 'open", 1064),
    ("SELECT 1 1", 1064),
    ("INSERT INTO t VALUES (1", 1064),
    ("", 1065),
    (";", 1065),
    ("SELECT * FROM nothing", 1146),
    ("INSERT INTO nothing VALUES (1)", 1146),
    ("UPDATE nothing SET a = 1", 1146),
    ("DELETE FROM nothing", 1146),
    ("DESCRIBE nothing", 1146),
    ("TRUNCATE TABLE nothing", 1146),
    ("DROP TABLE nothing", 1051),
    ("SELECT * FROM other.t", (1049, 1146)),
    ("USE other", 1049),
    ("SELECT nothing FROM t", 1054),
    ("SELECT id FROM t WHERE nothing = 1", 1054),
    ("SELECT id FROM t ORDER BY nothing", 1054),
    ("SELECT id FROM t GROUP BY nothing", 1054),
    ("SELECT x.id FROM t", 1054),
    ("SELECT x.* FROM t", (1051, 1054)),
    ("UPDATE t SET nothing = 1", 1054),
    ("INSERT INTO t (id, nothing) VALUES (9, 9)", 1054),
    ("SELECT id FROM t, two", 1052),
    ("SELECT * FROM t, t", 1066),
    ("INSERT INTO t (id, must) VALUES (1, 1)", 1062),
    ("INSERT INTO t (id, must) VALUES (8, 1), (8, 2)", 1062),
    ("INSERT INTO t (id) VALUES (9)", 1364),
    ("INSERT INTO t (id, must) VALUES (9, NULL)", 1048),
    ("UPDATE t SET must = NULL WHERE id = 1", 1048),
    ("INSERT INTO t (id, must) VALUES (9)", 1136),
    ("INSERT INTO t (id, must) VALUES (9, 1), (10)", 1136),
    ("INSERT INTO t VALUES (1, 2)", 1136),
    ("CREATE TABLE x (id INT PRIMARY KEY, at DATETIME DEFAULT now() ON UPDATE now())", 1235),
    ("CREATE TABLE x (id INT PRIMARY KEY, n INT DEFAULT 'x')", 1067),
    ("CREATE TABLE x (id INT PRIMARY KEY, d DATE DEFAULT '2026-02-31')", 1067),
    ("ALTER TABLE two ADD x INT DEFAULT 'x'", 1067),
    ("ALTER TABLE two ALTER n SET DEFAULT 'x'", 1067),
    ("ALTER TABLE child DROP CONSTRAINT parent", 1846),
    ("ROLLBACK TO SAVEPOINT nothing", 1305),
    ("RELEASE SAVEPOINT nothing", 1305),
    ("SET NAMES nothing", 1115),
    ("SET NAMES utf8mb4 COLLATE nothing", 1273),
    ("SET character_set_client = nothing", 1115),
    ("SET time_zone = 'Mars/Phobos'", 1298),
    ("SET sql_mode = 'ANSI_QUOTES,NOTHING'", 1231),
    ("SET GLOBAL sql_mode = ''", 1235),
    ("SET max_connections = 3", 1238),
    ("INSERT INTO t (id, id, must) VALUES (9, 9, 1)", 1110),
    ("INSERT INTO t (id, n, must) VALUES (9, 9223372036854775808, 1)", 1264),
    ("INSERT INTO t (id, must) VALUES (99999999999999999999, 1)", 1264),
    ("UPDATE t SET n = 9223372036854775808 WHERE id = 1", 1264),
    ("INSERT INTO t (id, n, must) VALUES (9, 'abc', 1)", 1366),
    ("INSERT INTO t (id, d, must) VALUES (9, '2024-02-30', 1)", 1292),
    ("INSERT INTO t (id, d, must) VALUES (9, 'soon', 1)", 1292),
    ("CREATE TABLE t (id INT PRIMARY KEY)", 1050),
    ("CREATE TABLE u (id INT PRIMARY KEY, ID INT)", 1060),
    ("CREATE TABLE u (id INT, PRIMARY KEY (nothing))", 1072),
    ("CREATE TABLE u (id NOTYPE)", (1064, 1235)),
    ("SELECT sum(id) FROM t WHERE sum(id) > 1", 1111),
    ("SELECT sum(count(*)) FROM t", 1111),
    ("SELECT s, count(*) FROM t", 1140),
    ("SELECT s, n, count(*) FROM t GROUP BY s", 1055),
    ("SELECT nothing(1)", 1305),
    ("SELECT length()", (1582, 1064)),
    ("SELECT length(1, 2)", (1582, 1064)),
    ("SELECT id FROM t WHERE id = (SELECT id FROM two)", (1242, 1235)),
    ("SELECT id FROM t WHERE id IN (SELECT id, n FROM two)", 1241),
    ("SELECT (1, 2)", 1241),
    ("SELECT id FROM t LIMIT -1", 1064),
    ("SET @@nothing_like_this = 1", 1193),
    ("SELECT @@nothing_like_this", 1193),
    ("SELECT id FROM t UNION SELECT id, n FROM two", (1222, 1235, 1064)),
    ("KILL 4000000", 1094),
    ("SELECT 9223372036854775807 + 1", 1690),
    ("GRANT ALL ON *.* TO x", 1235),
    ("LOAD DATA INFILE 'x' INTO TABLE t", 1235),
    ("CREATE USER x", 1235),
    ("TABLE nothing", 1146),
    ("VALUES ROW(1), ROW(1, 2)", 1136),
    ("ALTER TABLE `t` ADD (a INT, b INT)", 1235),
    ("ALTER TABLE quanta.t CONVERT TO CHARACTER SET utf8mb4", 1235),
    ("ALTER TABLE t TRUNCATE PARTITION p1", 1235),
    ("GRANTED ALL", 1064),
    ("ALTER TABLE t ADDED (a INT)", 1064),
    ("SELECT \xff\xfe FROM t", (1064, 1054, 1300)),
]
STATES = {1064: "42000", 1146: "42S02", 1054: "42S22", 1062: "23000", 1049: "42000", 1136: "21S01",
          1050: "42S01", 1051: "42S02", 1264: "22003", 1364: "HY000", 1048: "23000"}


def code_of(cur, statement):
    """Error code of a statement, 0 when it goes through."""
    try:
        cur.execute(statement)
        cur.fetchall()
    except pymysql.err.MySQLError as err:
        return err.args[0], err.args[1]
    return 0, ""


def test_codes(server):
    mistakes = []
    with server.connect() as conn, conn.cursor() as cur:
        for statement, allowed in WRONG:
            code, text = code_of(cur, statement)
            if code not in (allowed if isinstance(allowed, tuple) else (allowed,)):
                mistakes.append(f"{statement!r}: {code} {text!r}, expected {allowed}")
                cur.execute("DELETE FROM t WHERE id NOT IN (1, 2)")
            cur.execute("SELECT count(*) FROM t")
            expect(cur.fetchone(), (2,), f"rows of t after {statement}")
    if mistakes:
        raise AssertionError(f"{len(mistakes)} of {len(WRONG)}:\n" + "\n".join(mistakes))


def test_states(server):
    mistakes = []
    with server.connect() as conn, conn.cursor() as cur:
        for statement, allowed in WRONG:
            if allowed not in STATES:
                continue
            done = support.mariadb(server.ports["mysql"], "quanta", "-e", statement or "SELEC")
            cur.execute("DELETE FROM t WHERE id NOT IN (1, 2)")
            if statement and f"({STATES[allowed]})" not in done.stderr:
                mistakes.append(f"{statement!r}: {done.stderr!r}, expected {STATES[allowed]}")
        cur.execute("SELECT 1")
    if mistakes:
        raise AssertionError("\n".join(mistakes))


def test_texts_name_what_is_wrong(server):
    with server.connect() as conn, conn.cursor() as cur:
        for statement, word in (("SELECT nothing FROM t", "'nothing'"),
                                ("SELECT * FROM nowhere", "nowhere"),
                                ("SELECT * FRM t", "FRM"),
                                ("INSERT INTO t (id, must) VALUES (1, 1)", "'1'"),
                                ("INSERT INTO t (id, n, must) VALUES (9, 9999999999999999999, 1)", "'n'"),
                                ("INSERT INTO t (id) VALUES (9)", "'must'")):
            text = code_of(cur, statement)[1]
            assert word in text, f"{statement}: {text}"


def test_a_statement_that_fails_changes_nothing(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE whole (id INT PRIMARY KEY, n BIGINT)")
        cur.execute("INSERT INTO whole VALUES (5, 5)")
        rows = ", ".join(f"({i}, {i})" for i in range(10, 200))
        for bad, code in (("(300, 9223372036854775808)", 1264), ("(5, 1)", 1062)):
            expect(code_of(cur, f"INSERT INTO whole VALUES {rows}, {bad}")[0], code)
            cur.execute("SELECT id, n FROM whole")
            expect(cur.fetchall(), ((5, 5),))
        cur.execute("DROP TABLE whole")


def test_long_statements(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT length(%s)", ("a" * 8_000_000,))
        expect(cur.fetchone(), (8_000_000,))
        cur.execute("SELECT count(*) FROM t WHERE id IN (" + ",".join(map(str, range(50_000))) + ")")
        expect(cur.fetchone(), (2,))
        code = code_of(cur, "SELECT " + ",".join(["1"] * 20_000))[0]
        assert code in (0, 1117), code
        code = code_of(cur, "SELECT 1 " * 200_000)[0]
        expect(code, 1064)
        cur.execute("SELECT 1 /* " + "x" * 4_000_000 + " */")
        expect(cur.fetchone(), (1,))


def test_deep_nesting(server):
    """Either an answer or a clear error: never the end of the stack."""
    with server.connect() as conn, conn.cursor() as cur:
        for depth in (10, 50, 1000, 100_000):
            for left, middle, right in (("(", "1", ")"), ("NOT ", "1", ""), ("-", "1", ""),
                                        ("(SELECT ", "1", ")"), ("abs(", "1", ")"),
                                        ("CASE WHEN 1 THEN ", "1", " END"), ("1+(", "1", ")"),
                                        ("IF(1,", "1", ",0)")):
                code, text = code_of(cur, "SELECT " + left * depth + middle + right * depth)
                assert code in (0, 1064, 1235, 1436, 1041, 1690), f"{left!r} * {depth}: {code} {text}"
                assert depth > 10 or code == 0, f"{left!r} * {depth}: {code} {text}"
            for operator in (" AND ", " OR ", " + ", " = "):
                code, text = code_of(cur, "SELECT " + operator.join(["1"] * depth))
                assert code in (0, 1064, 1436, 1041), f"{operator!r} * {depth}: {code} {text}"
                assert depth > 50 or code == 0, f"{operator!r} * {depth}: {code} {text}"
        cur.execute("SELECT 1")
        expect(cur.fetchone(), (1,))


def test_many_statements_in_one_packet(server):
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with server.connect(client_flag=flag) as conn, conn.cursor() as cur:
        cur.execute(";".join(f"SELECT {i}" for i in range(2000)))
        found = list(cur.fetchall())
        while cur.nextset():
            found += cur.fetchall()
        expect(found, [(i,) for i in range(2000)])
        # The first that fails is the last that is run.
        try:
            cur.execute("SELECT 1; SELECT nothing; INSERT INTO two VALUES (77, 77)")
            while cur.nextset():
                pass
        except pymysql.err.MySQLError as err:
            expect(err.args[0], 1054)
        else:
            raise AssertionError("the second statement went through")
        cur.execute("SELECT count(*) FROM two WHERE id = 77")
        expect(cur.fetchone(), (0,))
    with server.connect() as conn, conn.cursor() as cur:
        assert code_of(cur, "SELECT 1; SELECT 2")[0] in (0, 1064)


def warnings(server, *statements):
    """Codes after the last statement."""
    with server.connect() as conn, conn.cursor() as cur:
        for statement in statements:
            cur.execute(statement)
        cur.execute("SHOW WARNINGS")
        return [row[1] for row in cur.fetchall()]


def test_what_has_no_effect_is_told(server):
    expect(warnings(server, "DROP INDEX nothing ON two"), [1091])
    expect(warnings(server, "ALTER TABLE two DROP CONSTRAINT a_check"), [1091])
    expect(warnings(server, "SET time_zone = '+02:00'"), [1235])
    expect(warnings(server, "SET time_zone = '+00:00'"), [])
    expect(warnings(server, "SET collation_connection = latin1_swedish_ci"), [1235])
    expect(warnings(server, "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '0-1-2'"), [1235])
    expect(warnings(server, "SET SESSION sql_mode = (SELECT replace(@@sql_mode, 'ONLY_FULL_GROUP_BY', ''))"), [])
    expect(warnings(server, "CREATE TABLE notes (id INT PRIMARY KEY, f DOUBLE, n INT CHECK (n > 0))"),
           [1235, 1235])
    expect(warnings(server, "DROP TABLE notes"), [])
    for statement in ("SET NAMES utf8", "SET NAMES utf8mb4 COLLATE utf8mb4_swedish_ci",
                      "SET character_set_results = NULL", "SET sql_mode = ''", "SET sql_mode = DEFAULT",
                      "SET sql_mode = 'traditional,no_zero_date'", "SET time_zone = SYSTEM"):
        expect(warnings(server, statement), [], statement)


def test_savepoints(server):
    expect(warnings(server, "BEGIN", "SAVEPOINT a", "ROLLBACK TO A", "RELEASE SAVEPOINT a"), [])
    with server.connect() as conn, conn.cursor() as cur:
        for undo in ("ROLLBACK TO a", "ROLLBACK", "ROLLBACK AND CHAIN"):
            for statement in ("BEGIN", "SAVEPOINT a", "UPDATE two SET n = n + 1"):
                cur.execute(statement)
            expect(code_of(cur, undo)[0], 1196, undo)
            expect(code_of(cur, "ROLLBACK")[0], 0, "told once")
            cur.execute("UPDATE two SET n = n - 1")
            cur.execute("COMMIT")
    with server.connect() as conn, conn.cursor() as cur:
        for statement in ("BEGIN; SAVEPOINT a; COMMIT", "SAVEPOINT a"):
            for part in statement.split(";"):
                cur.execute(part)
            expect(code_of(cur, "ROLLBACK TO a")[0], 1305, statement)
        cur.execute("START TRANSACTION READ ONLY")
        expect(code_of(cur, "UPDATE two SET n = 1")[0], 1792)
        expect(code_of(cur, "INSERT INTO two VALUES (9, 9)")[0], 1792)
        expect(code_of(cur, "DELETE FROM two")[0], 1792)
        cur.execute("COMMIT")
        expect(code_of(cur, "DELETE FROM two WHERE id = 9")[0], 0)


def test_time_limits_of_clients(server):
    product = ", ".join(f"two t{i}" for i in range(40))
    with server.connect() as conn, conn.cursor() as cur:
        for before, hint, after in (("SET max_execution_time = 100", "", "SET max_execution_time = 0"),
                                    ("SET max_statement_time = 0.1", "", "SET max_statement_time = DEFAULT"),
                                    ("DO 0", "/*+ MAX_EXECUTION_TIME(100) */", "DO 0")):
            cur.execute(before)
            expect(code_of(cur, f"SELECT {hint} count(*) FROM {product} WHERE rand() < 2")[0], 3024, before)
            expect(code_of(cur, "SELECT count(*) FROM two")[0], 0)
            cur.execute(after)


def test_errors_of_prepared_statements(server):
    """PREPARE and EXECUTE as statements: names are looked up by EXECUTE."""
    with server.connect() as conn, conn.cursor() as cur:
        for statement, code in (("PREPARE p FROM 'SELECT nothing FROM two'", 0), ("EXECUTE p", 1054),
                                ("PREPARE p FROM 'SELEC 1'", 1064), ("PREPARE p FROM 'SELECT 1; SELECT 2'", 1064),
                                ("PREPARE p FROM ''", 1065), ("PREPARE p FROM 'EXECUTE q'", 1295),
                                ("PREPARE p FROM 'SELECT ?, ?'", 0), ("EXECUTE p", 1210),
                                ("SET @a = 'x', @b = 2.5", 0), ("EXECUTE p USING @a", 1210),
                                ("EXECUTE p USING @a, @b", 0), ("EXECUTE P USING @never_set, @b", 0),
                                ("DEALLOCATE PREPARE p", 0), ("DEALLOCATE PREPARE p", 1243), ("EXECUTE p", 1243),
                                ("SELECT 1, 2 INTO @a", 1222), ("SELECT id INTO @a FROM two", 1172),
                                ("SELECT id INTO @a FROM two WHERE id < 0", 0), ("SELECT 1 INTO @a", 0)):
            expect(code_of(cur, statement)[0], code, statement)
        cur.execute("SELECT @a, @b")
        expect(cur.fetchone(), (1, Decimal("2.5")))
        cur.execute("SELECT 1")


def test_kill(server):
    with server.connect() as victim, server.connect() as conn:
        conn.cursor().execute(f"KILL {victim.thread_id()}")
        try:
            for _ in range(2000):
                victim.cursor().execute("SELECT 1")
                time.sleep(0.02)
        except pymysql.err.MySQLError as err:
            assert err.args[0] in (1927, 1317, 2006, 2013, 1053), err
        else:
            raise AssertionError("a killed connection goes on")
        victim._force_close()  # pylint: disable=protected-access
        with conn.cursor() as cur:
            cur.execute("SELECT 1")


def test_sleep_ends_early(server):
    """KILL QUERY and the time limit end SLEEP, which would take a day."""
    failed = []

    def nap(conn):
        try:
            conn.cursor().execute("SELECT sleep(86400)")
        except pymysql.err.MySQLError as err:
            failed.append(err.args[0])

    with server.connect() as napping, server.connect() as conn, conn.cursor() as cur:
        thread = threading.Thread(target=nap, args=(napping,))
        thread.start()
        while not cur.execute("SELECT 1 FROM information_schema.processlist "
                              "WHERE info = 'SELECT sleep(86400)'"):
            time.sleep(0.02)
        cur.execute(f"KILL QUERY {napping.thread_id()}")
        thread.join()
        expect(failed, [1317], "KILL QUERY of SLEEP")
        cur.execute("SET max_execution_time = 50")
        nap(conn)
        expect(failed, [1317, 3024], "SLEEP with a time limit")


if __name__ == "__main__":
    support.need("quanta")
    with Node() as node:
        with node.connect() as connection, connection.cursor() as cursor:
            for line in SETUP:
                cursor.execute(line)
        support.run_tests(globals(), node, server=node)

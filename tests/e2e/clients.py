#!/usr/bin/python3
"""Real clients: the mariadb command line client and PyMySQL; the others are in clients_*.py."""

import datetime
import os
import re
import struct
import sys
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, mariadb
from wire import Wire, error_code

import pymysql
import pymysql.cursors

COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17
TABLE = """CREATE TABLE types (id INT PRIMARY KEY, big BIGINT, price DECIMAL(12,2), day DATE,
           at DATETIME(6), name VARCHAR(64), on_air BOOLEAN)"""
ROWS = [
    (1, -9007199254740993, Decimal("-12.50"), datetime.date(2024, 2, 29),
     datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), "Zürich 東京 🙂", True),
    (2, None, None, None, None, None, None),
    (3, 0, Decimal("0.00"), datetime.date(1970, 1, 1), datetime.datetime(1969, 12, 31), "", False),
]


def prepare(server):
    """The table all clients read."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(TABLE)
        cur.executemany("INSERT INTO types (id, big, price, day, at, name, on_air) "
                        "VALUES (%s, %s, %s, %s, %s, %s, %s)", ROWS)


def client(server, *arguments, text=None):
    """Output of the command line client, which must succeed."""
    done = mariadb(server.ports["mysql"], *arguments, text=text)
    expect((done.returncode, done.stderr), (0, ""), " ".join(arguments))
    return done.stdout


def test_batch(server):
    out = client(server, "quanta", "--batch", "-e",
                 "SELECT id, price, day, name FROM types ORDER BY id")
    expect(out, "id\tprice\tday\tname\n1\t-12.50\t2024-02-29\tZürich 東京 🙂\n2\tNULL\tNULL\tNULL\n"
                "3\t0.00\t1970-01-01\t\n")
    expect(client(server, "quanta", "-BN", "-e", "SELECT count(*) FROM types"), "3\n")


def test_table(server):
    out = client(server, "quanta", "--table", "-e", "SELECT id, big FROM types WHERE id = 1")
    expect(out, "+----+-------------------+\n| id | big               |\n"
                "+----+-------------------+\n|  1 | -9007199254740993 |\n"
                "+----+-------------------+\n")


def test_vertical_and_html(server):
    out = client(server, "quanta", "-E", "-e", "SELECT id, name FROM types WHERE id = 3")
    assert "id: 3" in out and "name: " in out, out
    out = client(server, "quanta", "--html", "-e", "SELECT id FROM types WHERE id = 3")
    assert "<TD>3</TD>" in out, out


def test_several_statements(server):
    out = client(server, "quanta", "-BN", "-e", "SELECT 1; SELECT 'a;b'; ; SELECT count(*) FROM types;")
    expect(out, "1\na;b\n3\n")


def test_statements_from_a_file(server):
    out = client(server, "quanta", "-BN", text="-- a comment\nSELECT 1; # another\n/* a third\n; */ "
                                               "SELECT\n2\n;\nDELIMITER //\nSELECT 3//\n")
    expect(out, "1\n2\n3\n")


def test_errors_show_code_and_state(server):
    done = mariadb(server.ports["mysql"], "quanta", "-e", "SELECT * FROM nothing_here")
    expect(done.returncode, 1)
    assert re.search(r"^ERROR 1146 \(42S02\) at line 1: .*nothing_here", done.stderr, re.M), \
        done.stderr
    done = mariadb(server.ports["mysql"], "quanta", "--force", "-BN",
                   text="SELEC 1;\nSELECT 2;\n")
    expect(done.stdout, "2\n", done.stderr)
    assert "ERROR 1064 (42000) at line 1" in done.stderr, done.stderr


def test_use_and_show(server):
    out = client(server, "-BN", text="USE quanta\nSELECT database();\nSHOW TABLES;\n"
                                     "SHOW DATABASES LIKE 'quanta';\n")
    expect(out, "quanta\ntypes\nquanta\n")
    done = mariadb(server.ports["mysql"], "no_such_database", "-e", "SELECT 1")
    assert done.returncode == 1 and "1049" in done.stderr, done.stderr
    out = client(server, "quanta", "-B", "-e", "SHOW COLUMNS FROM types")
    lines = out.splitlines()
    expect(lines[0], "Field\tType\tNull\tKey\tDefault\tExtra")
    expect([line.split("\t")[0] for line in lines[1:]],
           ["id", "big", "price", "day", "at", "name", "on_air"])
    expect(client(server, "quanta", "-B", "-e", "DESCRIBE types"), out)
    assert "PRI" in lines[1], lines
    out = client(server, "quanta", "-BN", "-e", "SHOW CREATE TABLE types")
    assert out.startswith("types\tCREATE TABLE `types`"), out


def test_show_create_can_be_run(server):
    made = client(server, "quanta", "-BN", "--raw", "-e", "SHOW CREATE TABLE types").split("\t", 1)[1]
    client(server, "quanta", text=made.replace("`types`", "`again`", 1) + ";\n")
    again = client(server, "quanta", "-B", "-e", "DESCRIBE again")
    client(server, "quanta", "-e", "DROP TABLE again")
    expect(again, client(server, "quanta", "-B", "-e", "DESCRIBE types"))


def test_status(server):
    out = client(server, "quanta", text="\\s\n")
    for pattern in (r"Current database:\s+quanta", r"Current user:\s+demo", r"Server version:.*\d",
                    r"Protocol version:\s+10", r"Server characterset:\s+utf8mb4"):
        assert re.search(pattern, out), f"{pattern} in {out}"


def test_what_a_client_asks_when_interactive(server):
    out = client(server, "quanta", "--auto-rehash", "-BN", "-e", "SELECT 1")
    expect(out, "1\n")
    client(server, "quanta", "-BN", "-e",
           "SELECT @@version_comment LIMIT 1; SHOW WARNINGS; SHOW VARIABLES LIKE 'character_set%'; "
           "SET NAMES utf8mb4; SELECT connection_id() > 0, user(), version()")


def test_long_rows_of_the_client(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE wide (id INT PRIMARY KEY, s VARCHAR(60000))")
        cur.execute("INSERT INTO wide VALUES (1, %s)", ("é" * 20000,))
        cur.execute("SELECT s FROM wide")
        expect(cur.fetchone()[0], "é" * 20000)
        cur.execute("DROP TABLE wide")


def test_pymysql_types(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT id, big, price, day, at, name, on_air FROM types ORDER BY id")
        rows = cur.fetchall()
        expect(list(rows), ROWS)
        for column, kind in enumerate((int, int, Decimal, datetime.date, datetime.datetime, str, int)):
            expect(type(rows[0][column]), kind, cur.description[column][0])
        expect([d[0] for d in cur.description], ["id", "big", "price", "day", "at", "name", "on_air"])
        expect(cur.rowcount, 3)
        cur.execute("SELECT count(*), sum(price), avg(big), min(day), max(at), sum(big) FROM types")
        found = cur.fetchone()
        expect(found[0], 3)
        expect(found[1], Decimal("-12.50"))
        expect((type(found[2]), type(found[5])), (Decimal, Decimal), "types of avg and sum")
        expect(found[3:5], (datetime.date(1970, 1, 1), ROWS[0][4]))
        cur.execute("SELECT 1, 1.5, 'x', NULL, 1 = 1, 7 / 2")
        expect(cur.fetchone(), (1, Decimal("1.5"), "x", None, 1, Decimal("3.5000")))


def test_pymysql_cursors(server):
    with server.connect() as conn:
        with conn.cursor(pymysql.cursors.DictCursor) as cur:
            cur.execute("SELECT id, name FROM types WHERE id = %s", (3,))
            expect(cur.fetchall(), [{"id": 3, "name": ""}])
        with conn.cursor(pymysql.cursors.SSCursor) as cur:
            cur.execute("SELECT id FROM types ORDER BY id DESC")
            expect([row[0] for row in cur], [3, 2, 1])
        with conn.cursor(pymysql.cursors.SSDictCursor) as cur:
            cur.execute("SELECT id FROM types ORDER BY id")
            expect(cur.fetchone(), {"id": 1})
        with conn.cursor() as cur:
            cur.execute("SELECT 2")
            expect(cur.fetchall(), ((2,),))


def test_pymysql_autocommit(server):
    with server.connect(autocommit=False) as conn, conn.cursor() as cur:
        cur.execute("INSERT INTO types (id) VALUES (100)")
        conn.commit()
        conn.begin()
        conn.rollback()
        conn.autocommit(True)
        expect(conn.get_autocommit(), True)
        expect(cur.execute("DELETE FROM types WHERE id = 100"), 1)


def test_pymysql_executemany(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE many (id INT PRIMARY KEY, s VARCHAR(20))")
        rows = [(i, f"text {i % 7}") for i in range(5000)]
        expect(cur.executemany("INSERT INTO many (id, s) VALUES (%s, %s)", rows), 5000)
        expect(server.value("SELECT count(*) FROM many WHERE s = 'text 3'"),
               sum(s == "text 3" for _, s in rows))
        expect(cur.execute("UPDATE many SET s = 'x' WHERE id < 10"), 10)
        expect(cur.execute("UPDATE many SET s = 'x' WHERE id < 10"), 0)
        expect(cur.execute("DELETE FROM many WHERE s = 'x'"), 10)
        with server.connect(client_flag=pymysql.constants.CLIENT.FOUND_ROWS) as other:
            expect(other.cursor().execute("UPDATE many SET s = 'y' WHERE id IN (20, 21, 5)"), 2)
            expect(other.cursor().execute("UPDATE many SET s = 'y' WHERE id IN (20, 21, 5)"), 2)
        cur.execute("DROP TABLE many")


def test_pymysql_errors(server):
    with server.connect() as conn, conn.cursor() as cur:
        for statement, kind, code in (
                ("SELECT x FROM types", pymysql.err.OperationalError, 1054),
                ("SELECT * FROM nothing", pymysql.err.ProgrammingError, 1146),
                ("SELEC", pymysql.err.ProgrammingError, 1064),
                ("INSERT INTO types (id) VALUES (1)", pymysql.err.IntegrityError, 1062)):
            try:
                cur.execute(statement)
            except pymysql.err.MySQLError as err:
                expect((type(err), err.args[0]), (kind, code), f"{statement}: {err}")
            else:
                raise AssertionError(f"{statement} went through")
            cur.execute("SELECT 1")
            expect(cur.fetchone(), (1,))


def test_pymysql_several_results(server):
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with server.connect(client_flag=flag) as conn, conn.cursor() as cur:
        cur.execute("SELECT 1; SELECT 2, 3; UPDATE types SET name = 'n' WHERE id = 77; SELECT 4")
        found = [cur.fetchall()]
        while cur.nextset():
            found.append(cur.fetchall())
        expect(found, [((1,),), ((2, 3),), (), ((4,),)])
        cur.execute("SELECT 5")
        expect(cur.fetchone(), (5,))


def test_pymysql_ping_and_change_of_database(server):
    with server.connect(database=None) as conn, conn.cursor() as cur:
        conn.ping(reconnect=False)
        try:
            cur.execute("SELECT * FROM types")
        except pymysql.err.MySQLError as err:
            expect(err.args[0], 1046, str(err))
        conn.select_db("quanta")
        expect(cur.execute("SELECT id FROM types"), 3)
        conn.character_set_name()
        assert conn.thread_id() > 0 and conn.get_server_info()


def test_client_that_begins_with_another_plugin(server):
    """As the clients of MySQL 8 do: they wait to be asked with a salt for caching_sha2_password."""
    for plugin in ("caching_sha2_password", "mysql_native_password", "client_ed25519"):
        for password in ((), ("--password=secret",)):
            expect(client(server, f"--default-auth={plugin}", *password, "quanta", "-BN", "-e",
                          "SELECT user()").split("@")[0], "demo", plugin)


def prepare_statement(wire, text):
    """Code of the error, 0, and the number of the statement."""
    answer = wire.command(COM_STMT_PREPARE, text)
    wire.rest()
    return error_code(answer), answer[1:5]


def test_limit_of_a_prepared_statement(server):
    """Clients send numbers as texts and doubles, too."""
    kinds = {b"2": (0xfd, b"\x012"), b"2.0": (0xfd, b"\x032.0"), b"double": (5, struct.pack("<d", 2)),
             b"long": (8, struct.pack("<q", 2)), b"-1": (0xfd, b"\x02-1"), b"half": (5, struct.pack("<d", .5)),
             b"two": (0xfd, b"\x03two"), b"": (0xfd, b"\0")}
    with Wire(server.ports["mysql"]) as wire:
        wire.log_in()
        code, statement = prepare_statement(wire, b"SELECT id FROM types ORDER BY id LIMIT ?")
        expect(code, 0)
        for name, (kind, value) in kinds.items():
            answer = wire.command(COM_STMT_EXECUTE, statement + b"\0\1\0\0\0" + b"\0\1" +
                                  bytes((kind, 0)) + value)
            rest = wire.rest()
            wrong = name in (b"-1", b"half", b"two", b"")
            expect(error_code(answer), 1210 if wrong else 0, name)
            if wrong:
                assert b"LIMIT: found '" in answer, answer
            else:
                expect(rest.count(b"\0\0\1\0\0\0") + rest.count(b"\0\0\2\0\0\0"), 2, name)


def test_one_statement_is_prepared(server):
    with Wire(server.ports["mysql"]) as wire:
        wire.log_in()
        for text, code in ((b"SELECT 1; SELECT 2", 1064), (b"SELECT 1; -- end", 0), (b"SELECT 1", 0)):
            expect(prepare_statement(wire, text)[0], code, text)


def test_any_user_with_an_empty_password(server):
    for user in ("root", "a" * 32, "grüße"):
        server.connect(user=user).close()
    try:
        server.connect(password="secret").close()
    except pymysql.err.MySQLError as err:
        expect(err.args[0], 1045, str(err))


if __name__ == "__main__":
    support.need("quanta")
    with Node() as node:
        prepare(node)
        support.run_tests(globals(), node, server=node)

#!/usr/bin/python3
"""LOAD DATA LOCAL INFILE: formats, columns and SET, errors, files larger than memory may hold, killed and cut loads."""

import os
import shutil
import struct
import sys
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import Node, expect, mariadb
from wire import CAPABILITIES, COM_QUERY, Wire, error_code, login, packet

import pymysql

PLACE = support.folder("load-")


def file_of(text, name="rows.txt"):
    """A file with that content; its path."""
    path = os.path.join(PLACE, name)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(server, text, clauses="", target="t", order="1"):
    """The table's rows after loading text, what the statement said, its warnings."""
    with server.connect(local_infile=True) as conn, conn.cursor() as cur:
        cur.execute("TRUNCATE TABLE t")
        head, _, tail = clauses.partition("->")
        n = cur.execute(f"LOAD DATA LOCAL INFILE '{file_of(text)}' {head} INTO TABLE {target} {tail}")
        said = conn._result.message[1:].decode()  # pylint: disable=protected-access; behind the length
        cur.execute("SHOW WARNINGS")
        codes = [code for _, code, _ in cur.fetchall()]
        cur.execute(f"SELECT * FROM t ORDER BY {order}")
        return n, said, codes, list(cur.fetchall())


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2) DEFAULT 7)")
        cur.execute("CREATE TABLE wide (id BIGINT PRIMARY KEY, s VARCHAR(200))")


def test_formats(server):
    seven = Decimal("7.00")
    for text, clauses, rows in (
            ("1\ta\t1.5\n2\t\\N\t\\N\n", "", [(1, "a", Decimal("1.50")), (2, None, None)]),
            ("1\ta\t1.5\n2\tb\t2", "", [(1, "a", Decimal("1.50")), (2, "b", Decimal("2.00"))]),
            ("1\ta\\tb\\n\\\\\\0\\Z\\q\t1\n", "", [(1, "a\tb\n\\\0\x1aq", Decimal("1.00"))]),
            ("1,\"a, \"\"b\"\"\",1\r\n2,c,NULL\r\n",
             "->FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n'",
             [(1, 'a, "b"', Decimal("1.00")), (2, "c", None)]),
            ("id;name\n\n1;'x\ny'\n", "->COLUMNS TERMINATED BY ';' ENCLOSED BY '\\'' IGNORE 2 LINES (id, name)",
             [(1, "x\ny", seven)]),
            ("1||a||3@@2||b||4@@", "->FIELDS TERMINATED BY '||' LINES TERMINATED BY '@@'",
             [(1, "a", Decimal("3.00")), (2, "b", Decimal("4.00"))]),
            ("junk>>1\tx\t1\nmore>>2\ty\t2\n", "->LINES STARTING BY '>>'",
             [(1, "x", Decimal("1.00")), (2, "y", Decimal("2.00"))]),
            ("1,a\\,1\n", "->FIELDS TERMINATED BY ',' ESCAPED BY ''", [(1, "a\\", Decimal("1.00"))]),
            ("1\tZürich 東京 🙂\t1\n", "->CHARACTER SET utf8mb4", [(1, "Zürich 東京 🙂", Decimal("1.00"))]),
            ("", "", []), ("x\n", "->IGNORE 1 LINES", []), ("x", "->IGNORE 5 ROWS", [])):
        n, said, codes, found = loaded(server, text, clauses)
        expect((n, found, codes), (len(rows), rows, []), repr((text, clauses)))
        expect(said, f"Records: {len(rows)}  Deleted: 0  Skipped: 0  Warnings: 0", clauses)


def test_columns_and_set(server):
    _, _, _, rows = loaded(server, "b\tx\t1\nc\ty\t2\n", "->(name, @skipped, id)")
    expect(rows, [(1, "b", Decimal("7.00")), (2, "c", Decimal("7.00"))])
    _, _, _, rows = loaded(server, "5\t2\n6\t\\N\n", "->(id, @p) SET price = @p * 1.5, name = concat('n', @p)")
    expect(rows, [(5, "n2", Decimal("3.00")), (6, None, None)])
    _, _, _, rows = loaded(server, "1\ta\t1\n", "->SET name = upper('set')")
    expect(rows, [(1, "SET", Decimal("1.00"))])


def test_rows_that_do_not_fit(server):
    n, said, codes, rows = loaded(server, "1\ta\n2\tb\t1\tmore\n1\tagain\t3\n")
    expect((n, codes), (2, [1261, 1262, 1062]))
    expect(said, "Records: 3  Deleted: 0  Skipped: 1  Warnings: 3")
    expect(rows, [(1, "a", Decimal("7.00")), (2, "b", Decimal("1.00"))])
    _, _, _, rows = loaded(server, "1\ta\t1\n1\tb\t2\n", "REPLACE->")
    expect(rows, [(1, "b", Decimal("2.00"))])
    with server.connect(local_infile=True) as conn, conn.cursor() as cur:
        for text, clauses, code in (("1\ta\tx\n", "", 1366), ("x\ta\t1\n", "", 1366), ("\\N\ta\t1\n", "", 1048),
                                    ("1\n", "(nothing)", 1054), ("1\n", "(id, id)", 1110),
                                    ("1\n", "(id) SET nothing = 1", 1054), ("1\n", "(id) SET name = nothing", 1054),
                                    ("1\n", "FIELDS TERMINATED BY ''", 1235),
                                    ("1\n", "CHARACTER SET latin1", 1235)):
            for rest in ("", "2\tb\t1\n" * 200000): # more to come after the error
                try:
                    cur.execute(f"LOAD DATA LOCAL INFILE '{file_of(text + rest)}' INTO TABLE t {clauses}")
                    raise AssertionError(f"no error: {text!r} {clauses}")
                except pymysql.err.MySQLError as err:
                    expect(err.args[0], code, f"{text!r} {clauses}: {err}")
                cur.execute("SELECT 1")
                expect(cur.fetchone(), (1,))
        for statement, code in ((f"LOAD DATA INFILE '{PLACE}/x' INTO TABLE t", 1235),
                                (f"LOAD DATA LOCAL INFILE '{PLACE}/x' INTO TABLE nothing", 1146),
                                ("LOAD XML LOCAL INFILE 'x' INTO TABLE t", 1235)):
            try:
                cur.execute(statement)
                raise AssertionError(statement)
            except pymysql.err.MySQLError as err:
                expect(err.args[0], code, str(err))


def test_clients_that_do_not_give_files(server):
    with server.connect() as conn, conn.cursor() as cur:
        try:
            cur.execute(f"LOAD DATA LOCAL INFILE '{PLACE}/x' INTO TABLE t")
        except pymysql.err.MySQLError as err:
            assert err.args[0] in (3948, 2068), err
        else:
            raise AssertionError("no error")


def test_large_file(server):
    """Many times what is held at once; a line of 20 MB; memory stays."""
    path = os.path.join(PLACE, "large.txt")
    rows = 400_000
    with open(path, "w", encoding="ascii") as file:
        for i in range(rows):
            file.write(f"{i}\trow {i} {'x' * 100}\n")
    done = mariadb(server.ports["mysql"], "--local-infile=1", "quanta", "-v", "-e",
                   f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE wide; SELECT 1")
    expect((done.returncode, done.stderr), (0, ""))
    expect(server.value("SELECT concat(count(*), ' ', sum(id), ' ', count(DISTINCT s)) FROM wide"),
           f"{rows} {rows * (rows - 1) // 2} {rows}")
    os.unlink(path)
    with server.connect(local_infile=True) as conn, conn.cursor() as cur:
        cur.execute("TRUNCATE TABLE wide")
        expect(cur.execute(f"LOAD DATA LOCAL INFILE '{file_of('5' + chr(9) + 'y' * 20_000_000)}' INTO TABLE wide "
                           "(id, @s) SET s = concat(left(@s, 3), length(@s))"), 1)
    expect(server.value("SELECT s FROM wide"), "yyy20000000")


def test_several_statements(server):
    path = file_of("1\ta\t1\n")
    with server.connect(local_infile=True, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS) as conn:
        with conn.cursor() as cur:
            cur.execute(f"TRUNCATE TABLE t; LOAD DATA LOCAL INFILE '{path}' INTO TABLE t; SELECT count(*) FROM t")
            while cur.nextset():
                last = cur.fetchall()
            expect(last, ((1,),))


def test_mariadb_import(server):
    with server.connect() as conn:
        conn.cursor().execute("TRUNCATE TABLE t")
    path = file_of("1\ta\t1\n2\tb\t2\n", "t.txt")
    matrix.run(["mariadb-import", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                f"--port={server.ports['mysql']}", "--user=demo", "--local", "quanta", path])
    expect(server.value("SELECT count(*) FROM t"), 2)


def begin_load(server):
    """A connection that was asked for its file, and its number."""
    wire = Wire(server.ports["mysql"])
    number = struct.unpack("<I", wire.greeting[wire.greeting.index(b"\0") + 1:][:4])[0]
    wire.sock.sendall(packet(login(capabilities=CAPABILITIES | 1 << 7), 1))
    expect(wire.receive()[1][0], 0)
    expect(wire.command(COM_QUERY, b"LOAD DATA LOCAL INFILE 'some name' INTO TABLE wide (id)"), b"\xfbsome name")
    return wire, number


def test_killed_and_cut(server):
    with server.connect() as conn:
        conn.cursor().execute("TRUNCATE TABLE wide")
        wire, number = begin_load(server)
        wire.sock.sendall(packet(b"1\n2\n", 2))
        conn.cursor().execute(f"KILL QUERY {number}")
        expect(error_code(wire.receive()[1]), 1317)
        expect(wire.drain(support.HANG_SECONDS), b"")  # it is closed
        wire, _ = begin_load(server)
        wire.sock.sendall(packet(b"1\n2\n", 2) + packet(b"3", 3))
        wire.abort()
        wire, _ = begin_load(server) # packets out of order
        wire.sock.sendall(packet(b"1\n2\n", 7))
        expect(error_code(wire.receive()[1]), 1156)
        wire, _ = begin_load(server) # one byte at a time, a ping right behind
        sequence = 2
        for one in b"77\n78":
            wire.sock.sendall(packet(bytes([one]), sequence))
            sequence += 1
        wire.sock.sendall(packet(b"", sequence) + packet(b"\x0e", 0))
        sequence_of_answer, answer = wire.receive()
        expect((sequence_of_answer, answer[:2]), (sequence + 1, b"\0\2"))
        expect(wire.receive()[1][0], 0)
    support.wait_for(lambda: server.value("SELECT count(*) FROM information_schema.processlist") <= 2, 10,
                     "connections end")
    expect(server.value("SELECT group_concat(id ORDER BY id) FROM wide"), "77,78")


if __name__ == "__main__":
    support.need("quanta")
    with Node() as node:
        prepare(node)
        try:
            support.run_tests(globals(), node, server=node)
        finally:
            shutil.rmtree(PLACE, ignore_errors=True)

#!/usr/bin/python3
"""
ALTER TABLE within the rules: columns of every kind are added to tables with rows while statements run, what cannot be
is refused with the column, what was found and what is allowed, and all of it is there after stops, crashes and
checkpoints.
"""

import contextlib
import os
import random
import shutil
import signal
import struct
import sys
import threading
import time
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta, wait_for
from wire import Wire, error_code

import pymysql

ROWS = 70_000  # more than a block
SCROLLED = 7_000
COM_STMT_PREPARE, COM_STMT_EXECUTE = 22, 23


def run(server, *statements):
    """Answers of all statements on one connection."""
    with server.connect() as conn, conn.cursor() as cur:
        found = []
        for statement in statements:
            cur.execute(statement)
            found.append(cur.fetchall())
        return found[0] if len(statements) == 1 else found


def refused(server, statement, code, *words):
    """The statement fails with the code, and its text has all the words."""
    try:
        run(server, statement)
    except pymysql.MySQLError as error:
        expect(error.args[0], code, f"{statement}: {error.args[1]}")
        for word in words:
            assert word in error.args[1], f"{statement}: {word!r} is not in {error.args[1]!r}"
    else:
        raise AssertionError(f"{statement} was not refused")


def fill(server, table="t", first=0, rows=ROWS, columns="id, n", step=10_000):
    with server.connect() as conn, conn.cursor() as cur:
        for at in range(first, first + rows, step):
            values = ",".join(f"({i}, {i % 97})" for i in range(at, min(at + step, first + rows)))
            cur.execute(f"INSERT INTO {table} ({columns}) VALUES {values}")


def kill(server):
    server.kill()
    server.start()


KINDS = [  # definition, default as written, what a row that was there has
    ("i INT DEFAULT 42", 42),
    ("i0 BIGINT", None),
    ("d DECIMAL(10,2) DEFAULT -1.25", Decimal("-1.25")),
    ("f DOUBLE", None),
    ("b BOOL DEFAULT 1", 1),
    ("b0 BOOL", None),
    ("s VARCHAR(40) DEFAULT 'it''s so'", "it's so"),
    ("s0 VARCHAR(40)", None),
    ("e ENUM('x','y') DEFAULT 'y'", "y"),
    ("e0 ENUM('x','y')", None),
    ("m SET('p','q','r') DEFAULT 'q,p'", "q,p"),
    ("m0 SET('p','q','r')", None),
    ("day DATE DEFAULT '2026-02-03'", "2026-02-03"),
    ("at DATETIME(3) DEFAULT '2026-02-03 04:05:06.789'", "2026-02-03 04:05:06.789000"),
    ("u INT COMMENT 'strategy=IntBuckets bounds=\"0,10,20\"' DEFAULT 13", None),
    ("r INT COMMENT 'strategy=IntDirect' DEFAULT 7", 7),
    ("nn INT NOT NULL DEFAULT 5", 5),
]


def check_kinds(server, table, count, old):
    """Rows below `old` were there before the columns; others were written without naming them."""
    names = [definition.split()[0] for definition, _ in KINDS]
    expect(run(server, f"SELECT count(*) FROM {table}"), ((count,),))
    found = run(server, f"SELECT {', '.join(names)} FROM {table} WHERE id IN (0, {old - 1})")
    expect(len(found), 2)
    for row in found:
        for name, value, (_, wanted) in zip(names, row, KINDS):
            if name == "u":
                wanted = value  # the bucket's number
            if wanted is not None and not isinstance(wanted, (int, Decimal)):
                value = str(value)
            expect(value, wanted, f"{table}.{name}")
    for name, (_, wanted) in zip(names, KINDS):
        have = run(server, f"SELECT count({name}), count(*) FROM {table} WHERE id < {old}")[0]
        expect(have, (0 if wanted is None and name != "u" else old, old), name)
    expect(run(server, f"SELECT sum(i), min(i), max(i), sum(d), count(DISTINCT s) FROM {table} WHERE id < {old}"),
           ((42 * old, 42, 42, Decimal("-1.25") * old, 1),))
    expect(run(server, f"SELECT e, count(*) FROM {table} WHERE id < {old} GROUP BY e"), (("y", old),))
    expect(run(server, f"SELECT m, count(*) FROM {table} WHERE id < {old} GROUP BY m ORDER BY m"),
           (("p", old), ("q", old)))
    expect(run(server, f"SELECT count(*) FROM {table} WHERE id < {old} AND s = 'it''s so' AND i0 IS NULL AND b"),
           ((old,),))


def test_all_kinds():
    """One statement adds columns of all storage kinds, with and without defaults; restarts of all sorts keep them."""
    with Node("--cores", "2", "--checkpoint-log", "1M") as server:
        run(server, "CREATE TABLE t (id INT PRIMARY KEY, n INT)",
            "CREATE TABLE h (id INT, n INT)")  # with a generated key
        for table in "t", "h":
            fill(server, table)
            started = time.monotonic()
            run(server, f"ALTER TABLE {table} " + ", ".join(f"ADD COLUMN {d}" for d, _ in KINDS))
            print(f"{len(KINDS)} columns, {ROWS} rows: {time.monotonic() - started:.3f} s")
            check_kinds(server, table, ROWS, ROWS)
            fill(server, table, first=ROWS, rows=1000)
            check_kinds(server, table, ROWS + 1000, ROWS)
            expect(run(server, f"SELECT i, s, nn, e0, m FROM {table} WHERE id = {ROWS + 1}"),
                   ((42, "it's so", 5, None, "q,p"),))
        kill(server)
        for table in "t", "h":
            check_kinds(server, table, ROWS + 1000, ROWS)
        run(server, f"UPDATE t SET i = 1, s = 'other', m = 'r', e0 = 'x' WHERE id = 5",
            "UPDATE h SET i = 1, s = 'other', m = 'r', e0 = 'x' WHERE id = 5")
        for stop in server.restart, lambda: kill(server):
            stop()
            for table in "t", "h":
                expect(run(server, f"SELECT i, s, m, e0, d FROM {table} WHERE id = 5"),
                       ((1, "other", "r", "x", Decimal("-1.25")),))
                expect(run(server, f"SELECT count(*) FROM {table} WHERE i = 42"), ((ROWS + 999,),))
        run(server, "DELETE FROM h WHERE i0 IS NULL AND id >= 10",
            "UPDATE h SET i0 = id WHERE d = -1.25")
        expect(run(server, "SELECT id, i0 FROM h ORDER BY id")[3:5], ((3, 3), (4, 4)))
        kill(server)
        expect(run(server, "SELECT count(*), sum(i0) FROM h"), ((10, 45),))


def test_told():
    """SHOW CREATE TABLE, DESCRIBE, information_schema and SELECT * know the column at once; comments change."""
    with Node("--cores", "2") as server:
        run(server, "CREATE TABLE t (id INT PRIMARY KEY, n INT) COMMENT='old'", "INSERT INTO t VALUES (1, 2)")
        with server.connect() as conn, conn.cursor() as cur:
            expect(cur.execute("ALTER TABLE t ADD c VARCHAR(10) DEFAULT 'x' COMMENT 'what', "
                               "ADD COLUMN e INT AFTER c, COMMENT='new'"), 0)
            cur.execute("SELECT * FROM t")
            expect([d[0] for d in cur.description], ["id", "n", "c", "e"])
            expect(cur.fetchall(), ((1, 2, "x", None),))
        text = run(server, "SHOW CREATE TABLE t")[0][1]
        assert "`c` varchar(10) DEFAULT 'x'" in text and "COMMENT='new'" in text, text
        expect([r[0] for r in run(server, "DESCRIBE t")], ["id", "n", "c", "e"])
        expect(run(server, "SELECT column_name, ordinal_position, column_default FROM information_schema.columns "
                           "WHERE table_name = 't' ORDER BY ordinal_position")[2:], (("c", 3, "x"), ("e", 4, None)))
        run(server, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c INT", "ALTER TABLE t DROP COLUMN IF EXISTS nosuch",
            "ALTER TABLE t MODIFY c VARCHAR(99) DEFAULT 'y'", "ALTER TABLE t ALTER e SET DEFAULT 9",
            "ALTER TABLE t ADD INDEX k (c)", "ALTER TABLE t DISABLE KEYS", "ALTER TABLE t ENGINE=InnoDB",
            "INSERT INTO t (id) VALUES (2)", "ALTER TABLE t ALTER COLUMN e DROP DEFAULT",
            "INSERT INTO t (id) VALUES (3)")
        expect(run(server, "SELECT * FROM t ORDER BY id"),
               ((1, 2, "x", None), (2, None, "y", 9), (3, None, "y", None)))
        kill(server)
        expect(run(server, "SELECT * FROM t ORDER BY id"),
               ((1, 2, "x", None), (2, None, "y", 9), (3, None, "y", None)))
        text = run(server, "SHOW CREATE TABLE t")[0][1]
        assert "`c` varchar(99) DEFAULT 'y'" in text and "COMMENT 'what'" not in text, text


def test_defaults_that_are_calls():
    """now() is the moment of the statement, another call what it says once, for the rows that are there."""
    with Node("--cores", "2") as server:
        run(server, "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
        before = run(server, "SELECT now()")[0][0]
        run(server, "ALTER TABLE t ADD at DATETIME NOT NULL DEFAULT now(), ADD u VARCHAR(40) DEFAULT (uuid())")
        (at1, u1), (at2, u2) = run(server, "SELECT at, u FROM t ORDER BY id")
        assert before <= at1 == at2 <= run(server, "SELECT now()")[0][0]
        assert len(u1) == 36 and u1 == u2
        kill(server)
        expect(run(server, "SELECT at, u FROM t ORDER BY id"), ((at1, u1), (at2, u2)))


def test_refused():
    """The rules, with their texts; nothing of a refused statement is done."""
    with Node("--cores", "2") as server:
        run(server, "CREATE TABLE p (id INT PRIMARY KEY)",
            "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL, d DECIMAL(8,2), e VARCHAR(9) COMMENT 'strategy=StringEnum')",
            "INSERT INTO t VALUES (1, 2, 3, 'x')")
        before = run(server, "SHOW CREATE TABLE t")
        for statement, code, *words in (
                ("DROP COLUMN n", 1846, "attribute cannot be dropped: n"),
                ("DROP COLUMN nosuch", 1091, "nosuch"),
                ("ADD c INT FIRST", 1846, "FIRST", "the end"),
                ("ADD c INT AFTER id", 1846, "id", "the end"),
                ("ADD n INT", 1060, "n"),
                ("ADD c INT NOT NULL", 1846, "'c'", "required", "NULL"),
                ("ADD c INT DEFAULT 'x'", 1067, "c", "x"),
                ("ADD c INT PRIMARY KEY", 1846, "primaryKey"),
                ("ADD c INT UNIQUE", 1235, "UNIQUE"),
                ("ADD c INT REFERENCES nosuch (id)", 1146, "nosuch"),
                ("ADD c TIME", 1235, "TIME"),
                ("ADD c INT, DROP COLUMN d", 1846, "attribute cannot be dropped: d"),
                ("MODIFY n BIGINT", 1846, "'n'", "required", "found false", "allowed: true"),
                ("MODIFY n VARCHAR(9) NOT NULL", 1846, "'n'", "type", "String", "Integer"),
                ("MODIFY d DECIMAL(9,3)", 1846, "'d'", "scale", "found 3", "allowed: 2"),
                ("MODIFY e VARCHAR(9) COMMENT 'strategy=StringHashBSI'", 1846, "'e'", "mappingStrategy",
                 "StringHashBSI", "StringEnum"),
                ("MODIFY nosuch INT", 1054, "nosuch"),
                ("MODIFY d DECIMAL(8,2) FIRST", 1846, "place"),
                ("CHANGE d dd DECIMAL(8,2)", 1846, "dd", "names"),
                ("RENAME COLUMN d TO dd", 1235, "RENAME COLUMN"),
                ("RENAME TO tt, ADD c INT", 1235, "RENAME"),
                ("ADD PRIMARY KEY (n)", 1846, "primaryKey"),
                ("DROP PRIMARY KEY", 1846, "primaryKey"),
                ("ADD FOREIGN KEY (n) REFERENCES p (id)", 1846, "foreignKey"),
                ("ADD UNIQUE (n)", 1235, "UNIQUE"),
                ("SHARD_KEY='id'", 1846, "shardKey", "id", "nothing"),
                ("TIME_QUANTUM_TYPE='YMD'", 1105, "timeQuantum"),
                ("RETENTION='9d'", 1505, "retention")):
            refused(server, f"ALTER TABLE t {statement}", code, *words)
        refused(server, "ALTER TABLE nosuch ADD c INT", 1146, "nosuch")
        refused(server, "ALTER TABLE information_schema.tables ADD c INT", 1044)
        expect(run(server, "SHOW CREATE TABLE t"), before)
        expect(run(server, "SELECT * FROM t"), ((1, 2, Decimal("3.00"), "x"),))
        run(server, "ALTER TABLE t MODIFY e VARCHAR(20)", "ALTER TABLE t ADD c INT REFERENCES p (id)",
            "ALTER TABLE t CHANGE n n INT NOT NULL COMMENT 'said'")
        refused(server, "DROP TABLE p", 3730)
        run(server, "ALTER TABLE t ADD txt TEXT DEFAULT 'Ein Wort', ADD FULLTEXT (txt)",
            "INSERT INTO t (id, n, txt) VALUES (2, 2, 'viele andere')")
        expect(run(server, "SELECT id FROM t WHERE MATCH (txt) AGAINST ('wort')"), ((1,),))
        server.restart()
        text = run(server, "SHOW CREATE TABLE t")[0][1]
        assert "strategy=StringEnum" in text and "varchar(20)" in text and "said" in text, text


def test_partitions_and_truncate():
    """Partitions come and go, tables are emptied, before and after; the columns stay."""
    with Node("--cores", "2", "--checkpoint-log", "1M") as server:
        run(server, "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME, v INT) time_quantum_type='YMD' time_quantum_field='at'",
            "INSERT INTO t VALUES " + ",".join(f"({i}, '2026-01-{1 + i % 9:02d} 10:00:00', {i})" for i in range(900)),
            "ALTER TABLE t DROP PARTITION p20260101", "ALTER TABLE t ADD c INT DEFAULT 1, ADD s VARCHAR(9)",
            "ALTER TABLE t DROP PARTITION p20260102", "INSERT INTO t (id, at) VALUES (9999, '2026-01-01 00:00:00')")
        for stop in (lambda: None, lambda: kill(server), server.restart):
            stop()
            expect(run(server, "SELECT count(*), sum(c), count(s) FROM t"), ((701, 701, 0),))
        run(server, "TRUNCATE TABLE t", "INSERT INTO t (id, at, s) VALUES (1, '2026-01-01 00:00:00', 'x')",
            "ALTER TABLE t ADD z INT DEFAULT -3")
        for stop in (lambda: None, lambda: kill(server), server.restart):
            stop()
            expect(run(server, "SELECT id, c, s, z FROM t"), ((1, 1, "x", -3),))


class Work:
    """Threads that write and read while the table is altered; each counts what it did, the first error ends all."""

    def __init__(self, server):
        self.server, self.errors, self.done, self.counts = server, [], threading.Event(), {}
        self.threads = []

    def begin(self, name, function):
        def body():
            conn = self.server.connect()
            try:
                with conn.cursor() as cur:
                    while not self.done.is_set():
                        function(cur)
                        self.counts[name] = self.counts.get(name, 0) + 1
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(f"{name}: {error!r}")
                self.done.set()
            finally:
                conn.close()
        thread = threading.Thread(target=body)
        self.threads.append(thread)
        thread.start()

    def end(self):
        self.done.set()
        for thread in self.threads:
            thread.join()
        expect(self.errors, [])


def statements_meanwhile(server, columns, crash):
    """Every acknowledged row is there once with the right values, whatever definition its statement was planned with."""
    run(server, "CREATE TABLE t (id INT PRIMARY KEY, n INT)", "CREATE TABLE h (id INT, n INT)")
    fill(server)
    fill(server, "h")
    written, lock = {"t": ROWS, "h": ROWS}, threading.Lock()
    work = Work(server)

    def insert(table):
        def once(cur):
            with lock:
                first = written[table]
                written[table] += 7
            values = ",".join(f"({i}, {i % 97})" for i in range(first, first + 7))
            expect(cur.execute(f"INSERT INTO {table} (id, n) VALUES {values}"), 7)
        return once

    def update(cur):
        cur.execute("UPDATE t SET n = n + 0 WHERE id < 500")

    def read(cur):
        cur.execute("SELECT count(*), sum(id < 70000), sum(CASE WHEN id < 70000 THEN n END) FROM t")
        rows = cur.fetchone()
        assert rows[0] >= ROWS and rows[1] == ROWS and rows[2] == expected, rows

    def scroll(cur):
        cur.execute(f"SELECT * FROM h WHERE id < {SCROLLED}")
        names = [d[0] for d in cur.description]
        rows = cur.fetchall()
        expect(len(rows), SCROLLED)
        for row in rows[::97]:
            assert row[1] == row[0] % 97, row
            for name, value in zip(names[2:], row[2:]):
                assert value == (int(name[1:]) if name[0] == "c" else None), (name, value)

    expected = sum(i % 97 for i in range(ROWS))
    work.begin("insert", insert("t"))
    work.begin("insert h", insert("h"))
    work.begin("update", update)
    work.begin("read", read)
    work.begin("scroll", scroll)
    for i in range(columns):
        time.sleep(0.3)
        for table in "t", "h":
            run(server, f"ALTER TABLE {table} ADD c{i} INT DEFAULT {i}, ADD s{i} VARCHAR(9)")
        if work.done.is_set():
            break
    time.sleep(0.5)
    work.end()
    print(work.counts)
    for table in "t", "h":
        def check():
            sums = ", ".join(f"sum(c{i}), count(s{i})" for i in range(columns))
            n = written[table]
            found = run(server, f"SELECT count(*), sum(n), count(DISTINCT id), {sums} FROM {table}")[0]
            expect(found, (n, sum(i % 97 for i in range(n)), n) + sum(((i * n, 0) for i in range(columns)), ()))
        check()
        crash()
        check()


def test_statements_meanwhile():
    """Of the server itself, with checkpoints all the time."""
    with Node("--cores", "2", "--checkpoint-log", "1M") as server:
        statements_meanwhile(server, 8, lambda: kill(server))


class Site:
    """Two nodes of one cluster and the proxies before them; connections go to one of these by chance."""

    def __init__(self, stack):
        self.stack, self.nodes = stack, []
        dirs = [os.path.join(folder("node-"), name) for name in ("one", "two")]
        with self.node(dirs[0]):  # nodes of a cluster hash alike
            pass
        os.mkdir(dirs[1], 0o700)
        shutil.copy(os.path.join(dirs[0], "quanta.meta"), dirs[1])
        for path in dirs:
            node = self.node(path)
            stack.enter_context(node)
            self.nodes.append(node)
        self.ports = [self.proxy(), self.proxy()]

    @staticmethod
    def node(path):
        """Not started."""
        return quanta.Server("quanta-node", "--data-dir", path, "--grpc-port", support.free_port(), "--http-port", 0, "--slots", 4,
                             "--cores", 2, "--checkpoint-log", "1M")

    def proxy(self, *arguments):
        """MySQL port of one more proxy."""
        nodes = ",".join(f"127.0.0.1:{node.ports['grpc']}" for node in self.nodes)
        proxy = quanta.Server("quanta-proxy", "--node", nodes, "--cores", 2, "--mysql-port", 0, "--token-port", 0,
                              "--http-port", 0, *arguments)
        self.stack.enter_context(proxy)
        return proxy.ports["mysql"]

    def connect(self):
        """As Node.connect."""
        return pymysql.connect(host="127.0.0.1", port=random.choice(self.ports), user="root", database="quanta",
                               autocommit=True, read_timeout=support.HANG_SECONDS)

    def crash(self):
        """Both nodes at once."""
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            node.start()
        wait_for(self.answers, 30, "the proxies find the nodes again")

    def answers(self):
        """Whether both proxies can be asked."""
        for port in self.ports * 4:
            try:
                with quanta.connect(port) as conn, conn.cursor() as cur:
                    cur.execute("SELECT count(*) FROM t")
            except pymysql.MySQLError:
                return False
        return True


def test_nodes_and_proxies():
    """The same through two proxies before two nodes, which get the columns one after the other."""
    with contextlib.ExitStack() as stack:
        site = Site(stack)
        statements_meanwhile(site, 5, site.crash)
        refused(site, "ALTER TABLE t DROP COLUMN n", 1846, "attribute cannot be dropped: n")
        refused(site, "ALTER TABLE nosuch ADD n INT", 1146)


def prepare(wire, text):
    answer = wire.command(COM_STMT_PREPARE, text)
    expect(error_code(answer), 0, text)
    wire.rest()
    return answer[1:5]


def execute(wire, statement, *numbers):
    """The first byte of the answer: the number of columns, 0 = OK."""
    values = b"\0\1" + b"\x08\0" * len(numbers) + struct.pack(f"<{len(numbers)}q", *numbers) if numbers else b""
    answer = wire.command(COM_STMT_EXECUTE, statement + b"\0\1\0\0\0" + values)
    expect(error_code(answer), 0, str(answer))
    wire.rest()
    return answer[0]


def test_prepared():
    """Statements that were prepared before see and fill the columns that came, on other proxies a moment later."""
    with contextlib.ExitStack() as stack:
        site, server = Site(stack), stack.enter_context(Node("--cores", "2"))
        for where, ports in (site, site.ports), (server, [server.ports["mysql"]]):
            run(where, "CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1, 2)")
            with contextlib.ExitStack() as wires:
                clients = [wires.enter_context(Wire(port)).log_in() for port in ports * 3]
                known = [(c, prepare(c, b"SELECT * FROM t"), prepare(c, b"INSERT INTO t (id, n) VALUES (?, ?)"))
                         for c in clients]
                for client, select, _ in known:
                    expect(execute(client, select), 2)
                run(where, "ALTER TABLE t ADD c INT DEFAULT 7")
                for i, (client, select, insert) in enumerate(known):
                    wait_for(lambda: execute(client, select) == 3, 20, "the new column")
                    expect(execute(client, insert, i + 10, 5), 0)
                run(where, "ALTER TABLE t ADD d INT, ALTER c SET DEFAULT 8")
                for i, (client, select, insert) in enumerate(known):
                    wait_for(lambda: execute(client, select) == 4, 20, "the other new column")
                    expect(execute(client, insert, i + 100, 5), 0)
            n = len(known)
            expect(run(where, "SELECT c, d, count(*) FROM t GROUP BY c, d ORDER BY c"),
                   ((7, None, n + 1), (8, None, n)))


SCHEMA = """tableName: t
primaryKey: id
{keys}attributes:
- {{ fieldName: id, type: Integer, mappingStrategy: IntBSI }}
{columns}"""


def test_schema_dir():
    """A changed file in the schema directory changes the table at the next start, when it may; the log tells."""
    schemas = folder("schemas-")
    os.mkdir(os.path.join(schemas, "t"))

    def write(columns, keys=""):
        with open(os.path.join(schemas, "t", "schema.yaml"), "w", encoding="ascii") as file:
            file.write(SCHEMA.format(columns="".join(f"- {{ fieldName: {c} }}\n" for c in columns), keys=keys))

    write(["a, type: Integer, mappingStrategy: IntBSI"])
    with Node("--cores", "2", schema_dir=schemas) as server:
        run(server, "INSERT INTO t VALUES (1, 2), (3, 4)")
        write(["b, type: String, mappingStrategy: StringEnum, defaultValue: x, required: true",
               "a, type: Integer, mappingStrategy: IntBSI, desc: said"], keys="desc: all\n")
        server.restart()
        assert any("'b'" in line and "addition is allowable" in line for line in server.errors), server.errors
        expect(run(server, "SELECT * FROM t ORDER BY id"), ((1, 2, "x"), (3, 4, "x")))
        run(server, "ALTER TABLE t ADD c INT", "INSERT INTO t VALUES (5, 6, 'y', 7)")
        kill(server)  # the file lacks c
        assert any("attribute cannot be dropped: c" in line for line in server.errors), server.errors
        expect(run(server, "SELECT * FROM t ORDER BY id"), ((1, 2, "x", None), (3, 4, "x", None), (5, 6, "y", 7)))
        write(["a, type: Float, mappingStrategy: FloatScaleBSI"])
        server.restart()
        assert any("'a'" in line and "found Float" in line for line in server.errors), server.errors
        expect(run(server, "SELECT count(*) FROM t"), ((3,),))


def test_loads_go_on():
    """A load that began before a column came goes on, and its rows have the column's default, too."""
    rows = os.path.join(folder("rows-"), "events.parquet")
    quanta.generate("events", 300_000, rows)
    with Node("--cores", "2", "--checkpoint-log", "1M", schema_dir=support.EVENTS_SCHEMAS) as server:
        failures = []

        def load():
            try:
                expect(quanta.load(server.ports["grpc"], rows, "events").new, 300_000)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        thread = threading.Thread(target=load)
        thread.start()
        n = 0
        while thread.is_alive() and n < 40:
            run(server, f"ALTER TABLE events ADD c{n} INT DEFAULT {n}, ADD s{n} VARCHAR(9) DEFAULT 'x{n}'")
            n += 1
            time.sleep(0.1)
        thread.join()
        expect(failures, [])
        print(f"{2 * n} columns came")
        wanted = tuple(v for i in range(n) for v in (300_000, i, i, 300_000, f"x{i}"))
        for stop in (lambda: None, lambda: kill(server), server.restart):
            stop()
            columns = ", ".join(f"count(c{i}), min(c{i}), max(c{i}), count(s{i}), min(s{i})" for i in range(n))
            expect(run(server, f"SELECT {columns} FROM events"), (wanted,))


def test_memory_is_short():
    """Columns come to rows of which most are on disk only; what there is no memory for is refused and changes nothing."""
    rows = os.path.join(folder("rows-"), "events.parquet")
    quanta.generate("events", 600_000, rows)
    with Node("--cores", "2", "--memory", "52M", "--checkpoint-log", "4M",
              schema_dir=support.EVENTS_SCHEMAS) as server:
        quanta.load(server.ports["grpc"], rows, "events")
        asked = "SELECT count(*), sum(duration), sum(revenue), min(ts), max(id) FROM events"
        before = run(server, asked)
        for i in range(6):
            run(server, f"ALTER TABLE events ADD c{i} INT DEFAULT {i}, ADD s{i} VARCHAR(9)")
            expect(run(server, asked), before)
        wanted = sum(((i * 600_000, 0) for i in range(6)), ())
        for stop in (lambda: None, lambda: kill(server), server.restart):
            stop()
            expect(run(server, "SELECT " + ", ".join(f"sum(c{i}), count(s{i})" for i in range(6)) + " FROM events"),
                   (wanted,))
            expect(run(server, asked), before)
        run(server, "UPDATE events SET c0 = 9 WHERE id < 1000")
        expect(run(server, "SELECT sum(c0) FROM events"), ((9000,),))


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy", "quanta-loader")
    support.run_tests(globals())

#!/usr/bin/python3
"""
Partitions are rewritten without their deleted rows, by OPTIMIZE TABLE and by themselves: what they took is free again,
every answer stays the same, and statements run meanwhile, with crashes.
"""

import contextlib
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta, wait_for

SEED = support.seed()
ROWS = 60000
TABLE = ("CREATE TABLE t (id INT NOT NULL, num INT, name VARCHAR(40), kind VARCHAR(10), "
         "tags SET('a', 'b', 'c', 'd'), amount DECIMAL(12,2), PRIMARY KEY (id))")
QUESTIONS = [
    "SELECT count(*), sum(num), min(num), max(num), count(name), sum(amount) FROM t",
    "SELECT kind, count(*), sum(num) FROM t GROUP BY kind ORDER BY kind",
    "SELECT tags, count(*) FROM t GROUP BY tags ORDER BY tags",
    "SELECT * FROM t WHERE id BETWEEN 30000 AND 30100 ORDER BY id",
    "SELECT * FROM t ORDER BY num DESC, id LIMIT 50",
    "SELECT count(*) FROM t WHERE name LIKE '%99%' AND num > 100",
    "SELECT * FROM t WHERE id = 31",
    "SELECT count(*) FROM t WHERE num IS NULL OR name IS NULL",
]


def values(first, rows):
    """Rows for INSERT: some NULLs, several values in tags."""
    out = []
    for i in range(first, first + rows):
        num = "NULL" if i % 11 == 0 else i * 7919 % 100003 - 50000
        name = "NULL" if i % 13 == 0 else f"'name {i * 31 % 2011}'"
        tags = ",".join("cadb"[: i % 5])
        out.append(f"({i}, {num}, {name}, 'k{i % 17}', '{tags}', {i % 1000}.25)")
    return ", ".join(out)


def fill(cur, rows=ROWS):
    """The table with its rows."""
    cur.execute(TABLE)
    for first in range(0, rows, 5000):
        cur.execute(f"INSERT INTO t VALUES {values(first, min(5000, rows - first))}")


def answers(server):
    """What every question is answered with."""
    out = []
    with server.connect() as conn, conn.cursor() as cur:
        for question in QUESTIONS:
            cur.execute(question)
            out.append(cur.fetchall())
    return out


def figure(server, name):
    """A counter of /metrics."""
    text = support.http_get(server.ports["http"], "/metrics")[2]
    for line in text.splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(f"no {name} in {text}")


def data_bytes(server):
    """On the disk, below the folder of data files."""
    return sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(os.path.join(server.data_dir, "data")) for name in names)


def data_length(server):
    """As the catalog tells it."""
    return server.value("SELECT data_length FROM information_schema.tables WHERE table_name = 't'")


def optimize(cur, names="t"):
    """OPTIMIZE TABLE: its answer."""
    cur.execute(f"OPTIMIZE TABLE {names}")
    expect([column[0] for column in cur.description], ["Table", "Op", "Msg_type", "Msg_text"])
    return [tuple(row) for row in cur.fetchall()]


OK = [("quanta.t", "optimize", "status", "OK")]


def test_optimize():
    """Memory and files shrink; the answers are those of before, also after restarts and a crash."""
    rows = 5 * ROWS
    with Node("--slots", "2", "--cores", "2") as server:
        with server.connect() as conn, conn.cursor() as cur:
            fill(cur, rows)
            length = data_length(server)
        server.restart()
        on_disk = data_bytes(server)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("DELETE FROM t WHERE id % 3 <> 1 AND id > 500")
            before = answers(server)
            left = server.value("SELECT count(*) FROM t")
            expect(optimize(cur), OK, "answer")
            expect(figure(server, "quanta_rewrite_rows_reclaimed_total"), rows - left, "rows gone")
            done = figure(server, "quanta_rewrites_total")
            expect(answers(server), before, "after the rewrite")
            expect(optimize(cur), OK, "nothing left to do")
            expect(figure(server, "quanta_rewrites_total"), done, "no more partitions")
            expect(optimize(cur, "t, nothing"),
                   OK + [("quanta.nothing", "optimize", "Error", "Table 'quanta.nothing' doesn't exist"),
                         ("quanta.nothing", "optimize", "status", "Operation failed")], "two tables")
            cur.execute("CHECK TABLE t")
            expect(tuple(cur.fetchone()), ("quanta.t", "check", "status", "OK"))
        server.kill()  # the files are still those of before
        server.start()
        expect(answers(server), before, "after a crash")
        with server.connect() as conn, conn.cursor() as cur:
            expect(optimize(cur), OK, "again")
        wait_for(lambda: data_length(server) < length * 0.75, 10, f"less memory than {length}")
        server.restart()
        wait_for(lambda: data_bytes(server) < on_disk * 0.75, 10, f"smaller files than {on_disk} bytes")
        expect(answers(server), before, "from the new files")
        server.kill()
        server.start()
        expect(answers(server), before, "from the new files, after a crash")
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute(f"INSERT IGNORE INTO t VALUES {values(10000, 5000)}")
            expect(cur.rowcount, sum(i % 3 != 1 for i in range(10000, 15000)), "keys that are gone are free")
            cur.execute("UPDATE t SET num = 5 WHERE id < 15000")
            cur.execute("DELETE FROM t")
            expect(optimize(cur), OK, "nothing stays")
        server.restart()
        expect(server.value("SELECT count(*) FROM t"), 0, "an empty table")


def test_relations():
    """Parents are rewritten, deleted and inserted again: their children find them by key."""
    question = ("SELECT p.name, count(*), sum(c.v) FROM child c INNER JOIN parent p "
                "ON c.parent = p.id GROUP BY p.name ORDER BY p.name")
    with Node("--slots", "4", "--cores", "2") as server, server.connect() as conn:
        cur = conn.cursor()
        cur.execute("CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(20))")
        cur.execute("CREATE TABLE child (id INT PRIMARY KEY, parent INT REFERENCES parent (id), v INT)")
        for first in range(0, 6000, 2000):
            cur.execute("INSERT INTO parent VALUES " + ", ".join(
                f"({i}, 'p{i % 50}')" for i in range(first, first + 2000)))
            cur.execute("INSERT INTO child VALUES " + ", ".join(
                f"({i}, {i * 7 % 6000}, {i})" for i in range(first, first + 2000)))
        cur.execute("DELETE FROM parent WHERE id % 2 = 0")
        cur.execute(question)
        without = cur.fetchall()
        optimize(cur, "parent, child")
        cur.execute(question)
        expect(cur.fetchall(), without, "parents that stayed")
        cur.execute("INSERT INTO parent VALUES " + ", ".join(
            f"({i}, 'p{i % 50}')" for i in range(0, 6000, 2)))
        cur.execute(question)
        all_rows = cur.fetchall()
        expect(sum(row[1] for row in all_rows), 6000, "children")
        cur.execute("DELETE FROM child WHERE id % 5 = 0")
        cur.execute(question)
        fewer = cur.fetchall()
        optimize(cur, "child, parent")
        cur.execute(question)
        expect(cur.fetchall(), fewer, "after children went")
        server.kill()
        server.start()
        with server.connect() as again, again.cursor() as other:
            other.execute(question)
            expect(other.fetchall(), fewer, "after a crash")


class Changer(threading.Thread):
    """Changes, deletes and inserts rows of its own; keeps what was acknowledged, and what was under way."""

    def __init__(self, server, number, journal):
        super().__init__()
        self.server, self.number, self.journal = server, number, journal
        self.random = random.Random(SEED * 100 + number)
        self.under_way, self.stopping, self.error = None, False, None

    def change(self, cur, key):
        """One statement for a key of its own: the row as it is then; None = none."""
        now = self.journal.get(key)
        if now is None:
            value = self.random.randrange(1000)
            self.under_way = (key, value)
            cur.execute(f"INSERT INTO t VALUES ({key}, {value}, 'n{value}', 'mine', 'a,b', 1.5)")
        elif self.random.randrange(3) == 0:
            self.under_way = (key, None)
            cur.execute(f"DELETE FROM t WHERE id = {key}")
            value = None
        else:
            value = self.random.randrange(1000)
            self.under_way = (key, value)
            cur.execute(f"UPDATE t SET num = {value}, name = 'n{value}' WHERE id = {key}")
        if cur.rowcount not in (0, 1) or (now is None and cur.rowcount != 1):
            self.error = f"{self.under_way} over {now}: {cur.rowcount} rows"
        self.journal[key] = value
        self.under_way = None

    def run(self):
        with self.server.connect() as conn, contextlib.suppress(quanta.pymysql.MySQLError):
            cur = conn.cursor()
            while not self.stopping and not self.error:
                self.change(cur, ROWS + self.number * 1000 + self.random.randrange(300))


class Checker(threading.Thread):
    """Rows that nobody changes are all there, once, at all times."""

    def __init__(self, server, wanted):
        super().__init__()
        self.server, self.wanted, self.stopping, self.error, self.checks = server, wanted, False, None, 0

    def run(self):
        with self.server.connect() as conn, contextlib.suppress(quanta.pymysql.MySQLError):
            cur = conn.cursor()
            while not self.stopping and not self.error:
                cur.execute(f"SELECT count(*), sum(num), count(name) FROM t WHERE id < {ROWS}")
                found = cur.fetchone()
                if found != self.wanted:
                    self.error = f"{found} instead of {self.wanted}"
                self.checks += 1


def load_round(server, journals):
    """Rewrites over and over under load, then a crash: exactly what was acknowledged is there."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(f"SELECT count(*), sum(num), count(name) FROM t WHERE id < {ROWS}")
        wanted = cur.fetchone()
    workers = [Changer(server, n, journal) for n, journal in enumerate(journals)]
    workers += [Checker(server, wanted), Checker(server, wanted)]
    for worker in workers:
        worker.start()
    with server.connect() as conn, conn.cursor() as cur:
        done = figure(server, "quanta_rewrites_total")
        end = time.monotonic() + 3
        # Three seconds of it, and longer on a machine that is too busy for some rewrites and checks in that time.
        while time.monotonic() < end or figure(server, "quanta_rewrites_total") < done + 4 or \
                not all(worker.checks for worker in workers[-2:]):
            assert time.monotonic() < end + support.HANG_SECONDS, "no rewrites"
            expect(optimize(cur), OK)
    server.kill()
    for worker in workers:
        worker.stopping = True
        worker.join()
        expect(worker.error, None, f"seed {SEED}")
    server.start()
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute(f"SELECT count(*), sum(num), count(name) FROM t WHERE id < {ROWS}")
        expect(cur.fetchone(), wanted, "rows that nobody changed")
        for number, worker in enumerate(workers[:-2]):
            low = ROWS + number * 1000
            cur.execute(f"SELECT id, num, name FROM t WHERE id >= {low} AND id < {low + 1000}")
            found = {row[0]: row[1] for row in cur.fetchall() if row[2] == f"n{row[1]}"}
            for key in set(found) | set(worker.journal):
                may_be = {worker.journal.get(key)}
                if worker.under_way and worker.under_way[0] == key:
                    may_be.add(worker.under_way[1])
                assert found.get(key) in may_be, (SEED, key, found.get(key), may_be)
            worker.journal.clear()
            worker.journal.update(found)


def test_under_load_and_crashes():
    """Statements and checkpoints go on while every partition is rewritten."""
    with Node("--slots", "4", "--cores", "2", "--checkpoint-log", "256K") as server:
        with server.connect() as conn, conn.cursor() as cur:
            fill(cur)
            cur.execute("DELETE FROM t WHERE id % 4 = 0")
        journals = [{} for _ in range(3)]
        for _ in range(5):
            load_round(server, journals)
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute(f"DELETE FROM t WHERE id < {ROWS} AND id % 10 = {random.Random(SEED).randrange(10)}")


def test_by_themselves():
    """Partitions that lost many rows are rewritten soon, and their memory is free."""
    with Node("--slots", "2", "--cores", "2") as server:
        with server.connect() as conn, conn.cursor() as cur:
            fill(cur)
            cur.execute("DELETE FROM t WHERE id % 2 = 0")
            before = answers(server)
            wait_for(lambda: figure(server, "quanta_rewrite_rows_reclaimed_total") == ROWS // 2, 60,
                     "both slots are rewritten")
            expect(answers(server), before, "answers")
        server.kill()
        server.start()
        expect(answers(server), before, "after a crash")


def test_through_a_proxy():
    """The same statement, over gRPC."""
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(quanta.Server(
            "quanta-node", "--data-dir", os.path.join(folder("node-"), "data"), "--slots", 4,
            "--grpc-port", 0, "--http-port", 0, "--consul-endpoint", "none"))
        proxy = stack.enter_context(quanta.Server(
            "quanta-proxy", "--node", f"127.0.0.1:{node.ports['grpc']}", "--mysql-port", 0,
            "--token-port", 0, "--http-port", 0, "--bind", "127.0.0.1"))
        proxy.connect = lambda: quanta.pymysql.connect(
            host="127.0.0.1", port=proxy.ports["mysql"], user="root", database="quanta", autocommit=True)
        with proxy.connect() as conn, conn.cursor() as cur:
            fill(cur, 20000)
            cur.execute("DELETE FROM t WHERE id % 2 = 0")
            before = answers(proxy)
            expect(optimize(cur), OK)
            expect(answers(proxy), before)
            expect(optimize(cur, "nothing")[-1], ("quanta.nothing", "optimize", "status", "Operation failed"))
        expect(figure(node, "quanta_rewrite_rows_reclaimed_total"), 10000, "rows gone")


def test_it_ends_early():
    """KILL QUERY and the end of the server do not wait for it."""
    with Node("--slots", "4", "--cores", "2") as server:
        with server.connect() as conn, conn.cursor() as cur:
            fill(cur)
        for end in ("kill", "stop"):
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute("DELETE FROM t WHERE id % 5 = 0 OR id % 7 = 0")
            before = answers(server)
            ended = []
            with server.connect() as busy, server.connect() as other:
                def work(cur=busy.cursor(), ended=ended):
                    try:
                        ended.append(optimize(cur) == OK)
                    except quanta.pymysql.MySQLError as error:
                        ended.append(error.args[0])
                thread = threading.Thread(target=work)
                thread.start()
                if end == "kill":
                    other.cursor().execute(f"KILL QUERY {busy.thread_id()}")
                    thread.join()
                else:
                    server.stop()
                    thread.join()
                    server.start()
            assert ended[0] in (True, 1317, 1053, 2013, 2006, 0), ended
            expect(answers(server), before, end)


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy")
    support.run_tests(globals())

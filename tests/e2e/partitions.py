#!/usr/bin/python3
"""
Time partitions: dropped while rows are written and read, with a crash right after, through a proxy, and by age.
"""

import contextlib
import datetime
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta, wait_for

TABLE = ("CREATE TABLE {name} (id INT NOT NULL, ts {type} NOT NULL, num INT, name VARCHAR(20), "
         "PRIMARY KEY (id)) time_quantum_field='ts' time_quantum_type='{quantum}'{more}")
DAYS = [datetime.date(2026, 1, 1) + datetime.timedelta(days=n) for n in range(5)]
ROWS = 400


def create(cur, name="t", kind="DATETIME", quantum="YMD", more=""):
    """A table with partitions."""
    cur.execute(TABLE.format(name=name, type=kind, quantum=quantum, more=more))


def insert(cur, day, first=0, rows=ROWS, name="t"):
    """Rows of a day."""
    values = ", ".join(f"({first + n}, '{day} {n % 24:02}:{n % 60:02}:00', {n}, 'n{n % 50}')"
                       for n in range(rows))
    cur.execute(f"INSERT INTO {name} VALUES {values}")


def fill(cur):
    """Some rows of every day."""
    create(cur)
    for n, day in enumerate(DAYS):
        insert(cur, day, n * ROWS)


def partitions(cur, name="t"):
    """(name, rows) of a table's partitions."""
    cur.execute("SELECT partition_name, table_rows FROM information_schema.partitions "
                f"WHERE table_name = '{name}' ORDER BY partition_ordinal_position")
    return [tuple(row) for row in cur.fetchall()]


def label(day):
    """What a day's partition is called."""
    return f"p{day:%Y%m%d}"


def drop(cur, *days, name="t"):
    """Drops the partitions of days."""
    cur.execute(f"ALTER TABLE {name} DROP PARTITION {', '.join(label(day) for day in days)}")


def code_of(cur, statement):
    """The number of the error a statement ends with."""
    try:
        cur.execute(statement)
    except quanta.pymysql.MySQLError as error:
        return error.args[0]
    return 0


def counts(cur, name="t"):
    """Rows by day."""
    cur.execute(f"SELECT date(ts), count(*) FROM {name} GROUP BY date(ts) ORDER BY 1")
    return {row[0]: row[1] for row in cur.fetchall()}


def data_files(server):
    """Names below the folder of data files."""
    return [name for _, _, names in os.walk(os.path.join(server.data_dir, "data")) for name in names]


def check_bounds(cur, kind, quantum):
    """Conditions on the time find the rows they name, and blocks of other partitions are not looked at."""
    create(cur, "b", kind, quantum)
    for n, day in enumerate(DAYS):
        insert(cur, day, n * ROWS, name="b")
    whole = kind == "DATE"
    times = [datetime.datetime.combine(day, datetime.time(0 if whole else n % 24, 0 if whole else n % 60))
             for day in DAYS for n in range(ROWS)]
    edges = [datetime.datetime.combine(DAYS[0], datetime.time()) + datetime.timedelta(hours=h)
             for h in (-30, 0, 5, 24, 30, 48, 71, 120, 150)]
    edges = [edge for edge in edges if not whole or not edge.hour]
    for lo in edges:
        for hi in edges:
            for text, keeps in ((f"ts >= '{lo}' AND ts < '{hi}'", lambda t: lo <= t < hi),
                                (f"ts BETWEEN '{lo}' AND '{hi}' AND num < 1000", lambda t: lo <= t <= hi),
                                (f"NOT ts BETWEEN '{lo}' AND '{hi}'", lambda t: not lo <= t <= hi),
                                (f"ts IN ('{lo}', '{hi}')", lambda t: t in (lo, hi)),
                                (f"ts < '{lo}' OR ts > '{hi}'", lambda t: t < lo or t > hi)):
                cur.execute(f"SELECT count(*) FROM b WHERE {text}")
                expect(cur.fetchone()[0], sum(map(keeps, times)), f"{kind} {quantum} {text}")
    cur.execute(f"EXPLAIN ANALYZE SELECT count(*) FROM b WHERE ts = '{DAYS[2]}'")
    found = re.findall(r"rows=(\d+) .*blocks=(\d+) skipped=(\d+)", "\n".join(row[0] for row in cur.fetchall()))
    rows, blocks, skipped = (sum(int(f[i]) for f in found) for i in range(3))
    expect(rows, len(times), "all rows are told")
    expect(0 < blocks - skipped <= 4, True, f"of {blocks} blocks {skipped} are skipped")
    cur.execute("DROP TABLE b")


def check_statements(cur):
    """What the statement does, and says when it cannot."""
    fill(cur)
    expect(partitions(cur), [(label(day), ROWS) for day in DAYS], "partitions")
    cur.execute("SELECT partition_method, partition_expression, partition_description, data_length > 0 "
                "FROM information_schema.partitions WHERE partition_name = 'p20260101'")
    expect(tuple(cur.fetchone()), ("RANGE", "ts", "2026-01-02 00:00:00", 1), "a partition")
    expect(code_of(cur, "ALTER TABLE t DROP PARTITION p20260101, p20270101"), 1507, "an unknown one")
    expect(code_of(cur, "ALTER TABLE t DROP PARTITION p20260231"), 1507, "no date")
    expect(code_of(cur, "ALTER TABLE t DROP PARTITION pmax"), 1507, "a name of no partition")
    expect(code_of(cur, "ALTER TABLE nothing DROP PARTITION p20260101"), 1146, "no table")
    expect(len(partitions(cur)), len(DAYS), "partitions after errors")
    cur.execute("CREATE TABLE plain (id INT PRIMARY KEY)")
    expect(code_of(cur, "ALTER TABLE plain DROP PARTITION p20260101"), 1505, "no partitions")
    expect(partitions(cur, "plain"), [(None, 0)], "a table without")
    drop(cur, DAYS[1], DAYS[3])
    left = [DAYS[0], DAYS[2], DAYS[4]]
    expect(partitions(cur), [(label(day), ROWS) for day in left], "what is left")
    expect(counts(cur), dict.fromkeys(left, ROWS), "rows")
    expect(code_of(cur, "ALTER TABLE t DROP PARTITION p20260102"), 1507, "dropped before")
    cur.execute(f"SELECT count(*) FROM t WHERE id = {ROWS + 3} AND ts = '2026-01-02 03:03:00'")
    expect(cur.fetchone()[0], 0, "a key of the dropped one")
    insert(cur, DAYS[1], ROWS, 7)
    expect(counts(cur)[DAYS[1]], 7, "rows written later")
    create(cur, "hours", quantum="YMDH")
    insert(cur, DAYS[0], name="hours", rows=48)
    expect(partitions(cur, "hours")[3], ("p2026010103", 2), "hours")
    expect(code_of(cur, "ALTER TABLE hours DROP PARTITION p20260101"), 1507, "a day of hours")
    cur.execute("ALTER TABLE hours DROP PARTITION p2026010103, p2026010100")
    expect(len(partitions(cur, "hours")), 22, "hours left")
    check_keyless(cur)


def check_keyless(cur):
    """Rows without a primary key: equal ones are rows of their own."""
    cur.execute("CREATE TABLE keyless (ts DATETIME NOT NULL, num INT, name VARCHAR(20)) time_quantum_field='ts' "
                "time_quantum_type='YMD'")
    expect(code_of(cur, "INSERT INTO keyless (num) VALUES (1)"), 1364, "no time")
    for day in DAYS:
        cur.execute("INSERT INTO keyless VALUES " + ", ".join([f"('{day} 01:02:03', 4, 'same')"] * 3))
    expect(counts(cur, "keyless"), dict.fromkeys(DAYS, 3), "rows without a key")
    expect(cur.execute(f"UPDATE keyless SET num = 5 WHERE ts < '{DAYS[2]}' LIMIT 4"), 4, "rows changed")
    expect(cur.execute(f"DELETE FROM keyless WHERE date(ts) = '{DAYS[4]}' LIMIT 1"), 1, "rows deleted")
    drop(cur, DAYS[2], name="keyless")
    cur.execute("SELECT date(ts), count(*), sum(num) FROM keyless GROUP BY 1 ORDER BY 1")
    found = {row[0]: (row[1], int(row[2])) for row in cur.fetchall()}
    expect({day: n for day, (n, _) in found.items()}, {DAYS[0]: 3, DAYS[1]: 3, DAYS[3]: 3, DAYS[4]: 2}, "rows left")
    expect(sum(total for _, total in found.values()), 11 * 4 + 4, "their sum")


def test_statements():
    """Also after a restart from the log, and from a checkpoint."""
    with Node("--slots", "4") as server, server.connect() as conn:
        cur = conn.cursor()
        check_statements(cur)
        before = counts(cur), partitions(cur, "hours"), counts(cur, "keyless")
        server.kill()
        server.start()
        for _ in range(2):
            with server.connect() as again:
                cur = again.cursor()
                expect((counts(cur), partitions(cur, "hours"), counts(cur, "keyless")), before, "after a restart")
            server.restart()
        with server.connect() as again:
            cur = again.cursor()
            files = len(data_files(server))
            drop(cur, DAYS[0], DAYS[1], DAYS[2])
            server.restart()
        assert len(data_files(server)) <= files - 3, (files, data_files(server))
        with server.connect() as again:
            expect(counts(again.cursor()), {DAYS[4]: ROWS}, "after the last restart")


def test_bounds():
    """A condition on the time asks the partitions it leaves."""
    with Node("--cores", "2") as server, server.connect() as conn:
        for kind, quantum in (("DATETIME", "YMD"), ("DATETIME(3)", "YMDH"), ("DATE", "YMD")):
            check_bounds(conn.cursor(), kind, quantum)


def test_through_a_proxy():
    """The same statements, over gRPC."""
    with contextlib.ExitStack() as stack:
        node = quanta.Server("quanta-node", "--data-dir", os.path.join(folder("node-"), "data"),
                             "--grpc-port", 0, "--http-port", 0, "--consul-endpoint", "none")
        stack.enter_context(node)
        proxy = quanta.Server("quanta-proxy", "--node", f"127.0.0.1:{node.ports['grpc']}",
                              "--mysql-port", 0, "--token-port", 0, "--http-port", 0, "--bind",
                              "127.0.0.1")
        stack.enter_context(proxy)
        with quanta.pymysql.connect(host="127.0.0.1", port=proxy.ports["mysql"], user="root",
                                    database="quanta", autocommit=True) as conn:
            check_statements(conn.cursor())


class Writer(threading.Thread):
    """Inserts rows of all days, one after the other; keeps what was acknowledged."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number
        self.acknowledged = {day: 0 for day in DAYS}
        self.stopping, self.error = False, None

    def run(self):
        first = (self.number + 1) * 1000000
        with self.server.connect() as conn, contextlib.suppress(Exception):
            cur = conn.cursor()
            while not self.stopping:
                for day in DAYS:
                    insert(cur, day, first, 3)
                    self.acknowledged[day] += 3
                    first += 3


class Reader(threading.Thread):
    """Counts a day that nobody drops: never fewer than before."""

    def __init__(self, server):
        super().__init__()
        self.server, self.stopping, self.error, self.reads = server, False, None, 0

    def run(self):
        last = 0
        with self.server.connect() as conn, contextlib.suppress(quanta.pymysql.MySQLError):
            cur = conn.cursor()
            while not self.stopping and not self.error:
                found = counts(cur)
                if found.get(DAYS[4], 0) < last:
                    self.error = f"{found[DAYS[4]]} rows after {last}"
                last = found.get(DAYS[4], 0)
                self.reads += 1


def acknowledged(writers):
    """Rows by day so far."""
    return {day: sum(w.acknowledged[day] for w in writers) for day in DAYS}


def load_round(server, number):
    """Drops under load, a crash right after; then exactly what was acknowledged is there."""
    with server.connect() as conn:
        base = counts(conn.cursor())
    writers = [Writer(server, n + 10 * number) for n in range(3)]
    readers = [Reader(server), Reader(server)]
    for worker in writers + readers:
        worker.start()
    with server.connect() as conn:
        cur = conn.cursor()
        for _ in range(3):
            wait_for(lambda: counts(cur).get(DAYS[1], 0) and counts(cur).get(DAYS[2], 0), 20,
                     "rows of both days")
            before = acknowledged(writers)
            drop(cur, DAYS[1], DAYS[2])
            after = acknowledged(writers)
        insert(cur, DAYS[2], 900000000, 5)
    server.kill()
    for worker in writers + readers:
        worker.stopping = True
        worker.join()
    expect([reader.error for reader in readers], [None] * 2, "readers")
    assert min(reader.reads for reader in readers) > 0
    server.start()
    total, open_rows = acknowledged(writers), 3 * len(writers)
    with server.connect() as conn:
        cur = conn.cursor()
        found = counts(cur)
        cur.execute("SELECT count(*) FROM t WHERE id >= 900000000")
        expect(cur.fetchone()[0], 5, "rows written after the last drop")
    for day in DAYS:
        least = total[day] + base.get(day, 0)
        most = least + open_rows
        if day in (DAYS[1], DAYS[2]):
            # a writer counts its rows some time after the answer, perhaps after the drop's
            least = max(total[day] - after[day] - open_rows, 0)
            most = total[day] - before[day] + open_rows + 5
        assert least <= found.get(day, 0) <= most, (day, least, found, most)


def test_under_load_and_a_crash():
    """What was written before a drop is gone, what comes after stays; other days lose nothing."""
    with Node("--slots", "8", "--cores", "2") as server:
        with server.connect() as conn:
            fill(conn.cursor())
        for number in range(8):
            load_round(server, number)


def test_retention():
    """Old partitions go by themselves, with a line in the log; young ones stay."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    young = today - datetime.timedelta(days=20)
    with Node("--slots", "4") as server:
        with server.connect() as conn:
            cur = conn.cursor()
            create(cur, more=" retention='30d'")
            cur.execute("SHOW CREATE TABLE t")
            assert "retention='30d'" in cur.fetchone()[1]
            for n, day in enumerate((DAYS[0] - datetime.timedelta(days=9000), today, young)):
                insert(cur, day, n * ROWS)
            create(cur, "kept")
            insert(cur, datetime.date(1999, 1, 1), name="kept")
            cur.execute("CREATE TABLE plain (id INT PRIMARY KEY)")
            code = code_of(cur, "CREATE TABLE bad (id INT PRIMARY KEY) retention='30d'")
            expect(code, 1505, "retention without partitions")
            code = code_of(cur, TABLE.format(name="bad", type="DATE", quantum="YMD",
                                             more=" retention='30 days'"))
            expect(code, 1105, "no such age")
        server.restart()
        with server.connect() as conn:
            cur = conn.cursor()
            wait_for(lambda: len(partitions(cur)) == 2, 20, "the old partition goes")
            expect(counts(cur), {young: ROWS, today: ROWS}, "rows left")
            expect(counts(cur, "kept"), {datetime.date(1999, 1, 1): ROWS}, "a table without retention")
        assert any("older than 30d" in line for line in server.errors), server.errors
        server.kill()
        server.start()
        with server.connect() as conn:
            expect(counts(conn.cursor()), {young: ROWS, today: ROWS}, "after a crash")


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy")
    support.run_tests(globals())

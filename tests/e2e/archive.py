#!/usr/bin/python3
"""
Archived partitions: away and back with a real client, over restarts, crashes and checkpoints, with files that are moved
away or damaged meanwhile; other partitions are not touched.
"""

import contextlib
import datetime
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from partitions import DAYS, ROWS, TABLE, code_of, counts, create, fill, insert, label, partitions
from support import Node, expect, folder, http_get, quanta, wait_for


def alter(cur, verb, *days, name="t"):
    """ARCHIVE, RESTORE or DROP of the partitions of days."""
    cur.execute(f"ALTER TABLE {name} {verb} PARTITION {', '.join(label(day) for day in days)}")


def states(cur, name="t"):
    """Comment by partition."""
    cur.execute("SELECT partition_name, partition_comment FROM information_schema.partitions "
                f"WHERE table_name = '{name}' ORDER BY partition_ordinal_position")
    return dict(cur.fetchall())


def digest(cur, name="t"):
    """Everything that is seen, by day."""
    cur.execute(f"SELECT date(ts), count(*), sum(id), sum(num), min(name), max(name) FROM {name} "
                "GROUP BY date(ts) ORDER BY 1")
    return [tuple(row) for row in cur.fetchall()]


def files(server, place):
    """Paths below data/ or archive/ with a hash of their bytes."""
    top = os.path.join(server.data_dir, place)
    found = {}
    for where, _, names in os.walk(top):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, top)] = hashlib.sha256(file.read()).hexdigest()
    return found


def of_days(found, *days):
    """Those of some days."""
    return {path: hash for path, hash in found.items()
            if any(os.path.basename(path).startswith(f"{day}.") for day in days)}


def rounds(server):
    """Checkpoints since the start."""
    text = http_get(server.ports["http"], "/metrics")[2]
    return int(re.search(r"^quanta_checkpoints_total (\d+)", text, re.M).group(1))


def checkpoint(server, cur):
    """Writes to another table until a checkpoint that began after now has ended; --checkpoint-log is small."""
    done = rounds(server) + 1  # one may be at work
    cur.execute("CREATE TABLE IF NOT EXISTS filler (id INT PRIMARY KEY, text VARCHAR(2000))")
    deadline = time.monotonic() + support.HANG_SECONDS
    while rounds(server) <= done:
        assert time.monotonic() < deadline, "no checkpoint"
        rows = ", ".join(f"({n}, '{random.getrandbits(64)}{'x' * 1000}')" for n in range(100))
        cur.execute(f"REPLACE INTO filler VALUES {rows}")


def check_away(cur, day):
    """What statements see of an archived day: nothing, and what they say."""
    assert day not in counts(cur), counts(cur)
    expect(states(cur)[label(day)], "archived", "state")
    for word in ("INSERT", "REPLACE", "INSERT IGNORE"):
        try:
            cur.execute(f"{word} INTO t VALUES (1, '{DAYS[4]} 00:00:00', 1, 'a'), "
                        f"(77000000, '{day} 01:02:03', 1, 'b')")
            raise AssertionError(f"{word} into an archived partition")
        except quanta.pymysql.MySQLError as error:
            expect(error.args[0], 1526, word)
            assert f"{day} 01:02:03" in error.args[1] and label(day) in error.args[1], error.args
        cur.execute(f"DELETE FROM t WHERE id = 1 AND ts = '{DAYS[4]} 00:00:00'")
    cur.execute(f"UPDATE t SET num = 5 WHERE ts BETWEEN '{day} 00:00:00' AND '{day} 23:59:59'")
    expect(cur.rowcount, 0, "rows updated")
    cur.execute(f"DELETE FROM t WHERE ts BETWEEN '{day} 00:00:00' AND '{day} 23:59:59'")
    expect(cur.rowcount, 0, "rows deleted")


def check_statements(cur):
    """The two statements, and what they say when they cannot."""
    fill(cur)
    before = digest(cur)
    expect(code_of(cur, "ALTER TABLE t ARCHIVE PARTITION p20270101"), 1507, "an unknown one")
    expect(code_of(cur, "ALTER TABLE t ARCHIVE PARTITION p20260101, pmax"), 1507, "no name")
    expect(code_of(cur, "ALTER TABLE nothing ARCHIVE PARTITION p20260101"), 1146, "no table")
    cur.execute("CREATE TABLE plain (id INT PRIMARY KEY)")
    expect(code_of(cur, "ALTER TABLE plain ARCHIVE PARTITION p20260101"), 1505, "no partitions")
    expect(code_of(cur, "ALTER TABLE plain RESTORE PARTITION p20260101"), 1505, "no partitions")
    expect(digest(cur), before, "after errors")
    alter(cur, "ARCHIVE", DAYS[1], DAYS[3])
    expect(counts(cur), dict.fromkeys([DAYS[0], DAYS[2], DAYS[4]], ROWS), "what is left")
    check_away(cur, DAYS[1])
    expect(partitions(cur), [(label(day), ROWS) for day in DAYS], "with their rows")
    alter(cur, "ARCHIVE", DAYS[1])  # it is: nothing happens
    alter(cur, "RESTORE", DAYS[0], DAYS[1])
    expect(counts(cur), dict.fromkeys([DAYS[0], DAYS[1], DAYS[2], DAYS[4]], ROWS), "one is back")
    alter(cur, "RESTORE", DAYS[3])
    expect(digest(cur), before, "all are back")
    expect(set(states(cur).values()), {""}, "states")
    cur.execute(f"UPDATE t SET num = num + 1 WHERE ts BETWEEN '{DAYS[3]} 00:00:00' AND '{DAYS[3]} 23:59:59'")
    expect(cur.rowcount, ROWS, "rows updated")
    cur.execute(f"INSERT INTO t VALUES (5000, '{DAYS[3]} 00:00:00', 1, 'back')")
    expect(code_of(cur, f"INSERT INTO t VALUES (5000, '{DAYS[3]} 00:00:00', 1, 'x')"), 1062, "a key")
    alter(cur, "ARCHIVE", DAYS[3])
    alter(cur, "DROP", DAYS[3])
    assert label(DAYS[3]) not in states(cur)
    insert(cur, DAYS[3], 9000, 3)
    expect(counts(cur)[DAYS[3]], 3, "rows of a new one")
    alter(cur, "ARCHIVE", DAYS[0])
    cur.execute("TRUNCATE t")
    expect(states(cur), {}, "TRUNCATE takes archives too")
    insert(cur, DAYS[0], 0, 3)
    expect(counts(cur), {DAYS[0]: 3}, "rows after it")


def test_statements():
    """On rows in memory."""
    with Node("--slots", "4") as server, server.connect() as conn:
        check_statements(conn.cursor())


def test_through_a_proxy():
    """The same over gRPC."""
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


def test_other_partitions_keep_their_bytes():
    """A checkpoint moves what is archived and nothing else; back it comes as it was."""
    with Node("--slots", "4", "--cores", "2", "--checkpoint-log", "64K") as server:
        with server.connect() as conn:
            fill(conn.cursor())
        server.restart()
        with server.connect() as conn:
            cur = conn.cursor()
            before, rows = files(server, "data"), digest(cur)
            alter(cur, "ARCHIVE", DAYS[1], DAYS[2])
            checkpoint(server, cur)
            others = [day for day in DAYS if day not in DAYS[1:3]]
            after = files(server, "data")
            expect(of_days(after, *others), of_days(before, *others), "files of others")
            expect(of_days(after, *DAYS[1:3]), {}, "data files of archived ones")
            expect(len(files(server, "archive")), 8, "archive files")
            expect([row for row in rows if row[0] in others], digest(cur), "rows of others")
            check_away(cur, DAYS[1])
            archives = files(server, "archive")
            checkpoint(server, cur)
            expect(files(server, "archive"), archives, "archives after another checkpoint")
            others.remove(DAYS[4])  # it was written to meanwhile
            alter(cur, "RESTORE", DAYS[1])
            expect([row for row in rows if row[0] != DAYS[2]], digest(cur), "rows with one restored")
            checkpoint(server, cur)
            after = files(server, "data")
            expect(of_days(after, *others), of_days(before, *others), "files of others")
            expect(len(of_days(after, DAYS[1])), 4, "data files of the restored")
            expect(set(files(server, "archive")), set(of_days(archives, DAYS[2])), "archives left")
            alter(cur, "DROP", DAYS[2])
            checkpoint(server, cur)
            expect(files(server, "archive"), {}, "archives after the last was dropped")
            alter(cur, "ARCHIVE", DAYS[0])
            checkpoint(server, cur)
            assert files(server, "archive")
            cur.execute("DROP TABLE t")
            checkpoint(server, cur)
            expect(files(server, "archive"), {}, "archives of a dropped table")


def test_a_file_moved_away_and_damaged():
    """A start does not need archives; RESTORE names what it does not find or what is damaged, and changes nothing."""
    with Node("--slots", "2", "--cores", "2") as server:
        with server.connect() as conn:
            cur = conn.cursor()
            fill(cur)
            rows = digest(cur)
            alter(cur, "ARCHIVE", DAYS[1])
        server.restart()
        with server.connect() as conn:
            cur = conn.cursor()
            there, away = os.path.join(server.data_dir, "archive"), server.data_dir + ".away"
            shutil.move(there, away)
            expect(code_of(cur, f"ALTER TABLE t RESTORE PARTITION {label(DAYS[1])}"), 1016, "gone")
        server.kill()
        server.start()
        with server.connect() as conn:
            cur = conn.cursor()
            check_away(cur, DAYS[1])
            expect(dict(partitions(cur))[label(DAYS[1])], ROWS, "its rows are known")
            for _ in range(2):
                try:
                    alter(cur, "RESTORE", DAYS[1])
                    raise AssertionError("restored without files")
                except quanta.pymysql.MySQLError as error:
                    assert "No such file" in error.args[1] and f"{DAYS[1]}." in error.args[1], error.args
            shutil.copytree(away, there, dirs_exist_ok=True)
            check_away(cur, DAYS[1])
            paths = sorted(os.path.join(there, path) for path in files(server, "archive"))
            for at in (100, *range(4096 + 7, os.path.getsize(paths[0]), 1500)):
                with open(paths[0], "r+b") as file:
                    file.seek(at)
                    byte = file.read(1)
                    file.seek(at)
                    file.write(bytes([byte[0] ^ 16]))
                try:
                    alter(cur, "RESTORE", DAYS[1])
                    assert at != 100, "restored with a damaged header"
                    expect(digest(cur), rows, "rows, where the byte means nothing")
                except quanta.pymysql.MySQLError as error:
                    assert paths[0] in error.args[1] and "at offset" in error.args[1], error.args
                alter(cur, "ARCHIVE", DAYS[1])
                shutil.copytree(away, there, dirs_exist_ok=True)
            alter(cur, "RESTORE", DAYS[1])
            expect(digest(cur), rows, "rows after all")
        server.restart()
        server.kill()
        server.start()
        with server.connect() as conn:
            expect(digest(conn.cursor()), rows, "rows after a crash")
        shutil.rmtree(away)


def admin(server, *words, status=0, form="text"):
    """Runs quanta-admin against the server: its output."""
    done = subprocess.run([quanta.program("quanta-admin"), "--node",
                           f"127.0.0.1:{server.ports['grpc']}", "--output", form, *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=support.HANG_SECONDS, check=False,
                          text=True)
    expect(done.returncode, status, f"status of {words}: {done.stderr}{done.stdout}")
    return done.stderr if status else json.loads(done.stdout) if form == "json" else done.stdout


def test_admin():
    """The subcommands of quanta-admin, through the node's gRPC port."""
    with Node("--slots", "4") as server, server.connect() as conn:
        cur = conn.cursor()
        fill(cur)
        create(cur, "u")
        insert(cur, DAYS[0], name="u")
        cur.execute("CREATE TABLE plain (id INT PRIMARY KEY)")
        cur.execute("INSERT INTO plain VALUES (1)")
        listed = admin(server, "partition-info", DAYS[1], "--table", "t", form="json")
        expect([(p["partition"], p["rows"], p["state"]) for p in listed["partitions"]],
               [(label(day), ROWS, "online") for day in DAYS[:2]], "partitions")
        expect(listed["rows"], 2 * ROWS, "rows")
        assert listed["bytes"] > 0
        for words, status in ((["offline-partitions", DAYS[2]], 2),
                              (["offline-partitions", "--table", "t"], 2),
                              (["offline-partitions", "yesterday", "--table", "t"], 2),
                              (["restore-partitions", DAYS[2], "--table", "t"], 2),
                              (["offline-partitions", DAYS[2], "--table", "nothing"], 1),
                              (["offline-partitions", DAYS[2], "--table", "plain"], 1)):
            text = admin(server, *words, status=status)
            assert text.startswith("quanta-admin: ") and text.count("\n") == 1, text
        expect(admin(server, "offline-partitions", f"{DAYS[0]}T23", "--table", "t"),
               "No partitions selected.\n", "none ends before")
        text = admin(server, "offline-partitions", DAYS[2], "--table", "t")
        expect(text, f"t: p20260101, {ROWS} rows: archived\nt: p20260102, {ROWS} rows: archived\n",
               "archived")
        expect(counts(cur), dict.fromkeys(DAYS[2:], ROWS), "what is left")
        expect(counts(cur, "u"), {DAYS[0]: ROWS}, "another table")
        text = admin(server, "partition-info")
        assert re.search(rf"^t +p20260102 +{ROWS} +\d+ archived$", text, re.M), text
        assert re.search(rf"^t +p20260103 +{ROWS} +\d+ online$", text, re.M), text
        assert "plain" not in text and text.splitlines()[-1].startswith("6 partitions, "), text
        text = admin(server, "restore-partitions", DAYS[0], DAYS[1], "--table", "t")
        expect(text, f"t: p20260101, {ROWS} rows: restored\n", "restored")
        expect(counts(cur), dict.fromkeys([DAYS[0], *DAYS[2:]], ROWS), "with one restored")
        listed = admin(server, "offline-partitions", "2030-01-01", "--all-tables", form="json")
        expect({(p["table"], p["state"]) for p in listed["partitions"]},
               {("t", "archived"), ("u", "archived")}, "all tables")
        expect((counts(cur), counts(cur, "u")), ({}, {}), "rows")
        cur.execute("SELECT count(*) FROM plain")
        expect(cur.fetchone()[0], 1, "a table without partitions")
        server.stop()
        expect(verify(server.data_dir)["notices"], 0, "verify")
        moved = [path for path in files(server, "archive") if path.startswith("t1/")]
        os.rename(os.path.join(server.data_dir, "archive", "t1"), server.data_dir + ".t1")
        found = verify(server.data_dir)
        expect({f["file"] for f in found["findings"]}, {f"archive/{path}" for path in moved}, "missing")
        expect((found["damaged"], found["notices"]), (0, len(moved)), "verify")


def verify(data_dir):
    """What quanta-admin verify says."""
    done = subprocess.run([quanta.program("quanta-admin"), "verify", "--data-dir", data_dir,
                           "--output", "json"], stdout=subprocess.PIPE, timeout=support.HANG_SECONDS, check=True)
    return json.loads(done.stdout)


class Shuffler(threading.Thread):
    """Archives and restores two days; knows what was acknowledged, and what perhaps was done."""

    def __init__(self, server, seed):
        super().__init__()
        self.server, self.random = server, random.Random(seed)
        self.away, self.open, self.done = {}, set(), 0

    def run(self):
        with self.server.connect() as conn, contextlib.suppress(quanta.pymysql.MySQLError):
            cur = conn.cursor()
            while True:
                day = self.random.choice(DAYS[1:3])
                self.open.add(day)
                alter(cur, "RESTORE" if self.away.get(day) else "ARCHIVE", day)
                self.away[day] = not self.away.get(day)
                self.open.discard(day)
                self.done += 1


def crash_round(server, shuffler, rows):
    """Kills the server amid changes; what was acknowledged holds, and nothing is lost."""
    shuffler.start()
    wait_for(lambda: shuffler.done > 2, 20, "some changes")
    time.sleep(shuffler.random.random() * 0.7)
    server.kill()
    shuffler.join()
    server.start()
    with server.connect() as conn:
        cur = conn.cursor()
        seen, state = counts(cur), states(cur)
        for day in DAYS:
            if day in shuffler.open:
                continue  # not acknowledged: either
            away = bool(shuffler.away.get(day))
            expect((day in seen, state[label(day)]), (not away, "archived" if away else ""), f"{day}")
        if shuffler.random.random() < 0.5:
            checkpoint(server, cur)
        alter(cur, "RESTORE", *DAYS)
        expect(digest(cur), rows, "all rows")
        if shuffler.random.random() < 0.5:
            checkpoint(server, cur)


def test_crashes():
    """kill -9 while partitions come and go, with checkpoints in between or not."""
    seed = support.seed()
    with Node("--slots", "4", "--cores", "2", "--checkpoint-log", "64K") as server:
        with server.connect() as conn:
            cur = conn.cursor()
            fill(cur)
            rows = digest(cur)
        for number in range(int(os.environ.get("CYCLES", "8"))):
            crash_round(server, Shuffler(server, seed + number), rows)
        server.stop()
        expect(verify(server.data_dir)["damaged"], 0, "verify")


def test_columns_added_meanwhile():
    """ALTER TABLE reaches archived partitions, in memory or in their files."""
    with Node("--slots", "2", "--cores", "2", "--checkpoint-log", "64K") as server:
        with server.connect() as conn:
            cur = conn.cursor()
            fill(cur)
            rows = digest(cur)
            alter(cur, "ARCHIVE", DAYS[0])
            checkpoint(server, cur)
            alter(cur, "ARCHIVE", DAYS[1])
            cur.execute("ALTER TABLE t ADD COLUMN later INT DEFAULT 42")
            alter(cur, "RESTORE", *DAYS[:2])
            cur.execute("SELECT count(*) FROM t WHERE later = 42")
            expect(cur.fetchone()[0], len(DAYS) * ROWS, "rows with the new column")
            expect(digest(cur), rows, "rows")
            cur.execute(f"UPDATE t SET later = 43 WHERE ts < '{DAYS[1]} 00:00:00'")
            expect(cur.rowcount, ROWS, "rows updated")
            alter(cur, "ARCHIVE", DAYS[0])
            cur.execute("ALTER TABLE t ADD COLUMN last VARCHAR(10)")
        server.kill()
        server.start()
        with server.connect() as conn:
            cur = conn.cursor()
            checkpoint(server, cur)
            alter(cur, "RESTORE", DAYS[0])
            cur.execute("SELECT later, count(*) FROM t WHERE last IS NULL GROUP BY later ORDER BY later")
            expect([tuple(row) for row in cur.fetchall()],
                   [(42, (len(DAYS) - 1) * ROWS), (43, ROWS)], "after a crash")
            expect(digest(cur), rows, "rows")


def test_retention_and_statements_at_work():
    """Old archives go by age; a statement that began before goes on with what it began with."""
    with Node("--slots", "2", "--cores", "2") as server:
        with server.connect() as conn:
            cur = conn.cursor()
            create(cur, more=" retention='3650d'")
            insert(cur, datetime.date(2001, 1, 1))
            alter(cur, "ARCHIVE", datetime.date(2001, 1, 1))
            create(cur, "big")
            insert(cur, DAYS[0], name="big", rows=10000)
            insert(cur, DAYS[1], name="big", rows=10000)
            wait_for(lambda: not states(cur), 20, "the old archive goes")
            with server.connect(cursorclass=quanta.pymysql.cursors.SSCursor) as other:
                slow = other.cursor()
                slow.execute("SELECT a.id, b.id FROM big a JOIN big b ON a.num = b.num + 1 LIMIT 100000")
                slow.fetchone()
                alter(cur, "ARCHIVE", DAYS[0], name="big")
                rest = 1 + sum(1 for _ in slow)
            expect(rest, 9999 * 4, "rows of the statement at work")
            expect(counts(cur, "big"), {DAYS[1]: 10000}, "rows after it")


if __name__ == "__main__":
    support.need("quanta", "quanta-node", "quanta-proxy", "quanta-admin")
    support.run_tests(globals())

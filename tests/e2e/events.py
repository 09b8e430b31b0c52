#!/usr/bin/python3
"""
The events work on 1,000,000 rows: the thirteen queries give the answers of its definition, through
the `mariadb` client, with the default layout and with 64 slots on two cores.
"""

import concurrent.futures
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, mariadb, quanta

ROWS = 1000000

TOP_COUNTRIES = """C199 10094, C198 9917, C197 9906, C196 9888, C194 9790, C195 9714, C193 9699,
                   C192 9682, C190 9602, C189 9560"""
TOP_CONTENT = """4456 7, 978 6, 30933 6, 32836 6, 35442 6, 44044 6, 45897 6, 53684 6, 57886 6,
                 66894 6"""

# Query, its answer; or a function that looks at the answer's rows.
QUERIES = [
    ("SELECT count(*) FROM events WHERE device='tv' AND country='C150' AND event='E3'", "77"),
    ("SELECT count(*) FROM events WHERE device='tv' AND event='E3'", "10466"),
    ("SELECT sum(duration) FROM events WHERE device='tv' AND event IN ('E3','E4')", "10537115550"),
    ("SELECT sum(duration), avg(duration), count(*) FROM events",
     "500161071452 500161.0715 1000000"),
    ("SELECT count(*) FROM events WHERE duration BETWEEN 250000 AND 500000 AND live = true",
     "25028"),
    ("SELECT country, count(*) AS c FROM events GROUP BY country ORDER BY c DESC, country LIMIT 10",
     TOP_COUNTRIES),
    ("SELECT content_id, count(*) AS c FROM events WHERE event='E1' GROUP BY content_id "
     "ORDER BY c DESC, content_id LIMIT 10", TOP_CONTENT),
    ("SELECT device, event, count(*), sum(revenue), avg(duration) FROM events "
     "GROUP BY device, event ORDER BY device, event",
     lambda rows: (expect(len(rows), 96), expect(rows[0], "auto E0 10377 5150843.20 499772.2970"))),
    ("SELECT count(DISTINCT user_id) FROM events WHERE device='tv'", "123371"),
    ("SELECT count(*) FROM events WHERE ts >= '2026-02-01' AND ts < '2026-02-04' "
     "AND device='mobile'", "4119"),
    ("SELECT * FROM events WHERE id=345678",
     "345678 2026-02-01 02:39:52 other C192 E9 54605 u4564940 98868 20.36 0"),
    ("SELECT id, ts, user_id, duration FROM events WHERE device='tv' AND country='C199' "
     "AND event='E3' AND live = true ORDER BY id LIMIT 100",
     lambda rows: (expect(len(rows), 17), expect(rows[0].split()[0], "48356"),
                   expect(rows[-1].split()[0], "964403"))),
    ("SELECT count(*) FROM events WHERE user_id='u117231'", "5"),
]


def ask(server, statement):
    """Rows as the command line client prints them, cells parted by blanks."""
    done = mariadb(server.ports["mysql"], "--batch", "--skip-column-names", "quanta", "-e",
                   statement)
    expect(done.returncode, 0, f"{statement}: {done.stderr}")
    return done.stdout.rstrip("\n").replace("\t", " ").split("\n")


def check_rows(statement, wanted, rows):
    """Of one query."""
    if callable(wanted):
        wanted(rows)
    else:
        expect(rows, re.split(r",\s+", wanted), statement)


def check_answers(server):
    """All thirteen."""
    for statement, wanted in QUERIES:
        check_rows(statement, wanted, ask(server, statement))


def check(path, *arguments, legs=None):
    """Loads, asks, loads again, asks again after a restart."""
    with Node(*arguments, schema_dir=EVENTS_SCHEMAS) as server:
        summary = quanta.load(server.ports["grpc"], path, "events")
        expect((summary.new, summary.updated, summary.rejected), (ROWS, 0, 0), "first load")
        check_answers(server)
        if legs:
            text = "\n".join(ask(server, "EXPLAIN ANALYZE " + QUERIES[0][0]))
            expect(len(re.findall(r"\bcore \d+:", text)), legs, f"legs in\n{text}\n")
        summary = quanta.load(server.ports["grpc"], path, "events")
        expect((summary.new, summary.updated, summary.rejected), (0, ROWS, 0), "second load")
        check_answers(server)
        server.restart()
        check_answers(server)


def test_default_layout(path):
    """As a user starts it."""
    check(path)


def test_two_cores(path):
    """64 slots on two cores: two legs for each query, the answers stay."""
    if len(os.sched_getaffinity(0)) < 2:
        print("one processor only: not tested on two")
        return
    check(path, "--cores", "2", "--slots", "64", legs=2)


def write_and_find(server, first, n):
    """Rows by their keys while indexes are made: new ones once, old ones refused, found again."""
    with server.connect() as conn, conn.cursor() as cur:
        for key in range(first, first + n):
            cur.execute("INSERT IGNORE INTO events (id, ts, device) VALUES (%s, '2026-01-05', 'none')",
                        (key,))
            expect(cur.rowcount, 0 if key <= ROWS else 1, f"row {key}")
            cur.execute("SELECT count(*) FROM events WHERE id = %s", (key,))
            expect(cur.fetchone()[0], 1, f"row {key}")


def test_while_it_loads(path):
    """All queries and writes at the moment the server is ready, most columns and all indexes being on disk only."""
    with Node("--slots", "16", schema_dir=EVENTS_SCHEMAS) as server:
        expect(quanta.load(server.ports["grpc"], path, "events").new, ROWS)
        for start in range(3):
            server.restart()
            with concurrent.futures.ThreadPoolExecutor(len(QUERIES) + 2) as pool:
                asked = [pool.submit(ask, server, statement) for statement, _ in QUERIES]
                wrote = [pool.submit(write_and_find, server, first + start * 1000, 30)
                         for first in (1, ROWS // 2)]
                answers = [job.result() for job in asked]
                for job in wrote:
                    job.result()
            for (statement, wanted), rows in zip(QUERIES, answers):
                check_rows(statement, wanted, rows)
            write_and_find(server, ROWS + 1000, 30)
            with server.connect() as conn, conn.cursor() as cur:
                expect(cur.execute("DELETE FROM events WHERE id > %s", (ROWS,)), 30, "rows written")


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    FILE = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", ROWS, FILE, 1)
    support.run_tests(globals(), FILE)

#!/usr/bin/python3
"""
quanta-bench run: all queries of the events work on 20,000 rows are answered as the rows must give; other rows than
those it is told of are found to be wrong; the coprocess and the comparison of `make bench-peers`.
"""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta

ROWS = 20000
QUERIES = 19
PEERS = os.path.join(support.SRC_DIR, "bench/peers")


def run(*arguments):
    """(exit status, {query: figures}, stderr) of quanta-bench run."""
    status, out, err = quanta.run("quanta-bench", "run", *arguments)
    return status, {case["query"]: case for case in map(json.loads, out.splitlines())}, err


def load(server):
    """Both tables."""
    place = folder("bench-")
    for table, rows in (("events", ROWS), ("content", 100000)):
        path = os.path.join(place, table + ".parquet")
        quanta.generate(table, rows, path)
        expect(quanta.load(server.ports["grpc"], path, table).new, rows)


def test_all_are_right(server):
    """Each query with three choices of constants."""
    status, cases, err = run("--port", server.ports["mysql"], "--rows", ROWS, "--queries", "all", "--runs", 3)
    expect((status, err), (0, ""))
    expect(len(cases), QUERIES)
    for name, case in cases.items():
        expect((case["checked"], case["runs"], case["table_rows"]), (True, 3, ROWS), name)
        expect(0 < case["best_us"] <= case["warm_us"] <= case["worst_us"], True, f"{name}: {case}")
    expect(cases["Q8"]["rows"], 96)


def test_wrong_answers_are_found(server):
    """Told of another seed, all answers must be others."""
    status, cases, err = run("--port", server.ports["mysql"], "--rows", ROWS, "--seed", 2, "--queries",
                             "Q4,Q6,Q8,G1,G2,G3")
    expect((status, cases), (1, {}))
    expect(err.count("is answered wrong"), 6, err)


def test_errors_are_told(server):
    """A database that is not there."""
    status, out, err = quanta.run("quanta-bench", "run", "--port", server.ports["mysql"], "--rows", ROWS,
                                  "--database", "nowhere")
    expect((status, out), (1, ""))
    expect("cannot connect" in err, True, err)


def test_list(_):
    """Statements without a server, the first ones with the constants of the definition."""
    status, out, _ = quanta.run("quanta-bench", "run", "--list", "--rows", 1000000, "--queries", "Q1,Q13", "--runs", 2)
    expect(status, 0)
    lines = [line.split("\t") for line in out.splitlines()]
    expect([line[:2] for line in lines], [["Q1", "0"], ["Q1", "1"], ["Q13", "0"], ["Q13", "1"]])
    expect(lines[0][2], "SELECT count(*) FROM events WHERE device='tv' AND country='C150' AND event='E3'")
    expect(lines[2][2] != lines[3][2], True, out)


def test_client(server):
    """Its commands, a refused statement between them."""
    path = os.path.join(folder("bench-"), "rows.tsv")
    commands = ["time SELECT count(*) FROM events", "time SELECT nothing FROM events", "what",
                f"answer {path} SELECT id, device, NULL FROM events WHERE id < 2 ORDER BY id"]
    done = subprocess.run([quanta.program("quanta-bench"), "client", "--port", str(server.ports["mysql"])],
                          input="\n".join(commands) + "\n", stdout=subprocess.PIPE, check=True, text=True)
    timed, refused, unknown, answered = map(json.loads, done.stdout.splitlines())
    expect((timed["rows"], timed["us"] > 0, answered["rows"]), (1, True, 2))
    expect(("nothing" in refused["error"], "error" in unknown), (True, True), done.stdout)
    with open(path, encoding="utf-8") as file:
        expect(file.read().splitlines()[0], "0\ttablet\t\\N")


def test_side_by_side(_):
    """The program of `make bench-peers`, alone: a line for each query and no error."""
    out = folder("bench-")
    done = subprocess.run([sys.executable, os.path.join(PEERS, "main.py"), "--rows", str(ROWS), "--peers", "none",
                           "--runs", "1", "--warm-only", "--tmp", out, "--out", out, "--queries", "Q1,Q6,Q11,Q12"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    expect(done.returncode, 0, done.stdout + done.stderr)
    expect(len(re.findall(r"^\| [QJGTP]\d+ \| [\d.]+ \(1 run\) ", done.stdout, re.M)), 4, done.stdout)
    expect(sorted(os.listdir(out)), ["events.json", "events.svg"])


def test_answers_are_compared(_):
    """Numbers by value, rows in any order unless they have one."""
    sys.path.insert(0, PEERS)
    import answers
    place = folder("bench-")

    def difference(left, right, is_ordered=False):
        paths = [os.path.join(place, name) for name in ("left", "right")]
        for path, rows in zip(paths, (left, right)):
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(row + "\n" for row in rows))
        return answers.difference(*paths, is_ordered)

    expect(difference(["a\t1.5000\t1", "b\t2"], ["b\t2.0", "a\t1.50004\ttrue"]), None)
    expect(difference(["a\t1", "b\t2"], ["b\t2", "a\t1"], True) is None, False)
    for other in ([], ["a\t2"], ["a\t1\t1"], ["b\t1"], ["a\t\\N"], ["a\t1", "a\t1"]):
        expect(difference(["a\t1"], other) is None, False, str(other))
    expect(difference(["123456789012.12"], ["123456789012.13"]) is None, False)


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    with Node(schema_dir=EVENTS_SCHEMAS) as NODE:
        load(NODE)
        support.run_tests(globals(), NODE, server=NODE)

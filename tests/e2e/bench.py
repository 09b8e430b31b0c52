#!/usr/bin/python3
"""
quanta-bench run: all queries of the events work on 20,000 rows are answered as the rows must give; other rows than
those it is told of are found to be wrong; and the coprocess that comparisons use.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta

ROWS = 20000
QUERIES = 19


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


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    with Node(schema_dir=EVENTS_SCHEMAS) as NODE:
        load(NODE)
        support.run_tests(globals(), NODE, server=NODE)

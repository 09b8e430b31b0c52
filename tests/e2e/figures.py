#!/usr/bin/python3
"""
Figures: /metrics tells of every core and table in the format that Prometheus reads, and agrees with
SHOW TABLE STATUS and information_schema.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta, wait_for

ROWS = 200000
CORES = min(2, len(os.sched_getaffinity(0)))


def checked(text):
    """{name: {labels: value}}; every metric is described once, before its lines, which are together."""
    found, described, last = {}, {}, None
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert name not in found and words.endswith(".") or words, line
            described[name] = None
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name in described and kind in ("counter", "gauge"), line
            expect(name.endswith("_total"), kind == "counter", line)
            described[name] = kind
        else:
            match = re.fullmatch(r"(quanta_[a-z_]+)(?:\{(.*)\})? (\d+)", line)
            assert match and described.get(match[1]), line
            assert match[1] == last or match[1] not in found, f"{line}: apart from its others"
            last = match[1]
            values = found.setdefault(last, {})
            assert match[2] not in values, line
            values[match[2]] = int(match[3])
    expect(set(found) ^ set(described), set(), "described, and told")
    return found


def metrics(server):
    """What the port tells now."""
    status, headers, text = support.http_get(server.ports["http"], "/metrics", 60)
    expect(status, 200)
    assert headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    return checked(text)


def told_twice(server, name):
    """The row of SHOW TABLE STATUS and the same figures of information_schema, one after the other."""
    import pymysql
    with server.connect(cursorclass=pymysql.cursors.DictCursor) as conn, conn.cursor() as cur:
        cur.execute("SHOW TABLE STATUS LIKE %s", name)
        row = cur.fetchone()
        cur.execute("SELECT TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, DATA_FREE FROM "
                    "information_schema.TABLES WHERE TABLE_NAME = %s", name)
        return row, list(cur.fetchone().values())


def table_status(server, name):
    """The row as a dictionary, when both agree: rows may just have been sealed."""
    last = {}

    def agree():
        row, again = told_twice(server, name)
        last.update(row)
        return again == [row[key] for key in ("Rows", "Data_length", "Index_length", "Data_free")]

    wait_for(agree, 30, "the same figures from both")
    return last


def of_table(found, name, table="events"):
    """A figure of a table."""
    return found[name][f'table="{table}"']


def kinds(found):
    """Memory of the table by kind."""
    return {kind: found["quanta_table_memory_bytes"][f'table="events",kind="{kind}"']
            for kind in ("clean", "changed", "indexes", "dictionaries", "other")}


def check_sums(found):
    """Memory by kind, by core, and what the budgets were charged."""
    total = sum(kinds(found).values())
    by_core = [found["quanta_table_core_memory_bytes"][f'table="events",core="{i}"']
               for i in range(CORES)]
    expect(sum(by_core), total, "memory by core and by kind")
    for i in range(CORES):
        label = f'core="{i}"'
        data, core = (found[f"quanta_core_{x}memory_bytes"][label] for x in ("data_", ""))
        assert by_core[i] <= data <= core <= found["quanta_core_memory_peak_bytes"][label], i
        assert found["quanta_core_data_memory_limit_bytes"][label] < \
            found["quanta_core_memory_limit_bytes"][label], i
    expect(len(found["quanta_core_memory_bytes"]), CORES, "cores told")


def settled(server, what):
    """Figures of the port and of the catalog when they agree: key indexes are made when nothing else is to do."""
    last = {}

    def agree():
        before, row, found = metrics(server), table_status(server, "events"), metrics(server)
        last.update(found=found, row=row)
        return kinds(before) == kinds(found) and row["Index_length"] == kinds(found)["indexes"] > 0

    wait_for(agree, 60, what)
    return last["found"], last["row"]


def test_figures_follow_the_rows():
    """From memory to disk, dead, deleted, and back after a start."""
    path = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", ROWS, path, 1)
    with Node("--cores", CORES, "--slots", "8", schema_dir=EVENTS_SCHEMAS) as server:
        quanta.load(server.ports["grpc"], path, "events")
        found, row = settled(server, "the key indexes of the rows that came last")
        check_sums(found)
        expect((row["Rows"], of_table(found, "quanta_table_rows")), (ROWS, ROWS))
        expect(row["Data_free"], of_table(found, "quanta_table_disk_dead_bytes"), "dead bytes")
        assert kinds(found)["dictionaries"] < row["Data_length"] <= sum(kinds(found).values()), row
        expect(of_table(found, "quanta_table_rows", "content"), 0)

        with server.connect() as conn, conn.cursor() as cur:
            cur.execute(f"DELETE FROM events WHERE id < {ROWS // 10}")
        found = metrics(server)
        expect((of_table(found, "quanta_table_rows"), of_table(found, "quanta_table_deleted_rows")),
               (ROWS - ROWS // 10, ROWS // 10))
        expect(table_status(server, "events")["Rows"], ROWS - ROWS // 10)

        server.restart()
        wait_for(lambda: of_table(metrics(server), "quanta_table_columns_absent") == 0, 60,
                 "everything in memory")
        found, row = settled(server, "the key indexes after a start")
        check_sums(found)
        expect(row["Rows"], ROWS - ROWS // 10)
        assert kinds(found)["clean"] and not kinds(found)["changed"], kinds(found)
        assert sum(found["quanta_columns_read_total"].values()) >= 8 * 10
        read = sum(found["quanta_column_read_bytes_total"].values())
        assert 0 < read <= sum(found["quanta_data_read_bytes_total"].values()), read
        assert read <= of_table(found, "quanta_table_disk_bytes")
        wait_for(lambda: any(re.search(r"loading: all [0-9.]+ MB in memory", line)
                             for line in server.errors), 10, "a line about it")


def test_many_tables():
    """Each is told; a name with a blank and one with other letters."""
    with Node() as server:
        with server.connect() as conn, conn.cursor() as cur:
            for name in ["a b", "größe", *(f"t{i}" for i in range(50))]:
                cur.execute(f"CREATE TABLE `{name}` (id INT PRIMARY KEY)")
        found = metrics(server)
        expect(found["quanta_tables"][None], 52)
        expect(len(found["quanta_table_rows"]), 52)
        expect(of_table(found, "quanta_table_rows", "größe"), 0)
        expect(table_status(server, "a b")["Rows"], 0)


def test_real_bound_of_connections():
    """@@max_connections is what the limit of open files leaves."""
    for files, most in ((1024, 600), (3000, 2400)):
        with Node("--cores", "1", prefix=("prlimit", f"--nofile={files}:{files}")) as server:
            told = int(server.value("SELECT @@max_connections"))
            assert told <= most, f"{told} connections with {files} files"
            assert told > files // 4, f"{told} connections with {files} files"


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    support.run_tests(globals())

#!/usr/bin/python3
"""
The 22 queries of TPC-H in their standard text (bench/peers/tpch) over rows of quanta-bench, compared with MariaDB.
TPCH_SCALE chooses the size, 0.01 unless given; TPCH_QUERIES=2,17 some of them.
"""

import contextlib
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import quanta
import support
from support import Node, expect, folder

SCALE = os.environ.get("TPCH_SCALE", "0.01")
CHOSEN = {int(n) for n in os.environ.get("TPCH_QUERIES", "").split(",") if n}
QUERIES = os.path.join(TOP, "bench/peers/tpch")
SCHEMAS = os.path.join(TOP, "conf/tpch")
# MariaDB has no names of columns behind a derived table's.
OTHERWISE = {13: [("count(o_orderkey)", "count(o_orderkey) as c_count"), (" (c_custkey, c_count)", "")]}
TABLES = {
    "region": "r_regionkey BIGINT PRIMARY KEY, r_name VARCHAR(25), r_comment VARCHAR(152)",
    "nation": "n_nationkey BIGINT PRIMARY KEY, n_name VARCHAR(25), n_regionkey BIGINT, n_comment VARCHAR(152)",
    "supplier": "s_suppkey BIGINT PRIMARY KEY, s_name VARCHAR(25), s_address VARCHAR(40), s_nationkey BIGINT, "
                "s_phone VARCHAR(15), s_acctbal DECIMAL(15,2), s_comment VARCHAR(101)",
    "customer": "c_custkey BIGINT PRIMARY KEY, c_name VARCHAR(25), c_address VARCHAR(40), c_nationkey BIGINT, "
                "c_phone VARCHAR(15), c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR(10), c_comment VARCHAR(117)",
    "part": "p_partkey BIGINT PRIMARY KEY, p_name VARCHAR(55), p_mfgr VARCHAR(25), p_brand VARCHAR(10), "
            "p_type VARCHAR(25), p_size BIGINT, p_container VARCHAR(10), p_retailprice DECIMAL(15,2), p_comment VARCHAR(23)",
    "partsupp": "ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty BIGINT, ps_supplycost DECIMAL(15,2), "
                "ps_comment VARCHAR(199), PRIMARY KEY (ps_partkey, ps_suppkey), KEY (ps_suppkey)",
    "orders": "o_orderkey BIGINT PRIMARY KEY, o_custkey BIGINT, o_orderstatus VARCHAR(1), o_totalprice DECIMAL(15,2), "
              "o_orderdate DATE, o_orderpriority VARCHAR(15), o_clerk VARCHAR(15), o_shippriority BIGINT, "
              "o_comment VARCHAR(79), KEY (o_custkey)",
    "lineitem": "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber BIGINT, l_quantity DECIMAL(15,2), "
                "l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag VARCHAR(1), "
                "l_linestatus VARCHAR(1), l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, "
                "l_shipinstruct VARCHAR(25), l_shipmode VARCHAR(10), l_comment VARCHAR(44), "
                "PRIMARY KEY (l_orderkey, l_linenumber), KEY (l_partkey, l_suppkey), KEY (l_suppkey)",
}


def make(table, path):
    """One table as a file."""
    subprocess.run([quanta.program("quanta-bench"), "gen", "--table", f"tpch.{table}", "--scale", SCALE, "--out", path],
                   check=True, stderr=subprocess.DEVNULL)


def fill(node, connection, files):
    """All tables on both sides; the numbers of rows."""
    rows = {}
    for table, columns in TABLES.items():
        parquet, csv = (os.path.join(files, f"{table}.{kind}") for kind in ("parquet", "csv"))
        make(table, parquet)
        make(table, csv)
        quanta.load(node.ports["grpc"], parquet, table, SCHEMAS)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} ({columns})")
            cursor.execute(f"LOAD DATA LOCAL INFILE '{csv}' INTO TABLE {table} FIELDS TERMINATED BY ',' "
                           "LINES TERMINATED BY '\n' IGNORE 1 LINES")
            cursor.execute(f"SELECT count(*) FROM {table}")
            rows[table] = int(cursor.fetchone()[0])
            cursor.execute(f"ANALYZE TABLE {table}")
        os.unlink(parquet)
        os.unlink(csv)
    return rows


def normal(row):
    """Numbers without zeros at the end: quotients may have another number of digits."""
    return tuple(v.rstrip("0").rstrip(".") if v and "." in v and v.replace(".", "").replace("-", "").isdigit() else v
                 for v in row)


def answer(connection, text):
    """Rows as texts, and seconds."""
    with connection.cursor() as cursor:
        start = time.monotonic()
        cursor.execute(text)
        rows = [normal(row) for row in cursor.fetchall()]
        return rows, time.monotonic() - start


def main():
    """Runs the test."""
    if not mariadb.is_available():
        support.skip("MariaDB is not installed")
    mariadb.STATEMENT_SECONDS = 600
    differ, empty = [], []
    with contextlib.ExitStack() as stack:
        oracle = stack.enter_context(mariadb.MariaDB(os.environ.get("TEST_TMP")))
        node = stack.enter_context(Node("--cores", "2", schema_dir=SCHEMAS))
        theirs, ours = oracle.connect(local_infile=True), node.connect(conv={}, read_timeout=support.HANG_SECONDS)
        rows = fill(node, theirs, folder("tpch-"))
        for table, n in rows.items():
            expect(answer(ours, f"SELECT count(*) FROM {table}")[0], [(str(n),)], table)
        for number in range(1, 23):
            if CHOSEN and number not in CHOSEN:
                continue
            with open(os.path.join(QUERIES, f"q{number:02}.sql"), encoding="utf-8") as file:
                text = file.read().rstrip().rstrip(";")
            try:
                found, seconds = answer(ours, text)
            except Exception as error:
                differ.append(f"Q{number}: {error}")
                continue
            for old, new in OTHERWISE.get(number, ()):
                text = text.replace(old, new)
            wanted, their_seconds = answer(theirs, text)
            print(f"Q{number}: {len(wanted)} rows, {seconds:.3f} s, MariaDB {their_seconds:.3f} s", flush=True)
            if not wanted or wanted == [(None,)]:
                empty.append(number)
            if found != wanted:
                at = next((i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1]), min(len(found), len(wanted)))
                differ.append(f"Q{number}: {len(found)} rows, wanted {len(wanted)}; row {at}: {found[at:at + 1]}, "
                              f"wanted {wanted[at:at + 1]}")
    print(f"scale {SCALE}: {rows['lineitem']} lines; no rows: {empty}")
    if differ:
        sys.exit("\n".join(differ))
    print("ok")


if __name__ == "__main__":
    main()

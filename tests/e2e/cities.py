#!/usr/bin/python3
"""
The real files of cities and zip codes, through the loader and the `mariadb` client: their known
figures, every cell as an independent reader of the files sees it, and loading them twice. Once with
all in one process, once as node, proxy and loader.
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, SHARED_DATA, expect, folder, mariadb, quanta

os.environ.setdefault("SHARED_DATA", SHARED_DATA)
import tables

SCHEMAS = os.path.join(SHARED_DATA, "schemas")
FILES = {name: os.path.join(SHARED_DATA, f"us_{name}.parquet") for name in ("cities", "cityzip")}
ROWS = {"cities": 29488, "cityzip": 46280}

FIGURES = [
    ("SELECT count(*) FROM cities", "29488"),
    ("SELECT count(*) FROM cityzip", "46280"),
    ("SELECT sum(population), max(population) FROM cities", "406795495\t18713220"),
    ("SELECT count(*) FROM cities WHERE military = true", "84"),
    ("SELECT count(*) FROM cities WHERE ranking = 1", "50"),
    ("SELECT count(*) FROM cities WHERE state = 'NY'", "1186"),
    ("SELECT count(*) FROM cities WHERE region_list = 'NY'", "1186"),
    ("SELECT count(*) FROM cities WHERE NOT region_list = 'NY'", "28302"),
    ("SELECT count(*) FROM cityzip z JOIN cities c ON z.city_id = c.id", "46280"),
    ("SELECT count(*) FROM cityzip z LEFT JOIN cities c ON z.city_id = c.id", "46280"),
    ("SELECT c.id FROM cities c LEFT JOIN cityzip z ON z.city_id = c.id WHERE z.zip IS NULL",
     "1840037663"),
    ("SELECT count(*) FROM (SELECT state_name, count(*) FROM cities GROUP BY state_name) s", "52"),
    ("SELECT longitude FROM cities WHERE id = '1840034016'", "-73.9249"),
    ("SELECT created_timestamp, created_date FROM cities WHERE id = '1840034016'",
     "2012-06-17 22:40:16.000\t2012-06-17"),
]


class Together:
    """All in one process."""

    name = "quanta"

    def __init__(self, stack):
        self.server = stack.enter_context(Node(schema_dir=SCHEMAS))
        self.mysql, self.grpc = self.server.ports["mysql"], self.server.ports["grpc"]


class Apart:
    """A data node and a gateway as two processes."""

    name = "quanta-node, quanta-proxy"

    def __init__(self, stack):
        node = quanta.Server("quanta-node", "--data-dir", os.path.join(folder("node-"), "data"),
                             "--grpc-port", 0, "--http-port", 0, "--consul-endpoint", "none")
        stack.enter_context(node)
        self.grpc = node.ports["grpc"]
        proxy = quanta.Server("quanta-proxy", "--node", f"127.0.0.1:{self.grpc}", "--mysql-port",
                              0, "--token-port", 0, "--http-port", 0, "--bind", "127.0.0.1",
                              "--schema-dir", SCHEMAS)
        stack.enter_context(proxy)
        self.mysql = proxy.ports["mysql"]


def ask(site, statement):
    """What the command line client prints, without headings."""
    done = mariadb(site.mysql, "--batch", "--skip-column-names", "quanta", "-e", statement)
    expect(done.returncode, 0, f"{statement}: {done.stderr}")
    return done.stdout.rstrip("\n")


def load(site, name):
    """Loads one of the files."""
    summary = quanta.load(site.grpc, FILES[name], name, SCHEMAS)
    expect((summary.rows, summary.rejected, summary.files), (ROWS[name], 0, 1), name)
    return summary


def check_figures(site):
    """The figures known for these files."""
    for statement, wanted in FIGURES:
        expect(ask(site, statement), wanted, statement)


def check_cells(site, table):
    """Every cell, as the wire carries it, against the file read by tests/peers/parquet.py."""
    with quanta.connect(site.mysql) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table.name}")
        expect([d[0] for d in cursor.description], [c.name for c in table.columns], table.name)
        found = sorted(cursor.fetchall())
    wanted = sorted(tuple(map(tables.wire_text, row, table.columns)) for row in table.rows)
    expect(len(found), len(wanted), f"rows of {table.name}")
    for one, other in zip(found, wanted):
        expect(one, other, table.name)


def check(kind):
    """Loads, compares, loads again, compares again."""
    with contextlib.ExitStack() as stack:
        site = kind(stack)
        for name, rows in ROWS.items():
            expect(load(site, name).new, rows, f"{name}: new rows")
        check_figures(site)
        for table in (tables.cities(), tables.cityzip()):
            check_cells(site, table)
        for name, rows in ROWS.items():
            again = load(site, name)
            expect((again.new, again.updated), (0, rows), f"{name}: new and updated rows")
        check_figures(site)


def test_together():
    """All in one process."""
    check(Together)


def test_apart():
    """Node, proxy and loader."""
    support.need("quanta-node", "quanta-proxy")
    check(Apart)


if __name__ == "__main__":
    if not os.path.exists(FILES["cities"]):
        support.skip(f"the sample files are not in {SHARED_DATA}")
    support.need("quanta", "quanta-loader")
    support.run_tests(globals())

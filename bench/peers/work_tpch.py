"""
The work `tpch`: the 22 questions of TPC-H in their standard text, with the values that validate answers (bench/peers/tpch),
over tables of `quanta-bench gen`. It is not the benchmark itself: no streams, no refreshes. ROWS is the number of rows of
`lineitem`, 6,000,000 for each unit of scale.
"""

import os
import subprocess

import quanta
from engine import HERE, TOP, Failed

SCALE_ROWS = 6000000
TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]
QUERIES = [f"Q{number}" for number in range(1, 23)]
# ORDER BY leaves it open which of equal rows come first, and with LIMIT which come at all.
UNORDERED = {"Q3", "Q5", "Q10", "Q11", "Q18"}


def _text(query):
    """On one line, as workers take it."""
    with open(os.path.join(HERE, "tpch", f"q{int(query[1:]):02}.sql"), encoding="utf-8") as file:
        return " ".join(file.read().split()).rstrip(";")


def _write(table, scale, path):
    command = [quanta.program("quanta-bench"), "gen", "--table", f"tpch.{table}", "--scale", f"{scale:g}", "--out", path]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          text=True)
    if done.returncode:
        raise Failed(done.stdout)


class TpchWork:
    """What a comparison must know of it. The mean is that of all queries."""
    peers = ["duckdb"]
    schemas = os.path.join(TOP, "conf/tpch")
    ordered = set(QUERIES) - UNORDERED
    constant = set(QUERIES)
    counted = QUERIES

    @staticmethod
    def generate(place, rows, _endings, _options):
        """{table: Parquet file}."""
        files = {table: os.path.join(place, f"{table}-{rows}.parquet") for table in TABLES}
        for table, path in files.items():
            _write(table, rows / SCALE_ROWS, path)
        return files

    @staticmethod
    def statements(_rows, options):
        """{query: [statement of each variant]}, in order: all the same."""
        names = QUERIES if options.queries == "all" else options.queries.split(",")
        return {name: [_text(name)] * (4 * options.runs + 4) for name in names}

"""The work `events`: tables and queries are those of quanta-bench."""

import os
import subprocess

from engine import TOP
from engine_quanta import quanta

TABLES = ["events", "content"]
THIRTEEN = [f"Q{i}" for i in range(1, 14)]


class EventsWork:
    """What a comparison must know of it. The mean is that of the thirteen queries."""
    peers = ["duckdb", "clickhouse", "mariadb", "postgresql"]
    schemas = os.path.join(TOP, "conf/schemas")
    ordered = {"Q6", "Q7", "Q8", "Q12"}
    constant = {"Q4", "Q6", "Q8", "G1", "G2", "G3", "T1"}  # the text never varies
    counted = THIRTEEN

    @staticmethod
    def generate(place, rows, endings, _options):
        """{table: Parquet file, table.csv: CSV file}."""
        files = {}
        for table in TABLES:
            for ending in endings:
                key = table if ending == "parquet" else f"{table}.{ending}"
                files[key] = os.path.join(place, f"{table}-{rows}.{ending}")
                subprocess.run([quanta.program("quanta-bench"), "gen", "--table", table, "--out", files[key], "--rows",
                                str(rows if table == "events" else 100000)], check=True, stderr=subprocess.DEVNULL)
        return files

    @staticmethod
    def statements(rows, options):
        """{query: [statement of each variant]}, in order."""
        out = subprocess.run([quanta.program("quanta-bench"), "run", "--list", "--rows", str(rows), "--queries",
                              options.queries, "--runs", str(4 * options.runs + 4)],
                             stdout=subprocess.PIPE, check=True, text=True).stdout
        found = {}
        for line in out.splitlines():
            query, _, text = line.split("\t")
            found.setdefault(query, []).append(text)
        return found

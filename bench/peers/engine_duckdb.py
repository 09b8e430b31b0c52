"""DuckDB, in a process of its own, its tables in a database file."""

import os
import sys

from engine import HERE, Engine, Worker, fetch, size_of, with_loader

PYTHON = "/usr/bin/python3"


def open_worker(root, path, threads):
    """The coprocess with DuckDB on a database file, or on :memory:."""
    loader = with_loader(root)
    return Worker([*loader, PYTHON if os.path.exists(PYTHON) else sys.executable,
                   os.path.join(HERE, "worker_duckdb.py"), path, str(threads), loader[2]])


class DuckDB(Engine):
    """In process and with as many threads as we have cores: no protocol, no rows as text."""
    name = "DuckDB"

    def __init__(self, place, rows, threads):
        root, version = fetch("duckdb")
        self.rows = rows
        self.path = os.path.join(place, "duckdb.db")
        self.note = f"DuckDB {version}, {threads} threads, database file, in process"
        self.worker = open_worker(root, self.path, threads)
        self.pid = self.worker.process.pid

    def load_table(self, table, files):
        columns = "* REPLACE (ts::TIMESTAMP AS ts)" if table == "events" else "*"
        self.worker.ask(f"time CREATE TABLE {table} AS SELECT {columns} FROM read_parquet('{files[table]}')")

    def finish_load(self):
        self.worker.ask("time CHECKPOINT")

    def sizes(self):
        return {"disk": size_of(self.path)}

    def __exit__(self, *_):
        super().__exit__()
        for path in (self.path, self.path + ".wal"):
            if os.path.exists(path):
                os.unlink(path)

"""Tables of a work, made by DuckDB as Parquet files."""

import os

from engine import fetch
from engine_duckdb import open_worker


def write_tables(place, rows, macros, tables, sizes, threads):
    """{table: Parquet file}; macros: statements with semicolons between, tables: {table: query with sizes' names}."""
    root, _ = fetch("duckdb")
    worker = open_worker(root, ":memory:", threads)
    files = {}
    try:
        for text in macros.split(";"):
            worker.ask("time " + " ".join(text.split()))
        for table, text in tables.items():
            files[table] = os.path.join(place, f"{table}-{rows}.parquet")
            worker.ask(f"time COPY ({' '.join(text.format(**sizes).split())}) TO '{files[table]}' (FORMAT parquet)")
    finally:
        worker.close()
    return files

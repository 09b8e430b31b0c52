"""
A coprocess with DuckDB in it: `worker_duckdb.py DATABASE THREADS`, commands as of `quanta-bench client`.

A time is that of duckdb_query(), which gives the whole result in the memory of this process: nothing is sent and no row
is made into text, so it is what DuckDB does best.
"""

import ctypes
import glob
import json
import os
import sys
import time


class Result(ctypes.Structure):
    """duckdb_result, larger than that of any version."""
    _fields_ = [("room", ctypes.c_uint64 * 32)]


def load_library():
    """The one that the loader finds."""
    for folder in sys.argv[3].split(":"):
        for path in glob.glob(os.path.join(folder, "libduckdb.so.*")):
            return ctypes.CDLL(path)
    raise SystemExit("libduckdb is not there")


LIB = load_library()
LIB.duckdb_result_error.restype = ctypes.c_char_p
LIB.duckdb_result_error.argtypes = LIB.duckdb_destroy_result.argtypes = [ctypes.POINTER(Result)]
LIB.duckdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Result)]


def query(connection, text):
    """Microseconds."""
    result = Result()
    data = text.encode()
    started = time.perf_counter()
    failed = LIB.duckdb_query(connection, data, ctypes.byref(result))
    took = time.perf_counter() - started
    error = (LIB.duckdb_result_error(ctypes.byref(result)) or b"").decode() if failed else None
    LIB.duckdb_destroy_result(ctypes.byref(result))
    if failed:
        raise ValueError(error)
    return took * 1e6


def run(connection, line):
    """One command."""
    command, _, rest = line.partition(" ")
    if command == "time":
        return query(connection, rest)
    path, _, text = rest.partition(" ")
    return query(connection, f"COPY ({text}) TO '{path}' "
                             "(FORMAT csv, HEADER false, DELIMITER '\t', NULLSTR '\\N', QUOTE '', ESCAPE '')")


def main():
    """Commands until the end of stdin."""
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    if LIB.duckdb_open(sys.argv[1].encode(), ctypes.byref(database)) or \
            LIB.duckdb_connect(database, ctypes.byref(connection)):
        raise SystemExit(f"{sys.argv[1]} cannot be opened")
    query(connection, f"SET threads={int(sys.argv[2])}")
    query(connection, "SET TimeZone='UTC'")
    for line in sys.stdin:
        try:
            answer = {"us": run(connection, line.rstrip("\n"))}
        except ValueError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()

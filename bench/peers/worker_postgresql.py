"""A coprocess with libpq in it: `worker_postgresql.py LIBRARY CONNECTION`, commands as of `quanta-bench client`, and
`copy TABLE FILE.csv`. The whole result is in the memory of this process when a time ends."""

import ctypes
import json
import sys
import time

LIB = ctypes.CDLL(sys.argv[1])
for name, result in (("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p), ("PQgetResult", ctypes.c_void_p),
                     ("PQerrorMessage", ctypes.c_char_p), ("PQgetvalue", ctypes.c_char_p)):
    getattr(LIB, name).restype = result
for name, kinds in (("PQstatus", "p"), ("PQerrorMessage", "p"), ("PQexec", "pc"), ("PQresultStatus", "p"),
                    ("PQclear", "p"), ("PQntuples", "p"), ("PQnfields", "p"), ("PQgetvalue", "pii"),
                    ("PQgetisnull", "pii"), ("PQputCopyData", "pci"), ("PQputCopyEnd", "pc"), ("PQgetResult", "p")):
    getattr(LIB, name).argtypes = [{"p": ctypes.c_void_p, "c": ctypes.c_char_p, "i": ctypes.c_int}[k] for k in kinds]
COMMAND_OK, TUPLES_OK, COPY_IN = 1, 2, 4  # ExecStatusType


def check(connection, result):
    """The result, unless it is an error."""
    if LIB.PQresultStatus(result) not in (COMMAND_OK, TUPLES_OK, COPY_IN):
        LIB.PQclear(result)
        raise ValueError(LIB.PQerrorMessage(connection).decode(errors="replace"))
    return result


def write(result, path):
    """Rows as text."""
    columns = range(LIB.PQnfields(result))
    with open(path, "wb") as file:
        for row in range(LIB.PQntuples(result)):
            file.write(b"\t".join(b"\\N" if LIB.PQgetisnull(result, row, column) else
                                  LIB.PQgetvalue(result, row, column) for column in columns) + b"\n")


def copy(connection, table, path):
    """A CSV file into a table."""
    LIB.PQclear(check(connection, LIB.PQexec(connection, f"COPY {table} FROM STDIN (FORMAT csv, HEADER)".encode())))
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            LIB.PQputCopyData(connection, chunk, len(chunk))
    LIB.PQputCopyEnd(connection, None)
    while result := LIB.PQgetResult(connection):
        LIB.PQclear(check(connection, result))


def run(connection, line):
    """One command: microseconds."""
    command, _, rest = line.partition(" ")
    path = None
    started = time.perf_counter()
    if command == "copy":
        copy(connection, *rest.split(" "))
        return (time.perf_counter() - started) * 1e6
    if command == "answer":
        path, _, rest = rest.partition(" ")
    started = time.perf_counter()
    result = check(connection, LIB.PQexec(connection, rest.encode()))
    took = time.perf_counter() - started
    if path:
        write(result, path)
    LIB.PQclear(result)
    return took * 1e6


def main():
    """Commands until the end of stdin."""
    connection = LIB.PQconnectdb(sys.argv[2].encode())
    if LIB.PQstatus(connection):
        raise SystemExit(LIB.PQerrorMessage(connection).decode(errors="replace"))
    for line in sys.stdin:
        try:
            answer = {"us": run(connection, line.rstrip("\n"))}
        except (ValueError, OSError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()

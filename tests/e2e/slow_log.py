#!/usr/bin/python3
"""The slow query log: what is written, of which statements, and the variables that say so."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import SET_UPS, expect, wait_for

import pymysql

LINE = re.compile(r"slow query: time=([\d.]+)s rows_sent=(\d+) rows_examined=(\d+) rows_changed=(\d+) error=(\d+) "
                  r"connection=(\d+) user=(\S+) host=(\S+) statement=(.*)$")


def run(conn, statement):
    with conn.cursor() as cur:
        cur.execute(statement)
        return cur.fetchall()


def error(conn, statement):
    try:
        run(conn, statement)
    except pymysql.MySQLError as refusal:
        return refusal.args[0]
    raise AssertionError(f"{statement} was answered")


def lines(server, mark):
    """Fields of the lines whose statement has the mark."""
    found = (LINE.search(line) for line in server.errors)
    return [m.groups() for m in found if m and mark in m.group(9)]


def line(server, mark):
    """The only one, once it is there: an answer is sent before its line is written."""
    wait_for(lambda: lines(server, mark), 10, mark)
    found, = lines(server, mark)
    return found


def test_variables(server):
    with server.connect() as conn, server.connect() as other:
        expect(run(conn, "SHOW VARIABLES WHERE Variable_name IN ('slow_query_log', 'long_query_time', "
                         "'log_queries_not_using_indexes')"),
               (("log_queries_not_using_indexes", "OFF"), ("long_query_time", "10.000000"), ("slow_query_log", "OFF")))
        for name in ("slow_query_log", "log_queries_not_using_indexes"):
            expect(error(conn, f"SET {name} = 1"), 1229)
            expect(error(conn, f"SET GLOBAL {name} = 7"), 1231)
            expect(error(conn, f"SET GLOBAL {name} = 'maybe'"), 1231)
            for value, wanted in (("ON", 1), ("0", 0), ("'on'", 1), ("DEFAULT", 0)):
                run(conn, f"SET GLOBAL {name} = {value}")
                expect(run(other, f"SELECT @@{name}, @@GLOBAL.{name}"), ((wanted, wanted),))
        expect(error(conn, "SET GLOBAL long_query_time = 'x'"), 1232)
        run(conn, "SET GLOBAL long_query_time = 2.5")
        expect(run(other, "SELECT @@long_query_time"), (("2.500000",),))
        run(conn, "SET GLOBAL long_query_time = DEFAULT")
        expect(error(conn, "SET GLOBAL max_execution_time = 1"), 1235)


def test_statements_are_written(server):
    with server.connect() as conn:
        run(conn, "SELECT 'off'")
        run(conn, "SET GLOBAL slow_query_log = ON")
        run(conn, "SELECT 'quick'")
        run(conn, "SET long_query_time = 0")
        before = int(run(conn, "SHOW STATUS LIKE 'Slow_queries'")[0][1])
        run(conn, "SELECT n FROM numbers WHERE n < 30 /* some */")
        _, sent, examined, changed, code, connection, user, host, text = line(server, "/* some */")
        expect((sent, examined, changed, code, connection, user),
               ("30", "100", "0", "0", str(conn.thread_id()), "root"))
        expect((host.startswith("127.0.0.1:"), text), (True, "SELECT n FROM numbers WHERE n < 30 /* some */"))
        run(conn, "UPDATE numbers SET v = 1 WHERE n < 7 /* write */")
        expect(line(server, "/* write */")[3], "7")
        expect(error(conn, "SELECT nowhere /* wrong */"), 1054)
        expect(line(server, "/* wrong */")[4], "1054")
        run(conn, "SELECT '" + "€" * 3000 + "'\n,\t'long'")
        found = line(server, "€€€")[8]
        expect((found[:10], found[-4:], len(found.encode()) <= 1003), ("SELECT '€€", "€...", True))
        run(conn, "SELECT 'two\nlines'")
        line(server, "two lines")
        expect(int(run(conn, "SHOW STATUS LIKE 'Slow_queries'")[0][1]) >= before + 5, True)
        expect((lines(server, "'off'"), lines(server, "'quick'")), ([], []))
        run(conn, "SET GLOBAL slow_query_log = OFF")
        run(conn, "SELECT 'off again'")
    with server.connect() as conn: # what came before is in the log when this one was answered and ended
        run(conn, "SET GLOBAL slow_query_log = ON")
        run(conn, "SET long_query_time = 0")
        run(conn, "SELECT 'last'")
        line(server, "'last'")
        expect(lines(server, "off again"), [])
        run(conn, "SET GLOBAL slow_query_log = OFF")


def main():
    support.need("quanta", "quanta-node", "quanta-proxy")
    failed = 0
    for set_up in SET_UPS:
        with set_up() as server:
            print(f"{server.name}:", flush=True)
            with server.connect() as conn:
                run(conn, "CREATE TABLE numbers (n INT PRIMARY KEY, v INT)")
                run(conn, "INSERT INTO numbers VALUES " + ",".join(f"({n}, 0)" for n in range(100)))
            failed += support.run_functions(globals(), server, server=server)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

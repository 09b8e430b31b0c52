#!/usr/bin/python3
"""Cursors of prepared statements: rows come as they are fetched, by packets and by MariaDB's C library; KILL, resets and ends."""

import ctypes
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import wire
from support import Node, expect, rss_kib, wait_for
from wire import Wire, error_code, packet

ROWS = 1_000_000
GROWTH_KIB = 16 << 10
PREPARE, EXECUTE, CLOSE, RESET, FETCH, RESET_CONNECTION = 0x16, 0x17, 0x19, 0x1a, 0x1c, 0x1f
DEPRECATE_EOF = 1 << 24
CURSOR_EXISTS, LAST_ROW_SENT = 0x40, 0x80
CURSORS_MAX = 16


class Client(Wire):
    """A connection that prepares, executes with a cursor and fetches."""

    def __init__(self, server, deprecate=False):
        super().__init__(server.ports["mysql"], timeout=60)
        self.deprecate = deprecate
        self.sock.sendall(packet(wire.login(capabilities=wire.CAPABILITIES | (DEPRECATE_EOF if deprecate else 0)), 1))
        expect(self.receive()[1][0], 0)

    def end_of(self, payload):
        """Status of an EOF or of the OK that stands for it; None for a row."""
        if payload[0] == 0xfe and len(payload) < 9:
            return struct.unpack_from("<H", payload, 3)[0]
        return None

    def prepare(self, text):
        """Its id."""
        head = self.command(PREPARE, text.encode())
        expect(head[0], 0, str(head))
        number, columns, params = struct.unpack_from("<IHH", head, 1)
        for n in (params, columns):
            for _ in range(n + (1 if n and not self.deprecate else 0)):
                self.receive()
        return number

    def execute(self, number, params=b"", cursor=1):
        """Status of a result with a cursor; the number of an error, negative; the rows when they all came."""
        head = self.command(EXECUTE, struct.pack("<IBI", number, cursor, 1) + params)
        if head[0] == 0xff:
            return -error_code(head)
        if head[0] == 0:
            return "ok"
        for _ in range(head[0]):
            self.receive()
        status = None if self.deprecate and not cursor else self.end_of(self.receive()[1])
        return status if status and status & CURSOR_EXISTS else self.rows()[0]

    def rows(self):
        """Rows up to the end, and its status; or the number of an error."""
        found = []
        while True:
            payload = self.receive()[1]
            if payload[0] == 0xff:
                return found, -error_code(payload)
            status = self.end_of(payload)
            if status is not None:
                return found, status
            found.append(payload)

    def fetch(self, number, rows):
        """As rows()."""
        self.sock.sendall(packet(struct.pack("<BII", FETCH, number, rows)))
        return self.rows()


def ids(rows):
    """First column, a BIGINT, of binary rows of one or two columns."""
    return [struct.unpack_from("<q", row, 2)[0] for row in rows]


def test_fetches(server):
    for deprecate in (False, True):
        with Client(server, deprecate) as c:
            number = c.prepare("SELECT id FROM numbers WHERE id < 250 ORDER BY id")
            for _ in range(2):
                expect(c.execute(number) & (CURSOR_EXISTS | LAST_ROW_SENT), CURSOR_EXISTS)
                for first in (0, 100):
                    rows, status = c.fetch(number, 100)
                    expect(ids(rows), list(range(first, first + 100)))
                    expect(status & (CURSOR_EXISTS | LAST_ROW_SENT), CURSOR_EXISTS)
                expect(c.fetch(number, 0)[0], [])
            rows, status = c.fetch(number, 100)
            expect((ids(rows), status & (CURSOR_EXISTS | LAST_ROW_SENT)), (list(range(200, 250)), LAST_ROW_SENT))
            expect(c.fetch(number, 1), ([], -1421))
            # The last rows are asked for exactly: what follows them is told by the next fetch, as in MySQL.
            c.execute(number)
            rows, status = c.fetch(number, 250)
            expect((len(rows), status & CURSOR_EXISTS), (250, CURSOR_EXISTS))
            expect(c.fetch(number, 1)[1] & LAST_ROW_SENT, LAST_ROW_SENT)
            expect(c.fetch(number, 1), ([], -1421))
            expect(c.fetch(number + 7, 1), ([], -1243))
            # Without a cursor all rows come; statements without rows answer at once.
            expect(ids(c.execute(number, cursor=0)), list(range(250)))
            expect(c.fetch(number, 1), ([], -1421))
            expect(c.execute(c.prepare("DO 1")), "ok")
            for text, n in (("SHOW VARIABLES LIKE 'wait_timeout'", 1), ("SELECT id FROM numbers WHERE id < 0", 0),
                            ("SELECT 5", 1)):
                other = c.prepare(text)
                expect(c.execute(other) & CURSOR_EXISTS, CURSOR_EXISTS, text)
                rows, status = c.fetch(other, 10)
                expect((len(rows), status & LAST_ROW_SENT), (n, LAST_ROW_SENT), text)


def test_errors(server):
    """Of the execution at once, of a row when it comes; the next execution is as if nothing had been."""
    with Client(server) as c:
        scalar = c.prepare("SELECT (SELECT id FROM numbers WHERE id < 2)")
        expect(c.execute(scalar), -1242)
        expect(c.fetch(scalar, 1), ([], -1421))
        late = c.prepare("SELECT 9223372036854775807 - 500000 + id FROM numbers ORDER BY id")
        status = c.execute(late)
        got = 0
        while status > 0:
            rows, status = c.fetch(late, 1000)
            got += len(rows)
        expect(status, -1690)
        expect(got <= 500_001, True, str(got))
        expect(c.fetch(late, 1), ([], -1421))
        expect(c.execute(late) & CURSOR_EXISTS, CURSOR_EXISTS)
        expect(c.command(wire.COM_PING)[0], 0)


def test_parameters_outlive_their_packet(server):
    """Texts of an execution are the cursor's: other commands come between the fetches."""
    with Client(server) as c:
        number = c.prepare("SELECT id, concat(?, id) FROM numbers WHERE id < ? ORDER BY id")
        text = b"text %04d of the first execution"
        params = b"\0\1\xfe\0\x08\0" + bytes([len(text)]) + text + struct.pack("<q", 1000)
        expect(c.execute(number, params) & CURSOR_EXISTS, CURSOR_EXISTS)
        for first in range(0, 1000, 250):
            rows, _ = c.fetch(number, 250)
            for i, row in enumerate(rows, first):
                wanted = text + str(i).encode()
                expect(row[10:], bytes([len(wanted)]) + wanted)
            c.sock.sendall(packet(b"\x03SELECT repeat('y', 100)"))
            while c.end_of(c.receive()[1]) is None:
                pass
            expect(len(c.rows()[0]), 1)


def test_closed(server):
    """By RESET, CLOSE, another execution, and the connection's reset; others stay."""
    with Client(server) as c:
        one, two = (c.prepare("SELECT id FROM numbers WHERE id < 9000 ORDER BY id") for _ in range(2))
        for number in (one, two):
            c.execute(number)
        expect(ids(c.fetch(one, 2)[0]), [0, 1])
        expect(c.command(RESET, struct.pack("<I", one))[0], 0)
        expect(c.fetch(one, 1), ([], -1421))
        expect(ids(c.fetch(two, 2)[0]), [0, 1])
        c.execute(two)
        expect(ids(c.fetch(two, 2)[0]), [0, 1], "begins anew")
        c.sock.sendall(packet(bytes([CLOSE]) + struct.pack("<I", two)))
        expect(c.fetch(two, 1), ([], -1243))
        c.execute(one)
        expect(c.command(RESET_CONNECTION)[0], 0)
        expect(c.fetch(one, 1), ([], -1243))


def test_beyond_the_limit_all_rows_come(server):
    with Client(server) as c:
        numbers = [c.prepare("SELECT id FROM numbers WHERE id < 300 ORDER BY id") for _ in range(CURSORS_MAX + 1)]
        for number in numbers[:-1]:
            expect(c.execute(number) & CURSOR_EXISTS, CURSOR_EXISTS)
        expect(ids(c.execute(numbers[-1])), list(range(300)))
        for n in range(2):
            for number in numbers[:-1]:
                expect(ids(c.fetch(number, 3)[0]), [3 * n, 3 * n + 1, 3 * n + 2])
        c.command(RESET, struct.pack("<I", numbers[0]))
        expect(c.execute(numbers[-1]) & CURSOR_EXISTS, CURSOR_EXISTS)


def test_the_table_changes_meanwhile(server):
    """Definition changes and writes do not wait for cursors; what they read of is not freed."""
    with server.connect() as other, Client(server) as c, other.cursor() as cur:
        for change in ("DELETE FROM copy", "TRUNCATE TABLE copy", "ALTER TABLE copy ADD COLUMN more INT DEFAULT 1",
                       "DROP TABLE copy"):
            cur.execute("CREATE TABLE copy (id INT PRIMARY KEY)")
            cur.execute("INSERT INTO copy SELECT id FROM numbers WHERE id < 50000")
            number = c.prepare("SELECT id FROM copy")
            c.execute(number)
            expect(len(c.fetch(number, 100)[0]), 100)
            cur.execute(change)
            rows, status, got = [], 1, 100
            while status > 0 and not status & LAST_ROW_SENT:
                rows, status = c.fetch(number, 10000)
                got += len(rows)
            expect(got <= 50000, True, change)
            if status < 0:
                expect(-status in (1051, 1146, 1412), True, f"{change}: {status}")
            cur.execute("DROP TABLE IF EXISTS copy")
            c.sock.sendall(packet(bytes([CLOSE]) + struct.pack("<I", number)))


def process(server, number):
    """Command of a connection, None when it is gone."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT command FROM information_schema.processlist WHERE id = %s", (number,))
        row = cur.fetchone()
        return row and row[0]


def test_kill_and_idle(server):
    """KILL QUERY finds nothing at work; KILL and wait_timeout end the connection with its cursors."""
    for end in ("kill", "wait", "abort"):
        with Client(server) as c:
            me = struct.unpack_from("<I", c.greeting, c.greeting.index(b"\0", 1) + 1)[0]
            for _ in range(CURSORS_MAX):
                number = c.prepare("SELECT a.id, b.id FROM numbers a JOIN numbers b ON a.id = b.id + 1 "
                                   "WHERE a.id < 9000 AND b.id < 9000")
                expect(c.execute(number) & CURSOR_EXISTS, CURSOR_EXISTS)
            expect(len(c.fetch(number, 10)[0]), 10)
            expect(process(server, me), "Sleep")
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute(f"KILL QUERY {me}")
                expect(len(c.fetch(number, 10)[0]), 10, "nothing was at work")
                if end == "kill":
                    cur.execute(f"KILL {me}")
            if end == "wait":
                expect(c.command(wire.COM_QUERY, b"SET wait_timeout = 1")[0], 0)
            elif end == "abort":
                c.abort()
            wait_for(lambda: process(server, me) is None, 30, f"{end}: the connection is gone")


def test_time_limit(server):
    """Counts from the execution on, and is told by the next fetch."""
    with Client(server) as c:
        expect(c.command(wire.COM_QUERY, b"SET max_statement_time = 0.5")[0], 0)
        number = c.prepare("SELECT id FROM numbers")
        c.execute(number)
        expect(len(c.fetch(number, 10)[0]), 10)
        time.sleep(1)
        expect(c.fetch(number, 10), ([], -3024))
        expect(c.fetch(number, 10), ([], -1421))


def slow(server, mark):
    """Seconds and rows of the line of the slow query log with the mark, once it is there."""
    def found():
        return [line for line in server.errors if "slow query:" in line and mark in line]
    wait_for(found, 30, mark)
    line, = found()
    return float(re.search(r"time=([0-9.]+)s", line)[1]), int(re.search(r"rows_sent=(\d+)", line)[1])


def test_slow_log(server):
    """A cursor's time is that of its commands, not its client's; one that is closed early is written, too."""
    with Client(server) as c:
        for text in (b"SET GLOBAL slow_query_log = 1", b"SET long_query_time = 0"):
            expect(c.command(wire.COM_QUERY, text)[0], 0)
        began = time.monotonic()
        all_, some = (c.prepare(f"SELECT id FROM numbers WHERE id < 500 /* {mark} */") for mark in ("all of it", "some of it"))
        for number in (all_, some):
            c.execute(number)
            expect(len(c.fetch(number, 100)[0]), 100)
        time.sleep(1)
        expect(c.command(wire.COM_QUERY, b"DO 1")[0], 0)
        expect(len(c.fetch(all_, 1000)[0]), 400)
        c.fetch(all_, 1)
        expect(c.command(RESET, struct.pack("<I", some))[0], 0)
        for mark, rows in (("all of it", 500), ("some of it", 100)):
            seconds, sent = slow(server, mark)
            expect(sent, rows, mark)
            assert seconds <= time.monotonic() - began - 1, f"{mark}: {seconds} s"
        expect(c.command(wire.COM_QUERY, b"SET GLOBAL slow_query_log = 0")[0], 0)


# ---- MariaDB's C library ----

class Bind(ctypes.Structure):
    """MYSQL_BIND of libmariadb 3."""
    _fields_ = [("length", ctypes.c_void_p), ("is_null", ctypes.c_void_p), ("buffer", ctypes.c_void_p),
                ("error", ctypes.c_void_p), ("row_ptr", ctypes.c_void_p), ("store_param", ctypes.c_void_p),
                ("fetch_result", ctypes.c_void_p), ("skip_result", ctypes.c_void_p),
                ("buffer_length", ctypes.c_ulong), ("offset", ctypes.c_ulong), ("length_value", ctypes.c_ulong),
                ("flags", ctypes.c_uint), ("pack_length", ctypes.c_uint), ("buffer_type", ctypes.c_uint),
                ("error_value", ctypes.c_char), ("is_unsigned", ctypes.c_char), ("long_data_used", ctypes.c_char),
                ("is_null_value", ctypes.c_char), ("extension", ctypes.c_void_p)]


ATTR_CURSOR_TYPE, ATTR_PREFETCH_ROWS, NO_DATA, LONGLONG = 1, 2, 100, 8


def library():
    """libmariadb with the types of what is called."""
    try:
        lib = ctypes.CDLL("libmariadb.so.3")
    except OSError:
        return None
    pointer = ctypes.c_void_p
    for name, result, arguments in (
            ("mysql_init", pointer, [pointer]), ("mysql_close", None, [pointer]),
            ("mysql_real_connect", pointer, [pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p,
                                             ctypes.c_uint, ctypes.c_char_p, ctypes.c_ulong]),
            ("mysql_stmt_init", pointer, [pointer]), ("mysql_stmt_error", ctypes.c_char_p, [pointer]),
            ("mysql_stmt_prepare", ctypes.c_int, [pointer, ctypes.c_char_p, ctypes.c_ulong]),
            ("mysql_stmt_attr_set", ctypes.c_char, [pointer, ctypes.c_int, pointer]),
            ("mysql_stmt_bind_result", ctypes.c_char, [pointer, pointer]),
            *((name, ctypes.c_int, [pointer]) for name in ("mysql_stmt_execute", "mysql_stmt_fetch")),
            *((name, ctypes.c_char, [pointer]) for name in ("mysql_stmt_close", "mysql_stmt_free_result"))):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def library_read(lib, link, text, stop, prefetch):
    """Sum and count of the first column, up to `stop` rows."""
    stmt = lib.mysql_stmt_init(link)
    def check(failed):
        assert not failed, lib.mysql_stmt_error(stmt)
    check(lib.mysql_stmt_prepare(stmt, text, len(text)))
    for attribute, value in ((ATTR_CURSOR_TYPE, 1), (ATTR_PREFETCH_ROWS, prefetch)):
        check(ord(lib.mysql_stmt_attr_set(stmt, attribute, ctypes.byref(ctypes.c_ulong(value)))))
    check(lib.mysql_stmt_execute(stmt))
    value = ctypes.c_longlong()
    bind = Bind(buffer=ctypes.addressof(value), buffer_type=LONGLONG, buffer_length=8)
    check(ord(lib.mysql_stmt_bind_result(stmt, ctypes.byref(bind))))
    total = count = 0
    while count < stop and (rc := lib.mysql_stmt_fetch(stmt)) != NO_DATA:
        check(rc)
        total, count = total + value.value, count + 1
    check(ord(lib.mysql_stmt_free_result(stmt)))
    check(ord(lib.mysql_stmt_close(stmt)))
    return total, count


def test_c_library(server):
    """A million rows in fetches of 100; a cursor closed in the middle; the server holds little."""
    lib = library()
    if not lib:
        print("no libmariadb.so.3: not asked")
        return
    link = lib.mysql_init(None)
    assert lib.mysql_real_connect(link, b"127.0.0.1", b"root", None, b"quanta", server.ports["mysql"], None, 0)
    try:
        text = b"SELECT id FROM numbers"
        expect(library_read(lib, link, text, 10, 100)[1], 10)
        before = rss_kib(server.pid)
        started = time.monotonic()
        expect(library_read(lib, link, text, ROWS + 1, 100), (ROWS * (ROWS - 1) // 2, ROWS))
        grown = rss_kib(server.pid) - before
        print(f"{ROWS} rows in fetches of 100: {time.monotonic() - started:.1f} s, {grown} KiB more in the server")
        assert support.IS_SANITIZED or grown < GROWTH_KIB, f"{grown} KiB more"
        expect(library_read(lib, link, b"SELECT id FROM numbers ORDER BY id LIMIT 7", 100, 2), (21, 7))
        expect(library_read(lib, link, b"SELECT id FROM numbers WHERE id < 0", 100, 2), (0, 0))
    finally:
        lib.mysql_close(link)


def main():
    support.need("quanta")
    with Node() as server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
            cur.execute("INSERT INTO digits VALUES " + ",".join(f"({d})" for d in range(10)))
            cur.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY)")
            cur.execute("INSERT INTO numbers SELECT " + " + ".join(f"{t}.d * {10 ** i}" for i, t in enumerate("abcdef")) +
                        " FROM " + ", ".join(f"digits {t}" for t in "abcdef"))
            expect(cur.rowcount, ROWS)
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()

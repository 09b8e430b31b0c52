#!/usr/bin/python3
"""The largest commands there may be, and larger ones: clear errors, bounded memory, and logins that trickle in."""

import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import wire
from support import Node, expect, rss_kib, wait_for
from wire import Wire, error_code, packet

PREPARE, EXECUTE, LONG_DATA, RESET = 0x16, 0x17, 0x18, 0x1a
PARAMS_MAX = 65535
CHUNK = (1 << 24) - 1
TOO_LARGE, TOO_MANY_PLACEHOLDERS = 1153, 1390
MEMORY_KIB = 700 << 10  # a command of 64 MiB is there twice, as bytes and as text, and its parse tree
SLOW_LOGINS = 300


def send_large(link, code, size, make):
    """A command of `size` bytes with its byte, in packets; what make(n) gives is sent in between. False: it was closed."""
    left, sequence = size, 0
    first = bytes([code])
    while left >= 0:
        n = min(left, CHUNK)
        head = struct.pack("<I", n)[:3] + bytes([sequence & 255])
        if not link.send(head + first + make(n - len(first))):
            return False
        first = b""
        left -= n
        sequence += 1
        if n < CHUNK:
            return True
    return True


class Pieces:
    """The text of SELECT length('xxx…') AS n, made as it is sent."""

    def __init__(self, fill):
        self.parts = [(b"SELECT length('", 15), (b"x", fill), (b"') AS n", 7)]

    def take(self, n):
        """Its next n bytes."""
        out = b""
        while n:
            text, left = self.parts.pop(0)
            step = min(n, left)
            out += text * step if len(text) == 1 else text[:step]
            n -= step
            if left > step:
                self.parts.insert(0, (text if len(text) == 1 else text[step:], left - step))
        return out


def answer(link):
    """The first packet that comes, or None when the connection was closed."""
    try:
        return link.receive()[1]
    except (EOFError, OSError):
        return None


def read_prepared(link, params, columns):
    for n in (params, columns):
        for _ in range(n + bool(n)):
            link.receive()


def test_65535_parameters(server):
    with Wire(server.ports["mysql"], timeout=120).log_in() as link:
        text = b"SELECT count(*) FROM numbers WHERE id IN (" + b",".join([b"?"] * PARAMS_MAX) + b")"
        head = link.command(PREPARE, text)
        expect(head[0], 0, str(head[:80]))
        number, columns, params = struct.unpack_from("<IHH", head, 1)
        expect((columns, params), (1, PARAMS_MAX))
        read_prepared(link, params, columns)
        for shift in (0, 500):
            body = struct.pack("<IBI", number, 0, 1) + bytes((PARAMS_MAX + 7) // 8) + b"\1" + b"\x08\0" * PARAMS_MAX + \
                b"".join(struct.pack("<q", n + shift) for n in range(PARAMS_MAX))
            head = link.command(EXECUTE, body)
            expect(head, b"\1", str(head[:80]))
            rows = [link.receive()[1] for _ in range(4)]
            expect(struct.unpack_from("<q", rows[2], 2)[0], 1000 - shift)
        # Cut short, and with a type there is not.
        for wrong in (body[:-1], body[:200], body[:9 + 8192] + b"\1" + b"\x7b\0" * PARAMS_MAX):
            expect(error_code(link.command(EXECUTE, wrong)) > 0, True)
        expect(error_code(link.command(PREPARE, text[:-1] + b",?)")), TOO_MANY_PLACEHOLDERS)
        expect(link.command(wire.COM_PING)[0], 0)


def test_statements_of_many_megabytes(server):
    """Up to 64 MiB they are served; more is refused before it is kept, and the connection ends."""
    for size in (60 << 20, 100 << 20, 100 << 20):
        with Wire(server.ports["mysql"], timeout=120).log_in() as link:
            fill = size - 23
            text = Pieces(fill)
            whole = send_large(link, wire.COM_QUERY, size, text.take)
            got = answer(link)
            if size < 64 << 20:
                expect((whole, got), (True, b"\1"), str(got)[:200])
                link.receive()
                link.receive()
                row = link.receive()[1]
                expect(row[1:], str(fill).encode(), f"{len(row)} bytes")
            else:
                expect(got is None or error_code(got) == TOO_LARGE, True, str(got)[:200])
                expect(answer(link), None)
            print(f"{size >> 20} MiB: {rss_kib(server.pid) >> 10} MiB resident")
    assert support.IS_SANITIZED or rss_kib(server.pid) < MEMORY_KIB, f"{rss_kib(server.pid)} KiB"
    expect(server.value("SELECT 1"), 1)


def test_long_data_without_end(server):
    """Data sent ahead are bounded over all statements of the connection; the execution says so."""
    with Wire(server.ports["mysql"], timeout=120).log_in() as link:
        numbers = []
        for _ in range(4):
            head = link.command(PREPARE, b"SELECT length(?)")
            number, columns, params = struct.unpack_from("<IHH", head, 1)
            read_prepared(link, params, columns)
            numbers.append(number)
        piece = b"x" * (8 << 20)
        for _ in range(5):
            for number in numbers: # 160 MiB in all
                assert link.send(packet(struct.pack("<BIH", LONG_DATA, number, 0) + piece))
        codes = []
        for number in numbers:
            head = link.command(EXECUTE, struct.pack("<IBI", number, 0, 1) + b"\0\1\xfc\0")
            codes.append(error_code(head))
            if not codes[-1]:
                while link.receive()[1][0] != 0xfe:
                    pass
                while link.receive()[1][0] != 0xfe:
                    pass
        expect(TOO_LARGE in codes and set(codes) <= {0, TOO_LARGE}, True, str(codes))
        expect(link.command(RESET, struct.pack("<I", numbers[0]))[0], 0)
        expect(link.command(wire.COM_PING)[0], 0)
    assert support.IS_SANITIZED or rss_kib(server.pid) < MEMORY_KIB, f"{rss_kib(server.pid)} KiB"


def test_logins_that_trickle(server):
    """Hundreds of handshakes a byte at a time: others are served meanwhile, and all end by --connect-timeout."""
    whole = packet(wire.login(), 1)
    before = rss_kib(server.pid)
    links = []
    for _ in range(SLOW_LOGINS):
        links.append(socket.create_connection(("127.0.0.1", server.ports["mysql"]), 10))
    started = time.monotonic()
    at = gone = 0
    while gone < SLOW_LOGINS:
        for i, link in enumerate(links):
            try:
                if link:
                    link.sendall(whole[at % len(whole):at % len(whole) + 1] if at < len(whole) - 1 else b"")
                    if at >= len(whole) - 1 and not link.recv(65536):
                        raise ConnectionResetError
            except OSError:
                link.close()
                links[i] = None
                gone += 1
        if at == 5:
            expect(server.value("SELECT count(*) FROM numbers"), 1000)
            grown = rss_kib(server.pid) - before
        at += 1
        time.sleep(0.02)
    print(f"{SLOW_LOGINS} trickling logins: {grown} KiB more in the server, all gone after {time.monotonic() - started:.0f} s")
    assert support.IS_SANITIZED or grown < SLOW_LOGINS * 64, f"{grown} KiB"
    mine = "SELECT count(*) FROM information_schema.processlist WHERE command = 'Connect'"
    wait_for(lambda: server.value(mine) == 0, 10, "no login is left")


def main():
    support.need("quanta")
    with Node("--connect-timeout", "3", "--memory", "2G") as server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY)")
            cur.execute("INSERT INTO numbers VALUES " + ",".join(f"({n})" for n in range(1000)))
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()

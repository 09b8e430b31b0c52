#!/usr/bin/python3
"""The compressed protocol, zlib and zstd: statements and results of all sizes, with TLS, and what is no packet."""

import ctypes
import ctypes.util
import os
import socket
import struct
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import SET_UPS, expect, mariadb, rss_kib

import pymysql
from pymysql import connections

CLIENT_COMPRESS, CLIENT_ZSTD = 1 << 5, 1 << 26


class Zstd:
    """The library by its C names."""

    def __init__(self):
        name = ctypes.util.find_library("zstd")
        self.lib = ctypes.CDLL(name) if name else None
        if self.lib:
            self.lib.ZSTD_compressBound.restype = self.lib.ZSTD_compress.restype = ctypes.c_size_t
            self.lib.ZSTD_decompress.restype = ctypes.c_size_t

    def compress(self, data):
        size = self.lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
        out = ctypes.create_string_buffer(size)
        size = self.lib.ZSTD_compress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)), 3)
        return out.raw[:size]

    def decompress(self, data, size):
        out = ctypes.create_string_buffer(size)
        expect(self.lib.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data))),
               size)
        return out.raw


class Zlib:
    compress = staticmethod(zlib.compress)

    @staticmethod
    def decompress(data, _):
        return zlib.decompress(data)


ZSTD = Zstd()


def read_exactly(file, size):
    data = file.read(size)
    if len(data) < size:
        raise pymysql.OperationalError(2013, "the server has gone")
    return data


class Unpacked:
    """What PyMySQL reads from, after the login."""

    def __init__(self, file, codec):
        self.file, self.codec, self.rest, self.sequence, self.packed = file, codec, b"", 1, 0

    def read(self, size):
        while len(self.rest) < size:
            head = read_exactly(self.file, 7)
            expect(head[3], self.sequence & 255, "sequence number")
            self.sequence += 1
            packed, plain = (int.from_bytes(head[i:i + 3], "little") for i in (0, 4))
            data = read_exactly(self.file, packed)
            self.packed += plain > 0
            self.rest += self.codec.decompress(data, plain) if plain else data
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def close(self):
        self.file.close()


class Connection(connections.Connection):
    """Compresses after the login; `cut` bytes are in a packet."""

    codec, cut = Zlib, 0xffffff

    def _request_authentication(self):
        super()._request_authentication()
        self.unpacked = self._rfile = Unpacked(self._rfile, self.codec)
        self.sequence = 0

    def _execute_command(self, command, sql):
        self.sequence = 0
        self.unpacked.sequence = None
        super()._execute_command(command, sql)
        self.unpacked.sequence = self.sequence

    def _write_bytes(self, data):
        if not isinstance(self._rfile, Unpacked):
            super()._write_bytes(data)
            return
        for at in range(0, len(data), self.cut):
            piece = data[at:at + self.cut]
            packed = self.codec.compress(piece) if len(piece) >= 50 else piece
            head = struct.pack("<I", len(packed))[:3] + bytes([self.sequence & 255])
            head += struct.pack("<I", len(piece) if packed is not piece else 0)[:3]
            self.sequence += 1
            super()._write_bytes(head + packed)


def connect(server, codec, cut=0xffffff, **options):
    """A connection that compresses."""
    kind = type("Compressed", (Connection,), {"codec": codec, "cut": cut})
    return kind(host="127.0.0.1", port=server.ports["mysql"], user="root", database="quanta",
                charset="utf8mb4", connect_timeout=30, read_timeout=support.HANG_SECONDS, autocommit=True,
                client_flag=CLIENT_ZSTD if codec is ZSTD else CLIENT_COMPRESS, **options)


def codecs():
    if not ZSTD.lib:
        print("no libzstd: zlib alone is tested")
    return [Zlib] + [ZSTD] * bool(ZSTD.lib)


def test_sizes_in_both_directions(server):
    for codec in codecs():
        for tls in (None, {"check_hostname": False}):
            with connect(server, codec, ssl=tls) as conn, conn.cursor() as cur:
                for size in (0, 1, 30, 50, 51, 1000, 65536, 1 << 20,
                             17 << 20 if codec is ZSTD and not tls else 9):
                    text = "abc " * (size // 4)
                    cur.execute("SELECT %s, length(%s)", (text, text))
                    expect(cur.fetchone() == (text, len(text)), True, f"{codec} {size}")
                noise = os.urandom(100000).hex()
                cur.execute("SELECT %s", (noise,))
                expect(cur.fetchone() == (noise,), True)
                expect(conn.unpacked.packed > 3, True, "results are compressed")


def test_statements_cut_in_small_packets(server):
    for codec in codecs():
        for cut in (1, 7, 60, 1000):
            with connect(server, codec, cut) as conn, conn.cursor() as cur:
                text = "x" * 5000
                cur.execute("SELECT %s", (text,))
                expect(cur.fetchone(), (text,))


def test_rows_stream(server):
    for codec in codecs():
        with connect(server, codec) as conn, conn.cursor(pymysql.cursors.SSCursor) as cur:
            cur.execute("SELECT a.n * 1000 + b.n, 'text that repeats' FROM numbers a, numbers b "
                        "WHERE b.n < 100")
            total = count = 0
            for number, _ in cur:
                total += number
                count += 1
            expect((count, total), (100000, 100 * 1000 * 499500 + 1000 * 4950))


def test_errors(server):
    for codec in codecs():
        with connect(server, codec) as conn, conn.cursor() as cur:
            for _ in range(3):
                try:
                    cur.execute("SELECT nothing")
                except pymysql.MySQLError as error:
                    expect(error.args[0], 1054)
                conn.ping(reconnect=False)
                cur.execute("SELECT 1")
                expect(cur.fetchone(), (1,))


def test_command_line_client(server):
    for arguments in (("--compress",), ("--compress", "--ssl")):
        done = mariadb(server.ports["mysql"], *arguments, "-BN", "--database=quanta", "-e",
                       "SELECT count(*), sum(n) FROM numbers; SELECT repeat('a', 100000)")
        expect((done.stdout == "1000\t499500\n" + "a" * 100000 + "\n", done.stderr), (True, ""))


def test_bombs_and_nonsense(server):
    """What announces much and is little takes no memory; what is damaged ends its connection alone."""
    before = rss_kib(server.pid)
    links = []
    for codec in codecs():
        for head, body in ((b"\xff\xff\xff\x00\xff\xff\xff", codec.compress(bytes(1000))),
                           (b"\x05\x00\x00\x00\xff\xff\xff", b"abcde"),
                           (b"\x10\x00\x00\x00\x00\x00\x00", b"\x01\x00\x00"),
                           (b"\x00\x00\x00\x00\x05\x00\x00", b""),
                           # Four million empty commands: errors that nobody reads.
                           (struct.pack("<I", len(codec.compress(bytes(0xffffff))))[:3] +
                            b"\0\xff\xff\xff", codec.compress(bytes(0xffffff)))):
            conn = connect(server, codec)
            conn._sock.sendall(head + body)
            links.append(conn)
    expect(server.value("SELECT count(*) FROM numbers"), 1000)
    if not support.IS_SANITIZED:
        expect(rss_kib(server.pid) < before + (48 << 10), True, f"memory {rss_kib(server.pid)} {before}")
    for conn in links:
        conn._force_close()
    with socket.create_connection(("127.0.0.1", server.ports["mysql"])) as sock:
        sock.recv(100)


def main():
    support.need("quanta", "quanta-node", "quanta-proxy")
    failed = 0
    for set_up in SET_UPS:
        with set_up() as server:
            print(f"{server.name}:", flush=True)
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute("CREATE TABLE numbers (n INT PRIMARY KEY)")
                cur.execute("INSERT INTO numbers VALUES " + ",".join(f"({n})" for n in range(1000)))
            failed += support.run_functions(globals(), server, server=server)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

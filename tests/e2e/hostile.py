#!/usr/bin/python3
# alone
"""
Clients that send nonsense, too much, half of it, or nothing: the server stays alive, answers others
and has its memory and descriptors back. SEED repeats a run.
"""

import os
import random
import resource
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import wire
from support import Node, expect, http_get, open_files, rss_kib, wait_for
from wire import Wire, error_code, packet

RANDOM = random.Random(support.seed())
DROPPED = int(os.environ.get("DROPPED", "10000"))
MEMORY_KIB = 48 << 10
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
BASE = {}


def is_well(server):
    """Others are served."""
    expect(server.value("SELECT count(*) FROM kept"), 100)
    expect(http_get(server.ports["http"], "/healthz")[0], 200)


def calm(server):
    """Closed connections are closed here as well, and memory has come back."""
    wait_for(lambda: open_files(server.pid) <= BASE["files"] + 16, 20, "descriptors come back")
    is_well(server)
    if not support.IS_SANITIZED:
        wait_for(lambda: rss_kib(server.pid) <= BASE["rss"] + MEMORY_KIB, 25, "memory comes back "
                 f"from {rss_kib(server.pid)} KiB to {BASE['rss']} + {MEMORY_KIB} KiB")


def test_random_bytes(server):
    for _ in range(150):
        with Wire(server.ports["mysql"], greet=RANDOM.random() < 0.5) as link:
            link.send(RANDOM.randbytes(RANDOM.choice((1, 3, 4, 5, 40, 4000, 70000))))
            if RANDOM.random() < 0.1:
                link.drain()
    calm(server)


def test_handshakes_cut_at_every_byte(server):
    whole = packet(wire.login(), 1)
    for size in range(len(whole)):
        with Wire(server.ports["mysql"]) as link:
            link.send(whole[:size])
            if size % 3 == 0:
                link.abort()
    # The payload cut and its length right: an answer, not a crash.
    payload = wire.login()
    for size in range(len(payload)):
        with Wire(server.ports["mysql"]) as link:
            link.send(packet(payload[:size], 1))
            if size % 7 == 0:
                link.drain()
    calm(server)


def test_handshakes_with_random_changes(server):
    for _ in range(200):
        payload = bytearray(wire.login())
        for _ in range(RANDOM.randint(1, 6)):
            payload[RANDOM.randrange(len(payload))] = RANDOM.randrange(256)
        with Wire(server.ports["mysql"]) as link:
            link.send(packet(bytes(payload), RANDOM.choice((1, 1, 1, 0, 7))))
            if RANDOM.random() < 0.1:
                link.drain()
    calm(server)


def test_commands_of_random_bytes(server):
    """Every command byte, also COM_SHUTDOWN; COM_QUIT closes, COM_PROCESS_KILL finds nobody."""
    for code in range(256):
        with Wire(server.ports["mysql"]).log_in() as link:
            link.send(packet(bytes([code]) + RANDOM.randbytes(RANDOM.choice((0, 1, 4, 9, 100)))))
            link.send(packet(bytes([wire.COM_PING])))
            if code % 16 == 0 or code in (8, 10, 28):
                link.drain()
    calm(server)


def test_statements_of_random_bytes(server):
    with Wire(server.ports["mysql"]).log_in() as link:
        for _ in range(200):
            text = RANDOM.randbytes(RANDOM.randint(0, 200))
            assert error_code(link.command(wire.COM_QUERY, b"SELEC " + text)) >= 1000
    link = Wire(server.ports["mysql"]).log_in()
    try:
        words = (b"SELECT ( ) * , FROM WHERE kept id 'a' \" ` 1 -1 1e9 AND OR NOT IN LIKE NULL = < ; "
                 b"/* --").split()
        for _ in range(300):
            text = b" ".join(RANDOM.choice(words) for _ in range(RANDOM.randint(1, 25)))
            answer = link.command(wire.COM_QUERY, b"SELECT " + text)
            if not error_code(answer):  # it made sense
                link.sock.close()
                link = Wire(server.ports["mysql"]).log_in()
    finally:
        link.sock.close()
    calm(server)


def test_wrong_sequence_numbers(server):
    for sequence in (1, 2, 255):
        with Wire(server.ports["mysql"]).log_in() as link:
            link.send(packet(bytes([wire.COM_QUERY]) + b"SELECT 1", sequence))
            data = link.drain()
            assert not data or error_code(data[4:]) == 1156, data[:100]
    with Wire(server.ports["mysql"]) as link:
        link.send(packet(wire.login(), 3))
        data = link.drain()
        assert not data or error_code(data[4:]) in (1043, 1156), data[:100]
    calm(server)


def test_large_packets(server):
    """A statement of 16 MiB and more is answered or refused with 1153; both leave others alone."""
    for size in ((1 << 24) - 20, (1 << 24) - 1, 1 << 24, 20 << 20):
        text = b"SELECT length('" + b"a" * (size - 18) + b"')"
        body = bytes([wire.COM_QUERY]) + text
        with Wire(server.ports["mysql"]).log_in() as link:
            sent, sequence = True, 0
            while sent:
                part, body = body[:0xffffff], body[0xffffff:]
                sent = link.send(packet(part, sequence))
                sequence += 1
                if len(part) < 0xffffff:
                    break
            try:
                answer = link.receive()[1]
            except (OSError, EOFError):
                continue
            assert answer == b"\x01" or error_code(answer) == 1153, answer[:100]
    calm(server)


def test_announced_and_not_sent(server):
    links = [Wire(server.ports["mysql"]).log_in() for _ in range(200)]
    before = rss_kib(server.pid)
    for link in links:
        link.send(b"\xff\xff\xff\x00\x03SELECT")
    time.sleep(0.5)
    grown = rss_kib(server.pid) - before
    assert support.IS_SANITIZED or grown < 64 << 10, f"{grown} KiB for packets that never came"
    is_well(server)
    for link in links:
        link.abort()
    calm(server)


def test_half_handshakes(server):
    links = [Wire(server.ports["mysql"], greet=False) for _ in range(500)]
    is_well(server)
    for link in links[::2]:
        link.abort()
    for link in links[1::2]:
        link.sock.close()
    calm(server)


def test_opened_and_dropped(server):
    """10,000 connections, some of them beside each other, dropped at different moments."""
    def some(number):
        for i in range(number):
            link = Wire(server.ports["mysql"], greet=i % 4 == 0)
            if i % 4 == 1:
                link.send(packet(wire.login(), 1)[:20])
            if i % 4 == 2:
                link.send(packet(wire.login(), 1) + packet(b"\x03SELECT count(*) FROM kept"))
            if i % 2:
                link.abort()
            else:
                link.sock.close()
    threads = [threading.Thread(target=some, args=(DROPPED // 4,)) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{DROPPED} connections opened and dropped in {time.monotonic() - started:.1f} s")
    calm(server)


def test_dropped_while_answers_are_sent(server):
    statement = packet(b"\x03SELECT a.id, b.id FROM kept a JOIN kept b ON a.id <> b.id")
    for i in range(60):
        link = Wire(server.ports["mysql"]).log_in()
        link.send(statement * RANDOM.randint(1, 5))
        if i % 3:
            link.sock.recv(100)
        link.abort()
    calm(server)


def test_pipelined_commands(server):
    """Commands sent without waiting are answered in order."""
    with Wire(server.ports["mysql"]).log_in() as link:
        link.send(b"".join(packet(bytes([wire.COM_PING])) for _ in range(1000)))
        for _ in range(1000):
            expect(link.receive()[1][0], 0)
    is_well(server)


def test_as_many_as_there_may_be(server):
    """Beyond the limit of connections: error 1040 at once, and place again when others go."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = int(server.value("SELECT @@max_connections"))
    if hard < most + 200 or most > 24000:
        print(f"not tried: {most} connections with {hard} descriptors")
        return
    links, refused = [], None
    try:
        for _ in range(most + 64):
            link = Wire(server.ports["mysql"], greet=False)
            links.append(link)
        for link in links[-65:]:
            answer = link.receive()[1]
            if error_code(answer):
                refused = answer
        assert refused, f"{len(links)} connections, {most} allowed, none refused"
        expect(error_code(refused), 1040, refused[:100])
    finally:
        for link in links:
            link.abort()
    calm(server)


def frame(kind, flags=0, stream=0, payload=b""):
    """An HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def http2_nonsense():
    """Openings of HTTP/2 connections that go wrong, one after the other."""
    settings = frame(4)
    yield RANDOM.randbytes(5000)
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield PREFACE[:10]
    yield PREFACE
    yield PREFACE + RANDOM.randbytes(100)
    yield PREFACE + settings + RANDOM.randbytes(20000)
    yield PREFACE + settings + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(70000)
    for kind in range(12):
        yield PREFACE + settings + frame(kind, RANDOM.randrange(256), RANDOM.randrange(1 << 31),
                                         RANDOM.randbytes(RANDOM.randint(0, 60)))
    yield PREFACE + settings + frame(1, 4, 1, RANDOM.randbytes(500))  # headers that no HPACK made
    yield PREFACE + settings + frame(1, 0, 1, b"\x82") + frame(9, 0, 1, bytes(16000)) * 200
    yield PREFACE + settings + frame(8, 0, 0, b"\x7f\xff\xff\xff") * 5
    yield PREFACE + settings + frame(4, 0, 0, struct.pack(">HI", 4, 0xffffffff))
    yield PREFACE + settings * 20000
    yield PREFACE + settings + frame(6, 0, 0, bytes(8)) * 20000
    headers = bytes.fromhex("838684418a089d5c0b8170dc780f03")
    yield PREFACE + settings + b"".join(frame(1, 5, s, headers) + frame(3, 0, s, bytes(4))
                                        for s in range(1, 20001, 2))
    yield PREFACE + settings + b"".join(frame(1, 4, s, headers) for s in range(1, 4001, 2))


def test_grpc_port(server):
    for data in http2_nonsense():
        link = Wire(server.ports["grpc"], greet=False)
        link.send(data)
        if RANDOM.random() < 0.7:
            link.drain()
        link.abort()
    for _ in range(100):
        link = Wire(server.ports["grpc"], greet=False)
        link.send(PREFACE + RANDOM.randbytes(RANDOM.randint(1, 3000)))
        link.sock.close()
    calm(server)


def test_grpc_connections_dropped(server):
    for i in range(1000):
        link = Wire(server.ports["grpc"], greet=False)
        if i % 2:
            link.send(PREFACE + frame(4))
        link.abort()
    calm(server)


def test_http_port(server):
    port = server.ports["http"]
    for data in (RANDOM.randbytes(3000), b"\r\n\r\n", b"GET", b"GET /\r\n\r\n",
                 b"POST /healthz HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000, b"\0" * 9000, b"GET /metrics HTTP/1.1\r\n\r\n" * 50, b"GET \xff\xfe HTTP/9.9\r\n\r\n"):
        with Wire(port, greet=False) as link:
            link.send(data)
            link.drain()
    with Wire(port, greet=False) as link:
        link.send(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000)
        assert b"431" in link.drain(support.HANG_SECONDS)[:20]
    for _ in range(300):
        link = Wire(port, greet=False)
        link.send(b"GET /metrics HTTP/1.1\r\n\r\n"[:RANDOM.randint(0, 30)])
        link.abort()
    calm(server)


def test_http_port_held_by_silent_clients(server):
    """Silent connections may not keep the health check away for good."""
    links = [Wire(server.ports["http"], greet=False) for _ in range(200)]
    def answers():
        try:
            return http_get(server.ports["http"], "/healthz", timeout=2)[0] == 200
        except OSError:
            return False
    try:
        wait_for(answers, 30, "/healthz beside 200 silent connections")
    finally:
        for link in links:
            link.abort()
    calm(server)


def main():
    """One server for all of it."""
    support.need("quanta")
    # Connections that say nothing stay as long as the test wants them.
    with Node("--cores", "1", "--connect-timeout", "3600") as server:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        socket.setdefaulttimeout(support.HANG_SECONDS)
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE kept (id INT PRIMARY KEY)")
            cur.executemany("INSERT INTO kept (id) VALUES (%s)", [(i,) for i in range(100)])
        # A first wave fills pools that stay, so that growth after it is growth.
        links = [Wire(server.ports["mysql"]).log_in() for _ in range(200)]
        for link in links:
            link.sock.close()
        is_well(server)
        time.sleep(1)
        BASE.update(rss=rss_kib(server.pid), files=open_files(server.pid))
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()

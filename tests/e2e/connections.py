#!/usr/bin/python3
"""Limits of connections: how many, how long they may be idle or half done; who is there, and KILL."""

import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import wire
from support import Node, expect, wait_for
from wire import Wire, packet

import pymysql
from pymysql import connections
from pymysql.constants import CLIENT, COMMAND

LONG = "SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n + c.n < 0 AND rand() < 2"
WRITING = "SELECT count(*) FROM information_schema.processlist WHERE state = 'Writing to net'"


def code_of(function):
    """Number of the error that the call ends with, None without."""
    try:
        function()
    except pymysql.MySQLError as error:
        return error.args[0]
    return None


def expect_closed(link):
    """Waits for the other side to close; nothing but its limit makes it do that."""
    link.settimeout(support.HANG_SECONDS)
    try:
        while link.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout as error:
        raise AssertionError("still open") from error


def other_logins_that_do_not_come():
    """Nothing, half a login, and one byte a time: all end after --connect-timeout."""
    with Node("--connect-timeout", "2") as server:
        logins_that_do_not_come(server)
        # A client that was stopped for so long itself tries again.
        wait_for(lambda: code_of(lambda: server.connect().close()) is None, 10, "a login in time")


def logins_that_do_not_come(server):
    """The clients; each is closed, whatever it sends."""
    whole = packet(wire.login(), 1)
    links = []
    for sent in (b"", whole[:3], whole[:20], whole[:-1]):
        sock = socket.create_connection(("127.0.0.1", server.ports["mysql"]), support.HANG_SECONDS)
        sock.sendall(sent)
        links.append(sock)
    slow = socket.create_connection(("127.0.0.1", server.ports["mysql"]), support.HANG_SECONDS)
    slow.settimeout(support.HANG_SECONDS)
    try:
        for byte in whole[:-1]:
            slow.sendall(bytes([byte]))
            time.sleep(0.1)
    except (BrokenPipeError, ConnectionResetError):
        pass
    for sock in (*links, slow):
        expect_closed(sock)
        sock.close()


def test_idle_connections(server):
    def is_kept_by_statements():
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("SET wait_timeout = 2")
            for _ in range(5):
                time.sleep(0.5)
                if code_of(lambda: cur.execute("SELECT 1")):
                    conn._force_close()
                    return False
            return True

    wait_for(is_kept_by_statements, 30, "2.5 s without a pause of 2 s of this client")
    with server.connect() as kept, server.connect() as conn:
        with conn.cursor() as cur:
            cur.execute("SET wait_timeout = 1")
        data = b""
        conn._sock.settimeout(support.HANG_SECONDS)
        while chunk := conn._sock.recv(1000):
            data += chunk
        expect(data[4:7], b"\xff" + (4031).to_bytes(2, "little"))
        with kept.cursor() as cur:
            cur.execute("SET wait_timeout = 1000")
            cur.execute("SELECT @@wait_timeout, @@interactive_timeout")
            expect(cur.fetchone(), (1000, 28800))
            cur.execute("SET net_read_timeout = 0")
            cur.execute("SHOW WARNINGS")
            expect(cur.fetchone()[1], 1292)
            cur.execute("SELECT @@net_read_timeout")
            expect(cur.fetchone(), (1,))
            cur.execute("SET wait_timeout = DEFAULT")
            cur.execute("SELECT @@wait_timeout")
            expect(cur.fetchone(), (28800,))


def test_a_running_statement_is_not_idle(server):
    def goes_on():
        conn = server.connect()
        conn.query("SET wait_timeout = 1, max_statement_time = 2.5")
        expect(code_of(lambda: conn.query(LONG)), 3024)
        found = code_of(lambda: conn.query("SELECT 1"))
        conn._force_close()
        return found is None

    wait_for(goes_on, 30, "a statement after a long one, from a client that did not pause for a second")


def test_commands_that_do_not_end(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SET net_read_timeout = 1")
        conn._sock.sendall(b"\x64\0\0\0\x03SELECT 1")
        expect_closed(conn._sock)
        conn._force_close()


def test_answers_that_are_not_read(server):
    with server.connect() as conn:
        conn.query("SET net_write_timeout = 1")
        conn._execute_command(COMMAND.COM_QUERY, "SELECT repeat('x', 100000) FROM numbers")
        there = f"SELECT count(*) FROM information_schema.processlist WHERE id = {conn.thread_id()}"
        wait_for(lambda: server.value(there) == 0, 10, "it was given up")
        conn._force_close()


def test_killed_while_its_answer_is_not_read(server):
    """What comes later is no longer late for it."""
    def is_killed_in_time():
        conn = server.connect()
        conn.query("SET net_write_timeout = 4")
        conn._execute_command(COMMAND.COM_QUERY, "SELECT repeat('x', 100000) FROM numbers")
        there = f"SELECT count(*) FROM information_schema.processlist WHERE id = {conn.thread_id()}"
        wait_for(lambda: server.value(WRITING) == 1 or server.value(there) == 0, 10, "it waits for its client")
        with server.connect() as killer:
            code = code_of(lambda: killer.query(f"KILL QUERY {conn.thread_id()}"))
        if code or code_of(conn._read_query_result) != 1317:  # it was given up before that
            conn._force_close()
            return False
        time.sleep(6)
        expect(code_of(lambda: conn.ping(reconnect=False)), None)
        conn.close()
        return True

    wait_for(is_killed_in_time, 30, "a KILL within 4 s")


def test_processlist(server):
    with server.connect(user="one") as first, server.connect(user="two", database=None) as second:
        thread = threading.Thread(target=lambda: code_of(lambda: first.query(LONG)))
        thread.start()
        def rows():
            with second.cursor() as cur:
                cur.execute("SHOW FULL PROCESSLIST")
                return {row[0]: row[1:] for row in cur.fetchall()}
        wait_for(lambda: rows()[first.thread_id()][3] == "Query", 10, "the statement runs")
        time.sleep(1.1)
        found = rows()
        mine, other = found[second.thread_id()], found[first.thread_id()]
        expect((other[0], other[2], other[3], other[5], other[6]),
               ("one", "quanta", "Query", "executing", LONG))
        expect(other[4] >= 1, True, "seconds")
        expect((mine[0], mine[2], mine[3], mine[6]), ("two", None, "Query", "SHOW FULL PROCESSLIST"))
        expect(mine[1], "127.0.0.1:%d" % second._sock.getsockname()[1])
        with second.cursor() as cur:
            cur.execute(f"KILL QUERY {first.thread_id()}")
        thread.join()
        wait_for(lambda: rows()[first.thread_id()][3] == "Sleep", 10, "it waits for its client")
    asked = "SELECT group_concat(command) FROM information_schema.processlist WHERE user = 'unauthenticated user'"
    with Wire(server.ports["mysql"]):
        wait_for(lambda: server.value(asked) == "Connect", 10, "a connection without a login")


def test_processlist_has_all_cores(server):
    """Connections lie on cores by chance: with 40 there is none without."""
    links = [server.connect() for _ in range(40)]
    ids = {link.thread_id() for link in links}
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT id FROM information_schema.processlist")
        expect(ids - {row[0] for row in cur.fetchall()}, set())
    for link in links:
        link.close()


def test_session_tracking(server):
    """OK packets tell what changed to those who ask for it, and to nobody else."""
    def entry(kind, *texts):
        data = b"".join(bytes([len(t)]) + t.encode() for t in texts)
        return bytes([kind, len(data)]) + data
    def told(conn, statement):
        conn.query(statement)
        return conn._result.message, bool(conn._result.server_status & 0x4000)
    cases = (("USE quanta", entry(1, "quanta")),
             ("SET autocommit = 0", entry(0, "autocommit", "OFF")),
             ("SET time_zone = '+00:00', @@sql_notes = 0", entry(0, "time_zone", "+00:00")),
             ("SET NAMES utf8mb4", entry(0, "character_set_client", "utf8mb4") +
              entry(0, "character_set_connection", "utf8mb4") +
              entry(0, "character_set_results", "utf8mb4")),
             ("DO 1", b""), ("SET @x = 1", b""),
             ("SET session_track_schema = 0", b""), ("USE quanta", b""),
             ("SET session_track_system_variables = 'autocommit', time_zone = 'UTC'", b""),
             ("SET session_track_state_change = 1, autocommit = 1",
              entry(0, "autocommit", "ON") + entry(2, "1")))
    with server.connect(client_flag=1 << 23) as asks, server.connect() as asks_not:
        for statement, data in cases:
            wanted = (b"\0" + bytes([len(data)]) + data, True) if data else (b"", False)
            expect(told(asks, statement), wanted, statement)
            expect(told(asks_not, statement), (b"", False), statement)
        asks.select_db("quanta")
        expect(asks.ping(reconnect=False), None)


def test_commands_of_the_protocol(server):
    """COM_PROCESS_INFO, COM_PROCESS_KILL, COM_STATISTICS, COM_RESET_CONNECTION, COM_SET_OPTION, and one that is not served."""
    with server.connect() as conn, server.connect() as victim:
        conn._execute_command(COMMAND.COM_PROCESS_INFO, b"")
        result = connections.MySQLResult(conn)
        result.read()
        expect({int(row[0]) for row in result.rows} >= {conn.thread_id(), victim.thread_id()}, True)
        expect([f.name for f in result.fields][:5], ["Id", "User", "Host", "db", "Command"])
        conn.kill(victim.thread_id())
        wait_for(lambda: code_of(lambda: victim.ping(reconnect=False)) is not None, 10, "it ends")
        expect(code_of(lambda: conn.kill(3)), 1094)
        conn._execute_command(COMMAND.COM_STATISTICS, b"")
        expect(conn._read_packet().get_all_data().startswith(b"Uptime: "), True)
        conn.query("SET @x = 1")
        conn._execute_command(0x1f, b"")
        expect(conn._read_packet().is_ok_packet(), True)
        conn.query("SELECT @x")
        expect(conn._result.rows, ((None,),))
        for option, code in ((1, 1064), (0, None), (1, 1064)):
            conn._execute_command(0x1b, option.to_bytes(2, "little"))
            expect(conn._read_packet().is_eof_packet(), True)
            expect(code_of(lambda: conn.query("SELECT 1; SELECT 2")), code, f"option {option}")
            while conn._result and conn._result.has_next:
                conn.next_result()
        conn._execute_command(0x08, b"")
        expect(code_of(conn._read_packet), 1047)


def test_kill(server):
    """Long before its time, wherever the connection is; how soon is printed."""
    for what, code in (("QUERY", 1317), ("CONNECTION", 2013)):
        times = []
        for _ in range(6):
            with server.connect() as killer:
                victim, result = server.connect(), []
                thread = threading.Thread(target=lambda: result.append(
                    (code_of(lambda: victim.query(LONG)), time.monotonic())))
                thread.start()
                wait_for(lambda: server.value("SELECT count(*) FROM information_schema.processlist "
                                              f"WHERE id = {victim.thread_id()} AND info LIKE "
                                              "'SELECT count%'") == 1, 10, "it runs")
                started = time.monotonic()
                with killer.cursor() as cur:
                    cur.execute(f"KILL {what} {victim.thread_id()}")
                thread.join()
                found, ended = result[0]
                times.append(ended - started)
                if what == "QUERY":
                    expect(found, code)
                    victim.ping(reconnect=False)
                    victim.close()
                else:
                    expect(found in (1317, 2013), True, str(found))
                    expect(code_of(lambda: victim.ping(reconnect=False)) is not None, True)
        print(f"KILL {what}: " + " ".join(f"{t * 1000:.0f}" for t in sorted(times)) + " ms")
    with server.connect() as conn, conn.cursor() as cur:
        expect(code_of(lambda: cur.execute("KILL 4")), 1094)
        for core in (1, 2):
            expect(code_of(lambda: cur.execute(f"KILL QUERY {(core << 20) + 99999}")), 1094)


def other_max_connections():
    with Node("--max-connections", "5") as server:
        links = [server.connect() for _ in range(5)]
        expect(code_of(server.connect), 1040)
        with links[0].cursor() as cur:
            cur.execute("SELECT @@max_connections")
            expect(cur.fetchone(), (5,))
        for _ in range(3):
            links.pop().close()
        def has_room():
            try:
                links.append(server.connect())
            except pymysql.MySQLError:
                return False
            return len(links) == 5
        wait_for(has_room, 10, "places that were left")
        expect(code_of(server.connect), 1040)
        for link in links:
            link.close()


def other_interactive_timeout():
    """Of clients that say so at the login."""
    with Node("--wait-timeout", "100", "--interactive-timeout", "200") as server:
        for flag, wanted in ((0, (100, 200)), (CLIENT.INTERACTIVE, (200, 200))):
            with server.connect(client_flag=flag) as conn, conn.cursor() as cur:
                cur.execute("SET wait_timeout = 7")
                cur.execute("SET wait_timeout = DEFAULT")
                cur.execute("SELECT @@wait_timeout, @@interactive_timeout")
                expect(cur.fetchone(), wanted, str(flag))


def main():
    support.need("quanta")
    for other in other_max_connections, other_logins_that_do_not_come, other_interactive_timeout:
        other()
        print(f"ok {other.__name__}", flush=True)
    with Node() as server:
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE numbers (n INT PRIMARY KEY)")
            cur.execute("INSERT INTO numbers VALUES " + ",".join(f"({n})" for n in range(1000)))
        support.run_tests(globals(), server, server=server)


if __name__ == "__main__":
    main()

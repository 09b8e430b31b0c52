#!/usr/bin/python3
"""Command lines: help, versions, wrong usage, environment, start and stop, the HTTP port."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, http_get, quanta

PROGRAMS = ["quanta", "quanta-node", "quanta-proxy", "quanta-loader", "quanta-bench"]
# The options that scripts may rely on; every program may have more.
OPTIONS = {
    "quanta": "data-dir schema-dir bind mysql-port token-port grpc-port http-port cores cpus slots "
              "memory log-iops io kernels insecure",
    "quanta-node": "hash-key data-dir bind grpc-port http-port consul-endpoint cores cpus memory "
                   "slots",
    "quanta-proxy": "mysql-port token-port http-port bind schema-dir node auth insecure",
    "quanta-loader": "format schema-dir buf-size node reject-file dry-run ignore-source-path "
                     "nerd-capitalization progress jobs",
    "quanta-bench": "",
}


def each_program():
    """Programs that were built; which must be is the matter of test_all_are_built."""
    return [name for name in PROGRAMS if quanta.program(name)]


def run_with(environment, name, *arguments):
    """Runs a program with variables added to the environment."""
    done = subprocess.run([quanta.program(name), *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=support.HANG_SECONDS, check=False,
                          env={**os.environ, **environment}, text=True)
    return done.returncode, done.stdout, done.stderr


def expect_usage(name, arguments, *words, environment=None):
    """Exit status 2, nothing on stdout, and every word in what is said."""
    status, out, err = run_with(environment or {}, name, *arguments)
    said = f"{name} {' '.join(arguments)}: {err.strip()!r}"
    expect(status, 2, said)
    expect(out, "", said)
    for word in words:
        if word not in err:
            raise AssertionError(f"{said}: does not name {word}")


def test_all_are_built():
    missing = [name for name in PROGRAMS if not quanta.program(name)]
    expect(missing, [], "programs missing")


def test_help():
    for name in each_program():
        status, out, err = quanta.run(name, "--help")
        expect((status, err), (0, ""), name)
        missing = [o for o in OPTIONS[name].split() if not re.search(rf"--{o}\b", out)]
        expect(missing, [], f"{name} --help says nothing of")
        assert "--version" in out and name in out, out


def test_help_works_beside_mistakes():
    status, out, _ = quanta.run("quanta", "--nonsense", "--help")
    assert status == 0 and "--data-dir" in out


def test_version():
    for name in each_program():
        status, out, err = quanta.run(name, "--version")
        expect((status, err), (0, ""), name)
        assert re.search(r"\d+\.\d+\.\d+", out) and len(out.splitlines()) <= 3, out
        assert re.search(r"release|debug", out), f"{name} --version names no build options: {out}"


def test_unknown_options():
    for name in each_program():
        expect_usage(name, ["--no-such-option"], "--no-such-option")
        expect_usage(name, ["-Z"], "-Z")


def test_values_that_are_not_allowed():
    for option, value in (("--mysql-port", "70000"), ("--mysql-port", "x"), ("--http-port", "-1"),
                          ("--cores", "-1"), ("--cores", "two"), ("--memory", "12XB"),
                          ("--io", "bogus"), ("--kernels", "mmx"), ("--log-level", "loud"),
                          ("--slots", "1.5"), ("--log-iops", "")):
        expect_usage("quanta", [option, value], option, value)
        expect_usage("quanta", [f"{option}={value}"], option)


def test_values_that_do_not_go_together():
    """Ports of one number, more slots than a table can have."""
    expect_usage("quanta", ["--mysql-port", "5999", "--grpc-port", "5999"], "--grpc-port is 5999", "--mysql-port")
    expect_usage("quanta", ["--http-port", "4010"], "--http-port is 4010", "--grpc-port")
    expect_usage("quanta", ["--memory", "1"], "--memory is 1", "32M and more")
    expect_usage("quanta", ["--data-dir", ""], "--data-dir is empty")
    expect_usage("quanta", ["--bind", "foo"], "--bind foo", "no IPv4 or IPv6 address")
    expect_usage("quanta", ["--slots", "65537"], "--slots is 65537", "1 to 65536")


def test_values_that_are_missing():
    expect_usage("quanta", ["--data-dir"], "--data-dir")
    expect_usage("quanta", ["one-argument-too-many"], "one-argument-too-many")


def test_wrong_usage_of_the_others():
    expect_usage("quanta-loader", [])
    expect_usage("quanta-loader", ["only-a-source"])
    expect_usage("quanta-loader", ["--buf-size", "many", "a.parquet", "t"], "--buf-size", "many")
    expect_usage("quanta-bench", [])
    expect_usage("quanta-bench", ["no-such-command"], "no-such-command")
    expect_usage("quanta-bench", ["gen", "--table", "events", "--rows", "x", "--out", "a.csv"],
                 "--rows", "x")


def test_mistakes_in_the_environment():
    expect_usage("quanta", [], "QUANTA_MYSQL_PORT", "seventy",
                 environment={"QUANTA_MYSQL_PORT": "seventy"})
    expect_usage("quanta", [], "QUANTA_LOG_LEVEL", environment={"QUANTA_LOG_LEVEL": "loud"})


def test_names_of_the_environment():
    place = folder()
    taken = {"QUANTA_DATA_DIR": os.path.join(place, "a"), "QUANTA_MYSQL_PORT": "0",
             "QUANTA_GRPC_PORT": "0", "QUANTA_TOKEN_PORT": "0", "QUANTA_HTTP_PORT": "0"}
    server = quanta.Server("quanta")
    server.command = ["env", *(f"{k}={v}" for k, v in taken.items()), *server.command]
    with server:
        assert server.ports["mysql"] not in (0, 4000), server.ports
        server.stop()
    assert os.path.isdir(os.path.join(place, "a"))
    # What stands on the command line goes before the environment.
    server = Node("--data-dir", os.path.join(place, "b"),
                  prefix=["env", f"QUANTA_DATA_DIR={place}/c"])
    with server:
        assert os.path.isdir(os.path.join(place, "b")) and not os.path.exists(f"{place}/c")
        server.stop()


def test_ready_line():
    with Node() as server:
        expect(list(server.ports), ["mysql", "grpc", "token", "http"], "ports of the ready line")
        for name in ("mysql", "grpc", "http"):
            assert server.ports[name] > 0, server.ports
            socket.create_connection(("127.0.0.1", server.ports[name])).close()
        for line in server.errors:
            assert line.strip(), f"an empty line in the log: {server.errors}"
        server.stop()


def test_signals_stop_cleanly():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Node() as server:
            conn = server.connect()
            conn.cursor().execute("CREATE TABLE t (id INT PRIMARY KEY)")
            idle = socket.create_connection(("127.0.0.1", server.ports["mysql"]))
            server.process.send_signal(number)
            expect(server.process.wait(support.HANG_SECONDS), 0, f"exit status after signal {number}")
            idle.close()


def test_one_process_for_a_data_directory():
    with Node() as server:
        status, out, err = quanta.run("quanta", "--data-dir", server.data_dir, *support.PORT_ZERO)
        expect((status, out), (1, ""), err)
        assert server.data_dir in err and "in use" in err, err
        server.value("SELECT 1")


def test_ports_in_use():
    with Node() as server:
        for name in ("mysql", "grpc", "http"):
            port = server.ports[name]
            words = list(support.PORT_ZERO)
            words[words.index(f"--{name}-port") + 1] = str(port)
            status, out, err = quanta.run("quanta", "--data-dir", os.path.join(folder(), "d"),
                                          *words, timeout=support.HANG_SECONDS)
            expect((status, out), (1, ""), f"{name} port in use: {err}")
            assert str(port) in err, err


def test_data_directory_that_cannot_be():
    file = os.path.join(folder(), "file")
    with open(file, "w", encoding="ascii") as out:
        out.write("x")
    for path in (file, os.path.join(file, "below"), "/proc/no/such/place"):
        status, _, err = quanta.run("quanta", "--data-dir", path, *support.PORT_ZERO)
        expect(status, 1, err)
        assert path in err, err


def test_other_addresses_need_insecure():
    place = os.path.join(folder(), "d")
    for address in ("0.0.0.0", "::", "192.0.2.1"):
        expect_usage("quanta", ["--data-dir", place, *support.PORT_ZERO, "--bind", address],
                     address, "--insecure")
    expect_usage("quanta", ["--bind", "300.1.1.1", *support.PORT_ZERO], "300.1.1.1")
    assert not os.path.exists(place), "a refused start has made the data directory"
    with Node("--bind", "0.0.0.0", "--insecure") as server:
        expect(server.value("SELECT 1"), 1)
        server.stop()


def test_http():
    with Node() as server:
        port = server.ports["http"]
        status, _, body = http_get(port, "/healthz")
        expect((status, body.strip()), (200, "ok"))
        expect(http_get(port, "/readyz")[0], 200)
        expect(http_get(port, "/no-such-thing")[0], 404)
        status, headers, body = http_get(port, "/metrics")
        expect(status, 200)
        assert headers["content-type"].startswith("text/plain"), headers
        for line in body.splitlines():
            assert re.match(r'# (HELP|TYPE) [a-z_:0-9]+ |[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? '
                            r'[-+0-9.eEinfNa]+$', line), f"no line of Prometheus: {line!r}"
        names = set(re.findall(r"^# TYPE (\S+)", body, re.M))
        assert names and set(re.findall(r"^([a-z_0-9]+)[ {]", body, re.M)) <= names, body
        status, headers, body = http_get(port, "/status")
        expect((status, headers["content-type"]), (200, "application/json"))
        told = json.loads(body)
        assert told["program"] == "quanta" and told["ready"] is True and told["cores"] >= 1, told


def test_http_counts_writes():
    with Node() as server:
        def records():
            body = http_get(server.ports["http"], "/metrics")[2]
            return int(re.search(r"^quanta_log_records_total (\d+)", body, re.M).group(1))
        before = records()
        with server.connect() as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE t (id INT PRIMARY KEY)")
            cur.execute("INSERT INTO t VALUES (1)")
        assert records() > before


def test_http_many_at_once():
    with Node() as server:
        found = []
        threads = [threading.Thread(target=lambda: found.append(
            http_get(server.ports["http"], "/metrics")[0])) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(found, [200] * 50)


def test_loader_says_what_is_wrong():
    place = folder()
    text = os.path.join(place, "text.parquet")
    with open(text, "w", encoding="ascii") as out:
        out.write("this is no Parquet file, however long it may be\n" * 10)
    with Node(schema_dir=support.EVENTS_SCHEMAS) as server:
        node = ["--node", f"127.0.0.1:{server.ports['grpc']}", "--progress", "none"]
        for source, table, word in (("/no/such/file.parquet", "events", "/no/such/file.parquet"),
                                    (text, "events", "text.parquet"),
                                    (text, "no_such_table", "no_such_table"),
                                    (os.path.join(place, "*.csv"), "events", "*.csv")):
            status, _, err = quanta.run("quanta-loader", *node, source, table)
            expect(status, 1, err)
            assert word in err, f"{word} is not named: {err}"
            expect(err.count("\n") <= 3, True, err)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        status, _, err = quanta.run("quanta-loader", "--node", f"127.0.0.1:{port}", "--progress",
                                    "none", text, "events")
        expect(status, 1, err)
        assert str(port) in err, err


if __name__ == "__main__":
    support.need("quanta")
    support.run_tests(globals())

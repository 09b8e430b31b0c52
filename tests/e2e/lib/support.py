"""What the end-to-end tests share: servers, clients, figures of a process, running test functions."""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SRC_DIR = os.environ.get("QUANTA_SRC_DIR", os.path.normpath(os.path.join(HERE, "../../..")))
SHARED_DATA = os.environ.get("SHARED_DATA", os.path.normpath(os.path.join(SRC_DIR, "../shared/data")))
EVENTS_SCHEMAS = os.path.join(SRC_DIR, "conf/schemas")
sys.path.insert(0, os.path.join(SRC_DIR, "tests/peers"))

try:
    import quanta
except ImportError as missing:
    print(f"a Python module is missing (make deps-test): {missing}")
    sys.exit(77)

HANG_SECONDS = quanta.HANG_SECONDS
PORT_ZERO = ["--mysql-port", "0", "--grpc-port", "0", "--token-port", "0", "--http-port", "0"]
# A sanitizer makes programs slower and larger: bounds of time and memory are not for them.
IS_SANITIZED = bool(re.search(r"-(address|thread|undefined)", quanta.bin_dir()))


def skip(why):
    """Ends the test as not applicable here."""
    print(why)
    sys.exit(77)


def need(*programs):
    """Fails with a plain message when a program was not built."""
    for name in programs:
        if not quanta.program(name):
            print(f"{name} is not in {quanta.bin_dir()}")
            sys.exit(1)


def folder(prefix="e2e-"):
    """A new empty folder below TEST_TMP, which the runner removes."""
    return tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TEST_TMP"))


class Gateway(quanta.Server):
    """A program with a MySQL port."""

    @property
    def pid(self):
        """Of the process running now."""
        return self.process.pid

    def connect(self, **options):
        """A PyMySQL connection with the usual conversion of types."""
        import pymysql
        settings = {"host": "127.0.0.1", "port": self.ports["mysql"], "user": "root",
                    "database": "quanta", "charset": "utf8mb4", "autocommit": True,
                    "connect_timeout": HANG_SECONDS, "read_timeout": HANG_SECONDS,
                    "write_timeout": HANG_SECONDS}
        settings.update(options)
        return pymysql.connect(**settings)

    def value(self, statement):
        """The only value of a statement's answer, on a connection of its own."""
        with self.connect() as conn, conn.cursor() as cur:
            cur.execute(statement)
            return cur.fetchone()[0]


class Node(Gateway):
    """`quanta` on a data folder of its own; arguments add to or override the usual ones."""

    def __init__(self, *arguments, data_dir=None, prefix=(), schema_dir=None):
        self.parent = None if data_dir else folder("data-")
        self.data_dir = data_dir or os.path.join(self.parent, "data")
        tables = ["--schema-dir", schema_dir] if schema_dir else []
        super().__init__("quanta", "--data-dir", self.data_dir, *PORT_ZERO, *tables, *arguments)
        self.command = [*map(str, prefix), *self.command]

    def __exit__(self, *_):
        self.kill()
        if self.parent:
            shutil.rmtree(self.parent, ignore_errors=True)

    def restart(self):
        """Stops cleanly and starts on the same data."""
        self.stop()
        self.start()


class Proxy(Gateway):
    """`quanta-proxy`, with the arguments, in front of a `quanta-node` of its own."""

    def __init__(self, *arguments):
        self.parent = folder("node-")
        self.node = quanta.Server("quanta-node", "--data-dir", os.path.join(self.parent, "data"), "--grpc-port", 0,
                                  "--http-port", 0, "--consul-endpoint", "none")
        super().__init__("quanta-proxy", "--node", "127.0.0.1:0", "--mysql-port", 0, "--token-port", 0,
                         "--http-port", 0, *arguments)

    def __enter__(self):
        self.node.start()
        try:
            self.command[self.command.index("--node") + 1] = f"127.0.0.1:{self.node.ports['grpc']}"
            return super().__enter__()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process:
            self.kill()
        self.node.kill()
        shutil.rmtree(self.parent, ignore_errors=True)


SET_UPS = (Node, Proxy) # the two ways to have a MySQL port


def mariadb(port, *arguments, text=None, timeout=HANG_SECONDS):
    """Runs the command line client: the finished process, output as text."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    if not client:
        skip("no mariadb client (make deps)")
    return subprocess.run([client, "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                           f"--port={port}", "--user=demo", *arguments],
                          input=text, stdin=None if text is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                          check=False, text=True)


def http_get(port, path, timeout=HANG_SECONDS):
    """(status, headers, body) of one GET over a plain socket."""
    with socket.create_connection(("127.0.0.1", port), timeout) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body.decode()


def rss_kib(pid):
    """Resident memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid):
    """Number of open descriptors."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def seed():
    """What a random test draws from, printed: SEED of the environment, or a new one without it and for 0."""
    number = int(os.environ.get("SEED", "0")) or int.from_bytes(os.urandom(4), "little")
    print(f"SEED={number}", flush=True)
    return number


def free_port():
    """
    A port for a server that is to come back on it: none of those that the kernel gives to connections and to
    port 0, of which one might be taken by another test in between.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first, last = map(int, file.read().split())
    ports = [port for port in range(10000, 65000) if not first <= port <= last]
    for port in random.SystemRandom().sample(ports, min(len(ports), 1000)):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0


def wait_for(condition, seconds, what):
    """
    Polls until the condition holds; what it was waiting for is the error. `seconds` is what it may take on a quiet
    machine; this one may be slow and busy.
    """
    seconds = max(20 * seconds, HANG_SECONDS)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def expect(found, wanted, what=""):
    """Equality with both sides in the message."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, expected {wanted!r}")


def run_tests(module, *arguments, server=None, prefix="test_"):
    """Calls the test functions of a module in order, goes on after failures, ends the program."""
    sys.exit(1 if run_functions(module, *arguments, server=server, prefix=prefix) else 0)


def run_functions(module, *arguments, server=None, prefix="test_"):
    """The same without the end: how many failed."""
    only = sys.argv[1:]
    failed = 0
    for name, function in list(module.items()):
        if not name.startswith(prefix) or (only and name not in only):
            continue
        started = time.monotonic()
        try:
            function(*arguments)
            if server and not server.is_running():
                raise AssertionError(f"the server ended with {server.process.returncode}")
        except Exception:  # pylint: disable=broad-except
            failed += 1
            traceback.print_exc()
            print(f"FAILED {name}", flush=True)
            if server and not server.is_running():
                break
        else:
            print(f"ok {name}: {time.monotonic() - started:.1f} s", flush=True)
    if failed and server:
        print(f"last lines of the server:\n{server.error_text()}")
    return failed

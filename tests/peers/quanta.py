"""The programs under test, started on temporary folders."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import pymysql

# What ends a program or a client that hangs: far above what anything takes, also on a slow and busy machine. Tests have
# no other limits, unless time is what they are about.
HANG_SECONDS = 900
STDERR_LINES = 200


class QuantaError(Exception):
    """A program failed; the text holds what it said."""


def bin_dir():
    """Where the programs are."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get("QUANTA_BIN_DIR",
                          os.path.normpath(os.path.join(here, "../../build/release/bin")))


def program(name):
    """Path of a program, or None where it was not built."""
    path = os.path.join(bin_dir(), name)
    return path if os.access(path, os.X_OK) else None


def run(name, *arguments, timeout=HANG_SECONDS):
    """Runs a program to its end: (exit status, stdout, stderr)."""
    done = subprocess.run([program(name) or name, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                          check=False)
    return done.returncode, done.stdout.decode(errors="replace"), \
        done.stderr.decode(errors="replace")


def generate(table, rows, path, seed=1):
    """Writes a table of the events work as Parquet or CSV."""
    status, _, err = run("quanta-bench", "gen", "--table", table, "--rows", rows, "--out", path,
                         "--seed", seed)
    if status:
        raise QuantaError(f"quanta-bench gen: exit status {status}\n{err}")


class Summary:
    """What the loader says at its end."""

    PATTERN = re.compile(r"loaded (\d+) rows \((\d+) new, (\d+) updated, (\d+) rejected\) "
                         r"from (\d+) files? in [0-9.]+ s")

    def __init__(self, text):
        found = self.PATTERN.search(text)
        if not found:
            raise QuantaError("quanta-loader printed no summary line:\n" + text)
        self.rows, self.new, self.updated, self.rejected, self.files = map(int, found.groups())


class Server:
    """A program that prints `ready name=PORT ...` and serves until SIGTERM; a context manager."""

    def __init__(self, name, *arguments):
        self.command = [program(name) or name, *map(str, arguments)]
        self.name = name
        self.ports = {}
        self.process = None
        self.log = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Starts and waits until it is ready."""
        if self.log:
            self.log.close()
        # A file, not a pipe: what was said before the ready line is there when that is read.
        self.log = tempfile.TemporaryFile(dir=os.environ.get("TEST_TMP"))
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log)
        timer = threading.Timer(HANG_SECONDS, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                words = line.decode(errors="replace").split()
                if words[:1] == ["ready"]:
                    self.ports = {k: int(v) for k, v in (w.split("=") for w in words[1:])}
                    return
        finally:
            timer.cancel()
        self.process.wait()
        raise QuantaError(f"{self.name} did not become ready (exit status "
                          f"{self.process.returncode})\n" + self.error_text())

    def stop(self):
        """SIGTERM and the end it should have."""
        if not self.is_running():
            return
        self.process.terminate()
        try:
            status = self.process.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise QuantaError(f"{self.name} did not stop within {HANG_SECONDS} s of SIGTERM\n" +
                              self.error_text()) from None
        self.process.stdout.close()
        if status:
            raise QuantaError(f"{self.name} ended with {status} after SIGTERM\n" +
                              self.error_text())

    def kill(self):
        """SIGKILL, if it still runs."""
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.process:
            self.process.stdout.close()

    def is_running(self):
        """Whether the process has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def errors(self):
        """Lines of its log since it was started."""
        if not self.log:
            return []
        # The process writes at the offset of this descriptor, which pread leaves alone.
        text = os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size, 0)
        return [line.decode(errors="replace").rstrip() for line in text.splitlines()]

    def error_text(self):
        """The last lines of its log."""
        return "\n".join(self.errors[-STDERR_LINES:])


def connect(port, **options):
    """A connection whose values come as text, as they were on the wire."""
    options.setdefault("conv", {})
    return pymysql.connect(host="127.0.0.1", port=port, user="root", database="quanta",
                           charset="utf8mb4", autocommit=True, **options)


def load(grpc_port, source, table, schema_dir=None, timeout=HANG_SECONDS):
    """Loads files through quanta-loader: its Summary."""
    extra = ["--schema-dir", schema_dir] if schema_dir else []
    status, out, err = run("quanta-loader", "--node", f"127.0.0.1:{grpc_port}", "--progress",
                           "none", *extra, source, table, timeout=timeout)
    if status:
        raise QuantaError(f"quanta-loader {source} {table}: exit status {status}\n{out}{err}")
    return Summary(out + err)


class Quanta:
    """All in one process on a data folder of its own."""

    def __init__(self, schema_dir, *arguments, folder=None):
        self.folder = tempfile.mkdtemp(prefix="quanta-", dir=folder)
        self.schema_dir = schema_dir
        self.server = Server("quanta", "--data-dir", os.path.join(self.folder, "data"),
                             "--schema-dir", schema_dir, "--mysql-port", 0, "--grpc-port", 0,
                             "--token-port", 0, "--http-port", 0, *arguments)

    def __enter__(self):
        try:
            self.server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, **options):
        """A connection to its MySQL port."""
        return connect(self.server.ports["mysql"], **options)

    def load(self, source, table):
        """Loads files through quanta-loader: its Summary."""
        return load(self.server.ports["grpc"], source, table)

    def restart(self):
        """Stops cleanly and starts on the same data."""
        self.server.stop()
        self.server.start()

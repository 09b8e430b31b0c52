"""What the engines of a comparison have in common."""

import glob
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, "../.."))
PEERS_DIR = os.environ.get("PEERS_DIR") or os.path.join(TOP, "build/peers")
STOP_SECONDS = 30


class Missing(Exception):
    """A peer that cannot be had here; the text says why."""


class Failed(Exception):
    """A statement that an engine refuses; the text is its own."""


class Engine:
    """A server or library with the tables of a work loaded; a context manager that leaves nothing.

    name: how the tables of results call it. note: what one must know to judge its figures. rows: of the table `events`.
    """
    name = note = ""
    rows = 0
    worker = None
    wants_csv = False  # beside the Parquet files
    pid = None         # of the one process that does the work

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.worker:
            self.worker.close()

    def start(self):
        """Of what is not started with the object."""

    def load(self, files):
        """Makes the tables and fills them from {table: Parquet file, table.csv: CSV file}."""
        for table in files:
            if "." not in table:
                self.load_table(table, files)
        self.finish_load()

    def load_table(self, table, files):
        """One of them."""
        raise NotImplementedError

    def finish_load(self):
        """What makes the tables fast to read."""

    def settle(self):
        """Until nothing of the loading goes on."""

    def sizes(self):
        """{"disk": bytes, "memory": bytes}, what is known of it."""
        return {}

    def statement(self, _query, text):
        """A query as this engine wants it, None when it has no way to say it."""
        return text

    def time(self, query, text):
        """Microseconds until the last row is there."""
        return self.worker.ask("time " + self.statement(query, text))["us"]

    def answer(self, query, text, path):
        """Rows into a file, cells parted by tabs, NULL as \\N."""
        self.worker.ask(f"answer {path} {self.statement(query, text)}")


class Worker:
    """A process that answers a line of stdin with a line of JSON."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, **options)

    def ask(self, line):
        """Its answer; Failed with what it says went wrong."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Failed(f"{self.process.args[0]} ended with {self.process.wait()}")
        answer = json.loads(answer)
        if "error" in answer:
            raise Failed(answer["error"].strip())
        return answer

    def close(self):
        """Ends it by the end of its input."""
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def processor_us(pid):
    """Microseconds that the threads of a process have had of processors."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass  # a thread that has just ended
    return total / 1e3


def fetch(name):
    """(root, version) of a peer in PEERS_DIR, fetched when it is not there yet."""
    command = [os.path.join(TOP, "scripts/peers.sh"), PEERS_DIR, name]
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Missing("could not be fetched")
    with open(os.path.join(PEERS_DIR, name + ".version"), encoding="ascii") as file:
        version = file.read().strip()
    return os.path.join(PEERS_DIR, name), version


def with_loader(root, *command):
    """A command that runs with the C library and the libraries of a root."""
    loader = glob.glob(os.path.join(root, "usr/lib*/ld-linux*.so.*")) + \
        glob.glob(os.path.join(root, "usr/lib/*/ld-linux*.so.*"))
    folders = [os.path.dirname(path) for path in glob.glob(os.path.join(root, "usr/lib/*/libc.so.6"))]
    if not loader or not folders:
        raise Missing(f"no C library in {root}")
    # The system's own follow: its Python may want some that the root does not have.
    return [loader[0], "--library-path", ":".join(folders + [
        f.replace(root, "", 1) for f in folders]), *command]


def size_of(path):
    """Bytes that a file or folder takes on disk."""
    if os.path.isfile(path):
        return os.stat(path).st_blocks * 512
    return sum(os.lstat(os.path.join(base, name)).st_blocks * 512
               for base, _, names in os.walk(path) for name in names)

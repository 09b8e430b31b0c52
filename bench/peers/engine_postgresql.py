"""PostgreSQL with the extension roaringbitmap, in its root, asked through libpq over its socket."""

import glob
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time

from engine import HERE, Engine, Missing, Worker, fetch, size_of, with_loader

NOBODY = 65534
START_SECONDS = 60
# A bitmap of rows for each value of the enumerated columns answers what is asked of these columns alone.
TABLES = {
    "events": "CREATE TABLE events (id int PRIMARY KEY, ts timestamp, device text, country text, event text, "
              "content_id int, user_id text, duration bigint, revenue numeric(12,2), live boolean)",
    "content": "CREATE TABLE content (content_id int PRIMARY KEY, title text, category text, year int, "
               "rating numeric(4,1))",
}
INDEXES = """
CREATE EXTENSION roaringbitmap;
CREATE INDEX ON events (ts); CREATE INDEX ON events (user_id);
CREATE TABLE bits AS SELECT device AS value, rb_build_agg(id) AS ids FROM events GROUP BY 1
    UNION ALL SELECT country, rb_build_agg(id) FROM events GROUP BY 1
    UNION ALL SELECT event, rb_build_agg(id) FROM events GROUP BY 1;
CREATE INDEX ON bits (value); VACUUM ANALYZE events; VACUUM ANALYZE content; VACUUM ANALYZE bits;
"""


class PostgreSQL(Engine):
    """A heap table with indexes, and bitmaps for Q1, Q2 and Q6."""
    name = "PostgreSQL"
    wants_csv = True

    def __init__(self, _place, rows, threads):
        if os.geteuid() != 0:
            raise Missing("its root wants chroot, which only root may")
        self.root, version = fetch("postgresql")
        self.rows = rows
        self.note = f"PostgreSQL with roaringbitmap {version}, {threads} processes a query, over its socket"
        self.process = None
        os.makedirs(os.path.join(self.root, "run/bench"), exist_ok=True)
        self.place = tempfile.mkdtemp(dir=os.path.join(self.root, "run/bench"))
        os.chown(self.place, NOBODY, NOBODY)
        try:
            self._start(threads)
        except BaseException:
            self.__exit__()
            raise

    def _inside(self, *command):
        programs = glob.glob(os.path.join(self.root, "usr/lib/postgresql/*/bin"))[0].replace(self.root, "", 1)
        return ["/usr/sbin/chroot", f"--userspec={NOBODY}:{NOBODY}", self.root, os.path.join(programs, command[0]), *command[1:]]

    def _start(self, threads):
        os.makedirs(os.path.join(self.root, "dev"), exist_ok=True)
        null = os.path.join(self.root, "dev/null")
        if not os.path.exists(null):
            os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            os.chmod(null, 0o666)
        with open(os.path.join(self.root, "etc/passwd"), "w", encoding="ascii") as file:
            file.write(f"nobody:x:{NOBODY}:{NOBODY}::/:/bin/sh\n")
        place = self.place.replace(self.root, "", 1)
        done = subprocess.run(self._inside("initdb", "-D", place + "/data", "-U", "bench", "--auth=trust", "-E", "UTF8",
                                           "--locale=C", "--no-sync"), env={"PATH": "/usr/bin"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise Missing("initdb: " + done.stdout.decode(errors="replace")[-300:])
        settings = {"shared_buffers": "4GB", "work_mem": "512MB", "maintenance_work_mem": "1GB", "fsync": "off",
                    "max_parallel_workers_per_gather": threads - 1, "max_parallel_workers": threads,
                    "listen_addresses": "", "unix_socket_directories": place, "max_wal_size": "8GB",
                    "dynamic_shared_memory_type": "mmap", "timezone": "UTC", "log_timezone": "UTC", "jit": "off"}
        with open(os.path.join(self.place, "log"), "wb") as log:
            self.process = subprocess.Popen(
                self._inside("postgres", "-D", place + "/data", *[word for key, value in settings.items()
                                                                  for word in ("-c", f"{key}={value}")]),
                env={"PATH": "/usr/bin"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not os.path.exists(os.path.join(self.place, "data/postmaster.pid")) or \
                "ready" not in self._text("data/postmaster.pid"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Missing("it did not start: " + self._text("log")[-300:])
            time.sleep(0.1)
        loader = with_loader(self.root)
        library = glob.glob(os.path.join(self.root, "usr/lib/*/libpq.so.5"))[0]
        self.worker = Worker([*loader, "/usr/bin/python3", os.path.join(HERE, "worker_postgresql.py"), library,
                              f"host={self.place} user=bench dbname=postgres"])

    def _text(self, name):
        with open(os.path.join(self.place, name), errors="replace", encoding="utf-8") as file:
            return file.read()

    def __exit__(self, *_):
        super().__exit__()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def load_table(self, table, files):
        self.worker.ask("time " + TABLES[table])
        self.worker.ask(f"copy {table} {files[table + '.csv']}")

    def finish_load(self):
        for text in INDEXES.split(";"):
            if text.strip():
                self.worker.ask("time " + " ".join(text.split()))

    def sizes(self):
        return {"disk": size_of(os.path.join(self.place, "data/base"))}

    def statement(self, query, text):
        if query in ("Q1", "Q2"):
            values = re.findall(r"='(\w+)'", text)
            names = "abc"[:len(values)]
            product = "a.ids" if len(values) == 2 else "rb_and(a.ids, b.ids)"
            return (f"SELECT rb_and_cardinality({product}, {names[-1]}.ids) FROM " +
                    ", ".join(f"bits {name}" for name in names) + " WHERE " +
                    " AND ".join(f"{name}.value = '{value}'" for name, value in zip(names, values)))
        if query == "Q6":
            return ("SELECT value, rb_cardinality(ids) AS c FROM bits WHERE value ~ '^C[0-9]{3}$' "
                    "ORDER BY c DESC, value LIMIT 10")
        return text

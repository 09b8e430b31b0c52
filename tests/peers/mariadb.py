"""A private MariaDB server, the oracle of the differential tests."""

import os
import shutil
import subprocess
import tempfile
import time

import pymysql

SQL_MODE = ("STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"
            "ONLY_FULL_GROUP_BY")
COLLATION = "utf8mb4_nopad_bin"
START_SECONDS = 900
STOP_SECONDS = 120
STATEMENT_SECONDS = 20  # a join that no index helps is given up


class MariaDBError(Exception):
    """The server could not be installed or started."""


def is_available():
    """Whether the programs of the server are installed."""
    return bool(_program("mariadbd") and _program("mariadb-install-db"))


def _program(name):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(name, path=path)


def _user():
    """As root it runs only when told to; anybody else may not choose."""
    return ["--user=root"] if os.geteuid() == 0 else []


class MariaDB:
    """One server on a socket in a folder of its own; a context manager that leaves nothing."""

    def __init__(self, folder=None):
        self.folder = tempfile.mkdtemp(prefix="mariadb-", dir=folder)
        self.socket = os.path.join(self.folder, "socket")
        self.log = os.path.join(self.folder, "log")
        self.process = None

    def __enter__(self):
        try:
            self._install()
            self._start()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def connect(self, **options):
        """A connection whose values come as text, as they were on the wire."""
        options.setdefault("database", "quanta")
        options.setdefault("conv", {})
        connection = pymysql.connect(unix_socket=self.socket, user="root", charset="utf8mb4",
                                     autocommit=True, **options)
        with connection.cursor() as cursor:
            cursor.execute(f"SET NAMES utf8mb4 COLLATE {COLLATION}")
        return connection

    def stop(self):
        """Ends the server and removes its folder."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _install(self):
        # --force: also where neither the machine's name nor localhost can be looked up.
        command = [_program("mariadb-install-db"), "--no-defaults", *_user(), "--force",
                   f"--datadir={self.folder}/data", "--auth-root-authentication-method=normal",
                   "--skip-test-db"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise MariaDBError("mariadb-install-db: " + done.stdout.decode(errors="replace"))

    def _start(self):
        command = [_program("mariadbd"), "--no-defaults", *_user(),
                   f"--datadir={self.folder}/data", f"--socket={self.socket}",
                   f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}",
                   "--skip-networking", "--skip-log-bin",
                   "--character-set-server=utf8mb4", f"--collation-server={COLLATION}",
                   f"--sql-mode={SQL_MODE}", "--default-time-zone=+00:00",
                   "--innodb-buffer-pool-size=96M", "--innodb-log-file-size=32M",
                   "--innodb-flush-log-at-trx-commit=0", "--innodb-fast-shutdown=2",
                   "--key-buffer-size=4M", "--tmp-table-size=64M", "--max-heap-table-size=64M",
                   "--join-cache-level=8", "--join-buffer-size=4M", "--performance-schema=off",
                   f"--max-statement-time={STATEMENT_SECONDS}", "--local-infile=1"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def _create_database(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = self.connect(database=None)
                break
            except pymysql.err.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(self.log, errors="replace") as log:
                        raise MariaDBError(log.read()[-2000:]) from error
                time.sleep(0.05)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE quanta")

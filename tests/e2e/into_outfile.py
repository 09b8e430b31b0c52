#!/usr/bin/python3
"""SELECT ... INTO OUTFILE and DUMPFILE: formats, a million rows, paths elsewhere, files that are there, KILL."""

import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, wait_for

import pymysql

PLACE = support.folder("into-")
FOLDER = os.path.join(PLACE, "export")


def run(server, statement):
    """Rows it says were written, or the error's number."""
    with server.connect() as conn, conn.cursor() as cur:
        try:
            return cur.execute(statement)
        except pymysql.MySQLError as error:
            return -error.args[0]


def content(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        cur.execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2), day DATE)")
        cur.execute("INSERT INTO t VALUES (1, 'a\tb', 1.5, '2024-02-29'), (2, NULL, NULL, NULL), "
                    "(3, 'say \"x\", Zürich', -7, '1970-01-01')")


def test_formats(server):
    rows = "FROM t ORDER BY id"
    zurich = "Zürich".encode()
    for n, (statement, wanted) in enumerate((
            ("SELECT * INTO OUTFILE '{}' " + rows,
             b"1\ta\\\tb\t1.50\t2024-02-29\n2\t\\N\t\\N\t\\N\n3\tsay \"x\", " + zurich + b"\t-7.00\t1970-01-01\n"),
            ("SELECT id, name, day " + rows + " INTO OUTFILE '{}' CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
             "OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n'",
             b"1,\"a\tb\",\"2024-02-29\"\r\n2,\\N,\\N\r\n3,\"say \\\"x\\\", " + zurich + b"\",\"1970-01-01\"\r\n"),
            ("SELECT id, name " + rows + " LIMIT 2 INTO OUTFILE '{}' FIELDS ESCAPED BY '' ENCLOSED BY \"'\" "
             "LINES STARTING BY '>'", b">'1'\t'a\tb'\n>'2'\tNULL\n"),
            ("SELECT 1, 'x' UNION ALL SELECT d, 'y' FROM digits WHERE d = 2 INTO OUTFILE '{}'", b"1\tx\n2\ty\n"),
            ("SELECT name INTO DUMPFILE '{}' FROM t WHERE id = 1", b"a\tb"),
            ("SELECT id, price INTO DUMPFILE '{}' FROM t WHERE id = 3", b"3-7.00"),
            ("SELECT * INTO OUTFILE '{}' FROM t WHERE id < 0", b""),
            ("SELECT count(*), sum(price) INTO OUTFILE '{}' FROM t", b"3\t-5.50\n"))):
        found = run(server, statement.format(f"format{n}"))
        data = content(f"format{n}")
        expect(data, wanted, statement)
        expect(found, 1 if "DUMPFILE" in statement else data.count(b"\n"), statement)
        expect(os.stat(os.path.join(FOLDER, f"format{n}")).st_mode & 0o7777, 0o640)


def test_reads_back(server):
    expect(run(server, "SELECT * INTO OUTFILE 'again' FROM t"), 3)
    with server.connect(local_infile=True) as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE back (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2), day DATE)")
        cur.execute(f"LOAD DATA LOCAL INFILE '{FOLDER}/again' INTO TABLE back")
        cur.execute("SELECT * FROM back ORDER BY id")
        back = cur.fetchall()
        cur.execute("SELECT * FROM t ORDER BY id")
        expect(back, cur.fetchall())


def test_prepared(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("PREPARE p FROM 'SELECT id INTO OUTFILE ''prepared'' FROM t WHERE id > ? ORDER BY id'")
        cur.execute("SET @a = 1")
        expect(cur.execute("EXECUTE p USING @a"), 2)
        expect(content("prepared"), b"2\n3\n")
        cur.execute("SELECT ROW_COUNT(), @@secure_file_priv")
        expect(cur.fetchone()[1], FOLDER)


def test_million_rows(server):
    columns = "a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n"
    tables = "digits a, digits b, digits c, digits e, digits f, digits g"
    expect(run(server, f"SELECT n, concat('row ', n) INTO OUTFILE 'million' FROM (SELECT {columns} FROM {tables}) x"),
           1_000_000)
    total = lines = 0
    with open(os.path.join(FOLDER, "million"), encoding="ascii") as file:
        for line in file:
            number, text = line.rstrip("\n").split("\t")
            expect(text, "row " + number)
            total += int(number)
            lines += 1
    expect((lines, total), (1_000_000, 999_999 * 500_000))


def test_paths(server):
    os.mkdir(os.path.join(FOLDER, "sub"))
    os.symlink(PLACE, os.path.join(FOLDER, "link"))
    os.symlink(os.path.join(PLACE, "target"), os.path.join(FOLDER, "dangling"))
    expect(run(server, "SELECT 1 INTO OUTFILE 'sub/x'"), 1)
    expect(run(server, f"SELECT 1 INTO OUTFILE '{FOLDER}/sub/y'"), 1)
    for path, code in (("../out", 1290), (f"{FOLDER}/../out", 1290), ("sub/../../out", 1290), (f"{PLACE}/out", 1290),
                       (f"{FOLDER}x/out", 1290), ("/etc/quanta-out", 1290), ("", 1290), ("sub/", 1290), (".", 1086),
                       ("link/out", 1290), ("sub/x", 1086), ("dangling", 1086), ("sub", 1086), ("none/x", 1),
                       ("x" * 300, 1)):
        for kind in ("OUTFILE", "DUMPFILE"):
            expect(run(server, f"SELECT 1 INTO {kind} '{path}'"), -code, path)
    expect(sorted(os.listdir(PLACE)), ["export"])
    expect(content("sub/x"), b"1\n")


def test_errors_leave_no_file(server):
    def is_gone():
        return not os.path.exists(os.path.join(FOLDER, "gone"))

    for statement, code in (("SELECT id INTO DUMPFILE 'gone' FROM t", 1172),
                            ("SELECT id INTO OUTFILE 'gone' FIELDS ENCLOSED BY '\"\"' FROM t", 1210),
                            ("SELECT id INTO OUTFILE 'gone' FIELDS TERMINATED BY '' FROM t", 1235),
                            ("SELECT id INTO OUTFILE 'gone' CHARACTER SET latin1 FROM t", 1235),
                            ("SELECT none INTO OUTFILE 'gone' FROM t", 1054),
                            ("SELECT exp(id * 1000) INTO OUTFILE 'gone' FROM t", 1690),
                            ("SELECT (SELECT id FROM t) INTO OUTFILE 'gone' FROM t", 1242)):
        expect(run(server, statement), -code, statement)
        wait_for(is_gone, 30, statement)


def test_kill_removes_the_file(server):
    path = os.path.join(FOLDER, "killed")
    found = []
    tables = ", ".join(f"digits {letter}" for letter in "abcdefghi")
    with server.connect() as conn, conn.cursor() as cur:
        ident = conn.thread_id()

        def select():
            try:
                found.append(cur.execute(f"SELECT a.d, b.d, repeat('x', 100) INTO OUTFILE 'killed' FROM {tables}"))
            except pymysql.MySQLError as error:
                found.append(-error.args[0])

        thread = threading.Thread(target=select)
        thread.start()
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > 5 << 20, 60, "the first rows")
        expect(run(server, f"KILL QUERY {ident}"), 0)
        thread.join()
        expect(found, [-1317])
        wait_for(lambda: not os.path.exists(path), 30, "the file goes")
        expect(cur.execute("SELECT 1"), 1)


def test_off_by_default(_):
    with Node() as server:
        expect(run(server, "SELECT 1 INTO OUTFILE 'x'"), -1290)
        expect(run(server, f"SELECT 1 INTO DUMPFILE '{FOLDER}/x'"), -1290)
        expect(server.value("SELECT @@secure_file_priv"), "NULL")


def test_folder_and_data_apart(_):
    data = os.path.join(PLACE, "data")
    inner = os.path.join(data, "export")
    os.makedirs(inner)
    for folder in (data, inner, os.path.join(inner, "..", "export"), PLACE):
        done = subprocess.run([support.quanta.program("quanta"), "--data-dir", data, "--export-dir", folder], text=True,
                              capture_output=True, timeout=support.HANG_SECONDS, check=False)
        expect(done.returncode, 1, done.stderr)
        assert "neither lies in the data directory" in done.stderr, done.stderr


def main():
    support.need("quanta")
    os.mkdir(FOLDER)
    try:
        with Node("--cores", "2", "--export-dir", FOLDER) as server:
            prepare(server)
            support.run_tests(globals(), server, server=server)
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)


main()

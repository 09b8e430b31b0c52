#!/usr/bin/python3
"""SELECT ... INTO 's3://...': CSV and Parquet to s3rver, which checks signatures; parts, errors, KILL with a store of ours."""

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import date, datetime
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import fake_s3
import matrix
import support
from support import Node, expect, quanta, wait_for

import pymysql

MODULES = os.environ.get("NODE_PATH", os.path.join(support.SRC_DIR, "build/deps/node/node_modules"))
PLACE = support.folder("s3-")
MILLION = ("(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n "
           "FROM digits a, digits b, digits c, digits e, digits f, digits g) x")


class S3rver:
    """The store of npm on a folder."""

    def __init__(self):
        self.process = subprocess.Popen(["node", os.path.join(MODULES, "s3rver/bin/s3rver.js"), "-d", PLACE, "-a",
                                         "127.0.0.1", "-p", "0", "-s", "--configure-bucket", "exports"],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        while "listening on" not in line:
            if not line:
                raise AssertionError("s3rver did not start")
            line = self.process.stdout.readline()
        self.url = "http://" + line.split("listening on ")[1].strip()

    def stop(self):
        self.process.kill()
        self.process.wait()

    @staticmethod
    def content(key):
        with open(os.path.join(PLACE, "exports", key + "._S3rver_object"), "rb") as file:
            return file.read()

    @staticmethod
    def exists(key):
        return os.path.exists(os.path.join(PLACE, "exports", key + "._S3rver_object"))


def run(server, statement):
    """Rows it says were written, or the error's number and text."""
    with server.connect() as conn, conn.cursor() as cur:
        try:
            return cur.execute(statement)
        except pymysql.MySQLError as error:
            return -error.args[0], error.args[1]


def fails(server, statement, code, text):
    """Expects an error whose text has these words."""
    found = run(server, statement)
    if not isinstance(found, tuple) or found[0] != -code or text not in found[1]:
        raise AssertionError(f"{statement}: found {found}, expected {code} with {text!r}")


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        cur.execute(KINDS.format("kinds"))
        cur.executemany("INSERT INTO kinds VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", ROWS)


KINDS = ("CREATE TABLE {} (id INT PRIMARY KEY, big BIGINT, price DECIMAL(12,2), ratio DECIMAL(18,6), day DATE, "
         "at DATETIME(6), name VARCHAR(64), flag BOOLEAN)")
ROWS = [(1, -9007199254740993, Decimal("-12.50"), Decimal("0.125000"), date(2024, 2, 29),
         datetime(2024, 2, 29, 23, 59, 59, 123456), "Zürich 東京 🙂", 1),
        (2, None, None, None, None, None, None, None),
        (3, 4611686018427387903, Decimal("0.00"), Decimal("-3.500000"), date(1969, 12, 31),
         datetime(1969, 12, 31, 0, 0), "a\tb \"c\"\nd", 0)]


# ---- s3rver ----

def test_csv(server, store):
    expect(run(server, "SELECT id, name, day, price INTO 's3://exports/Dir/A b+c.csv' FROM kinds ORDER BY id"), 3)
    expect(store.content("Dir/A b+c.csv").decode(),
           'id\tname\tday\tprice\n1\tZürich 東京 🙂\t2024-02-29\t-12.50\n2\tNULL\tNULL\tNULL\n'
           '3\t"a\tb ""c""\nd"\t1969-12-31\t0.00\n')
    expect(run(server, "SELECT id, 'a,b' AS t FROM kinds WHERE id = 1 INTO 's3://exports/comma' WITH delimiter = ','"), 1)
    expect(store.content("comma"), b'id,t\n1,"a,b"\n')
    expect(run(server, 'SELECT id INTO "s3://exports/none" FROM kinds WHERE id < 0 WITH {"format": "csv"}'), 0)
    expect(store.content("none"), b"id\n")


def back(server, store, key, table):
    """Loads an object of Parquet into a table: how many rows."""
    path = os.path.join(PLACE, "back.parquet")
    with open(path, "wb") as file:
        file.write(store.content(key))
    status, _, err = quanta.run("quanta-loader", "--node", f"127.0.0.1:{server.ports['grpc']}", "--progress", "none",
                                path, table)
    expect((status, err), (0, ""), key)
    return server.value(f"SELECT count(*) FROM {table}")


def test_parquet_of_all_types(server, store):
    with server.connect() as conn, conn.cursor() as cur:
        for codec in ("snappy", "zstd", "none"):
            expect(cur.execute(f"SELECT * INTO 's3://exports/kinds.parquet' FROM kinds WITH format = 'parquet', "
                               f"compression = '{codec}'"), 3)
            cur.execute(KINDS.format("back"))
            expect(back(server, store, "kinds.parquet", "back"), 3)
            cur.execute("SELECT * FROM back ORDER BY id")
            expect(list(cur.fetchall()), ROWS, codec)
            cur.execute("DROP TABLE back")
        expect(cur.execute("SELECT id, name INTO 's3://exports/none.parquet' FROM kinds WHERE id < 0 "
                           "WITH format = parquet"), 0)
        cur.execute("CREATE TABLE nothing (id INT PRIMARY KEY, name VARCHAR(64))")
        expect(back(server, store, "none.parquet", "nothing"), 0)


def test_parquet_of_a_million_rows(server, store):
    statement = f"SELECT n AS id, concat('row ', n) AS name, nullif(n % 7, 0) AS m INTO 's3://exports/m' FROM {MILLION} "
    expect(run(server, statement + "WITH format = 'parquet'"), 1_000_000)
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE m (id INT PRIMARY KEY, name VARCHAR(64), m INT)")
        expect(back(server, store, "m", "m"), 1_000_000)
        cur.execute("SELECT count(*), sum(id), count(m), sum(m), sum(name = concat('row ', id)) FROM m")
        expect(list(map(int, cur.fetchone())), [1_000_000, 999_999 * 500_000, 857_142, 2_999_997, 1_000_000])


def test_multipart(server, store):
    """Five parts; s3rver checks each signature and the list of parts."""
    expect(run(server, f"SELECT n, repeat('x', 30) AS t INTO 's3://exports/parts' FROM {MILLION}"), 1_000_000)
    lines = store.content("parts").decode().splitlines()
    expect((lines[0], len(lines)), ("n\tt", 1_000_001))
    expect(sum(int(line.split("\t")[0]) for line in lines[1:]), 999_999 * 500_000)


def test_errors_of_the_store(server, _):
    fails(server, "SELECT 1 INTO 's3://missing/x'", 1105, "NoSuchBucket: The specified bucket does not exist")
    fails(server, f"SELECT n, repeat('x', 30) INTO 's3://missing/x' FROM {MILLION}", 1105, "NoSuchBucket")


def test_statements_that_are_refused(server, store):
    for statement, code, text in (
            ("SELECT 1 INTO 's3://exports/../x'", 1210, "without '.' and '..'"),
            ("SELECT 1 INTO 's3://exports/'", 1210, "s3://bucket/key"),
            ("SELECT 1 INTO 's3://exports/x/'", 1210, "s3://bucket/key"),
            ("SELECT 1 INTO 's3://exports'", 1210, "s3://bucket/key"),
            ("SELECT 1 INTO 'gs://exports/x'", 1210, "s3://bucket/key"),
            ("SELECT 1 INTO 's3://other/x'", 1290, "--export-s3"),
            ("SELECT 1 INTO 's3://exportsx/x'", 1290, "--export-s3"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH format = 'orc'", 1210, "csv, parquet"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH delimiter = '\"'", 1210, "delimiter"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH colour = 'red'", 1210, "colour"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH compression = 'zstd'", 1210, "parquet only"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH format = 'parquet', compression = 'lz'", 1210, "snappy"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH region = 'a/b'", 1210, "region"),
            ("SELECT id INTO 's3://exports/x' FROM kinds WITH acl = 'a\\nb'", 1210, "control"),
            ("SELECT none INTO 's3://exports/x' FROM kinds", 1054, "none"),
            ("SELECT exp(id * 1000) INTO 's3://exports/x' FROM kinds", 1690, "DOUBLE")):
        fails(server, statement, code, text)
    expect(store.exists("x"), False)


# ---- a store of ours ----

def large(server, found, key="large", rows=MILLION):
    """Starts a statement of many parts on a connection of its own: its thread and its id."""
    conn = server.connect()

    def select():
        with conn, conn.cursor() as cur:
            try:
                found.append(cur.execute(f"SELECT n, repeat('x', 100) INTO 's3://bucket/{key}' FROM {rows}"))
            except pymysql.MySQLError as error:
                found.append(-error.args[0])

    thread = threading.Thread(target=select)
    thread.start()
    return thread, conn.thread_id()


def own_pressure(server, store):
    """A store that does not take parts stops the statement, not the server, and memory stays."""
    found = []
    before = support.rss_kib(server.pid)
    store.gate.clear()
    thread, _ = large(server, found, rows=f"{MILLION}, digits y WHERE y.d < 3")
    wait_for(lambda: any("partNumber" in args for _, _, args, _ in store.requests), 60, "the first part")
    for _ in range(20): # time in which the statement would make all its 330 MB
        expect(run(server, "SELECT count(*) FROM kinds"), 1)
        time.sleep(0.1)
    grown = support.rss_kib(server.pid) - before
    expect((found, grown < 150 << 10), ([], True), f"{grown} KiB")
    store.gate.set()
    thread.join()
    expect(found, [3_000_000])
    expect(store.objects["/bucket/large"].count(b"\n"), 3_000_001)
    expect(store.uploads, {})


def own_kill(server, store):
    found = []
    store.gate.clear()
    thread, ident = large(server, found, key="killed")
    wait_for(lambda: any("partNumber" in args and path.endswith("killed") for _, path, args, _ in store.requests), 60,
             "the first part")
    expect(run(server, f"KILL QUERY {ident}"), 0)
    thread.join()
    expect(found, [-1317])
    store.gate.set()
    wait_for(lambda: store.uploads == {}, 60, "the upload is aborted")
    expect([method for method, path, args, _ in store.requests if path.endswith("killed") and method == "DELETE"],
           ["DELETE"])
    expect("/bucket/killed" in store.objects, False)


def own_failure(server, store):
    """The store's own words reach the client; what was begun is aborted."""
    store.refuse = {"partNumber=2": (403, "AccessDenied", "No &lt;b&gt; for you")}
    fails(server, f"SELECT n, repeat('x', 100) INTO 's3://bucket/denied' FROM {MILLION}", 1105,
          "AccessDenied: No <b> for you")
    store.refuse = {"uploadId": (200, "InvalidPart", "of the end")}
    fails(server, f"SELECT n, repeat('x', 100) INTO 's3://bucket/denied' FROM {MILLION}", 1105, "InvalidPart: of the end")
    store.refuse = {}
    expect("/bucket/denied" in store.objects, False)
    store.uploads.clear()


def own_tries(server, store):
    store.fails = 3
    expect(run(server, "SELECT 1 AS a INTO 's3://bucket/late'"), 1)
    expect((store.objects["/bucket/late"], store.fails), (b"a\n1\n", 0))


def own_options(server, store):
    expect(run(server, "SELECT id INTO 's3://bucket/opt' FROM kinds WHERE id = 1 WITH region = 'eu-west-3', "
               "assumeRoleArn = 'arn:aws:iam::1:role/x', acl = 'private', sseKmsKeyId = 'key-1', threads = 4"), 1)
    role, put = store.requests[-2:]
    expect((role[2]["Action"], role[2]["RoleArn"]), ("AssumeRole", "arn:aws:iam::1:role/x"))
    headers = {name.lower(): value for name, value in put[3].items()}
    expect([headers.get(name) for name in ("x-amz-acl", "x-amz-server-side-encryption", "content-type",
                                           "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-security-token")],
           ["private", "aws:kms", "text/csv", "key-1", "a token&more"])
    expect("Credential=ROLE/" in headers["authorization"] and "/eu-west-3/s3/" in headers["authorization"], True)
    expect(store.objects["/bucket/opt"], b"id\n1\n")


def own_stop(server, store):
    """A server that stops aborts what it is uploading."""
    found = []
    store.gate.clear()
    thread, _ = large(server, found, key="stopped")
    wait_for(lambda: store.uploads, 60, "the upload has begun")
    threading.Timer(0.5, store.gate.set).start()
    server.stop()
    thread.join()
    expect(store.uploads, {})
    expect("/bucket/stopped" in store.objects, False)


def main():
    support.need("quanta", "quanta-loader")
    matrix.need_file(os.path.join(MODULES, "s3rver"), "s3rver of npm")
    store = S3rver()
    own = fake_s3.Store()
    os.environ.update(AWS_ACCESS_KEY_ID="S3RVER", AWS_SECRET_ACCESS_KEY="S3RVER", AWS_ENDPOINT_URL_STS=own.url)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    try:
        with Node("--cores", "2", "--export-s3", "s3://exports,s3://missing", "--s3-endpoint", store.url) as server:
            prepare(server)
            for name, test in globals().items():
                if name.startswith("test_"):
                    test(server, store)
                    print("ok", name, flush=True)
        with Node("--cores", "2", "--export-s3", "s3://", "--s3-endpoint", own.url) as server:
            prepare(server)
            support.run_tests(globals(), server, own, server=None, prefix="own_")
    finally:
        store.stop()
        shutil.rmtree(PLACE, ignore_errors=True)


main()

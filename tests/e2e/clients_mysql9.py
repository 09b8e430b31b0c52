#!/usr/bin/python3
"""
MySQL's own client and mysql-connector-python, newer than the release of Debian has them: in a root of their own that
`scripts/peers.sh build/peers mysql` makes of Debian's suite sid. Skipped where it was not made.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import expect

ROOT = os.environ.get("MYSQL_ROOT", os.path.join(support.SRC_DIR, "build/peers/mysql"))
LOADER = [ROOT + "/lib64/ld-linux-x86-64.so.2", "--library-path", ROOT + "/usr/lib/x86_64-linux-gnu"]
PROGRAM = r"""
import datetime, decimal, sys
sys.path.insert(0, sys.argv[3])
import mysql.connector
from mysql.connector import errors

PORT, CREATE = int(sys.argv[1]), sys.argv[2]
DAY, AT = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)
ROWS = [(1, decimal.Decimal("-12.50"), DAY, AT, "Zürich 東京 🙂", -9007199254740993),
        (2, None, None, None, None, None),
        (3, decimal.Decimal("0"), datetime.date(1970, 1, 1), datetime.datetime(1969, 12, 31), "", 0)]


def connect():
    return mysql.connector.connect(host="127.0.0.1", port=PORT, user="root", database="quanta", autocommit=True,
                                   ssl_disabled=True, use_pure=True)


def text(v):
    if v is None:
        return "NULL"
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d %H:%M:%S.%f")
    return str(v)


c = connect()
c.cursor().execute(CREATE)
prepared = c.cursor(prepared=True)
for row in ROWS:
    prepared.execute("INSERT INTO m VALUES (%s, %s, %s, %s, %s, %s)", row)
prepared.execute("SELECT id, price, day, at, name, big FROM m WHERE id > %s ORDER BY id", (0,))
for row in prepared.fetchall():
    print("row " + "|".join(map(text, row)))
cur = c.cursor()
cur.execute("SELECT id, price, name FROM large")
n, ids, prices = 0, 0, decimal.Decimal()
for number, price, name in cur:
    assert name == f"row {number}", name
    n, ids, prices = n + 1, ids + number, prices + price
print(f"large {n} {ids} {prices}")
for statement in ("SELECT * FROM nothing WHERE id = %s", "INSERT INTO m (id) VALUES (%s)", "SELECT nothing FROM m WHERE id = %s"):
    try:
        c.cursor(prepared=True).execute(statement, (1,))
    except mysql.connector.Error as err:
        print("error", err.errno, err.sqlstate)
other = connect()
other.cursor().execute(f"KILL {c.connection_id}")
try:
    c.cursor().execute("SELECT 1")
    print("still there")
except mysql.connector.Error:
    pass
c.reconnect()
c.cursor().execute("DROP TABLE m")
print("reconnected")
"""
ROW = "concat_ws('|', id, ifnull(price, 'NULL'), ifnull(day, 'NULL'), ifnull(at, 'NULL'), ifnull(name, 'NULL'), " \
      "ifnull(big, 'NULL'))"


def mysql(server, *arguments, text=None):
    """Output of the command line client, as of MySQL 9."""
    return matrix.run([*LOADER, ROOT + "/usr/bin/mysql", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                       f"--port={server.ports['mysql']}", "--user=demo", "--default-character-set=utf8mb4",
                       *arguments], text=text)


def test_mysql(server):
    out = mysql(server, "quanta", "-BN", text=(
        f"{matrix.CREATE};\nINSERT INTO m VALUES (1, -12.50, '2024-02-29', '2024-02-29 23:59:59.123456', "
        "'Zürich 東京 🙂', -9007199254740993), (2, NULL, NULL, NULL, NULL, NULL), "
        f"(3, 0, '1970-01-01', '1969-12-31', '', 0);\nSELECT concat('row ', {ROW}) FROM m ORDER BY id;\n"
        "PREPARE one FROM 'SELECT count(*) FROM m WHERE id > ? AND name = ?';\n"
        "SET @id = 0, @name = '';\nEXECUTE one USING @id, @name;\nDEALLOCATE PREPARE one;\nDROP TABLE m;\n"))
    expect(out.splitlines(), ["row " + row for row in matrix.ROWS] + ["1"])
    pairs = [line.split("\t") for line in mysql(server, "quanta", "-BN", "--quick", "-e",
                                                "SELECT id, price FROM large").splitlines()]
    expect((len(pairs), sum(int(one) for one, _ in pairs)), (matrix.LARGE, matrix.LARGE * (matrix.LARGE + 1) // 2))
    for statement, code in (("SELECT * FROM nothing", 1146), ("INSERT INTO digits (d) VALUES (1)", 1062)):
        try:
            mysql(server, "quanta", "-e", statement)
        except AssertionError as err:
            assert f"ERROR {code}" in str(err), err
        else:
            raise AssertionError(f"{statement} went through")
    assert re.search(r"Server version:\s+8", mysql(server, "quanta", "--commands", text="status\n"))


def test_mysqldump(server):
    dump = matrix.run([*LOADER, ROOT + "/usr/bin/mysqldump", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
                       f"--port={server.ports['mysql']}", "--user=demo", "--no-tablespaces", "quanta", "digits"])
    before = server.value("SHOW CREATE TABLE digits")
    server.value("SELECT 1")
    mysql(server, "quanta", text=dump)
    expect((server.value("SHOW CREATE TABLE digits"), server.value("SELECT sum(d) FROM digits")), (before, 45))


def test_connector_python(server):
    matrix.check(server, [*LOADER, ROOT + "/usr/bin/python3", "-E", "-c", PROGRAM, str(server.ports["mysql"]),
                          matrix.CREATE, ROOT + "/usr/lib/python3/dist-packages"],
                 env={"PYTHONIOENCODING": "utf-8", "PYTHONHOME": ROOT + "/usr"})


if __name__ == "__main__":
    if not os.path.exists(ROOT + "/usr/bin/mysql"):
        support.skip("no root of MySQL 9 (scripts/peers.sh build/peers mysql)")
    matrix.main(globals())

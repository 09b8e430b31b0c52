#!/usr/bin/python3
"""mysqlclient, PyMySQL and SQLAlchemy over both: Debian's packages."""

import datetime
import os
import sys
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import expect

import pymysql

try:
    import MySQLdb
    import MySQLdb.constants.CLIENT
    import sqlalchemy as sa
except ImportError as missing:
    support.skip(f"a Python module is missing (make deps-test): {missing}")

VALUES = [(1, Decimal("-12.50"), datetime.date(2024, 2, 29),
           datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), "Zürich 東京 🙂", -9007199254740993),
          (2, None, None, None, None, None),
          (3, Decimal("0.00"), datetime.date(1970, 1, 1), datetime.datetime(1969, 12, 31), "", 0)]
ERRORS = [("SELECT * FROM nothing WHERE id = %s", "ProgrammingError", 1146),
          ("INSERT INTO m (id) VALUES (%s)", "IntegrityError", 1062),
          ("SELECT nothing FROM m WHERE id = %s", "OperationalError", 1054)]


def client(module, connect):
    """The matrix with a module of Python's database interface."""
    conn = connect()
    conn.autocommit(True)
    cur = conn.cursor()
    cur.execute(matrix.CREATE)
    expect(cur.executemany("INSERT INTO m VALUES (%s, %s, %s, %s, %s, %s)", VALUES), 3)
    cur.execute("SELECT * FROM m WHERE id > %s ORDER BY id", (0,))
    expect(list(cur.fetchall()), VALUES)
    n, ids, prices = 0, 0, Decimal()
    streamed = conn.cursor(module.cursors.SSCursor)
    streamed.execute("SELECT id, price, name FROM large")
    for number, price, name in streamed:
        expect(name, f"row {number}")
        n, ids, prices = n + 1, ids + number, prices + price
    streamed.close()
    expect(f"large {n} {ids} {prices}", matrix.SUMS)
    for statement, kind, code in ERRORS:
        try:
            cur.execute(statement, (1,))
        except module.Error as err:
            expect((type(err).__name__, err.args[0]), (kind, code), str(err))
        else:
            raise AssertionError(f"{statement} went through")
    other = connect()
    other.cursor().execute(f"KILL {conn.thread_id()}")
    other.close()
    try:
        cur.execute("SELECT 1")
    except module.OperationalError as err:
        assert err.args[0] in (2006, 2013), err
    else:
        raise AssertionError("the connection was not killed")
    again = connect()
    again.cursor().execute("DROP TABLE m")
    again.close()


def test_mysqlclient(server):
    import MySQLdb.cursors  # pylint: disable=unused-import
    client(MySQLdb, lambda: MySQLdb.connect(host="127.0.0.1", port=server.ports["mysql"], user="root",
                                            database="quanta", charset="utf8mb4"))


def test_mysqlclient_results_and_information(server):
    conn = MySQLdb.connect(host="127.0.0.1", port=server.ports["mysql"], user="root", database="quanta",
                           client_flag=MySQLdb.constants.CLIENT.MULTI_STATEMENTS)
    conn.query("SELECT 1; SELECT 2")
    found = [conn.store_result().fetch_row()]
    while conn.next_result() == 0:
        found.append(conn.store_result().fetch_row())
    expect(found, [((1,),), ((2,),)])
    conn.ping()
    conn.select_db("quanta")
    conn.change_user("other", "", "quanta")
    conn.query("SELECT substring_index(user(), '@', 1)")
    expect(conn.store_result().fetch_row(), (("other",),))
    assert conn.get_server_info().startswith("8.0") and conn.stat().startswith("Uptime"), conn.stat()
    conn.close()


def test_pymysql(server):
    import pymysql.cursors  # pylint: disable=unused-import
    client(pymysql, lambda: pymysql.connect(host="127.0.0.1", port=server.ports["mysql"], user="root",
                                            database="quanta", charset="utf8mb4"))


def engines(server):
    """SQLAlchemy over each driver."""
    for driver in ("pymysql", "mysqldb"):
        yield sa.create_engine(f"mysql+{driver}://root@127.0.0.1:{server.ports['mysql']}/quanta?charset=utf8mb4",
                               pool_pre_ping=True)


def test_sqlalchemy(server):
    tables = sa.MetaData()
    studios = sa.Table("studios", tables, sa.Column("code", sa.String(8), primary_key=True),
                       sa.Column("name", sa.String(40)))
    films = sa.Table("films", tables, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
                     sa.Column("studio", sa.String(8), sa.ForeignKey("studios.code")),
                     sa.Column("price", sa.Numeric(12, 2)), sa.Column("shown", sa.Date),
                     sa.Column("seen", sa.DateTime), sa.Column("good", sa.Boolean))
    rows = [{"id": 1, "studio": "a", "price": Decimal("1.50"), "shown": datetime.date(2024, 2, 29),
             "seen": datetime.datetime(2024, 2, 29, 12, 30), "good": True},
            {"id": 2, "studio": "b", "price": None, "shown": None, "seen": None, "good": None}]
    for engine in engines(server):
        tables.create_all(engine)
        with engine.begin() as conn:
            conn.execute(studios.insert(), [{"code": "a", "name": "A"}, {"code": "b", "name": "B"}])
            conn.execute(films.insert(), rows)
            found = conn.execute(sa.select(films).order_by(films.c.id)).mappings().all()
            expect([dict(row) for row in found], rows)
            joined = sa.select(studios.c.name, sa.func.count()).join_from(films, studios).group_by(studios.c.name)
            expect(sorted(map(tuple, conn.execute(joined))), [("A", 1), ("B", 1)])
            expect(conn.execute(films.update().where(films.c.id == 2).values(good=False)).rowcount, 1)
            expect(conn.execute(films.delete().where(films.c.id == 2)).rowcount, 1)
            expect(conn.execute(sa.select(sa.func.count()).select_from(films)).scalar(), 1)
        check_reflection(engine)
        tables.drop_all(engine)
        check_pool(server, engine)
        engine.dispose()


def check_reflection(engine):
    """What the inspector finds."""
    look = sa.inspect(engine)
    expect(look.get_schema_names(), ["information_schema", "quanta"])
    expect(sorted(look.get_table_names()), ["digits", "films", "large", "studios"])
    expect(look.get_view_names(), [])
    expect(look.get_pk_constraint("films")["constrained_columns"], ["id"])
    expect(look.get_indexes("films"), [])
    expect(look.get_unique_constraints("films"), [])
    expect([(key["constrained_columns"], key["referred_table"], key["referred_columns"])
            for key in look.get_foreign_keys("films")], [(["studio"], "studios", ["code"])])
    expect({column["name"]: type(column["type"]).__name__ for column in look.get_columns("films")},
           {"id": "INTEGER", "studio": "VARCHAR", "price": "DECIMAL", "shown": "DATE",
            "seen": "DATETIME", "good": "TINYINT"})
    found = sa.MetaData()
    found.reflect(engine)
    expect(sorted(found.tables), ["digits", "films", "large", "studios"])


def check_pool(server, engine):
    """A pool with pre-ping survives a killed connection."""
    with engine.connect() as conn:
        number = conn.execute(sa.text("SELECT connection_id()")).scalar()
    with server.connect() as other:
        other.cursor().execute(f"KILL {number}")
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT connection_id()")).scalar() != number


if __name__ == "__main__":
    matrix.main(globals())

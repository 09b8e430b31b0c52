#!/usr/bin/python3
"""
Definitions changed through one gateway are known at once on every core of every other: two proxies
of two cores each on one node. A connection lands on a core by chance, so each step asks through
many new ones.
"""

import contextlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import expect, folder, quanta
from wire import COM_PING, COM_QUERY, Wire, error_code, packet

COM_FIELD_LIST, COM_STMT_PREPARE = 4, 22
CONNECTIONS = 20
ROUNDS = 50
COLUMNS = ("a", "b")
SCHEMA = """tableName: {name}
primaryKey: id
attributes:
  - {{ fieldName: id, type: Integer, mappingStrategy: IntBSI }}
"""


class Site:
    """A node and the proxies before it."""

    def __init__(self, stack):
        node = quanta.Server("quanta-node", "--data-dir", os.path.join(folder("node-"), "data"),
                             "--grpc-port", 0, "--http-port", 0, "--consul-endpoint", "none")
        stack.enter_context(node)
        self.stack = stack
        self.grpc = node.ports["grpc"]
        self.proxies = [self.proxy(), self.proxy()]

    def proxy(self, *arguments):
        """The MySQL port of one more proxy."""
        proxy = quanta.Server("quanta-proxy", "--node", f"127.0.0.1:{self.grpc}", "--cores", 2,
                              "--mysql-port", 0, "--token-port", 0, "--http-port", 0, "--bind",
                              "127.0.0.1", *arguments)
        self.stack.enter_context(proxy)
        return proxy.ports["mysql"]


def ask(port, statement):
    """The rows of one statement on a new connection."""
    with quanta.connect(port) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def code_of(port, statement):
    """The number of the error a statement ends with."""
    try:
        ask(port, statement)
    except quanta.pymysql.MySQLError as error:
        return error.args[0]
    return 0


def is_alive(wire):
    """A ping is answered: packet 1, after what is left of the answer before."""
    wire.send(packet(bytes([COM_PING])))
    sequence, payload = wire.receive()
    while sequence != 1:
        sequence, payload = wire.receive()
    expect(payload[0], 0, "alive")


def everywhere(ports, statement, wanted):
    """The statement gives the same on many new connections of each proxy."""
    for port in ports:
        for _ in range(CONNECTIONS):
            expect(ask(port, statement), wanted, statement)


def schemas(name):
    """A folder with the definition of one table."""
    path = folder("schemas-")
    os.mkdir(os.path.join(path, name))
    with open(os.path.join(path, name, "schema.yaml"), "w", encoding="ascii") as file:
        file.write(SCHEMA.format(name=name))
    return path


def test_created(site):
    """Created through one, used at once through the other and through itself."""
    ask(site.proxies[0], "CREATE TABLE fresh (id INT PRIMARY KEY, v INT)")
    everywhere(reversed(site.proxies), "SELECT count(*) FROM fresh", (("0",),))
    ask(site.proxies[0], "INSERT INTO fresh VALUES (1, 2)")
    everywhere(site.proxies, "SELECT v FROM fresh", (("2",),))


def test_schema_dir(site):
    """Created by a proxy's --schema-dir, by the loader's, and queried at once."""
    port = site.proxy("--schema-dir", schemas("given"))
    everywhere([port, *site.proxies], "SELECT count(*) FROM given", (("0",),))
    rows = os.path.join(folder("rows-"), "content.parquet")
    quanta.generate("content", 100, rows)
    loaded = quanta.load(site.grpc, rows, "content", support.EVENTS_SCHEMAS)
    everywhere([port, *site.proxies], "SELECT count(*) FROM content", ((str(loaded.new),),))


def test_columns_change(site):
    """Dropped and created anew with another column, again and again, without an old answer."""
    one, other = site.proxies
    for i in range(ROUNDS):
        column, gone = COLUMNS[i % 2], COLUMNS[(i + 1) % 2]
        ask(one, "DROP TABLE IF EXISTS changing")
        if i % 5 == 0:
            expect(code_of(other, "SELECT * FROM changing"), 1146, f"round {i}")
        ask(one, f"CREATE TABLE changing (id INT PRIMARY KEY, {column} INT)")
        expect(code_of(other, f"SELECT {gone} FROM changing"), 1054, f"round {i}")
        expect(ask(other, f"SELECT count({column}) FROM changing"), (("0",),), f"round {i}")
        ask(other, f"INSERT INTO changing (id, {column}) VALUES (1, {i})")
        expect(ask(one, "SELECT * FROM changing"), (("1", str(i)),), f"round {i}")
        expect(ask(other, f"SELECT {column} FROM changing"), ((str(i),),), f"round {i}")
        one, other = other, one


def test_changed_under_insert(site):
    """What comes first after a change writes once, and into the new table only."""
    one, other = site.proxies
    for i in range(ROUNDS):
        ask(one, "DROP TABLE IF EXISTS filled")
        ask(one, f"CREATE TABLE filled (id INT PRIMARY KEY, {COLUMNS[i % 2]} VARCHAR(20))")
        if i % 3 == 0:
            ask(other, "INSERT INTO filled VALUES (1, 'x'), (2, 'y')")
        elif i % 3 == 1:
            ask(other, "REPLACE INTO filled VALUES (1, 'x'), (2, 'y')")
        else:
            ask(other, "INSERT INTO filled VALUES (1, 'x'), (2, 'y') "
                       f"ON DUPLICATE KEY UPDATE {COLUMNS[i % 2]} = 'z'")
        expect(ask(one, "SELECT * FROM filled ORDER BY id"), (("1", "x"), ("2", "y")),
               f"round {i}")
        ask(one, "TRUNCATE TABLE filled")
        ask(other, "DELETE FROM filled WHERE id = 1")
        ask(other, f"UPDATE filled SET {COLUMNS[i % 2]} = 'u'")
        expect(ask(other, "SELECT count(*) FROM filled"), (("0",),), f"round {i}")
        one, other = other, one


def test_listed(site):
    """SHOW, DESCRIBE and information_schema tell of changes at once; so do IF EXISTS and 1050."""
    one, other = site.proxies
    for i in range(ROUNDS // 5):
        name, text = f"listed_{i}", f"CREATE TABLE listed_{i} (id INT PRIMARY KEY)"
        ask(one, text)
        count = f"SELECT count(*) FROM INFORMATION_SCHEMA.TABLES WHERE table_name = '{name}'"
        expect(ask(other, f"SHOW TABLES LIKE '{name}'"), ((name,),), name)
        expect(len(ask(other, f"DESCRIBE {name}")), 1, name)
        expect(ask(other, count), (("1",),), name)
        expect(code_of(other, text), 1050, name)
        ask(one, f"DROP TABLE {name}")
        expect(ask(other, count), (("0",),), name)
        expect(ask(other, f"SHOW TABLES LIKE '{name}'"), (), name)
        expect(code_of(other, f"DESCRIBE {name}"), 1146, name)
        expect(code_of(other, f"DROP TABLE {name}"), 1051, name)
        expect(code_of(other, f"SHOW CREATE TABLE {name}"), 1146, name)
        ask(other, f"CREATE TABLE IF NOT EXISTS {name} (id INT PRIMARY KEY)")
        expect(ask(one, f"SELECT count(*) FROM {name}"), (("0",),), name)
        ask(one, f"DROP TABLE {name}")


def test_prepared(site):
    """COM_STMT_PREPARE and COM_FIELD_LIST know a new table too."""
    one, other = site.proxies
    for i in range(ROUNDS // 5):
        ask(one, f"CREATE TABLE prepared_{i} (id INT PRIMARY KEY, v INT)")
        for code, text in ((COM_STMT_PREPARE, f"SELECT v FROM prepared_{i} WHERE id = ?"),
                           (COM_FIELD_LIST, f"prepared_{i}\0")):
            with Wire(other) as wire:
                wire.log_in()
                expect(error_code(wire.command(code, text.encode())), 0, text)
                is_alive(wire)
        ask(one, f"DROP TABLE prepared_{i}")
        for code, text in ((COM_STMT_PREPARE, "SELECT v FROM nowhere"),
                           (COM_FIELD_LIST, f"prepared_{i}\0")):
            with Wire(other) as wire:
                wire.log_in()
                expect(error_code(wire.command(code, text.encode())), 1146, text)
                is_alive(wire)


def test_missing(site):
    """A table that does not exist is reported again and again, on a connection that lives on."""
    with quanta.connect(site.proxies[0]) as connection, connection.cursor() as cursor:
        for _ in range(100):
            try:
                cursor.execute("SELECT * FROM nowhere")
            except quanta.pymysql.MySQLError as error:
                expect(error.args[0], 1146)
            else:
                raise AssertionError("nowhere was found")


def test_many_at_once(site):
    """Many connections wait for the same new table, and some go away while they do."""
    ask(site.proxies[0], "CREATE TABLE crowd (id INT PRIMARY KEY)")
    failed = []

    def one():
        try:
            expect(ask(site.proxies[1], "SELECT count(*) FROM crowd"), (("0",),))
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for _ in range(CONNECTIONS):
        with Wire(site.proxies[1]) as wire:
            wire.log_in()
            wire.send(packet(bytes([COM_QUERY]) + b"SELECT * FROM nowhere"))
            wire.abort()
    for thread in threads:
        thread.join()
    expect(failed, [])


if __name__ == "__main__":
    support.need("quanta-node", "quanta-proxy", "quanta-loader")
    with contextlib.ExitStack() as everything:
        support.run_tests(globals(), Site(everything))

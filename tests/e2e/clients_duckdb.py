#!/usr/bin/python3
"""What DuckDB's mysql_scanner sends at ATTACH, to read and to insert, through the library that it is built with: the
extension itself is not in Debian, so its statements are replayed, prepared or not as it does."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import libmariadb
import support
from support import Node, expect

ROWS = 3000
FLUSH = 8000 # bytes of VALUES after which the extension sends an INSERT
SCHEMATA = "\nSELECT schema_name\nFROM information_schema.schemata;\n"
TABLES = """
SELECT table_name, column_name, data_type, column_type, column_default, is_nullable, numeric_precision, numeric_scale
FROM information_schema.columns
WHERE table_schema='quanta'
ORDER BY table_name, ordinal_position;
"""
TABLE = """
SELECT column_name, data_type, column_type, column_default, is_nullable, numeric_precision, numeric_scale
FROM information_schema.columns
WHERE table_schema='quanta' AND table_name='films'
ORDER BY table_name, ordinal_position;
"""
INDEXES = """
SELECT DISTINCT TABLE_NAME, INDEX_NAME
FROM INFORMATION_SCHEMA.STATISTICS
WHERE TABLE_SCHEMA = 'quanta';
"""
CREATE = ("CREATE TABLE `quanta`.`films`(`id` BIGINT PRIMARY KEY, `title` TEXT, `price` DECIMAL(10,2), "
          "`shown` DATE, `seen` DATETIME, `good` BOOLEAN);")


def literal(value):
    """As the extension writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, bool)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def row(i):
    return (i, f"film {i} it's \\ 東京", f"{i}.25" if i % 7 else None, f"2026-01-{i % 28 + 1:02}",
            f"2026-01-01 10:{i % 60:02}:00", bool(i % 2))


def begin(conn, read_only=False):
    conn.execute("START TRANSACTION" + (" READ ONLY" if read_only else ""))


def insert(conn, rows):
    """Statements of about 8,000 bytes in one transaction."""
    begin(conn)
    base, values, sent = "INSERT INTO `quanta`.`films` (`id`, `title`, `price`, `shown`, `seen`, `good`) VALUES ", "", 0
    for cells in rows:
        values += (", " if values else "") + "(" + ", ".join(map(literal, cells)) + ")"
        if len(values) >= FLUSH:
            conn.execute(base + values)
            values, sent = "", sent + 1
    if values:
        conn.execute(base + values)
    conn.execute("COMMIT")
    return sent


def test_attach_finds_schemas_tables_and_indexes(conn):
    begin(conn)
    names, rows = conn.query(SCHEMATA)
    expect((len(names), ("quanta",) in rows, ("information_schema",) in rows), (1, True, True))
    conn.query(CREATE)
    names, rows = conn.query(TABLES)
    expect(len(names), 8)
    expect([r[:4] + r[5:] for r in rows if r[0] == "films"],
           [("films", "id", "bigint", "bigint", "NO", "19", "0"),
            ("films", "title", "text", "text", "YES", None, None),
            ("films", "price", "decimal", "decimal(10,2)", "YES", "10", "2"),
            ("films", "shown", "date", "date", "YES", None, None),
            ("films", "seen", "datetime", "datetime", "YES", None, None),
            ("films", "good", "tinyint", "tinyint(1)", "YES", "3", "0")])
    expect([r[0] for r in conn.query(TABLE)[1]], ["id", "title", "price", "shown", "seen", "good"])
    expect(("films", "PRIMARY") in conn.query(INDEXES)[1], True)
    conn.execute("COMMIT")


def test_insert_in_batches(conn):
    expect(insert(conn, map(row, range(ROWS))) > 10, True)
    expect(conn.query("SELECT count(*) FROM films")[1], [(str(ROWS),)])


def texts(i):
    number, title, price, shown, seen, good = row(i)
    return (str(number), title, price, shown, seen, str(int(good)))


def test_read_with_projection_and_filters(conn):
    begin(conn, read_only=True)
    every = "SELECT `id`, `title`, `price`, `shown`, `seen`, `good` FROM `quanta`.`films`"
    found = conn.query(every)[1]
    expect(sorted(found, key=lambda r: int(r[0])) == [texts(i) for i in range(ROWS)], True, str(found[:2]))
    for where, wanted in (("`id` = 17", [17]),
                          ("`id` >= 10 AND `id` < 13", [10, 11, 12]),
                          ("(`id` >= 10 AND `id` < 13) AND `good` = TRUE", [11]),
                          ("`price` IS NULL AND `id` < 15", [0, 7, 14]),
                          ("`price` IS NOT NULL AND `price` <= 2.25 AND `price` != 1.25", [2]),
                          ("`id` IN (5, 2999, 3001)", [5, 2999]),
                          ("(`shown` = '2026-01-02' OR `shown` = '2026-01-28') AND `id` <= 29", [1, 27, 29]),
                          ("`title` = 'film 42 it\\'s \\\\ 東京'", [42]),
                          ("`seen` > '2026-01-01 10:58:59' AND `id` < 100", [59])):
        found = sorted(conn.query(f"{every} WHERE {where}")[1], key=lambda r: int(r[0]))
        expect(found, [texts(i) for i in wanted], where)
    expect(len(conn.query("SELECT NULL FROM `quanta`.`films`")[1]), ROWS) # count(*) in DuckDB
    expect([r[0] for r in conn.query("SELECT `id` FROM `quanta`.`films` ORDER BY `id` DESC LIMIT 3")[1]],
           ["2999", "2998", "2997"])
    conn.execute("COMMIT")


def test_writes_of_a_read_only_attach_are_refused(conn):
    begin(conn, read_only=True)
    try:
        conn.query("DELETE FROM `quanta`.`films`")
    except libmariadb.Refused as refusal:
        expect(refusal.args[0], 1792)
    else:
        raise AssertionError("it went through")
    conn.execute("ROLLBACK")


def test_update_and_delete_give_their_counts(conn):
    begin(conn)
    expect(conn.query("UPDATE `quanta`.`films` SET `price` = 1.50 WHERE `id` < 10"), 10)
    expect(conn.query("DELETE FROM `quanta`.`films` WHERE `id` < 5"), 5)
    conn.execute("COMMIT")


def test_a_pooled_connection_is_reset(conn):
    conn.execute("SET @left = 1")
    expect(conn.reset(), "utf8mb4")
    expect(conn.query("SELECT @left")[1], [(None,)])
    conn.query("SET TIME_ZONE = ?", "+00:00")
    expect(conn.query("SELECT title FROM films WHERE id = ? AND shown > ?", 42, "2020-01-01")[1],
           [("film 42 it's \\ 東京",)])
    conn.query("DROP TABLE `quanta`.`films`")


def main():
    library = libmariadb.load()
    if not library:
        support.skip("no libmariadb (make deps-test)")
    support.need("quanta")
    with Node() as server, libmariadb.Connection(library, server.ports["mysql"]) as conn:
        support.run_tests(globals(), conn, server=server)


if __name__ == "__main__":
    main()

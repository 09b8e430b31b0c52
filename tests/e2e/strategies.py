#!/usr/bin/python3
"""
Every example of docs/schema.md and docs/plugins.md: its table is created from the YAML that is printed there, the values
of the tables below it are inserted by SQL and loaded from files, and the `mariadb` client shows what is documented, or
the documented error is given. Nested rows, delegated values and groups of two columns come from files made for it.
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import parquet_write
import support
from support import Node, SRC_DIR, expect, folder, mariadb, quanta

DOCS = [os.path.join(SRC_DIR, "docs", name) for name in ("schema.md", "plugins.md")]
# What rejected rows say instead of the number that SQL adds.
WORDS = {"1264": "Out of range value", "1265": "Data truncated", "1366": "Incorrect ",
         "1292": "Incorrect "}


class Example:
    """One table of the manual: its YAML, and per column [(given, shown by SQL, shown from a file)]."""

    def __init__(self, yaml):
        self.yaml = yaml
        self.name = re.search(r"^tableName: (\S+)", yaml, re.M).group(1)
        self.columns = {}


def cells_of(line):
    """Cells of a line of a table; the backquotes go, a cell without them is as it stands."""
    cells = re.split(r"(?<!\\)\|", line.strip()[1:-1])
    return [re.sub(r"^`(.*)`$", r"\1", c.strip().replace("\\|", "|")) for c in cells]


def examples():
    """All of the manual, in order."""
    found, column, yaml = [], None, None
    for path in DOCS:
        with open(path, encoding="utf-8") as file:
            for line in file.read().split("\n"):
                head = re.match(r"\| `(\w+)` given \|", line)
                if line == "```yaml":
                    yaml = []
                elif yaml is not None and line == "```":
                    found.append(Example("\n".join(yaml) + "\n"))
                    yaml = None
                elif yaml is not None:
                    yaml.append(line)
                elif head:
                    column = found[-1].columns.setdefault(head.group(1), [])
                elif not line.startswith("|"):
                    column = None
                elif column is not None and not line.startswith("|---"):
                    row = cells_of(line)
                    column.append((row[0], row[1], row[2] if len(row) > 2 else row[1]))
    return [e for e in found if "attributes:" in e.yaml and (e.columns or e.name in OTHERS)]


# Tables without a table of values, checked by functions of their own.
OTHERS = ("customers", "baskets", "basket_lines", "delegated")
EXAMPLES = examples()


def ask(server, statement):
    """What the command line client prints, without headings, or its error."""
    done = mariadb(server.ports["mysql"], "--batch", "--raw", "--skip-column-names", "quanta",
                   "-e", statement)
    return done.stdout.rstrip("\n") if done.returncode == 0 else done.stderr.strip()


def load(server, table, columns, rejected=0):
    """Loads a file of these columns; the lines about rejected rows."""
    place = folder()
    file, rejects = os.path.join(place, "x.parquet"), os.path.join(place, "rejects")
    parquet_write.write(file, columns)
    status, out, err = quanta.run("quanta-loader", "--node", f"127.0.0.1:{server.ports['grpc']}",
                                  "--progress", "none", "--plugin-dir", PLUGINS, "--reject-file",
                                  rejects, file, table)
    expect(status, 3 if rejected else 0, f"{table}: {out}{err}")
    with open(rejects, encoding="utf-8") as lines:
        said = lines.read().splitlines()
    expect(len(said), rejected, f"{table}: {said}")
    return said


def file_value(literal):
    """Kind of file column and value of a literal of SQL, None for NULL."""
    if literal == "NULL":
        return "text", None
    if literal.startswith("'"):
        return "text", literal[1:-1]
    if literal in ("true", "false"):
        return "bool", literal == "true"
    return ("double", float(literal)) if "." in literal else ("int", int(literal))


def check_sql(server, example, column, rows):
    """Each value inserted, shown, stored once more as it is shown, and found by what is shown."""
    for i, (given, shown, _) in enumerate(rows):
        what = f"{example.name}.{column} = {given}"
        said = ask(server, f"INSERT INTO {example.name} (id, {column}) VALUES ({i}, {given})")
        if shown.startswith("error "):
            assert f"ERROR {shown[6:]}" in said and column in said, f"{what}: {said}"
            continue
        expect(said, "", what)
        query = f"SELECT {column} FROM {example.name} WHERE id = {i}"
        expect(ask(server, query), shown, what)
        expect(ask(server, f"UPDATE {example.name} SET {column} = {column} WHERE id = {i}"), "",
               what)
        expect(ask(server, query), shown, f"{what}, stored again")
        test = f"{column} IS NULL" if shown == "NULL" else f"{column} = '{shown}'"
        if (example.name, column) != ("string_enum", "tags"):
            expect(ask(server, f"SELECT count(*) FROM {example.name} WHERE id = {i} AND {test}"),
                   "1", f"{what}: WHERE {test}")


def check_file(server, example, column, rows):
    """All values of one kind from one file."""
    kinds = {}
    for i, (given, _, shown) in enumerate(rows):
        kind, value = file_value(given)
        kinds.setdefault(kind, []).append((1000 + i, value, shown, given))
    source = re.search(rf"fieldName: {column}\b[^}}]*sourceName: (\S+?),", example.yaml)
    for kind, values in kinds.items():
        wrong = [v for v in values if v[2].startswith("error ")]
        cells = [v[1] for v in values]
        name, data = column, (kind, cells)
        if source:
            name, member = source.group(1).strip("/").split("/")
            data = ({member: kind}, [None if v is None else {member: v} for v in cells])
        said = load(server, example.name, {"id": ("int", [v[0] for v in values]), name: data},
                    len(wrong))
        for number, _, error, given in wrong:
            line = [text for text in said if f"key {number}:" in text]
            assert len(line) == 1 and column in line[0] and WORDS[error[6:]] in line[0], \
                f"{example.name}.{column} = {given}: {said}"
        for number, _, shown, given in values:
            expect(ask(server, f"SELECT {column} FROM {example.name} WHERE id = {number}"),
                   "" if shown.startswith("error ") else shown,
                   f"{example.name}.{column} = {given} from a file")


def make_plugins():
    """The plug-in directory with the example in it."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        support.skip("no C compiler")
    place = folder("plugins-")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-I" + os.path.join(SRC_DIR, "src/storage"), "-o",
                    os.path.join(place, "example.so"),
                    os.path.join(SRC_DIR, "tests/e2e/lib/plugin_example.c")], check=True)
    return place


PLUGINS = make_plugins()


def write_schemas(top):
    """A file for each example."""
    for example in EXAMPLES:
        os.makedirs(os.path.join(top, example.name))
        with open(os.path.join(top, example.name, "schema.yaml"), "w", encoding="utf-8") as file:
            file.write(example.yaml)
    return top


def test_documented_values(server):
    strategies = {m for e in EXAMPLES for m in re.findall(r"mappingStrategy: (\w+)", e.yaml)}
    expect(len(strategies), 31, f"strategies with an example: {sorted(strategies)}")
    checked = 0
    for example in EXAMPLES:
        for column, rows in example.columns.items():
            ask(server, f"DELETE FROM {example.name}")
            check_sql(server, example, column, rows)
            check_file(server, example, column, rows)
            checked += len(rows)
    print(f"{checked} values in {len(EXAMPLES)} tables")
    assert checked > 180


def test_show_create_table_makes_the_same_table(server):
    for example in EXAMPLES:
        text = ask(server, f"SHOW CREATE TABLE {example.name}").split("\t", 1)[1]
        copy = text.replace(f"CREATE TABLE `{example.name}`", "CREATE TABLE `copy`", 1)
        expect(ask(server, copy), "", copy)
        again = ask(server, "SHOW CREATE TABLE `copy`").split("\t", 1)[1]
        expect(again.replace("`copy`", f"`{example.name}`", 1), text)
        expect(ask(server, "DROP TABLE `copy`"), "")


def test_groups_ranges_and_sums(server):
    """Columns with a bitmap per value are numbers and dates like others."""
    ask(server, "DELETE FROM float_buckets")
    ask(server, "DELETE FROM year_to_month")
    expect(ask(server, "INSERT INTO float_buckets VALUES (1,1),(2,9.99),(3,10),(4,200),(5,NULL)"),
           "")
    expect(ask(server, "SELECT price, count(*) FROM float_buckets GROUP BY price ORDER BY price"),
           "NULL\t1\n0.00\t1\n9.99\t2\n100.00\t1")
    expect(ask(server, "SELECT sum(price), min(price), max(price) FROM float_buckets"),
           "119.98\t0.00\t100.00")
    expect(ask(server, "SELECT id FROM float_buckets WHERE price BETWEEN 9.99 AND 50 ORDER BY id"),
           "2\n3")
    expect(ask(server, "SELECT count(*) FROM float_buckets WHERE price = 10"), "0")
    expect(ask(server, "INSERT INTO year_to_month (id, month, number) VALUES "
               "(1,'2024-02-29','2024-02-29'),(2,'2024-03-01','2024-03-01'),"
               "(3,'2023-12-31','2023-12-31')"), "")
    expect(ask(server, "SELECT month, number FROM year_to_month WHERE month >= '2024-01-01' "
               "ORDER BY month"), "2024-02-01\t202402\n2024-03-01\t202403")
    expect(ask(server, "SELECT max(month), min(number) FROM year_to_month"), "2024-03-01\t202312")


def test_nested_rows(server):
    members = {"number": "int", "sku": "text", "price": "double"}
    lines = [[{"number": 1, "sku": "a", "price": 1.5}, {"number": 2, "sku": "b", "price": 2.0}],
             [], None]
    columns = {"id": ("int", [1, 2, 3]), "shop": ("text", ["west", "east", None]),
               "lines": ([members], lines)}
    for _ in range(2):
        load(server, "baskets", columns)
        expect(ask(server, "SELECT * FROM baskets ORDER BY id"), "1\twest\n2\teast\n3\tNULL")
        expect(ask(server, "SELECT * FROM basket_lines ORDER BY basket_id, number"),
               "1\t1\ta\t1.50\twest\n1\t2\tb\t2.00\twest")
    expect(ask(server, "SELECT b.shop, sum(l.price) FROM basket_lines l JOIN baskets b "
               "ON l.basket_id = b.id GROUP BY b.shop"), "west\t3.50")
    # More elements than a batch has rows; one that is wrong, two without the key.
    many = [[{"number": n, "sku": f"s{n % 7}", "price": 0.25} for n in range(30000)],
            [{"number": 1, "price": 0.001}, {"sku": "none"}, None]]
    said = load(server, "baskets", {"id": ("int", [10, 11]), "shop": ("text", ["n", "m"]),
                                    "lines": ([members], many)}, 3)
    assert any("key 11-1:" in line and "price" in line for line in said), said
    expect(ask(server, "SELECT count(*), sum(price) FROM basket_lines WHERE basket_id = 10"),
           "30000\t7500.00")
    # A file of older make has no such list.
    load(server, "baskets", {"id": ("int", [20]), "shop": ("text", ["s"])})


def test_delegated_values(server):
    with open(DOCS[0], encoding="utf-8") as file:
        rows = re.search(r"`mail` shown \|\n\|-.*\n((?:\|.*\n)+)", file.read()).group(1)
    rows = [[None if c == "NULL" else c for c in cells_of(line)] for line in rows.splitlines()]
    expect(len(rows), 4)
    load(server, "delegated", {"id": ("int", list(range(4))),
                               "contact": ({"mail": "text"}, [{"mail": row[0]} for row in rows]),
                               "email": ("text", [row[1] for row in rows]),
                               "e_mail": ("text", [row[2] for row in rows])})
    expect(ask(server, "SELECT mail FROM delegated ORDER BY id").split("\n"),
           [row[3] or "NULL" for row in rows])
    load(server, "delegated", {"id": ("int", [9]), "e_mail": ("text", ["old@x"])})
    expect(ask(server, "SELECT mail FROM delegated WHERE id = 9"), "old@x")


def test_groups_of_two_columns_and_types_of_files(server):
    load(server, "sys_bsi", {"id": ("int", [5001, 5002, 5003]), "micros": (
        {"seconds": "int", "nanos": "int"},
        [{"seconds": 1767225607, "nanos": 5000}, {"seconds": -1}, None])})
    expect(ask(server, "SELECT micros FROM sys_bsi WHERE id > 5000 ORDER BY id"),
           "2026-01-01 00:00:07.000005\n1969-12-31 23:59:59.000000\nNULL")
    load(server, "uuid_bsi", {"id": ("int", [5001, 5002]), "device": (
        {"upperBits": "int", "lowerBits": "int"}, [{"upperBits": -1, "lowerBits": 1}, None])})
    load(server, "uuid_bsi", {"id": ("int", [5003]), "device": ("uuid", [bytes(range(16))])})
    expect(ask(server, "SELECT device FROM uuid_bsi WHERE id > 5000 ORDER BY id"),
           "ffffffff-ffff-ffff-0000-000000000001\nNULL\n00010203-0405-0607-0809-0a0b0c0d0e0f")
    load(server, "time_of_day", {"id": ("int", [5001]), "clock": ("time", [49559 * 10**6 + 5]),
                                 "quarter": ("timestamp", [-1])})
    expect(ask(server, "SELECT clock, quarter FROM time_of_day WHERE id = 5001"), "13:45:59\t85500")


def test_tables_and_values_after_a_restart(server):
    before = {e.name: ask(server, f"SELECT * FROM {e.name} ORDER BY 1, 2") for e in EXAMPLES}
    server.restart()
    for name, rows in before.items():
        expect(ask(server, f"SELECT * FROM {name} ORDER BY 1, 2"), rows, name)


def test_a_missing_plugin(server):
    top = folder()
    shutil.copytree(os.path.join(SCHEMAS, "cards"), os.path.join(top, "cards"))
    status, _, err = quanta.run("quanta", "--data-dir", os.path.join(folder(), "data"),
                                "--schema-dir", top, *support.PORT_ZERO, timeout=support.HANG_SECONDS)
    expect(status, 1, err)
    assert re.search(r"cards/schema.yaml:5: column 'card', key plugin: .*--plugin-dir", err), err
    rows = ask(server, "SELECT * FROM cards ORDER BY id")
    server.stop()
    with Node(data_dir=server.data_dir) as bare:
        expect(ask(bare, "SELECT * FROM cards ORDER BY id"), rows)
        said = ask(bare, "INSERT INTO cards (id, card) VALUES (77, '4539 1488 0343 6467')")
        assert "ERROR 1366" in said and "plug-in" in said, said
        expect(ask(bare, "INSERT INTO cards (id) VALUES (78)"), "")
        bare.stop()
    server.start()
    expect(ask(server, "INSERT INTO cards (id, card) VALUES (77, '4539 1488 0343 6467')"), "")


if __name__ == "__main__":
    support.need("quanta", "quanta-loader")
    SCHEMAS = write_schemas(folder())
    with Node("--plugin-dir", PLUGINS, schema_dir=SCHEMAS) as node:
        support.run_tests(globals(), node, server=node)

"""The tables of the differential tests: definitions for both sides, rows, and loading."""

import datetime
import math
import os
import random
import shutil
from dataclasses import dataclass, field
from decimal import Decimal

import parquet
import quanta

SHARED_DATA = os.environ.get("SHARED_DATA", "")
INSERT_ROWS = 500

# Kinds of values: int, dec, bool, str, date, datetime, and list (several strings in one cell).
YAML_TYPES = {"int": "Integer", "dec": "Float", "bool": "Boolean", "str": "String",
              "list": "String", "date": "Date", "datetime": "DateTime"}


@dataclass(frozen=True)
class Column:
    """One column: `kind` as above; `scale` of decimals and of fractions of a second."""

    name: str
    kind: str
    strategy: str
    scale: int = 0
    parent: str = ""
    nullable: bool = True

    def yaml(self):
        """Its line in schema.yaml."""
        parts = [f"fieldName: {self.name}", f"type: {YAML_TYPES[self.kind]}",
                 f"mappingStrategy: {self.strategy}"]
        if self.kind == "dec":
            parts.append(f"scale: {self.scale}")
        if self.kind == "list":
            parts.append('nonExclusive: true, configuration: { delim: "," }')
        if self.parent:
            parts.append(f"foreignKey: {self.parent}")
        return "  - { " + ", ".join(parts) + " }\n"

    def mariadb(self):
        """Its MariaDB type: the one that the product announces."""
        types = {"int": "BIGINT", "dec": f"DECIMAL(18,{self.scale})", "bool": "TINYINT(1)",
                 "str": "VARCHAR(255)", "list": "VARCHAR(255)", "date": "DATE",
                 "datetime": f"DATETIME({self.scale})"}
        return types[self.kind]


@dataclass
class Table:
    """A table and the rows it begins with, as Python values in column order."""

    name: str
    key: tuple
    columns: list
    indexes: tuple = ()
    rows: list = field(default_factory=list)
    source: str = ""       # a file for the loader; empty: rows go in by INSERT
    schema_file: str = ""  # a ready schema.yaml

    def column(self, name):
        """The column of that name."""
        return next(c for c in self.columns if c.name == name)

    def position(self, name):
        """Position of a column in a row."""
        return next(i for i, c in enumerate(self.columns) if c.name == name)

    def yaml(self):
        """Its schema.yaml."""
        return (f"tableName: {self.name}\nprimaryKey: {'+'.join(self.key)}\nattributes:\n" +
                "".join(c.yaml() for c in self.columns))

    def mariadb(self):
        """Its CREATE TABLE for MariaDB."""
        columns = [f"`{c.name}` {c.mariadb()}" +
                   (" NOT NULL" if c.name in self.key else "") for c in self.columns]
        columns.append("PRIMARY KEY (" + ", ".join(f"`{k}`" for k in self.key) + ")")
        columns += [f"KEY (`{i}`)" for i in self.indexes]
        return f"CREATE TABLE `{self.name}` ({', '.join(columns)})"


def literal(value):
    """A value as SQL text that both sides read alike."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        if value.microsecond:
            text += f".{value.microsecond:06d}".rstrip("0")
        return f"'{text}'"
    if isinstance(value, datetime.date):
        return f"'{value.isoformat()}'"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def wire_text(value, column):
    """A value as a server sends it: text, or None."""
    if value is None or column.kind in ("str", "list"):
        return value
    if column.kind == "bool":
        return "1" if value else "0"
    if column.kind == "dec":
        return f"{value:.{column.scale}f}"
    if column.kind == "datetime":
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        return text + f".{value.microsecond:06d}"[:column.scale + 1] if column.scale else text
    return str(value)


def list_text(text):
    """A multi-valued text as the product keeps it: trimmed values, each once, in order."""
    values = [v.strip() for v in text.split(",")]
    return ",".join(dict.fromkeys(v for v in values if v))


# ---- the tables ------------------------------------------------------------------------------


def cities():
    """The real table of cities."""
    folder = SHARED_DATA
    table = Table("cities", ("id",), [
        Column("id", "str", "StringHashBSI"), Column("name", "str", "StringHashBSI"),
        Column("state_name", "str", "StringEnum"), Column("state", "str", "StringEnum"),
        Column("county", "str", "StringHashBSI"), Column("latitude", "dec", "FloatScaleBSI", 4),
        Column("longitude", "dec", "FloatScaleBSI", 4), Column("population", "int", "IntBSI"),
        Column("density", "int", "IntBSI"), Column("military", "bool", "BoolDirect"),
        Column("timezone", "str", "StringEnum"), Column("ranking", "int", "IntDirect"),
        Column("region_list", "list", "StringEnum"),
        Column("created_timestamp", "datetime", "SysMillisBSI", 3),
        Column("created_date", "date", "SysSecBSI")],
        indexes=("name",), source=os.path.join(folder, "us_cities.parquet"),
        schema_file=os.path.join(folder, "schemas/cities/schema.yaml"))
    data = parquet.read(table.source)
    places = Decimal("0.0001")
    epoch, first = datetime.datetime(1970, 1, 1), datetime.date(1970, 1, 1)
    columns = [
        data["id"], data["city"], data["state_name"], data["state_id"], data["county_name"],
        [Decimal(repr(v)).quantize(places) for v in data["lat"]],
        [Decimal(repr(v)).quantize(places) for v in data["lng"]],
        data["population"], data["density"], [bool(v) for v in data["military"]],
        data["timezone"], data["ranking"], [list_text(v) for v in data["region"]],
        [epoch + datetime.timedelta(seconds=v) for v in data["created_timestamp"]],
        [first + datetime.timedelta(days=v) for v in data["created_date"]]]
    table.rows = [list(row) for row in zip(*columns)]
    return table


def cityzip():
    """The real table of zip codes; every row has its city."""
    folder = SHARED_DATA
    table = Table("cityzip", ("zip", "id"), [
        Column("zip", "str", "StringHashBSI"), Column("id", "str", "StringHashBSI"),
        Column("city", "str", "StringHashBSI"), Column("state", "str", "StringEnum"),
        Column("city_id", "str", "ParentRelation", parent="cities")],
        indexes=("id", "city_id"), source=os.path.join(folder, "us_cityzip.parquet"),
        schema_file=os.path.join(folder, "schemas/cityzip/schema.yaml"))
    data = parquet.read(table.source)
    table.rows = [list(row) for row in zip(data["zip"], data["id"], data["name"], data["state"],
                                           data["id"])]
    return table


DEVICES = ["mobile", "tablet", "tv", "desktop", "console", "watch", "auto", "other"]
WORD = 2**64 - 1


def _mix(value):
    value = value + 0x9E3779B97F4A7C15 & WORD
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ value >> 27) * 0x94D049BB133111EB & WORD
    return value ^ value >> 31


def event_row(i, rows, seed):
    """Row i of the events work, computed from its definition."""
    r = [_mix(seed * 2**40 + 16 * i + k) for k in range(8)]
    start = datetime.datetime(2026, 1, 1)
    return [i, start + datetime.timedelta(seconds=i * 7776000 // rows), DEVICES[r[0] % 8],
            f"C{math.isqrt(r[1] % 40000):03d}", f"E{r[2] % 12}", r[3] % 100000,
            f"u{r[4] % 5000000}", r[5] % 1000000, Decimal(r[6] % 100000).scaleb(-2),
            r[7] % 10 == 0]


def events(folder, rows, seed):
    """The table of the benchmark. The loader gets the file that quanta-bench makes of it."""
    table = Table("events", ("id",), [
        Column("id", "int", "IntBSI"), Column("ts", "datetime", "SysSecBSI"),
        Column("device", "str", "StringEnum"), Column("country", "str", "StringEnum"),
        Column("event", "str", "StringEnum"), Column("content_id", "int", "IntBSI"),
        Column("user_id", "str", "StringHashBSI"), Column("duration", "int", "IntBSI"),
        Column("revenue", "dec", "FloatScaleBSI", 2), Column("live", "bool", "BoolDirect")],
        indexes=("content_id",), rows=[event_row(i, rows, seed) for i in range(rows)])
    if quanta.program("quanta-bench"):
        table.source = os.path.join(folder, "events.parquet")
        quanta.generate("events", rows, table.source, seed)
    return table


NAMES = ["alpha", "Alpha", "ALPHA", "alpha ", " alpha", "beta", "béta", "Ünal", "naïve", "O'Hara",
         "a_b", "a%b", "50%", "under_score", "back\\slash", "x", "X", "日本", "😀 smile", "0", "12",
         "12.5", "-7", "2024-02-29", "true", "zz top", "tab\there", "NULL", "ñandú", "Straße"]
KINDS = ["red", "green", "blue", "Red", "red ", "light blue", "7", "grün", "n/a", "none", "x", "y"]
TAGS = ["sun", "moon", "star", "Sun", "dark matter", "x1", "ü"]


def random_things_value(rng, column):
    """A value of a column of `things` or `parts`, small enough to meet others by chance."""
    name = column.name
    if name == "tags":
        return ",".join(rng.sample(TAGS, rng.randint(1, 4)))
    if name in ("name", "note"):
        text = rng.choice(NAMES)
        return text if rng.random() < 0.6 else f"{text} {rng.randint(1, 60)}"
    if name == "kind":
        return rng.choice(KINDS)
    if name == "small":
        return rng.randint(0, 20)
    if name == "big":
        return rng.choice([rng.randint(-9 * 10**15, 9 * 10**15), rng.randint(-10**10, 10**10),
                           2**62, -2**62, 2**53 + 1])
    if column.kind == "int":
        return rng.randint(-1000, 1000)
    if column.kind == "dec":
        digits = rng.choice([10**3, 10**6, 10**9])
        return Decimal(rng.randint(-digits, digits)).scaleb(-column.scale)
    if column.kind == "bool":
        return rng.random() < 0.4
    day = datetime.date(1900, 1, 1) + datetime.timedelta(days=rng.randint(0, 55000))
    if rng.random() < 0.6:
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randint(0, 90))
    if column.kind == "date":
        return day
    unit = 10**(6 - column.scale)
    micros = rng.randrange(0, 86400 * 10**6 // unit) * unit
    if rng.random() < 0.3:
        micros = 0
    return datetime.datetime(day.year, day.month, day.day) + datetime.timedelta(microseconds=micros)


def things(rng, rows):
    """Every strategy, a fifth of NULLs in every column but the key."""
    table = Table("things", ("id",), [
        Column("id", "int", "IntBSI"), Column("small", "int", "IntDirect"),
        Column("num", "int", "IntBSI"), Column("big", "int", "IntBSI"),
        Column("price", "dec", "FloatScaleBSI", 2), Column("ratio", "dec", "FloatScaleBSI", 4),
        Column("flag", "bool", "BoolDirect"), Column("day", "date", "SysSecBSI"),
        Column("moment", "datetime", "SysSecBSI"), Column("moment3", "datetime", "SysMillisBSI", 3),
        Column("moment6", "datetime", "SysMicroBSI", 6), Column("kind", "str", "StringEnum"),
        Column("name", "str", "StringHashBSI"), Column("tags", "list", "StringEnum")])
    for i in range(rows):
        table.rows.append([i * 3 - 100] + [
            None if rng.random() < 0.2 else random_things_value(rng, c) for c in table.columns[1:]])
    return table


def parts(rng, rows, parents):
    """Children of `things`, with a key of two columns."""
    table = Table("parts", ("thing", "line"), [
        Column("thing", "int", "ParentRelation", parent="things"), Column("line", "int", "IntBSI"),
        Column("quantity", "int", "IntBSI"), Column("cost", "dec", "FloatScaleBSI", 2),
        Column("made", "date", "SysSecBSI"), Column("note", "str", "StringHashBSI"),
        Column("kind", "str", "StringEnum")])
    seen = set()
    while len(seen) < rows:
        key = (rng.choice(parents), rng.randint(1, 12))
        if key in seen:
            continue
        seen.add(key)
        table.rows.append([*key] + [
            None if rng.random() < 0.2 else random_things_value(rng, c) for c in table.columns[2:]])
    return table


def small(seed):
    """The tables that are made here alone: name to Table."""
    rng = random.Random(seed)
    parents = things(rng, 900)
    children = parts(rng, 2500, [row[0] for row in parents.rows])
    return {table.name: table for table in (parents, children)}


def make(folder, event_rows, seed):
    """All tables whose data is there: name to Table."""
    made = []
    if os.path.exists(os.path.join(SHARED_DATA, "us_cities.parquet")):
        made += [cities(), cityzip()]
    made.append(events(folder, event_rows, seed % 2**24))
    return {**{table.name: table for table in made}, **small(seed)}


# ---- loading ---------------------------------------------------------------------------------


def write_schemas(tables, folder):
    """A schema folder for the product."""
    for table in tables.values():
        path = os.path.join(folder, table.name)
        os.makedirs(path)
        if table.schema_file:
            shutil.copy(table.schema_file, os.path.join(path, "schema.yaml"))
        else:
            with open(os.path.join(path, "schema.yaml"), "w", encoding="utf-8") as file:
                file.write(table.yaml())
    return folder


def insert_texts(table, rows):
    """INSERT statements of at most INSERT_ROWS rows."""
    names = ", ".join(f"`{c.name}`" for c in table.columns)
    for at in range(0, len(rows), INSERT_ROWS):
        values = ", ".join("(" + ", ".join(map(literal, row)) + ")"
                           for row in rows[at:at + INSERT_ROWS])
        yield f"INSERT INTO `{table.name}` ({names}) VALUES {values}"


def fill_mariadb(connection, tables):
    """Creates and fills all tables from their rows."""
    with connection.cursor() as cursor:
        for table in tables.values():
            cursor.execute(table.mariadb())
            cursor.execute("BEGIN")
            for text in insert_texts(table, table.rows):
                cursor.execute(text)
            cursor.execute("COMMIT")


def fill_quanta(server, connection, tables):
    """Loads files with the loader, the other rows by INSERT."""
    for table in tables.values():
        if table.source:
            summary = server.load(table.source, table.name)
            if summary.rejected or summary.new != len(table.rows):
                raise quanta.QuantaError(f"{table.name}: {len(table.rows)} rows in the file, the "
                                         f"loader says {vars(summary)}")
            continue
        with connection.cursor() as cursor:
            for text in insert_texts(table, table.rows):
                cursor.execute(text)

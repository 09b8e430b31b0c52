#!/usr/bin/python3
"""
The statements of the first Quanta's own suites (lib/sqlrunner.txt): in sql_mode QUANTA each gives what it gave there, over
connections of its own for every statement; without the mode each that MariaDB takes gives what MariaDB gives, beside a
real one. Ends with a table of counts.
"""

import collections
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import quanta
import support
from compare import ask
from support import Node, expect, folder

CASES = os.path.join(HERE, "lib/sqlrunner.txt")

CUSTOMERS = """tableName: customers_qa
primaryKey: cust_id
attributes:
- { fieldName: cust_id, type: String, mappingStrategy: StringHashBSI }
- { fieldName: first_name, type: String, mappingStrategy: StringHashBSI }
- { fieldName: last_name, type: String, mappingStrategy: StringHashBSI }
- { fieldName: address, type: String, mappingStrategy: StringHashBSI }
- { fieldName: city, type: String, mappingStrategy: StringEnum }
- { fieldName: state, type: String, mappingStrategy: StringHashBSI }
- { fieldName: zip, type: String, mappingStrategy: StringHashBSI }
- { fieldName: createdAtTimestamp, type: DateTime, mappingStrategy: SysMicroBSI, defaultValue: now() }
- { fieldName: timestamp_micro, type: DateTime, mappingStrategy: SysMicroBSI }
- { fieldName: timestamp_millis, type: DateTime, mappingStrategy: SysMillisBSI }
- { fieldName: hashedCustId, type: String, mappingStrategy: StringHashBSI, defaultValue: hash.sha256(cust_id) }
- { fieldName: phone, type: String, mappingStrategy: StringHashBSI }
- { fieldName: phoneType, type: String, mappingStrategy: StringEnum, nonExclusive: true, configuration: { delim: ";" } }
- { fieldName: isActive, type: Boolean, mappingStrategy: BoolDirect, defaultValue: 1 }
- { fieldName: birthdate, type: Date, mappingStrategy: SysMicroBSI }
- { fieldName: isLegalAge, type: Boolean, mappingStrategy: BoolDirect, defaultValue: false }
- { fieldName: age, type: Integer, mappingStrategy: IntBSI, defaultValue: 0 }
- { fieldName: height, type: Float, mappingStrategy: FloatScaleBSI, scale: 2 }
- { fieldName: numFamilyMembers, type: Integer, mappingStrategy: IntBSI, defaultValue: 4 }
- { fieldName: rownum, type: Integer, mappingStrategy: IntDirect }
"""

ORDERS = """tableName: orders_qa
primaryKey: order_id
attributes:
- { fieldName: order_id, type: String, mappingStrategy: StringHashBSI }
- { fieldName: order_date, type: DateTime, mappingStrategy: SysMicroBSI }
- { fieldName: ship_date, type: DateTime, mappingStrategy: SysMicroBSI }
- { fieldName: ship_via, type: String, mappingStrategy: StringHashBSI }
- { fieldName: cust_id, type: String, mappingStrategy: ParentRelation, foreignKey: customers_qa }
- { fieldName: createdAtTimestamp, type: DateTime, mappingStrategy: SysMicroBSI }
"""

# The same for both servers, which keep phoneType as a text.
TABLES = """CREATE TABLE customers_qa (cust_id VARCHAR(40) PRIMARY KEY, first_name VARCHAR(40), last_name VARCHAR(40),
 address VARCHAR(80), city VARCHAR(40), state VARCHAR(40), zip VARCHAR(10), createdAtTimestamp DATETIME(6) DEFAULT now(6),
 timestamp_micro DATETIME(6), timestamp_millis DATETIME(3), hashedCustId VARCHAR(64) DEFAULT (sha2(cust_id, 256)),
 phone VARCHAR(20), phoneType VARCHAR(80), isActive BOOLEAN DEFAULT 1, birthdate DATE, isLegalAge BOOLEAN DEFAULT false,
 age INT DEFAULT 0, height DECIMAL(10,2), numFamilyMembers INT DEFAULT 4, rownum INT);
CREATE TABLE orders_qa (order_id VARCHAR(40) PRIMARY KEY, order_date DATETIME(6), ship_date DATETIME(6),
 ship_via VARCHAR(20), cust_id VARCHAR(40), createdAtTimestamp DATETIME(6))"""

SLOWEST_SECONDS = 40  # what asks for the last minute is left out on a machine slower than that
KEY_CHANGE = "set cust_id"  # the columns of a key cannot be updated: docs/sql.md
TODAY = re.compile(rb"20[2-9]\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+")


def read_cases():
    """{suite: [(expected, statement)]}"""
    suites, now = {}, None
    with open(CASES, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if re.fullmatch(r"\[.+\]", line):
                now = suites.setdefault(line[1:-1], [])
            elif line and not line.startswith("#"):
                now.append(tuple(line.split(" | ", 1)))
    return suites


def found(answer):
    """What a statement gave, in the words of the file; the second as far as `ok` and `error` go."""
    if answer.code is not None:
        return f"error {answer.message}"
    if answer.columns:
        return f"rows {len(answer.rows)}"
    return f"affected {answer.affected}"


def is_as_expected(expected, answer):
    """Whether the answer is the one of the file."""
    kind, _, wanted = expected.partition(" ")
    if kind == "error":
        return answer.code is not None and wanted.lower() in answer.message.lower()
    if answer.code is not None or kind == "ok":
        return answer.code is None
    if kind == "value":
        value = answer.rows[0][0] if len(answer.rows) == 1 else None
        return value in (wanted, wanted.encode())
    return {"rows": len(answer.rows), "affected": answer.affected}[kind] == int(wanted)


def write_schemas(old):
    """A folder with the definitions of a suite's tables."""
    definitions = folder("schemas-")
    age = " defaultValue: 0 }\n- { fieldName: height"
    customers = CUSTOMERS.replace("IntBSI," + age, "IntBSI }\n- { fieldName: height") if old else CUSTOMERS
    for name, text in (("customers_qa", customers), ("orders_qa", ORDERS)):
        os.mkdir(os.path.join(definitions, name))
        with open(os.path.join(definitions, name, "schema.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
    return definitions


def run_quanta(name, cases, counts):
    """A suite in the mode: a server of its own whose sessions are in it."""
    failed = []
    with Node("--sql-mode", "QUANTA", schema_dir=write_schemas(name.startswith("old"))) as server:
        began = time.monotonic()
        for expected, statement in cases:
            if "'now-1" in statement and time.monotonic() - began > SLOWEST_SECONDS:
                print(f"skipped, {time.monotonic() - began:.0f} s after the rows: {statement}")
                counts["skipped"] += 1
                continue
            with quanta.connect(server.ports["mysql"]) as connection:
                answer = ask(connection, statement)
            counts["run"] += 1
            if is_as_expected(expected, answer):
                counts["as expected"] += 1
            else:
                failed.append(f"{name}: {statement}\n  expected {expected}, found {found(answer)}"
                              f" {answer.rows[:2]}")
    return failed


def test_quanta_mode():
    """Every statement gives what it gave the first Quanta."""
    failed, total = [], collections.Counter()
    print(f"{'suite':<18}{'statements':>11}{'as expected':>13}")
    for name, cases in read_cases().items():
        counts = collections.Counter()
        failed += run_quanta(name, cases, counts)
        print(f"{name:<18}{counts['run']:>11}{counts['as expected']:>13}")
        total += counts
    print(f"{'in all':<18}{total['run']:>11}{total['as expected']:>13}: "
          f"{total['as expected']} of {total['run']}", flush=True)
    expect(failed, [], "\n".join(failed))


def plain(statement):
    """An INSERT as MariaDB takes it: no empty slots, no zone, no empty times."""
    statement = statement.replace(",,", ",")
    statement = re.sub(r"(\d\d:\d\d:\d\d\.000)Z'", r"\1'", statement)
    return re.sub(r",''(?=,'\d{4}-)", ",DEFAULT", statement)


def seen(answer, statement):
    """What must be equal: rows in any order, the time of the statement left out; the number where LIMIT takes any."""
    if answer.code is not None:
        return "error"
    if not answer.columns:
        return answer.affected
    if " limit " in statement:
        return len(answer.rows)
    return sorted(tuple("NULL" if v is None else "now" if TODAY.fullmatch(raw(v)) else raw(v).decode()
                        for v in row) for row in answer.rows)


def raw(value):
    """Bytes of a cell."""
    return value if isinstance(value, bytes) else str(value).encode()


def compare_suite(ours, theirs, name, cases, counts):
    """A suite on both servers, with the same rows."""
    failed = []
    for connection in (ours, theirs):
        for table in ("orders_qa", "customers_qa"):
            ask(connection, f"DROP TABLE IF EXISTS {table}")
        for statement in TABLES.split(";\n"):
            answer = ask(connection, statement)
            expect(answer.code, None, f"{statement}: {answer.message}")
    for _, statement in cases:
        if KEY_CHANGE in statement:
            continue
        counts["run"] += 1
        there = ask(theirs, statement)
        if there.code is not None:
            counts["refused by MariaDB"] += 1
            changed = plain(statement)
            if not statement.startswith("insert") or changed == statement:
                continue
            statement, there = changed, ask(theirs, changed)
        else:
            counts["taken"] += 1
        here = ask(ours, statement)
        if seen(here, statement) != seen(there, statement):
            failed.append(f"{name}: {statement}\n  here {here}\n  MariaDB {there}")
        elif statement in {c[1] for c in cases}:
            counts["equal"] += 1
    return failed


def test_default_mode():
    """Every statement that MariaDB takes gives what it gives there."""
    if not mariadb.is_available():
        print("skipped: no MariaDB (make deps-test)")
        return
    failed, total = [], collections.Counter()
    print(f"{'suite':<18}{'statements':>11}{'taken':>8}{'equal':>8}")
    with mariadb.MariaDB(os.environ.get("TEST_TMP")) as oracle, Node() as server:
        for name, cases in read_cases().items():
            counts = collections.Counter()
            with quanta.connect(server.ports["mysql"]) as ours, oracle.connect() as theirs:
                failed += compare_suite(ours, theirs, name, cases, counts)
            print(f"{name:<18}{counts['run']:>11}{counts['taken']:>8}{counts['equal']:>8}")
            total += counts
    print(f"{'in all':<18}{total['run']:>11}{total['taken']:>8}{total['equal']:>8}: "
          f"{total['equal']} of {total['taken']}", flush=True)
    expect(failed, [], "\n".join(failed))


def test_session():
    """The mode is a session's own where the server does not say so, and DEFAULT is the server's."""
    with Node() as server, quanta.connect(server.ports["mysql"]) as connection:
        for statement in ("CREATE TABLE t (id INT PRIMARY KEY, a INT)",
                          "INSERT INTO t VALUES (1, 1), (2, NULL), (3, 3)"):
            expect(ask(connection, statement).code, None, statement)
        text = "SELECT count(*) FROM t WHERE a != 1"
        expect(ask(connection, text).rows, [("1",)], text)
        expect(ask(connection, "INSERT INTO t VALUES (4,,4)").code, 1064, "an empty slot")
        expect(ask(connection, "SET sql_mode = concat(@@sql_mode, ',QUANTA')").code, None, "SET")
        expect(ask(connection, text).rows, [("2",)], "in the mode: " + text)
        expect(ask(connection, "INSERT INTO t VALUES (4,,4)").affected, 0, "an empty slot, taken")
        expect(ask(connection, "SET sql_mode = DEFAULT").code, None, "SET")
        expect(ask(connection, text).rows, [("2",)], text)
    status, _, err = quanta.run("quanta", "--sql-mode", "QUANTITY", "--data-dir", folder())
    expect((status != 0, "QUANTITY" in err), (True, True), err)


if __name__ == "__main__":
    support.need("quanta")
    support.run_tests(globals())

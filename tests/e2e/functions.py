#!/usr/bin/python3
"""
The reference of functions, docs/functions.md: every example gives what stands behind it, and every function of
the server has one. Where MariaDB is installed it is asked, too, what it knows.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../peers")]
import mariadb
import quanta
from compare import ask
from support import Node, expect

SOURCES = os.path.join(HERE, "../..")
NAMES = re.compile(r'^    \{"([a-z0-9_.]+)"', re.M)
# MariaDB's own ways: bytes of its collation, no blanks in aggregated JSON, ten digits, an order of equal rows.
DIFFERENT = ("weight_string", "json_arrayagg", "json_objectagg", "percent_rank", "cume_dist",
             "row_number", "version", "contains('Quanta'", "all(1", "collation(", "json_detailed", "json_pretty")
# What the first Quanta had; topn and sample_stratified have tests of their own.
FIRST = """add all any array.index array.slice avg cast char_length contains count database dayofweek domain domains email
    emaildomain emailname encoding.b64decode encoding.b64encode eq exists extract filter filtermatch ge gt hash hash.md5
    hash.sha1 hash.sha256 hash.sha512 hash.sip hasprefix hassuffix host hosts hourofday hourofweek join le len lt map
    mapinvert mapkeys maptime mapvalues match max min mm monthofyear ne not now oneof path pow qs qs2 qsl replace seconds
    split sqrt strftime string.lowercase string.titlecase string.uppercase strip sum timediff tobool todate toint tolower
    tonumber tostring totimestamp unixtrunc url.matchqs urldecode urlmain urlminusqs useragent useragent.map uuid version
    yy yymm""".split()
UNKNOWN = (1064, 1305, 1582, 1630)


def examples():
    """(expression, result) of the page."""
    with open(os.path.join(SOURCES, "docs/functions.md"), encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").rsplit(" => ", 1)) for line in file if " => " in line]


def functions():
    """Names in the tables of the sources."""
    folder = os.path.join(SOURCES, "src/sql")
    names = set()
    for name in os.listdir(folder):
        if name.startswith("function_") and name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                names.update(NAMES.findall(file.read()))
    with open(os.path.join(folder, "window.c"), encoding="utf-8") as file:
        names.update(re.findall(r'= "([a-z_]+)"', file.read()))
    with open(os.path.join(folder, "aggregate.c"), encoding="utf-8") as file:
        names.update(re.findall(r'\{"([a-z_]+)", AGG_', file.read()))
    return names


def text(answer):
    """The one value of an answer as the page has it."""
    if answer.code is not None:
        return f"error {answer.code}: {answer.message}"
    value = answer.rows[0][0]
    return "NULL" if value is None else value.decode() if isinstance(value, bytes) else value


def check(server, oracle):
    """Asks for all examples."""
    ours = quanta.connect(server.ports["mysql"])
    for expression, result in examples():
        expect(text(ask(ours, "SELECT " + expression)), result, expression)
    if not oracle:
        return
    theirs = oracle.connect()
    asked = 0
    for expression, result in examples():
        answer = ask(theirs, "SELECT " + expression)
        if answer.code in UNKNOWN or any(word in expression for word in DIFFERENT):
            continue
        expect(text(answer), result, "MariaDB: " + expression)
        asked += 1
    print(f"MariaDB agrees about {asked} of {len(examples())}")


def main():
    """The test."""
    page = " ".join(expression.lower() for expression, _ in examples())
    missing = [name for name in sorted(functions() | set(FIRST))
               if not re.search(r"(?<![a-z0-9_.])" + re.escape(name) + r"`? *\(", page)]
    expect(missing, [], "functions without an example")
    with Node() as server:
        if mariadb.is_available():
            with mariadb.MariaDB(os.environ.get("TEST_TMP")) as oracle:
                check(server, oracle)
        else:
            check(server, None)
    print("ok")


if __name__ == "__main__":
    main()

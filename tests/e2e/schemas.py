#!/usr/bin/python3
"""
Mistakes in schema files: the message names file, line, key, what was found and what is allowed; the
server ends with 1 and has created no table. Unknown keys are only warned of.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, quanta

HEAD = "tableName: t\nprimaryKey: id\nattributes:\n"
ID = "  - { fieldName: id, type: Integer, mappingStrategy: IntBSI }\n"


def column(text):
    """A table of the key and one more column, which stands on line 5."""
    return HEAD + ID + f"  - {{ {text} }}\n"


# What is wrong: text, line, key, found, a word of what is allowed.
MISTAKES = {
    "type": (column("fieldName: a, type: Text, mappingStrategy: StringEnum"),
             5, "type", "'Text'", "String"),
    "type missing": (column("fieldName: a, mappingStrategy: StringEnum"),
                     5, "type", "nothing", "Integer"),
    "type json": (column("fieldName: a, type: JSON, mappingStrategy: StringEnum"),
                  5, "type", "'JSON'", "not available yet"),
    "strategy": (column("fieldName: a, type: String, mappingStrategy: StringEnums"),
                 5, "mappingStrategy", "'StringEnums'", "StringHashBSI"),
    "strategy missing": (column("fieldName: a, type: String"), 5, "mappingStrategy", "nothing",
                         "StringEnum"),
    "strategy of another type": (column("fieldName: a, type: Integer, mappingStrategy: StringEnum"),
                                 5, "mappingStrategy", "StringEnum", "IntBSI"),
    "name missing": (column("type: String, mappingStrategy: StringEnum"),
                     5, "fieldName", "nothing", "fieldName or sourceName"),
    "name with a point": (column("fieldName: a.b, type: String, mappingStrategy: StringEnum"),
                          5, "fieldName", "'a.b'", "bytes"),
    "name twice": (column("fieldName: ID, type: String, mappingStrategy: StringEnum"),
                   5, "fieldName", "'ID'", "no other column"),
    "id twice": (HEAD + "  - { fieldName: id, id: 3, type: Integer, mappingStrategy: IntBSI }\n"
                 "  - { fieldName: b, id: 3, type: Integer, mappingStrategy: IntBSI }\n",
                 5, "id", "'3'", "no other column"),
    "id too large": (column("fieldName: a, id: 70000, type: Integer, mappingStrategy: IntBSI"),
                     5, "id", "'70000'", "1 to"),
    "scale": (column("fieldName: a, type: Float, mappingStrategy: FloatScaleBSI, scale: 40"),
              5, "scale", "'40'", "to 18"),
    "scale no number": (column("fieldName: a, type: Float, mappingStrategy: FloatScaleBSI, "
                               "scale: two"), 5, "scale", "'two'", "whole number"),
    "flag": (column("fieldName: a, type: String, mappingStrategy: StringEnum, required: perhaps"),
             5, "required", "'perhaps'", "true or false"),
    "several values": (column("fieldName: a, type: Integer, mappingStrategy: IntBSI, "
                              "nonExclusive: true"), 5, "nonExclusive", "'true'", "StringEnum"),
    "delimiter": (column("fieldName: a, type: String, mappingStrategy: StringEnum, "
                         "configuration: { delim: ab }"), 5, "delim", "'ab'", "one ASCII"),
    "bounds": (column("fieldName: a, type: Integer, mappingStrategy: IntBSI, minValue: 5, "
                      "maxValue: 3"), 5, "minValue", "'5'", "maxValue 3"),
    "list for a text": (column("fieldName: [a], type: String, mappingStrategy: StringEnum"),
                        5, "fieldName", "a list", "one value"),
    "key twice": (HEAD + ID + "primaryKey: id\n", 5, "primaryKey", "second time", "once"),
    "parent missing": (column("fieldName: a, type: String, mappingStrategy: ParentRelation"),
                       5, "foreignKey", "nothing", "table"),
    "primary key unknown": (HEAD.replace("id", "nothing") + ID, 2, "primaryKey", "'nothing'",
                            "column"),
    "primary key twice": (HEAD.replace("id", "id+id") + ID, 2, "primaryKey", "id", "once"),
    "partition": ("timeQuantumType: WEEK\n" + HEAD + ID, 1, "timeQuantumType", "'WEEK'", "YMD"),
    "partition without field": ("timeQuantumType: YMD\n" + HEAD + ID, 1, "timeQuantumField",
                                "nothing", "Date"),
    "partition by a number": ("timeQuantumType: YMD\ntimeQuantumField: id\n" + HEAD + ID,
                              2, "timeQuantumField", "'id'", "Date"),
    "table name missing": ("attributes:\n" + ID, 1, "tableName", "nothing", "name"),
    "table name": ("tableName: a/b\nattributes:\n" + ID, 1, "tableName", "'a/b'", "bytes"),
    "no columns": ("tableName: t\n", 1, "attributes", "nothing", "list"),
    "columns no list": ("tableName: t\nattributes: none\n", 2, "attributes", "no list", "list"),
    "no map": ("just a text\n", 1, "", "just a text", "map"),
    "empty": ("", 1, "", "nothing", "table definition"),
}
# Not readable as YAML at all: file and line are named.
BROKEN = {
    "tab": ("tableName: t\n\tattributes: []\n", 2),
    "bracket": (HEAD + ID + "  - { fieldName: b, type: [\n", 6),
    "indent": (HEAD + ID + " - x\n", 5),
    "bytes": ("tableName: \xff\n", 1),
    "alias": ("desc: x\nb: *nothing\n" + HEAD + ID, 2),
}


def write_schema(top, name, text):
    """<top>/<name>/schema.yaml."""
    os.makedirs(os.path.join(top, name))
    with open(os.path.join(top, name, "schema.yaml"), "w", encoding="latin-1") as file:
        file.write(text)


def start(top, data_dir):
    """What the server says when it refuses the folder."""
    status, out, err = quanta.run("quanta", "--data-dir", data_dir, "--schema-dir", top,
                                  *support.PORT_ZERO)
    expect((status, out), (1, ""), err)
    return err


def message_for(text):
    """The line about a schema beside a good one."""
    top, data_dir = folder(), os.path.join(folder(), "data")
    write_schema(top, "good", HEAD.replace(": t", ": good", 1) + ID)
    write_schema(top, "wrong", text)
    err = start(top, data_dir)
    lines = [line for line in err.splitlines() if "wrong/schema.yaml" in line]
    assert lines, f"the file is not named: {err}"
    with Node(data_dir=data_dir) as server:
        expect(server.value("SELECT count(*) FROM information_schema.tables "
                            "WHERE table_schema = 'quanta'"), 0, "tables created")
        server.stop()
    return lines[-1]


def check(name):
    """One row of MISTAKES."""
    text, line, key, found, allowed = MISTAKES[name]
    said = message_for(text)
    assert re.search(rf"wrong/schema\.yaml:{line}\b", said), f"{name}: line {line}: {said}"
    assert re.search(rf"\b{key}\b", said), f"{name}: key {key}: {said}"
    assert re.search(r"\bfound\b.*\ballowed\b", said), f"{name}: {said}"
    assert found in said, f"{name}: {found}: {said}"
    assert allowed in said.split("allowed", 1)[1], f"{name}: {allowed}: {said}"


for _name in MISTAKES:
    globals()["test_" + _name.replace(" ", "_")] = lambda name=_name: check(name)


def test_files_that_are_no_yaml():
    for name, (text, line) in BROKEN.items():
        said = message_for(text)
        assert re.search(rf"wrong/schema\.yaml:{line}\b", said), f"{name}: line {line}: {said}"


def test_two_files_of_one_table():
    top = folder()
    write_schema(top, "one", HEAD + ID)
    write_schema(top, "two", HEAD + ID)
    err = start(top, os.path.join(folder(), "data"))
    assert "one/schema.yaml" in err and "two/schema.yaml" in err, err


def test_directories_that_are_none():
    file = os.path.join(folder(), "file")
    with open(file, "w", encoding="ascii") as out:
        out.write("x")
    for path in ("/no/such/directory", file):
        assert path in start(path, os.path.join(folder(), "data"))


def test_unknown_keys_are_warned_of():
    top = folder()
    write_schema(top, "t", "colour: blue\n" + HEAD + ID.replace("}", ", shape: round }"))
    with Node(schema_dir=top) as server:
        said = [line for line in server.errors if "schema.yaml" in line]
        assert any(re.search(r"t/schema\.yaml:1\b.*colour", line) for line in said), said
        assert any(re.search(r"t/schema\.yaml:5\b.*shape", line) for line in said), said
        expect(server.value("SELECT count(*) FROM t"), 0)


def test_tables_that_exist_are_kept():
    top = folder()
    write_schema(top, "t", HEAD + ID)
    with Node(schema_dir=top) as server:
        with server.connect() as conn:
            conn.cursor().execute("INSERT INTO t VALUES (1)")
        server.restart()
        expect(server.value("SELECT count(*) FROM t"), 1)


if __name__ == "__main__":
    support.need("quanta")
    support.run_tests(globals())

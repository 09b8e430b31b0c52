"""
A small writer of Parquet files for the tests: PLAIN, uncompressed, one row group, optional columns and lists of
structures of one level. It shares nothing with the product.
"""

import struct

_BOOLEAN, _INT32, _INT64, _DOUBLE, _BYTES, _FIXED = 0, 1, 2, 5, 6, 7
_UTF8, _DATE, _TIME_MICROS, _TIMESTAMP_MICROS = 0, 6, 8, 10
_REQUIRED, _OPTIONAL, _REPEATED = range(3)
# Name of a kind: physical type, converted type or None, logical type (field of the union) or None.
_KINDS = {"text": (_BYTES, _UTF8, None), "int": (_INT64, None, None), "bool": (_BOOLEAN, None, None),
          "double": (_DOUBLE, None, None), "date": (_INT32, _DATE, None),
          "time": (_INT64, _TIME_MICROS, None), "timestamp": (_INT64, _TIMESTAMP_MICROS, None),
          "uuid": (_FIXED, None, 14)}


def _varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _int(value):
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _record(*fields):
    """Thrift compact: (number, type, encoded bytes), ascending."""
    out, last = b"", 0
    for number, kind, data in fields:
        out += bytes([(number - last) << 4 | kind]) + data
        last = number
    return out + b"\0"


def _i32(number, value):
    return number, 5, _int(value)


def _i64(number, value):
    return number, 6, _int(value)


def _text(number, value):
    return number, 8, _varint(len(value.encode())) + value.encode()


def _list(number, kind, items):
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else \
        bytes([0xF0 | kind]) + _varint(len(items))
    return number, 9, head + b"".join(items)


def _levels(levels, width):
    """RLE runs of one level each, with their length before them."""
    out, at = b"", 0
    while at < len(levels):
        end = at
        while end < len(levels) and levels[end] == levels[at]:
            end += 1
        out += _varint((end - at) << 1) + bytes([levels[at]])
        at = end
    assert width <= 8
    return struct.pack("<I", len(out)) + out


def _plain(kind, values):
    if kind == "text":
        data = [v.encode() if isinstance(v, str) else v for v in values]
        return b"".join(struct.pack("<I", len(d)) + d for d in data)
    if kind == "bool":
        bits = bytearray((len(values) + 7) // 8)
        for i, value in enumerate(values):
            bits[i // 8] |= bool(value) << i % 8
        return bytes(bits)
    if kind == "uuid":
        return b"".join(values)
    code = {"double": "d", "date": "i"}.get(kind, "q")
    return struct.pack(f"<{len(values)}{code}", *values)


def _leaf(name, kind, repetition):
    physical, converted, logical = _KINDS[kind]
    fields = [_i32(1, physical)]
    if kind == "uuid":
        fields.append(_i32(2, 16))
    fields += [_i32(3, repetition), _text(4, name)]
    if converted is not None:
        fields.append(_i32(6, converted))
    if logical is not None:
        fields.append((10, 12, _record((logical, 12, _record()))))
    return _record(*fields)


def _group(name, repetition, children, converted=None):
    fields = [_i32(3, repetition), _text(4, name), _i32(5, children)]
    if converted is not None:
        fields.append(_i32(6, converted))
    return _record(*fields)


class _Column:
    """Path, kind, values without NULLs, and levels of one leaf."""

    def __init__(self, path, kind, max_rep, max_def):
        self.path, self.kind, self.max_rep, self.max_def = path, kind, max_rep, max_def
        self.values, self.reps, self.defs = [], [], []

    def add(self, value, rep, level):
        """`level` is the definition level of a NULL here."""
        self.reps.append(rep)
        self.defs.append(self.max_def if value is not None else level)
        if value is not None:
            self.values.append(value)

    def page(self):
        body = _levels(self.reps, 1) if self.max_rep else b""
        body += _levels(self.defs, 2) + _plain(self.kind, self.values)
        head = _record(_i32(1, 0), _i32(2, len(body)), _i32(3, len(body)),
                       (5, 12, _record(_i32(1, len(self.defs)), _i32(2, 0), _i32(3, 3), _i32(4, 3))))
        return head + body


def _flat(name, kind, values):
    column = _Column([name], kind, 0, 1)
    for value in values:
        column.add(value, 0, 0)
    return [_leaf(name, kind, _OPTIONAL)], [column]


def _struct(name, members, rows):
    """An optional group: rows are dictionaries or None."""
    schema, columns = [_group(name, _OPTIONAL, len(members))], []
    for member, kind in members.items():
        schema.append(_leaf(member, kind, _OPTIONAL))
        column = _Column([name, member], kind, 0, 2)
        for row in rows:
            column.add(None if row is None else row.get(member), 0, 0 if row is None else 1)
        columns.append(column)
    return schema, columns


def _nested(name, members, rows):
    """An optional list of structures: rows are lists of dictionaries, or None."""
    schema = [_group(name, _OPTIONAL, 1, 3), _group("list", _REPEATED, 1),
              _group("element", _OPTIONAL, len(members))]
    columns = []
    for member, kind in members.items():
        schema.append(_leaf(member, kind, _OPTIONAL))
        column = _Column([name, "list", "element", member], kind, 1, 4)
        for row in rows:
            if not row:
                column.add(None, 0, 0 if row is None else 1)
            for i, element in enumerate(row or []):
                column.add(None if element is None else element.get(member), int(i > 0),
                           2 if element is None else 3)
        columns.append(column)
    return schema, columns


def write(path, columns):
    """
    columns: {name: (kind, values)}; kind one of text, int, bool, double, date (days), time (µs), timestamp (µs),
    uuid (16 bytes); {member: kind} for a structure; [{member: kind}] for a list of structures.
    """
    schema, leaves = [], []
    rows = len(next(iter(columns.values()))[1])
    for name, (kind, values) in columns.items():
        assert len(values) == rows, name
        make = _flat if isinstance(kind, str) else _struct if isinstance(kind, dict) else _nested
        more, found = make(name, kind[0] if isinstance(kind, list) else kind, values)
        schema += more
        leaves += found
    data, chunks = b"PAR1", []
    for column in leaves:
        page = column.page()
        meta = _record(_i32(1, _KINDS[column.kind][0]), _list(2, 5, [_int(0), _int(3)]),
                       _list(3, 8, [_text(0, part)[2] for part in column.path]), _i32(4, 0),
                       _i64(5, len(column.defs)), _i64(6, len(page)), _i64(7, len(page)),
                       _i64(9, len(data)))
        chunks.append(_record(_i64(2, len(data)), (3, 12, meta)))
        data += page
    group = _record(_list(1, 12, chunks), _i64(2, len(data) - 4), _i64(3, rows))
    footer = _record(_i32(1, 1), _list(2, 12, [_group("schema", _REQUIRED, len(columns))] + schema),
                     _i64(3, rows), _list(4, 12, [group]))
    with open(path, "wb") as file:
        file.write(data + footer + struct.pack("<I", len(footer)) + b"PAR1")

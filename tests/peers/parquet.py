"""
A small reader of flat Parquet files, plain or snappy, written for the tests alone.

It shares nothing with the product, so that what the product reads from a file can be compared
with what this reads. PLAIN and dictionary encoded pages of version 1, optional columns, one level.
"""

import struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
PAGE_DATA, PAGE_DICTIONARY = 0, 2
CODEC_NONE, CODEC_SNAPPY = 0, 1
ENCODING_PLAIN, ENCODING_PLAIN_DICTIONARY, ENCODING_RLE_DICTIONARY = 0, 2, 8


class _Thrift:
    """Compact protocol to dictionaries of field number to value."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self):
        fields, number = {}, 0
        while True:
            head = self.data[self.at]
            self.at += 1
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            fields[number] = self.value(head & 15)

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            self.at += 1
            return self.data[self.at - 1]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 7:
            self.at += 8
            return struct.unpack_from("<d", self.data, self.at - 8)[0]
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.data[self.at - size:self.at]
        if kind in (9, 10):
            head = self.data[self.at]
            self.at += 1
            size = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15) for _ in range(size)]
        if kind == 12:
            return self.struct()
        raise ValueError(f"thrift type {kind}")


def _hybrid(data, at, end, width, count):
    """Runs and bit-packed groups of numbers of `width` bits."""
    values = []
    reader = _Thrift(data, at)
    while len(values) < count and reader.at < end:
        head = reader.varint()
        if head & 1:
            size = (head >> 1) * width
            bits = int.from_bytes(data[reader.at:reader.at + size], "little")
            reader.at += size
            mask = (1 << width) - 1
            values += [(bits >> (i * width)) & mask for i in range((head >> 1) * 8)]
        else:
            size = (width + 7) // 8
            value = int.from_bytes(data[reader.at:reader.at + size], "little")
            reader.at += size
            values += [value] * (head >> 1)
    return values[:count]


def _unsnappy(data):
    reader = _Thrift(data)
    size = reader.varint()
    at, out = reader.at, bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length = (tag >> 2) + 1
            if length > 60:
                extra = length - 60
                length = int.from_bytes(data[at:at + extra], "little") + 1
                at += extra
            out += data[at:at + length]
            at += length
            continue
        if tag & 3 == 1:
            length, offset, used = (tag >> 2 & 7) + 4, (tag >> 5 << 8) | data[at], 1
        else:
            used = 2 if tag & 3 == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(data[at:at + used], "little")
        at += used
        start = len(out) - offset
        for i in range(length):
            out.append(out[start + i])
    if len(out) != size:
        raise ValueError("snappy page of the wrong size")
    return bytes(out)


def _plain(kind, data, at, count):
    formats = {INT32: "i", INT64: "q", FLOAT: "f", DOUBLE: "d"}
    if kind in formats:
        return list(struct.unpack_from(f"<{count}{formats[kind]}", data, at))
    if kind == BOOLEAN:
        return [data[at + i // 8] >> (i % 8) & 1 for i in range(count)]
    if kind != BYTE_ARRAY:
        raise ValueError(f"physical type {kind}")
    values = []
    for _ in range(count):
        size = struct.unpack_from("<I", data, at)[0]
        values.append(data[at + 4:at + 4 + size].decode())
        at += 4 + size
    return values


def _data_page(kind, optional, header, data, dictionary):
    count, encoding = header[5][1], header[5][2]
    at, end = 0, len(data)
    present = [1] * count
    if optional:
        size = struct.unpack_from("<I", data, at)[0]
        present = _hybrid(data, at + 4, at + 4 + size, 1, count)
        at += 4 + size
    filled = sum(present)
    if encoding == ENCODING_PLAIN:
        values = _plain(kind, data, at, filled)
    elif encoding in (ENCODING_PLAIN_DICTIONARY, ENCODING_RLE_DICTIONARY):
        codes = _hybrid(data, at + 1, end, data[at], filled)
        values = [dictionary[code] for code in codes]
    else:
        raise ValueError(f"encoding {encoding}")
    source = iter(values)
    return [next(source) if bit else None for bit in present]


def _column(chunk, optional, data):
    if chunk[4] not in (CODEC_NONE, CODEC_SNAPPY):
        raise ValueError(f"codec {chunk[4]}")
    at = min(chunk[9], chunk.get(11, chunk[9]))
    values, dictionary = [], None
    while len(values) < chunk[5]:
        reader = _Thrift(data, at)
        header = reader.struct()
        at = reader.at + header[3]
        page = data[reader.at:at]
        if chunk[4] == CODEC_SNAPPY:
            page = _unsnappy(page)
        if header[1] == PAGE_DICTIONARY:
            dictionary = _plain(chunk[1], page, 0, header[7][1])
        elif header[1] == PAGE_DATA:
            values += _data_page(chunk[1], optional, header, page, dictionary)
        else:
            raise ValueError(f"page type {header[1]}")
    return values


def read(path):
    """Columns of a file: a dictionary of name to list of values, None for NULL."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<I", data[-8:-4])[0]
    footer = _Thrift(data, len(data) - 8 - size).struct()
    optional = {leaf[4].decode(): leaf.get(3, 0) == 1 for leaf in footer[2][1:]}
    columns = {name: [] for name in optional}
    for group in footer[4]:
        for chunk in group[1]:
            name = chunk[3][3][0].decode()
            columns[name] += _column(chunk[3], optional[name], data)
    return columns

"""Whether two engines give the same answer."""

import decimal

# Of what is not exact: an average has four digits here, and is a double elsewhere.
SLACK = decimal.Decimal("0.000051")
DOUBLE = decimal.Decimal("1e-15")  # of a large one
WORDS = {"false": "0", "true": "1", "f": "0", "t": "1", "NULL": "\\N"}


def _cells(line):
    return [WORDS.get(cell, cell) for cell in line.split("\t")]


def _is_same_cell(left, right):
    if left == right:
        return True
    try:
        left, right = decimal.Decimal(left), decimal.Decimal(right)
    except decimal.InvalidOperation:
        return False
    return abs(left - right) <= max(SLACK, abs(left) * DOUBLE)


def _is_same(left, right):
    if left == right:
        return True
    left, right = _cells(left), _cells(right)
    return len(left) == len(right) and all(map(_is_same_cell, left, right))


def difference(left_path, right_path, is_ordered):
    """None, or a text that tells the first difference of two files of rows."""
    sides = []
    for path in (left_path, right_path):
        with open(path, encoding="utf-8") as file:
            rows = file.read().splitlines()
        sides.append(rows if is_ordered else sorted(rows))
    left, right = sides
    if len(left) != len(right):
        return f"{len(left)} rows against {len(right)}"
    for number, pair in enumerate(zip(left, right)):
        if not _is_same(*pair):
            return f"row {number}: {pair[0]!r} against {pair[1]!r}"
    return None

"""Runs a statement on both sides and says how the answers differ."""

import math
import re
import time
from collections import Counter

import pymysql
from pymysql.constants import FIELD_TYPE as T

LONGEST_NAME = 255  # MariaDB cuts the names of columns there
RELATIVE = 1e-12  # doubles may differ by the order of additions
RELATIVE_VARIANCE = 1e-8  # variances by the method too
ZERO = re.compile(r"-0(\.0+)?$")
LOST = (0, 2003, 2006, 2013)  # error codes of the client: no connection any more
TIMEOUT_CODES = (1969, 3024)
SHOWN_ROWS = 8

CLASSES = {
    "int": (T.TINY, T.SHORT, T.INT24, T.LONG, T.LONGLONG, T.YEAR, T.BIT),
    "decimal": (T.DECIMAL, T.NEWDECIMAL),
    "double": (T.FLOAT, T.DOUBLE),
    "date": (T.DATE, T.NEWDATE),
    "datetime": (T.DATETIME, T.TIMESTAMP),
    "time": (T.TIME,),
    "null": (T.NULL,),
}
CLASS_OF = {code: name for name, codes in CLASSES.items() for code in codes}


class Answer:
    """What a server said: columns (name, class), rows as texts, affected rows; or an error."""

    def __init__(self):
        self.columns, self.rows, self.affected = [], [], 0
        self.code, self.message = None, ""
        self.seconds = 0.0

    @property
    def is_lost(self):
        """Whether there was no answer at all."""
        return self.code is not None and self.code in LOST

    def __str__(self):
        if self.code is not None:
            return f"error {self.code}: {self.message}"
        if not self.columns:
            return f"{self.affected} affected"
        head = ", ".join(f"{name}:{kind}" for name, kind in self.columns)
        rows = [repr(row) for row in self.rows[:SHOWN_ROWS]]
        more = f" ... {len(self.rows)} rows" if len(self.rows) > SHOWN_ROWS else ""
        return f"[{head}] " + " ".join(rows) + more


def ask(connection, text):
    """The Answer to one statement."""
    answer = Answer()
    start = time.monotonic()
    try:
        with connection.cursor() as cursor:
            answer.affected = cursor.execute(text)
            if cursor.description:
                answer.columns = [(d[0], CLASS_OF.get(d[1], "string")) for d in cursor.description]
                answer.rows = list(cursor.fetchall())
                if any(kind == "decimal" for _, kind in answer.columns):
                    answer.rows = [tuple(map(without_sign, row)) for row in answer.rows]
    except pymysql.err.MySQLError as error:
        known = error.args and isinstance(error.args[0], int)
        answer.code = error.args[0] if known else -1
        answer.message = str(error.args[-1]) if error.args else repr(error)
    except Exception as error:  # a reply that the client cannot read
        answer.code, answer.message = -2, f"{type(error).__name__}: {error}"
    answer.seconds = time.monotonic() - start
    return answer


def without_sign(text):
    """MariaDB's decimals know a negative zero."""
    return text[1:] if text and text[0] == "-" and ZERO.match(text) else text


def same_value(a, b, tolerance):
    """Whether two cells are equal; doubles may differ by the tolerance, which is 0 for others."""
    if a == b:
        return True
    if a is None or b is None or not tolerance:
        return False
    try:
        # variances come rounded to some digits: the last one may differ by the method, too
        last_digit = 1.5e-8 if tolerance == RELATIVE_VARIANCE else 1e-300
        return math.isclose(float(a), float(b), rel_tol=tolerance, abs_tol=last_digit)
    except ValueError:
        return False


def same_rows(a, b, tolerances):
    """Position of the first unequal row, or None."""
    for at, (left, right) in enumerate(zip(a, b)):
        if left != right and not all(map(same_value, left, right, tolerances)):
            return at
    return None


def sort_key(tolerances):
    """Order that puts equal multisets of rows side by side; doubles count roughly."""
    def cell(value, tolerance):
        if value is None:
            return False, ""
        return True, f"{float(value):.7g}" if tolerance else value

    return lambda row: [cell(v, t) for v, t in zip(row, tolerances)]


class Difference:
    """How two answers disagree: kind, and a text for people."""

    def __init__(self, kind, detail):
        self.kind, self.detail = kind, detail

    def cause(self, theirs):
        """What several disagreements have in common when they have one cause."""
        if self.kind in ("fails", "lost connection", "other error"):
            return f"{self.kind}: {theirs.code} {general(theirs.message)}"
        return self.kind


def general(message):
    """An error message without the names and numbers in it."""
    message = re.sub(r"'[^']*'", "'...'", message)
    return re.sub(r"\d+", "N", message)[:160]


def difference(ours, theirs, ordered, names=True, relative=RELATIVE):
    """None when equal; `ours` is the oracle's answer, `ordered` says that row order counts."""
    if theirs.is_lost:
        return Difference("lost connection", theirs.message)
    if ours.code is not None or theirs.code is not None:
        return _error_difference(ours, theirs)
    if len(ours.columns) != len(theirs.columns):
        return Difference("columns", f"{len(ours.columns)} and {len(theirs.columns)} columns")
    for (a, _), (b, _) in zip(ours.columns, theirs.columns):
        if a[:LONGEST_NAME] != b[:LONGEST_NAME] and names:
            return Difference("names", f"column {a!r} is called {b!r}")
    if len(ours.rows) != len(theirs.rows):
        return Difference("row count", f"{len(ours.rows)} and {len(theirs.rows)} rows")
    return _row_difference(ours, theirs, ordered, relative) or _type_difference(ours, theirs)


def _error_difference(ours, theirs):
    if ours.code is None:
        return Difference("fails", str(theirs))
    if theirs.code is None:
        return Difference("accepts", str(ours))
    return None


def _type_difference(ours, theirs):
    for (name, a), (_, b) in zip(ours.columns, theirs.columns):
        if a != b:
            return Difference(f"type {a} is {b}", f"column {name}: {a} and {b}")
    return None


def _row_difference(ours, theirs, ordered, relative):
    numbers = {"double", "int", "decimal"}
    tolerances = [relative if "double" in (a, b) and {a, b} <= numbers else 0
                  for (_, a), (_, b) in zip(ours.columns, theirs.columns)]
    at = None
    if ordered:
        at = same_rows(ours.rows, theirs.rows, tolerances)
        if at is None:
            return None
    key = sort_key(tolerances)
    left, right = sorted(ours.rows, key=key), sorted(theirs.rows, key=key)
    if same_rows(left, right, tolerances) is None:
        if not ordered:
            return None
        return Difference("order", f"row {at}: {ours.rows[at]} and {theirs.rows[at]}")
    only = [list((Counter(a) - Counter(b)).elements())[:3]
            for a, b in ((left, right), (right, left))]
    return Difference("values", f"only MariaDB {only[0]}, only the other {only[1]}")


def is_empty(answer):
    """No rows, or one row that only says there were none."""
    if answer.code is not None or not answer.rows:
        return True
    return len(answer.rows) == 1 and all(v in (None, "0") for v in answer.rows[0])

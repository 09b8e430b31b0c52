"""
Random conditions over the columns in scope.

They are built around a witness, a row that exists: constants come from the data, and `want`
asks for a predicate that is true (or false) for the witness, so that most statements find rows.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from choose import Choose
from sqltree import Expr, Joined
from tables import literal

UNKNOWN = object()  # the witness's value is not known
NUMBERS = ("int", "dec")
TIMES = ("date", "datetime")
PLAIN = ("int", "dec", "bool", "str", "date", "datetime")
OPERATORS = {"=": lambda c: c == 0, "<>": lambda c: c != 0, "!=": lambda c: c != 0,
             "<": lambda c: c < 0, "<=": lambda c: c <= 0, ">": lambda c: c > 0,
             ">=": lambda c: c >= 0}
MIRRORED = {"=": "=", "<>": "<>", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass
class Field:
    """A column in scope: how it is written, its type, values it has, the witness's value."""

    text: str
    type: str
    samples: list
    witness: object = UNKNOWN
    scale: int = 0
    is_big: bool = False
    origin: str = ""  # table.column

    def expr(self):
        """The column as an expression."""
        return Expr("column", self.type, self.text)


def order_of(a, b):
    """-1, 0 or 1, as the servers compare two values of one type."""
    if isinstance(a, str):
        a, b = a.encode(), b.encode()
    return (a > b) - (a < b)


def like_escaped(text):
    """Text that LIKE takes literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Predicates(Choose):
    """Makes conditions over `fields`; `subquery` is a function (field) -> Select or None."""

    def __init__(self, rng, fields, subquery=None):
        super().__init__(rng)
        self.fields, self.subquery = fields, subquery
        # MariaDB rounds quotients to their announced digits where it keeps them in a temporary
        # table, which depends on its plan: no division below sums and in derived tables.
        self.divides = True

    def field(self, *types):
        """A column of one of the types, or None."""
        fits = [f for f in self.fields if f.type in types]
        return self.rng.choice(fits) if fits else None

    def constant(self, field):
        """A value of the column: often the witness's, else another that occurs."""
        if field.witness is not UNKNOWN and field.witness is not None and self.chance(0.4):
            return field.witness
        return self.rng.choice(field.samples) if field.samples else None

    # ---- literals --------------------------------------------------------------------------

    def write(self, value, kind, exact=True):
        """A literal equal to the value, in one of the ways to write it."""
        text = self._number(value) if kind in NUMBERS else \
            self._time(value) if kind in TIMES else literal(value)
        if kind == "bool":
            text = self.weighted([(6, literal(value)), (3, str(int(value)))])
        if not exact and kind == "int" and self.chance(0.15):
            text = f"{value}.{self.rng.choice(['5', '25', '999'])}"
            return Expr("literal", "dec", text)
        return Expr("literal", kind, text)

    def _number(self, value):
        plain = literal(value)
        if isinstance(value, bool):
            return plain
        fraction = plain + "0" if "." in plain else plain + ".0"
        return self.weighted([(80, plain), (7, fraction), (7, f"'{plain}'")])

    def _time(self, value):
        plain = literal(value)
        if isinstance(value, datetime.datetime):
            return self.weighted([(80, plain), (12, "TIMESTAMP" + plain)])
        return self.weighted([(75, plain), (15, "DATE" + plain),
                              (5, f"'{value.isoformat()} 00:00:00'")])

    # ---- predicates ------------------------------------------------------------------------

    def predicate(self, depth=2, want=True):
        """A condition; `want` is what it should be for the witness: True, False or None."""
        if depth > 0:
            shape = self.weighted([(50, "leaf"), (26, "and"), (14, "or"), (10, "not"), (1, "xor")])
            if shape == "xor" and want is not True:
                return Expr("xor", "bool", "(", self.predicate(depth - 1, None), ") XOR (",
                            self.predicate(depth - 1, None), ")")
            if shape == "and":
                return self._junction("and", " AND ", depth, want is not False and want, want)
            if shape == "or":
                return self._junction("or", self.weighted([(14, " OR "), (1, " || ")]), depth,
                                      False if want is False else None, want)
            if shape == "not":
                inner = self.predicate(depth - 1, None if want is None else not want)
                return Expr("not", "bool", "NOT (", inner, ")")
        return self.leaf(want)

    def _junction(self, kind, word, depth, others, want):
        items = [self.predicate(depth - 1, want)]
        items += [self.predicate(depth - 1, others) for _ in range(self.rng.choice([1, 1, 1, 2]))]
        self.rng.shuffle(items)
        # AND binds closer than OR: leaving the parentheses out now and then tests that too.
        bare = kind == "and" and self.chance(0.3)
        wrapped = [i if bare and i.kind not in ("or", "xor") or i.kind == "not"
                   else Expr("group", "bool", "(", i, ")") for i in items]
        return Joined(kind, "bool", "", word, "", wrapped, 2)

    def leaf(self, want):
        """A condition on one or two columns."""
        field = self.rng.choice(self.fields)
        if field.type == "list":
            return self._list_predicate(field, want)
        if field.witness is None and want is True and self.chance(0.8):
            return self.weighted([
                (8, Expr("is null", "bool", field.expr(), " IS NULL")),
                (1, Expr("null-safe", "bool", field.expr(), " <=> NULL"))])
        makers = [(34, self._compare), (12, self._in), (13, self._between), (7, self._null),
                  (6, self._columns), (9, self._computed), (3, self._null_safe),
                  (2, self._rows), (1, self._other_type)]
        if field.type == "str":
            makers += [(20, self._like), (2, self._regexp)]
        if field.type == "bool":
            makers.append((40, self._truth))
        if self.subquery:
            makers.append((7, self._subquery))
        for _ in range(8):
            made = self.weighted(makers)(field, want)
            if made:
                return made
        return Expr("is null", "bool", field.expr(), " IS NOT NULL")

    def _operator(self, field, value, want):
        """An operator that gives `want` between the witness's value and this one."""
        operators = list(OPERATORS)
        if want is not None and field.witness not in (UNKNOWN, None):
            c = order_of(field.witness, value)
            operators = [o for o in operators if OPERATORS[o](c) == want] or operators
        return self.rng.choice(operators)

    def _compare(self, field, want):
        value = self.constant(field)
        if value is None:
            return None
        operator = self._operator(field, value, want)
        constant = self.write(value, field.type, want is not None and operator in ("=", "<>"))
        if self.chance(0.2):
            return Expr("compare reversed", "bool", constant, f" {MIRRORED[operator]} ",
                        field.expr())
        return Expr("compare", "bool", field.expr(), f" {operator} ", constant)

    def _null_safe(self, field, want):
        value = self.constant(field)
        if want is True and field.witness is not UNKNOWN:
            value = field.witness
        if value is None:
            return Expr("null-safe", "bool", field.expr(), " <=> NULL")
        return Expr("null-safe", "bool", field.expr(), " <=> ", self.write(value, field.type))

    def _in(self, field, want):
        values = [self.constant(field) for _ in range(self.rng.choice([1, 2, 3, 3, 5, 8]))]
        if want is True and field.witness is not UNKNOWN:
            values.append(field.witness)
        values = [v for v in values if v is not None]
        if not values:
            return None
        items = [Expr("literal", field.type, literal(v)) for v in values]
        if self.chance(0.05):
            items.append(Expr("null literal", "", "NULL"))
        self.rng.shuffle(items)
        negated = want is False or self.chance(0.15) and want is not True
        return Expr("not in" if negated else "in", "bool", field.expr(),
                    " NOT IN " if negated else " IN ",
                    Joined("list", "", "(", ", ", ")", items))

    def _between(self, field, want):
        low, high = self.constant(field), self.constant(field)
        if low is None or high is None:
            return None
        if order_of(low, high) > 0 and not self.chance(0.04):
            low, high = high, low
        if want is True and field.witness not in (UNKNOWN, None):
            low = low if order_of(low, field.witness) <= 0 else field.witness
            high = high if order_of(high, field.witness) >= 0 else field.witness
        negated = want is False or want is None and self.chance(0.25)
        return Expr("not between" if negated else "between", "bool", field.expr(),
                    " NOT BETWEEN " if negated else " BETWEEN ", self.write(low, field.type),
                    " AND ", self.write(high, field.type))

    def _null(self, field, want):
        negated = want is True and field.witness is not None or want is None and self.chance(0.5)
        return Expr("is not null" if negated else "is null", "bool", field.expr(),
                    " IS NOT NULL" if negated else " IS NULL")

    def _like(self, field, want):
        value = self.constant(field)
        if want is True and isinstance(field.witness, str):
            value = field.witness
        if not value:
            return None
        start = self.rng.randrange(len(value))
        end = self.rng.randint(start + 1, len(value))
        piece = like_escaped(value[start:end])
        at = self.rng.randrange(len(value))
        head = like_escaped(value[:max(1, len(value) // 2)])
        pattern = self.weighted([
            (30, head + "%"), (20, "%" + piece + "%"),
            (12, "%" + like_escaped(value[start:])),
            (12, like_escaped(value[:at]) + "_" + like_escaped(value[at + 1:])),
            (5, like_escaped(value)), (2, "%"), (2, "_" * len(value)),
            (3, like_escaped(value[:1]) + "%" + like_escaped(value[-1:]))])
        negated = want is False or want is None and self.chance(0.25)
        tail = ""
        if self.chance(0.06) and "\\" not in pattern and "!" not in pattern:
            tail = " ESCAPE '!'"
        return Expr("not like" if negated else "like", "bool", field.expr(),
                    " NOT LIKE " if negated else " LIKE ",
                    Expr("literal", "str", literal(pattern)), tail)

    def _regexp(self, field, _):
        value = self.constant(field)
        words = [w for w in (value or "").split() if w.isascii() and w.isalnum()]
        if not words:
            return None
        word = self.rng.choice(words)
        pattern = self.rng.choice([word, "^" + word, word + "$", f"[{word[:3]}]+", word[:1] + ".*"])
        return Expr("regexp", "bool", field.expr(), self.rng.choice(
            [" REGEXP ", " RLIKE ", " NOT REGEXP "]), literal(pattern))

    def _rows(self, field, _):
        """(a, b) = (1, 2) and (a, b) IN (...)."""
        other = self.field(*PLAIN)
        if other is None or not field.samples or not other.samples:
            return None
        rows = []
        for _ in range(self.rng.choice([1, 2, 3])):
            pair = [f.witness if f.witness not in (UNKNOWN, None) and self.chance(0.6)
                    else self.constant(f) for f in (field, other)]
            rows.append(Expr("row", "", "(" + ", ".join(map(literal, pair)) + ")"))
        left = Expr("row", "", "(", field.expr(), ", ", other.expr(), ")")
        if len(rows) == 1:
            return Expr("compare rows", "bool", left, self.rng.choice([" = ", " <> "]), rows[0])
        return Expr("rows in", "bool", left, self.rng.choice([" IN ", " IN ", " NOT IN "]),
                    Joined("list", "", "(", ", ", ")", rows))

    def _other_type(self, field, _):
        """A constant of another type, which the servers convert."""
        if field.type == "str":
            text = self.rng.choice(["0", "12", "12.5", "-7", "1e1"])
        elif field.type in NUMBERS:
            text = self.rng.choice(["'12'", "'12abc'", "' 7'", "1e2", "TRUE", "''", "'x'"])
        elif field.type in TIMES:
            text = self.rng.choice(["20240201", "'2024-2-1'", "'20240201'", "20240201000000"])
        else:
            text = self.rng.choice(["2", "'1'", "0.5", "1e0"])
        return Expr("other type", "bool", field.expr(),
                    f" {self.rng.choice(['=', '<', '>=', '<>'])} ", Expr("literal", "", text))

    def _truth(self, field, want):
        text = field.witness
        if want is not None and isinstance(text, bool):
            if text == want:
                return self.weighted([(3, field.expr()), (
                    2, Expr("is true", "bool", field.expr(), " IS TRUE"))])
            return self.weighted([(3, Expr("not", "bool", "NOT ", field.expr())), (
                2, Expr("is true", "bool", field.expr(), " IS NOT TRUE"))])
        return Expr("is true", "bool", field.expr(), self.rng.choice(
            [" IS TRUE", " IS NOT TRUE", " IS FALSE", " IS NOT FALSE", " IS UNKNOWN"]))

    def _columns(self, field, _):
        groups = [NUMBERS, TIMES, ("str",), ("bool",)]
        types = next((g for g in groups if field.type in g), ())
        others = [f for f in self.fields if f.type in types and f is not field]
        if not others:
            return None
        operator = self.rng.choice(list(OPERATORS))
        return Expr("compare columns", "bool", field.expr(), f" {operator} ",
                    self.rng.choice(others).expr())

    def _computed(self, field, _):
        left, right = self.value(field.type, 2, field), self.value(field.type, 2)
        if field.type == "bool":
            left, right = (Expr("group", "bool", "(", side, ")") for side in (left, right))
        if self.chance(0.3):
            return Expr("compare computed", "bool", left,
                        f" {self.rng.choice(list(OPERATORS))} ", right)
        value = self.constant(field)
        if value is None:
            return None
        return Expr("compare computed", "bool", left,
                    f" {self.rng.choice(['<', '<=', '>', '>=', '<>', '='])} ",
                    self.write(value, field.type))

    def _list_predicate(self, field, want):
        """Holds if any value matches; NOT is the complement."""
        value = self.constant(field)
        if want is True and isinstance(field.witness, str):
            value = field.witness
        if not value or self.chance(0.1):
            return self._null(field, want)
        column = field.expr()
        one = Expr("literal", "str", literal(self.rng.choice(value.split(","))))
        negated = want is False
        if self.chance(0.7):
            made = Expr("list =", "bool", column, " = ", one,
                        oracle=("(FIND_IN_SET(", one, ", ", column, ") > 0)"))
        else:
            other = Expr("literal", "str", literal(self.rng.choice(
                self.rng.choice(field.samples).split(","))))
            made = Expr("list in", "bool", column, " IN (", one, ", ", other, ")",
                        oracle=("(FIND_IN_SET(", one, ", ", column, ") > 0 OR FIND_IN_SET(", other,
                                ", ", column, ") > 0)"))
        return Expr("not", "bool", "NOT (", made, ")") if negated else made

    def _subquery(self, field, want):
        query = self.subquery(field)
        if not query:
            return None
        if query.kind == "scalar":
            return Expr("scalar subquery", "bool", field.expr(),
                        f" {self.rng.choice(list(OPERATORS))} (", query, ")")
        if self.chance(0.08):
            return Expr("exists", "bool", "NOT " if want is False else "", "EXISTS (", query, ")")
        if self.chance(0.08):
            return Expr("quantified", "bool", field.expr(),
                        f" {self.rng.choice(['=', '<', '>', '>='])} "
                        f"{self.rng.choice(['ANY', 'ALL'])} (", query, ")")
        negated = want is False or self.chance(0.15)
        return Expr("not in subquery" if negated else "in subquery", "bool", field.expr(),
                    " NOT IN (" if negated else " IN (", query, ")")

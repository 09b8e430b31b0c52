"""
Random expressions over the columns in scope.

Predicates are built around a witness, a row that exists: constants come from the data, and `want`
asks for a predicate that is true (or false) for the witness, so that most statements find rows.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

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


class Expressions:
    """Makes expressions over `fields`; `subquery` is a function (field) -> Select or None."""

    def __init__(self, rng, fields, subquery=None):
        self.rng, self.fields, self.subquery = rng, fields, subquery
        # MariaDB rounds quotients to their announced digits where it keeps them in a temporary
        # table, which depends on its plan: no division below sums and in derived tables.
        self.divides = True

    # ---- choosing --------------------------------------------------------------------------

    def chance(self, share):
        """True in this share of the calls."""
        return self.rng.random() < share

    def weighted(self, choices):
        """One of (weight, value)."""
        return self.rng.choices([c[1] for c in choices], [c[0] for c in choices])[0]

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

    # ---- values ----------------------------------------------------------------------------

    def value(self, kind, depth=2, field=None):
        """An expression of the type; of this column if one is given."""
        if field is None or field.type != kind:
            field = self.field(kind)
        if depth <= 0 or self.chance(0.2):
            return self._operand(kind, field)
        maker = {"int": self._int, "dec": self._dec, "bool": self._bool, "str": self._str,
                 "date": self._date, "datetime": self._datetime, "double": self._double}[kind]
        if self.chance(0.22) and kind != "double":
            return self._choice(kind, depth, field)
        return maker(depth, field)

    def _operand(self, kind, field):
        if field and not self.chance(0.15):
            return field.expr()
        if field and field.samples:
            value = self.rng.choice(field.samples)
            if kind in TIMES:
                word = "DATE" if kind == "date" else "TIMESTAMP"
                return Expr("literal", kind, word + literal(value))
            return Expr("literal", kind, literal(value))
        return Expr("literal", kind, {
            "int": str(self.rng.randint(-20, 20)), "dec": f"{self.rng.randint(-500, 500) / 100:.2f}",
            "bool": "TRUE", "str": literal(self.rng.choice(["", "a", "New York", "x-y"])),
            "date": "DATE'2024-02-29'", "datetime": "TIMESTAMP'2024-02-29 12:34:56'",
            "double": "2.5e0"}[kind])

    def _choice(self, kind, depth, field):
        """CASE and its relatives, of any type."""
        first, second = self.value(kind, depth - 1, field), self.value(kind, depth - 1)
        shape = self.weighted([(5, "if"), (5, "case"), (3, "case value"), (5, "coalesce"),
                               (3, "ifnull"), (3, "nullif"), (2, "greatest"), (2, "least")])
        if shape == "if":
            return Expr("if", kind, "IF(", self.predicate(0, None), ", ", first, ", ", second, ")")
        if shape == "case":
            tail = self.rng.choice([" END", " ELSE NULL END"])
            return Expr("case", kind, "CASE WHEN ", self.predicate(1, None), " THEN ", first,
                        " WHEN ", self.predicate(0, None), " THEN ", second, tail)
        if shape == "case value":
            of = self.field("str", "int", "bool")
            if not of or not of.samples:
                return first
            return Expr("case value", kind, "CASE ", of.expr(), " WHEN ",
                        Expr("literal", of.type, literal(self.constant(of))), " THEN ", first,
                        " ELSE ", second, " END")
        if shape in ("coalesce", "greatest", "least"):
            return Joined(shape, kind, shape.upper() + "(", ", ", ")", [first, second], 2)
        return Expr(shape, kind, shape.upper() + "(", first, ", ", second, ")")

    def _small(self):
        return Expr("literal", "int", str(self.rng.choice([1, 2, 3, 5, 7, 10, 100])))

    def _int(self, depth, field):
        a = self.value("int", depth - 1, field)
        text, time = self.field("str"), self.field(*TIMES)
        choices = [
            (8, lambda: Expr("+", "int", "(", a, " + ", self._small(), ")")),
            (6, lambda: Expr("-", "int", "(", a, " - ", self.value("int", depth - 1), ")")),
            (6, lambda: Expr("*", "int", a if a.kind == "column" else self._small(), " * ",
                             self._small())),
            (5, lambda: Expr("div", "int", a, " DIV ", self._small())),
            (5, lambda: Expr("%", "int", a, self.rng.choice([" % ", " MOD "]), self._small())),
            (2, lambda: Expr("abs", "int", "ABS(", a, ")")),
            (2, lambda: Expr("negate", "int", "-", Expr("group", "int", "(", a, ")"))),
            (1, lambda: Expr("sign", "int", "SIGN(", a, ")")),
            (1, lambda: Expr("bit and", "int", "(", self.value("int", 0), " & 7)")),
            (2, lambda: Expr("cast int", "int", "CAST(", self.value("dec", depth - 1),
                             " AS SIGNED)")),
            (1, lambda: Expr("mod", "int", "MOD(", a, ", ", self._small(), ")")),
            (1, lambda: Expr("bool as int", "int", "(", self.predicate(0, None), ") + 1"))]
        if text:
            choices += [(4, lambda: Expr("length", "int", self.rng.choice(
                ["LENGTH(", "CHAR_LENGTH("]), self.value("str", depth - 1, text), ")")),
                        (1, lambda: Expr("locate", "int", "LOCATE('a', ", text.expr(), ")")),
                        (1, lambda: Expr("instr", "int", "INSTR(", text.expr(), ", 'o')")),
                        (1, lambda: Expr("ascii", "int", "ASCII(", text.expr(), ")")),
                        (1, lambda: Expr("strcmp", "int", "STRCMP(", text.expr(), ", 'b')")),
                        (1, lambda: Expr("field", "int", "FIELD(", text.expr(), ", 'tv', 'x', '')"))]
        if time:
            choices += [(9, lambda: Expr("date part", "int", self.rng.choice(
                ["YEAR", "MONTH", "DAY", "DAYOFWEEK", "DAYOFYEAR", "QUARTER", "WEEKDAY",
                 "DAYOFMONTH"]) + "(", self.value(time.type, depth - 1, time), ")")),
                        (2, lambda: Expr("datediff", "int", "DATEDIFF(", time.expr(), ", ",
                                         self.value("date", 0), ")")),
                        (2, lambda: Expr("timestampdiff", "int", "TIMESTAMPDIFF(", self.rng.choice(
                            ["SECOND", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"]), ", ", time.expr(),
                                         ", ", self.value("datetime", 0), ")")),
                        (2, lambda: Expr("extract", "int", "EXTRACT(", self.rng.choice(
                            ["YEAR", "MONTH", "DAY", "QUARTER", "WEEK"]), " FROM ", time.expr(),
                                         ")")),
                        (1, lambda: Expr("week", "int", self.rng.choice(
                            ["WEEK(", "WEEKOFYEAR(", "TO_DAYS("]), time.expr(), ")"))]
            if time.type == "datetime":
                choices.append((4, lambda: Expr("time part", "int", self.rng.choice(
                    ["HOUR", "MINUTE", "SECOND"]) + "(", time.expr(), ")")))
        return self.weighted(choices)()

    def _dec(self, depth, field):
        a = self.value("dec", depth - 1, field)
        number = self.field(*NUMBERS)
        any_number = self.value(number.type, depth - 1, number) if number else a
        return self.weighted([
            (6, lambda: Expr("+", "dec", "(", a, " + ", any_number, ")")),
            (5, lambda: Expr("-", "dec", "(", a, " - ", any_number, ")")),
            (5, lambda: Expr("*", "dec", a, " * ", self.weighted(
                [(2, self._small()), (1, Expr("literal", "dec", "1.25"))]))),
            (7 if self.divides else 0, lambda: Expr("/", "dec", any_number, " / ", self.weighted(
                [(3, self._small()), (1, Expr("literal", "dec", "0.75")),
                 (1, Expr("group", "dec", "(", self.value("int", 0), ")"))]))),
            (2, lambda: Expr("%", "dec", a, " % ", self._small())),
            (5, lambda: Expr("round", "dec", "ROUND(", a,
                             self.rng.choice(["", ", 0", ", 1", ", 2", ", -2"]), ")")),
            (2, lambda: Expr("truncate", "dec", "TRUNCATE(", a, ", 1)")),
            (3, lambda: Expr("floor", "dec", self.rng.choice(["FLOOR(", "CEILING("]), a, ")")),
            (2, lambda: Expr("abs", "dec", "ABS(", a, ")")),
            (1, lambda: Expr("negate", "dec", "-", Expr("group", "dec", "(", a, ")"))),
            (3, lambda: Expr("cast decimal", "dec", "CAST(", any_number, " AS DECIMAL(20,3))")),
        ])()

    def _double(self, depth, _):
        number = self.field(*NUMBERS)
        a = self.value(number.type, depth - 1, number) if number else Expr("literal", "int", "2")
        return self.weighted([
            (3, lambda: Expr("sqrt", "double", "SQRT(ABS(", a, "))")),
            (2, lambda: Expr("pow", "double", "POW(", self._small(), ", 2)")),
            (2, lambda: Expr("+", "double", "(", a, " + 0.5e0)")),
            (1, lambda: Expr("ln", "double", "LN(ABS(", a, ") + 1)"))])()

    def _bool(self, depth, _):
        return self.predicate(depth - 1, None)

    def _str(self, depth, field):
        a = self.value("str", depth - 1, field)
        number = self.field("int", "dec", "date", "datetime")
        choices = [
            (6, lambda: Joined("concat", "str", "CONCAT(", ", ", ")", [
                a, Expr("literal", "str", "'-'"), self.value("str", depth - 1)], 1)),
            (4, lambda: Expr("upper", "str", self.rng.choice(["UPPER(", "LOWER("]), a, ")")),
            (5, lambda: Expr("substring", "str", "SUBSTRING(", a, self.rng.choice(
                [", 2)", ", 1, 3)", ", 3, 2)", ", -3)", ", 0)", ", -4, 2)"]))),
            (4, lambda: Expr("left", "str", self.rng.choice(["LEFT(", "RIGHT("]), a,
                             self.rng.choice([", 1)", ", 3)", ", 0)", ", 100)"]))),
            (3, lambda: Expr("trim", "str", self.rng.choice(["TRIM(", "LTRIM(", "RTRIM("]), a, ")")),
            (3, lambda: Expr("replace", "str", "REPLACE(", a, ", 'a', 'oo')")),
            (1, lambda: Expr("reverse", "str", "REVERSE(", a, ")")),
            (2, lambda: Expr("pad", "str", self.rng.choice(["LPAD(", "RPAD("]), a, ", 6, '*')")),
            (1, lambda: Expr("repeat", "str", "REPEAT(", a, ", 2)")),
            (1, lambda: Expr("hex", "str", "HEX(", a, ")")),
            (1, lambda: Expr("md5", "str", "MD5(", a, ")")),
            (1, lambda: Expr("substring_index", "str", "SUBSTRING_INDEX(", a, ", ' ', ",
                             self.rng.choice(["1", "-1", "2"]), ")")),
            (1, lambda: Expr("insert()", "str", "INSERT(", a, ", 2, 1, 'zz')")),
            (2, lambda: Joined("concat_ws", "str", "CONCAT_WS('/', ", ", ", ")", [
                a, self.value("str", depth - 1)], 1))]
        if number:
            choices += [(3, lambda: Expr("cast char", "str", "CAST(", number.expr(), " AS CHAR)")),
                        (2, lambda: Joined("concat", "str", "CONCAT(", ", ", ")", [
                            a, number.expr()], 1))]
        if number and number.type in TIMES:
            choices.append((2, lambda: Expr("dayname", "str", self.rng.choice(
                ["DAYNAME(", "MONTHNAME("]), number.expr(), ")")))
            choices.append((5, lambda: Expr("date_format", "str", "DATE_FORMAT(", number.expr(),
                                            self.rng.choice([", '%Y-%m')", ", '%d.%m.%y')",
                                                             ", '%W %j')", ", '%H:%i:%s')"]))))
        return self.weighted(choices)()

    def _interval(self, units):
        return f" INTERVAL {self.rng.choice([1, 2, 7, 30, 90])} {self.rng.choice(units)}"

    def _date(self, depth, field):
        a = self.value("date", depth - 1, field)
        units = ["DAY", "WEEK", "MONTH", "YEAR"]
        return self.weighted([
            (4, lambda: Expr("date_add", "date", self.rng.choice(["DATE_ADD(", "DATE_SUB("]), a,
                             ",", self._interval(units), ")")),
            (3, lambda: Expr("date + interval", "date", a, self.rng.choice([" +", " -"]),
                             self._interval(units))),
            (3, lambda: Expr("date", "date", "DATE(", self.value("datetime", depth - 1), ")")),
            (2, lambda: Expr("last_day", "date", "LAST_DAY(", a, ")")),
            (2, lambda: Expr("cast date", "date", "CAST(", self.value("datetime", 0),
                             " AS DATE)"))])()

    def _datetime(self, depth, field):
        a = self.value("datetime", depth - 1, field)
        units = ["SECOND", "MINUTE", "HOUR", "DAY", "MONTH"]
        return self.weighted([
            (4, lambda: Expr("date_add", "datetime", self.rng.choice(["DATE_ADD(", "DATE_SUB("]), a,
                             ",", self._interval(units), ")")),
            (3, lambda: Expr("date + interval", "datetime", a, self.rng.choice([" +", " -"]),
                             self._interval(units))),
            (2, lambda: Expr("cast datetime", "datetime", "CAST(", self.value("date", 0),
                             " AS DATETIME)"))])()

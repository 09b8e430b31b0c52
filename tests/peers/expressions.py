"""Random values over the columns in scope."""

from calls import Calls
from predicates import NUMBERS, PLAIN, TIMES, UNKNOWN, Field, Predicates
from sqltree import Expr, Joined
from tables import literal

__all__ = ["Expressions", "Field", "PLAIN", "UNKNOWN"]


CALLS = Calls()


class Expressions(Predicates):
    """Values of any type, and what Predicates can."""

    is_wide = False  # calls of all functions, too; of all statements of a run

    def call(self, kind, depth=1):
        """A call of a function; arguments are no quotients, whose digits depend on MariaDB's plan."""
        divides, self.divides = self.divides, False
        made = CALLS.call(self, kind, depth)
        self.divides = divides
        return made

    def value(self, kind, depth=2, field=None):
        """An expression of the type; of this column if one is given."""
        if field is None or field.type != kind:
            field = self.field(kind)
        if depth <= 0 or self.chance(0.2):
            return self._operand(kind, field)
        maker = {"int": self._int, "dec": self._dec, "bool": self._bool, "str": self._str,
                 "date": self._date, "datetime": self._datetime, "double": self._double}[kind]
        if self.is_wide and kind in CALLS.made and self.chance(0.35):
            return self.call(kind, depth)
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
            "int": str(self.rng.randint(-20, 20)),
            "dec": f"{self.rng.randint(-500, 500) / 100:.2f}",
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
            (2, lambda: Expr("negate", "int", "-", field.expr() if field else self._small())),
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
                        (1, lambda: Expr("field", "int", "FIELD(", text.expr(), ", 'tv', 'x')"))]
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
            (3, lambda: Expr("trim", "str", self.rng.choice(["TRIM(", "LTRIM(", "RTRIM("]), a,
                             ")")),
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

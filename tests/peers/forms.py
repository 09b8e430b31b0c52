"""
Statements that are not one SELECT over a table or a join: templates whose names are chosen at random. Each tells what it
exercises, for the report.
"""

from choose import Choose
from expressions import Expressions
from sqltree import ORACLE, Expr


class Text:
    """A statement as text; `oracle` is the text for MariaDB when it differs."""

    kind = ""

    def __init__(self, names, text, oracle=None, total=False):
        self.names = [Expr(name, "", "") for name in names]
        self.text, self.oracle, self.total = text, oracle, total

    def render(self, dialect):
        """Its text."""
        return self.oracle if dialect == ORACLE and self.oracle else self.text

    def children(self):
        """What it exercises."""
        return self.names

    def with_child(self, *_):
        """The same: names are no parts of it."""
        return self

    def reductions(self):
        """None of its own."""
        return ()


class Forms(Choose):
    """Makes statements of the forms over `things` and `parts`, which are always there."""

    def __init__(self, rng, sources):
        super().__init__(rng)
        self.sources, self.tables = sources, sources.tables

    def statement(self):
        """One of any form."""
        return self.weighted([
            (5, self.window), (3, self.rollup), (3, self.set_operation), (3, self.recursive), (4, self.correlated_value),
            (4, self.correlated_condition), (3, self.quantified), (3, self.derived), (2, self.common_tables), (2, self.joins),
            (2, self.percentile), (2, self.aggregates), (1, self.values), (1, self.rows), (1, self.table)])()

    # ---- parts of statements ---------------------------------------------------------------

    def condition(self, table, alias=""):
        """A condition on a table that holds for some row of it, for both servers."""
        table = self.tables[table]
        fields = [f for f in self.sources.fields(table, alias, self.rng.choice(table.rows)) if f.type != "list"]
        return Expressions(self.rng, fields).predicate(self.weighted([(3, 0), (1, 1)]), True)

    def both(self, names, text, total=False, **conditions):
        """The statement with conditions in it, rendered for each side."""
        sides = [text.format(**{k: c.render(side) for k, c in conditions.items()}) for side in ("subject", ORACLE)]
        return Text(names, sides[0], sides[1], total)

    # ---- forms --------------------------------------------------------------------------------

    def window(self):
        """A window function over a table, named or not, with a frame or not."""
        rng = self.rng
        call = rng.choice(["ROW_NUMBER()", "RANK()", "DENSE_RANK()", "NTILE(4)", "LAG(num)", "LAG(num, 2)", "LEAD(price)",
                           "LEAD(day, 1)", "FIRST_VALUE(num)", "LAST_VALUE(name)", "NTH_VALUE(num, 2)", "SUM(num)", "COUNT(*)",
                           "COUNT(price)", "AVG(price)", "MIN(day)", "MAX(kind)", "BIT_OR(small)", "BIT_XOR(small)"])
        name = call.partition("(")[0].lower() + "() over"
        part = rng.choice(["", "PARTITION BY kind ", "PARTITION BY small ", "PARTITION BY flag, kind "])
        spec = part + rng.choice(["ORDER BY id", "ORDER BY num DESC, id", "ORDER BY day, id DESC"])
        if name[:3] in ("sum", "cou", "avg", "min", "max", "bit", "fir", "las", "nth") and self.chance(0.7):
            spec += rng.choice([" ROWS 3 PRECEDING", " ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING",
                                " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " ROWS UNBOUNDED PRECEDING",
                                " ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING"])
        where = self.condition("things")
        if self.chance(0.3):
            return self.both([name, "window"], f"SELECT id, {call} OVER w AS c2 FROM things WHERE {{c}} WINDOW w AS ({spec}) ORDER BY id",
                             True, c=where)
        if self.chance(0.3):
            return self.both([name, "window in derived table"], f"SELECT id, c2 FROM (SELECT id, {call} OVER ({spec}) AS c2 FROM things "
                             "WHERE {c}) AS d WHERE c2 IS NOT NULL ORDER BY id", True, c=where)
        return self.both([name], f"SELECT id, {call} OVER ({spec}) AS c2 FROM things WHERE {{c}} ORDER BY id", True, c=where)

    def rollup(self):
        """Groups with totals."""
        keys = self.rng.choice(["kind", "small", "flag, kind", "kind, small", "flag, small"])
        made = self.rng.choice(["COUNT(*)", "SUM(num)", "MIN(day)", "AVG(price)", "COUNT(DISTINCT kind)", "MAX(name)"])
        tail = self.rng.choice(["", "", " HAVING COUNT(*) > 1", " HAVING SUM(num) IS NOT NULL"])
        return self.both(["with rollup"], f"SELECT {keys}, {made} AS c3 FROM things WHERE {{c}} GROUP BY {keys} WITH ROLLUP{tail}",
                         c=self.condition("things"))

    def set_operation(self):
        """INTERSECT, EXCEPT and UNION of columns that share values, also nested."""
        rng = self.rng
        pairs = [("things.kind", "parts.kind"), ("things.id", "parts.thing"), ("things.num", "parts.quantity"),
                 ("things.small", "parts.line"), ("things.day", "parts.made")]
        parts = [side.split(".") for side in rng.choice(pairs)]
        rng.shuffle(parts)
        parts += [rng.choice(parts)] if self.chance(0.3) else []
        words = [rng.choice(["INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL", "UNION", "UNION ALL"]) for _ in parts[1:]]
        text, conditions = "", {}
        for i, (table, column) in enumerate(parts):
            conditions[f"c{i}"] = self.condition(table)
            text += f" {words[i - 1]} " if i else ""
            text += f"SELECT {column} AS c1 FROM {table} WHERE " + (f"{{c{i}}}" if self.chance(0.4) or i == 0 else f"({{c{i}}}) OR TRUE")
        names = [w.lower() for w in words]
        if self.chance(0.5):
            return self.both(names, text + " ORDER BY c1" + rng.choice(["", " LIMIT 10"]), True, **conditions)
        return self.both(names + ["set operation in derived table"], f"SELECT COUNT(*), MIN(c1) FROM ({text}) AS d", True, **conditions)

    def recursive(self):
        """Numbers, days, and chains of rows."""
        n, step = self.rng.randint(2, 60), self.rng.randint(1, 9)
        numbers = f"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + {step} FROM r WHERE n < {n * step})"
        shape = self.rng.choice(["numbers", "join", "days", "chain", "union"])
        if shape == "numbers":
            text = f"{numbers} SELECT COUNT(*), SUM(n), MAX(n) FROM r"
        elif shape == "join":
            text = f"{numbers} SELECT r.n, COUNT(t.id) AS c2 FROM r LEFT JOIN things t ON t.small = r.n GROUP BY r.n ORDER BY r.n"
        elif shape == "days":
            text = ("WITH RECURSIVE r AS (SELECT DATE'2024-01-01' AS d UNION ALL SELECT d + INTERVAL 1 DAY FROM r WHERE d < "
                    f"'2024-01-{n % 28 + 2:02}') SELECT r.d, COUNT(t.id) AS c2 FROM r LEFT JOIN things t ON t.day = r.d "
                    "GROUP BY r.d ORDER BY r.d")
        elif shape == "chain":
            text = (f"WITH RECURSIVE r AS (SELECT id, num, 1 AS depth FROM things WHERE id = {3 * n - 100} UNION ALL SELECT t.id, t.num, "
                    f"depth + 1 FROM r JOIN things t ON t.id = r.id + {3 * step} WHERE depth < 8) SELECT * FROM r ORDER BY depth")
        else:
            text = f"WITH RECURSIVE r AS (SELECT {step} AS n UNION SELECT (n * {n}) % 97 FROM r) SELECT COUNT(*), SUM(n) FROM r"
        return Text(["with recursive"], text, total=True)

    def correlated_value(self):
        """A subquery in the select list that depends on the row."""
        made = self.rng.choice(["COUNT(*)", "SUM(quantity)", "MIN(made)", "MAX(cost)", "COUNT(DISTINCT kind)", "AVG(quantity)"])
        link = self.rng.choice(["p.thing = t.id", "p.thing = t.id AND p.quantity > t.num", "p.kind = t.kind AND p.line = 1",
                                "p.thing = t.id AND p.kind <> t.kind"])
        return self.both(["correlated scalar subquery"], f"SELECT t.id, (SELECT {made} FROM parts p WHERE {link}) AS c2 FROM things t "
                         "WHERE {c} ORDER BY t.id LIMIT 100", True, c=self.condition("things", "t"))

    def correlated_condition(self):
        """EXISTS and IN with the row outside."""
        shape = self.rng.choice([
            "{n}EXISTS (SELECT 1 FROM parts p WHERE p.thing = t.id AND {d})", "t.kind {n}IN (SELECT p.kind FROM parts p WHERE p.thing = t.id)",
            "t.num > (SELECT AVG(p.quantity) FROM parts p WHERE p.thing = t.id)",
            "{n}EXISTS (SELECT 1 FROM parts p WHERE p.thing = t.id AND p.made > t.day)",
            "t.id {n}IN (SELECT p.thing FROM parts p WHERE p.kind = t.kind)"])
        negated = self.rng.choice(["", "NOT "])
        name = ("not " if negated and "{n}" in shape else "") + ("exists" if "EXISTS" in shape else "correlated in" if " IN " in shape
                                                                else "correlated comparison")
        where, inner = self.condition("things", "t"), self.condition("parts", "p")
        text = shape.replace("{n}", negated)
        return self.both([name], f"SELECT t.id, t.kind FROM things t WHERE ({{c}}) AND {text} OR t.small = 3 ORDER BY t.id", True, c=where, d=inner)

    def quantified(self):
        """ANY and ALL."""
        operator, word = self.rng.choice(["=", "<>", "<", ">=", ">"]), self.rng.choice(["ANY", "ALL", "SOME"])
        ours, theirs, limit = self.rng.choice([("num", "quantity", "line = 3"), ("small", "line", "quantity > 900"), ("day", "made", "line = 2"),
                                               ("kind", "kind", "line < 3")])
        negated = self.rng.choice(["", "", "NOT "])
        return self.both([word.lower()], f"SELECT id, {ours} {operator} {word} (SELECT {theirs} FROM parts WHERE {limit}) AS c2 FROM things "
                         f"WHERE ({{c}}) OR {negated}({ours} {operator} {word} (SELECT {theirs} FROM parts WHERE {limit})) ORDER BY id", True,
                         c=self.condition("things"))

    def derived(self):
        """Derived tables joined, with aggregates inside, and nested."""
        shape = self.rng.choice([
            "SELECT d.kind, d.n, e.m FROM (SELECT kind, COUNT(*) AS n FROM things WHERE {c} GROUP BY kind) d "
            "LEFT JOIN (SELECT kind, SUM(quantity) AS m FROM parts GROUP BY kind) e ON d.kind = e.kind ORDER BY d.kind",
            "SELECT MAX(n), COUNT(*) FROM (SELECT kind, COUNT(*) AS n FROM (SELECT kind, small FROM things WHERE {c}) AS i GROUP BY kind) AS o",
            "SELECT t.id, d.n FROM things t JOIN (SELECT thing, COUNT(*) AS n FROM parts GROUP BY thing HAVING COUNT(*) > 2) d ON d.thing = t.id "
            "WHERE {c} ORDER BY t.id",
            "SELECT x.small, x.a FROM (SELECT DISTINCT small, kind AS a FROM things WHERE {c} ORDER BY small, kind LIMIT 20) x ORDER BY 1, 2"])
        alias = "t" if "things t " in shape else ""
        return self.both(["derived tables"], shape, True, c=self.condition("things", alias))

    def common_tables(self):
        """WITH: several, used twice, one over another."""
        text = self.rng.choice([
            "WITH a AS (SELECT id, kind, num FROM things WHERE {c}), b AS (SELECT kind, COUNT(*) AS n FROM a GROUP BY kind) "
            "SELECT a.id, b.n FROM a JOIN b ON a.kind = b.kind ORDER BY a.id",
            "WITH a AS (SELECT small AS s, COUNT(*) AS n FROM things WHERE {c} GROUP BY small) SELECT x.s, y.s FROM a x JOIN a y ON x.n = y.n "
            "AND x.s < y.s ORDER BY 1, 2",
            "WITH a (k, v) AS (SELECT kind, MAX(num) FROM things WHERE {c} GROUP BY kind) SELECT k, v FROM a WHERE v >= (SELECT AVG(v) FROM a) "
            "ORDER BY k"])
        return self.both(["with, several"], text, True, c=self.condition("things"))

    def joins(self):
        """NATURAL, USING, CROSS, comma, STRAIGHT_JOIN, by inequalities."""
        inner = ["(SELECT kind, id FROM things WHERE small = {0}) a", "(SELECT kind, thing, line FROM parts WHERE line = {0}) b"]
        left, right = (text.format(self.rng.randint(1, 12)) for text in inner)
        name, text = self.rng.choice([
            ("natural join", f"SELECT * FROM {left} NATURAL JOIN {right} ORDER BY id, thing"),
            ("natural left join", f"SELECT * FROM {left} NATURAL LEFT JOIN {right} ORDER BY id, thing"),
            ("using", f"SELECT kind, a.id, b.thing FROM {left} JOIN {right} USING (kind) ORDER BY a.id, b.thing"),
            ("left join using", f"SELECT kind, a.id, b.thing FROM {left} LEFT JOIN {right} USING (kind) ORDER BY a.id, b.thing"),
            ("right join using", f"SELECT kind, a.id, b.thing FROM {left} RIGHT JOIN {right} USING (kind) ORDER BY a.id, b.thing"),
            ("cross join", f"SELECT COUNT(*), SUM(a.id), SUM(b.thing) FROM {left} CROSS JOIN {right}"),
            ("comma join", f"SELECT a.id, b.thing FROM {left}, {right} WHERE a.kind = b.kind ORDER BY a.id, b.thing"),
            ("straight_join", f"SELECT a.id, b.thing FROM {left} STRAIGHT_JOIN {right} ON a.kind = b.kind ORDER BY a.id, b.thing"),
            ("join on inequality", f"SELECT a.id, COUNT(*) AS n FROM {left} JOIN {right} ON a.id < b.thing GROUP BY a.id ORDER BY a.id")])
        return Text([name], text, total=True)

    def percentile(self):
        """MariaDB has them over windows only."""
        share, column = self.rng.choice(["0", "0.25", "0.5", "0.9", "1"]), self.rng.choice(["num", "small"])
        name = self.rng.choice(["PERCENTILE_CONT", "PERCENTILE_DISC"])
        call = f"{name}({share}) WITHIN GROUP (ORDER BY {column})"
        if self.chance(0.3):
            call, name = f"MEDIAN({column})", "MEDIAN"
        ours = f"SELECT small, ROUND({call}, 3) + 0e0 AS c2 FROM things WHERE small IS NOT NULL GROUP BY small ORDER BY small"
        theirs = (f"SELECT DISTINCT small, ROUND({call} OVER (PARTITION BY small), 3) + 0e0 AS c2 FROM things WHERE small IS NOT NULL "
                  "ORDER BY small")
        return Text([name.lower()], ours, theirs, True)

    def aggregates(self):
        """Those that COUNT to GROUP_CONCAT of the other statements are not."""
        name, call, theirs = self.rng.choice([
            ("approx_count_distinct", "APPROX_COUNT_DISTINCT(num)", "COUNT(DISTINCT num)"),
            ("any_value", "ANY_VALUE(small)", "MIN(small)"),
            ("json_arrayagg", "JSON_LENGTH(JSON_ARRAYAGG(kind))", ""), ("json_objectagg", "JSON_VALID(JSON_OBJECTAGG(id, kind))", ""),
            ("group_concat distinct", "GROUP_CONCAT(DISTINCT kind ORDER BY kind DESC SEPARATOR ';')", ""),
            ("group_concat several", "GROUP_CONCAT(kind, '=', num ORDER BY id)", ""), ("bit_and", "BIT_AND(small)", ""),
            ("bit_or", "BIT_OR(num)", ""), ("bit_xor", "BIT_XOR(num)", ""), ("stddev_pop", "ROUND(STDDEV_POP(num), 4)", ""),
            ("var_pop", "ROUND(VAR_POP(num), 4)", ""), ("stddev_samp", "ROUND(STDDEV_SAMP(num), 4)", ""),
            ("var_samp", "ROUND(VAR_SAMP(num), 4)", ""), ("sum distinct", "SUM(DISTINCT small)", ""), ("avg distinct", "AVG(DISTINCT num)", "")])
        where, sides = self.condition("things"), []
        for text, dialect in ((call, "subject"), (theirs or call, ORACLE)):
            sides.append(f"SELECT small, {text} AS c2 FROM things WHERE {where.render(dialect)} GROUP BY small ORDER BY small")
        return Text([name], *sides, True)

    def rows(self):
        """VALUES ROW alone, as a part of UNION, and as a derived table; MariaDB writes it without ROW."""
        pairs = [(self.rng.randint(-9, 9), self.rng.choice(["'a'", "'b'", "''"])) for _ in range(self.rng.choice([1, 2, 5]))]
        ours = "VALUES " + ", ".join(f"ROW({n}, {text})" for n, text in pairs)
        theirs = "VALUES " + ", ".join(f"({n}, {text})" for n, text in pairs)
        name, form = self.rng.choice([
            ("values row in derived table", "SELECT COUNT(*), SUM(t.id) FROM ({rows}) AS v JOIN things t ON t.small = 3"),
            ("values row in union", "SELECT small AS c1, kind AS c2 FROM things WHERE small < 3 UNION {rows}"),
            ("values row in exists", "SELECT id FROM things WHERE small = 4 AND EXISTS ({rows}) ORDER BY id")])
        return Text([name], form.format(rows=ours), form.format(rows=theirs))

    def table(self):
        """TABLE t, which MariaDB does not know."""
        tail = self.rng.choice([" ORDER BY id LIMIT 20", " ORDER BY id DESC LIMIT 5", " ORDER BY num, id LIMIT 7"])
        return Text(["table t"], "TABLE things" + tail, "SELECT * FROM things" + tail, True)

    def values(self):
        """A constant SELECT with UNION, and DUAL."""
        numbers = [str(self.rng.randint(-9, 9)) for _ in range(4)]
        return Text(["constants"], f"SELECT {numbers[0]} AS c1, 'x' AS c2 UNION ALL SELECT {numbers[1]}, 'yy' UNION SELECT {numbers[2]}, NULL "
                    f"FROM DUAL WHERE {numbers[3]} > -20 ORDER BY 1, 2", total=True)

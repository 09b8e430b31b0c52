"""Random SELECT statements over the tables of the differential tests."""

import datetime
from decimal import Decimal

from expressions import PLAIN, UNKNOWN, Expressions, Field
from sqltree import SUBJECT, Aliased, Expr, From, Join, Joined, Ordered, Select, Union, kinds
from tables import literal

MANY_ROWS = 5000
SAMPLES = 300

# Columns that hold the same things: for IN (subquery) and joins.
RELATED = {"cities.id": ["cityzip.id", "cityzip.city_id"], "cityzip.id": ["cities.id"],
           "cityzip.city_id": ["cities.id"], "cities.name": ["cityzip.city"],
           "cityzip.city": ["cities.name"], "cities.state_name": ["cityzip.state"],
           "cityzip.state": ["cities.state_name"], "things.id": ["parts.thing"],
           "parts.thing": ["things.id"], "parts.kind": ["things.kind"],
           "things.kind": ["parts.kind"], "things.num": ["parts.quantity"]}
# child table, its column, parent table, its column
JOINS = [("cityzip", "city_id", "cities", "id"), ("cityzip", "id", "cities", "id"),
         ("parts", "thing", "things", "id")]


class Generator:
    """Makes statements; `tables` hold the rows that constants are taken from."""

    def __init__(self, rng, tables):
        self.rng, self.tables = rng, tables
        self.samples = {}
        for table in tables.values():
            for i, column in enumerate(table.columns):
                rows = rng.sample(table.rows, min(SAMPLES, len(table.rows)))
                self.samples[table.name, column.name] = [r[i] for r in rows if r[i] is not None]
        self.parents = {(p, k): {row[tables[p].position(k)]: row for row in tables[p].rows}
                        for _, _, p, k in JOINS if p in tables}

    # ---- choosing --------------------------------------------------------------------------

    def chance(self, share):
        """True in this share of the calls."""
        return self.rng.random() < share

    def weighted(self, choices):
        """One of (weight, value)."""
        return self.rng.choices([c[1] for c in choices], [c[0] for c in choices])[0]

    def table(self):
        """A table; the large ones more often."""
        weights = {"cities": 5, "events": 4, "cityzip": 3, "things": 5, "parts": 2}
        return self.weighted([(weights[t.name], t) for t in self.tables.values()])

    # ---- sources: (node, fields, key fields, how many rows) -----------------------------------

    def fields(self, table, alias, witness):
        """The columns of a table in scope; `witness` is a row, or None for no known row."""
        prefix = alias + "." if alias else ""
        return [Field(prefix + c.name, c.kind, self.samples[table.name, c.name],
                      witness[i] if witness else UNKNOWN, c.scale,
                      c.name == "big", f"{table.name}.{c.name}")
                for i, c in enumerate(table.columns)]

    def source(self, depth):
        """What FROM names."""
        shape = self.weighted([(72, "table"), (17, "join"), (11 if depth else 0, "derived")])
        if shape == "join":
            made = self._join()
            if made:
                return made
        if shape == "derived":
            return self._derived(depth)
        table = self.table()
        alias = self.weighted([(14, ""), (5, table.name[0]), (1, f"quanta.{table.name}")])
        fields = self.fields(table, alias, self.rng.choice(table.rows) if table.rows else None)
        keys = [f for f in fields if f.text.split(".")[-1] in table.key]
        if self.chance(0.03) and not alias:
            for field in fields:
                field.text = field.text.upper()
        if "." in alias:
            alias = ""
        return From(table.name, alias), fields, keys, len(table.rows)

    def _join(self):
        joins = [j for j in JOINS if j[0] in self.tables and j[2] in self.tables]
        if not joins:
            return None
        shape = self.weighted([(82, ""), (9, "self"), (4, "three"), (5, "derived")])
        if shape == "self":
            return self._self_join()
        if shape == "three":
            return self._three_joined()
        if shape == "derived":
            return self._joined_groups()
        child, column, parent, key = self.rng.choice(joins)
        child, parent = self.tables[child], self.tables[parent]
        row = self.rng.choice(child.rows)
        found = self.parents[parent.name, key].get(row[child.position(column)])
        child_fields = self.fields(child, "a", row)
        parent_fields = self.fields(parent, "b", found)
        form = self.weighted([(6, "JOIN"), (1, "INNER JOIN"), (4, "LEFT JOIN"), (1, "RIGHT JOIN")])
        condition = Expr("join on", "bool", *self._shuffled(f"a.{column}", f"b.{key}"))
        if self.chance(0.35):
            only = self.weighted([(2, parent_fields), (1, child_fields)])
            extra = Expressions(self.rng, only).predicate(0, True)
            condition = Joined("join on more", "bool", "", " AND ", "",
                               [condition, Expr("group", "bool", "(", extra, ")")], 1)
        left, right = From(child.name, "a"), From(parent.name, "b")
        if self.chance(0.4):
            left, right = right, left
        if column == key and self.chance(0.3):
            form, condition = form + " USING", Expr("using", "bool", f"({key})")
        keys = [f for f in child_fields if f.text[2:] in child.key]
        keys += [f for f in parent_fields if f.text[2:] in parent.key]
        return Join(left, form, right, condition), child_fields + parent_fields, keys, \
            len(child.rows)

    def _three_joined(self):
        """Children, parents, and other rows of the parents' table."""
        tables = [self.tables[n] for n in ("parts", "things", "things")]
        row = self.rng.choice(tables[0].rows)
        fields = [self.fields(tables[0], "a", row), self.fields(
            tables[1], "b", self.parents["things", "id"].get(row[0])),
                  self.fields(tables[2], "e", None)]
        first = Join(From("parts", "a"), self.rng.choice(["JOIN", "LEFT JOIN"]), From("things", "b"),
                     Expr("join on", "bool", "a.thing = b.id"))
        second = Join(first, self.rng.choice(["JOIN", "LEFT JOIN"]), From("things", "e"), Joined(
            "join on more", "bool", "", " AND ", "", [
                Expr("join on", "bool", self.rng.choice(["e.small = a.line", "e.kind = a.kind",
                                                         "e.id = b.small", "e.day = a.made"])),
                Expr("compare", "bool", f"e.id < {self.rng.choice([0, 200, 1000])}")], 1))
        keys = [f for part, t in zip(fields, tables) for f in part if f.text[2:] in t.key]
        return second, fields[0] + fields[1] + fields[2], keys, MANY_ROWS + 1

    def _joined_groups(self):
        """A table joined with the groups of another query."""
        table, column = self.weighted([(2, ("cities", "state")), (2, ("events", "country")),
                                       (3, ("things", "kind")), (1, ("parts", "line"))])
        if table not in self.tables:
            return self._self_join()
        table = self.tables[table]
        numbers = [c.name for c in table.columns if c.kind == "int" and c.name != "big"]
        name = self.rng.choice(numbers)
        inner = Select([Aliased(Expr("column", table.column(column).kind, column), "k1"),
                        Aliased(Expr("count(*)", "int", "COUNT(*)"), "k2"),
                        Aliased(Expr("max", "int", f"MAX({name})"), "k3")], From(table.name, ""),
                       group=[Expr("column", "", column)])
        row = self.rng.choice(table.rows)
        fields = self.fields(table, "a", row)
        groups = [Field("d.k1", table.column(column).kind, self.samples[table.name, column]),
                  Field("d.k2", "int", [1, 2, 10, 100]),
                  Field("d.k3", "int", self.samples[table.name, name])]
        node = Join(From(table.name, "a"), self.rng.choice(["JOIN", "LEFT JOIN"]),
                    From("", "d", inner), Expr("join on", "bool", f"a.{column} = d.k1"))
        keys = [f for f in fields if f.text[2:] in table.key]
        return node, fields + groups, keys, len(table.rows)

    def _shuffled(self, left, right):
        if self.chance(0.5):
            left, right = right, left
        return left, " = ", right

    def _self_join(self):
        table = self.tables["things"]
        column = self.rng.choice(["small", "id", "day", "kind"])
        fields = [self.fields(table, alias, None) for alias in "ab"]
        form = self.weighted([(3, "JOIN"), (2, "LEFT JOIN")])
        on = Expr("join on", "bool", f"a.{column} = b.{column}")
        rows = self.rng.choice(table.rows)[0]
        on = Joined("join on more", "bool", "", " AND ", "", [
            on, Expr("compare", "bool", "b.id ", self.rng.choice(["<", ">"]), f" {rows}")], 1)
        keys = [f for part in fields for f in part if f.text[2:] in table.key]
        return Join(From("things", "a"), form, From("things", "b"), on), fields[0] + fields[1], \
            keys, MANY_ROWS + 1

    def _derived(self, depth):
        query = self._from_query(depth)
        fields = []
        for i, item in enumerate(query.items):
            origin = getattr(item, "field", None)
            samples = origin.samples if origin else []
            fields.append(Field(f"d.{item.alias}", item.expr.type, samples,
                                origin.witness if origin and not query.group else UNKNOWN))
            fields[i].is_big = True
        if self.chance(0.3):
            node = From("q", "d")
            node.with_query = query
        else:
            node = From("", "d", query)
        return node, fields, fields, MANY_ROWS + 1

    def _from_query(self, depth):
        """The query of a derived table; its columns have names that the outer query does not use."""
        return self.select(depth - 1, in_from="km"[depth - 1])

    # ---- SELECT ----------------------------------------------------------------------------

    def statement(self):
        """A whole statement."""
        shape = self.weighted([(93, "select"), (5, "union"), (2, "constants")])
        if shape == "union":
            return self._union()
        if shape == "constants":
            return self._constants()
        return self.select(self.weighted([(9, 1), (1, 2)]))

    def _constants(self):
        """SELECT without a table."""
        values = [("int", self.rng.randint(-50, 50)), ("int", self.rng.choice([0, 1, 7, 10**9])),
                  ("dec", Decimal(self.rng.randint(-9999, 9999)).scaleb(-2)),
                  ("str", self.rng.choice(["abc", "Zürich", "", "12", "a b"])),
                  ("bool", self.chance(0.5))]
        fields = [Field(literal(v), kind, [v], v) for kind, v in values]
        fields.append(Field("DATE'2024-02-29'", "date", [datetime.date(2024, 2, 29)]))
        fields.append(Field("NULL", "str", [], None))
        expressions = Expressions(self.rng, fields)
        query = Select([], total=True)
        for i in range(self.rng.choice([1, 2, 4])):
            kind = self.rng.choice(["int", "dec", "str", "bool", "date"])
            query.items.append(self._alias(i, expressions.value(kind, 2), True))
        return query

    def select(self, depth, in_from=""):
        """One SELECT; `in_from` is the letter of aliases of a query within FROM, which needs no order."""
        source, fields, keys, rows = self.source(depth)
        expressions = Expressions(self.rng, fields, self._subquery)
        expressions.divides = not in_from
        query = Select([], source)
        with_query = getattr(source, "with_query", None)
        if with_query:
            query.with_name, query.with_query = "q", with_query
        if self.chance(0.72):
            query.where = expressions.predicate(self.weighted([(5, 0), (5, 1), (3, 2)]), True)
        shape = self.weighted([(40, "rows"), (22, "whole"), (28, "groups"), (10, "distinct")])
        if in_from and shape == "whole":
            shape = "groups"
        if shape == "whole":
            query.items = [self._alias(i, self.aggregate(expressions), False)
                           for i in range(self.rng.choice([1, 1, 2, 3]))]
            query.total = True
            if self.chance(0.08):
                query.having = self._having(expressions, [])
        elif shape == "groups":
            self._groups(query, expressions, in_from)
        else:
            self._rows(query, expressions, keys, rows, shape == "distinct", in_from)
        return query

    def _alias(self, number, expr, always, field=None):
        """A select list entry; `always` is the letter of aliases within FROM."""
        needs = always or not (expr.kind == "column" or self.chance(0.06))
        letter = always if always and isinstance(always, str) else "c"
        item = Aliased(expr, f"{letter}{number + 1}" if needs else "")
        item.field = field
        return item

    def _item(self, number, expressions, always, plain=False):
        if self.chance(0.62):
            fields = expressions.fields if not plain else \
                [f for f in expressions.fields if f.type != "list"]
            field = self.rng.choice(fields)
            if field.type != "list":
                return self._alias(number, field.expr(), always, field)
            if not always:
                return self._alias(number, field.expr(), True)
        kind = self.weighted([(30, "int"), (22, "dec"), (24, "str"), (8, "bool"), (7, "date"),
                              (6, "datetime"), (2, "double")])
        if always and kind == "double":
            kind = "int"
        expr = expressions.value(kind, self.weighted([(3, 1), (2, 2)]))
        if plain and "column" not in kinds(expr):  # MariaDB: DISTINCT constants, LIMIT and OFFSET
            expr = self.rng.choice([f for f in expressions.fields if f.type != "list"]).expr()
        return self._alias(number, expr, always)

    def _rows(self, query, expressions, keys, rows, distinct, in_from):
        count = self.rng.choice([1, 2, 3, 4, 6])
        if distinct:
            count = min(count, 3)
        query.items = [self._item(i, expressions, in_from, distinct or in_from)
                       for i in range(count)]
        if not in_from and not distinct and isinstance(query.source, From) and self.chance(0.08):
            query.items = [Aliased(Expr("star", "", "*"))]
        if isinstance(query.source, Join) and not in_from and not distinct and self.chance(0.05):
            query.items = [Aliased(Expr("star", "", self.rng.choice(["a.*", "b.*"])))]
        if not distinct and self.chance(0.03):
            scalar = Expr("scalar in list", "int", "(SELECT MAX(num) FROM things WHERE num < "
                          f"{self.rng.randint(-1000, 1000)})")
            query.items.append(self._alias(count, scalar, in_from or True))
        query.distinct = distinct
        if in_from:
            return
        if distinct:
            self._order_by_items(query)
        elif rows > MANY_ROWS or self.chance(0.6):
            self._order_by_keys(query, expressions, keys)
        if query.total and (rows > MANY_ROWS and not self.chance(0.04) or self.chance(0.4)):
            query.limit = self.rng.choice([1, 2, 5, 10, 20, 100])
            if self.chance(0.25):
                query.offset = self.rng.choice([0, 1, 3, 10, 50])
            if self.chance(0.02):
                query.limit = 0

    def _order_by_keys(self, query, expressions, keys):
        order = []
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            field = self.rng.choice([f for f in expressions.fields if f.type != "list"])
            expr = field.expr()
            if self.chance(0.12) and not field.is_big:
                expr = expressions.value(field.type, 1, field)
                expr = field.expr() if expr.kind == "literal" else expr
            order.append(Ordered(expr, self.chance(0.4)))
        named = {o.expr.render(SUBJECT) for o in order}
        rest = [k for k in keys if k.type != "list" and k.text not in named]
        self.rng.shuffle(rest)
        query.order = order + [Ordered(k.expr(), self.chance(0.3)) for k in rest]
        query.total = all(k.type != "list" for k in keys)

    def _order_by_items(self, query):
        """ORDER BY every entry: by alias, by number, or by the expression."""
        if not self.chance(0.75):
            return
        for i, item in enumerate(query.items):
            number = Expr("order by number", item.expr.type, str(i + 1))
            name = Expr("order by alias", item.expr.type, item.alias) if item.alias else number
            same = item.expr if item.expr.kind == "column" else name
            query.order.append(Ordered(self.weighted([(3, name), (2, number), (2, same)]),
                                       self.chance(0.4)))
        head, tail = query.order[:1], query.order[1:]
        self.rng.shuffle(tail)
        query.order = head + tail
        query.total = True
        if self.chance(0.5):
            query.limit = self.rng.choice([1, 3, 10, 40])
            if self.chance(0.3):
                query.offset = self.rng.choice([0, 1, 5])

    def _groups(self, query, expressions, in_from):
        candidates = [f for f in expressions.fields if f.type != "list"]
        count = min(self.weighted([(6, 1), (3, 2), (1, 3)]), len(candidates))
        chosen = sorted(candidates, key=lambda f: (len(set(f.samples)), self.rng.random()))
        half = chosen[:max(count, len(chosen) * 2 // 3)]
        fields = self.rng.sample(half if self.chance(0.8) else chosen, count)
        grouped = []
        for i, field in enumerate(fields):
            expr = field.expr()
            if self.chance(0.15) and not field.is_big:
                expr = expressions.value(field.type, 1, field)
                if "column" not in kinds(expr):  # GROUP BY 3 is another thing
                    expr = field.expr()
            item = self._alias(i, expr, in_from or expr.kind != "column", field)
            grouped.append(item)
            by_name = item.alias and self.chance(0.3)
            query.group.append(Expr("group by alias", expr.type, item.alias) if by_name else expr)
        aggregates = [self._alias(count + i, self.aggregate(expressions), in_from or True)
                      for i in range(self.rng.choice([0, 1, 1, 2, 3]))]
        query.items = grouped + aggregates
        if self.chance(0.1) and aggregates:
            query.items = aggregates  # groups without their key
            grouped = []
        if self.chance(0.3):
            query.having = self._having(expressions, aggregates)
        if self.chance(0.06) and not in_from:
            query.distinct, query.having = True, None
        if in_from or not grouped or not self.chance(0.75):
            return
        if self.chance(0.12) and not query.distinct and not query.having:
            rank = Ordered(self.aggregate(expressions), self.chance(0.6))
            query.order = [rank] + [Ordered(i.expr if i.expr.kind == "column" else Expr(
                "order by alias", i.expr.type, i.alias), False) for i in grouped]
            query.total = True
            query.limit = self.rng.choice([None, 5, 20])
            return
        self._order_by_items(query)

    def _having(self, expressions, aggregates):
        if aggregates and self.chance(0.3):
            item = self.rng.choice(aggregates)
            if item.expr.type in ("int", "dec", "bool"):
                return Expr("having alias", "bool", item.alias,
                            self.rng.choice([" > 1", " >= 2", " <> 0", " IS NOT NULL"]))
        count = Expr("count(*)", "int", "COUNT(*)")
        limits = [" > 1", " >= 2", " < 100", " BETWEEN 1 AND 50", " <> 3", " IN (1, 2, 3)"]
        made = Expr("having", "bool", count, self.rng.choice(limits))
        if self.chance(0.4):
            field = expressions.field(*PLAIN)
            if field and field.samples and field.type != "bool":
                other = Expr("having", "bool", self.rng.choice(["MIN(", "MAX("]), field.expr(), ")",
                             self.rng.choice([" <= ", " >= ", " <> "]),
                             expressions.write(self.rng.choice(field.samples), field.type))
                word = self.weighted([(2, " OR "), (1, " AND ")])
                made = Joined("or" if word == " OR " else "and", "bool", "", word, "",
                              [made, other], 1)
        return made

    def aggregate(self, expressions):
        """COUNT, SUM, AVG, MIN, MAX over a column or an expression."""
        number = expressions.field("int", "dec")
        plain = expressions.field(*PLAIN)

        def argument(field):
            if not self.chance(0.22) or field.is_big:
                return field.expr()
            divides, expressions.divides = expressions.divides, False
            made = expressions.value(field.type, 1, field)
            expressions.divides = divides
            return made

        def call(kind, name, field, type_):
            return Expr(kind, type_, name + "(", argument(field), ")")

        choices = [(20, lambda: Expr("count(*)", "int", "COUNT(*)"))]
        if plain:
            choices += [
                (9, lambda: call("count", "COUNT", plain, "int")),
                (10, lambda: Expr("count distinct", "int", "COUNT(DISTINCT ", argument(plain),
                                  ")")),
                (9, lambda: call("min", "MIN", plain, plain.type)),
                (9, lambda: call("max", "MAX", plain, plain.type))]
        if number:
            choices += [
                (16, lambda: call("sum", "SUM", number, "dec")),
                (10, lambda: call("avg", "AVG", number, "dec")),
                (2, lambda: Expr("sum distinct", "dec", self.rng.choice(["SUM", "AVG"]),
                                 "(DISTINCT ", number.expr(), ")")),
                (3, lambda: Expr("/", "dec", call("sum", "SUM", number, "dec"), " / ",
                                 Expr("count(*)", "int", "COUNT(*)"))),
                (2, lambda: Expr("-", "dec", call("max", "MAX", number, number.type), " - ",
                                 call("min", "MIN", number, number.type))),
                (2, lambda: Expr("sum if", "dec", "SUM(IF(", expressions.predicate(0, None), ", ",
                                 number.expr(), ", 0))")),
                (2, lambda: Expr("coalesce", "dec", "COALESCE(", call("sum", "SUM", number, "dec"),
                                 ", 0)"))]
        flag, text = expressions.field("bool"), expressions.field("str")
        if flag:
            choices.append((3, lambda: Expr("sum bool", "dec", self.rng.choice(["SUM(", "AVG("]),
                                            flag.expr(), ")")))
        if number:
            choices += [(1, lambda: Expr("bit aggregate", "int", self.rng.choice(
                ["BIT_AND", "BIT_OR", "BIT_XOR"]) + "(", number.expr(), ")")),
                        (2, lambda: Expr("variance", "double", self.rng.choice(
                            ["STDDEV", "VARIANCE", "STDDEV_SAMP", "VAR_SAMP", "STD"]) + "(",
                                         number.expr(), ")"))]
        if text and text.origin.split(".")[0] in ("things", "parts"):
            choices.append((4, lambda: Expr(
                "group_concat", "str", "GROUP_CONCAT(", self.rng.choice(["", "DISTINCT "]),
                text.expr(), " ORDER BY ", text.expr(), self.rng.choice(["", " DESC"]),
                self.rng.choice(["", " SEPARATOR '|'"]), ")")))
        if len([f for f in expressions.fields if f.type in PLAIN]) > 1:
            choices.append((2, lambda: Expr("count distinct", "int", "COUNT(DISTINCT ",
                                            plain.expr(), ", ", expressions.field(*PLAIN).expr(),
                                            ")")))
        return self.weighted(choices)()

    # ---- subqueries and unions -----------------------------------------------------------------

    def _subquery(self, field):
        """A query whose one column can be compared with the field."""
        names = [n for n in RELATED.get(field.origin, []) if n.split(".")[0] in self.tables]
        if not names or self.chance(0.25):
            names = [f"{t.name}.{c.name}" for t in self.tables.values() for c in t.columns
                     if c.kind == field.type and c.kind != "list" and t.name == "things"]
            if field.origin:
                names.append(field.origin)
        if not names or field.type == "list":
            return None
        table, column = self.rng.choice(names).split(".")
        table = self.tables[table]
        fields = self.fields(table, "", self.rng.choice(table.rows))
        inner = Expressions(self.rng, fields)
        own = next(f for f in fields if f.text == column)
        query = Select([Aliased(own.expr())], From(table.name, ""))
        if self.chance(0.85):
            query.where = inner.predicate(self.weighted([(3, 0), (1, 1)]), True)
        if own.type in ("int", "dec", "date") and self.chance(0.25):
            name = self.rng.choice(["MIN", "MAX", "AVG"] if own.type != "date" else ["MIN", "MAX"])
            query.items = [Aliased(Expr(name.lower(), own.type, name + "(", own.expr(), ")"))]
            query.kind = "scalar"
        return query

    def _union(self):
        parts, types = [], None
        for _ in range(self.rng.choice([2, 2, 3])):
            table = self.table()
            fields = self.fields(table, "", self.rng.choice(table.rows))
            if types is None:
                types = [self.rng.choice(PLAIN) for _ in range(self.rng.choice([1, 2, 2]))]
            expressions = Expressions(self.rng, fields)
            items = []
            for i, kind in enumerate(types):
                field = expressions.field(kind)
                expr = field.expr() if field and self.chance(0.75) else expressions.value(kind, 1)
                items.append(Aliased(expr, f"c{i + 1}"))
            part = Select(items, From(table.name, ""), expressions.predicate(1, True))
            if self.chance(0.3) and all("column" in kinds(i) for i in items):
                part.group = [i.expr for i in items]
            parts.append(part)
        words = [self.weighted([(1, "UNION"), (1, "UNION ALL")]) for _ in parts[1:]]
        made = Union(parts, words)
        if self.chance(0.8):
            made.order = [Ordered(Expr("order by alias", "", f"c{i + 1}"), self.chance(0.3))
                          for i in range(len(types))]
            made.total = True
            if self.chance(0.6):
                made.limit = self.rng.choice([1, 5, 20])
        return made


def clauses(statement):
    """What the statement exercises: name to how often."""
    counts = {}
    for node in _nodes(statement):
        if isinstance(node, Join):
            name = node.form.lower().replace(" using", "")
            name = "inner join" if name == "join" else name
            counts[name] = counts.get(name, 0) + 1
        if isinstance(node, From) and node.query:
            counts["derived table"] = counts.get("derived table", 0) + 1
        if not isinstance(node, Select):
            continue
        for name, present in (("where", node.where), ("group by", node.group),
                              ("having", node.having), ("order by", node.order),
                              ("limit", node.limit is not None),
                              ("offset", node.offset is not None), ("distinct", node.distinct),
                              ("with", node.with_query)):
            if present:
                counts[name] = counts.get(name, 0) + 1
    return kinds(statement, counts)


def _nodes(node):
    yield node
    for child in node.children():
        yield from _nodes(child)

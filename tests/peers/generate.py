"""Random SELECT statements over the tables of the differential tests."""

import datetime
from decimal import Decimal

from aggregates import aggregate, having
from choose import Choose
from expressions import PLAIN, Expressions, Field
from forms import Forms
from sources import MANY_ROWS, Sources
from sqltree import SUBJECT, Aliased, Expr, From, Join, Ordered, Select, Union, kinds
from tables import literal

# Columns that hold the same things: for IN (subquery) and joins.
RELATED = {"cities.id": ["cityzip.id", "cityzip.city_id"], "cityzip.id": ["cities.id"],
           "cityzip.city_id": ["cities.id"], "cities.name": ["cityzip.city"],
           "cityzip.city": ["cities.name"], "cities.state_name": ["cityzip.state"],
           "cityzip.state": ["cities.state_name"], "things.id": ["parts.thing"],
           "parts.thing": ["things.id"], "parts.kind": ["things.kind"],
           "things.kind": ["parts.kind"], "things.num": ["parts.quantity"]}


class Generator(Choose):
    """Makes statements; `tables` hold the rows that constants are taken from."""

    def __init__(self, rng, tables):
        super().__init__(rng)
        self.tables = tables
        self.sources = Sources(rng, tables, self._from_query)
        self.forms = Forms(rng, self.sources)

    def _from_query(self, depth):
        """The query of a derived table; its columns have names of their own."""
        return self.select(depth - 1, in_from="km"[depth - 1])

    # ---- SELECT ----------------------------------------------------------------------------

    def statement(self):
        """A whole statement."""
        forms = [(22, "form")] if Expressions.is_wide else []
        shape = self.weighted([(93, "select"), (5, "union"), (2, "constants")] + forms)
        if shape == "union":
            return self._union()
        if shape == "form":
            return self.forms.statement()
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
        """One SELECT; a query within FROM has aliases with the letter `in_from`, and no order."""
        source, fields, keys, rows = self.sources.pick(depth)
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
            query.items = [self._alias(i, aggregate(expressions), False)
                           for i in range(self.rng.choice([1, 1, 2, 3]))]
            query.total = True
            if self.chance(0.08):
                query.having = having(expressions, [])
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
        if expressions.is_wide and kind == "datetime" and not always and not plain and self.chance(0.3):
            return self._alias(number, expressions.call("time"), True)
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
        aggregates = [self._alias(count + i, aggregate(expressions), in_from or True)
                      for i in range(self.rng.choice([0, 1, 1, 2, 3]))]
        query.items = grouped + aggregates
        if self.chance(0.1) and aggregates:
            query.items = aggregates  # groups without their key
            grouped = []
        if self.chance(0.3):
            query.having = having(expressions, aggregates)
        if self.chance(0.06) and not in_from:
            query.distinct, query.having = True, None
        if in_from or not grouped or not self.chance(0.75):
            return
        if self.chance(0.12) and not query.distinct and not query.having:
            rank = Ordered(aggregate(expressions), self.chance(0.6))
            query.order = [rank] + [Ordered(i.expr if i.expr.kind == "column" else Expr(
                "order by alias", i.expr.type, i.alias), False) for i in grouped]
            query.total = True
            query.limit = self.rng.choice([None, 5, 20])
            return
        self._order_by_items(query)

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
        fields = self.sources.fields(table, "", self.rng.choice(table.rows))
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
            table = self.sources.table()
            fields = self.sources.fields(table, "", self.rng.choice(table.rows))
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

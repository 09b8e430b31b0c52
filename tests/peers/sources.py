"""
What statements select from: tables, joins, derived tables.

A source is (node, the columns in scope, those that tell its rows apart, how many rows there are).
"""

from choose import Choose
from expressions import UNKNOWN, Expressions, Field
from sqltree import Aliased, Expr, From, Join, Joined, Select

MANY_ROWS = 5000  # from here on results need a LIMIT
SAMPLES = 300
# child table, its column, parent table, its column
JOINS = [("cityzip", "city_id", "cities", "id"), ("cityzip", "id", "cities", "id"),
         ("parts", "thing", "things", "id")]


class Sources(Choose):
    """Makes sources over the tables; `from_query` is a function (depth) -> Select."""

    def __init__(self, rng, tables, from_query):
        super().__init__(rng)
        self.tables, self.from_query = tables, from_query
        self.samples = {}
        for table in tables.values():
            for i, column in enumerate(table.columns):
                rows = rng.sample(table.rows, min(SAMPLES, len(table.rows)))
                self.samples[table.name, column.name] = [r[i] for r in rows if r[i] is not None]
        self.parents = {(p, k): {row[tables[p].position(k)]: row for row in tables[p].rows}
                        for _, _, p, k in JOINS if p in tables}

    def table(self):
        """A table; the large ones more often."""
        weights = {"cities": 5, "events": 4, "cityzip": 3, "things": 5, "parts": 2}
        return self.weighted([(weights[t.name], t) for t in self.tables.values()])

    def fields(self, table, alias, witness):
        """The columns of a table in scope; `witness` is a row, or None for no known row."""
        prefix = alias + "." if alias else ""
        return [Field(prefix + c.name, c.kind, self.samples[table.name, c.name],
                      witness[i] if witness else UNKNOWN, c.scale,
                      c.name == "big", f"{table.name}.{c.name}")
                for i, c in enumerate(table.columns)]

    def pick(self, depth):
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
        first = Join(From("parts", "a"), self.rng.choice(["JOIN", "LEFT JOIN"]),
                     From("things", "b"), Expr("join on", "bool", "a.thing = b.id"))
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
        query = self.from_query(depth)
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

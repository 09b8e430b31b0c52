"""Random INSERT, REPLACE, UPDATE and DELETE statements whose effect is determined."""

from choose import Choose
from expressions import UNKNOWN, Expressions
from sqltree import Expr, Joined
from tables import literal, random_things_value

NEW_ROWS = 6


class Changes(Choose):
    """Makes statements that change the tables; `sources` knows their columns and values."""

    def __init__(self, rng, tables, sources):
        super().__init__(rng)
        self.tables, self.sources = tables, sources
        self.fresh = 0

    def statement(self):
        """(table, statement)"""
        table = self.rng.choice(list(self.tables.values()))
        makers = [(24, self._upsert), (12, self._replace), (16, self._insert), (2, self._duplicate),
                  (24, self._update), (16, self._delete), (3, self._insert_select),
                  (3, self._ignore)]
        return table, self.weighted(makers)(table)

    # ---- rows --------------------------------------------------------------------------------

    def _key(self, table, existing):
        """Key values: of a row that was there at the beginning, or new ones."""
        row = self.rng.choice(table.rows)
        if existing:
            return {k: row[table.position(k)] for k in table.key}
        self.fresh += 1
        if table.name == "parts":
            return {"thing": row[0], "line": 1000 + self.fresh}
        values = {k: 10**6 + self.fresh if table.column(k).kind == "int" else f"new{self.fresh}"
                  for k in table.key}
        if table.name == "cityzip" and self.rng.random() < 0.5:
            values["id"] = row[table.position("id")]
        return values

    def _value(self, table, column):
        if table.name in ("things", "parts"):
            return None if self.rng.random() < 0.2 else random_things_value(self.rng, column)
        if self.rng.random() < 0.15 and not column.parent:
            return None
        return self.rng.choice(self.sources.samples[table.name, column.name])

    def _rows(self, table, existing_share):
        """Columns, and rows with keys all different."""
        columns = list(table.columns)
        if self.rng.random() < 0.3:
            others = [c for c in columns if c.name not in table.key and not c.parent]
            left_out = self.rng.sample(others, self.rng.randint(1, len(others) - 1))
            columns = [c for c in columns if c not in left_out]
        if self.rng.random() < 0.2:
            self.rng.shuffle(columns)
        rows = {}
        for _ in range(self.rng.randint(1, NEW_ROWS)):
            key = self._key(table, self.rng.random() < existing_share)
            values = [key[c.name] if c.name in key else self._value(table, c) for c in columns]
            rows[tuple(key.values())] = Expr("row", "", f"({', '.join(map(literal, values))})")
        return columns, list(rows.values())

    def _insert_head(self, words, table, columns, rows):
        names = ", ".join(c.name for c in columns)
        return Joined("rows", "", f"{words} INTO {table.name} ({names}) VALUES ", ", ", "", rows, 1)

    # ---- statements ----------------------------------------------------------------------------

    def _insert(self, table):
        columns, rows = self._rows(table, 0)
        return Expr("insert", "", self._insert_head("INSERT", table, columns, rows))

    def _duplicate(self, table):
        """Refused as a whole: its last row repeats a key."""
        columns, rows = self._rows(table, 0)
        rows.append(rows[0])
        return Expr("insert duplicate", "", self._insert_head("INSERT", table, columns, rows))

    def _ignore(self, table):
        columns, rows = self._rows(table, 0.5)
        return Expr("insert ignore", "", self._insert_head("INSERT IGNORE", table, columns, rows))

    def _replace(self, table):
        columns, rows = self._rows(table, 0.6)
        return Expr("replace", "", self._insert_head("REPLACE", table, columns, rows))

    def _upsert(self, table):
        columns, rows = self._rows(table, 0.7)
        names = [c.name for c in columns if c.name not in table.key]
        chosen = self.rng.sample(names, self.rng.randint(1, min(4, len(names))))
        sets = []
        for name in chosen:
            shape = self.rng.random()
            kind = table.column(name).kind
            if kind in ("int", "dec") and shape < 0.2 and name != "big":
                text = f"{name} = {name} + 1"
            elif kind in ("int", "dec") and shape < 0.3 and name != "big":
                text = f"{name} = COALESCE({name}, 0) + VALUES({name})"
            else:
                text = f"{name} = VALUES({name})"
            sets.append(Expr("assign", "", text))
        return Expr("upsert", "", self._insert_head("INSERT", table, columns, rows),
                    " ON DUPLICATE KEY UPDATE ", Joined("assigns", "", "", ", ", "", sets, 1))

    def _insert_select(self, table):
        if table.column(table.key[-1]).kind != "int":
            return self._insert(table)
        self.fresh += 1
        columns = [c.name for c in table.columns if c.kind != "list"]
        names = ", ".join(columns)
        last = table.key[-1]
        shifted = ", ".join(f"{c} + {self.fresh * 10**7}" if c == last else c for c in columns)
        low = self.rng.choice(table.rows)[0]
        return Expr("insert select", "", f"INSERT INTO {table.name} ({names}) SELECT {shifted} "
                    f"FROM {table.name} WHERE {table.key[0]} BETWEEN {low} AND {low} + 20")

    def _where(self, table):
        row = self.rng.choice(table.rows)
        fields = self.sources.fields(table, "", row)
        if self.rng.random() < 0.5 or len(table.rows) > 5000:
            keys = [self._key(table, self.rng.random() < 0.9)
                    for _ in range(self.rng.choice([1, 1, 4, 20]))]
            first = table.key[-1]
            items = [Expr("literal", "", literal(k[first])) for k in keys]
            where = Expr("in", "bool", first + " IN ", Joined("list", "", "(", ", ", ")", items))
            if self.rng.random() < 0.4:
                extra = Expressions(self.rng, fields).predicate(0, None)
                where = Joined("and", "bool", "", " AND ", "",
                               [where, Expr("group", "bool", "(", extra, ")")], 1)
            return where
        return Expressions(self.rng, fields).predicate(1, True)

    def _tail(self, table):
        """Now and then ORDER BY and LIMIT."""
        if self.rng.random() > 0.12:
            return ""
        return " ORDER BY " + ", ".join(f"{k} DESC" for k in table.key) + " LIMIT 7"

    def _delete(self, table):
        return Expr("delete", "", f"DELETE FROM {table.name} WHERE ", self._where(table),
                    self._tail(table))

    def _update(self, table):
        names = [c for c in table.columns if c.name not in table.key and not c.parent]
        chosen = self.rng.sample(names, min(len(names), self.rng.choice([1, 1, 2, 3])))
        fields = self.sources.fields(table, "", None)
        # An assignment reads its own column only: which values others see differs by dialect.
        sets = [Expr("assign", "", f"{c.name} = ", self._new_value(table, c, fields))
                for c in chosen]
        return Expr("update", "", f"UPDATE {table.name} SET ",
                    Joined("assigns", "", "", ", ", "", sets, 1), " WHERE ", self._where(table),
                    self._tail(table))

    def _new_value(self, table, column, fields):
        own = [f for f in fields if f.text == column.name]
        own[0].witness = UNKNOWN
        name, shape = column.name, self.rng.random()
        if shape < 0.45 or column.kind in ("list", "bool") or name == "big":
            return Expr("literal", "", literal(self._value(table, column)))
        if column.kind == "int" and name != "small":
            text = self.rng.choice([f"{name} + 1", f"{name} * 2 % 1000", f"-{name}",
                                    f"COALESCE({name}, 0) - 5", f"{name} DIV 3"])
        elif column.kind == "dec":
            text = self.rng.choice([f"{name} + 1", f"{name} - 0.25", f"-{name}", f"{name} / 4",
                                    f"ROUND({name}, 1)"])
        elif column.kind == "str":
            text = self.rng.choice([f"UPPER({name})", f"CONCAT(LEFT({name}, 20), '!')",
                                    f"COALESCE({name}, 'was null')", f"TRIM({name})"])
        elif column.kind in ("date", "datetime"):
            text = self.rng.choice([f"{name} + INTERVAL 1 DAY", f"{name} - INTERVAL 1 MONTH"])
        else:
            return Expr("literal", "", literal(self._value(table, column)))
        return Expr("value", "", text)

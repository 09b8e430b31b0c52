"""
Statements as trees: rendered for either side, and cut down piece by piece by the shrinker.

A node knows its text and its `reductions`: smaller nodes that may stand in its place. `variants`
applies them anywhere below a node. Whether a smaller statement is valid is for the servers to say.
"""

from dataclasses import dataclass, field, replace

ORACLE, SUBJECT = "oracle", "subject"  # the dialects: MariaDB, and the product

GROUPS = {"int": "number", "dec": "number", "double": "number", "bool": "number",
          "str": "text", "list": "text", "date": "time", "datetime": "time"}
SIMPLEST = {"int": "1", "dec": "1.5", "double": "1e0", "bool": "TRUE", "str": "'x'",
            "date": "DATE'2024-01-02'", "datetime": "TIMESTAMP'2024-01-02 03:04:05'"}


class Expr:
    """An expression: texts and nodes in order. `oracle`: the parts for MariaDB if they differ."""

    def __init__(self, kind, type_, *parts, oracle=None):
        self.kind, self.type = kind, type_
        self.parts, self.oracle = parts, oracle

    def render(self, dialect):
        """Its text."""
        parts = self.oracle if dialect == ORACLE and self.oracle else self.parts
        return "".join(p if isinstance(p, str) else p.render(dialect) for p in parts)

    def children(self):
        """Nodes in it."""
        return [p for p in self.parts if not isinstance(p, str)]

    def with_child(self, old, new):
        """The same with another child."""
        def swap(parts):
            return tuple(new if p is old else p for p in parts) if parts else None

        return Expr(self.kind, self.type, *swap(self.parts), oracle=swap(self.oracle))

    def reductions(self):
        """An operand instead, or something trivial of the same type."""
        if self.kind == "literal":
            return
        for child in self.children():
            if isinstance(child, Expr) and GROUPS.get(child.type) == GROUPS.get(self.type):
                yield child
        if self.children() and self.type in SIMPLEST:
            yield Expr("literal", self.type, SIMPLEST[self.type])


class Joined:
    """Any number of operands: AND, OR, lists of IN, arguments of COALESCE."""

    def __init__(self, kind, type_, before, separator, after, items, least=1):
        self.kind, self.type = kind, type_
        self.before, self.separator, self.after = before, separator, after
        self.items, self.least = list(items), least

    def render(self, dialect):
        """Its text."""
        return (self.before + self.separator.join(i.render(dialect) for i in self.items) +
                self.after)

    def children(self):
        """Its operands."""
        return self.items

    def _with(self, items):
        return Joined(self.kind, self.type, self.before, self.separator, self.after, items,
                      self.least)

    def with_child(self, old, new):
        """The same with another operand."""
        return self._with(new if i is old else i for i in self.items)

    def reductions(self):
        """One operand alone, or one fewer."""
        if self.type:
            yield from (i for i in self.items if GROUPS.get(i.type) == GROUPS.get(self.type))
        if len(self.items) > self.least:
            for at in range(len(self.items)):
                yield self._with(self.items[:at] + self.items[at + 1:])


class Aliased:
    """An entry of a select list."""

    def __init__(self, expr, alias=""):
        self.expr, self.alias = expr, alias

    def render(self, dialect):
        """Its text."""
        return self.expr.render(dialect) + (f" AS {self.alias}" if self.alias else "")

    def children(self):
        """The expression."""
        return [self.expr]

    def with_child(self, _, new):
        """The same with another expression."""
        return Aliased(new, self.alias)

    def reductions(self):
        """None of its own."""
        return ()


class Ordered:
    """An entry of ORDER BY."""

    def __init__(self, expr, is_desc):
        self.expr, self.is_desc = expr, is_desc

    def render(self, dialect):
        """Its text."""
        return self.expr.render(dialect) + (" DESC" if self.is_desc else "")

    def children(self):
        """The expression."""
        return [self.expr]

    def with_child(self, _, new):
        """The same with another expression."""
        return Ordered(new, self.is_desc)

    def reductions(self):
        """Ascending."""
        if self.is_desc:
            yield Ordered(self.expr, False)


class From:
    """A table or derived table with its alias."""

    def __init__(self, name, alias, query=None):
        self.name, self.alias, self.query = name, alias, query

    def render(self, dialect):
        """Its text."""
        if self.query:
            return f"({self.query.render(dialect)}) AS {self.alias}"
        return self.name + (f" AS {self.alias}" if self.alias else "")

    def children(self):
        """The derived table's query."""
        return [self.query] if self.query else []

    def with_child(self, _, new):
        """The same with another query."""
        return From(self.name, self.alias, new)

    def reductions(self):
        """None of its own."""
        return ()


class Join:
    """Two sources; `form` is JOIN, LEFT JOIN, RIGHT JOIN or CROSS JOIN."""

    def __init__(self, left, form, right, on):
        self.left, self.form, self.right, self.on = left, form, right, on

    def render(self, dialect):
        """Its text."""
        form, using, _ = self.form.partition(" USING")
        word = "USING" if using else "ON"
        on = f" {word} {self.on.render(dialect)}" if self.on else ""
        return f"{self.left.render(dialect)} {form} {self.right.render(dialect)}{on}"

    def children(self):
        """Both sides and the condition."""
        return [c for c in (self.left, self.right, self.on) if c]

    def with_child(self, old, new):
        """The same with another child."""
        return Join(new if self.left is old else self.left, self.form,
                    new if self.right is old else self.right, new if self.on is old else self.on)

    def reductions(self):
        """One side; an inner join."""
        yield self.left
        yield self.right
        if not self.form.startswith("JOIN"):
            yield Join(self.left, "JOIN" + self.form.partition("JOIN")[2], self.right, self.on)


@dataclass
class Select:
    """One SELECT. `total` says that ORDER BY leaves no two rows equal."""

    items: list
    source: object = None
    where: object = None
    group: list = field(default_factory=list)
    having: object = None
    order: list = field(default_factory=list)
    limit: object = None
    offset: object = None
    distinct: bool = False
    total: bool = False
    with_name: str = ""  # a WITH clause in front
    with_query: object = None
    kind: str = "select"
    type: str = ""

    def render(self, dialect):
        """Its text."""
        def listed(nodes):
            return ", ".join(n.render(dialect) for n in nodes)

        text = ""
        if self.with_query:
            text = f"WITH {self.with_name} AS ({self.with_query.render(dialect)}) "
        text += "SELECT " + ("DISTINCT " if self.distinct else "") + listed(self.items)
        if self.source:
            text += " FROM " + self.source.render(dialect)
        if self.where:
            text += " WHERE " + self.where.render(dialect)
        if self.group:
            text += " GROUP BY " + listed(self.group)
        if self.having:
            text += " HAVING " + self.having.render(dialect)
        if self.order:
            text += " ORDER BY " + listed(self.order)
        if self.limit is not None:
            text += f" LIMIT {self.limit}"
            text += f" OFFSET {self.offset}" if self.offset is not None else ""
        return text

    def children(self):
        """All nodes in it."""
        single = [self.with_query, self.source, self.where, self.having]
        return [*self.items, *self.group, *self.order, *(n for n in single if n)]

    def with_child(self, old, new):
        """The same with another child."""
        def swap(nodes):
            return [new if n is old else n for n in nodes]

        def one(node):
            return new if node is old else node

        return replace(self, items=swap(self.items), group=swap(self.group),
                       order=swap(self.order), source=one(self.source), where=one(self.where),
                       having=one(self.having), with_query=one(self.with_query))

    def reductions(self):
        """Without a clause, or with a shorter one."""
        for node in (self.where, self.having):
            if node:
                name = "where" if node is self.where else "having"
                yield replace(self, **{name: None})
        if self.limit is not None:
            yield replace(self, limit=None, offset=None)
            if self.offset is not None:
                yield replace(self, offset=None)
        elif self.order:
            yield replace(self, order=[], total=False)
            if len(self.order) > 1:
                for at in range(len(self.order)):
                    yield replace(self, order=self.order[:at] + self.order[at + 1:], total=False)
        if self.distinct:
            yield replace(self, distinct=False)
        if self.with_query:
            yield replace(self, with_query=None)
        yield from self._shorter_lists()

    def _shorter_lists(self):
        if len(self.items) > 1:
            for at in range(len(self.items)):
                yield replace(self, items=self.items[:at] + self.items[at + 1:])
        for at in range(len(self.group)):
            yield replace(self, group=self.group[:at] + self.group[at + 1:])
        if self.source and not self.group and self.limit is None:
            count = Aliased(Expr("count", "int", "COUNT(*)"), "c1")
            if [i.render(SUBJECT) for i in self.items] != [count.render(SUBJECT)]:
                yield replace(self, items=[count], order=[], total=False)


@dataclass
class Union:
    """SELECTs one after the other; ORDER BY names columns of the first."""

    parts: list
    words: list  # UNION or UNION ALL between them
    order: list = field(default_factory=list)
    limit: object = None
    total: bool = False
    kind: str = "union"
    type: str = ""

    def render(self, dialect):
        """Its text."""
        text = self.parts[0].render(dialect)
        for word, part in zip(self.words, self.parts[1:]):
            text += f" {word} {part.render(dialect)}"
        if self.order:
            text += " ORDER BY " + ", ".join(n.render(dialect) for n in self.order)
        return text + (f" LIMIT {self.limit}" if self.limit is not None else "")

    def children(self):
        """All nodes in it."""
        return [*self.parts, *self.order]

    def with_child(self, old, new):
        """The same with another child."""
        return replace(self, parts=[new if p is old else p for p in self.parts],
                       order=[new if o is old else o for o in self.order])

    def reductions(self):
        """One of the parts, one part fewer, or no order."""
        yield from self.parts
        if len(self.parts) > 2:
            for at in range(len(self.parts)):
                yield replace(self, parts=self.parts[:at] + self.parts[at + 1:],
                              words=self.words[:at] + self.words[at + 1:] or self.words[:1])
        if self.limit is not None:
            yield replace(self, limit=None)
        elif self.order:
            yield replace(self, order=[], total=False)


def variants(node):
    """Every tree that is one reduction smaller, coarse ones first."""
    yield from node.reductions()
    for child in node.children():
        for smaller in variants(child):
            yield node.with_child(child, smaller)


def kinds(node, into=None):
    """Counts the kinds of the nodes of a tree."""
    into = {} if into is None else into
    kind = getattr(node, "kind", None)
    if kind:
        into[kind] = into.get(kind, 0) + 1
    for child in node.children():
        kinds(child, into)
    return into

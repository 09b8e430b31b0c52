"""Statements for queries.py: two tables with NULLs in every column, a list of statements of each form, random ones."""

import collections

SHOPS, SALES = 40, 600

STATEMENTS = """
SELECT id, (SELECT count(*) FROM sale WHERE sale.shop = shop.id) FROM shop
SELECT id, (SELECT sum(n) FROM sale WHERE sale.shop = shop.id) FROM shop
SELECT id, (SELECT avg(price) FROM sale s WHERE s.shop = shop.id AND s.kind = 'k1') FROM shop
SELECT id, (SELECT count(*) + max(n) FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id, (SELECT ifnull(sum(n), -1) FROM sale s WHERE s.shop = shop.id AND n > 90) FROM shop
SELECT id, (SELECT count(*) FROM sale s WHERE s.shop = shop.id HAVING count(*) > 15) FROM shop
SELECT id, (SELECT min(n) FROM sale s WHERE s.shop = shop.id AND s.kind = shop.kind) FROM shop
SELECT id, (SELECT min(n) FROM sale s WHERE s.shop = shop.id + 1) FROM shop
SELECT id, (SELECT count(*) FROM sale s WHERE s.shop > shop.id) FROM shop
SELECT id, (SELECT max(n) FROM sale s WHERE s.shop < shop.id AND s.kind = shop.kind) FROM shop
SELECT id, (SELECT id FROM sale s WHERE s.shop = shop.id ORDER BY n DESC, id LIMIT 1) FROM shop
SELECT id, (SELECT id FROM sale s WHERE s.shop = shop.id ORDER BY id LIMIT 1, 1) FROM shop
SELECT id, (SELECT name FROM shop t WHERE t.id = s.shop) FROM sale s WHERE n < 20
SELECT id, (SELECT id FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id FROM shop WHERE EXISTS (SELECT * FROM sale WHERE sale.shop = shop.id)
SELECT id FROM shop WHERE NOT EXISTS (SELECT * FROM sale WHERE sale.shop = shop.id AND n > 90)
SELECT id FROM shop WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = shop.id AND s.n > shop.size)
SELECT id FROM shop WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = shop.id AND s.n <> shop.size)
SELECT id FROM shop WHERE NOT EXISTS (SELECT 1 FROM sale s WHERE s.shop = shop.id AND shop.size >= s.n)
SELECT id FROM sale a WHERE EXISTS (SELECT 1 FROM sale b WHERE b.shop = a.shop AND b.kind <> a.kind)
SELECT id FROM sale a WHERE NOT EXISTS (SELECT 1 FROM sale b WHERE b.shop = a.shop AND b.id <> a.id)
SELECT id FROM shop WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = shop.id AND s.n + shop.size > 100 AND s.n < shop.size)
SELECT id FROM shop WHERE EXISTS (SELECT kind FROM sale s WHERE s.shop = shop.id GROUP BY kind HAVING count(*) > 5)
SELECT id FROM shop WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = shop.id LIMIT 1)
SELECT id FROM shop WHERE kind IN (SELECT kind FROM sale s WHERE s.shop = shop.id)
SELECT id, kind IN (SELECT kind FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id, kind NOT IN (SELECT kind FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id, size > ALL (SELECT n FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id, size < ANY (SELECT n FROM sale s WHERE s.shop = shop.id) FROM shop
SELECT id, size = ANY (SELECT n FROM sale s WHERE s.shop > shop.id) FROM shop
SELECT id, size NOT IN (SELECT n FROM sale s WHERE s.shop > shop.id AND n IS NOT NULL) FROM shop
SELECT id FROM shop WHERE (kind, size) IN (SELECT kind, n FROM sale s WHERE s.shop <= shop.id)
SELECT id FROM shop WHERE size IN (SELECT max(n) FROM sale s WHERE s.shop = shop.id)
SELECT id FROM shop WHERE size >= (SELECT avg(n) FROM sale s WHERE s.shop = shop.id) OR kind = 'k2'
SELECT kind, count(*) FROM shop WHERE size > (SELECT min(n) FROM sale s WHERE s.shop = shop.id) GROUP BY kind
SELECT kind, (SELECT count(*) FROM sale s WHERE s.kind = shop.kind) FROM shop GROUP BY kind
SELECT kind, sum(size) FROM shop GROUP BY kind HAVING sum(size) > (SELECT avg(n) FROM sale s WHERE s.kind = shop.kind)
SELECT sum((SELECT count(*) FROM sale s WHERE s.shop = shop.id)) FROM shop
SELECT sum((SELECT count(*) FROM sale s WHERE s.shop < shop.id)) FROM shop
SELECT id FROM shop ORDER BY (SELECT count(*) FROM sale s WHERE s.shop = shop.id) DESC, id LIMIT 7
SELECT s.id, t.id FROM shop t JOIN sale s ON s.shop = t.id AND s.n = (SELECT max(n) FROM sale x WHERE x.shop = t.id)
SELECT s.id, t.id FROM shop t JOIN sale s ON s.shop = t.id WHERE s.n > (SELECT avg(n) FROM sale x WHERE x.kind = s.kind AND x.shop = t.id)
SELECT s.id, t.id FROM shop t JOIN sale s ON s.shop = t.id WHERE s.n >= (SELECT max(n) FROM sale x WHERE x.kind = s.kind AND x.shop <= t.id)
SELECT s.id, t.id FROM sale s LEFT JOIN shop t ON s.shop = t.id WHERE NOT EXISTS (SELECT 1 FROM sale x WHERE x.shop = t.id AND x.n < s.n)
SELECT id FROM shop a WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = a.id AND EXISTS (SELECT 1 FROM shop b WHERE b.kind = s.kind AND b.id = a.id))
SELECT id FROM shop a WHERE EXISTS (SELECT 1 FROM sale s WHERE s.shop = a.id AND s.n = (SELECT max(n) FROM sale x WHERE x.shop = s.shop))
SELECT id, (SELECT count(*) FROM sale s WHERE s.shop = a.id AND s.n > (SELECT avg(n) FROM sale x WHERE x.kind = a.kind)) FROM shop a
SELECT id, CASE WHEN size > 50 THEN (SELECT count(*) FROM sale s WHERE s.shop < shop.id) ELSE 0 END FROM shop
SELECT id FROM shop WHERE id = (SELECT max(shop) FROM sale WHERE shop = shop.id)
SELECT id, (SELECT shop.size + shop.id) FROM shop
SELECT id, (SELECT max(n) FROM sale WHERE sale.shop = shop.id UNION SELECT max(n) FROM sale WHERE sale.shop = shop.id) FROM shop
SELECT id, (SELECT max(x) FROM (SELECT n AS x, shop FROM sale) d WHERE d.shop = shop.id) FROM shop
SELECT id FROM shop WHERE since > (SELECT max(day) FROM sale WHERE sale.shop = shop.id)
SELECT id FROM shop WHERE EXISTS (SELECT 1 FROM sale WHERE sale.shop = shop.id AND day > since)
SELECT id, (SELECT group_concat(DISTINCT kind ORDER BY kind) FROM sale WHERE shop = shop.id) FROM shop
SELECT id, (SELECT nothing.x FROM sale) FROM shop
SELECT id, (SELECT id2 FROM sale WHERE shop = shop.id) FROM shop
WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 20) SELECT * FROM c
WITH RECURSIVE c (n, m) AS (SELECT 1, 1 UNION ALL SELECT n + 1, m * (n + 1) FROM c WHERE n < 10) SELECT * FROM c
WITH RECURSIVE c AS (SELECT 1 AS n UNION SELECT (n * 7) % 31 FROM c) SELECT count(*), sum(n) FROM c
WITH RECURSIVE f AS (SELECT 0 AS a, 1 AS b UNION ALL SELECT b, a + b FROM f WHERE b < 5000) SELECT a FROM f ORDER BY a
WITH RECURSIVE c AS (SELECT id, size FROM shop WHERE id < 3 UNION SELECT s.id, s.size FROM c JOIN shop s ON s.id = c.id + 5) SELECT * FROM c
WITH RECURSIVE c AS (SELECT id, shop, 0 AS depth FROM sale WHERE id = 500 UNION ALL SELECT s.id, s.shop, depth + 1 FROM c, sale s WHERE s.id = c.shop AND depth < 9) SELECT * FROM c
WITH RECURSIVE c AS (SELECT id FROM shop WHERE id = 1 UNION SELECT s.id FROM c JOIN sale s ON s.shop = c.id) SELECT count(*), sum(id) FROM c
WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 10) SELECT a.n, b.n FROM c a JOIN c b ON a.n = b.n + 3
WITH RECURSIVE d AS (SELECT DATE '2025-01-01' AS day UNION ALL SELECT day + INTERVAL 1 DAY FROM d WHERE day < '2025-02-10') SELECT d.day, count(s.id) FROM d LEFT JOIN sale s ON s.day = d.day GROUP BY d.day
WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 40) SELECT n FROM c WHERE EXISTS (SELECT 1 FROM sale WHERE sale.shop = c.n)
WITH RECURSIVE c AS (SELECT id AS n FROM shop WHERE id < 4) SELECT * FROM c
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a WHERE n < 5), b AS (SELECT n FROM a UNION ALL SELECT n + 5 FROM b WHERE n < 20) SELECT * FROM b
SELECT (WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 6) SELECT sum(n) FROM c)
SELECT id FROM shop WHERE id IN (WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n * 2 FROM c WHERE n < 30) SELECT n FROM c)
WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 600) SELECT count(*), max(n) FROM c
WITH RECURSIVE c AS (SELECT 1 AS n, 2 AS m UNION ALL SELECT n + 1 FROM c) SELECT * FROM c
SELECT kind, count(*), sum(n) FROM sale GROUP BY kind WITH ROLLUP
SELECT kind, shop, count(*), avg(n), count(DISTINCT price) FROM sale GROUP BY kind, shop WITH ROLLUP
SELECT kind, year(day), max(price) FROM sale GROUP BY kind, year(day) WITH ROLLUP HAVING max(price) > 50
SELECT upper(kind), count(kind) FROM sale WHERE n > 30 GROUP BY upper(kind) WITH ROLLUP
SELECT concat(kind, '!'), count(*) FROM sale GROUP BY kind WITH ROLLUP
SELECT s.kind, t.kind, sum(s.n) FROM sale s JOIN shop t ON s.shop = t.id GROUP BY s.kind, t.kind WITH ROLLUP
SELECT * FROM (SELECT kind, sum(n) AS total FROM sale GROUP BY kind WITH ROLLUP) d WHERE total > 100
SELECT kind, (SELECT count(*) FROM sale WHERE sale.kind = shop.kind) FROM shop GROUP BY kind WITH ROLLUP
SELECT kind, count(*) FROM sale WHERE n > 1000 GROUP BY kind WITH ROLLUP
SELECT count(*) FROM sale HAVING count(*) > 5
SELECT size AS x FROM shop HAVING x > 90
SELECT kind FROM shop INTERSECT SELECT kind FROM sale
SELECT kind FROM shop INTERSECT ALL SELECT kind FROM sale
SELECT kind FROM shop EXCEPT SELECT kind FROM sale
SELECT kind FROM sale EXCEPT ALL SELECT kind FROM shop
SELECT size FROM shop EXCEPT SELECT price FROM sale
SELECT id FROM shop INTERSECT SELECT n FROM sale ORDER BY 1 DESC LIMIT 5
SELECT id FROM shop UNION SELECT n FROM sale INTERSECT SELECT size FROM shop
(SELECT id FROM shop UNION SELECT n FROM sale) INTERSECT SELECT size FROM shop
SELECT id FROM shop EXCEPT SELECT n FROM sale UNION ALL SELECT size FROM shop WHERE size > 50
(SELECT id FROM shop ORDER BY size, id LIMIT 9) EXCEPT (SELECT n FROM sale ORDER BY price, id LIMIT 50)
SELECT * FROM (SELECT id FROM shop EXCEPT SELECT shop FROM sale) d WHERE id > 3
SELECT id FROM shop WHERE id IN (SELECT shop FROM sale EXCEPT SELECT size FROM shop)
SELECT * FROM ((SELECT id, kind FROM shop ORDER BY size DESC, id LIMIT 5) UNION ALL (SELECT n, kind FROM sale ORDER BY price, id LIMIT 3)) d
SELECT 1 INTERSECT SELECT 1.0
SELECT 1 EXCEPT SELECT 2
SELECT NULL INTERSECT SELECT NULL
SELECT id, kind FROM shop INTERSECT SELECT id FROM sale
SELECT s.id FROM sale s, shop t WHERE (s.shop = t.id AND s.n > 50 AND t.kind = 'k1') OR (s.shop = t.id AND s.n < 10)
SELECT s.id FROM sale s, shop t WHERE (s.shop = t.id AND s.n > 50) OR s.shop = t.id
SELECT s.id FROM sale s, shop t WHERE s.shop = t.id AND ((s.kind = 'k1' AND t.kind = 'k2') OR (s.kind = 'k2' AND t.kind = 'k1') OR (t.kind = 'k0' AND s.n = 5))
SELECT s.id, t.id FROM sale s LEFT JOIN shop t ON (s.shop = t.id AND s.n > 50) OR (s.shop = t.id AND t.kind = 'k1' AND s.n < 10)
WITH big AS (SELECT * FROM shop WHERE size > 30) SELECT id FROM big WHERE EXISTS (SELECT 1 FROM sale WHERE sale.shop = big.id)
""".strip().split("\n")


def fill(run, chance):
    """Makes the two tables."""
    run("CREATE TABLE shop (id BIGINT PRIMARY KEY, name VARCHAR(20), kind VARCHAR(10), size BIGINT, since DATE)")
    run("CREATE TABLE sale (id BIGINT PRIMARY KEY, shop BIGINT, kind VARCHAR(10), n BIGINT, price DECIMAL(10,2), day DATE)")

    def maybe(text, share=0.1):
        return "NULL" if chance.random() < share else text

    def day():
        return f"'2025-0{chance.randint(1, 9)}-{chance.randint(10, 28)}'"

    run("INSERT INTO shop VALUES " + ", ".join(
        f"({i}, {maybe(repr(f'shop {i}'))}, {maybe(repr(f'k{chance.randint(0, 4)}'))}, {maybe(str(chance.randint(0, 99)))}, "
        f"{maybe(day())})" for i in range(SHOPS)))
    run("INSERT INTO sale VALUES " + ", ".join(
        f"({i}, {maybe(str(chance.randint(0, SHOPS - 6)))}, {maybe(repr(f'k{chance.randint(0, 3)}'))}, "
        f"{maybe(str(chance.randint(0, 99)))}, {maybe(f'{chance.randint(0, 9999) / 100}')}, {maybe(day())})"
        for i in range(SALES)))


class Generator:
    """Random statements. Tables are named by number, so that every subquery can name all around it."""

    COLUMNS = {"shop": {"id": "n", "kind": "s", "size": "n", "name": "s"},
               "sale": {"id": "n", "shop": "n", "kind": "s", "n": "n", "price": "n"}}

    def __init__(self, chance):
        self.chance = chance
        self.aliases = 0
        self.counts = collections.Counter()

    def count(self, what):
        """Counts a form."""
        self.counts[what] += 1

    def table(self):
        """A table with an alias of its own: its FROM, its columns by type."""
        name = self.chance.choice(list(self.COLUMNS))
        self.aliases += 1
        alias = f"t{self.aliases}"
        return f"{name} {alias}", [(f"{alias}.{c}", kind) for c, kind in self.COLUMNS[name].items()]

    def column(self, columns, kind):
        """One of the columns of a type."""
        return self.chance.choice([c for c, k in columns if k == kind])

    def simple(self, columns):
        """A condition on one table."""
        if self.chance.random() < 0.4:
            return f"{self.column(columns, 's')} {self.chance.choice(['=', '<>', '>='])} 'k{self.chance.randint(0, 4)}'"
        return (f"{self.column(columns, 'n')} {self.chance.choice(['=', '<', '>', '<=', '<>'])} "
                f"{self.chance.randint(0, 60)}")

    def tie(self, inner, outer):
        """A condition between a row and one outside."""
        kind = self.chance.choice("nnns")
        op = self.chance.choice(["=", "=", "=", "=", "<", ">", "<>", "<=>"])
        left, right = self.column(inner, kind), self.column(outer, kind)
        if self.chance.random() < 0.3:
            left, right = right, left
        if kind == "n" and self.chance.random() < 0.15:
            right += f" + {self.chance.randint(0, 3)}"
        return f"{left} {op} {right}"

    def inside(self, outer, depth, items):
        """The rest of a subquery: FROM …; items gets its columns and gives the select list."""
        source, columns = self.table()
        conditions = [self.tie(columns, outer) for _ in range(self.chance.choice([0, 1, 1, 1, 2]))] if outer else []
        if self.chance.random() < 0.4:
            conditions.append(self.simple(columns))
        if depth and self.chance.random() < 0.25:
            conditions.append(self.condition(columns + (outer if self.chance.random() < 0.3 else []), depth - 1))
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        return f"SELECT {items(columns)} FROM {source}{where}"

    def scalar(self, outer, depth):
        """A subquery of one number."""
        self.count("scalar")
        function = self.chance.choice(["count(*)", "count({})", "sum({})", "min({})", "max({})", "count(DISTINCT {})"])
        return "(" + self.inside(outer, depth, lambda c: function.format(self.column(c, "n"))) + ")"

    def condition(self, outer, depth):
        """A condition with a subquery."""
        form = self.chance.choice(["exists", "exists", "in", "any", "compare"])
        self.count(form)
        if form == "exists":
            no = self.chance.choice(["", "NOT "])
            return f"{no}EXISTS ({self.inside(outer, depth, lambda c: '1')})"
        if form == "compare":
            return f"{self.column(outer, 'n')} {self.chance.choice(['<', '>', '='])} {self.scalar(outer, depth)}"
        kind = self.chance.choice("ns")
        body = self.inside(outer, depth, lambda c: self.column(c, kind))
        if form == "in":
            return f"{self.column(outer, kind)} {self.chance.choice(['IN', 'NOT IN'])} ({body})"
        op = self.chance.choice(["=", "<", ">", "<=", ">=", "<>"])
        return f"{self.column(outer, kind)} {op} {self.chance.choice(['ANY', 'ALL'])} ({body})"

    def subquery(self):
        """A SELECT with subqueries."""
        source, columns = self.table()
        outer = list(columns)
        if self.chance.random() < 0.25:
            other, more = self.table()
            source += f" {self.chance.choice(['', 'LEFT '])}JOIN {other} ON {self.column(columns, 'n')} = {self.column(more, 'n')}"
            outer += more
        items = [self.column(outer, "n"), self.column(outer, "s")]
        if self.chance.random() < 0.5:
            items.append(self.scalar(outer, 1))
        if self.chance.random() < 0.3:
            items.append(f"({self.condition(outer, 1)})")
        joiner = self.chance.choice([" AND ", " AND ", " OR "])
        conditions = [self.condition(outer, 1) for _ in range(self.chance.choice([0, 1, 1, 2]))]
        if self.chance.random() < 0.4:
            conditions.append(self.simple(outer))
        where = " WHERE " + joiner.join(conditions) if conditions else ""
        if self.chance.random() < 0.2:
            return f"SELECT count(*), {', '.join(f'max({i})' for i in items)} FROM {source}{where}"
        return f"SELECT {', '.join(items)} FROM {source}{where}"

    def term(self, kinds):
        """A SELECT with columns of these types."""
        source, columns = self.table()
        where = f" WHERE {self.simple(columns)}" if self.chance.random() < 0.7 else ""
        if self.chance.random() < 0.15:
            where += f"{' AND' if where else ' WHERE'} {self.condition(columns, 0)}"
        return f"SELECT {', '.join(self.column(columns, k) for k in kinds)} FROM {source}{where}"

    def set_operation(self):
        """SELECTs joined by UNION, INTERSECT and EXCEPT."""
        kinds = self.chance.choice(["n", "s", "ns"])
        text = self.term(kinds)
        several = self.chance.choice([1, 1, 2, 3])
        for _ in range(several):
            # MariaDB is wrong about INTERSECT ALL in longer chains: it takes what follows as if ALL were not there.
            op = self.chance.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]
                                    + ([] if several > 1 else ["INTERSECT ALL", "EXCEPT ALL"]))
            self.count(op.lower())
            right = self.term(kinds)
            if self.chance.random() < 0.3:
                text = f"({text})"
            text += f" {op} {right}"
        return text

    def rollup(self):
        """Groups with their sums."""
        self.count("rollup")
        source, columns = self.table()
        groups = self.chance.sample([c for c, _ in columns], self.chance.choice([1, 2, 2, 3]))
        value = self.column(columns, "n")
        where = f" WHERE {self.simple(columns)}" if self.chance.random() < 0.5 else ""
        having = f" HAVING count(*) > {self.chance.randint(0, 3)}" if self.chance.random() < 0.3 else ""
        # With the key among the groups MariaDB takes DISTINCT for unneeded, also in the sums.
        distinct = "" if any(g.endswith(".id") for g in groups) else "DISTINCT "
        return (f"SELECT {', '.join(groups)}, count(*), sum({value}), max({value}), count({distinct}{value}) FROM {source}{where} "
                f"GROUP BY {', '.join(groups)} WITH ROLLUP{having}")

    def statement(self):
        """One statement."""
        if self.chance.random() < 0.1:
            return self.rollup()
        return self.set_operation() if self.chance.random() < 0.3 else self.subquery()

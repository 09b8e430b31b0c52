#!/usr/bin/python3
"""
Searching words through real clients: MATCH ... AGAINST against words split and folded here by Python's own Unicode
tables, while rows are inserted, changed, deleted and inserted again, after `kill -9` and after a clean restart;
LIKE against the same rows. Once with all in one process, once as node and proxy.
"""

import contextlib
import os
import random
import re
import sys
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, folder, mariadb, quanta

SYLLABLES = ["ka", "lé", "mö", "ñu", "Ro", "Sü", "tå", "Vi", "ça", "żó", "αλ", "ΟΣ", "да", "ё", "ß"]
SEPARATORS = [" ", ", ", "-", "'", "\n", " … ", "/", "’"]


def fold(text):
    """Words of a text: lower case, without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain.casefold())


def make_text(rng):
    """A text of a few words made of a few syllables, or None."""
    if rng.random() < 0.05:
        return None
    words = []
    for _ in range(rng.randrange(7)):
        word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 3)))
        words.append(rng.choice([word, word.upper(), unicodedata.normalize("NFD", word)]))
    return rng.choice(SEPARATORS).join(words)


def make_term(rng):
    """Sign, kind and words of a part of a query."""
    kind = rng.choice(["word", "word", "prefix", "phrase"])
    n = 2 if kind == "phrase" else 1
    words = ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 2))) for _ in range(n)]
    return rng.choice("+- "), kind, words


def write_term(term):
    """As AGAINST takes it."""
    sign, kind, words = term
    body = {"word": "{}", "prefix": "{}*", "phrase": '"{} {}"'}[kind].format(*words)
    return sign.strip() + body


def term_holds(term, have):
    """In the words of one text."""
    _, kind, words = term
    want = [w for word in words for w in fold(word)]
    for at in range(len(have) - len(want) + 1):
        part = have[at:at + len(want)]
        if part == want or (kind == "prefix" and part[:-1] == want[:-1]
                            and part[-1].startswith(want[-1])):
            return True
    return False


def query_holds(terms, texts):
    """All that must, none that must not, else any: over the texts of a row."""
    words = [fold(t) for t in texts if t is not None]
    found = [(sign, any(term_holds((sign, kind, w), have) for have in words))
             for sign, kind, w in terms]
    if any(sign == "-" and holds for sign, holds in found):
        return False
    must = [holds for sign, holds in found if sign == "+"]
    return all(must) if must else any(holds for sign, holds in found if sign == " ")


class World:
    """A table and what should be in it."""

    def __init__(self, connect, seed):
        self.rng = random.Random(seed)
        self.connect = connect
        self.rows = {}
        self.asked = self.telling = 0
        self.run("CREATE TABLE texts (id INT PRIMARY KEY, title VARCHAR(200), body TEXT, "
                 "FULLTEXT KEY words (title, body))")

    def run(self, statement, arguments=None):
        """Rows of a statement."""
        with self.connect() as conn, conn.cursor() as cur:
            cur.execute(statement, arguments)
            return cur.fetchall()

    def put(self, ids):
        """New texts under the ids."""
        rows = [(i, make_text(self.rng), make_text(self.rng)) for i in ids]
        with self.connect() as conn, conn.cursor() as cur:
            cur.executemany("REPLACE INTO texts VALUES (%s, %s, %s)", rows)
        self.rows.update({row[0]: row[1:] for row in rows})

    def change(self):
        """Rows come, get other texts, go, and come back."""
        self.put(range(len(self.rows), len(self.rows) + self.rng.randrange(400)))
        self.put(self.rng.sample(sorted(self.rows), 50))
        gone = self.rng.sample(sorted(self.rows), 30)
        self.run(f"DELETE FROM texts WHERE id IN ({','.join(map(str, gone))})")
        back = gone[:15]
        for i in gone:
            del self.rows[i]
        self.put(back)

    def search(self, n):
        """Random queries, on the cores and in the gateway."""
        for _ in range(n):
            terms = [make_term(self.rng) for _ in range(self.rng.randint(1, 4))]
            names = self.rng.choice(["title", "body", "title, body"])
            picked = [("title", "body").index(c) for c in names.split(", ")]
            text = " ".join(map(write_term, terms))
            wanted = {i for i, row in self.rows.items()
                      if query_holds(terms, [row[c] for c in picked])}
            where = f"MATCH ({names}) AGAINST (%s IN BOOLEAN MODE)"
            for condition, ids in ((where, wanted), (f"NOT {where}", self.rows.keys() - wanted),
                                   (f"{where} + 0 = 1", wanted)):
                found = self.run(f"SELECT id FROM texts WHERE {condition}", (text,))
                expect({row[0] for row in found}, set(ids), f"{names}: {text!r}: {condition}")
            self.asked += 1
            self.telling += 0 < len(wanted) < len(self.rows)

    def like(self, n):
        """LIKE is exact: letter by letter, also in searchable columns."""
        for _ in range(n):
            part = "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(1, 2)))
            wanted = {i for i, (_, body) in self.rows.items() if body is not None and part in body}
            found = self.run("SELECT id FROM texts WHERE body LIKE %s", (f"%{part}%",))
            expect({row[0] for row in found}, wanted, f"LIKE %{part}%")

    def check_all(self):
        """Every row is there."""
        expect(dict((row[0], row[1:]) for row in self.run("SELECT * FROM texts")), self.rows)

    def check_telling(self):
        """Over all of a run: of so many queries, far fewer than a tenth that tell something would be a broken test."""
        assert self.telling > self.asked // 10, f"only {self.telling} of {self.asked} queries found some rows, not all"


def test_words_of_changing_rows():
    """With restarts of both kinds between."""
    seed = support.seed()
    with Node() as server:
        world = World(server.connect, seed)
        world.put(range(1500))
        for step in range(5):
            world.change()
            world.search(25)
            world.like(10)
            if step == 1:
                server.kill()
                server.start()
            elif step == 3:
                server.restart()
        world.check_all()
        world.check_telling()


def test_node_and_proxy():
    """The same through messages."""
    support.need("quanta-node", "quanta-proxy")
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(quanta.Server(
            "quanta-node", "--data-dir", os.path.join(folder("node-"), "data"), "--grpc-port", 0,
            "--http-port", 0, "--consul-endpoint", "none"))
        proxy = stack.enter_context(quanta.Server(
            "quanta-proxy", "--node", f"127.0.0.1:{node.ports['grpc']}", "--mysql-port", 0,
            "--token-port", 0, "--http-port", 0, "--bind", "127.0.0.1"))
        import pymysql
        world = World(lambda: pymysql.connect(
            host="127.0.0.1", port=proxy.ports["mysql"], user="root", database="quanta",
            charset="utf8mb4", autocommit=True, read_timeout=support.HANG_SECONDS), 7)
        world.put(range(1200))
        world.change()
        world.search(30)
        world.like(5)


def test_command_line_client():
    """What a user sees; definitions can be run again."""
    with Node() as server:
        def ask(text):
            done = mariadb(server.ports["mysql"], "--batch", "--skip-column-names",
                           "--default-character-set=utf8mb4", "quanta", text=text)
            return done.stdout.strip() or done.stderr.strip()

        ask("CREATE TABLE dishes (id INT PRIMARY KEY, name VARCHAR(80), price INT, "
            "FULLTEXT KEY n (name)); INSERT INTO dishes VALUES (1, 'Crème brûlée', 7), "
            "(2, 'Käsespätzle', 11), (3, 'Creme of tomato', 5), (4, NULL, 1);")
        expect(ask("SELECT id FROM dishes WHERE MATCH (name) AGAINST ('CREME') ORDER BY id"),
               "1\n3")
        expect(ask("SELECT id FROM dishes WHERE MATCH (name) AGAINST "
                   "('+creme -\"creme brulee\"' IN BOOLEAN MODE)"), "3")
        expect(ask("SELECT name, MATCH (name) AGAINST ('kase*' IN BOOLEAN MODE) FROM dishes "
                   "WHERE id = 2"), "Käsespätzle\t1")
        expect(ask("SELECT id FROM dishes WHERE name LIKE '%creme%'"), "")
        assert "1191" in ask("SELECT id FROM dishes WHERE MATCH (price) AGAINST ('7')")
        made = ask("SHOW CREATE TABLE dishes").split("\t", 1)[1].replace("\\n", "\n")
        assert "FULLTEXT KEY `name` (`name`)" in made, made
        ask("DROP TABLE dishes")
        expect(ask(made), "")
        expect(ask("SELECT index_name FROM information_schema.statistics WHERE table_name = "
                   "'dishes' AND index_type = 'FULLTEXT'"), "name")


if __name__ == "__main__":
    support.need("quanta")
    support.run_tests(globals())

"""A run of the differential tests: statements go to all sides, answers are compared, and kept."""

import random
import time

import compare
import quanta
import tables
from changes import Changes
from generate import Generator, clauses
from known import explanation
from report import Finding, Report
from shrink import shrink
from sqltree import kinds

SHRINK_SECONDS = 8
SHRINK_TOTAL_SECONDS = 150
WHOLE_ROWS = 6000      # tables up to this size are compared in full after each change
READ_SECONDS = quanta.HANG_SECONDS
# Refused by MariaDB alone. 1055, not in GROUP BY: it does not see that an expression of the select list is one of the
# groups. 1267, collations: its functions of JSON give another one than the constants of the connection.
STRICTER = (1055, 1267)


class Side:
    """A server and a connection to it that comes back after a loss."""

    def __init__(self, name, server, dialect):
        self.name, self.server, self.dialect = name, server, dialect
        self.connection = None
        self.seconds = 0.0
        self.reconnect()

    def reconnect(self):
        """A new connection; a server that died is started again."""
        if self.connection:
            self.close()
        if isinstance(self.server, quanta.Quanta) and not self.server.server.is_running():
            print(f"{self.name} died:\n{self.server.server.error_text()[-3000:]}", flush=True)
            self.server.server.start()
        self.connection = self.server.connect(read_timeout=READ_SECONDS)

    def close(self):
        """Ends the connection, whatever state it is in."""
        try:
            self.connection.close()
        except Exception:  # already lost
            pass

    def ask(self, tree):
        """The answer to a statement: a tree or a text."""
        text = tree if isinstance(tree, str) else tree.render(self.dialect)
        answer = compare.ask(self.connection, text)
        self.seconds += answer.seconds
        if answer.is_lost:
            time.sleep(0.3)
            self.reconnect()
        return answer


class Run:
    """One comparison of an oracle with one or more subjects."""

    def __init__(self, seed, made, oracle, subjects):
        self.seed, self.tables = seed, made
        self.oracle, self.subjects = oracle, subjects
        self.report = Report(seed)
        self.rng = random.Random(seed)
        self.generator = Generator(self.rng, made)
        self.changes = Changes(self.rng, made, self.generator.sources)
        self.shrink_seconds = SHRINK_TOTAL_SECONDS

    # ---- queries ---------------------------------------------------------------------------

    def query(self, tree):
        """Compares the answers to one SELECT."""
        report = self.report
        ours = self.oracle.ask(tree)
        if ours.code in compare.TIMEOUT_CODES or ours.is_lost:
            report.skipped["too slow for MariaDB"] += 1
            return
        report.statements += 1
        report.nonempty += not compare.is_empty(ours)
        report.clauses.update(clauses(tree))
        agree = True
        for side in self.subjects:
            theirs = side.ask(tree)
            found = self._difference(tree, ours, theirs)
            if not found:
                if ours.code is not None:
                    report.refused[f"{ours.code}/{theirs.code}"] += 1
                continue
            if found.kind == "accepts" and ours.code in STRICTER:
                report.refused[f"{ours.code}/none"] += 1
                continue
            known = explanation(tree.render(side.dialect), found.kind)
            if known:
                report.explained[known] += 1
                break
            agree = False
            self._keep(tree, side, found, theirs)
            break
        report.agreeing += agree

    @staticmethod
    def _difference(tree, ours, theirs):
        found = kinds(tree)
        relative = compare.RELATIVE_VARIANCE if "variance" in found else compare.RELATIVE
        # An expression without an alias is called by its text, which is another with these.
        names = not {"list =", "list in"} & found.keys()
        return compare.difference(ours, theirs, tree.total, names, relative)

    def _keep(self, tree, side, found, theirs):
        cause = found.cause(theirs)
        if not self.report.wants_example(cause) and found.kind in ("fails", "names"):
            self.report.add(cause)
            return
        if self.shrink_seconds <= 0:
            self.report.add(cause + " (not shrunk)")
            return
        start = time.monotonic()

        def disagrees(smaller):
            ours, theirs = self.oracle.ask(smaller), side.ask(smaller)
            if ours.code in compare.TIMEOUT_CODES:
                return False
            other = self._difference(smaller, ours, theirs)
            if found.kind == "accepts" and ours.code in STRICTER:
                return False  # another thing, and no finding
            return other is not None and other.cause(theirs) == cause

        smallest = shrink(tree, disagrees, min(SHRINK_SECONDS, self.shrink_seconds))
        self.shrink_seconds -= time.monotonic() - start
        ours, theirs = self.oracle.ask(smallest), side.ask(smallest)
        again = self._difference(smallest, ours, theirs) or found
        if found.kind not in ("fails", "names", "lost connection"):
            cause += ": " + " ".join(sorted(k for k in kinds(smallest)
                                            if k not in ("select", "column", "literal", "group")))
        finding = Finding(side.name, again, tree.render(side.dialect),
                          smallest.render(side.dialect), ours, theirs)
        self.report.add(cause, finding if self.report.wants_example(cause) else None)

    # ---- changes -----------------------------------------------------------------------------

    def change(self):
        """Applies a random change to all sides and compares its effect."""
        table, tree = self.changes.statement()
        report = self.report
        report.changes += 1
        report.clauses.update(kinds(tree))
        ours = self.oracle.ask(tree)
        answers = [(side, side.ask(tree)) for side in self.subjects]
        agree = True
        for side, theirs in answers:
            found = self._change_difference(table, side, ours, theirs)
            if not found:
                if ours.code is not None:
                    report.refused[f"{ours.code}/{theirs.code}"] += 1
                continue
            agree = False
            cause = f"{tree.kind}, {found.cause(theirs)}"
            text = tree.render(side.dialect)
            report.add(cause, Finding(side.name, found, text, text, ours, theirs)
                       if report.wants_example(cause) else None)
            self._repair(table, side)
        report.changes_agreeing += agree

    def _change_difference(self, table, side, ours, theirs):
        found = compare.difference(ours, theirs, False)
        if not found and ours.code is None and ours.affected != theirs.affected:
            found = compare.Difference("affected rows", f"{ours.affected} and {theirs.affected}")
        return found or self._table_difference(table, side, len(table.rows) <= WHOLE_ROWS)

    def _table_difference(self, table, side, whole):
        """Whether a table differs between the oracle and one side."""
        if whole:
            text = f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}"
        else:
            numbers = [c.name for c in table.columns if c.kind in ("int", "dec", "bool")]
            counted = [f"COUNT({c.name})" for c in table.columns if c.kind != "list"]
            text = "SELECT COUNT(*), " + ", ".join([f"SUM({n})" for n in numbers] + counted) + \
                f" FROM {table.name}"
        ours = self.oracle.ask(f"SET STATEMENT max_statement_time=0 FOR {text}")
        found = compare.difference(ours, side.ask(text), whole, names=False)
        if found:
            found.kind = f"table afterwards, {found.kind}"
        return found

    def _repair(self, table, side):
        """Brings a side's table back to the oracle's rows, so that the run can go on."""
        if not self._table_difference(table, side, True):
            return
        text = f"SELECT * FROM {table.name}"
        at = [table.position(k) for k in table.key]
        ours, theirs = self.oracle.ask(text).rows, side.ask(text).rows
        mine, other = ({tuple(r[i] for i in at): r for r in rows} for rows in (ours, theirs))
        for key in {k for k, r in other.items() if mine.get(k) != r}:
            side.ask(f"DELETE FROM {table.name} WHERE " + " AND ".join(
                f"{name} = {tables.literal(v)}" for name, v in zip(table.key, key)))
        for key in {k for k, r in mine.items() if other.get(k) != r}:
            values = ", ".join(tables.literal(v) for v in mine[key])
            side.ask(f"REPLACE INTO {table.name} VALUES ({values})")
        if self._table_difference(table, side, True):
            raise quanta.QuantaError(f"table {table.name} of {side.name} cannot be repaired")

    def whole_tables(self, when):
        """Compares all tables in full."""
        for table in self.tables.values():
            for side in self.subjects:
                found = self._table_difference(table, side, True)
                if found:
                    answer = compare.Answer()
                    self.report.add(f"{when}: {table.name}: {found.kind}", Finding(
                        side.name, found, "", f"SELECT * FROM {table.name}", answer, answer))
                    self._repair(table, side)

    # ---- the whole run -------------------------------------------------------------------------

    def restart(self):
        """Stops and starts the subjects: what was acknowledged must be there."""
        for side in self.subjects:
            if isinstance(side.server, quanta.Quanta):
                side.close()
                side.server.restart()
                side.reconnect()

    def go(self, statements, changes):
        """Queries on what was loaded; changes; queries with changes between them."""
        self.whole_tables("as loaded")
        before = statements // 2 if changes else statements
        for _ in range(before):
            self.query(self.generator.statement())
        if not changes:
            return
        for _ in range(changes):
            self.change()
        self.whole_tables("after changes")
        self.restart()
        self.whole_tables("after a restart")
        for i in range(statements - before):
            self.query(self.generator.statement())
            if i % 10 == 9:
                self.change()
        self.whole_tables("at the end")

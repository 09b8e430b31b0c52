"""What a run of the differential tests found, counted and grouped."""

from collections import Counter

EXAMPLES = 3
CLAUSES_PER_LINE = 5


class Finding:
    """One disagreement: the statement as found, the smallest one, and both answers to it."""

    def __init__(self, subject, difference, statement, smallest, ours, theirs):
        self.subject, self.difference = subject, difference
        self.statement, self.smallest = statement, smallest
        self.ours, self.theirs = ours, theirs

    def __str__(self):
        return (f"  {self.smallest}\n    {self.difference.kind}: {self.difference.detail[:600]}\n"
                f"    MariaDB: {str(self.ours)[:500]}\n"
                f"    {self.subject}: {str(self.theirs)[:500]}")


class Report:
    """Counts of a run. Owner: the run."""

    def __init__(self, seed):
        self.seed = seed
        self.statements = self.agreeing = self.nonempty = 0
        self.changes = self.changes_agreeing = 0
        self.refused = Counter()   # errors on both sides: pair of codes
        self.skipped = Counter()
        self.explained = Counter()  # differences that docs/sql.md has
        self.clauses = Counter()
        self.causes = Counter()
        self.findings = {}         # cause to findings

    @property
    def disagreements(self):
        """How many there were."""
        return sum(self.causes.values())

    @property
    def nonempty_share(self):
        """Share of the statements with something in their result."""
        return self.nonempty / self.statements if self.statements else 0.0

    def wants_example(self, cause):
        """Whether another one of this cause is worth the time to shrink it."""
        return len(self.findings.get(cause, ())) < EXAMPLES

    def add(self, cause, finding=None):
        """Counts a disagreement and keeps it as an example."""
        self.causes[cause] += 1
        if finding:
            self.findings.setdefault(cause, []).append(finding)

    def findings_text(self):
        """All disagreements, grouped by cause, the most frequent first."""
        lines = []
        for cause, count in self.causes.most_common():
            lines.append(f"{count} x {cause}")
            lines += [str(f) for f in self.findings.get(cause, ())]
        return "\n".join(lines)

    def __str__(self):
        counted = [f"{name} {count}" for name, count in self.clauses.most_common()]
        clauses = "\n".join("  " + ", ".join(counted[i:i + CLAUSES_PER_LINE])
                            for i in range(0, len(counted), CLAUSES_PER_LINE))
        lines = [f"clauses:\n{clauses}"]
        if self.refused:
            lines.append("refused by both (codes of MariaDB/quanta): " + ", ".join(
                f"{codes} {count}" for codes, count in self.refused.most_common()))
        if self.skipped:
            lines.append("left out: " + ", ".join(f"{k} {n}" for k, n in self.skipped.items()))
        if self.explained:
            lines.append("explained: " + ", ".join(f"{k} {n}" for k, n in self.explained.items()))
        if self.causes:
            lines.append("disagreements:\n" + self.findings_text())
        lines.append(f"{self.statements} statements, {self.nonempty_share:.1%} with rows, "
                     f"{self.agreeing} agree; {self.changes} changes, {self.changes_agreeing} "
                     f"agree; {self.disagreements} disagreements; seed {self.seed}")
        return "\n".join(lines)

"""
Differences from MariaDB that are explained in docs/sql.md, "Compared with MariaDB": as narrow as a look at the statement
and at the kind of the difference can be.
"""

import re

FRAME = r"[^)]*ROWS (BETWEEN )?(\d+ PRECEDING|CURRENT ROW)"  # one that rows leave

KNOWN = [
    ("decimals of 30 digits, not 38", ("values", "order"), re.compile(r"\b(ROUND|TRUNCATE)\(.*, 40\)")),
    ("BIT_ over frames that a NULL leaves", ("values", "row count"),
     re.compile(r"\bBIT_(AND|OR|XOR)\(small\) OVER (\(" + FRAME + r"|w .*WINDOW w AS \(" + FRAME + ")")),
    ("texts converted to utf8mb4 keep their collation", ("values", "order", "row count"), re.compile(r"\bUSING utf8mb4\)")),
]


def explanation(text, kind):
    """Which of them a difference of this kind is, or None."""
    return next((name for name, kinds, pattern in KNOWN if kind in kinds and pattern.search(text)), None)

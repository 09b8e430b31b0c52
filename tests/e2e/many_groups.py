#!/usr/bin/python3
"""
More groups than the memory of a statement holds, and a memory that a cgroup limits: the answers are those with room for
all, and the budget is three quarters of the cgroup's.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from figures import metrics
from support import EVENTS_SCHEMAS, Node, expect, folder, quanta

ROWS = 400000
MEMORY = 64 << 20
STATEMENTS = [
    "SELECT count(DISTINCT id) FROM events",
    "SELECT count(DISTINCT user_id), count(*) FROM events",
    "SELECT count(DISTINCT revenue) FROM events",
    "SELECT device, count(DISTINCT user_id) FROM events GROUP BY device ORDER BY device",
    "SELECT id, count(*) AS c, sum(duration) FROM events GROUP BY id ORDER BY c DESC, id LIMIT 10",
    "SELECT user_id, count(*) AS c, max(ts) FROM events GROUP BY user_id ORDER BY c DESC, user_id LIMIT 10",
    "SELECT count(*), sum(c) FROM (SELECT user_id, content_id, count(*) AS c FROM events "
    "GROUP BY user_id, content_id) AS pairs",
]


def answers(server):
    """Of all statements."""
    with server.connect() as conn, conn.cursor() as cur:
        out = []
        for statement in STATEMENTS:
            cur.execute(statement)
            out.append(cur.fetchall())
        return out


def test_answers_do_not_depend_on_memory():
    """As much as is there, little, and little for two cores with many slots."""
    path = os.path.join(folder("events-"), "events.parquet")
    quanta.generate("events", ROWS, path, 1)
    right = None
    for arguments in ([], ["--memory", MEMORY, "--cores", 1],
                      ["--memory", 2 * MEMORY, "--cores", 2, "--slots", 16]):
        with Node(*arguments, schema_dir=EVENTS_SCHEMAS) as server:
            expect(quanta.load(server.ports["grpc"], path, "events").new, ROWS, "rows loaded")
            found = answers(server)
            expect(found[0], ((ROWS,),))
            right = right or found
            for statement, wanted, got in zip(STATEMENTS, right, found):
                expect(got, wanted, f"{statement} with {arguments}")


def as_if_in(cgroup):
    """What to put before a command so that it finds this tree of cgroups; None where that is not allowed."""
    script = 'mount --bind "$0" /sys/fs/cgroup && exec "$@"'
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):
        prefix = [*unshare, "sh", "-c", script, cgroup]
        try:
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
        except FileNotFoundError:
            return None
    return None


def test_budget_comes_from_the_cgroup():
    """Both forms of the limit; --memory overrides it."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        tree = folder("cgroup-")
        os.makedirs(os.path.join(tree, "memory"))
        with open(os.path.join(tree, name), "w", encoding="ascii") as file:
            file.write(f"{MEMORY // 3 * 4}\n")
        prefix = as_if_in(tree)
        if not prefix:
            print("no mount namespace may be made here: the cgroup's limit is not tested")
            return
        with open("/proc/self/cgroup", encoding="ascii") as file:
            lines = [line.split(":", 2)[1] for line in file]
        if ("" if name == "memory.max" else "memory") not in lines:
            print(f"no hierarchy here that has {name}")
            continue
        for arguments, budget in (([], MEMORY), (["--memory", 2 * MEMORY], 2 * MEMORY)):
            with Node("--cores", 1, *arguments, prefix=prefix,
                      schema_dir=EVENTS_SCHEMAS) as server:
                limit = sum(metrics(server)["quanta_core_memory_limit_bytes"].values())
                assert abs(limit - budget * 15 // 16) < 4096, f"{limit} with {name}, {arguments}"


if __name__ == "__main__":
    support.need("quanta", "quanta-loader", "quanta-bench")
    support.run_tests(globals())

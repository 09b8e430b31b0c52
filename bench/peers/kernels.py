"""Time of the cores on the queries that memory bounds, beside what memory gives."""

import json
import os
import statistics
import subprocess

# Bits of a row that a query cannot do without: a bitmap of each value asked for, the 20 slices of a sum over durations,
# and of a range the bitmap of `live` and the 12.4 slices after which a line of 512 rows is mostly decided.
BITS = {"Q2": 2, "Q3": 3 + 20, "Q5": 1 + 12.4}
DRAM_BYTES = 400_000_000


def _bandwidth(program, sizes):
    """{bytes: GB/s of all processors}, and that of memory beyond the caches."""
    out = subprocess.run([program, *map(str, sizes)], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {case["bytes"]: case["gb_per_s"] for case in map(json.loads, out.splitlines())}


def lines(facts, found):
    """A table in Markdown, empty where nothing was measured."""
    program = os.path.join(os.environ.get("QUANTA_BIN_DIR", ""), "../bench/bandwidth_bench")
    ours, rows = facts[0]["name"], facts[0]["rows"]
    times = {q: found[q][ours]["executor_us"] for q in BITS if found.get(q, {}).get(ours, {}).get("executor_us")}
    if not times or not os.access(program, os.X_OK):
        return []
    sizes = {query: int(rows * BITS[query] / 8) for query in times}
    rates = _bandwidth(program, [*sizes.values(), DRAM_BYTES])
    out = [f"Time on the cores beside a program that only reads as many bytes (DRAM: {rates[DRAM_BYTES]:.1f} GB/s):", "",
           "| query | MB | cores ms | best ms | GB/s | bandwidth GB/s | share | share of best |", "|---" + "|---:" * 7 + "|"]
    for query, size in sizes.items():
        median, best = statistics.median(times[query]), min(times[query])
        rate = rates[size]
        out.append(f"| {query} | {size / 1e6:.1f} | {median / 1e3:.3f} | {best / 1e3:.3f} | {size / median / 1e3:.1f} | "
                   f"{rate:.1f} | {size / median / 1e3 / rate:.0%} | {size / best / 1e3 / rate:.0%} |")
    return out + [""]

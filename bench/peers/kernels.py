"""Time of the cores on the queries that memory bounds, beside what memory gives."""

import json
import os
import statistics
import subprocess

# Bits of a row that a query cannot do without: a bitmap of each value asked for, the 20 slices of a sum over durations,
# and of a range the bitmap of `live` and the 12.4 slices after which a line of 512 rows is mostly decided. Then those
# that it may read: constants vary from run to run, and with them which of 8 devices' and 12 events' bitmaps are read.
BITS = {"Q2": (2, 8 + 12), "Q3": (3 + 20, 8 + 12 + 20), "Q5": (1 + 12.4, 2 + 20)}
DRAM_BYTES = 400_000_000


def _bandwidth(program, sizes):
    """{bytes: GB/s of all processors}, of (bytes, out of so many)."""
    out = subprocess.run([program, *(f"{size}:{of}" for size, of in sizes)], stdout=subprocess.PIPE, check=True,
                         text=True).stdout
    return {case["bytes"]: case["gb_per_s"] for case in map(json.loads, out.splitlines())}


def lines(facts, found):
    """A table in Markdown, empty where nothing was measured."""
    program = os.path.join(os.environ.get("QUANTA_BIN_DIR", ""), "../bench/bandwidth_bench")
    ours, rows = facts[0]["name"], facts[0]["rows"]
    times = {q: found[q][ours]["executor_us"] for q in BITS if found.get(q, {}).get(ours, {}).get("executor_us")}
    if not times or not os.access(program, os.X_OK):
        return []
    sizes = {query: tuple(int(rows * bits / 8) for bits in BITS[query]) for query in times}
    rates = _bandwidth(program, [*sizes.values(), (DRAM_BYTES, DRAM_BYTES)])
    out = ["Time on the cores beside a program that only reads as many bytes, of those that any constants would read "
           f"(DRAM: {rates[DRAM_BYTES]:.1f} GB/s):", "",
           "| query | MB | of MB | cores ms | best ms | GB/s | bandwidth GB/s | share | share of best |", "|---" + "|---:" * 8 + "|"]
    for query, (size, of) in sizes.items():
        median, best = statistics.median(times[query]), min(times[query])
        rate = rates[size]
        out.append(f"| {query} | {size / 1e6:.1f} | {of / 1e6:.1f} | {median / 1e3:.3f} | {best / 1e3:.3f} | {size / median / 1e3:.1f} | "
                   f"{rate:.1f} | {size / median / 1e3 / rate:.0%} | {size / best / 1e3 / rate:.0%} |")
    return out + [""]

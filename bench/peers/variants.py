"""
The work `variants`: the same rows and queries on servers of different settings, side by side in one run: one core, other
kernels, many slots, partitions of a day. The rows are loaded once for every way to lay them out; servers that differ by
what they run with only have a copy of the folder.
"""

import math
import os
import shutil
import statistics

import report
from engine import TOP, processor_us
from engine_quanta import Quanta

DAYS = os.path.join(TOP, "conf/events_p")
LOADED = [("plain", [], None), ("slots 64", ["--slots", "64"], None), ("days", [], DAYS),
          ("days, slots 64", ["--slots", "64"], DAYS)]
COPIES = [("1 core", ["--cores", "1"]), ("avx512bw", ["--kernels", "avx512bw"]), ("avx2", ["--kernels", "avx2"]),
          ("scalar", ["--kernels", "scalar"])]


def start_all(place, files, work, options):
    """Servers with rows, the plain one first; those of `options.variants` only."""
    chosen = ["plain", *(options.variants or [variant[0] for variant in LOADED + COPIES])]
    copies = [copy for copy in COPIES if copy[0] in chosen]
    servers = []
    try:
        for name, flags, schemas in LOADED:
            if name not in chosen:
                continue
            server = Quanta(place, options.rows, flags, schemas or work.schemas, name.replace(", ", "-"))
            server.label = name
            servers.append(server)
            server.start()
            server.load(files)
            server.settle()
            report.say(f"{name}: loaded")
        if copies:
            servers[0].worker.close()
            servers[0].node.stop()
        for name, flags in copies:
            server = Quanta(place, options.rows, flags, work.schemas, name)
            server.label = name
            shutil.copytree(servers[0].node.data_dir, server.node.data_dir)
            servers.append(server)
        for server in [servers[0], *servers[len(servers) - len(copies):]] if copies else []:
            server.start()
            server.settle()
    except BaseException:
        stop_all(servers)
        raise
    return servers


def stop_all(servers):
    """Also one that never started."""
    for server in servers:
        server.__exit__()


def measure(servers, texts, runs):
    """{label: {"us": times, "cpu": of processors, "cores": of the slowest core}}, a round on all servers in turn."""
    found = {server.label: {"us": [], "cpu": [], "cores": []} for server in servers}
    for run in range(runs):
        first = run % len(servers)
        for server in servers[first:] + servers[:first]:
            figures = found[server.label]
            server.time(None, texts[2 * run])
            busy = processor_us(server.pid)
            figures["us"].append(server.time(None, texts[2 * run + 1]))
            figures["cpu"].append(processor_us(server.pid) - busy)
            figures["cores"].append(server.executor_us(texts[2 * run + 1]) or math.nan)
    return found


def table(title, found, labels, cell):
    """Lines of a table with a row per query and a column per server."""
    lines = ["", title, "", "| query | " + " | ".join(labels) + " |", "|---|" + "---:|" * len(labels)]
    return lines + [f"| {query} | " + " | ".join(cell(figures, label) for label in labels) + " |"
                    for query, figures in found.items()]


def ratio(kind, choose):
    """A cell: a server's figure over the plain one's."""
    return lambda figures, label: f"{choose(figures[label][kind]) / choose(figures['plain'][kind]):.2f}"


def run(place, work, files, options):
    """Prints the tables: the exit status."""
    servers = start_all(place, files, work, options)
    found = {}
    try:
        labels = [server.label for server in servers]
        for query, texts in work.statements(options.rows, options).items():
            found[query] = measure(servers, texts, options.runs)
            report.say(f"{query}: " + ", ".join(
                f"{label} {statistics.median(found[query][label]['us']) / 1e3:.2f}" for label in labels))
        sizes = [f"{server.label} {server.sizes()['memory'] / options.rows:.1f} and "
                 f"{server.sizes()['disk'] / options.rows:.1f}" for server in servers]
    finally:
        stop_all(servers)
    others = labels[1:]
    counted = [query for query in found if query in work.counted]
    lines = ["- Bytes a row in memory and on disk: " + ", ".join(sizes)]
    for title, kind in (("Milliseconds, medians:", "us"), ("Of the slowest core, best:", "cores")):
        choose = min if kind == "cores" else statistics.median
        lines += table(title, found, labels,
                       lambda figures, label, kind=kind, choose=choose: f"{choose(figures[label][kind]) / 1e3:.3g}")
    lines += table("Over plain, median times:", found, others, ratio("us", statistics.median))
    lines += table("Over plain, best times:", found, others, ratio("us", min))
    lines += table("Over plain, slowest core, best:", found, others, ratio("cores", min))
    lines += table("Over plain, time of processors, best:", found, others, ratio("cpu", min))
    means = {label: math.exp(statistics.mean(
        math.log(min(found[query][label]["us"]) / min(found[query]["plain"]["us"])) for query in counted))
             for label in others if counted}
    lines += ["", "Geometric mean of the queries that count, best times over plain: " +
              ", ".join(f"{label} {mean:.2f}" for label, mean in means.items()), ""]
    report.publish(f"variants, {options.rows / 1e6:g} M rows", lines, found, options)
    return 0

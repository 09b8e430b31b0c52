"""Tables, JSON and the plot of a comparison."""

import datetime
import json
import math
import os
import platform
import re
import statistics
import sys

import kernels
import plot

SKIPPED = "not in its SQL"


def _ms(microseconds):
    """Three digits of a time."""
    ms = microseconds / 1e3
    return f"{ms:.3f}" if ms < 1 else f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def _median(figures, kind):
    if kind == "best_us":
        return min(figures["warm_us"]) if figures.get("warm_us") and "error" not in figures else None
    return statistics.median(figures[kind]) if figures.get(kind) and "error" not in figures else None


def ratio(found, ours, peer, kind="warm_us"):
    """The peer's time over ours, or None."""
    left, right = _median(found.get(ours, {}), kind), _median(found.get(peer, {}), kind)
    return right / left if left and right else None


def mean_ratio(found, ours, peer, queries, kind="warm_us"):
    """(geometric mean, number of queries in it)."""
    ratios = [r for r in (ratio(found[q], ours, peer, kind) for q in queries if q in found) if r]
    return (math.exp(statistics.mean(map(math.log, ratios))) if ratios else None), len(ratios)


def progress(query, engines, found):
    """A line while it goes on."""
    words = [query]
    for engine in engines:
        figures = found[engine.name]
        median = _median(figures, "warm_us")
        words.append(f"{engine.name} {_ms(median)} ms" if median else
                     f"{engine.name}: {figures.get('error', 'no time')}")
    return ", ".join(words)


def _cell(figures, kind):
    if "error" in figures:
        return "–" if figures["error"] == SKIPPED else "error"
    median = _median(figures, kind)
    if median is None:
        return "–"
    runs = len(figures[kind])
    return _ms(median) + (f" ({runs} run{'s' * (runs > 1)})" if runs < 5 else "")


def _ratio_cell(value):
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _kinds(found):
    """Columns that hold something."""
    return [(kind, label) for kind, label in (("warm_us", "warm"), ("cold_us", "cold"))
            if any(kind in figures for engines in found.values() for figures in engines.values())]


def _has_cores(found, peer):
    return any("executor_us" in engines[peer] for engines in found.values())


def table(facts, found):
    """Lines of Markdown."""
    ours, peers = facts[0]["name"], [fact["name"] for fact in facts[1:]]
    kinds = _kinds(found)
    head = ["query"] + [f"{ours} {label}" for _, label in kinds] + ["cores only"]
    for peer in peers:
        head += [f"{peer} {label}" for _, label in kinds] + [f"ratio {label}" for _, label in kinds] + ["best runs", "processor"]
        head += [f"{peer} cores", "ratio cores"] * _has_cores(found, peer)
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for query, engines in found.items():
        cells = [query] + [_cell(engines[ours], kind) for kind, _ in kinds] + [_cell(engines[ours], "executor_us")]
        for peer in peers:
            cells += [_cell(engines[peer], kind) for kind, _ in kinds]
            cells += [_ratio_cell(ratio(engines, ours, peer, kind)) for kind, _ in kinds + [("best_us", ""), ("cpu_us", "")]]
            if _has_cores(found, peer):
                cells += [_cell(engines[peer], "executor_us"), _ratio_cell(ratio(engines, ours, peer, "executor_us"))]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _size(value):
    return f"{value / 1e6:.0f} MB"


def describe(facts):
    """A line for each engine: how it was set up, its load and sizes."""
    lines = []
    for fact in facts:
        words = [f"{fact['rows'] / 1e6:g} M rows loaded in {fact['load_s']:.1f} s"]
        for what in ("memory", "disk"):
            if what in fact:
                words.append(f"{_size(fact[what])} {what} ({fact[what] / fact['rows']:.1f} B/row)")
        lines.append(f"- {fact['name']}: {fact['note']}; " + ", ".join(words))
    return lines


def means(facts, found, counted):
    """Lines with the means of each peer."""
    lines = []
    ours = facts[0]["name"]
    others = [q for q in found if q not in counted]
    for fact in facts[1:]:
        words = []
        for label, queries, kind in (("warm", counted, "warm_us"), ("cold", counted, "cold_us"),
                                     ("best runs", counted, "best_us"), ("processor time", counted, "cpu_us"),
                                     ("on the cores", counted, "executor_us"),
                                     ("the others warm", others, "warm_us")):
            mean, n = mean_ratio(found, ours, fact["name"], queries, kind)
            if mean:
                words.append(f"{label} {mean:.1f} ({n} queries)")
        lines.append(f"{fact['name']}'s time over {ours}'s, geometric mean of {counted[0]} to {counted[-1]}: " + ", ".join(words))
    return lines


def errors(found):
    """Lines about what went wrong."""
    return [f"- {query}, {name}: {figures['error']}" for query, engines in found.items()
            for name, figures in engines.items() if figures.get("error", SKIPPED) != SKIPPED]


def machine():
    """One line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) / 2 ** 20
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} processors, "
            f"{memory:.0f} GiB, Linux {platform.release().split('-')[0]}")


def _write_results(path, title, lines):
    """The newest section stands first, below the head of the file."""
    head, sections = "", ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            head, mark, sections = file.read().partition("\n## ")
        sections = mark.lstrip("\n") + sections
    with open(path, "w", encoding="utf-8") as file:
        file.write(head.rstrip("\n") + f"\n\n## {title}\n\n" + "\n".join(lines) + "\n\n" + sections)


def say(line):
    """While it goes on."""
    print(line, file=sys.stderr, flush=True)


def publish(what, lines, times, options):
    """Table, JSON and results of a work other than `events`."""
    title = f"{datetime.date.today()}, {what}, {machine()}"
    print(title, "", *lines, sep="\n")
    if options.out:
        os.makedirs(options.out, exist_ok=True)
        with open(os.path.join(options.out, options.work + ".json"), "w", encoding="utf-8") as file:
            json.dump({"title": title, "times": times}, file, indent=1)
    if options.results:
        _write_results(options.results, title, lines)


def _write_files(options, sections, title):
    """All times as JSON, the medians as a plot."""
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, options.work)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump({"title": title, "sections": [{"engines": f, "queries": q} for f, q in sections]}, file, indent=1)
    with open(path + ".svg", "w", encoding="utf-8") as file:
        file.write(plot.draw(sections, title))
    print(f"all times: {path}.json; a plot: {path}.svg\n")


def finish(sections, work, options):
    """Prints and writes everything: the exit status."""
    lines, bad = [], []
    for facts, found in sections:
        lines += describe(facts) + ["", "Milliseconds, medians:", ""] + table(facts, found) + [""]
        lines += kernels.lines(facts, found) if options.work == "events" else []
        lines += means(facts, found, work.counted)
        wrong = errors(found)
        lines += (["", "Errors:"] + wrong if wrong else []) + [""]
        bad += wrong
    title = f"{datetime.date.today()}, {options.work}, {options.rows / 1e6:g} M rows, {machine()}"
    print(title, "", *lines, sep="\n")
    if options.out:
        _write_files(options, sections, title)
    if options.results:
        _write_results(options.results, title, lines)
    for facts, found in sections:
        if len(facts) > 1:
            mean, _ = mean_ratio(found, facts[0]["name"], facts[1]["name"], work.counted)
            print(f"geometric mean {mean:.1f}" if mean else "geometric mean –")
            break
    return 1 if bad else 0

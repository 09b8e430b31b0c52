"""Answers compared and times taken, query by query, on engines in turn."""

import ctypes
import math
import os
import sys
import time

import answers
import report
from engine import Failed, processor_us

COLD_BYTES = 256 << 20
SLOW_US = 5e6  # no second comparison of answers and no cold run above this: it would not differ
WARM_UP_BELOW_US = 300e3  # what takes longer than that does not gain from a run before it


class Comparison:
    """Engines with the same rows, ours first, and what was found: {query: {engine: figures}}."""

    def __init__(self, engines, work, rows, place, options):
        self.engines, self.work, self.place, self.options = engines, work, place, options
        self.statements = work.statements(rows, options)
        self.found = {query: {} for query in self.statements}
        self.other_memory = ctypes.create_string_buffer(COLD_BYTES)
        self.flushes = 0

    def cool_caches(self):
        """Other memory through the caches of the processor."""
        self.flushes += 1
        ctypes.memset(self.other_memory, self.flushes & 255, COLD_BYTES)

    def check(self, query):
        """Answers of all engines beside ours; who refuses or differs gets an error in place of figures."""
        paths = [os.path.join(self.place, f"answer-{i}.tsv") for i in range(len(self.engines))]
        for variant in [0] if query in self.work.constant else [0, 1]:
            if max(f.get("check_us", 0) for f in self.found[query].values() or [{}]) > SLOW_US:
                break
            text = self.statements[query][variant]
            for engine, path in zip(self.engines, paths):
                figures = self.found[query].setdefault(engine.name, {})
                if "error" in figures or engine.statement(query, text) is None:
                    figures.setdefault("error", report.SKIPPED)
                    continue
                try:
                    started = time.monotonic()
                    engine.answer(query, text, path)
                    figures["check_us"] = (time.monotonic() - started) * 1e6
                except Failed as error:
                    figures["error"] = str(error)
                    continue
                if path == paths[0] or "error" in self.found[query][self.engines[0].name]:
                    continue
                difference = answers.difference(paths[0], path, query in self.work.ordered)
                if difference:
                    figures["error"] = f"answers differ: ours, its: {difference}: {text}"
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)

    def measure(self, query, cold):
        """Runs in turns: fills the times of all engines."""
        kind, texts = ("cold_us", self.statements[query][::-1]) if cold else \
            ("warm_us", self.statements[query][2:])
        spent = {}
        for run in range(self.options.runs):
            first = run % len(self.engines)
            for engine in self.engines[first:] + self.engines[:first]:
                figures = self.found[query][engine.name]
                if "error" in figures or spent.get(engine.name, 0) > self.options.budget * 1e6:
                    continue
                times = figures.setdefault(kind, [])
                last = times[-1] if times else figures["check_us"]
                if not times and last > (SLOW_US if cold else self.options.budget * 1e6):
                    if not cold:
                        times.append(last)
                    spent[engine.name] = math.inf
                    continue
                try:
                    self.run_once(query, engine, kind, texts[2 * run:2 * run + 2], last)
                except Failed as error:
                    figures["error"] = str(error)
                    continue
                spent[engine.name] = spent.get(engine.name, 0) + times[-1]

    def run_once(self, query, engine, kind, texts, last):
        """One time of an engine; last: microseconds of its run before."""
        figures = self.found[query][engine.name]
        if kind == "cold_us":
            self.cool_caches()
        elif last < WARM_UP_BELOW_US:
            engine.time(query, texts[0])
        busy = processor_us(engine.pid) if engine.pid else 0
        figures[kind].append(engine.time(query, texts[1]))
        if engine.pid and kind == "warm_us":
            figures.setdefault("cpu_us", []).append(processor_us(engine.pid) - busy)

    def executor(self, query):
        """Time on the cores, as EXPLAIN ANALYZE tells it."""
        for engine in self.engines:
            figures = self.found[query][engine.name]
            if "error" in figures or not hasattr(engine, "executor_us"):
                continue
            runs = self.options.runs if figures["check_us"] < SLOW_US else 0
            times = [engine.executor_us(text) for text in self.statements[query][1:1 + runs]]
            times = [t for t in times if t]  # none when a limit was reached before the cores told theirs
            if times:
                figures["executor_us"] = times

    def run(self):
        """All queries; a line each on stderr."""
        for query in self.statements:
            self.check(query)
            self.measure(query, False)
            self.executor(query)
            if self.options.cold:
                self.measure(query, True)
            print(report.progress(query, self.engines, self.found[query]), file=sys.stderr, flush=True)

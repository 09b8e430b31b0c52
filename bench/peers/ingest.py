"""The work `ingest`: a Parquet file of events into a durable table, on all engines in turn."""

import resource
import statistics
import time

import report
from engine_quanta import support


def _processor_seconds(engine):
    """Of the engine, of programs that load into it, and of this one, which sends rows to some."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    loaders = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = support.cpu_seconds(engine.pid) if engine.pid else 0
    return own + mine.ru_utime + mine.ru_stime + loaders.ru_utime + loaders.ru_stime


def _load_once(make, files):
    """(name, note, (seconds, of processors), memory) of one engine that starts with nothing."""
    engine = make()
    try:
        engine.start()
        worked = _processor_seconds(engine)
        started = time.monotonic()
        engine.load_table("events", files)
        took = time.monotonic() - started
        worked = _processor_seconds(engine) - worked
        if not hasattr(engine, "peak_memory"):
            return engine.name, engine.note, (took, worked), None
        peak = engine.peak_memory()
        engine.settle()
        return engine.name, engine.note, (took, worked), (peak, engine.sizes()["memory"])
    finally:
        engine.__exit__()


def run(makers, files, rows, options):
    """Loads alternately, prints a table: the exit status."""
    times, works, notes, memory = {}, {}, {}, []
    for _ in range(options.runs):
        for make in makers:
            name, note, (took, worked), sizes = _load_once(make, files)
            times.setdefault(name, []).append(took)
            works.setdefault(name, []).append(worked / rows * 1e6)
            notes[name] = note
            memory += [sizes] if sizes else []
            report.say(f"{name}: {rows} rows in {took:.1f} s")
    ours = next(iter(times))
    lines = [f"- {name}: {note}" for name, note in notes.items()]
    lines += ["", "| | median s | best s | M rows/s | time over ours | processor s per M rows |",
              "|---|---:|---:|---:|---:|---:|"]
    means = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        means.append(median / statistics.median(times[ours]))
        lines.append(f"| {name} | {median:.1f} | {min(seconds):.1f} | {rows / median / 1e6:.2f} | {means[-1]:.2f} | "
                     f"{statistics.median(works[name]):.2f} |")
    peak, resident = max(memory)
    lines += ["", f"Memory of {ours}: at most {peak / 1e6:.0f} MB while loading, {resident / 1e6:.0f} MB after it "
                  f"({peak / resident:.2f} times, {resident / rows:.1f} B/row).", ""]
    report.publish(f"ingest, {rows / 1e6:g} M rows", lines, {"seconds": times, "processor": works, "memory": memory}, options)
    if len(means) > 1:
        print(f"geometric mean {means[1]:.2f}")
    return 0

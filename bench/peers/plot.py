"""A plot of times as SVG: a group of bars for each query, on a logarithmic scale."""

import math
import statistics

COLORS = ["#1b6ca8", "#e0a030", "#7a5195", "#5a9e6f", "#b04a4a"]
LEFT, TOP, HEIGHT, BAR, GAP = 60, 60, 300, 12, 14


def _series(sections):
    """[(label, {query: milliseconds})]."""
    out = []
    for facts, found in sections:
        for fact in facts:
            times = {q: statistics.median(e[fact["name"]]["warm_us"]) / 1e3 for q, e in found.items()
                     if e.get(fact["name"], {}).get("warm_us") and "error" not in e[fact["name"]]}
            out.append((f"{fact['name']}, {fact['rows'] / 1e6:g} M rows", times))
    return out


def _text(x, y, text, anchor="middle", size=11):
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{text}</text>'


def draw(sections, title):
    """The whole file."""
    series = _series(sections)
    queries = list(dict.fromkeys(q for _, found in sections for q in found))
    values = [v for _, times in series for v in times.values()] or [1]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def y_of(ms):
        return TOP + HEIGHT * (high - math.log10(ms)) / (high - low)

    group = len(series) * BAR + GAP
    width = max(LEFT + len(queries) * group + 20, 640)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 40}" '
             'font-family="sans-serif">', '<rect width="100%" height="100%" fill="white"/>',
             _text(LEFT, 20, f"{title}: milliseconds, warm", "start", 13)]
    for i, (label, _) in enumerate(series):
        parts.append(f'<rect x="{LEFT + 170 * i}" y="30" width="10" height="10" fill="{COLORS[i % len(COLORS)]}"/>')
        parts.append(_text(LEFT + 170 * i + 14, 39, label, "start"))
    for power in range(low, high + 1):
        y = y_of(10 ** power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.0f}" x2="{width - 20}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{10 ** power:g}", "end"))
    for q, query in enumerate(queries):
        x = LEFT + GAP / 2 + q * group
        for i, (_, times) in enumerate(series):
            if query in times:
                y = y_of(times[query])
                parts.append(f'<rect x="{x + i * BAR:.0f}" y="{y:.1f}" width="{BAR - 1}" '
                             f'height="{TOP + HEIGHT - y:.1f}" fill="{COLORS[i % len(COLORS)]}"/>')
        parts.append(_text(x + len(series) * BAR / 2, TOP + HEIGHT + 16, query))
    return "\n".join(parts + ["</svg>", ""])

// Bars or lines of a result: its first text or date column (else its first one) across, its numbers up.
import { el, svg } from "./dom.js";
import { isNumber, isTime, short } from "./format.js";

const SERIES = 6, BARS = 60, POINTS = 2000;
const HEIGHT = 320, TOP = 12, RIGHT = 12;
const LETTER = 6.9, SLANT = 35; // width of a letter, degrees
const SLANT_COS = Math.cos(SLANT * Math.PI / 180), SLANT_SIN = Math.sin(SLANT * Math.PI / 180);

// Which columns are what; null: there is nothing to draw.
const partsOf = ({ columns, rows }) => {
  if (rows.length < 2 || columns.length < 2) return null;
  const label = Math.max(0, columns.findIndex((column) => !isNumber(column)));
  const values = columns.map((column, i) => i).filter((i) => i !== label && isNumber(columns[i])).slice(0, SERIES);
  return values.length ? { label, values } : null;
};

export const canChart = (answer) => partsOf(answer) !== null;

// About five round steps that hold all values and zero.
const scaleOf = (low, high) => {
  const from = Math.min(0, low), to = Math.max(0, high);
  const rough = (to - from || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const first = Math.floor(from / step), last = Math.max(first + 1, Math.ceil(to / step));
  return { low: first * step, high: last * step, ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step) };
};

const labelText = (value) => (value === null ? "NULL" : value.length > 18 ? `${value.slice(0, 17)}…` : value);

// Days of which no time of the day is told need none.
const shortDays = (rows, label, column) => {
  const midnight = " 00:00:00";
  return isTime(column) && rows.every((row) => row[label] === null || row[label].endsWith(midnight)) ? midnight.length : 0;
};

const pointsOf = ({ columns, rows }, { label, values }, most, drop) => rows.slice(0, most).map((row) => ({
  label: labelText(row[label] === null || !drop ? row[label] : row[label].slice(0, -drop)),
  values: values.map((i) => (row[i] === null ? null : Number(row[i]))),
  title: [row[label] ?? "NULL", ...values.map((i) => `${columns[i].name}: ${row[i] ?? "NULL"}`)].join("\n"),
}));

const grid = (scale, y, left, width) => scale.ticks.map((tick) => [
  svg("line", { class: tick === 0 ? "zero" : "grid", x1: left, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
  svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(Number(tick.toPrecision(12))))]);

// As many labels as there is room for; those of bars aslant when they are long.
const labels = (points, { x, slot, longest, aslant, bottom, width }) => {
  const every = Math.max(1, Math.ceil((aslant ? 18 : longest + 14) / slot));
  return points.map((point, i) => {
    const at = x(i), y = HEIGHT - bottom + 18, half = point.label.length * LETTER / 2;
    if (i % every || (!aslant && at + half > width)) return null;
    return svg("text", aslant ? { x: at, y, "text-anchor": "end", transform: `rotate(-${SLANT} ${at} ${y})` }
      : { x: at, y, "text-anchor": "middle" }, point.label);
  });
};

const bars = (points, x, y, slot) => points.map((point, i) => {
  const wide = Math.min(64, slot * 0.8) / point.values.length;
  return point.values.map((value, k) => (value === null ? null : svg("rect", {
    class: `bar-mark s${k + 1}`, x: x(i) + (k - point.values.length / 2) * wide, width: Math.max(1, wide - (wide > 4 ? 1 : 0)),
    y: Math.min(y(value), y(0)), height: Math.max(1, Math.abs(y(value) - y(0))), rx: Math.min(3, wide / 4),
  })));
});

// A line is broken where a value is NULL; a value alone is a dot.
const lines = (points, x, y) => points[0].values.map((_, k) => {
  let path = "", pen = false;
  points.forEach((point, i) => {
    if (point.values[k] !== null) path += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(point.values[k]).toFixed(1)}`;
    pen = point.values[k] !== null;
  });
  const dots = points.length > 80 ? [] : points.map((point, i) => (point.values[k] === null ? null
    : svg("circle", { class: `dot s${k + 1}`, cx: x(i), cy: y(point.values[k]), r: 3 })));
  return [svg("path", { class: `line s${k + 1}`, d: path }), dots];
});

const hits = (points, { x, slot, bottom }) => points.map((point, i) => svg("rect", {
  class: "hit", x: x(i) - slot / 2, width: slot, y: TOP, height: HEIGHT - TOP - bottom,
}, svg("title", {}, point.title)));

// Where everything is: room at the left for numbers and the first label, below for labels.
const placesOf = (points, scale, asLine, width) => {
  const numbers = 14 + LETTER * Math.max(...scale.ticks.map((tick) => short(Number(tick.toPrecision(12))).length));
  const longest = LETTER * Math.max(...points.map((point) => point.label.length));
  const aslant = !asLine && longest + 8 > (width - numbers - RIGHT) / points.length;
  const first = LETTER * points[0].label.length;
  const left = Math.max(numbers, aslant ? first * SLANT_COS + 4 : first / 2);
  const slot = (width - left - RIGHT) / points.length;
  const bottom = aslant ? 26 + longest * SLANT_SIN : 30;
  return { left, slot, longest, aslant, bottom, width,
    x: (i) => left + slot * (i + 0.5),
    y: (value) => TOP + (HEIGHT - TOP - bottom) * (scale.high - value) / (scale.high - scale.low) };
};

const draw = (points, asLine, width) => {
  const all = points.flatMap((point) => point.values.filter((value) => value !== null));
  const scale = scaleOf(all.reduce((low, value) => Math.min(low, value), 0), all.reduce((high, value) => Math.max(high, value), 0));
  const places = placesOf(points, scale, asLine, width);
  const { x, y, slot } = places;
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": "Chart of the result" },
    ...[grid(scale, y, places.left, width), labels(points, places),
      asLine ? lines(points, x, y) : bars(points, x, y, slot), hits(points, places)].flat(3).filter(Boolean));
};

export const chart = (answer) => {
  const parts = partsOf(answer);
  const asLine = isTime(answer.columns[parts.label]) || answer.rows.length > BARS;
  const most = asLine ? POINTS : BARS;
  const points = pointsOf(answer, parts, most, shortDays(answer.rows, parts.label, answer.columns[parts.label]));
  const box = el("div", { class: "chart" });
  const legend = el("div", { class: "legend" }, parts.values.map((column, k) => el("span", { class: `s${k + 1}` }, answer.columns[column].name)));
  const note = answer.rows.length > most ? el("p", { class: "muted" }, `The first ${most} rows.`) : "";
  let width = 0;
  const redraw = () => {
    const now = Math.max(280, box.clientWidth - 20);
    if (now === width) return;
    width = now;
    box.replaceChildren(legend, draw(points, asLine, width), note);
  };
  new ResizeObserver(redraw).observe(box);
  return box;
};

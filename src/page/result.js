// What a statement answered: rows as table or chart, a count, or an error with its place.
import { byId, el } from "./dom.js";
import { duration, isNumber, plural } from "./format.js";
import { canChart, chart } from "./chart.js";

const ROWS_AT_ONCE = 200;
let view = "table";

// Where in the statement the error is, when its text tells: what follows it, and the line.
const placeOf = (text, sql) => {
  const told = /near '([\s\S]*)' at line (\d+)/.exec(text);
  if (!told) return null;
  let start = 0;
  for (let line = 1; line < Number(told[2]); line++) start = sql.indexOf("\n", start) + 1;
  const at = told[1] ? sql.indexOf(told[1], start) : sql.trimEnd().length;
  return at < 0 ? { start, at: start, line: Number(told[2]) } : { start: sql.lastIndexOf("\n", at - 1) + 1, at, line: Number(told[2]) };
};

const goTo = (at) => {
  const box = byId("sql");
  box.focus();
  box.setSelectionRange(at, at);
};

const excerpt = (place, { sql, offset }) => {
  const found = sql.indexOf("\n", place.at);
  const end = found < 0 ? sql.length : found;
  return el("button", { class: "excerpt mono", title: "Go there", onclick: () => goTo(offset + place.at) },
    el("span", {}, `line ${place.line}  `), sql.slice(Math.max(place.start, place.at - 200), place.at),
    el("mark", {}, sql.slice(place.at, Math.min(end, place.at + 200)) || "⏎"));
};

export const problem = (error, source = null) => {
  const place = source ? placeOf(error.text, source.sql) : null;
  return el("div", { class: "problem", role: "alert" },
    error.code ? el("b", {}, `Error ${error.code}${error.state ? ` (${error.state})` : ""}`) : null,
    error.text, place ? excerpt(place, source) : null);
};

const cell = (value, column) => {
  const css = isNumber(column) ? "number" : "text";
  if (value === null) return el("td", { class: css }, el("span", { class: "null" }, "NULL"));
  return el("td", { class: css, title: value.length > 40 ? value : null }, value);
};

// Rows come in as they are scrolled to.
const table = ({ columns, rows }) => {
  const body = el("tbody");
  const box = el("div", { class: "scroll", tabindex: "0" }, el("table", {},
    el("thead", {}, el("tr", {}, columns.map((column) =>
      el("th", { class: isNumber(column) ? "number" : "" }, column.name, el("small", {}, column.type))))),
    body));
  const more = () => {
    const next = rows.slice(body.children.length, body.children.length + ROWS_AT_ONCE);
    body.append(...next.map((row) => el("tr", {}, row.map((value, i) => cell(value, columns[i])))));
  };
  box.addEventListener("scroll", () => {
    if (box.scrollTop + 2 * box.clientHeight > box.scrollHeight) more();
  }, { passive: true });
  more();
  return box;
};

// Quoted where needed; what a spreadsheet would take for a formula stays as it is: these are the data.
const csvField = (value) => (value === null ? "" : /[",\r\n]/.test(value) || value === "" ? `"${value.replaceAll('"', '""')}"` : value);

const saveCsv = ({ columns, rows }) => {
  const lines = [columns.map((column) => column.name), ...rows].map((row) => row.map(csvField).join(","));
  const url = URL.createObjectURL(new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  el("a", { href: url, download: "result.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
};

const switchOf = (pick) => el("span", { class: "switch", role: "group", "aria-label": "Show as" },
  [["table", "Table"], ["chart", "Chart"]].map(([name, text]) =>
    el("button", { "data-view": name, "aria-pressed": String(view === name), onclick: () => pick(name) }, text)));

const notes = (answer) => [
  answer.more ? el("p", { class: "note" }, `Only the first ${plural(answer.rows.length, "row")} came: the page takes 10,000 rows and 4 MiB. `,
    "Use LIMIT or GROUP BY, or a MySQL client for all of them.") : null,
  answer.cut ? el("p", { class: "note" }, "Long values are cut after 32 KiB.") : null,
  ...(answer.warnings || []).map((w) => el("p", { class: "note" }, `${w.level} ${w.code}: ${w.text}`)),
].filter(Boolean);

const showRows = (box, answer) => {
  const charts = canChart(answer);
  const body = el("div");
  const head = el("div", { class: "result-head" });
  const draw = () => {
    const asChart = charts && view === "chart";
    body.replaceChildren(answer.rows.length ? (asChart ? chart(answer) : table(answer)) : "");
    head.replaceChildren(
      el("b", { id: "result-count" }, `${plural(answer.rows.length, "row")}${answer.more ? " and more" : ""}`),
      el("span", { class: "muted" }, `in ${duration(answer.ms)}`), el("span", { class: "spring" }),
      ...(charts ? [switchOf((name) => { view = name; draw(); })] : []),
      ...(answer.rows.length ? [el("button", { class: "quiet", onclick: () => saveCsv(answer) }, "Save as CSV")] : []));
  };
  draw();
  box.replaceChildren(head, ...notes(answer), body);
};

export const show = (box, answer, source) => {
  if (answer.error) {
    box.replaceChildren(problem(answer.error, source), ...notes(answer));
  } else if (answer.columns) {
    showRows(box, answer);
  } else {
    box.replaceChildren(el("div", { class: "result-head" },
      el("b", { id: "result-count" }, `Done: ${plural(answer.affected, "row")} changed`),
      el("span", { class: "muted" }, `in ${duration(answer.ms)}`)),
    ...(answer.info ? [el("p", { class: "muted" }, answer.info)] : []), ...notes(answer));
  }
};

// The list of tables; one opened shows its columns and partitions.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { bytes, count, plural } from "./format.js";
import { setTotals } from "./figures.js";
import { put, run } from "./query.js";
import { problem } from "./result.js";

const examples = [
  "CREATE TABLE visits (id INT PRIMARY KEY, day DATE, country VARCHAR(2), amount DECIMAL(8,2))",
  "INSERT INTO visits VALUES (1, '2026-01-01', 'DE', 9.50), (2, '2026-01-01', 'FR', 20), (3, '2026-01-02', 'DE', NULL)",
  "SELECT country, count(*) AS visits, sum(amount) AS amount FROM visits GROUP BY country",
];

let tables = [];
const open = new Map(); // name -> element with what is inside

const quoted = (name) => (/^[a-z_][a-z0-9_]*$/i.test(name) ? name : `\`${name.replaceAll("`", "``")}\``);

const cells = (answer, heads, format) => {
  if (answer.error) return problem(answer.error);
  if (!answer.rows.length) return null;
  return el("div", { class: "scroll", tabindex: "0" }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map(([name, css]) => el("th", { class: css }, name)))),
    el("tbody", {}, answer.rows.map((row) => el("tr", {}, format(row))))));
};

const columnRow = ([name, type, key]) => [
  el("td", {}, name, key === "PRI" ? el("span", { class: "muted" }, " key") : null),
  el("td", { class: "muted" }, type),
];

const partitionRow = ([name, rows, size, state]) => [
  el("td", {}, name, state ? el("span", { class: "muted" }, ` ${state}`) : null),
  el("td", { class: "number" }, rows === null ? "" : count(rows)),
  el("td", { class: "number" }, size === null ? "" : bytes(Number(size))),
];

const fillInside = async (table, inside) => {
  const [columns, partitions] = await Promise.all([
    api.columns(table.name), table.partitions ? api.partitions(table.name) : { rows: [] }]);
  const parts = cells(partitions, [["Partition", ""], ["Rows", "number"], ["Bytes", "number"]], partitionRow);
  const sql = `SELECT * FROM ${quoted(table.name)} LIMIT 100`;
  inside.replaceChildren(
    el("button", { class: "quiet", onclick: () => { put(sql); run(); } }, "Show 100 rows"),
    cells(columns, [["Column", ""], ["Type", ""]], columnRow) || "",
    ...(parts ? [el("h3", {}, plural(table.partitions, "partition")), parts] : []));
};

const insideOf = (table) => {
  if (!open.has(table.name)) {
    open.set(table.name, el("div", { class: "inside" }, el("span", { class: "muted" }, "…")));
    fillInside(table, open.get(table.name)).catch(() => open.delete(table.name));
  }
  return open.get(table.name);
};

const entry = (table) => {
  const detail = table.isView ? "view" : [plural(table.rows, "row"), bytes(table.bytes),
    table.partitions ? plural(table.partitions, "partition") : null].filter(Boolean).join(" · ");
  const node = el("details", { open: open.has(table.name), "data-table": table.name },
    el("summary", {}, el("span", { class: "name", title: table.name }, table.name),
      el("span", { class: "muted" }, detail)));
  if (open.has(table.name)) node.append(insideOf(table));
  node.addEventListener("toggle", () => {
    if (node.open) node.append(insideOf(table));
    else open.delete(table.name);
  });
  return node;
};

const hint = () => el("div", { class: "hint" },
  el("p", {}, "No tables yet. Click an example, then run it; take them in this order:"),
  examples.map((sql) => el("button", { onclick: () => put(sql) }, sql)),
  el("p", { class: "muted" }, "Or load a Parquet or CSV file with quanta-loader."));

const shown = () => {
  const wanted = byId("tables-search").value.trim().toLowerCase();
  return tables.filter((table) => table.name.toLowerCase().includes(wanted));
};

const draw = () => {
  const list = shown();
  const scrolled = byId("tables-list").firstElementChild?.scrollTop || 0;
  byId("tables-count").textContent = list.length === tables.length ? count(tables.length)
    : `${count(list.length)} of ${count(tables.length)}`;
  byId("tables-search").hidden = tables.length < 8;
  const box = !tables.length ? hint()
    : el("div", { class: "tables-box" }, list.length ? list.map(entry) : el("p", { class: "muted" }, "No table has such a name."));
  byId("tables-list").replaceChildren(box);
  box.scrollTop = scrolled;
};

const fromRow = ([name, type, rows, size, partitions]) => ({
  name, isView: type === "VIEW", rows: Number(rows || 0), bytes: Number(size || 0), partitions: Number(partitions || 0),
});

let last = "";

export const refresh = async () => {
  const answer = await api.tables();
  if (answer.error) throw new Error(answer.error.text);
  const text = JSON.stringify(answer.rows);
  tables = answer.rows.map(fromRow);
  setTotals({
    tables: tables.filter((table) => !table.isView).length,
    rows: tables.reduce((total, table) => total + table.rows, 0),
    bytes: tables.reduce((total, table) => total + table.bytes, 0),
  });
  if (text !== last) draw();
  last = text;
};

export const start = () => byId("tables-search").addEventListener("input", draw);

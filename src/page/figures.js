// Memory, cores, rows: a line of figures above all else.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { bytes, count, plural, short } from "./format.js";

let before = null;
let totals = null;

const sum = (list) => (list || []).reduce((total, entry) => total + entry.value, 0);

// Share of the time since the last look that each core was at work.
const busyOf = (metrics, now) => {
  const busy = (metrics.get("quanta_core_busy_nanoseconds_total") || []).map((entry) => entry.value);
  const shares = busy.map((value, core) => {
    if (!before || before.busy.length !== busy.length) return 0;
    return Math.min(1, Math.max(0, (value - before.busy[core]) / ((now - before.at) * 1e6)));
  });
  before = { busy, at: now };
  return shares;
};

const figure = (id, name, value, detail, ...more) =>
  el("div", { class: "figure", id: `figure-${id}` }, el("span", { class: "muted" }, name), el("b", {}, value),
    el("span", { class: "muted" }, detail), ...more);

const bar = (share) => {
  const inner = el("i");
  inner.style.width = `${Math.min(100, share * 100)}%`;
  return el("div", { class: "bar" }, inner);
};

const core = (share, number) => {
  const node = el("i", { title: `core ${number}: ${Math.round(share * 100)} % busy` });
  node.style.setProperty("--busy", `${Math.round(share * 100)}%`);
  return node;
};

const memory = (metrics) => {
  const used = sum(metrics.get("quanta_memory_resident_bytes"));
  const limit = sum(metrics.get("quanta_core_memory_limit_bytes"));
  return figure("memory", "Memory", bytes(used), limit ? `of ${bytes(limit)}` : "in use", limit ? bar(used / limit) : null);
};

const cores = (shares) => {
  const average = shares.length ? sum(shares.map((value) => ({ value }))) / shares.length : 0;
  return figure("cores", "Cores", `${Math.round(average * 100)} %`, `busy, of ${plural(shares.length, "core")}`,
    el("div", { class: "cores" }, shares.map(core)));
};

const rows = () => figure("rows", "Rows", totals ? short(totals.rows) : "…",
  totals ? `${count(totals.rows)} in ${plural(totals.tables, "table")}` : "");

const size = (metrics) => {
  const disk = sum(metrics.get("quanta_table_disk_bytes"));
  return figure("size", "Data", totals ? bytes(totals.bytes) : "…", disk ? `${bytes(disk)} on disk` : "in tables");
};

export const setTotals = (value) => { totals = value; };

export const refresh = async () => {
  const metrics = await api.metrics();
  const shares = busyOf(metrics, performance.now());
  byId("figures").replaceChildren(memory(metrics), cores(shares), rows(), size(metrics));
};

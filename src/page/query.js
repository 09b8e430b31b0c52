// The box: a statement, run, cancelled, its result below.
import * as api from "./api.js";
import { byId } from "./dom.js";
import { duration } from "./format.js";
import { problem, show } from "./result.js";

const HISTORY = 30;
let running = null; // AbortController of the statement at work
let afterwards = () => {};
let history = [];

export const whenDone = (fn) => { afterwards = fn; };

export const put = (sql) => {
  const box = byId("sql");
  box.value = sql;
  box.focus();
  box.setSelectionRange(sql.length, sql.length);
  fit();
};

const fit = () => {
  const box = byId("sql");
  const lines = Math.min(20, Math.max(5, box.value.split("\n").length + 1));
  if (box.rows < lines) box.rows = lines;
};

// What is selected, or all.
const chosen = () => {
  const box = byId("sql");
  const [from, to] = [box.selectionStart, box.selectionEnd];
  const part = box.value.slice(from, to);
  return part.trim() ? { sql: part, offset: from } : { sql: box.value, offset: 0 };
};

const remember = (sql) => {
  history = [sql, ...history.filter((other) => other !== sql)].slice(0, HISTORY);
  sessionStorage.setItem("quanta-history", JSON.stringify(history));
  drawHistory();
};

const drawHistory = () => {
  const list = byId("history");
  list.hidden = !history.length;
  const option = (text, value) => {
    const node = new Option(text, value);
    node.title = text;
    return node;
  };
  list.replaceChildren(option("Earlier statements", ""),
    ...history.map((sql, i) => option(sql.replace(/\s+/g, " ").slice(0, 80), String(i))));
};

const setRunning = (controller) => {
  running = controller;
  byId("run").disabled = controller !== null;
  byId("cancel").hidden = controller === null;
};

// How long it runs, from a third of a second on.
const startClock = () => {
  const started = performance.now();
  const tick = () => { byId("elapsed").textContent = `Running for ${duration(performance.now() - started)}`; };
  const timer = setInterval(tick, 300);
  return () => {
    clearInterval(timer);
    byId("elapsed").textContent = "";
    return performance.now() - started;
  };
};

export const run = async () => {
  const { sql, offset } = chosen();
  if (running || !sql.trim()) return;
  const controller = new AbortController();
  const stopClock = startClock();
  setRunning(controller);
  remember(sql.trim());
  sessionStorage.setItem("quanta-sql", byId("sql").value);
  try {
    const answer = await api.query(sql, controller.signal);
    stopClock();
    show(byId("result"), answer, { sql, offset });
  } catch (error) {
    const took = duration(stopClock());
    byId("result").replaceChildren(controller.signal.aborted
      ? problem({ code: 0, text: `Cancelled after ${took}.` })
      : problem({ code: 0, text: `The server does not answer (${error.message}).` }));
  } finally {
    setRunning(null);
  }
  afterwards();
};

const onKey = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  } else if (event.key === "Escape" && running) {
    running.abort();
  }
};

export const start = () => {
  history = JSON.parse(sessionStorage.getItem("quanta-history") || "[]");
  byId("sql").value = sessionStorage.getItem("quanta-sql") || "";
  byId("run").addEventListener("click", run);
  byId("cancel").addEventListener("click", () => running?.abort());
  byId("sql").addEventListener("input", fit);
  byId("history").addEventListener("change", (event) => {
    if (event.target.value !== "") put(history[Number(event.target.value)]);
    event.target.value = "";
  });
  document.addEventListener("keydown", onKey);
  drawHistory();
  fit();
};

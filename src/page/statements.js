// Statements at work, those of MySQL clients too, and a way to end them.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { count, duration } from "./format.js";
import { problem } from "./result.js";

const killed = new Set();

const end = async (id, button) => {
  button.disabled = true;
  killed.add(id);
  const answer = await api.kill(Number(id));
  // 1094: it ended meanwhile.
  if (answer.error && answer.error.code !== 1094) byId("running-list").prepend(problem(answer.error));
  refresh().catch(() => {});
};

const entry = ([id, user, host, command, seconds, state, info]) => {
  const button = el("button", { class: "stop quiet", disabled: killed.has(id), title: `KILL QUERY ${id}` },
    killed.has(id) ? "Ending" : "Kill");
  button.addEventListener("click", () => end(id, button));
  return el("div", { class: "statement", "data-id": id },
    el("code", { title: info || "" }, info || command),
    button,
    el("span", { class: "muted" }, `${seconds < 60 ? `${seconds} s` : duration(Number(seconds) * 1000)} · ${user} · ${host}${state ? ` · ${state}` : ""}`));
};

export const refresh = async () => {
  const answer = await api.statements();
  if (answer.error) throw new Error(answer.error.text);
  const now = new Set(answer.rows.map((row) => row[0]));
  for (const id of killed) if (!now.has(id)) killed.delete(id);
  byId("running-count").textContent = count(answer.rows.length);
  byId("running-list").replaceChildren(...(answer.rows.length ? answer.rows.map(entry)
    : [el("p", { class: "muted" }, "No statement runs now.")]));
};

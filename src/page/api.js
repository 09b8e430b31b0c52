// What the server is asked. Every answer is a JSON object, perhaps with a member "error".

let token = sessionStorage.getItem("quanta-token") || "";
let onLogin = () => {};

export const whenLoginNeeded = (fn) => { onLogin = fn; };

const setToken = (value) => {
  token = value;
  if (value) sessionStorage.setItem("quanta-token", value);
  else sessionStorage.removeItem("quanta-token");
};

const ask = async (path, options) => {
  const headers = { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...options.headers };
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  const answer = await response.json();
  if (response.status === 401) {
    setToken("");
    onLogin();
  }
  return answer;
};

const get = (path) => ask(path, {});

const post = (path, body, signal) => ask(path, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

export const session = () => get("/api/session");
export const tables = () => get("/api/tables");
export const statements = () => get("/api/statements");
export const columns = (table) => post("/api/columns", { table });
export const partitions = (table) => post("/api/partitions", { table });
export const kill = (id) => post("/api/kill", { id });
// Leaving (signal) ends the statement.
export const query = (sql, signal) => post("/api/query", { sql }, signal);

export const login = async (user, password) => {
  const answer = await post("/api/login", { user, password });
  if (answer.token) setToken(answer.token);
  return answer;
};

export const logout = async () => {
  await post("/api/logout", {});
  setToken("");
};

// The metrics: name -> list of { labels, value }.
export const metrics = async () => {
  const text = await (await fetch("/metrics", { cache: "no-store" })).text();
  const found = new Map();
  for (const line of text.split("\n")) {
    const parts = /^([a-z_]+)(?:\{(.*)\})? ([-0-9.e+]+)$/.exec(line);
    if (!parts) continue;
    if (!found.has(parts[1])) found.set(parts[1], []);
    found.get(parts[1]).push({ labels: parts[2] || "", value: Number(parts[3]) });
  }
  return found;
};

// The page from its start on: who looks at it, and what is asked for every few seconds while it is seen.
import * as api from "./api.js";
import { byId } from "./dom.js";
import * as figures from "./figures.js";
import * as query from "./query.js";
import * as statements from "./statements.js";
import * as tables from "./tables.js";

const EVERY_MS = 2000, TABLES_EVERY = 5; // the list of tables at every fifth time
let round = 0;
let timer = null;
let seen = false; // the page, not the login

const setLive = (css, text) => {
  byId("live").className = `live ${css}`;
  byId("live").textContent = text;
};

const look = async (withTables) => {
  if (withTables) await tables.refresh();
  await statements.refresh();
  await figures.refresh();
};

const stop = () => {
  clearTimeout(timer);
  timer = null;
};

const turn = async () => {
  timer = null;
  try {
    await look(round++ % TABLES_EVERY === 0);
    setLive("on", "live");
  } catch (error) {
    round = 0;
    if (seen) setLive("off", "no answer");
  }
  if (seen && !document.hidden && timer === null) timer = setTimeout(turn, EVERY_MS);
};

const goOn = () => {
  stop();
  if (!seen) return;
  if (document.hidden) setLive("", "paused");
  else turn();
};

const showLogin = () => {
  seen = false;
  stop();
  byId("page").hidden = true;
  byId("login").hidden = false;
  byId("logout").hidden = byId("who").hidden = true;
  setLive("", "not logged in");
  byId("login-user").focus();
};

const showPage = (session) => {
  seen = true;
  byId("login").hidden = true;
  byId("page").hidden = false;
  byId("logout").hidden = byId("who").hidden = !session.user;
  byId("who").textContent = session.user || "";
  round = 0;
  goOn();
  byId("sql").focus({ preventScroll: true });
};

const begin = async () => {
  const session = await api.session();
  byId("version").textContent = session.error ? "" : `${session.program === "quanta" ? "" : `${session.program} `}${session.version.split(" ")[1]}`;
  if (session.error) setLive("off", session.error.text);
  else if (session.asks_users && !session.user) showLogin();
  else showPage(session);
};

const retry = () => begin().catch(() => {
  setLive("off", "no answer");
  setTimeout(retry, EVERY_MS);
});

const onLogin = async (event) => {
  event.preventDefault();
  const answer = await api.login(byId("login-user").value, byId("login-password").value)
    .catch((error) => ({ error: { text: `The server does not answer (${error.message}).` } }));
  byId("login-password").value = "";
  byId("login-error").hidden = !answer.error;
  byId("login-error").textContent = answer.error?.text || "";
  if (!answer.error) retry();
};

api.whenLoginNeeded(() => { if (seen) showLogin(); });
query.whenDone(() => { look(true).catch(() => {}); });
query.start();
tables.start();
byId("login-form").addEventListener("submit", onLogin);
byId("logout").addEventListener("click", () => api.logout().finally(retry));
document.addEventListener("visibilitychange", goOn);
retry();

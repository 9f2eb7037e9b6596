// What pages do beyond showing: they stay current, take keys, and call the API for whatever changes something.

import { call, known, me, say } from "./call.js";

const lamp = document.getElementById("lamp");

document.getElementById("sign-out")?.addEventListener("click", async () => {
  await call("/api/session", null, null, "DELETE");
  location.assign("/sign-in");
});

// ---- light and dark; what was chosen is set by first.js, before anything is shown

document.getElementById("theme")?.addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});

// ---- deciding

const DONE = {
  approve: "Approved, and written to the book.",
  reject: "Turned down.",
  undo: "What takes it back is proposed; somebody approves it like any other.",
  assign: "Assigned.",
  comment: "Noted.",
  propose: "Proposed; somebody else approves it.",
  accept: "Accepted until its end.",
  dispute: "Disputed with the exchange.",
  snooze: "Put aside until its end.",
  reopen: "Open again.",
  pause: "Runs are stopped until somebody lets them go on.",
};

async function submitted(event) {
  const form = event.target.closest("form[data-call]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const verb = event.submitter?.value || fields.action;
  const done = await call(`${form.dataset.call}/${verb}`, bodyOf(form, verb, fields), crypto.randomUUID());
  delete form.dataset.busy;
  if (done !== null) {
    say(DONE[verb] || "Done.");
    // Neither the note nor the key of one decision is for the next one, whose form comes to stand in the same place.
    form.reset();
    fitted();
    document.getElementById("main").focus({ preventScroll: true });
    refresh();
  }
}

function bodyOf(form, verb, fields) {
  const body = { note: fields.note || "" };
    if (verb === "approve") body.content = form.dataset.content;
  if (verb === "assign") body.assignee = fields.assignee || "";
  if (["accept", "dispute", "reject"].includes(verb)) body.reason = fields.reason;
  if (["accept", "dispute", "snooze"].includes(verb) && fields.until) body.until = new Date(fields.until).toISOString();
  return body;
}

function fitted() {
  for (const form of document.querySelectorAll("form.act")) {
    const action = form.elements.action.value;
    form.querySelector("button").textContent = form.elements.action.selectedOptions[0].textContent;
    for (const label of form.querySelectorAll("[data-for]")) {
      label.hidden = !label.dataset.for.split(" ").includes(action);
    }
  }
}

async function posted(event) {
  const button = event.target.closest("button[data-post]");
  if (!button || button.disabled) return;
  button.disabled = true;
  const done = await call(button.dataset.post, null, crypto.randomUUID(), button.dataset.method || "POST");
  button.disabled = false;
  if (done !== null) {
    say(button.dataset.done);
    refresh();
  }
}

document.addEventListener("click", posted);
document.addEventListener("submit", submitted);
document.addEventListener("change", fitted);
fitted();

// ---- staying current: an event only says that something happened; what is shown is asked for anew

let pending = null;

function isBusy() {
  const at = document.activeElement;
  return Boolean(document.querySelector("dialog[open], form[data-busy]")) || /^(INPUT|TEXTAREA|SELECT)$/.test(at?.tagName || "");
}

function refresh() {
  clearTimeout(pending);
  pending = setTimeout(() => {
    // A page that brings itself up to date says so by preventing this.
    if (!document.dispatchEvent(new CustomEvent("stale", { cancelable: true }))) return;
    if (isBusy()) return refresh();
    const place = location.pathname + location.search;
    htmx.ajax("GET", place, { target: "#main", select: "#main", swap: "outerMorph" }).then(fitted);
  }, 400);
}

function shine(state, words) {
  if (!lamp) return;
  lamp.className = `lamp ${state}`;
  lamp.textContent = words;
  const past = document.getElementById("past");
  past.hidden = state !== "lost" || document.getElementById("as-of") !== null;
  past.textContent = `${words[0].toUpperCase()}${words.slice(1)}. What stands here is as of ${document.getElementById("main").dataset.made}.`;
  document.dispatchEvent(new CustomEvent("link", { detail: state }));
}

if (document.body.dataset.live) {
  me();
  connect();
  // Come back to by the back button, a page may be one that was kept as it stood.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// A browser tries again by itself where the network fails, and not where it was told no.
function connect(after = "") {
  const events = new EventSource(`/api/events${after}`);
  let last = after;
  events.onopen = () => shine("live", "live");
  events.onerror = async () => {
    shine("lost", "not connected");
    if (events.readyState !== EventSource.CLOSED) return;
    if ((await known().catch(() => undefined)) === null) shine("lost", "signed out");
    else setTimeout(() => connect(last), 5000);
  };
  const happened = (event) => {
    last = `?after=${event.lastEventId}`;
    document.dispatchEvent(new CustomEvent("fact", { detail: JSON.parse(event.data) }));
    refresh();
  };
  for (const kind of (document.body.dataset.kinds || "").split(" ").filter(Boolean)) events.addEventListener(kind, happened);
  addEventListener("pagehide", () => events.close());
}

// ---- keys

function rows() {
  return [...document.querySelectorAll("[data-row]:not([hidden])")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement.closest?.("[data-row]"));
  all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (document.querySelector("dialog[open]")) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (pressed) pressed.focus();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "Enter" && event.target.matches("[data-row]")) event.target.querySelector("a")?.click();
  else if (event.key === "/") document.querySelector(".filter select, .filter input")?.focus();
  else if (event.key === "?") document.getElementById("keys").showModal();
  else return;
  event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const id = event.target.closest("code.id");
  if (!id) return;
  try {
    await navigator.clipboard.writeText(id.title || id.textContent);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(id);
  }
});

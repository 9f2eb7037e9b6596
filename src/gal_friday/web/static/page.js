// What pages do beyond showing: they stay current, take keys, and call the API for whatever changes something.

const told = document.getElementById("told");
const lamp = document.getElementById("lamp");

function say(words, grave = false) {
  told.replaceChildren();
  const line = document.createElement("p");
  line.textContent = words;
  line.className = grave ? "said grave" : "said";
  told.append(line);
  if (!grave) setTimeout(() => line.remove(), 6000);
}

let formToken = null;

async function me() {
  const answer = await fetch("/api/me", { headers: { Accept: "application/json" } });
  if (answer.status === 401) return goToTheDoor();
  const known = await answer.json();
  formToken = known.form_token;
  return known;
}

function goToTheDoor() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  return new Promise(() => {});
}

async function problemOf(answer) {
  try {
    const problem = await answer.json();
    return problem.detail || problem.title || answer.statusText;
  } catch {
    return answer.statusText || `the answer was ${answer.status}`;
  }
}

// One key for each press of a button: pressed twice, or sent again after a lost answer, it is done once.
async function call(path, body, key) {
  if (formToken === null) await me();
  const headers = { "Content-Type": "application/json", "X-Form-Token": formToken };
  if (key) headers["Idempotency-Key"] = key;
  const send = () => fetch(path, { method: "POST", headers, ...(body === null ? {} : { body: JSON.stringify(body) }) });
  let answer = await send();
  if (answer.status === 401) return goToTheDoor();
  if (answer.status === 403 && (await answer.clone().json()).type?.endsWith("prove-again")) {
    if (!(await proveAgain())) return null;
    headers["X-Form-Token"] = formToken;
    answer = await send();
  }
  if (!answer.ok) {
    say(await problemOf(answer), true);
    return null;
  }
  return answer.status === 204 ? {} : answer.json();
}

function proveAgain() {
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.innerHTML =
      '<form method="dialog"><h2>Is it you?</h2><p>Approving asks for a fresh proof.</p>' +
      '<label>Password <input type="password" name="password" autocomplete="current-password" required></label>' +
      '<p class="buttons"><button value="yes">Prove it</button><button value="no" class="second" formnovalidate>Leave it</button></p></form>';
    document.body.append(dialog);
    dialog.addEventListener("close", async () => {
      const password = dialog.querySelector("input").value;
      dialog.remove();
      if (dialog.returnValue !== "yes") return done(false);
      const answer = await fetch("/api/session/step-up", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Form-Token": formToken },
        body: JSON.stringify({ password }),
      });
      if (!answer.ok) {
        say(await problemOf(answer), true);
        return done(false);
      }
      formToken = (await answer.json()).form_token;
      done(true);
    });
    dialog.showModal();
  });
}

// ---- signing in and out

const door = document.getElementById("sign-in");

async function entered(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) location.replace(door.dataset.next || "/");
  else say(await problemOf(answer), true);
}

if (door) {
  door.addEventListener("submit", (event) => {
    event.preventDefault();
    entered("/api/session", Object.fromEntries(new FormData(door)));
  });
  const link = location.hash.slice(1);
  if (link) {
    history.replaceState(null, "", location.pathname + location.search);
    entered("/api/session/link", { link });
  }
  const passkey = document.getElementById("passkey");
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    passkey.hidden = false;
    passkey.addEventListener("click", async () => {
      try {
        const asked = await fetch("/api/session/passkey/options", { method: "POST" });
        if (!asked.ok) return say(await problemOf(asked), true);
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json());
        const answer = await navigator.credentials.get({ publicKey });
        await entered("/api/session/passkey", { answer: answer.toJSON() });
      } catch (error) {
        say(`No passkey was shown: ${error.message}`, true);
      }
    });
  }
}

document.getElementById("sign-out")?.addEventListener("click", async () => {
  if (formToken === null) await me();
  await fetch("/api/session", { method: "DELETE", headers: { "X-Form-Token": formToken } });
  location.assign("/sign-in");
});

// ---- light and dark

const kept = localStorage.getItem("theme");
if (kept) document.documentElement.dataset.theme = kept;
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
    refresh();
  }
}

function bodyOf(form, verb, fields) {
  const body = { note: fields.note || "" };
  if (verb === "reject") body.reason = "wrong_repair";
  if (verb === "approve") body.content = form.dataset.content;
  if (verb === "assign") body.assignee = fields.assignee || "";
  if (verb === "accept" || verb === "dispute") body.reason = fields.reason;
  if (["accept", "dispute", "snooze"].includes(verb) && fields.until) body.until = new Date(fields.until).toISOString();
  return body;
}

function fitted() {
  for (const form of document.querySelectorAll("form.act")) {
    const action = form.elements.action.value;
    for (const label of form.querySelectorAll("[data-for]")) {
      label.hidden = !label.dataset.for.split(" ").includes(action);
    }
  }
}

async function posted(event) {
  const button = event.target.closest("button[data-post]");
  if (!button || button.disabled) return;
  button.disabled = true;
  const done = await call(button.dataset.post, null, crypto.randomUUID());
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
    if (isBusy()) return refresh();
    const place = location.pathname + location.search;
    htmx.ajax("GET", place, { target: "#main", select: "#main", swap: "outerMorph" }).then(fitted);
  }, 400);
}

function shine(state, words) {
  if (!lamp) return;
  lamp.className = `lamp ${state}`;
  lamp.textContent = words;
}

if (document.body.dataset.live) {
  me();
  const events = new EventSource("/api/events");
  events.onopen = () => shine("live", "live");
  events.onerror = () => shine("lost", "not connected");
  for (const kind of (document.body.dataset.kinds || "").split(" ").filter(Boolean)) events.addEventListener(kind, refresh);
  addEventListener("pagehide", () => events.close());
}

// ---- keys

function rows() {
  return [...document.querySelectorAll("[data-row]")];
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

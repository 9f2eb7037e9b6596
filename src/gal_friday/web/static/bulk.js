// Many decisions at once: each is one call of the API, under its own key, and what did not go stands there with its reason.

import { ask, door, say } from "./call.js";

const dock = document.getElementById("dock");
const dialog = document.getElementById("bulk");
const part = (name) => document.getElementById(name);
const sole = (path) => `/api/discrepancies/${encodeURIComponent(path)}`;

// What each action is called: to be done, done, and what taking it back does. No other action can be taken back.
const ACTIONS = {
  approve: {
    does: "Approve",
    did: "approved",
    back: (n) => `Undo proposes what takes ${n === 1 ? "it" : "each of them"} back; somebody approves that like any other, and all of it stays on record.`,
    undone: "proposed to be taken back",
  },
  reject: { does: "Reject", did: "turned down" },
  snooze: { does: "Snooze", did: "put aside", back: (n) => `Undo opens ${n === 1 ? "it" : "them"} again.`, undone: "open again" },
  assign: { does: "Assign", did: "assigned", back: (n) => `Undo gives ${n === 1 ? "it" : "each"} back to whom it was with.`, undone: "given back" },
  comment: { does: "Comment", did: "commented" },
};
const IN_THE_BOOK = ["applied", "verified", "unverified"];
const NOT_WRITTEN = {
  refused: "approved, and refused by the book",
  outcome_unknown: "approved, and nobody knows yet whether the book took it",
};

// ---- amounts: digits as they are, added without a float

function scaled(text, places) {
  const [whole, rest = ""] = text.split(".");
  return BigInt(whole + rest.padEnd(places, "0"));
}

function sum(texts) {
  const places = Math.max(2, ...texts.map((one) => (one.split(".")[1] ?? "").length));
  const total = texts.reduce((all, one) => all + scaled(one, places), 0n);
  const unit = 10n ** BigInt(places - 2);
  const cents = (total + unit / 2n) / unit;
  const whole = String(cents / 100n).replace(/\B(?=(\d{3})+$)/g, dock.dataset.thousands);
  return `${whole}${dock.dataset.point}${String(cents % 100n).padStart(2, "0")}`;
}

// Each cause once; a row that several causes lead to counts only where none of them does.
function worthOf(rows) {
  const marks = new Set(rows.map((row) => row.dataset.of));
  const counted = new Map();
  let unpriced = 0;
  for (const row of rows) {
    const causes = (row.dataset.causes ?? "").split(" ").filter(Boolean);
    if (counted.has(row.dataset.of) || causes.some((one) => marks.has(one))) continue;
    counted.set(row.dataset.of, row.dataset.worth ?? null);
    if (!row.dataset.worth) unpriced += 1;
  }
  const known = [...counted.values()].filter((one) => one !== null);
  const more = unpriced ? `, and ${unpriced} without a price` : "";
  return `worth ${sum(known)} ${dock.dataset.currency}${more}`;
}

const counted = (n, one, many) => `${n} ${n === 1 ? one : many}`;
const labelOf = (row) => row.querySelector(".where").textContent + ": " + row.querySelector("a").textContent;

// ---- what would be done

function proposalOf(id) {
  return part("proposals").querySelector(`li[data-id="${CSS.escape(id)}"]`);
}

// One item for each call, and what no call can be made for.
function planned(action, rows) {
  if (action !== "approve" && action !== "reject") {
    const items = rows.map((row) => ({
      id: row.id,
      rows: [row.id],
      label: labelOf(row),
      path: sole(row.id),
      key: crypto.randomUUID(),
      was: row.dataset.with,
    }));
    return { action, items, without: [] };
  }
  const [items, without] = [new Map(), []];
  for (const row of rows) {
    const ids = (row.dataset.proposed ?? "").split(" ").filter(proposalOf);
    if (!ids.length) without.push({ label: labelOf(row), words: "Nothing is proposed for it." });
    for (const id of ids) {
      const shown = proposalOf(id);
      const item = items.get(id) ?? {
        id,
        rows: [],
        label: shown.textContent,
        path: `/api/adjustments/${encodeURIComponent(id)}`,
        key: crypto.randomUUID(),
        content: shown.dataset.content,
        worth: shown.dataset.worth,
      };
      item.rows.push(row.id);
      items.set(id, item);
    }
  }
  return { action, items: [...items.values()], without };
}

function bodyOf(action, item, said) {
  const body = { note: said.note };
  if (action === "approve") body.content = item.content;
  if (action === "reject") body.reason = said.reason;
  if (action === "assign") body.assignee = said.assignee;
  if (action === "snooze") body.until = new Date(said.until).toISOString();
  return body;
}

// ---- the question before it

let plan = null;

function line(label, words) {
  const made = document.createElement("li");
  const strong = document.createElement("bdi");
  strong.textContent = label;
  made.append(strong);
  if (words) made.append(` — ${words}`);
  return made;
}

function tomorrow() {
  const at = new Date(Date.now() + 86_400_000);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function question(action, rows) {
  if (running) return say("The one before is still under way.");
  plan = planned(action, rows);
  const { items, without } = plan;
  if (!items.length) return say(`There is nothing to ${action}: no adjustment is proposed for what is selected.`, true);
  const decides = action === "approve" || action === "reject";
  const of = decides ? counted(items.length, "adjustment", "adjustments") : counted(items.length, "discrepancy", "discrepancies");
  part("bulk-title").textContent = `${ACTIONS[action].does} ${of}`;
  const priced = items.map((one) => one.worth).filter(Boolean);
  const worth = decides ? `worth ${sum(priced)} ${dock.dataset.currency}` : worthOf(rows);
  const to = action === "approve" ? " Each is written to its book at once." : "";
  const left = without.length ? ` For ${without.length} of what is selected nothing is proposed.` : "";
  part("bulk-lead").textContent = `${worth[0].toUpperCase()}${worth.slice(1)}.${to}${left}`;
  const shown = items.slice(0, 12).map((one) => line(one.label));
  if (items.length > 12) shown.push(line(`and ${items.length - 12} more`));
  part("bulk-what").replaceChildren(...shown);
  part("bulk-go").textContent = `${ACTIONS[action].does} ${items.length}`;
  const form = dialog.querySelector("form");
  form.reset();
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = label.dataset.for !== action;
    for (const field of label.querySelectorAll("input, select")) field.disabled = label.hidden;
  }
  form.elements.until.value = tomorrow();
  fitted();
  dialog.returnValue = "";
  dialog.showModal();
  const first = { snooze: form.elements.until, assign: form.elements.assignee, comment: form.elements.note };
  (first[action] ?? part("bulk-go")).focus();
}

function fitted() {
  const form = dialog.querySelector("form");
  form.elements.note.required = plan.action === "comment" || (plan.action === "reject" && form.elements.reason.value === "other");
}

const pathsOf = (action) => async (item) => ({ path: `${item.path}/${action}` });

// ---- doing it, one call after the other

let running = null;
let last = null;

async function run({ action, items, without, before = [] }, bodies, paths, did) {
  running = { halted: false };
  const [done, left] = [[...before], [...without]];
  let ended = "";
  drawn();
  for (const [at, item] of items.entries()) {
    if (running.halted) ended = "You stopped it.";
    if (ended) {
      left.push({ ...item, words: "Not tried.", again: true });
      continue;
    }
    progress(at, items.length);
    const ready = await paths(item);
    const told = ready.words ? { done: false, why: "refused", words: ready.words } : await ask(ready.path, bodies(item), item.key);
    if (told.done) {
      const words = NOT_WRITTEN[told.answer.state];
      if (words && action === "approve") left.push({ ...item, words: `It is ${words}.` });
      else done.push({ ...item, answer: told.answer });
    } else {
      left.push({ ...item, words: told.words || "Not tried.", again: told.why !== "refused" || told.status >= 429 });
      if (told.why === "signed out") ended = "Your session has ended.";
      if (told.why === "not proven") ended = "It was not proven that it is you.";
      if (told.why === "lost") ended = "The service does not answer.";
    }
  }
  running = null;
  last = { action, done, left, ended, did, said: bodies };
  outcome();
  bulk.onDone(done.flatMap((one) => one.rows));
}

function progress(at, of) {
  part("doing-bar").max = of;
  part("doing-bar").value = at;
  part("doing-words").textContent = `${at} of ${of} done`;
}

// ---- taking it back: only what stands as it was left

function undoable() {
  if (!last || last.did || !ACTIONS[last.action].back) return [];
  return last.done.filter(({ answer }) => {
    if (last.action === "approve") return IN_THE_BOOK.includes(answer.state);
    return last.action !== "snooze" || answer.changes.at(-1)?.before === "open";
  });
}

async function standing(action, item) {
  const answer = await fetch(item.path);
  if (!answer.ok) return { words: "It could not be read, and stays as it is." };
  const { review } = await answer.json();
  const mine = item.answer.review;
  const same =
    action === "assign"
      ? review.assignee === mine.assignee
      : review.state === mine.state && review.decided_at === mine.decided_at;
  return same ? {} : { words: "Somebody has changed it since; it stays as it is now." };
}

function undo() {
  const items = undoable().map((one) => ({ ...one, key: crypto.randomUUID() }));
  if (running) return say("The one before is still under way.");
  if (!items.length) return say("There is nothing here that can be taken back.");
  const { action } = last;
  const verb = { approve: "undo", snooze: "reopen", assign: "assign" }[action];
  const bodies = (item) => (action === "assign" ? { assignee: item.was, note: "" } : { note: "" });
  const paths = async (item) => {
    const found = action === "approve" ? {} : await standing(action, item);
    return found.words ? found : { path: `${item.path}/${verb}` };
  };
  run({ action, items, without: [] }, bodies, paths, ACTIONS[action].undone);
}

function again() {
  const { action, done, left, said } = last;
  const items = left.filter((one) => one.again);
  const without = left.filter((one) => !one.again);
  run({ action, items, without, before: done }, said, pathsOf(action));
}

// ---- what is shown

function drawn() {
  part("doing").hidden = !running;
  part("outcome").hidden = !last || Boolean(running);
  part("picked").hidden = Boolean(running) || part("picked").dataset.count === "0";
  dock.hidden = !running && part("outcome").hidden && part("picked").hidden;
}

function outcome() {
  const { action, done, left, ended, did } = last;
  const said = [done.length && `${done.length} ${did ?? ACTIONS[action].did}`, left.length && `${left.length} not`].filter(Boolean).join(", ");
  part("outcome-words").textContent = `${said}. ${ended}`.trim();
  const back = undoable();
  part("undo").hidden = !back.length;
  part("undo").textContent = `Undo ${back.length}`;
  part("undo-words").textContent = back.length ? ACTIONS[action].back(back.length) : "";
  part("again").hidden = Boolean(did) || !left.some((one) => one.again);
  part("door").hidden = ended !== "Your session has ended.";
  part("door").href = door();
  part("left").replaceChildren(...left.map((one) => line(one.label, one.words)));
  part("left").hidden = !left.length;
  part("outcome").classList.toggle("grave", left.length > 0);
  drawn();
  part("outcome").focus({ preventScroll: true });
}

export const bulk = {
  onDone: () => {},
  isBusy: () => Boolean(running),
  may: (action) => Boolean(dock.querySelector(`[data-do="${action}"]`)),
  ask: question,
  undo,
  close() {
    if (!last || running) return false;
    last = null;
    drawn();
    return true;
  },
  shown(rows) {
    part("picked").dataset.count = String(rows.length);
    part("picked-count").textContent = `${rows.length} selected`;
    part("picked-worth").textContent = rows.length ? worthOf(rows) : "";
    bulk.rows = rows;
    drawn();
  },
};

dock?.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action) question(action, bulk.rows);
  else if (event.target.id === "undo") undo();
  else if (event.target.id === "again") again();
  else if (event.target.id === "close-outcome") bulk.close();
  else if (event.target.id === "halt" && running) running.halted = true;
});

dialog?.addEventListener("change", fitted);
dialog?.addEventListener("close", () => {
  if (dialog.returnValue !== "go" || !plan || running) return;
  const said = Object.fromEntries(new FormData(dialog.querySelector("form")));
  const { action } = plan;
  run(plan, (item) => bodyOf(action, item, said), pathsOf(action));
  plan = null;
});

addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});

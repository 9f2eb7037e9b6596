// The queue: what is selected, by mouse and by keys; groups that fold; and a list that never moves under whoever works on it.

import { bulk } from "./bulk.js";
import { door, say } from "./call.js";

const picked = new Set();
const dock = document.getElementById("dock");
const news = new Map();
let anchor = null;

const list = () => document.getElementById("list");
const all = (what) => [...list().querySelectorAll(what)];
const visible = () => all("[data-row]:not([hidden])");
const rowOf = (id) => document.getElementById(id);
const focused = () => document.activeElement?.closest?.("#list [data-row]") ?? null;

// ---- selecting

function membersOf(row) {
  const rows = row.dataset.group ? [...row.parentElement.querySelectorAll("tr[id]")] : [row];
  return rows.filter((one) => !one.classList.contains("gone")).map((one) => one.id);
}

function pick(ids, on) {
  for (const id of ids) {
    if (on) picked.add(id);
    else picked.delete(id);
  }
  draw();
}

function toggle(row) {
  const ids = membersOf(row);
  pick(ids, !ids.every((id) => picked.has(id)));
  anchor = row;
}

function pickTo(row) {
  const rows = visible();
  const [from, to] = [rows.indexOf(anchor), rows.indexOf(row)].sort((one, other) => one - other);
  if (from < 0) return toggle(row);
  pick(rows.slice(from, to + 1).flatMap(membersOf), true);
}

function allOnPage() {
  const ids = all("tr[id]:not(.gone)").map((one) => one.id);
  pick(ids, !ids.every((id) => picked.has(id)));
}

function show(box, ids) {
  if (!box) return;
  const some = ids.filter((id) => picked.has(id)).length;
  box.checked = ids.length > 0 && some === ids.length;
  box.indeterminate = some > 0 && some < ids.length;
  box.disabled = !ids.length;
}

function draw() {
  for (const row of all("[data-row]")) {
    show(row.querySelector("input[type=checkbox]"), membersOf(row));
    row.classList.toggle("picked", !row.dataset.group && picked.has(row.id));
  }
  show(document.getElementById("pick-all"), all("tr[id]:not(.gone)").map((one) => one.id));
  if (dock) bulk.shown([...picked].map(rowOf).filter(Boolean));
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("#list input[type=checkbox]");
  if (box) {
    const row = box.closest("[data-row]");
    if (!row) allOnPage();
    else if (event.shiftKey && anchor) pickTo(row);
    else toggle(row);
    return;
  }
  const fold = event.target.closest("button.fold");
  if (fold) unfold(fold.closest("[data-row]"));
  else if (event.target.id === "unfold") unfoldAll();
  else if (event.target.id === "fresh") bringUp(true);
  else if (event.target.id === "unpick") pick([...picked], false);
  else if (event.target.id === "copy-link") copyLink();
});

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied: it shows these filters, this order and these groups.");
  } catch {
    say(`Copy the address of this page: ${location.href}`);
  }
}

// ---- groups; which are unfolded stands in the address

function unfold(group, on = group.querySelector(".fold").getAttribute("aria-expanded") !== "true") {
  group.querySelector(".fold").setAttribute("aria-expanded", String(on));
  for (const row of group.parentElement.querySelectorAll("tr[id]")) row.hidden = !on;
  const open = all(".fold[aria-expanded=true]").map((one) => one.closest("tr").dataset.group).join(",");
  const here = new URL(location.href);
  if (open) here.searchParams.set("open", open);
  else here.searchParams.delete("open");
  history.replaceState(null, "", here);
  for (const link of all("a[href^='/discrepancies?'][href*='group=']")) {
    const to = new URL(link.href);
    to.searchParams.set("open", open);
    link.setAttribute("href", to.pathname + to.search);
  }
}

function unfoldAll() {
  const groups = all("tr.group");
  const on = !groups.every((one) => one.querySelector(".fold").getAttribute("aria-expanded") === "true");
  for (const one of groups) unfold(one, on);
}

// ---- filtering: an address without what was not chosen

const filter = document.querySelector(".queue-filter");
filter.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
filter.addEventListener("submit", () => {
  list().setAttribute("aria-busy", "true");
  asOf("looking …");
});

// ---- staying current

let asking = false;
let next = null;
let pointed = false;
document.addEventListener("pointerover", (event) => (pointed = Boolean(event.target.closest?.("#rows"))));
document.documentElement.addEventListener("pointerleave", () => (pointed = false));

function isQuiet() {
  return !pointed && !picked.size && !focused() && !bulk.isBusy() && !document.querySelector("dialog[open]");
}

function asOf(words, grave = false) {
  const place = document.getElementById("as-of");
  place.dataset.at ??= place.textContent;
  place.textContent = words ?? place.dataset.at;
  place.classList.toggle("bad", grave);
  return place;
}

function stale(words) {
  const place = asOf(null);
  asOf(`${words} What stands here is ${place.dataset.at}.`, true);
}

function signedOut() {
  stale("Your session has ended.");
  const link = document.createElement("a");
  link.href = door();
  link.textContent = "Sign in and come back";
  document.getElementById("as-of").append(" ", link);
}

// One question at a time: of all that are asked for meanwhile one more follows, so that no answer is ever thrown away.
async function bringUp(now) {
  const moving = now === true;
  if (asking) {
    next = next === true || moving;
    return;
  }
  asking = true;
  await readAnew(moving).finally(() => (asking = false));
  if (next === null) return;
  const following = next;
  next = null;
  bringUp(following);
}

async function readAnew(moving) {
  let text;
  try {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(30_000) });
    if (answer.redirected) return signedOut();
    if (!answer.ok) return stale("It could not be read just now.");
    text = await answer.text();
  } catch {
    return stale("The service does not answer.");
  }
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("list");
  if (!fresh) return stale("It could not be read just now.");
  if (moving || isQuiet()) replaceBy(fresh);
  else bringInto(fresh);
  draw();
  if (lost) stale("Not connected.");
}

function replaceBy(fresh) {
  const at = focused();
  const index = at ? visible().indexOf(at) : -1;
  const [id, group] = [at?.id, at?.dataset.group];
  list().replaceWith(document.adoptNode(fresh));
  for (const one of picked) if (!rowOf(one)) picked.delete(one);
  anchor = anchor && ((anchor.id && rowOf(anchor.id)) || all(`[data-group="${anchor.dataset.group}"]`)[0] || null);
  if (!at) return;
  const again = (id && rowOf(id)) || (group && all(`[data-group="${group}"]`)[0]) || visible()[Math.min(index, visible().length - 1)];
  again?.focus({ preventScroll: true });
}

// Whoever points at the list or has selected something keeps every row in its place: rows only say what became of them.
function bringInto(fresh) {
  const later = new Map([...fresh.querySelectorAll("tr[id]")].map((row) => [row.id, row]));
  const here = all("tr[id]");
  for (const row of here) {
    if (later.has(row.id)) rewrite(row, later.get(row.id));
    else gone(row);
  }
  const more = [...later.keys()].filter((id) => !here.some((row) => row.id === id)).length;
  const less = here.filter((row) => row.classList.contains("gone")).length;
  document.getElementById("proposals").replaceWith(document.adoptNode(fresh.querySelector("#proposals")));
  const place = document.getElementById("as-of");
  const next = fresh.querySelector("#as-of");
  place.replaceWith(document.adoptNode(next));
  const button = document.getElementById("fresh");
  button.hidden = !more && !less;
  button.textContent = [more && `${more} more`, less && `${less} gone`].filter(Boolean).join(", ") + ": show";
}

function rewrite(row, later) {
  if (picked.has(row.id) && row.dataset.proposed !== later.dataset.proposed && row.dataset.proposed) {
    // What was selected is not what would be decided about now.
    picked.delete(row.id);
    row.classList.add("changed");
  }
  row.classList.remove("gone");
  for (const name of ["proposed", "with", "worth", "causes", "of"]) {
    if (name in later.dataset) row.dataset[name] = later.dataset[name];
    else delete row.dataset[name];
  }
  [...row.cells].forEach((cell, at) => {
    const next = later.cells[at];
    if (!next || cell.classList.contains("pick") || cell.textContent === next.textContent) return;
    if (!next.querySelector("time")) row.classList.add("changed");
    cell.replaceChildren(...next.childNodes); // The cell itself stays in its row: the others are found by their place.
  });
}

// What is told of it may come later than that it is gone.
function gone(row) {
  row.classList.add("gone");
  picked.delete(row.id);
  const said = document.createElement("span");
  said.className = "tag";
  said.textContent = news.get(row.id) ?? "no longer in this list";
  row.cells[row.cells.length - 1].replaceChildren(said);
}

document.addEventListener("stale", (event) => {
  event.preventDefault();
  bringUp();
});
document.addEventListener("fact", (event) => {
  const { kind, subject, actor } = event.detail;
  if (kind === "review_closed" || kind === "discrepancy_cleared") news.set(subject, "agrees again");
  else if (kind.startsWith("review_")) news.set(subject, `${kind.slice(7).replaceAll("_", " ")} by ${actor.name}`);
});

// While nothing is told, it asks.
let lost = null;
document.addEventListener("link", (event) => {
  const before = lost;
  if (event.detail === "lost") {
    stale("Not connected.");
    lost ??= setInterval(bringUp, 15_000);
  } else {
    clearInterval(lost);
    lost = null;
  }
  if (Boolean(lost) !== Boolean(before)) bringUp();
});

// ---- keys

const ACTS = { a: "approve", r: "reject", z: "snooze", w: "assign", c: "comment" };

function step(by, extending) {
  const rows = visible();
  const at = focused();
  const next = rows[Math.min(rows.length - 1, Math.max(0, at ? rows.indexOf(at) + by : 0))];
  if (!next) return;
  if (extending && at && !picked.size) anchor = at;
  next.focus();
  if (extending) pickTo(next);
}

function act(action) {
  const at = focused();
  const ids = picked.size ? [...picked] : at ? membersOf(at) : [];
  if (!ids.length) return say("Nothing is selected: j goes to a row, x selects it.");
  bulk.ask(action, ids.map(rowOf).filter(Boolean));
}

function pressed(event) {
  const at = focused();
  const { key } = event;
  if (key === "Escape") return bulk.close() || (picked.size > 0 && pick([...picked], false));
  if (key === "u") return bulk.undo();
  if (key === ".") return bringUp(true);
  if (ACTS[key] && dock) return bulk.may(ACTS[key]) ? act(ACTS[key]) : say(`Your role may not ${ACTS[key]}.`);
  if (key === "*" && dock) return allOnPage();
  if ((key === "J" || key === "K") && dock) return step(key === "J" ? 1 : -1, true);
  if (!at) return false;
  if ((key === "x" || key === " ") && dock) return event.shiftKey && anchor ? pickTo(at) : toggle(at);
  if (key === "X" && dock) return pickTo(at);
  if (at.dataset.group && (key === "Enter" || key === "o")) return unfold(at);
  return false;
}

document.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    const isBox = target.type === "checkbox";
    if (!isBox && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    // A button or a box that has the focus takes these itself.
    if ((key === " " || key === "Enter") && (isBox || /^(BUTTON|A|SUMMARY)$/.test(target.tagName))) return;
    if (pressed(event) === false) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

bulk.onDone = (ids) => {
  for (const id of ids) picked.delete(id);
  bringUp();
};
draw();

// The whole journal, verified while one looks: asked of the API, which goes on with it, and asked how far it is.

import { problemOf } from "./call.js";

const button = document.getElementById("verify");
const words = document.getElementById("verified");
const bar = document.getElementById("verifying");
const digits = new Intl.NumberFormat("en");
const counted = (count, one, several) => `${digits.format(count)} ${count === 1 ? one : several}`;

function answer(text, mood = "") {
  words.textContent = text;
  words.className = `answer ${mood}`;
}

function told(last) {
  const { result, seconds, checked_at: at } = last;
  const took = `${seconds.toFixed(2)} s, begun at ${at.slice(11, 19)} UTC`;
  if (!result.sound) return answer(`Broken at ${result.broken}. Keep a copy of the database before anything writes to it. (${took})`, "bad");
  const sealed = `${counted(result.entries, "entry", "entries")} under ${counted(result.heads, "signed head", "signed heads")}`;
  const held = `${counted(result.reports, "report", "reports")} and ${counted(result.changes, "change", "changes")} of discrepancies`;
  answer(`Verified: ${sealed}, and ${held} held against them. It took ${took}.`, "good");
}

async function asked(path) {
  const got = await fetch(path, { headers: { Accept: "application/json" } });
  if (got.ok) return got.json();
  const goesOn = got.status === 503 && (await got.clone().json()).type?.endsWith("no-answer");
  if (!goesOn) throw new Error(await problemOf(got));
  return null; // it takes longer than a call may
}

async function watched(done) {
  while (!done.yes) {
    await new Promise((soon) => setTimeout(soon, 250));
    const now = await asked("/api/journal/verification/progress");
    if (!now?.under_way || done.yes) continue;
    bar.value = now.of ? now.entries / now.of : 0;
    answer(`Verifying: ${digits.format(now.entries)} of ${counted(now.of, "entry", "entries")} …`);
  }
}

async function ended() {
  for (;;) {
    const last = await asked("/api/journal/verification");
    if (last) return last;
  }
}

button?.addEventListener("click", async () => {
  const done = { yes: false };
  button.disabled = true;
  bar.classList.add("on");
  bar.value = 0;
  answer("Verifying …");
  watched(done).catch(() => {});
  try {
    const last = await ended();
    done.yes = true;
    told(last);
  } catch (error) {
    answer(`It could not be verified: ${error.message}`, "bad");
  }
  done.yes = true;
  bar.classList.remove("on");
  button.disabled = false;
});

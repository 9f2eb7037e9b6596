// A report worked out again from what its run was told: asked of the API, and what differs said with both values.

import { problemOf } from "./call.js";

const button = document.getElementById("replay");
const words = document.getElementById("replayed");

function answer(text, mood = "") {
  words.textContent = text;
  words.className = `answer ${mood}`;
}

function told(found) {
  const by = found.recorded_by && found.recorded_by !== found.replayed_by ? ` Recorded by version ${found.recorded_by}, replayed by ${found.replayed_by}.` : "";
  if (found.outcome === "equal") return answer(`Equal: worked out again, byte for byte.${by}`, "good");
  const { difference: at, missing, because } = found;
  const where = at ? ` At ${at.path}: recorded ${at.recorded}, replayed ${at.replayed}.` : "";
  const lacks = missing ? ` Missing: ${missing}.` : "";
  if (found.outcome === "different") return answer(`Different: the replay is another report.${where}${lacks}${by}`, "bad");
  answer(`It cannot be told: ${because || "what is kept does not suffice."}${lacks}${by}`, "bad");
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  answer("Working it out again …");
  try {
    const got = await fetch(`/api/reports/${encodeURIComponent(button.dataset.report)}/replay`);
    if (got.ok) told(await got.json());
    else answer(`It could not be replayed: ${await problemOf(got)}`, "bad");
  } catch {
    answer("The service did not answer; nothing is lost, try again.", "bad");
  }
  button.disabled = false;
});

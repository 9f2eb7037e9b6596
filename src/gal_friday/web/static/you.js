// One's own passkeys: made by the browser, kept by the API.

import { call, passkeys, say } from "./call.js";

const list = document.getElementById("passkeys");
const form = document.getElementById("add-passkey");

async function shown() {
  const answer = await fetch("/api/me/passkeys");
  if (!answer.ok) return;
  const known = (await answer.json()).passkeys;
  list.replaceChildren(...known.map(row));
  document.getElementById("no-passkeys").hidden = known.length > 0;
}

function row(one) {
  const line = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = one.name;
  const used = document.createElement("span");
  used.className = "dim";
  used.textContent = ` added ${one.added.slice(0, 10)}, ${one.last_used ? `last used ${one.last_used.slice(0, 10)}` : "never used"} `;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "second";
  remove.textContent = `Remove ${one.name}`;
  remove.addEventListener("click", async () => {
    if ((await call(`/api/me/passkeys/${encodeURIComponent(one.id)}`, null, null, "DELETE")) !== null) {
      say("Removed; it lets nobody in any more.");
      shown();
    }
  });
  line.append(name, used, remove);
  return line;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const options = await call("/api/me/passkeys/options", null);
  if (options === null) return;
  try {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    const made = await navigator.credentials.create({ publicKey });
    const kept = await call("/api/me/passkeys", { name: form.elements.name.value, answer: made.toJSON() });
    if (kept !== null) say(`Added ${kept.name}; it lets you in from here on.`);
  } catch (error) {
    say(`No passkey was made: ${error.message}`, true);
  }
  shown();
});

form.hidden = !passkeys;
shown();

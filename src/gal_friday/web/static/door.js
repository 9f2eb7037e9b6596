// The door: a password, a passkey, or what stands behind the # of a link.

import { passkeys, problemOf, say, shownPasskey } from "./call.js";

const door = document.getElementById("sign-in");

async function entered(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    return say("The service does not answer. Look whether it runs, and try again.", true);
  }
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
  passkey.hidden = !passkeys;
  passkey.addEventListener("click", async () => {
    try {
      await entered("/api/session/passkey", { answer: await shownPasskey() });
    } catch (error) {
      say(`No passkey was shown: ${error.message}`, true);
    }
  });
}

// Calls of the API, as the person who is signed in: with the page's token, and with a fresh proof where one is asked for.

const told = document.getElementById("told");

export function say(words, grave = false) {
  told.replaceChildren();
  const line = document.createElement("p");
  line.textContent = words;
  line.className = grave ? "said grave" : "said";
  told.append(line);
  if (!grave) setTimeout(() => line.remove(), 6000);
}

let formToken = null;

export async function me() {
  return (await known()) ?? goToTheDoor();
}

// Who is signed in; null where nobody is any more.
export async function known() {
  const answer = await fetch("/api/me", { headers: { Accept: "application/json" } });
  if (answer.status === 401) return null;
  const found = await answer.json();
  formToken = found.form_token;
  return found;
}

export function door() {
  return `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
}

function goToTheDoor() {
  location.assign(door());
  return new Promise(() => {});
}

export async function problemOf(answer) {
  try {
    const problem = await answer.json();
    return problem.detail || problem.title || answer.statusText;
  } catch {
    return answer.statusText || `the answer was ${answer.status}`;
  }
}

// One key for each press of a button: pressed twice, or sent again after a lost answer, it is done once.
export async function call(path, body, key, method = "POST") {
  const told = await ask(path, body, key, method);
  if (told.done) return told.answer;
  if (told.why === "signed out") return goToTheDoor();
  if (told.words) say(told.words, true);
  return null;
}

// What became of a call, for whoever makes many: done, or why not. "lost" may have been done, and can be sent again.
export async function ask(path, body, key, method = "POST") {
  const notDone = (why, words = "", status = 0) => ({ done: false, why, words, status });
  try {
    if (formToken === null && (await known()) === null) return notDone("signed out");
    const headers = { "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    const send = () => {
      headers["X-Form-Token"] = formToken;
      return fetch(path, { method, headers, ...(body === null ? {} : { body: JSON.stringify(body) }) });
    };
    let answer = await send();
    if (await says(answer, "cross-site")) {
      // Another tab has proven again who it is: its page has a new token since.
      if ((await known()) === null) return notDone("signed out");
      answer = await send();
    }
    if (await says(answer, "prove-again")) {
      if (!(await proveAgain())) return notDone("not proven");
      answer = await send();
    }
    if (answer.status === 401) return notDone("signed out");
    if (answer.ok) return { done: true, answer: answer.status === 204 ? {} : await answer.json() };
    return notDone("refused", await problemOf(answer), answer.status);
  } catch {
    return notDone("lost", "The service did not answer. Nothing is lost: look whether it was done, and try again.");
  }
}

async function says(answer, type) {
  if (answer.status !== 403) return false;
  try {
    return ((await answer.clone().json()).type || "").endsWith(type);
  } catch {
    return false;
  }
}

export const passkeys = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

export async function shownPasskey() {
  const asked = await fetch("/api/session/passkey/options", { method: "POST" });
  if (!asked.ok) throw new Error(await problemOf(asked));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json());
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

/** Gives the words of what went wrong; none where it is proven. */
async function stepUp(proof) {
  const answer = await fetch("/api/session/step-up", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Form-Token": formToken },
    body: JSON.stringify(proof),
  });
  if (!answer.ok) return await problemOf(answer);
  formToken = (await answer.json()).form_token;
  return "";
}

function proveAgain(words = "It is a while since you showed that it is you. Show it once more, and what you pressed is done.") {
  const dialog = document.getElementById("prove");
  const form = dialog.querySelector("form");
  form.reset();
  document.getElementById("prove-words").textContent = words;
  dialog.querySelector("[value=passkey]").hidden = !passkeys;
  return new Promise((done) => {
    const closed = async () => {
      try {
        const by = dialog.returnValue;
        if (by !== "password" && by !== "passkey") return done(false);
        const proof = by === "password" ? { password: form.elements.password.value } : { answer: await shownPasskey() };
        const problem = await stepUp(proof);
        return done(problem === "" || (await proveAgain(problem)));
      } catch (error) {
        say(`No passkey was shown: ${error.message}`, true);
      } finally {
        form.reset();
      }
      return done(false);
    };
    dialog.returnValue = "";
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
  });
}

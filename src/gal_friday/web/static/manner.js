// How times and numbers are said in this browser: a cookie, which the server makes the pages by.

import { say } from "./call.js";

const form = document.getElementById("manner");
const own = document.getElementById("own-zone");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (here && [...form.elements.zone.options].some((one) => one.text === here)) {
  own.value = here;
  own.textContent = `of this browser: ${here}`;
  own.hidden = own.disabled = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `reads=${form.elements.zone.value}:${form.elements.style.value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  say("Kept.");
  location.reload();
});

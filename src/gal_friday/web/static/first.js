// What has to be there before anything is shown: the theme that was chosen, and an ear for whoever is faster than the page.
// Until all scripts of a page have run nothing else hears: what needs them is kept, and done in its order as soon as they have.
{
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;

  const NEEDS_SCRIPT = "button[type=button]:not([popovertarget]), input[type=checkbox], code.id";
  const FAILED = "A script of this page could not be loaded, so nothing here can be decided. Reload the page.";
  const TOO_EARLY = "Some of what you pressed came before the page was ready and was not done. Look, and press it again.";
  const kept = [];
  let failed = false;

  function say(words) {
    const line = document.createElement("p");
    line.className = "said grave";
    line.textContent = words;
    document.getElementById("told")?.replaceChildren(line);
  }

  function keep(event, again) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (failed) say(FAILED);
    else kept.push(again);
  }

  function clicked(event) {
    const pressed = event.target.closest?.(NEEDS_SCRIPT);
    const { shiftKey } = event;
    if (!pressed) return;
    keep(event, () => {
      pressed.focus({ preventScroll: true });
      pressed.dispatchEvent(new MouseEvent("click", { shiftKey, bubbles: true, cancelable: true }));
    });
  }

  // A form that posts is sent by a script; sent by the browser, what was typed would go astray.
  function submitted(event) {
    const { target, submitter } = event;
    if (target.getAttribute("method") === "post") keep(event, () => target.requestSubmit(submitter));
  }

  function pressed(event) {
    const { target, key, shiftKey, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || (key.length > 1 && key !== "Enter") || /^(INPUT|TEXTAREA|SELECT|BUTTON|A|SUMMARY)$/.test(target.tagName)) return;
    keep(event, () => {
      const at = document.activeElement ?? document.body;
      // What has the focus by now was not to be seen yet: nobody agrees to it blindly.
      if (document.querySelector("dialog[open]") || /^(BUTTON|A|INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return say(TOO_EARLY);
      at.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
    });
  }

  const heard = { click: clicked, submit: submitted, keydown: pressed };
  for (const [name, hears] of Object.entries(heard)) addEventListener(name, hears, true);
  addEventListener("error", ({ target }) => (failed ||= target.tagName === "SCRIPT"), true);
  // Then every script of the page has run, or never will.
  addEventListener("DOMContentLoaded", () => {
    if (failed) return say(FAILED);
    for (const [name, hears] of Object.entries(heard)) removeEventListener(name, hears, true);
    // As it was when the first was pressed: nothing had the focus.
    const writes = document.activeElement.matches("input:not([type=checkbox]), textarea, select") && document.activeElement;
    if (kept.length) document.activeElement.blur();
    for (const again of kept) again();
    if (writes) writes.focus();
  });
}

// What the keyboard does, runs chosen to be compared, and settings searched.
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const isTyping = (element) => element.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

  // Keys ---------------------------------------------------------------------------------------------

  function rows() {
    return all("table.rows tbody tr");
  }

  function move(by) {
    const there = rows();
    if (!there.length) return;
    const now = there.findIndex((row) => row.contains(document.activeElement));
    const next = there[Math.min(there.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
    next.querySelector("a.name").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const where = document.getElementById("where") || document.getElementById("sift");
    if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
    if (isTyping(event.target)) return;
    if (event.key === "/" && where) {
      event.preventDefault();
      where.focus();
      where.select();
    } else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x") {
      const row = rows().find((one) => one.contains(document.activeElement));
      row?.querySelector("input[type=checkbox]")?.click();
    }
  });

  const asked = document.getElementById("where");
  if (asked?.dataset.caret) {
    const caret = Math.min(asked.value.length, Number(asked.dataset.caret));
    asked.focus();
    asked.setSelectionRange(caret, Math.min(asked.value.length, caret + 1));
  }

  // Runs to compare ----------------------------------------------------------------------------------

  const list = document.querySelector("form#list");

  function count() {
    const chosen = all("input[name=run]:checked", list).length;
    document.getElementById("picked").hidden = chosen === 0;
    document.getElementById("count").textContent = `${chosen} ${noun}${chosen === 1 ? "" : "s"}`;
    document.getElementById("compare").disabled = chosen < 2 || chosen > 8;
  }

  const noun = document.getElementById("picked")?.dataset.noun;
  if (list) {
    list.addEventListener("change", count);
    list.addEventListener("htmx:after:swap", count);
    document.getElementById("unpick").addEventListener("click", () => {
      for (const box of all("input[name=run]:checked", list)) box.checked = false;
      count();
    });
    count(); // a browser that went back has kept what was ticked
    addEventListener("pageshow", count);
  }

  // Settings searched --------------------------------------------------------------------------------

  const sift = document.querySelector("[data-sift]");
  if (sift) {
    const within = document.querySelector(sift.dataset.sift);
    const none = document.getElementById("settings-none");
    const folds = all("details", within);
    const usual = folds.map((fold) => fold.open);
    sift.addEventListener("input", () => {
      const words = sift.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      folds.forEach((fold, place) => {
        let here = 0;
        for (const row of all("[data-text]", fold)) {
          const fits = words.every((word) => row.dataset.text.includes(word));
          row.hidden = !fits;
          here += fits ? 1 : 0;
        }
        fold.hidden = here === 0;
        fold.open = words.length ? here > 0 : usual[place];
        found += here;
      });
      none.hidden = found > 0;
    });
  }

  // Samples of another step --------------------------------------------------------------------------

  for (const nav of all("nav.steps"))
    nav.addEventListener("click", (event) => {
      const chosen = event.target.closest("a");
      if (!chosen) return;
      for (const link of all("a", nav)) link.removeAttribute("aria-current");
      chosen.setAttribute("aria-current", "true");
    });
})();

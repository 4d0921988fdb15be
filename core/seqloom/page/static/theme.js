// Light or dark, as somebody chose here before, else as the system has it. Runs before anything is drawn.
"use strict";
(() => {
  const NAMES = ["system", "light", "dark"];
  let chosen = "system";
  try {
    const kept = localStorage.getItem("seqloom-theme");
    if (NAMES.includes(kept)) chosen = kept;
  } catch {} // storage may be forbidden; then it is not remembered

  function show() {
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (button) {
      const said = { system: "as the system has them", light: "light", dark: "dark" }[chosen];
      button.setAttribute("aria-label", `Colours: ${said}`);
      button.title = `Colours: ${said}`;
    }
    document.dispatchEvent(new CustomEvent("seqloom:theme"));
  }

  function turn() {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const order = isDark ? ["system", "light", "dark"] : ["system", "dark", "light"];
    chosen = order[(order.indexOf(chosen) + 1) % order.length];
    try {
      if (chosen === "system") localStorage.removeItem("seqloom-theme");
      else localStorage.setItem("seqloom-theme", chosen);
    } catch {}
    show();
  }

  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", turn);
  });
})();

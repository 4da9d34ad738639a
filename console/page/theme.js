// Runs before the first paint: the chosen theme, else the system's.
(() => {
  const root = document.documentElement;
  const chosen = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = chosen() ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = theme;
    root.dispatchEvent(new CustomEvent("theme"));
  };
  dark.addEventListener("change", apply);
  window.switchTheme = () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      if (next === (dark.matches ? "dark" : "light")) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch { /* a browser without storage forgets it */ }
    root.dataset.theme = next;
    root.dispatchEvent(new CustomEvent("theme"));
  };
  apply();
})();

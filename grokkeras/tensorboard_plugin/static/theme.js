// Light and dark: TensorBoard's own choice by default. A chart's colours are values, not classes,
// so that an exported figure looks as it did on the screen.

const SHARED = {
  // Told apart by colour-blind eyes as well, and legible on both grounds.
  light: [
    "#0072b2", "#d55e00", "#009e73", "#c2609a", "#8f6b00", "#4b4bb8",
    "#56a4d8", "#7a4a32", "#b22222", "#5b7f00", "#7d3fa0", "#5f6f7d",
  ],
  dark: [
    "#5ab4f0", "#ff9a4d", "#3ccf9c", "#e79ac5", "#e0b93c", "#9d9df5",
    "#b5e0ff", "#c99a80", "#ff8078", "#b4d455", "#d0a0f0", "#b4c2cc",
  ],
};

const PALETTES = {
  light: {
    name: "light",
    ground: "#ffffff",
    text: "#202124",
    dim: "#5f6368",
    grid: "#e3e5e8",
    axis: "#9aa0a6",
    runs: SHARED.light,
    stages: {
      memorizing: "#eef2f7",
      overfitting: "#fdf1dc",
      grokked: "#e2f4ea",
      collapsed: "#fbe3e1",
    },
  },
  dark: {
    name: "dark",
    ground: "#303030",
    text: "#f1f3f4",
    dim: "#bdc1c6",
    grid: "#45474a",
    axis: "#80868b",
    runs: SHARED.dark,
    stages: {
      memorizing: "#373b42",
      overfitting: "#463c28",
      grokked: "#2a4236",
      collapsed: "#4c3030",
    },
  },
};

function board() {
  try {
    return window.parent.document.body;
  } catch {
    return document.body; // framed by a page of another origin
  }
}

function chosenByBoard() {
  if (window.parent === window) return matchMedia("(prefers-color-scheme: dark)").matches;
  return board().classList.contains("dark-mode");
}

/** The palette to draw with; `choice` is "auto", "light" or "dark". */
export function palette(choice) {
  if (choice === "auto") return PALETTES[chosenByBoard() ? "dark" : "light"];
  return PALETTES[choice];
}

/** Calls `changed` whenever TensorBoard switches its theme. */
export function watchTheme(changed) {
  new MutationObserver(changed).observe(board(), { attributes: true, attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

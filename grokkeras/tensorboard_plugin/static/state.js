// What the user has chosen, kept in the page's address so that a link shows the same view.

const PREFIX = "p.grokking.";

const DEFAULTS = {
  filter: "",
  metric: "accuracy",
  second: "",
  axis: "log",
  yaxis: "auto",
  view: "runs",
  schedules: "on",
  theme: "auto",
  focus: "",
  hidden: "",
  zoom: "",
  sort: "name",
};

const ALLOWED = {
  axis: ["log", "linear"],
  yaxis: ["auto", "log", "linear"],
  view: ["runs", "configurations"],
  schedules: ["on", "off"],
  theme: ["auto", "light", "dark"],
};

function place() {
  try {
    void window.parent.location.hash;
    return window.parent;
  } catch {
    return window; // framed by a page of another origin
  }
}

function parts() {
  return place().location.hash.replace(/^#/, "").split("&");
}

/** The state that the address asks for; what it does not name, or names wrongly, is default. */
export function readState() {
  const state = { ...DEFAULTS };
  for (const part of parts()) {
    const [key, value = ""] = part.split(/=(.*)/s);
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
    if (name === null || !(name in DEFAULTS)) continue;
    try {
      const decoded = decodeURIComponent(value);
      if (!ALLOWED[name] || ALLOWED[name].includes(decoded)) state[name] = decoded;
    } catch {
      // a broken escape: the default
    }
  }
  return state;
}

/** Puts the state into the address, without a step in the history. */
export function writeState(state) {
  const kept = parts().filter((part) => part && !part.startsWith(PREFIX));
  if (!kept.length && place() !== window) kept.push("grokking");
  for (const [name, value] of Object.entries(state)) {
    if (value !== DEFAULTS[name]) kept.push(`${PREFIX}${name}=${encodeURIComponent(value)}`);
  }
  const where = place();
  if (where !== window && kept[0] !== "grokking") return; // another tab is being opened
  where.history.replaceState(where.history.state, "", `#${kept.join("&")}`);
}

/** The address of this view. */
export function link() {
  return place().location.href;
}

/** `zoom` as [first, last], or null. */
export function zoomOf(state) {
  const [low, high] = state.zoom.split("-").map(Number);
  return low > 0 && high > low ? [low, high] : null;
}

/** The names in `hidden`. */
export function hiddenOf(state) {
  return new Set(state.hidden ? state.hidden.split("\n") : []);
}

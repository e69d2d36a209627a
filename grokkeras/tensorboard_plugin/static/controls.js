// The bar above the chart.

import { html } from "./dom.js";
import { words } from "./format.js";
import { SCHEDULES } from "./model.js";

const FIRST = ["accuracy", "loss"];

/** Metrics for the first axis, then all else for the second. */
export function choices(names) {
  const rest = names.filter((name) => !FIRST.includes(name) && !SCHEDULES.includes(name));
  return { metrics: [...FIRST.filter((name) => names.includes(name)), ...rest], seconds: [...rest, ...FIRST.filter((n) => names.includes(n)), ...SCHEDULES.filter((n) => names.includes(n))] };
}

function select(title, value, options, change) {
  const known = options.some(([each]) => each === value) ? options : [...options, [value, words(value)]];
  const node = html(
    "select",
    { "aria-label": title, onchange: (event) => change(event.target.value) },
    ...known.map(([each, text]) => html("option", { value: each, selected: each === value }, text)),
  );
  return html("label", {}, html("span", {}, title), node);
}

function button(text, title, action) {
  return html("button", { type: "button", title, onclick: action }, text);
}

/**
 * The bar.
 * @param {object} state see state.js
 * @param {string[]} names all curves that any run has
 * @param {(change: object) => void} set
 * @param {object} actions `svg`, `png`, `csv`, `copy`
 */
export function toolbar(state, names, set, actions) {
  const { metrics, seconds } = choices(names);
  const named = (list) => list.map((name) => [name, words(name)]);
  const filter = html("input", {
    type: "search",
    placeholder: "Filter runs",
    "aria-label": "Filter runs by name",
    title: "Part of a name, or a regular expression",
    value: state.filter,
    oninput: (event) => set({ filter: event.target.value }, false),
  });
  return html(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "What is shown" },
    filter,
    select("Curves", state.metric, named(metrics), (metric) => set({ metric })),
    select("Second axis", state.second, [["", "none"], ...named(seconds)], (second) => set({ second })),
    select("Steps", state.axis, [["log", "log"], ["linear", "linear"]], (axis) => set({ axis })),
    select("Values", state.yaxis, [["auto", "auto"], ["linear", "linear"], ["log", "log"]], (yaxis) => set({ yaxis })),
    select("Show", state.view, [["runs", "each run"], ["configurations", "median of seeds"]], (view) => set({ view })),
    select("Schedules", state.schedules, [["on", "shown"], ["off", "hidden"]], (schedules) => set({ schedules })),
    select("Theme", state.theme, [["auto", "auto"], ["light", "light"], ["dark", "dark"]], (theme) => set({ theme })),
    html(
      "span",
      { class: "buttons" },
      ...(state.zoom ? [button("All steps", "Undo the zoom (or press 0 in the chart)", () => set({ zoom: "" }))] : []),
      button("SVG", "Save the chart as SVG", actions.svg),
      button("PNG", "Save the chart as PNG", actions.png),
      button("CSV", "Save every point of the runs shown as CSV", actions.csv),
      button("Link", "Copy the address of this view", actions.copy),
    ),
  );
}

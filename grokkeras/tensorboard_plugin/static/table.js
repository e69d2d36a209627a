// The runs as a table: sortable, with what became of each; a row shows, hides and focuses a run.

import { html } from "./dom.js";
import { percent, steps } from "./format.js";
import { sentence } from "./model.js";
import { hiddenOf } from "./state.js";

const COLUMNS = [
  { key: "name", title: "run", of: (run) => run.name, show: (run) => run.name },
  { key: "phase", title: "phase", of: (run) => run.phase, show: phase },
  { key: "memorized", title: "memorized at", of: (run) => run.memorization_step, show: (run) => steps(run.memorization_step), number: true },
  { key: "grokked", title: "grokked at", of: (run) => run.grokking_step, show: (run) => steps(run.grokking_step), number: true },
  { key: "delay", title: "delay", of: (run) => run.delay_steps, show: (run) => steps(run.delay_steps), number: true },
  { key: "collapsed", title: "collapsed at", of: (run) => run.collapse_step, show: (run) => steps(run.collapse_step), number: true },
  { key: "train", title: "train", of: (run) => run.final.train_accuracy, show: (run) => percent(run.final.train_accuracy), number: true },
  { key: "val", title: "validation", of: (run) => run.final.val_accuracy, show: (run) => percent(run.final.val_accuracy), number: true },
  { key: "test", title: "test", of: (run) => run.final.test_accuracy, show: (run) => percent(run.final.test_accuracy), number: true },
  { key: "steps", title: "steps", of: (run) => run.last_step, show: (run) => steps(run.last_step), number: true },
];

function phase(run) {
  if (run.live) return `${run.phase}, running`;
  return run.status && run.status !== "finished" ? `${run.phase}, ${run.status}` : run.phase;
}

/** `runs` in the order that `sort` names: a column's key, after "-" downwards. Unknown comes last. */
export function sorted(runs, sort) {
  const down = sort.startsWith("-");
  const column = COLUMNS.find((each) => each.key === sort.replace(/^-/, "")) || COLUMNS[0];
  const compare = (a, b) =>
    column.number ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return [...runs].sort((one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    const none = (value) => value === null || value === undefined;
    if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
    return down ? compare(b, a) : compare(a, b);
  });
}

/**
 * The table.
 * @param {(run: object) => string} color a run's colour in the chart
 * @param {object[]} listed those to be listed
 * @param {object} state see state.js
 * @param {(change: object) => void} set called with changes of the state
 */
export function runTable(listed, state, color, set) {
  const hidden = hiddenOf(state);
  const head = COLUMNS.map((column) => {
    const up = state.sort === column.key;
    const down = state.sort === `-${column.key}`;
    return html(
      "th",
      { class: column.number && "number", "aria-sort": up ? "ascending" : down ? "descending" : null },
      html(
        "button",
        { type: "button", onclick: () => set({ sort: up ? `-${column.key}` : column.key }) },
        `${column.title}${up ? " ▲" : down ? " ▼" : ""}`,
      ),
    );
  });
  const visible = listed.filter((run) => !hidden.has(run.id));
  const every = html("input", {
    type: "checkbox",
    "aria-label": "show all",
    checked: visible.length > 0,
    onchange: (event) => {
      const ids = listed.map((run) => run.id);
      const kept = [...hidden].filter((id) => !ids.includes(id));
      set({ hidden: (event.target.checked ? kept : [...kept, ...ids]).join("\n") });
    },
  });
  const rows = sorted(listed, state.sort).map((run) => row(run, hidden, state, color, set));
  return html(
    "table",
    {},
    html("thead", {}, html("tr", {}, html("th", {}, every), ...head)),
    html("tbody", {}, ...rows),
  );
}

function row(run, hidden, state, color, set) {
  const check = html("input", {
    type: "checkbox",
    checked: !hidden.has(run.id),
    "aria-label": `show ${run.name}`,
    onchange: (event) => {
      const others = new Set(hidden);
      if (event.target.checked) others.delete(run.id);
      else others.add(run.id);
      set({ hidden: [...others].join("\n") });
    },
  });
  const focused = state.focus === run.id;
  const chip = html("i", { class: "chip", style: `background:${color(run)}` });
  const cells = COLUMNS.map((column, place) =>
    html(
      "td",
      { class: column.number && "number" },
      place ? column.show(run) : html("button", { type: "button", class: "name", title: sentence(run), "aria-pressed": String(focused), onclick: () => set({ focus: focused ? "" : run.id }) }, run.name),
    ),
  );
  return html("tr", { class: focused && "focused", "data-run": run.id }, html("td", { class: "pick" }, check, chip), ...cells);
}

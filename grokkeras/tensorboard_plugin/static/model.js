// From runs and the user's choices to what is to be drawn: lines, bands, marks and stages.

import { byConfiguration, summarize } from "./groups.js";
import { percent, steps, valueOf, words } from "./format.js";
import { extent, padded } from "./scales.js";
import { hiddenOf, zoomOf } from "./state.js";

export const SCHEDULES = ["learning_rate", "weight_decay", "dropout_rate"];
const SPLITS = { train: "train", val: "validation" };

/** The runs that the filter lets through: parts of the name, or a regular expression. */
export function filtered(runs, filter) {
  const text = filter.trim();
  if (!text) return runs;
  let matches = (name) => name.toLowerCase().includes(text.toLowerCase());
  try {
    const pattern = new RegExp(text, "i");
    matches = (name) => pattern.test(name);
  } catch {
    // not yet a whole expression: as plain text
  }
  return runs.filter((run) => matches(run.name));
}

/** A run's colour, the same whatever is filtered or hidden. */
export function colorOf(runs, run, palette) {
  return palette.runs[runs.indexOf(run) % palette.runs.length];
}

/** The stages of a run, from step to step, each with its name. */
export function stagesOf(run) {
  const { memorization_step: memorized, grokking_step: grokked, collapse_step: collapsed } = run;
  const marks = [
    ["overfitting", grokked !== null && memorized >= grokked ? null : memorized],
    ["grokked", grokked],
    ["collapsed", collapsed],
  ].filter(([, step]) => step !== null && step !== undefined);
  const stages = [{ name: "memorizing", from: 0 }];
  for (const [name, step] of marks) stages.push({ name, from: step });
  stages.forEach((stage, place) => {
    stage.to = stages[place + 1] ? stages[place + 1].from : run.last_step;
  });
  return stages.filter((stage) => stage.to > stage.from);
}

/**
 * Everything that the chart draws.
 * @param {object} data the latest answer of the server
 * @param {object} state see state.js
 * @param {object} palette see theme.js
 */
export function chartModel(data, state, palette) {
  const hidden = hiddenOf(state);
  const listed = filtered(data.runs, state.filter);
  const shown = listed.filter((run) => !hidden.has(run.id));
  const groups = state.view === "configurations" ? byConfiguration(shown) : null;
  const model = { metric: state.metric, lines: [], bands: [], marks: [], stages: [], strips: [], legend: [], colors: new Map() };
  const focus = shown.find((run) => run.id === state.focus) || (shown.length === 1 ? shown[0] : null);

  const draw = groups
    ? groups.map((group, place) => ({
        label: group.label,
        color: palette.runs[place % palette.runs.length],
        curve: (key) => groupCurve(group.runs, key),
        runs: group.runs,
      }))
    : shown.map((run) => ({
        label: run.name,
        color: colorOf(data.runs, run, palette),
        curve: (key) => run.curves[key] && { xs: run.curves[key][0], ys: run.curves[key][1] },
        runs: [run],
      }));
  const alone = draw.length === 1;
  for (const thing of draw) {
    for (const run of thing.runs) model.colors.set(run.id, thing.color);
  }
  const many = draw.length > 12;
  for (const thing of draw) {
    const dim = focus && !groups && thing.runs[0] !== focus;
    for (const split of ["train", "val"]) {
      const curve = thing.curve(`${split}/${state.metric}`);
      if (!curve || !curve.xs.length) continue;
      const color = alone ? palette.runs[split === "train" ? 0 : 1] : thing.color;
      const opacity = dim ? 0.25 : split === "train" && !alone ? 0.6 : 1;
      model.lines.push({
        ...curve,
        label: alone ? SPLITS[split] : `${thing.label}, ${SPLITS[split]}`,
        name: state.metric,
        color,
        opacity,
        dash: split === "train" && !alone ? "5 3" : null,
        width: many ? 1.2 : split === "train" && !alone ? 1.4 : 2,
        run: groups ? null : thing.runs[0].id,
      });
      if (curve.low) {
        model.bands.push({ xs: curve.xs, low: curve.low, high: curve.high, color, faint: split === "train" });
      }
    }
    if (state.second) {
      const curve = thing.curve(`train/${state.second}`) || thing.curve(`val/${state.second}`);
      if (curve && curve.xs.length) {
        model.lines.push({
          ...curve,
          label: alone ? words(state.second) : `${thing.label}, ${words(state.second)}`,
          name: state.second,
          color: alone ? palette.runs[3] : thing.color,
          opacity: dim ? 0.2 : 0.9,
          dash: "1.5 3",
          width: 1.7,
          second: true,
          run: groups ? null : thing.runs[0].id,
        });
      }
    }
    if (!alone && !many) model.legend.push({ label: thing.label, color: thing.color });
    if (!groups) addMarks(model, thing.runs[0], alone ? null : thing.color, palette, dim);
  }
  if (focus) addStages(model, focus, !groups);
  addAxes(model, shown, state);
  if (state.schedules === "on") addStrips(model, draw, alone, palette);
  model.title = focus ? focus.name : null;
  model.shown = shown;
  model.listed = listed;
  model.styles = alone ? [] : [["train", "5 3"], ["validation", null]];
  if (state.second && !alone && model.lines.some((line) => line.second)) {
    model.styles.push([words(state.second), "1.5 3"]);
  }
  if (alone) {
    for (const { label, color, dash } of model.lines) model.legend.push({ label, color, dash });
  }
  return model;
}

function groupCurve(runs, key) {
  const curves = runs.map((run) => run.curves[key]).filter(Boolean);
  if (!curves.length) return null;
  const { xs, median, low, high } = summarize(curves);
  return curves.length > 1 ? { xs, ys: median, low, high } : { xs, ys: median };
}

function addMarks(model, run, color, palette, dim) {
  const marks = [
    ["memorization", run.memorization_step, "train", "circle"],
    ["grokking", run.grokking_step, "val", "diamond"],
    ["collapse", run.collapse_step, "val", "cross"],
  ];
  for (const [name, step, split, shape] of marks) {
    if (step === null || step === undefined) continue;
    const event = run.events.find((each) => each.event === name);
    model.marks.push({
      name,
      step,
      shape,
      split,
      run,
      color: color || palette.text,
      opacity: dim ? 0.3 : 1,
      text: `${run.name}: ${event ? event.text : name}`,
    });
  }
}

function addStages(model, run, shade) {
  if (shade) model.stages = stagesOf(run);
  if (run.forecast?.step) model.forecast = { ...run.forecast, run };
  if (run.delay_steps > 0) {
    model.delay = {
      from: run.memorization_step,
      to: run.grokking_step,
      text: `delay ${steps(run.delay_steps)} steps`,
    };
  }
}

function addAxes(model, shown, state) {
  const main = model.lines.filter((line) => !line.second);
  const reach = extent(model.lines.map((line) => line.xs));
  const last = Math.max(reach ? reach[1] : 1000, model.forecast ? 1.05 * model.forecast.high : 0);
  const whole = state.axis === "log" ? [1, Math.max(10, last)] : [0, Math.max(10, last)];
  const zoom = zoomOf(state);
  model.x = { kind: state.axis, domain: zoom || whole, whole, zoomed: Boolean(zoom) };
  model.y = yAxis(main, state.metric, state.yaxis);
  const second = model.lines.filter((line) => line.second);
  model.y2 = second.length ? yAxis(second, state.second, "auto") : null;
}

function yAxis(lines, name, wish) {
  const ys = lines.flatMap((line) => [line.ys, line.low || [], line.high || []]);
  if (name.endsWith("accuracy") && wish !== "log") {
    return { kind: "linear", domain: [-0.02, 1.04], label: words(name), format: (v) => `${Math.round(100 * v)} %` };
  }
  const above = extent(ys, true);
  const all = extent(ys);
  const wide = above && all && all[0] > 0 && above[1] / above[0] > 100;
  const log = above && (wish === "log" || (wish === "auto" && (name.endsWith("loss") || wide)));
  const kind = log ? "log" : "linear";
  const domain = log ? above : all;
  return { kind, domain: padded(domain || [0.1, 1], kind), label: words(name), format: null };
}

function addStrips(model, draw, alone, palette) {
  for (const name of SCHEDULES) {
    const lines = [];
    for (const thing of draw) {
      const curve = thing.curve(`train/${name}`);
      if (curve && curve.xs.length) {
        lines.push({ xs: curve.xs, ys: curve.ys, color: alone ? palette.runs[2] : thing.color, name });
      }
    }
    const reach = extent(lines.map((line) => line.ys));
    // A rate that is 0 in every run says nothing.
    if (!reach || (reach[0] === 0 && reach[1] === 0)) continue;
    const flat = reach[0] === reach[1];
    // Room at the top for the name.
    const domain = [Math.min(0, 1.1 * reach[0]), Math.max(0, 1.5 * reach[1])];
    model.strips.push({ name, lines, flat, y: { kind: "linear", domain } });
  }
}

/** What stands under the pointer, for the read-out: [{color, text}], at most `most` rows. */
export function readOut(model, step, most = 14) {
  const rows = [];
  for (const line of model.lines) {
    const place = nearest(line.xs, step);
    if (place === null || line.opacity < 0.3) continue;
    rows.push({ color: line.color, text: `${line.label}: ${valueOf(line.name, line.ys[place])}`, value: line.ys[place] });
  }
  for (const strip of model.strips.filter((each) => each.lines.length === 1)) {
    const place = nearest(strip.lines[0].xs, step);
    if (place !== null) {
      rows.push({ color: strip.lines[0].color, text: `${words(strip.name)}: ${valueOf(strip.name, strip.lines[0].ys[place])}` });
    }
  }
  if (rows.length <= most) return rows;
  return [...rows.slice(0, most), { color: "transparent", text: `and ${rows.length - most} more` }];
}

function nearest(xs, step) {
  if (!xs.length || step > xs[xs.length - 1] * 1.02 + 1) return null;
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - xs[low - 1] < xs[low] - step ? low - 1 : low;
}

/** One line on what became of a run. */
export function sentence(run) {
  const { memorization_step: memorized, grokking_step: grokked, collapse_step: collapsed } = run;
  const reached = `train ${percent(run.final.train_accuracy)}, validation ${percent(run.final.val_accuracy)}`;
  if (memorized === null && grokked === null) return `Neither memorized nor grokked (${reached}).`;
  if (grokked === null) {
    const ahead = run.forecast ? ` Forecast: ${run.forecast.text}.` : "";
    return `Memorized at step ${steps(memorized)}; not grokked (${reached}).${ahead}`;
  }
  const end = collapsed === null ? "stable since" : `collapsed at step ${steps(collapsed)}`;
  if (memorized === null) return `Grokked at step ${steps(grokked)}; ${end}.`;
  if (run.delay_steps <= 0) return `Memorized at step ${steps(memorized)}, grokked at ${steps(grokked)}; ${end}.`;
  return `Memorized at step ${steps(memorized)}; ${steps(run.delay_steps)} steps of plateau; grokked at step ${steps(grokked)}; ${end}.`;
}

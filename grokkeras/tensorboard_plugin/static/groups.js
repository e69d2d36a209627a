// Runs of one configuration with several seeds, as one curve: the median, and the band around it.

const NOT_COMPARED = /^(seed|name|backend|log\.|train\.(checkpoint_every|max_steps|stop_after_grokking))/;

/** The settings in which runs differ, seed and name aside. */
export function differing(runs) {
  const keys = new Set(runs.flatMap((run) => Object.keys(run.settings)));
  // A key that a run does not have at all is one of another version, not another setting.
  const values = (key) => runs.map((run) => run.settings[key]).filter((value) => value !== undefined);
  return [...keys].filter(
    (key) => !NOT_COMPARED.test(key) && new Set(values(key).map(String)).size > 1,
  );
}

/**
 * Runs by configuration: [{label, runs}], in order of the first run.
 * @param {object[]} runs each with `settings`
 */
export function byConfiguration(runs) {
  const keys = differing(runs);
  const groups = new Map();
  for (const run of runs) {
    const known = Object.keys(run.settings).length > 0;
    const label = known
      ? keys.map((key) => `${key.split(".").pop()} ${run.settings[key] ?? "–"}`).join(", ")
      : run.name;
    const name = label || "one configuration";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(run);
  }
  return [...groups].map(([label, members]) => ({
    label: `${label} (${members.length} ${members.length === 1 ? "run" : "runs"})`,
    runs: members,
  }));
}

/** The value of a curve at or before `step`; null before its first and after its last point. */
function held(curve, step) {
  const [xs, ys] = curve;
  if (!xs.length || step < xs[0] || step > xs[xs.length - 1]) return null;
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (xs[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return ys[low];
}

function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const above = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (place - low) * (above - sorted[low]);
}

/**
 * The median of curves and the range around it: all of them up to 4 curves, the middle half above.
 * Where some runs have ended, the others go on alone.
 * @returns {{xs: number[], median: number[], low: number[], high: number[]}}
 */
export function summarize(curves) {
  const steps = [...new Set(curves.flatMap((curve) => curve[0]))].sort((a, b) => a - b);
  const edge = curves.length > 4 ? 0.25 : 0;
  const result = { xs: [], median: [], low: [], high: [] };
  for (const step of steps) {
    const values = curves
      .map((curve) => held(curve, step))
      .filter((value) => typeof value === "number")
      .sort((a, b) => a - b);
    if (!values.length) continue;
    result.xs.push(step);
    result.median.push(quantile(values, 0.5));
    result.low.push(quantile(values, edge));
    result.high.push(quantile(values, 1 - edge));
  }
  return result;
}

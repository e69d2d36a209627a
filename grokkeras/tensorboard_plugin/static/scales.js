// Axes: values to pixels and back, and where their ticks stand.

/**
 * A scale.
 * @param {"log"|"linear"} kind
 * @param {[number, number]} domain smallest and largest value; of a log scale both above 0
 * @param {[number, number]} range their pixels
 */
export function makeScale(kind, domain, range) {
  const log = kind === "log";
  const forward = log ? Math.log10 : (value) => value;
  const back = log ? (value) => 10 ** value : (value) => value;
  const [low, high] = domain.map(forward);
  const width = high - low || 1;
  return {
    kind,
    domain,
    range,
    to: (value) => range[0] + ((forward(value) - low) / width) * (range[1] - range[0]),
    from: (pixel) => back(low + ((pixel - range[0]) / (range[1] - range[0])) * width),
    ticks: (most = 8) => (log ? logTicks(domain, most) : linearTicks(domain, most)),
  };
}

function linearTicks([low, high], most) {
  const raw = (high - low) / Math.max(1, most) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const unit = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
  const found = [];
  for (let place = Math.ceil(low / unit - 1e-9); place * unit <= high + unit * 1e-9; place += 1) {
    found.push(Number((place * unit).toPrecision(12)));
  }
  return found;
}

function logTicks([low, high], most) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const inside = (value) => value >= low * 0.999 && value <= high * 1.001;
  const every = Math.max(1, Math.ceil((last - first) / most));
  for (const factors of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const found = [];
    for (let power = first; power <= last; power += every) {
      for (const factor of factors) found.push(factor * 10 ** power);
    }
    const seen = found.filter(inside);
    if (seen.length >= 3 || factors.length === 9) {
      return seen.length >= 2 ? seen : linearTicks([low, high], most);
    }
  }
  return [];
}

/** The smallest and largest of all finite values (above 0 where `positive`), or null. */
export function extent(lists, positive = false) {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (typeof value !== "number" || (positive && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** A domain with some room around it, never empty. */
export function padded(domain, kind) {
  if (kind === "log") {
    const room = Math.max((domain[1] / domain[0]) ** 0.05, 1.2);
    return [domain[0] / room, domain[1] * room];
  }
  const room = (domain[1] - domain[0]) * 0.06 || Math.abs(domain[0]) * 0.1 || 1;
  return [domain[0] - room, domain[1] + room];
}

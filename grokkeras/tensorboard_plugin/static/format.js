// Numbers and names in words, as `grokkeras show` writes them.

const NAMES = {
  accuracy: "accuracy",
  learning_rate: "learning rate",
  weight_decay: "weight decay",
  dropout_rate: "dropout rate",
};

/** A curve's or setting's name for a person. */
export function words(name) {
  return NAMES[name] || name.replaceAll("_", " ");
}

/** 3100 as "3,100". */
export function steps(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en-US");
}

/** 0.99871 as "99.9 %"; never rounded up to 100 nor down to 0. */
export function percent(value) {
  if (typeof value !== "number") return "–";
  let shown = (100 * value).toFixed(1);
  if (shown === "100.0" && value < 1) shown = "99.9";
  if (shown === "0.0" && value > 0) shown = "0.1";
  return `${shown} %`;
}

/** Any number in four figures. */
export function figure(value) {
  if (typeof value !== "number") return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A value of a curve: shares as percents. */
export function valueOf(name, value) {
  return name.endsWith("accuracy") ? percent(value) : figure(value);
}

/** A tick's label: 1000 as "1k", 1e-7 as "1e-7". */
export function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(6))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(6))}k`;
  if (size !== 0 && size < 1e-3) return value.toExponential(0).replace("e", "e");
  return String(Number(value.toPrecision(6)));
}

// Marks on the curves where something happened, and the delay between two of them.

import { label, svg } from "./dom.js";

/** Draws the marks and the delay of a model (see model.js). */
export function drawMarks(node, model, x, y, plot, palette) {
  if (model.delay) drawDelay(node, model.delay, x, plot, palette);
  if (model.forecast) drawForecast(node, model.forecast, x, plot, palette);
  for (const mark of model.marks) {
    const at = x.to(mark.step);
    if (!(at >= plot.left - 1 && at <= plot.right + 1)) continue;
    const height = heightOf(model.metric, mark, y, plot);
    const group = svg("g", { class: "mark", "data-event": mark.name, opacity: mark.opacity }, svg("title", {}, mark.text));
    if (model.marks.length <= 3) {
      group.append(svg("line", { x1: at, x2: at, y1: plot.top, y2: plot.end, stroke: mark.color, "stroke-width": 1, "stroke-dasharray": "2 3" }));
    }
    group.append(shape(mark, at, height, palette));
    node.append(group);
  }
}

/** Where on its curve a mark stands; at the foot where the curve is not drawn. */
function heightOf(metric, mark, y, plot) {
  const curve = mark.run.curves[`${mark.split}/${metric}`];
  if (curve) {
    const place = curve[0].findIndex((step) => step >= mark.step);
    const value = place < 0 ? null : curve[1][place];
    if (typeof value === "number" && (y.kind !== "log" || value > 0)) {
      return Math.min(plot.bottom, Math.max(plot.top, y.to(value)));
    }
  }
  return plot.bottom - 8;
}

function shape(mark, at, height, palette) {
  const style = { fill: mark.color, stroke: palette.ground, "stroke-width": 1.5 };
  if (mark.shape === "circle") return svg("circle", { cx: at, cy: height, r: 5, ...style });
  if (mark.shape === "diamond") {
    return svg("path", { d: `M${at} ${height - 7}l7 7l-7 7l-7 -7Z`, ...style });
  }
  return svg("path", {
    d: `M${at - 5} ${height - 5}l10 10M${at - 5} ${height + 5}l10 -10`,
    stroke: mark.color,
    "stroke-width": 2.5,
  });
}

/** The interval of a forecast as a bar with ends, and the estimate on it as an open diamond. */
function drawForecast(node, forecast, x, plot, palette) {
  const within = (step) => Math.max(plot.left, Math.min(plot.right, x.to(step)));
  const [low, about, high] = [forecast.low, forecast.step, forecast.high].map(within);
  if (high - low < 2) return;
  const height = plot.top + (plot.bottom - plot.top) * 0.5;
  const group = svg("g", { class: "forecast", stroke: palette.dim, fill: "none" }, svg("title", {}, forecast.text));
  group.append(
    svg("rect", { x: low, y: plot.top, width: high - low, height: plot.end - plot.top, fill: palette.stages.grokked, "fill-opacity": 0.6, stroke: "none" }),
    svg("path", { d: `M${low} ${height}H${high}M${low} ${height - 5}V${height + 5}M${high} ${height - 5}V${height + 5}` }),
    svg("path", { d: `M${about} ${height - 7}l7 7l-7 7l-7 -7Z`, fill: palette.ground, "stroke-width": 1.5 }),
  );
  node.append(group);
  node.append(
    label(Math.min((low + high) / 2, plot.right - 28), height - 12, "forecast", { fill: palette.dim, "text-anchor": "middle" }),
  );
}

function drawDelay(node, delay, x, plot, palette) {
  const from = Math.max(plot.left, Math.min(plot.right, x.to(Math.max(delay.from, 1e-9))));
  const to = Math.max(plot.left, Math.min(plot.right, x.to(Math.max(delay.to, 1e-9))));
  if (to - from < 8) return;
  const height = plot.top + (plot.bottom - plot.top) * 0.5;
  const ends = `M${from + 6} ${height - 4}L${from} ${height}L${from + 6} ${height + 4}M${to - 6} ${height - 4}L${to} ${height}L${to - 6} ${height + 4}`;
  node.append(svg("path", { class: "delay", d: `M${from} ${height}H${to}${ends}`, stroke: palette.text, fill: "none" }));
  const wide = to - from > delay.text.length * 6.4;
  node.append(
    label(wide ? (from + to) / 2 : to + 8, wide ? height - 6 : height + 4, delay.text, {
      fill: palette.text,
      "text-anchor": wide ? "middle" : "start",
      "paint-order": "stroke",
      stroke: wide ? "none" : palette.ground,
      "stroke-width": 3,
    }),
  );
}

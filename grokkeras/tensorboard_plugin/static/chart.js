// Draws a model (see model.js) as one SVG, with every colour and size in it: what is on the screen
// is what is exported.

import { label, svg } from "./dom.js";
import { tick, words, figure } from "./format.js";
import { drawLegend, legendRows } from "./legend.js";
import { drawMarks } from "./marks.js";
import { makeScale } from "./scales.js";

const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const LEFT = 62;
const STRIP = 54;
const STRIP_GAP = 12;

/**
 * Draws the chart.
 * @returns {{node: SVGElement, x: object, plot: object, height: number}} the figure and its geometry
 */
export function drawChart(model, width, mainHeight, palette) {
  const right = model.y2 ? 62 : 22;
  const top = 38 + 18 * legendRows(model, width - LEFT - right);
  const plot = { left: LEFT, right: width - right, top, bottom: top + mainHeight };
  const height = plot.bottom + model.strips.length * (STRIP + STRIP_GAP) + 46;
  const x = makeScale(model.x.kind, model.x.domain, [plot.left, plot.right]);
  const y = makeScale(model.y.kind, model.y.domain, [plot.bottom, plot.top]);
  const y2 = model.y2 && makeScale(model.y2.kind, model.y2.domain, [plot.bottom, plot.top]);
  const node = svg("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": FONT,
    "font-size": 12,
    role: "img",
    "aria-label": "Curves of the runs over optimizer steps",
  });
  node.append(svg("rect", { width, height, fill: palette.ground }));
  const strips = model.strips.map((strip, place) => {
    const start = plot.bottom + place * (STRIP + STRIP_GAP) + STRIP_GAP;
    return { ...strip, top: start, bottom: start + STRIP };
  });
  const end = strips.length ? strips[strips.length - 1].bottom : plot.bottom;
  node.append(clip("plot", plot.left, plot.top - 2, plot.right, plot.bottom + 2));
  drawStages(node, model, x, plot, end, palette);
  drawGrid(node, x, y, plot, model, palette);
  if (y2) drawSecondAxis(node, y2, plot, model, palette);
  drawLines(node, model, x, y, y2);
  drawMarks(node, model, x, y, { ...plot, end }, palette);
  strips.forEach((strip) => drawStrip(node, strip, x, plot, palette));
  drawSteps(node, x, plot, end, palette);
  drawLegend(node, model, plot, palette);
  return { node, x, plot: { ...plot, end }, height };
}

function clip(name, left, top, right, bottom) {
  return svg(
    "defs",
    {},
    svg("clipPath", { id: name }, svg("rect", { x: left, y: top, width: right - left, height: bottom - top })),
  );
}

function drawStages(node, model, x, plot, end, palette) {
  let free = plot.left;
  for (const stage of model.stages) {
    const from = Math.max(plot.left, x.to(Math.max(stage.from, model.x.domain[0])));
    const to = Math.min(plot.right, x.to(Math.max(stage.to, model.x.domain[0])));
    if (to - from < 1) continue;
    node.append(svg("rect", { x: from, y: plot.top, width: to - from, height: end - plot.top, fill: palette.stages[stage.name] }));
    // In the middle of its stage; where that is too narrow, at its end, if nothing stands there.
    const half = stage.name.length * 3.3;
    const middle = to - from > 2 * half ? (from + to) / 2 : to - half;
    if (middle - half < free) continue;
    node.append(label(middle, plot.top - 6, stage.name, { fill: palette.dim, "text-anchor": "middle" }));
    free = middle + half + 6;
  }
}

function drawGrid(node, x, y, plot, model, palette) {
  const named = model.y.format || tick;
  for (const value of y.ticks(7)) {
    const at = y.to(value);
    node.append(svg("line", { x1: plot.left, x2: plot.right, y1: at, y2: at, stroke: palette.grid }));
    node.append(label(plot.left - 8, at + 4, named(value), { fill: palette.dim, "text-anchor": "end" }));
  }
  const middle = (plot.top + plot.bottom) / 2;
  node.append(label(0, 0, model.y.label, { fill: palette.text, "text-anchor": "middle", transform: `translate(14 ${middle}) rotate(-90)` }));
  for (const side of [plot.left, plot.right]) {
    node.append(svg("line", { x1: side, x2: side, y1: plot.top, y2: plot.bottom, stroke: palette.axis }));
  }
  node.append(svg("line", { x1: plot.left, x2: plot.right, y1: plot.bottom, y2: plot.bottom, stroke: palette.axis }));
}

function drawSecondAxis(node, y2, plot, model, palette) {
  for (const value of y2.ticks(6)) {
    const at = y2.to(value);
    node.append(svg("line", { x1: plot.right, x2: plot.right + 4, y1: at, y2: at, stroke: palette.axis }));
    node.append(label(plot.right + 8, at + 4, tick(value), { fill: palette.dim }));
  }
  const middle = (plot.top + plot.bottom) / 2;
  const place = `translate(${plot.right + 54} ${middle}) rotate(90)`;
  node.append(label(0, 0, model.y2.label, { fill: palette.text, "text-anchor": "middle", transform: place }));
}

/** A path through the finite points; a value that is missing breaks the line. */
export function path(xs, ys, x, y) {
  let drawn = "";
  let pen = "M";
  for (let place = 0; place < xs.length; place += 1) {
    const value = ys[place];
    if (typeof value !== "number" || (y.kind === "log" && value <= 0) || (x.kind === "log" && xs[place] < 1)) {
      pen = "M";
      continue;
    }
    drawn += `${pen}${x.to(xs[place]).toFixed(1)} ${y.to(value).toFixed(1)}`;
    pen = "L";
  }
  return drawn;
}

function drawLines(node, model, x, y, y2) {
  const layer = svg("g", { "clip-path": "url(#plot)", fill: "none", "stroke-linejoin": "round" });
  for (const band of model.bands) {
    const xs = [...band.xs, ...band.xs.toReversed()];
    const outline = path(xs, [...band.high, ...band.low.toReversed()], x, y);
    layer.append(svg("path", { d: outline, fill: band.color, "fill-opacity": band.faint ? 0.08 : 0.18, stroke: "none" }));
  }
  for (const line of model.lines) {
    layer.append(
      svg("path", {
        d: path(line.xs, line.ys, x, line.second ? y2 : y),
        stroke: line.color,
        "stroke-width": line.width,
        "stroke-dasharray": line.dash,
        "stroke-opacity": line.opacity,
        "data-run": line.run,
      }),
    );
  }
  node.append(layer);
}

function drawStrip(node, strip, x, plot, palette) {
  const y = makeScale("linear", strip.y.domain, [strip.bottom, strip.top]);
  const name = `strip-${strip.name}`;
  node.append(clip(name, plot.left, strip.top - 1, plot.right, strip.bottom + 1));
  node.append(svg("rect", { x: plot.left, y: strip.top, width: plot.right - plot.left, height: STRIP, fill: "none", stroke: palette.grid }));
  const layer = svg("g", { "clip-path": `url(#${name})`, fill: "none" });
  for (const line of strip.lines) {
    layer.append(svg("path", { d: path(line.xs, line.ys, x, y), stroke: line.color, "stroke-width": 1.5 }));
  }
  node.append(layer);
  for (const value of strip.flat ? [strip.lines[0].ys[0]] : y.ticks(3)) {
    node.append(label(plot.left - 8, y.to(value) + 4, figure(value), { fill: palette.dim, "text-anchor": "end", "font-size": 11 }));
  }
  node.append(label(plot.left + 6, strip.top + 14, words(strip.name), { fill: palette.dim, "font-size": 11 }));
}

function drawSteps(node, x, plot, end, palette) {
  for (const value of x.ticks(9)) {
    const at = x.to(value);
    node.append(svg("line", { x1: at, x2: at, y1: plot.top, y2: end, stroke: palette.grid, "stroke-opacity": 0.6 }));
    node.append(label(at, end + 18, tick(value), { fill: palette.dim, "text-anchor": "middle" }));
  }
  node.append(label((plot.left + plot.right) / 2, end + 38, `optimizer steps${x.kind === "log" ? " (log)" : ""}`, { fill: palette.text, "text-anchor": "middle" }));
}

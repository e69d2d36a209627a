// The legend above the plot, in as many rows as it needs.

import { label, svg } from "./dom.js";

const PER_LETTER = 6.6;

function legendPlaces(model, width) {
  const entries = [
    ...model.legend,
    ...model.styles.map(([text, dash]) => ({ label: text, dash, color: null })),
  ];
  let row = 0;
  let at = 0;
  return entries.map((entry) => {
    const wide = 34 + entry.label.length * PER_LETTER;
    if (at && at + wide > width) {
      row += 1;
      at = 0;
    }
    const placed = { ...entry, row, at };
    at += wide;
    return placed;
  });
}

/** How many rows there are below the first. */
export function legendRows(model, width) {
  const places = legendPlaces(model, width);
  return places.length ? places[places.length - 1].row : 0;
}

/** Draws the legend of a model (see model.js). */
export function drawLegend(node, model, plot, palette) {
  for (const { label: text, color, dash, row, at } of legendPlaces(model, plot.right - plot.left)) {
    const x = plot.left + at;
    const y = 12 + 18 * row;
    const stroke = color || palette.dim;
    node.append(svg("line", { x1: x, x2: x + 20, y1: y - 4, y2: y - 4, stroke, "stroke-width": 2, "stroke-dasharray": dash }));
    node.append(label(x + 25, y, text, { fill: palette.text }));
  }
}

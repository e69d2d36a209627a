// The view as a file: SVG and PNG of the chart, CSV of every point.

import { html } from "./dom.js";

function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const anchor = html("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** The drawn figure as text, without what only the pointer needs. */
function source(node) {
  const copy = node.cloneNode(true);
  copy.querySelectorAll('[visibility="hidden"]').forEach((each) => each.remove());
  return new XMLSerializer().serializeToString(copy);
}

/** Saves the chart as SVG. */
export function saveSvg(node) {
  save("grokking.svg", new Blob([source(node)], { type: "image/svg+xml" }));
}

/** Saves the chart as PNG, at twice its size on the screen. */
export async function savePng(node) {
  const [width, height] = [Number(node.getAttribute("width")), Number(node.getAttribute("height"))];
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source(node))}`;
  await image.decode();
  const canvas = html("canvas", { width: 2 * width, height: 2 * height });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.drawImage(image, 0, 0, width, height);
  save("grokking.png", await new Promise((resolve) => canvas.toBlob(resolve, "image/png")));
}

/** A field of a CSV file. Text that a spreadsheet would run as a formula is made plain. */
function field(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Every point of the runs as CSV: run, step, and one column a curve. */
export function csv(runs) {
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run.curves)))].sort();
  const lines = [["run", "step", ...keys].map(field).join(",")];
  for (const run of runs) {
    const rows = new Map();
    keys.forEach((key, column) => {
      const [xs, ys] = run.curves[key] || [[], []];
      xs.forEach((step, place) => {
        if (!rows.has(step)) rows.set(step, new Array(keys.length).fill(null));
        rows.get(step)[column] = ys[place];
      });
    });
    for (const step of [...rows.keys()].sort((a, b) => a - b)) {
      lines.push([run.name, step, ...rows.get(step)].map(field).join(","));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Saves the runs' points as CSV. */
export function saveCsv(runs) {
  save("grokking.csv", new Blob([csv(runs)], { type: "text/csv" }));
}

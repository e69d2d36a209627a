// Hover read-out, zoom by dragging, and the same by keyboard.

import { html, svg } from "./dom.js";
import { steps } from "./format.js";
import { readOut } from "./model.js";

/**
 * Makes a drawn chart answer to pointer and keys.
 * @param {HTMLElement} holder contains the figure; focusable
 * @param {object} drawn what drawChart returned
 * @param {object} model what was drawn
 * @param {object} palette see theme.js
 * @param {(zoom: [number, number] | null) => void} zoomTo
 * @param {(run: string) => void} pick called with the run of a curve that was clicked
 */
export function attachPointer(holder, drawn, model, palette, zoomTo, pick) {
  const { node, x, plot } = drawn;
  const cursor = svg("line", { y1: plot.top, y2: plot.end, stroke: palette.text, "stroke-opacity": 0.5, visibility: "hidden" });
  const band = svg("rect", { y: plot.top, height: plot.end - plot.top, fill: palette.text, "fill-opacity": 0.12, visibility: "hidden" });
  node.append(band, cursor);
  const box = html("div", { class: "readout", role: "status", hidden: true });
  holder.replaceChildren(node, box);
  let start = null;
  let step = null;

  const clamp = (pixel) => Math.min(plot.right, Math.max(plot.left, pixel));
  const place = (event) => event.clientX - node.getBoundingClientRect().left;

  function show(value) {
    step = Math.max(1, value);
    const at = clamp(x.to(step));
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    cursor.setAttribute("visibility", "visible");
    const rows = readOut(model, step).map((row) =>
      html("div", {}, html("i", { style: `background:${row.color}` }), row.text),
    );
    box.replaceChildren(html("b", {}, `step ${steps(step)}`), ...rows);
    box.hidden = false;
    const right = at > (plot.left + plot.right) / 2;
    box.style.left = right ? "" : `${at + 14}px`;
    box.style.right = right ? `${holder.clientWidth - at + 14}px` : "";
    box.style.top = `${plot.top + 8}px`;
  }

  function hide() {
    cursor.setAttribute("visibility", "hidden");
    box.hidden = true;
    step = null;
  }

  node.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (start !== null) {
      const [low, high] = [start, clamp(at)].sort((a, b) => a - b);
      band.setAttribute("x", low);
      band.setAttribute("width", high - low);
      band.setAttribute("visibility", "visible");
    }
    if (at >= plot.left && at <= plot.right) show(x.from(at));
    else if (start === null) hide();
  });
  node.addEventListener("pointerleave", () => start === null && hide());
  node.addEventListener("pointerdown", (event) => {
    const at = place(event);
    if (event.button === 0 && at >= plot.left && at <= plot.right) {
      start = at;
      node.setPointerCapture(event.pointerId);
    }
  });
  node.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [low, high] = [start, clamp(place(event))].sort((a, b) => a - b);
    start = null;
    band.setAttribute("visibility", "hidden");
    if (high - low > 6) zoomTo([x.from(low), x.from(high)]);
  });
  node.addEventListener("click", (event) => {
    const run = document.elementsFromPoint(event.clientX, event.clientY).find((each) => each.dataset?.run);
    if (run) pick(run.dataset.run);
  });
  node.addEventListener("dblclick", () => zoomTo(null));

  holder.onkeydown = (event) => {
    const { key } = event;
    const at = step === null ? (plot.left + plot.right) / 2 : clamp(x.to(step));
    const by = event.shiftKey ? 40 : 8;
    if (key === "ArrowLeft") show(x.from(clamp(at - by)));
    else if (key === "ArrowRight") show(x.from(clamp(at + by)));
    else if (key === "+" || key === "=") zoomTo([x.from(at - (at - plot.left) / 2), x.from(at + (plot.right - at) / 2)]);
    else if (key === "-") zoomTo(wider(model, x, plot));
    else if (key === "0") zoomTo(null);
    else if (key === "Escape") hide();
    else return;
    event.preventDefault();
  };
  holder.onblur = hide;
}

/** Twice the present span, or null where that is everything. */
function wider(model, x, plot) {
  const half = (plot.right - plot.left) / 2;
  const low = Math.max(model.x.whole[0], x.from(plot.left - half));
  const high = Math.min(model.x.whole[1], x.from(plot.right + half));
  return low <= model.x.whole[0] * 1.01 && high >= model.x.whole[1] * 0.99 ? null : [low, high];
}

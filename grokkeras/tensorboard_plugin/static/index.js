// The page: state, data and what is drawn from them.

import { drawChart } from "./chart.js";
import { toolbar } from "./controls.js";
import { html } from "./dom.js";
import { saveCsv, savePng, saveSvg } from "./exports.js";
import { everything, Feed } from "./feed.js";
import { differing } from "./groups.js";
import { chartModel, colorOf, SCHEDULES, sentence } from "./model.js";
import { attachPointer } from "./pointer.js";
import { link, readState, writeState } from "./state.js";
import { runTable } from "./table.js";
import { palette, watchTheme } from "./theme.js";

const CHART_HEIGHT = 340;

class Page {
  constructor() {
    this.state = readState();
    this.data = null;
    this.bar = html("div");
    this.note = html("p", { class: "note", role: "status" });
    this.chart = html("div", {
      class: "chart",
      tabindex: 0,
      role: "group",
      "aria-label": "Chart. Arrow keys read values, plus and minus zoom, 0 shows all steps.",
    });
    this.story = html("div", { class: "story" });
    this.table = html("div", { class: "table" });
    document.body.append(html("main", {}, this.bar, this.note, this.chart, this.story, this.table));
    this.feed = new Feed(() => this.names(), (data) => this.arrived(data), (message) => this.failed(message));
    watchTheme(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.chart);
  }

  /** The curves that the page needs. */
  names() {
    const { metric, second } = this.state;
    return [metric, ...(second ? [second] : []), ...SCHEDULES];
  }

  arrived(data) {
    const names = this.data ? String(this.data.names) : null;
    this.data = data;
    if (data.names.length && !data.names.includes(this.state.metric)) this.state.metric = data.names[0];
    if (names !== String(data.names)) this.drawBar();
    if (!this.feed.names().every((name) => this.asked?.has(name))) this.ask();
    this.draw();
  }

  ask() {
    this.asked = new Set(this.names());
    this.feed.now();
  }

  failed(message) {
    this.problem = message;
    this.explain();
  }

  set(change, redrawBar = true) {
    Object.assign(this.state, change);
    writeState(this.state);
    if (redrawBar) this.drawBar();
    if (!this.names().every((name) => this.asked.has(name))) this.ask();
    this.draw();
  }

  drawBar() {
    const held = document.activeElement?.getAttribute("aria-label") || document.activeElement?.textContent;
    const bar = toolbar(this.state, this.data?.names || [], (change, redraw) => this.set(change, redraw), {
      svg: () => this.figure && saveSvg(this.figure),
      png: () => this.figure && savePng(this.figure),
      csv: () => this.saveCsv(),
      copy: () => this.copy(),
    });
    this.bar.replaceChildren(bar);
    // A bar drawn anew must not take the focus from somebody who works by keyboard.
    const same = [...bar.querySelectorAll("select, input, button")].find(
      (each) => held && (each.getAttribute("aria-label") || each.textContent) === held,
    );
    same?.focus();
  }

  draw() {
    const colors = palette(this.state.theme);
    document.documentElement.dataset.theme = colors.name;
    if (!this.data || !this.chart.clientWidth) return;
    const model = chartModel(this.data, this.state, colors);
    this.model = model;
    if (model.lines.length) {
      const drawn = drawChart(model, this.chart.clientWidth, CHART_HEIGHT, colors);
      this.figure = drawn.node;
      attachPointer(
        this.chart,
        drawn,
        model,
        colors,
        (zoom) => this.set({ zoom: zoom ? zoom.map((step) => Number(step.toPrecision(6))).join("-") : "" }),
        (run) => this.set({ focus: run === this.state.focus ? "" : run }),
      );
    } else {
      this.figure = null;
      this.chart.replaceChildren();
    }
    this.tell(model);
    const color = (run) => model.colors.get(run.id) || colorOf(this.data.runs, run, colors);
    const focused = document.activeElement;
    const held = this.table.contains(focused) ? [...this.table.querySelectorAll("button, input")].indexOf(focused) : -1;
    this.table.replaceChildren(runTable(model.listed, this.state, color, (change) => this.set(change)));
    if (held >= 0) this.table.querySelectorAll("button, input")[held]?.focus();
    this.explain();
  }

  /** In words, the run that is in focus. */
  tell(model) {
    const run = this.data.runs.find((each) => each.name === model.title);
    if (!run) return this.story.replaceChildren();
    const events = run.events.map((event) => html("li", {}, event.text));
    const problems = run.problems.map((text) => html("li", { class: "problem" }, text));
    const keys = differing(this.data.runs).slice(0, 8);
    const settings = keys.map((key) => `${key}: ${run.settings[key] ?? "–"}`).join(" · ");
    return this.story.replaceChildren(
      html("h2", {}, run.name),
      html("p", {}, sentence(run)),
      ...(settings ? [html("p", { class: "dim" }, settings)] : []),
      ...(events.length + problems.length ? [html("ul", {}, ...events, ...problems)] : []),
    );
  }

  /** Says why there is nothing to see, or what went wrong. */
  explain() {
    this.note.textContent = this.problem || this.why() || "";
    this.note.hidden = !this.note.textContent;
  }

  why() {
    if (!this.data) return "Reading the runs …";
    const { runs } = this.data;
    if (!runs.length) {
      return `No scalars were found in ${this.data.logdir}. A run writes them with log.tensorboard: true, in stock fit the callback TensorBoardLogger does. This page looks again by itself.`;
    }
    if (!this.model?.listed.length) return `No run's name matches "${this.state.filter}".`;
    if (!this.model.shown.length) return "All runs are hidden: tick some in the table.";
    if (!this.model.lines.length) return `No run that is shown has "${this.state.metric}"; choose other curves.`;
    return null;
  }

  async saveCsv() {
    try {
      const data = await everything(this.names());
      const shown = new Set(this.model.shown.map((run) => run.id));
      saveCsv(data.runs.filter((run) => shown.has(run.id)));
    } catch (error) {
      this.failed(`The CSV could not be made: ${error.message}`);
    }
  }

  async copy() {
    writeState(this.state);
    try {
      await navigator.clipboard.writeText(link());
    } catch {
      this.failed(`Copy this address: ${link()}`);
    }
  }
}

/** Called by TensorBoard when the tab is opened. */
export async function render() {
  document.documentElement.lang = "en";
  const loaded = new Promise((done) => {
    const sheet = html("link", { rel: "stylesheet", href: "style.css" });
    sheet.addEventListener("load", done);
    sheet.addEventListener("error", done);
    document.head.append(sheet);
  });
  await loaded;
  const page = new Page();
  page.drawBar();
  page.draw();
  page.explain();
  page.ask();
}

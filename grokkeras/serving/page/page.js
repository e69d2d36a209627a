"use strict";
// The page at "/": try a model, see its answer, and where it keeps its numbers on a circle.

const find = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let task = null;
let asked = 0;

async function getJson(path, options) {
  const response = await fetch(path, options);
  const value = await response.json();
  if (!response.ok) throw new Error(value.error || `HTTP ${response.status}`);
  return value;
}

function say(text) {
  find("message").textContent = text;
  find("message").hidden = !text;
}

async function start() {
  let models;
  try {
    ({ models } = await getJson("/v1/models"));
  } catch (error) {
    return say(`The server does not answer: ${error.message}`);
  }
  if (!models.length) return say("No model is being served yet. Export one, then reload this page.");
  for (const name of models) find("model").append(new Option(name, name));
  find("chooser").hidden = models.length < 2;
  find("model").addEventListener("change", show);
  find("random").addEventListener("click", randomise);
  find("form").addEventListener("submit", (event) => event.preventDefault());
  await show();
}

async function show() {
  const name = find("model").value;
  try {
    task = await getJson(`/v1/models/${encodeURIComponent(name)}/task`);
  } catch (error) {
    return say(error.message);
  }
  say("");
  find("title").textContent = task.title;
  const formula = task.formula ? `Answers ${task.formula}. ` : "";
  find("subtitle").textContent = `${formula}Model ${name}, version ${task.version}.`;
  find("operands").replaceChildren(...task.operands.map(field));
  find("trial").hidden = false;
  drawCircle();
  randomise();
}

const isOne = (operand) => operand.positions.length === 1;

function field(operand) {
  const label = document.createElement("label");
  label.className = isOne(operand) ? "operand" : "operand wide";
  const name = document.createElement("span");
  name.textContent = operand.name;
  const input = document.createElement(operand.names ? "select" : "input");
  input.name = operand.name;
  const hint = document.createElement("small");
  const ranges = task.input.least_and_largest;
  if (operand.names) {
    for (const each of operand.names) input.append(new Option(each, each));
    hint.textContent = `${operand.names.length} to choose from`;
  } else if (isOne(operand) && ranges) {
    const [low, high] = ranges[operand.positions[0]];
    Object.assign(input, { type: "number", min: low, max: high, step: 1 });
    hint.textContent = `${low} to ${high}`;
  } else {
    hint.textContent = `${operand.positions.length} numbers, separated by spaces`;
  }
  input.addEventListener("input", solve);
  label.append(name, input, hint);
  return label;
}

function randomNumber(position) {
  const ranges = task.input.least_and_largest;
  if (!ranges) return Math.round(200 * (Math.random() - 0.5)) / 100;
  const [low, high] = ranges[position];
  return low + Math.floor(Math.random() * (high - low + 1));
}

function randomise() {
  for (const operand of task.operands) {
    const values = operand.positions.map(randomNumber);
    const first = operand.names && task.input.least_and_largest[operand.positions[0]][0];
    find("form").elements[operand.name].value =
      operand.names ? operand.names[values[0] - first] : values.join(" ");
  }
  solve();
}

function readOperands() {
  const body = {};
  for (const operand of task.operands) {
    const text = find("form").elements[operand.name].value.trim();
    if (!text) return null;
    if (operand.names) body[operand.name] = text;
    else if (isOne(operand)) body[operand.name] = Number(text);
    else body[operand.name] = text.split(/[\s,]+/).map(Number);
  }
  return body;
}

async function solve() {
  const mine = ++asked;
  const body = readOperands();
  if (!body) return showAnswer(null, "", null);
  const path = `/v1/models/${encodeURIComponent(find("model").value)}:solve`;
  const text = JSON.stringify(body);
  find("curl").textContent =
    `curl -d '${text.replaceAll("'", "'\\''")}' ${location.origin}${path}\n`;
  try {
    const found = await getJson(path, { method: "POST", body: text });
    if (mine === asked) showAnswer(found, "", body);
  } catch (error) {
    if (mine === asked) showAnswer(null, error.message, null);
  }
}

function showAnswer(found, problem, body) {
  const answer = find("answer");
  answer.replaceChildren("\u00a0");
  find("problem").textContent = problem;
  find("problem").hidden = !problem;
  find("probability").style.visibility = found ? "visible" : "hidden";
  if (found) {
    const value = document.createElement("b");
    value.textContent = found.answer;
    answer.replaceChildren("= ", value);
    const probability = Math.min(found.probability, 1);
    find("meter").value = probability;
    const percent = probability > 0.9995 && probability < 1 ? "> 99.9" : (100 * probability).toFixed(1);
    find("percent").textContent = `${percent} % sure`;
  }
  highlight(found, body);
}

function make(kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const place = ([x, y]) => [100 * x, -100 * y];

function drawCircle() {
  const circle = task.circle;
  find("circle").hidden = !circle;
  find("plot").replaceChildren();
  if (!circle) return;
  const dots = make("g", {});
  circle.points.forEach((point, index) => {
    const [x, y] = place(point);
    const dot = make("circle", { cx: x, cy: y, r: 1.8 });
    dot.append(make("title", {}, circle.tokens[index]));
    dots.append(dot);
  });
  find("plot").append(dots, make("g", { id: "marks" }));
  find("caption").textContent =
    `Each dot is a number's embedding, projected onto its strongest frequency, ${circle.frequency} ` +
    `turns around the circle (${Math.round(100 * circle.share)} % of the embedding's variance).` +
    (task.formula.startsWith("a + b") ? " Where a person adds numbers, the network adds angles." : "");
}

function highlight(found, body) {
  const marks = find("marks");
  if (!marks) return;
  marks.replaceChildren();
  if (!found || !body) return;
  const shown = [["a", body.a], ["b", body.b], ["answer", found.answer]]
    .map(([kind, token]) => [kind, token, task.circle.tokens.indexOf(token)])
    .filter(([, , index]) => index >= 0)
    .map(([kind, token, index]) => [kind, token, place(task.circle.points[index])]);
  const taken = shown.map(([, , point]) => point);
  for (const [kind, token, [x, y]] of shown) {
    const length = Math.hypot(x, y) || 1;
    let out = (length + 10) / length;
    // A name that would lie on another, or on a dot, goes further out.
    const near = ([u, v]) => Math.hypot(x * out - u, y * out - v) < 9;
    while (taken.some(near)) out += 3 / length;
    taken.push([x * out, y * out]);
    marks.append(
      make("line", { x1: 0, y1: 0, x2: x, y2: y, class: kind }),
      make("circle", { cx: x, cy: y, r: 3.2, class: kind }),
      make("text", { x: x * out, y: y * out, class: `name ${kind}` }, token),
    );
  }
}

start();

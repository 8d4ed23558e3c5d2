"use strict";
// Draws the runs of the page's data; one slider moves everything.

const data = JSON.parse(document.getElementById("data").textContent);
const ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"];
const BLOCKS = {c: "selector c", w: "attention w", a: "scale a", q: "queries q", k: "keys k", v: "values v", n: "normalization n"};

// --- Numbers -------------------------------------------------------------------------------------

function bytes(text) { return Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer; }
const reals = text => new Float64Array(bytes(text));
const shares = text => Float64Array.from(new Uint16Array(bytes(text)), x => x / 65535);

function superscript(n) { return String(n).replace(/./g, c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]); }
// Four significant digits.
function format(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (typeof x !== "number") return String(x);
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-3) {
    const [digits, power] = x.toExponential(2).split("e");
    return `${digits.replace("-", "−")}·10${superscript(Number(power))}`;
  }
  const text = size >= 1000 ? x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",") : String(Number(x.toPrecision(4)));
  return text.replace("-", "−");
}
const share = x => x > 0.9995 && x < 1 ? "> 99.9 %" : `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;
const setName = lags => lags.length ? `{${lags.join(",")}}` : "∅";
function listing(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
const tokenName = (e, d) => d <= 26 ? String.fromCharCode(65 + e) : String(e);
const argmax = list => list.reduce((best, x, i) => x > list[best] ? i : best, 0);

// --- Elements ------------------------------------------------------------------------------------

function make(name, attributes, ...children) {
  const inSvg = ["svg", "path", "line", "rect", "text", "circle", "g"].includes(name);
  const element = inSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}
// A cell that shows a number and holds all its digits.
function put(cell, x, text) {
  cell.textContent = text === undefined ? format(x) : text;
  if (typeof x === "number") { cell.dataset.value = String(x); cell.title = String(x); }
  return cell;
}
function panel(title, note, ...children) {
  return make("section", {"aria-label": title}, make("h2", {}, title), note ? make("p", {class: "note"}, note) : null, ...children);
}
function table(heads, rows, attributes) {
  const words = heads.map((_, i) => 2 * rows.filter(row => typeof row[i] === "string").length > rows.length ? "text" : undefined);
  const body = make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map((cell, i) =>
    cell instanceof Node ? cell : put(make(i ? "td" : "th", i ? {class: words[i]} : {scope: "row"}), cell)))));
  const result = make("table", attributes, make("thead", {}, make("tr", {}, ...heads.map((head, i) =>
    make("th", {scope: "col", class: words[i]}, head)))), body);
  return make("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": "table"}, result);
}
function copyButton(holder) {
  const button = make("button", {type: "button", class: "copy"}, "Copy table");
  button.addEventListener("click", async () => {
    const text = [...holder.querySelectorAll("tr")].map(row => [...row.children].map(cell =>
      cell.dataset.value || cell.textContent.trim()).join("\t")).join("\n");
    try { await navigator.clipboard.writeText(text); } catch {
      const area = make("textarea", {}, text);
      document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
    }
    button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy table"; }, 1200);
  });
  return button;
}
const tip = document.getElementById("tip");
function showTip(event, text) {
  tip.textContent = text; tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 6))}px`;
  tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18}px`;
}
const hideTip = () => { tip.hidden = true; };

// --- A run ---------------------------------------------------------------------------------------

const DASHES = ["", "7 3", "2 2", "7 3 2 3", "10 4", "4 3", "7 2 2 2 2 2"];
const style = k => ({color: `var(--c${k % 7})`, dash: DASHES[(k + Math.floor(k / 7)) % 7]});

class Run {
  constructor(raw) {
    Object.assign(this, raw);
    this.points = [];  // {stage, i, t} of every output on the page, in order
    this.stages.forEach((stage, k) => {
      stage.values = {};
      for (const [name, text] of Object.entries(stage.columns)) stage.values[name] = reals(text);
      for (let i = 0; i < stage.shown; ++i) this.points.push({stage: k, i, t: stage.values.t[i]});
    });
    this.end = this.points.length - 1;
  }
  has(name) { return this.stages.some(stage => name in stage.values); }
  // A recorded number at an output; entry of a row of `width` numbers.
  at(name, index, entry = 0, width = 1) {
    const {stage, i} = this.points[index], values = this.stages[stage].values[name];
    return values ? values[i * width + entry] : NaN;
  }
  series(name, entry = 0, width = 1) { return this.points.map((_, index) => this.at(name, index, entry, width)); }
  // Where an output lies on an axis with one unit for each stage.
  place(index) {
    const {stage, i} = this.points[index];
    return stage + (this.stages[stage].shown > 1 ? i / (this.stages[stage].shown - 1) : 0);
  }
  nearest(place) {
    let best = 0;
    this.points.forEach((_, index) => { if (Math.abs(this.place(index) - place) <= Math.abs(this.place(best) - place)) best = index; });
    return best;
  }
  // Sets that end with more weight come first in the order of styles; the first has the colour of the model.
  setStyle(set) {
    const last = this.subsets.map((_, s) => this.at("p", this.end, s, this.subsets.length));
    const rank = last.filter((x, s) => x > last[set] || (x === last[set] && s < set)).length;
    return rank === 0 ? {color: "var(--model)", dash: ""} : style(rank === 1 ? 0 : rank);
  }
  indexAt(fraction) { return Math.round(fraction * this.end); }
  stageName(k) { return `Stage ${ROMAN[k] || k + 1}`; }
  // "attention w of heads 1,3" of "w[1,3]", "selector c of {1,2}" of "c{1,2}".
  moving(k) {
    return listing([...this.stages[k].trained.matchAll(/([a-z])(?:\[([^\]]*)\])?((?:\{[^}]*\})*)/g)].map(([, letter, heads, sets]) =>
      (BLOCKS[letter] || letter) + (heads ? ` of heads ${heads}` : sets ? ` of ${listing(sets.match(/\{[^}]*\}/g))}` : "")));
  }
  clock(index) {
    const {stage, t} = this.points[index];
    return `${this.stageName(stage)} · ${this.moving(stage)} · t = ${format(t)} of ${format(this.stages[stage].duration)}`;
  }
  // Lags that the heads of a set attend to most.
  lagsOf(set, index = this.end) {
    const width = this.lags.flat().length, window = this.lags[0].length;
    return set.map(head => this.lags[head - 1][argmax(this.lags[0].map((_, j) => this.at("attention", index, (head - 1) * window + j, width)))]);
  }
  finding() {
    const weights = this.subsets.map((_, s) => this.at("p", this.end, s, this.subsets.length));
    const best = argmax(weights), set = this.subsets[best], lags = this.lagsOf(set);
    const names = `${set.length === 1 ? "head" : "heads"} ${listing(set.map(String))}`;
    const chose = weights[best] > 0.5 ? "The selector chose" : "The selector is undecided; most weight is on";
    let text = set.length
      ? `${chose} ${names} (p = ${format(weights[best])}), which ${set.length === 1 ? "looks" : "look"} back ${listing(lags.map(String))} ${set.length === 1 && lags[0] === 1 ? "token" : "tokens"}. `
      : `${chose} the empty set (p = ${format(weights[best])}): no head is used. `;
    const base = this.baselines && (this.baselines.validation || this.baselines.training);
    const kind = this.has("validation_loss") ? "validation_loss" : "loss";
    text += `${kind === "loss" ? "Training" : "Validation"} loss: ${format(this.at(kind, 0))} at the start, ${format(this.at(kind, this.end))} nats at the end`;
    if (this.check.passed) text = `It has become an induction head. ${text}`;
    return text + (base ? `; the ideal induction head of lags ${setName(this.baselines.lags)} has ${format(base.gih_loss)}.` : ".");
  }
  verdict() {
    if (this.check.reason) return null;
    const {passed, points, tolerance, information_set} = this.check, first = points[0];
    return make("span", {class: `badge ${passed ? "pass" : "fail"}`,
      title: `mean total variation to GIH(${setName(information_set)}) on ${first.chains} fresh sequences: ${first.total_variation}; within ${tolerance} passes`},
      passed ? "✓ is the induction head" : `✗ not yet the induction head: ${first.missing.join(", ") || "distance"}`);
  }
}

"use strict";
// A run in the page's data, at the outputs of the slider.

const ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"];
const BLOCKS = {c: "selector c", w: "attention w", a: "scale a", q: "queries q", k: "keys k", v: "values v", n: "normalization n"};

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
  // A recorded number at an output: the given entry of a row of `width` numbers.
  at(name, index, entry = 0, width = 1) {
    const {stage, i} = this.points[index], values = this.stages[stage].values[name];
    return values ? values[i * width + entry] : NaN;
  }
  series(name, entry = 0, width = 1) { return this.points.map((_, index) => this.at(name, index, entry, width)); }
  // Position of an output on an axis with one unit per stage.
  place(index) {
    const {stage, i} = this.points[index];
    return stage + (this.stages[stage].shown > 1 ? i / (this.stages[stage].shown - 1) : 0);
  }
  nearest(place) {
    let best = 0;
    this.points.forEach((_, index) => { if (Math.abs(this.place(index) - place) <= Math.abs(this.place(best) - place)) best = index; });
    return best;
  }
  // Styles are given to sets in decreasing order of final weight; the first one has the colour of the model.
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

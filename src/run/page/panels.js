"use strict";
// The panels of a run; each is {element, update(index)}.

// --- Attention and prediction on a sequence ------------------------------------------------------

function decode(sequence, run) {
  if (sequence.read) return sequence;
  const classes = sequence.taking_part.length, d = run.vocabulary;
  const count = sequence.class_of.reduce((sum, k) => { sum[k]++; return sum; }, new Array(classes).fill(0));
  sequence.rows = [];
  sequence.stages.forEach((stage, k) => {
    const weights = shares(stage.weights), laws = reals(stage.law);
    for (let i = 0; i < run.stages[k].shown; ++i) {
      sequence.rows.push({weights: weights.subarray(i * classes, (i + 1) * classes), law: laws.subarray(i * d, (i + 1) * d)});
    }
  });
  // The weight of full colour: the largest one, but at least a few times that of uniform attention.
  const places = sequence.class_of.filter(k => sequence.taking_part[k]).length;
  sequence.most = Math.max(4 / places, ...sequence.rows.map(row => Math.max(...row.weights)));
  // Positions whose tokens at the lags of the run's set are those of the query.
  const lags = run.sequences.lags, full = sequence.tokens, next = full.length;
  const same = at => lags.length > 0 && lags.every(lag => at - lag >= 0 && full[at - lag] === full[next - lag]);
  sequence.matches = full.map((_, at) => same(at) && sequence.taking_part[sequence.class_of[at]]);
  sequence.onMatches = index => sequence.class_of.reduce((sum, k, at) => sum + (sequence.matches[at] ? sequence.rows[index].weights[k] : 0), 0);
  sequence.count = count;
  sequence.read = true;
  return sequence;
}

function sequencePanel(run) {
  const list = run.sequences.list, lags = run.sequences.lags, d = run.vocabulary;
  if (!list.length) return {element: panel("One sequence", `Not shown: ${run.sequences.reason || "the run has no sequences"}.`), update() {}};
  let chosen = argmax(list.map(s => s.change)), sequence, cells, current = 0;
  const picker = make("select", {"aria-label": "Sequence"}, ...list.map((s, k) => make("option", {value: k}, `sequence ${s.chain} of the run`)));
  picker.value = chosen;
  const tokens = make("div", {class: "tokens", "aria-hidden": "true"}), before = make("div", {class: "tokens before", "aria-hidden": "true"}), spoken = make("p", {class: "only-spoken"});
  const big = make("span", {class: "big"}), told = make("span", {});
  const filled = make("i", {}), began = make("i", {class: "began"}), meter = make("div", {class: "meter", "aria-hidden": "true"}, filled, began);
  const bars = make("tbody", {});
  const shown = [...Array(d).keys()];
  const verdict = run.verdict();
  const element = make("section", {class: "hero", "aria-label": "One sequence"},
    make("div", {class: "wide"}, make("h2", {}, "How it guesses the next token of one sequence"), verdict, picker),
    make("div", {}, make("p", {class: "note"},
      "Colour: how much the second attention looks at each place to guess the next token, ", make("b", {}, "?"), ". ",
      make("span", {class: "key line", style: "--k: var(--truth)"}), ` Underlined: places that follow the same ${lags.length === 1 ? "token" : `${lags.length} tokens`} as ? does (outlined). An induction head looks there, and only there.`),
      tokens, make("p", {class: "note"}, "The same at the start of training:"), before, spoken),
    make("div", {}, make("div", {}, big, " ", told), meter,
      make("h3", {style: "margin-top: 12px"}, "Its guess beside the truth"),
      make("table", {}, make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "next"), make("th", {scope: "col", colspan: 2, class: "text"}, make("span", {class: "key", style: "--k: var(--model)"}), " model ", make("span", {class: "key line", style: "--k: var(--limit)"}), " ideal"), make("th", {scope: "col", colspan: 2, class: "text"}, make("span", {class: "key", style: "--k: var(--truth)"}), " truth"))), bars),
      make("p", {class: "note"}, "ideal: the induction head that the theorem predicts, which counts exact matches. truth: ", "the law of the chain, or the token that came where that is unknown.")));
  let rows;
  const strengthOf = (at, k) => Math.sqrt(sequence.rows[at].weights[k] / sequence.most);
  function choose(k) {
    chosen = k; sequence = decode(list[k], run);
    const query = new Set(lags.map(lag => sequence.tokens.length - lag));
    cells = sequence.tokens.map((token, at) => {
      const cell = make("span", {class: [sequence.matches[at] ? "match" : "", query.has(at) ? "query" : "", sequence.taking_part[sequence.class_of[at]] ? "" : "out"].join(" ")}, tokenName(token, d));
      cell.addEventListener("pointermove", event => showTip(event, `place ${sequence.first + at}: token ${tokenName(token, d)}\nweight ${format(sequence.rows[current].weights[sequence.class_of[at]])}`));
      cell.addEventListener("pointerleave", hideTip);
      return cell;
    });
    before.replaceChildren(...sequence.class_of.map((k, at) => make("span", {class: sequence.matches[at] ? "match" : "", style: `--w: ${strengthOf(0, k).toFixed(3)}`})));
    tokens.replaceChildren(...cells, make("span", {class: "label", title: `came: ${tokenName(sequence.label, d)}`}, "?"));
    rows = shown.map(e => {
      const model = make("i", {}), ideal = make("i", {class: "mark"}), truth = make("i", {style: "--k: var(--truth)"}), number = make("td", {"data-law": e});
      ideal.style.left = `${100 * sequence.gih[e]}%`; truth.style.width = `${100 * sequence.truth[e]}%`;
      const row = make("tr", {}, make("th", {scope: "row"}, tokenName(e, d)),
        make("td", {class: "bar"}, make("span", {class: "rail"}, model, ideal)), number,
        make("td", {class: "bar"}, make("span", {class: "rail"}, truth)), put(make("td", {}), sequence.truth[e]));
      return {row, model, number};
    });
    bars.replaceChildren(...rows.map(r => r.row));
    began.style.left = `${100 * sequence.onMatches(0)}%`;
    update(current);
  }
  function update(index) {
    current = index;
    const {law} = sequence.rows[index];
    sequence.class_of.forEach((k, at) => {
      const strength = strengthOf(index, k);
      cells[at].style.setProperty("--w", strength.toFixed(3));
      cells[at].classList.toggle("hot", strength > 0.72);
    });
    const on = sequence.onMatches(index), places = sequence.matches.filter(Boolean).length;
    put(big, on, share(on));
    told.textContent = `of its attention is on the ${places} matching ${places === 1 ? "place" : "places"}; ${share(sequence.onMatches(0))} at the start`;
    filled.style.width = `${100 * on}%`;
    rows.forEach((r, e) => { r.model.style.width = `${100 * law[e]}%`; put(r.number, law[e]); });
    spoken.textContent = `Sequence of ${sequence.length} tokens. ${share(on)} of the second attention is on the ${places} places that follow the same tokens as the one to guess.`;
  }
  picker.addEventListener("change", () => choose(Number(picker.value)));
  choose(chosen);
  return {element, update};
}

// --- Weights and heads ---------------------------------------------------------------------------

function selectorPanel(run) {
  const width = run.subsets.length, floor = -12;
  // log₁₀ p from θ = log c², which does not underflow.
  const logWeight = (index, s) => {
    const theta = run.subsets.map((_, k) => run.at("log_c_squared", index, k, width)), top = Math.max(...theta);
    return (theta[s] - top - Math.log(theta.reduce((sum, x) => sum + Math.exp(x - top), 0))) / Math.LN10;
  };
  const cells = run.subsets.map((set, s) => ({line: make("i", {style: `--k: ${run.setStyle(s).color}`}), log: make("i", {style: `--k: ${run.setStyle(s).color}`}), p: make("td", {"data-name": `p ${s}`}), order: make("td", {})}));
  const body = run.subsets.map((set, s) => make("tr", {}, make("th", {scope: "row"}, setName(set)),
    make("td", {class: "bar"}, make("span", {class: "rail"}, cells[s].line)), cells[s].p,
    make("td", {class: "bar"}, make("span", {class: "rail"}, cells[s].log)), cells[s].order));
  const holder = make("table", {}, make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "heads"), make("th", {scope: "col", class: "text"}, "linear"), make("th", {scope: "col"}, "p"), make("th", {scope: "col", class: "text"}, `from 10${superscript(floor)}`), make("th", {scope: "col"}, "log₁₀ p"))), make("tbody", {}, ...body));
  const element = panel("Selector: weight p of every set of heads", null, make("div", {class: "scroll"}, holder), copyButton(holder));
  return {element, update(index) {
    cells.forEach((cell, s) => {
      const p = run.at("p", index, s, width), order = run.has("log_c_squared") ? logWeight(index, s) : Math.log10(p);
      put(cell.p, p); put(cell.order, order, Number.isFinite(order) ? order.toFixed(order > -10 ? 2 : 0).replace("-", "−") : "−∞");
      cell.line.style.width = `${100 * p}%`;
      cell.log.style.width = `${100 * Math.max(0, Math.min(1, 1 - order / floor))}%`;
    });
  }};
}

function headsPanel(run) {
  const lags = [...new Set(run.lags.flat())].sort((x, y) => x - y), window = run.lags[0].length, width = run.lags.length * window;
  const cells = [];
  const body = run.lags.map((seen, h) => make("tr", {}, make("th", {scope: "row"}, `head ${h + 1}`), ...lags.map(lag => {
    const j = seen.indexOf(lag), cell = make("td", {"data-name": j < 0 ? undefined : `attention ${h} ${j}`});
    if (j >= 0) cells.push({cell, entry: h * window + j});
    return cell;
  })));
  const holder = make("table", {class: "heat"}, make("thead", {}, make("tr", {}, make("td", {}), ...lags.map(lag => make("th", {scope: "col", style: "text-align: center"}, `lag ${lag}`)))), make("tbody", {}, ...body));
  const element = panel("First attention: how far back each head looks", null, make("div", {class: "scroll"}, holder), copyButton(holder));
  return {element, update(index) {
    for (const {cell, entry} of cells) {
      const x = run.at("attention", index, entry, width);
      put(cell, x);
      cell.style.setProperty("--w", (0.9 * x).toFixed(3));
      cell.classList.toggle("hot", x > 0.6);
    }
  }};
}

// --- Curves --------------------------------------------------------------------------------------

function curvePanels(run) {
  const panels = [], sets = run.subsets.length;
  panels.push(plot(run, {title: "Weights p over flow time", from: 0, to: 1, moves: "c",
    series: run.subsets.map((set, s) => ({name: setName(set), values: run.series("p", s, sets), ...run.setStyle(s)}))}));
  const window = run.lags[0].length, width = run.lags.length * window;
  panels.push(plot(run, {title: "Attention on the lag that each head ends on", moves: "w",
    series: run.lags.map((seen, h) => {
      const j = argmax(seen.map((_, k) => run.at("attention", run.end, h * window + k, width)));
      return {name: `head ${h + 1}, lag ${seen[j]}`, values: run.series("attention", h * window + j, width), ...style(h)};
    })}));
  panels.push(plot(run, {title: "Scale a of the second attention", moves: "a", series: [{name: "a", values: run.series("a"), ...style(0)}]}));
  const kinds = [["loss", "training"], ["validation_loss", "validation"]].filter(([name]) => run.has(name));
  const base = run.baselines && (run.baselines.validation || run.baselines.training);
  const lines = !base ? [] : [["gih_loss", `ideal head ${setName(run.baselines.lags)}`, "var(--limit)", "7 3"], ["posterior_loss", "posterior", "var(--c6)", "2 2"], ["entropy_floor", "floor", "var(--soft)", "1 3"]]
    .filter(([name]) => Number.isFinite(base[name])).map(([name, text, color, dash]) => ({name: text, y: base[name], color, dash}));
  panels.push(plot(run, {title: "Loss (nats)", note: base ? `Lines: ${run.baselines.validation ? "on the validation chains" : "on the training chains"}.` : null, lines,
    series: kinds.map(([name, text], k) => ({name: text, values: run.series(name), color: k ? "var(--truth)" : "var(--model)", dash: k ? "7 3" : ""}))}));
  panels.push(plot(run, {title: "Energy residual (nats)", note: "Loss lost less energy dissipated: what the integration did wrong (3.5).", log: true,
    series: [{name: "size", values: run.series("energy_residual").map(Math.abs), ...style(0)}]}));
  panels.push(plot(run, {title: "Norm of the gradient", log: true, series: [{name: "‖∇‖", values: run.series("gradient_norm"), ...style(2)}]}));
  return panels;
}

// --- Panels that do not depend on flow time ------------------------------------------------------

function details(title, open, ...children) {
  return make("details", open ? {open: ""} : {}, make("summary", {}, title), ...children);
}
function withCopy(holder) { return [holder, copyButton(holder)]; }

function recordPanel(run) {
  const rows = run.columns.filter(c => run.has(c.name)).map(c => {
    const width = run.stages.find(stage => stage.values[c.name]).values[c.name].length / run.stages.find(stage => stage.values[c.name]).shown;
    return {...c, width, cell: make("td", {class: "text"})};
  });
  const holder = make("table", {}, make("thead", {}, make("tr", {}, ...["name", "value", "meaning"].map(t => make("th", {scope: "col", class: "text"}, t)))),
    make("tbody", {}, ...rows.map(r => make("tr", {}, make("th", {scope: "row"}, r.name), r.cell, make("td", {class: "text"}, `${r.meaning}${r.units === "1" ? "" : ` (${r.units})`}`)))));
  const element = details("All that was recorded at this time", false, ...withCopy(make("div", {class: "scroll"}, holder)));
  return {element, update(index) {
    for (const r of rows) {
      const numbers = Array.from({length: r.width}, (_, k) => run.at(r.name, index, k, r.width));
      put(r.cell, numbers.join(" "), numbers.map(format).join("  "));
      r.cell.dataset.value = numbers.join(" ");
    }
  }};
}

function factsPanel(run) {
  const parts = [];
  const {predictions, check, execution, provenance} = run;
  if (check.reason) parts.push(details("Is it the induction head?", false, make("p", {class: "note"}, `Not checked: ${check.reason}.`)));
  else parts.push(details(`Is it the induction head of ${setName(check.information_set)}? ${check.passed ? "Yes" : "No"}`, true,
    make("p", {class: "note"}, `Mean distance in total variation to the ideal induction head on ${check.points[0].chains} fresh sequences; within ${format(check.tolerance)} passes.`),
    ...withCopy(table(["length", "α", "total variation", "standard error", "KL (nats)", "same likeliest token", "missing"],
      check.points.map(p => [p.length, p.alpha, p.total_variation, p.total_variation_standard_error, p.kl, p.argmax_agreement, p.missing.join(", ") || "nothing"])))));
  if (predictions.reason) parts.push(details("Predicted against measured", false, make("p", {class: "note"}, `No predictions: ${predictions.reason}.`)));
  else {
    const relative = r => typeof r.trained === "number" && typeof r.measured === "number" && r.trained !== 0 ? 100 * (r.measured / r.trained - 1) : null;
    parts.push(details("Predicted against measured", true, make("p", {class: "note"}, `Theory before the run, the run after it. Sharp: in infinite context. As trained: by the objective of the run itself. ${predictions.note || ""}`),
      ...withCopy(table(["quantity", "stage", "sharp", "as trained", "measured", "off by %", "units"],
        predictions.rows.map(r => [make("th", {scope: "row", title: `exact: ${r.regime}`}, r.quantity), r.phase, r.sharp, r.trained, r.measured, relative(r), r.units === "1" ? "" : r.units])))));
  }
  const drifts = [...new Set(run.stages.flatMap(s => Object.keys(s.certificates).filter(name => name.endsWith("_drift") && name !== "gauge_drift")))];
  parts.push(details("Certificates of the integration", false, ...withCopy(table(["stage", "moves", "flow time", "method", "ended", "gradients", "steps", "rejected", "loss drop", "energy residual", "of the drop", "gauge drift", ...drifts.map(name => name.replaceAll("_", " ")), "largest rise of the loss"],
    run.stages.map((s, k) => [run.stageName(k), s.trained, s.duration, s.integrator, s.outcome, s.statistics.rhs_evaluations, s.statistics.accepted_steps, s.statistics.rejected_steps, s.certificates.loss_drop, s.certificates.energy_residual, s.certificates.relative_residual, s.certificates.gauge_drift, ...drifts.map(name => s.certificates[name] ?? null), s.certificates.loss_rise])),
    ), ...run.stages.flatMap((s, k) => [...s.switches.map(c => make("p", {class: "note"}, `${run.stageName(k)}: ${c.from} to ${c.to} at t = ${format(c.time)}: ${c.reason}`)), s.hint ? make("p", {class: "note"}, `${run.stageName(k)}: ${s.hint}`) : null].filter(Boolean)),
    run.stages.some(s => s.shown < s.outputs) ? make("p", {class: "note"}, `The page has ${run.stages.map(s => s.shown).join(", ")} of ${run.stages.map(s => s.outputs).join(", ")} recorded outputs.`) : ""));
  const plain = value => Array.isArray(value) ? value.join(" ") : value;
  parts.push(details("How it was computed, and how to repeat it", false,
    make("p", {}, "The same bits again: "), make("pre", {}, `gihflow train --config ${run.name} -o again.h5`),
    ...withCopy(table(["what", ""], [["outcome", run.outcome], ["program", `gihflow ${provenance.program_version}, commit ${provenance.git_commit}`], ["seed", String(provenance.seed)], ["tokens hash", run.tokens_hash], ...Object.entries(execution).filter(([, value]) => typeof value !== "object").map(([name, value]) => [name.replaceAll("_", " "), String(plain(value))])])),
    make("h3", {}, "Config"), make("pre", {}, provenance.config)));
  return make("section", {"aria-label": "Facts"}, ...parts);
}

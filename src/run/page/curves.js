"use strict";
// Curves over flow time.

// The label of a tick, with enough digits to differ from its neighbours.
function label(y, step) {
  const digits = -Math.floor(Math.log10(step) + 1e-9);
  return digits > 3 && Math.abs(y) >= 1e-3 ? y.toFixed(Math.min(digits, 5)).replace("-", "−") : format(Number(y.toPrecision(6)));
}

// options: title, note, series [{name, values, color, dash}], lines [{name, y, color}], log
function plot(run, options) {
  const svg = make("svg", {class: "plot", role: "img"});
  const legend = make("ul", {class: "legend"});
  const log = options.log, floor = 1e-17;
  const scale = y => log ? Math.log10(Math.max(Math.abs(y), floor)) : y;
  const finite = options.series.flatMap(s => s.values).concat((options.lines || []).map(l => l.y)).map(scale).filter(Number.isFinite);
  let low = Math.min(...finite), high = Math.max(...finite);
  if (options.from !== undefined) { low = options.from; high = Math.max(options.to, high); }
  if (!(high > low)) { low -= 0.5; high += 0.5; }
  const margin = {left: 46, right: 8, top: 8, bottom: 22}, gap = 8;
  const n = run.stages.length;
  let width, height, xOf = null, Y;
  const entries = [...options.series, ...(options.lines || [])].map(s => {
    const value = make("b", {});
    const sample = make("svg", {viewBox: "0 0 20 8", "aria-hidden": "true"}, make("line", {x1: 0, x2: 20, y1: 4, y2: 4, stroke: s.color, "stroke-width": 2.5, "stroke-dasharray": s.dash || undefined}));
    legend.append(make("li", {}, sample, `${s.name} `, value));
    if (s.y !== undefined) put(value, s.y);
    return value;
  });
  const cursor = make("line", {class: "cursor"}), dots = options.series.map(s => make("circle", {r: 3.5, fill: s.color}));
  function ticks() {
    if (log) {
      const step = Math.max(1, Math.ceil((high - low) / 5)), list = [];
      for (let k = Math.ceil(low); k <= high; k += step) list.push([k, `10${superscript(k)}`]);
      return list;
    }
    const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw)), list = [];
    const step = power * [1, 2, 5, 10].find(m => m * power >= raw);
    for (let y = Math.ceil(low / step - 1e-9) * step; y <= high + 1e-9 * step; y += step) list.push([y, label(Math.abs(y) < 1e-9 * step ? 0 : y, step)]);
    return list;
  }
  function draw() {
    width = svg.clientWidth || 340; height = 190;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const unit = (width - margin.left - margin.right - gap * (n - 1)) / n;
    // The end of a stage and the start of the next are at the same place; the output decides the stage.
    xOf = index => { const {stage} = run.points[index]; return margin.left + stage * (unit + gap) + (run.place(index) - stage) * unit; };
    Y = y => margin.top + (high - scale(y)) / (high - low) * (height - margin.top - margin.bottom);
    const parts = [];
    run.stages.forEach((stage, k) => {
      const x = margin.left + k * (unit + gap);
      const trained = !options.moves || [...stage.trained].some(letter => options.moves.includes(letter));
      parts.push(make("rect", {class: trained ? "" : "stage", x, y: margin.top, width: unit, height: height - margin.top - margin.bottom, fill: trained ? "none" : undefined}));
      timeTicks(stage, unit).forEach(([u, text]) => parts.push(make("text", {x: x + u * unit, y: height - 7, "text-anchor": u < 0.05 ? "start" : u > 0.95 ? "end" : "middle"}, text)));
      stage.switches.forEach(change => { const u = placeOf(stage, change.time); parts.push(make("line", {class: "method", x1: x + u * unit, x2: x + u * unit, y1: margin.top, y2: height - margin.bottom})); });
    });
    ticks().forEach(([y, text]) => {
      const height_ = margin.top + (high - y) / (high - low) * (height - margin.top - margin.bottom);
      parts.push(make("line", {class: "grid", x1: margin.left, x2: width - margin.right, y1: height_, y2: height_}));
      parts.push(make("text", {x: margin.left - 6, y: height_ + 4, "text-anchor": "end"}, text));
    });
    (options.lines || []).forEach(l => parts.push(make("line", {x1: margin.left, x2: width - margin.right, y1: Y(l.y), y2: Y(l.y), stroke: l.color, "stroke-width": 1.6, "stroke-dasharray": l.dash || undefined})));
    options.series.forEach(s => {
      let path = "", before = -1;
      s.values.forEach((y, index) => {
        if (!Number.isFinite(scale(y))) { before = -1; return; }
        path += `${run.points[index].stage === before ? "L" : "M"}${xOf(index).toFixed(1)} ${Math.min(height - margin.bottom + 1, Y(y)).toFixed(1)}`;
        before = run.points[index].stage;
      });
      parts.push(make("path", {class: "curve", d: path, stroke: s.color, "stroke-dasharray": s.dash || undefined}));
    });
    svg.replaceChildren(...parts, cursor, ...dots);
    if (current !== null) update(current);
  }
  let current = null;
  function update(index) {
    current = index;
    if (!xOf) return;
    const x = xOf(index);
    for (const [key, value] of Object.entries({x1: x, x2: x, y1: margin.top, y2: height - margin.bottom})) cursor.setAttribute(key, value);
    options.series.forEach((s, k) => {
      const y = s.values[index], shown = Number.isFinite(scale(y));
      put(entries[k], y);
      dots[k].setAttribute("visibility", shown ? "visible" : "hidden");
      if (shown) { dots[k].setAttribute("cx", x); dots[k].setAttribute("cy", Math.min(height - margin.bottom, Y(y))); }
    });
  }
  function indexOf(event) {
    const unit = (width - margin.left - margin.right - gap * (n - 1)) / n;
    const x = (event.clientX - svg.getBoundingClientRect().left) / (svg.clientWidth || 1) * width - margin.left;
    const k = Math.max(0, Math.min(n - 1, Math.floor(x / (unit + gap)))), count = run.stages[k].shown;
    const i = Math.round(Math.max(0, Math.min(1, (x - k * (unit + gap)) / unit)) * (count - 1));
    return run.points.findIndex(p => p.stage === k) + i;
  }
  svg.addEventListener("pointermove", event => {
    const index = indexOf(event), {stage, t} = run.points[index];
    showTip(event, [`${run.stageName(stage)}, t = ${format(t)}`, ...options.series.map(s => `${s.name}  ${format(s.values[index])}`)].join("\n"));
  });
  svg.addEventListener("pointerleave", hideTip);
  svg.addEventListener("click", event => { hideTip(); goTo(indexOf(event) / run.end); });
  svg.setAttribute("aria-label", `${options.title}. ` + options.series.map(s => `${s.name}: from ${format(s.values[0])} to ${format(s.values[run.end])}`).join("; "));
  new ResizeObserver(draw).observe(svg);
  const element = panel(options.title, options.note, svg, legend);
  return {element, update};
}
// Position of a time between the outputs of a stage, from 0 to 1.
function placeOf(stage, t) {
  const times = stage.values.t, n = stage.shown;
  for (let i = 1; i < n; ++i) {
    if (times[i] >= t) {
      const part = times[i - 1] > 0 && t > 0 ? Math.log(t / times[i - 1]) / Math.log(times[i] / times[i - 1]) : (t - times[i - 1]) / (times[i] - times[i - 1]);
      return (i - 1 + part) / (n - 1);
    }
  }
  return 1;
}
function timeTicks(stage, width) {
  const times = stage.values.t, last = times[stage.shown - 1];
  if (!(last > 0)) return [[0, "0"]];
  const low = Math.ceil(Math.log10(times[1]) - 1e-9), high = Math.floor(Math.log10(last) + 1e-9), list = [[0, "0"]];
  const step = Math.max(1, Math.ceil((high - low + 1) / Math.max(1, Math.floor(width / 34))));
  for (let k = low; k <= high; k += step) {
    const u = placeOf(stage, 10 ** k);
    if (u * width > 16) list.push([u, k >= 0 && k <= 2 ? String(10 ** k) : `10${superscript(k)}`]);
  }
  return list;
}

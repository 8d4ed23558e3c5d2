"use strict";
// Makes the panels of all runs and updates them with the slider.

const runs = data.runs.map(raw => new Run(raw));
const slider = document.getElementById("slider"), clock = document.getElementById("clock"), play = document.getElementById("play");
const said = document.getElementById("said"), main = document.getElementById("runs");
const longest = runs.reduce((best, run) => run.points.length > best.points.length ? run : best);
const moving = [];

main.style.setProperty("--runs", runs.length);
main.replaceChildren(...runs.map(run => {
  const panels = [sequencePanel(run), selectorPanel(run), headsPanel(run), ...curvePanels(run)], record = recordPanel(run);
  [...panels, record].forEach(p => moving.push(index => p.update(run.indexAt(index))));
  const facts = factsPanel(run);
  facts.prepend(record.element);
  const heading = runs.length > 1 ? [make("h2", {}, run.name), make("p", {class: "note"}, run.finding())] : [];
  return make("article", {class: "run", "aria-label": run.name}, ...heading, panels[0].element,
    make("div", {class: "panels"}, ...panels.slice(1).map(p => p.element)), facts);
}));
document.title = `gihflow: ${runs.map(run => run.name).join(", ")}`;
document.getElementById("title").textContent = runs.length > 1 ? `${runs.length} runs side by side` : runs[0].name;
document.getElementById("finding").textContent = runs.length > 1 ? "" : runs[0].finding();

// --- Time ----------------------------------------------------------------------------------------

let index = longest.end, timer = null;
slider.max = longest.end;

function show() {
  const fraction = longest.end ? index / longest.end : 0;
  slider.value = index;
  moving.forEach(update => update(fraction));
  const words = longest.clock(index);
  slider.setAttribute("aria-valuetext", words);
  const [stage, blocks, time] = words.split(" · ");
  clock.replaceChildren(make("b", {}, `${stage}: ${blocks} moves`), time);
  clock.dataset.index = index;
}
function goTo(fraction) { stop(); index = Math.max(0, Math.min(longest.end, Math.round(fraction * longest.end))); show(); speak(); }
let speaking = 0;
function speak() {
  clearTimeout(speaking);
  speaking = setTimeout(() => { said.textContent = `${longest.clock(index)}. Loss ${format(longest.at("loss", index))} nats.`; }, 500);
}
function stop() {
  if (timer === null) return;
  cancelAnimationFrame(timer); timer = null;
  play.textContent = "▶ Play"; play.setAttribute("aria-pressed", "false");
}
function start() {
  if (index >= longest.end) index = 0;
  const began = performance.now(), from = index, rate = Math.max(longest.end / 15, 4) / 1000;
  play.textContent = "❚❚ Pause"; play.setAttribute("aria-pressed", "true");
  const frame = now => {
    const next = Math.min(longest.end, Math.round(from + (now - began) * rate));
    if (next !== index) { index = next; show(); }
    if (index >= longest.end) { stop(); speak(); } else timer = requestAnimationFrame(frame);
  };
  show();
  timer = requestAnimationFrame(frame);
}
play.addEventListener("click", () => timer === null ? start() : stop());
slider.addEventListener("input", () => { stop(); index = Number(slider.value); show(); speak(); });
document.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey || /^(SELECT|TEXTAREA|SUMMARY)$/.test(event.target.tagName)) return;
  const step = {ArrowLeft: -1, ArrowRight: 1, PageUp: -longest.end / 10, PageDown: longest.end / 10, Home: -Infinity, End: Infinity}[event.key];
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play.click(); }
  else if (step !== undefined && event.target !== slider && document.activeElement.tagName !== "BUTTON") {
    if (/^(PageUp|PageDown|Home|End)$/.test(event.key) && document.activeElement !== document.body) return;
    event.preventDefault(); goTo(Math.max(0, Math.min(1, (index + step) / longest.end)));
  }
});

function drawStages() {
  const svg = document.getElementById("stages"), width = svg.clientWidth || 600, last = Math.max(1, longest.end), inset = 8;
  svg.setAttribute("viewBox", `0 0 ${width} 30`);
  const x = i => inset + i / last * (width - 2 * inset), parts = [];
  let first = 0;
  longest.stages.forEach((stage, k) => {
    const from = x(first), to = x(first + stage.shown - 1), unit = to - from;
    parts.push(make("rect", {x: from, y: 1, width: Math.max(1, unit), height: 14, rx: 3, class: "stage"}));
    const words = unit > 130 ? `${ROMAN[k] || k + 1}: ${longest.moving(k)}` : unit > 40 ? `${ROMAN[k] || k + 1}: ${stage.trained}` : "";
    parts.push(make("text", {x: from + unit / 2, y: 12, "text-anchor": "middle"}, words));
    timeTicks(stage, unit).forEach(([u, text], i) => { if (i || !k) parts.push(make("text", {x: from + u * unit, y: 28, "text-anchor": "middle"}, text)); });
    stage.switches.forEach(change => {
      const place = from + placeOf(stage, change.time) * unit, mark = make("path", {d: `M${place - 4} 0h8l-4 7z`, fill: "var(--model)"});
      parts.push(mark);
    });
    first += stage.shown;
  });
  svg.replaceChildren(...parts);
}
new ResizeObserver(drawStages).observe(document.getElementById("stages"));

drawStages();
show();
document.documentElement.dataset.ready = performance.now().toFixed(0);

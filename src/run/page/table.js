"use strict";
// Draws a table of many runs: a quantity over two swept options as a map and as curves, and all columns, sortable.

const {rows, swept, columns} = data.table;
for (const column of columns) if (!column.texts) column.numbers = reals(column.numbers);
const named = name => columns.find(column => column.name === name);
const valueOf = (column, row) => column.texts ? column.texts[row] : column.numbers[row];
const every = Array.from({length: rows}, (_, row) => row);
const MOST_ROWS = 500, MOST_STEPS = 60, SAYS = ["passed", "total_variation", "validation_loss", "loss", "gih_loss", "a", "wall_seconds"];

// The rows sorted by a column: numbers by value, texts alphabetically, absent values last in both directions.
function order(column, direction) {
  const absent = row => { const x = valueOf(column, row); return x === "" || Number.isNaN(x); };
  const compare = column.texts ? (i, j) => column.texts[i].localeCompare(column.texts[j], "en", {numeric: true}) : (i, j) => column.numbers[i] - column.numbers[j];
  return [...every].sort((i, j) => absent(i) - absent(j) || (absent(i) ? 0 : direction * compare(i, j)) || i - j);
}
// The values of a swept option in increasing order, and the index of each row among them.
function steps(column) {
  const values = [...new Set(order(column, 1).map(row => valueOf(column, row)))];
  return {values, at: every.map(row => values.indexOf(valueOf(column, row)))};
}
function summary(numbers) {
  const known = numbers.filter(x => !Number.isNaN(x)), n = known.length;
  const mean = known.reduce((sum, x) => sum + x, 0) / n;
  const deviation = n > 1 ? Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)) : NaN;
  return {n, absent: numbers.length - n, mean, deviation, low: Math.min(...known), high: Math.max(...known)};
}

// --- The chosen quantity -------------------------------------------------------------------------

const options = swept.map(named), quantities = columns.filter(column => column.numbers && !swept.includes(column.name) && column.name !== "point");
const several = options.filter(column => steps(column).values.length > 1);
const choice = (name, list, chosen, none) => {
  const select = make("select", {id: name}, ...(none ? [make("option", {value: ""}, none)] : []), ...list.map(column =>
    make("option", {value: column.name, title: column.meaning}, column.name)));
  select.value = chosen ? chosen.name : "";
  return {select, element: make("label", {}, `${{quantity: "Quantity", across: "across", down: "and"}[name]} `, select)};
};
const best = several.filter(column => column.name !== "seed").concat(several.filter(column => column.name === "seed"), options);
const known = name => named(name) && summary(Array.from(named(name).numbers)).n > 0;
const quantity = choice("quantity", quantities, named(["passed", "validation_loss", "loss"].find(known)) || quantities[0]);
const across = choice("across", options, best[0]), down = choice("down", options, best[1] && best[1].name !== "seed" && best[1] !== best[0] ? best[1] : null, "no second option");
const map = make("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": "map"}), note = make("p", {class: "note", "aria-live": "polite"});
const curves = make("svg", {class: "plot", role: "img"}), legend = make("ul", {class: "legend"});

// Whether a quantity is 1 or 0, so that a mean is a share and a standard deviation tells nothing.
const isVerdict = q => q.numbers.every(x => x === 0 || x === 1 || Number.isNaN(x));
function cellOf(q, x, y, i, j) {
  const numbers = every.filter(row => x.at[row] === i && (!y || y.at[row] === j)).map(row => q.numbers[row]);
  return numbers.length ? summary(numbers) : null;
}
function words(cell) {
  if (!cell || !cell.n) return cell ? `no number in ${cell.absent} members` : "no member";
  return `mean ${cell.mean}${cell.n > 1 ? `\nstandard deviation ${cell.deviation}\nfrom ${cell.low} to ${cell.high}` : ""}\nmembers ${cell.n}${cell.absent ? `, ${cell.absent} without a number` : ""}`;
}
function draw() {
  const q = named(quantity.select.value), xOption = named(across.select.value), yOption = down.select.value && down.select.value !== xOption.name ? named(down.select.value) : null;
  const x = steps(xOption), y = yOption ? steps(yOption) : null, shown = x.values.slice(0, MOST_STEPS), lines = y ? y.values.slice(0, MOST_STEPS) : [""];
  const cells = lines.map((_, j) => shown.map((_, i) => cellOf(q, x, y, i, j)));
  const means = cells.flat().filter(cell => cell && cell.n).map(cell => cell.mean).filter(Number.isFinite);
  const low = Math.min(...means), high = Math.max(...means);
  const head = make("tr", {}, make("th", {scope: "col"}, yOption ? `${yOption.name} \\ ${xOption.name}` : xOption.name), ...shown.map(value => make("th", {scope: "col"}, format(value))));
  const body = lines.map((value, j) => make("tr", {}, make("th", {scope: "row"}, yOption ? format(value) : q.name), ...cells[j].map((cell, i) => {
    const td = put(make("td", {"data-cell": `${i} ${j}`}), cell ? cell.mean : NaN, cell && cell.n ? undefined : "–");
    if (!cell || !cell.n) return td;
    const share = high > low ? (cell.mean - low) / (high - low) : 0.5;
    if (Number.isFinite(share)) { td.style.setProperty("--w", (0.08 + 0.87 * share).toFixed(3)); if (share > 0.55) td.className = "hot"; }
    td.dataset.members = cell.n;
    td.removeAttribute("title");
    td.addEventListener("mousemove", event => showTip(event, words(cell)));
    td.addEventListener("mouseleave", hideTip);
    return td;
  })));
  map.replaceChildren(make("table", {class: "heat even", style: `min-width: ${4.5 * (shown.length + 1)}em`}, make("caption", {class: "only-spoken"}, `${q.name} over ${xOption.name}`), make("thead", {}, head), make("tbody", {}, ...body)));
  const others = several.filter(column => column !== xOption && column !== yOption).map(column => column.name), cut = x.values.length > MOST_STEPS || (y && y.values.length > MOST_STEPS);
  note.textContent = `${q.name}: ${q.meaning}${q.units === "1" ? "" : ` (${q.units})`}.${others.length ? ` Each cell is the ${isVerdict(q) ? "share of 1" : "mean"} over ${listing(others)}.` : ""} Darker is larger.${cut ? ` The first ${MOST_STEPS} values of each option are shown.` : ""}`;
  drawCurves(q, xOption, shown, lines, cells, yOption);
}
// Means against the option on the x axis, a curve per value of the other, with error bars of one standard deviation.
function drawCurves(q, xOption, shown, lines, cells, yOption) {
  const numeric = shown.every(value => typeof value === "number"), log = numeric && shown[0] > 0 && shown.length > 2 && shown[shown.length - 1] / shown[0] >= 20;
  const u = i => numeric ? (log ? Math.log(shown[i]) : shown[i]) : i, left = u(0), right = u(shown.length - 1);
  const spread = cell => Number.isFinite(cell.deviation) && !isVerdict(q) ? cell.deviation : 0;
  const drawn = cells.slice(0, 7).map(line => line.map((cell, i) => ({cell, i})).filter(({cell}) => cell && cell.n && Number.isFinite(cell.mean)));
  const ends = drawn.flat().flatMap(({cell}) => [cell.mean - spread(cell), cell.mean + spread(cell)]);
  let low = Math.min(...ends), high = Math.max(...ends);
  if (!(high > low)) { low -= 0.5; high += 0.5; }
  const width = curves.clientWidth || 600, height = 230, margin = {left: 56, right: 14, top: 10, bottom: 34};
  const X = i => right > left ? margin.left + (u(i) - left) / (right - left) * (width - margin.left - margin.right) : width / 2;
  const Y = value => margin.top + (high - value) / (high - low) * (height - margin.top - margin.bottom), parts = [];
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw)), step = power * [1, 2, 5, 10].find(m => m * power >= raw);
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) {
    parts.push(make("line", {class: "grid", x1: margin.left, x2: width - margin.right, y1: Y(k * step), y2: Y(k * step)}));
    parts.push(make("text", {x: margin.left - 6, y: Y(k * step) + 4, "text-anchor": "end"}, label(k * step, step)));
  }
  let last = -Infinity;
  shown.forEach((value, i) => {
    if (X(i) - last < 52) return;
    last = X(i);
    parts.push(make("text", {x: last, y: height - 18, "text-anchor": i === 0 ? "start" : i === shown.length - 1 ? "end" : "middle"}, format(value)));
  });
  parts.push(make("text", {x: width - margin.right, y: height - 3, "text-anchor": "end"}, xOption.name + (log ? ", log scale" : "")));
  drawn.forEach((line, j) => {
    const {color, dash} = style(j);
    parts.push(make("path", {class: "curve", d: line.map(({cell, i}, k) => `${k ? "L" : "M"}${X(i)} ${Y(cell.mean)}`).join(""), stroke: color, "stroke-dasharray": dash || undefined}));
    line.forEach(({cell, i}) => {
      if (spread(cell)) parts.push(make("line", {x1: X(i), x2: X(i), y1: Y(cell.mean - spread(cell)), y2: Y(cell.mean + spread(cell)), stroke: color}));
      const dot = make("circle", {cx: X(i), cy: Y(cell.mean), r: 4, fill: color});
      dot.addEventListener("mousemove", event => showTip(event, words(cell)));
      dot.addEventListener("mouseleave", hideTip);
      parts.push(dot);
    });
  });
  curves.setAttribute("viewBox", `0 0 ${width} ${height}`);
  curves.style.height = `${height}px`;
  curves.setAttribute("aria-label", `${q.name} over ${xOption.name}`);
  curves.replaceChildren(...parts);
  legend.replaceChildren(...(yOption ? drawn.map((_, j) => make("li", {}, make("svg", {viewBox: "0 0 20 8", "aria-hidden": "true"},
    make("line", {x1: 0, x2: 20, y1: 4, y2: 4, stroke: style(j).color, "stroke-width": 2.5, "stroke-dasharray": style(j).dash || undefined})), `${yOption.name} ${format(lines[j])}`)) : []),
    ...(cells.length > drawn.length ? [make("li", {}, `and ${cells.length - drawn.length} more in the map`)] : []));
}
[quantity, across, down].forEach(one => one.select.addEventListener("change", draw));

// --- The table -----------------------------------------------------------------------------------

const holder = make("div", {class: "scroll long", tabindex: 0, role: "group", "aria-label": "table of members"}), cut = make("p", {class: "note"});
const all = make("input", {type: "checkbox", id: "all"});
let sorted = {column: null, direction: 1};
function drawTable() {
  const shown = all.checked ? columns : [named("member"), ...options, named("state"), ...SAYS.filter(known).map(named)].filter(Boolean);
  const places = sorted.column ? order(sorted.column, sorted.direction) : every;
  const heads = shown.map(column => {
    const at = column === sorted.column ? sorted.direction : 0;
    const button = make("button", {type: "button", class: "sort", title: column.meaning}, `${column.name}${at ? (at > 0 ? " ▲" : " ▼") : ""}`);
    button.addEventListener("click", () => {
      sorted = {column, direction: at > 0 ? -1 : 1};
      drawTable();
      [...holder.querySelectorAll("button")][shown.indexOf(column)].focus();
    });
    return make("th", {scope: "col", class: column.texts ? "text" : undefined, "aria-sort": at ? (at > 0 ? "ascending" : "descending") : undefined, "data-column": column.name}, button);
  });
  const lines = places.slice(0, MOST_ROWS).map(row => make("tr", {}, ...shown.map((column, k) => {
    const cell = make(k ? "td" : "th", k ? {class: column.texts ? "text" : undefined} : {scope: "row"});
    if (column.name === "passed" && !Number.isNaN(valueOf(column, row))) {
      const good = valueOf(column, row) === 1;
      cell.className = good ? "pass" : "fail";
      return put(cell, valueOf(column, row), good ? "✓ yes" : "✗ no");
    }
    return put(cell, valueOf(column, row));
  })));
  holder.replaceChildren(make("table", {class: "members"}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...lines)));
  cut.textContent = rows > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows} members in this order.` : "";
}
all.addEventListener("change", drawTable);

// --- The page ------------------------------------------------------------------------------------

function finding() {
  const states = named("state"), count = {};
  if (states) states.texts.forEach(state => { count[state] = (count[state] || 0) + 1; });
  const parts = [`${rows} ${rows === 1 ? "member" : "members"}${states ? `: ${Object.entries(count).map(([state, n]) => `${n} ${state}`).join(", ")}` : ""}.`];
  if (several.length) parts.push(`They differ in ${listing(several.map(column => `${column.name} (${steps(column).values.length} values)`))}.`);
  if (known("passed")) {
    const {n, mean} = summary(Array.from(named("passed").numbers));
    parts.push(`${Math.round(n * mean)} of the ${n} that were checked have become the induction head.`);
  }
  return parts.join(" ");
}
document.querySelector(".time").remove();
document.querySelector("footer").remove();
document.title = `gihflow: ${data.table.name}`;
document.getElementById("title").textContent = data.table.name;
document.getElementById("finding").textContent = finding();
const chosen = options.length ? panel("A quantity over swept options", null, make("p", {class: "choices"}, quantity.element, across.element, down.element),
  make("div", {class: "over"}, map, make("div", {}, curves, legend)), note) : null;
const facts = make("details", {}, make("summary", {}, "Where it comes from"), make("p", {class: "note"}, `Collected by gihflow ${data.table.program_version}, commit ${data.table.git_commit}. ${data.table.plan ? "The plan:" : "Replicas of one command line."}`), data.table.plan ? make("pre", {}, data.table.plan) : null);
document.getElementById("runs").replaceChildren(...[chosen, panel("Members", null, make("p", {class: "choices"}, make("label", {}, all, " all columns"), copyButton(holder)), holder, cut), make("section", {"aria-label": "Facts"}, facts)].filter(Boolean));
drawTable();
if (options.length) { draw(); new ResizeObserver(draw).observe(curves); }
document.documentElement.dataset.ready = performance.now().toFixed(0);

"use strict";
// Functions that all pages share.

const data = JSON.parse(document.getElementById("data").textContent);

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
// A table cell that shows a number rounded and has all its digits as title.
function put(cell, x, text) {
  cell.textContent = text === undefined ? format(x) : text;
  if (typeof x === "number") { cell.dataset.value = String(x); if (!Number.isNaN(x)) cell.title = String(x); }
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

// Colours and dashes of curves, by number.
const DASHES = ["", "7 3", "2 2", "7 3 2 3", "10 4", "4 3", "7 2 2 2 2 2"];
const style = k => ({color: `var(--c${k % 7})`, dash: DASHES[(k + Math.floor(k / 7)) % 7]});

// On paper everything is open.
addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach(element => { element.open = true; element.dataset.closed = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("[data-closed]").forEach(element => { element.open = false; delete element.dataset.closed; }));

document.getElementById("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});

// Draws the figures, sorts and filters the tables, changes the theme. Without it the page still reads.
"use strict";

const value = (row, column) => row.cells[column].dataset.v ?? "";

function compare(a, b) {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // what has no value stays below
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function sort(button) {
  const head = button.closest("th");
  const body = head.closest("table").tBodies[0];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows];
  const place = (row) => value(row, head.cellIndex);
  rows.sort((a, b) => {
    const empty = (place(a) === "") - (place(b) === "");
    return empty || (down ? -1 : 1) * compare(place(a), place(b));
  });
  body.append(...rows);
}

function filter(input) {
  const board = input.closest(".board");
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...board.querySelectorAll("tbody tr")];
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  board.querySelector("output").value = `${shown} of ${rows.length} models`;
}

function theme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  button.setAttribute("aria-pressed", String(now !== "dark"));
}

const views = new Set();
const tip = document.querySelector("#tip");

// What the pointer is on, as text: a name is never read as HTML.
function say(_, event, item, lines) {
  tip.replaceChildren();
  tip.hidden = !lines || typeof lines !== "object";
  if (tip.hidden) return;
  for (const [name, text] of Object.entries(lines)) {
    const line = document.createElement("div");
    const head = document.createElement("span");
    head.textContent = `${name}: `;
    head.className = "soft";
    const said = document.createElement("bdi");
    said.textContent = text;
    line.append(head, said);
    tip.append(line);
  }
  const { clientX: x, clientY: y } = event;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + height + 22 > innerHeight ? y - height - 10 : y + 16}px`;
}

// A model that is pointed at in one figure, or in the list of models, stands out in all.
function point(model) {
  for (const view of views) view.signal("pointed", model).runAsync();
}

async function draw(holder) {
  const spec = JSON.parse(holder.querySelector("script").textContent);
  holder.hidden = false;
  const parsed = vega.parse(vegaLite.compile(spec).spec, null, { ast: true });
  const options = { expr: expressionInterpreter, renderer: "svg", logLevel: vega.Error };
  const place = document.createElement("div");
  holder.append(place);
  const view = new vega.View(parsed, options).initialize(place).hover().tooltip(say);
  view.addEventListener("pointerover", (_, item) => point(item?.datum?.model ?? ""));
  view.addEventListener("pointerout", () => point(""));
  views.add(view);
  await view.runAsync();
  holder.closest("figure").classList.add("drawn");
}

// Figures are drawn as they come near, so that a page with many opens quickly.
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    for (const holder of target.querySelectorAll(".chart")) draw(holder);
  }
}, { rootMargin: "600px" });

for (const figure of document.querySelectorAll("figure:has(.chart)")) near.observe(figure);
for (const item of document.querySelectorAll(".legend li")) {
  item.addEventListener("pointerenter", () => point(item.dataset.model));
  item.addEventListener("pointerleave", () => point(""));
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button));
}
for (const input of document.querySelectorAll("input[type=search]")) {
  input.addEventListener("input", () => filter(input));
}
const toggle = document.querySelector("#theme");
toggle.addEventListener("click", () => theme(toggle));
for (const control of document.querySelectorAll("[data-needs-script]")) control.hidden = false;

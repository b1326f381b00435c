// Sorts and filters the tables, shows more columns, changes the theme. Without it the page still reads.
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

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button));
}
for (const input of document.querySelectorAll("input[type=search]")) {
  input.addEventListener("input", () => filter(input));
}
for (const box of document.querySelectorAll("input[type=checkbox]")) {
  box.addEventListener("change", () => box.closest(".board").classList.toggle("all", box.checked));
}
const toggle = document.querySelector("#theme");
toggle.addEventListener("click", () => theme(toggle));
for (const control of document.querySelectorAll("[data-needs-script]")) control.hidden = false;

// The table of records: sorted by its columns, filtered by words.

const body = document.querySelector("#records tbody");
const rows = [...body.rows];
const isNumber = [...document.querySelectorAll("#records thead th")].map((head, at) => at === 0 || head.classList.contains("number"));
const keys = rows.map(row => [...row.cells].map(cell => cell.textContent));
const compare = (at, sign) => (one, other) => {
  const [a, b] = [keys[one][at], keys[other][at]];
  // what is not there comes last
  if ((a === "-") !== (b === "-")) return a === "-" ? 1 : -1;
  const order = isNumber[at] ? parseFloat(a) - parseFloat(b) : a.localeCompare(b, "en", { numeric: true });
  return sign * (order || 0) || one - other;
};
for (const [at, head] of [...document.querySelectorAll("#records thead th")].entries()) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  head.replaceChildren(button);
  button.addEventListener("click", () => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of document.querySelectorAll("#records th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...rows.map((_, index) => index).sort(compare(at, sign)).map(index => rows[index]));
  });
}
const filter = () => {
  const words = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const action = find("action").value;
  let count = 0;
  rows.forEach((row, at) => {
    const whole = `${records[at].f} ${keys[at].join(" ")}`.toLowerCase();
    const matches = words.every(word => {
      const [name, value] = word.split("=", 2);
      const column = columns.indexOf(name);
      return value !== undefined && column >= 0 ? keys[at][column + FIRST].toLowerCase() === value : whole.includes(word);
    });
    row.hidden = !matches || (action !== "" && records[at].a !== action);
    count += row.hidden ? 0 : 1;
  });
  find("found").textContent = `${number(count)} of ${counted(rows.length, "record")}`;
};
find("filter").addEventListener("input", filter);
find("action").addEventListener("change", filter);
filter();

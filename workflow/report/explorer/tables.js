// Tables of the page sort by a click on a column's head: ascending, descending, as they were.
"use strict";
explorer.start("tables", () => {
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  // A number of the report says its full value in <data>; other cells are read as they stand.
  function valueOf(row, column) {
    const cell = row.cells[column];
    if (!cell) return "";
    const data = cell.querySelector("data");
    const text = data ? data.value : cell.textContent.trim();
    const number = Number.parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    // A dash or an empty cell among numbers comes last.
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, head, column, original) {
    const order = NEXT[head.getAttribute("aria-sort")];
    for (const other of table.tHead.rows[0].cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const sign = order === "descending" ? -1 : 1;
    const rows = [...original];
    if (order !== "none") rows.sort((a, b) => sign * compare(valueOf(a, column), valueOf(b, column)));
    table.tBodies[0].append(...rows);
  }

  function sortable(table) {
    const original = [...table.tBodies[0].rows];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, head, column, original));
    });
  }

  explorer.sortable = sortable;
  for (const table of document.querySelectorAll("main .wide > table")) {
    if (table.tHead && table.tBodies.length && table.tBodies[0].rows.length > 1) sortable(table);
  }
});

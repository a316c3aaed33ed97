// The gallery of cases: sort, filter by a cell of the confusion matrix or a fold, step by keyboard.
// Reads the JSON beside it in the page; asks for nothing else. Text is set as text, never as markup.
"use strict";
(() => {
  const PAGE = 60;
  const holder = document.getElementById("explorer");
  const source = document.getElementById("data-cases");
  if (!holder || !source) return;
  const data = JSON.parse(source.textContent);
  const names = data.parts.map((part) => part.name);
  const unique = (values) => [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const overlays = unique(data.cases.flatMap((one) => Object.keys(one.overlays ?? {})));
  const state = { sort: "error", fold: "", part: 0, truth: null, predicted: null, wrong: false, shown: PAGE, overlays: new Set() };
  let list = [];
  let open = -1;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const share = (value) => (value === null ? "–" : value.toFixed(3));
  const isWrong = (one) => one.truth.some((truth, i) => truth !== one.predicted[i]);

  function matches(one) {
    const truth = state.truth === null || one.truth[state.part] === state.truth;
    const predicted = state.predicted === null || one.predicted[state.part] === state.predicted;
    return truth && predicted && (!state.fold || one.fold === state.fold) && (!state.wrong || isWrong(one));
  }

  const ORDERS = {
    error: ["Largest error first", (a, b) => (b.error ?? -1) - (a.error ?? -1)],
    right: ["Smallest error first", (a, b) => (a.error ?? 2) - (b.error ?? 2)],
    sure: ["Most confident first", (a, b) => (b.confidence ?? -1) - (a.confidence ?? -1)],
    unsure: ["Least confident first", (a, b) => (a.confidence ?? 2) - (b.confidence ?? 2)],
    truth: ["By truth", (a, b) => a.truth.join().localeCompare(b.truth.join())],
  };

  const webp = (content, alt) => make("img", { alt, src: `data:image/webp;base64,${content}` });
  function picture(one, alt) {
    if (!one.picture) return make("span", { className: "blank", textContent: "no picture" });
    const above = overlays.filter((name) => state.overlays.has(name) && one.overlays?.[name]);
    return make("span", { className: "stack" }, webp(one.picture, alt), ...above.map((name) => webp(one.overlays[name], name)));
  }

  function words(one) {
    if (!names.length) return `error ${share(one.error)}`;
    return names.map((name, i) => `${name && `${name}: `}${one.truth[i]} → ${one.predicted[i]}`).join(", ");
  }

  function tile(one, place) {
    const said = names.length > 1 ? `error ${share(one.error)}` : words(one);
    const button = make("button", { type: "button", className: isWrong(one) ? "case wrong" : "case" });
    button.append(picture(one, ""), make("span", { textContent: said }));
    button.setAttribute("aria-label", `${one.sample}, ${words(one)}, error ${share(one.error)}`);
    button.addEventListener("click", () => look(place));
    return button;
  }

  const gallery = make("div", { className: "gallery" });
  const count = make("p", { className: "count" });
  count.setAttribute("aria-live", "polite");
  const more = make("button", { type: "button", textContent: "Show more" });
  more.addEventListener("click", () => {
    state.shown += PAGE;
    draw(state.shown - PAGE);
  });

  function draw(from = 0) {
    if (!from) gallery.replaceChildren();
    gallery.append(...list.slice(from, state.shown).map((one, i) => tile(one, from + i)));
    more.hidden = list.length <= state.shown;
    count.textContent = `${list.length.toLocaleString("en")} of ${data.cases.length.toLocaleString("en")} cases`;
  }

  function update() {
    list = data.cases.filter(matches).sort(ORDERS[state.sort][1]);
    state.shown = PAGE;
    draw();
    matrix();
  }

  function chooser(label, options, key) {
    const select = make("select", {}, ...options.map(([value, text]) => make("option", { value, textContent: text })));
    select.addEventListener("change", () => {
      state[key] = select.value;
      update();
    });
    return make("label", {}, `${label} `, select);
  }

  const table = make("table", { className: "matrix" });
  function pick(truth, predicted) {
    const again = state.truth === truth && state.predicted === predicted;
    [state.truth, state.predicted] = again ? [null, null] : [truth, predicted];
    update();
    const chosen = table.querySelector('[aria-pressed="true"]');
    if (chosen) chosen.focus();
  }

  function matrix() {
    if (!names.length) return;
    const part = state.part;
    const seen = data.cases.flatMap((one) => [one.truth[part], one.predicted[part]]);
    const listed = data.parts[part].classes;
    const classes = listed.length ? listed : unique(seen);
    const head = make("tr", {}, make("th", { textContent: "truth, predicted" }));
    head.append(...classes.map((name) => make("th", { scope: "col", textContent: name || "unknown" })));
    const rows = classes.map((truth) => {
      const row = make("tr", {}, make("th", { scope: "row", textContent: truth || "unknown" }));
      classes.forEach((predicted) => {
        const n = data.cases.filter((one) => one.truth[part] === truth && one.predicted[part] === predicted).length;
        const cell = make("button", { type: "button", textContent: n, disabled: !n });
        cell.setAttribute("aria-label", `truth ${truth}, predicted ${predicted}: ${n}`);
        cell.setAttribute("aria-pressed", String(state.truth === truth && state.predicted === predicted));
        cell.addEventListener("click", () => pick(truth, predicted));
        row.append(make("td", { className: truth === predicted ? "right" : "" }, cell));
      });
      return row;
    });
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }

  const dialog = make("dialog", {});
  const body = make("div", {});
  dialog.append(body);
  function look(place) {
    if (place < 0 || place >= list.length) return;
    open = place;
    const one = list[place];
    const facts = make("dl", {});
    const shown = [["Sample", one.sample], ["Fold", one.fold], ["Error", share(one.error)], ["Confidence", share(one.confidence)]];
    names.forEach((name, i) => shown.push([`${name || "Truth"} → predicted`, `${one.truth[i]} → ${one.predicted[i]}`]));
    shown.forEach(([key, value]) => facts.append(make("dt", { textContent: key }), make("dd", { textContent: value })));
    const back = make("button", { type: "button", textContent: "← Previous", disabled: !place });
    const next = make("button", { type: "button", textContent: "Next →", disabled: place + 1 === list.length });
    const close = make("button", { type: "button", textContent: "Close" });
    back.addEventListener("click", () => look(place - 1));
    next.addEventListener("click", () => look(place + 1));
    close.addEventListener("click", () => dialog.close());
    const position = make("p", { className: "count", textContent: `${place + 1} of ${list.length}` });
    body.replaceChildren(picture(one, words(one)), facts, position, make("p", {}, back, " ", next, " ", close));
    if (!dialog.open) dialog.showModal();
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") look(open + 1);
    if (event.key === "ArrowLeft") look(open - 1);
  });

  function overlaySwitch(name) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      state.overlays[box.checked ? "add" : "delete"](name);
      draw();
    });
    const n = data.cases.filter((one) => one.overlays?.[name]).length;
    return make("label", {}, box, ` ${name} (${n.toLocaleString("en")})`);
  }

  const folds = unique(data.cases.map((one) => one.fold)).map((fold) => [fold, `Fold ${fold}`]);
  const wrong = make("input", { type: "checkbox" });
  wrong.addEventListener("change", () => {
    state.wrong = wrong.checked;
    update();
  });
  const tools = make("div", { className: "tools" });
  tools.append(chooser("Sort", Object.entries(ORDERS).map(([key, [text]]) => [key, text]), "sort"));
  tools.append(chooser("Fold", [["", "All folds"], ...folds], "fold"));
  if (names.length) tools.append(make("label", {}, wrong, " only wrong ones"));
  if (names.length > 1) {
    const part = chooser("Confusion of", names.map((name, i) => [String(i), name]), "part");
    part.addEventListener("change", () => Object.assign(state, { truth: null, predicted: null }), true);
    tools.append(part);
  }
  if (overlays.length) tools.append(make("span", {}, "Overlay: ", ...overlays.flatMap((name) => [overlaySwitch(name), " "])));
  const scroll = make("div", { className: "wide" }, table);
  holder.replaceChildren(...(names.length ? [scroll] : []), tools, count, gallery, more, dialog);
  update();
})();

// The gallery of cases: sort, filter by a cell of the confusion matrix, a class, a fold or a subgroup,
// step by keyboard.
"use strict";
explorer.start("cases", (holder) => {
  const { make, button, chooser, unique, share, title, whole, webp, isWrong, hooks } = explorer;
  const PAGE = 60;
  const data = explorer.read("cases");
  if (!holder || !data) return;
  const names = data.parts.map((part) => part.name);
  const subgroups = data.subgroups ?? [];
  const pictures = data.cases.some((one) => one.picture);
  const overlays = unique(data.cases.flatMap((one) => Object.keys(one.overlays ?? {})));
  const state = { sort: "error", fold: "", part: 0, truth: null, predicted: null, wrong: false, shown: PAGE, overlays: new Set(), groups: subgroups.map(() => "") };
  let list = [];

  const called = (name) => name || "unknown";

  function matches(one) {
    const truth = state.truth === null || one.truth[state.part] === state.truth;
    const predicted = state.predicted === null || one.predicted[state.part] === state.predicted;
    const groups = state.groups.every((value, i) => !value || called(one.subgroups[i]) === value);
    return truth && predicted && groups && (!state.fold || one.fold === state.fold) && (!state.wrong || isWrong(one));
  }

  // Bands of numbers have an order of their own.
  const level = (one, i) => data.levels[i].indexOf(one.subgroups[i]);
  // What has no value comes last, whichever way.
  const number = (key, sign, last) => (a, b) => sign * ((a[key] ?? last) - (b[key] ?? last));
  const text = (value) => (a, b) => value(a).localeCompare(value(b), "en", { numeric: true });
  const ORDERS = {
    error: ["Largest error first", number("error", -1, -1)],
    right: ["Smallest error first", number("error", 1, 2)],
    ...(names.length && {
      sure: ["Most confident first", number("confidence", -1, -1)],
      unsure: ["Least confident first", number("confidence", 1, 2)],
      truth: ["By truth", text((one) => one.truth.join())],
      predicted: ["By prediction", text((one) => one.predicted.join())],
    }),
    fold: ["By fold", text((one) => one.fold)],
    ...Object.fromEntries(subgroups.map((name, i) => [`subgroup${i}`, [`By ${name}`, (a, b) => level(a, i) - level(b, i)]])),
    sample: ["By sample", text((one) => one.sample)],
  };

  function picture(one, alt) {
    if (!one.picture) return pictures ? make("span", { className: "blank", textContent: "no picture" }) : "";
    const above = overlays.filter((name) => state.overlays.has(name) && one.overlays?.[name]);
    return make("span", { className: "stack" }, webp(one.picture, alt), ...above.map((name) => webp(one.overlays[name], name)));
  }

  function words(one) {
    if (!names.length) return `error ${share(one.error)}`;
    return names.map((name, i) => `${name && `${name}: `}${called(one.truth[i])} → ${called(one.predicted[i])}`).join(", ");
  }

  function tile(one, place) {
    const caption = names.length > 1 ? `error ${share(one.error)}` : words(one);
    const element = button("", () => look(place), { className: isWrong(one) ? "case wrong" : "case" });
    element.append(picture(one, ""), make("span", { textContent: caption }));
    element.setAttribute("aria-label", `${one.sample}, ${words(one)}, error ${share(one.error)}`);
    return element;
  }

  const gallery = make("div", { className: pictures ? "gallery" : "gallery bare" });
  // By the link at the page's top: past sections, tables and tools, straight to the cases.
  Object.assign(gallery, { id: "cases-shown", tabIndex: -1 });
  document.querySelector("a.skip")?.setAttribute("href", `#${gallery.id}`);
  const count = make("p", { className: "count" });
  count.setAttribute("aria-live", "polite");
  const more = button("Show more", () => {
    state.shown += PAGE;
    draw(state.shown - PAGE);
  }, { className: "more" });

  function draw(from = 0) {
    if (!from) gallery.replaceChildren();
    gallery.append(...list.slice(from, state.shown).map((one, i) => tile(one, from + i)));
    more.hidden = list.length <= state.shown;
    count.textContent = `${whole(list.length)} of ${whole(data.cases.length)} cases`;
  }

  function update() {
    list = data.cases.filter(matches).sort(ORDERS[state.sort][1]);
    state.shown = PAGE;
    draw();
    matrix();
  }

  function set(key, value) {
    state[key] = value;
    update();
  }

  const table = make("table", { className: "matrix" });
  function pick(truth, predicted) {
    const again = state.truth === truth && state.predicted === predicted;
    [state.truth, state.predicted] = again ? [null, null] : [truth, predicted];
    update();
    table.querySelector('[aria-pressed="true"]')?.focus();
  }

  // A cell, or a class of the margin, where the other of the pair is null.
  function choice(textContent, label, truth, predicted, n) {
    const element = button(textContent, () => pick(truth, predicted), { disabled: !n });
    element.setAttribute("aria-label", label);
    element.setAttribute("aria-pressed", String(state.truth === truth && state.predicted === predicted));
    return element;
  }

  function matrix() {
    if (!names.length) return;
    const { classes, counts } = data.parts[state.part];
    const number = (truth, predicted) => counts.reduce((sum, [t, p, n]) => sum + ((truth === null || t === truth) && (predicted === null || p === predicted) ? n : 0), 0);
    const seen = unique(counts.flatMap(([truth, predicted]) => [truth, predicted]));
    const others = seen.filter((name) => name && !classes.includes(name));
    // What nobody could judge comes last.
    const listed = [...classes, ...others, ...(seen.includes("") ? [""] : [])];
    const head = make("tr", {}, make("td", { textContent: "truth ↓ predicted →" }));
    head.append(...listed.map((name) => {
      const label = `predicted ${called(name)}: ${number(null, name)}`;
      return make("th", { scope: "col" }, choice(called(name), label, null, name, number(null, name)));
    }));
    const rows = listed.map((truth) => {
      const label = `truth ${called(truth)}: ${number(truth, null)}`;
      const cells = listed.map((predicted) => {
        const n = number(truth, predicted);
        const cell = choice(whole(n), `truth ${called(truth)}, predicted ${called(predicted)}: ${n}`, truth, predicted, n);
        return make("td", { className: truth === predicted ? "right" : "" }, cell);
      });
      return make("tr", {}, make("th", { scope: "row" }, choice(called(truth), label, truth, null, number(truth, null))), ...cells);
    });
    table.replaceChildren(make("caption", { textContent: data.parts[state.part].name }), make("thead", {}, head), make("tbody", {}, ...rows));
  }

  const dialog = make("dialog", {});
  dialog.setAttribute("aria-label", "A case");
  const body = make("div", {});
  dialog.append(body);
  let open = { place: -1, among: [] };
  function look(place, among = list) {
    if (place < 0 || place >= among.length) return;
    open = { place, among };
    const one = among[place];
    const shown = [["Sample", one.sample], ["Fold", one.fold], ["Error", share(one.error)]];
    if (names.length) shown.push(["Confidence", share(one.confidence)]);
    names.forEach((name, i) => shown.push([`${name || "Truth"} → predicted`, `${called(one.truth[i])} → ${called(one.predicted[i])}`]));
    subgroups.forEach((name, i) => shown.push([title(name), called(one.subgroups[i])]));
    const facts = make("dl", {}, ...shown.flatMap(([key, value]) => [make("dt", { textContent: key }), make("dd", { textContent: value })]));
    const back = button("← Previous", () => look(place - 1, among), { disabled: !place });
    const next = button("Next →", () => look(place + 1, among), { disabled: place + 1 === among.length });
    const close = button("Close", () => dialog.close());
    const position = make("p", { className: "count", textContent: `${place + 1} of ${among.length}` });
    position.setAttribute("aria-live", "polite");
    body.replaceChildren(picture(one, words(one)), facts, position, make("p", {}, back, " ", next, " ", close));
    if (!dialog.open) dialog.showModal();
  }
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) look(open.place + step, open.among);
  });

  function checkbox(label, change) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => change(box.checked));
    return make("label", {}, box, ` ${label}`);
  }

  function overlaySwitch(name) {
    const n = data.cases.filter((one) => one.overlays?.[name]).length;
    return checkbox(`${name} (${whole(n)})`, (checked) => {
      state.overlays[checked ? "add" : "delete"](name);
      draw();
    });
  }

  const tools = make("div", { className: "tools" });
  const folds = unique(data.cases.map((one) => one.fold)).map((fold) => [fold, fold ? `Fold ${fold}` : "no fold"]);
  tools.append(chooser("Sort", Object.entries(ORDERS).map(([key, [called]]) => [key, called]), (value) => set("sort", value)));
  tools.append(chooser("Fold", [["", "All folds"], ...folds], (value) => set("fold", value)));
  subgroups.forEach((name, i) => {
    const there = new Set(data.cases.map((one) => one.subgroups[i]));
    const values = data.levels[i].filter((value) => there.has(value)).map((value) => [called(value), called(value)]);
    tools.append(chooser(title(name), [["", "All"], ...values], (value) => {
      state.groups[i] = value;
      update();
    }));
  });
  if (names.length) tools.append(checkbox("only wrong ones", (checked) => set("wrong", checked)));
  if (names.length > 1) {
    tools.append(chooser("Confusion of", names.map((name, i) => [i, name]), (value) => {
      Object.assign(state, { part: Number(value), truth: null, predicted: null });
      update();
    }));
  }
  if (overlays.length) tools.append(make("span", {}, "Overlay: ", ...overlays.flatMap((name) => [overlaySwitch(name), " "])));
  holder.replaceChildren(...(names.length ? [make("div", { className: "wide" }, table)] : []), tools, count, gallery, more, dialog);
  Object.assign(hooks, { look, words, picture });
  update();
});

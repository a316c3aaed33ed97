// The trials of a search: parallel coordinates, curves and a table, of which each shows what is
// chosen in the others.
"use strict";
explorer.start("trials", (holder) => {
  const { make, draw, button, chooser, unique, colour } = explorer;
  const data = explorer.read("trials");
  if (!holder || !data || !data.trials.length) return;
  const [WIDE, HIGH, TOP, SIDE] = [860, 300, 34, 60];
  const state = { chosen: new Set(), objective: 0, ended: true };
  const marks = new Map(data.trials.map((one) => [one.trial, []]));
  function number(value) {
    if (typeof value !== "number") return value;
    const small = value !== 0 && Math.abs(value) < 1e-3;
    return small ? String(Number(value.toPrecision(3)).toExponential()) : String(Number(value.toPrecision(4)));
  }
  const shownTrials = () => data.trials.filter((one) => !state.ended || one.state === "COMPLETE");

  // A place between 0 (worst) and 1 (best) by rank among the complete trials; null for the others.
  function merit(one) {
    const { direction } = data.objectives[state.objective];
    const value = (trial) => trial.values[state.objective];
    const complete = data.trials.filter((trial) => value(trial) !== null).map(value).sort((a, b) => a - b);
    if (value(one) === null || complete.length < 2) return value(one) === null ? null : 1;
    const place = complete.indexOf(value(one)) / (complete.length - 1);
    return direction === "minimize" ? 1 - place : place;
  }
  // Dark is good: it is what shows on white and in print.
  const ink = (one) => (merit(one) === null ? "#b9c0c7" : colour(1 - merit(one)));

  // An axis: a function from a value to 0 (below) ... 1 (above), and what stands at its marks.
  function axis(name, values, log) {
    const there = values.filter((value) => value !== null);
    if (there.length && there.every((value) => typeof value === "number")) {
      const [low, high] = [Math.min(...there), Math.max(...there)];
      const turned = low > 0 && (log || high / low > 100) ? Math.log10 : (value) => value;
      const length = turned(high) - turned(low) || 1;
      return { name, place: (value) => (high === low ? 0.5 : (turned(value) - turned(low)) / length), ticks: high === low ? [low] : [low, high] };
    }
    const listed = unique(there);
    const place = (value) => (listed.length > 1 ? listed.indexOf(value) / (listed.length - 1) : 0.5);
    return { name, place, ticks: listed };
  }

  function axes() {
    const params = data.params.map((param, i) => ({ ...axis(param.name, data.trials.map((one) => one.params[i]), param.log), short: param.short, value: (one) => one.params[i] }));
    const objectives = data.objectives.map((objective, i) => ({ ...axis(objective.name, data.trials.map((one) => one.values[i]), false), value: (one) => one.values[i] }));
    return [...params, ...objectives];
  }

  function mark(one, element, name) {
    element.append(draw("title", {}, `${one.trial}, ${name}`));
    element.addEventListener("click", () => choose(one.trial));
    element.addEventListener("pointerenter", () => hint(one.trial, true));
    element.addEventListener("pointerleave", () => hint(one.trial, false));
    marks.get(one.trial).push(element);
    return element;
  }
  const hint = (trial, on) => marks.get(trial).forEach((element) => element.classList.toggle("hint", on));
  const summary = (one) => data.objectives.map((objective, i) => `${objective.name} ${one.values[i] === null ? one.state.toLowerCase() : number(one.values[i])}`).join(", ");

  function parallel() {
    const list = axes();
    const step = (WIDE - 2 * SIDE) / Math.max(1, list.length - 1);
    const x = (i) => SIDE + i * step;
    // A setting that a trial does not have is below its axis.
    const y = (place) => (place === null ? HIGH - 6 : HIGH - 26 - place * (HIGH - 26 - TOP));
    const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": "Parallel coordinates: a line a trial, an axis a setting, the objectives last. The table below says the same." });
    const lines = draw("g");
    svg.append(lines);
    for (const one of [...shownTrials()].sort((a, b) => (merit(a) ?? -1) - (merit(b) ?? -1))) {
      const spots = list.map((each, i) => (each.value(one) === null && i >= data.params.length ? null : [x(i), y(each.value(one) === null ? null : each.place(each.value(one)))]));
      const d = spots.filter(Boolean).map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
      lines.append(mark(one, draw("path", { d, class: "line", stroke: ink(one) }), summary(one)));
    }
    list.forEach((each, i) => {
      svg.append(draw("path", { class: "axis", d: `M${x(i)} ${TOP}V${HIGH - 26}` }));
      svg.append(draw("text", { x: x(i), y: i % 2 && step < 90 ? 10 : 22, "text-anchor": "middle", class: "name" }, each.short ?? each.name, draw("title", {}, each.name)));
      each.ticks.forEach((value) => svg.append(draw("text", { x: x(i) + 5, y: y(each.place(value)) + 4, class: "tick" }, String(number(value)))));
    });
    return svg;
  }

  function curves() {
    const list = shownTrials().filter((one) => one.curve.length);
    const spots = list.flatMap((one) => one.curve);
    const svg = draw("svg", { viewBox: `0 0 ${WIDE} 240`, role: "img", "aria-label": `Curves: ${data.objectives[0].name} after each epoch, mean over folds, a line a trial.` });
    if (!spots.length) return svg;
    const [low, high] = [Math.min(...spots.map(([, value]) => value)), Math.max(...spots.map(([, value]) => value))];
    const last = Math.max(2, ...spots.map(([epoch]) => epoch));
    const x = (epoch) => SIDE + ((epoch - 1) / (last - 1)) * (WIDE - 2 * SIDE);
    const y = (value) => 200 - ((value - low) / (high - low || 1)) * 180;
    for (const value of [low, (low + high) / 2, high]) {
      svg.append(draw("path", { class: "rule", d: `M${SIDE} ${y(value)}H${WIDE - SIDE}` }));
      svg.append(draw("text", { x: SIDE - 6, y: y(value) + 4, "text-anchor": "end" }, number(Number(value.toFixed(3)))));
    }
    for (const epoch of unique([1, Math.round((1 + last) / 2), last])) svg.append(draw("text", { x: x(epoch), y: 218, "text-anchor": "middle" }, String(epoch)));
    svg.append(draw("text", { x: WIDE / 2, y: 235, "text-anchor": "middle" }, "epoch"));
    for (const one of list) {
      const d = one.curve.map(([epoch, value], i) => `${i ? "L" : "M"}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      const end = one.curve.at(-1);
      const group = draw("g", { class: "line", stroke: ink(one), fill: ink(one) }, draw("path", { d }), draw("circle", { cx: x(end[0]), cy: y(end[1]), r: 2 }));
      svg.append(mark(one, group, summary(one)));
    }
    return svg;
  }

  function table() {
    const heads = ["Trial", ...data.objectives.map((one) => one.name), "State", "Epochs", ...data.params.map((one) => one.name)];
    const head = make("tr", {}, ...heads.map((textContent) => make("th", { textContent, scope: "col" })));
    const rows = shownTrials().map((one) => {
      const name = button(one.trial, () => choose(one.trial));
      const cells = [...one.values.map(number), one.state.toLowerCase(), one.epochs, ...one.params.map(number)];
      const row = make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((value) => make("td", { textContent: value ?? "–" })));
      row.addEventListener("pointerenter", () => hint(one.trial, true));
      row.addEventListener("pointerleave", () => hint(one.trial, false));
      marks.get(one.trial).push(row);
      return row;
    });
    const element = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
    return element;
  }

  function choose(trial) {
    state.chosen[state.chosen.has(trial) ? "delete" : "add"](trial);
    light();
  }

  function light() {
    for (const [trial, elements] of marks) {
      const chosen = state.chosen.has(trial);
      elements.forEach((element) => {
        element.classList.toggle("chosen", chosen);
        element.querySelector("button")?.setAttribute("aria-pressed", String(chosen));
        if (chosen && !element.cells) element.parentNode.append(element);
      });
    }
    holder.classList.toggle("choosing", state.chosen.size > 0);
    const chosen = data.trials.filter((one) => state.chosen.has(one.trial));
    status.textContent = chosen.length ? chosen.map((one) => `${one.trial}: ${summary(one)}`).join("; ") : "Choose trials by a click on a line or on a name in the table.";
    none.hidden = !chosen.length;
  }

  const status = make("p", { className: "count" });
  status.setAttribute("aria-live", "polite");
  const none = button("Choose none", () => {
    state.chosen.clear();
    light();
  });
  const box = make("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => {
    state.ended = box.checked;
    update();
  });
  const views = make("div", {});

  function update() {
    for (const list of marks.values()) list.length = 0;
    const scroll = make("div", { className: "wide tall", tabIndex: 0 }, table());
    scroll.setAttribute("aria-label", "Trials");
    scroll.setAttribute("role", "region");
    views.replaceChildren(
      make("figure", { className: "plot" }, parallel(), make("figcaption", { textContent: "Settings of each trial, and what it reached; the darker, the better." })),
      make("figure", { className: "plot" }, curves(), make("figcaption", { textContent: `${data.objectives[0].name} after each epoch, mean over the folds that were judged.` })),
      scroll,
    );
    explorer.sortable(scroll.firstChild);
    light();
  }

  const tools = make("div", { className: "tools" });
  if (data.objectives.length > 1) {
    tools.append(chooser("Shade by", data.objectives.map((one, i) => [i, one.name]), (value) => {
      state.objective = Number(value);
      update();
    }));
  }
  if (data.trials.some((one) => one.state !== "COMPLETE")) tools.append(make("label", {}, box, " complete ones only"));
  holder.replaceChildren(tools, make("p", { className: "count" }, status, " ", none), views);
  update();
});

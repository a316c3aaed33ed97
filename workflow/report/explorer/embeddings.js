// What the networks make of the images, as points. Each fold's model has a space of its own, so that
// folds stand beside each other and never in one picture.
"use strict";
explorer.start("embeddings", (holder) => {
  const { make, draw, button, chooser, unique, title, colour, isWrong, hooks } = explorer;
  const [data, shown] = [explorer.read("projections"), explorer.read("cases")];
  if (!holder || !data || !shown || !data.folds.length) return;
  const SIDE = 440;
  const MARGIN = 14;
  // Shapes besides colours: the picture reads in grey.
  const SHAPES = [
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "M-3.6-3.6H3.6V3.6H-3.6Z", "M0-4.8L4.6 3.6H-4.6Z", "M0-5L5 0L0 5L-5 0Z",
    "M0 4.8L4.6-3.6H-4.6Z", "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z", "M-4-2.2L0-4.8L4-2.2V2.6L0 4.8L-4 2.6Z", "M-5-2H5V2H-5Z",
  ];
  const named = (what, part) => (part ? `${what}, ${part}` : what);
  const colourings = [
    ...shown.parts.map((part, i) => [named("Truth", part.name), (one) => one.truth[i] || "unknown", part.classes]),
    ...shown.parts.map((part, i) => [named("Prediction", part.name), (one) => one.predicted[i] || "unknown", part.classes]),
    ...(shown.parts.length ? [["Right or wrong", (one) => (isWrong(one) ? "wrong" : "right"), ["right", "wrong"]]] : []),
    ["Fold", (one) => one.fold, []],
    ...(shown.subgroups ?? []).map((name, i) => [title(name), (one) => one.subgroups[i] || "unknown", shown.levels[i]]),
    ["Error", (one) => one.error, null],
  ];
  const first = String(data.folds[0].fold);
  const state = { fold: first, method: data.methods[0], colouring: shown.parts.length ? 0 : colourings.length - 1, only: null };

  // Values in their order; null where colours stand for numbers.
  function valuesOf([, value, classes]) {
    if (!classes) return null;
    const seen = new Set(data.folds.flatMap((one) => one.cases.map((at) => value(shown.cases[at]))));
    const listed = classes.filter((name) => seen.has(name));
    return [...listed, ...unique([...seen].filter((name) => !listed.includes(name)))];
  }

  function look(one, values) {
    const [, value] = colourings[state.colouring];
    if (!values) return { fill: one.error === null ? "#fff" : colour(one.error), shape: SHAPES[0] };
    const at = values.indexOf(value(one));
    return { fill: colour(values.length > 1 ? at / (values.length - 1) : 0.25), shape: SHAPES[at % SHAPES.length] };
  }

  const tip = make("div", { className: "tip", hidden: true });
  const live = make("p", { className: "count" });
  live.setAttribute("aria-live", "polite");

  function show(one, mark) {
    tip.replaceChildren(hooks.picture(one, ""), make("span", { textContent: hooks.words(one) }));
    tip.hidden = false;
    const [box, whole] = [mark.getBoundingClientRect(), holder.getBoundingClientRect()];
    const left = Math.min(box.right - whole.left + 8, whole.width - tip.offsetWidth);
    Object.assign(tip.style, { left: `${Math.max(0, left)}px`, top: `${box.bottom - whole.top + 6}px` });
  }

  function panel(fold, values, size) {
    const caption = `Fold ${fold.fold}, ${fold.cases.length} images`;
    const svg = draw("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: 0, role: "group", class: size, "data-fold": fold.fold });
    svg.setAttribute("aria-label", `${caption}. Arrow keys step through the images from left to right, Enter opens one.`);
    const points = fold.points[state.method];
    const place = (value) => MARGIN + ((value + 1) / 2) * (SIDE - 2 * MARGIN);
    const value = colourings[state.colouring][1];
    const marks = fold.cases.map((at, i) => {
      const one = shown.cases[at];
      const { fill, shape } = look(one, values);
      const spot = `translate(${place(points[i][0]).toFixed(1)} ${place(-points[i][1]).toFixed(1)})`;
      const mark = draw("path", { d: shape, transform: spot, fill, class: "mark" });
      if (state.only !== null && value(one) !== state.only) mark.classList.add("faint");
      return { mark, one, x: points[i][0] };
    });
    svg.append(...marks.map(({ mark }) => mark));
    wire(svg, marks);
    const note = state.method === "PCA" ? `: ${fold.explained.map((part) => `${Math.round(100 * part)}%`).join(" and ")} of the variance` : "";
    return make("figure", { className: "panel" }, svg, make("figcaption", { textContent: `${caption}, by ${colourings[state.colouring][0].toLowerCase()}${note}` }));
  }

  function wire(svg, marks) {
    const steps = marks.filter(({ mark }) => !mark.classList.contains("faint")).sort((a, b) => a.x - b.x);
    const list = steps.map(({ one }) => one);
    let at = -1;
    function go(next) {
      if (next === at) return;
      if (steps[at]) steps[at].mark.classList.remove("at");
      at = next;
      const step = steps[at];
      if (!step) return;
      step.mark.classList.add("at");
      show(step.one, step.mark);
    }
    const index = new Map(steps.map(({ mark }, i) => [mark, i]));
    svg.addEventListener("pointerover", (event) => index.has(event.target) && go(index.get(event.target)));
    svg.addEventListener("click", (event) => index.has(event.target) && hooks.look(index.get(event.target), list));
    function leave() {
      go(-1);
      tip.hidden = true;
    }
    svg.addEventListener("blur", leave);
    // A pointer that lies about must not undo steps by keyboard.
    svg.addEventListener("pointerleave", () => document.activeElement === svg || leave());
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step && steps.length) {
        event.preventDefault();
        go((at + step + steps.length) % steps.length);
        live.textContent = hooks.words(steps[at].one);
      }
      if (event.key === "Enter" && at >= 0) {
        // Else the same key would press the first button of the dialog that opens.
        event.preventDefault();
        hooks.look(at, list);
      }
      if (event.key === "Escape") tip.hidden = true;
    });
  }

  const panels = make("div", { className: "panels" });
  const legend = make("div", { className: "legend" });

  function key(values) {
    if (!values) return [make("span", { textContent: "Error 0 " }), make("span", { className: "ramp" }), make("span", { textContent: " 1" })];
    return values.map((name, at) => {
      const fill = colour(values.length > 1 ? at / (values.length - 1) : 0.25);
      const sample = draw("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" }, draw("path", { d: SHAPES[at % SHAPES.length], fill, class: "mark" }));
      const item = button("", () => {
        state.only = state.only === name ? null : name;
        update();
        legend.querySelectorAll("button")[at].focus();
      });
      item.append(sample, ` ${name}`);
      item.setAttribute("aria-pressed", String(state.only === name));
      return item;
    });
  }

  function update() {
    const values = valuesOf(colourings[state.colouring]);
    const folds = data.folds.filter((one) => !state.fold || String(one.fold) === state.fold);
    tip.hidden = true;
    live.textContent = "";
    panels.replaceChildren(...folds.map((one) => panel(one, values, folds.length > 1 ? "small" : "large")));
    legend.replaceChildren(...key(values));
  }

  const tools = make("div", { className: "tools" });
  const folds = data.folds.map((one) => [String(one.fold), `Fold ${one.fold}`]);
  if (folds.length > 1) folds.push(["", "All, side by side"]);
  const set = (name, turned = (value) => value) => (value) => {
    Object.assign(state, { [name]: turned(value), only: null });
    update();
  };
  tools.append(chooser("Fold", folds, set("fold"), state.fold));
  if (data.methods.length > 1) tools.append(chooser("Projection", data.methods.map((one) => [one, one]), set("method")));
  tools.append(chooser("Colour", colourings.map(([name], i) => [i, name]), set("colouring", Number), state.colouring));
  holder.replaceChildren(tools, legend, panels, live, tip);
  update();
});

// A slider over the thresholds of one class against the rest. Bounds were computed beforehand; those of
// predictive values follow the prevalence, since these rise with their value at a prevalence of one half.
"use strict";
explorer.start("thresholds", (holder) => {
  const { make, draw: svg, share } = explorer;
  const data = explorer.read("operating_points");
  if (!holder || !data || !data.curves.length) return;

  const ratio = (a, b) => (b > 0 ? a / b : null);
  const span = (pair) => (pair ? `${share(pair[0])} to ${share(pair[1])}` : "–");
  // Bayes: a predictive value at even odds is the likelihood ratio in disguise.
  const moved = (even, prior) => (even === null ? null : (even * prior) / (even * prior + (1 - even) * (1 - prior)));

  // The classes of the same part of an answer; where there are two, the rest has a name.
  const rest = (one) => {
    const others = data.curves.filter((other) => other.part === one.part && other.class !== one.class);
    return others.length === 1 ? others[0].class : "rest";
  };
  const curve = make("select", {}, ...data.curves.map((one, i) => {
    const name = one.part ? `${one.part.replaceAll("_", " ")}: ${one.class}` : one.class;
    return make("option", { value: i, textContent: rest(one) === "rest" ? name : `${name} against ${rest(one)}` });
  }));
  // Of two classes the second is the one that is looked for, unless the reader says otherwise.
  curve.value = data.curves.length > 1 && rest(data.curves[1]) === data.curves[0].class ? 1 : 0;
  const slider = make("input", { type: "range", min: 0, max: data.thresholds.length - 1, step: 1, value: Math.floor(data.thresholds.length / 2) });
  slider.setAttribute("aria-label", "Threshold");
  const prevalence = make("input", { type: "number", min: 0.1, max: 99.9, step: 0.1 });
  const shown = make("output", {});
  const matrix = make("table", { className: "points" });
  const rates = make("table", { className: "points" });

  function ratesOf(one, at, prior) {
    const [tp, fp, fn, tn] = one.counts[at];
    const [sensitivity, specificity] = [ratio(tp, tp + fn), ratio(tn, tn + fp)];
    const measured = sensitivity !== null && specificity !== null;
    const ppv = measured ? ratio(sensitivity, sensitivity + 1 - specificity) : null;
    const npv = measured ? ratio(specificity, specificity + 1 - sensitivity) : null;
    const bounds = (name) => one.bounds[name]?.[at] ?? null;
    const shifted = (name, p) => bounds(name)?.map((value) => moved(value, p)) ?? null;
    const odds = data.thresholds[at] / (1 - data.thresholds[at]);
    return [
      ["Sensitivity", sensitivity, bounds("sensitivity")],
      ["Specificity", specificity, bounds("specificity")],
      ["Positive predictive value", moved(ppv, prior), shifted("ppv_even", prior)],
      ["Negative predictive value", moved(npv, 1 - prior), shifted("npv_even", 1 - prior)],
      ["Net benefit, at the prevalence of these images", ratio(tp - fp * odds, one.n), bounds("net_benefit")],
    ];
  }

  const row = (cells, tag = "td") => make("tr", {}, ...cells.map((textContent, i) => make(i ? tag : "th", { textContent, scope: i ? (tag === "th" ? "col" : "") : "row" })));

  const [WIDE, HIGH, LEFT, BELOW] = [300, 230, 46, 34];
  const number = (value) => (Math.abs(value) < 1e-9 ? "0" : String(Number(value.toFixed(3))));

  // A plot of lines over 0..1; `bounds` are the lowest and the highest value, `spot` is where we are.
  function plot({ title, across, up, bounds, band, lines, spot }) {
    const [low, high] = bounds;
    const x = (value) => LEFT + value * (WIDE - LEFT - 10);
    const within = (value) => Math.min(high, Math.max(low, value));
    const y = (value) => HIGH - BELOW - ((within(value) - low) / (high - low)) * (HIGH - BELOW - 12);
    // A line that leaves the picture ends at its edge.
    const outside = (point) => !point || within(point[1]) !== point[1];
    const path = (points) => points.map((point, i) => {
      if (outside(point) && outside(points[i - 1]) && outside(points[i + 1])) return "";
      return `${i && !(outside(point) && outside(points[i - 1])) ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`;
    }).join("").replace(/^L/, "M");
    const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title });
    const words = (text, at, anchor, more = {}) => picture.append(svg("text", { x: at[0], y: at[1], "text-anchor": anchor, ...more }, text));
    for (const part of [0, 0.5, 1]) {
      const value = low + part * (high - low);
      picture.append(svg("path", { class: "rule", d: `M${LEFT} ${y(value)}H${WIDE - 10}` }));
      words(number(value), [LEFT - 6, y(value) + 4], "end");
      words(number(part), [x(part), HIGH - BELOW + 15], "middle");
    }
    words(across, [x(0.5), HIGH - 3], "middle");
    words(up, [11, (HIGH - BELOW) / 2], "middle", { transform: `rotate(-90 11 ${(HIGH - BELOW) / 2})` });
    if (band.length) picture.append(svg("path", { class: "band", d: `${path(band.map(([t, a]) => [t, within(a)]))}L${path(band.map(([t, , b]) => [t, within(b)]).reverse()).slice(1)}Z` }));
    for (const [kind, points] of lines) picture.append(svg("path", { class: kind, d: path(points) }));
    if (spot.every(Number.isFinite) && !outside(spot)) picture.append(svg("circle", { class: "spot", cx: x(spot[0]), cy: y(spot[1]), r: 5 }));
    return make("figure", { className: "panel" }, picture, make("figcaption", { textContent: title }));
  }

  function roc(one, at) {
    const points = one.counts.map(([tp, fp, fn, tn]) => [ratio(fp, fp + tn), ratio(tp, tp + fn)]);
    const whole = points.every(([a, b]) => a !== null && b !== null);
    const lines = [["chance", [[0, 0], [1, 1]]], ...(whole ? [["curve", [...points, [0, 0]]]] : [])];
    return plot({ title: "ROC curve", across: "1 − specificity", up: "sensitivity", bounds: [0, 1], band: [], lines, spot: whole ? points[at] : [NaN, NaN] });
  }

  // Vickers and Elkin 2006: what calling by the model is worth, beside calling all or none.
  function decision(one, at) {
    const thresholds = data.thresholds.slice(0, -1);
    const worth = (tp, fp, t) => (tp - (fp * t) / (1 - t)) / one.n;
    const points = thresholds.map((t, i) => [t, worth(one.counts[i][0], one.counts[i][1], t)]);
    const all = thresholds.map((t) => [t, worth(one.positives, one.n - one.positives, t)]);
    const band = thresholds.map((t, i) => [t, ...(one.bounds.net_benefit?.[i] ?? [NaN, NaN])]).filter((each) => each.every(Number.isFinite));
    const most = Math.max(0.05, one.positives / one.n || 0);
    const lines = one.n ? [["chance", all], ["chance", [[0, 0], [1, 0]]], ["curve", points]] : [];
    return plot({ title: "Decision curve; dotted: calling all, or none", across: "threshold", up: "net benefit", bounds: [-most, most], band, lines, spot: points[at] ?? [NaN, NaN] });
  }

  const plots = make("div", { className: "panels" });
  // On paper there are no controls to say what is shown.
  const printed = make("p", { className: "printed" });
  function draw() {
    const one = data.curves[curve.value];
    const at = Number(slider.value);
    const [tp, fp, fn, tn] = one.counts[at];
    const percent = Number.parseFloat(prevalence.value);
    const prior = percent > 0 && percent < 100 ? percent / 100 : NaN;
    shown.textContent = `probability of at least ${data.thresholds[at].toFixed(2)}`;
    slider.setAttribute("aria-valuetext", shown.textContent);
    const others = rest(one);
    matrix.replaceChildren(row(["truth ↓ called →", one.class, others], "th"), row([one.class, tp, fn]), row([others, fp, tn]));
    const interval = `${Math.round(100 * data.level)}% interval`;
    rates.replaceChildren(row(["", "Value", interval], "th"), ...ratesOf(one, at, prior).map(([name, value, pair]) => row([name, share(value), span(pair)])));
    printed.textContent = `${curve.selectedOptions[0].textContent}, called at a ${shown.textContent}; prevalence ${prevalence.value}%.`;
    plots.replaceChildren(roc(one, at), decision(one, at));
  }

  function choose() {
    const one = data.curves[curve.value];
    const share = ratio(one.positives, one.n) ?? 0.5;
    prevalence.value = Math.min(99.9, Math.max(0.1, 100 * share)).toFixed(1);
    draw();
  }

  curve.addEventListener("change", choose);
  slider.addEventListener("input", draw);
  prevalence.addEventListener("input", draw);
  const tools = make("div", { className: "tools" });
  tools.append(make("label", {}, "Class ", curve), make("label", {}, "Threshold ", slider, " ", shown), make("label", {}, "Prevalence ", prevalence, " %"));
  holder.replaceChildren(tools, printed, plots, make("div", { className: "wide" }, matrix), make("div", { className: "wide" }, rates));
  choose();
});

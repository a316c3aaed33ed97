// What the scripts of the page share. Text is set as text, never as markup, and nothing is asked for.
"use strict";
const explorer = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // What the page says as JSON under a name; null where this page has none.
  function read(name) {
    const source = document.getElementById(`data-${name}`);
    return source && JSON.parse(source.textContent);
  }

  function button(textContent, act, properties = {}) {
    const element = make("button", { type: "button", textContent, ...properties });
    element.addEventListener("click", act);
    return element;
  }

  function chooser(label, options, change, value) {
    const select = make("select", {}, ...options.map(([key, text]) => make("option", { value: key, textContent: text })));
    if (value !== undefined) select.value = value;
    select.addEventListener("change", () => change(select.value));
    return make("label", {}, `${label} `, select);
  }

  const unique = (values) => [...new Set(values)].sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
  const share = (value) => (value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(3));
  const title = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const whole = (value) => value.toLocaleString("en");
  const webp = (content, alt) => make("img", { alt, src: `data:image/webp;base64,${content}` });

  // Dark blue to pale green, as in the figures: lightness rises evenly, so that the order survives
  // a grey copy. The page's marks lie on white in the dark scheme too.
  const RAMP = [[20, 33, 61], [29, 78, 107], [43, 127, 133], [99, 171, 138], [180, 210, 155]];
  function colour(place) {
    const at = Math.min(0.92, Math.max(0.03, place)) * (RAMP.length - 1);
    const low = Math.floor(at);
    const mixed = RAMP[low].map((from, i) => Math.round(from + (at - low) * (RAMP[low + 1][i] - from)));
    return `rgb(${mixed.join(",")})`;
  }

  // A part that a reader explores, in its own holder. All parts are one script: what goes wrong in one
  // is written on the console and in its place, and the others start.
  function start(name, begin) {
    const holder = document.getElementById(`explore-${name}`);
    try {
      begin(holder);
    } catch (error) {
      console.error(`${name}:`, error);
      const text = `This part of the page did not start (${error.message}). The rest works; the browser's console says more.`;
      if (holder) holder.replaceChildren(make("p", { className: "failed", textContent: text }));
    }
  }

  const isWrong = (one) => one.truth.some((truth, i) => truth !== one.predicted[i]);

  // The gallery says here how a case is looked at; without one a case is its keyed name.
  const hooks = { look: () => {}, words: (one) => one.sample, picture: () => "" };
  return { make, draw, read, start, button, chooser, unique, share, title, whole, webp, colour, isWrong, hooks };
})();

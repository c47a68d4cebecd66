// The legend under the map: a swatch, a name and a count for each category, or the colour scale with its ticks. What is pressed or
// narrowed there filters the points.

const SWATCH = {
  circle: "M5 0.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0 -9z",
  square: "M1 1h8v8h-8z",
  triangle: "M5 0.5l5 9h-10z",
  diamond: "M5 0l5 5l-5 5l-5 -5z",
};

const threeDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, useGrouping: true });

const twoDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 2, useGrouping: true });

function figure(value, format = threeDigits) {
  const size = Math.abs(value);
  return size && (size < 1e-3 || size >= 1e6) ? value.toExponential(format === twoDigits ? 1 : 2) : format.format(value);
}

const day = (seconds, fine) => {
  const written = new Date(1000 * seconds);
  return Number.isNaN(+written) ? "" : written.toISOString().slice(0, fine ? 16 : 10).replace("T", " ");
};

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function swatch(colour, shape) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 10 10");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SWATCH[shape]);
  path.setAttribute("fill", colour);
  drawing.append(path);
  return drawing;
}

function categories(header, filter, changed) {
  const shown = header.names.flatMap((name, label) => (header.counts[label] || !header.away ? [{ name, label }] : []));
  if (header.missing) shown.push({ name: "(empty)", label: MISSING });
  const labels = shown.map(({ label }) => label);
  const buttons = shown.map(({ name, label }) => {
    const button = element("button", "category");
    const count = (label === MISSING ? header.missing : header.counts[label]).toLocaleString("en");
    button.type = "button";
    button.title = `${count} rows; press to hide or show them, twice or with Alt for these only`;
    const missing = label === MISSING;
    button.append(
      swatch(missing ? GREY : categoryColour(header.palette, label), missing ? "circle" : categoryShape(label)),
      element("bdi", "", name),
      ...(header.counted ? [element("span", "count", count)] : []),
    );
    return button;
  });
  const all = element("button", "all", "All");
  all.type = "button";
  all.title = "Show all rows again";
  const show = () => {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(filter.shows(labels[i])));
      button.classList.toggle("faint", !filter.shows(labels[i]));
    });
    all.disabled = !filter.on;
  };
  let before = filter.hidden;
  buttons.forEach((button, i) => {
    button.onclick = (event) => {
      if (event.detail > 1) filter.hidden = before; // the first press of two has changed it
      else before = new Set(filter.hidden);
      if (event.detail > 1 || event.altKey) filter.single(labels[i], labels);
      else filter.toggle(labels[i]);
      show();
      changed();
    };
  });
  all.onclick = () => {
    filter.clear();
    show();
    changed();
  };
  show();
  return [...buttons, all];
}

// What a value from 0 to 253 stands for, as text.
function valueText(header, value, format = threeDigits) {
  const [low, high] = header.limits;
  const t = value / TOP;
  const shown = header.log ? low * (high / low) ** t : low + t * (high - low);
  if (header.dates) return day(shown, high - low < 20 * 86400);
  return figure(shown, header.whole && high - low >= TOP ? threeDigits : format);
}

function scale(header, filter, changed) {
  const [under, over] = header.beyond;
  const holder = element("span", "scale");
  const bar = element("span", "bar");
  bar.style.background = `linear-gradient(to right, ${header.palette.join(", ")})`;
  const ends = ["From", "To"].map((name, end) => {
    const input = element("input", "end");
    Object.assign(input, { type: "range", min: 0, max: TOP, value: filter.range?.[end] ?? end * TOP });
    input.setAttribute("aria-label", `${name}: rows shown by ${header.title || "value"}`);
    return input;
  });
  const cover = ["left", "right"].map((side) => element("span", `cover ${side}`));
  const ticks = header.ticks.map(([share, text]) => {
    const tick = element("span", "tick", text);
    tick.style.left = `${100 * share}%`;
    return tick;
  });
  holder.append(bar, ...cover, ...ends, ...ticks);
  const all = element("button", "all", "All");
  all.type = "button";
  all.title = "Show all rows again";
  const told = element("span", "limit");
  const show = () => {
    const [first, last] = ends.map((input) => Number(input.value));
    cover[0].style.width = `${(100 * first) / TOP}%`;
    cover[1].style.width = `${100 - (100 * last) / TOP}%`;
    ends.forEach((input, end) => input.setAttribute("aria-valuetext", valueText(header, end ? last : first)));
    const lowest = first === 0 && under ? "≤ " : "";
    const highest = last === TOP && over ? "≥ " : "";
    told.textContent = `${lowest}${valueText(header, first)} to ${highest}${valueText(header, last)}${header.log ? ", log scale" : ""}`;
    all.disabled = !filter.on;
  };
  ends.forEach((input, end) => {
    input.oninput = () => {
      const [first, last] = ends.map((each) => Number(each.value));
      if (first > last) input.value = end ? first : last; // the ends do not pass each other
      const range = ends.map((each) => Number(each.value));
      filter.range = range[0] === 0 && range[1] === TOP ? null : range;
      show();
      changed();
    };
  });
  all.onclick = () => {
    filter.clear();
    ends.forEach((input, end) => (input.value = end * TOP));
    show();
    changed();
  };
  show();
  const missing = header.missing ? [element("span", "count", `${header.missing.toLocaleString("en")} without a value`)] : [];
  return [holder, told, ...missing, all];
}

function drawLegend(legend, header, filter, changed) {
  const title = header.title ? [element("bdi", "title", header.title)] : [];
  legend.replaceChildren(...title, ...(header.kind === "categories" ? categories : scale)(header, filter, changed));
}

// What the legend says of one point: its category, or its value as near as the colour tells.
function meaning(header, value) {
  const title = header.title ? `${header.title}` : "";
  if (value === MISSING || value === LEFT_OUT) return "no value";
  if (header.kind === "categories") return `${title ? `${title}: ` : ""}${header.names[value]}`;
  const sign = value === 0 && header.beyond[0] ? "≤" : value === TOP && header.beyond[1] ? "≥" : "≈";
  return `${title ? `${title} ` : ""}${sign} ${valueText(header, value, sign === "≈" ? twoDigits : threeDigits)}`;
}

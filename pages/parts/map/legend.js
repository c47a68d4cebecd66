// The legend under the map: a swatch and a name for each category, or the colour scale between its limits.

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

function categories(header, only, changed) {
  const shown = header.names.map((name, label) => [name, label]).filter(([, label]) => header.counts[label] || !header.away);
  const buttons = shown.map(([name, label]) => {
    const button = element("button", "category");
    button.type = "button";
    button.title = `${header.counts[label].toLocaleString("en")} rows; press to show only these`;
    button.setAttribute("aria-pressed", String(only.has(label)));
    button.append(swatch(categoryColour(header.palette, label), categoryShape(label)), element("bdi", "", name));
    button.onclick = () => {
      if (!only.delete(label)) only.add(label);
      buttons.forEach((other, i) => {
        other.setAttribute("aria-pressed", String(only.has(shown[i][1])));
        other.classList.toggle("faint", only.size > 0 && !only.has(shown[i][1]));
      });
      changed();
    };
    return button;
  });
  return buttons;
}

function scale(header) {
  const [low, high] = header.limits;
  const [under, over] = header.beyond;
  const bar = element("span", "scale");
  bar.style.background = `linear-gradient(to right, ${header.palette.join(", ")})`;
  return [
    element("span", "limit", (under ? "≤ " : "") + figure(low)),
    bar,
    element("span", "limit", (over ? "≥ " : "") + figure(high)),
    ...(header.log ? [element("span", "limit", "log scale")] : []),
  ];
}

function drawLegend(legend, header, only, changed) {
  const title = header.title ? [element("span", "title", header.title)] : [];
  legend.replaceChildren(...title, ...(header.kind === "categories" ? categories(header, only, changed) : scale(header)));
}

// What the legend says of one point: its category, or its value as near as the colour tells.
function meaning(header, value) {
  if (header.kind === "categories") return `${header.title ? `${header.title}: ` : ""}${header.names[value]}`;
  if (value === MISSING) return "no value";
  const [low, high] = header.limits;
  const t = value / 254;
  const shown = header.log ? low * (high / low) ** t : low + t * (high - low);
  const sign = value === 0 && header.beyond[0] ? "≤" : value === 254 && header.beyond[1] ? "≥" : "≈";
  return `${header.title ? `${header.title} ` : ""}${sign} ${figure(shown, sign === "≈" ? twoDigits : threeDigits)}`;
}

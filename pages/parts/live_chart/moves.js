// Traces of a plotly chart at other values, by their elements alone, in a hundredth of the time that plotly takes: it would draw all
// of the chart. Plotly puts back its own when it draws the next time.

const SHAPES = { linear: (x, y) => `L${x},${y}`, hv: (x, y) => `H${x}V${y}` };
const SAYS = { "%{y:.3g}": (value) => value.toPrecision(3) }; // the texts of points that follow them
const OF_HOVER = ["text", "customdata"]; // what of points is told only under the cursor
const signs = new Map(); // symbol and size -> the path of a point that plotly drew with them

// Whether it could be done: of lines, areas, points and upright bars that are drawn already, along axes that do not follow their data.
function move(plot, name, told) {
  const trace = plot._fullData.find((each) => each.name === name);
  const [across, up] = ["x", "y"].map((axis) => plot._fullLayout[trace?.[`${axis}axis`]?.replace(axis, `${axis}axis`)]);
  if (trace?.visible !== true || !across || (told.x && across.autorange) || (told.y && up.autorange)) return false;
  if (trace.type === "bar") return moveBars(plot, trace, told, up);
  if (trace.type !== "scatter") return false;
  if (["markers", "markers+text"].includes(trace.mode)) return movePoints(plot, trace, told, across, up);
  return ["lines", "none"].includes(trace.mode) && moveLine(plot, trace, told, across, up);
}

function moveLine(plot, trace, { x, y, ...others }, across, up) {
  const step = SHAPES[trace.mode === "none" ? "linear" : trace.line.shape];
  if (Object.keys(others).length || !step || !["none", "tozeroy", "toself"].includes(trace.fill)) return false;
  const drawn = plot.querySelector(`.scatterlayer .trace${trace.uid}`);
  const [lines, fills] = ["line", "fill"].map((kind) => drawn?.querySelectorAll(`path.js-${kind}`) ?? []);
  const runs = unbroken(x ?? trace.x, y ?? trace.y, across, up);
  if (!lines.length && !fills.length) return !runs.length;
  const line = ([first, ...rest]) => `M${first}${rest.map(([a, b]) => step(a, b)).join("")}`;
  lines.forEach((path, at) => path.setAttribute("d", at ? "M0,0" : runs.map(line).join("")));
  const base = up.c2p(0, true);
  const ends = (run) => (trace.fill === "toself" ? "" : `L${run.at(-1)[0]},${base}L${run[0][0]},${base}`);
  fills.forEach((path, at) => path.setAttribute("d", at || !runs.length ? "M0,0" : runs.map((run) => `${line(run)}${ends(run)}Z`).join("")));
  return true;
}

// The points in pixels, in runs between those that are missing.
function unbroken(x, y, across, up) {
  const runs = [[]];
  for (let at = 0; at < y.length; at++) {
    if (missing(x[at]) || missing(y[at])) runs.push([]);
    else runs.at(-1).push([across.d2p(x[at]).toFixed(2), up.d2p(y[at]).toFixed(2)]);
  }
  return runs.filter((run) => run.length);
}

const missing = (value) => value === null || Number.isNaN(value);

function movePoints(plot, trace, { x = trace.x, y = trace.y, "marker.color": colours, "marker.symbol": symbols, ...others }, across, up) {
  if (Object.keys(others).some((path) => !OF_HOVER.includes(path)) || (colours && typeof colours[0] !== "string")) return false;
  const drawn = (kind) => [...plot.querySelectorAll(`.scatterlayer .trace${trace.uid} ${kind}`)];
  const [points, texts] = [drawn("path.point"), drawn(".textpoint")];
  const places = Array.from(x, (value, at) => (missing(value) || missing(y[at]) ? null : [across.d2p(value).toFixed(2), up.d2p(y[at]).toFixed(2)]));
  const of = ({ __data__: { i } }) => places[i];
  const whole = (each) => each.filter(of).length === places.filter(Boolean).length; // a point that is missing was not drawn
  if (!whole(points) || (texts.length && (!texts.every(of) || !whole(texts) || drawn(".textpoint .line").length))) return false;
  const says = SAYS[trace.texttemplate];
  if (texts.length && (others.text || (trace.texttemplate && !says))) return false;
  const sign = (symbol) => `${symbol} ${trace.marker.size}`;
  if (symbols && (!read(plot, trace, points, sign) || symbols.some((symbol) => !signs.has(sign(symbol))))) return false;
  const same = points.map((point) => point.getAttribute("d")).find((path) => path !== "M0,0");
  for (const point of points) {
    const { i } = point.__data__;
    change(point, "d", !places[i] ? "M0,0" : symbols ? signs.get(sign(symbols[i])) : same);
    if (places[i]) change(point, "transform", `translate(${places[i]})`);
    if (colours) point.style.fill = colours[i];
  }
  for (const each of texts) {
    const [text, { i }] = [each.querySelector("text"), each.__data__];
    ["x", "y"].forEach((name, axis) => change(text, name, places[i][axis]));
    if (says) text.textContent = says(y[i]);
  }
  return true;
}

// Keeps the paths of the signs that plotly drew, once after each time that it draws; whether they can be told.
function read(plot, trace, points, sign) {
  const symbols = trace.marker.symbol;
  if (!Array.isArray(symbols) || points.length !== symbols.length) return false;
  if (!plot.read?.has(trace.uid)) points.forEach((point, at) => signs.set(sign(symbols[at]), point.getAttribute("d")));
  (plot.read ??= new Set()).add(trace.uid);
  return true;
}

// Upright bars, and what stands on them.
function moveBars(plot, trace, { y, text, ...others }, up) {
  const drawn = [...plot.querySelectorAll(".barlayer .trace.bars")].find(({ __data__: [first] }) => first.trace.uid === trace.uid);
  const bars = [...(drawn?.querySelectorAll("g.point") ?? [])];
  if (Object.keys(others).length || trace.orientation === "h" || !y || bars.length !== y.length || y.some(missing)) return false;
  const base = up.c2p(0, true);
  return bars.every((bar, at) => {
    const [path, label] = [bar.querySelector("path"), bar.querySelector("text")];
    const [, left, top, right] = path.getAttribute("d").match(/^M([\d.-]+),[\d.-]+V([\d.-]+)H([\d.-]+)/) ?? [];
    if (left === undefined) return !y[at];
    const now = up.c2p(y[at], true);
    change(path, "d", `M${left},${base}V${now}H${right}V${base}Z`);
    if (!label || !text) return !text;
    if (label.textContent !== text[at]) label.textContent = text[at];
    const place = label.getAttribute("transform")?.match(/^translate\(([\d.-]+),([\d.-]+)\)$/);
    if (place) change(label, "transform", `translate(${place[1]},${Number(place[2]) + now - top})`);
    return Boolean(place);
  });
}

function change(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

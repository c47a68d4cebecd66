// A line or points of a plotly chart at other values, by their elements alone, in a hundredth of the time that plotly takes: it would
// draw all of the chart. Plotly puts back its own when it draws the next time.

const SHAPES = { linear: (x, y) => `L${x},${y}`, hv: (x, y) => `H${x}V${y}` };

// Whether it could be done: of plain lines, filled down to 0 or not, that only move, on axes that do not follow their data.
function moveLine(plot, name, { x, y, ...others }) {
  if (Object.keys(others).length) return false;
  const layout = plot._fullLayout;
  const trace = plot._fullData.find((each) => each.name === name);
  if (trace?.type !== "scatter" || trace.mode !== "lines" || trace.visible !== true || !SHAPES[trace.line.shape]) return false;
  if (!["none", "tozeroy"].includes(trace.fill)) return false;
  const [across, up] = ["x", "y"].map((axis) => layout[trace[`${axis}axis`].replace(axis, `${axis}axis`)]);
  const drawn = plot.querySelector(`.scatterlayer .trace${trace.uid}`);
  const paths = drawn?.querySelectorAll("path.js-line") ?? [];
  if (across.autorange || up.autorange || !paths.length) return false;
  const runs = unbroken(x ?? trace.x, y ?? trace.y, across, up);
  const line = ([first, ...rest]) => `M${first}${rest.map(([a, b]) => SHAPES[trace.line.shape](a, b)).join("")}`;
  paths.forEach((path, at) => path.setAttribute("d", at ? "M0,0" : runs.map(line).join("")));
  const base = up.c2p(0, true);
  const area = (run) => `${line(run)}L${run.at(-1)[0]},${base}L${run[0][0]},${base}Z`;
  drawn.querySelectorAll("path.js-fill").forEach((path, at) => path.setAttribute("d", at ? "M0,0" : runs.map(area).join("")));
  return true;
}

const SAYS = { "%{y:.3g}": (value) => value.toPrecision(3) };

// Whether it could be done: of points, all there, that only go up or down an axis which does not follow its data, and their texts.
function movePoints(plot, name, { y, ...others }) {
  if (!y || Object.keys(others).length) return false;
  const layout = plot._fullLayout;
  const trace = plot._fullData.find((each) => each.name === name);
  const says = SAYS[trace?.texttemplate];
  if (trace?.type !== "scatter" || trace.mode !== "markers+text" || trace.visible !== true || !says) return false;
  const [across, up] = ["x", "y"].map((axis) => layout[trace[`${axis}axis`].replace(axis, `${axis}axis`)]);
  const drawn = plot.querySelector(`.scatterlayer .trace${trace.uid}`);
  const [points, texts] = ["path.point", ".textpoint text"].map((sign) => [...(drawn?.querySelectorAll(sign) ?? [])]);
  const whole = [points, texts, trace.x].every(({ length }) => length === y.length) && y.every(Number.isFinite);
  if (up.autorange || !whole) return false;
  y.forEach((value, at) => {
    const down = up.d2p(value);
    points[at].setAttribute("transform", `translate(${across.d2p(trace.x[at])},${down})`);
    texts[at].setAttribute("y", down);
    texts[at].textContent = says(value);
  });
  return true;
}

// The points in pixels, in runs between those that are missing.
function unbroken(x, y, across, up) {
  const runs = [[]];
  for (let at = 0; at < y.length; at++) {
    const [left, down] = [x[at], y[at]].map((value) => (value === null || Number.isNaN(value) ? null : value));
    if (left === null || down === null) runs.push([]);
    else runs.at(-1).push([across.d2p(left).toFixed(2), up.d2p(down).toFixed(2)]);
  }
  return runs.filter((run) => run.length);
}

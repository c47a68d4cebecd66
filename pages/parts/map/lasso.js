// The lasso: a closed line of corners [u, v] in the unit square of the points.

const MOST_CORNERS = 200;

// Ramer–Douglas–Peucker: the corners of `line` without those that lie within `tolerance` of the line through their neighbours.
function thinned(line, tolerance) {
  const keep = new Uint8Array(line.length);
  keep[0] = keep[line.length - 1] = 1;
  const spans = [[0, line.length - 1]];
  while (spans.length) {
    const [first, last] = spans.pop();
    const [ax, ay] = line[first];
    const dx = line[last][0] - ax;
    const dy = line[last][1] - ay;
    const length = Math.hypot(dx, dy);
    let far = -1;
    let furthest = tolerance;
    for (let i = first + 1; i < last; i++) {
      const [px, py] = [line[i][0] - ax, line[i][1] - ay];
      const distance = length ? Math.abs(px * dy - py * dx) / length : Math.hypot(px, py);
      if (distance > furthest) [far, furthest] = [i, distance];
    }
    if (far > 0) {
      keep[far] = 1;
      spans.push([first, far], [far, last]);
    }
  }
  return line.filter((_, i) => keep[i]);
}

// A line drawn on the screen, in pixels, with few enough corners to send.
function simplified(line) {
  for (let tolerance = 0.7; ; tolerance *= 1.5) {
    const corners = thinned(line, tolerance);
    if (corners.length <= MOST_CORNERS) return corners;
  }
}

const toData = (points, [u, v]) =>
  [u, v].map((unit, i) => Number((points.low[i] + unit * (points.high[i] - points.low[i])).toPrecision(9)));

const fromData = (points, corner) => corner.map((x, i) => (x - points.low[i]) / (points.high[i] - points.low[i]));

// What is drawn over the points: the lasso, rings around rows, and names beside them.

const MOST_LABELS = 30;

function drawOverlay(canvas, map) {
  const { camera, theme } = map;
  const ratio = canvas.width / camera.width;
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  if (!map.painter.over) {
    // In halves: Chromium sometimes drops a frame that only clears the whole canvas at once, and what was drawn before stays.
    const half = canvas.height >> 1;
    pen.clearRect(0, 0, canvas.width, half);
    pen.clearRect(0, half, canvas.width, canvas.height - half);
  }
  pen.scale(ratio, ratio);

  const corners = map.drawing ?? map.selected?.polygon?.map(([u, v]) => camera.toScreen(u, v));
  if (corners?.length > 1) {
    pen.beginPath();
    corners.forEach(([x, y]) => pen.lineTo(x, y));
    pen.closePath();
    pen.globalAlpha = 0.1;
    pen.fillStyle = theme.primary;
    pen.fill("evenodd");
    pen.globalAlpha = 1;
    for (const [width, style] of [[4, theme.background], [1.5, theme.primary]]) {
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.stroke();
    }
  }

  drawNames(pen, map);
  const radius = map.look.size / 2 + 3.5;
  const taken = [];
  const named = map.header.highlight.length <= MOST_LABELS ? map.header.highlight : [];
  map.header.highlight.forEach((row) => ring(pen, map, row, radius, theme.text, taken));
  named.forEach((row) => nameBeside(pen, map, row, radius, taken));
  if (map.selected?.row != null) {
    ring(pen, map, map.selected.row, radius + 1, theme.primary, taken);
    nameBeside(pen, map, map.selected.row, radius, taken);
  }
  map.selected?.rows?.forEach((row) => ring(pen, map, row, radius, theme.primary, taken));
  if (map.hovered != null) ring(pen, map, map.hovered, radius, theme.text, []);
  if (map.probing) {
    pen.strokeStyle = theme.text;
    pen.lineWidth = 1;
    const [x, y] = [Math.round(camera.width / 2) + 0.5, Math.round(camera.height / 2) + 0.5];
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 12 * dx, y + 12 * dy);
      pen.lineTo(x + 18 * dx, y + 18 * dy);
    }
    pen.stroke();
  }
}

function ring(pen, map, row, radius, colour, taken) {
  const [x, y] = map.screenOf(row);
  taken.push([x - radius, y - radius, x + radius, y + radius]);
  for (const [width, style] of [[4, map.theme.background], [2, colour]]) {
    pen.lineWidth = width;
    pen.strokeStyle = style;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.stroke();
  }
}

// The row's name to the right of its ring, or else left, above or below it; left out where each place is taken.
function nameBeside(pen, map, row, radius, taken) {
  const [x, y] = map.screenOf(row);
  if (x < 0 || y < 0 || x > map.camera.width || y > map.camera.height) return;
  const text = `\u2068${map.nameOf(row)}\u2069`; // isolated, so that its direction stays its own
  pen.font = `600 12px ${map.theme.font}`;
  pen.textBaseline = "middle";
  const width = pen.measureText(text).width;
  const gap = radius + 4;
  const places = [
    [x + gap, y],
    [x - gap - width, y],
    [x - width / 2, y - gap - 7],
    [x - width / 2, y + gap + 7],
  ];
  for (const [left, middle] of places) {
    const box = [left, middle - 8, left + width, middle + 8];
    const free = taken.every((b) => box[2] < b[0] || box[0] > b[2] || box[3] < b[1] || box[1] > b[3]);
    if (!free || left < 2 || left + width > map.camera.width - 2) continue;
    taken.push(box);
    pen.lineJoin = "round";
    pen.lineWidth = 4;
    pen.strokeStyle = map.theme.background;
    pen.strokeText(text, left, middle);
    pen.fillStyle = map.theme.text;
    pen.fillText(text, left, middle);
    return;
  }
}

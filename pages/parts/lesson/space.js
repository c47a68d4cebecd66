// A turning picture of points and flats, on a 2-D canvas.

const spaces = new WeakMap(); // parent element -> what is drawn there
const view = { turn: 1.56, tilt: 0.3 }; // radians, from where no flat of the first fit is edge-on; kept from step to step
const SIGNS = ["●", "■", "◆", "✚"]; // of the flats, as `mark` draws them
const DASHES = [[], [9, 5], [3, 4], [12, 4, 3, 4]];
const GREY = "#808080";
const REACH = 1.5; // of the drawn box, from the middle
const FAR = 4.5; // of the eye, in the same units

class Space {
  constructor(parent) {
    this.root = parent.querySelector(".space");
    this.legend = parent.querySelector(".legend");
    this.canvas = parent.querySelector("canvas");
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.canvas.addEventListener("pointerdown", (event) => this.grab(event), { signal });
    this.canvas.addEventListener("pointermove", (event) => this.drag(event), { signal });
    this.canvas.addEventListener("keydown", (event) => this.press(event), { signal });
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(this.root);
    dials.addEventListener("move", () => this.follow(), { signal });
  }

  update(data) {
    this.told = data;
    this.shown = null;
    this.follow();
  }

  // As it was told, or as the answers of a dial have it.
  follow() {
    const answer = dials.instead(this.told.at);
    const picture = answer?.table?.picture(this.told.key, answer.row);
    if (picture === this.shown) return;
    this.shown = picture;
    this.show({ ...this.told, ...picture });
  }

  show(data) {
    this.data = data;
    this.canvas.style.height = data.height;
    this.canvas.setAttribute("aria-label", data.label);
    const counts = data.outlines.map((_, z) => data.labels?.filter((label) => label === z).length);
    const entries = data.outlines.map((_, z) => [SIGNS[z], data.colours[z], `flat ${z + 1}${data.labels ? `: ${counts[z]} points` : ""}`]);
    entries.push(data.labels ? ["─", GREY, "stick: residual"] : ["●", GREY, "point, not assigned"]);
    entries.push(["↻", GREY, "drag to turn"]);
    this.legend.replaceChildren(...entries.map(([sign, colour, text]) => {
      const entry = document.createElement("span");
      const mark = entry.appendChild(document.createElement("span"));
      mark.textContent = `${sign} `;
      mark.style.color = colour;
      entry.append(text);
      return entry;
    }));
    this.draw();
  }

  grab(event) {
    event.preventDefault(); // keeps the focus, and with it a presenter's keys, where it was
    this.canvas.setPointerCapture(event.pointerId);
    this.from = [event.clientX, event.clientY];
  }

  drag(event) {
    if (!this.canvas.hasPointerCapture(event.pointerId)) return;
    this.turn((event.clientX - this.from[0]) * 0.01, (event.clientY - this.from[1]) * 0.01);
    this.from = [event.clientX, event.clientY];
  }

  press(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.turn(way[0] * 0.12, way[1] * 0.12);
  }

  turn(turn, tilt) {
    view.turn += turn;
    view.tilt = Math.min(Math.max(view.tilt + tilt, -1.5), 1.5);
    this.draw();
  }

  // Where a point is on the canvas, and how near: { x, y, near } with near about 1.
  place([x, y, z]) {
    const right = x * Math.cos(view.turn) - y * Math.sin(view.turn);
    const away = x * Math.sin(view.turn) + y * Math.cos(view.turn);
    const up = z * Math.cos(view.tilt) + away * Math.sin(view.tilt);
    const near = FAR / (FAR + away * Math.cos(view.tilt) - z * Math.sin(view.tilt));
    return { x: this.width / 2 + right * near * this.unit, y: this.height / 2 - up * near * this.unit, near };
  }

  draw() {
    if (!this.data) return;
    const sharp = window.devicePixelRatio || 1;
    [this.width, this.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    [this.canvas.width, this.canvas.height] = [this.width * sharp, this.height * sharp];
    this.unit = Math.min(this.width, this.height) / 2 / REACH;
    const pen = (this.pen = this.canvas.getContext("2d"));
    pen.scale(sharp, sharp);
    this.flats();
    this.origin();
    const { points, labels, feet, colours } = this.data;
    const order = points.map((point, i) => [this.place(point), i]).sort((a, b) => a[0].near - b[0].near);
    for (const [at, i] of order) {
      if (feet) this.line([at, this.place(feet[i])], GREY, 1.6);
      this.mark(at, labels ? labels[i] : 0, labels ? colours[labels[i]] : GREY);
    }
  }

  flats() {
    const { pen } = this;
    const ink = getComputedStyle(this.root).color;
    const named = []; // where the flats' names are
    this.data.outlines.forEach((outline, z) => {
      const corners = outline.map((corner) => this.place(corner));
      pen.setLineDash(DASHES[z]);
      if (corners.length > 2) {
        this.line([...corners, corners[0]], this.data.colours[z], 1.8);
        pen.globalAlpha = 0.18;
        pen.fillStyle = this.data.colours[z];
        pen.fill();
        pen.globalAlpha = 1;
      } else this.line(corners, this.data.colours[z], 4);
      pen.setLineDash([]);
      const free = ({ x, y }) => Math.hypot(x - this.width / 2, y - this.height / 2) + 2 * Math.min(60, ...named.map((other) => Math.hypot(x - other.x, y - other.y)));
      const corner = corners.reduce((best, each) => (free(each) > free(best) ? each : best));
      named.push(corner);
      pen.fillStyle = ink;
      pen.font = `600 ${parseFloat(getComputedStyle(this.legend).fontSize)}px ${getComputedStyle(this.root).fontFamily}`;
      const wide = pen.measureText(`flat ${z + 1}`).width;
      const left = corner.x < this.width / 2 ? corner.x - wide - 6 : corner.x + 6;
      pen.fillText(`flat ${z + 1}`, Math.min(Math.max(left, 0), this.width - wide), Math.min(Math.max(corner.y, 16), this.height - 4));
    });
  }

  origin() {
    const { x, y } = this.place([0, 0, 0]);
    this.pen.fillStyle = getComputedStyle(this.root).color;
    this.pen.fillText("0", x + 5, y - 5);
    for (const [dx, dy] of [[5, 0], [0, 5]]) this.line([{ x: x - dx, y: y - dy }, { x: x + dx, y: y + dy }], this.pen.fillStyle, 2);
  }

  line(places, colour, width) {
    const { pen } = this;
    pen.beginPath();
    for (const { x, y } of places) pen.lineTo(x, y);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }

  mark({ x, y, near }, sign, colour) {
    const { pen } = this;
    const size = 4.2 * near ** 2;
    pen.fillStyle = colour;
    pen.beginPath();
    if (sign === 0) pen.arc(x, y, size, 0, 7);
    else if (sign === 1) pen.rect(x - 0.9 * size, y - 0.9 * size, 1.8 * size, 1.8 * size);
    else if (sign === 2) for (const [a, b] of [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]]) pen.lineTo(x + a * size, y + b * size);
    else {
      pen.rect(x - 0.4 * size, y - 1.2 * size, 0.8 * size, 2.4 * size);
      pen.rect(x - 1.2 * size, y - 0.4 * size, 2.4 * size, 0.8 * size);
    }
    pen.fill();
  }

  release() {
    this.stopping.abort();
    this.resizes.disconnect();
  }
}

export default function ({ data, parentElement }) {
  let space = spaces.get(parentElement);
  if (!space) spaces.set(parentElement, (space = new Space(parentElement)));
  space.update(data);
  const call = (space.call = Symbol());
  return () => {
    if (space.call !== call) return;
    space.release();
    spaces.delete(parentElement);
  };
}

// One mounted map: what it shows, and what happens when a message or a person changes it.

const maps = new WeakMap(); // parent element -> map

const MANY = 300_000; // points from which on some stand for all while the map moves
const SOME = 200_000;
const RESTING = 150; // milliseconds without a move, after which all are drawn
const TELLING = 250; // after a change of the filter, in which another may follow

class RowMap {
  constructor(parent) {
    const find = (name) => parent.querySelector(name);
    this.root = find(".map");
    this.stage = find(".inside");
    this.canvas = find(".points");
    this.tip = find(".tip");
    this.spoken = find(".spoken");
    this.legend = find(".legend");
    this.camera = new Camera();
    this.painter = painterOf(this.canvas);
    this.overlay = this.painter.over ? this.canvas : find(".overlay");
    find(".overlay").hidden = this.painter.over;
    this.points = this.names = this.columns = this.groups = this.grid = this.header = this.colours = this.among = null;
    this.shown = null; // { header, colours }: the server's own, or those of the value that a dial is moved to
    this.selected = this.hovered = this.drawing = this.glide = null;
    this.recoloured = null; // the row of labels that is shown in place of the server's
    this.probing = false;
    this.filter = new Filter();
    this.moves = false;
    this.stopping = new AbortController();
    const signal = this.stopping.signal;
    this.resizes = new ResizeObserver(() => this.fit());
    this.resizes.observe(this.stage);
    listen(this, this.canvas, signal);
    this.buttons = Object.fromEntries([...parent.querySelectorAll(".tools button")].map((b) => [b.name, b]));
    this.buttons.pan.onclick = () => this.use("pan");
    this.buttons.lasso.onclick = () => this.use("lasso");
    this.buttons.closer.onclick = () => this.zoom(PRESS);
    this.buttons.wider.onclick = () => this.zoom(1 / PRESS);
    this.buttons.whole.onclick = () => this.reset();
    this.buttons.clear.onclick = () => this.select(null);
    this.buttons.names.onclick = () => this.showNames(!shared.named);
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault(), { signal });
    this.canvas.addEventListener("webglcontextrestored", () => this.restore(), { signal });
    shared.arrivals.addEventListener("arrays", () => this.join(), { signal });
    dials.addEventListener("move", () => this.follow(), { signal });
    this.use("pan");
  }

  // A message from Python.
  update({ header }, send) {
    this.send = send;
    this.incoming = header;
    this.root.style.height = `${header.height}px`;
    this.join();
  }

  // Colours are shown with the points they belong to, whichever comes first; names and other columns when they are there.
  join() {
    const header = this.incoming;
    const [points, colours, among, names, columns, groups] = ["points", "colours", "among", "tokens", "columns", "groups"].map(
      (name) => shared.held.get(header?.[name]) ?? null,
    );
    if (!points || !colours || (header.among && !among)) return;
    const anew = this.header !== header || this.among !== among;
    const ofSame = this.header?.tokens === header.tokens;
    if (this.header?.legend !== header.legend) this.filter.take(header.filter);
    Object.assign(this, { header, among, names, columns, groups });
    this.colours = colours.arrays[0];
    if (points.digest !== this.points?.digest) this.place(points, ofSame);
    this.buttons.names.disabled = !groups;
    this.showNames(shared.named);
    if (!anew) return this.redraw("overlay");
    const by = header.title ? `, coloured by ${header.title}` : "";
    this.canvas.setAttribute("aria-label", `${header.label}: ${header.n.toLocaleString("en")} points${by}`);
    this.readTheme();
    this.colour();
    this.fit();
  }

  // A dial has moved: colours are drawn anew where it is theirs.
  follow() {
    const row = this.header && recolouredBy(this.header);
    if (row === this.recoloured) return;
    this.colour();
    if (row === null) this.filtered();
  }

  // Colours and legend: the server's own, or those of the value that a dial is moved to.
  colour() {
    if (!this.points) return;
    this.recoloured = recolouredBy(this.header);
    this.shown = recoloured(this.header, this.recoloured) ?? { header: this.header, colours: this.colours };
    if (this.among) this.shown.colours = within(this.shown.colours, this.among.arrays[0]);
    this.painter.colours(this.shown.colours);
    const legend = JSON.stringify(seen(this.shown.header));
    if (legend !== this.legendShown) {
      this.legendShown = legend;
      drawLegend(this.legend, this.shown.header, this.filter, () => this.filtered());
    }
    this.name(null);
    this.redraw();
  }

  // The filter has changed: shown at once, told when it rests.
  filtered() {
    this.redraw();
    clearTimeout(this.telling);
    if (this.recoloured !== null) return; // of labels that the server does not know of
    this.telling = setTimeout(() => {
      const told = this.filter.told();
      if (JSON.stringify(told) !== JSON.stringify(this.header.filter)) this.send("filter", { legend: this.header.legend, ...told });
    }, TELLING);
  }

  showNames(shown) {
    shared.named = shown;
    this.buttons.names.setAttribute("aria-pressed", String(shown && Boolean(this.groups)));
    this.redraw("overlay");
  }

  // New points; the same rows glide there from where they are drawn.
  place(points, ofSame) {
    const glides = this.points && ofSame && this.points.n === points.n && this.camera.width > 1 && !still();
    const from = glides && drawnAt(this.points.xy, this.camera, this.glide);
    this.remember();
    this.points = { ...points, xy: new Uint16Array(points.arrays[0].buffer) };
    this.view = this.header.view ?? points.digest;
    this.grid = null;
    this.camera.box(points.high[0] - points.low[0], points.high[1] - points.low[1]);
    Object.assign(this.camera, shared.views.get(this.view));
    this.painter.positions(this.points.xy);
    this.painter.sample((this.sample = sampled(this.points.n)));
    this.glide = from ? new Glide(from) : null;
    this.painter.from(from || null);
    const kept = this.header.selection;
    this.mark(kept?.polygon ? { polygon: kept.polygon.map((corner) => fromData(points, corner)) } : kept);
    this.touch();
  }

  restore() {
    this.painter.build();
    if (!this.points) return;
    this.painter.positions(this.points.xy);
    this.painter.sample(this.sample);
    this.painter.colours(this.shown.colours);
    this.painter.from(this.glide?.from ?? null);
    this.redraw();
  }

  readTheme() {
    const style = getComputedStyle(this.root);
    const pen = new OffscreenCanvas(1, 1).getContext("2d");
    pen.fillStyle = style.backgroundColor;
    pen.fillRect(0, 0, 1, 1);
    this.theme = {
      text: style.color,
      background: style.backgroundColor,
      primary: style.getPropertyValue("--st-primary-color") || style.color,
      font: style.fontFamily,
      clear: pen.getImageData(0, 0, 1, 1).data,
    };
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.max(Math.round(width * ratio), 1), Math.max(Math.round(height * ratio), 1)];
    if (this.canvas.width === w && this.canvas.height === h && this.camera.width === width) return;
    Object.assign(this.camera, { width: Math.max(width, 1), height: Math.max(height, 1) });
    for (const canvas of [this.canvas, this.overlay]) Object.assign(canvas, { width: w, height: h });
    this.stale = true;
    this.draw(); // at once: a canvas is blank after its size is set
  }

  redraw(what) {
    if (what !== "overlay") this.stale = true;
    this.asked ??= requestAnimationFrame((now) => this.draw(now));
  }

  // A redraw in which some points may stand for all, until nothing has moved for a while.
  move() {
    this.moves = this.sample !== null;
    this.redraw();
    if (!this.moves) return;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moves = false;
      this.redraw();
    }, RESTING);
  }

  draw(now = performance.now()) {
    cancelAnimationFrame(this.asked);
    this.asked = undefined;
    if (!this.points || !this.theme) return;
    if (this.glide) {
      this.stale = true;
      if (this.glide.step(now)) this.redraw();
      else this.painter.from((this.glide = null));
    }
    this.look = pointLook(this.points.n, this.camera);
    const ratio = this.canvas.width / this.camera.width;
    if (this.stale) {
      this.painter.palette(paletteBytes(this.shown.header, this.look, this.filter));
      const shapes = this.shown.header.kind === "categories";
      const some = this.sample !== null && (this.moves || this.glide !== null);
      this.painter.draw(this.camera, this.theme.clear, this.look.size * ratio, shapes, this.glide?.share ?? 1, some);
      this.stale = false;
    } else if (this.painter.over) {
      this.painter.again();
    }
    drawOverlay(this.overlay, this);
  }

  // Moving about.
  pan(dx, dy) {
    this.camera.pan(dx, dy);
    this.move();
  }

  zoom(factor, x, y) {
    this.camera.zoomAt(factor, x, y);
    this.touch();
    this.move();
  }

  reset() {
    this.camera.reset();
    this.touch();
    this.redraw();
  }

  use(tool) {
    this.tool = tool;
    for (const name of ["pan", "lasso"]) this.buttons[name].setAttribute("aria-pressed", String(name === tool));
    this.stage.classList.toggle("lassoing", tool === "lasso");
    this.touch();
  }

  // One finger scrolls the page only while a drag would have nothing to do here.
  touch() {
    this.canvas.style.touchAction = this.tool === "pan" && this.camera.whole ? "pan-x pan-y" : "none";
  }

  // Rows.
  screenOf(row) {
    const place = this.camera.toScreen(this.points.xy[2 * row] / 65535, this.points.xy[2 * row + 1] / 65535);
    return this.glide ? this.glide.place(row, this.camera, place) : place;
  }

  nameOf(row) {
    if (!this.names || this.names.numbered) return `row ${row}`;
    const name = lineOf(this.names, this.names.arrays[0], row);
    return name.trim() ? name : name ? name.replace(/\s/g, "␣") : "(empty)";
  }

  // What a row holds in other columns, a line each.
  cellsOf(row) {
    return (this.columns?.columns ?? []).map((column, i) => {
      const cell = element("span", "cell");
      cell.append(element("bdi", "of", column.name), element("bdi", "", cellText(column, this.columns.arrays[i], row)));
      return cell;
    });
  }

  rowAt(x, y, reach) {
    if (!this.points || !this.points.n || this.glide) return null;
    this.grid ??= new Grid(this.points.xy);
    return this.grid.nearest(this.camera, x, y, reach, (i) => this.filter.shows(this.shown.colours[i]));
  }

  // Name `row` in a box beside (x, y), or none.
  name(row, x, y) {
    const moved = row !== this.hovered || this.probing;
    this.hovered = row;
    this.probing = false;
    if (row !== null) {
      if (moved) {
        const detail = `${meaning(this.shown.header, this.shown.colours[row])} · row ${row.toLocaleString("en")}`;
        this.tip.replaceChildren(element("bdi", "", this.nameOf(row)), ...this.cellsOf(row), element("span", "detail", detail));
        this.tip.hidden = false;
      }
      const { offsetWidth: width, offsetHeight: height } = this.tip;
      const left = Math.min(x + 14, this.camera.width - width - 4);
      const top = y + 18 + height > this.camera.height ? y - height - 12 : y + 18;
      this.tip.style.transform = `translate(${Math.max(left, 4)}px, ${Math.max(top, 4)}px)`;
    } else if (!this.tip.hidden) {
      this.tip.hidden = true;
    }
    if (moved) this.redraw("overlay");
  }

  // From the keyboard the row nearest to the centre is named.
  nameCentre(reach) {
    const row = this.rowAt(this.camera.width / 2, this.camera.height / 2, reach);
    this.name(row, ...(row === null ? [0, 0] : this.screenOf(row)));
    this.probing = true;
    this.spoken.textContent = row === null ? "" : `${this.nameOf(row)}, ${meaning(this.shown.header, this.shown.colours[row])}`;
    this.redraw("overlay");
  }

  mark(selected) {
    this.selected = selected ?? null;
    this.buttons.clear.disabled = this.selected === null;
    this.redraw("overlay");
  }

  select(selected) {
    if (!this.points || (selected === null && this.selected === null)) return;
    if (selected?.polygon && selected.polygon.length < 3) return;
    this.mark(selected);
    const polygon = selected?.polygon?.map((corner) => toData(this.points, corner));
    const kept = polygon ? { polygon } : selected;
    this.send("selection", kept && { points: this.points.digest, ...kept });
  }

  // Where a person looks on these points, for when they come back to them.
  remember() {
    const { zoom, x, y } = this.camera;
    if (this.points) shared.views.set(this.view, { zoom, x, y });
  }

  release() {
    this.remember();
    cancelAnimationFrame(this.asked);
    clearTimeout(this.resting);
    clearTimeout(this.telling);
    this.stopping.abort();
    this.resizes?.disconnect();
    this.painter.release();
  }
}

// The part of a header that the legend shows.
const OTHER = ["highlight", "selection", "filter", "points", "tokens", "colours", "among", "columns", "groups", "recolour"];
const seen = (header) => header && { ...header, ...Object.fromEntries(OTHER.map((name) => [name, 0])) };

// Rows that stand for all of many, evenly by chance and in their order; null for few.
function sampled(n) {
  if (n <= MANY) return null;
  const rows = [];
  let state = 1;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if ((state / 2 ** 32) * (n - i) < SOME - rows.length) rows.push(i);
  }
  return Uint32Array.from(rows);
}

// Colours with those rows left out whose bit is not set, from the lowest of each byte on.
function within(colours, bits) {
  return colours.map((value, i) => ((bits[i >> 3] >> (i & 7)) & 1 ? value : LEFT_OUT));
}

export default function ({ data, parentElement, setStateValue }) {
  let map = maps.get(parentElement);
  if (!map) maps.set(parentElement, (map = new RowMap(parentElement)));
  map.update(unpack(data), setStateValue);
  const call = (map.call = Symbol());
  return () => {
    if (map.call !== call) return;
    map.release();
    maps.delete(parentElement);
  };
}

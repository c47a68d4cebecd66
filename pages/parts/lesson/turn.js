// Lines of a chart that a person turns by dragging them about their common point. What they cross is computed where it always is.

const turning = new WeakMap(); // parent element -> its Lines

const NEAR = 12; // pixels from a line that take hold of it
const OFTEN = 150; // milliseconds between two angles that are sent on the way
const SVG = "http://www.w3.org/2000/svg";

class Lines {
  constructor() {
    this.stopping = new AbortController();
    const options = { signal: this.stopping.signal, capture: true };
    document.addEventListener("pointerdown", (event) => this.grab(event), options);
    document.addEventListener("pointermove", (event) => this.move(event), options);
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, (event) => this.release(event), options);
    document.addEventListener("touchstart", (event) => this.held && event.preventDefault(), { ...options, passive: false }); // no scrolling
  }

  update(data, send) {
    Object.assign(this, { data, send });
  }

  // The chart's plane on the page.
  area() {
    return document.querySelector(`.st-key-${this.data.chart} .xy .nsewdrag`);
  }

  // Where the lines meet, on the screen, and the part of it that the plane takes; null while the chart is not there.
  plane() {
    const rect = this.area()?.getBoundingClientRect();
    if (!rect?.width) return null;
    const unit = rect.width / this.data.across; // pixels
    return { rect, x: rect.x + rect.width / 2 + this.data.centre[0] * unit, y: rect.y + rect.height / 2 - this.data.centre[1] * unit };
  }

  // The number of the nearest line, or -1.
  at(event) {
    const plane = this.plane();
    if (!plane || event.target !== this.area()) return -1;
    const [x, y] = [event.clientX - plane.x, plane.y - event.clientY];
    const away = this.data.angles.map((angle) => Math.abs(x * Math.sin((angle * Math.PI) / 180) - y * Math.cos((angle * Math.PI) / 180)));
    const nearest = away.indexOf(Math.min(...away));
    return away[nearest] < NEAR && Math.hypot(x, y) > 2 * NEAR ? nearest : -1;
  }

  grab(event) {
    const line = event.button ? -1 : this.at(event);
    if (line < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.held = { line, pointer: event.pointerId, angle: this.data.angles[line], told: this.data.angles[line], sent: 0, plane: this.plane() };
    document.body.style.cursor = "grabbing";
  }

  move(event) {
    if (!this.held) {
      const area = this.area();
      if (area) area.style.cursor = this.at(event) >= 0 ? "grab" : "";
      return;
    }
    if (event.pointerId !== this.held.pointer) return;
    event.stopPropagation();
    this.follow(event);
    if (performance.now() - this.held.sent > OFTEN) this.tell();
  }

  // The chart is not there while it is drawn anew; then its last place counts.
  follow(event) {
    const plane = (this.held.plane = this.plane() ?? this.held.plane);
    const angle = Math.round((Math.atan2(plane.y - event.clientY, event.clientX - plane.x) * 180) / Math.PI + 360) % 180;
    this.held.angle = angle;
    this.draw(plane, angle);
  }

  release(event) {
    if (event.pointerId !== this.held?.pointer) return;
    if (event.type === "pointerup") this.follow(event);
    this.tell();
    this.held = null;
    document.body.style.cursor = "";
    this.overlay?.remove();
    this.overlay = null;
  }

  tell() {
    const { line, angle } = this.held;
    if (angle === this.held.told) return;
    this.held.told = angle;
    this.held.sent = performance.now();
    this.send("turned", { line: line + 1, angle });
  }

  // The line as it is held, over the chart until the chart has it.
  draw({ rect, x, y }, angle) {
    if (!this.overlay) {
      this.overlay = document.createElementNS(SVG, "svg");
      this.overlay.append(document.createElementNS(SVG, "line"));
      document.body.append(this.overlay);
    }
    const reach = rect.width + rect.height;
    const [dx, dy] = [Math.cos((angle * Math.PI) / 180) * reach, Math.sin((angle * Math.PI) / 180) * reach];
    Object.assign(this.overlay.style, {
      position: "fixed", left: `${rect.x}px`, top: `${rect.y}px`, width: `${rect.width}px`, height: `${rect.height}px`,
      pointerEvents: "none", zIndex: 1000, overflow: "hidden",
    });
    const ends = { x1: x - rect.x - dx, y1: y - rect.y + dy, x2: x - rect.x + dx, y2: y - rect.y - dy };
    for (const [name, value] of Object.entries({ ...ends, stroke: "#808080", "stroke-width": 5, "stroke-opacity": 0.7 })) {
      this.overlay.firstChild.setAttribute(name, value);
    }
  }

  stop() {
    this.stopping.abort();
    this.overlay?.remove();
    document.body.style.cursor = "";
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let lines = turning.get(parentElement);
  if (!lines) turning.set(parentElement, (lines = new Lines()));
  lines.update(data, setTriggerValue);
  const call = (lines.call = Symbol());
  return () => {
    if (lines.call !== call) return;
    lines.stop();
    turning.delete(parentElement);
  };
}

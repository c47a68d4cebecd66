// Lines of a chart that a person turns by dragging them about their common point: each moves the dial of its angle.

const turning = new WeakMap(); // parent element -> its Lines

const NEAR = 12; // pixels from a line that take hold of it

class Lines {
  constructor() {
    this.stopping = new AbortController();
    const options = { signal: this.stopping.signal, capture: true };
    document.addEventListener("pointerdown", (event) => this.grab(event), options);
    document.addEventListener("pointermove", (event) => this.move(event), options);
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, (event) => this.release(event), options);
    document.addEventListener("touchstart", (event) => this.held && event.preventDefault(), { ...options, passive: false }); // no scrolling
  }

  update(data) {
    this.data = data;
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
    const away = this.data.keys.map((key) => dials.hands.get(key)).map((angle) => Math.abs(x * Math.sin((angle * Math.PI) / 180) - y * Math.cos((angle * Math.PI) / 180)));
    const nearest = away.indexOf(Math.min(...away));
    return away[nearest] < NEAR && Math.hypot(x, y) > 2 * NEAR ? nearest : -1;
  }

  grab(event) {
    const line = event.button ? -1 : this.at(event);
    if (line < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.held = { key: this.data.keys[line], pointer: event.pointerId, plane: this.plane() };
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
  }

  // The chart is not there while it is drawn anew; then its last place counts.
  follow(event) {
    const plane = (this.held.plane = this.plane() ?? this.held.plane);
    const angle = Math.round((Math.atan2(plane.y - event.clientY, event.clientX - plane.x) * 180) / Math.PI + 360) % 180;
    dials.move(this.held.key, angle);
  }

  release(event) {
    if (event.pointerId !== this.held?.pointer) return;
    if (event.type === "pointerup") this.follow(event);
    dials.letGo(this.held.key);
    this.held = null;
    document.body.style.cursor = "";
  }

  stop() {
    this.stopping.abort();
    document.body.style.cursor = "";
  }
}

export default function ({ data, parentElement }) {
  let lines = turning.get(parentElement);
  if (!lines) turning.set(parentElement, (lines = new Lines()));
  lines.update(data);
  const call = (lines.call = Symbol());
  return () => {
    if (lines.call !== call) return;
    lines.stop();
    turning.delete(parentElement);
  };
}

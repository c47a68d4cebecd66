// Lines and rings over a plotly chart, in a layer of their own: they move at every frame without a chart drawn anew.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, parent, attributes = {}) {
  const made = parent.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

class Marks {
  constructor(plot) {
    this.plot = plot;
    this.marks = [];
    this.shapes = new Map(); // name and kind of a mark -> its elements
    this.root = document.createElementNS(SVG, "svg");
    this.root.classList.add("marks");
    this.root.setAttribute("aria-hidden", "true");
  }

  show(marks) {
    this.marks = marks;
    this.place();
  }

  // Where the axes are now; a mark beyond its axis is not shown.
  place() {
    const layout = this.plot._fullLayout;
    const seen = new Set();
    for (const mark of layout ? this.marks : []) {
      const x = layout[mark.axis.replace("x", "xaxis")];
      const y = x && layout[x.anchor === "free" ? "yaxis" : x.anchor.replace("y", "yaxis")];
      const across = x?._offset + x?.d2p(mark.x);
      const ring = mark.y !== undefined;
      const down = ring ? y?._offset + y?.d2p(mark.y) : y?._offset;
      const inside = across >= x?._offset - 1 && across <= x?._offset + x?._length + 1;
      if (!inside || !(down >= y._offset - 1 && down <= y._offset + y._length + 1)) continue;
      const name = `${mark.name} ${ring}`;
      seen.add(name);
      const shape = this.shapes.get(name) ?? this.make(name, ring);
      shape.root.setAttribute("transform", `translate(${across}, ${down})`);
      shape.line?.setAttribute("y2", y._length);
      if (shape.text.textContent !== mark.text) shape.text.textContent = mark.text;
      const left = across + 60 > x._offset + x._length;
      shape.text.setAttribute("x", left ? -6 : 6);
      shape.text.setAttribute("text-anchor", left ? "end" : "start");
    }
    for (const [name, shape] of this.shapes) shape.root.style.display = seen.has(name) ? "" : "none";
  }

  make(name, ring) {
    const root = drawn("g", this.root);
    const shape = { root, text: drawn("text", root, { y: ring ? -8 : 10 }) };
    if (ring) {
      drawn("circle", root, { r: 6, class: "halo" });
      drawn("circle", root, { r: 6, class: "ring" });
    } else {
      shape.line = drawn("line", root, { y1: 0 });
    }
    this.shapes.set(name, shape);
    return shape;
  }
}

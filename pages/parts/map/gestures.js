// Pointer, wheel and keys, told to the map.

const STEP = 60; // pixels that an arrow key pans
const PRESS = 1.5; // factor of a press on + or -
const STILL = 5; // pixels that a press may wander and still be a click
const REACH = 9; // pixels from the cursor within which a point is named
const CENTRE_REACH = 40;

function listen(map, canvas, signal) {
  const on = (target, types, act, options = {}) =>
    types.split(" ").forEach((type) => target.addEventListener(type, act, { signal, ...options }));
  const down = new Map(); // pointer id -> [x, y]
  let press = null; // { x, y, moved, lasso } of the only pointer
  let scrolledElsewhere = 0;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  on(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    const [x, y] = place(event);
    down.set(event.pointerId, [x, y]);
    canvas.setPointerCapture(event.pointerId);
    map.drawing = null;
    press = down.size === 1 ? { x, y, moved: false, lasso: map.tool === "lasso" || event.shiftKey } : null;
    map.name(null);
  });

  on(canvas, "pointermove", (event) => {
    const [x, y] = place(event);
    if (!down.has(event.pointerId)) {
      if (event.pointerType !== "touch") map.name(map.rowAt(x, y, REACH), x, y);
      return;
    }
    const before = [...down.values()];
    const [oldX, oldY] = down.get(event.pointerId);
    down.set(event.pointerId, [x, y]);
    if (down.size === 2) return pinch(before, [...down.values()]);
    if (!press) return;
    if (!press.moved && Math.hypot(x - press.x, y - press.y) <= STILL) return;
    if (press.lasso) {
      map.drawing ??= [[press.x, press.y]];
      map.drawing.push([x, y]);
      map.redraw("overlay");
    } else {
      const [fromX, fromY] = press.moved ? [oldX, oldY] : [press.x, press.y];
      map.pan(x - fromX, y - fromY);
    }
    press.moved = true;
  });

  const pinch = ([a, b], [c, d]) => {
    const apart = (p, q) => Math.max(Math.hypot(p[0] - q[0], p[1] - q[1]), 1);
    const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    const [x, y] = middle(c, d);
    const [oldX, oldY] = middle(a, b);
    map.camera.pan(x - oldX, y - oldY);
    map.zoom(apart(c, d) / apart(a, b), x, y);
  };

  on(canvas, "pointerup", (event) => {
    if (!down.delete(event.pointerId)) return;
    if (press && !press.moved) {
      const [x, y] = place(event);
      const row = map.rowAt(x, y, event.pointerType === "touch" ? 2 * REACH : REACH);
      map.select(row === null ? null : { row });
      map.name(row, x, y);
    } else if (press && map.drawing) {
      map.select({ polygon: simplified(map.drawing).map(([x, y]) => map.camera.toUnit(x, y)) });
    }
    map.drawing = press = null;
    map.redraw("overlay");
  });

  on(canvas, "pointercancel", (event) => {
    down.delete(event.pointerId);
    map.drawing = press = null;
    map.redraw("overlay");
  });

  on(canvas, "pointerleave blur", () => map.name(null));

  // A scroll that is already moving the page goes on over the map, and so does one beyond the widest view.
  on(window, "wheel", (event) => {
    if (!event.composedPath().includes(canvas)) scrolledElsewhere = event.timeStamp;
  }, { passive: true, capture: true });
  on(canvas, "wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    const passing = event.timeStamp - scrolledElsewhere < 300 || (pixels > 0 && map.camera.whole);
    if (passing && !event.ctrlKey) {
      scrolledElsewhere = event.timeStamp;
      return;
    }
    event.preventDefault();
    map.name(null);
    map.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
  }, { passive: false });

  const keys = {
    ArrowLeft: () => map.pan(STEP, 0),
    ArrowRight: () => map.pan(-STEP, 0),
    ArrowUp: () => map.pan(0, STEP),
    ArrowDown: () => map.pan(0, -STEP),
    "+": () => map.zoom(PRESS),
    "=": () => map.zoom(PRESS),
    "-": () => map.zoom(1 / PRESS),
    0: () => map.reset(),
    n: () => map.showNames(!shared.named),
    l: () => map.use(map.tool === "lasso" ? "pan" : "lasso"),
    Enter: () => map.select(map.hovered === null ? null : { row: map.hovered }),
    Escape: () => {
      const drawing = map.drawing;
      map.drawing = press = null;
      if (!drawing) map.select(null);
      map.name(null);
      map.redraw("overlay");
    },
  };
  on(canvas, "keydown", (event) => {
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    if (/^(Arrow|[+=\-0])/.test(event.key)) map.nameCentre(CENTRE_REACH);
  });
}

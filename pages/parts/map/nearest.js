// The point nearest to the cursor, by a grid of cells that hold a few points each.

class Grid {
  constructor(xy) {
    this.xy = xy;
    const n = xy.length / 2;
    this.side = Math.min(Math.max(Math.round(Math.sqrt(n / 4)), 1), 512);
    const cellOf = new Uint32Array(n);
    this.start = new Uint32Array(this.side * this.side + 1);
    for (let i = 0; i < n; i++) {
      cellOf[i] = this.cell(xy[2 * i] / 65535) + this.side * this.cell(xy[2 * i + 1] / 65535);
      this.start[cellOf[i] + 1]++;
    }
    for (let c = 0; c < this.side * this.side; c++) this.start[c + 1] += this.start[c];
    this.rows = new Uint32Array(n);
    const next = this.start.slice();
    for (let i = 0; i < n; i++) this.rows[next[cellOf[i]]++] = i;
  }

  cell(unit) {
    return Math.min(Math.max(Math.floor(unit * this.side), 0), this.side - 1);
  }

  // The row drawn nearest to (x, y) on the screen, within `reach` pixels and with `shown(row)`; null where there is none.
  nearest(camera, x, y, reach, shown) {
    const [left, bottom] = camera.toUnit(x - reach, y + reach);
    const [right, top] = camera.toUnit(x + reach, y - reach);
    if (right < 0 || top < 0 || left > 1 || bottom > 1) return null;
    let best = null;
    let closest = reach * reach;
    for (let row = this.cell(bottom); row <= this.cell(top); row++) {
      const cells = row * this.side;
      const end = this.start[cells + this.cell(right) + 1];
      for (let at = this.start[cells + this.cell(left)]; at < end; at++) {
        const i = this.rows[at];
        const [px, py] = camera.toScreen(this.xy[2 * i] / 65535, this.xy[2 * i + 1] / 65535);
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if ((distance < closest || (distance === closest && i > best)) && shown(i)) {
          closest = distance;
          best = i;
        }
      }
    }
    return best;
  }
}

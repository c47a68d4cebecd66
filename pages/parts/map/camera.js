// Where on the screen a point lies. Points are in the unit square of their bounding box; the world keeps the box's true proportions.

const MARGIN = 14; // pixels around the whole map
const WIDEST = 1;
const CLOSEST = 100; // beyond it the steps of 16-bit positions show

class Camera {
  constructor() {
    this.width = this.height = 1;
    this.box(1, 1);
  }

  box(width, height) {
    const longer = Math.max(width, height);
    this.worldWidth = width / longer;
    this.worldHeight = height / longer;
    this.reset();
  }

  reset() {
    this.zoom = WIDEST;
    this.x = this.worldWidth / 2;
    this.y = this.worldHeight / 2;
  }

  get scale() { // pixels per unit of the world
    const width = Math.max(this.width - 2 * MARGIN, 1);
    const height = Math.max(this.height - 2 * MARGIN, 1);
    return this.zoom * Math.min(width / this.worldWidth, height / this.worldHeight);
  }

  toScreen(u, v) {
    const scale = this.scale;
    return [
      this.width / 2 + (u * this.worldWidth - this.x) * scale,
      this.height / 2 - (v * this.worldHeight - this.y) * scale,
    ];
  }

  toUnit(x, y) {
    const scale = this.scale;
    return [
      (this.x + (x - this.width / 2) / scale) / this.worldWidth,
      (this.y - (y - this.height / 2) / scale) / this.worldHeight,
    ];
  }

  // What takes the unit square to clip coordinates: factors and offsets, across and up.
  clip() {
    const [x, y] = [(2 * this.scale) / this.width, (2 * this.scale) / this.height];
    return { scale: [this.worldWidth * x, this.worldHeight * y], offset: [-this.x * x, -this.y * y] };
  }

  pan(dx, dy) {
    const scale = this.scale;
    this.x = Math.min(Math.max(this.x - dx / scale, 0), this.worldWidth);
    this.y = Math.min(Math.max(this.y + dy / scale, 0), this.worldHeight);
  }

  // Zoom by `factor` and leave what lies under (x, y) in its place.
  zoomAt(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(Math.max(this.zoom * factor, WIDEST), CLOSEST);
    if (zoom === this.zoom) return;
    const [u, v] = this.toUnit(x, y);
    this.zoom = zoom;
    if (zoom === WIDEST) return this.reset();
    const [nowX, nowY] = this.toScreen(u, v);
    this.pan(x - nowX, y - nowY);
  }

  get whole() {
    return this.zoom === WIDEST;
  }
}

// Points on their way from where they were drawn to where they belong now, for half a second.

const GLIDE = 500; // milliseconds

class Glide {
  // from: clip coordinates of every point.
  constructor(from) {
    this.from = from;
    this.share = 0;
  }

  // Eased at both ends; the clock starts with the first frame.
  step(now) {
    this.began ??= now;
    const t = Math.min((now - this.began) / GLIDE, 1);
    this.share = t * t * (3 - 2 * t);
    return t < 1;
  }

  // Where a row that belongs at (x, y) on the screen is on its way.
  place(row, camera, [x, y]) {
    const [fromX, fromY] = [(this.from[2 * row] + 1) * camera.width / 2, (1 - this.from[2 * row + 1]) * camera.height / 2];
    return [fromX + (x - fromX) * this.share, fromY + (y - fromY) * this.share];
  }
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Where every point is drawn now, as clip coordinates.
function drawnAt(xy, camera, glide) {
  const { scale, offset } = camera.clip();
  const found = new Float32Array(xy.length);
  for (let i = 0; i < xy.length; i++) {
    const belongs = (xy[i] / 65535) * scale[i & 1] + offset[i & 1];
    found[i] = glide ? glide.from[i] + (belongs - glide.from[i]) * glide.share : belongs;
  }
  return found;
}

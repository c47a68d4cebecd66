// Draws the points on a 2-D canvas, pixel by pixel: where WebGL is done in software, or is missing, this is up to three times as fast.

const PLACES = 4; // within a pixel, across and down, that a point's edge is told apart by

// How much of each pixel a point covers, for every place of its centre within a pixel and for each shape: pixels as offsets in a
// picture `width` wide, shares of 256. Entry 16 shape + 4 y + x begins at `start` of that.
function stamps(size, shapes, width) {
  const side = Math.ceil(size) + 1;
  const offsets = [];
  const shares = [];
  const start = [0];
  const soft = 1 - Math.min(2 / size, 0.6);
  for (let shape = 0; shape < (shapes ? 4 : 1); shape++) {
    for (let place = 0; place < PLACES * PLACES; place++) {
      const x = (side - 1) / 2 + ((place % PLACES) + 0.5) / PLACES;
      const y = (side - 1) / 2 + (Math.floor(place / PLACES) + 0.5) / PLACES;
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          const d = reached(shape, (2 * (column + 0.5 - x)) / size, (2 * (row + 0.5 - y)) / size);
          const t = Math.min(Math.max((d - soft) / (1 - soft), 0), 1);
          const share = Math.round(256 * (1 - t * t * (3 - 2 * t)));
          if (share) {
            offsets.push(row * width + column);
            shares.push(share);
          }
        }
      }
      start.push(offsets.length);
    }
  }
  return { side, offsets: Int32Array.from(offsets), shares: Int32Array.from(shares), start: Int32Array.from(start) };
}

// As in the fragment shader: 1 at the edge of a shape.
function reached(shape, x, y) {
  if (shape === 0) return Math.hypot(x, y);
  if (shape === 1) return Math.max(Math.abs(x), Math.abs(y)) * 1.15;
  return shape === 2 ? Math.max(y * 1.15, Math.abs(x) * 1.1 - y * 0.5 + 0.45) : Math.abs(x) + Math.abs(y);
}

class HandPainter {
  over = true; // what lies over the points is drawn on their canvas: a second one would have to be composed by the processor too

  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.xy = new Uint16Array(0);
    this.places = null;
  }

  positions(xy) {
    this.xy = xy;
  }

  colours(bytes) {
    this.bytes = bytes;
  }

  from(places) {
    this.places = places;
  }

  sample(rows) {
    this.rows = rows;
  }

  palette(rgba) {
    this.rgba = rgba;
  }

  draw(camera, background, size, shapes, share, some) {
    const { width, height } = this.canvas;
    shapes &&= size > 3.5;
    const edge = Math.ceil(size) + 2; // around the picture, for points that lie across its sides
    const across = width + 2 * edge;
    const look = `${size.toFixed(2)} ${shapes} ${width} ${height}`;
    if (look !== this.look) {
      this.look = look;
      this.stamps = stamps(size, shapes, across);
      this.image = new ImageData(across, height + 2 * edge);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    const { pixels, rgba, bytes, xy, places } = this;
    const { side, offsets, shares, start } = this.stamps;
    pixels.fill((255 << 24) | (background[2] << 16) | (background[1] << 8) | background[0]);
    const { scale, offset } = camera.clip();
    const middle = (side - 1) / 2;
    const [kx, ky] = [(scale[0] / 65535) * (width / 2), (-scale[1] / 65535) * (height / 2)];
    const [bx, by] = [(offset[0] + 1) * (width / 2) + edge - middle, (1 - offset[1]) * (height / 2) + edge - middle];
    const [right, bottom] = [width + 2 * edge - side, height + 2 * edge - side];
    const rows = some ? this.rows : null;
    const count = rows ? rows.length : xy.length / 2;
    const glides = places && share < 1;
    for (let at = 0; at < count; at++) {
      const i = rows ? rows[at] : at;
      const value = bytes[i];
      const alpha = rgba[4 * value + 3];
      if (!alpha) continue;
      let x = xy[2 * i] * kx + bx;
      let y = xy[2 * i + 1] * ky + by;
      if (glides) {
        x += (1 - share) * ((places[2 * i] + 1) * (width / 2) + edge - middle - x);
        y += (1 - share) * ((1 - places[2 * i + 1]) * (height / 2) + edge - middle - y);
      }
      if (!(x >= 0 && y >= 0 && x < right && y < bottom)) continue;
      const [left, top] = [x | 0, y | 0];
      const stamp = (shapes ? 16 * ((value >> 3) & 3) : 0) + PLACES * (((y - top) * PLACES) | 0) + (((x - left) * PLACES) | 0);
      const first = top * across + left;
      const [red, green, blue] = [rgba[4 * value], rgba[4 * value + 1], rgba[4 * value + 2]];
      for (let j = start[stamp], end = start[stamp + 1]; j < end; j++) {
        const pixel = first + offsets[j];
        const under = pixels[pixel];
        const covers = ((alpha + (alpha >> 7)) * shares[j]) >> 8;
        const [r, g, b] = [under & 255, (under >> 8) & 255, (under >> 16) & 255];
        pixels[pixel] =
          (255 << 24) |
          ((b + (((blue - b) * covers) >> 8)) << 16) |
          ((g + (((green - g) * covers) >> 8)) << 8) |
          (r + (((red - r) * covers) >> 8));
      }
    }
    this.edge = edge;
    this.again();
  }

  // What was drawn last, without what was drawn over it since.
  again() {
    this.pen.putImageData(this.image, -this.edge, -this.edge);
  }

  release() {}
}

// Whether WebGL 2 is missing, or done by the processor.
function bySoftware() {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl) return true;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const told = [gl.RENDERER, ...(names ? [names.UNMASKED_RENDERER_WEBGL] : [])].map((name) => gl.getParameter(name));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(told.join(" "));
}

const painterOf = (canvas) => ((shared.software ??= bySoftware()) ? new HandPainter(canvas) : new Painter(canvas));

// Draws the points with WebGL 2: positions and colours in two buffers, the colours' meaning in a texture of 256 entries;
// while points glide, where they come from in a third, and in a fourth which of many are drawn while the map moves.

const VERTEX = `#version 300 es
layout(location = 0) in vec2 position;
layout(location = 1) in uint colour;
layout(location = 2) in vec2 from;
uniform vec2 scale, offset;
uniform float size, share;
uniform bool shapes;
uniform sampler2D palette;
flat out vec4 paint;
flat out int shape;
void main() {
  gl_Position = vec4(mix(from, position * scale + offset, share), 0.0, 1.0);
  gl_PointSize = size;
  paint = texelFetch(palette, ivec2(colour, 0), 0);
  shape = shapes && size > 3.5 ? int(colour >> 3u) & 3 : 0;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
flat in vec4 paint;
flat in int shape;
uniform float size;
out vec4 pixel;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float d = shape == 0 ? length(p)
    : shape == 1 ? max(abs(p.x), abs(p.y)) * 1.15
    : shape == 2 ? max(p.y * 1.15, abs(p.x) * 1.1 - p.y * 0.5 + 0.45)
    : abs(p.x) + abs(p.y);
  float alpha = paint.a * (1.0 - smoothstep(1.0 - min(2.0 / size, 0.6), 1.0, d));
  pixel = vec4(paint.rgb * alpha, alpha);
}`;

class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false });
    if (this.gl) this.build();
  }

  // Everything that lives on the graphics side, made again after a lost context.
  build() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = Object.fromEntries(
      ["scale", "offset", "size", "share", "shapes"].map((name) => [name, gl.getUniformLocation(program, name)]),
    );
    this.positionBuffer = gl.createBuffer();
    this.colourBuffer = gl.createBuffer();
    this.fromBuffer = gl.createBuffer();
    this.sampleBuffer = gl.createBuffer();
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.n = 0;
  }

  positions(xy) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.positionBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, xy, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.UNSIGNED_SHORT, true, 0, 0);
    this.n = xy.length / 2;
  }

  colours(bytes) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.colourBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribIPointer(1, 1, gl.UNSIGNED_BYTE, 0, 0);
  }

  // Clip coordinates that points come from; null for none.
  from(places) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.fromBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, places ?? new Float32Array(0), gl.STATIC_DRAW);
    if (!places) return gl.disableVertexAttribArray(2);
    gl.enableVertexAttribArray(2);
    gl.vertexAttribPointer(2, 2, gl.FLOAT, false, 0, 0);
  }

  // The rows that are drawn where only some are; null for none.
  sample(rows) {
    const gl = this.gl;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.sampleBuffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows ?? new Uint32Array(0), gl.STATIC_DRAW);
    this.sampled = rows?.length ?? 0;
  }

  palette(rgba) {
    const gl = this.gl;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
  }

  // some: whether only the sample is drawn.
  draw(camera, background, size, shapes, share, some) {
    const gl = this.gl;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(background[0] / 255, background[1] / 255, background[2] / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.n) return;
    const { scale, offset } = camera.clip();
    gl.uniform2f(this.at.scale, ...scale);
    gl.uniform2f(this.at.offset, ...offset);
    gl.uniform1f(this.at.share, share);
    gl.uniform1f(this.at.size, size);
    gl.uniform1i(this.at.shapes, shapes ? 1 : 0);
    if (some && this.sampled) gl.drawElements(gl.POINTS, this.sampled, gl.UNSIGNED_INT, 0);
    else gl.drawArrays(gl.POINTS, 0, this.n);
  }

  release() {
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

// Pixels across a point, and how much of what lies under it shows through.
function pointLook(n, camera) {
  const room = Math.sqrt((camera.width * camera.height) / Math.max(n, 1));
  const size = Math.min(Math.min(Math.max(room * 0.75, 2.5), 7) * camera.zoom ** 0.35, 16);
  const crowding = (size / room) ** 2 / camera.zoom ** 1.3;
  return { size, alpha: Math.min(Math.max(0.95 - 0.3 * crowding, 0.45), 0.9), faint: crowding > 1 ? 0 : 0.07 };
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function mixed(palette, t) {
  const at = Math.min(t * (palette.length - 1), palette.length - 1.000001);
  const [low, high] = [palette[Math.floor(at)], palette[Math.floor(at) + 1]].map(rgb);
  return low.map((c, i) => c + (high[i] - c) * (at - Math.floor(at)));
}

const GREY = "#888888";
const SHAPES = ["circle", "square", "triangle", "diamond"];

const categoryColour = (palette, label) => palette[label % palette.length];
const categoryShape = (label) => SHAPES[(label >> 3) & 3];

// RGBA of each of the 256 colour values: a category's colour, or a step of the scale; faint, or gone in a crowd, where the filter
// leaves it out.
function paletteBytes(header, look, filter) {
  const rgba = new Uint8Array(1024);
  const grey = rgb(GREY);
  for (let value = 0; value < 256; value++) {
    const shown = filter.shows(value);
    const colour = !shown || value > TOP
      ? grey
      : header.kind === "categories" ? rgb(categoryColour(header.palette, value)) : mixed(header.palette, value / TOP);
    rgba.set([...colour, 255 * (shown ? (value === MISSING ? look.alpha / 2 : look.alpha) : look.faint)], 4 * value);
  }
  return rgba;
}

// Names of groups, over the points: the heavier ones first, more of them the nearer one looks, none over another.

const LINE = 17; // pixels from one line of text to the next
const APART = 8; // pixels beside each other
const FADE = 0.25; // of a zoom, over which a name comes up

// The zoom at which each name has room, and so comes up: where it no longer overlaps any that is there before. Names in the order
// of their weight: { place: [x, y] on the screen of the whole map, width, from: the least zoom }. Infinity for never.
function roomFor(names) {
  const found = [];
  names.forEach(({ place, width, from }, j) => {
    let zoom = from;
    for (let i = 0; i < j; i++) {
      if (found[i] === Infinity) continue;
      const [dx, dy] = [0, 1].map((axis) => Math.abs(place[axis] - names[i].place[axis]));
      const free = Math.min(((width + names[i].width) / 2 + APART) / dx, LINE / dy); // zoom from which both have room
      if (free > found[i] && free > zoom) zoom = free;
    }
    found.push(zoom > CLOSEST ? Infinity : zoom);
  });
  return found;
}

function drawNames(pen, map) {
  const { camera, theme, groups } = map;
  if (!groups || !shared.named || map.glide) return;
  pen.font = `600 12px ${theme.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  pen.lineJoin = "round";
  const size = `${camera.width} ${camera.height} ${theme.font}`;
  if (map.roomOf !== groups || map.roomAt !== size) {
    Object.assign(map, { roomOf: groups, roomAt: size });
    const whole = new Camera();
    Object.assign(whole, { width: camera.width, height: camera.height });
    whole.box(camera.worldWidth, camera.worldHeight);
    const laid = groups.names.map(({ at, text, from }) => ({ place: whole.toScreen(...at), width: pen.measureText(text).width, from }));
    map.room = roomFor(laid);
  }
  groups.names.forEach(({ at, text, value }, i) => {
    const t = (camera.zoom - map.room[i]) / (FADE * map.room[i]) + (map.room[i] <= WIDEST ? 1 : 0);
    if (t <= 0 || map.room[i] === Infinity || (value != null && !map.filter.shows(value))) return;
    const [x, y] = camera.toScreen(...at);
    if (x < -80 || y < -20 || x > camera.width + 80 || y > camera.height + 20) return;
    pen.globalAlpha = Math.min(t, 1);
    pen.lineWidth = 4;
    pen.strokeStyle = theme.background;
    pen.strokeText(text, x, y);
    pen.fillStyle = theme.text;
    pen.fillText(text, x, y);
  });
  pen.globalAlpha = 1;
  pen.textAlign = "start";
}

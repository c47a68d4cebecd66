// What the two components share: the format of their messages, and arrays, each held once under its digest;
// and where a person looked, for when they come back to the page.

const shared = (globalThis[Symbol.for("flatland.map")] ??= {
  held: new Map(), arrivals: new EventTarget(), views: new Map(), named: true,
});

// The parts of a message: uint32 length and bytes, one after the other. Bytes are copied so that wider numbers lie aligned.
function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengths.getUint32(at, true);
    parts.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return { header: JSON.parse(new TextDecoder().decode(parts[0])), arrays: parts.slice(1) };
}

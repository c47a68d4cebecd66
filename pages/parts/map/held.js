// Keeps the arrays of a map, and shows nothing.

const holding = new WeakMap(); // parent element -> { digest, call }

function release(parent) {
  const digest = holding.get(parent)?.digest;
  const entry = shared.held.get(digest);
  entry?.holders.delete(parent);
  if (entry && entry.holders.size === 0) shared.held.delete(digest);
  holding.delete(parent);
}

export default function ({ data, parentElement }) {
  const { header, arrays } = unpack(data);
  const call = Symbol();
  if (holding.get(parentElement)?.digest !== header.digest) {
    release(parentElement);
    if (!shared.held.has(header.digest)) shared.held.set(header.digest, { ...header, arrays, holders: new Set() });
    shared.held.get(header.digest).holders.add(parentElement);
    shared.arrivals.dispatchEvent(new Event("arrays"));
  }
  holding.set(parentElement, { digest: header.digest, call });
  return () => {
    if (holding.get(parentElement)?.call === call) release(parentElement);
  };
}

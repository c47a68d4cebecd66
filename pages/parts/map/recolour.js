// Labels for every value of a dial, which colour the points while a hand moves it.

// One row of labels, `bits` a point from the lowest bit on, each renamed by `order`; and how many points have each.
function readLabels(packed, bits, n, order) {
  const colours = new Uint8Array(n);
  const counts = [];
  for (let i = 0, at = 0, word = 0, ready = 0; i < n; i++) {
    for (; ready < bits; ready += 8) word |= packed[at++] << ready;
    const label = word & ((1 << bits) - 1);
    word >>= bits;
    ready -= bits;
    colours[i] = order[label] ?? label;
    counts[colours[i]] = (counts[colours[i]] ?? 0) + 1;
  }
  return { colours, counts: Array.from(counts, (count) => count ?? 0) };
}

// The row of labels that a map shows while its dial is away from what the server answered; null for none.
function recolouredBy(header) {
  const { labels, dial, at, values } = header.recolour ?? {};
  if (!shared.held.has(labels) || dials.away({ [dial]: at }) === null) return null;
  return nearest(values, dials.hands.get(dial));
}

// What it shows then: colours, and the legend's part of a header; null for no row.
function recoloured(header, row) {
  if (row === null) return null;
  const { labels, order, names } = header.recolour;
  const table = shared.held.get(labels);
  const { colours, counts } = readLabels(table.arrays[row], table.bits[row], header.n, order);
  return { colours, header: { ...header, away: true, counts, names: counts.map((_, label) => names[label] ?? String(label)) } };
}

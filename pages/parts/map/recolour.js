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

// What a map shows while its dial is away from what the server answered: colours and the legend's part of a header; else null.
function recoloured(header) {
  const { labels, dial, at, values, order, names } = header.recolour ?? {};
  const table = shared.held.get(labels);
  if (!table || dials.away({ [dial]: at }) === null) return null;
  const place = nearest(values, dials.hands.get(dial));
  const { colours, counts } = readLabels(table.arrays[place], table.bits[place], header.n, order);
  return { colours, header: { ...header, away: true, counts, names: counts.map((_, label) => names[label] ?? String(label)) } };
}

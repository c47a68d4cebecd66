// Keeps the answers of one dial, and shows nothing.

const held = new WeakMap(); // parent element -> { key, table }

function release({ key, table } = {}) {
  if (table && dials.tables.get(key) === table) dials.tables.delete(key);
}

export default function ({ data, parentElement }) {
  if (held.get(parentElement)?.key !== data.key) release(held.get(parentElement));
  const table = new Table(data);
  held.set(parentElement, { key: data.key, table });
  dials.tables.set(data.key, table);
  dials.tell();
  return () => {
    const own = held.get(parentElement);
    if (own?.table !== table) return;
    release(own);
    held.delete(parentElement);
  };
}

// A row of an array that came as float16.
function unpacked(packed, row) {
  packed.bytes ??= Uint8Array.from(atob(packed.halves), (sign) => sign.charCodeAt(0));
  const halves = new Uint16Array(packed.bytes.buffer, 2 * row * packed.points, packed.points);
  return Array.from(halves, (half) => {
    const [power, rest] = [(half >> 10) & 31, half & 1023];
    if (power === 31) return null; // no number
    const size = power ? (1 + rest / 1024) * 2 ** (power - 15) : rest * 2 ** -24;
    return (half & 32768 ? -size : size) * packed.unit;
  });
}

class Table {
  constructor(data) {
    Object.assign(this, data);
  }

  // What each shows at a row; undefined for one of which the table says nothing.
  cards(key, row) {
    const words = this.figures[key]?.map((column) => this.words[Array.isArray(column) ? column[row] : column]);
    return words && Array.from({ length: words.length / 5 }, (_, at) => {
      const [label, value, delta, color, about] = words.slice(5 * at, 5 * at + 5);
      return { label, value, delta, delta_color: color, about };
    }).filter(({ label }) => label !== null);
  }

  sentence(key, row) {
    return this.words[this.sentences[key]?.[row]];
  }

  marked(key, row) {
    return this.marks[key]?.[row]?.map(([name, axis, text, x, y]) => {
      const mark = { name: this.words[name], axis: this.words[axis], text: this.words[text], x };
      return y === undefined ? mark : { ...mark, y };
    });
  }

  picture(key, row) {
    return this.pictures[key]?.[row];
  }

  // By the name of a trace, what its attributes are.
  drawn(key, row) {
    const values = ({ at, rows, words }) => (words ? rows[at[row]].map((word) => this.words[word]) : unpacked(rows, at[row]));
    return Object.entries(this.traces[key] ?? {}).map(([name, each]) => [
      name,
      Object.fromEntries(Object.entries(each).map(([path, told]) => [path, values(told)])),
    ]);
  }
}

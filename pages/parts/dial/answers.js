// Where a hand holds each dial of the page, and the answers for it: one store, which the dials write and all that shows them reads.

class Dials extends EventTarget {
  constructor() {
    super();
    this.hands = new Map(); // key of a dial -> its value
    this.tables = new Map(); // key of a dial -> its answers
    this.last = null; // the dial that was moved last
  }

  // Tells those who show answers, once a frame.
  tell() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = undefined;
      this.dispatchEvent(new Event("move"));
    });
  }

  move(key, value) {
    this.last = key;
    this.stand(key, value);
  }

  stand(key, value) {
    if (this.hands.get(key) === value) return;
    this.hands.set(key, value);
    this.tell();
  }

  // A hand that is not on the dial itself lets go of it.
  letGo(key) {
    this.dispatchEvent(new CustomEvent("let go", { detail: key }));
  }

  leave(key) {
    this.hands.delete(key);
  }

  // The dial that a hand has moved on since the server told something at these values; null for none.
  away(at) {
    const moved = [...this.hands].flatMap(([key, value]) => (key in at && at[key] !== value ? [key] : []));
    return moved.includes(this.last) ? this.last : (moved[0] ?? null);
  }

  // The answers of a dial, and the row of those for where it stands; null where there are none.
  answer(key) {
    const table = this.tables.get(key);
    return table?.values.length ? { key, table, row: nearest(table.values, this.hands.get(key)) } : null;
  }

  // What is to be shown in place of what the server told at these values: an answer, or only the key of a dial that has none; null
  // where that holds.
  instead(at) {
    const key = this.away(at);
    return key === null ? null : (this.answer(key) ?? { key });
  }
}

// The place of the value that is nearest to another.
function nearest(values, value) {
  return values.reduce((best, each, at) => (Math.abs(each - value) < Math.abs(values[best] - value) ? at : best), 0);
}

const dials = (globalThis[Symbol.for("flatland.dials")] ??= new Dials());

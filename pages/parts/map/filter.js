// Which values of the legend are shown: all but those that are hidden, or those within a range.

const MISSING = 255; // a row without a value
const LEFT_OUT = 254; // a row that is not among those shown, whatever its value
const TOP = 253; // the largest value

class Filter {
  constructor() {
    this.clear();
  }

  clear() {
    this.hidden = new Set();
    this.range = null; // [first, last]
  }

  get on() {
    return this.hidden.size > 0 || this.range !== null;
  }

  shows(value) {
    if (value === LEFT_OUT) return false;
    return this.range ? value >= this.range[0] && value <= this.range[1] : !this.hidden.has(value);
  }

  toggle(value) {
    if (!this.hidden.delete(value)) this.hidden.add(value);
  }

  // Only one of all values; all of them where it is the only one already.
  single(value, all) {
    const others = all.filter((each) => each !== value);
    const alone = !this.hidden.has(value) && others.every((each) => this.hidden.has(each));
    this.hidden = new Set(alone ? [] : others);
  }

  // What the server is told of it, and how it is told.
  told() {
    if (this.range) return { range: this.range };
    return this.hidden.size ? { hidden: [...this.hidden].sort((a, b) => a - b) } : null;
  }

  take(told) {
    this.hidden = new Set(told?.hidden);
    this.range = told?.range ?? null;
  }
}

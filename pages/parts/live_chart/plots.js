// The figures of the page's charts, by their keys: one store, which the messages that bring them write and the charts read.

class Plots extends EventTarget {
  constructor() {
    super();
    this.told = new Map(); // key of a chart -> { digest, figure }
  }

  take({ key, digest, figure }) {
    if (this.told.get(key)?.digest === digest) return;
    this.told.set(key, { digest, figure });
    this.dispatchEvent(new CustomEvent("told", { detail: key }));
  }

  // The text of a figure; undefined until it has come.
  figure({ key, digest }) {
    const told = this.told.get(key);
    return told?.digest === digest ? told.figure : undefined;
  }
}

const plots = (globalThis[Symbol.for("flatland.plots")] ??= new Plots());

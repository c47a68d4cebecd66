// The rows that lose most; none of them while a hand holds a dial elsewhere than where the server found them.

const held = new WeakMap(); // parent element -> Worst

class Worst {
  constructor(parent) {
    this.root = parent.querySelector(".worst");
    this.watch = () => this.show();
    dials.addEventListener("move", this.watch);
  }

  update(data) {
    this.data = data;
    this.told = undefined;
    explain(this.root.querySelector(".help"), data.help);
    this.show();
  }

  show() {
    const { at, count, rows, words } = this.data;
    const told = dials.instead(at) === null && rows !== null;
    if (told === this.told) return;
    this.told = told;
    const lines = told ? rows : Array.from({ length: count }, () => [""]);
    this.root.querySelector("table").replaceChildren(...lines.map(line));
    this.root.querySelector(".delta").textContent = told || rows === null ? words : "…";
  }
}

function line(texts) {
  const row = document.createElement("tr");
  for (const [at, text] of texts.entries()) {
    const cell = row.appendChild(document.createElement(at ? "td" : "th"));
    cell.textContent = text || "\u00a0";
  }
  row.firstChild.scope = "row";
  row.firstChild.title = texts[0];
  return row;
}

export default function ({ data, parentElement }) {
  let own = held.get(parentElement);
  if (!own) held.set(parentElement, (own = new Worst(parentElement)));
  own.update(data);
  const call = (own.call = Symbol());
  return () => {
    if (own.call !== call) return;
    dials.removeEventListener("move", own.watch);
    held.delete(parentElement);
  };
}

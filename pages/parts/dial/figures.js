// A row of cards: as the server told them, or as the answers of a dial have them while a hand is elsewhere.

const rows = new WeakMap(); // parent element -> Row

function element(name, parent) {
  const made = parent.appendChild(document.createElement("div"));
  made.className = name;
  return made;
}

class Card {
  constructor(parent) {
    this.root = element("card", parent);
    this.name = element("name", this.root);
    this.label = this.name.appendChild(document.createElement("span"));
    this.help = this.name.appendChild(document.createElement("button"));
    Object.assign(this.help, { className: "help", type: "button", textContent: "?" });
    this.value = element("value", this.root);
    this.delta = element("delta", this.root);
    this.change = this.delta.appendChild(document.createElement("span"));
    this.about = this.delta.appendChild(document.createElement("span"));
    this.about.className = "about";
  }

  show({ label, value, delta, delta_color: color, about, help }) {
    write(this.label, label);
    write(this.value, value);
    const falls = delta?.startsWith("-");
    const arrow = color === "off" ? "" : falls ? "↓ " : "↑ ";
    write(this.change, delta ? arrow + delta : "");
    this.change.className = color === "off" ? "off" : falls === (color === "inverse") ? "up" : "down";
    write(this.about, about ? ` ${about}` : "");
    this.delta.hidden = !delta && !about;
    if (help !== undefined) explain(this.help, help);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class Row {
  constructor(parent) {
    this.root = parent.querySelector(".figures");
    this.cards = [];
    this.watch = () => this.show();
    dials.addEventListener("move", this.watch);
  }

  update(data) {
    this.data = data;
    this.show();
  }

  show() {
    const answer = dials.instead(this.data.at);
    this.root.classList.toggle("waiting", answer !== null && !answer.table);
    const cards = answer?.table?.cards(this.data.key, answer.row) ?? this.data.cards;
    while (this.cards.length < cards.length) this.cards.push(new Card(this.root));
    this.cards.forEach((card, at) => {
      card.root.hidden = at >= cards.length;
      card.root.style.display = at >= cards.length ? "none" : "";
      if (at < cards.length) card.show(cards[at]);
    });
  }

  release() {
    dials.removeEventListener("move", this.watch);
  }
}

export default function ({ data, parentElement }) {
  let row = rows.get(parentElement);
  if (!row) rows.set(parentElement, (row = new Row(parentElement)));
  row.update(data);
  const call = (row.call = Symbol());
  return () => {
    if (row.call !== call) return;
    row.release();
    rows.delete(parentElement);
  };
}

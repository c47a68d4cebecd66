// A range input: while it moves it tells the page's own parts, once it is let go the server.

const mounted = new WeakMap(); // parent element -> Dial

class Dial {
  constructor(parent) {
    for (const name of ["label", "output", "input", ".help", ".spoken"]) this[name.replace(".", "")] = parent.querySelector(name);
    this.input.oninput = () => {
      this.say();
      dials.move(this.data.key, this.value);
    };
    this.input.onchange = () => this.letGo();
    this.stopping = new AbortController();
    dials.addEventListener("move", () => this.follow(), { signal: this.stopping.signal });
    dials.addEventListener("let go", (event) => this.leftAt(event.detail), { signal: this.stopping.signal });
    this.input.onpointerdown = () => (this.held = true);
    this.input.onpointerup = this.input.onpointercancel = () => (this.held = false);
  }

  get value() {
    return Number(this.input.value);
  }

  update(data, send) {
    Object.assign(this, { data, send });
    const { label, low, high, step, help } = data;
    this.label.textContent = label;
    this.input.setAttribute("aria-label", label);
    explain(this.help, help);
    Object.assign(this.input, { min: low, max: high, step });
    const unheard = data.move < this.sent && data.move >= this.heard; // of the last move: what is told here was asked for before it
    if (!unheard) {
      this.sent = data.move;
      if (!this.held) this.input.value = data.value;
    }
    this.heard = data.move;
    this.say();
    dials.stand(data.key, this.value);
  }

  // Where it is moved by something else on the page.
  follow() {
    const value = dials.hands.get(this.data?.key);
    if (value === undefined || value === this.value) return;
    this.input.value = value;
    this.say();
  }

  leftAt(key) {
    if (key !== this.data?.key) return;
    this.follow();
    this.letGo();
  }

  release() {
    this.stopping.abort();
    dials.leave(this.data.key);
  }

  say() {
    const { low, high, texts } = this.data;
    const text = texts?.[this.place] ?? this.input.value;
    this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
    this.input.style.setProperty("--share", `${(100 * (this.value - low)) / (high - low || 1)}%`);
  }

  // Which of the steps it stands at.
  get place() {
    return Math.round((this.value - this.data.low) / this.data.step);
  }

  // In the address, as the app's own frame does for its sliders.
  remember() {
    const { key, usual, written } = this.data;
    const url = new URL(location.href);
    if (this.value === usual) url.searchParams.delete(key);
    else url.searchParams.set(key, written?.[this.place] ?? this.input.value);
    history.replaceState(history.state, "", url);
  }

  letGo() {
    this.held = false;
    this.remember();
    this.sent += 1;
    this.send("moved", { value: this.value, move: this.sent });
    const answer = dials.answer(this.data.key);
    const row = answer && Object.keys(answer.table.figures)[0];
    const cards = row ? answer.table.cards(row, answer.row) : [];
    this.spoken.textContent = cards.map(({ label, value }) => `${label} ${value}`).join(", ");
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let dial = mounted.get(parentElement);
  if (!dial) mounted.set(parentElement, (dial = new Dial(parentElement)));
  dial.update(data, setTriggerValue);
  const call = (dial.call = Symbol());
  return () => {
    if (dial.call !== call) return;
    dial.release();
    mounted.delete(parentElement);
  };
}

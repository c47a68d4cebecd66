// Keys of the whole window, heard for as long as the component is mounted.

const listening = new WeakMap(); // parent element -> the listener's controller and its latest call

let pointed = false; // with a mouse or a finger last: then the arrows are the lesson's, not those of what was pressed

const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const PRESSES = 15; // from one end of a dial to the other
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], [role=listbox], [role=menu]";
const ARROWS = "input[type=range], [role=radiogroup], canvas"; // have arrows of their own for who goes by Tab

// The first dial of the page, which is in a tree of its own.
function firstDial() {
  const every = [...document.querySelectorAll('[data-testid="stMain"] *')];
  return every.map((each) => each.shadowRoot?.querySelector(".dial input")).find(Boolean);
}

function step(way) {
  const button = document.querySelector(way > 0 ? ".st-key-lesson_next button" : ".st-key-lesson_previous button");
  if (button) return button.click();
  const dial = firstDial();
  if (!dial) return;
  const { min, max, step } = dial;
  dial[way > 0 ? "stepUp" : "stepDown"](Math.max(1, Math.round((max - min) / step / PRESSES)));
  for (const type of ["input", "change"]) dial.dispatchEvent(new Event(type));
}

function heard(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if (event.key === "Tab") pointed = false;
  const within = (kind) => event.composedPath()[0].closest?.(kind);
  if (within(TYPING)) return;
  if (event.key in STEPS) {
    if (event.key.startsWith("Arrow") && within(pointed ? "canvas" : ARROWS)) return;
    event.preventDefault();
    event.stopPropagation(); // a dial would page too
    step(STEPS[event.key]);
  } else if (/^[1-5]$/.test(event.key)) {
    document.querySelectorAll(".st-key-lesson_at_scene button")[event.key - 1]?.click();
  }
}

export default function ({ parentElement }) {
  let held = listening.get(parentElement);
  if (!held) {
    listening.set(parentElement, (held = { controller: new AbortController(), main: document.querySelector('[data-testid="stMain"]') }));
    held.main?.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight PageUp PageDown 1 2 3 4 5");
    document.addEventListener("keydown", heard, { signal: held.controller.signal, capture: true });
    document.addEventListener("pointerdown", () => (pointed = true), { signal: held.controller.signal, capture: true });
  }
  const call = (held.call = Symbol());
  return () => {
    if (held.call !== call) return;
    held.controller.abort();
    held.main?.removeAttribute("aria-keyshortcuts");
    listening.delete(parentElement);
  };
}

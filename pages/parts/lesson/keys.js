// Keys of the whole window, heard for as long as the component is mounted.

const listening = new WeakMap(); // parent element -> the listener's controller and its latest call

let pointed = false; // with a mouse or a finger last: then the arrows are the lesson's, not those of what was pressed

const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], [role=listbox], [role=menu]";
const ARROWS = "input[type=range], [role=radiogroup], canvas"; // have arrows of their own for who goes by Tab

// The first slider of the page: a dial, which is in a tree of its own, or one of Streamlit's.
function firstSlider() {
  const kind = 'input[type="range"]';
  const every = document.querySelectorAll('[data-testid="stMain"] *');
  for (const each of every) {
    const found = each.matches(kind) ? each : each.shadowRoot?.querySelector(kind);
    if (found) return found;
  }
  return null;
}

function step(way) {
  const button = document.querySelector(way > 0 ? ".st-key-lesson_next button" : ".st-key-lesson_previous button");
  if (button) return button.click();
  const slider = firstSlider();
  if (!slider) return;
  slider.focus();
  if (slider.closest(".dial")) {
    slider[way > 0 ? "stepUp" : "stepDown"]();
    for (const type of ["input", "change"]) slider.dispatchEvent(new Event(type));
    return;
  }
  const key = way > 0 ? "ArrowRight" : "ArrowLeft"; // this one sends its value on a key, not on an input event
  for (const type of ["keydown", "keyup"]) slider.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true }));
}

function heard(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if (!event.isTrusted) return; // a slider's own key, from above
  if (event.key === "Tab") pointed = false;
  const within = (kind) => event.composedPath()[0].closest?.(kind);
  if (within(TYPING)) return;
  if (event.key in STEPS) {
    if (event.key.startsWith("Arrow") && within(pointed ? "canvas" : ARROWS)) return;
    event.preventDefault();
    event.stopPropagation(); // a slider would page too
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

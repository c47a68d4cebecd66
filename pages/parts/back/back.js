// One entry of the browser's history a deliberate step: of what the app pushes after one act of a person, the last
// address counts.

const past = (globalThis[Symbol.for("flatland.back")] ??= { steps: [] });

function begin() {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  let before; // the address of this entry at the last act, once the app has changed it
  let pushed = false; // whether this entry came after the last act
  const settle = () => ([before, pushed] = [undefined, false]);

  const place = (url) => {
    const { pathname, searchParams } = new URL(url, location.href);
    return JSON.stringify([pathname, ...past.steps.map((name) => searchParams.get(name))]);
  };
  history.pushState = (state, title, url) => {
    if (pushed) return replace(state, title, url);
    if (place(url) === place(location.href)) {
      before ??= location.href;
      return replace(state, title, url);
    }
    if (before) replace(state, title, before);
    push(state, title, url);
    settle();
    pushed = true;
  };
  history.replaceState = (...entry) => {
    settle();
    replace(...entry);
  };
  for (const act of ["popstate", "pointerdown", "keydown"]) addEventListener(act, settle, { capture: true });
}

export default function ({ data }) {
  if (!past.begun) begin();
  Object.assign(past, { begun: true, steps: data.steps });
}

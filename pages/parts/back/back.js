// One entry of the browser's history a deliberate step: of what one run of the app pushes, the last address counts.

const past = (globalThis[Symbol.for("flatland.back")] ??= { steps: [] });

function begin() {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  let before; // the address of this entry when the run began, once the run has changed it
  let pushed = false; // whether this entry is of the run
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
  addEventListener("popstate", settle);
  const app = document.querySelector('[data-testid="stApp"]');
  const watch = new MutationObserver(() => app.dataset.testScriptState === "notRunning" && settle());
  watch.observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
}

export default function ({ data }) {
  if (!past.begun) begin();
  Object.assign(past, { begun: true, steps: data.steps });
}

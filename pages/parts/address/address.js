// Keeps in the address what stands on every page, such as the matrix, the pins and what other pages are set to.
//
// The app's own frame writes the address for each setting of the page that is shown, and forgets all else when the page changes.
// An entry of the history is a place: another page, another matrix, a step of the lesson. What else changes there replaces its
// address, so that Back goes one deliberate step.

const PLACES = ["matrix", "tensor", "scene", "step", "lesson_scene", "lesson_step"];
const OF_THE_FRAME = /^embed(_options)?$/;

const told = { standing: {}, moved: new Set(), push: null, replace: null }; // one document, one history

const said = (params, name) => params.getAll(name).join("\n");

const place = (url) => [url.pathname, ...PLACES.map((name) => url.searchParams.get(name))].join("\n");

function complete(url) {
  for (const [name, texts] of Object.entries(told.standing)) {
    if (!url.searchParams.has(name)) texts.forEach((text) => url.searchParams.append(name, text));
  }
  url.searchParams.sort(); // the same screen, the same address
  return url;
}

// On the way to another page the frame first takes the settings out of the address that is left, to which a person may come back.
function onlyForgets(url) {
  const now = new URL(location.href);
  const kept = ([name, text]) => name in told.standing || now.searchParams.getAll(name).includes(text); // what stands is not the page's own
  return place(url) === place(now) && [...url.searchParams].every(kept);
}

function write(url) {
  if (url.href === location.href) return;
  const step = place(url) !== place(new URL(location.href));
  (step ? told.push : told.replace).call(history, {}, "", url);
}

function watch() {
  if (told.push) return;
  told.push = history.pushState;
  told.replace = history.replaceState;
  history.pushState = (state, unused, to) => {
    const url = complete(new URL(to ?? location.href, location.href));
    if (!onlyForgets(url)) write(url);
  };
  history.replaceState = (state, unused, to) => {
    const url = complete(new URL(to ?? location.href, location.href));
    const now = new URL(location.href).searchParams;
    for (const name of [...now.keys(), ...url.searchParams.keys()]) {
      if (said(now, name) !== said(url.searchParams, name)) told.moved.add(name);
    }
    told.replace.call(history, state, unused, url);
  };
}

function at(page, pages) {
  const last = location.pathname.replace(/\/+$/, "").split("/").pop();
  return last === page || (page === "" && !pages.includes(last));
}

export default function ({ data }) {
  watch();
  if (!at(data.page, data.pages)) return; // a person is on the way to another page
  told.standing = data.standing;
  const url = new URL(location.href);
  const first = !url.searchParams.has("matrix"); // nothing said yet which matrix it is: no step away from one
  for (const name of new Set(url.searchParams.keys())) {
    if (!OF_THE_FRAME.test(name) && !(name in data.own)) url.searchParams.delete(name);
  }
  for (const [name, texts] of Object.entries(data.own)) {
    if (!texts) continue;
    if (texts.join("\n") === said(url.searchParams, name)) told.moved.delete(name);
    else if (told.moved.has(name)) continue; // by a person, since the run that tells this began
    url.searchParams.delete(name);
    texts.forEach((text) => url.searchParams.append(name, text));
  }
  complete(url);
  if (first) told.replace.call(history, {}, "", url);
  else write(url);
}

// How a person looks at a plotly chart: zoom, hidden traces, marked points; and what of it still means something in the next figure.

const numbers = new Map(); // name of a trace -> the number that stands for it

// Traces are the same ones when they have the same name, wherever they stand among the others.
function identify(traces) {
  const met = new Map();
  for (const trace of traces) {
    const name = JSON.stringify([trace.legendgroup, trace.name]);
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    met.set(name, (met.get(name) ?? 0) + 1);
    trace.uid = `trace-${numbers.get(name)}-${met.get(name)}`; // plotly makes class names of it
  }
}

// What an axis shows: its quantity and scale, and the names on it where it has names. While that stays, its zoom does.
function meaning(of, axis, letter, traces) {
  const names = traces.filter((trace) => Array.isArray(trace[letter]) && typeof trace[letter][0] === "string");
  return JSON.stringify([of, axis.type, axis.title?.text, names.map((trace) => trace[letter])]);
}

const isAxis = (name) => /^[xy]axis\d*$/.test(name);

// The zooms of a chart: by axis, what it meant and the range that the figure gave it when a person changed it.
class Zooms {
  constructor() {
    this.given = new Map();
    this.forgotten = new Map(); // axis -> how often its zoom was dropped
  }

  // Tells plotly what each axis means, and gives it the range that a person changed, so that it changes it again.
  keep({ data, layout }, of) {
    this.own = {};
    layout.uirevision = of;
    for (const name of this.given.keys()) if (!layout[name]) this.given.delete(name); // of another number of parts
    for (const name of Object.keys(layout).filter(isAxis)) {
      const axis = layout[name];
      const meant = meaning(of, axis, name[0], data) + (this.forgotten.get(name) ?? "");
      this.own[name] = { meant, range: axis.range?.slice() };
      axis.uirevision = meant;
      const zoom = this.given.get(name);
      if (zoom && zoom.meant !== meant) this.given.delete(name);
      else if (zoom) axis.range = zoom.range;
    }
  }

  // A person moved these attributes of the layout.
  moved(changes, layout) {
    for (const name of new Set(Object.keys(changes).map((each) => each.split(".")[0]).filter((each) => this.own[each]))) {
      const now = layout[name];
      const back = now.autorange === true || `${now.range}` === `${this.own[name].range}`;
      if (back) this.given.delete(name);
      else if (!this.given.has(name)) this.given.set(name, this.own[name]);
    }
  }

  // Drops the zooms beside which all data lie, and says whether there were any.
  dropEmpty({ _fullLayout: layout, _fullData: traces }) {
    const empty = [...this.given.keys()].filter((name) => {
      const ends = traces.flatMap((trace) => {
        const reach = trace.visible === true && trace._extremes?.[layout[name]._id];
        return reach ? [...reach.min, ...reach.max].map((end) => end.val) : [];
      });
      const [low, high] = [...layout[name].range].sort((a, b) => a - b);
      return ends.length > 0 && (Math.max(...ends) < low || Math.min(...ends) > high);
    });
    for (const name of empty) {
      this.given.delete(name);
      this.forgotten.set(name, (this.forgotten.get(name) ?? 0) + 1);
    }
    return empty.length > 0;
  }
}

// The points whose first customdata is one of the names.
function mark({ data, layout }, names) {
  layout.selectionrevision = JSON.stringify(names);
  layout.dragmode ??= "pan";
  layout.hovermode ??= "closest";
  for (const trace of data) {
    if (!Array.isArray(trace.customdata?.[0])) continue;
    const points = trace.customdata.flatMap(([name], at) => (names.includes(name) ? [at] : []));
    trace.selectedpoints = names.length ? points : null;
  }
}

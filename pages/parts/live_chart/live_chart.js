// A plotly chart that stays where it is while its figure changes, and is there again when a person comes back to its page.

const charts = new WeakMap(); // parent element -> its Chart
const left = (globalThis[Symbol.for("flatland.charts")] ??= new Map()); // key -> the Chart of a page that was left
const CLEAR = "rgba(0, 0, 0, 0)";
const FULL_SCREEN = {
  width: 16,
  height: 16,
  path: "M1 1h5v2H3v3H1zM10 1h5v5h-2V3h-3zM1 10h2v3h3v2H1zM13 10h2v5h-5v-2h3z",
};
let library; // plotly, once a chart asks for it

// Plotly from the server that Streamlit's own script came from, under whatever path that is.
function load(path) {
  const streamlit = document.querySelector('script[src*="/static/js/"]').src;
  const script = document.createElement("script");
  script.src = new URL(`../../${path}`, streamlit);
  const loaded = new Promise((done, failed) => {
    script.onload = () => done(window.Plotly);
    script.onerror = failed;
  });
  document.head.append(script);
  return loaded;
}

// Attributes to a trace: "marker.color" is one within another.
function give(trace = {}, told) {
  for (const [path, values] of Object.entries(told)) {
    const [outer, inner] = path.split(".");
    trace[outer] = inner ? { ...trace[outer], [inner]: values } : values;
  }
}

class Chart {
  constructor() {
    this.plot = document.createElement("div");
    this.zooms = new Zooms();
    this.marks = new Marks(this.plot);
    this.watch = () => this.follow();
    this.resizes = new ResizeObserver(() => this.resize());
  }

  // Goes to a place on the page.
  enter(parent) {
    this.root = parent.querySelector(".live-chart");
    this.root.replaceChildren(this.plot, this.marks.root);
    this.leaving = new AbortController();
    const own = ({ target }) => target === this.root && this.draw(); // of the text's colour
    this.root.addEventListener("transitionend", own, { signal: this.leaving.signal });
    this.resizes.observe(this.root);
    dials.addEventListener("move", this.watch, { signal: this.leaving.signal });
    plots.addEventListener("told", ({ detail: key }) => key === this.data?.key && this.draw(), { signal: this.leaving.signal });
  }

  update(data, send) {
    const same = this.drawn && ["digest", "of", "height"].every((name) => data[name] === this.data[name]) && `${data.marked}` === `${this.data.marked}`;
    Object.assign(this, { data, send });
    this.root.style.height = data.height ? `${data.height}px` : "100%";
    this.root.setAttribute("aria-label", data.label);
    library ??= load(data.library);
    library.then(
      (plotly) => {
        if (!this.plotly) this.plot.replaceChildren(); // what was said while it was missing
        this.plotly = plotly;
        if (same) this.follow();
        else this.draw();
      },
      () => {
        library = undefined; // to be asked for again
        this.plot.textContent = "The chart's script did not come; reload the page.";
      },
    );
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.root;
    const told = plots.figure(this.data);
    if (this.leaving.signal.aborted || !this.plotly || !told || !width || !height) return;
    const figure = JSON.parse(told);
    const { data, layout } = figure;
    const { traces, row } = this.told();
    for (const [name, told] of traces) give(data.find((trace) => trace.name === name), told);
    this.paint(layout.template.layout);
    identify(data);
    this.zooms.keep(figure, this.data.of);
    if (this.data.marked) mark(figure, this.data.marked);
    this.size = [width, height];
    this.plotly.react(this.plot, data, { ...layout, width, height }, (this.config ??= this.tools()));
    this.drawn = true;
    this.redrawn = row; // of answers that its traces show
    if (!this.listening) this.listen();
    if (this.zooms.dropEmpty(this.plot)) this.draw();
    else this.follow();
  }

  // Shows what the dials stand at: its own marks and traces, or those of the answers where a hand is elsewhere. Traces follow a
  // frame later: drawn in that of the cards and the map they would make it a long one.
  follow() {
    if (!this.drawn) return;
    const { key, marks } = this.data;
    const { answer, row } = this.told();
    const told = answer?.table?.marked(key, answer.row) ?? [];
    this.marks.show([...marks.filter(({ name }) => !told.some((mark) => mark.name === name)), ...told]);
    if (row === this.redrawn) return;
    this.later ??= requestAnimationFrame(() => {
      this.later = undefined;
      if (!this.leaving.signal.aborted) this.retrace();
    });
  }

  // The answers of the dial that a hand has moved away, the traces that they tell of this chart, and what names those.
  told() {
    const answer = dials.instead(this.data.at);
    const traces = answer?.table?.drawn(this.data.key, answer.row) ?? [];
    return { answer, traces, row: traces.length ? `${answer.key} ${answer.row}` : null };
  }

  retrace() {
    const { traces, row } = this.told();
    if (row === this.redrawn) return;
    if (row !== null && traces.every(([name, told]) => move(this.plot, name, told))) this.redrawn = row;
    else this.draw();
  }

  listen() {
    this.listening = true;
    for (const event of ["plotly_afterplot", "plotly_relayouting"]) this.plot.on(event, () => this.marks.place());
    this.plot.on("plotly_afterplot", () => (this.plot.read = undefined));
    this.plot.on("plotly_relayout", (changes) => this.zooms.moved(changes, this.plot.layout));
    this.plot.on("plotly_selected", (event) => event && this.choose(event.points.map((point) => point.customdata?.[0])));
    this.plot.on("plotly_deselect", () => this.choose([]));
  }

  choose(names) {
    const marked = [...new Set(names.filter((name) => name !== undefined))];
    if (this.data.marked && `${marked}` !== `${this.data.marked}`) this.send("marked", marked);
  }

  // Made once: plotly builds a chart anew for other tools.
  tools() {
    const full = () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen());
    return {
      displayModeBar: this.data.tools && matchMedia("(hover: hover)").matches ? "hover" : false, // a finger would leave it there
      displaylogo: false,
      modeBarButtonsToRemove: ["toImage", "lasso2d", ...(this.data.marked ? [] : ["select2d"])],
      modeBarButtonsToAdd: [...downloads(this), { name: "full", title: "Full screen", icon: FULL_SCREEN, click: full }],
    };
  }

  // The page's colours and type, where the figure does not say its own.
  paint(template) {
    const { color, fontFamily } = getComputedStyle(this.root);
    const faint = color.replace("rgb(", "rgba(").replace(")", ", 0.15)");
    template.font = { color, family: fontFamily, ...template.font };
    Object.assign(template, { paper_bgcolor: CLEAR, plot_bgcolor: CLEAR });
    for (const axis of ["xaxis", "yaxis"]) {
      template[axis] = { showgrid: axis === "yaxis", gridcolor: faint, zerolinecolor: faint, linecolor: faint, ...template[axis] };
    }
  }

  resize() {
    const { clientWidth, clientHeight } = this.root;
    if (this.size?.[0] !== clientWidth || this.size[1] !== clientHeight) this.draw();
  }

  // Its page has gone. A chart drawn by WebGL gives its context back, of which a browser has few.
  leave() {
    this.leaving.abort();
    this.resizes.disconnect();
    if (this.plot.querySelector("canvas")) this.plotly.purge(this.plot);
    else left.set(this.data.key, this);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    charts.set(parentElement, (chart = left.get(data.key) ?? new Chart()));
    left.delete(data.key);
    chart.enter(parentElement);
  }
  chart.update(data, setTriggerValue);
  const call = (chart.call = Symbol());
  return () => {
    if (chart.call !== call) return;
    chart.leave();
    charts.delete(parentElement);
  };
}

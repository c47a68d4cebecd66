// A plotly chart that stays where it is while its figure changes.

const charts = new WeakMap(); // parent element -> its Chart
const CLEAR = "rgba(0, 0, 0, 0)";
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

class Chart {
  constructor(parent) {
    this.root = parent.querySelector(".live-chart");
    this.stopping = new AbortController();
    this.root.addEventListener("transitionend", () => this.draw(), { signal: this.stopping.signal }); // of the text's colour
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(this.root);
  }

  update(data) {
    this.data = data;
    this.root.style.height = data.height ? `${data.height}px` : "100%";
    this.root.setAttribute("aria-label", data.label);
    library ??= load(data.library);
    library.then(
      (plotly) => {
        if (!this.plotly) this.root.replaceChildren(); // what was said while it was missing
        this.plotly = plotly;
        this.draw();
      },
      () => {
        library = undefined; // to be asked for again
        this.root.textContent = "The chart's script did not come; reload the page.";
      },
    );
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (this.stopping.signal.aborted || !this.plotly || !width || !height) return;
    const { data, layout } = JSON.parse(this.data.figure);
    this.paint(layout.template.layout);
    this.size = [width, height];
    this.plotly.react(this.root, data, { ...layout, width, height }, { displayModeBar: false });
  }

  // The page's colours and type, where the figure does not say its own.
  paint(template) {
    const { color, fontFamily } = getComputedStyle(this.root);
    const faint = color.replace("rgb(", "rgba(").replace(")", ", 0.15)");
    template.font = { color, family: fontFamily, ...template.font };
    Object.assign(template, { paper_bgcolor: CLEAR, plot_bgcolor: CLEAR });
    for (const axis of ["xaxis", "yaxis"]) {
      template[axis] = { gridcolor: faint, zerolinecolor: faint, linecolor: faint, ...template[axis] };
    }
  }

  resize() {
    const { clientWidth, clientHeight } = this.root;
    if (this.size?.[0] !== clientWidth || this.size[1] !== clientHeight) this.draw();
  }

  release() {
    this.stopping.abort();
    this.resizes.disconnect();
    this.plotly?.purge(this.root);
  }
}

export default function ({ data, parentElement }) {
  let chart = charts.get(parentElement);
  if (!chart) charts.set(parentElement, (chart = new Chart(parentElement)));
  chart.update(data);
  const call = (chart.call = Symbol());
  return () => {
    if (chart.call !== call) return;
    chart.release();
    charts.delete(parentElement);
  };
}

// A chart as a file: what a person sees of it, its marks too, on the page's own background.

const ICONS = {
  svg: { width: 16, height: 16, path: "M7 1h2v7h3l-4 4-4-4h3zM2 13h12v2H2z" },
  png: { width: 16, height: 16, path: "M1 2h14v12H1zM3 4v7l3-3 2 2 3-4 2 3V4zM5 5a1 1 0 1 0 0 2a1 1 0 0 0 0-2z" },
};
const SHARPER = { svg: 1, png: 2 }; // pixels of the file for one on the page

const downloads = (chart) =>
  ["svg", "png"].map((format) => ({
    name: format,
    title: `Download as ${format.toUpperCase()}`,
    icon: ICONS[format],
    click: () => download(chart, format),
  }));

function download({ plot, plotly, root, data: { key }, marks }, format) {
  const { color, fontFamily } = getComputedStyle(root);
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const { width, height, ...layout } = plot.layout;
  const look = { paper_bgcolor: colour("--st-background-color"), font: { color, family: fontFamily, ...layout.font } };
  const shapes = [...(layout.shapes ?? []), ...shapesOf(marks.marks, plot._fullLayout, color, colour("--st-primary-color"))];
  const figure = { data: plot.data, layout: { ...layout, ...look, shapes } };
  const filename = `${document.title} ${key}`.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  plotly.downloadImage(figure, { format, width, height, scale: SHARPER[format], filename });
}

// Marks as shapes of plotly: a line down its axis, a ring where it stands, each with its text.
function shapesOf(marks, axes, faint, strong) {
  return marks.flatMap(({ axis, x, y, text }) => {
    const across = axes[axis.replace("x", "xaxis")];
    if (!across) return [];
    const place = { xref: axis, yref: across.anchor === "free" ? "y" : across.anchor };
    const label = { text: escaped(text), font: { size: 12, color: faint }, textangle: 0 };
    if (y === undefined || y === null) {
      const line = { color: faint, width: 1, dash: "dot" };
      return { ...place, type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: `${place.yref} domain`, line, label: { ...label, textposition: "end" } };
    }
    const ring = { xsizemode: "pixel", ysizemode: "pixel", xanchor: x, yanchor: y, x0: -6, x1: 6, y0: -6, y1: 6 };
    return { ...place, ...ring, type: "circle", line: { color: strong, width: 2 }, label: { ...label, textposition: "top left", yanchor: "bottom" } };
  });
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]); // plotly reads tags

// Keeps the figure of a chart, and shows nothing.

export default function ({ data }) {
  plots.take(data);
}

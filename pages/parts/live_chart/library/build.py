"""Makes plotly.js.br beside this file: plotly.js, of the version that the installed plotly draws for, with the traces that the
figures of `compress.charts` have. Needs npm. Run: python -m pages.parts.live_chart.library.build"""

import subprocess
import tempfile
from pathlib import Path

import pyarrow
from plotly.offline import get_plotlyjs_version

BUNDLER = ("esbuild@0.28.1", "esbuild-plugin-environment@0.5.0", "esbuild-plugin-glsl@1.4.2", "esbuild-plugin-inline-css@0.0.1")
FOR_BROWSERS = ("buffer@6.0.3", "stream-browserify@3.0.0")  # what browsers lack of Node
# As plotly.js builds itself: its esbuild-config.js, and without the words that describe its settings.
BUILD = """
const ENTRY = `const Plotly = require("plotly.js/lib/core"); // scatter is part of it
const also = [require("plotly.js/lib/bar"), require("plotly.js/lib/contour"), require("plotly.js/lib/heatmap")];
Plotly.register([...also, require("plotly.js/lib/image")]);
module.exports = Plotly;`;
const css = require("esbuild-plugin-inline-css");
const [version] = process.argv.slice(2);
const words = /\\s*description: (?:'.*'|\\[[^\\]]*?\\]\\s*\\.join\\(.*\\)),?/g;
const load = ({ path }) => ({ contents: require("fs").readFileSync(path, "utf8").replace(words, ""), loader: "js" });
const wordless = { name: "wordless", setup: (build) => build.onLoad({ filter: /plotly\\.js\\/src\\/.*\\.js$/ }, load) };
require("esbuild").build({
  stdin: { contents: ENTRY, resolveDir: "." }, outfile: "plotly.js",
  bundle: true, minify: true, format: "iife", globalName: "Plotly", target: "es2016",
  plugins: [wordless, (css.default ?? css)(), require("esbuild-plugin-glsl").glsl({ minify: true }),
            require("esbuild-plugin-environment").environmentPlugin({ NODE_DEBUG: false })],
  alias: { regl: "@plotly/regl", stream: "stream-browserify" },
  define: { global: "window", "define.amd": "false" },
  banner: { js: `/* plotly.js v${version}, in part. Copyright 2012-2026, Plotly, Inc. MIT license. */` },
});
"""


def main() -> None:
    version = get_plotlyjs_version()
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*install, f"plotly.js@{version}", *BUNDLER, *FOR_BROWSERS], cwd=folder, check=True)
        Path(folder, "build.cjs").write_text(BUILD, encoding="utf-8")
        subprocess.run(["node", "build.cjs", version], cwd=folder, check=True)
        script = Path(folder, "plotly.js").read_bytes()
    packed = pyarrow.Codec("brotli", compression_level=11).compress(script, asbytes=True)
    Path(__file__).with_name("plotly.js.br").write_bytes(packed)
    print(f"plotly.js {version}: {len(script):,} bytes, {len(packed):,} compressed")


if __name__ == "__main__":
    main()

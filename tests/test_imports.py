"""What importing the library does not drag in."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SLOW = ("streamlit", "torch", "pandas", "transformers", "umap", "numba", "sklearn", "scipy", "plotly", "faiss")


@pytest.mark.parametrize("module", ["compress", "compress.__main__"])
def test_nothing_slow_is_imported_until_it_is_needed(module):
    code = f"import sys, {module}; print(*sorted(name for name in {SLOW} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_a_fit_and_its_file_need_no_torch(tmp_path):
    code = (
        "import sys, compress\n"
        "matrix = compress.load_matrix('toy')\n"
        "compress.ProjectiveClustering(k=2, j=2, restarts=1).fit(matrix).save(sys.argv[1])\n"
        "compress.evaluate(matrix, compress.load(sys.argv[1]))\n"
        "print('torch' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.safetensors")], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_every_benchmark_finds_what_it_imports(path):
    assert import_module(f"benchmarks.{path.stem}").__doc__

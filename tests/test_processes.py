"""Several processes run the tests: what goes together is run by one of them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ["test_map.py", "test_app.py", "test_front.py", "test_losses.py"]
RUNS = """
import os

def test_one(): print("ran", __file__, os.environ["PYTEST_XDIST_WORKER"])
def test_two(): test_one()
def test_three(): test_one()
"""


def test_files_that_share_a_browser_are_run_by_one_process_and_no_file_by_two(tmp_path):
    (tmp_path / "conftest.py").write_text(
        (ROOT / "tests" / "conftest.py").read_text().replace('pytest_plugins = ("small_models",)', "")
    )
    (tmp_path / "browser").mkdir()
    for name in FILES:
        (tmp_path / ("browser" if name in ("test_map.py", "test_app.py") else ".") / name).write_text(RUNS)
    options = ["--numprocesses", "2", "--dist", "loadfile", "-rP", "--rootdir", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, env=environment, capture_output=True, text=True)
    ran = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("ran ")]
    assert len(ran) == 3 * len(FILES), done.stdout
    by = {Path(file).name: {worker for name, worker in ran if name == file} for file, _ in ran}
    assert all(len(workers) == 1 for workers in by.values())
    assert by["test_map.py"] == by["test_app.py"]

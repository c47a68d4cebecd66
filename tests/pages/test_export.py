"""Export: the file, the check that it gives the shown figures, the code that loads it, files that people bring."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, EmbeddingMatrix, Int4, LpLowRank, ProjectiveClustering
from compress.export.card import in_model
from compress.export.decoders import source_of
from compress.models.foreseen import Foreseen
from compress.models.swap import Swapped
from pages.parts.export import folder as export_folder
from pages.parts.export.code import python_code, shell_code
from pages.parts.export.file import checks, file_name
from pages.parts.pins import describe, to_link

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("cache", "operators_read_once")


@pytest.fixture
def toy():
    return compress.load_matrix("toy")


def opened(source="toy", **link):
    page = AppTest.from_file(ROOT / "pages" / "export.py", default_timeout=120)
    page.session_state["source"] = (str(source), None)
    for key, value in link.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def check_lines(page):
    table = next(markdown.value for markdown in page.markdown if "from the file" in markdown.value)
    return table.splitlines()[2:]


def uploaded(page, content):
    page.file_uploader(key="check_file").set_value(("brought.safetensors", content, "application/octet-stream"))
    page.run()
    assert not page.exception
    return page


def content_of(result, folder):
    result.save(folder / "x.safetensors")
    return (folder / "x.safetensors").read_bytes()


def test_the_file_of_the_setting_on_spectrum_is_there_at_once():
    page = opened()
    assert page.selectbox(key="export").value == "SVD, j = 3, float16"
    assert all(line.startswith("| ✓") for line in check_lines(page))
    assert any("toy-svd-j3-float16.safetensors" in code.value for code in page.code)


def test_pinned_settings_and_those_of_the_other_pages_are_offered():
    page = opened(pins='[["int4",{}],["svd",{"j":400}]]', j="7", precision="int8", k="3", flat_j="2")
    assert page.selectbox(key="export").options == [
        "int4 by row",
        "SVD, j = 7, int8",
        "k subspaces, k = 3, j = 2, float16",
        "ℓp low rank, p = 1, by rows, j = 3, float16",
        "LightToken, 384 bits, 1 stage, rank 0, int8",
    ]


@pytest.mark.parametrize("link", [{"export": "nonsense"}, {"j": "-4", "k": "banana", "flat_precision": "int3", "seed": "1e9"}])
def test_junk_in_the_link_gives_the_defaults(link):
    page = opened(**link)
    assert page.selectbox(key="export").value.startswith("SVD")


@pytest.mark.parametrize(
    "link, words",
    [
        ({"flat_p": "1.2"}, "p = 1.2, "),
        ({"flat_loss": "Tukey", "flat_p": "1.2"}, "Tukey, "),
        ({"flat_loss": "Huber", "flat_scale": "0.4"}, "Huber, λ = 0.4, "),
        ({"flat_loss": "magic", "flat_p": "7", "flat_scale": "-1"}, ""),
    ],
)
def test_the_loss_of_subspaces_is_offered(link, words):
    page = opened(k="3", flat_j="2", **link)
    assert page.selectbox(key="export").options[1] == f"k subspaces, {words}k = 3, j = 2, float16"


@pytest.mark.parametrize(
    "link, setting",
    [
        ({"robust_j": "4", "robust_p": "1.5", "robust_objective": "Entries"}, "ℓp low rank, p = 1.5, by entries, j = 4, float16"),
        ({"robust_loss": "Tukey", "robust_scale": "0.4"}, "k subspaces, Tukey, λ = 0.4, k = 1, j = 3, float16"),
        ({"robust_j": "x", "robust_p": "9", "robust_objective": "taste"}, "ℓp low rank, p = 1, by rows, j = 3, float16"),
    ],
)
def test_the_setting_on_robustness_is_offered(link, setting):
    assert opened(**link).selectbox(key="export").options[-2] == setting


@pytest.mark.parametrize(
    "link, setting",
    [
        ({"hash_bits": "64", "hash_stages": "4", "hash_rank": "2"}, "64 bits, 4 stages, rank 2, int8"),
        ({"hash_loss": "Direction", "hash_temperature": "0.3"}, "direction, 384 bits, 1 stage, rank 0, int8"),
        ({"hash_solver": "Paper", "hash_epochs": "5"}, "384 bits, 1 stage, rank 0, int8, paper solver, epochs 5"),
        ({"hash_bits": "x", "hash_stages": "3", "hash_rank": "-1", "hash_loss": "taste"}, "384 bits, 1 stage, rank 0, int8"),
    ],
)
def test_the_setting_on_hash_codes_is_offered(link, setting):
    assert opened(**link).selectbox(key="export").options[-1] == f"LightToken, {setting}"


@pytest.mark.parametrize(
    "name, settings",
    [
        ("lp", {"j": 3, "objective": "rows"}),
        ("lp", {"j": 3, "p": 1.5, "factor_bits": 8}),
        ("projective", {"loss": "huber", "j": 2, "restarts": 1}),
        ("light_token", {"bits": 16, "stages": 2, "passes": 5}),
        ("trellis", {"rate": 1.6, "states": 256}),
        ("pq", {"parts": 3, "code_bits": 4}),
        ("opq", {"parts": 3, "code_bits": 4, "dims": 15}),
        ("rq", {"parts": 3, "code_bits": 4}),
    ],
)
def test_fits_of_jobs_have_files(finish, jobs_within, name, settings):
    method = compress.METHODS[name](**settings)
    page = opened(pins=to_link([method]), export=describe(method))
    finish(page)
    assert not page.exception and not page.error
    lines = check_lines(page)
    assert all(line.startswith("| ✓") for line in lines) and any("ℓ1 error" in line for line in lines)


def test_the_folder_is_made_when_asked_for_and_its_files_are_shown(toy):
    page = opened(pins='[["int4",{}]]', export="int4 by row")
    assert not any("load.py" in markdown.value for markdown in page.markdown)
    page.download_button(key="folder").click().run()
    assert not page.exception
    table = next(markdown.value for markdown in page.markdown if "load.py" in markdown.value)
    result = Int4().fit(toy)
    assert f"| `load.py` | {len(source_of('int4').encode()):,} |" in table and "| `embedding.onnx` |" in table
    assert any("onnxruntime gives the vectors that torch gives, to the last bit" in caption.value for caption in page.caption)
    card = next(code.value for code in page.code if code.value.startswith("# toy, compressed"))
    assert f"| Relative error | {compress.evaluate(toy, result).relative_error:.4g} |" in card
    assert page.download_button(key="folder").label == "Folder (.zip)"
    page.selectbox(key="export").select("SVD, j = 3, float16").run()
    assert not any("load.py" in markdown.value for markdown in page.markdown)


def test_a_layer_that_onnx_cannot_hold_is_said_to_be_left_out(monkeypatch):
    monkeypatch.setattr("compress.export.onnx_layer.MOST_BYTES", 10)
    monkeypatch.setattr("pages.parts.export.folder.archive", export_folder.archive.__wrapped__)
    page = opened(pins='[["int8",{}]]', export="int8 by row")
    page.download_button(key="folder").click().run()
    assert not page.exception
    assert any("There is no ONNX file: the stored arrays take" in caption.value for caption in page.caption)


def test_a_folder_that_cannot_be_written_is_one_sentence(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pages.parts.export.folder.exported", full)
    monkeypatch.setattr("pages.parts.export.folder.archive", export_folder.archive.__wrapped__)
    page = opened(pins='[["int8",{}]]', export="int8 by row")
    page.download_button(key="folder").click().run()
    assert not page.exception
    assert [error.value for error in page.error] == [r"The folder cannot be written\: No space left on device\."]


def test_threads_that_ask_for_the_folder_at_once_get_one(toy, monkeypatch):
    made = []
    monkeypatch.setattr("pages.parts.export.folder.made", lambda *_: made.append(len(made)) or sleep(0.05) or made[-1])
    ask = export_folder.archive.__wrapped__(toy, None, "x", None)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: ask(), range(4))) == [0] * 4 and made == [0]


def test_a_link_names_the_setting():
    page = opened(pins='[["int4",{}]]', export="int4 by row")
    assert page.selectbox(key="export").value == "int4 by row"


def test_k_subspaces_are_fitted_in_full_before_there_is_a_file(finish, jobs_within):
    page = opened(k="2", flat_j="2", restarts="1", export="k subspaces, k = 2, j = 2, float16, restarts 1")
    assert not page.code
    finish(page)
    assert not page.exception
    assert all(line.startswith("| ✓") for line in check_lines(page))


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (9, 1)])
def test_tiny_matrices_have_files(tmp_path, shape):
    np.save(tmp_path / "small.npy", np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    assert all(line.startswith("| ✓") for line in check_lines(opened(tmp_path / "small.npy")))


def test_a_file_that_gives_other_figures_fails_its_check(toy, tmp_path):
    shown, other = SVD(j=5).fit(toy), SVD(j=4).fit(toy)
    other.save(tmp_path / "x.safetensors")
    failed = {
        check.what for check in checks(toy, shown, compress.evaluate(toy, shown), tmp_path / "x.safetensors") if not check.holds
    }
    assert {"Relative error", "Bytes to store", "Setting"} <= failed


def test_a_file_of_another_matrix_fails_its_check(toy, tmp_path):
    other = SVD(j=5).fit(EmbeddingMatrix(toy.values[::-1]))
    other.save(tmp_path / "x.safetensors")
    failed = {
        check.what for check in checks(toy, other, compress.evaluate(toy, other), tmp_path / "x.safetensors") if not check.holds
    }
    assert failed == {"Digest of the matrix"}


@pytest.mark.parametrize(
    "method, name",
    [
        (LpLowRank(j=3, p=1.2, objective="rows"), "toy-lp-p1.2-by-rows-j3-float16.safetensors"),
        (
            ProjectiveClustering(k=2, j=2, restarts=1, loss="geman_mcclure", scale=0.4),
            "toy-projective-geman-mcclure-scale0.4-k2-j2-float16-restarts-1.safetensors",
        ),
    ],
)
def test_file_names_tell_the_loss(toy, method, name):
    assert file_name(toy, method.fit(toy)) == name


@pytest.mark.parametrize("name", ["hub/org name", "../../etc/passwd", "a'b\"c.npy", "表", "x" * 400])
def test_file_names_are_plain(toy, name):
    result = SVD(j=3).fit(EmbeddingMatrix(toy.values, name=name))
    made = file_name(EmbeddingMatrix(toy.values, name=name), result)
    assert made.isascii() and not set(made) & set("/\\'\" ")
    assert len(made) < 120 and made.endswith("svd-j3-float16.safetensors")


def test_the_code_runs_beside_the_file(toy, tmp_path, monkeypatch):
    ProjectiveClustering(k=3, j=2, restarts=1).fit(toy).save(tmp_path / "it's.safetensors")
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(python_code("it's.safetensors", "toy", None), found)
    assert found["scores"].shape == (1, 3, 2)


def test_the_code_puts_the_file_into_the_demo_model_and_opens_it_again(demo, tmp_path, monkeypatch):
    import torch

    page = opened("demo", pins='[["int4",{}]]', export="int4 by row")
    code = next(block.value for block in page.code if "swap_embedding" in block.value)
    assert "AutoModel.from_pretrained(model_folder())" in code
    assert any("BertModel then takes" in caption.value and "no output layer" in caption.value for caption in page.caption)
    result = Int4().fit(demo)
    result.save(tmp_path / "demo-int4.safetensors")
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(code, found)
    with torch.no_grad():
        out = found["model"](torch.tensor([[101, 7592, 102]])).last_hidden_state
    assert out.shape == (1, 3, 384) and torch.isfinite(out).all()
    vectors = found["model"].get_input_embeddings()(torch.tensor([7592])).numpy()
    np.testing.assert_allclose(vectors, result.rows([7592]), atol=1e-6)


def test_the_command_lines_run_beside_the_file(toy, tmp_path):
    result = Int4().fit(toy)
    result.save(tmp_path / "toy.safetensors")
    lines = shell_code("toy.safetensors", "toy").replace("python ", f"{sys.executable} ")
    done = subprocess.run(lines, shell=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.allclose(np.load(tmp_path / "decoded.npy"), result.reconstruct(), atol=1e-6)
    assert f"{compress.evaluate(toy, result).relative_error:.6g}" in done.stdout


def test_names_with_spaces_are_quoted_on_the_command_line():
    assert (
        shell_code("a b.safetensors", "c d.npz", tensor="e f")
        .splitlines()[1]
        .endswith("'a b.safetensors' --source 'c d.npz' --tensor 'e f'")
    )


def test_a_model_of_the_hub_is_named_in_the_code():
    swapped = Swapped("LlamaForCausalLM", True, "compressed", 4, 1, 0, 0, 8, 5)
    for revision, words in ((None, "from_pretrained('org/name')"), ("v1", "from_pretrained('org/name', revision='v1')")):
        code = python_code("x.safetensors", "hub:org/name", Foreseen("org/name", revision, "AutoModelForCausalLM", swapped, None))
        assert f"AutoModelForCausalLM.{words}" in code


def test_a_model_that_cannot_take_the_table_is_said_to(toy):
    model = Foreseen("org/name", None, "AutoModel", None, "its table is another")
    assert "swap_embedding" not in python_code("x.safetensors", "hub:org/name", model)
    assert "org/name cannot take it: its table is another." in in_model(model)


def test_a_brought_file_is_compared_with_the_open_matrix(toy, tmp_path):
    page = uploaded(opened(), content_of(Int4().fit(toy), tmp_path))
    assert any("the one that is open" in message.value for message in page.success)


def test_a_brought_file_of_another_shape_is_named(tmp_path):
    other = EmbeddingMatrix(np.random.default_rng(0).standard_normal((40, 7)).astype(np.float32))
    page = uploaded(opened(), content_of(SVD(j=3).fit(other), tmp_path))
    assert any("40 × 7" in message.value and "cannot be compared" in message.value for message in page.warning)


def test_a_brought_file_of_another_matrix_is_named(toy, tmp_path):
    page = uploaded(opened(), content_of(SVD(j=3).fit(EmbeddingMatrix(toy.values[::-1])), tmp_path))
    assert any("another matrix of that shape" in message.value for message in page.warning)


@pytest.mark.parametrize("damage", [lambda content: content[:200], lambda content: b"", lambda content: b"\xff" * 500])
def test_a_damaged_file_is_said_to_be_one(toy, tmp_path, damage):
    page = uploaded(opened(), damage(content_of(SVD(j=3).fit(toy), tmp_path)))
    assert len(page.error) == 1


def test_a_file_of_something_else_is_said_to_be_one(tmp_path):
    from safetensors.numpy import save

    page = uploaded(opened(), save({"x": np.ones((3, 3), np.float32)}))
    assert any("holds no compressed matrix" in message.value for message in page.error)

"""What was saved and copied before the folders were laid out anew still opens: a file of every method, and a link."""

import base64
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress.form.file import checksum
from tests.pages.drawn import shown_cards

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
KEPT = json.loads((HERE / "files.json").read_text())
LINK = base64.b64decode((HERE / "link.b64").read_text()).decode()
SCREENS = {
    "spectrum": {"j": 7, "precision": "int8", "log": True},
    "subspaces": {
        **{"k": 3, "flat_j": 4, "affine": True, "restarts": 2, "seed": 11, "flat_precision": "int4", "flat_loss": "ℓp"},
        **{"flat_p": 1.5, "layout": "PCA", "colour": "norm", "map_token": "outlier 5"},
    },
    "robustness": {
        **{"robust_j": 5, "robust_loss": "ℓp", "robust_p": 1.25, "robust_objective": "Entries", "planted": 6},
        **{"planted_length": 12, "robust_log": True},
    },
    "hash_codes": {
        **{"hash_rank": 2, "hash_bits": 48, "hash_stages": "2", "hash_loss": "Direction", "hash_solver": "Paper"},
        **{"hash_temperature": 0.05, "hash_epochs": 3, "hash_cosine": True},
    },
    "tradeoffs": {"budget_ratio": 12, "weighted_measure": "weighted error", "log_error": True},
    "lesson": {"lesson_flats_k": 2, "lesson_flats_j": 1},
}
PINS = ["svd", "projective", "trellis"]


@pytest.mark.parametrize("kept", KEPT["files"], ids=lambda kept: kept["method"])
def test_a_file_saved_before_gives_the_values_that_it_gave(kept, tmp_path):
    path = tmp_path / "kept.safetensors"
    path.write_bytes(base64.b64decode(kept["file"]))
    result = compress.load(path)
    assert (result.method.name, result.method.settings) == (kept["method"], kept["settings"])
    assert (list(result.shape), result.digest, result.n_bytes) == (KEPT["shape"], KEPT["digest"], kept["n_bytes"])
    before = np.frombuffer(base64.b64decode(kept["decoded"]), np.float32).reshape(result.shape)
    np.testing.assert_allclose(result.reconstruct(), before, rtol=0, atol=1e-6 * np.abs(before).max())
    again = tmp_path / "again.safetensors"
    result.save(again)
    (said, arrays), (header, other) = split(path.read_bytes()), split(again.read_bytes())
    assert (header, other) == (said | {"checksum": checksum(said)}, arrays)


def split(content):
    """What the header of a file says of it, and the arrays behind it."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8:end])["__metadata__"]["flatland"]), content[end:]


def test_there_is_a_file_of_every_method_that_there_was():
    assert {kept["method"] for kept in KEPT["files"]} == {
        *("svd", "projective", "lp", "light_token", "trellis", "pq", "opq", "rq", "int8", "int4", "dimensions")
    }


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """`opened(page)` runs a page at the address that was copied."""
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))

    def run(name):
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=90)
        for key, value in parse_qsl(urlsplit(LINK).query):
            page.query_params[key] = value
        return page.run()

    return run


@pytest.mark.parametrize("name", SCREENS)
def test_a_link_copied_before_gives_the_same_screen(opened, name):
    page = opened(name)
    assert not page.exception and not page.error
    assert {key: page.session_state[key] for key in SCREENS[name]} == SCREENS[name]


def test_a_link_copied_before_has_its_pins_and_weights(opened):
    page = opened("spectrum")
    assert [method.name for method in page.session_state["pins"]] == PINS
    assert page.session_state["weights"][0] == "order:0.5"
    assert "Weighted error" in [card.label for card in shown_cards(page)]

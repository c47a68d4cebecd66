"""Row weights in the sidebar: chosen, kept, refused, in the link; and no result of other weights is ever shown."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

import compress
from compress.form.metrics import error_text
from compress.methods import SVD, LightToken, ProjectiveClustering
from compress.tuning.sweep import Trials
from pages.parts.fits import fit_path
from pages.parts.weights import weights_option
from tests.pages.drawn import drawn

WEIGHTED = "Weighted error"


def toy(weights="order:1"):
    return compress.load_matrix("toy", weights=weights)


def captions(page):
    return " ".join(caption.value for caption in page.caption)


@pytest.fixture
def skewed(tmp_path):
    """A file of weights that lie on the rows of the toy's first flat."""
    tokens = compress.load_matrix("toy").tokens
    path = tmp_path / "use.csv"
    path.write_text(
        "uses,other\n" + "".join(f"{100 if token.startswith('flat 1') else 1},{row}\n" for row, token in enumerate(tokens))
    )
    return path


def test_uniform_weights_show_nothing_more(open_page, figures):
    page = open_page("app", j=3)
    assert WEIGHTED not in figures(page)
    assert page.selectbox(key="weights_kind").value == "uniform"
    assert "Heaviest" not in captions(page)


def test_order_weights_show_the_weighted_error_beside_the_plain_one(open_page, figures):
    page = open_page("app", j=3)
    page.selectbox(key="weights_kind").set_value("order").run()
    assert page.slider(key="weights_a").value == 0.5
    assert "3,000 × 30 · rows weighted" in captions(page)
    page.slider(key="weights_a").set_value(1.2).run()
    assert not page.exception
    matrix = toy("order:1.2")
    result = compress.evaluate(matrix, SVD(j=3).fit(matrix))
    assert figures(page)["Relative error"] == error_text(result.relative_error)
    assert figures(page)[WEIGHTED] == error_text(result.weighted_error)
    assert f"Heaviest: {' · '.join(matrix.tokens[:5])}" in captions(page).replace("\\", "")
    page.selectbox(key="weights_kind").set_value("uniform").run()
    assert "rows weighted" not in captions(page)
    plain = toy("uniform")
    assert figures(page)["Relative error"] == error_text(compress.evaluate(plain, SVD(j=3).fit(plain)).relative_error)
    assert WEIGHTED not in figures(page)


def test_a_link_brings_weights_by_order_and_gives_them_on(open_page, figures):
    page = open_page("app", weights="order:0.7", j=3)
    assert page.session_state["weights"][0] == "order:0.7"
    assert page.slider(key="weights_a").value == 0.7
    assert WEIGHTED in figures(page)
    page.session_state["link"] = True
    assert "weights=order%3A0.7" in page.run().code[0].value


@pytest.mark.parametrize("weights", ["counts:/etc/hostname", "column:/etc/hostname", "column:upload:00/use.csv"])
def test_a_link_cannot_name_a_file_of_weights_on_another_machine(open_page, monkeypatch, weights):
    monkeypatch.setattr("pages.parts.paths.is_local", lambda: False)
    page = open_page("app", weights=weights)
    assert page.session_state["weights"][0] == "uniform"
    assert any("weights rows by is not here" in warning.value for warning in page.warning)


@pytest.mark.parametrize(
    "weights, words",
    [
        ("order:9", "A in order:A must be a number between 0 and 1.5, got '9'."),
        ("order:", "A in order:A must be a number between 0 and 1.5, got ''."),
        ("banana", "weights must be uniform, order:A, counts:TEXTFILE, scripts:NAMES or column:FILE[:NAME], got 'banana'."),
        ("", "weights must be uniform, order:A, counts:TEXTFILE, scripts:NAMES or column:FILE[:NAME], got ''."),
    ],
)
def test_junk_weights_in_a_link_are_refused_and_all_rows_weigh_the_same(open_page, errors, figures, weights, words):
    page = open_page("app", weights=weights, j=3)
    assert not page.exception and errors(page) == [words]
    assert page.session_state["weights"][0] == "uniform" and WEIGHTED not in figures(page)
    values = compress.load_matrix("toy").values.astype(np.float64)
    sizes = np.linalg.svd(values, compute_uv=False)
    assert float(figures(page)["Relative error"]) == pytest.approx((sizes[3:] ** 2).sum() / (sizes**2).sum(), abs=6e-4)


def test_a_page_on_its_own_reads_the_weights_of_the_link(open_page, figures):
    assert WEIGHTED in figures(open_page("spectrum", weights="order:1"))


def test_a_column_of_a_file_is_used_and_travels_on_this_machine(open_page, figures, skewed):
    page = open_page("app", j=3)
    page.selectbox(key="weights_kind").set_value("column").run()
    assert "Still in use: uniform weights" in captions(page)
    page.text_input(key="weights_column_path").set_value(str(skewed)).run()
    page.text_input(key="weights_column").set_value("uses").run()
    assert not page.exception and not page.error
    assert page.session_state["weights"][0] == f"column:{skewed}:uses"
    assert any(text.value.endswith("rows weighted") for text in page.caption)  # at once
    matrix = toy(f"column:{skewed}:uses")
    page.run()
    assert figures(page)[WEIGHTED] == error_text(compress.evaluate(matrix, SVD(j=3).fit(matrix)).weighted_error)
    page.session_state["link"] = True
    said = parse_qs(urlsplit(page.run().code[0].value).query)
    assert said["weights"] == [f"column:{skewed}:uses"]
    again = open_page("app", j=3, weights=said["weights"][0])
    assert figures(again)[WEIGHTED] == figures(page)[WEIGHTED]


def test_rows_are_weighted_by_script(open_page, errors, tmp_path):
    words = ["alpha", "бета", "gamma", "5"]
    rows = np.random.default_rng(0).standard_normal((4, 3))
    lines = [",".join([word, *map(str, row)]) for word, row in zip(words, rows, strict=True)]
    (tmp_path / "words.csv").write_text("\n".join(["word,a,b,c", *lines]), encoding="utf-8")
    page = open_page("app", matrix=tmp_path / "words.csv")
    page.selectbox(key="weights_kind").set_value("scripts").run()
    assert page.session_state["weights"][0] == "scripts:Latin" and "Heaviest: alpha · gamma · 5 · бета" in captions(page)
    page.text_input(key="weights_scripts").set_value("Thai").run()
    assert errors(page) == ["No token is written in Thai; take other scripts."]
    assert "Still in use: weights by script, Latin" in captions(page)


def test_a_text_is_counted(open_page, tmp_path):
    (tmp_path / "text.txt").write_text("outlier 5 outlier\n")
    table = tmp_path / "words.csv"
    words = ["alpha", "outlier", "beta", "5"]
    table.write_text("word,x,y\n" + "".join(f"{word},{row}.5,{row * row}.25\n" for row, word in enumerate(words)))
    page = open_page("app", matrix=table)
    page.selectbox(key="weights_kind").set_value("counts").run()
    page.text_input(key="weights_counts_path").set_value(str(tmp_path / "text.txt")).run()
    assert not page.exception and not page.error
    page.run()
    assert "Heaviest: outlier · 5 · alpha · beta" in captions(page)


def test_what_rows_cannot_be_weighted_by_is_not_offered(open_page, errors, tmp_path):
    lines = "".join(f"A title of text {row},{row % 7}.5,{row % 5}.25\n" for row in range(40))
    (tmp_path / "documents.csv").write_text("title,x,y\n" + lines)
    page = open_page("app", weights="order:1", matrix=tmp_path / "documents.csv")
    assert any("documents.csv cannot be weighted by row order" in error for error in errors(page))
    assert page.selectbox(key="weights_kind").options == ["Uniform", "A column of a file"]
    assert page.session_state["weights"][0] == "uniform" and not page.run().error
    np.save(tmp_path / "plain.npy", np.eye(5))
    plain = open_page("app", matrix=tmp_path / "plain.npy").selectbox(key="weights_kind")
    assert plain.options == ["Uniform", "By row order", "A column of a file"]


def test_a_bad_file_is_refused_and_the_weights_in_use_stay(open_page, figures, errors, tmp_path):
    page = open_page("app", weights="order:1", j=3)
    before = figures(page)
    (tmp_path / "short.txt").write_text("1\n2\n")
    page.selectbox(key="weights_kind").set_value("column").run()
    page.text_input(key="weights_column_path").set_value(str(tmp_path / "short.txt")).run()
    assert any("short.txt has 2 numbers for 3,000 rows" in error for error in errors(page))
    assert "Still in use: weights by order, a = 1" in captions(page)
    assert figures(page) == before


def test_another_matrix_keeps_weights_by_order_and_drops_those_of_a_file(open_page, tmp_path, skewed):
    np.save(tmp_path / "other.npy", np.random.default_rng(0).standard_normal((40, 6)))
    page = open_page("app", weights="order:1")
    page.selectbox(key="matrix_kind").set_value("path").run()
    page.text_input(key="matrix_path").set_value(str(tmp_path / "other.npy")).run()
    assert page.session_state["weights"][0] == "order:1"
    assert "Heaviest: row 0 · row 1" in captions(page)

    page.selectbox(key="matrix_kind").set_value("toy").run()
    page.selectbox(key="weights_kind").set_value("column").run()
    page.text_input(key="weights_column_path").set_value(str(skewed)).run()
    page.text_input(key="weights_column").set_value("uses").run()
    assert page.session_state["weights"][0].startswith("column:")
    page.selectbox(key="matrix_kind").set_value("path").run()
    page.text_input(key="matrix_path").set_value(str(tmp_path / "other.npy")).run()
    assert not page.exception
    assert page.session_state["weights"][0] == "uniform"
    assert page.selectbox(key="weights_kind").value == "uniform"
    assert "belonged to the matrix before" in captions(page)


def test_a_file_of_weights_that_is_gone_gives_uniform_weights(open_page, errors, skewed, tmp_path):
    path = tmp_path / "w.npy"
    np.save(path, np.arange(3000.0))
    page = open_page("app")
    page.selectbox(key="weights_kind").set_value("column").run()
    page.text_input(key="weights_column_path").set_value(str(path)).run()
    assert page.session_state["weights"][0] == f"column:{path}"
    path.unlink()
    page.run()
    assert not page.exception
    assert any("There is no file" in error for error in errors(page))
    assert page.session_state["weights"][0] == "uniform"


def test_a_job_gets_the_weights_to_the_last_bit(cache):
    for spec in ("order:0.3", "order:1.1"):
        matrix = toy(spec)
        assert toy(weights_option(matrix)).key == matrix.key != toy("uniform").key
    assert weights_option(toy("uniform")) is None
    assert len(list((cache / "weights").iterdir())) == 2


@pytest.mark.parametrize("page_name", ["subspaces", "robustness", "hash_codes"])
def test_a_fit_on_disk_of_other_weights_is_not_shown(open_page, jobs_within, finish, figures, page_name):
    """A full fit lies there for uniform weights; under weights the page shows a preview, starts its own fit and shows that."""
    methods = {
        "subspaces": (ProjectiveClustering(k=4, j=3), {"k": 4, "flat_j": 3}),
        "robustness": (compress.LpLowRank(j=3, p=1.0, objective="rows"), {"robust_j": 3}),
        "hash_codes": (LightToken(rank=0, bits=64), {"hash_bits": 64, "hash_rank": 0}),
    }
    method, address = methods[page_name]
    plain, matrix = toy("uniform"), toy()
    method.fit(plain).save(fit_path(plain.key, method))
    page = open_page(page_name, **address)
    assert "Full fit" in captions(page)
    assert not any(label.startswith(WEIGHTED) for label in figures(page))

    page = open_page(page_name, weights="order:1", **address)
    assert "**Preview**" in captions(page)
    path = fit_path(matrix.key, method)
    assert path.name != fit_path(plain.key, method).name
    page = finish(page)
    assert path.exists()
    assert not page.exception
    assert "Full fit" in captions(page)
    expected = compress.evaluate(matrix, method.fit(matrix))
    assert figures(page)["Relative error"] == error_text(expected.relative_error)
    assert figures(page)[WEIGHTED] == error_text(expected.weighted_error)


def test_a_sweep_of_the_page_finds_its_trials_again(open_page, jobs_within, cache):
    page = open_page("tradeoffs", weights="order:1")
    assert not page.exception
    page.button[[button.label.startswith("Fit ") for button in page.button].index(True)].click().run()
    page.session_state["jobs"]["sweep"].wait(120)
    store = Trials(cache / "trials" / "trials.sqlite")
    assert list(store.of(toy().key))
    assert not list(store.of(toy("uniform").key))
    page.run()
    assert "Every setting of the sweep is fitted" in captions(page)


def test_k_at_equal_bytes_is_fitted_and_drawn_by_the_weighted_error(open_page, jobs_within, cache):
    page = open_page("subspaces", k=2, flat_j=2, restarts=1, weights="order:1")
    page.session_state["panel"] = "k at equal bytes"
    page.run()
    next(button for button in page.button if button.label.startswith("Fit k =")).click().run()
    page.session_state["jobs"]["k"].wait(120)
    found = list(Trials(cache / "trials" / "trials.sqlite").of(toy().key))
    assert len(found) > 5
    page.session_state["panel"] = "k at equal bytes"
    page.run()
    assert not any(button.label.startswith("Fit k =") for button in page.button)
    chart = drawn(page)[-1]
    assert chart["layout"]["yaxis"]["title"]["text"] == "weighted error"
    assert {trial.figures["weighted_error"] for trial in found} == set(chart["data"][0]["y"])


def test_an_exported_file_is_checked_by_both_errors(open_page, figures):
    page = open_page("export", weights="order:1", j=3)
    assert not page.exception
    table = next(markdown.value for markdown in page.markdown if "from the file" in markdown.value)
    assert "| ✓ | Weighted error |" in table and "✗" not in table
    assert WEIGHTED in figures(page)
    assert any("evaluate" in code.value and "--weights order:1" in code.value for code in page.code)

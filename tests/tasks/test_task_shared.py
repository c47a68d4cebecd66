"""Tasks on real models and data, where they lie beside the checkout: figures known from elsewhere."""

from pathlib import Path

import pytest

from compress import SVD, load_matrix, tasks
from compress.models.open import open_model
from compress.tasks.bench import Bench
from compress.tasks.glue import GLUE, read_glue
from compress.tasks.labelled import FIGURES
from compress.tasks.unlabelled import cosines

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def folder(name):
    if not (DATA / name).exists():
        pytest.skip(f"no {name} beside the checkout")
    return DATA / name


def test_the_language_models_perplexity_is_the_known_one_and_grows_when_its_table_is_cut():
    path = folder("stories260K")
    perplexity, *_ = tasks.judge(
        open_model(path), {"svd": SVD(j=40).fit(load_matrix(path))}, ["perplexity"], text=path / "tinystories_ids.json"
    )
    assert perplexity.before == pytest.approx(5.5255, abs=5e-5) and perplexity.n == 18_466
    assert perplexity.after > 2 * perplexity.before


@pytest.fixture(scope="module")
def model():
    return open_model("demo")


def test_the_demos_correlation_on_stsb_is_the_known_one(demo, model):
    bench = Bench(model, {"before": demo.values})
    test = read_glue(GLUE["stsb"], folder("glue_stsb").parent)[1][""]
    said = cosines(bench.vectors("before", test.texts), bench.vectors("before", test.others))
    assert FIGURES["Spearman correlation"](test.labels, said) == pytest.approx(0.8672, abs=5e-5)


def test_a_head_on_the_demos_vectors_tells_good_reviews_from_bad(demo, model):
    (score,) = tasks.judge(model, {"svd": SVD(j=30).fit(demo)}, ["sst2"], data=folder("glue_sst2").parent, limit=200)
    assert score.before > 0.65 > score.after
    assert score.before_spread > 0 and score.n == 200


@pytest.mark.parametrize(("name", "n", "of"), [("cola", 527, 8551), ("rte", 277, 2490), ("stsb", 1500, None), ("sst2", 872, 67349)])
def test_the_tasks_are_read_whole(name, n, of):
    train, tests = read_glue(GLUE[name], folder(f"glue_{name}").parent)
    assert tests[""].n == n and (train.n if train else None) == of

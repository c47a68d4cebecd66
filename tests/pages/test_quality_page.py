"""Model quality: neighbours, tasks, healing; long jobs are replaced by ones that only note what they were asked."""

import json
import re
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

import compress
from compress import SVD, __main__
from compress.analysis.neighbours import error_by_use, most_changed, neighbours
from compress.charts import quality as quality_charts
from compress.linalg.blocks import unit_rows
from compress.training.healing import state_of, words_of
from pages.parts.model_quality.controls import tasks_in
from pages.parts.model_quality.records import file_of, healed_path, report_path
from pages.parts.model_quality.tasks import lines_of
from pages.parts.quick_fits import Fitted
from pages.parts.work import queue
from pages.parts.work.job import Job

ROWS, DIM = 60, 8


class Noted(Job):
    """A job that runs for ever, or has ended with an error."""

    asked: ClassVar[list] = []
    error, stopped, left, waiting, running = None, False, None, False, True

    def __init__(self, key, arguments, **how):
        super().__init__(key, arguments, **how)
        self.running = self.error is None
        self.asked.append(arguments)

    def stop(self):
        self.running = False


@pytest.fixture
def noted(monkeypatch):
    monkeypatch.setattr(queue, "Job", Noted)
    monkeypatch.setattr(Noted, "asked", [])
    return Noted


@pytest.fixture
def model_folder(tmp_path):
    """What a folder of a model looks like from outside, with tokens that mean something to Markdown and HTML."""
    folder = tmp_path / "model"
    folder.mkdir()
    values = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)
    save_file({"embeddings.word_embeddings.weight": values}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": ROWS}))
    (folder / "vocab.txt").write_text("\n".join(["<b>bold</b>", "$x$", "[a](b)", "a|b", *(f"word{i}" for i in range(4, ROWS))]))
    return folder


def said(elements):
    return [re.sub(r"\\(.)", r"\1", each.value) for each in elements]


def fitted_file(source, j):
    """The matrix, what SVD makes of it, and the file that the page keeps of that."""
    matrix = compress.load_matrix(str(source))
    result = SVD(j=j).fit(matrix)
    return matrix, result, file_of(matrix, Fitted(result, compress.evaluate(matrix, result)))


def report(path, matrix, result, **more):
    """A report as a judge writes it."""
    scores = [
        {
            "task": "sst2",
            "metric": "accuracy",
            "better": "more",
            "table": "x",
            "before": 0.8,
            "after": 0.6,
            "refitted": 0.7,
            "before_spread": 0.01,
            "after_spread": 0.02,
            "refitted_spread": 0.01,
            "seeds": 3,
            "n": 100,
            "seconds": 1.0,
        }
    ]
    swap = {
        "model": "BertModel",
        "tied": False,
        "output": "none",
        "embedding_bytes_before": matrix.n_bytes,
        "embedding_bytes": result.n_bytes,
        "output_bytes_before": 0,
        "output_bytes": 0,
        "model_bytes_before": 2 * matrix.n_bytes,
        "model_bytes": matrix.n_bytes + result.n_bytes,
    }
    figures = compress.evaluate(matrix, result).figures()
    about = {"method": result.method.name, "settings": result.method.settings, "limit": 500, "text": None, "swap": swap}
    path.write_text(json.dumps({**about, **figures, "scores": scores, **more}))


def test_the_ten_nearest_before_and_after_stand_side_by_side(open_page):
    page = open_page("model_quality", quality_token="#7")
    assert not page.exception
    matrix = compress.load_matrix("toy")
    found = neighbours(matrix, SVD(j=3).fit(matrix), 7)
    before, after = page.dataframe[0].value, page.dataframe[1].value
    assert list(before["row"]) == [matrix.tokens[row] for row in found.before]
    assert list(after["row"]) == [matrix.tokens[row] for row in found.after]
    assert list(after["place before"]) == list(found.before_ranks)
    lost = [row for row, mark in zip(found.before, before[""], strict=True) if "lost" in mark]
    assert lost == list(found.lost) and sum("gained" in mark for mark in after[""]) == len(found.gained)


def test_the_most_changed_of_the_sample_are_listed(open_page, monkeypatch):
    monkeypatch.setattr("pages.parts.model_quality.changed.SAMPLE", 10**6)
    page = open_page("model_quality")
    matrix = compress.load_matrix("toy")
    after = SVD(j=3).fit(matrix).reconstruct()
    changed = most_changed(unit_rows(matrix.values), unit_rows(after), limit=12)
    assert list(page.dataframe[2].value["row"]) == [matrix.tokens[row] for row in changed.rows]


def test_a_typed_part_of_a_token_offers_those_that_hold_it(open_page, model_folder, noted):
    page = open_page("model_quality", matrix=model_folder, quality_token="d5")
    which = page.selectbox(key="which of d5")
    assert which.options[0] == "word5, row 5" and len(which.options) == 11
    which.set_value(51).run()
    assert any(text.startswith("**word51**, row 51") for text in said(page.caption))


def test_tokens_are_shown_as_text_and_nothing_else(open_page, model_folder, noted):
    page = open_page("model_quality", matrix=model_folder, quality_token="#0")
    assert any(caption.value.startswith(r"**\<b\>bold\</b\>**, row 0") for caption in page.caption)


def test_without_a_model_it_says_that_only_neighbours_and_search_can_be_compared(open_page):
    page = open_page("model_quality")
    assert "only neighbours and search can be compared" in page.info[0].value
    assert page.multiselect(key="judge_tasks").options == ["Neighbours@10", "Search"]
    assert not [button for button in page.button if button.key == "heal"]


def test_run_starts_the_job_with_the_tasks_that_were_chosen(open_page, model_folder, noted):
    page = open_page("model_quality", matrix=model_folder, judge_seeds=2, judge_limit=200)
    page.button(key="judge").click().run()
    (asked,) = noted.asked
    assert asked[:2] == ["judge", str(model_folder)]
    assert asked[asked.index("--tasks") + 1] == "cosine,neighbours" and asked[asked.index("--limit") + 1] == "200"
    assert asked[asked.index("--seeds") + 1] == "2"
    assert page.button(key="judge").disabled and page.button(key="stop_judge")


@pytest.mark.parametrize("said, chosen", [("Neighbours@10", ["neighbours"]), ("SQuAD", None), ("magic", None), ("", [])])
def test_the_tasks_of_a_link_are_chosen_where_they_are_offered(open_page, model_folder, noted, said, chosen):
    page = open_page("model_quality", matrix=model_folder, judge_tasks=said)
    assert page.multiselect(key="judge_tasks").value == (["cosine", "neighbours"] if chosen is None else chosen)


def test_a_task_that_fails_says_why(open_page, model_folder, noted, monkeypatch, errors):
    monkeypatch.setattr(Noted, "error", "The model has no tokenizer; give ids.")
    page = open_page("model_quality", matrix=model_folder)
    page.button(key="judge").click().run()
    assert errors(page) == ["The model has no tokenizer; give ids."]
    assert not page.button(key="judge").disabled


def test_a_folder_of_tasks_offers_what_lies_in_it(open_page, model_folder, noted, tmp_path, errors):
    data = tmp_path / "data"
    for name in ("SST-2", "STS-B", "squad"):
        (data / name).mkdir(parents=True)
    assert tasks_in(str(data)) == ["sst2", "stsb", "squad"]
    page = open_page("model_quality", matrix=model_folder)
    assert not {"SST-2", "CoLA"} & {*page.multiselect(key="judge_tasks").options}
    page.text_input(key="judge_data").set_value(str(data)).run()
    assert page.multiselect(key="judge_tasks").options == ["Sentence vectors", "Neighbours@10", "Search", "SST-2", "STS-B", "SQuAD"]
    page.text_input(key="judge_data").set_value(str(data / "none")).run()
    assert "There is no folder" in errors(page)[0]


def test_an_empty_text_is_refused_before_anything_runs(open_page, model_folder, noted, errors):
    page = open_page("model_quality", matrix=model_folder)
    page.button_group(key="judge_text").set_value("Upload").run()
    assert page.button(key="judge").disabled
    page.file_uploader(key="judge_upload").set_value(("texts.txt", b"\n \n", "text/plain")).run()
    assert errors(page) == ["texts.txt is empty; give a text with something on its lines."]
    assert page.button(key="judge").disabled
    page.file_uploader(key="judge_upload").set_value(("texts.txt", b"One text.\nAnother.\n", "text/plain")).run()
    page.button(key="judge").click().run()
    assert noted.asked[0][noted.asked[0].index("--text") + 1].endswith("texts.txt")


def test_scores_on_disk_are_shown_with_the_size_of_the_whole_model(open_page, model_folder, noted):
    matrix, result, file = fitted_file(model_folder, 1)
    report(report_path(file, "asked"), matrix, result)
    page = open_page("model_quality", matrix=model_folder, j=1)
    assert not page.exception
    table = next(each.value for each in page.dataframe if "task" in each.value)
    assert list(table["task"]) == ["SST-2"] and list(table["new head"]) == [0.7]
    whole = 2 * matrix.n_bytes
    assert any(
        "BertModel" in text and f"{1 - (whole - matrix.n_bytes + result.n_bytes) / whole:.0%} less" in text
        for text in said(page.caption)
    )
    assert page.selectbox(key="compare 1").options == ["SST-2: accuracy (n = 100, 3 seeds)"]
    page = open_page("model_quality", matrix=model_folder, j=2)  # a setting that was not judged has a size too, and the comparison
    assert any("BertModel" in text for text in said(page.caption)) and any("Not judged yet" in text for text in said(page.caption))
    assert page.selectbox(key="compare 1").options


def test_the_comparison_is_filled_by_the_tasks_that_are_chosen(open_page, model_folder, noted):
    page = open_page("model_quality", matrix=model_folder)
    page.multiselect(key="judge_tasks").set_value(["neighbours"]).run()
    page.toggle(key="compare_heal").set_value(True).run()
    page.button(key="fill").click().run()
    assert not page.exception
    (asked,) = noted.asked
    assert callable(__main__.parser().parse_args(asked).run)
    assert asked[:2] == ["compare", str(model_folder)] and asked[asked.index("--tasks") + 1] == "neighbours" and "--heal" in asked
    assert page.button(key="fill").disabled


def test_scores_on_different_examples_are_not_set_side_by_side():
    same = {
        "task": "sst2",
        "metric": "accuracy",
        "text": "built-in",
        "better": "more",
        "seeds": 1,
        "limit": 200,
        "before_spread": 0.0,
        "after_spread": 0.0,
        "refitted": None,
        "refitted_spread": None,
    }
    fitted = {**same, "healed": False, "n": 200, "before": 0.8, "after": 0.6}
    healed = {**same, "healed": True, "n": 200, "before": 0.8, "after": 0.7}
    assert list(lines_of(pd.DataFrame([fitted, healed]))["value"]) == [0.8, 0.6, 0.7]
    fewer = {**healed, "n": 100, "before": 0.9}
    assert list(lines_of(pd.DataFrame([fitted, fewer]))["value"]) == [0.9, 0.7]


def test_a_report_that_is_not_whole_is_passed_over(open_page, model_folder, noted):
    file = fitted_file(model_folder, 1)[2]
    report_path(file, "asked").write_text('{"method": "svd", "scor')
    page = open_page("model_quality", matrix=model_folder, j=1)
    assert not page.exception and any("Not judged yet" in text for text in said(page.caption))


def test_what_the_command_reports_is_what_the_page_shows(open_page, cache):
    file = fitted_file("toy", 3)[2]
    path = report_path(file, "asked")
    assert __main__.main(["judge", "toy", "--file", str(file), "--tasks", "neighbours", "--report", str(path)]) == 0
    (score,) = json.loads(path.read_text())["scores"]
    page = open_page("model_quality")
    table = next(each.value for each in page.dataframe if "task" in each.value)
    assert list(table["after"]) == [score["after"]] and list(table["figure"]) == ["overlap@10"]


def test_a_healed_form_is_found_again_and_can_be_judged(open_page, model_folder, noted, figures):
    _, result, file = fitted_file(model_folder, 1)
    path = healed_path(file, "built-in", 40)
    result.save(path)
    history = {"distance": {"before": 0.5, "refitted": 0.4, "healed": 0.25}, "measure": "1 − cosine of sentence vectors"}
    path.with_suffix(".json").write_text(json.dumps({**history, "texts": 9, "losses": [[1, 0.5], [2, 0.3]], "seconds": 3.0}))
    page = open_page("model_quality", matrix=model_folder, j=1, heal_steps=40)
    assert not page.exception
    assert (figures(page)["Distance before"], figures(page)["Healed"]) == ("0.5", "0.25")
    page.button(key="judge_healed").click().run()
    assert noted.asked[0][noted.asked[0].index("--file") + 1] == str(path)
    page = open_page("model_quality", matrix=model_folder, j=1, heal_steps=41)
    assert "Healed" not in figures(page)
    page.button(key="heal").click().run()
    asked = noted.asked[-1]
    assert asked[0] == "heal" and asked[asked.index("--steps") + 1] == "41" and "--text" not in asked


def test_a_healing_that_was_stopped_is_shown_with_what_is_kept_and_goes_on(open_page, model_folder, noted, figures, monkeypatch):
    _, result, file = fitted_file(model_folder, 1)
    path = healed_path(file, "built-in", 40)

    def page_of(losses):
        history = {"distance": {"before": 0.5, "healed": 0.4}, "measure": "1 − cosine", "texts": 9, "seconds": 3.0, "steps": 40}
        path.with_suffix(".json").write_text(json.dumps({**history, "losses": [[step, 0.5] for step in range(1, losses + 1)]}))
        return open_page("model_quality", matrix=model_folder, j=1, heal_steps=40)

    result.save(path)
    page = page_of(12)
    assert "Healing stopped. Kept: the best of 12 of 40 steps, shown here." in said(page.caption)
    assert figures(page)["Healed"] == "0.4" and page.button(key="heal").label == "Go on"
    page.button(key="heal").click().run()
    assert noted.asked[0][0] == "heal" and noted.asked[0][noted.asked[0].index("--out") + 1] == str(path)
    page = page_of(40)
    assert not any("stopped" in text for text in said(page.caption)) and "heal" not in {button.key for button in page.button}
    path.unlink()
    monkeypatch.setattr(Noted, "stopped", True)
    page = page_of(0)
    page.button(key="heal").click().run()
    page.session_state["jobs"]["heal"].running = False
    assert any("nothing is kept, and it begins anew" in text for text in said(page.run().caption))
    state_of(path).mkdir()
    page.run()
    assert any("What it had come to is kept" in text for text in said(page.caption)) and page.button(key="heal").label == "Go on"


def test_a_healing_that_came_no_nearer_is_said_to_be_the_fit_and_not_offered(open_page, model_folder, noted):
    _, result, file = fitted_file(model_folder, 1)
    path = healed_path(file, "built-in", 40)
    result.save(path)
    history = {"distance": {"before": 0.5, "healed": 0.6}, "measure": "1 − cosine", "texts": 9, "seconds": 3.0, "steps": 40}
    history |= {"taken": "before", "chosen": words_of("before", 0, 20), "finished": True, "losses": [[1, 0.5]] * 20}
    path.with_suffix(".json").write_text(json.dumps(history))
    page = open_page("model_quality", matrix=model_folder, j=1, heal_steps=40)
    assert any(text.endswith("Taken: no step was better, so it is the fit.") for text in said(page.caption))
    assert not {"heal", "judge_healed", "download_healed"} & {button.key for button in page.button}


def test_one_text_for_healing_and_judging_is_pointed_out(open_page, model_folder, noted):
    page = open_page("model_quality", matrix=model_folder)
    for name in ("judge", "heal"):
        page.button_group(key=f"{name}_text").set_value("Upload").run()
        page.file_uploader(key=f"{name}_upload").set_value(("texts.txt", b"One text.\nAnother.\n", "text/plain")).run()
    assert any("judged on this same text" in text for text in said(page.caption))
    page.file_uploader(key="heal_upload").set_value(("texts.txt", b"A third.\nA fourth.\n", "text/plain")).run()
    assert not any("judged on this same text" in text for text in said(page.caption))


def test_a_healed_file_that_is_cut_short_is_healed_again(open_page, model_folder, noted):
    file = fitted_file(model_folder, 1)[2]
    path = healed_path(file, "built-in", 300)
    path.write_bytes(b"cut")
    path.with_suffix(".json").write_text("{}")
    page = open_page("model_quality", matrix=model_folder, j=1)
    assert not page.exception and any("not whole" in text for text in said(page.caption)) and not path.exists()


def test_a_setting_that_is_not_fitted_is_fitted_first(open_page, noted):
    page = open_page("model_quality", export="k subspaces, k = 5, j = 3, float16")
    assert noted.asked[0][:4] == ["fit", "toy", "--method", "projective"] and not page.dataframe


def test_every_matrix_that_opens_has_a_page(open_page, odd_matrix):
    page = open_page("model_quality", matrix=odd_matrix)
    assert not page.exception


def test_only_models_of_the_next_token_are_offered_perplexity_and_begin_with_it(open_page, model_folder, noted):
    def page_of(kind, heads, tokenizer=True):
        (model_folder / "config.json").write_text(json.dumps({"model_type": kind, "architectures": heads}))
        if not tokenizer:
            (model_folder / "vocab.txt").rename(model_folder / "words.txt")
        page = open_page("model_quality", matrix=model_folder)
        assert not page.exception
        return page, page.multiselect(key="judge_tasks")

    page, chosen = page_of("bert", ["BertModel"])
    assert chosen.options == ["Sentence vectors", "Neighbours@10", "Search"] and chosen.value == ["cosine", "neighbours"]
    assert "Not with this model: Perplexity needs a model that predicts the next token; BertModel does not." in said(page.caption)
    page, chosen = page_of("gpt2", ["GPT2LMHeadModel"])
    assert chosen.options == ["Sentence vectors", "Neighbours@10", "Search", "Perplexity"] and chosen.value == [
        "perplexity",
        "neighbours",
    ]
    page, chosen = page_of("gpt2", ["GPT2LMHeadModel"], tokenizer=False)
    assert chosen.options == ["Neighbours@10", "Search"] and chosen.value == ["neighbours"]
    assert any("Perplexity needs a tokenizer, and the model has none" in text for text in said(page.caption))
    assert any(text.startswith("Healing needs a tokenizer") for text in said(page.caption))
    assert "compare_heal" not in {toggle.key for toggle in page.toggle}
    page.button_group(key="judge_text").set_value("Upload").run()
    page.file_uploader(key="judge_upload").set_value(("ids.json", b"[[1, 2, 3], [4, 5]]", "application/json")).run()
    chosen = page.multiselect(key="judge_tasks")
    assert chosen.options == ["Sentence vectors", "Neighbours@10", "Search", "Perplexity"] and chosen.value == [
        "perplexity",
        "neighbours",
    ]
    assert not any("Not with this model" in text for text in said(page.caption))


def test_tasks_that_were_chosen_stay_with_another_model_and_the_usual_ones_do_not(open_page, model_folder, noted):
    def another(page, kind, heads):
        (model_folder / "config.json").write_text(json.dumps({"model_type": kind, "architectures": heads}))
        return page.run().multiselect(key="judge_tasks").value

    page = open_page("model_quality", matrix=model_folder)
    assert another(page, "gpt2", ["GPT2LMHeadModel"]) == ["perplexity", "neighbours"]
    page.multiselect(key="judge_tasks").set_value(["cosine", "perplexity"]).run()
    assert another(page, "bert", ["BertModel"]) == ["cosine"]


def test_healed_points_are_filled_and_others_open():
    points = pd.DataFrame(
        {
            "method": "svd",
            "label": "SVD",
            "setting": "s",
            "healed": [False, True, False],
            "value": [0.6, 0.7, 0.5],
            "spread": 0.0,
            "ratio": [10.0, 10.0, 25.0],
            "saved": [0.8, 0.8, 0.9],
        }
    )
    chart = quality_charts.comparison(points, "saved", "accuracy", 0.8)
    assert {trace.name: trace.marker.symbol for trace in chart.data} == {"SVD": "circle-open", "SVD, healed": "circle"}
    assert list(chart.data[0].x) == pytest.approx([80, 90])


def test_each_figure_has_an_axis_that_shows_all_its_scores():
    lines = pd.DataFrame(
        [
            ("a <b>", "", "before", 0.8, 0.0),
            ("a <b>", "", "after", 0.6, 0.05),
            ("p", "", "before", 9, 0),
            ("p", "", "after", 30, 0),
        ],
        columns=["figure", "about", "which", "value", "spread"],
    )
    chart = quality_charts.scores(lines, "#000")
    assert chart.layout.xaxis.range[0] < 0.55 and chart.layout.xaxis.range[1] > 0.8 and chart.layout.xaxis2.range[1] > 30
    assert chart.layout.annotations[0].text.startswith("a &lt;b&gt;<br>")


def test_the_error_along_the_vocabulary_has_a_bin_for_every_row():
    matrix = compress.load_matrix("toy")
    found = error_by_use(matrix, compress.evaluate(matrix, SVD(j=3).fit(matrix)))
    line = quality_charts.error_along(found, "#000").data[1]
    assert sum(line.customdata[:, 2]) == matrix.shape[0] and list(line.y) == list(found.error)

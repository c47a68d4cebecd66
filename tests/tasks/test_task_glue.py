"""Tasks with labels: read from GLUE's layouts, the hub and a person's file; judged by heads before and after."""

import sys
import types

import numpy as np
import pytest

from compress import InputError, tasks
from compress.tasks.glue import GLUE, read_glue
from compress.tasks.labelled import FIGURES, Classification
from compress.tasks.uploads import read_upload

ROWS = {  # header, and a line with the task's texts and label in it
    "CoLA": (None, "gj04\t1\t\tFirst text."),
    "SST-2": ("sentence\tlabel", "First text.\t1"),
    "MRPC": ("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", "1\t7\t8\tFirst text.\tIt's \"quoted."),
    "STS-B": (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
        "0\tmain\tMSRvid\t2012\t1\tnone\tnone\tFirst text.\tIt's \"quoted.\t1",
    ),
    "QQP": ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "9\t1\t2\tFirst text.\tIt's \"quoted.\t1"),
    "MNLI": (
        "index\tpromptID\tsentence1\tsentence2\tlabel1\tgold_label",
        "0\t31\tFirst text.\tIt's \"quoted.\t0\t1",
    ),
    "QNLI": ("index\tquestion\tsentence\tlabel", "0\tFirst text.\tIt's \"quoted.\t1"),
    "RTE": ("index\tsentence1\tsentence2\tlabel", "0\tFirst text.\tIt's \"quoted.\t1"),
    "WNLI": ("index\tsentence1\tsentence2\tlabel", "0\tFirst text.\tIt's \"quoted.\t1"),
}


def lay(folder, header, lines):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("\n".join([*([header] if header else []), *lines]) + "\n")


@pytest.fixture
def zip_layout(tmp_path):
    """GLUE's folders, two examples in each file, labels 1 and 0."""
    for name, (header, line) in ROWS.items():
        other = line.replace("\t1", "\t0") if name != "MRPC" else f"0{line[1:]}"
        for file in ("train", "dev", "dev_matched", "dev_mismatched"):
            lay(tmp_path / name / f"{file}.tsv", header, [line, other])
    return tmp_path


@pytest.mark.parametrize("name", GLUE)
def test_the_zips_columns_are_found(zip_layout, name):
    train, tests = read_glue(GLUE[name], zip_layout)
    assert list(tests) == ([" (matched)", " (mismatched)"] if name == "mnli" else [""])
    for part in (*([] if train is None else [train]), *tests.values()):
        assert part.texts == ("First text.", "First text.")
        assert part.others == (None if name in ("cola", "sst2") else ("It's \"quoted.",) * 2)
        assert part.labels == ((1.0, 0.0) if name == "stsb" else ("1", "0"))


def test_one_tasks_folder_may_be_given_itself(zip_layout):
    assert read_glue(GLUE["sst2"], zip_layout / "SST-2")[0].texts == ("First text.", "First text.")


def test_files_without_a_header_are_read_by_place(tmp_path):
    lay(tmp_path / "glue_sst2" / "sif_sentiment-train", None, ["good film 1\t1", "bad film\t0"])
    lay(tmp_path / "glue_sst2" / "sif_sentiment-dev", None, ["dull\t0"])
    lay(
        tmp_path / "glue_stsb" / "sts-dev.tsv",
        None,
        ["main\tf\t2012\t1\t5.000\tA man.\tA woman.", "main\tf\t2012\t2\t.5\tB\tC\tlicence"],
    )
    lay(tmp_path / "glue_cola" / "in_domain_train.tsv", None, ["gj\t1\t\tFine.", "gj\t0\t*\tFine not."])
    lay(tmp_path / "glue_cola" / "in_domain_dev.tsv", None, ["gj\t1\t\tFine."])
    train, tests = read_glue(GLUE["sst2"], tmp_path)
    assert train == (("good film 1", "bad film"), None, ("1", "0")) and tests[""].texts == ("dull",)
    assert read_glue(GLUE["stsb"], tmp_path) == (None, {"": (("A man.", "B"), ("A woman.", "C"), (5.0, 0.5))})
    assert read_glue(GLUE["cola"], tmp_path)[0] == (("Fine.", "Fine not."), None, ("1", "0"))


def test_mrpcs_training_examples_are_microsofts_without_the_tested_ones(zip_layout):
    header = ROWS["MRPC"][0]
    (zip_layout / "MRPC" / "train.tsv").unlink()
    lay(zip_layout / "MRPC" / "msr_paraphrase_train.txt", header, ["1\t7\t8\ta\tb", "0\t7\t9\tc\td", "1\t5\t8\te\tf"])
    assert read_glue(GLUE["mrpc"], zip_layout)[0] == (("c", "e"), ("d", "f"), ("0", "1"))


def test_lines_that_are_cut_short_or_lack_a_text_are_left_out(zip_layout):
    lines = ["1\t2", "0\t1\t2\ta\tb\t1", "0\t1\t2\ta\tb\t0", "0\t1\t2\ta\t\t0"]
    lay(zip_layout / "QQP" / "train.tsv", ROWS["QQP"][0], lines)
    assert read_glue(GLUE["qqp"], zip_layout)[0].n == 2


@pytest.fixture
def hub(monkeypatch):
    """A stand-in for the package datasets: the sets asked for, and what they hold."""
    asked, held = [], {}

    def load_dataset(path, name=None):
        asked.append((path, name))
        if path not in held and (path, name) not in held:
            raise ConnectionError("no\nnetwork")
        return held.get((path, name), held.get(path))

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    return asked, held


@pytest.mark.parametrize("name", GLUE)
def test_the_hubs_columns_are_found(hub, name):
    asked, held = hub
    columns = dict(zip((*GLUE[name].fields, "label"), (["First", "Next"], ["One", "Two"]), strict=False)) | {"label": [1, 0]}
    splits = ["train", *(split for _, split, _ in GLUE[name].tests)]
    held["nyu-mll/glue", name] = dict.fromkeys(splits, columns)
    train, tests = read_glue(GLUE[name], None)
    assert asked == [("nyu-mll/glue", name)]
    assert (train is None) == (name == "stsb")
    for part in tests.values():
        assert part.texts == ("First", "Next") and part.labels == (1, 0)
        assert part.others == (None if len(GLUE[name].fields) == 1 else ("One", "Two"))


def test_a_hub_that_is_out_of_reach_is_one_sentence(hub):
    with pytest.raises(InputError, match=r"^rte cannot be fetched from nyu-mll/glue \(no network\); give the folder that RTE"):
        read_glue(GLUE["rte"], None)


def test_without_datasets_the_folder_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"^rte needs its files; give the folder that RTE lies in, or install datasets\.$"):
        read_glue(GLUE["rte"], None)


FAULTS = {
    "no folder": ("wnli", {}, r" has no folder for wnli; looked for WNLI and glue_wnli\.$"),
    "no file": (
        "rte",
        {"RTE/train.tsv": f"{ROWS['RTE'][0]}\n{ROWS['RTE'][1]}"},
        r"RTE has no file for rte; looked for dev\.tsv, in_domain_dev",
    ),
    "no columns": (
        "rte",
        {"RTE/train.tsv": "a\tb\n", "RTE/dev.tsv": "a\tb\n"},
        r"train\.tsv has no columns sentence1, sentence2, label; its first line must name them\.$",
    ),
    "no label": (
        "sst2",
        {"SST-2/dev.tsv": "sentence\tlabel\ngood\t1\nbad\t\n", "SST-2/train.tsv": "good\t1\nbad\t0\n"},
        r"^Example 2 of .*dev\.tsv has no label; fill it in or leave the example out\.$",
    ),
    "no examples": (
        "sst2",
        {"SST-2/dev.tsv": "sentence\tlabel\n", "SST-2/train.tsv": "good\t1\nbad\t0\n"},
        r"dev\.tsv holds no examples; check the file\.$",
    ),
    "one class": (
        "sst2",
        {"SST-2/dev.tsv": "good\t1\n", "SST-2/train.tsv": "good\t1\nfine\t1\n"},
        r"^Every label of sst2’s training set is “1”; give examples of at least two classes\.$",
    ),
    "no score": (
        "stsb",
        {"STS-B/dev.tsv": "m\tf\ty\t1\tfive\ta\tb\n"},
        r"^stsb’s test set has a score that is no number \(could not convert string to float: 'five'\); correct it\.$",
    ),
    "too few columns": (
        "cola",
        {"CoLA/train.tsv": "a\tb\n", "CoLA/dev.tsv": "a\tb\n"},
        r"train\.tsv has fewer than the 4 columns of cola; check the file\.$",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_folder_that_will_not_do_is_one_sentence(bert, damaged, tmp_path, name):
    task, files, sentence = FAULTS[name]
    for file, content in files.items():
        lay(tmp_path / file, None, [content.rstrip("\n")])
    with pytest.raises(InputError, match=sentence):
        tasks.judge(bert, {"after": damaged}, [task], data=tmp_path)


def test_a_folder_that_is_not_there_is_named(bert, damaged, tmp_path):
    with pytest.raises(InputError, match=r"^There is no folder .*none; give the folder that CoLA lies in\.$"):
        tasks.judge(bert, {"after": damaged}, ["cola"], data=tmp_path / "none")


@pytest.fixture
def data(tmp_path, reviews, pairs, write):
    """Folders of four tasks whose labels a word decides."""
    half = len(reviews) // 2
    for part, rows, both in (("train", reviews[half:], pairs[half:]), ("dev", reviews[:half], pairs[:half])):
        write(tmp_path / "SST-2" / f"{part}.tsv", rows, ("sentence", "label"))
        write(tmp_path / "CoLA" / f"{part}.tsv", [("x", label, "", text) for text, label in rows])
        write(tmp_path / "MRPC" / f"{part}.tsv", [(c, 1, 2, a, b) for a, b, c in both], ROWS["MRPC"][0].split("\t"))
        scored = [("m", "f", "y", 1, 5 if a == b else len(set(a.split()) & set(b.split())), a, b) for a, b, _ in both]
        write(tmp_path / "STS-B" / f"{part}.tsv", [*scored, *(("m", "f", "y", 1, 5, a, a) for a, _ in rows[:20])])
    return tmp_path


def test_a_lost_table_lowers_every_score(bert, table, damaged, data):
    names = ["sst2", "cola", "mrpc", "stsb"]
    scores = tasks.judge(bert, {"same": table, "lost": damaged}, names, data=data)
    same, lost = ({(s.task, s.metric): s for s in scores if s.table == which} for which in ("same", "lost"))
    assert list(lost) == [
        ("sst2", "accuracy"),
        ("cola", "Matthews correlation"),
        ("mrpc", "accuracy"),
        ("mrpc", "F1"),
        ("stsb", "Spearman correlation"),
        ("stsb", "Pearson correlation"),
    ]
    for key, score in lost.items():
        assert same[key].after == same[key].before == score.before
        assert same[key].refitted == (None if key[0] == "stsb" else score.before)
        assert (score.seeds, score.n) == ((1, 100) if key[0] == "stsb" else (3, 80))
    assert lost["sst2", "accuracy"].before > 0.9 > 0.65 > lost["sst2", "accuracy"].after
    assert lost["cola", "Matthews correlation"].before > 0.8 > 0.3 > lost["cola", "Matthews correlation"].after
    assert lost["stsb", "Spearman correlation"].lost > 0.02 and lost["stsb", "Spearman correlation"].refitted is None
    assert lost["sst2", "accuracy"].after_spread > 0


def test_a_head_that_is_fitted_again_undoes_a_turn_of_the_vectors(bert, table, data):
    """The model with its table negated still tells the classes apart; the head from before does not know how."""
    (score,) = tasks.judge(bert, {"turned": -table}, ["sst2"], data=data, seeds=2)
    assert score.refitted > score.after + 0.1 and score.seeds == 2


def test_limit_bounds_training_and_test_examples(bert, damaged, data, monkeypatch):
    fitted = []
    monkeypatch.setattr(Classification, "heads", lambda self, x, real=Classification.heads: fitted.append(len(x)) or real(self, x))
    (score,) = tasks.judge(bert, {"after": damaged}, ["sst2"], data=data, limit=30)
    assert score.n == 30 and fitted == [30, 30]


def test_each_seed_fits_on_other_examples_the_same_every_time(bert, table, data):
    from compress.tasks.examples import drawn

    labels = ["a"] * 50 + ["b"] * 5 + ["c"]
    rows = [drawn(labels, 0.8, seed) for seed in (0, 0, 1)]
    assert np.array_equal(rows[0], rows[1]) and set(rows[0]) != set(rows[2])
    assert [sum(labels[row] == label for row in rows[2]) for label in "abc"] == [40, 4, 1]
    assert len(set(rows[2])) == 45


def test_figures_are_those_worked_by_hand():
    gold, said = list("1111000000"), list("1110110000")  # 3 hits, 1 missed, 2 false, 4 right
    assert FIGURES["accuracy"](gold, said) == pytest.approx(0.7)
    assert FIGURES["F1"](gold, said) == pytest.approx(6 / 9)
    assert FIGURES["Matthews correlation"](gold, said) == pytest.approx((3 * 4 - 2 * 1) / np.sqrt(5 * 4 * 6 * 5))
    assert [FIGURES["F1"](list(gold), list(said)) for gold, said in (("00", "00"), ("11", "00"), ("00", "11"))] == [0, 0, 0]
    assert FIGURES["F1"](list("11"), list("11")) == 1 and FIGURES["F1"](list("120"), list("121")) == pytest.approx(2 / 3)
    assert FIGURES["accuracy"](("a", "b"), ["", "b"]) == 0.5 and FIGURES["accuracy"](["1"], np.array(["1"])) == 1
    assert FIGURES["Spearman correlation"]([1, 2, 3, 4], [0.1, 0.2, 0.9, 0.8]) == pytest.approx(0.8)
    assert FIGURES["Pearson correlation"]([1, 2, 3], [2, 4, 9]) == pytest.approx(7 / np.sqrt(2 * 26))
    assert FIGURES["Spearman correlation"]([1, 2, 3], [0.5, 0.5, 0.5]) == 0


def test_a_pairs_features_are_both_their_difference_and_their_product(bert, table):
    from compress.tasks.bench import Bench
    from compress.tasks.examples import Examples
    from compress.tasks.labelled import features

    bench = Bench(bert, {"before": table})
    u, v = (features(bench, "before", Examples((text,), None, ("1",))) for text in ("w1 w2", "w3"))
    assert np.linalg.norm(u) == pytest.approx(1)
    both = features(bench, "before", Examples(("w1 w2",), ("w3",), ("1",)))
    np.testing.assert_allclose(both, np.hstack([u, v, abs(u - v), u * v]), atol=1e-6)


UPLOADS = {
    "named": ("a.csv", 'label,text\n1,"one, two"\n0,three\n', (("one, two", "three"), None, ("1", "0")), False),
    "bare": ("a.csv", "one,yes\ntwo,no\n", (("one", "two"), None, ("yes", "no")), False),
    "tabs": ("a.tsv", 'text\tlabel\nsay "so\t1\n', (('say "so',), None, ("1",)), False),
    "pairs": ("a.csv", "text1,text2,label\na,b,1\n", (("a",), ("b",), ("1",)), False),
    "scores": ("a.csv", "id,sentence1,sentence2,score\n1,a,b,3\n", (("a",), ("b",), ("3",)), True),
    "bare scores": ("a.csv", "a,b,3\nc,d,.5\n", (("a", "c"), ("b", "d"), ("3", ".5")), True),
    "bare pairs": ("a.tsv", "a\tb\t3\nc\td\t4\n", (("a", "c"), ("b", "d"), ("3", "4")), False),
    "semicolons": ("a.csv", "text;label\na;b\n", (("a",), None, ("b",)), False),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_persons_file_is_read(tmp_path, name):
    file, content, part, scored = UPLOADS[name]
    (tmp_path / file).write_text(content)
    assert read_upload(tmp_path / file) == (part, scored)


UPLOAD_FAULTS = {
    "empty": ("", r"^a\.csv is empty; give a table with the columns text and label, or text1, text2 and label or score\.$"),
    "other columns": ("text,score\na,1\n", r"^a\.csv has the columns text, score; it must have text and label, or"),
    "unnamed": ("a,b,c,d\n", r"^a\.csv has 4 columns and none is named; it must have text and label, or"),
    "a short row": ("text,label\na,1\nb\n", r"^Row 3 of a\.csv has 1 columns, not 2; correct that row\.$"),
    "no text": ("text,label\n,1\n", r"^Example 1 of a\.csv has no text; fill it in or leave the example out\.$"),
    "no label": ("text,label\na,1\nb, \n", r"^Example 2 of a\.csv has no label; fill it in or leave the example out\.$"),
    "one class": ("text,label\na,1\nb,1\n", r"^Every label of a\.csv is “1”; give examples of at least two classes\.$"),
    "too few": ("text,label\na,1\nb,0\n", r"^The examples are too few to put some aside for the test; "),
    "a word as score": ("text1,text2,score\na,b,high\n", r"^a\.csv has a score that is no number"),
    "an endless score": ("text1,text2,score\na,b,inf\n", r"^a\.csv has a score that is not finite; correct it\.$"),
    "one score": ("text1,text2,score\na,b,1\nc,d,1\n", r"^Every score of a\.csv is 1; give examples with different scores\.$"),
    "no examples": ("text,label\n", r"^a\.csv holds no examples; check the file\.$"),
    "an open quote": ('text,label\n"a,1\n', r"^a\.csv is not a regular CSV \(unexpected end of data\); correct that place\.$"),
}


@pytest.mark.parametrize("name", UPLOAD_FAULTS)
def test_a_persons_file_that_will_not_do_is_one_sentence(bert, damaged, tmp_path, name):
    content, sentence = UPLOAD_FAULTS[name]
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError, match=sentence):
        tasks.judge(bert, {"after": damaged}, [tmp_path / "a.csv"])


def test_a_persons_file_is_judged(bert, damaged, tmp_path, reviews, pairs, write):
    write(tmp_path / "reviews.tsv", reviews, ("text", "label"))
    (tmp_path / "pairs.csv").write_text("".join(f"{a},{b},{c + 0.5}\n" for a, b, c in pairs))
    paths = [tmp_path / "reviews.tsv", tmp_path / "pairs.csv"]
    review, spearman, pearson = tasks.judge(bert, {"after": damaged}, paths)
    assert (review.task, review.metric, review.n) == ("reviews.tsv", "accuracy", 32)
    assert review.before > 0.9 > review.after + 0.2
    assert (spearman.task, spearman.metric, spearman.n, pearson.metric) == (
        "pairs.csv",
        "Spearman correlation",
        160,
        "Pearson correlation",
    )

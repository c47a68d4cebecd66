"""The command line: the library's figures, one sentence where it fails, and no file where it was stopped."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from io import StringIO

import numpy as np
import pytest
from cases import svd_by_fits

import compress
from compress.__main__ import main
from compress.form.metrics import error_text
from compress.sources import planted


def told(capsys, *arguments):
    """The JSON objects that a command prints, one a line."""
    assert main([str(argument) for argument in (*arguments, "--json")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def table(tmp_path):
    """A small matrix as a file."""
    path = tmp_path / "in" / "table.npy"
    path.parent.mkdir()
    np.save(path, planted(n_rows=200, k=3, j=2, dim=12, seed=0)[0])
    return path


def test_a_command_that_was_waited_for_is_run(table, capsys, monkeypatch):
    monkeypatch.setattr("compress.analysis.layout.umap_learn", lambda: None)
    for line, printed in ((json.dumps(["info", str(table)]), "200"), ("", "")):
        monkeypatch.setattr(sys, "stdin", StringIO(line))
        with suppress(SystemExit):
            main(["wait"])
        assert printed in capsys.readouterr().out


def test_info_of_a_folder_with_many_tensors_fits_one_screen(tmp_path, capsys):
    from safetensors.numpy import save_file

    tensors = {f"layers.{number}.weight": np.ones((6, 4), np.float32) for number in range(208)}
    save_file({"embed_tokens.weight": np.eye(9, 4, dtype=np.float32), **tensors}, tmp_path / "model.safetensors")
    assert main(["info", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and "embed_tokens.weight 9 × 4 float32" in lines[-6]
    assert lines[-1].endswith("… and 204 more; --all lists them")
    assert main(["info", str(tmp_path), "--all"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("tensors ")]) == 209
    assert len(told(capsys, "info", str(tmp_path))[0]["tensors"]) == 209


def test_info_tells_what_the_matrix_is(capsys):
    (row,) = told(capsys, "info", "toy")
    matrix = compress.load_matrix("toy")
    found = compress.spectrum(matrix)
    assert (row["name"], row["rows"], row["columns"], row["bytes"]) == ("toy", 3000, 30, 360_000)
    assert row["effective_rank"] == pytest.approx(found.effective_rank)
    assert row["energy_rank"] == pytest.approx(found.energy_rank)
    assert row["rank_for_90_percent"] == found.rank_for(0.9)
    assert row["digest"] == matrix.digest
    assert row["tokens"] is True
    assert row["tensors"] == ["embedding 3000 × 30 float32"]


def test_rows_that_lose_far_more_than_others_are_named(capsys, tmp_path):
    values = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    values[:, 0], values[7, 0] = 0, 0.5
    values[7, 1:] = 0  # what only one row has, no dimension keeps
    compress.save_matrix(compress.EmbeddingMatrix(values, tokens=[f"w{row}" for row in range(300)]), tmp_path / "x.safetensors")
    (far,), (near,) = (told(capsys, "fit", tmp_path / "x.safetensors", "--method", "svd", "--j", j) for j in (7, 4))
    words, *named = far["worse_rows"]
    assert words == "1 of 300 rows lose more than 8 times what rows lose in the mean; the worst:"
    assert named == ["'w7' 1.00"]
    (far,) = told(capsys, "fit", tmp_path / "x.safetensors", "--method", "svd", "--j", 7, "--weights", "order:.5")
    assert far["worse_rows"][1].startswith("'w7' 1.00, weight ")
    assert "worse_rows" not in near


def test_a_fit_is_decoded_and_evaluated_to_the_librarys_figures(capsys, table, tmp_path):
    out, values = tmp_path / "x.safetensors", tmp_path / "values.npy"
    (fitted,) = told(capsys, "fit", table, "--method", "projective", "--k", 3, "--j", 2, "--seed", 4, "--affine", "--out", out)
    method = compress.ProjectiveClustering(k=3, j=2, seed=4, affine=True)
    matrix = compress.load_matrix(table)
    expected = method.fit(matrix)
    figures = compress.evaluate(matrix, expected).figures()
    best, error = svd_by_fits(matrix, expected.n_bytes)
    assert fitted.pop("svd_at_same_bytes") == pytest.approx(error, rel=0.02)
    assert fitted["worse_rows"][0].startswith(f"{len(compress.evaluate(matrix, expected).worse)} of 200 rows lose")
    assert fitted == {
        "worse_rows": fitted["worse_rows"],
        "method": "projective",
        **method.settings,
        **figures,
        "file_bytes": out.stat().st_size,
        "svd_setting": str(best),
    }

    (decoded,) = told(capsys, "decode", out, "--out", values)
    assert decoded == {"rows": 200, "columns": 12, "out": str(values)}
    assert np.array_equal(np.load(values), expected.reconstruct())

    (evaluated,) = told(capsys, "evaluate", out, "--source", table)
    assert evaluated.pop("svd_at_same_bytes") == pytest.approx(error, rel=0.02)
    assert evaluated == {**fitted, "same_matrix": True}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "values.npy", "x.safetensors"]


def test_a_table_in_fewer_bits_is_compared_with_its_file(capsys, table, tmp_path):
    half = tmp_path / "half.npy"
    np.save(half, np.load(table).astype(np.float16))
    (row,) = told(capsys, "info", half)
    assert (row["stored_as"], row["stored_bytes"], row["bytes"]) == ("float16", 4800, 9600)
    assert row["notes"] == ["Stored as float16, 16 bits a number."]
    (row,) = told(capsys, "fit", half, "--method", "int8")
    assert row["file_ratio"] == pytest.approx(row["ratio"] / 2)
    assert row["notes"] == ["Stored as float16, 16 bits a number."]


def test_a_fit_to_a_ratio_keeps_it(capsys, table):
    (row,) = told(capsys, "fit", table, "--method", "svd", "--ratio", 5, "--factor-bits", 8)
    assert row["ratio"] >= 5 and row["factor_bits"] == 8


def test_another_matrix_of_the_shape_is_told_apart(capsys, table, tmp_path):
    out, other = tmp_path / "x.safetensors", tmp_path / "other.npy"
    np.save(other, np.load(table)[::-1].copy())
    told(capsys, "fit", table, "--method", "int8", "--out", out)
    (row,) = told(capsys, "evaluate", out, "--source", other)
    assert row["same_matrix"] is False
    assert row["relative_error"] > 0.5


def test_a_sweep_keeps_its_trials_and_goes_on(capsys, table, tmp_path, monkeypatch):
    folder = tmp_path / "sweep"
    arguments = ("sweep", table, "--methods", "svd,int4", "--ratios", "4,8", "--out", folder)
    rows = told(capsys, *arguments)
    assert len(rows) == len(compress.tuning.sweep.plan((200, 12), ["svd", "int4"], [4, 8]))
    assert {row["method"] for row in rows} == {"svd", "int4"}
    monkeypatch.setattr(compress.SVD, "fit", lambda *_: pytest.fail("fitted again"))
    assert told(capsys, *arguments) == rows


def test_lp_low_rank_is_fitted_by_its_settings(capsys, table, tmp_path):
    out = tmp_path / "x.safetensors"
    (row,) = told(capsys, "fit", table, "--method", "lp", "--j", 3, "--objective", "rows", "--p", 1.2, "--out", out)
    method = compress.LpLowRank(j=3, p=1.2, objective="rows")
    matrix = compress.load_matrix(table)
    assert row.pop("svd_at_same_bytes") < row["relative_error"] and row.pop("svd_setting").startswith("svd(")
    assert row == {
        "method": "lp",
        **method.settings,
        **compress.evaluate(matrix, method.fit(matrix)).figures(),
        "file_bytes": out.stat().st_size,
    }
    assert compress.load(out).method == method


def test_k_subspaces_are_fitted_under_a_loss(capsys, table):
    arguments = ("fit", table, "--method", "projective", "--k", 3, "--j", 2)
    (row,) = told(capsys, *arguments, "--loss", "tukey", "--scale", 0.5)
    assert (row["loss"], row["scale"], row["p"]) == ("tukey", 0.5, 2.0)
    (row,) = told(capsys, *arguments, "--loss", "huber")
    assert (row["loss"], row["scale"]) == ("huber", None)


def test_a_sweep_takes_lists_of_settings(capsys, table, tmp_path):
    lists = ("--p", "1,1.5", "--objective", "rows,entries", "--factor-bits", "8")
    rows = told(capsys, "sweep", table, "--methods", "lp", "--ratios", "4", *lists, "--out", tmp_path / "sweep")
    assert {(row["p"], row["objective"]) for row in rows} == {(p, form) for p in (1, 1.5) for form in ("rows", "entries")}
    assert len(rows) == 4 and {row["factor_bits"] for row in rows} == {8}


def test_a_fit_of_lp_low_rank_to_a_ratio_keeps_it(capsys, table):
    (row,) = told(capsys, "fit", table, "--method", "lp", "--ratio", 3, "--objective", "rows")
    assert row["ratio"] >= 3 and row["objective"] == "rows"


def test_progress_is_json_on_standard_error(capsys, table):
    assert main(["fit", str(table), "--method", "projective", "--k", "2", "--j", "2", "--progress", "--json"]) == 0
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in err.splitlines()]
    assert len(out.splitlines()) == 1
    assert events[-1]["cost"] == pytest.approx(json.loads(out)["relative_error"], rel=1e-2)
    assert [event["step"] for event in events if event["restart"] == 0][:3] == [1, 2, 3]


def test_without_json_every_figure_has_a_line(capsys):
    assert main(["info", "toy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["name                 toy", "rows                 3000", "columns              30"]


def test_a_map_is_written_as_coordinates(capsys, table, tmp_path, monkeypatch):
    from compress.analysis import scatter

    monkeypatch.setattr(scatter, "umap_map", lambda matrix, seed, progress, rows: matrix.values[:, :2] * [seed, rows or 0])
    (row,) = told(capsys, "map", table, "--seed", 3, "--rows", 5, "--out", tmp_path / "map.npy")
    assert row == {"rows": 200, "out": str(tmp_path / "map.npy")}
    assert np.array_equal(np.load(tmp_path / "map.npy"), np.load(table)[:, :2] * [3, 5])
    told(capsys, "map", table, "--seed", 3, "--small", "--out", tmp_path / "small.npy")
    small, wide = np.load(tmp_path / "small.npy"), np.ptp(np.load(table)[:, 0])
    assert small.dtype == np.uint16 and small.max() == 65535 and not small[:, 1].any()
    np.testing.assert_allclose(small[:, 0] / 65535 * wide, np.load(table)[:, 0] - np.load(table)[:, 0].min(), atol=wide / 1e5)


def test_row_weights_reach_every_command(capsys, table, tmp_path):
    out, weights = tmp_path / "x.safetensors", tmp_path / "in" / "weights.txt"
    weights.write_text("\n".join(str(1 + row % 7) for row in range(200)))
    for spec in ("order:0.8", f"column:{weights}"):
        matrix = compress.load_matrix(table, weights=spec)
        expected = compress.evaluate(matrix, compress.SVD(j=2).fit(matrix))
        assert expected.weighted_error != pytest.approx(expected.relative_error, rel=1e-4)
        for row in (
            *told(capsys, "fit", table, "--method", "svd", "--j", 2, "--weights", spec, "--out", out),
            *told(capsys, "evaluate", out, "--source", table, "--weights", spec),
        ):
            assert row["weighted_error"] == pytest.approx(expected.weighted_error)
            assert row["relative_error"] == pytest.approx(expected.relative_error)
        (row,) = told(capsys, "info", table, "--weights", spec)
        assert row["weights"] == spec
        assert row["effective_rank"] == pytest.approx(compress.spectrum(matrix).effective_rank)


def test_a_sweep_with_weights_keeps_its_trials_apart_and_prints_both_errors(capsys, table, tmp_path):
    arguments = ["sweep", str(table), "--methods", "int4", "--out", str(tmp_path / "sweep")]
    assert main(arguments) == main([*arguments, "--weights", "order:1"]) == 0
    plain, weighted = capsys.readouterr().out.splitlines()
    assert "weighted" not in plain and "weighted" in weighted
    store = compress.tuning.sweep.Trials(tmp_path / "sweep" / "trials.sqlite")
    for spec in ("uniform", "order:1"):
        (trial,) = store.of(compress.load_matrix(table, weights=spec).key)
        assert error_text(trial.figures["weighted_error"]) in (plain if spec == "uniform" else weighted)


FAULTS = {
    "weights that are not there": (
        "info toy --weights often",
        "weights must be uniform, order:A, counts:TEXTFILE, scripts:NAMES or column:FILE",
    ),
    "weights out of bounds": ("fit toy --method svd --weights order:2", "A in order:A must be a number between 0 and 1.5"),
    "weights of another length": ("info toy --weights column:{0}/in/table.npy", "table.npy holds float32 of shape (200, 12)"),
    "a source that is not there": ("info no-such-file", "There is nothing at no-such-file; check the path"),
    "a setting out of bounds": ("fit toy --method svd --j 31", "j must be a whole number between 1 and 30"),
    "a setting that cannot be": ("fit toy --method svd --j 0", "j must be a whole number at least 1, got 0"),
    "a setting of another method": ("fit toy --method int8 --j 3", "int8 has no setting j; it has none"),
    "an exponent out of bounds": ("fit toy --method lp --p 0.5", "p must be a number between 1 and 32, got 0.5"),
    "an objective that is not there": (
        "fit toy --method lp --objective cols",
        "must be one of entries, rows, got 'cols'",
    ),
    "a loss that is not there": ("fit toy --method projective --loss l7", "loss must be one of lp, huber,"),
    "a scale that cannot be": ("fit toy --method projective --loss huber --scale -1", "scale must be a number between 1e-15 and"),
    "an objective of another method": ("fit toy --method svd --objective rows", "svd has no setting objective"),
    "one wrong value of a sweep": ("sweep toy --methods lp --objective rows,cols --out {0}/none", "got 'cols'"),
    "a ratio out of reach": ("fit toy --method svd --ratio 1e9", "svd cannot reach ratio 1e+09 here"),
    "a ratio that cannot be": ("fit toy --method svd --ratio 0", "ratio must be above 0, got 0.0"),
    "a preview of another method": (
        "fit toy --method svd --preview {0}/x.safetensors",
        "--preview goes with the method light_token, got svd",
    ),
    "another ending": (
        "fit toy --method int8 --out {0}/x.st",
        "x.st: it is written as safetensors, and programs tell what a file holds by its ending",
    ),
    "another ending of a healed file": ("heal demo --file none --out {0}/x.st", "--out must end in .safetensors, got "),
    "another ending of an array": ("decode {0}/none.safetensors --out {0}/x.txt", "--out must end in .npy, got "),
    "another ending of a map": ("map toy --out {0}/map.csv", "map.csv: it is an array of NumPy, and programs tell"),
    "a folder that is not there": ("fit toy --method int8 --out {0}/none/x.safetensors", "No such file or directory"),
    "a file that is not there": ("decode {0}/none.safetensors --out {0}/x.npy", "There is no file"),
    "a file of another kind": ("decode {0}/in/table.npy --out {0}/x.npy", "table.npy cannot be read as a compressed matrix"),
    "advice on nothing": ("advise toy", "give exactly one of ratio, max_bytes, max_error, min_cosine, got none"),
    "advice on two things": ("advise toy --ratio 5 --max-error 0.1", "got ratio and max_error"),
    "a cosine that cannot be": ("advise toy --min-cosine 1.2", "min_cosine must be a number between 0 and 1, got 1.2"),
    "advice out of reach": (
        "advise toy --methods int8 --ratio 9",
        "nearest: no smaller than 96.0 KB (3.75 ×), of which 90.0 KB",
    ),
    "too many planted rows": ("fit toy --method svd --planted 9999:2", "count must be a whole number between 0 and"),
    "another tensor": ("info toy --tensor other", "The toy matrix has the one tensor embedding"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence_and_leaves_no_file(capsys, table, tmp_path, name):
    command, sentence = FAULTS[name]
    assert main(command.format(tmp_path).split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("compress: ") and sentence in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "command",
    [
        "",
        "melt toy",
        "fit toy",
        "fit toy --method magic",
        "fit toy --method svd --j three",
        "sweep toy --out x --methods svd,magic",
        "sweep toy --out x --ratios 5,-1",
        "sweep toy --out x --ratios five",
        "sweep toy --out x --methods lp --p 1,two",
        "fit toy --method lp --objective",
        "advise toy --max-bytes 2miles",
        "advise toy --max-bytes 0KB",
        "advise toy --ratio 5 --methods svd,magic",
    ],
)
def test_a_command_that_cannot_be_read_exits_with_two(capsys, command):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(command.split())
    assert "error: " in capsys.readouterr().err


def test_a_stopped_fit_exits_with_130_and_leaves_no_file(tmp_path):
    np.save(tmp_path / "table.npy", np.random.default_rng(0).standard_normal((6000, 64)).astype(np.float32))
    out = tmp_path / "out"
    out.mkdir()
    settings = ["--k", "8", "--j", "20", "--restarts", "1000", "--progress", "--out", str(out / "x.safetensors")]
    process = subprocess.Popen(
        [sys.executable, "-m", "compress", "fit", str(tmp_path / "table.npy"), "--method", "projective", *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whoever runs the tests may ignore it
    )
    try:
        assert json.loads(process.stderr.readline())["step"] == 1
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert printed == ""
    assert said.splitlines()[-1] == "compress: stopped; no file was left half-written"
    assert "Traceback" not in said
    assert list(out.iterdir()) == []


def ended(arguments, when):
    """A fit that is sent SIGTERM once `when` is true of an event it tells: its exit status."""
    command = [sys.executable, "-m", "compress", "fit", "toy", "--progress", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr:
            if when(json.loads(line)):
                process.terminate()
                break
        process.stderr.read()
        return process.wait(60)


def test_a_fit_that_is_ended_keeps_its_finished_stages(tmp_path):
    path = tmp_path / "x.safetensors"
    fit = ["--method", "light_token", "--bits", "60", "--stages", "3", "--passes", "200", "--out", str(path)]
    assert ended(fit, lambda event: event["stage"] == 1) == 0
    assert compress.load(path).method == compress.LightToken(bits=20, stages=1, passes=200)


def test_a_fit_without_stages_that_is_ended_writes_nothing(tmp_path):
    path = tmp_path / "x.safetensors"
    fit = ["--method", "projective", "--k", "20", "--j", "2", "--restarts", "1000", "--out", str(path)]
    assert ended(fit, lambda event: event["step"] == 1) == -signal.SIGTERM
    assert not path.exists()


def test_advice_is_that_of_the_library(capsys, table, tmp_path):
    arguments = ("advise", table, "--max-bytes", "2.4KB", "--methods", "svd,projective,int8", "--seeds", 2)
    (row,) = told(capsys, *arguments, "--out", tmp_path / "trials")
    found = compress.advise(compress.load_matrix(table), max_bytes=2400, methods=["svd", "projective", "int8"], seeds=2)
    assert row == {**json.loads(json.dumps(found.row())), "judgement": None, "not_asked": None}  # a matrix without a model
    assert row["n_bytes"] <= 2400 and row["method"] == found.best.method.name
    assert main([str(argument) for argument in arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == found.why
    assert lines[-1] == f"int8 by row is out of reach: {found.out_of_reach['int8']}"


def test_advice_follows_the_row_weights(capsys, table):
    (row,) = told(capsys, "advise", table, "--max-error", 0.1, "--methods", "svd", "--weights", "order:1")
    assert row["weighted_error"] <= 0.1 != row["relative_error"]


def test_advice_ends_its_progress_with_the_answer(capsys, table):
    assert main(["advise", str(table), "--min-cosine", "0.9", "--methods", "svd", "--progress", "--json"]) == 0
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in err.splitlines()]
    assert events[-1] == {"share": 1.0, "words": "done", "advice": json.loads(out)}
    assert all(event["method"] == "svd" and event["of"] == 2 for event in events[:-1])


def killed(arguments, after, sent):
    """A command that is sent a signal once it has told so many events: what it told, and its exit status."""
    command = [sys.executable, "-m", "compress", *map(str, arguments), "--progress"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        told = [json.loads(process.stderr.readline()) for _ in range(after)]
        process.send_signal(sent)
        told += [json.loads(line) for line in process.stderr.read().splitlines()]
        return told, process.wait(60)


@pytest.fixture
def large(tmp_path):
    """A matrix whose fits take long enough to be caught in the middle."""
    np.save(tmp_path / "large.npy", np.random.default_rng(0).standard_normal((6000, 64)).astype(np.float32))
    return tmp_path / "large.npy"


def test_a_sweep_that_is_killed_goes_on_with_every_finished_trial(large, tmp_path):
    arguments = ("sweep", large, "--methods", "projective", "--ratios", "20,10,8,5", "--restarts", 5, "--out", tmp_path / "out")
    told, status = killed(arguments, 3, signal.SIGKILL)
    assert status == -signal.SIGKILL
    store = compress.tuning.sweep.Trials(tmp_path / "out" / "trials.sqlite")
    kept = list(store.of(compress.load_matrix(large).digest))
    assert len(told) <= len(kept) < told[0]["of"]
    again, status = killed(("sweep", large, "--methods", "projective", *arguments[4:]), len(kept) + 1, signal.SIGKILL)
    after = list(store.of(compress.load_matrix(large).digest))
    assert after[: len(kept)] == kept and len(after) > len(kept)
    assert again[len(kept)]["done"] == len(kept) + 1


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_advice_that_is_ended_keeps_what_is_finished(large, tmp_path, sent):
    arguments = ("advise", large, "--ratio", 8, "--methods", "svd,projective", "--out", tmp_path / "out")
    told, status = killed(arguments, 6, sent)
    assert status == -sent and not any("advice" in event for event in told)
    again, status = killed(arguments, 1, 0)
    assert status == 0 and "advice" in again[-1]
    before, later = ({(event["setting"], event["draft"]) for event in events if "setting" in event} for events in (told, again))
    assert before and later and not before & later

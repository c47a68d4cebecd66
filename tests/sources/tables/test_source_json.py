"""Tables in JSON, in the shapes that people keep them in."""

import json

import numpy as np
import pandas as pd
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors
from compress.sources.tables import json_stream

WORDS = [f"term{i}" for i in range(24)]
VECTORS = np.random.default_rng(7).standard_normal((24, 6)).astype(np.float32)
ROWS = VECTORS.tolist()
OBJECTS = [{"id": i, "text": word, "embedding": row} for i, (word, row) in enumerate(zip(WORDS, ROWS, strict=True))]
TABLE = pd.DataFrame(VECTORS.astype(float), columns=[f"d{i}" for i in range(6)]).assign(term=WORDS, count=range(900, 924))
NAMED = {
    "lines": "\n".join(map(json.dumps, OBJECTS)),
    "array": json.dumps(OBJECTS),
    "indented": json.dumps(OBJECTS, indent=2),
    "columns": json.dumps({"model": "m", "texts": WORDS, "embeddings": ROWS}),
    "words": json.dumps(dict(zip(WORDS, ROWS, strict=True))),
    **{orient: TABLE.to_json(orient=orient, double_precision=15) for orient in ("records", "columns", "index", "split", "values")},
    "split with an index": TABLE.set_index("term").to_json(orient="split", double_precision=15),
    "index of words": TABLE.set_index("term").to_json(orient="index", double_precision=15),
    "columns with an index": TABLE.set_index("term").to_json(orient="columns", double_precision=15),
    "pairs a line": "\n".join(map(json.dumps, zip(WORDS, ROWS, strict=True))),
    "lists as text": json.dumps([{**each, "embedding": str(each["embedding"])} for each in OBJECTS]),
    "objects in objects": "\n".join(json.dumps({"t": each["text"], "reply": {"data": [each]}}) for each in OBJECTS),
    "objects beside": json.dumps({"ids": WORDS, "embeddings": ROWS, "metadatas": [{"year": 1}] * 24}),
    "records a line": TABLE.to_json(orient="records", lines=True, double_precision=15),
}
BARE = {
    "rows": json.dumps(ROWS),
    "rows a line": "\n".join(map(json.dumps, ROWS)),
    "an answer": json.dumps({"data": [{"object": "embedding", "embedding": row} for row in ROWS], "usage": {"n": 1}}),
}


@pytest.mark.parametrize("chunk", [json_stream.CHUNK, 50])
@pytest.mark.parametrize("text", [*NAMED.values(), *BARE.values()], ids=[*NAMED, *BARE])
def test_json_gives_values_and_names(tmp_path, monkeypatch, text, chunk):
    monkeypatch.setattr(json_stream, "CHUNK", chunk)
    path = tmp_path / "x.json"
    path.write_text(text)
    matrix = load_matrix(path)
    np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
    assert list(matrix.tokens) == (WORDS if text in NAMED.values() else [f"row {row}" for row in range(24)])
    assert tensors(path)[0].shape == (24, 6)


def test_what_stands_beside_the_lists_is_left_out_named_and_kept(tmp_path):
    (tmp_path / "x.jsonl").write_text(NAMED["lines"])
    matrix = load_matrix(tmp_path / "x.jsonl")
    assert matrix.notes == ("The lists of embedding are the matrix; left out: id",)
    assert matrix.columns["id"].tolist() == list(range(24))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[1, 2], [3", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[[1, 2], [3]]", "Row 2 of x.json has 1 numbers, others have 2"),
        ('[{"a": "b"}, {"a": "c"}]', "has no rows of numbers"),
        ("[[1, 2], 5]", "holds int where a row should be"),
        ("[]", "holds no rows"),
        ('{"a": [1, 2], "b": [1], "c": [1, 2]}', "'b' of x.json has 1 numbers, others have 2"),
        ('[{"id": 4, "vector": "AbC="}, {"id": 5, "vector": "dEf="}]', r"no numbers but those of its rows \(id\)"),
        ("[[1e999, 1], [1, 2]]", "infinite entries"),
    ],
)
def test_json_that_is_no_table_is_refused(tmp_path, text, sentence):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_matrix(tmp_path / "x.json")


@pytest.mark.parametrize("first", [0, 1])
def test_rows_that_begin_with_their_number_are_named_by_it(tmp_path, first):
    rows = [[at, *row] for at, row in enumerate(ROWS, start=first)]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        (tmp_path / "x.json").write_text(text)
        matrix = load_matrix(tmp_path / "x.json")
        np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
        assert list(matrix.tokens) == [str(at) for at in range(first, first + 24)]


def test_a_word_that_an_object_has_twice_is_named(tmp_path):
    (tmp_path / "x.json").write_text('{"a": [1, 2], "b": [3, 4], "a": [5, 6]}')
    with pytest.raises(InputError, match=r"x\.json has 'a' twice"):
        load_matrix(tmp_path / "x.json")


@pytest.mark.parametrize("more", range(12))
def test_a_line_that_goes_on_behind_what_is_looked_at_is_json(tmp_path, more):
    row = {"word": "a" * more, **{f"d{at}": round(at / 7, 4) for at in range(5000)}}
    (tmp_path / "x.json").write_text(json.dumps([row, {**row, "word": "b"}]))
    assert load_matrix(tmp_path / "x.json").shape == (2, 5000)

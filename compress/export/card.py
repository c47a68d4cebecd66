"""The model card of an export: what it is, what it costs, how to load it."""

from collections.abc import Sequence
from math import isclose

from compress.form.compressed import Compressed
from compress.form.metrics import Evaluation
from compress.methods import Method
from compress.models.foreseen import Foreseen
from compress.models.places import KEPT
from compress.models.swap import Swapped
from compress.tuning.opponents import Opponent

COMPARED = 8192  # rows of the ONNX layer with those of torch, at most
MARKS = "\\`*_[]<>|#$"  # within a line of Markdown

CARD = """# {title}

An embedding table of {n:,} rows by {d:,} columns in {n_bytes:,} bytes: {ratio:.4g} times smaller than in float32.
It was compressed by {label}, and every row is decoded when it is asked for.

| | |
|---|---|
{facts}

{errors}
{scores}## How to load it

`load.py` needs torch and safetensors, and transformers for a model, nothing else.

```python
import torch

import load

layer = load.load("embedding.safetensors")  # ids of any shape in, vectors out
layer(torch.tensor([[0, 1], [1, 0]]))  # (2, 2, {d})
```

`python load.py` prints the shape and the first row.

{model}

## ONNX

{onnx}

## Licence

The numbers come from the source table{source} and are under its licence; look there before you pass them on. `load.py` is under the
MIT licence.
"""
IN_MODEL = """In a model of transformers:

```python
from transformers import {opener}

import load

model = {opener}.from_pretrained({model})
load.put_into(model, load.load("embedding.safetensors"))  # wherever the model uses its table
model.save_pretrained("smaller")
model = load.open_model("smaller")  # transformers alone would lack the table
```

{smaller}"""
ONNX = """`embedding.onnx` ({n_bytes:,} bytes) holds the same stored numbers and decodes them: `ids`, int64 of any length, each
between 0 and {last}, in, and `vectors`, float32 (length, {d}), out. {words}
It was compared over {compared:,} rows."""
MEANING = """Relative error is Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² over the rows aᵢ of the table and bᵢ of what is decoded; a weighted one
multiplies each term by how often the row is used. The ℓ1 error is Σ|aᵢⱼ − bᵢⱼ| / Σ|aᵢⱼ|. Cosines are of aᵢ with bᵢ.
"""
FIGURES = {
    "relative_error": "Relative error",
    "weighted_error": "Weighted error",
    "l1_error": "ℓ1 error",
    "median_row_error": "Relative error of the median row",
    "worst_row_error": "Relative error of the worst row",
    "mean_cosine": "Mean cosine",
    "worst_cosine": "Worst cosine",
}


def card(
    result: Compressed,
    name: str | None,
    evaluation: Evaluation | None,
    scores: Sequence[dict] | None,
    onnx_bytes: int,
    difference: float | None,
    no_onnx: str | None,
    model: Foreseen | None = None,
    svd: Opponent | None = None,
) -> str:
    """The card as Markdown, of a matrix by that name and for a model where these are known. svd: at its best in as many bytes."""
    n, d = result.shape
    facts = {
        "Method": f"{result.method.label} (`{result.method.name}`)",
        "Settings": settings_of(result.method) or "none",
        "Bytes stored": f"{result.n_bytes:,}",
        "Bytes in float32": f"{4 * n * d:,}",
        "Ratio": f"{result.ratio:.4g}",
        "Digest of the source table": f"`{result.digest}`",
    }
    if evaluation is not None and evaluation.file_ratio is not None:
        facts["Ratio against the source's file"] = f"{evaluation.file_ratio:.4g}"
    if evaluation is not None:
        figures = evaluation.figures()
        if isclose(figures["weighted_error"], figures["relative_error"], rel_tol=1e-6):
            del figures["weighted_error"]
        facts |= {label: f"{figures[figure]:.4g}" for figure, label in FIGURES.items() if figure in figures}
        if svd is not None:
            which = "Weighted error" if "weighted_error" in figures else "Relative error"
            facts[f"{which} of SVD at its best in as many bytes"] = f"{svd.error:.4g} ({settings_of(svd.method)})"
    if model is not None and model.swapped is not None:
        facts |= sizes_in_model(model.swapped)
    onnx = in_onnx(difference, no_onnx)
    if difference is not None:
        onnx = ONNX.format(n_bytes=onnx_bytes, last=n - 1, d=d, words=onnx, compared=min(n, COMPARED))
    return CARD.format(
        title=f"{plain(name)}, compressed" if name else "A compressed embedding table",
        n=n,
        d=d,
        n_bytes=result.n_bytes,
        ratio=result.ratio,
        label=result.method.label,
        facts="\n".join(f"| {key} | {value} |" for key, value in facts.items()),
        errors="Its errors were not measured.\n" if evaluation is None else MEANING,
        scores=f"## Scores\n\n{table(scores)}\n\n" if scores else "",
        model=in_model(model),
        onnx=onnx,
        source=f" ({plain(name)})" if name else "",
    )


def in_model(model: Foreseen | None) -> str:
    """How the layer gets into the model, and what becomes smaller, or why it cannot."""
    if model is None:
        return IN_MODEL.format(opener="AutoModel", model='"a model whose table this is"', smaller=smaller(None))
    if model.swapped is None:
        return f"{plain(model.name)} cannot take it: {plain(model.no_swap)}."
    return IN_MODEL.format(opener=model.opener, model=address(model.name, model.revision), smaller=smaller(model.swapped))


def address(name: str, revision: str | None) -> str:
    """What `from_pretrained` is given, as Python."""
    return repr(name) if revision is None else f"{name!r}, revision={revision!r}"


def smaller(swapped: Swapped | None) -> str:
    """What becomes smaller by a swap, and what becomes of the output layer, in a sentence or two."""
    if swapped is None:
        return "An output layer that is tied to the table computes with the compressed one too; any other stays as it is."
    words = {
        "compressed": f"Its output layer is tied to the table and computes with the {swapped.embedding_bytes:,} bytes too.",
        KEPT: f"Its output layer has weights of its own, {swapped.output_bytes:,} bytes, which stay.",
        "none": "It has no output layer.",
    }
    return (
        f"{swapped.model} then takes {swapped.model_bytes:,} bytes instead of {swapped.model_bytes_before:,}: the table "
        f"{swapped.embedding_bytes:,} instead of {swapped.embedding_bytes_before:,}, all else as before. {words[swapped.output]}"
    )


def sizes_in_model(swapped: Swapped) -> dict[str, str]:
    """Bytes before and after of the table, as the model has it, and of the whole model."""
    return {
        f"Table in {swapped.model}": f"{swapped.embedding_bytes_before:,} bytes → {swapped.embedding_bytes:,}",
        "The whole model": f"{swapped.model_bytes_before:,} bytes → {swapped.model_bytes:,}",
    }


def settings_of(method: Method) -> str:
    """Every setting by name."""
    return ", ".join(f"{key} = {value}" for key, value in method.settings.items())


def in_onnx(difference: float | None, no_onnx: str | None) -> str:
    """How far ONNX is from torch, see Exported, in a sentence."""
    if difference is None:
        return f"There is no ONNX file: {no_onnx}."
    if difference == 0:
        return "onnxruntime gives the vectors that torch gives, to the last bit."
    return f"onnxruntime gives entries at most {difference:.1e} of the largest one away from those of torch."


def table(rows: Sequence[dict]) -> str:
    """Dicts as a table in Markdown, a column a key."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    lines = [keys, ["---"] * len(keys), *([row.get(key, "") for key in keys] for row in rows)]
    return "\n".join("| " + " | ".join(plain(value) for value in line) + " |" for line in lines)


def plain(value: object) -> str:
    """A value within a line of Markdown, with nothing read as a mark: a name may hold anything."""
    return escaped(f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split()))


def escaped(text: str, marks: str = MARKS) -> str:
    """Text as Markdown shows it, with none of these letters read as a mark."""
    return "".join(f"\\{letter}" if letter in marks else letter for letter in text)

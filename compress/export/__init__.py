"""A folder that a person without this project can use: the file, the code that reads it, a card, the layer in ONNX."""

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compress.errors import InputError
from compress.export import decoders
from compress.export.card import card
from compress.files import whole_folder
from compress.form.compressed import Compressed
from compress.form.metrics import Evaluation, evaluate
from compress.matrix import EmbeddingMatrix
from compress.models.foreseen import Foreseen
from compress.tuning.opponents import best_svd

TABLE, CODE, CARD, ONNX = NAMES = ("embedding.safetensors", "load.py", "README.md", "embedding.onnx")


@dataclass(frozen=True, eq=False)
class Exported:
    """What an export wrote.

    folder: where. sizes: bytes of its files by name. card: the text of the model card. difference: how far the ONNX layer's entries
    are from torch's at most, in units of the largest entry; None where there is no such file, and then no_onnx says why.
    """

    folder: Path
    sizes: dict[str, int]
    card: str
    difference: float | None
    no_onnx: str | None


def export_folder(
    result: Compressed,
    folder: str | os.PathLike,
    matrix: EmbeddingMatrix | None = None,
    evaluation: Evaluation | None = None,
    scores: Sequence[dict] | None = None,
    onnx: bool = True,
    model: Foreseen | None = None,
) -> Path:
    """Writes embedding.safetensors, load.py, README.md and embedding.onnx into a folder, whole or not at all; returns its path.

    load.py needs only torch and safetensors, and gives the layer; with transformers it puts it into a model, whose files then hold
    the stored numbers and no table. README.md is a model card, with the error figures of `evaluation` or else of the matrix, and
    with task scores: dicts that have the same keys. onnx: whether the layer is written in ONNX too; it is kept where onnxruntime
    gives what torch gives, to 1e-5 of the largest entry, and the card says how far they are apart. model: what the table is of,
    see `compress.models.foreseen`, for its code and its sizes on the card.
    An export that lies there already is replaced. Raises InputError for a folder that holds anything else, and ValueError where
    the matrix is not the one that was compressed.
    """
    return exported(result, folder, matrix, evaluation, scores, onnx, model).folder


def exported(
    result: Compressed,
    folder: str | os.PathLike,
    matrix: EmbeddingMatrix | None = None,
    evaluation: Evaluation | None = None,
    scores: Sequence[dict] | None = None,
    onnx: bool = True,
    model: Foreseen | None = None,
) -> Exported:
    """As export_folder, and tells what was written."""
    folder, name = Path(folder), result.method.name
    if name not in decoders.FILES:
        raise ValueError(f"{name} cannot be exported as a folder; save it as a file and load it with this library")
    if matrix is not None and matrix.digest != result.digest:
        raise ValueError(f"the compressed form was made from another matrix than {matrix.name}; its digest is {result.digest}")
    if evaluation is None and matrix is not None:
        evaluation = evaluate(matrix, result)
    with whole_folder(folder, check_free) as part:
        result.save(part / TABLE)
        (part / CODE).write_text(decoders.source_of(name), encoding="utf-8")
        difference, no_onnx = write_onnx(name, part) if onnx else (None, "it was not asked for")
        named = matrix.name if matrix is not None else None
        svd = best_svd(matrix, result.n_bytes) if matrix is not None else None
        text = card(result, named, evaluation, scores, file_size(part / ONNX), difference, no_onnx, model, svd)
        (part / CARD).write_text(text, encoding="utf-8")
        sizes = {each: file_size(part / each) for each in NAMES if (part / each).is_file()}
    return Exported(folder, sizes, text, difference, no_onnx)


def write_onnx(method: str, part: Path) -> tuple[float | None, str | None]:
    """Writes the layer of the file in a folder beside it; gives how far it is from torch, or why it was not kept."""
    from compress.export.onnx_file import NotExported
    from compress.export.onnx_layer import differs, onnx_of

    layer = decoders.decoder_of(method).load(part / TABLE)
    try:
        content = onnx_of(layer)
        difference = differs(content, layer)
    except NotExported as error:
        return None, str(error)
    (part / ONNX).write_bytes(content)
    return difference, None


def zip_of(folder: str | os.PathLike, names: Sequence[str] = NAMES) -> bytes:
    """The files of an export as one archive, in a folder of the same name. names: those that it may have."""
    folder, held = Path(folder), io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            if (folder / name).is_file():
                packed = zipfile.ZIP_STORED if name == TABLE else zipfile.ZIP_DEFLATED
                archive.write(folder / name, f"{folder.name}/{name}", packed)
    return held.getvalue()


def check_free(folder: Path) -> None:
    """Raises InputError unless there is no such folder, an empty one, or an export."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder to export to.")
    held = {each.name for each in folder.iterdir()} - {"__pycache__"}  # of whoever imported its load.py
    other = sorted(held - set(NAMES)) or sorted(held if TABLE not in held else ())
    if other:
        raise InputError(f"{folder} holds other files, such as {other[0]}; name a new folder or an empty one.")


def file_size(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0

"""The whole model with the decoded table, in the file or folder that other programs read."""

import io
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from compress import InputError
from compress.export.gguf_model import GGUFModel, gguf_model, gguf_rounding, write_gguf
from compress.export.packed_model import BITS, GROUP, READERS, packed_bytes, packed_rounding, write_packed
from compress.files import Temporary, bytes_text
from compress.form.metrics import error_text
from compress.models.foreseen import Foreseen
from compress.sources import HUB
from compress.sources.checkpoints.gguf_file import is_gguf
from pages.parts.cached import cached
from pages.parts.controls import STAYING
from pages.parts.matrix import named_path
from pages.parts.opened import folded
from pages.parts.paths import is_local, may_name, spelled
from pages.parts.quick_fits import Fitted
from pages.parts.say import literal, refused
from pages.parts.uploads import is_upload

MOST = 1 << 30  # bytes that a browser is sent
GGUF, PACKED = "GGUF", "compressed-tensors"


def whole_model(fit: Fitted, name: str, source: str, tensor: str | None, model: Foreseen | None) -> None:
    """A folded panel with a choice of the form, what it takes and loses, and how to get it."""
    panel = folded("The whole model, for other programs", "whole_model")
    if panel.open:
        with panel:
            form = st.segmented_control("As", [GGUF, PACKED], default=GGUF, required=True, key="whole_form", **STAYING)
            if form == GGUF:
                as_gguf(fit, name, source, tensor)
            else:
                as_packed(fit, name, source, model)


def as_gguf(fit: Fitted, name: str, source: str, tensor: str | None) -> None:
    """The model's GGUF file with the decoded table."""
    path = model_file(source)
    if path is None:
        return
    try:
        model = gguf_model(path, fit.result.shape, tensor if path == source else None)
        dtype = type_choice(model.types, "Q8_0")
        rounding = rounding_of(fit, dtype, model.path, model.tensor, model.path.stat().st_mtime_ns)
    except (InputError, OSError) as error:
        refused(error)
        return
    out, n_bytes = f"{name}-{dtype}.gguf", model.n_bytes(dtype)
    size = model.table.stop - model.table.start
    st.caption(
        f"{literal(out)}: {n_bytes:,} bytes instead of {model.path.stat().st_size:,}, the table "
        f"{bytes_text(model.table_bytes(dtype))} instead of {bytes_text(size)}; all else as in {literal(model.path.name)}. "
        + ("The output layer is the table too. " if model.tied else "The output layer has weights of its own, which stay. ")
        + added(fit, dtype, rounding)
    )
    if n_bytes <= MOST:
        content = written(fit, dtype, model)
        st.download_button("Download", content, out, "application/octet-stream", key="whole_download", on_click="ignore")
    where = model.path.name if is_upload(source) else spelled(str(model.path))
    command(name, "gguf", where, dtype, out)


def as_packed(fit: Fitted, name: str, source: str, model: Foreseen | None) -> None:
    """The model's folder with the table packed."""
    n, d = fit.result.shape
    if model is None or model.swapped is None:
        st.caption("Open the folder of a transformers model, or hub:org/name, to write it with this table.")
        return
    if d % GROUP:
        st.caption(f"Groups of {GROUP} do not part its {d:,} columns.")
        return
    dtype = type_choice(list(BITS), "int8")
    swapped = model.swapped
    itemsize = swapped.embedding_bytes_before // (n * d)
    table = packed_bytes(fit.result.shape, dtype, GROUP, itemsize)
    n_bytes, out = swapped.model_bytes_before - swapped.embedding_bytes_before + table, f"{name}-{dtype}"
    st.caption(
        f"The weights take {n_bytes:,} bytes instead of "
        f"{swapped.model_bytes_before:,}: the table {bytes_text(table)} instead of {bytes_text(swapped.embedding_bytes_before)}, a "
        f"scale for {GROUP} columns; all else as before. {added(fit, dtype, rounding_packed(fit, dtype, itemsize))} {READERS}"
    )
    if n_bytes <= MOST and is_local() and not source.startswith(HUB):  # all that lies in the folder goes along
        content = written_folder(fit, dtype, source, out)
        st.download_button("Download", content, f"{out}.zip", "application/zip", key="whole_download", on_click="ignore")
    command(name, PACKED, spelled(source), dtype, out)


def type_choice(types: list[str], usual: str) -> str:
    """What the table is rounded to."""
    at = types.index(usual) if usual in types else 0
    about = "The format has types of its own: what the file decodes to is rounded to one of them, and takes its bytes."
    return st.selectbox("Table stored as", types, at, key=f"whole_{'_'.join(types)}", width=210, help=about, **STAYING)


def model_file(source: str) -> str | None:
    """The GGUF file of the model: the source where it is one, else a path on this machine, where one may name it."""
    if is_gguf(source) and Path(source).is_file():
        return source
    if not may_name():
        st.caption("Upload the model’s GGUF file in the sidebar to write it with this table.")
        return None
    given = st.text_input("The model’s GGUF file", key="whole_path", placeholder="/models/model.gguf", width=420, **STAYING)
    return named_path((given or "").strip())


def added(fit: Fitted, dtype: str, rounding: float) -> str:
    """What the rounding costs, beside what the form loses."""
    lost = error_text(fit.evaluation.relative_error)
    return f"Rounding to {dtype} has a relative error of {error_text(rounding, preview=True)} by itself, the form {lost}."


@cached(8, "Rounding some rows …")
def rounding_of(fit: Fitted, dtype: str, path: Path, tensor: str, changed: int) -> float:
    """changed: when the file was."""
    return gguf_rounding(fit.result, gguf_model(path, fit.result.shape, tensor), dtype)


@cached(8, "Rounding some rows …")
def rounding_packed(fit: Fitted, dtype: str, itemsize: int) -> float:
    return packed_rounding(fit.result, "the model", dtype, GROUP, itemsize)


def written(fit: Fitted, dtype: str, model: GGUFModel) -> Callable[[], bytes]:
    """What writes the file and gives its bytes, once that is asked for; with nothing of Streamlit."""

    def content() -> bytes:
        with Temporary() as folder:
            path = Path(folder) / "model.gguf"
            write_gguf(fit.result, model, path, dtype)
            return path.read_bytes()

    return content


def written_folder(fit: Fitted, dtype: str, source: str, name: str) -> Callable[[], bytes]:
    """The same for a model's folder, as an archive of it under that name."""

    def content() -> bytes:
        held = io.BytesIO()
        with Temporary() as place, zipfile.ZipFile(held, "w") as archive:
            folder = Path(place) / name
            write_packed(fit.result, source, folder, dtype)
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(place))
        return held.getvalue()

    return content


def command(name: str, form: str, model: str, dtype: str, out: str) -> None:
    """The command line that writes it, beside the downloaded file."""
    words = ["python", "-m", "compress", "export", f"{name}.safetensors", "--as", form, "--model", model, "--type", dtype]
    st.code(shlex.join([*words, "--out", out]), language="bash", wrap_lines=True)

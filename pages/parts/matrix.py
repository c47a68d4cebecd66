"""The matrix that the pages look at, and the picker that changes it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from weakref import WeakValueDictionary

import streamlit as st

import compress
from compress import EmbeddingMatrix, InputError
from compress.files import bytes_text
from compress.sources import MADE, documentation, is_installed, weights_of
from compress.sources.tables import columns
from compress.sources.tables.columns import JUDGED, Asked
from compress.sources.weights import UNIFORM
from pages.parts import paths, uploads
from pages.parts.cached import cached, keep_apart
from pages.parts.say import bold, literal, refused
from pages.parts.uploads import is_upload

KINDS = {
    "demo": "Demo: all-MiniLM-L6-v2",
    "demo:smollm2": "Demo: SmolLM2-135M",
    "demo:glove": "Demo: GloVe 6B 50d",
    "demo:docs": "Demo: sentences of documentation",
    "toy": "Toy: points around 4 flats",
    "upload": "Upload a file",
    "path": "File or model folder here",
    "hub": "Hugging Face model",
}

opened: WeakValueDictionary[tuple, EmbeddingMatrix] = WeakValueDictionary()  # as long as a session looks at it
reading: WeakValueDictionary[tuple, Any] = WeakValueDictionary()  # locks of those that are being read


@dataclass(frozen=True)
class Unopened:
    """What an address names and could not be opened, why in a sentence, and in which picker it is to be given again."""

    source: str
    tensor: str | None
    why: str
    again: str


def current_matrix() -> EmbeddingMatrix:
    """The matrix chosen in the sidebar or the link; the demo where that cannot be opened, with a sentence on why."""
    source, tensor = chosen()
    keep_apart(is_own(source, asked()))
    try:
        matrix = open_matrix(source, tensor, asked())
    except InputError as error:
        if asked() != JUDGED:
            refused(error)
            ask(JUDGED)
            return current_matrix()
        if source == "demo":
            refused(error)
            st.stop()
        unopened(source, tensor, str(error), kind_of(source))
        return current_matrix()
    try:
        return open_weighted(chosen_weights())
    except InputError as error:
        refused(error)
        use_weights(UNIFORM)
        return matrix


def chosen() -> tuple[str, str | None]:
    """The source and tensor in use: what was picked, else what the link names, else the demo."""
    if "source" not in st.session_state:
        read_address()
    return st.session_state["source"]


def named_matrix() -> tuple[str, str | None]:
    """The source, as the address spells it, and the tensor that the address names; the demo where it names none."""
    return st.query_params.get("matrix") or "demo", st.query_params.get("tensor")


def read_address() -> None:
    """Uses the matrix that the address names."""
    named, tensor = named_matrix()
    source = uploads.found(named)
    if source is None:
        name = named.rpartition("/")[2]
        unopened(named, tensor, f"The uploaded file {name} is no longer kept here.", "upload")
    elif source in MADE or source.startswith("hub:") or is_upload(source):
        use(source, tensor)
    elif not paths.may_name():
        unopened(named, tensor, "This link names a file on another machine, which cannot be opened here.", "upload")
    else:
        try:
            use(paths.named(source), tensor)
        except InputError as error:
            unopened(named, tensor, str(error), "path")


def asked() -> Asked:
    """What a person said of the columns of the table in use, else what the link says."""
    if "columns" not in st.session_state:
        ask(named_asked())
    said, source = st.session_state["columns"]
    return said if source == chosen() else JUDGED


def ask(said: Asked) -> None:
    st.session_state["columns"] = said, chosen()


def asked_texts() -> dict[str, str]:
    """The same as the command line says it: nothing of what is judged."""
    left_out, names, file = asked().left_out, asked().names, asked().columns
    said = {"left_out": None if left_out is None else columns.spelled(left_out), "names": names, "columns": file}
    return {name: text for name, text in said.items() if text is not None}


def linked_texts() -> dict[str, str]:
    """The same as the address says it."""
    return {name: uploads.spelled(text) if name == "columns" else text for name, text in asked_texts().items()}


def named_asked() -> Asked:
    """What the address says of the columns."""
    left_out, names, file = (st.query_params.get(name) for name in ("left_out", "names", "columns"))
    path = None if file is None else file_named(file)
    names = None if file is not None and path is None else names
    return Asked(None if left_out is None else tuple(columns.named(left_out)), names, path)


def file_named(text: str) -> str | None:
    """The path of the file of columns that an address names; None, with a word, where it is not here."""
    path = uploads.found(text, "columns")
    if path is not None and is_upload(path):
        return path
    with suppress(InputError):
        if path is not None and Path(paths.named(path)).is_file():
            return paths.named(path)
    st.warning("The file of columns that this link names is not here; the matrix is shown without it.")
    return None


def unopened(source: str, tensor: str | None, why: str, again: str) -> None:
    use("demo", None)
    st.session_state["unopened"] = Unopened(source, tensor, why, again)


def use(source: str, tensor: str | None) -> None:
    """Looks at this matrix from now on; the picker is still to be set to it."""
    st.session_state["source"] = (source, tensor)
    st.session_state["picker_behind"] = True
    for key in ("unopened", "matrix_refused"):
        st.session_state.pop(key, None)


def unopened_source() -> tuple[str, str | None] | None:
    """What the address still names, since it could not be opened."""
    missed = st.session_state.get("unopened")
    return (missed.source, missed.tensor) if missed else None


def unopened_notice() -> None:
    """What could not be opened, why, and the way to it."""
    missed = st.session_state.get("unopened")
    if missed is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="unopened_notice"):
        refused(f"{missed.why} This is the demo.")
        if missed.again == "upload":
            st.button("Upload it", icon=":material/upload:", key="unopened_again", on_click=offer_upload)
        else:
            again = [missed.source, missed.tensor]
            st.button("Try again", icon=":material/refresh:", key="unopened_again", on_click=use, args=again)
        st.button("Stay here", key="unopened_stay", on_click=use, args=["demo", None])


def offer_upload() -> None:
    st.session_state["matrix_kind"] = "upload"


def chosen_weights() -> str:
    """The row weights in use: what was chosen, else what the link says, else uniform. Those of a file belong to the matrix that
    they were chosen for and go when another is opened."""
    if "weights" not in st.session_state:
        spec = placed(uploads.found(st.query_params.get("weights", UNIFORM), "weights"))
        use_weights(UNIFORM if spec is None else spec)
    spec, source = st.session_state["weights"]
    if of_file(spec) and source != chosen():
        use_weights(UNIFORM)
        st.session_state["weights_dropped"] = True
    return st.session_state["weights"][0]


def placed(spec: str | None) -> str | None:
    """Weights as a link says them, with the path of their file; None, with a word, where that is not here. spec: None for an upload
    that is no longer kept."""
    kind, _, path = (spec or "").partition(":")
    if spec is not None and (not of_file(spec) or is_upload(path)):
        return spec
    path, *column = [path] if paths.is_local() or kind == "counts" else path.rsplit(":", 1)
    with suppress(InputError):
        if spec:
            return ":".join([kind, paths.named(path), *column])
    st.warning("The file that this link weights rows by is not here; all rows weigh the same.")
    return None


def use_weights(spec: str) -> None:
    st.session_state["weights"] = spec, chosen()


def of_file(spec: str) -> bool:
    return spec.startswith(("counts:", "column:"))


def open_weighted(spec: str) -> EmbeddingMatrix:
    """The matrix in use with such row weights. Raises InputError where it cannot have them."""
    source, tensor = chosen()
    matrix = open_matrix(source, tensor, asked())
    if spec == UNIFORM:
        return matrix
    path = spec.partition(":")[2]
    given_at = (stamp(path) or stamp(path.rpartition(":")[0])) if of_file(spec) else None
    return weighed(matrix, source, tensor, stamp(source), asked(), spec, given_at)


@cached(8, "Weighing the rows …")
def weighed(
    _matrix: EmbeddingMatrix,
    source: str,
    tensor: str | None,
    read_at: tuple | None,
    asked: Asked,
    spec: str,
    given_at: tuple | None,
) -> EmbeddingMatrix:
    """read_at, given_at: the stamps of the matrix's file and of the weights'."""
    return _matrix.with_weights(weights_of(source, spec, _matrix, guarded=True))


def open_matrix(source: str, tensor: str | None, asked: Asked = JUDGED) -> EmbeddingMatrix:
    read_at = stamp(source), stamp(asked.columns) if asked.columns else None
    return load.of(is_own(source, asked), source, tensor, read_at, asked)


def is_own(source: str, asked: Asked) -> bool:
    """Whether a session brings what is read, a file or one of columns."""
    return source not in MADE or asked.columns is not None


def stamp(source: str) -> tuple | None:
    """What changes when a file does, so that a changed file is read again."""
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


@cached(4, "Opening the matrix …", own=2)
def load(source: str, tensor: str | None, read_at: tuple, asked: Asked) -> EmbeddingMatrix:
    """Read once for all sessions that look at it. read_at: the stamps of its file and of that of more columns."""
    named = source, tensor, read_at, asked
    with reading.setdefault(named, Lock()):
        if (matrix := opened.get(named)) is None:
            said = {"left_out": asked.left_out, "names": asked.names, "columns": asked.columns}
            matrix = compress.load_matrix(source, tensor=tensor, **said, guarded=True)
            Thread(target=lambda: matrix.digest, daemon=True).start()  # while its columns are looked into
            opened[named] = matrix
        return matrix


@cached(16)
def tensor_names(source: str, stamp: tuple | None) -> list[str]:
    return [found.name for found in compress.tensors(source, guarded=True)]


def heading(matrix: EmbeddingMatrix) -> None:
    """Which matrix the page is about."""
    n, d = matrix.shape
    tensor = f" · {literal(chosen()[1])}" if chosen()[1] else ""
    st.caption(f"{bold(matrix.name)}{tensor} · {n:,} × {d:,}{' · rows weighted' if matrix.weighted else ''}")


def matrix_picker() -> None:
    """The sidebar's picker. A source that cannot be opened is named, and the matrix in use stays."""
    current_matrix()
    if st.session_state.pop("picker_behind", False) or "matrix_kind" not in st.session_state:
        kind = kind_of(chosen()[0])
        st.session_state["matrix_kind"] = kind
        if kind in ("path", "hub"):
            st.session_state[f"matrix_{kind}"] = paths.spelled(chosen()[0].removeprefix("hub:"))
    kind = st.selectbox("Matrix", kinds(), format_func=label, key="matrix_kind", on_change=given)
    picked = picked_source(kind, "matrix", given)
    if st.session_state.pop("matrix_given", False) and picked is not None and picked != chosen()[0]:
        switch(picked, None)
    if "matrix_refused" in st.session_state:
        refused(st.session_state["matrix_refused"])
    if (picked or kind) != chosen()[0] and "unopened" not in st.session_state:
        st.caption(f"Still showing {literal(source_name(chosen()[0]))}.")
    tensor_picker()
    matrix = current_matrix()
    n, d = matrix.shape
    in_file = f", {bytes_text(matrix.stored.n_bytes)} in the file" if matrix.stored else ""
    st.caption(f"{n:,} rows × {d:,} columns, {bytes_text(matrix.n_bytes)} in float32{in_file}")
    for note in matrix.notes:
        st.caption(literal(note))
    names_picker(matrix)
    column_picker(matrix)


def given() -> None:
    """Notes that a person has chosen or given something: what stands in the picker otherwise only tells what is open."""
    st.session_state["matrix_given"] = True


def kinds() -> list[str]:
    return [kind for kind in KINDS if kind != "path" or paths.may_name()]


def label(kind: str) -> str:
    """What a kind is called, with the command that fetches it where it is not here; not of one that a page makes, so that it keeps
    its name while it is made."""
    here = kind not in MADE or kind == documentation.SOURCE or is_installed(kind)
    return KINDS[kind] if here else f"{KINDS[kind]} (make demos)"


def kind_of(source: str) -> str:
    if source in MADE:
        return source
    if source.startswith("hub:"):
        return "hub"
    return "upload" if is_upload(source) or not paths.may_name() else "path"


def source_name(source: str) -> str:
    return source if source in MADE or source.startswith("hub:") else Path(source).name


def picked_source(kind: str, key: str, on_change: Callable | None = None, **how) -> str | None:
    """The source that a person gave for this kind; None while there is none yet. on_change, how: of the widget that asks for it."""
    if kind in MADE:
        return kind
    if kind == "upload":
        about = "Stays on the machine that runs this app."
        held = st.file_uploader("File", key=f"{key}_upload", help=about, on_change=on_change)
        if held:
            return uploads.kept_upload(held, in_use=chosen()[0])
        return chosen()[0] if is_upload(chosen()[0]) else None
    if kind == "path":
        path = st.text_input(
            "Path", key=f"{key}_path", placeholder="/data/table.npy or a model's folder", on_change=on_change, **how
        ).strip()
        return named_path(path)
    about = "Reads only the table, not the model."
    model = st.text_input("Model id", key=f"{key}_hub", placeholder="org/name", help=about, on_change=on_change, **how).strip()
    return f"hub:{model.removeprefix('hub:')}" if model else None


def named_path(text: str) -> str | None:
    """The path that was typed; None, with a word on why, where there is none to open."""
    try:
        return paths.named(text) if text else None
    except InputError as error:
        refused(error)
        return None


def switch(source: str, tensor: str | None) -> None:
    """Uses a source from now on, or notes why it cannot be used."""
    try:
        open_matrix(source, tensor)
    except InputError as error:
        st.session_state["matrix_refused"] = str(error)
        return
    st.session_state["source"] = (source, tensor)
    for key in ("unopened", "matrix_refused"):
        st.session_state.pop(key, None)


def tensor_picker() -> None:
    source, tensor = chosen()
    try:
        names = tensor_names(source, stamp(source))
    except InputError:
        return
    if len(names) > 1:
        key = f"tensor_of_{source}"
        at = tensor if tensor in names else names[0]
        if "tensor_given" not in st.session_state and st.session_state.get(key) != at:
            st.session_state[key] = at
        about = "The 2-D tensors that this source offers."
        picked = st.selectbox("Tensor", names, key=key, help=about, on_change=tensor_given)
        if st.session_state.pop("tensor_given", False) and picked != at:
            switch(source, picked)


def names_picker(matrix: EmbeddingMatrix) -> None:
    """Of a table, the column that names the rows, where there are several that can."""
    held = matrix.columns
    if not isinstance(held, columns.Columns) or len({*held.naming, held.names_rows}) < 2:
        return
    key = f"names_of_{chosen()}"
    if "columns_given" not in st.session_state and st.session_state.get(key) != held.names_rows:
        st.session_state[key] = held.names_rows
    picked = st.selectbox(
        "Names", held.naming, key=key, index=None, help="The column that names the rows.", on_change=columns_given
    )
    if picked != held.names_rows and st.session_state.pop("columns_given", False):
        ask(replace(asked(), names=picked))
        st.rerun()


def column_picker(matrix: EmbeddingMatrix) -> None:
    """Of a table, which columns of numbers are not in the matrix: those that looked like no dimensions, or what a person says."""
    held = matrix.columns
    if not isinstance(held, columns.Columns) or not (held.left_out or held.odd or asked().left_out is not None):
        return
    key = f"left_out_of_{chosen()}"
    if "columns_given" not in st.session_state and tuple(st.session_state.get(key, ())) != held.left_out:
        st.session_state[key] = list(held.left_out)
    about = "Columns of numbers that are not in the matrix. Take one away to put it back."
    picked = st.multiselect("Left out", held.numbers, key=key, help=about, on_change=columns_given)
    if st.session_state.pop("columns_given", False) and tuple(picked) != held.left_out:
        names = asked().names if asked().names in picked or asked().names not in held.numbers else None
        ask(replace(asked(), left_out=tuple(picked), names=names))
        st.rerun()


def columns_given() -> None:
    st.session_state["columns_given"] = True


def tensor_given() -> None:
    st.session_state["tensor_given"] = True

"""The matrix that the pages look at, and the picker that changes it."""

import shutil
import tempfile
from hashlib import blake2b
from pathlib import Path

import streamlit as st

import compress
from compress import EmbeddingMatrix, InputError
from compress.files import bytes_text
from compress.sources import tokenizer_folder
from compress.sources.weights import UNIFORM, row_weights
from pages.parts.cached import cached
from pages.parts.say import literal, refused

KINDS = {
    "demo": "Demo: all-MiniLM-L6-v2",
    "toy": "Toy: points around 4 flats",
    "upload": "Upload a file",
    "path": "File or model folder here",
    "hub": "Hugging Face model",
}
SUFFIXES = ["npy", "npz", "safetensors", "pt", "pth", "bin", "txt", "vec", "w2v", "csv", "tsv", "parquet"]


def current_matrix() -> EmbeddingMatrix:
    """The matrix chosen in the sidebar or the link; the demo where that cannot be opened, with a sentence on why."""
    source, tensor = chosen()
    try:
        matrix = open_matrix(source, tensor)
    except InputError as error:
        refused(error)
        st.session_state["source"] = ("demo", None)
        try:
            matrix = open_matrix("demo", None)
        except InputError as error:
            refused(error)
            st.stop()
    try:
        return open_weighted(chosen_weights())
    except InputError as error:
        refused(error)
        use_weights(UNIFORM)
        return matrix


def chosen() -> tuple[str, str | None]:
    """The source and tensor in use: what was picked, else what the link names, else the demo."""
    if "source" not in st.session_state:
        source, tensor = st.query_params.get("matrix", "demo"), st.query_params.get("tensor")
        allowed = source in ("demo", "toy") or source.startswith("hub:") or is_local()
        if not allowed:
            st.warning("This link names a file on another machine, which cannot be opened here; this is the demo.")
        st.session_state["source"] = (source, tensor) if allowed else ("demo", None)
    return st.session_state["source"]


def chosen_weights() -> str:
    """The row weights in use: what was chosen, else what the link says, else uniform. Those of a file belong to the matrix that
    they were chosen for and go when another is opened."""
    if "weights" not in st.session_state:
        spec = st.query_params.get("weights", UNIFORM)
        if of_file(spec):
            st.warning("This link weights rows by a file, which does not travel in a link; here all rows weigh the same.")
            spec = UNIFORM
        use_weights(spec)
    spec, source = st.session_state["weights"]
    if of_file(spec) and source != chosen():
        use_weights(UNIFORM)
        st.session_state["weights_dropped"] = True
    return st.session_state["weights"][0]


def use_weights(spec: str) -> None:
    st.session_state["weights"] = spec, chosen()


def of_file(spec: str) -> bool:
    return spec.startswith(("counts:", "column:"))


def open_weighted(spec: str) -> EmbeddingMatrix:
    """The matrix in use with such row weights. Raises InputError where it cannot have them."""
    source, tensor = chosen()
    matrix = open_matrix(source, tensor)
    if spec == UNIFORM:
        return matrix
    path = spec.partition(":")[2]
    given_at = (stamp(path) or stamp(path.rpartition(":")[0])) if of_file(spec) else None
    return weighed(matrix, source, tensor, stamp(source), spec, given_at)


@cached(8, "Weighing the rows …")
def weighed(
    _matrix: EmbeddingMatrix, source: str, tensor: str | None, read_at: tuple | None, spec: str, given_at: tuple | None
) -> EmbeddingMatrix:
    """read_at, given_at: the stamps of the matrix's file and of the weights'."""
    tokens = _matrix.tokens if _matrix.has_tokens else None
    weights = row_weights(spec, len(_matrix.values), tokens, tokenizer_folder(source))
    return EmbeddingMatrix(_matrix.values, tokens, weights, _matrix.name, _matrix.device, _matrix.row_word)


def is_local() -> bool:
    """Whether only this machine can reach the app, so that paths on it may be named."""
    return st.get_option("server.address") in ("127.0.0.1", "localhost", "::1")


def open_matrix(source: str, tensor: str | None) -> EmbeddingMatrix:
    return load(source, tensor, stamp(source))


def stamp(source: str) -> tuple | None:
    """What changes when a file does, so that a changed file is read again."""
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


@cached(4, "Opening the matrix …")
def load(source: str, tensor: str | None, stamp: tuple | None) -> EmbeddingMatrix:
    return compress.load_matrix(source, tensor=tensor)


@cached(16)
def tensor_names(source: str, stamp: tuple | None) -> list[str]:
    return [found.name for found in compress.tensors(source)]


def matrix_picker() -> None:
    """The sidebar's picker. A source that cannot be opened is named, and the matrix in use stays."""
    source = chosen()[0]
    kind = st.selectbox("Matrix", kinds(), index=kinds().index(kind_of(source)), format_func=KINDS.get, key="matrix_kind")
    picked = picked_source(kind, "matrix")
    if picked is not None and picked != source:
        switch(picked, None)
    elif picked is None and kind != kind_of(source):
        st.caption(f"Still showing {literal(source_name(source))}.")
    tensor_picker()
    matrix = current_matrix()
    n, d = matrix.shape
    st.caption(f"{n:,} rows × {d:,} columns, {bytes_text(matrix.n_bytes)} in float32")


def kinds() -> list[str]:
    return [kind for kind in KINDS if kind != "path" or is_local()]


def kind_of(source: str) -> str:
    if source in ("demo", "toy"):
        return source
    if source.startswith("hub:"):
        return "hub"
    return "upload" if is_upload(source) or not is_local() else "path"


def source_name(source: str) -> str:
    return source if source in ("demo", "toy") or source.startswith("hub:") else Path(source).name


def picked_source(kind: str, key: str) -> str | None:
    """The source that a person gave for this kind; None while there is none yet."""
    if kind in ("demo", "toy"):
        return kind
    if kind == "upload":
        held = st.file_uploader("File", type=SUFFIXES, key=f"{key}_upload", help="Stays on the machine that runs this app.")
        return kept_upload(held) if held else None
    if kind == "path":
        path = st.text_input("Path", key=f"{key}_path", placeholder="/data/table.npy or a model's folder").strip()
        return str(Path(path).expanduser().absolute()) if path else None
    model = st.text_input("Model id", key=f"{key}_hub", placeholder="org/name", help="Reads only the table, not the model.").strip()
    return f"hub:{model.removeprefix('hub:')}" if model else None


def switch(source: str, tensor: str | None) -> None:
    """Uses a source from now on, or says why it cannot be used."""
    try:
        open_matrix(source, tensor)
    except InputError as error:
        refused(error)
        st.caption(f"Still showing {literal(source_name(chosen()[0]))}.")
        return
    st.session_state["source"] = (source, tensor)


def tensor_picker() -> None:
    source, tensor = chosen()
    try:
        names = tensor_names(source, stamp(source))
    except InputError:
        return
    if len(names) > 1:
        at = names.index(tensor) if tensor in names else 0
        picked = st.selectbox("Tensor", names, index=at, key=f"tensor_of_{source}", help="The 2-D tensors that this source offers.")
        if picked != names[at]:
            switch(source, picked)


def kept_upload(held, place: str = "tables") -> str:
    """The path of an uploaded file, written once; its name is made of its content and its ending."""
    folder = Path(uploads_folder()) / place
    content = held.getbuffer()
    stem = "".join(letter for letter in Path(held.name).stem if letter.isalnum() or letter in "-_.")[:60] or "table"
    path = folder / blake2b(content, digest_size=8).hexdigest() / f"{stem}{Path(held.name).suffix.lower()}"
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)  # one upload at a time is kept in a place
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return str(path)


def uploads_folder() -> str:
    if "uploads" not in st.session_state:
        st.session_state["uploads"] = Uploads()
    return st.session_state["uploads"].folder.name


def is_upload(source: str) -> bool:
    return "uploads" in st.session_state and Path(uploads_folder()) in Path(source).parents


class Uploads:
    """A folder that goes when its session does."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="flatland-", ignore_cleanup_errors=True)

"""What the errors of a fit are to spare: nothing in particular, or what the model's outputs depend on."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import streamlit as st

from compress import EmbeddingMatrix, Importance, Method, cache
from compress.models.open import facts_of
from compress.tasks.judging import text_lack
from pages.parts import uploads
from pages.parts.cached import cached, keyed
from pages.parts.export.settings import EXPORT
from pages.parts.matrix import chosen
from pages.parts.model_quality.text import Text, text_choice
from pages.parts.say import sentence

BUILT_IN = "texts of several kinds; of a language model also what it writes itself"


@keyed
@dataclass(frozen=True)
class Asked:
    """The importance of a matrix's rows and directions for its model, by a text. source: of the model. digest: of the matrix."""

    source: str
    digest: str
    text: Text

    @property
    def key(self) -> str:
        return f"{self.source} {self.digest} {self.text.key}"

    @property
    def path(self) -> Path:
        """Where it is kept, once the first fit for it has measured it."""
        return cache.folder("importance") / f"{blake2b(self.key.encode(), digest_size=8).hexdigest()}.npz"

    def fit_path(self, matrix: EmbeddingMatrix, method: Method) -> Path:
        """Where a fit for it is kept."""
        name = blake2b(f"{method!r} {self.key}".encode(), digest_size=8).hexdigest()
        return cache.folder("fits") / f"{matrix.key}-{name}.safetensors"

    @property
    def options(self) -> dict[str, str]:
        """Of the command that fits for it."""
        return {"importance": f"model:{self.text.path}" if self.text.path else "model", "importance_kept": str(self.path)}

    @property
    def measured(self) -> Importance:
        return held(self)


@cached(4)
def held(asked: Asked) -> Importance:
    from compress.training.importance import read_importance

    found = read_importance(asked.path)
    assert found is not None, "it is measured before a fit for it is there"
    return found


def named_text() -> Text | None:
    """The text that was chosen, which the address names; at first the one that it named, if that is still kept."""
    said = EXPORT.importance_text.asked()
    if said and "importance_path" not in st.session_state:
        path = uploads.found(said, "importance_texts")
        if path and uploads.is_upload(path):
            st.session_state.update({"importance_path": path, "importance_text": "Upload"})
        else:
            st.caption("The text that this link names is not kept here; the built-in ones are taken.")
    text = text_choice("importance", BUILT_IN)
    st.session_state[EXPORT.importance_text.key] = uploads.spelled(text.path) if text and text.path else ""
    return text


def importance_choice(matrix: EmbeddingMatrix) -> Asked | None:
    """What fits are to spare, where the matrix has a model to ask; None for nothing in particular."""
    facts = facts_of(chosen()[0])
    if facts is None:
        return None
    about = "What fits spare: nothing in particular, or the rows and directions that the model’s outputs depend on, by a text."
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if EXPORT.importance.draw("Importance", about) == "none":
            return None
        with st.container(width=300):
            text = named_text()
    if text is None:
        st.caption("Give a file of texts, a line each; until then nothing in particular is spared.")
    elif lack := text_lack("Importance", facts, text.path):
        st.caption(sentence(lack))
    elif matrix.weighted:
        st.caption("Importance measures how often rows are used too. Set *Row weights* to uniform, and it is taken.")
    else:
        return Asked(chosen()[0], matrix.digest, text)
    return None

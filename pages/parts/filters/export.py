"""The pruned network to take away: its weights, and ONNX."""

from io import BytesIO

import streamlit as st
import torch
from torch import Tensor, nn

from compress import pruning
from compress.export.onnx_file import NotExported, difference, onnx_model
from pages.parts.cached import cached
from pages.parts.filters.fits import Outcome, pruned
from pages.parts.filters.network import Subject
from pages.parts.filters.settings import Pruning
from pages.parts.filters.work import TURNS
from pages.parts.opened import folded
from pages.parts.say import refused

COMPARED = 8  # pictures that ONNX is compared on
CODE = """import torch
from compress import pruning

network = {make}
for name, tensor in torch.load("{file}", weights_only=True).items():
    above, _, last = name.rpartition(".")
    module = network.get_submodule(above)  # its layers take their widths from their weights
    if isinstance(getattr(module, last), torch.nn.Parameter):
        tensor = torch.nn.Parameter(tensor)
    setattr(module, last, tensor)
network.eval()"""


def downloads(subject: Subject, outcome: Outcome, setting: Pruning) -> None:
    name = f"{'digits' if subject.quick else subject.name.lower()}-kept{round(100 * setting.keep)}"
    with st.container(horizontal=True, vertical_alignment="center", key="filters_downloads"):
        st.download_button(
            "Weights (state_dict)",
            lambda: weights_of(outcome.network),
            f"{name}.pt",
            "application/octet-stream",
            key="download_state",
            icon=":material/download:",
            on_click="ignore",
        )
        asked = subject.key, setting
        if st.session_state.get("filters_onnx") != asked and st.button(
            "Write ONNX", key="write_onnx", icon=":material/deployed_code:"
        ):
            st.session_state["filters_onnx"] = asked
            st.rerun()
        if st.session_state.get("filters_onnx") == asked:
            try:
                content, apart = written(subject, setting)
            except (NotExported, ValueError, RuntimeError) as error:
                refused(f"This network could not be written as ONNX: {str(error).splitlines()[0]}")
            else:
                st.download_button(
                    "ONNX",
                    content,
                    f"{name}.onnx",
                    "application/octet-stream",
                    key="download_onnx",
                    icon=":material/download:",
                    on_click="ignore",
                    help=f"`images` in, `scores` out, any number of pictures; onnxruntime differs by {apart:.0e}.",
                )
    code = folded("Code that opens the weights", "filters_code")  # its colours take a script of 0.4 MB
    if code.open:
        width = len(next(reversed(subject.network.state_dict().values())))
        make = "pruning.Digits()" if subject.quick else maker(subject.name, width)
        code.code(CODE.format(make=make, file=f"{name}.pt"), language="python")


def maker(name: str, n_classes: int) -> str:
    """The line that makes a network of this architecture."""
    _, *sizes = pruning.NETWORKS[name]
    return f'pruning.NETWORKS["{name}"][0]({", ".join([*map(str, sizes), f"n_classes={n_classes}"])})'


def weights_of(network: nn.Module) -> bytes:
    held = BytesIO()
    torch.save(network.state_dict(), held)
    return held.getvalue()


@cached(4, "Writing ONNX …")
def written(subject: Subject, setting: Pruning) -> tuple[bytes, float]:
    """The file, and how far its scores are from torch's in units of the largest."""
    network = pruned(subject, setting).network
    content = onnx_of(network, subject.judge[:2])
    return content, differs(content, network, subject.judge[:COMPARED])


def onnx_of(network: nn.Module, images: Tensor) -> bytes:
    """`images` (n, channels, height, width) in, `scores` (n, classes) out."""
    with TURNS.alone():
        return onnx_model(network, images, "images", "scores", "pictures").SerializeToString()


def differs(content: bytes, network: nn.Module, images: Tensor) -> float:
    """See `onnx_file.difference`; raises NotExported where onnxruntime's scores are too far away."""
    with TURNS.together():
        return difference(content, network, [images], "scores")

"""The code that loads an exported file, as text that runs as it stands beside the file."""

import shlex
from pathlib import Path

LAYER = """import compress

layer = compress.load({file!r}).to_layer()  # a torch module: ids in, vectors out
"""
DEMO_MODEL = """from transformers import AutoModel

from compress.sources.demo import model_folder

model = AutoModel.from_pretrained(model_folder())
model.set_input_embeddings(layer)
"""
MODEL = """from transformers import AutoModel

model = AutoModel.from_pretrained({model!r})
model.set_input_embeddings(layer)
"""
TORCH = """import torch

model = torch.nn.Sequential(layer, torch.nn.Linear(layer.embedding_dim, 2))
scores = model(torch.tensor([[0, 1, 1]]))  # in a transformers model: model.set_input_embeddings(layer)
"""


def layer_code(file: str) -> str:
    """Python that loads the file as a layer."""
    return LAYER.format(file=file)


def model_code(source: str) -> str:
    """Python that goes on from there: the layer inside the model that the matrix came from, where that is known."""
    if source == "demo":
        return DEMO_MODEL
    if source.startswith("hub:"):
        name, _, revision = source.removeprefix("hub:").partition("@")
        code = MODEL.format(model=name)
        return code.replace(")\n", f", revision={revision!r})\n", 1) if revision else code
    if Path(source).is_dir():
        return MODEL.format(model=source)
    return TORCH


def shell_code(file: str, source: str | None = None, tensor: str | None = None, weights: str | None = None) -> str:
    """The command lines that decode the file, and that compare it with its source where there is one to name."""
    lines = [["python", "-m", "compress", "decode", file, "--out", "decoded.npy"]]
    if source is not None:
        given = {"--tensor": tensor, "--weights": weights}
        options = [word for option, value in given.items() if value for word in (option, value)]
        lines.append(["python", "-m", "compress", "evaluate", file, "--source", source, *options])
    return "\n".join(shlex.join(line) for line in lines)

"""The code that loads an exported file, as text that runs as it stands beside the file."""

import shlex

from compress import Compressed
from compress.export.card import address
from compress.models.foreseen import Foreseen, foreseen
from compress.sources import WITH_MODEL
from pages.parts.cached import cached

MODEL = """import compress
from transformers import {opener}
{more}
model = {opener}.from_pretrained({model})
compress.swap_embedding(model, compress.load({file!r}))  # wherever the model uses its table
model.save_pretrained("smaller")

compress.register()  # so that transformers opens it again
model = {opener}.from_pretrained("smaller")
"""
LAYER = """import compress
import torch

layer = compress.load({file!r}).to_layer()  # a torch module: ids in, vectors out

model = torch.nn.Sequential(layer, torch.nn.Linear(layer.embedding_dim, 2))
scores = model(torch.tensor([[0, 1, 1]]))
"""


@cached(4, "Reading the model’s config …")
def model_of(source: str, tensor: str | None, result: Compressed) -> Foreseen | None:
    return foreseen(source, result, tensor)


def python_code(file: str, source: str, model: Foreseen | None) -> str:
    """Python that puts the file into the model that the matrix came from, saves it and opens it again; where no model can take it,
    Python that loads the file as a layer."""
    if model is None or model.swapped is None:
        return LAYER.format(file=file)
    if source in WITH_MODEL:
        more, where = f"\nfrom {WITH_MODEL[source].__name__} import model_folder\n", "model_folder()"
    else:
        more, where = "", address(model.name if source.startswith("hub:") else source, model.revision)
    return MODEL.format(opener=model.opener, file=file, more=more, model=where)


def shell_code(file: str, source: str | None = None, **given: str | None) -> str:
    """The command lines that decode the file, and that compare it with its source where there is one to name. given: options that
    open the source, by their names with _ for -."""
    lines = [["python", "-m", "compress", "decode", file, "--out", "decoded.npy"]]
    if source is not None:
        said = ((f"--{name.replace('_', '-')}", value) for name, value in given.items() if value is not None)
        options = [word for pair in said for word in pair]
        lines.append(["python", "-m", "compress", "evaluate", file, "--source", source, *options])
    return "\n".join(shlex.join(line) for line in lines)

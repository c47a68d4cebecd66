"""What decodes a compressed form with torch and safetensors alone: a file for methods that store alike, and what they share.

A file here says how rows are decoded: what it is about, `prepare` and `decode`. A method names the file that decodes it, or says
the text of one, see `Method.decoder`. An export joins it with frame.py to one `load.py` that imports nothing of this project.
"""

import re
from functools import cache
from pathlib import Path
from types import ModuleType

from compress.methods import METHODS

FILES = {name: method.decoder for name, method in METHODS.items() if method.decoder is not None}  # or texts, by method
IMPORTS = re.compile(r"^(?:import|from) .*\n", re.M)
OF_FRAME = re.compile(r"^from compress\.export\.decoders\.frame import .*\n", re.M)
ENDING = """


METHODS = ({names})

load = loader(METHODS, prepare, decode)

if __name__ == "__main__":
    show(load)
"""


def source_of(method: str) -> str:
    """The text of `load.py` for a method, by its name: what its decoder is about, all imports, the frame, the decoder, and which
    methods it reads: all that are decoded so."""
    folder, decoder = Path(__file__).parent, FILES[method]
    text = decoder if "\n" in decoder else (folder / f"{decoder}.py").read_text(encoding="utf-8")
    _, about, own = text.split('"""', 2)
    frame = (folder / "frame.py").read_text(encoding="utf-8").split('"""', 2)[2]
    own = OF_FRAME.sub("", own)
    imports = sorted({*IMPORTS.findall(frame), *IMPORTS.findall(own)}, key=lambda line: (line.startswith("from"), line))
    others = [line for line in imports if line.split()[1] in ("torch", "safetensors")]
    head = "".join([*(line for line in imports if line not in others), "\n", *others])
    bodies = (IMPORTS.sub("", text).strip() for text in (frame, own))
    read = [f'"{name}"' for name, other in FILES.items() if other == decoder]
    names = ", ".join(read) + ("," if len(read) == 1 else "")
    return f'"""{about}"""\n\n{head}\n' + "\n\n\n".join(bodies) + ENDING.format(names=names)


@cache
def decoder_of(method: str) -> ModuleType:
    """What `import load` gives to who has the export of a method, by its name."""
    module = ModuleType("load")
    exec(compile(source_of(method), "load.py", "exec"), vars(module))
    return module

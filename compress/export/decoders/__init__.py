"""What decodes a compressed form with torch and safetensors alone: a file for methods that store alike, and what they share.

An export joins the two, one of these and frame.py, to one `load.py` that imports nothing of this project.
"""

import re
from pathlib import Path

FILES = {
    "svd": "factors",
    "projective": "factors",
    "lp": "factors",
    "light_token": "light_token",
    "trellis": "trellis",
    "pq": "vectors",
    "opq": "vectors",
    "rq": "vectors",
    "int8": "rounded",
    "int4": "rounded",
    "dimensions": "dimensions",
}


IMPORTS = re.compile(r"^(?:import|from) .*\n", re.M)
OF_FRAME = re.compile(r"^from compress\.export\.decoders\.frame import .*\n", re.M)


def source_of(method: str) -> str:
    """The text of `load.py` for a method, by its name: what the method's file is about, all imports, the frame, the method."""
    folder = Path(__file__).parent
    _, about, own = (folder / f"{FILES[method]}.py").read_text(encoding="utf-8").split('"""', 2)
    frame = (folder / "frame.py").read_text(encoding="utf-8").split('"""', 2)[2]
    own = OF_FRAME.sub("", own)
    imports = sorted({*IMPORTS.findall(frame), *IMPORTS.findall(own)}, key=lambda line: (line.startswith("from"), line))
    others = [line for line in imports if line.split()[1] in ("torch", "safetensors")]
    head = "".join([*(line for line in imports if line not in others), "\n", *others])
    bodies = (IMPORTS.sub("", text).strip() for text in (frame, own))
    return f'"""{about}"""\n\n{head}\n' + "\n\n\n".join(bodies) + "\n"

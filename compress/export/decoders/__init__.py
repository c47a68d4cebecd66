"""What decodes a compressed form with torch and safetensors alone: a file for methods that store alike, and what they share.

A file here says how rows are decoded: what a row is, `prepare` and `decode`. A method names the file that decodes it, or says the
text of one, see `Method.decoder`. An export joins it with frame.py and in_model.py to one `load.py` that imports nothing of this
project.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path
from textwrap import indent
from types import ModuleType

from compress.methods import METHODS

FILES = {name: method.decoder for name, method in METHODS.items() if method.decoder is not None}  # or texts, by method
COMMON = ("frame.py", "in_model.py")
IMPORTS = re.compile(r"^(?:import|from) .*\n", re.M)
OF_FRAME = re.compile(r"^from compress\.export\.decoders\.frame import .*\n", re.M)
ABOUT = """Loads embedding.safetensors, a table of word vectors in fewer bytes, as a torch module, and puts it into a model.

    import load
    layer = load.load("embedding.safetensors")
    layer(torch.tensor([[0, 5], [7, 7]]))  # (2, 2, dim)

    load.put_into(model, layer)  # of transformers: wherever it uses its table, a tied output layer too
    model.save_pretrained("smaller")
    model = load.open_model("smaller")

Needs torch and safetensors, and transformers for a model, nothing else.

"""
ENDING = """


METHODS = ({names})

make = maker(METHODS, prepare, decode)
load, open_model = loader(make), opener(make)

if __name__ == "__main__":
    show(load)
"""

ABOUT_SEARCH = """Finds the rows of embedding.safetensors, a table of vectors in fewer bytes, that are nearest to others.

    import search
    table = search.open_table("embedding.safetensors")
    ids, similarities = table.search(queries, k=10, similarity="cosine")  # or "ip", "l2"; queries (q, dim)
    table.rows([3, 5])  # (2, dim), decoded

    python search.py QUERIES.npy 10 cosine

Needs NumPy, nothing else. Rows are decoded in blocks, each time that something is searched for.

"""
ENDING_SEARCH = """


METHODS = ({names})

open_table = opener(METHODS, prepare, decode)

if __name__ == "__main__":
    show(open_table, sys.argv[1:])
"""
SHARED = ("POWERS", "numbers", "read_bits")  # what decoders take of frame.py


def search_source_of(method: str) -> str:
    """The text of `search.py` for a method, by its name: the decoder of `load.py`, on NumPy."""
    about, own = parts_of(FILES[method])
    _, common = parts_of("in_numpy.py")
    others = others_of(method)
    imports = merged(line for part in (common, own, *others.values()) for line in IMPORTS.findall(OF_FRAME.sub("", part)))
    taken = [line for line in imports if line.split()[1] not in ("torch", "safetensors", "numpy")]
    bodies = [IMPORTS.sub("", part).strip() for part in (common, shared(), own)]
    bodies += [within(number, IMPORTS.sub("", part).strip()) for number, part in enumerate(others.values())]
    if others:
        bodies.append(told([*others]))
    head = "".join([*taken, "\n", "import numpy as np\n"])
    return f'"""{ABOUT_SEARCH}{about}"""\n\n{head}\n' + "\n\n\n".join(bodies) + ENDING_SEARCH.format(names=read_names(method))


def shared() -> str:
    """What decoders take of frame.py."""
    text = Path(__file__).with_name("frame.py").read_text(encoding="utf-8")
    found = []
    for node in ast.parse(text).body:
        name = node.name if isinstance(node, ast.FunctionDef) else getattr(getattr(node, "targets", [None])[0], "id", None)
        if name in SHARED:
            found.append(ast.get_source_segment(text, node) or "")
    return "\n\n\n".join(found)


def others_of(method: str) -> dict[str, str]:
    """The decoders of the methods that one combines with, by their files."""
    return {file: parts_of(file)[1] for file in FILES.values() if file != FILES[method]} if METHODS[method].combines else {}


def read_names(method: str) -> str:
    """The methods that are decoded so, as the inside of a tuple."""
    read = [f'"{name}"' for name, other in FILES.items() if other == FILES[method]]
    return ", ".join(read) + ("," if len(read) == 1 else "")


def source_of(method: str) -> str:
    """The text of `load.py` for a method, by its name: what it is about, all imports, what every such file has, the decoder, and
    which methods it reads: all that are decoded so. One that combines with others has all of theirs."""
    about, own = parts_of(FILES[method])
    common = [parts_of(name)[1] for name in COMMON]
    others = others_of(method)
    parts = [OF_FRAME.sub("", part) for part in (*common, own, *others.values())]
    imports = merged(line for part in parts for line in IMPORTS.findall(part))
    late = [line for line in imports if line.split()[1] in ("torch", "safetensors")]
    head = "".join([*(line for line in imports if line not in late), "\n", *late])
    bodies = [IMPORTS.sub("", part).strip() for part in parts]
    bodies[len(common) + 1 :] = [within(*each) for each in enumerate(bodies[len(common) + 1 :])]
    if others:
        bodies.append(told([*others]))
    return f'"""{ABOUT}{about}"""\n\n{head}\n' + "\n\n\n".join(bodies) + ENDING.format(names=read_names(method))


def parts_of(decoder: str) -> tuple[str, str]:
    """What a decoder is about, and its code, of a file or of a text."""
    text = decoder if "\n" in decoder else Path(__file__).with_name(f"{decoder.removesuffix('.py')}.py").read_text(encoding="utf-8")
    _, about, own = text.split('"""', 2)
    return about, own


def within(number: int, body: str) -> str:
    """A decoder as a function that gives its `prepare` and `decode`, so that names of several do not meet."""
    return f"def other_{number}() -> tuple[Callable, Callable]:\n{indent(body, '    ')}\n\n    return prepare, decode"


def told(files: list[str]) -> str:
    """The statements that fill the tables of a decoder that combines with others, whose decoders these are."""
    names = [name for name, file in FILES.items() if file in files]
    usual = {
        name: (METHODS[name].knob, {each.name: each.default for each in fields(METHODS[name]) if type(each.default) in (int, str)})
        for name in names
    }
    made = "".join(f"decoder_{number} = other_{number}()\n" for number in range(len(files)))
    pairs = ", ".join(f'"{name}": decoder_{files.index(FILES[name])}' for name in names)
    return f"{made}OTHERS.update({{{pairs}}})\nUSUAL.update({usual!r})"


def merged(lines: Iterable[str]) -> list[str]:
    """Lines of imports in order, one a module."""
    whole, named = set(), defaultdict(set)
    for line in lines:
        if line.startswith("import"):
            whole.add(line)
        else:
            module, _, names = line.strip().partition(" import ")
            named[module].update(names.split(", "))
    return sorted(whole) + [f"{module} import {', '.join(sorted(names))}\n" for module, names in sorted(named.items())]


@cache
def decoder_of(method: str) -> ModuleType:
    """What `import load` gives to who has the export of a method, by its name."""
    module = ModuleType("load")
    exec(compile(source_of(method), "load.py", "exec"), vars(module))
    return module

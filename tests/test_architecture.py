"""The house is laid out as docs/architecture.md says: no file imports upward, no two import each other."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "compress").rglob("*.py"))]
TOP = {
    "__init__",
    "__main__",
    "archive",
    "checks",
    "errors",
    "files",
    "importance",
    "matrix",
    "threads",
}  # files of compress/ in no folder


def module(path):
    """A file's name as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def levels():
    """The lines of the order in docs/architecture.md, the lowest first, each a list of places."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(r"```order\n(.*?)```", text, re.DOTALL)[1]
    return [line.split() for line in reversed(block.split("\n")) if line]


def place_of(path, places):
    """The place in the order that a file belongs to: the longest that it lies in."""
    name = path.relative_to(ROOT).as_posix()
    return max((place for place in places if name == place or name.startswith(f"{place}/")), key=len, default=None)


def imported(tree, name, is_package):
    """Modules of this project that a file imports anywhere, but for those that only type checkers see."""
    unseen = {
        each
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for part in node.body
        for each in ast.walk(part)
    }
    found = set()
    for node in ast.walk(tree):
        if node in unseen:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".")[: len(name.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
    return (found & MODULES.keys()) - {name}


@pytest.fixture(scope="module")
def arrows():
    """For each module those that it imports."""
    return {
        name: imported(ast.parse(path.read_text(encoding="utf-8")), name, path.name == "__init__.py")
        for name, path in MODULES.items()
    }


def circles(arrows):
    """Groups of modules that import each other, by Tarjan's algorithm."""
    order, low, stack, found = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in arrows[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in arrows:
        if name not in order:
            visit(name)
    return found


def upward(arrows):
    """Imports that lead up, or across a line, of the order."""
    height = {place: number for number, line in enumerate(levels()) for place in line}
    for name, others in arrows.items():
        mine = place_of(MODULES[name], height)
        for other in others:
            theirs = place_of(MODULES[other], height)
            if mine != theirs and height[theirs] >= height[mine]:
                yield f"{name} imports {other}"


def test_no_two_files_import_each_other(arrows):
    assert circles(arrows) == []


def test_no_file_imports_upward(arrows):
    assert list(upward(arrows)) == []


def test_every_file_has_its_place_in_the_order():
    places = [place for line in levels() for place in line]
    assert len(places) == len(set(places))
    assert [module(path) for path in FILES if place_of(path, places) in (None, "compress")] == []
    assert all((ROOT / place).exists() for place in places)


def test_what_lies_outside_folders_is_what_the_layout_names():
    assert {path.stem for path in (ROOT / "compress").glob("*.py")} == TOP


@pytest.mark.parametrize(
    ("others", "circle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    ],
)
def test_a_circle_would_be_found(others, circle):
    assert circles(others) == circle


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("compress.matrix", "compress.methods.svd"),
        ("compress.coding.factors", "compress.solvers.flats"),
        ("compress.files", "compress.checks"),
    ],
)
def test_an_import_upward_would_be_found(lower, higher):
    assert list(upward({lower: {higher}, higher: set()})) == [f"{lower} imports {higher}"]


def test_an_import_within_a_function_is_seen_and_one_for_type_checkers_is_not():
    code = """
    if TYPE_CHECKING:
        from compress.methods import Method
    def run():
        from compress.form import layers
        import compress.matrix
    """
    tree = ast.parse("\n".join(line[4:] for line in code.split("\n")))
    assert imported(tree, "compress.files", False) == {"compress.form.layers", "compress.matrix"}

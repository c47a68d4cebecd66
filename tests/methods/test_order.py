"""Who has read one method has read all: members stand in the order of the base."""

import ast
from pathlib import Path

import pytest

import compress.methods

FOLDER = Path(compress.methods.__file__).parent
CLASSES = {
    node.name: node
    for path in sorted(FOLDER.glob("*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}


def kind_and_name(node):
    """0 for what the class says of itself, 1 for a setting, 2 for what it does; and the name."""
    if isinstance(node, ast.FunctionDef):
        return 2, node.name
    if isinstance(node, ast.AnnAssign):
        return int("ClassVar" not in ast.unparse(node.annotation)), node.target.id
    assert isinstance(node, ast.Assign) and len(node.targets) == 1
    return 0, node.targets[0].id


def members(name):
    """Kinds and names of what a class holds, without its docstring."""
    return [kind_and_name(node) for node in CLASSES[name].body if not isinstance(node, ast.Expr)]


def is_method(name):
    bases = [base.id for base in CLASSES[name].bases if isinstance(base, ast.Name)]
    return "Method" in bases or any(is_method(base) for base in bases if base in CLASSES)


ORDER = [name for _, name in members("Method")]
SIBLINGS = sorted(name for name in CLASSES if name != "Method" and is_method(name))


def test_every_method_is_read():
    assert {method.__name__ for method in compress.METHODS.values()} <= set(SIBLINGS)


@pytest.mark.parametrize("name", ["Method", *SIBLINGS])
def test_a_class_says_what_it_is_then_its_settings_then_what_it_does(name):
    kinds = [kind for kind, _ in members(name)]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("name", SIBLINGS)
def test_what_the_base_has_stands_in_the_order_of_the_base(name):
    shared = [member for _, member in members(name) if member in ORDER]
    assert shared == sorted(shared, key=ORDER.index)

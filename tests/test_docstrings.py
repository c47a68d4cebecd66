"""Every public name of the library says what it is."""

import inspect

import pytest

import compress


def members():
    """The public names, and what their classes offer besides."""
    for name in compress.__all__:
        each = getattr(compress, name)
        yield name, each
        if inspect.isclass(each):
            for member, value in inspect.getmembers(each):
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield f"{name}.{member}", value


NAMED = dict(members())


@pytest.mark.parametrize("name", [name for name in NAMED if name != "METHODS"])
def test_a_public_name_says_what_it_is(name):
    said = inspect.getdoc(NAMED[name])
    assert said and len(said.split()) > 3
    assert not said.startswith(f"{name}(")  # a dataclass without words of its own has its signature

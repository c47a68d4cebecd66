"""What a pickle holds, told by its instructions: lists, dicts, texts and numbers. Nothing is imported, called or built besides."""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from compress.errors import InputError

FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
LONGEST = 1000  # letters of the name of what is called
SKIPPED = {"PROTO", "FRAME"}
PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
GETS = {"GET", "BINGET", "LONG_BINGET"}


@dataclass(eq=False, slots=True)
class Made:
    """What the pickle would make by a call: what it calls ("numpy dtype"), with which arguments; what it then gives it."""

    of: str
    args: tuple = ()
    state: Any = None
    items: dict | None = None


@dataclass
class Memo:
    """What a pickle comes back to, by number: in a row as far as these follow each other, which takes a tenth of the memory."""

    row: list[Any] = field(default_factory=list)
    apart: dict[int, Any] = field(default_factory=dict)

    def put(self, number: int, held: Any) -> None:
        if number == len(self.row):
            self.row.append(held)
        elif number < len(self.row):
            self.row[number] = held
        else:
            self.apart[number] = held

    def get(self, number: int) -> Any:
        return self.apart[number] if number in self.apart else self.row[number]


@dataclass(frozen=True)
class Bounded:
    """A file that refuses to be asked for more than it has."""

    file: IO[bytes]
    size: int

    def read(self, count: int) -> bytes:
        if count > self.size:
            raise ValueError(f"{count:,} bytes")
        return self.file.read(count)

    def readline(self) -> bytes:
        return self.file.readline()


def walk(path: Path) -> Any:
    """What the pickle in a file holds; InputError where it is damaged, or uses what only code could make sense of."""
    try:
        with open(path, "rb") as file:
            return held_in(Bounded(file, path.stat().st_size))
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever an odd order of instructions comes to
        raise InputError(f"{path.name} is a damaged pickle, or it is cut short; save the table again with numpy.save.") from error


def held_in(file: Any, with_storages: bool = False) -> Any:
    """What stands on the stack when the instructions end. with_storages: whether it may name what lies outside, as torch does."""
    stack: list[Any] = []
    outer: list[list[Any]] = []
    memo = Memo()

    def to_mark() -> list[Any]:
        nonlocal stack
        items, stack = stack, outer.pop()
        return items

    arg: Any
    for opcode, arg, _ in pickletools.genops(file):
        name = opcode.name
        if name == "STOP":
            return stack.pop()
        if name in PUTS:
            memo.put(arg, stack[-1])
        elif name == "MEMOIZE":
            memo.put(len(memo.row) + len(memo.apart), stack[-1])
        elif name in GETS:
            stack.append(memo.get(arg))
        elif name == "MARK":
            outer.append(stack)
            stack = []
        elif name in FIXED:
            stack.append(FIXED[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name in TUPLES:
            stack[-TUPLES[name] :] = [tuple(stack[-TUPLES[name] :])]
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            items = to_mark()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name == "DICT":
            items = to_mark()
            stack.append({})
            fill(stack[-1], items)
        elif name == "APPEND":
            item = stack.pop()
            extend(stack[-1], [item])
        elif name in ("APPENDS", "ADDITEMS"):
            items = to_mark()
            extend(stack[-1], items)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            fill(stack[-1], [key, value])
        elif name == "SETITEMS":
            items = to_mark()
            fill(stack[-1], items)
        elif name == "GLOBAL":
            stack.append(named(arg))
        elif name == "STACK_GLOBAL":
            own, module = stack.pop(), stack.pop()
            if not (isinstance(own, str) and isinstance(module, str)):
                raise ValueError("a name that is no text")
            stack.append(named(f"{module} {own}"))
        elif name in ("REDUCE", "NEWOBJ"):
            args, called = stack.pop(), stack.pop()
            stack.append(made(called, args))
        elif name == "NEWOBJ_EX":
            _, args, called = stack.pop(), stack.pop(), stack.pop()
            stack.append(made(called, args))
        elif name == "BINPERSID" and with_storages:
            stack.append(Made("persistent", (stack.pop(),)))
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            to_mark()
        elif name == "DUP":
            stack.append(stack[-1])
        elif opcode.arg is not None and name not in SKIPPED and opcode.stack_after and not opcode.stack_before:
            stack.append(arg)  # a number or a text, as it stands there
        elif name not in SKIPPED:
            raise ValueError(name)
    raise ValueError("no end")


def named(name: str) -> Made:
    """What code has a name for. Raises ValueError where that is longer than any."""
    if len(name) > LONGEST:
        raise ValueError(f"a name of {len(name):,} letters")
    return Made(name)


def made(called: Any, args: Any) -> Made:
    """What a call makes. Raises ValueError where what is called is no name."""
    if not isinstance(called, Made) or called.args or called.state or called.items:
        raise ValueError("a call of what has no name")
    return Made(called.of, args)


def extend(held: Any, items: list[Any]) -> None:
    """Adds to a list, which sets are too; what a call would have made keeps nothing."""
    if isinstance(held, list):
        held.extend(items)


def fill(held: Any, items: list[Any]) -> None:
    """Sets keys and values, which stand in turn; keys that have parts are left out, since to hash one may take for ever."""
    if isinstance(held, Made):
        held.items = held.items or {}
        held = held.items
    pairs = zip(items[::2], items[1::2], strict=True)
    held.update((key, value) for key, value in pairs if isinstance(key, str | int | float | bytes | None))


def array_of(held: Any) -> np.ndarray | None:
    """The NumPy array that a call would make, None for whatever is none of plain numbers. Raises ValueError where its bytes are
    not as many as its shape takes."""
    if not isinstance(held, Made):
        return None
    if held.of.endswith("_reconstruct") and isinstance(held.state, tuple) and len(held.state) == 5:
        _, shape, kind, fortran, data = held.state
    elif held.of.endswith("_frombuffer") and len(held.args) == 4:
        data, kind, shape, order = held.args
        fortran = order == "F"
    else:
        return None
    dtype = dtype_of(kind)
    if isinstance(data, Made) and data.of == "_codecs encode":  # how bytes are told to Python 2
        data = data.args[0].encode("latin-1")
    if dtype is None or not isinstance(data, bytes | bytearray):
        return None
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def dtype_of(kind: Any) -> np.dtype | None:
    """A dtype of plain numbers, None for another."""
    if not isinstance(kind, Made) or kind.of != "numpy dtype" or not isinstance(kind.args[0], str):
        return None
    if kind.args[0][:1] not in "fiu" or not isinstance(kind.state, tuple):
        return None
    return np.dtype(kind.args[0]).newbyteorder(kind.state[1])

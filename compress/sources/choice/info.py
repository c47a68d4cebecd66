"""The 2-D tensors that a source offers, and which of them is its table."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compress.errors import InputError
from compress.linalg.lazy import Table
from compress.matrix import Stored
from compress.sources.choice import vocabulary
from compress.sources.choice.clues import NONE, Clues
from compress.sources.choice.roles import Role, role_of, words_of

PLAIN = {"float64", "float32", "float16", "bfloat16"}  # dtypes of one entry a number
ROLES = {Role.INPUT: "an input table", Role.OUTPUT: "an output layer", Role.COPY: "an average over training"}
SAID = 3  # tensors that a choice was close to
SECOND = {  # what has the same table again, or another one beside the input's
    *("decoder", "tgt", "target", "teacher", "context", "original", "relation", "relations"),
}


@dataclass(frozen=True)
class TensorInfo:
    """A tensor that can be read as a matrix: its name, its shape (rows, columns), and its stored dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def role(self) -> Role:
        """What it is in its model; numbers that only count or point are no table's."""
        return max(role_of(self.name), Role.PART) if self.dtype in ("int64", "uint64", "bool") else role_of(self.name)

    @property
    def packed(self) -> bool:
        """Whether it may hold several entries in one number, so that its shape is not the table's."""
        return self.dtype not in PLAIN


class Read(NamedTuple):
    """What a source gives: values (n, d), n tokens, or None where it names no rows, and what it is that these name; notes, columns
    and stored as in EmbeddingMatrix."""

    values: Table
    tokens: list[str] | None
    row_word: str = "token"
    notes: tuple[str, ...] = ()
    columns: Mapping[str, Sequence | np.ndarray] | None = None
    stored: Stored | None = None


def stored_as(dtype: str, n_bytes: int) -> Stored | None:
    """How a tensor of that dtype is stored; None where it is float32, as a matrix is."""
    return None if dtype == "float32" else Stored(dtype, n_bytes)


def ranked(infos: Iterable[TensorInfo], clues: Clues = NONE) -> list[TensorInfo]:
    """The 2-D tensors among infos, the likeliest to be the table first: by what the model's files say of its size, then by role,
    then the tallest. Where that leaves two, the architecture's own name decides."""

    def likeness(info: TensorInfo) -> tuple[int, bool, Role, bool, bool]:
        spare = max(info.role - Role.WEIGHT, 0)
        n, d = info.shape[::-1] if turned(info, clues) else info.shape
        rows, columns = (info.packed or fit for fit in (clues.rows_fit(n), clues.columns_fit(d)))
        return spare, not rows, info.role, not columns, not words_of(info.name).isdisjoint(SECOND)

    def order(info: TensorInfo) -> tuple:
        of_copy = role_of(info.name, copies=False)
        return *likeness(info), of_copy, -info.shape[0], info.shape[1] == 1, info.name.count("."), info.name

    ranking = sorted((info for info in infos if len(info.shape) == 2 and math.prod(info.shape) > 0), key=order)
    if len(ranking) > 1 and likeness(ranking[0])[:4] == likeness(ranking[1])[:4] and (own := clues.own_name):
        ranking.sort(key=lambda info: info.role >= Role.PART or not f".{info.name}".endswith(f".{own}"))
    return ranking


def pick(infos: Iterable[TensorInfo], tensor: str | None, where: str, clues: Clues = NONE) -> TensorInfo:
    """The tensor of that name, or the likeliest to be the table for None; InputError where there is none, where the table is packed
    in a tensor that is no matrix, and where nothing is a model's weight."""
    infos = list(infos)
    offered = ranked(infos, NONE if tensor is not None else clues)
    packed = (
        info for info in infos if info.role == Role.INPUT and info.packed and len(info.shape) != 2 and math.prod(info.shape) > 1
    )
    if tensor is None and (not offered or offered[0].role != Role.INPUT) and (table := next(packed, None)):
        raise unread(table, where)
    if not offered:
        held = ", ".join(f"{info.name} {info.shape}" for info in infos[:5]) or "nothing that can be read as one"
        raise InputError(f"{where} has no 2-D tensor of numbers (it holds {held}); give a file with a matrix in it.")
    if tensor is None and len(offered) > 1 and offered[0].role == Role.STATE:
        raise InputError(
            f"{where} holds what training or a quantization keeps beside a model ({offered[0].name}, …), and no weights; "
            "give the model's own file."
        )
    if tensor is None:
        return offered[0]
    for info in offered:
        if info.name == tensor:
            return info
    names = ", ".join(info.name for info in offered[:8]) + (", …" if len(offered) > 8 else "")
    raise InputError(f"{where} has no 2-D tensor named {tensor!r}; choose one of: {names}.")


def notes_on(chosen: TensorInfo, infos: Iterable[TensorInfo], tensor: str | None, clues: Clues = NONE) -> tuple[str, ...]:
    """What is to be said of a choice among infos that nobody made: that it was close, or that it is no input table, and what else
    there is. Nothing where the tensor was asked for."""
    others = [info for info in ranked(infos, clues) if info != chosen]
    if tensor is not None or not others:
        return ()
    if chosen.role not in ROLES:
        return (f"No tensor of {len(others) + 1:,} is called a table; {chosen.name} was taken, the tallest of its kind.",)
    near = [info for info in others if info.role <= Role.OUTPUT and (info.shape == chosen.shape or info.role == chosen.role)]
    if not near and chosen.role == Role.INPUT:
        return ()
    told = [f"{info.name} ({ROLES[info.role]}, {info.shape[0]:,} × {info.shape[1]:,})" for info in near]
    more = f" and {len(told) - SAID:,} more" if len(told) > SAID else ""
    besides = f"; it could also be {', '.join(told[:SAID])}{more}" if near else ""
    return (f"The matrix is {chosen.name}, {ROLES[chosen.role]}{besides}.",)


def turned(info: TensorInfo, clues: Clues) -> bool:
    """Whether it is a table with a column a token, by what the model's files say of its size."""
    return info.role <= Role.OUTPUT and len(info.shape) == 2 and not info.packed and clues.on_its_side(info.shape)


def upright(values: Table, chosen: TensorInfo, clues: Clues) -> tuple[Table, tuple[str, ...]]:
    """The values of the chosen tensor with a row a token, and what is to be said where they are stored otherwise."""
    if not turned(chosen, clues):
        return values, ()
    values = values if isinstance(values, np.ndarray) else values.whole()
    return values.T, (f"{chosen.name} is stored as {chosen.shape[0]:,} × {chosen.shape[1]:,}, a column a token, and was turned.",)


def completed(
    held: Read,
    chosen: TensorInfo,
    infos: Iterable[TensorInfo],
    tensor: str | None,
    clues: Clues,
    mapping: Callable[[], np.ndarray | None],
) -> Read:
    """What was read of a model, a row a token, with what is to be said of the choice, and the tokens of the model's vocabulary
    where they are its rows'. mapping: gives the row of each token where tokens share rows, asked for where it may be needed."""
    infos = list(infos)
    values, lying = upright(held.values, chosen, clues)
    held = held._replace(values=values, notes=(*notes_on(chosen, infos, tensor, clues), *lying, *held.notes))
    if held.tokens or clues.folder is None or not may_have_names(chosen, infos):
        return held
    tokens = vocabulary.tokens_for(clues.folder, len(values), clues.told, mapping())
    return held._replace(tokens=tokens, row_word=vocabulary.row_word(clues.folder, tokens or []))


def may_have_names(chosen: TensorInfo, infos: Iterable[TensorInfo]) -> bool:
    """Whether the rows of a tensor may be what a vocabulary names: those of a table, or of what is taken where there is none."""
    return chosen.role <= Role.OUTPUT or all(info.role >= chosen.role for info in infos if len(info.shape) == 2)


def wanted_files(weight_map: dict[str, str], tensor: str | None) -> list[str]:
    """The files of a sharded model in which the tensor can lie.

    weight_map: tensor name to file name. For None these are the files of tensors with the likeliest role: input tables, else output
    layers, else all.
    """
    if tensor in weight_map:
        return [weight_map[tensor]]
    for role in (Role.INPUT, Role.OUTPUT) if tensor is None else ():
        if named := {file for name, file in weight_map.items() if role_of(name) == role}:
            return sorted(named)
    return sorted(set(weight_map.values()))


def beside_files(weight_map: dict[str, str]) -> list[str]:
    """The files of a sharded model in which its output layer lies, which may share the table's shape."""
    return sorted({file for name, file in weight_map.items() if role_of(name) == Role.OUTPUT})


def unread(info: TensorInfo, where: str) -> InputError:
    """That a table is there, in numbers that are not read."""
    return InputError(f"The table of {where}, {info.name!r}, is stored as {info.dtype}, which is not read; convert it to F32.")

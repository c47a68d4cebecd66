"""Which channels of a network belong together: what must go when a filter goes.

The network is traced with torch.fx. Every layer writes channels and reads channels; a residual sum makes two of them one, a
batch norm or a pooling hands them on, a flattening repeats each. A *space* is what can be pruned on its own: the channels that
some layers write together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node, symbolic_trace
from torch.fx.passes.shape_prop import ShapeProp

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.SiLU, nn.Hardswish, nn.GELU, nn.ELU, nn.Sigmoid, nn.Hardsigmoid, nn.Tanh)
POOLINGS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Upsample, nn.ZeroPad2d)
HANDED_ON = (*ACTIVATIONS, *POOLINGS, nn.Identity, nn.Dropout, nn.Dropout2d)
HANDED_ON_BY_NAME = {
    *("relu", "relu_", "relu6", "leaky_relu", "silu", "hardswish", "gelu", "elu", "sigmoid", "hardsigmoid", "tanh", "dropout"),
    *("dropout2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "interpolate", "mean", "squeeze"),
    *("unsqueeze", "contiguous", "clone", "clamp", "float", "to"),
}
SUMS = {"add", "iadd", "add_", "sub", "isub", "mul", "imul", "mul_"}
FLATTENING = {"flatten", "view", "reshape"}


@dataclass(frozen=True)
class Layer:
    """A Conv2d or Linear. reads (in,), writes (out,): the channel of each input and output feature. positions: places of its
    output, height × width, over all its calls. depthwise: channel by channel, so that it hands on what it reads."""

    name: str
    reads: np.ndarray
    writes: np.ndarray
    positions: int
    depthwise: bool = False


@dataclass(frozen=True)
class Space:
    """Channels that some layers write together. writers, readers: names of layers. held: why it cannot be pruned, or None."""

    name: str
    channels: np.ndarray
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    held: str | None


@dataclass(frozen=True)
class Channels:
    """layers and norms by name, norms with the channel of each of their features; n: one more than the largest channel."""

    layers: dict[str, Layer]
    norms: dict[str, np.ndarray]
    spaces: tuple[Space, ...]
    n: int

    @property
    def prunable(self) -> list[Space]:
        return [space for space in self.spaces if space.held is None]


def trace(network: nn.Module, batch: Tensor) -> Channels:
    """batch: (n, channels, height, width), of which one point is run.

    Raises ValueError naming what cannot be traced: control flow that depends on values, a join of another kind, a wrong batch.
    """
    graph = traced(network)
    run_once(graph, batch)
    walk = Walk(graph)
    for node in graph.graph.nodes:
        walk.visit(node)
    return walk.found()


def traced(network: nn.Module) -> GraphModule:
    """The network as a graph; ValueError where torch.fx cannot trace it."""
    try:
        return symbolic_trace(network)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{type(network).__name__} cannot be traced by torch.fx: {reason}") from error


def run_once(graph: GraphModule, batch: Tensor) -> None:
    """Gives every node the shape of its result."""
    was = graph.training
    graph.eval()  # batch norms of one point, and no dropout
    try:
        with torch.no_grad():
            ShapeProp(graph).propagate(batch[:1])
    except Exception as error:
        reason = (str(error.__cause__ or error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"the network does not take a batch of shape {tuple(batch.shape)}: {reason}") from error
    finally:
        graph.train(was)


@dataclass
class Walk:
    """Goes over the graph once and remembers which channels each node holds."""

    graph: GraphModule
    held_by: dict[int, str] = field(default_factory=dict)
    parent: list[int] = field(default_factory=list)
    of: dict[Node, np.ndarray] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    norms: dict[str, np.ndarray] = field(default_factory=dict)

    def visit(self, node: Node) -> None:
        inputs = [each for each in node.all_input_nodes if each in self.of]
        if node.op == "placeholder":
            self.start(node)
        elif node.op == "output":
            for each in inputs:
                self.hold(self.of[each], "it is the network's output")
        elif node.op == "get_attr":
            if prod(shape_of(node) or ()) > 1:
                raise ValueError(f"{node.target} is used outside of a layer, and cannot be pruned with its channels")
        elif inputs and shape_of(node) is not None:
            channels = self.module(node, inputs) if node.op == "call_module" else self.function(node, inputs)
            self.of[node] = channels

    def start(self, node: Node) -> None:
        shape = shape_of(node)
        if not shape or len(shape) < 2:
            raise ValueError(f"the input {node.name} must be a batch of images (n, channels, height, width)")
        self.of[node] = self.fresh(shape[1])
        self.hold(self.of[node], "it is the network's input")

    def module(self, node: Node, inputs: list[Node]) -> np.ndarray:
        module, reads = self.graph.get_submodule(str(node.target)), self.of[inputs[0]]
        shape = sizes_of(node)
        if isinstance(module, nn.Conv2d):
            return self.convolution(str(node.target), module, reads, prod(shape[2:]))
        if isinstance(module, nn.Linear):
            if len(shape) != 2:
                raise ValueError(f"{node.target} is a Linear over {len(shape)} dimensions; only (n, features) can be traced")
            return self.layer(str(node.target), reads, shape[1], 1)
        if isinstance(module, NORMS):
            known = self.norms.setdefault(str(node.target), reads)
            self.tie(known, reads)
            return reads
        if isinstance(module, nn.Flatten):
            return self.flattened(node, inputs[0], fixed=False)
        if isinstance(module, HANDED_ON) or (isinstance(module, nn.PReLU) and module.num_parameters == 1):
            return self.handed_on(node, inputs[0])
        raise ValueError(f"{node.target}, a {type(module).__name__}, cannot be traced")

    def convolution(self, name: str, module: nn.Conv2d, reads: np.ndarray, positions: int) -> np.ndarray:
        depthwise = 1 < module.groups == module.in_channels == module.out_channels
        writes = self.layer(name, reads, module.out_channels, positions, depthwise)
        if depthwise:
            self.tie(reads, writes)
        elif module.groups > 1:
            self.hold(reads, f"{name} reads them in groups")
            self.hold(writes, f"{name} writes them in groups")
        return writes

    def layer(self, name: str, reads: np.ndarray, n_out: int, positions: int, depthwise: bool = False) -> np.ndarray:
        if name in self.layers:  # called again: the same weights for both
            known = self.layers[name]
            self.tie(known.reads, reads)
            self.layers[name] = replace(known, positions=known.positions + positions)
        else:
            self.layers[name] = Layer(name, reads, self.fresh(n_out), positions, depthwise)
        return self.layers[name].writes

    def function(self, node: Node, inputs: list[Node]) -> np.ndarray:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        if name in SUMS:
            return self.joined(node, inputs)
        if name in ("cat", "concat", "concatenate"):
            return self.concatenated(node)
        if name in FLATTENING:
            return self.flattened(node, inputs[0], fixed=name != "flatten" and is_written(sizes_asked(node)[-1]))
        if name == "getitem":
            return self.sliced(node, inputs[0])
        if name == "pad":
            return self.padded(node, inputs[0])
        if name in HANDED_ON_BY_NAME:
            return self.handed_on(node, inputs[0])
        raise ValueError(f"the join {node.name} ({name}) cannot be traced; sums, products and concatenations of channels can")

    def joined(self, node: Node, inputs: list[Node]) -> np.ndarray:
        channels = [self.of[each] for each in inputs]
        widest = max(channels, key=len)
        for each in channels:
            if len(each) == len(widest):
                self.tie(widest, each)
            elif len(each) == 1:
                self.hold(each, f"{node.name} spreads it over all channels")
            else:
                raise ValueError(f"the join {node.name} of {len(widest)} and {len(each)} channels cannot be traced")
        return widest

    def concatenated(self, node: Node) -> np.ndarray:
        dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        if dim not in (1, 1 - len(sizes_of(node))):
            raise ValueError(f"the join {node.name} concatenates along dimension {dim}; only channels, dimension 1, can be traced")
        return np.concatenate([self.of[each] for each in node.all_input_nodes])

    def flattened(self, node: Node, source: Node, fixed: bool) -> np.ndarray:
        before, after = sizes_of(source), sizes_of(node)
        if len(after) != 2 or after[0] != before[0]:
            raise ValueError(f"the reshaping {node.name} from {tuple(before)} to {tuple(after)} cannot be traced")
        if fixed:
            self.hold(self.of[source], f"{node.name} asks for {after[1]} features, a number written into the network")
        return np.repeat(self.of[source], after[1] // len(self.of[source]))

    def sliced(self, node: Node, source: Node) -> np.ndarray:
        asked = node.args[1] if isinstance(node.args[1], tuple) else (node.args[1],)
        if all(each == slice(None) for each in asked[:2]) and len(sizes_of(node)) > 1:
            return self.handed_on(node, source)
        self.hold(self.of[source], f"{node.name} cuts channels out")
        return self.held_anew(node, f"{node.name} cuts channels out")

    def padded(self, node: Node, source: Node) -> np.ndarray:
        if sizes_of(node)[1] == len(self.of[source]):
            return self.handed_on(node, source)
        self.hold(self.of[source], f"{node.name} pads channels")
        return self.held_anew(node, f"{node.name} pads channels")

    def held_anew(self, node: Node, why: str) -> np.ndarray:
        channels = self.fresh(sizes_of(node)[1])
        self.hold(channels, why)
        return channels

    def handed_on(self, node: Node, source: Node) -> np.ndarray:
        before, after = sizes_of(source), sizes_of(node)
        if after[:2] != before[:2]:
            raise ValueError(f"{node.name} changes the channels, from {tuple(before)} to {tuple(after)}, and cannot be traced")
        return self.of[source]

    def fresh(self, n: int) -> np.ndarray:
        first = len(self.parent)
        self.parent += range(first, first + n)
        return np.arange(first, first + n)

    def hold(self, channels: np.ndarray, why: str) -> None:
        for each in channels:
            self.held_by.setdefault(int(each), why)

    def tie(self, some: Iterable[int], others: Iterable[int]) -> None:
        for one, other in zip(some, others, strict=True):
            one, other = self.root(int(one)), self.root(int(other))
            self.parent[max(one, other)] = min(one, other)

    def root(self, channel: int) -> int:
        while self.parent[channel] != channel:
            self.parent[channel] = channel = self.parent[self.parent[channel]]
        return channel

    def found(self) -> Channels:
        roots = np.array([self.root(each) for each in range(len(self.parent))])
        layers = {name: replace(layer, reads=roots[layer.reads], writes=roots[layer.writes]) for name, layer in self.layers.items()}
        norms = {name: roots[channels] for name, channels in self.norms.items()}
        held = {int(roots[channel]): why for channel, why in reversed(self.held_by.items())}
        return Channels(layers, norms, tuple(spaces(layers, held)), len(roots))


def spaces(layers: dict[str, Layer], held: dict[int, str]) -> Iterable[Space]:
    """Layers that write a channel in common write one space."""
    groups: list[tuple[set[int], list[str]]] = []
    for layer in layers.values():
        channels, writers = {int(each) for each in layer.writes}, [layer.name]
        for group in [group for group in groups if group[0] & channels]:
            groups.remove(group)
            channels, writers = channels | group[0], group[1] + writers
        groups.append((channels, writers))
    order = list(layers)
    for channels, writers in sorted(groups, key=lambda group: order.index(group[1][0])):
        readers = (name for name, layer in layers.items() if not layer.depthwise and channels.intersection(layer.reads.tolist()))
        why = next((held[each] for each in sorted(channels) if each in held), None)
        yield Space(writers[0], np.array(sorted(channels)), tuple(writers), tuple(readers), why)


def shape_of(node: Node) -> tuple[int, ...] | None:
    """None where a node's result is no tensor."""
    meta = node.meta.get("tensor_meta")
    return tuple(meta.shape) if meta is not None and hasattr(meta, "shape") else None


def sizes_of(node: Node) -> tuple[int, ...]:
    """The shape of a node whose result is a tensor."""
    shape = shape_of(node)
    assert shape is not None
    return shape


def sizes_asked(node: Node) -> tuple:
    """The sizes that a view or a reshape is given, however they are passed."""
    sizes = node.args[1:]
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes


def is_written(size: object) -> bool:
    """Whether it is a number, and not one that follows from the input."""
    return isinstance(size, int) and size != -1

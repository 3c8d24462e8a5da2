"""A region of a graph as one function of the fuse dialect."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container
from typing import Any

import torch
from torch.fx import Node

from .empty import is_empty
from .precision import Precision
from .table import LOWERINGS, lower
from .text import Builder, Unsupported, Value, function


def meta(node: Node) -> Any:
    """What tracing saw the node give: a fake tensor or a tuple of them."""
    return node.meta.get("val")


def value_of(name: str, tensor: torch.Tensor) -> Value:
    value = Value(name, tuple(int(n) for n in tensor.shape), tensor.dtype)
    value.type  # refuses what the dialect has not
    return value


def is_number(node: Node) -> bool:
    """Whether a node is a constant of rank 0, which becomes part of the text."""
    return node.op == "get_attr" and isinstance(meta(node), torch.Tensor) and meta(node).dim() == 0


def used_positions(node: Node) -> Container[int]:
    """Positions of a tuple that somebody reads; all of them where it is passed on whole."""
    items = [u for u in node.users if u.target is operator.getitem]
    if len(items) < len(node.users):
        return {0, 1, 2, 3}
    places: list[Any] = [u.args[1] for u in items if u.users]
    return set(places)


def emit(builder: Builder, node: Node, read: Callable[[Node], Value]) -> Any:
    """Writes one node; `read` gives the Value of another."""
    def resolve(argument: Any) -> Any:
        if isinstance(argument, Node):
            value = meta(argument)
            if not isinstance(value, torch.Tensor):
                raise Unsupported("an operand that is not a tensor")
            if is_empty(value):
                # Has no type in the dialect; only an op that drops it can take it.
                return Value("", tuple(value.shape), value.dtype)
            if is_number(argument):
                return builder.constant(value.item(), value.dtype)
            return read(argument)
        if isinstance(argument, (list, tuple)):
            return [resolve(a) for a in argument]
        if isinstance(argument, (torch.SymInt, torch.SymFloat, torch.SymBool)):
            raise Unsupported("a dynamic shape")
        return argument
    builder.target = node.target
    builder.out = meta(node)
    builder.used = used_positions(node) if isinstance(builder.out, (tuple, list)) else ()
    args = [resolve(a) for a in node.args]
    kwargs = {k: resolve(a) for k, a in node.kwargs.items()}
    result = lower(builder, node.target, args, kwargs)
    expected = builder.out if isinstance(builder.out, (tuple, list)) else [builder.out]
    results = result if isinstance(result, tuple) else (result,)
    for i, (value, tensor) in enumerate(zip(results, expected)):
        if value is None:
            if i in builder.used:
                raise Unsupported(f"result {i}")
        elif value.shape != tuple(tensor.shape) or value.dtype != tensor.dtype:
            raise AssertionError(
                f"{node.target}: expected {tensor.dtype}{list(tensor.shape)}, "
                f"found {value.dtype}{list(value.shape)}")
    return result


def check(node: Node, precision: Precision, device: torch.device) -> str | None:
    """Why a node is not supported, or None: it is lowered by itself, for trial."""
    if node.target not in LOWERINGS:
        return "no fuse form"
    tensors = meta(node)
    if tensors is None:
        return "no tensor"
    results = tensors if isinstance(tensors, (tuple, list)) else [tensors]
    operands = [meta(n) for n in node.all_input_nodes if not is_number(n)]
    for tensor in [*results, *operands]:
        if isinstance(tensor, torch.Tensor) and tensor.device != device:
            return f"a tensor on {tensor.device} beside {device}"
    counter = iter(range(1 << 30))
    builder = Builder(precision, device)
    try:
        emit(builder, node, lambda n: value_of(f"%a{next(counter)}", meta(n)))
    except Unsupported as reason:
        return str(reason)
    return None


class Region:
    """Nodes that run as one program.

    `inputs` and `outputs` are nodes; `state` pairs (input, output) share memory: running
    statistics that are updated in place.
    """

    def __init__(self, nodes: list[Node], outputs: list[Node]) -> None:
        self.nodes = nodes
        self.outputs = outputs
        self.state: dict[Node, Node] = {}
        inside = set(nodes)
        seen: dict[Node, None] = {}
        for node in nodes:
            if node.target is operator.getitem:
                continue
            for source in node.all_input_nodes:
                outside = source not in inside and not is_number(source)
                if outside and not is_empty(meta(source)):
                    seen.setdefault(source)
        self.inputs = list(seen)

    def text(self, name: str, precision: Precision, device: torch.device) -> str:
        """The function `name`; inputs and outputs in the order of the lists."""
        builder = Builder(precision, device)
        values: dict[Any, Any] = {}
        for i, node in enumerate(self.inputs):
            values[node] = value_of(f"%arg{i}", meta(node))
        arguments = [values[n] for n in self.inputs]
        for node in self.nodes:
            if node.target is operator.getitem:
                source, place = node.args
                values[node] = values[source][place]
            else:
                values[node] = emit(builder, node, values.__getitem__)
        aliases = {self.inputs.index(i): f"fuse.alias_result = {self.outputs.index(o)} : i64"
                   for i, o in self.state.items()}
        return function(name, arguments, builder, [values[o] for o in self.outputs], aliases)

"""What of a captured graph runs where: regions, PyTorch's ops between them, and why."""

from __future__ import annotations

import collections
import dataclasses
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.fx import Graph, Node

from . import partition
from .capture import Captured
from .empty import is_empty
from .precision import Precision
from .region import Region, check, meta
from .table import resolve

# Views cost nothing in PyTorch; where nothing but the caller reads them, they stay there.
VIEWS = {op for op in map(resolve, (
    "aten.view.default", "aten._unsafe_view.default", "aten.reshape.default",
    "aten.transpose.int", "aten.t.default", "aten.permute.default", "aten.expand.default",
    "aten.squeeze.default", "aten.squeeze.dim", "aten.squeeze.dims", "aten.unsqueeze.default",
    "aten.slice.Tensor", "aten.select.int", "aten.alias.default", "aten.detach.default",
    "aten.split.Tensor", "aten.split_with_sizes.default", "aten.unbind.int",
    "aten.as_strided.default", "aten.diagonal.default")) if op is not None}
DETACH = torch.ops.aten.detach.default


@dataclasses.dataclass
class Plan:
    """Regions and levels of a graph (see partition), which nodes need gradients, and
    {(op, reason): count} of what is left to PyTorch."""

    regions: list[Region]
    level: dict[Node, int]
    needs_grad: set[Node]
    fallbacks: collections.Counter[tuple[str, str]]
    device: torch.device


def gradient_nodes(captured: Captured) -> set[Node]:
    """Nodes whose value depends on a tensor that requires a gradient."""
    graph = captured.module.graph
    found: set[Node] = set()
    if not torch.is_grad_enabled():
        return found
    placeholders = [n for n in graph.nodes if n.op == "placeholder"]
    found |= {n for n, wanted in zip(placeholders, captured.requires_grad) if wanted}
    for node in graph.nodes:
        if node.op == "call_function" and node.target is not DETACH:
            values = meta(node)
            values = values if isinstance(values, (tuple, list)) else [values]
            is_float = any(isinstance(v, torch.Tensor) and v.is_floating_point() for v in values)
            if is_float and any(i in found for i in node.all_input_nodes):
                found.add(node)
    return found


def trailing_views(graph: Graph) -> set[Node]:
    """Views that only the caller reads, directly or through other views."""
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        is_view = node.op == "call_function" and (
            node.target in VIEWS or node.target is operator.getitem and
            node.args[0].target in VIEWS)
        if is_view and all(u.op == "output" or u in found for u in node.users):
            found.add(node)
    return found


def main_device(graph: Graph) -> torch.device:
    """The device of most tensors."""
    counts = collections.Counter(
        meta(n).device for n in graph.nodes if isinstance(meta(n), torch.Tensor))
    return counts.most_common(1)[0][0] if counts else torch.device("cpu")


def make_plan(captured: Captured, precision_of: Callable[[torch.device], Precision],
              refused: Mapping[Node, str], views_stay: bool = True) -> Plan:
    """Partitions a graph. `refused` are nodes that did not compile; without `views_stay`
    trailing views are compiled too."""
    graph = captured.module.graph
    device = main_device(graph)
    precision = precision_of(device)
    needs_grad = gradient_nodes(captured)
    views = trailing_views(graph) if views_stay else set()
    supported: set[Node] = set()
    fallbacks: collections.Counter[tuple[str, str]] = collections.Counter()
    for node in graph.nodes:
        if node.op != "call_function" or node.target is operator.getitem or node in views:
            continue
        if node.target is DETACH:
            if node.args[0] in needs_grad:
                continue
            supported.add(node)
            continue
        if is_empty(meta(node)):
            continue
        reason = refused[node] if node in refused else check(node, precision, device)
        if device.type not in ("cpu", "cuda"):
            reason = f"the device {device.type}"
        if reason is None:
            supported.add(node)
        else:
            fallbacks[(op_name(node), reason)] += 1
    groups, level = partition.regions(graph, drop_idle(graph, supported))
    regions = [make_region(captured, nodes) for nodes in groups]
    # Constants alone are no program.
    regions = [r for r in regions if r.inputs and r.outputs]
    return Plan(regions, level, needs_grad, fallbacks, device)


def op_name(node: Node) -> str:
    return node.target.name() if hasattr(node.target, "name") else str(node.target)


def drop_idle(graph: Graph, supported: set[Node]) -> set[Node]:
    """Without nodes that only feed PyTorch's ops and compute nothing: fills and views."""
    idle = {op for op in map(resolve, (
        "aten.full.default", "aten.zeros.default", "aten.ones.default", "aten.arange.default",
        "aten.scalar_tensor.default", "aten.arange.start", "aten.arange.start_step",
        "aten.empty_like.default", "aten.empty.memory_format"))
        if op is not None} | VIEWS
    kept = set(supported)
    for node in reversed(graph.nodes):
        if node in kept and node.target in idle:
            readers = [u for u in node.users]
            readers += [u for g in node.users if g.target is operator.getitem for u in g.users]
            if not any(u in kept for u in readers):
                kept.discard(node)
    return kept


def make_region(captured: Captured, nodes: list[Node]) -> Region:
    inside = set(nodes)
    outputs = [n for n in nodes if isinstance(meta(n), torch.Tensor)
               and any(u not in inside for u in n.users)]
    state: dict[Node, Node] = {}
    region = Region(nodes, outputs)
    new_contents = written_back(captured)
    for place, new in captured.mutations_nodes():
        if new_contents.count(new) == 1 and can_update(place, new, region):
            state[place] = new
    region.state = state
    return region


def written_back(captured: Captured) -> list[Node]:
    return [new for _, new in captured.mutations_nodes()]


def can_update(place: Node, new: Node, region: Region) -> bool:
    """Whether a program may write `new` into the memory of its input `place`: a statistic or
    a counter, which nobody else reads, and which is updated element by element."""
    if new not in region.outputs or place not in region.inputs or place in region.state:
        return False
    if any(u not in region.nodes for u in place.users):
        return False
    if not meta(place).is_contiguous() or len(place.users) != 1:
        return False
    source: Any = new.args[0] if new.target is operator.getitem else new
    is_statistic = source.target is torch.ops.tilefuse.batch_norm_train.default
    is_counter = source.target is torch.ops.aten.add.Tensor and source.args[0] is place and (
        not isinstance(source.args[1], torch.fx.Node))
    return is_statistic or is_counter

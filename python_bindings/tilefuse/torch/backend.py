"""The backend of torch.compile: capture, plan, compile the regions, run the rest as it is."""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import GraphModule, Node

from ..errors import Error
from . import precision
from .capture import Captured, capture, own_derivative
from .empty import is_empty, nothing
from .operators import Operator, define
from .plan import Plan, make_plan
from .region import Region, meta
from .state import EAGER

log = logging.getLogger("tilefuse.torch")


def backend(module: GraphModule, examples: Sequence[Any], **_: Any) -> Callable[..., Any]:
    """torch.compile(model, backend="tilefuse"): an FX graph and example inputs to a callable.

    Supported regions run as tilefuse programs with tilefuse's own backward; the rest stays
    PyTorch's, with one line in the log "tilefuse.torch" for each operation and reason.
    """
    if any(isinstance(e, torch.SymInt) for e in examples):
        return Specialised(module)
    return compile_graph(module, examples).run


def compile_graph(module: GraphModule, examples: Sequence[Any],
                  views_stay: bool = True) -> Compiled:
    """A Compiled graph for static shapes; on any failure, the module as it is."""
    own = own_derivative(module)
    if own is not None:
        return stay(module, f"it changes autograd itself: {own}")
    try:
        captured = capture(module, examples)
    except Exception as error:  # whatever PyTorch's tracing may raise
        return stay(module, "it cannot be traced", error)
    try:
        compiled = assemble(captured, views_stay)
        compiled.run = apart(compiled, module)
        return compiled
    except Exception as error:  # an error here must not stop the user's program
        return stay(module, "an error in tilefuse", error)


def stay(module: GraphModule, reason: str, error: Exception | None = None) -> Compiled:
    """A graph that PyTorch runs as it is."""
    if error is not None:
        first = str(error).split("\n")[0]
        reason = f"{reason}: {type(error).__name__}: {first}"
    log.warning("the whole graph stays in PyTorch: %s", reason)
    return Compiled(module.forward, None, None, [], reason)


def assemble(captured: Captured, views_stay: bool) -> Compiled:
    """Plans a captured graph; regions that do not compile stay in PyTorch."""
    refused: dict[Node, str] = {}
    while True:
        plan = make_plan(captured, precision.current, refused, views_stay)
        operators, failed = define_all(plan, precision.current(plan.device))
        if not failed:
            break
        for region, reason in failed:
            refused.update({node: reason for node in region.nodes})
    for (op, reason), count in plan.fallbacks.items():
        times = f" ({count} times)" if count > 1 else ""
        log.warning("%s stays in PyTorch%s: %s", op, times, reason)
    return Compiled(Assembly(captured, plan, operators).run(), captured, plan, operators)


def apart(compiled: Compiled, module: GraphModule) -> Callable[..., Any]:
    """What runs a graph that changes its inputs: PyTorch, where one that it changes shares
    memory with another. Programs read what the inputs were; one that is changed would have
    to show in the other at once. Running statistics and counters are the module's own."""
    captured, plan = compiled.captured, compiled.plan
    assert captured is not None and plan is not None
    state = {place for region in plan.regions for place, new in region.state.items()
             if new.target is operator.getitem or meta(place).dim() == 0}
    placeholders = [n for n in captured.module.graph.nodes if n.op == "placeholder"]
    place = dict(zip(placeholders, captured.places))
    changed = [place[n] for n, _ in captured.mutations if n not in state]
    changed = [p for p in changed if isinstance(p, int)]
    others = [p for p in captured.places if isinstance(p, int)]
    if not changed or len(others) < 2:
        return compiled.run
    run = compiled.run
    warned: list[bool] = []

    def checked(*arguments: Any) -> Any:
        memory = [arguments[p].untyped_storage()._cdata for p in others]
        if len(set(memory)) == len(memory) or all(
                memory.count(arguments[p].untyped_storage()._cdata) == 1 for p in changed):
            return run(*arguments)
        if not warned:
            warned.append(True)
            log.warning("calls stay in PyTorch where an input that the graph changes shares "
                        "memory with another")
        return module.forward(*arguments)
    return checked


class Compiled:
    """A compiled graph: `run` takes and gives what the module's forward does. `reason` says why
    one without a plan stays in PyTorch."""

    def __init__(self, run: Callable[..., Any], captured: Captured | None, plan: Plan | None,
                 operators: list[Operator], reason: str = "") -> None:
        self.run = run
        self.captured = captured
        self.plan = plan
        self.operators = operators
        self.reason = reason


def define_all(plan: Plan, chosen: precision.Precision,
               ) -> tuple[list[Operator], list[tuple[Region, str]]]:
    """An operator per region, and (region, reason) of those that do not compile."""
    operators: list[Operator] = []
    failed: list[tuple[Region, str]] = []
    for i, region in enumerate(plan.regions):
        gradients = tuple(n in plan.needs_grad for n in region.inputs)
        try:
            text = region.text("region", chosen, plan.device)
            defined = define(text, name="region", gradients=gradients)
            defined.programs(plan.device)
            operators.append(defined)
        except Error as error:
            log.warning("a region of %d operations stays in PyTorch: it does not compile: %s",
                        len(region.nodes), str(error).split("\n")[0])
            failed.append((region, "it does not compile"))
    return operators, failed


class Specialised:
    """A graph with dynamic shapes: compiled again for every combination of shapes met."""

    def __init__(self, module: GraphModule) -> None:
        self.module = module
        self.compiled: dict[object, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        key = (torch.is_grad_enabled(), *(
            (a.shape, a.stride(), a.dtype, a.device, a.requires_grad)
            if isinstance(a, torch.Tensor) else a for a in arguments))
        run = self.compiled.get(key)
        if run is None:
            run = self.compiled[key] = compile_graph(self.module, arguments).run
        return run(*arguments)


class Assembly:
    """The graph that runs: one call per region, PyTorch's ops, copies into mutated inputs."""

    def __init__(self, captured: Captured, plan: Plan, operators: list[Operator]) -> None:
        self.captured = captured
        self.plan = plan
        self.operators = operators
        self.graph = torch.fx.Graph()
        self.values: dict[Node, Node] = {}

    def run(self) -> Callable[..., Any]:
        source = self.captured.module
        placeholders = [n for n in source.graph.nodes if n.op == "placeholder"]
        for node in placeholders:
            self.values[node] = self.graph.placeholder(node.name)
        for node in source.graph.nodes:
            if node.op == "get_attr":
                self.values[node] = self.graph.get_attr(node.target)
        self.add_calls(source)
        self.add_results(source)
        module = torch.fx.GraphModule(source, self.graph)
        return bind(module.forward, self.captured.places)

    def add_calls(self, source: GraphModule) -> None:
        level = self.plan.level
        ordered = [n for n in source.graph.nodes if n.op == "call_function"]
        in_region = {n: i for i, r in enumerate(self.plan.regions) for n in r.nodes}
        done: set[int] = set()
        for node in sorted(ordered, key=lambda n: level[n]):  # stable
            if node not in in_region:
                self.values[node] = self.eager(node)
            elif in_region[node] not in done:
                done.add(in_region[node])
                self.add_region(in_region[node])

    def add_region(self, index: int) -> None:
        region = self.plan.regions[index]
        call = self.graph.call_function(
            named(self.operators[index], f"region_{index}"),
            tuple(self.values[n] for n in region.inputs))
        updated = {new: place for place, new in region.state.items()}
        position = 0
        for node in region.outputs:
            if node in updated:
                self.values[node] = self.values[updated[node]]
                continue
            self.values[node] = self.graph.call_function(operator.getitem, (call, position))
            position += 1

    def eager(self, node: Node) -> Node:
        """PyTorch's op; a view becomes a reshape, for a region's result may be laid out
        otherwise than what was traced."""
        if is_empty(meta(node)) and node.target is not operator.getitem:
            operands = tuple(self.values[n] for n in node.all_input_nodes)
            return self.graph.call_function(nothing(meta(node)), operands)
        replaced = self.graph.node_copy(node, self.values.__getitem__)
        aten = torch.ops.aten
        if node.target in (aten.view.default, aten._unsafe_view.default):
            replaced.target = aten.reshape.default
        target: Any = replaced.target
        replaced.target = EAGER.get(target, target)
        return replaced

    def add_results(self, source: GraphModule) -> None:
        output = next(n for n in source.graph.nodes if n.op == "output")
        results, _ = output.args[0]
        updated = {p for r in self.plan.regions for p in r.state}
        for place, new in self.captured.mutations_nodes():
            if place not in updated:
                self.graph.call_function(write_back, (self.values[place], self.values[new]))
        self.graph.output(torch.fx.map_arg(results, self.values.__getitem__))


def named(called: Operator, name: str) -> Callable[..., Any]:
    """A function of that name, which a graph can call. Nobody traces it; most calls are
    direct."""
    run = called.direct.run

    def region(*tensors: torch.Tensor) -> Any:
        known = run(tensors)
        return called(*tensors) if known is None else known
    region.__name__ = region.__qualname__ = name
    return region


def write_back(place: torch.Tensor, new: torch.Tensor) -> None:
    """The new content of a tensor that the graph changes in place."""
    if place.requires_grad and not place.is_leaf:
        place.copy_(new)
    else:
        with torch.no_grad():
            place.copy_(new)


def bind(forward: Callable[..., Any],
         places: Sequence[int | torch.Tensor]) -> Callable[..., Any]:
    """`forward` takes tensors; the result takes the caller's arguments."""
    attributes = [p for p in places if isinstance(p, torch.Tensor)]
    indices = [p for p in places if not isinstance(p, torch.Tensor)]

    def run(*arguments: Any) -> Any:
        return forward(*[arguments[i] for i in indices], *attributes)

    return forward if not attributes and indices == list(range(len(indices))) else run

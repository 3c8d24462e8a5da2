"""From Dynamo's graph to functional ATen ops, before autograd.

The graph is run once on fake tensors under functionalisation: in-place ops become
pure ones, and what they change of the inputs becomes a copy at the end. Autograd has
not been traced, so PyTorch's own ops between regions keep their derivatives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from .decompositions import table
from .state import VisibleState
from .text import Unsupported


@dataclasses.dataclass
class Captured:
    """A functional graph, its inputs, and what it writes back to them.

    `graph` has one placeholder per tensor input; `places` says which of the caller's
    arguments each one is, or gives the tensor itself where it is an attribute of the
    module. The graph returns (results, new contents of mutated inputs); `mutations` are
    pairs (placeholder, position among the new contents).
    """

    module: torch.fx.GraphModule
    places: list[int | torch.Tensor]
    requires_grad: list[bool]
    mutations: list[tuple[torch.fx.Node, int]]

    def mutations_nodes(self) -> list[tuple[torch.fx.Node, torch.fx.Node]]:
        output = next(n for n in self.module.graph.nodes if n.op == "output")
        return [(place, output.args[0][1][i]) for place, i in self.mutations]


def fake_like(mode: FakeTensorMode, tensor: torch.Tensor) -> torch.Tensor:
    """A tensor without data, of the same shape, strides, type and device."""
    with mode:
        return torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype,
                                   device=tensor.device)


class _Run(torch.fx.Interpreter):
    """Runs Dynamo's graph; what runs without gradients is detached visibly.

    `leaves` are names of placeholders and attributes that require a gradient.
    """

    def __init__(self, module: torch.fx.GraphModule, attributes: dict[str, torch.Tensor],
                 leaves: set[str]) -> None:
        super().__init__(module)
        self.attributes = attributes
        self.records = torch.is_grad_enabled()
        self.has_numbers = False
        self.needs_grad = {n for n in module.graph.nodes
                           if n.op in ("placeholder", "get_attr") and str(n.target) in leaves
                           or n.op == "call_module" and any(
                               leaf.startswith(f"{n.target}.") for leaf in leaves)}

    def is_number(self, n: torch.fx.Node) -> bool:
        """Whether a node reads a float that differs from call to call: Dynamo passes it in a
        tensor, and the graph says `item`."""
        return (n.op == "call_method" and n.target == "item"
                and n.all_input_nodes[0].op == "placeholder"
                and n.all_input_nodes[0] not in self.needs_grad)

    def run_number(self, n: torch.fx.Node) -> Any:
        """The tensor stands for the number."""
        value = self.env[n.all_input_nodes[0]]
        if value.dim() or value.dtype != torch.float64:
            return super().run_node(n)
        self.has_numbers = True
        return value

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        value = super().get_attr(target, args, kwargs)
        return self.attributes.get(target, value)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        prefix = f"{target}."
        tensors = {name.removeprefix(prefix): tensor for name, tensor in self.attributes.items()
                   if name.startswith(prefix)}
        return torch.func.functional_call(self.fetch_attr(target), tensors, args, kwargs)

    def run_node(self, n: torch.fx.Node) -> Any:
        result = self.run_number(n) if self.is_number(n) else super().run_node(n)
        expected = n.meta.get("example_value")
        if (self.has_numbers and isinstance(result, torch.Tensor)
                and isinstance(expected, torch.Tensor) and result.dtype != expected.dtype):
            # Tensors of rank 0 promote one another, numbers do not.
            result = result.to(expected.dtype)
        hidden = self.records and not torch.is_grad_enabled()
        reads = any(source in self.needs_grad for source in n.all_input_nodes)
        if reads and not hidden:
            self.needs_grad.add(n)
        if hidden and writes_in_place(n):
            # Autograd would not see the change, but a pure form would have a derivative.
            if n.all_input_nodes and n.all_input_nodes[0] in self.needs_grad:
                raise Unsupported("a value with a gradient is changed under no_grad")
        elif hidden and isinstance(result, torch.Tensor):
            return result.detach()
        return result


def writes_in_place(node: torch.fx.Node) -> bool:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op in ("placeholder", "get_attr", "output") or name == "setitem" or (
        name.endswith("_") and not name.endswith("__"))


def tensor_attributes(module: torch.fx.GraphModule) -> dict[str, torch.Tensor]:
    """Tensors that the graph reads as attributes, its own or those of modules that it calls
    (parameters and buffers, before PyTorch 2.5)."""
    found = {}
    for node in module.graph.nodes:
        if node.op == "call_module":
            called = module.get_submodule(str(node.target))
            for name, tensor in (*called.named_parameters(), *called.named_buffers()):
                found[f"{node.target}.{name}"] = tensor
        if node.op == "get_attr":
            value: Any = module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            if isinstance(value, torch.Tensor):
                found[str(node.target)] = value
    return found


# What a trace below autograd would lose: derivatives and leaves that the graph defines itself.
_CHANGES_AUTOGRAD = ("autograd_function_apply", "requires_grad_", "register_hook", "retain_grad")


def own_derivative(module: torch.fx.GraphModule) -> str | None:
    """What the graph, or one nested in it, does to autograd itself; None if nothing."""
    for part in module.modules():
        for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
            target: Any = node.target
            name = target if isinstance(target, str) else getattr(target, "__name__", "")
            if node.op in ("call_function", "call_method") and name in _CHANGES_AUTOGRAD:
                return name
    return None


def capture(module: torch.fx.GraphModule, examples: Sequence[Any]) -> Captured:
    """The functional form of a graph for inputs like `examples` (tensors, real or fake, and
    numbers, which become constants)."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    attributes = tensor_attributes(module)
    positions = [i for i, e in enumerate(examples) if isinstance(e, torch.Tensor)]
    sources = [examples[i] for i in positions] + list(attributes.values())
    fakes = [fake_like(mode, s) for s in sources]
    names = [n.target for n in module.graph.nodes if n.op == "placeholder"]
    leaves = {name for name, s in zip([*(names[i] for i in positions), *attributes], sources)
              if s.requires_grad}

    def run(*tensors: torch.Tensor) -> Any:
        values = list(examples)
        for place, tensor in zip(positions, tensors):
            values[place] = tensor
        given = dict(zip(attributes, tensors[len(positions):]))
        grad = torch.is_grad_enabled()
        try:
            with VisibleState():
                return _Run(module, given, leaves).run(*values)
        finally:
            torch.set_grad_enabled(grad)

    with mode:
        # Once to take composite ops apart, which may write in place, and once to make that pure.
        primitive = make_fx(run)(*fakes)
        traced = make_fx(functionalize(primitive, remove="mutations"),
                         decomposition_table=table())(*fakes)
    mutations = _split_mutations(traced.graph)
    _read_constants(traced)
    _simplify(traced.graph)
    traced.graph.eliminate_dead_code()
    return Captured(traced, positions + list(attributes.values()),
                    [s.requires_grad for s in sources], mutations)


def _split_mutations(graph: torch.fx.Graph) -> list[tuple[torch.fx.Node, int]]:
    """Takes the final copies into inputs out of the graph."""
    found = []
    for node in list(graph.nodes):
        if node.target is torch.ops.aten.copy_.default and node.args[0].op == "placeholder":
            found.append((node.args[0], node.args[1]))
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    # Keep the new contents alive through dead code elimination.
    output = next(n for n in graph.nodes if n.op == "output")
    output.args = ((output.args[0], tuple(new for _, new in found)),)
    return [(old, i) for i, (old, _) in enumerate(found)]


def _read_constants(module: torch.fx.GraphModule) -> None:
    """Tensors that tracing met as constants are read where they are, without a copy."""
    for node in list(module.graph.nodes):
        if node.op == "get_attr":
            node.meta["val"] = getattr(module, node.target)
        lifted = node.op == "call_function" and node.target in (
            torch.ops.aten.lift_fresh_copy.default, torch.ops.aten.lift_fresh.default)
        if lifted and node.args[0].op == "get_attr":
            node.replace_all_uses_with(node.args[0])


def _simplify(graph: torch.fx.Graph) -> None:
    """copy(a, b) of like tensors is b; what is still in place becomes pure.

    Functionalisation leaves in-place ops inside ops that PyTorch writes by others. Tracing
    reads what came before such an op from the node before, what comes after from its
    result, so the pure form has the same readers.
    """
    for node in list(graph.nodes):
        if not isinstance(node.target, torch._ops.OpOverload):
            continue
        if node.target is torch.ops.aten.copy.default:
            old, new = (n.meta["val"] for n in node.args[:2])
            if old.shape == new.shape and old.dtype == new.dtype:
                node.replace_all_uses_with(node.args[1])
                graph.erase_node(node)
                continue
        if node.target is torch.ops.aten.as_strided.default and is_itself(node):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
            continue
        name = node.target.name().removeprefix("aten::").partition(".")[0]
        if name.endswith("_") and node.target.namespace == "aten":
            pure = getattr(getattr(torch.ops.aten, name[:-1], None), node.target._overloadname,
                           None)
            node.target = pure or node.target


def is_itself(node: torch.fx.Node) -> bool:
    """Whether as_strided gives every element of a tensor in its place: only strides of dims of
    size 1 differ. A global average pool of channels_last has one."""
    arguments: list[Any] = [*node.args, None]
    source, size, stride, offset = arguments[:4]
    value = source.meta["val"]
    return (tuple(size) == tuple(value.shape) and offset in (None, value.storage_offset())
            and all(n == 1 or a == b for n, a, b in zip(size, stride, value.stride())))

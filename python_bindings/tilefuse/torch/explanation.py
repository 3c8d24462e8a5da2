"""What tilefuse makes of a model: kernels, bytes, what is saved, what fell back and why."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch._dynamo.utils

from ..program import Program
from .backend import Compiled, compile_graph
from .operators import Operator, Programs
from .region import Region


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One launch: its name and the bytes it moves."""

    name: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class RegionReport:
    """One region: its ops, the kernels of its forward and backward pass, and the values kept
    between them as (kind, bytes): "argument" and "result" cost nothing, "residual" does."""

    ops: tuple[str, ...]
    forward: tuple[Kernel, ...]
    backward: tuple[Kernel, ...]
    saved: tuple[tuple[str, int], ...]
    text: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What `explain` found. `graphs` is how many graphs Dynamo made; `fallbacks` has
    (op, reason, how many); `breaks` says why Dynamo ended a graph, or made none, where PyTorch
    runs the code. Printed, it is a table."""

    graphs: int
    regions: tuple[RegionReport, ...]
    fallbacks: tuple[tuple[str, str, int], ...]
    breaks: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.graphs} graph(s), {len(self.regions)} region(s), "
                 f"{sum(n for _, _, n in self.fallbacks)} operation(s) left to PyTorch"]
        for i, region in enumerate(self.regions):
            lines.append(f"region {i}: {', '.join(region.ops)}")
            for title, kernels in (("forward", region.forward), ("backward", region.backward)):
                total = sum(k.bytes for k in kernels)
                if kernels:
                    lines.append(f"  {title}: {len(kernels)} kernel(s), {total:,} bytes")
                lines += [f"    {k.name}: {k.bytes:,} bytes" for k in kernels]
            kept = sum(size for kind, size in region.saved if kind == "residual")
            if region.backward:
                lines.append(f"  saved for the backward pass: {len(region.saved)} value(s), "
                             f"{kept:,} bytes beside arguments and results")
        lines += [f"in PyTorch: {op}{f' ({n} times)' if n > 1 else ''}: {reason}"
                  for op, reason, n in self.fallbacks]
        if not self.graphs:
            lines.append("in PyTorch: the whole call, of which Dynamo made no graph")
        lines += [f"not traced by Dynamo: {reason}" for reason in self.breaks]
        return "\n".join(lines)


def explain(model: Callable[..., Any], *inputs: Any, **keywords: Any) -> Explanation:
    """An Explanation of `model(*inputs, **keywords)`: the call is made once, compiled; buffers
    are put back as they were."""
    found: list[Compiled] = []

    def collect(module: torch.fx.GraphModule, examples: Sequence[Any],
                **_: Any) -> Callable[..., Any]:
        compiled = compile_graph(module, examples)
        found.append(compiled)
        return compiled.run
    model = getattr(model, "_orig_mod", model)
    buffers, called = [], model
    if isinstance(model, torch.nn.Module):
        buffers = [(b, b.detach().clone()) for b in model.buffers()]
        module_call = model._call_impl

        # A frame of its own: Dynamo does not start in those of torch.nn's modules.
        def called(*inputs: Any, **keywords: Any) -> Any:
            return module_call(*inputs, **keywords)
    before = traced_breaks()
    try:
        torch.compile(called, backend=collect, dynamic=False)(*inputs, **keywords)
    finally:
        with torch.no_grad():
            for buffer, content in buffers:
                buffer.copy_(content)
    regions: list[RegionReport] = []
    fallbacks: list[tuple[str, str, int]] = []
    for compiled in found:
        if compiled.plan is None:
            fallbacks.append(("the whole graph", compiled.reason, 1))
            continue
        regions += [report(region, operator, compiled.plan.device)
                    for region, operator in zip(compiled.plan.regions, compiled.operators)]
        fallbacks += [(op, reason, n) for (op, reason), n in compiled.plan.fallbacks.items()]
    return Explanation(len(found), tuple(regions), tuple(fallbacks),
                       tuple(dict.fromkeys(map(in_short, traced_breaks() - before))))


def traced_breaks() -> collections.Counter[str]:
    """What Dynamo has counted so far of the reasons why it ended a graph."""
    counters: Any = getattr(torch._dynamo.utils, "counters", {})
    return (collections.Counter(counters.get("graph_break", {}))
            + collections.Counter(counters.get("unimplemented", {})))


def in_short(reason: str) -> str:
    """The first line of a reason of Dynamo's, and of its explanation."""
    first, *more = [line.strip() for line in reason.splitlines() if line.strip()]
    explanation = [line.removeprefix("Explanation: ") for line in more
                   if line.startswith("Explanation: ")]
    return ": ".join([first, *explanation[:1]])


def report(region: Region, operator: Operator, device: torch.device) -> RegionReport:
    programs = operator.programs(device)
    trains = programs.backward is not None
    forward = programs.forward if trains else programs.inference
    return RegionReport(
        tuple(n.target.name().split("::")[-1] for n in region.nodes
              if hasattr(n.target, "name")),
        kernels(forward), kernels(programs.backward), saved(programs), operator.text)


def kernels(program: Program | None) -> tuple[Kernel, ...]:
    launches = program.launches if program is not None else ()
    return tuple(Kernel(launch.kernel, launch.bytes) for launch in launches)


def saved(programs: Programs) -> tuple[tuple[str, int], ...]:
    """(kind, bytes) of each value that the backward program reads of the forward one."""
    if programs.backward is None:
        return ()
    return tuple((kind, info.nbytes) for (kind, _), info in
                 zip(programs.backward.saved, programs.backward.inputs))

"""What tilefuse makes of a model: kernels, bytes, what is saved, what fell back and why."""

import dataclasses

import torch

from .backend import compile_graph


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One launch: its name and the bytes it moves."""

    name: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class RegionReport:
    """One region: its ops, the kernels of its forward and backward pass, and the values kept
    between them as (kind, bytes): "argument" and "result" cost nothing, "residual" does."""

    ops: tuple
    forward: tuple
    backward: tuple
    saved: tuple
    text: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What `explain` found. `graphs` is how many graphs Dynamo made; `fallbacks` has
    (op, reason, how many). Printed, it is a table."""

    graphs: int
    regions: tuple
    fallbacks: tuple

    def __str__(self):
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
        return "\n".join(lines)


def explain(model, *inputs, **keywords):
    """An Explanation of `model(*inputs, **keywords)`: the call is made once, compiled; buffers
    are put back as they were."""
    found = []

    def collect(module, examples, **_):
        compiled = compile_graph(module, examples)
        found.append(compiled)
        return compiled.run
    is_module = isinstance(model, torch.nn.Module)
    model = getattr(model, "_orig_mod", model)
    buffers = [(b, b.detach().clone()) for b in model.buffers()] if is_module else []
    called = model.forward if is_module else model
    try:
        torch.compile(called, backend=collect, dynamic=False)(*inputs, **keywords)
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
    regions, fallbacks = [], []
    for compiled in found:
        if compiled.plan is None:
            fallbacks.append(("the whole graph", "it cannot be traced", 1))
            continue
        regions += [report(region, operator, compiled.plan.device)
                    for region, operator in zip(compiled.plan.regions, compiled.operators)]
        fallbacks += [(op, reason, n) for (op, reason), n in compiled.plan.fallbacks.items()]
    return Explanation(len(found), tuple(regions), tuple(fallbacks))


def report(region, operator, device):
    programs = operator.programs(device)
    trains = programs.backward is not None
    forward = programs.forward if trains else programs.inference
    return RegionReport(
        tuple(n.target.name().split("::")[-1] for n in region.nodes
              if hasattr(n.target, "name")),
        kernels(forward), kernels(programs.backward) if trains else (),
        saved(programs) if trains else (), operator.text)


def kernels(program):
    return tuple(Kernel(l.kernel, l.bytes) for l in program.launches)


def saved(programs):
    """(kind, bytes) of each value that the backward program reads of the forward one."""
    return tuple((kind, info.nbytes) for (kind, _), info in
                 zip(programs.backward.saved, programs.backward.inputs))

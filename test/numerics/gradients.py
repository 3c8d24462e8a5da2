"""Gradients of graphs, compiled in this process, against torch.autograd in float64.

A graph is compiled with every f32 made f64: then the compiler's derivative and
PyTorch's must agree to rounding, and a wrong rule cannot hide behind a tolerance.
"""

import os
import pathlib
import re
import sys

import torch

from fuserun import find_build
from graphs import FLOATS

os.environ.setdefault("TILEFUSE_LIBRARY_DIR", str(find_build() / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python_bindings"))
import tilefuse  # noqa: E402


def widen(text):
    """The same program on f64, whose products have a precision of their own."""
    text = re.sub(r" precision (f32|tf32|bf16|f16)\b", "", text)
    text = re.sub(r"(value \S+) : f32", r"\1 : f64", text)
    return text.replace("xf32>", "xf64>").replace("tensor<f32>", "tensor<f64>")


def is_differentiable(graph):
    """f32 and f64 floats only, at least one float input and result, no bit patterns."""
    values = [v for v, _ in graph.inputs] + [v for results, _, _ in graph.steps for v in results]
    text = graph.text()
    if any(v.dtype in ("f16", "bf16") for v in values) or "0x" in text:
        return False
    # Running statistics have no derivative in PyTorch; the examples cover them as state.
    if "fuse.batch_norm " in text:
        return False
    # A derivative itself; the dialect has no second one.
    if "fuse.window_max_grad" in text:
        return False
    return (any(v.dtype in FLOATS for v, _ in graph.inputs)
            and any(v.dtype in FLOATS for v in graph.results))


def run_training(program, inputs, num_results, cotangents):
    """Outputs and gradients of a program with a forward and a backward entry."""
    forward, backward = (program.select(name) for name in program.entries)
    outputs = forward(*inputs)
    source = {"argument": lambda i: inputs[i], "result": lambda i: outputs[i],
              "residual": lambda i: outputs[num_results + i]}
    saved = [source[kind](index) for kind, index in backward.saved]
    return outputs[:num_results], backward(*saved, *cotangents), backward


def relative_error(found, expected):
    """L2 error over the larger of the reference's norm and rounding noise."""
    finite = torch.isfinite(expected)
    if not torch.equal(finite, torch.isfinite(found)):
        return float("inf")
    found, expected = found[finite].double(), expected[finite].double()
    return ((found - expected).norm() / expected.norm().clamp_min(1e-6)).item()


def compare(graph, seed, schedule_target=None, wide=True):
    """{gradient name: error}. Inputs are drawn from `seed`, cotangents are normal."""
    text = widen(graph.text()) if wide else graph.text()
    program = tilefuse.compile(text, target="cpu", gradients=True,
                               schedule_target=schedule_target)
    kind = torch.float64 if wide else torch.float32
    inputs = [t.to(kind) if t.is_floating_point() else t for t in graph.make_inputs(seed)]
    leaves = [t.double().requires_grad_() if t.is_floating_point() else t for t in inputs]
    results = graph.evaluate(leaves, "exact")

    generator = torch.Generator().manual_seed(seed + 1)
    active = [r for r, v in zip(results, graph.results) if v.dtype in FLOATS]
    cotangents = [torch.randn(r.shape, generator=generator, dtype=torch.float64) for r in active]
    wanted = [t for t in leaves if t.is_floating_point()]
    reaching = [(r, c) for r, c in zip(active, cotangents) if r.requires_grad]
    expected = torch.autograd.grad([r for r, _ in reaching], wanted, [c for _, c in reaching],
                                   allow_unused=True)
    outputs, gradients, backward = run_training(program, inputs, len(results),
                                                [c.to(kind) for c in cotangents])
    errors = {}
    for info, found, reference, leaf in zip(backward.outputs, gradients, expected, wanted):
        reference = torch.zeros_like(leaf) if reference is None else reference
        errors[info.name] = relative_error(found, reference)
    return errors

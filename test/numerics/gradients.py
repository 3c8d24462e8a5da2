"""Forward and backward of graphs, compiled in this process, against torch in float64.

`compare(graph, seed)` compiles a graph to a training program and gives what is wrong
with it. In one of two ways:

  wide    every f32 made f64: the compiler's derivative and PyTorch's must agree to
          rounding, and a wrong rule cannot hide behind a tolerance
  native  the graph as it is, by the rule of docs/performance.md: no farther from float64
          than PyTorch's own float32, or than a float64 evaluation whose multiplicands
          and tensors are rounded as the graph says
"""

import math
import os
import pathlib
import re
import statistics
import struct
import sys

import torch

from fuserun import FLOORS, find_build
from graphs import DRAWS, FLOATS, SHAKE, TORCH_TYPES

# What is compiled here must be this build's.
os.environ["TILEFUSE_CACHE_DIR"] = ""
os.environ.setdefault("TILEFUSE_LIBRARY_DIR", str(find_build() / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python_bindings"))
import tilefuse  # noqa: E402

# Of an L2 error, wide and native.
WIDE_BOUND = 1e-12
NATIVE_BOUND = 1e-6
# Draws of tiny errors.
SHAKES = 3


def widen(text):
    """The same program on f64, whose products have a precision of their own."""
    text = re.sub(r" precision (f32|tf32|bf16|f16)\b", "", text)

    def literal(match):
        value = struct.unpack(">f", bytes.fromhex(match[1]))[0]
        return "0x" + struct.pack(">d", value).hex().upper()

    text = re.sub(r"\b0x([0-9A-F]{8})\b", literal, text)
    text = re.sub(r"(value \S+) : f32", r"\1 : f64", text)
    return text.replace("xf32>", "xf64>").replace("tensor<f32>", "tensor<f64>")


def is_float(value):
    return value.dtype in FLOATS


def is_differentiable(graph):
    """At least one float input and result."""
    return any(is_float(v) for v, _ in graph.inputs) and any(map(is_float, graph.results))


def is_narrow(graph):
    """Whether 16-bit values are more than passed by: f64 around them proves little."""
    return any(v.dtype in ("f16", "bf16") for v, _ in graph.inputs)


def run_training(program, inputs, num_results, cotangents, threads=0):
    """Outputs and gradients of a program with a forward and a backward entry."""
    forward, backward = (program.select(name) for name in program.entries)
    outputs = forward(*inputs, threads=threads)
    source = {"argument": lambda i: inputs[i], "result": lambda i: outputs[i],
              "residual": lambda i: outputs[num_results + i]}
    saved = [source[kind](index) for kind, index in backward.saved]
    return (outputs[:num_results], backward(*saved, *cotangents, threads=threads), backward)


class Evaluation:
    """Results and gradients of a graph in one of its modes, by torch.autograd."""

    def __init__(self, graph, inputs, mode):
        self.mode = mode
        state = graph.aliases
        self.leaves = [t.double() if t.is_floating_point() and mode != "own" else t.float()
                       if t.is_floating_point() else t for t in inputs]
        self.leaves = [t.detach().clone().requires_grad_() if t.is_floating_point() else t
                       for t in self.leaves]
        self.wanted = [i for i, (v, _) in enumerate(graph.inputs)
                       if is_float(v) and v.name not in state]
        self.results = graph.evaluate(self.leaves, mode)
        # State has no cotangent.
        self.active = [i for i, v in enumerate(graph.results)
                       if is_float(v) and v.name not in state.values()]

    def differentiate(self, cotangents):
        """Gradients of the wanted inputs; zero where nothing reaches them."""
        pairs = [(self.results[i], c.to(self.results[i].dtype))
                 for i, c in zip(self.active, cotangents) if self.results[i].requires_grad]
        leaves = [self.leaves[i] for i in self.wanted]
        if not pairs:
            return [torch.zeros_like(t) for t in leaves]
        found = torch.autograd.grad([r for r, _ in pairs], leaves, [c for _, c in pairs],
                                    allow_unused=True)
        return [torch.zeros_like(t) if g is None else g for g, t in zip(found, leaves)]


def distance(found, expected):
    """L2 distance, infinite where NaN and infinities are at other positions."""
    found, expected = found.double(), expected.double()
    same = (found == expected) | (found.isnan() & expected.isnan())
    finite = found.isfinite() & expected.isfinite()
    if not torch.all(same | finite):
        return float("inf")
    return torch.where(same, 0, found - expected).norm().item()


def norm(x):
    return torch.where(x.isfinite(), x, 0).double().norm().item()


def widest(graph):
    """The graph's reference mode in `wide`, and the torch type of a fuse type."""
    return lambda dtype: torch.float64 if dtype == "f32" else TORCH_TYPES[dtype]


def draw(graph, seed, wide):
    """Inputs from `seed` and normal cotangents, in the program's types."""
    kind = widest(graph) if wide else TORCH_TYPES.get
    inputs = [t.to(kind(v.dtype)) for t, (v, _) in zip(graph.make_inputs(seed), graph.inputs)]
    generator = torch.Generator().manual_seed(seed + 1)
    cotangents = [torch.randn(v.shape, generator=generator, dtype=torch.float64).to(
        kind(v.dtype)) for v in graph.results
        if is_float(v) and v.name not in graph.aliases.values()]
    return inputs, cotangents


def compare(graph, seed, schedule_target=None, wide=True, well_conditioned=False):
    """[what is wrong]: results and gradients, from `seed`'s inputs and cotangents.

    A float64 evaluation with a tiny error in each tensor says how far two right answers
    may be apart; not so at ties, where that error decides (`well_conditioned`)."""
    program = tilefuse.compile(widen(graph.text()) if wide else graph.text(), target="cpu",
                               gradients=True, schedule_target=schedule_target)
    inputs, cotangents = draw(graph, seed, wide)
    outputs, gradients, backward = run_training(program, inputs, len(graph.results), cotangents)

    # 16-bit values inside round in `wide` as well.
    exact = Evaluation(graph, inputs, "wide" if wide else "exact")
    modes = [exact.mode if well_conditioned else "shaken"] * SHAKES
    modes += [] if wide else [*DRAWS, "own"]
    others = [Evaluation(graph, inputs, mode) for mode in modes]
    problems = []

    def judge(name, found, expected, others, dtype):
        if not found.is_floating_point():
            if not torch.equal(found, expected) and wide:
                problems.append(f"{name}: integers differ")
            return
        size, error = norm(expected), distance(found, expected)
        distances = [distance(other, expected) for other in others]
        noise = math.hypot(*distances[:SHAKES]) / math.sqrt(SHAKES)
        if wide:
            bound = max(WIDE_BOUND * size, 100 * noise)
        else:
            *draws, own = distances[SHAKES:]
            # What is zero in theory is judged against its terms; so is what nearly cancels,
            # where one draw of float32's rounding errors says little of the next.
            terms = noise / SHAKE
            scale = terms if size < 1000 * noise else size
            floor = max(NATIVE_BOUND, FLOORS.get(TORCH_TYPES[dtype], 0))
            # The norm of many errors is much the same in every draw, that of a few is not.
            rounded = statistics.fmean(draws)
            if math.isfinite(rounded):
                rounded += 4 * statistics.pstdev(draws)
            bound = 1.1 * max(floor * scale, own, *draws, rounded, 8 * terms * 2.0 ** -24)
        # Zero whatever is done to the inputs (a softmax of one element): what cancels are
        # cotangents.
        if size == noise == 0:
            bound = max(bound, 8 * torch.finfo(found.dtype).eps * sum(map(norm, cotangents)))
        if not error <= bound:
            problems.append(f"{name}: error {error / size if size else error:.2e}, bound "
                            f"{bound / size if size else bound:.2e}")

    for i, (value, found) in enumerate(zip(graph.results, outputs)):
        judge(f"out{i}", found, exact.results[i].detach(),
              [e.results[i].detach() for e in others], value.dtype)
    expected = exact.differentiate(cotangents)
    rivals = [e.differentiate(cotangents) for e in others]
    for k, (index, info) in enumerate(zip(exact.wanted, backward.outputs)):
        judge(info.name, gradients[k], expected[k], [r[k] for r in rivals],
              graph.inputs[index][0].dtype)
    return problems

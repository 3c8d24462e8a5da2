"""Each op's derivative: against finite differences away from its kinks, against
PyTorch's subgradients at them. In float64."""

import re

import pytest
import torch

import fuserun
import gradients
from derivatives import KINKS, SMOOTH

DIALECT = fuserun.ROOT / "dialects" / "Fuse"
STEP = 1e-5


@pytest.mark.parametrize("name, make", SMOOTH, ids=[name for name, _ in SMOOTH])
def test_finite_differences(name, make, seed):
    """The derivative along a direction of each input is what forward itself says."""
    graph = make()
    program = gradients.tilefuse.compile(gradients.widen(graph.text()), target="cpu",
                                         gradients=True)
    inputs, cotangents = gradients.draw(graph, seed, wide=True)
    _, found, backward = gradients.run_training(program, inputs, len(graph.results), cotangents)
    forward = program.select(program.entries[0])
    floats = [i for i, v in enumerate(graph.results) if gradients.is_float(v)]

    def loss(arguments):
        outputs = forward(*arguments)
        return sum((outputs[i] * c).sum().item() for i, c in zip(floats, cotangents))

    generator = torch.Generator().manual_seed(seed)
    for gradient, index in zip(found, range(len(inputs))):
        direction = torch.randn(inputs[index].shape, generator=generator, dtype=torch.float64)
        ahead, behind = (loss([x + side * STEP * direction if i == index else x
                               for i, x in enumerate(inputs)]) for side in (1, -1))
        expected = (ahead - behind) / (2 * STEP)
        scale = max((gradient * direction).abs().sum().item(), 1e-2)
        assert abs((gradient * direction).sum().item() - expected) <= 1e-7 * scale, (
            f"{backward.outputs[index].name}: {(gradient * direction).sum().item()}, "
            f"by differences {expected}")


@pytest.mark.parametrize("name, make", KINKS, ids=[name for name, _ in KINKS])
def test_subgradients(name, make, seed):
    assert not gradients.compare(make(), seed, well_conditioned=True)


def test_no_op_is_left_out():
    """Every op with a rule, and every composite, is in the table above."""
    classes = set()
    for path in DIALECT.glob("*Gradients.cpp"):
        text = path.read_text()
        classes.update(re.findall(r"(\w+Op)::attachInterface<", text))
        for names in re.findall(r"\battach<([^>]*)>\(context\)", text):
            classes.update(re.findall(r"\w+Op", names))
    mnemonics = set()
    for path in DIALECT.glob("*Ops.td"):
        for name, rest in re.findall(r"^def (\w+) : (\w+<\"\w+\"[^{]*)\{", path.read_text(), re.M):
            if name in classes or "CompositeOpInterface" in rest or path.name.startswith(
                    "FuseComposite"):
                mnemonics.add(re.search(r'<"(\w+)"', rest)[1])
    assert len(mnemonics) > 60
    tested = set(re.findall(r"fuse\.(\w+)", " ".join(make().text() for _, make in SMOOTH)))
    assert not mnemonics - tested

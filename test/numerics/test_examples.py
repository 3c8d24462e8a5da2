"""The example graphs at the small size, on both schedules, by fuse-run's own check and
against PyTorch on the same inputs."""

import re
import subprocess

import numpy
import pytest
import torch
import torch.nn.functional as F

import fuserun
from graphs import round_tf32

EXAMPLES = fuserun.ROOT / "examples" / "mlir" / "small"
SCHEDULES = {"cpu": [], "sm_90a": ["--schedule-target=sm_90a"]}


def channels(b):
    return b.reshape(-1, 1, 1)


def p82(r, x, w, b, bias):
    y = torch.tanh(F.conv2d(r(x), r(w)) + channels(b)) * 2.0 + bias
    return [F.max_pool2d(y, 4)]


def p54(r, x, w, b, multiplier):
    return [F.gelu(F.leaky_relu((F.conv2d(r(x), r(w)) + channels(b)) * multiplier, 0.01))]


def p73(r, x, w, b, gamma, beta, mean, var):
    mean, var = mean.clone(), var.clone()
    z = F.conv2d(r(x), r(w)) + channels(b)
    return [F.batch_norm(z, mean, var, gamma, beta, True, 0.1, 1e-5) * 2.0, mean, var]


def p97(r, x, w, b, bias, gamma, beta, mean, var):
    mean, var = mean.clone(), var.clone()
    z = F.linear(x, w, b)
    s = (F.batch_norm(z, mean, var, gamma, beta, True, 0.1, 1e-5) + bias) / 1.0
    return [s * torch.sigmoid(s), mean, var]


def p91(r, x, w, b, bias):
    z = F.conv_transpose2d(r(x), r(w), None, 2, 1, 1) + channels(b)
    return [torch.sigmoid((F.softmax(z, 1) + bias) * 2.0)]


def shapes(name):
    """The argument shapes, as the text of the example states them."""
    head = (EXAMPLES / f"{name}.mlir").read_text().split("->")[0]
    return [tuple(int(n) for n in t.split("x")[:-1])
            for t in re.findall(r"%\w+: tensor<([0-9xf]+)>", head)]


def make_inputs(name, seed):
    """PyTorch's initialisation; statistics and free parameters as in the example."""
    generator = torch.Generator().manual_seed(seed)
    made = [torch.rand(s, generator=generator) for s in shapes(name)]
    fan_in = {"p82": 72, "p54": 576, "p73": 72, "p97": 520, "p91": 2048}[name]
    for i in (1, 2):
        made[i] = (made[i] * 2 - 1) / fan_in ** 0.5
    for i in range(3, len(made)):
        made[i] = made[i] + 0.5 if i == len(made) - 1 and len(made) > 4 else torch.randn(
            made[i].shape, generator=generator)
    return made


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("function", [p82, p54, p73, p97, p91], ids=lambda f: f.__name__)
def test_example(function, schedule, seed, tmp_path):
    name = function.__name__
    inputs = make_inputs(name, seed)
    arguments = []
    for i, tensor in enumerate(inputs):
        numpy.save(tmp_path / f"in{i}.npy", tensor.numpy())
        arguments.append(f"--input={tmp_path}/in{i}.npy")
    done = fuserun.run(EXAMPLES / f"{name}.mlir", f"--output-dir={tmp_path}", "--check",
                       *SCHEDULES[schedule], *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    double = [tensor.double() for tensor in inputs]
    exact = function(lambda t: t, *double)
    rounded = function(round_tf32, *double)
    own = function(lambda t: t, *inputs)
    for i, expected in enumerate(exact):
        found = torch.from_numpy(numpy.load(tmp_path / f"out{i}.npy")).double()
        error = fuserun.relative_error(found, expected)
        bound = 1.1 * max(fuserun.relative_error(own[i].double(), expected),
                          fuserun.relative_error(rounded[i], expected), 1e-6)
        assert error <= bound, f"{name} out{i}: error {error:.3e}, bound {bound:.3e}"


def test_full_size_signatures():
    """The full graphs state the shapes that the project promises, and verify."""
    promised = {"p82": ["128x8x256x256", "64x8x3x3", "64", "64x1x1"],
                "p54": ["64x64x256x256", "64x64x3x3", "64", "64x1x1"],
                "p73": ["128x8x128x128", "64x8x3x3"] + ["64"] * 5,
                "p97": ["1024x8192", "8192x8192", "8192", "1"] + ["8192"] * 4,
                "p91": ["128x64x64x64", "64x128x4x4", "128", "128x1x1"]}
    for name, expected in promised.items():
        text = (EXAMPLES.parent / f"{name}.mlir").read_text()
        head = text.split(") \n")[0].split("->")[0]
        assert re.findall(r"%\w+: tensor<([0-9x]+)xf32>", head) == expected, name
        assert f"func.func @{name}(" in text


SCHEDULE = re.compile(r"schedule\(#fuse\.schedule<block = \[([0-9, ]+)\].*?>\)")
ANCHOR = re.compile(r"\{fuse\.anchor\}.*-> tensor<([0-9x]+)xf32>")


def schedule_text(path):
    """The kernels of a graph with the schedules of sm_90a."""
    return subprocess.run(
        [str(fuserun.FUSE_OPT), str(path), "--fuse-to-ptx=stop-after=schedules"],
        check=True, capture_output=True, text=True).stdout


def tiles(text):
    """[(block, extents of the parallel dims)] of the kernels that have an anchor."""
    return [([int(n) for n in block.split(",")], [int(n) for n in shape.split("x")])
            for block, shape in zip(SCHEDULE.findall(text), ANCHOR.findall(text))]


@pytest.mark.parametrize("name", ["p82", "p54", "p73", "p97", "p91"])
def test_small_sizes_have_ragged_tiles(name):
    """Two whole tiles and a ragged one in each dim that is tiled, whether by the small
    graph's own schedule or by that of the full size."""
    full = tiles(schedule_text(EXAMPLES.parent / f"{name}.mlir"))
    small = tiles(schedule_text(EXAMPLES / f"{name}.mlir"))
    assert full and len(full) == len(small)
    for (block, whole), (own_block, extents) in zip(full, small):
        for d, extent in enumerate(extents):
            for tile in (block[d], own_block[d]):
                if 1 < tile < whole[d]:
                    assert extent >= 2 * tile and extent % tile, (d, extent, tile)


@pytest.mark.parametrize("name", ["p82", "p54", "p73", "p97", "p91"])
def test_schedules_of_the_full_size(name, tmp_path):
    """The tile programs of the full size, run at the small one. A schedule is text: that
    of each kernel replaces the small graph's own."""
    full = iter(SCHEDULE.finditer(schedule_text(EXAMPLES.parent / f"{name}.mlir")))
    text = SCHEDULE.sub(lambda _: next(full)[0], schedule_text(EXAMPLES / f"{name}.mlir"))
    assert next(full, None) is None
    path = tmp_path / "scheduled.mlir"
    path.write_text(text)
    done = fuserun.run(path, f"--check={EXAMPLES / name}.mlir", "--schedule-target=sm_90a")
    assert done.returncode == 0, done.stdout + done.stderr

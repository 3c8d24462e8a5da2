"""What the launch plans of the examples say, without running them."""

import json
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))
EXAMPLES = os.path.join(ROOT, "examples", "mlir")
# The output of each graph's convolution or product.
PRODUCTS = {"p82": [128, 64, 254, 254], "p54": [64, 64, 254, 254],
            "p73": [128, 64, 126, 126], "p97": [1024, 8192], "p91": [128, 128, 129, 129]}
NAMES = list(PRODUCTS)
# Kernels of the backward pass, finishes not counted.
MOST_KERNELS = {"p82": 3, "p54": 3, "p73": 4, "p97": 4, "p91": 4}


def count(shape):
    total = 1
    for extent in shape:
        total *= extent
    return total


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """(forward, backward) of a graph at full size, for the GPU; compiled once."""
    folder, cache = tmp_path_factory.mktemp("plans"), {}

    def get(name):
        if name not in cache:
            path = folder / (name + ".json")
            subprocess.run(
                [os.path.join(BUILD, "bin", "fuse-compile"),
                 os.path.join(EXAMPLES, name + ".mlir"), "--target=sm_90a", "--grad",
                 "--emit=ptx", "--json=%s" % path, "-o", os.devnull], check=True, timeout=120)
            plan = json.loads(path.read_text())
            (backward,) = plan["other_entries"]
            cache[name] = plan, backward
        return cache[name]

    return get


def residuals(plan):
    """(element type, shape) of what the forward entry gives beyond its results."""
    return [(output["dtype"], output["shape"]) for output in plan["outputs"]
            if output["name"].startswith("residual")]


@pytest.mark.parametrize("name", NAMES)
def test_entries(plans, name):
    forward, backward = plans(name)
    assert (forward["entry"], backward["entry"]) == (name + "_forward", name + "_backward")
    # Every launch's kernel is named, sized and counted.
    for plan in (forward, backward):
        finishes = sum(launch["finish"] for launch in plan["launches"])
        assert plan["finishes"] == finishes
        assert plan["kernels"] == len(plan["launches"]) - finishes


@pytest.mark.parametrize("name", NAMES)
def test_backward_kernels(plans, name):
    _, backward = plans(name)
    assert backward["kernels"] <= MOST_KERNELS[name], [
        launch["kernel"] for launch in backward["launches"]]


@pytest.mark.parametrize("name", ["p82", "p73", "p54"])
def test_nothing_as_large_as_the_convolution(plans, name):
    """The derivative chain is computed where it is read, not written to memory."""
    for plan in plans(name):
        size = 4 * count(PRODUCTS[name])
        assert plan["workspace_bytes"] < size
        assert all(buffer["bytes"] < size for buffer in plan["buffers"])


def test_buffers_cover_the_workspace(plans):
    """What the rule above is judged by: every place a launch names is in a buffer."""
    for name in NAMES:
        for plan in plans(name):
            buffers = plan["buffers"]
            assert all(b["offset"] % 256 == 0 for b in buffers)
            assert max([b["offset"] + b["bytes"] for b in buffers], default=0) <= plan[
                "workspace_bytes"]
            for launch in plan["launches"]:
                for argument in launch["arguments"]:
                    if argument["buffer"] == "workspace":
                        assert any(b["offset"] <= argument["offset"] < b["offset"] + b["bytes"]
                                   for b in buffers)


def test_pooling_saves_pooled_values_and_positions(plans):
    forward, backward = plans("p82")
    pooled = [128, 64, 63, 63]
    assert sorted(residuals(forward)) == [("f32", pooled), ("i8", pooled)]
    assert "result 0" not in backward["saved"]


def test_cheap_convolution_is_computed_again(plans):
    forward, _ = plans("p73")
    assert all(count(shape) < count(PRODUCTS["p73"]) / 100 for _, shape in residuals(forward))


def test_dear_convolution_is_saved(plans):
    forward, _ = plans("p54")
    assert ("f32", PRODUCTS["p54"]) in residuals(forward)


def test_product_is_saved(plans):
    forward, _ = plans("p97")
    assert [shape for _, shape in residuals(forward) if count(shape) > 8192] == [
        PRODUCTS["p97"]]


def test_softmax_is_not_saved(plans):
    """The maximum and the sum of its exponentials are, and the convolution is computed
    again: what is written in halves of sectors costs more than it seems."""
    forward, _ = plans("p91")
    assert residuals(forward)
    assert all(count(shape) <= count(PRODUCTS["p91"]) / 128 for _, shape in residuals(forward))


@pytest.mark.parametrize("name", ["p73", "p97"])
def test_bias_in_front_of_batch_norm_costs_nothing(plans, name):
    """Its gradient is exactly zero: filled, never summed."""
    _, backward = plans(name)
    index = [output["name"] for output in backward["outputs"]].index("grad_b")
    (writer,) = [launch for launch in backward["launches"] if any(
        argument["buffer"] == "output" and argument["index"] == index
        for argument in launch["arguments"])]
    # Alone, it reads no more than it writes; or it rides in a kernel that runs anyway.
    outputs = [argument for argument in writer["arguments"] if argument["buffer"] != "input"
               and argument["buffer"] != "constant"]
    assert len(outputs) > 1 or writer["bytes"] <= 2 * backward["outputs"][index]["bytes"]


def choose_residuals(name, bandwidth, compute):
    """What is saved on a target that many times faster at memory, and at arithmetic."""
    tool = os.path.join(BUILD, "bin", "fuse-opt")
    run = lambda text, *flags: subprocess.run(
        [tool, *flags], input=text, capture_output=True, text=True, check=True,
        timeout=60).stdout
    with open(os.path.join(EXAMPLES, name + ".mlir"), encoding="utf-8") as file:
        text = run(file.read(), "--fuse-set-target=arch=sm_90a")
    for what, factor in (("dram", bandwidth), ("fp32", compute), ("tensor", compute)):
        text, count = re.subn(r"\b%s = (\d+)" % what, lambda match: "%s = %d" % (
            what, int(match[1]) * factor), text, count=1)
        assert count == 1
    text = run(text, "--fuse-simplify", "--fuse-differentiate", "--fuse-simplify",
               "--fuse-partition")
    (head,) = re.findall(r"func\.func @%s_forward.*" % name, text)
    return re.findall(r'tensor<([0-9x]+)x\w+> \{fuse.name = "residual', head.split("->")[1])


def test_decisions_flip_with_the_target():
    large = lambda name: "x".join(map(str, PRODUCTS[name]))
    # Cheap to compute again, until memory is ten times as fast ...
    assert large("p73") not in choose_residuals("p73", 1, 1)
    assert large("p73") in choose_residuals("p73", 10, 1)
    # ... and dear, until arithmetic is.
    assert large("p54") in choose_residuals("p54", 1, 1)
    assert large("p54") not in choose_residuals("p54", 1, 10)


# Kernels and finishes of the forward pass alone.
FORWARD = {"p82": (1, 0), "p54": (1, 0), "p73": (2, 1), "p97": (2, 1), "p91": (1, 0)}


@pytest.mark.parametrize("name", NAMES)
def test_forward_kernels(name, tmp_path):
    subprocess.run(
        [os.path.join(BUILD, "bin", "fuse-compile"), os.path.join(EXAMPLES, name + ".mlir"),
         "--target=sm_90a", "--emit=ptx", "--json=plan.json", "-o", "out.ptx"], check=True,
        cwd=tmp_path, timeout=60)
    plan = json.loads((tmp_path / "plan.json").read_text())
    launches = plan["launches"]
    finishes = [launch for launch in launches if launch["finish"]]
    # Everything that runs is a launch of the plan: no copy, fill or repacking beside it.
    assert len(launches) == sum(FORWARD[name])
    assert (plan["kernels"], plan["finishes"], len(finishes)) == (*FORWARD[name], FORWARD[name][1])
    assert sum(f["bytes"] for f in finishes) < 0.01 * sum(l["bytes"] for l in launches)
    # No convolution's output is stored; the matrix product's is, once.
    if name != "p97":
        assert all(buffer["bytes"] < 4 * count(PRODUCTS[name]) for buffer in plan["buffers"])
    assert sum(b["bytes"] >= 4 * count(PRODUCTS["p97"]) for b in plan["buffers"]) <= 1
    ptx = (tmp_path / "out.ptx").read_text()
    assert ptx.count(".entry") == len({launch["kernel"] for launch in launches})
    # Complete by itself: no device library, nothing to link.
    assert not re.search(r"\.extern\s+\.func|__nv_", ptx)
    assert re.search(r"\bwgmma\.mma_async|\bmma\.sync", ptx)
    assert ".local" not in ptx

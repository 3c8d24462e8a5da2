"""Runs the GPU's programs, from graph to PTX, in the PTX emulator.

Every table of test/numerics goes through layouts, shared memory and barriers as on
a GPU; the emulator refuses accesses out of bounds and races on shared memory, and
the results are judged against PyTorch as everywhere.
"""

import json
import pathlib
import subprocess
import sys

import numpy
import pytest
import torch

TEST = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TEST / "numerics"), str(TEST / "TileToNVVM" / "emulator")]

import fuserun  # noqa: E402
import ptx_emulator  # noqa: E402
import tables  # noqa: E402

NUMPY_TYPES = {"f32": "f4", "f64": "f8", "f16": "f2", "bf16": "u2",
               "i1": "u1", "i8": "i1", "i32": "i4", "i64": "i8"}
# Instructions that the emulator does not have, and functions that f64 lacks on the
# GPU.
UNKNOWN = ("KeyError", "has no GPU instruction")


def to_bytes(tensor):
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return numpy.atleast_1d(tensor.contiguous().numpy().copy()).reshape(-1).view(numpy.uint8)


def from_bytes(data, output):
    values = torch.from_numpy(data.view(NUMPY_TYPES[output["dtype"]]).copy()
                              if output["dtype"] != "bf16" else data.view("i2").copy())
    if output["dtype"] == "bf16":
        values = values.view(torch.bfloat16).to(torch.float32)
    elif output["dtype"] == "i1":
        values = values.to(torch.bool)
    return values.reshape(output["shape"])


def run(case, folder):
    """One graph on the emulated GPU; outputs and workspace start as garbage."""
    outcome = fuserun.Outcome(case, [])
    (folder / "graph.mlir").write_text(case.graph.text())
    process = subprocess.run(
        [str(fuserun.FUSE_COMPILE), str(folder / "graph.mlir"), "--target=sm_90a",
         "--emit=ptx", f"--json={folder}/plan.json", "-o", str(folder / "code.ptx")],
        capture_output=True, text=True, timeout=120, check=False)
    if process.returncode:
        outcome.failure = process.stderr[-500:]
        return outcome
    plan = json.loads((folder / "plan.json").read_text())
    code = (folder / "code.ptx").read_text()
    buffers = {"input": [to_bytes(t) for t in case.inputs],
               "output": [numpy.full(o["bytes"], 0xCD, numpy.uint8) for o in plan["outputs"]]}
    workspace = numpy.full(max(1, plan.get("workspace_bytes", 0)), 0xCD, numpy.uint8)
    for launch in plan["launches"]:
        if any(a["buffer"] == "constant" for a in launch["arguments"]):
            pytest.skip("constants come with the program, not with its PTX")
        arguments = [(buffers[a["buffer"]][a["index"]] if a["buffer"] in buffers
                      else workspace)[a["offset"]:] for a in launch["arguments"]]
        try:
            ptx_emulator.launch(code, arguments, launch["grid"][0], launch["shared_bytes"],
                                name=launch["kernel"])
        except ptx_emulator.PtxError as error:
            outcome.failure = str(error)
            return outcome
    outcome.outputs = [from_bytes(data, output)
                       for data, output in zip(buffers["output"], plan["outputs"])]
    return outcome


def run_family(family, step, folder):
    wrong, ran = [], 0
    for i, (name, build) in enumerate(tables.CASES[family][::step]):
        graph = build()
        case = fuserun.Case(name, graph, graph.make_inputs(seed=i))
        place = folder / str(i)
        place.mkdir()
        with numpy.errstate(all="ignore"):
            outcome = run(case, place)
        if any(text in outcome.failure for text in UNKNOWN):
            continue
        ran += 1
        # The emulator's functions are NumPy's, not the GPU's: a little slack.
        if problem := fuserun.judge(outcome, floor=2e-6):
            wrong.append(f"{name}: {problem}")
    assert not wrong, f"{len(wrong)} of {ran} wrong\n" + "\n".join(wrong)
    assert ran


@pytest.mark.parametrize("family", ["conv", "conv_transpose", "matmul", "window", "softmax"])
def test_sample(family, tmp_path):
    run_family(family, 5, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(tables.CASES))
def test_all(family, tmp_path):
    run_family(family, 1, tmp_path)

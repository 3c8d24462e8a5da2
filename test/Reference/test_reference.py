"""The float64 interpreter against PyTorch in float64, op by op."""

import pathlib
import subprocess
import sys

import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "numerics"))

import fuserun  # noqa: E402
from tables import CASES  # noqa: E402

# Sums in another order; nothing else may differ.
TOLERANCE = 1e-11
# Attributes become f32 constants when composite ops are decomposed.
DECOMPOSED = 3e-7


def check(outcome, tolerance=TOLERANCE):
    if outcome.failure:
        return outcome.failure
    expected = outcome.case.graph.evaluate(outcome.case.inputs, "exact")
    for i, (found, wanted) in enumerate(zip(outcome.outputs, expected)):
        if not wanted.is_floating_point():
            if not torch.equal(found.to(torch.int64), wanted.to(torch.int64)):
                return f"out{i}: integers differ"
        elif not torch.equal(fuserun.special_class(found), fuserun.special_class(wanted)):
            return f"out{i}: NaN or infinities at other positions:\n{found}\n{wanted}"
        elif (error := fuserun.relative_error(found, wanted)) > tolerance:
            return f"out{i}: error {error:.3e}"
    return ""


@pytest.mark.parametrize("family", CASES)
def test_against_torch(family, tmp_path):
    cases = []
    for name, make in CASES[family]:
        graph = make()
        cases.append(fuserun.Case(name, graph, graph.make_inputs(len(cases))))
    outcomes = fuserun.run_cases(cases, tmp_path, ["--device=reference"])
    wrong = [f"{o.case.name}: {problem}\n{o.case.graph.text()}"
             for o in outcomes if (problem := check(o))]
    assert not wrong, f"{len(wrong)} of {len(cases)} wrong\n" + "\n".join(wrong[:6])


class Kernels:
    """A graph after decomposition and kernel formation."""

    def __init__(self, graph):
        self.graph = graph
        self.results = graph.results

    def text(self):
        done = subprocess.run([str(fuserun.FUSE_COMPILE), "-", "--target=cpu", "--emit=kernels",
                               "-o", "-"], input=self.graph.text(), capture_output=True,
                              text=True, check=False)
        return done.stdout if done.returncode == 0 else done.stderr

    def evaluate(self, inputs, mode):
        return self.graph.evaluate(inputs, mode)


@pytest.mark.parametrize("family", CASES)
def test_kernels_mean_the_same(family, tmp_path):
    """Decomposed ops and fuse.kernel regions, evaluated as they are."""
    cases = []
    for name, make in CASES[family]:
        graph = make()
        cases.append(fuserun.Case(name, Kernels(graph), graph.make_inputs(len(cases))))
    outcomes = fuserun.run_cases(cases, tmp_path, ["--device=reference"])
    wrong = [f"{o.case.name}: {problem}\n{o.case.graph.text()}"
             for o in outcomes if (problem := check(o, DECOMPOSED))]
    assert not wrong, f"{len(wrong)} of {len(cases)} wrong\n" + "\n".join(wrong[:6])

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


def check(outcome):
    if outcome.failure:
        return outcome.failure
    expected = outcome.case.graph.evaluate(outcome.case.inputs, "exact")
    for i, (found, wanted) in enumerate(zip(outcome.outputs, expected)):
        if not wanted.is_floating_point():
            if not torch.equal(found.to(torch.int64), wanted.to(torch.int64)):
                return f"out{i}: integers differ"
        elif not torch.equal(fuserun.special_class(found), fuserun.special_class(wanted)):
            return f"out{i}: NaN or infinities at other positions:\n{found}\n{wanted}"
        elif (error := fuserun.relative_error(found, wanted)) > TOLERANCE:
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

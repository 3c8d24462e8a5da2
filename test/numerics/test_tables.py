"""Every op family at its boundary shapes, compiled for the CPU, against PyTorch."""

import pytest

import fuserun
from tables import CASES

SCHEDULES = {"cpu": [], "sm_90a": ["--schedule-target=sm_90a"]}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("family", CASES)
def test_family(family, schedule, seed, tmp_path):
    cases = []
    for name, make in CASES[family]:
        graph = make()
        cases.append(fuserun.Case(name, graph, graph.make_inputs(seed + len(cases))))
    fuserun.assert_right(fuserun.run_cases(cases, tmp_path, SCHEDULES[schedule]))

"""Three of PyTorch's own samples per operator through the backend, forward and backward."""

import collections

import pytest

opinfo = pytest.importorskip("opinfo", reason="expecttest, which PyTorch's samples need, is absent")

NAMES = [name for names in opinfo.OPERATORS.values() for name in names.split()]
TOTALS = collections.Counter()


@pytest.mark.parametrize("name", NAMES)
def test_samples(name):
    samples = opinfo.samples(name, 3)
    assert samples
    for op, sample in samples:
        verdict, detail = opinfo.run(op, sample)
        TOTALS[verdict] += 1
        assert verdict != "failed", f"{opinfo.describe(op, sample)}: {detail}"


def test_share_of_passed():
    counted = sum(TOTALS[v] for v in ("passed", "fell back"))
    if counted < len(NAMES):
        pytest.skip("the samples did not run here")
    assert TOTALS["passed"] >= 0.9 * counted, dict(TOTALS)

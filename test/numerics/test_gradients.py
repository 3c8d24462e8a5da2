"""The backward pass of every op family and of random graphs, against torch.autograd."""

import pytest

import gradients
import sweep
from tables import CASES


def check_family(family, seed, wide):
    wrong, tried = [], 0
    for index, (name, make) in enumerate(CASES[family]):
        graph = make()
        if not gradients.is_differentiable(graph) or wide and gradients.is_narrow(graph):
            continue
        tried += 1
        try:
            problems = gradients.compare(graph, seed + index, wide=wide)
        except gradients.tilefuse.Error as error:
            problems = [str(error)]
        wrong += [f"{name}: {problem}" for problem in problems]
    assert not wrong, f"seed {seed}\n" + "\n".join(wrong)
    assert tried, "no differentiable case in this family"


@pytest.mark.parametrize("family", CASES)
def test_family(family, seed):
    check_family(family, seed, wide=True)


# The others' rules are as easy to see wrong in f64, and these are quick.
QUICK = ("shape", "reduce", "window", "norm", "softmax", "chain")


@pytest.mark.parametrize("family", [
    pytest.param(family, marks=[] if family in QUICK else [pytest.mark.slow])
    for family in CASES])
def test_family_as_it_is(family, seed):
    check_family(family, seed, wide=False)


@pytest.mark.parametrize("count", [50, pytest.param(2000, marks=pytest.mark.slow)])
def test_random_graphs(count, seed, capsys):
    """Each forward and backward, in f64 and as it is, half of them as the GPU's program."""
    wrong, checked = sweep.sweep(seed, count)
    with capsys.disabled():
        print(f"\n{checked} of {count} random graphs from seed {seed} checked with gradients")
    assert checked == count
    assert not wrong, "\n".join(
        f"seed {at}: {'; '.join(problems)}\n{sweep.make_graph(at).text()}"
        for at, problems in list(wrong.items())[:5]) + f"\n{len(wrong)} of {count} wrong"

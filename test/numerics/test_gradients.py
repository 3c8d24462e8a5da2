"""The backward pass of every op family and of random graphs, against torch.autograd."""

import pytest

import gradients
from chains import make_chain
from tables import CASES

COUNT = 50
# The reference holds scalar constants rounded to f32, the text does not.
BOUND = 1e-6


@pytest.mark.parametrize("family", CASES)
def test_family(family, seed):
    wrong, tried = [], 0
    for index, (name, make) in enumerate(CASES[family]):
        graph = make()
        if not gradients.is_differentiable(graph):
            continue
        tried += 1
        try:
            errors = gradients.compare(graph, seed + index)
        except gradients.tilefuse.Error as error:
            wrong.append(f"{name}: {error}")
            continue
        wrong += [f"{name}: {which} off by {error:.2e}" for which, error in errors.items()
                  if not error <= BOUND]
    assert not wrong, f"seed {seed}\n" + "\n".join(wrong)
    if not tried:
        pytest.skip("no differentiable case in this family")


def test_random_graphs(seed, capsys):
    wrong, tried = [], 0
    for i in range(COUNT):
        graph = make_chain(seed + i)
        if not gradients.is_differentiable(graph):
            continue
        tried += 1
        try:
            errors = gradients.compare(graph, seed + i,
                                       "sm_90a" if i % 2 else None)
        except gradients.tilefuse.Error as error:
            wrong.append(f"chain {seed + i}: {error}")
            continue
        wrong += [f"chain {seed + i}: {which} off by {error:.2e}"
                  for which, error in errors.items() if not error <= BOUND]
    with capsys.disabled():
        print(f"\n{tried} of {COUNT} random graphs from seed {seed} have gradients")
    assert not wrong, f"seed {seed}\n" + "\n".join(wrong)

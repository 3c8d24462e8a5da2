"""Gradients of PyTorch's functions where they have a kink, a tie or no finite slope: the
backend's are PyTorch's own."""

import math

import pytest
import torch
import torch.nn.functional as F

import tilefuse.torch

BOUNDS = [-1.0, 1.0, 0.0, 6.0, 2.0, -2.0, 0.5, 3.0]
TIES = [[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [-1.0, 2.0, 2.0, 3.0], [3.0, 3.0, 3.0, -3.0]]
SHARES = [0.0, 1.0, 0.0, 1.0, 0.5, 1e-8]
ANSWERS = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.25, 1.0])
SAME = [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]

CASES = {
    "hardtanh": (F.hardtanh, BOUNDS),
    "hardtanh-asymmetric": (lambda x: F.hardtanh(x, -2, 3), BOUNDS),
    "relu6": (F.relu6, BOUNDS),
    "clamp": (lambda x: torch.clamp(x, -1, 2), BOUNDS),
    "clamp-half-open": (lambda x: torch.clamp(x, 0.0, math.inf), BOUNDS),
    "clamp-open": (lambda x: torch.clamp(x, -math.inf, math.inf) * 2, BOUNDS),
    "clamp-by-tensors": (lambda x: torch.clamp(x, x.detach() * 0, x.detach() * 0 + 2), BOUNDS),
    "clamp_max-by-tensor": (lambda x: torch.clamp_max(x, x * 0 + 1), BOUNDS),
    "threshold": (lambda x: F.threshold(x, 0.5, 0.1), BOUNDS),
    "maximum": (lambda x: torch.maximum(x, x.flip(0).detach()), BOUNDS),
    "max-dim": (lambda x: torch.max(x, 1)[0], TIES),
    "min-dim": (lambda x: torch.min(x, 0, keepdim=True)[0], TIES),
    "max-dim-and-places": (lambda x: x.max(1)[0] * x.max(1)[1], TIES),
    "max-all": (torch.max, TIES),
    "amax": (lambda x: x.amax(1), TIES),
    "max_pool": (lambda x: F.max_pool2d(x[None], 2, 1), TIES),
    "std": (lambda x: x.std(1), SAME),
    "std_mean": (lambda x: sum(torch.std_mean(x, 1)), SAME),
    "norm": (lambda x: torch.linalg.vector_norm(x * 0, dim=1), SAME),
    "binary_cross_entropy": (lambda x: F.binary_cross_entropy(x, ANSWERS), SHARES),
    "binary_cross_entropy-target": (lambda x: F.binary_cross_entropy(ANSWERS * 0.5 + 0.25, x),
                                    SHARES),
    "atan2": (lambda x: torch.atan2(x * 0, x * 0), SAME),
}


@pytest.mark.parametrize("name", CASES)
def test_corner(name):
    function, values = CASES[name]
    mine, theirs = (torch.tensor(values, requires_grad=True) for _ in "ab")
    expected = function(theirs)
    cotangent = torch.linspace(1, 2, expected.numel()).reshape(expected.shape)
    found = torch.compile(function, backend=tilefuse.torch.backend)(mine)
    torch.testing.assert_close(found, expected)
    found.backward(cotangent)
    expected.backward(cotangent)
    torch.testing.assert_close(mine.grad, theirs.grad, equal_nan=True)

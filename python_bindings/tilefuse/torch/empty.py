"""Tensors without elements: nothing is computed for them, and their gradients are zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def is_empty(value: Any) -> bool:
    """Whether a fake tensor, or all of a tuple of them, has no elements."""
    values = value if isinstance(value, (tuple, list)) else [value]
    return bool(values) and all(isinstance(v, torch.Tensor) and v.numel() == 0 for v in values)


class _Nothing(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, results: Any, *tensors: torch.Tensor) -> Any:
        ctx.operands = [(t.shape, t.dtype, t.device) for t in tensors]
        made = tuple(torch.empty(shape, dtype=dtype, device=device)
                     for shape, dtype, device in results)
        ctx.mark_non_differentiable(*[r for r in made if not r.is_floating_point()])
        return made

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> Any:
        return None, *[torch.zeros(shape, dtype=dtype, device=device)
                       if dtype.is_floating_point else None
                       for shape, dtype, device in ctx.operands]


def nothing(value: Any) -> Callable[..., Any]:
    """A function of any tensors that gives results without elements, like `value`."""
    is_tuple = isinstance(value, (tuple, list))
    described = [(v.shape, v.dtype, v.device) for v in (value if is_tuple else [value])]

    def empty_results(*tensors: torch.Tensor) -> Any:
        results = _Nothing.apply(described, *tensors)
        return results if is_tuple else results[0]
    return empty_results

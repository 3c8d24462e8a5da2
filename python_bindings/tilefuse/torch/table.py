"""The table from ATen ops to functions that write their fuse form.

A lowering is `f(builder, *arguments)`: the op's arguments in the order of its schema,
defaults filled in, tensors as Values. It returns a Value, or a tuple with None for
results that it cannot give. It raises Unsupported with the reason otherwise.

    @lowers("aten.relu.default")
    def relu(b, x):
        return b.unary("relu", x)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch

from .text import Builder, Unsupported

LOWERINGS: dict[Any, Callable[..., Any]] = {}
_Lowering = TypeVar("_Lowering", bound=Callable[..., Any])


def resolve(name: str) -> Any:
    """The overload called `aten.add.Tensor`; None where this PyTorch has no such op."""
    found: Any = torch.ops
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            return None
    return found


def lowers(*names: str) -> Callable[[_Lowering], _Lowering]:
    """Registers a function as the lowering of these ops."""
    def register(function: _Lowering) -> _Lowering:
        for name in names:
            op = resolve(name)
            if op is not None:
                LOWERINGS[op] = function
        return function
    return register


def arguments(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """All arguments of a call in the order of the op's schema."""
    full = []
    for i, parameter in enumerate(op._schema.arguments):
        if i < len(args):
            full.append(args[i])
        elif parameter.name in kwargs:
            full.append(kwargs[parameter.name])
        elif parameter.has_default_value():
            full.append(parameter.default_value)
        else:
            raise Unsupported(f"argument '{parameter.name}' is missing")
    return full


def lower(builder: Builder, op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Writes one op; `args` hold Values for tensors."""
    function = LOWERINGS.get(op)
    if function is None:
        raise Unsupported("no fuse form")
    given = arguments(op, args, kwargs)
    if op in NEUTRAL and 0 in given[0].shape:
        return builder.constant(NEUTRAL[op], builder.out.dtype, tuple(builder.out.shape))
    return function(builder, *given)


# What these give for an operand without elements.
NEUTRAL = {resolve(name): value for name, value in {
    "aten.sum.default": 0, "aten.sum.dim_IntList": 0, "aten.prod.default": 1,
    "aten.prod.dim_int": 1, "aten.mean.default": math.nan,
    "aten.mean.dim": math.nan, "aten.any.default": False, "aten.all.default": True,
    "aten.var.correction": math.nan, "aten.std.correction": math.nan,
    "aten.mse_loss.default": math.nan}.items()}

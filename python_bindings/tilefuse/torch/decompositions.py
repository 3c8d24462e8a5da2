"""ATen ops that are taken apart by PyTorch's own rules while a graph is captured."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch._decomp import get_decompositions

from .table import resolve

NAMES = (
    "aten.glu.default", "aten.logit.default", "aten.hardshrink.default",
    "aten.softshrink.default", "aten.rrelu_with_noise.default", "aten.sinc.default",
    "aten.native_dropout.default", "aten.narrow_copy.default", "aten.addmv.default",
    "aten.nan_to_num.default", "aten.special_entr.default", "aten.xlogy.Tensor",
    "aten.log_sigmoid_forward.default", "aten.hypot.default", "aten.deg2rad.default",
    "aten.rad2deg.default", "aten.sgn.default", "aten.positive.default", "aten.heaviside.default",
    "aten.multi_margin_loss.default", "aten.margin_ranking_loss.default",
    "aten.isinf.default", "aten.isfinite.default", "aten.isposinf.default",
    "aten.isneginf.default", "aten._weight_norm_interface.default",
    "aten.channel_shuffle.default", "aten.unsafe_split.Tensor",
)


@functools.cache
def table() -> dict[Any, Callable[..., Any]]:
    """The decomposition table for make_fx."""
    ops = [op for op in map(resolve, NAMES)
           if op is not None and torch.Tag.nondeterministic_seeded not in op.tags]
    return get_decompositions(ops)

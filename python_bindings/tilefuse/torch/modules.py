"""A module with tilefuse inside and the same outside."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from .backend import backend


def fuse(module: Callable[..., Any]) -> Callable[..., Any]:
    """The module compiled by tilefuse: the same class, parameters, state_dict and signature.

    The result shares parameters, buffers and submodules with ``module``, which itself is left
    as it is; a deep copy of the result is a plain module again. Functions are taken too.
    Compilation happens at the first call, and again for other shapes, types, or modes
    (train, eval, no_grad).
    """
    if not isinstance(module, torch.nn.Module):
        compiled: Callable[..., Any] = torch.compile(module, backend=backend)
        return compiled
    fused = copy.copy(module)

    # A frame of its own: Dynamo does not start in those of torch.nn's modules.
    def call(*inputs: Any, **keywords: Any) -> Any:
        return fused._call_impl(*inputs, **keywords)
    fused._compiled_call_impl = torch.compile(call, backend=backend)
    return fused

"""A module with tilefuse inside and the same outside."""

import copy

import torch

from .backend import backend


def fuse(module):
    """The module compiled by tilefuse: the same parameters, state_dict and call signature.

    The result shares parameters, buffers and submodules with `module`, which itself is left
    as it is. Functions are taken too. Compilation happens at the first call, and again for
    other shapes, types, or modes (train, eval, no_grad).
    """
    if not isinstance(module, torch.nn.Module):
        return torch.compile(module, backend=backend)
    fused = copy.copy(module)
    fused.compile(backend=backend)
    return fused

"""Batch normalisation without a hidden mutation.

torch.batch_norm updates running statistics behind its schema's back. While a graph is
captured it is replaced by an op that returns the new statistics, followed by an ordinary
copy into the buffers, which functionalisation understands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@torch.library.custom_op(
    "tilefuse::batch_norm_train", mutates_args=(),
    schema="(Tensor x, Tensor? weight, Tensor? bias, Tensor? mean, Tensor? var, float momentum, "
           "float eps) -> (Tensor, Tensor, Tensor)")
def batch_norm_train(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
                     mean: torch.Tensor | None, var: torch.Tensor | None, momentum: float,
                     eps: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(y, new running mean, new running variance); empty statistics where there were none."""
    return eager_train(x, weight, bias, mean, var, momentum, eps)


@batch_norm_train.register_fake
def _(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
      mean: torch.Tensor | None, var: torch.Tensor | None, momentum: float, eps: float) -> Any:
    empty = x.new_empty(0)
    return (torch.empty_like(x), empty if mean is None else torch.empty_like(mean),
            x.new_empty(0) if var is None else torch.empty_like(var))


def eager_train(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
                mean: torch.Tensor | None, var: torch.Tensor | None, momentum: float,
                eps: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same by PyTorch, with its derivative."""
    new_mean = x.new_empty(0) if mean is None else mean.detach().clone()
    new_var = x.new_empty(0) if var is None else var.detach().clone()
    y = torch.batch_norm(x, weight, bias, None if mean is None else new_mean,
                         None if var is None else new_var, True, momentum, eps,
                         torch.backends.cudnn.enabled)
    return y, new_mean, new_var


@torch.library.custom_op(
    "tilefuse::batch_norm_eval", mutates_args=(),
    schema="(Tensor x, Tensor? weight, Tensor? bias, Tensor mean, Tensor var, float eps) -> "
           "Tensor")
def batch_norm_eval(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
                    mean: torch.Tensor, var: torch.Tensor, eps: float) -> torch.Tensor:
    """Normalisation by given statistics."""
    return eager_eval(x, weight, bias, mean, var, eps)


@batch_norm_eval.register_fake
def _(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
      mean: torch.Tensor, var: torch.Tensor, eps: float) -> Any:
    return torch.empty_like(x)


def eager_eval(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
               mean: torch.Tensor | None, var: torch.Tensor | None, eps: float) -> torch.Tensor:
    """The same by PyTorch, with its derivative."""
    return torch.batch_norm(x, weight, bias, mean, var, False, 0.0, eps,
                            torch.backends.cudnn.enabled)


# What runs where one of the ops is left to PyTorch.
EAGER: dict[Any, Callable[..., Any]] = {torch.ops.tilefuse.batch_norm_train.default: eager_train,
         torch.ops.tilefuse.batch_norm_eval.default: eager_eval}


def _batch_norm(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
                mean: torch.Tensor | None, var: torch.Tensor | None, training: bool,
                momentum: float, eps: float, *_: Any) -> Any:
    if not training:
        return torch.ops.tilefuse.batch_norm_eval(x, weight, bias, mean, var, eps)
    y, new_mean, new_var = torch.ops.tilefuse.batch_norm_train(x, weight, bias, mean, var,
                                                               momentum, eps)
    with torch.no_grad():
        if mean is not None:
            mean.copy_(new_mean)
        if var is not None:
            var.copy_(new_var)
    return y


def _instance_norm(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
                   mean: torch.Tensor | None, var: torch.Tensor | None, use_input_stats: bool,
                   momentum: float, eps: float, *_: Any) -> Any:
    if not use_input_stats:
        return _batch_norm(x, weight, bias, mean, var, False, momentum, eps)
    # One group per channel; the statistics are means over the batch.
    y = torch.nn.functional.group_norm(x, x.shape[1], weight, bias, eps)
    if mean is not None and var is not None:
        dims = list(range(2, x.dim()))
        with torch.no_grad():
            variance, average = torch.var_mean(x, dims)
            mean.lerp_(average.mean(0).to(mean.dtype), momentum)
            var.lerp_(variance.mean(0).to(var.dtype), momentum)
    return y


def _functional_batch_norm(input: torch.Tensor, running_mean: torch.Tensor | None,
                           running_var: torch.Tensor | None, weight: torch.Tensor | None = None,
                           bias: torch.Tensor | None = None, training: bool = False,
                           momentum: float = 0.1, eps: float = 1e-5) -> Any:
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _functional_instance_norm(input: torch.Tensor, running_mean: torch.Tensor | None = None,
                              running_var: torch.Tensor | None = None,
                              weight: torch.Tensor | None = None, bias: torch.Tensor | None = None,
                              use_input_stats: bool = True, momentum: float = 0.1,
                              eps: float = 1e-5) -> Any:
    return _instance_norm(input, weight, bias, running_mean, running_var, use_input_stats,
                          momentum, eps)


REPLACED: dict[Any, Callable[..., Any]] = {
    torch.batch_norm: _batch_norm, torch.instance_norm: _instance_norm,
    torch.nn.functional.batch_norm: _functional_batch_norm,
    torch.nn.functional.instance_norm: _functional_instance_norm,
}


class VisibleState(TorchFunctionMode):
    """Replaces the functions that update running statistics."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:
        return REPLACED.get(function, function)(*args, **(kwargs or {}))

"""The operators of torch.library: a schema, kernels, and how tensors are passed.

An operator takes its tensors one by one, by name. PyTorch allows 64 arguments; a whole model
has more parameters and statistics, and its operators take lists instead, one of the
tensors they read and one of those they write to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

from ..errors import ArgumentError
from ..signature import ArgumentInfo

NAMESPACE = "tilefuse"
#: The most arguments of a schema.
MOST_ARGUMENTS = 64

_library = torch.library.Library(NAMESPACE, "FRAGMENT")


def _identifier(name: str, taken: set[str]) -> str:
    """``name`` as an argument's name in a schema."""
    result = re.sub(r"\W", "_", name)
    if not re.match(r"[A-Za-z]", result) or result in ("self", "out"):
        result = "arg_" + result
    while result in taken:
        result += "_"
    taken.add(result)
    return result


class Arguments:
    """What an operator takes: tensors, of which it writes to those at positions ``state``."""

    def __init__(self, infos: Sequence[ArgumentInfo], state: Collection[int] = ()) -> None:
        self.in_lists = len(infos) > MOST_ARGUMENTS
        self._count = len(infos)
        self._written = sorted(state)
        self._read = [i for i in range(len(infos)) if i not in state]
        taken: set[str] = set()
        names = [_identifier(info.name, taken) for info in infos]
        if not self.in_lists:
            self.text = ", ".join(f"Tensor(a{i}!) {name}" if i in state else f"Tensor {name}"
                                  for i, name in enumerate(names))
        else:
            self.text = "Tensor[] inputs" + (", Tensor(a!)[] state" if state else "")

    def pack(self, tensors: Sequence[torch.Tensor]) -> Sequence[Any]:
        """Tensors as the schema has them."""
        if not self.in_lists:
            return tensors
        if len(tensors) != self._count:
            raise ArgumentError(f"{self._count} tensors are needed, found {len(tensors)}")
        lists = [[tensors[i] for i in self._read], [tensors[i] for i in self._written]]
        return lists if self._written else lists[:1]

    def unpack(self, values: Sequence[Any]) -> Sequence[torch.Tensor]:
        """The inverse of `pack`."""
        if not self.in_lists:
            return values
        places = [*self._read, *self._written]
        tensors = [t for part in values for t in part]
        return [t for _, t in sorted(zip(places, tensors), key=lambda pair: pair[0])]

    def spread(self, function: Callable[..., Any], num_before: int = 0) -> Callable[..., Any]:
        """``function``, which takes tensors one by one after ``num_before`` other arguments,
        as a function of what the schema has instead."""
        def spread(*values: Any) -> Any:
            return function(*values[:num_before], *self.unpack(values[num_before:]))
        return spread


class Overload:
    """A registered operator; call it with its tensors, one by one."""

    def __init__(self, name: str, arguments: Arguments, num_outputs: int,
                 kernel: Callable[..., Any], fake: Callable[..., Any],
                 autograd: Callable[..., Any] | None = None) -> None:
        self.arguments = arguments
        if arguments.in_lists:
            kernel, fake = arguments.spread(kernel), arguments.spread(fake)
            autograd = autograd and arguments.spread(autograd, 1)
        results = "Tensor" if num_outputs == 1 else f"({', '.join(['Tensor'] * num_outputs)})"
        _library.define(f"{name}({arguments.text}) -> {results}", tags=(
            torch.Tag.pt2_compliant_tag, torch.Tag.needs_fixed_stride_order))
        _library.impl(name, kernel, "CPU")
        _library.impl(name, kernel, "CUDA")
        torch.library.register_fake(f"{NAMESPACE}::{name}", fake, lib=_library)
        if autograd is not None:
            _library.impl(name, autograd, "Autograd", with_keyset=True)
        else:
            _library.impl(name, torch.library.fallthrough_kernel, "Autograd")
        #: What is in ``torch.ops.tilefuse``; it takes ``arguments.pack(tensors)``.
        self.op: torch._ops.OpOverload = getattr(getattr(torch.ops, NAMESPACE), name).default

    def __call__(self, *tensors: torch.Tensor) -> Any:
        return self.op(*self.arguments.pack(tensors))

    def redispatch(self, keys: Any, *tensors: torch.Tensor) -> Any:
        """The call from one of its own kernels, for what is left of the dispatch keys."""
        return self.op.redispatch(keys, *self.arguments.pack(tensors))

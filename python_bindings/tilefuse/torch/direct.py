"""Calls that are like an earlier one, at the price of the launch and little more.

The general way, in operators.py, takes tensors of any kind and has PyTorch's dispatcher see
the call. Most calls bring tensors of the very types, shapes, strides and devices of one
before. For those, one check in C++ (the one that guards torch.compile's own code) stands
for every question of the general way, and whatever depends on the program alone has been
prepared. A direct call gives None when its tensors are not the ones it was made for;
nothing has happened then, and the general way takes over.

The check compares dispatch keys as well, those of the tensors and the thread's: under a
dispatch mode or a functorch transform no call is direct.
"""

from __future__ import annotations

import ctypes as ct
import operator
import struct
import threading
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .. import _capi
from .._tensors import WORKSPACE_ALIGNMENT, current_allocator, get_raw_stream, runner
from ..errors import BY_CODE, ArgumentError

if TYPE_CHECKING:
    from ..program import Program
    from .operators import Operator, Training

_Call = Callable[..., Any]
_Tensors = Sequence[torch.Tensor]

#: Kinds of calls an operator remembers; more are served the general way.
LIMIT = 8

_data_ptr = torch.Tensor.data_ptr
_is_grad_enabled = torch.is_grad_enabled
_count_function_modes = torch._C._len_torch_function_stack


class Slots:
    """The direct calls that an operator has, without and with gradients recorded."""

    def __init__(self) -> None:
        self._calls: list[tuple[_Call, ...]] = [(), ()]

    def run(self, tensors: _Tensors) -> Any:
        """What the call for these tensors gives, or None."""
        for call in self._calls[_is_grad_enabled()]:
            result = call(*tensors)
            if result is not None:
                return result
        return None

    def add(self, make: Callable[[], _Call | None]) -> None:
        """Keeps one call more for the present mode. Threads may race: one of two wins."""
        mode = _is_grad_enabled()
        if len(self._calls[mode]) < LIMIT:
            call = make()
            if call is not None:
                self._calls[mode] = (*self._calls[mode], call)


def make_check(program: Program, tensors: _Tensors) -> Callable[..., bool] | None:
    """A function that says whether tensors are like these, which the program takes as they
    are; None where it has to copy, or PyTorch offers no check."""
    guards = getattr(getattr(torch._C._dynamo, "guards", None), "TensorGuards", None)
    device = tensors[0].device
    if guards is None or device.type == "cuda" and device.index != torch.cuda.current_device():
        return None
    for tensor, info in zip(tensors, program.inputs):
        if not tensor.is_contiguous() or tensor.data_ptr() % info.alignment:
            return None
    check: Callable[..., bool] = guards(
        *tensors, dynamic_dims_sizes=None, dynamic_dims_strides=None).check
    return check


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A function that takes these positions of a sequence."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    if not places:
        return lambda values: ()
    place = places[0]
    return lambda values: (values[place],)


class _Failure(threading.local):
    """Where the library puts this thread's errors."""

    def __init__(self) -> None:
        self.error = ct.c_void_p()
        self.reference = ct.byref(self.error)


_failure = _Failure()


def make_run(program: Program, device: torch.device,
             updated: dict[int, int]) -> Callable[[_Tensors], list[torch.Tensor] | None]:
    """A run of a program on checked tensors, which gives its outputs; None where their
    memory is not aligned or another device is current.

    ``updated`` says which outputs are written straight into which input; those are not
    among the ones given.
    """
    own = runner(program, device)
    device = own.device
    num_inputs, num_outputs = len(program.inputs), len(program.outputs)
    kinds = [kind for i, kind in enumerate(own.outputs) if i not in updated]
    # Inputs, then new tensors, to what the program takes.
    fresh = iter(range(num_inputs, num_inputs + num_outputs))
    pick = _picker([*range(num_inputs),
                    *(updated[i] if i in updated else next(fresh) for i in range(num_outputs))])
    num_words = 3 + num_inputs + num_outputs
    pack = struct.Struct(f"{num_words}P").pack
    allocate, scratch, mask = current_allocator(device), own.scratch, WORKSPACE_ALIGNMENT - 1
    failure = _failure
    index = device.index
    current = stream = None
    if device.type == "cpu":
        handle, enqueue = program._handle.value, _capi.lib.tilefuse_program_run
    else:
        handle, enqueue = program.load_on(index).value, _capi.lib.tilefuse_loaded_run
        current, stream = torch._C._cuda_getDevice, get_raw_stream

    def run(tensors: _Tensors) -> list[torch.Tensor] | None:
        if current is not None and current() != index:
            return None
        new = [allocate(*kind) for kind in kinds]
        space = 0
        if scratch:
            workspace = allocate((scratch,), (1,), torch.uint8)
            space = (workspace.data_ptr() + mask) & ~mask
        status = enqueue(
            pack(handle, 0 if stream is None else stream(index), space,
                 *pick([*map(_data_ptr, tensors), *map(_data_ptr, new)])),
            num_words, failure.reference)
        if status == 0:
            return new
        if BY_CODE.get(status) is not ArgumentError:
            _capi.check(status, failure.error)
        _capi.lib.tilefuse_error_free(failure.error)
        return None

    return run


class _State:
    """The tensors that a call updates: some the program writes, the others are copied."""

    def __init__(self, op: Operator, program: Program, kept: Container[int] = ()) -> None:
        """``kept``: outputs that somebody reads as they are after this call."""
        num_inputs = len(program.inputs)
        self.written = {result: index for index, result in op.state.items()
                        if program.inputs[index].in_place and result not in kept}
        self.places: dict[int, int] = {}
        for output in range(len(program.outputs)):
            if output not in self.written:
                self.places[output] = num_inputs + len(self.places)
        copied = [(index, self.places[result]) for index, result in op.state.items()
                  if result in self.places]
        self._pick_old = _picker([index for index, _ in copied])
        self._pick_new = _picker([place for _, place in copied])
        self._pick_written = _picker(sorted(self.written.values()))
        self.is_empty = not op.state
        self._has_copies, self._has_written = bool(copied), bool(self.written)

    def update(self, values: _Tensors) -> None:
        """``values``: the inputs of the call, then its new tensors."""
        if self._has_copies:
            torch._foreach_copy_(self._pick_old(values), self._pick_new(values))
        if self._has_written:
            for tensor in self._pick_written(values):
                torch.autograd.graph.increment_version(tensor)


def make_inference(op: Operator, program: Program, inputs: _Tensors) -> _Call | None:
    """The direct call of an operator for tensors like these, where nothing is
    differentiated."""
    check = make_check(program, inputs)
    if check is None:
        return None
    state = _State(op, program)
    run = make_run(program, inputs[0].device, state.written)
    if state.is_empty:
        def call(*tensors: torch.Tensor) -> Any:
            if not check(*tensors) or _count_function_modes():
                return None
            new = run(tensors)
            return new if new is None else tuple(new)
        return call

    pick = _picker([state.places[i] for i in op.returned])

    def update(*tensors: torch.Tensor) -> Any:
        if not check(*tensors) or _count_function_modes():
            return None
        new = run(tensors)
        if new is None:
            return None
        values = (*tensors, *new)
        state.update(values)
        return pick(values)
    return update


class _Recorded(torch.autograd.Function):
    """A call that has run, for autograd: ``returned`` are its results, ``saved`` what the
    backward entry reads, ``wanted`` the inputs to differentiate."""

    @staticmethod
    def forward(ctx: Any, training: Training, returned: tuple[torch.Tensor, ...],
                saved: _Tensors, *wanted: torch.Tensor) -> Any:
        ctx.training = training
        ctx.save_for_backward(*saved)
        if training.integers:
            ctx.mark_non_differentiable(*[returned[i] for i in training.integers])
        return returned

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        return (None, None, None, *ctx.training.differentiate(ctx.saved_tensors, cotangents))


# What Function.apply does when no functorch transform is active, which the check has seen.
_record = super(torch.autograd.Function, _Recorded).apply


def make_training(op: Operator, training: Training, inputs: _Tensors) -> _Call | None:
    """The direct call of an operator for tensors like these, recorded for autograd."""
    check = make_check(training.forward, inputs)
    # A copy of an input that the call overwrites is left to the general way.
    places = [place for place in training.places if place is not None]
    if check is None or len(places) < len(training.places):
        return None
    kept = {places[position] for is_output, position in training.sources if is_output}
    state = _State(op, training.forward, kept)
    run = make_run(training.forward, inputs[0].device, state.written)
    pick_returned = _picker([state.places[i] for i in op.returned])
    pick_saved = _picker([state.places[places[position]] if is_output else position
                          for is_output, position in training.sources])
    pick_wanted = _picker(training.wanted)

    def call(*tensors: torch.Tensor) -> Any:
        if not check(*tensors) or _count_function_modes():
            return None
        new = run(tensors)
        if new is None:
            return None
        values = (*tensors, *new)
        if not state.is_empty:
            state.update(values)
        return _record(training, pick_returned(values), pick_saved(values),
                       *pick_wanted(values))
    return call


def make_backward(program: Program, inputs: _Tensors) -> _Call | None:
    """The direct call of a backward entry for tensors like these."""
    check = make_check(program, inputs)
    if check is None:
        return None
    run = make_run(program, inputs[0].device, {})

    def call(*tensors: torch.Tensor) -> Any:
        if not check(*tensors) or _count_function_modes():
            return None
        return run(tensors)
    return call

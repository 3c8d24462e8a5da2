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
import dataclasses
import operator
import struct
import threading
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .. import _capi
from .._tensors import WORKSPACE_ALIGNMENT, current_allocator, dtype_of, get_raw_stream, runner
from ..errors import BY_CODE, ArgumentError

if TYPE_CHECKING:
    from ..program import Program
    from ..signature import ArgumentInfo
    from .operators import Operator, Training

_Call = Callable[..., Any]
_Tensors = Sequence[torch.Tensor]

#: What programs ask of their arguments' addresses.
ALIGNMENT = 16
#: Kinds of calls an operator remembers; more are served the general way.
LIMIT = 8

_data_ptr = torch.Tensor.data_ptr
_is_grad_enabled = torch.is_grad_enabled
_count_function_modes = torch._C._len_torch_function_stack
#: Says whether somebody sees what is saved: checkpoints count the tensors, and compare two
#: runs of which one may be direct and the other not. Where it cannot be asked, direct
#: calls save what the others do.
_get_hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)

try:
    # Where torch.compile is given a loop with its backward pass, Dynamo looks at every frame
    # that runs; it has nothing to compile in these.
    torch._dynamo.trace_rules.add(__name__)
except (AttributeError, TypeError):
    pass

try:
    torch._C._increment_version(())
    _increment_versions: Callable[[_Tensors], None] = torch._C._increment_version
except (RuntimeError, TypeError):  # older ones take one at a time
    def _increment_versions(tensors: _Tensors) -> None:
        for tensor in tensors:
            torch.autograd.graph.increment_version(tensor)


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


def is_plain(tensors: _Tensors) -> bool:
    """Whether the dispatcher would do nothing but call our kernels: no mode, no transform
    and no tensor that is more than memory. A call then spares its price, several
    microseconds for each of the operators, and later ones like it may be direct."""
    if (torch._C._len_torch_dispatch_stack() or torch._C._len_torch_function_stack()
            or torch._C._functorch.maybe_current_level() is not None):
        return False
    for tensor in tensors:
        kind = type(tensor)
        if kind is not torch.Tensor and kind is not torch.nn.Parameter or tensor.is_neg():
            return False
    return True


def make_check(tensors: _Tensors) -> Callable[..., bool] | None:
    """A function that says whether tensors are like these, which programs take as they are;
    None where they would have to be copied, or PyTorch offers no check."""
    guards = getattr(getattr(torch._C._dynamo, "guards", None), "TensorGuards", None)
    device = tensors[0].device
    if guards is None or device.type == "cuda" and device.index != torch.cuda.current_device():
        return None
    for tensor in tensors:
        if not tensor.is_contiguous() or tensor.data_ptr() % ALIGNMENT:
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


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Values that lie in one tensor, which is number ``base`` of a call's."""

    base: int
    offsets: tuple[int, ...]


def make_run(program: Program, device: torch.device, kinds: Sequence[Any],
             order: Sequence[int], pieces: Pieces = Pieces(0, ()),
             ) -> Callable[[_Tensors], list[torch.Tensor] | None]:
    """A run of a program on checked tensors; None where their memory is not aligned or
    another device is current.

    It makes new tensors of ``kinds`` (shape, strides, type) and gives them. ``order`` says for
    each input and output of the program where it lies: a position among the tensors, the
    new ones and the pieces, in this order.
    """
    own = runner(program, device)
    device = own.device
    pick = _picker(order)
    num_words = 3 + len(order)
    pack = struct.Struct(f"{num_words}P").pack
    allocate, scratch, mask = current_allocator(device), own.scratch, WORKSPACE_ALIGNMENT - 1
    failure = _failure
    base, offsets = pieces.base, pieces.offsets
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
        addresses = [*map(_data_ptr, tensors), *map(_data_ptr, new)]
        if offsets:
            start = addresses[base]
            addresses += [start + offset for offset in offsets]
        space = 0
        if scratch:
            workspace = allocate((scratch,), (1,), torch.uint8)
            space = (workspace.data_ptr() + mask) & ~mask
        status = enqueue(pack(handle, 0 if stream is None else stream(index), space,
                              *pick(addresses)), num_words, failure.reference)
        if status == 0:
            return new
        if BY_CODE.get(status) is not ArgumentError:
            _capi.check(status, failure.error)
        _capi.lib.tilefuse_error_free(failure.error)
        return None

    return run


class _Plan:
    """Where the values of a call lie: the tensors it is given, then those it makes.

    State that the program may update in place has no new tensor; what it would have been is
    the old one. Residuals, which nobody but the backward entry reads, share a tensor, the
    last one, if there are several: it takes longer to make and to save a tensor than
    a kernel takes on most of them.
    """

    def __init__(self, op: Operator, program: Program, num_results: int,
                 kept: Container[int] = ()) -> None:
        """``kept``: outputs that somebody reads as they are after this call."""
        num_inputs = len(program.inputs)
        written = {result: index for index, result in op.state.items()
                   if program.inputs[index].in_place and result not in kept}
        #: By output, its position among the values; those in pieces have none.
        self.places: dict[int, int] = {}
        self.kinds: list[Any] = []
        self.pieces = Pieces(0, ())
        order = list(range(num_inputs))
        in_pieces = range(num_results, len(program.outputs))
        if len(in_pieces) < 2 or _get_hooks is None:
            in_pieces = range(0)
        for output, info in enumerate(program.outputs):
            if output in written:
                order.append(written[output])
            elif output not in in_pieces:
                self.places[output] = num_inputs + len(self.kinds)
                order.append(self.places[output])
                self.kinds.append((info.shape, info.strides, dtype_of(info)))
        if in_pieces:
            offsets, size = _lay_out([program.outputs[i] for i in in_pieces])
            self.pieces = Pieces(num_inputs + len(self.kinds), offsets)
            self.kinds.append(((size,), (1,), torch.uint8))
            order += range(num_inputs + len(self.kinds),
                           num_inputs + len(self.kinds) + len(offsets))
        self.order = order
        copied = [(index, self.places[result]) for index, result in op.state.items()
                  if result in self.places]
        self._pick_old = _picker([index for index, _ in copied])
        self._pick_new = _picker([place for _, place in copied])
        self._pick_written = _picker(sorted(written.values()))
        self._has_copies, self._has_written = bool(copied), bool(written)

    def make_run(self, program: Program, device: torch.device) -> Any:
        return make_run(program, device, self.kinds, self.order, self.pieces)

    def update(self, values: _Tensors) -> None:
        """After a run, the new state where it is not yet."""
        if self._has_copies:
            torch._foreach_copy_(self._pick_old(values), self._pick_new(values))
        if self._has_written:
            _increment_versions(self._pick_written(values))


def _lay_out(infos: Sequence[ArgumentInfo]) -> tuple[tuple[int, ...], int]:
    """Offsets of values in one buffer, and its size."""
    offsets, size = [], 0
    for info in infos:
        offsets.append(size)
        size += -(-max(info.nbytes, 1) // WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT
    return tuple(offsets), size


def _take_apart(buffer: torch.Tensor, infos: Sequence[ArgumentInfo]) -> list[torch.Tensor]:
    """The values that lie in one buffer, as `_lay_out` has it."""
    offsets, _ = _lay_out(infos)
    return [buffer[offset:offset + info.nbytes].view(dtype_of(info)).view(info.shape)
            for offset, info in zip(offsets, infos)]


def make_inference(op: Operator, program: Program, inputs: _Tensors) -> _Call | None:
    """The direct call of an operator for tensors like these, where nothing is
    differentiated."""
    check = make_check(inputs)
    if check is None or any(inputs[i].is_inference() for i in op.state):
        return None
    plan = _Plan(op, program, len(program.outputs))
    run = plan.make_run(program, inputs[0].device)
    if not op.state:
        def call(*tensors: torch.Tensor) -> Any:
            if not check(*tensors) or _count_function_modes():
                return None
            new = run(tensors)
            return new if new is None else tuple(new)
        return call

    pick = _picker([plan.places[i] for i in op.returned])

    def update(*tensors: torch.Tensor) -> Any:
        if not check(*tensors) or _count_function_modes():
            return None
        new = run(tensors)
        if new is None:
            return None
        values = (*tensors, *new)
        plan.update(values)
        return pick(values)
    return update


class _Recorded(torch.autograd.Function):
    """A call that has run, for autograd: ``returned`` are its results, ``saved`` what the
    backward entry reads, ``wanted`` the inputs to differentiate."""

    @staticmethod
    def forward(ctx: Any, backward: Backward, returned: tuple[torch.Tensor, ...],
                saved: _Tensors, *wanted: torch.Tensor) -> Any:
        ctx.run_backward = backward
        ctx.save_for_backward(*saved)
        if backward.integers:
            ctx.mark_non_differentiable(*[returned[i] for i in backward.integers])
        return returned

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        return (None, None, None, *ctx.run_backward(ctx.saved_tensors, cotangents))


# What Function.apply does when no functorch transform is active, which the check has seen.
_record = super(torch.autograd.Function, _Recorded).apply


class Backward:
    """The backward pass of direct calls: direct as well, or the general one.

    ``sources`` says for each saved value of the program which saved tensor it is, or, counted
    from the end of those on, which residual of the buffer that is the last of them.
    """

    def __init__(self, training: Training, sources: Sequence[int], num_saved: int,
                 residuals: Sequence[ArgumentInfo]) -> None:
        self.integers = training.integers
        self._training = training
        self._residuals = residuals
        self._num_saved = num_saved
        self._pick = _picker(sources)
        num_tensors = num_saved + len(training.backward.inputs) - len(sources)
        # Saved tensors, cotangents, gradients, pieces: the sources know the pieces as next
        # to the saved ones.
        outputs = [num_tensors + i for i in range(len(training.backward.outputs))]
        skipped = num_tensors + len(outputs) - num_saved
        self._order = [*(s if s < num_saved else s + skipped for s in sources),
                       *range(num_saved, num_tensors), *outputs]
        self._slots = Slots()

    def __call__(self, saved: _Tensors, cotangents: _Tensors) -> _Tensors:
        training = self._training
        tensors = (*saved, *[c.contiguous() for c in training.select_cotangents(cotangents)])
        may_be_direct = not _is_grad_enabled()
        if may_be_direct:
            known: _Tensors | None = self._slots.run(tensors)
            if known is not None:
                return known
        if self._residuals:
            saved = [*saved, *_take_apart(saved[-1], self._residuals)]
        gradients = training.differentiate(self._pick(saved), cotangents)
        if may_be_direct and is_plain(tensors):
            self._slots.add(lambda: self._make(tensors))
        return gradients

    def _make(self, tensors: _Tensors) -> _Call | None:
        program, residuals = self._training.backward, self._residuals
        check = make_check(tensors)
        if check is None:
            return None
        pieces = Pieces(self._num_saved - 1, _lay_out(residuals)[0])
        kinds = [(info.shape, info.strides, dtype_of(info)) for info in program.outputs]
        run = make_run(program, tensors[0].device, kinds, self._order, pieces)

        def call(*tensors: torch.Tensor) -> Any:
            if not check(*tensors) or _count_function_modes():
                return None
            return run(tensors)
        return call


def make_training(op: Operator, training: Training, inputs: _Tensors) -> _Call | None:
    """The direct call of an operator for tensors like these, recorded for autograd."""
    check = make_check(inputs)
    # A copy of an input that the call overwrites is left to the general way.
    outputs = [place for place in training.places if place is not None]
    if check is None or len(outputs) < len(training.places):
        return None
    program = training.forward
    num_results = len(op.signature.outputs)
    # What is saved, as positions among the inputs, or as outputs of the program.
    saved = [(is_output, outputs[position] if is_output else position)
             for is_output, position in training.sources]
    plan = _Plan(op, program, num_results, {place for is_output, place in saved if is_output})
    run = plan.make_run(program, inputs[0].device)
    positions = [None if is_output and place not in plan.places else
                 plan.places[place] if is_output else place for is_output, place in saved]
    kept = [p for p in positions if p is not None]
    if _get_hooks is not None:
        kept = list(dict.fromkeys(kept))
    sources = [kept.index(p) if p is not None else len(kept) + 1 + place - num_results
               for p, (_, place) in zip(positions, saved)]
    residuals: Sequence[ArgumentInfo] = ()
    if plan.pieces.offsets:
        kept.append(plan.pieces.base)
        residuals = program.outputs[num_results:]
    backward = Backward(training, sources, len(kept), residuals)
    pick_returned = _picker([plan.places[i] for i in op.returned])
    pick_saved = _picker(kept)
    pick_wanted = _picker(training.wanted)

    def call(*tensors: torch.Tensor) -> Any:
        if (not check(*tensors) or _count_function_modes()
                or _get_hooks is not None and _get_hooks(True)):
            return None
        new = run(tensors)
        if new is None:
            return None
        values = (*tensors, *new)
        plan.update(values)
        return _record(backward, pick_returned(values), pick_saved(values),
                       *pick_wanted(values))
    return call

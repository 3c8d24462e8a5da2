"""Programs as PyTorch operators: schema, fake kernel and autograd, through torch.library.

One graph becomes up to three operators of the namespace ``tilefuse``:

- ``NAME_HASH``, what users call: the graph's results; running statistics (arguments that
  a result aliases) are updated in place and not returned. It runs the inference program.
- ``NAME_HASH_forward_K`` and ``NAME_HASH_backward_K``, for one device kind and one choice
  of arguments to differentiate: the two entries of the training program. The forward one
  also returns what the backward one reads. They are what a traced training graph holds.

The first one's autograd kernel calls the other two. Nothing is compiled before it is
needed, and equal graphs share their operators.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from .. import _compiler
from .._tensors import Runner, dtype_of, runner, target_of
from ..errors import ArgumentError, UnsupportedError
from ..program import Program
from ..signature import ArgumentInfo, Signature
from . import direct
from .schemas import Arguments, Overload

__all__ = ["Operator", "Programs", "define"]

_lock = threading.RLock()
_operators: dict[tuple[object, ...], Operator] = {}

_Tensors = Sequence[torch.Tensor]


@dataclasses.dataclass(frozen=True)
class Programs:
    """What one graph runs on one kind of device: the two entries of its training program,
    None where no argument has a gradient, and its inference program."""

    forward: Program | None
    backward: Program | None
    _get_inference: Callable[[], Program] = dataclasses.field(repr=False)

    @property
    def inference(self) -> Program:
        """Runs where no gradient is asked for. Compiled when it is first needed."""
        return self._get_inference()


def define(text: str, name: str | None = None, gradients: Sequence[bool] | None = None,
           schedule_target: str | None = None) -> Operator:
    """A differentiable operator that computes a ``fuse`` function on the CPU and on GPUs.

    ``text`` holds one public function; its arguments and results are tensors of the shapes
    and element types written there. An argument with ``fuse.alias_result = i`` is state: a
    call writes result ``i`` into it. ``gradients`` says for each argument whether its
    gradient may be asked for; by default the training program is made for those that
    require one in the call. ``schedule_target`` is that of `tilefuse.compile`, on the CPU.

    Raises CompileError with the compiler's diagnostic.
    """
    key = (text, name, None if gradients is None else tuple(gradients), schedule_target)
    with _lock:
        found = _operators.get(key)
        if found is None:
            found = _operators[key] = Operator(text, name, gradients, schedule_target)
    return found


def _is_float(info: ArgumentInfo) -> bool:
    return "float" in info.dtype


def _pack(tensors: Sequence[torch.Tensor]) -> Any:
    """Outputs as a kernel with this many results returns them."""
    if len(tensors) == 1:
        return tensors[0]
    return tuple(tensors) if tensors else None


def _unpack(result: Any) -> tuple[torch.Tensor, ...]:
    if isinstance(result, torch.Tensor):
        return (result,)
    return tuple(result) if result is not None else ()


def _check_fake(tensors: _Tensors, infos: Sequence[ArgumentInfo]) -> None:
    """Shapes must be the program's; symbolic ones are pinned to them."""
    for tensor, info in zip(tensors, infos):
        if tensor.dtype != dtype_of(info) or tuple(tensor.shape) != info.shape:
            raise ArgumentError(f"input '{info.name}' must be {info.dtype}{list(info.shape)}, "
                                f"found {tensor.dtype}{list(tensor.shape)}")


def _fake_outputs(infos: Sequence[ArgumentInfo], like: torch.Tensor) -> list[torch.Tensor]:
    return [torch.empty(info.shape, dtype=dtype_of(info), device=like.device) for info in infos]


class Training:
    """The training program of one operator for one target and one choice of arguments, as
    two operators without autograd of their own."""

    def __init__(self, operator: Operator, target: str, wanted: tuple[int, ...]) -> None:
        program = operator._compile(target, wanted)
        self.forward = program.select(f"{operator.entry}_forward")
        self.backward = program.select(f"{operator.entry}_backward")
        self.wanted = wanted
        self._operator = operator
        num_results = len(operator.signature.outputs)
        # What the backward entry reads, as positions among the inputs or among the outputs
        # of the forward operator: the returned results, the residuals, and copies of
        # whatever the call overwrites.
        outputs = [("result", i) for i in operator.returned]
        outputs += [("residual", i) for i in range(len(self.forward.outputs) - num_results)]
        for kind, index in self.backward.saved:
            overwritten = (kind == "argument" and index in operator.state
                           or kind == "result" and index in operator.state.values())
            if overwritten and (kind, index) not in outputs:
                outputs.append((kind, index))
        #: Per output, where the forward entry puts it; None for a copy of an input.
        self.places = [None if kind == "argument" else
                        index if kind == "result" else num_results + index
                        for kind, index in outputs]
        self._copied = [index for kind, index in outputs if kind == "argument"]
        self.num_returned = len(operator.returned)
        self.num_inputs = len(operator.signature.inputs)
        self.sources = [(True, outputs.index(source)) if source in outputs
                        else (False, source[1]) for source in self.backward.saved]
        infos = {"argument": operator.signature.inputs, "result": self.forward.outputs,
                 "residual": self.forward.outputs[num_results:]}
        self._output_infos = [infos[kind][index] for kind, index in outputs]
        self._differentiated = [i for i, info in enumerate(self._output_infos[:self.num_returned])
                                if _is_float(info)]
        self.integers = [i for i in range(self.num_returned) if i not in self._differentiated]
        suffix = f"{target}_" + "_".join(map(str, wanted))
        self.forward_op = Overload(
            f"{operator.name}_forward_{suffix}", Arguments(self.forward.inputs, operator.state),
            len(outputs), self.run_forward, self._fake_forward)
        self.backward_op = Overload(
            f"{operator.name}_backward_{suffix}", Arguments(self.backward.inputs), len(wanted),
            self.run_backward, self._fake_backward)

    def select_cotangents(self, cotangents: _Tensors) -> _Tensors:
        """Those of float results, which the backward entry takes."""
        return [cotangents[i] for i in self._differentiated] if self.integers else cotangents

    def differentiate(self, saved: _Tensors, cotangents: _Tensors) -> _Tensors:
        """The gradients of the wanted arguments, from cotangents of the returned results."""
        tensors = (*saved, *[c.contiguous() for c in self.select_cotangents(cotangents)])
        # With grad mode on, someone may differentiate the gradients, or leave them out of a
        # loss without knowing.
        if torch.is_grad_enabled():
            recorded: _Tensors = _Gradients.apply(self, *tensors)
            return recorded
        return _run_backward(self, *tensors)

    def run_forward(self, *inputs: torch.Tensor) -> Any:
        copies = iter([inputs[index].clone(memory_format=torch.contiguous_format)
                       for index in self._copied])
        results = runner(self.forward, inputs[0].device)(inputs)
        self._operator._store_state(inputs, results)
        return _pack([next(copies) if place is None else results[place]
                      for place in self.places])

    def _fake_forward(self, *inputs: torch.Tensor) -> Any:
        _check_fake(inputs, self.forward.inputs)
        return _pack(_fake_outputs(self._output_infos, inputs[0]))

    def run_backward(self, *inputs: torch.Tensor) -> Any:
        return _pack(runner(self.backward, inputs[0].device)(inputs))

    def _fake_backward(self, *inputs: torch.Tensor) -> Any:
        _check_fake(inputs, self.backward.inputs)
        return _pack(_fake_outputs(self.backward.outputs, inputs[0]))


def _run_backward(training: Training, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    run = training.run_backward if direct.is_plain(inputs) else training.backward_op
    return _unpack(run(*inputs))


class _Gradients(torch.autograd.Function):
    """The backward pass where it is itself recorded: it has no derivative, and says so."""

    @staticmethod
    def forward(ctx: Any, training: Training, *inputs: torch.Tensor) -> Any:
        return _run_backward(training, *inputs)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        raise UnsupportedError("tilefuse's operators have no second derivatives")


class _Call(torch.autograd.Function):
    """One differentiable call."""

    @staticmethod
    def forward(ctx: Any, training: Training, *inputs: torch.Tensor) -> Any:
        run = training.run_forward if direct.is_plain(inputs) else training.forward_op
        outputs = _unpack(run(*inputs))
        ctx.training = training
        ctx.save_for_backward(*[outputs[index] if is_output else inputs[index]
                                for is_output, index in training.sources])
        if training.integers:
            ctx.mark_non_differentiable(*[outputs[i] for i in training.integers])
        return outputs[:training.num_returned]

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        training = ctx.training
        gradients = training.differentiate(ctx.saved_tensors, cotangents)
        # One per input; `training` itself has none.
        result: list[torch.Tensor | None] = [None] * (training.num_inputs + 1)
        for index, gradient in zip(training.wanted, gradients):
            result[index + 1] = gradient
        return tuple(result)


class Operator:
    """A graph as a PyTorch operator; see `define`.

    Call it with one tensor per argument, all on one device. It returns the results that
    no argument aliases, always as a tuple, and updates the arguments that results alias.
    Thread-safe. Second derivatives are not supported, and raise.
    """

    #: The function's name in the text.
    entry: str
    #: The operator's name in ``torch.ops.tilefuse``.
    name: str
    signature: Signature
    #: The operator itself; above 64 arguments it takes them in lists (see schemas.py).
    overload: torch._ops.OpOverload

    def __init__(self, text: str, name: str | None, gradients: Sequence[bool] | None,
                 schedule_target: str | None) -> None:
        signatures = _compiler.describe(text)
        if len(signatures) != 1:
            raise ArgumentError(f"an operator is one public function; the text has "
                                f"{len(signatures)}")
        self.text = text
        self.signature = signatures[0]
        self.entry = self.signature.entry
        inputs, outputs = self.signature.inputs, self.signature.outputs
        if not inputs:
            raise ArgumentError("an operator needs at least one argument")
        if gradients is not None and len(gradients) != len(inputs):
            raise ArgumentError(f"'gradients' must have {len(inputs)} entries, found "
                                f"{len(gradients)}")
        self._schedule_target = schedule_target
        #: Which argument which result is written to; the other results are returned.
        self.state = {i: info.alias_result for i, info in enumerate(inputs)
                       if info.alias_result >= 0}
        self.returned = [i for i in range(len(outputs)) if i not in self.state.values()]
        self._differentiable = [_is_float(info) and i not in self.state
                                for i, info in enumerate(inputs)]
        self._has_gradient = any(_is_float(outputs[i]) for i in self.returned)
        self._declared = gradients is not None
        self._wanted = tuple(i for i, wanted in enumerate(gradients or ()) if wanted)
        for i in self._wanted:
            if not self._differentiable[i]:
                raise ArgumentError(f"argument '{inputs[i].name}' has no gradient: it is not a "
                                    "float tensor, or a result aliases it")
        self._inference: dict[str, Program] = {}
        self._trainings: dict[tuple[str, tuple[int, ...]], Training] = {}
        #: Calls like those that were made.
        self.direct = direct.Slots()
        # What other calls look up first: by device, and by which inputs require a gradient.
        self._runners: dict[torch.device, Runner] = {}
        self._choices: dict[tuple[object, ...], Training] = {}
        self._arguments = (text, name, None if gradients is None else tuple(gradients),
                           schedule_target)
        digest = hashlib.sha256(repr(self._arguments).encode())
        self.name = re.sub(r"\W", "_", f"{name or self.entry}_{digest.hexdigest()[:12]}")
        self._dispatched = Overload(self.name, Arguments(inputs, self.state), len(self.returned),
                                    self._run, self._fake, self._run_autograd)
        self.overload = self._dispatched.op

    def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if not torch.compiler.is_compiling() and len(inputs) == len(self._differentiable):
            known: tuple[torch.Tensor, ...] | None = self.direct.run(inputs)
            if known is not None:
                return known
        return self._call(inputs)

    def _call(self, inputs: _Tensors) -> tuple[torch.Tensor, ...]:
        """A call of any kind."""
        if (torch.compiler.is_compiling() or len(inputs) != len(self.signature.inputs)
                or not direct.is_plain(inputs)):
            result = self._dispatched(*inputs)
            if len(self.returned) == 1:
                return (result,)
            return tuple(result) if self.returned else ()
        training = self._find_training(inputs)
        if training is None:
            results = _unpack(self._run(*inputs))
            program = self._get_inference(target_of(inputs[0].device))
            self.direct.add(lambda: direct.make_inference(self, program, inputs))
            return results
        returned: tuple[torch.Tensor, ...] = _Call.apply(training, *inputs)
        self.direct.add(lambda: direct.make_training(self, training, inputs))
        return returned

    def __reduce__(self) -> Any:
        # Copies, also in another process, are the operator of the same text.
        return define, self._arguments

    def __repr__(self) -> str:
        return f"<tilefuse operator {self.overload._schema}>"

    def programs(self, device: torch.device | str = "cpu",
                 gradients: Sequence[bool] | None = None) -> Programs:
        """What runs on a device, compiled if it was not yet. ``gradients`` says which
        arguments require one in the call; by default those given to `define`, else all
        float ones that are no state."""
        target = target_of(torch.device(device))
        if gradients is not None:
            wanted = self._choose(gradients)
        elif self._declared:
            wanted = self._wanted
        else:
            wanted = tuple(i for i, can in enumerate(self._differentiable) if can)
        inference = functools.partial(self._get_inference, target)
        if not wanted:
            inference()
            return Programs(None, None, inference)
        training = self._get_training(target, wanted)
        return Programs(training.forward, training.backward, inference)

    def load(self, device: torch.device | str, gradients: Sequence[bool] | None = None) -> None:
        """Compiles, and makes the code resident on a device: call this, or the operator
        itself, before a CUDA graph is captured."""
        device = torch.device(device)
        programs = self.programs(device, gradients)
        if device.type == "cuda":
            index = torch.cuda.current_device() if device.index is None else device.index
            for program in (programs.inference, programs.forward, programs.backward):
                if program is not None:
                    program.load_on(index)

    def _compile(self, target: str, wanted: tuple[int, ...]) -> Program:
        return _compiler.compile(
            self.text, target, self._schedule_target if target == "cpu" else None,
            gradients=wanted or False)

    def _get_inference(self, target: str) -> Program:
        found = self._inference.get(target)
        if found is None:
            with _lock:
                found = self._inference.setdefault(target, self._compile(target, ()))
        return found

    def _get_training(self, target: str, wanted: tuple[int, ...]) -> Training:
        found = self._trainings.get((target, wanted))
        if found is None:
            with _lock:
                found = self._trainings.get((target, wanted))
                if found is None:
                    found = Training(self, target, wanted)
                    self._trainings[target, wanted] = found
        return found

    def _choose(self, requires: Sequence[bool]) -> tuple[int, ...]:
        """The arguments to differentiate: those declared, and any other that requires it."""
        if self._declared and all(i in self._wanted for i, need in enumerate(requires) if need):
            return self._wanted
        return tuple(i for i, need in enumerate(requires)
                     if self._differentiable[i] and (need or i in self._wanted))

    def _find_training(self, inputs: _Tensors) -> Training | None:
        """What serves a call that is differentiable; None for any other."""
        if not self._has_gradient or not torch.is_grad_enabled():
            return None
        requires = [tensor.requires_grad for tensor in inputs]
        if True not in requires:
            return None
        key = (inputs[0].device, *requires)
        return self._choices.get(key) or self._decide(key, inputs[0].device, requires)

    def _decide(self, key: tuple[object, ...], device: torch.device,
                requires: Sequence[bool]) -> Training:
        """What serves a call where these inputs require a gradient; it is remembered."""
        for index in self.state:
            if requires[index]:
                raise ArgumentError(f"argument '{self.signature.inputs[index].name}' is updated "
                                    "in place and cannot require a gradient")
        training = self._get_training(target_of(device), self._choose(requires))
        self._choices[key] = training
        return training

    def _store_state(self, inputs: _Tensors, results: _Tensors) -> None:
        """Results go into the state they replace: after the program, which may read the old
        values in any kernel."""
        if not self.state:
            return
        with torch.no_grad():
            torch._foreach_copy_([inputs[index] for index in self.state],
                                 [results[result] for result in self.state.values()])

    def _run(self, *inputs: torch.Tensor) -> Any:
        device = inputs[0].device
        run = self._runners.get(device)
        if run is None:
            run = self._runners[device] = runner(self._get_inference(target_of(device)), device)
        results = run(inputs)
        if not self.state:
            return _pack(results)
        self._store_state(inputs, results)
        return _pack([results[i] for i in self.returned])

    def _fake(self, *inputs: torch.Tensor) -> Any:
        _check_fake(inputs, self.signature.inputs)
        return _pack(_fake_outputs([self.signature.outputs[i] for i in self.returned],
                                   inputs[0]))

    def _run_autograd(self, keyset: Any, *inputs: torch.Tensor) -> Any:
        training = self._find_training(inputs)
        if training is not None:
            result = _Call.apply(training, *inputs)
            return result[0] if len(self.returned) == 1 else result
        with torch._C._AutoDispatchBelowAutograd():
            return self._dispatched.redispatch(
                keyset & torch._C._after_autograd_keyset, *inputs)

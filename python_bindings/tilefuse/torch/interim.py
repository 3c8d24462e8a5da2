"""Region texts as differentiable functions, by the plain layer under torch.autograd."""

import collections
import functools

import torch

import tilefuse


@functools.cache
def define(text, name, gradients):
    return Operator(text, gradients)


Programs = collections.namedtuple("Programs", "inference forward backward")


class Operator:
    def __init__(self, text, gradients):
        self.text, self.gradients = text, gradients
        self.cached = {}

    def programs(self, device):
        target = "cpu" if device.type == "cpu" else "sm_90a"
        if target not in self.cached:
            inference = tilefuse.compile(self.text, target=target)
            forward = backward = None
            if any(self.gradients):
                both = tilefuse.compile(self.text, target=target, gradients=True)
                forward, backward = (both.select(e) for e in both.entries)
            self.cached[target] = Programs(inference, forward, backward)
        return self.cached[target]

    def __call__(self, *tensors):
        programs = self.programs(tensors[0].device if tensors else torch.device("cpu"))
        inputs = programs.inference.inputs
        aliased = {a.alias_result: i for i, a in enumerate(inputs) if a.alias_result >= 0}
        if programs.forward is not None and torch.is_grad_enabled() and any(
                t.requires_grad for t in tensors):
            outputs = _Function.apply(self, programs, aliased, *tensors)
        else:
            outputs = programs.inference(*[t.detach() for t in tensors])
        for r, i in aliased.items():
            with torch.no_grad():
                tensors[i].copy_(outputs[r])
        return tuple(o for r, o in enumerate(outputs) if r not in aliased)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, operator, programs, aliased, *tensors):
        results = len(programs.inference.outputs)
        tensors = [t.detach() for t in tensors]
        outputs = programs.forward(*tensors)
        source = {"argument": tensors, "result": outputs, "residual": outputs[results:]}
        ctx.saved = [source[kind][index] for kind, index in programs.backward.saved]
        ctx.programs, ctx.operator = programs, operator
        ctx.aliased = aliased
        ctx.outputs = [(o.shape, o.dtype) for o in outputs[:results]]
        ctx.inputs = len(tensors)
        floats = [o for o in outputs[:results]]
        ctx.mark_non_differentiable(*[o for r, o in enumerate(floats)
                                      if r in aliased or not o.is_floating_point()])
        return outputs[:results]

    @staticmethod
    def backward(ctx, *cotangents):
        given = [torch.zeros(s, dtype=d) if c is None else c
                 for r, (c, (s, d)) in enumerate(zip(cotangents, ctx.outputs))
                 if r not in ctx.aliased and d.is_floating_point]
        found = ctx.programs.backward(*ctx.saved, *given)
        inputs = ctx.programs.inference.inputs
        places = [i for i, a in enumerate(inputs)
                  if a.alias_result < 0 and a.dtype.startswith(("float", "bfloat"))]
        gradients = [None] * ctx.inputs
        for i, g in zip(places, found):
            gradients[i] = g
        return None, None, None, *gradients

"""The five yardstick subgraphs in PyTorch: shapes, inputs and functions.

A function takes tensors in the argument order of examples/mlir and returns a
tuple of results. `cast` is applied to the multiplicands of its product, and
`back` to the product, so that a caller can round both passes' multiplicands.
"""

import dataclasses
import math

import torch
import torch.nn.functional as F


def round_tf32(x):
    """Rounds float32 values to TF32 (10 mantissa bits, ties away from zero), in place of x's dtype."""
    bits = x.to(torch.float32).contiguous().view(torch.int32)
    finite = (bits & 0x7F800000) != 0x7F800000
    rounded = torch.where(finite, (bits + 0x1000) & ~0x1FFF, bits)
    return rounded.view(torch.float32).to(x.dtype)


class _Round(torch.autograd.Function):
    """Rounds the value; the gradient passes."""

    @staticmethod
    def forward(ctx, x):
        return round_tf32(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class _RoundGradient(torch.autograd.Function):
    """Rounds the gradient; the value passes."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return round_tf32(gradient)


def _same(x):
    return x


def _bn(z, gamma, beta, mean, var):
    mean, var = mean.clone(), var.clone()
    y = F.batch_norm(z, mean, var, gamma, beta, training=True, momentum=0.1, eps=1e-5)
    return y, mean, var


def p82(x, w, b, bias, cast=_same, back=_same):
    z = back(F.conv2d(cast(x), cast(w))) + b.view(-1, 1, 1)
    return (F.max_pool2d(torch.tanh(z) * 2.0 + bias, 4),)


def p54(x, w, b, multiplier, cast=_same, back=_same):
    z = (back(F.conv2d(cast(x), cast(w))) + b.view(-1, 1, 1)) * multiplier
    return (F.gelu(F.leaky_relu(z, 0.01)),)


def p73(x, w, b, gamma, beta, mean, var, cast=_same, back=_same):
    y, mean, var = _bn(back(F.conv2d(cast(x), cast(w))) + b.view(-1, 1, 1), gamma, beta, mean, var)
    return y * 2.0, mean, var


def p97(x, w, b, bias, gamma, beta, mean, var, cast=_same, back=_same):
    y, mean, var = _bn(back(cast(x) @ cast(w).t()) + b, gamma, beta, mean, var)
    s = (y + bias) / 1.0
    return s * torch.sigmoid(s), mean, var


def p91(x, w, b, bias, cast=_same, back=_same):
    z = back(F.conv_transpose2d(cast(x), cast(w), stride=2, padding=1, output_padding=1))
    z = torch.softmax(z + b.view(-1, 1, 1), dim=1)
    return (torch.sigmoid((z + bias) * 2.0),)


@dataclasses.dataclass
class Subgraph:
    """Name, function, argument shapes and, per argument, how it is drawn."""

    name: str
    function: object
    shapes: list
    inits: list
    is_tf32: bool

    def make_inputs(self, seed, device):
        generator = torch.Generator(device="cpu").manual_seed(seed)
        result = []
        for shape, (kind, a, b) in zip(self.shapes, self.inits):
            value = torch.empty(shape)
            if kind == "uniform":
                value.uniform_(a, b, generator=generator)
            else:
                value.normal_(a, b, generator=generator)
            result.append(value.to(device))
        return result

    def eager(self, *inputs):
        """What a PyTorch user writes: the bias inside the operator."""
        return _EAGER[self.name](*inputs)

    def reference(self, *inputs, rounded=False):
        """Float64; with the multiplicands rounded to the declared precision."""
        if rounded and self.is_tf32:
            return self.function(*[t.double() for t in inputs], cast=_Round.apply,
                                 back=_RoundGradient.apply)
        return self.function(*[t.double() for t in inputs])


_EAGER = {
    "p82": lambda x, w, b, bias: (
        F.max_pool2d(torch.tanh(F.conv2d(x, w, b)) * 2.0 + bias, 4),),
    "p54": lambda x, w, b, m: (F.gelu(F.leaky_relu(F.conv2d(x, w, b) * m, 0.01)),),
    "p73": lambda x, w, b, g, be, mean, var: (
        F.batch_norm(F.conv2d(x, w, b), mean, var, g, be, True, 0.1, 1e-5) * 2.0, mean, var),
    "p97": lambda x, w, b, bias, g, be, mean, var: (
        F.silu((F.batch_norm(F.linear(x, w, b), mean, var, g, be, True, 0.1, 1e-5) + bias) / 1.0),
        mean, var),
    "p91": lambda x, w, b, bias: (
        torch.sigmoid((torch.softmax(F.conv_transpose2d(
            x, w, b, stride=2, padding=1, output_padding=1), dim=1) + bias) * 2.0),),
}


def _uniform(fan):
    bound = 1.0 / math.sqrt(fan)
    return ("uniform", -bound, bound)


_X = ("uniform", 0.0, 1.0)
_N = ("normal", 0.0, 1.0)
_G = ("uniform", 0.5, 1.5)


def make(name):
    """The subgraph at full size."""
    n = {"p82": 128, "p54": 64, "p73": 128, "p91": 128}.get(name)
    if name == "p82":
        return Subgraph(name, p82, [(n, 8, 256, 256), (64, 8, 3, 3), (64,), (64, 1, 1)],
                        [_X, _uniform(72), _uniform(72), _N], True)
    if name == "p54":
        return Subgraph(name, p54, [(n, 64, 256, 256), (64, 64, 3, 3), (64,), (64, 1, 1)],
                        [_X, _uniform(576), _uniform(576), _N], True)
    if name == "p73":
        return Subgraph(name, p73, [(n, 8, 128, 128), (64, 8, 3, 3)] + [(64,)] * 5,
                        [_X, _uniform(72), _uniform(72), _G, _N, _N, _G], True)
    if name == "p97":
        return Subgraph(name, p97, [(1024, 8192), (8192, 8192), (8192,), (1,)] + [(8192,)] * 4,
                        [_X, _uniform(8192), _uniform(8192), _N, _G, _N, _N, _G], False)
    if name == "p91":
        return Subgraph(name, p91, [(n, 64, 64, 64), (64, 128, 4, 4), (128,), (128, 1, 1)],
                        [_X, _uniform(2048), _uniform(2048), _N], True)
    raise ValueError(f"there is no subgraph {name}")


NAMES = ["p82", "p54", "p73", "p97", "p91"]

"""The accuracy rule, for any module: e = ||out - ref|| / ||ref|| against float64.

Right means e <= 1.1 * max(PyTorch's own e, e of a float64 evaluation whose
multiplicands are rounded to the declared precision, 1e-6). A tensor that is zero
in theory is judged absolutely, against the scale of its terms.
"""

import copy

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode


def round_tf32(x):
    """Rounds values to TF32 (10 mantissa bits, ties to even); keeps x's dtype."""
    bits = x.to(torch.float32).contiguous().view(torch.int32)
    finite = (bits & 0x7F800000) != 0x7F800000
    rounded = torch.where(finite, (bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF, bits)
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


class RoundMultiplicands(TorchFunctionMode):
    """Rounds what convolutions (and products) multiply, forward and backward, to TF32."""

    def __init__(self, convolutions, products):
        super().__init__()
        self.rounded = set()
        if convolutions:
            self.rounded |= {F.conv1d, F.conv2d, F.conv_transpose1d, F.conv_transpose2d}
        if products:
            self.rounded |= {F.linear, torch.matmul, torch.bmm, torch.mm, torch.Tensor.matmul}
        self.with_bias = {F.conv1d, F.conv2d, F.conv_transpose1d, F.conv_transpose2d, F.linear}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function not in self.rounded:
            return function(*args, **kwargs)
        args = list(args)
        bias = None
        if function in self.with_bias:
            bias = kwargs.pop("bias", None)
            if len(args) > 2:
                bias, args[2] = args[2], None
        args[0], args[1] = _Round.apply(args[0]), _Round.apply(args[1])
        result = _RoundGradient.apply(function(*args, **kwargs))
        if bias is None:
            return result
        spatial = 0 if function is F.linear else result.dim() - 2
        return result + bias.reshape((-1,) + (1,) * spatial)


def relative_error(out, ref):
    """||out - ref|| / ||ref||, in pieces so that float64 copies stay small; NaN if NaNs differ."""
    if (~torch.isfinite(out) != ~torch.isfinite(ref)).any():
        return float("nan")
    top = bottom = 0.0
    for o, r in zip(out.reshape(-1).split(1 << 26), ref.reshape(-1).split(1 << 26)):
        top += (o.double() - r.double()).square().sum().item()
        bottom += r.double().square().sum().item()
    return (top / bottom) ** 0.5 if bottom else top ** 0.5


def tensors_of_forward(module, call, inputs):
    """Name -> tensor: results of a forward run, and buffers (running statistics) after it."""
    with torch.no_grad():
        results = call(*inputs)
    results = results if isinstance(results, (tuple, list)) else [results]
    found = {f"out{i}": t.detach() for i, t in enumerate(results)}
    for name, buffer in module.named_buffers():
        if buffer.is_floating_point():
            found[name] = buffer.detach().clone()
    return found


def gradient_step(module, call, inputs, cotangents):
    """Results and gradients of the first input and every parameter."""
    leaf = inputs[0].detach().requires_grad_()
    results = call(leaf, *inputs[1:])
    results = results if isinstance(results, (tuple, list)) else [results]
    wanted = [leaf] + [p for p in module.parameters() if p.requires_grad]
    return torch.autograd.grad(results, wanted, cotangents)


def tensors_of_step(module, call, inputs, cotangents):
    """Name -> gradient."""
    names = ["x"] + [n for n, p in module.named_parameters() if p.requires_grad]
    return dict(zip(names, gradient_step(module, call, inputs, cotangents)))


def wide(model, take, *more, rounding=None):
    """take(...) on a float64 copy of the model, with multiplicands rounded or not."""
    module = copy.deepcopy(model.module).double()
    inputs = [t.double() if t.is_floating_point() else t for t in model.inputs]
    more = [[t.double() for t in tensors] for tensors in more]
    if rounding is None:
        return take(module, module, inputs, *more)
    with rounding:
        return take(module, module, inputs, *more)


def judge(found, own, exact, rounded, scale=1.0):
    """A row per tensor: errors of tilefuse, PyTorch and rounded multiplicands, and the verdict."""
    rows = []
    for name, reference in exact.items():
        if reference.norm() < 1e-6 * scale:
            value, theirs = found[name].abs().max().item(), own[name].abs().max().item()
            rows.append({"tensor": name, "absolute": value, "pytorch": theirs,
                         "right": bool(value <= theirs + 1e-6 * scale)})
            continue
        row = {"tensor": name, "error": relative_error(found[name], reference),
               "pytorch": relative_error(own[name], reference),
               "rounded": relative_error(rounded[name], reference)}
        row["bound"] = 1.1 * max(row["pytorch"], row["rounded"], 1e-6)
        row["right"] = bool(row["error"] <= row["bound"])
        rows.append(row)
    return rows

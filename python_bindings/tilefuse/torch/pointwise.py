"""Pointwise ops: promotion, scalars, and the functions themselves."""

import math

import torch

from .table import lowers
from .text import Unsupported, Value, attribute

NARROW = (torch.float16, torch.bfloat16)


def compute_dtype(dtype, operands):
    """PyTorch keeps a Python number in float32 beside 16-bit elements."""
    narrow = dtype in NARROW and any(not isinstance(o, Value) for o in operands)
    return torch.float32 if narrow else dtype


def operand(b, x, dtype):
    """A Value or a Python number as a Value of `dtype`."""
    if isinstance(x, Value):
        return b.cast(x, dtype)
    if isinstance(x, complex):
        raise Unsupported("complex numbers")
    return b.constant(x, dtype)


def promoted(*operands):
    """The element type in which PyTorch compares these."""
    dummies = [torch.empty((1,) * o.rank, dtype=o.dtype, device="meta")
               if isinstance(o, Value) else o for o in operands]
    dtype = torch.result_type(dummies[0], dummies[1])
    for extra in dummies[2:]:
        dtype = torch.result_type(torch.empty((1,), dtype=dtype, device="meta"), extra)
    return dtype


def elementwise(b, function, *operands):
    """`function` of the operands in the result's element type."""
    dtype = compute_dtype(b.out.dtype, operands)
    result = function(*[operand(b, o, dtype) for o in operands])
    return finish(b, result)


def finish(b, result):
    """The result in the node's own type and shape."""
    return b.broadcast(b.cast(result, b.out.dtype), tuple(b.out.shape))


def float_only(b):
    if not b.out.dtype.is_floating_point:
        raise Unsupported("integers")


# One operand ---------------------------------------------------------------------

# Functions with the same name in both. Of floats (integers are converted):
FLOAT_UNARY = (
    "exp", "exp2", "expm1", "log", "log2", "log1p", "sqrt", "rsqrt", "reciprocal", "sin", "cos",
    "tanh", "erf", "sigmoid", "selu", "silu", "mish", "hardswish", "hardsigmoid")
# Those that keep integers, and those that leave integers as they are.
ANY_UNARY = ("neg", "abs", "sign", "relu")
ROUNDING = ("round", "floor", "ceil", "trunc")


def float_unary(fuse):
    def lowering(b, x, *_):
        float_only(b)
        return elementwise(b, lambda x: b.unary(fuse, x), x)
    return lowering


def any_unary(fuse):
    def lowering(b, x):
        if x.dtype == torch.bool:
            raise Unsupported("booleans")
        return b.unary(fuse, x)
    return lowering


def rounding(fuse):
    def lowering(b, x):
        return b.unary(fuse, x) if x.dtype.is_floating_point else x
    return lowering


for _name in FLOAT_UNARY:
    lowers(f"aten.{_name}.default")(float_unary(_name))
for _name in ANY_UNARY:
    lowers(f"aten.{_name}.default")(any_unary(_name))
for _name in ROUNDING:
    lowers(f"aten.{_name}.default")(rounding(_name))


@lowers("aten.round.decimals")
def round_decimals(b, x, decimals):
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    if decimals == 0:
        return b.unary("round", x)
    there, back = ("mul", "div") if decimals > 0 else ("div", "mul")
    power = b.scalar(10.0 ** abs(decimals), x)
    return b.binary(back, b.unary("round", b.binary(there, x, power)), power)


@lowers("aten.tan.default")
def tan(b, x):
    float_only(b)
    return elementwise(b, lambda x: b.binary("div", b.unary("sin", x), b.unary("cos", x)), x)


@lowers("aten.log10.default")
def log10(b, x):
    float_only(b)
    return elementwise(b, lambda x: b.binary("mul", b.unary("log", x),
                                             b.scalar(1 / math.log(10), x)), x)


@lowers("aten.square.default")
def square(b, x):
    return b.unary("square", x)


@lowers("aten.atan.default")
def atan(b, x):
    float_only(b)
    return elementwise(b, lambda x: b.binary("atan2", x, b.scalar(1.0, x)), x)


@lowers("aten.frac.default")
def frac(b, x):
    return b.binary("sub", x, b.unary("trunc", x))


@lowers("aten.leaky_relu.default")
def leaky_relu(b, x, slope):
    return b.unary("leaky_relu", x, f"slope {attribute(slope)}")


@lowers("aten.prelu.default", "aten._prelu_kernel.default")
def prelu(b, x, weight):
    if weight.rank == 1 and weight.shape[0] > 1:
        weight = b.reshape(weight, (weight.shape[0],) + (1,) * (x.rank - 2))
    elif weight.rank == 1:
        weight = b.reshape(weight, ())
    positive = b.compare("gt", x, b.scalar(0.0, x))
    return b.select(positive, x, b.binary("mul", x, weight))


@lowers("aten.elu.default")
def elu(b, x, alpha, scale, input_scale):
    if input_scale == 1:
        result = b.unary("elu", x, f"alpha {attribute(alpha)}")
    elif scale == 1 and input_scale * alpha == 1:
        result = b.unary("celu", x, f"alpha {attribute(alpha)}")
    else:
        raise Unsupported("scales of elu in this combination")
    return result if scale == 1 else b.binary("mul", result, b.scalar(float(scale), x))


@lowers("aten.celu.default")
def celu(b, x, alpha):
    return elu(b, x, alpha, 1.0, 1.0 / alpha if alpha != 1 else 1)


@lowers("aten.gelu.default")
def gelu(b, x, approximate):
    return b.unary("gelu", x, "approximate tanh" if approximate == "tanh" else "")


@lowers("aten.softplus.default")
def softplus(b, x, beta, threshold):
    return b.unary("softplus", x, f"beta {attribute(beta)} threshold {attribute(threshold)}")


@lowers("aten.log_sigmoid_forward.default")
def log_sigmoid(b, x):
    b.out = b.out[0]
    return b.unary("log_sigmoid", x), None


@lowers("aten.hardtanh.default")
def hardtanh(b, x, low, high):
    if not x.dtype.is_floating_point:
        return clamp(b, x, low, high)
    if (low, high) == (0, 6):
        return b.unary("relu6", x)
    # At its ends a clamp passes the gradient on, a hardtanh does not.
    inside = b.binary("and", b.compare("gt", x, b.scalar(float(low), x)),
                      b.compare("lt", x, b.scalar(float(high), x)))
    bounds = f"min {attribute(low)} max {attribute(high)}"
    return b.select(inside, x, b.unary("clamp", x, bounds + " {fuse.stop_gradient}"))


@lowers("aten.relu6.default")
def relu6(b, x):
    return b.unary("relu6", x)


@lowers("aten.clamp.default", "aten.clamp.Tensor")
def clamp(b, x, low, high):
    # What bounds nothing.
    low = None if low == -math.inf else low
    high = None if high == math.inf else high

    def bound(function, predicate, x, end):
        if not x.dtype.is_floating_point:
            return b.binary(function, x, end)
        # x has all of the gradient where both are equal; NaN bounds are NaN.
        beyond = b.binary("or", b.compare(predicate, x, end),
                          b.op("isnan", [end], dtype=torch.bool, style="arrow"))
        return b.select(beyond, end, x)

    def run(x, *bounds):
        bounds = list(bounds)
        if low is not None:
            x = bound("maximum", "lt", x, bounds.pop(0))
        if high is not None:
            x = bound("minimum", "gt", x, bounds.pop(0))
        return x
    given = [(w, v) for w, v in (("min", low), ("max", high)) if v is not None]
    if not given:
        return finish(b, x)
    finite = all(not isinstance(v, Value) and math.isfinite(v) for _, v in given)
    if finite and x.dtype.is_floating_point and b.out.dtype == x.dtype:
        return b.unary("clamp", x, " ".join(f"{w} {attribute(v)}" for w, v in given))
    return elementwise(b, run, x, *[v for _, v in given])


@lowers("aten.clamp_min.default", "aten.clamp_min.Tensor")
def clamp_min(b, x, low):
    return clamp(b, x, low, None)


@lowers("aten.clamp_max.default", "aten.clamp_max.Tensor")
def clamp_max(b, x, high):
    return clamp(b, x, None, high)


@lowers("aten.threshold.default")
def threshold(b, x, limit, value):
    above = b.compare("gt", x, b.constant(limit, x.dtype))
    return b.select(above, x, b.constant(value, x.dtype))


@lowers("aten.logical_not.default")
def logical_not(b, x):
    return b.unary("not", b.cast(x, torch.bool))


@lowers("aten.bitwise_not.default")
def bitwise_not(b, x):
    return b.unary("not", x)


@lowers("aten.isnan.default")
def isnan(b, x):
    if not x.dtype.is_floating_point:
        raise Unsupported("integers")
    return b.op("isnan", [x], dtype=torch.bool, style="arrow")


# Two operands --------------------------------------------------------------------

def _scaled(b, y, alpha, dtype):
    y = operand(b, y, dtype)
    return y if alpha == 1 else b.binary("mul", y, operand(b, alpha, dtype))


@lowers("aten.add.Tensor", "aten.add.Scalar")
def add(b, x, y, alpha):
    return _sum(b, "add", x, y, alpha)


@lowers("aten.sub.Tensor", "aten.sub.Scalar")
def sub(b, x, y, alpha):
    return _sum(b, "sub", x, y, alpha)


@lowers("aten.rsub.Tensor", "aten.rsub.Scalar")
def rsub(b, x, y, alpha):
    dtype = compute_dtype(b.out.dtype, (x, y, alpha if alpha != 1 else x))
    return finish(b, b.binary("sub", operand(b, y, dtype), _scaled(b, x, alpha, dtype)))


def _sum(b, name, x, y, alpha):
    if b.out.dtype == torch.bool:
        if name == "sub" or alpha != 1:
            raise Unsupported("booleans")
        return finish(b, b.binary("or", operand(b, x, torch.bool), operand(b, y, torch.bool)))
    dtype = compute_dtype(b.out.dtype, (x, y, alpha if alpha != 1 else x))
    return finish(b, b.binary(name, operand(b, x, dtype), _scaled(b, y, alpha, dtype)))


@lowers("aten.mul.Tensor", "aten.mul.Scalar")
def mul(b, x, y):
    return elementwise(b, lambda x, y: b.binary("and" if x.dtype == torch.bool else "mul", x, y),
                       x, y)


@lowers("aten.div.Tensor", "aten.div.Scalar")
def div(b, x, y):
    return elementwise(b, lambda x, y: b.binary("div", x, y), x, y)


@lowers("aten.div.Tensor_mode", "aten.div.Scalar_mode")
def div_mode(b, x, y, mode):
    if mode is None:
        return div(b, x, y)
    if not b.out.dtype.is_floating_point:
        raise Unsupported("integer division that may trap")
    if mode == "trunc":
        return elementwise(b, lambda x, y: b.unary("trunc", b.binary("div", x, y)), x, y)
    return floor_divide(b, x, y)


@lowers("aten.floor_divide.default")
def floor_divide(b, x, y):
    float_only(b)

    def run(x, y):
        # As PyTorch: the exact multiple below x, divided, then rounded; not floor(x / y).
        rest = b.binary("remainder", x, y)
        quotient = b.unary("round", b.binary("div", b.binary("sub", x, rest), y))
        by_zero = b.compare("eq", y, b.scalar(0.0, y))
        return b.select(by_zero, b.binary("div", x, y), quotient)
    return elementwise(b, run, x, y)


def _register_binary():
    for aten, fuse in {"maximum": "maximum", "minimum": "minimum", "atan2": "atan2"}.items():
        def lowering(b, x, y, fuse=fuse):
            if b.out.dtype == torch.bool:
                raise Unsupported("booleans")
            return elementwise(b, lambda x, y: b.binary(fuse, x, y), x, y)
        lowers(f"aten.{aten}.default")(lowering)
    for aten, fuse in {"eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt",
                       "ge": "ge"}.items():
        def lowering(b, x, y, fuse=fuse):
            dtype = promoted(x, y)
            return b.compare(fuse, operand(b, x, dtype), operand(b, y, dtype))
        lowers(f"aten.{aten}.Tensor", f"aten.{aten}.Scalar")(lowering)
    for aten, fuse in {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}.items():
        def lowering(b, x, y, fuse=fuse):
            return b.binary(fuse, b.cast(x, torch.bool), b.cast(y, torch.bool))
        lowers(f"aten.{aten}.default")(lowering)
    for aten, fuse in {"bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor"}.items():
        def lowering(b, x, y, fuse=fuse):
            return elementwise(b, lambda x, y: b.binary(fuse, x, y), x, y)
        lowers(f"aten.{aten}.Tensor", f"aten.{aten}.Scalar")(lowering)
    for aten, predicate in {"fmax": "ge", "fmin": "le"}.items():
        def lowering(b, x, y, predicate=predicate):
            float_only(b)

            def run(x, y):
                no = b.op("isnan", [y], dtype=torch.bool, style="arrow")
                better = b.binary("or", b.compare(predicate, x, y), no)
                return b.select(better, x, y)
            return elementwise(b, run, x, y)
        lowers(f"aten.{aten}.default")(lowering)


_register_binary()


@lowers("aten.remainder.Tensor", "aten.remainder.Scalar")
def remainder(b, x, y):
    float_only(b)
    return elementwise(b, lambda x, y: b.binary("remainder", x, y), x, y)


@lowers("aten.pow.Tensor_Scalar")
def pow_scalar(b, x, exponent):
    if b.out.dtype != x.dtype:
        return elementwise(b, lambda x, y: b.binary("pow", x, y), x, exponent)
    special = {1: lambda: x, 2: lambda: b.unary("square", x)}
    if x.dtype.is_floating_point:
        special |= {0.5: lambda: b.unary("sqrt", x), -0.5: lambda: b.unary("rsqrt", x),
                    -1: lambda: b.unary("reciprocal", x),
                    3: lambda: b.binary("mul", b.unary("square", x), x)}
    if exponent in special:
        return special[exponent]()
    float_only(b)
    return elementwise(b, lambda x, y: b.binary("pow", x, y), x, exponent)


@lowers("aten.pow.Tensor_Tensor", "aten.pow.Scalar")
def pow_tensor(b, x, y):
    float_only(b)
    return elementwise(b, lambda x, y: b.binary("pow", x, y), x, y)


@lowers("aten.where.self", "aten.where.ScalarSelf", "aten.where.ScalarOther", "aten.where.Scalar")
def where(b, condition, x, y):
    dtype = b.out.dtype
    return finish(b, b.select(b.cast(condition, torch.bool), operand(b, x, dtype),
                              operand(b, y, dtype)))


@lowers("aten.masked_fill.Scalar", "aten.masked_fill.Tensor")
def masked_fill(b, x, mask, value):
    return finish(b, b.select(mask, operand(b, value, x.dtype), x))


@lowers("aten.addcmul.default")
def addcmul(b, x, y, z, value):
    def run(x, y, z, *value):
        product = b.binary("mul", y, z)
        return b.binary("add", x, b.binary("mul", product, value[0]) if value else product)
    return elementwise(b, run, x, y, z, *([] if value == 1 else [value]))


@lowers("aten.addcdiv.default")
def addcdiv(b, x, y, z, value):
    float_only(b)

    def run(x, y, z, *value):
        quotient = b.binary("div", b.binary("mul", y, value[0]) if value else y, z)
        return b.binary("add", x, quotient)
    return elementwise(b, run, x, y, z, *([] if value == 1 else [value]))


@lowers("aten.lerp.Scalar", "aten.lerp.Tensor")
def lerp(b, x, y, weight):
    def run(x, y, w):
        # From whichever end is nearer, as PyTorch does.
        difference = b.binary("sub", y, x)
        near = b.binary("add", x, b.binary("mul", w, difference))
        far = b.binary("sub", y, b.binary("mul", difference,
                                          b.binary("sub", b.scalar(1.0, w), w)))
        return b.select(b.compare("lt", b.unary("abs", w), b.scalar(0.5, w)), near, far)
    return elementwise(b, run, x, y, weight)


# Types and fills -----------------------------------------------------------------

@lowers("aten._to_copy.default")
def to_copy(b, x, dtype, layout, device, pin_memory, non_blocking, memory_format):
    if device is not None and b.device is not None and torch.device(device).type != b.device.type:
        raise Unsupported("another device")
    return b.cast(x, b.out.dtype)


@lowers("prims.convert_element_type.default")
def convert(b, x, dtype):
    return b.cast(x, b.out.dtype)


@lowers("aten.clone.default", "aten.alias.default", "aten.lift_fresh_copy.default",
        "aten.lift_fresh.default", "aten.contiguous.default", "aten.detach.default")
def identity(b, x, *_):
    # A detach comes here only where its operand has no gradient (see make_plan).
    return x


@lowers("aten.full.default", "aten.full_like.default", "aten.new_full.default")
def full(b, *arguments):
    return b.constant(arguments[2] if hasattr(arguments[1], "__len__") else arguments[1],
                      b.out.dtype, tuple(b.out.shape))


@lowers("aten.fill.Scalar")
def fill(b, x, value):
    return b.constant(value, b.out.dtype, tuple(b.out.shape))


@lowers("aten.fill.Tensor")
def fill_tensor(b, x, value):
    return finish(b, value)


@lowers("aten.zeros.default", "aten.zeros_like.default", "aten.new_zeros.default",
        "aten.empty_like.default", "aten.empty.memory_format", "aten.new_empty.default")
def zeros(b, *_):
    return b.constant(0, b.out.dtype, tuple(b.out.shape))


@lowers("aten.ones.default", "aten.ones_like.default", "aten.new_ones.default")
def ones(b, *_):
    return b.constant(1, b.out.dtype, tuple(b.out.shape))


@lowers("aten.scalar_tensor.default")
def scalar_tensor(b, value, *_):
    return b.constant(value, b.out.dtype)


@lowers("aten.arange.default", "aten.arange.start", "aten.arange.start_step")
def arange(b, *arguments):
    # The ends come first: end; start, end; start, end, step.
    ends = [a for a in arguments[:3] if isinstance(a, (int, float)) and not isinstance(a, bool)]
    start, step = (0, 1) if len(ends) == 1 else (ends[0], ends[2] if len(ends) > 2 else 1)
    if b.out.dtype in NARROW or any(isinstance(v, float) for v in (start, step)):
        raise Unsupported("fractional steps")
    positions = b.iota(tuple(b.out.shape), 0, b.out.dtype)
    if step != 1:
        positions = b.binary("mul", positions, b.constant(step, b.out.dtype))
    return b.binary("add", positions, b.constant(start, b.out.dtype)) if start else positions

"""PyTorch's own samples of an operator (OpInfo) through the backend, against eager.

`run(name, sample)` gives "passed", ("fell back", reasons) or ("failed", error). A sample
is one call of the operator: it becomes a graph with that call alone, which the backend
gets as Dynamo would hand it over. Outputs, and gradients for random cotangents, are
compared by OpInfo's own tolerances in float32.
"""

import warnings

import torch
from torch.testing._internal.common_device_type import toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils import _pytree as pytree

import tilefuse.torch
from tilefuse.torch.backend import compile_graph

OPERATORS = {
    "contractions": """nn.functional.conv1d nn.functional.conv2d nn.functional.conv_transpose1d
        nn.functional.conv_transpose2d nn.functional.linear matmul __rmatmul__ mm bmm addmm baddbmm
        addbmm mv addmv dot addr einsum""",
    "activations": """nn.functional.relu nn.functional.relu6 nn.functional.leaky_relu
        nn.functional.elu nn.functional.selu nn.functional.celu nn.functional.gelu
        nn.functional.silu nn.functional.mish nn.functional.hardswish nn.functional.hardsigmoid
        nn.functional.hardtanh nn.functional.softplus nn.functional.logsigmoid
        nn.functional.prelu nn.functional.softsign nn.functional.tanhshrink
        nn.functional.threshold nn.functional.glu nn.functional.hardshrink
        nn.functional.softshrink tanh sigmoid""",
    "pointwise": """add sub mul div rsub neg abs sign exp exp2 expm1 log log2 log10 log1p sqrt
        rsqrt reciprocal square sin cos tan atan atan2 erf pow clamp clamp_min clamp_max maximum
        minimum fmax fmin floor ceil round trunc frac remainder floor_divide eq ne lt le gt ge
        logical_and logical_or logical_not where masked_fill addcmul addcdiv lerp isnan to float
        double half bfloat16 long bool clone contiguous""",
    "normalisation": """nn.functional.batch_norm nn.functional.layer_norm
        nn.functional.group_norm nn.functional.instance_norm nn.functional.rms_norm
        nn.functional.local_response_norm nn.functional.normalize softmax log_softmax
        logsumexp nn.functional.softmin""",
    "pooling": """nn.functional.max_pool1d nn.functional.max_pool2d nn.functional.avg_pool1d
        nn.functional.avg_pool2d nn.functional.avg_pool3d
        nn.functional.adaptive_avg_pool1d nn.functional.adaptive_avg_pool2d
        nn.functional.adaptive_avg_pool3d nn.functional.adaptive_max_pool1d
        nn.functional.adaptive_max_pool2d""",
    "reductions": """sum mean prod amax amin max min argmax argmin aminmax var std var_mean std_mean
        all any count_nonzero linalg.vector_norm""",
    "shape": """reshape view transpose t permute squeeze unsqueeze expand broadcast_to flatten
        unflatten narrow select __getitem__ cat stack hstack vstack split chunk unbind repeat tile
        nn.functional.pad roll flip movedim tril triu nn.functional.pixel_shuffle
        nn.functional.pixel_unshuffle""",
    "losses": """nn.functional.cross_entropy nn.functional.nll_loss nn.functional.mse_loss
        nn.functional.l1_loss nn.functional.smooth_l1_loss nn.functional.huber_loss
        nn.functional.binary_cross_entropy nn.functional.binary_cross_entropy_with_logits
        nn.functional.kl_div nn.functional.soft_margin_loss
        nn.functional.poisson_nll_loss""",
}


def find(name):
    """The OpInfos of one name (variants of an operator share it)."""
    aliases = {"max": ("max",), "min": ("min",)}
    return [op for op in op_db if op.name in aliases.get(name, (name,))
            and torch.float32 in op.dtypes]


def samples(name, limit=None):
    """(OpInfo, sample) pairs, spread over all samples when there are more than `limit`."""
    found = []
    for op in find(name):
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found += [(op, s) for s in op.sample_inputs("cpu", torch.float32,
                                                        requires_grad=op.supports_autograd)]
    if limit and len(found) > limit:
        found = [found[i * len(found) // limit] for i in range(limit)]
    return found


def tolerances(op):
    """(rtol, atol) for float32: the widest that the OpInfo states for the CPU, or the default."""
    rtol, atol = 1.3e-6, 1e-5
    for decorator in op.decorators:
        inner = getattr(decorator, "decorators", [decorator])
        if getattr(decorator, "device_type", None) not in (None, "cpu"):
            continue
        for each in inner:
            if isinstance(each, toleranceOverride) and torch.float32 in each.d:
                given = each.d[torch.float32]
                rtol, atol = max(rtol, given.rtol), max(atol, given.atol)
    return rtol, atol


def as_graph(op, sample):
    """A graph with the one call, and its tensors."""
    leaves, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]

    def call(*tensors):
        values = list(leaves)
        for i, tensor in zip(places, tensors):
            values[i] = tensor
        given, args, kwargs = pytree.tree_unflatten(values, spec)
        return op(given, *args, **kwargs)
    graph = torch.fx.Graph()
    inputs = [graph.placeholder(f"x{i}") for i in range(len(places))]
    graph.output(graph.call_function(call, tuple(inputs)))
    return torch.fx.GraphModule({}, graph), [leaves[i] for i in places], call


def fresh(tensors):
    return [t.detach().clone(memory_format=torch.preserve_format).requires_grad_(t.requires_grad)
            for t in tensors]


def evaluate(function, tensors):
    """Outputs and gradients of a call."""
    given = fresh(tensors)
    torch.manual_seed(1)
    outputs = [o for o in pytree.tree_leaves(function(*given)) if isinstance(o, torch.Tensor)]
    generator = torch.Generator().manual_seed(2)
    roots = [o for o in outputs if o.requires_grad and o.is_floating_point()]
    leaves = [g for g in given if g.requires_grad]
    gradients = [None] * len(leaves)
    if roots and leaves:
        cotangents = [torch.randn(o.shape, generator=generator).to(o.dtype) for o in roots]
        gradients = torch.autograd.grad(roots, leaves, cotangents, allow_unused=True)
    return outputs, [torch.zeros_like(l) if g is None else g for g, l in zip(gradients, leaves)]


def compare(found, expected, allowed):
    for mine, theirs in zip(found, expected):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs):
            rtol, atol = allowed if a.dtype == torch.float32 else (None, None)
            torch.testing.assert_close(a, b, rtol=rtol, atol=atol, equal_nan=True)


def in_float64(op, sample, expected):
    """Outputs and gradients of the same call computed in float64, in eager's types."""
    def widen(leaf):
        if isinstance(leaf, torch.Tensor) and leaf.dtype == torch.float32:
            return leaf.detach().double().requires_grad_(leaf.requires_grad)
        return torch.float64 if leaf is torch.float32 else leaf
    wide = sample.transform(widen)
    _, tensors, call = as_graph(op, wide)
    exact = evaluate(call, tensors)
    return [[e.to(t.dtype) for e, t in zip(*pair)] for pair in zip(exact, expected)]


def run(op, sample):
    """Verdict and detail of one sample."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, tensors, call = as_graph(op, sample)
        if not tensors or any(t.is_sparse or t.is_nested for t in tensors):
            return "skipped", "no strided tensor"
        try:
            expected = evaluate(call, tensors)
        except Exception as error:
            return "skipped", f"eager: {error}"
        try:
            compiled = compile_graph(module, tensors, views_stay=False)
            found = evaluate(compiled.run, tensors)
            try:
                compare(found, expected, tolerances(op))
            except AssertionError:
                # Eager's own rounding is no reference where it exceeds the tolerance.
                compare(found, in_float64(op, sample, expected), tolerances(op))
        except Exception as error:
            return "failed", f"{type(error).__name__}: {error}"
        if compiled.plan is None:
            return "fell back", "the graph cannot be traced"
        if compiled.plan.fallbacks:
            return "fell back", "; ".join(f"{o}: {r}" for o, r in compiled.plan.fallbacks)
        return "passed", ""


def describe(op, sample):
    parts = [f"{tuple(v.shape)}{'' if v.dtype == torch.float32 else v.dtype}"
             if isinstance(v, torch.Tensor) else repr(v)
             for v in pytree.tree_leaves((sample.input, sample.args, sample.kwargs))]
    return f"{op.name}({', '.join(parts)})"

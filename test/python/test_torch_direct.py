"""Direct calls: those like an earlier one give what the general way gives, others go there."""

import concurrent.futures

import pytest
import torch
from operator_texts import batch_norm, chain, convolution, two_results
from tilefuse.torch import direct, operators
from tilefuse.torch.operators import define
from torch.utils import checkpoint as _  # noqa: F401
from torch.utils.flop_counter import FlopCounterMode


def make_inputs(operator, seed=0, gradients=False):
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(info.shape, dtype=getattr(torch, info.dtype), generator=generator)
              for info in operator.signature.inputs]
    for tensor, info in zip(inputs, operator.signature.inputs):
        tensor.requires_grad_(gradients and info.alias_result < 0)
    return inputs


def num_direct(operator):
    return [len(calls) for calls in operator.direct._calls]


@pytest.fixture
def general(monkeypatch):
    """Counts the calls that go the general way."""
    counts = []
    original = operators.Operator._call
    monkeypatch.setattr(operators.Operator, "_call",
                        lambda self, inputs: counts.append(1) or original(self, inputs))
    return counts


def run_all(operator, gradients, calls=3):
    """Results, gradients and states of calls with different values, one operator."""
    found = []
    for seed in range(calls):
        inputs = make_inputs(operator, seed, gradients)
        results = operator(*inputs)
        leaves = [t for t in inputs if t.requires_grad]
        found += [r.detach() for r in results]
        if gradients:
            found += torch.autograd.grad(results, leaves, [torch.cos(r.detach()) for r in results])
        found += [inputs[i] for i in operator.state]
    return found


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("text", [chain(), convolution(), two_results(), batch_norm(),
                                  chain("f64")],
                         ids=["chain", "convolution", "two", "norm", "f64"])
def test_same_bits_as_the_general_way(text, gradients, general, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(direct, "LIMIT", 0)
        expected = run_all(define(text, name=f"general{gradients}"), gradients)
    assert len(general) == 3
    operator = define(text, name=f"direct{gradients}")
    found = run_all(operator, gradients)
    assert len(general) == 4, "only the first call goes the general way"
    assert num_direct(operator) == [0, 1]
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


def test_state_is_updated_in_place_and_autograd_knows(general):
    operator = define(batch_norm(), name="version")
    inputs = make_inputs(operator)
    program = operator.programs("cpu", gradients=[True, False, False, False, False]).inference
    assert [info.in_place for info in program.inputs] == [False, False, False, True, True]
    operator(*inputs)
    version, address = inputs[3]._version, inputs[3].data_ptr()
    before = inputs[3].clone()
    operator(*inputs)
    assert len(general) == 1
    assert inputs[3]._version > version and inputs[3].data_ptr() == address
    assert not torch.equal(inputs[3], before)


def test_inference_mode(general):
    operator = define(batch_norm(), name="inference")
    inputs = make_inputs(operator)
    with torch.inference_mode():
        results = [operator(inputs[0].clone(), *inputs[1:])[0] for _ in range(3)]
        assert len(general) == 1, "its state counts versions"
        for _ in range(2):
            operator(*[t.clone() for t in inputs])
        assert len(general) == 3
    assert torch.equal(results[0], results[2])


def test_other_tensors_go_the_general_way(general):
    operator = define(chain(), name="others")
    x, w, b = make_inputs(operator)
    expected, = operator(x, w, b)
    operator(x, w, b)
    assert len(general) == 1
    turned = x.t().contiguous().t()
    assert torch.equal(operator(turned, w, b)[0], expected)
    assert len(general) == 2
    # Not aligned: the library refuses, and the general way copies.
    shifted = torch.zeros(x.numel() + 1)[1:].view_as(x).copy_(x)
    assert torch.equal(operator(shifted, w, b)[0], expected)
    assert len(general) == 3 and num_direct(operator) == [0, 1]
    assert torch.equal(operator(torch._neg_view(-x), w, b)[0], expected)
    assert len(general) == 4
    with pytest.raises(Exception, match="input 'x' must be"):
        operator(x.double(), w, b)
    with pytest.raises(Exception, match="input 'x' must be"):
        operator(x[:4], w, b)
    with pytest.raises(Exception, match="argument"):
        operator(x, w)


def test_modes_and_transforms_see_the_operator():
    operator = define(chain(), name="modes")
    inputs = make_inputs(operator)
    expected, = operator(*inputs)

    class Names(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(str(func))
            return func(*args, **(kwargs or {}))

    class Functions(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            names.append(str(func))
            return func(*args, **(kwargs or {}))

    for mode in (Names(), Functions()):
        names = []
        with mode:
            assert torch.equal(operator(*inputs)[0], expected)
        assert any("tilefuse" in name for name in names)
    with FlopCounterMode(display=False):
        operator(*inputs)
    biases = torch.stack([inputs[2], inputs[2] + 1])
    several, = torch.func.vmap(operator, in_dims=(None, None, 0))(*inputs[:2], biases)
    assert torch.equal(several[0], expected)
    assert torch.equal(several[1], operator(*inputs[:2], biases[1])[0])


def test_which_inputs_require_a_gradient(general):
    operator = define(chain(), name="masks")
    x, w, b = make_inputs(operator)
    for mask in [(True, True, True), (False, True, False), (False, False, False)] * 2:
        for tensor, wanted in zip((x, w, b), mask):
            tensor.requires_grad_(wanted)
        result, = operator(x, w, b)
        assert result.requires_grad == any(mask)
        if any(mask):
            leaves = [t for t in (x, w, b) if t.requires_grad]
            for gradient, leaf in zip(torch.autograd.grad(result.sum(), leaves), leaves):
                assert gradient.shape == leaf.shape
    assert len(general) == 3
    x.requires_grad_(True)
    with torch.no_grad():
        assert not operator(x, w, b)[0].requires_grad
        assert not operator(x, w, b)[0].requires_grad


def test_saved_tensors_hooks_and_changed_inputs():
    operator = define(chain(), name="hooks")
    inputs = make_inputs(operator, gradients=True)
    expected = torch.autograd.grad(operator(*inputs)[0].sum(), inputs)
    for _ in range(2):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True),
                                                      torch.from_numpy):
            result, = operator(*inputs)
        found = torch.autograd.grad(result.sum(), inputs)
        assert all(torch.equal(a, b) for a, b in zip(found, expected))
    result, = operator(*inputs)
    with torch.no_grad():
        inputs[1].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_checkpoints_run_forward_twice():
    """The first run of a call is not direct, the second one might be."""
    operator = define(batch_norm(), name="checkpoint")
    inputs = make_inputs(operator, gradients=True)
    cotangent = torch.randn(inputs[0].shape)
    found = []
    for _ in range(3):
        y, = torch.utils.checkpoint.checkpoint(lambda *leaves: operator(*leaves, *inputs[3:]),
                                               *inputs[:3], use_reentrant=False)
        found.append(torch.autograd.grad(y, inputs[:3], cotangent))
    y, = operator(*inputs)
    found.append(torch.autograd.grad(y, inputs[:3], cotangent))
    for gradients in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(gradients, found[0], strict=True))


def test_second_derivatives_raise_in_direct_calls_too():
    operator = define(chain("f64"), name="second")
    inputs = make_inputs(operator, gradients=True)
    for _ in range(2):
        torch.autograd.grad(operator(*inputs)[0].sum(), inputs)
    gradient, = torch.autograd.grad(operator(*inputs)[0].sum(), inputs[:1], create_graph=True)
    with pytest.raises(Exception, match="second derivatives"):
        gradient.sum().backward()


def test_general_backward_of_a_direct_call():
    """Residuals that share a tensor are taken apart where the backward pass is not direct."""
    operator = define(batch_norm("f64"), name="apart")
    inputs = make_inputs(operator, gradients=True)
    leaves = inputs[:3]
    residuals = len(operator.programs("cpu", [True] * 3 + [False] * 2).forward.outputs) - 3
    assert residuals > 1
    for _ in range(3):
        y, = operator(*inputs)
        expected = torch.autograd.grad(y, leaves, torch.cos(y.detach()), retain_graph=True)
        recorded = torch.autograd.grad(y, leaves, torch.cos(y.detach()), create_graph=True)
        with FlopCounterMode(display=False):
            seen = torch.autograd.grad(y, leaves, torch.cos(y.detach()))
        for a, b, c in zip(expected, recorded, seen, strict=True):
            assert torch.equal(a, b) and torch.equal(a, c)


def test_threads_share_direct_calls():
    operator = define(chain(), name="threads")
    sets = [make_inputs(operator, seed, gradients=True) for seed in range(8)]

    def step(inputs):
        result, = operator(*inputs)
        return [result.detach(), *torch.autograd.grad(result.sum(), inputs)]

    expected = [step(inputs) for inputs in sets]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(step, sets * 8))
    for i, tensors in enumerate(found):
        assert all(torch.equal(a, b) for a, b in zip(tensors, expected[i % 8], strict=True))


def test_memory_is_given_back():
    operator = define(chain(rows=256, inner=256, columns=256), name="memory")
    inputs = make_inputs(operator, gradients=True)
    import gc
    import weakref
    for _ in range(3):
        result, = operator(*inputs)
        alive = weakref.ref(result)
        result.sum().backward()
    del result
    gc.collect()
    assert alive() is None

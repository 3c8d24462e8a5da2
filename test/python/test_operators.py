"""Programs as PyTorch operators: opcheck, gradcheck, state, tracing, threads, processes."""

import concurrent.futures
import copy
import pickle

import pytest
import tilefuse
import torch
from operator_texts import batch_norm, chain, convolution, total, two_results
from tilefuse.torch.operators import define
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

MASKS = [(True, True, True), (False, True, False), (True, False, True)]


def make_inputs(operator, seed=0, gradients=None):
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(info.shape, dtype=getattr(torch, info.dtype), generator=generator)
              for info in operator.signature.inputs]
    for tensor, info, wanted in zip(inputs, operator.signature.inputs,
                                    gradients or [True] * len(inputs)):
        tensor.requires_grad_(wanted and info.alias_result < 0)
    return inputs


def eager_chain(x, w, b):
    return torch.tanh(x @ w + b) * 2


@pytest.mark.parametrize("text", [chain("f64"), convolution("f64"), two_results("f64"),
                                  batch_norm("f64")],
                         ids=["chain", "convolution", "two", "norm"])
def test_opcheck(text):
    operator = define(text)
    inputs = make_inputs(operator)
    torch.library.opcheck(operator.overload, inputs)
    torch.library.opcheck(operator.overload, [t.detach() for t in inputs])


def test_more_arguments_than_a_schema_takes():
    """PyTorch allows 64; a whole model has more tensors, which go in lists."""
    operator = define(total(dtype="f64"))
    inputs = [torch.randn(3, dtype=torch.float64) for _ in range(71)]
    for i in (0, 40, 70):
        inputs[i].requires_grad_()
    lists = [[t for i, t in enumerate(inputs) if i != 69], inputs[69:70]]
    torch.library.opcheck(operator.overload, lists)
    torch.library.opcheck(operator.overload, [[t.detach() for t in part] for part in lists])
    before = inputs[69].clone()
    expected = inputs[0] ** 2 + sum(t for t in inputs[1:] if t is not inputs[69])
    for _ in range(3):  # the later ones are direct
        y, = operator(*inputs)
        torch.testing.assert_close(y, expected)
        gradients = torch.autograd.grad(y.sum(), [inputs[i] for i in (0, 40, 70)])
        for found, wanted in zip(gradients, (2 * inputs[0].detach(), torch.ones(3), torch.ones(3))):
            torch.testing.assert_close(found, wanted.double())
    torch.testing.assert_close(inputs[69], before + 3)
    with FlopCounterMode(display=False):  # a mode has the dispatcher see the call
        y, = operator(*inputs)
        y.sum().backward()
    torch.testing.assert_close(inputs[0].grad, 2 * inputs[0].detach())
    torch.testing.assert_close(torch.compile(operator, backend="aot_eager")(*inputs)[0], expected)
    with pytest.raises(Exception, match="71 tensors"):
        operator(*inputs[1:])


@pytest.mark.parametrize("text", [chain("f64"), two_results("f64"), batch_norm("f64")],
                         ids=["chain", "two", "norm"])
def test_gradcheck(text):
    operator = define(text)
    inputs = make_inputs(operator)

    def call(*leaves):
        # State is updated in place: a copy each time.
        leaves = [t.clone() if info.alias_result >= 0 else t
                  for t, info in zip(leaves, operator.signature.inputs)]
        return operator(*leaves)

    assert torch.autograd.gradcheck(call, inputs, nondet_tol=0)


@pytest.mark.parametrize("mask", MASKS)
def test_inputs_without_gradient(mask):
    operator = define(chain("f64"), gradients=mask)
    inputs = make_inputs(operator, gradients=mask)
    result, = operator(*inputs)
    result.backward(torch.ones_like(result))
    leaves = [t.detach().requires_grad_(t.requires_grad) for t in inputs]
    eager_chain(*leaves).sum().backward()
    for tensor, leaf, wanted in zip(inputs, leaves, mask):
        assert (tensor.grad is not None) == wanted
        if wanted:
            torch.testing.assert_close(tensor.grad, leaf.grad)
    assert len(operator.programs("cpu").backward.outputs) == sum(mask)


def test_more_gradients_than_declared():
    operator = define(chain("f64"), gradients=(False, True, False))
    x, w, b = make_inputs(operator)
    operator(x, w, b)[0].sum().backward()
    leaves = [t.detach().requires_grad_() for t in (x, w, b)]
    eager_chain(*leaves).sum().backward()
    for tensor, leaf in zip((x, w, b), leaves):
        torch.testing.assert_close(tensor.grad, leaf.grad)


def test_results_without_cotangent():
    operator = define(two_results("f64"))
    x, y = make_inputs(operator)
    product, double = operator(x, y)
    assert torch.autograd.grad(double.sum(), (x, y), allow_unused=True)[0].eq(2).all()
    x2, y2 = make_inputs(operator)
    assert torch.equal(torch.autograd.grad(operator(x2, y2)[0].sum(), y2)[0], x2)
    assert not operator(x.detach(), y.detach())[0].requires_grad
    with torch.no_grad():
        assert not operator(x, y)[0].requires_grad
    with torch.inference_mode():
        assert torch.equal(operator(x, y)[0], product)


def test_expanded_and_channels_last_cotangents():
    operator = define(convolution("f64"))
    x, w = make_inputs(operator)
    cotangent = torch.randn(2, 4, 6, 7, dtype=torch.float64)
    dense = torch.autograd.grad(operator(x, w)[0], (x, w), cotangent)
    last = torch.autograd.grad(operator(x, w)[0], (x, w),
                               cotangent.contiguous(memory_format=torch.channels_last))
    assert all(map(torch.equal, dense, last))
    operator(x.contiguous(memory_format=torch.channels_last), w)[0].sum().backward()
    eager = torch.autograd.grad(torch.relu(torch.conv2d(x, w)).sum(), w)[0]
    torch.testing.assert_close(w.grad, eager)


def test_second_derivatives_raise():
    operator = define(chain("f64"))
    inputs = make_inputs(operator)
    gradient = torch.autograd.grad(operator(*inputs)[0].sum(), inputs[0], create_graph=True)[0]
    with pytest.raises(tilefuse.UnsupportedError, match="no second derivatives"):
        gradient.square().sum().backward()
    # Recorded, but not differentiated.
    result, = operator(*inputs)
    result.sum().backward(create_graph=True)
    assert torch.equal(inputs[0].grad, gradient)


def test_state_is_updated_in_place():
    operator = define(batch_norm("f64"))
    norm = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    mean, var = norm.running_mean.clone(), norm.running_var.clone()
    for step in range(3):
        x = torch.randn(4, 3, 5, 5, dtype=torch.float64).requires_grad_(step != 1)
        version = mean._version
        result, = operator(x, norm.weight, norm.bias, mean, var)
        assert mean._version > version
        torch.testing.assert_close(result, norm(x))
        torch.testing.assert_close(mean, norm.running_mean)
        torch.testing.assert_close(var, norm.running_var)
    with torch.inference_mode():
        operator(x, norm.weight, norm.bias, mean, var)
    with pytest.raises(tilefuse.ArgumentError, match="updated in place and cannot require"):
        operator(x, norm.weight, norm.bias, mean.requires_grad_(), var)


def test_two_calls_before_the_backward_passes():
    """The first call's saved values survive the second call's update of the state."""
    operator = define(batch_norm("f64"))
    x, gamma, beta, mean, var = make_inputs(operator)
    var.abs_()
    first, = operator(x, gamma, beta, mean, var)
    second, = operator(x * 2, gamma, beta, mean, var)
    (first.square() + second.square()).sum().backward()
    leaf = x.detach().requires_grad_()
    norm = lambda t: torch.nn.functional.batch_norm(
        t, None, None, gamma.detach(), beta.detach(), training=True)
    (norm(leaf).square() + norm(leaf * 2).square()).sum().backward()
    torch.testing.assert_close(x.grad, leaf.grad)


def test_modes_transforms_and_views_see_the_operator():
    """A call goes past the dispatcher only where nothing there could tell."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Record(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            names.append(str(function))
            return function(*args, **(kwargs or {}))

    operator = define(chain("f64"))
    inputs = make_inputs(operator)
    plain, = operator(*inputs)
    names = []
    with Record():
        recorded, = operator(*inputs)
        recorded.sum().backward()
    assert torch.equal(recorded, plain)
    for part in ("chain", "forward", "backward"):
        assert any(part in name for name in names), names
    assert torch.equal(operator.overload(*inputs), plain)
    negated = [torch._neg_view(-t.detach()) for t in inputs]
    assert torch.equal(operator(*negated)[0], plain)
    with pytest.raises(RuntimeError):
        operator(*inputs[:2])


def test_fake_tensors():
    operator = define(batch_norm())
    with FakeTensorMode():
        inputs = [torch.empty(info.shape, requires_grad=info.alias_result < 0)
                  for info in operator.signature.inputs]
        result, = operator(*inputs)
        assert result.shape == (4, 3, 5, 5)
        result.sum().backward()
        assert inputs[1].grad.shape == (3,)
        with pytest.raises(tilefuse.ArgumentError, match="input 'x' must be"):
            operator(inputs[0][1:], *inputs[1:])


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_outer_code(backend):
    operator = define(batch_norm("f64"))

    def outer(x, gamma, beta, mean, var):
        return operator(x.sigmoid(), gamma * 2, beta, mean, var)[0].exp().sum(dim=0)

    compiled = torch.compile(outer, fullgraph=True, backend=backend)
    runs = []
    for function in (outer, compiled):
        inputs = make_inputs(operator)
        inputs[4].abs_()
        try:
            result = function(*inputs)
        except Exception as error:  # no C++ compiler for inductor
            if "compiler" in str(error).lower():
                pytest.skip(str(error).split("\n")[0])
            raise
        result.square().sum().backward()
        runs.append([result, *(t.grad for t in inputs[:3]), *inputs[3:]])
    for a, b in zip(*runs):
        torch.testing.assert_close(a, b)


def test_bad_texts():
    with pytest.raises(tilefuse.CompileError) as caught:
        define(chain().replace("6xf32>) -> tensor<5x6", "6xf32>) -> tensor<5x9", 1))
    assert caught.value.location.startswith("<source>:")
    with pytest.raises(tilefuse.ArgumentError, match="one public function"):
        define(chain() + "\n" + two_results())
    with pytest.raises(tilefuse.ArgumentError, match="must have 3 entries"):
        define(chain(), gradients=[True])
    with pytest.raises(tilefuse.ArgumentError, match="'m' has no gradient"):
        define(batch_norm(), gradients=[True, True, True, True, False])
    with pytest.raises(tilefuse.ArgumentError, match="input 'x' must be"):
        define(chain())(torch.ones(4, 7), torch.ones(7, 6), torch.ones(6))


def test_equal_texts_share_an_operator():
    assert define(chain()) is define(chain())
    assert define(chain()) is not define(chain(), gradients=(True, True, False))


def test_threads_train_at_once():
    operator = define(chain("f64", rows=33))
    alone = make_inputs(operator)
    operator(*alone)[0].sum().backward()

    def run(_):
        inputs = [t.detach().clone().requires_grad_() for t in alone]
        for _ in range(10):
            for tensor in inputs:
                tensor.grad = None
            operator(*inputs)[0].sum().backward()
            if not all(torch.equal(a.grad, b.grad) for a, b in zip(inputs, alone)):
                return False
        return True

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, range(4)))


def test_threads_define_at_once():
    """The first call of one operator from several threads at once."""
    def run(_):
        operator = define(chain("f64", rows=11, columns=3))
        inputs = make_inputs(operator)
        operator(*inputs)[0].sum().backward()
        return inputs[1].grad

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(run, range(4))
    assert all(torch.equal(first, other) for other in others)


class Layer(torch.nn.Module):
    """A module around an operator."""

    def __init__(self, rows):
        super().__init__()
        generator = torch.Generator().manual_seed(2)
        self.w = torch.nn.Parameter(torch.randn(7, 6, dtype=torch.float64, generator=generator))
        self.b = torch.nn.Parameter(torch.randn(6, dtype=torch.float64, generator=generator))
        self.operator = define(chain("f64", rows=rows), gradients=(False, True, True))

    def forward(self, x):
        return self.operator(x, self.w, self.b)[0]


def train_part(rank, size, port, batch, path):
    """One process of two: gradients of its part of the batch, averaged by DDP."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank,
                            world_size=size)
    try:
        part = batch.chunk(size)[rank]
        model = torch.nn.parallel.DistributedDataParallel(Layer(len(part)))
        model(part).square().mean().backward()
        if rank == 0:
            torch.save([p.grad for p in model.parameters()], path)
    finally:
        dist.destroy_process_group()


def test_two_processes_give_the_gradients_of_one(tmp_path):
    import socket

    import torch.multiprocessing as mp

    batch = torch.randn(8, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    whole = Layer(8)
    whole(batch).square().mean().backward()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mp.spawn(train_part, (2, port, batch, tmp_path / "gradients"), nprocs=2)
    for got, parameter in zip(torch.load(tmp_path / "gradients"), whole.parameters()):
        torch.testing.assert_close(got, parameter.grad, rtol=1e-12, atol=1e-14)


def test_modules_can_be_copied():
    layer, batch = Layer(4), torch.ones(4, 7, dtype=torch.float64)
    layer(batch).sum().backward()
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.operator is layer.operator
        assert torch.equal(twin(batch), layer(batch))

"""torch.compile with tilefuse: the five subgraphs, state, modes, layouts, sharing."""

import copy
import logging

import pytest
import torch
from torch import nn
from torch_models import FIVE, SmallCNN, same_step, step

import tilefuse.torch

ATEN_COMPUTE = ("convolution", "mkldnn", "mm", "matmul", "batch_norm", "pool", "softmax")


@pytest.fixture(autouse=True)
def fresh_dynamo(caplog):
    """Each test compiles anew; what falls back is in the log."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    caplog.set_level(logging.INFO, logger="tilefuse.torch")
    return caplog


def compiled(module):
    return torch.compile(module, backend=tilefuse.torch.backend)


def fallbacks(caplog):
    return [r.message for r in caplog.records if r.name == "tilefuse.torch"]


@pytest.mark.parametrize("name", FIVE)
def test_five(name, caplog, graphs):
    make, shape = FIVE[name]
    module = make()
    x = torch.rand(shape, requires_grad=True)
    fused = tilefuse.torch.fuse(copy.deepcopy(module))
    step(fused, [x])
    with torch.profiler.profile() as profile:
        step(fused, [x])
    assert not fallbacks(caplog)
    found = [e.key for e in profile.key_averages() if e.key.startswith("aten::")
             and any(word in e.key for word in ATEN_COMPUTE)]
    assert not found
    assert len(graphs) == 1 and len(graphs[0].plan.regions) == 1
    same_step(tilefuse.torch.fuse(copy.deepcopy(module)), module, x)


@pytest.mark.parametrize("name", ["normalised", "swish"])
def test_eval(name, caplog):
    make, shape = FIVE[name]
    module = make()
    module(torch.rand(shape))
    module.eval()
    same_step(compiled(copy.deepcopy(module)), module, torch.rand(shape, requires_grad=True))
    assert not fallbacks(caplog)


def test_no_grad():
    module = SmallCNN()
    fused = tilefuse.torch.fuse(module)
    x = torch.randn(2, 1, 12, 12)
    with torch.no_grad():
        y = fused.eval()(x)
    assert not y.requires_grad
    torch.testing.assert_close(y, module.eval()(x), rtol=1e-5, atol=1e-5)


def test_training_curve(caplog, graphs):
    """The loss curve of a small CNN is eager's."""
    def train(wrap):
        torch.manual_seed(1)
        module = SmallCNN()
        called = wrap(module)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        images, labels = torch.randn(16, 1, 12, 12), torch.randint(0, 4, (16,))
        losses = []
        for _ in range(8):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(called(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses, module.state_dict()
    eager, eager_state = train(lambda m: m)
    fused, fused_state = train(tilefuse.torch.fuse)
    assert eager[-1] < eager[0]
    torch.testing.assert_close(torch.tensor(fused), torch.tensor(eager), rtol=1e-3, atol=1e-3)
    assert fused_state.keys() == eager_state.keys()
    assert fused_state["features.1.num_batches_tracked"] == 8
    torch.testing.assert_close(fused_state["features.1.running_var"],
                               eager_state["features.1.running_var"], rtol=1e-3, atol=1e-3)
    assert not fallbacks(caplog)
    assert len(graphs) == 1


@pytest.mark.parametrize("layout", ["channels_last", "transposed", "sliced"])
def test_layouts(layout, graphs):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.AvgPool2d(2))
    x = torch.randn(2, 3, 8, 10)
    x = {"channels_last": lambda: x.contiguous(memory_format=torch.channels_last),
         "transposed": lambda: x.transpose(2, 3), "sliced": lambda: x[:, :, ::2, 1:]}[layout]()
    same_step(compiled(copy.deepcopy(module)), module, x.detach().requires_grad_())
    assert graphs[0].plan.regions


class Branches(nn.Module):
    """Two outputs, one value read twice, a weight used twice, a stop of gradients."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.frozen = nn.Linear(6, 6).requires_grad_(False)

    def forward(self, x, y):
        h = torch.relu_(self.linear(x))
        z = self.linear(torch.tanh(h)) + self.frozen(y)
        with torch.no_grad():
            centre = h.mean(0)
        return (h - centre) * z.sigmoid(), z.logsumexp(1), h.detach() * x


def test_branches(caplog, graphs):
    module = Branches()
    x = torch.randn(5, 6, requires_grad=True)
    same_step(compiled(copy.deepcopy(module)), module, x, torch.randn(5, 6))
    assert not fallbacks(caplog)
    assert graphs[0].plan.regions


def test_other_shapes():
    """A second shape compiles again, whatever Dynamo makes of it."""
    module = SmallCNN()
    fused = compiled(copy.deepcopy(module))
    for n in (2, 3, 4):
        module_now = copy.deepcopy(module)
        module_now.load_state_dict(fused._orig_mod.state_dict())
        same_step(fused, module_now, torch.randn(n, 1, 12, 12, requires_grad=True))


class Sorted(nn.Module):
    """A convolution, an op that stays in PyTorch, a linear layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.linear = nn.Linear(12, 4)

    def forward(self, x):
        y = torch.tanh(self.conv(x)).flatten(1)
        y, _ = torch.sort(y, dim=1)
        return self.linear(y)


def test_fallback_between_regions(caplog):
    module = Sorted()
    same_step(compiled(copy.deepcopy(module)), module, torch.randn(3, 2, 4, 4, requires_grad=True))
    assert fallbacks(caplog) == ["aten::sort stays in PyTorch: no fuse form"]


def test_input_changed_in_place():
    def function(x, y):
        x.mul_(2.0)
        y[:, 1] = x[:, 0]
        return x + y.relu()
    x, y = torch.randn(3, 4), torch.randn(3, 4)
    expected = (x.clone(), y.clone())
    result = function(*expected)
    given = (x.clone(), y.clone())
    torch.testing.assert_close(compiled(function)(*given), result)
    torch.testing.assert_close(given, expected)


def test_number_that_changes(caplog, graphs):
    """Dynamo passes it as a tensor, which the graph reads with `item`."""
    def function(x, scale):
        y = x.tanh() * scale + scale * 2
        return y.sum() * scale, y.half() / scale
    fused = compiled(function)
    for scale in (1.5, 0.7, -3.0, 0.1):
        x = torch.randn(3, 4, requires_grad=True)
        found, expected = fused(x, scale), function(x, scale)
        torch.testing.assert_close(found, expected)
        for a, b in zip(torch.autograd.grad(found[0], x), torch.autograd.grad(expected[0], x)):
            torch.testing.assert_close(a, b)
    assert not fallbacks(caplog)
    assert len(graphs) == 2


def test_inputs_that_share_memory(caplog):
    """A change of one shows in the other, as in PyTorch, whichever call comes first."""
    def function(x, y):
        x.add_(1.0)
        return y * 2
    fused, base = compiled(function), torch.randn(6, 4)
    for first, second in ((0, 3), (0, 1), (3, 0), (2, 1)):
        given, expected = base.clone(), base.clone()
        found = fused(given[first:first + 3], given[second:second + 3])
        torch.testing.assert_close(found, function(expected[first:first + 3],
                                                   expected[second:second + 3]))
        torch.testing.assert_close(given, expected)
    assert fallbacks(caplog)[-1] == ("calls stay in PyTorch where an input that the graph changes "
                                     "shares memory with another")


def test_view_of_input_stays_a_view():
    x = torch.randn(3, 4)
    y = compiled(lambda x: (x.view(-1), x * 2))(x)[0]
    y.zero_()
    assert x.abs().max() == 0


def test_integers_and_types():
    def function(x, i, mask):
        h = x.half().float() + i.float().unsqueeze(1)
        return torch.where(mask, h, h.double().neg().float()), i * 2 + 1, (x > 0) & mask
    arguments = torch.randn(3, 4), torch.arange(3), torch.rand(3, 4) > 0.5
    for found, expected in zip(compiled(function)(*arguments), function(*arguments)):
        torch.testing.assert_close(found, expected)


def test_fuse_keeps_the_outside():
    module = SmallCNN()
    fused = tilefuse.torch.fuse(module)
    assert type(fused) is SmallCNN
    assert fused.state_dict().keys() == module.state_dict().keys()
    assert all(a is b for a, b in zip(fused.parameters(), module.parameters()))


@pytest.mark.parametrize("module", [nn.Sequential(nn.Linear(3, 2), nn.Tanh()), nn.LayerNorm(3)])
def test_modules_of_pytorch_itself(module, graphs):
    same_step(tilefuse.torch.fuse(module), module, torch.randn(4, 3, requires_grad=True))
    assert graphs[0].plan.regions


def test_gradcheck():
    module = FIVE["pooled"][0]().double()
    fused = tilefuse.torch.fuse(module)
    x = torch.randn(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(fused, (x,), nondet_tol=0)


class Sevenfold(torch.autograd.Function):
    """A function whose derivative is not its own."""

    @staticmethod
    def forward(ctx, x):
        return x.exp()

    @staticmethod
    def backward(ctx, cotangent):
        return cotangent * 7


def test_derivatives_of_the_user_stay(caplog):
    x = torch.zeros(3, requires_grad=True)
    compiled(lambda x: Sevenfold.apply(x * 2).sum())(x).backward()
    assert torch.equal(x.grad, torch.full((3,), 14.0))
    assert fallbacks(caplog) == [
        "the whole graph stays in PyTorch: it changes autograd itself: autograd_function_apply"]
    found = tilefuse.torch.explain(lambda x: Sevenfold.apply(x * 2).sum(), x)
    assert found.fallbacks == (
        ("the whole graph", "it changes autograd itself: autograd_function_apply", 1),)


def test_parameter_changed_without_gradients(caplog):
    """The change has no derivative, though its pure form would have one."""
    def update(w, g):
        with torch.no_grad():
            w.mul_(0.5).sub_(g * 0.1)
        return (w * 2).sum()
    w = nn.Parameter(torch.ones(3))
    compiled(update)(w, torch.ones(3)).backward()
    torch.testing.assert_close(w.detach(), torch.full((3,), 0.4))
    assert torch.equal(w.grad, torch.full((3,), 2.0))
    assert "changed under no_grad" in fallbacks(caplog)[0]


def test_buffer_changed_without_gradients(caplog):
    """An average that no gradient reaches is compiled."""
    def update(x, average):
        y = x.exp()
        with torch.no_grad():
            average.mul_(0.9).add_(y.mean(0) * 0.1)
        return y * average
    x, average = torch.randn(4, 3, requires_grad=True), torch.ones(3)
    expected = average.clone()
    reference, = torch.autograd.grad(update(x, expected).sum(), x)
    found, = torch.autograd.grad(compiled(update)(x, average).sum(), x)
    torch.testing.assert_close(found, reference)
    torch.testing.assert_close(average, expected)
    assert not fallbacks(caplog)


def test_second_derivatives_are_an_error():
    x = torch.ones(3, requires_grad=True)
    first, = torch.autograd.grad(compiled(lambda x: x.tanh().sum())(x), x, create_graph=True)
    with pytest.raises(RuntimeError, match="second derivative"):
        first.sum().backward()

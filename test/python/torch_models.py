"""Small modules for the tests of tilefuse.torch, and how they are judged against eager."""

import copy

import torch
from torch import nn


class Pooled(nn.Module):
    """maxpool4x4(tanh(conv(x)) * 2 + bias)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.bias = nn.Parameter(torch.randn(8, 1, 1))
        self.pool = nn.MaxPool2d(4)

    def forward(self, x):
        return self.pool(torch.tanh(self.conv(x)) * 2.0 + self.bias)


class Activated(nn.Module):
    """gelu(leaky_relu(conv(x) * multiplier))."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.multiplier = nn.Parameter(torch.randn(8, 1, 1))
        self.leaky = nn.LeakyReLU()

    def forward(self, x):
        return nn.functional.gelu(self.leaky(self.conv(x) * self.multiplier))


class Normalised(nn.Module):
    """batch_norm(conv(x)) * 2."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        return self.norm(self.conv(x)) * 2.0


class Swish(nn.Module):
    """s = (batch_norm(linear(x)) + bias) / 1; s * sigmoid(s)."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(24, 16)
        self.norm = nn.BatchNorm1d(16)
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x):
        s = (self.norm(self.linear(x)) + self.bias) / 1.0
        return s * torch.sigmoid(s)


class Transposed(nn.Module):
    """sigmoid((softmax over channels(conv_transpose(x)) + bias) * 2)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.ConvTranspose2d(4, 8, 4, stride=2, padding=1, output_padding=1)
        self.bias = nn.Parameter(torch.randn(8, 1, 1))

    def forward(self, x):
        return torch.sigmoid((torch.softmax(self.conv(x), dim=1) + self.bias) * 2.0)


# Name -> (module, input shape).
FIVE = {"pooled": (Pooled, (2, 3, 11, 14)), "activated": (Activated, (2, 3, 8, 9)),
        "normalised": (Normalised, (3, 3, 8, 9)), "swish": (Swish, (12, 24)),
        "transposed": (Transposed, (2, 4, 5, 6))}


class SmallCNN(nn.Module):
    """Two convolutions with norms and pools, a classifier."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True),
            nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.GELU(), nn.AdaptiveAvgPool2d(2))
        self.classifier = nn.Linear(32, 4)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def step(module, inputs, cotangents=None, seed=0):
    """Results and gradients (inputs', then parameters'; None where there is none)."""
    leaves = [x.detach().clone(memory_format=torch.preserve_format).requires_grad_(
        x.requires_grad) for x in inputs]
    results = module(*leaves)
    results = results if isinstance(results, (tuple, list)) else [results]
    generator = torch.Generator().manual_seed(seed)
    roots = [r for r in results if r.requires_grad]
    if cotangents is None:
        cotangents = [torch.randn(r.shape, generator=generator, dtype=torch.float64).to(r.dtype)
                      for r in roots]
    for p in module.parameters():
        p.grad = None
    torch.autograd.backward(roots, cotangents)
    gradients = [x.grad for x in leaves] + [p.grad for p in module.parameters()]
    return [r.detach() for r in results], gradients


def error(found, reference):
    """L2 error relative to the reference, or to 1 where that is zero but for rounding."""
    size, count = reference.norm(), reference.numel() ** 0.5
    size = count if size < 1e-10 * count else size.clamp_min(1e-3 * count)
    return ((found.double() - reference).norm() / size).item()


def same_step(fused, module, *inputs):
    """Asserts that a step of `fused` is as accurate as one of `module`, judged in float64:
    results, gradients, and buffers afterwards."""
    exact, own = copy.deepcopy(module).double(), copy.deepcopy(module)
    wide = [x.double().detach().requires_grad_(x.requires_grad) for x in inputs]
    references = step(exact, wide)
    theirs, mine = step(own, inputs), step(fused, inputs)
    labels = ["result", "gradient"]
    for label, found, eager, reference in zip(labels, mine, theirs, references):
        assert len(found) == len(eager)
        for i, (f, e, r) in enumerate(zip(found, eager, reference)):
            judge(f"{label} {i}", f, e, r)
    buffers = zip(fused.named_buffers(), own.buffers(), exact.buffers())
    for (name, f), e, r in buffers:
        judge(name, f, e, r.double())


def judge(label, found, eager, reference):
    """The accuracy rule: at most 1.1 times eager's own error, or 1e-6."""
    assert (found is None) == (eager is None), label
    if found is None:
        return
    assert found.shape == eager.shape and found.dtype == eager.dtype, label
    allowed = 1.1 * max(error(eager, reference), 1e-6)
    assert error(found, reference) <= allowed, (
        f"{label}: {error(found, reference):.2e} > {allowed:.2e}")

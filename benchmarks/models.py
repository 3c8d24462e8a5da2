"""The graphs that are measured, as PyTorch modules: the five and the chains of cases.json.

`build(name, device)` makes one; `load(path)` takes a user's file that defines
`build(device) -> (module, inputs)`.
"""

import dataclasses
import importlib.util
import json
import pathlib

import torch
from torch import nn

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())["cases"]


class P82(nn.Module):
    """maxpool4x4(tanh(conv2d(x)) * 2 + bias)"""

    shape, small = (128, 8, 256, 256), (2, 8, 46, 75)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 64, 3)
        self.bias = nn.Parameter(torch.randn(64, 1, 1))
        self.pool = nn.MaxPool2d(4)

    def forward(self, x):
        return self.pool(torch.tanh(self.conv(x)) * 2.0 + self.bias)


class P54(nn.Module):
    """gelu(leaky_relu(conv2d(x) * multiplier))"""

    shape, small = (64, 64, 256, 256), (2, 64, 27, 75)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(64, 64, 3)
        self.multiplier = nn.Parameter(torch.randn(64, 1, 1))

    def forward(self, x):
        z = self.conv(x) * self.multiplier
        return nn.functional.gelu(nn.functional.leaky_relu(z, 0.01))


class P73(nn.Module):
    """batch_norm(conv2d(x)) * 2"""

    shape, small = (128, 8, 128, 128), (2, 8, 27, 75)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 64, 3)
        self.norm = nn.BatchNorm2d(64)

    def forward(self, x):
        return self.norm(self.conv(x)) * 2.0


class P97(nn.Module):
    """s * sigmoid(s) with s = (batch_norm(linear(x)) + bias) / 1"""

    shape, small = (1024, 8192), (140, 520)

    def __init__(self, features=8192):
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.norm = nn.BatchNorm1d(features)
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x):
        s = (self.norm(self.linear(x)) + self.bias) / 1.0
        return s * torch.sigmoid(s)


class P91(nn.Module):
    """sigmoid((softmax(conv_transpose2d(x), 1) + bias) * 2)"""

    shape, small = (128, 64, 64, 64), (2, 64, 10, 37)

    def __init__(self):
        super().__init__()
        self.conv = nn.ConvTranspose2d(64, 128, 4, stride=2, padding=1, output_padding=1)
        self.bias = nn.Parameter(torch.randn(128, 1, 1))

    def forward(self, x):
        return torch.sigmoid((torch.softmax(self.conv(x), dim=1) + self.bias) * 2.0)


FIVE = {cls.__name__.lower(): cls for cls in (P82, P54, P73, P97, P91)}


class Scale(nn.Module):
    """Times a constant."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return x * self.value


class Param(nn.Module):
    """x op p, with p learnable: one value (`scalar`) or one a channel."""

    def __init__(self, op, shape, features, rank):
        super().__init__()
        size = (1,) if shape == "scalar" else (features,) + (1,) * (rank - 2)
        self.param = nn.Parameter(torch.randn(size))
        self.op = op

    def forward(self, x):
        return self.op(x, self.param)


class Reduce(nn.Module):
    """A reduction over dim."""

    def __init__(self, function, dim):
        super().__init__()
        self.function = function
        self.dim = dim

    def forward(self, x):
        return self.function(x, self.dim)


def _layer(spec, shape):
    """The module of one entry of a chain, given the shape that reaches it."""
    spec = dict(spec)
    op = spec.pop("op")
    channels = shape[1]
    if op in ("Conv2d", "ConvTranspose2d"):
        return getattr(nn, op)(channels, **spec)
    if op == "Linear":
        return nn.Linear(shape[-1], **spec)
    if op in ("BatchNorm1d", "BatchNorm2d", "InstanceNorm2d"):
        return getattr(nn, op)(channels, **spec)
    if op == "GroupNorm":
        return nn.GroupNorm(num_channels=channels, **spec)
    if op == "LayerNorm":
        return nn.LayerNorm(shape[-spec["dims"]:])
    if op == "Scale":
        return Scale(spec["value"])
    if op in ("MulParam", "AddParam"):
        function = torch.mul if op == "MulParam" else torch.add
        return Param(function, spec["shape"], channels, len(shape))
    if op in ("Mean", "Max", "Sum", "LogSumExp"):
        functions = {"Mean": torch.mean, "Max": torch.amax, "Sum": torch.sum,
                     "LogSumExp": torch.logsumexp}
        return Reduce(functions[op], spec["dim"])
    return getattr(nn, op)(**spec)


def _chain(case):
    layers, shape = [], tuple(case["input"])
    for spec in case["layers"]:
        with torch.device("cpu"):
            layers.append(_layer(spec, shape))
        # Shapes follow from one image on the meta device.
        probe = torch.empty((2,) + shape[1:], device="meta")
        shape = shape[:1] + tuple(layers[-1].to("meta")(probe).shape[1:])
        with torch.device("cpu"):
            layers[-1] = _layer(spec, tuple(probe.shape))
    return nn.Sequential(*layers)


@dataclasses.dataclass
class Model:
    """A module in training mode and its inputs; the first input wants a gradient."""

    name: str
    module: nn.Module
    inputs: list


NAMES = list(FIVE) + [case["name"] for case in CASES]


def build(name, device, seed=0, small=False):
    """The named graph with PyTorch's initialisation, x uniform in [0, 1)."""
    torch.manual_seed(seed)
    if name in FIVE:
        cls = FIVE[name]
        shape = cls.small if small else cls.shape
        module = cls(shape[1]) if cls is P97 else cls()
    else:
        case = next((c for c in CASES if c["name"] == name), None)
        if case is None:
            raise ValueError(f"there is no graph {name}; known: {', '.join(NAMES)}")
        shape, module = tuple(case["input"]), _chain(case)
        if small:
            shape = (2,) + shape[1:]
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm) and norm.affine:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias)
    return Model(name, module.to(device).train(), [torch.rand(shape).to(device)])


def load(path, device):
    """The graph of a file that defines build(device) -> (module, inputs)."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    user = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(user)
    module, inputs = user.build(device)
    return Model(pathlib.Path(path).stem, module.train(), list(inputs))

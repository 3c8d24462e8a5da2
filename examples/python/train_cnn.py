#!/usr/bin/env python3
"""Trains a small CNN through tilefuse and through eager PyTorch, and compares the loss curves.

    python examples/python/train_cnn.py [--steps 60] [--device cpu|cuda] [--plot loss.svg]

Both start from the same weights and see the same synthetic batches: images of one of
ten blurred patterns plus noise. Exits with 1 when the curves differ by more than
rounding explains. The plot needs matplotlib.
"""

import argparse
import copy
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

if __name__ == "__main__":  # from a source tree; an installed package needs nothing
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python_bindings"))
import tilefuse.torch  # noqa: E402

CLASSES, SIZE, BATCH = 10, 16, 16


class SmallCnn(nn.Module):
    """Two blocks of convolution, batch-norm, ReLU and max-pool, then a linear layer."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16),
                                    nn.ReLU(), nn.MaxPool2d(2))
        self.block2 = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32),
                                    nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(32 * (SIZE // 4) ** 2, CLASSES)

    def forward(self, images):
        return self.head(self.block2(self.block1(images)).flatten(1))


def make_batches(count, device):
    """Batches of (images, labels): a pattern a class, scaled, plus noise."""
    generator = torch.Generator().manual_seed(7)
    patterns = torch.randn(CLASSES, 3, 4, 4, generator=generator)
    patterns = F.interpolate(patterns, size=SIZE, mode="bilinear")
    batches = []
    for _ in range(count):
        labels = torch.randint(CLASSES, (BATCH,), generator=generator)
        noise = torch.randn(BATCH, 3, SIZE, SIZE, generator=generator)
        batches.append(((patterns[labels] + 1.5 * noise).to(device), labels.to(device)))
    return batches


def train(module, forward, batches):
    """Losses of one pass over the batches, by SGD with momentum."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.02, momentum=0.9)
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def plot(curves, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for (name, losses), style in zip(curves.items(), ("-", "--")):
        axes.plot(losses, style, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("cross-entropy")
    axes.legend()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--plot", metavar="LOSS.svg")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    first = SmallCnn().to(arguments.device)
    batches = make_batches(arguments.steps, arguments.device)
    curves = {}
    for name in ("eager", "tilefuse"):
        module = copy.deepcopy(first)
        forward = torch.compile(module, backend=tilefuse.torch.backend) if name == "tilefuse" else module
        start = time.perf_counter()
        curves[name] = train(module, forward, batches)
        print(f"{name}: {time.perf_counter() - start:.1f} s, "
              f"loss {curves[name][0]:.4f} -> {curves[name][-1]:.4f}")
    if arguments.plot:
        plot(curves, arguments.plot)
    # TF32 and the order of sums move a loss by this much; a wrong gradient by far more.
    allowed = 2e-2 if arguments.device.startswith("cuda") else 1e-3
    worst = max(abs(a - b) for a, b in zip(*curves.values()))
    print(f"largest difference of the losses: {worst:.2e} (allowed {allowed:.0e})")
    return 0 if worst <= allowed and curves["tilefuse"][-1] < curves["tilefuse"][0] else 1


if __name__ == "__main__":
    sys.exit(main())

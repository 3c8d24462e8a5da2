#!/usr/bin/env python3
"""Trains a small CNN twice, by eager PyTorch and through tilefuse, and plots both losses.

    python3 examples/python/train_cnn.py [--steps 120] [--device cpu] [--plot loss.svg]

The task is to tell the direction of noisy stripes. Both runs start from the same weights and
see the same batches. Exits with 1 when the curves differ by more than the noise between runs
of different seeds, or when either does not learn.
"""

import argparse
import pathlib
import sys
import time

import torch
from torch import nn

try:
    import tilefuse.torch
except ImportError:  # not installed: the source tree's
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "python_bindings"))
    import tilefuse.torch

CLASSES, SIZE, BATCH = 4, 16, 32


def make_model():
    """Convolutions, batch norm, pools and a classifier."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.GELU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16 * (SIZE // 4) ** 2, CLASSES))


def make_batch(generator):
    """Stripes of random width and phase, in one of four directions, under noise."""
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    angle = (labels * torch.pi / CLASSES).reshape(-1, 1, 1)
    width = 0.6 + 0.6 * torch.rand(BATCH, 1, 1, generator=generator)
    phase = 2 * torch.pi * torch.rand(BATCH, 1, 1, generator=generator)
    row = torch.arange(SIZE).reshape(1, -1, 1)
    column = torch.arange(SIZE).reshape(1, 1, -1)
    waves = torch.sin(width * (angle.cos() * column + angle.sin() * row) + phase)
    noise = torch.randn(BATCH, SIZE, SIZE, generator=generator)
    return (waves + 1.5 * noise).unsqueeze(1), labels


def train(wrap, steps, device, seed=0):
    """The loss of every step, and seconds a step without the first, which compiles."""
    torch.manual_seed(seed)
    model = make_model().to(device)
    called = wrap(model)
    loss_of = wrap(nn.CrossEntropyLoss())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    generator = torch.Generator().manual_seed(seed + 1)
    losses, start = [], None
    for _ in range(steps):
        images, labels = (t.to(device) for t in make_batch(generator))
        optimizer.zero_grad()
        loss = loss_of(called(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        start = start or time.perf_counter()
    return losses, (time.perf_counter() - start) / max(1, steps - 1)


def smooth(values, over=10):
    """Means over the last few values."""
    return [sum(values[max(0, i - over + 1):i + 1]) / min(i + 1, over) for i in range(len(values))]


def plot(path, curves):
    """An SVG of the curves, {name: (colour, values)}, thin ones first."""
    width, height, left, top = 640, 320, 50, 20
    highest = max(max(values) for _, values in curves.values())

    def place(i, value, count):
        return (f"{left + i * (width - left - 20) / (count - 1):.1f},"
                f"{top + (1 - value / highest) * (height - top - 40):.1f}")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             f'<path d="M{left},{top} V{height - 40} H{width - 20}" stroke="#666" fill="none"/>',
             f'<text x="{left - 8}" y="{top + 8}" text-anchor="end">{highest:.1f}</text>',
             f'<text x="{left - 8}" y="{height - 38}" text-anchor="end">0</text>',
             f'<text x="{width / 2}" y="{height - 18}" text-anchor="middle">step</text>']
    for row, (name, (colour, values)) in enumerate(curves.items()):
        points = " ".join(place(i, v, len(values)) for i, v in enumerate(values))
        dash = ' stroke-dasharray="5 4"' if row else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     f'stroke-width="2"{dash}/>')
        parts.append(f'<text x="{width - 200}" y="{40 + 20 * row}" fill="{colour}">{name}</text>')
    pathlib.Path(path).write_text("\n".join([*parts, "</svg>", ""]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--plot", help="an SVG file of the loss curves")
    options = parser.parse_args()
    eager, eager_time = train(lambda m: m, options.steps, options.device)
    fused, fused_time = train(tilefuse.torch.fuse, options.steps, options.device)
    other, _ = train(lambda m: m, options.steps, options.device, seed=10)

    difference = max(abs(a - b) for a, b in zip(smooth(eager), smooth(fused)))
    noise = max(abs(a - b) for a, b in zip(smooth(eager), smooth(other)))
    print("step    eager  tilefuse")
    for i in range(0, options.steps, max(1, options.steps // 8)):
        print(f"{i:4}  {eager[i]:7.4f}  {fused[i]:7.4f}")
    print(f"largest difference of the smoothed losses {difference:.1e}; between seeds {noise:.1e}")
    print(f"a step takes {eager_time * 1e3:.2f} ms by eager PyTorch, {fused_time * 1e3:.2f} ms by "
          "tilefuse")
    if options.plot:
        plot(options.plot, {"eager PyTorch": ("#d95f02", smooth(eager)),
                            "tilefuse": ("#1b6ca8", smooth(fused))})
    learns = smooth(fused)[-1] < 0.5 * fused[0]
    sys.exit(0 if learns and difference < noise else 1)


if __name__ == "__main__":
    main()

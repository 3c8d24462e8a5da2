"""What precision PyTorch's switches ask of float32 products."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch


@dataclasses.dataclass(frozen=True)
class Precision:
    """Multiplicands of float32 convolutions and matrix products: "f32" or "tf32"."""

    conv: str = "f32"
    matmul: str = "f32"

    def attribute(self, dtype: torch.dtype, kind: str) -> list[str]:
        """The op's `precision` as a list of words; other types multiply in their own."""
        return [f"precision {getattr(self, kind)}"] if dtype == torch.float32 else []


def _allows_tf32(new: Callable[[], Any], old: Callable[[], Any]) -> bool:
    # From PyTorch 2.9 the switches are strings, and reading the old ones is an error once
    # the new ones were set.
    try:
        value = new()
        if value in ("tf32", "ieee"):
            return bool(value == "tf32")
    except AttributeError:
        pass
    try:
        return bool(old())
    except RuntimeError:
        return False


def current(device: torch.device) -> Precision:
    """As PyTorch's switches say now, for a device."""
    if device.type != "cuda":
        return Precision()
    cudnn: Any = torch.backends.cudnn
    cublas: Any = torch.backends.cuda.matmul
    conv = _allows_tf32(lambda: cudnn.conv.fp32_precision, lambda: cudnn.allow_tf32)
    matmul = _allows_tf32(lambda: cublas.fp32_precision, lambda: cublas.allow_tf32)
    return Precision("tf32" if conv else "f32", "tf32" if matmul else "f32")

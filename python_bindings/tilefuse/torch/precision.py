"""What precision PyTorch's switches ask of float32 products."""

import dataclasses

import torch


@dataclasses.dataclass(frozen=True)
class Precision:
    """Multiplicands of float32 convolutions and matrix products: "f32" or "tf32"."""

    conv: str = "f32"
    matmul: str = "f32"

    def attribute(self, dtype, kind):
        """The op's `precision` as a list of words; other types multiply in their own."""
        return [f"precision {getattr(self, kind)}"] if dtype == torch.float32 else []


def _allows_tf32(new, old):
    # From PyTorch 2.9 the switches are strings, and reading the old ones is an error once
    # the new ones were set.
    try:
        value = new()
        if value in ("tf32", "ieee"):
            return value == "tf32"
    except AttributeError:
        pass
    try:
        return bool(old())
    except RuntimeError:
        return False


def current(device):
    """As PyTorch's switches say now, for a device."""
    if device.type != "cuda":
        return Precision()
    cudnn, cublas = torch.backends.cudnn, torch.backends.cuda.matmul
    conv = _allows_tf32(lambda: cudnn.conv.fp32_precision, lambda: cudnn.allow_tf32)
    matmul = _allows_tf32(lambda: cublas.fp32_precision, lambda: cublas.allow_tf32)
    return Precision("tf32" if conv else "f32", "tf32" if matmul else "f32")

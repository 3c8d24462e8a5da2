"""Operands of contractions that are made where they are read: gradients of pools
without overlap, and contractions. On a target with slow memory the model always makes
them there, so that small shapes run those tile programs on the CPU."""

import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))
TARGET = ('#fuse.target<arch = "sm_90a", units = 132, shared_memory = 232448, '
          "registers = 65536, dram = 4, fp32 = 51000, tensor = 410000>")

POOL = """func.func @f(%dy: tensor<{dy}xf32>, %at: tensor<{dy}xi8>, %x: tensor<{x}xf32>, %w: tensor<{w}xf32>) -> (tensor<{x}xf32>, tensor<{w}xf32>) {{
  %dz = fuse.window_{kind}_grad {operands} input_size [{h}, {v}] {window} : {types} -> tensor<{dz}xf32>
  %half = fuse.constant dense<0.5> : tensor<f32>
  %s = fuse.mul %dz, %half : (tensor<{dz}xf32>, tensor<f32>) -> tensor<{dz}xf32>
  %dx = fuse.conv_transpose2d %s, %w{padding} : (tensor<{dz}xf32>, tensor<{w}xf32>) -> tensor<{x}xf32>
  %dw = fuse.conv2d_weight_grad %x, %s kernel [3, 3]{padding} : (tensor<{x}xf32>, tensor<{dz}xf32>) -> tensor<{w}xf32>
  return %dx, %dw : tensor<{x}xf32>, tensor<{w}xf32>
}}"""

CONV = """func.func @f(%x: tensor<8x8x{h}x{v}xf32>, %w: tensor<32x8x3x3xf32>, %dy: tensor<{dz}xf32>) -> (tensor<8x8x{h}x{v}xf32>, tensor<32x8x3x3xf32>) {{
  %z = fuse.conv2d %x, %w{padding} : (tensor<8x8x{h}x{v}xf32>, tensor<32x8x3x3xf32>) -> tensor<{dz}xf32>
  %p = fuse.mul %z, %dy : tensor<{dz}xf32>
  %g = fuse.reduce sum %p dims [0, 2, 3] : tensor<{dz}xf32> -> tensor<32xf32>
  %n = fuse.constant dense<1.0e-4> : tensor<f32>
  %m = fuse.mul %g, %n : (tensor<32xf32>, tensor<f32>) -> tensor<32xf32>
  %s = fuse.reshape %m : tensor<32xf32> -> tensor<32x1x1xf32>
  %c = fuse.mul %z, %s : (tensor<{dz}xf32>, tensor<32x1x1xf32>) -> tensor<{dz}xf32>
  %e = fuse.add %c, %n : (tensor<{dz}xf32>, tensor<f32>) -> tensor<{dz}xf32>
  %dz = fuse.add %dy, %e : tensor<{dz}xf32>
  %dx = fuse.conv_transpose2d %dz, %w{padding} : (tensor<{dz}xf32>, tensor<32x8x3x3xf32>) -> tensor<8x8x{h}x{v}xf32>
  %dw = fuse.conv2d_weight_grad %x, %dz kernel [3, 3]{padding} : (tensor<8x8x{h}x{v}xf32>, tensor<{dz}xf32>) -> tensor<32x8x3x3xf32>
  return %dx, %dw : tensor<8x8x{h}x{v}xf32>, tensor<32x8x3x3xf32>
}}"""


def shape(*extents):
    return "x".join(map(str, extents))


def pool(kind, size, stride, pooled, image, padding=0):
    """The gradients around a convolution whose output of `image` was pooled."""
    h, v = image
    dy, dz = shape(2, 16, *pooled), shape(2, 16, h, v)
    both = kind == "max"
    return POOL.format(
        kind=kind, dy=dy, dz=dz, h=h, v=v, w=shape(16, 8, 3, 3),
        x=shape(2, 8, h + 2 - 2 * padding, v + 2 - 2 * padding),
        operands="%dy, %at" if both else "%dy",
        types=f"(tensor<{dy}xf32>, tensor<{dy}xi8>)" if both else f"tensor<{dy}xf32>",
        window=f"window [{size[0]}, {size[1]}] stride [{stride[0]}, {stride[1]}]",
        padding=f" padding [{padding}, {padding}]" if padding else "")


def conv(h, v, padding=0):
    dz = shape(8, 32, h - 2 + 2 * padding, v - 2 + 2 * padding)
    return CONV.format(h=h, v=v, dz=dz,
                       padding=f" padding [{padding}, {padding}]" if padding else "")


CASES = {
    "max-4": (pool("max", (4, 4), (4, 4), (9, 17), (38, 70)), 2),
    "max-2-padded": (pool("max", (2, 2), (2, 2), (16, 33), (32, 66), 1), 2),
    "max-gaps": (pool("max", (1, 3), (2, 4), (15, 8), (29, 33)), 2),
    "sum-rows": (pool("sum", (4, 1), (4, 1), (8, 40), (33, 40), 1), 2),
    "max-odd": (pool("max", (3, 3), (3, 3), (11, 12), (33, 36)), None),
    "conv": (conv(40, 70), 3),
    "conv-padded": (conv(37, 66, 1), 3),
}


def run(tool, *arguments):
    return subprocess.run([os.path.join(BUILD, "bin", tool), *map(str, arguments)],
                          capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("case", CASES)
def test_made_operands(case, tmp_path):
    text, kernels = CASES[case]
    source = tmp_path / "f.mlir"
    source.write_text(f"module attributes {{fuse.target = {TARGET}}} {{\n{text}\n}}\n")
    plan = run("fuse-compile", source, "--emit=kernels", "-o", "-")
    assert plan.returncode == 0, plan.stderr
    if kernels:
        assert plan.stdout.count("= fuse.kernel") == kernels, plan.stdout
    for schedule in ([], ["--schedule-target=sm_90a"]):
        result = run("fuse-run", source, "--check", *schedule)
        assert result.returncode == 0, result.stdout + result.stderr

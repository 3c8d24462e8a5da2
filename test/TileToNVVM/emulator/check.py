"""check.py CASE FILE.ptx: runs a kernel's PTX in the emulator on random inputs and
compares with NumPy in float64. Exits 1 with a sentence when it is wrong."""

import sys
import time

import numpy as np

from ptx_emulator import PtxError, launch

SHARED = 227 << 10
seed = int(time.time())
rng = np.random.default_rng(seed)


def round_tf32(a):
    """f32 rounded to TF32: nearest, ties to even."""
    bits = a.view(np.uint32)
    odd = (bits >> np.uint32(13)) & np.uint32(1)
    return ((bits + np.uint32(0xFFF) + odd) & np.uint32(0xFFFFE000)).view(np.float32)


def wide(a):
    return a.astype(np.float64)


def check(name, out, ref, bound):
    error = np.linalg.norm(wide(out) - ref) / np.linalg.norm(ref)
    if not error <= bound:
        sys.exit(f"{name}: relative error {error:.3g}, expected at most {bound:.3g} "
                 f"(seed {seed})")


def convolution(text):
    x = rng.random((2, 8, 38, 70), np.float32)
    w = rng.random((64, 8, 3, 3), np.float32) - np.float32(0.5)
    b = rng.random((64, 1, 1), np.float32)
    y = np.full((2, 64, 9, 17), np.nan, np.float32)
    launch(text, [x, w, b, y], 30, SHARED)
    conv = np.zeros((2, 64, 36, 68))
    for r in range(3):
        for s in range(3):
            patch = wide(round_tf32(x))[:, :, r:r + 36, s:s + 68]
            conv += np.einsum("oc,nchw->nohw", wide(round_tf32(w))[:, :, r, s], patch)
    conv += b
    check("y", y, conv.reshape(2, 64, 9, 4, 17, 4).max((3, 5)), 2e-6)


def joined_classes(text):
    x = rng.random((2, 16, 9, 20), np.float32)
    w = rng.random((16, 32, 4, 4), np.float32) - np.float32(0.5)
    y = np.full((2, 32, 19, 41), np.nan, np.float32)
    launch(text, [x, w, y], 2 * 3 * 2 * 2, SHARED)
    conv = np.zeros((2, 32, 21, 43))
    for r in range(4):
        for s in range(4):
            conv[:, :, r:r + 17:2, s:s + 39:2] += np.einsum(
                "co,nchw->nohw", wide(round_tf32(w))[:, :, r, s], wide(round_tf32(x)))
    conv = conv[:, :, 1:20, 1:42]
    check("y", y, conv - conv.max(1, keepdims=True), 2e-6)


def transposed_convolution(text):
    x = rng.random((6, 16, 9, 10), np.float32)
    w = rng.random((16, 32, 3, 3), np.float32) - np.float32(0.5)
    y = np.full((6, 32, 18, 20), np.nan, np.float32)
    launch(text, [x, w, y], 4 * 2 * 2 * 2, SHARED)
    conv = np.zeros((6, 32, 20, 22))
    for r in range(3):
        for s in range(3):
            conv[:, :, r:r + 17:2, s:s + 19:2] += np.einsum(
                "co,nchw->nohw", wide(round_tf32(w))[:, :, r, s], wide(round_tf32(x)))
    conv = conv[:, :, 1:19, 1:21]
    power = np.exp(conv - conv.max(1, keepdims=True))
    check("y", y, power / power.sum(1, keepdims=True), 2e-6)


def matmul(text, dtype, exact, bound, grid=8):
    a = (rng.random((256, 128)) - 0.25).astype(np.float32)
    b = (rng.random((128, 256)) - 0.25).astype(np.float32)
    if dtype == "bf16":
        stored = [((v.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)
                  for v in (a, b)]
        a, b = [(v.astype(np.uint32) << 16).view(np.float32) for v in stored]
    else:
        stored = [a, b] = [a.astype(dtype), b.astype(dtype)]
    c = np.full((256, 256), np.nan, "f8" if dtype == "f8" else "f4")
    launch(text, stored + [c], grid, SHARED)
    check("c", c, exact(a) @ exact(b), bound)


def matmul_f32(text):
    matmul(text, "f4", wide, 1e-6)
    # Infinities and NaN end up where they do in NumPy.
    a = (rng.random((256, 128)) - 0.25).astype(np.float32)
    b = (rng.random((128, 256)) - 0.25).astype(np.float32)
    a[3, 7], a[70, 100], b[50, 9], a[200, 0] = np.inf, -np.inf, np.inf, np.nan
    a[5, 50] = 0  # 0 * inf
    a[3, 8] = np.float32(2) ** 100
    c = np.full((256, 256), np.nan, np.float32)
    launch(text, [a, b, c], 8, SHARED)
    with np.errstate(invalid="ignore"):
        ref = wide(a) @ wide(b)
    for what, test in (("NaN", np.isnan), ("infinity", np.isposinf),
                       ("-infinity", np.isneginf)):
        if not np.array_equal(test(c), test(ref)):
            sys.exit(f"{what} in other places (seed {seed})")
    finite = np.isfinite(ref)
    check("finite part", c[finite], ref[finite], 1e-6)


def softmax(text):
    x = rng.standard_normal((100, 1000)).astype(np.float32) * 5
    y = np.full_like(x, np.nan)
    launch(text, [x, y], 25, SHARED)
    e = np.exp(wide(x) - wide(x).max(1, keepdims=True))
    check("y", y, e / e.sum(1, keepdims=True), 1e-6)


def diagnostics(text):
    """Every element is printed once, with its position; a false assertion stops."""
    x = np.array([0, -7, 2], np.int32)
    y = np.zeros(3, np.int32)
    printed = launch(text, [x, y], 2, SHARED)
    expected = [f"({block}, 0, 0) v = [{i}] {v}\n" for block in range(2)
                for i, v in enumerate(x)]
    expected += [f"({block}, 0, 0) 100%:  2.5\n" for block in range(2)]
    if sorted(printed) != sorted(expected) or (x != y).any():
        sys.exit(f"printed {printed}, expected {expected}")
    try:
        launch(text, [np.array([0, 5, 2], np.int32), y], 2, SHARED)
    except PtxError as error:
        if "all below 3" not in str(error) or "diagnostics.mlir:" not in str(error):
            sys.exit(f"unexpected: {error}")
    else:
        sys.exit("a false assertion went unnoticed")


def moments(text):
    x = (rng.standard_normal((1000, 96)) + 100).astype(np.float32)
    out = [np.full(96, np.nan, np.float32) for _ in range(3)]
    launch(text, [x] + out, 3, SHARED)
    check("count", out[0], np.full(96, 1000.0), 0)
    check("mean", out[1], wide(x).mean(0), 1e-6)
    check("deviations", out[2], wide(x).var(0) * 1000, 2e-6)


def row_sums(text):
    x = rng.standard_normal((64, 1000)).astype(np.float32)
    y = np.full((64, 1), np.nan, np.float32)
    launch(text, [x, y], 1, SHARED)
    check("sums", y, wide(x).sum(1, keepdims=True), 1e-6)


def store_rows(text):
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((64, 8), (8, 128)))
    y, z = (np.full((64, n), np.nan, np.float32) for n in (126, 128))
    launch(text, [a, b, y, z], 1, SHARED)
    product = wide(round_tf32(a)) @ wide(round_tf32(b))
    check("squares", y, product[:, :126] ** 2, 3e-6)
    check("sums", z, product + 1, 3e-6)


def pooled_lanes(text):
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((16, 8), (8, 32)))
    y = np.full((16, 8), np.nan, np.float32)
    launch(text, [a, b, y], 1, SHARED)
    product = wide(round_tf32(a)) @ wide(round_tf32(b))
    check("maxima", y, product.reshape(16, 8, 4).max(2), 3e-6)


def histogram(text):
    x = rng.integers(-2, 12, 1000).astype(np.int32)
    y = np.zeros(10, np.int32)
    launch(text, [x, y], 4, SHARED)
    check("bins", y, np.array([float((x == i).sum()) for i in range(10)]), 0)


def scan(text):
    x = rng.standard_normal((30, 64)).astype(np.float32)
    y, z = np.full_like(x, np.nan), np.full_like(x, np.nan)
    launch(text, [x, y, z], 2, SHARED)
    check("from the left", y, wide(x).cumsum(1), 1e-6)
    check("from the right", z, wide(x)[:, ::-1].cumsum(1)[:, ::-1], 1e-6)


def masks(text):
    x = rng.standard_normal((15, 33)).astype(np.float32)
    m = rng.random((15, 33)) < 0.5
    y = np.full((33, 30), 7, np.float16)
    launch(text, [x, m, y], 1, SHARED)
    expected = np.full((33, 30), 7.0)
    expected[:, ::2] = np.where(m, x.astype(np.float16), 7).T
    check("y", y, expected, 0)


def weight_gradient(text):
    x = rng.random((2, 16, 12, 46), np.float32)
    dz = rng.random((2, 16, 10, 44), np.float32) - np.float32(0.5)
    x[..., 45] = np.inf
    dw = np.full((16, 16, 3, 3), np.nan, np.float32)
    launch(text, [x, dz, dw], 1, SHARED)
    finite = np.where(np.isinf(x), np.float32(0), x)
    expected = np.zeros((16, 16, 3, 3))
    for r in range(3):
        for s in range(3):
            expected[:, :, r, s] = np.einsum(
                "nohw,nchw->oc", wide(round_tf32(dz)),
                wide(round_tf32(finite))[:, :, r:r + 10, s:s + 44])
    if np.isfinite(dw[..., 2]).any():
        sys.exit("the last tap should meet the infinite column")
    check("dw", dw[..., :2], expected[..., :2], 1e-5)


def skewed_weight_gradient(text, height=10, width=44, stride=1):
    rows, columns = (height - 1) // stride + 1, (width - 1) // stride + 1
    x = rng.random((2, 16, height, width), np.float32) - np.float32(0.5)
    dz = rng.random((2, 64, rows, columns), np.float32) - np.float32(0.5)
    dw = np.full((64, 16, 3, 3), np.nan, np.float32)
    launch(text, [x, dz, dw], 1, SHARED)
    padded = np.pad(wide(round_tf32(x)), ((0, 0), (0, 0), (1, 1), (1, 1)))
    expected = np.zeros((64, 16, 3, 3))
    for r in range(3):
        for s in range(3):
            expected[:, :, r, s] = np.einsum(
                "nohw,nchw->oc", wide(round_tf32(dz)),
                padded[:, :, r:r + height:stride, s:s + width:stride])
    check("dw", dw, expected, 1e-5)


def wide_products(text):
    a = rng.integers(-2**31, 2**31, (2, 64)).astype(np.int32)
    b = rng.integers(-2**63, 2**63 - 1, (2, 64)).astype(np.int64)
    a[:, :4] = [[-2**31, -2**31, -1, 0], [-2**31, 2**31 - 1, -1, -1]]
    b[:, :4] = [[-2**63, -2**63, -1, 0], [-2**63, 2**63 - 1, -1, -1]]
    c, d = np.zeros((2, 64), np.int32), np.zeros((2, 64), np.int64)
    launch(text, [a, b, c, d], 1, SHARED)

    def unsigned(value, width):
        return value % (1 << width)

    for found, given, width in ((c, a, 32), (d, b, 64)):
        for i in range(64):
            x, y = int(given[0, i]), int(given[1, i])
            low, high = unsigned(x, width), unsigned(y, width)
            carry = (low + high) >> 64
            if (unsigned(int(found[0, i]), width) != (low * high) >> width or
                    unsigned(int(found[1, i]), width) != unsigned(
                        ((x * y) >> width) + carry, width)):
                sys.exit(f"i{width}: wrong high half of {x} * {y} (seed {seed})")


CASES = {
    "convolution": convolution,
    "joined-classes": joined_classes,
    "transposed-convolution": transposed_convolution,
    "weight-gradient": weight_gradient,
    "weight-gradient-skewed": skewed_weight_gradient,
    "weight-gradient-strided": lambda t: skewed_weight_gradient(t, 11, 75, 2),
    "matmul-tf32": lambda t: matmul(t, "f4", lambda v: wide(round_tf32(v)), 3e-6),
    "matmul-f32": matmul_f32,
    "matmul-f16": lambda t: matmul(t, "f2", wide, 3e-6),
    "matmul-bf16": lambda t: matmul(t, "bf16", wide, 3e-6),
    "matmul-f64": lambda t: matmul(t, "f8", wide, 1e-14, grid=32),
    "softmax-rows": softmax,
    "diagnostics": diagnostics,
    "column-moments": moments,
    "row-sums": row_sums,
    "store-rows": store_rows,
    "pooled-lanes": pooled_lanes,
    "histogram": histogram,
    "scan": scan,
    "masks": masks,
    "wide-products": wide_products,
}

if __name__ == "__main__":
    CASES[sys.argv[1]](open(sys.argv[2]).read())

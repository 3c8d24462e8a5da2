"""Kernels written by hand as tile programs, on the CPU, against PyTorch."""

import os
import pathlib
import subprocess

import numpy
import pytest
import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def find_fuse_run():
    """fuse-run of TILEFUSE_BUILD, or the newest one built."""
    if "TILEFUSE_BUILD" in os.environ:
        return pathlib.Path(os.environ["TILEFUSE_BUILD"]) / "bin" / "fuse-run"
    built = sorted(ROOT.glob("build/*/bin/fuse-run"), key=lambda p: p.stat().st_mtime)
    assert built, "build fuse-run first"
    return built[-1]


def run(source, folder, *inputs):
    """The outputs of a tile program; `source` is a file beside this one, or text."""
    path = folder / "kernel.mlir"
    path.write_text((HERE / source).read_text() if source.endswith(".mlir") else source)
    command = [str(find_fuse_run()), str(path), "--device=cpu", f"--output-dir={folder}"]
    for i, value in enumerate(inputs):
        numpy.save(folder / f"in{i}.npy", numpy.asarray(value, order="C"))
        command.append(f"--input={folder / f'in{i}.npy'}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    count = len(list(folder.glob("out*.npy")))
    return [torch.from_numpy(numpy.load(folder / f"out{i}.npy")) for i in range(count)]


@pytest.fixture(name="random")
def make_random():
    seed = int.from_bytes(os.urandom(4), "little")
    print("seed", seed)
    return numpy.random.default_rng(seed)


def normal(random, *shape):
    return random.standard_normal(shape).astype(numpy.float32)


def assert_close(found, expected):
    """Relative error in L2 against float64 of at most 1e-6."""
    expected = expected.double()
    error = (found.double() - expected).norm() / expected.norm()
    assert error <= 1e-6, f"relative error {error:.3g}"


def wide(array):
    return torch.from_numpy(array).double()


def test_vector_add(tmp_path, random):
    x, y = normal(random, 1000), normal(random, 1000)
    (z,) = run("vector-add.mlir", tmp_path, x, y)
    assert torch.equal(z, torch.from_numpy(x + y))


def test_softmax(tmp_path, random):
    x = 10 * normal(random, 37, 200)
    (y,) = run("softmax.mlir", tmp_path, x)
    assert_close(y, torch.softmax(wide(x), 1))


def test_matmul(tmp_path, random):
    a, b = normal(random, 100, 150), normal(random, 150, 130)
    (c,) = run("matmul.mlir", tmp_path, a, b)
    assert_close(c, wide(a) @ wide(b))


def test_layer_norm(tmp_path, random):
    x, w, b = 3 + normal(random, 33, 300), normal(random, 1, 300), normal(random, 1, 300)
    (y,) = run("layer-norm.mlir", tmp_path, x, w, b)
    assert_close(y, torch.nn.functional.layer_norm(wide(x), (300,), wide(w[0]), wide(b[0])))


def philox(counter, seed):
    """The first word of Philox4x32-10."""
    word = [counter, 0, 0, 0]
    key = [seed, 0]
    for _ in range(10):
        first, second = word[0] * 0xD2511F53, word[2] * 0xCD9E8D57
        word = [(second >> 32) ^ word[1] ^ key[0], second & 0xFFFFFFFF,
                (first >> 32) ^ word[3] ^ key[1], first & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return word[0]


def test_philox_reference():
    """The published answer for counter 0 and key 0."""
    assert philox(0, 0) == 0x6627E8D5


def test_dropout(tmp_path, random):
    x, seed = normal(random, 1000), 12345
    (y,) = run("dropout.mlir", tmp_path, x, numpy.array(seed, dtype=numpy.int32))
    keep = numpy.array([philox(i, seed) >= 0x40000000 for i in range(1000)])
    expected = numpy.where(keep, x * numpy.float32(1.33333333), numpy.float32(0))
    assert torch.equal(y, torch.from_numpy(expected))


def test_flash_attention(tmp_path, random):
    q, k, v = (normal(random, 2, 100, 64) for _ in range(3))
    (o,) = run("flash-attention.mlir", tmp_path, q, k, v)
    expected = torch.nn.functional.scaled_dot_product_attention(wide(q), wide(k), wide(v))
    assert_close(o, expected)


def test_convolution(tmp_path, random):
    x, w = normal(random, 2, 4, 21, 45), normal(random, 16, 4, 3, 3)
    (y,) = run("convolution.mlir", tmp_path, x, w)
    assert_close(y, torch.nn.functional.conv2d(wide(x), wide(w), stride=2, padding=1))


def test_scan(tmp_path, random):
    x = random.integers(-50, 50, (10, 70), dtype=numpy.int32)
    forward, backward, largest, position = run("scan.mlir", tmp_path, x)
    t = torch.from_numpy(x)
    assert torch.equal(forward, t.cumsum(1).int())
    assert torch.equal(backward, t.flip(1).cumsum(1).flip(1).int())
    assert torch.equal(largest, t.cummax(1).values)
    assert torch.equal(t.gather(1, position.long()), largest)


def test_histogram(tmp_path, random):
    x = random.integers(-3, 13, 5000, dtype=numpy.int32)
    (h,) = run("histogram.mlir", tmp_path, x)
    expected = [(x == i).sum() for i in range(10)]
    assert h.tolist() == expected


def test_changed_text_changes_the_output(tmp_path, random):
    """The program that runs is the one in the text."""
    x, y = normal(random, 1000), normal(random, 1000)
    text = (HERE / "vector-add.mlir").read_text().replace("arith.addf", "arith.subf")
    (z,) = run(text, tmp_path, x, y)
    assert torch.equal(z, torch.from_numpy(x - y))


@pytest.mark.parametrize("path", sorted(HERE.glob("*.mlir")), ids=lambda path: path.stem)
def test_every_kernel_becomes_ptx(path):
    done = subprocess.run([str(find_fuse_run().with_name("fuse-compile")), str(path), "--emit=ptx"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert ".entry" in done.stdout and "__nv_" not in done.stdout


def test_high_halves_of_products(tmp_path, random):
    """The CPU's; test/TileToNVVM/wide-products.mlir runs its PTX."""
    a = random.integers(-2**31, 2**31, (2, 64)).astype(numpy.int32)
    b = random.integers(-2**63, 2**63 - 1, (2, 64)).astype(numpy.int64)
    text = (HERE.parent / "TileToNVVM" / "wide-products.mlir").read_text()
    for array, found in zip((a, b), run(text, tmp_path, a, b)):
        bits = 8 * array.itemsize
        for x, y, high, signed in zip(*array.tolist(), *found.tolist()):
            low = [v % 2**bits for v in (x, y)]
            carry = sum(low) >> 64
            assert high % 2**bits == low[0] * low[1] >> bits
            assert signed % 2**bits == ((x * y >> bits) + carry) % 2**bits

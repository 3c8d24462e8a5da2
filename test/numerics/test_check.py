"""A wrong program must be noticed."""

import subprocess

import pytest

import fuserun

SMALL = fuserun.ROOT / "examples" / "mlir" / "small"

SHIFTED = """%moved = fuse.slice %a offsets [0, 0, 1, 1] sizes [2, 64, 37, 133] strides [1, 1, 1, 1]
      : tensor<2x64x38x134xf32> -> tensor<2x64x37x133xf32>
  %y = fuse.max_pool2d %moved kernel [4, 4] : tensor<2x64x37x133xf32>"""

SWAPPED = """%first = fuse.slice %right offsets [0, 0, 0, 0] sizes [9, 1, 41, 81] strides [1, 1, 1, 1]
      : tensor<9x128x41x81xf32> -> tensor<9x1x41x81xf32>
  %second = fuse.slice %right offsets [0, 1, 0, 0] sizes [9, 1, 41, 81] strides [1, 1, 1, 1]
      : tensor<9x128x41x81xf32> -> tensor<9x1x41x81xf32>
  %rest = fuse.slice %right offsets [0, 2, 0, 0] sizes [9, 126, 41, 81] strides [1, 1, 1, 1]
      : tensor<9x128x41x81xf32> -> tensor<9x126x41x81xf32>
  %y = fuse.concat %second, %first, %rest dim 1
      : (tensor<9x1x41x81xf32>, tensor<9x1x41x81xf32>, tensor<9x126x41x81xf32>)
      -> tensor<9x128x41x81xf32>
  return %y"""

# (graph, what is replaced, by what, the output that is wrong)
WRONG = {
    "changed-constant": ("p82", [("dense<2.0>", "dense<2.01>")], 0),
    "dropped-bias": ("p54", [("fuse.mul %z, %multiplier", "fuse.mul %conv, %multiplier")], 0),
    "shifted-window": ("p82", [("%y = fuse.max_pool2d %a kernel [4, 4] : "
                                "tensor<2x64x38x134xf32>", SHIFTED)], 0),
    "stale-running-mean": ("p73", [("return %y, %new_mean", "return %y, %mean")], 1),
    "swapped-channels": ("p91", [("%y = fuse.sigmoid", "%right = fuse.sigmoid"),
                                 ("return %y", SWAPPED)], 0),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_program(name, tmp_path):
    graph, changes, output = WRONG[name]
    right = SMALL / f"{graph}.mlir"
    text = right.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    wrong = tmp_path / "wrong.mlir"
    wrong.write_text(text)
    done = fuserun.run(wrong, f"--check={right}")
    assert done.returncode == 1, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(f"out{output} ")]
    assert "WRONG" in rows[-1], done.stdout
    # The same program is consistent with itself.
    assert fuserun.run(wrong, "--check").returncode == 0


@pytest.fixture(scope="module", params=["cpu", "sm_90a"])
def tile_text(request, tmp_path_factory):
    """The tile program of the first example, made for a target."""
    path = tmp_path_factory.mktemp(request.param) / "tile.mlir"
    subprocess.run([str(fuserun.FUSE_COMPILE), str(SMALL / "p82.mlir"), f"--target={request.param}",
                    "--emit=tile", "-o", str(path)], check=True)
    return path


def test_tile_text_runs_and_is_checked(tile_text):
    done = fuserun.run(tile_text, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_changed_constant_in_tile_text(tile_text, tmp_path):
    """The CPU runs the tile program itself: what the text says is what is computed."""
    text = tile_text.read_text()
    assert "dense<2.000000e+00>" in text
    wrong = tmp_path / "wrong.mlir"
    wrong.write_text(text.replace("dense<2.000000e+00>", "dense<2.500000e+00>"))
    plain = fuserun.run(wrong, "--check")
    assert plain.returncode == 1 and "WRONG" in plain.stdout, plain.stdout + plain.stderr
    against = fuserun.run(wrong, f"--check={SMALL / 'p82.mlir'}")
    assert against.returncode == 1 and "WRONG" in against.stdout
    other = fuserun.run(wrong, f"--check={tile_text}")
    assert other.returncode == 1 and "WRONG" in other.stdout


def test_tile_text_without_source_needs_a_reference(tile_text, tmp_path):
    text = tile_text.read_text()
    start = text.index("fuse.source = ")
    quote = text.index('"', start)
    end = text.index('"', quote + 1)
    bare = tmp_path / "bare.mlir"
    bare.write_text((text[:start] + "fuse.unused" + text[end + 1:]))
    done = fuserun.run(bare, "--check")
    assert done.returncode == 1
    assert "--check=FILE" in done.stderr and done.stderr.count("\n") == 1
    assert fuserun.run(bare, f"--check={SMALL / 'p82.mlir'}").returncode == 0


def test_program_file_is_checked(tmp_path):
    program = tmp_path / "p82.program"
    subprocess.run([str(fuserun.FUSE_COMPILE), str(SMALL / "p82.mlir"), "--target=cpu", "-o",
                    str(program)], check=True)
    done = fuserun.run(program, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_same_seed_same_bits(tmp_path):
    for name, threads in (("a", 1), ("b", 2)):
        done = fuserun.run(SMALL / "p73.mlir", f"--output-dir={tmp_path / name}", "--seed=5",
                           f"--threads={threads}")
        assert done.returncode == 0, done.stderr
    for i in range(3):
        assert (tmp_path / "a" / f"out{i}.npy").read_bytes() == (
            tmp_path / "b" / f"out{i}.npy").read_bytes()
    done = fuserun.run(SMALL / "p73.mlir", f"--output-dir={tmp_path / 'c'}", "--seed=6")
    assert (tmp_path / "a" / "out0.npy").read_bytes() != (
        tmp_path / "c" / "out0.npy").read_bytes()

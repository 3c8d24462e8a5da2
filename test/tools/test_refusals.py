"""Bad input: one clear message that says where, and exit 1. Never a crash."""

import os
import re
import resource
import subprocess

import numpy
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(
    os.environ.get("TILEFUSE_BUILD", os.path.join(ROOT, "build", "release")))

TANH = """func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = fuse.tanh %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
"""


def tanh_of(kind):
    return TANH.replace("tensor<4xf32>", kind)


# name: (text, what the message must match)
TEXTS = {
    "malformed": ("func.func @f(%x: tensor<4xf32>) -> { return",
                  r"in\.mlir:1:35: error: expected"),
    "empty": ("", "no public function"),
    "no function": ("module {}", "no public function"),
    "unknown op": (TANH.replace("tanh", "nothing"),
                   r"in\.mlir:2:8: error: .*'fuse\.nothing' is unknown"),
    "shapes that do not broadcast": (
        """func.func @f(%x: tensor<4xf32>, %y: tensor<5xf32>) -> tensor<4xf32> {
  %0 = fuse.add %x, %y : (tensor<4xf32>, tensor<5xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}""", r"in\.mlir:2:8: error: 'fuse\.add' op expected .*'tensor<4xf32>' and 'tensor<5xf32>'"),
    "integer elements": (tanh_of("tensor<4xi32>"),
                         r"in\.mlir:2:8: error: 'fuse\.tanh' op .*'tensor<4xi32>'"),
    "unknown elements": (tanh_of("tensor<4xf8E4M3FN>"), "f8E4M3FN"),
    "dynamic shape": (tanh_of("tensor<?xf32>"), r"static.*'tensor<\?xf32>'"),
    "dynamic argument": ("func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> "
                         "{ return %x : tensor<?xf32> }", "static"),
    "unranked": (tanh_of("tensor<*xf32>"), r"tensor<\*xf32>"),
    "zero-sized": (tanh_of("tensor<0x4xf32>"), r"non-empty.*'tensor<0x4xf32>'"),
    "an extent past 2^31": (tanh_of("tensor<3000000000xf32>"), r"extents below 2\^31"),
    "elements past 2^64": (tanh_of("tensor<2000000000x2000000000x2000000000x9xf32>"),
                           r"at most 2\^40 elements"),
    "a grid past 2^31": (
        """func.func @f(%y: !tile.view<4xf32>) attributes {tile.entry, tile.num_inputs = 0 : i64} {
  tile.launch @k outs(%y : !tile.view<4xf32>)
  return
}
tile.func @k(%y: !tile.view<4xf32>) grid [2000000000, 2000] warps 1 {
  tile.return
}""", r"in\.mlir:5:1: error: .* more than 2\^31 - 1 program instances"),
    "wrong return type": (TANH.replace("-> tensor<4xf32> {", "-> tensor<5xf32> {"),
                          r"in\.mlir:3:3: error: type of return operand 0"),
}


def refuse(tool, *arguments, cwd):
    result = subprocess.run([os.path.join(BUILD, "bin", tool), *map(str, arguments)],
                            cwd=cwd, capture_output=True, text=True, check=False, timeout=20)
    assert result.returncode == 1, "exit %d\n%s" % (result.returncode, result.stderr)
    assert len(re.findall(r"\berror: ", result.stderr)) == 1, result.stderr
    return result.stderr


@pytest.mark.parametrize("tool", ["fuse-run", "fuse-compile"])
@pytest.mark.parametrize("name", TEXTS)
def test_text(tool, name, tmp_path):
    text, message = TEXTS[name]
    (tmp_path / "in.mlir").write_text(text)
    found = refuse(tool, "in.mlir", cwd=tmp_path)
    assert re.search(message, found), found


def test_refused_memory(tmp_path):
    """Too few addresses for the argument, or for a thread's stack."""
    (tmp_path / "in.mlir").write_text(TANH.replace("tensor<4xf32>", "tensor<16384x16384xf32>"))
    tool = os.path.join(BUILD, "bin", "fuse-run")
    for limit in (3 << 29, 7 << 27):
        result = subprocess.run(
            [tool, "in.mlir"], cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=20, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        assert result.returncode == 1, result.stderr
        assert re.fullmatch(r"fuse-run: error: .+\n", result.stderr)


@pytest.mark.parametrize("tool", ["fuse-opt", "fuse-run", "fuse-compile"])
def test_missing_file(tool, tmp_path):
    assert "nowhere.mlir" in refuse(tool, "nowhere.mlir", cwd=tmp_path)


@pytest.mark.parametrize("tool", ["fuse-run", "fuse-compile"])
def test_bytecode_is_refused(tool, tmp_path):
    (tmp_path / "in.mlir").write_text("module {}")
    subprocess.run([os.path.join(BUILD, "bin", "fuse-opt"), "in.mlir", "--emit-bytecode",
                    "-o", "in.bc"], cwd=tmp_path, check=True)
    assert "bytecode" in refuse(tool, "in.bc", cwd=tmp_path)


def test_unknown_entry_and_target(tmp_path):
    (tmp_path / "in.mlir").write_text(TANH)
    assert "'h'" in refuse("fuse-run", "in.mlir", "--entry=h", cwd=tmp_path)
    assert "vax" in refuse("fuse-compile", "in.mlir", "--target=vax", cwd=tmp_path)
    (tmp_path / "two.mlir").write_text(TANH + TANH.replace("@f", "@g"))
    assert "--entry" in refuse("fuse-run", "two.mlir", cwd=tmp_path)


@pytest.mark.parametrize("case, message", [
    ("missing", "gone.npy: error"), ("truncated", "truncated.npy: error: truncated"),
    ("shape", "expected 4xf32, found 5xf32"), ("many", "one input too many"),
    ("foreign", "foreign.npy: error")])
def test_arrays(case, message, tmp_path):
    (tmp_path / "in.mlir").write_text(TANH)
    numpy.save(tmp_path / "good.npy", numpy.zeros(4, "f4"))
    numpy.save(tmp_path / "five.npy", numpy.zeros(5, "f4"))
    good = (tmp_path / "good.npy").read_bytes()
    (tmp_path / "truncated.npy").write_bytes(good[:100])
    (tmp_path / "foreign.npy").write_bytes(b"PK\x03\x04" + bytes(200))
    inputs = {"missing": ["gone.npy"], "truncated": ["truncated.npy"], "shape": ["five.npy"],
              "many": ["good.npy", "good.npy"], "foreign": ["foreign.npy"]}[case]
    found = refuse("fuse-run", "in.mlir", *["--input=" + name for name in inputs],
                   cwd=tmp_path)
    assert message in found, found


@pytest.mark.parametrize("damage", ["truncated", "flipped", "longer", "foreign", "empty"])
def test_programs(damage, tmp_path):
    (tmp_path / "in.mlir").write_text(TANH)
    subprocess.run([os.path.join(BUILD, "bin", "fuse-compile"), "in.mlir", "--target=cpu",
                    "-o", "good.program"], cwd=tmp_path, check=True)
    good = (tmp_path / "good.program").read_bytes()
    middle = len(good) // 2
    (tmp_path / "bad.program").write_bytes({
        "truncated": good[:middle],
        "flipped": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:],
        "longer": good + b"x",
        "foreign": b"\x7fELF" + bytes(300),
        "empty": b"",
    }[damage])
    refuse("fuse-run", "bad.program", cwd=tmp_path)


# More memory than any machine has: 2 TB of arguments, of results, of workspace.
LARGE = {
    "argument": TANH.replace("tensor<4xf32>", "tensor<1048576x524288xf32>"),
    "result": """func.func @f(%x: tensor<4xf32>) -> tensor<1048576x131072x4xf32> {
  %0 = fuse.broadcast %x : tensor<4xf32> -> tensor<1048576x131072x4xf32>
  return %0 : tensor<1048576x131072x4xf32>
}""",
    "workspace": """func.func @f(%x: tensor<1048576x8xf32>) -> tensor<1048576xf32> {
  %0 = fuse.matmul %x, %x transpose_b
      : (tensor<1048576x8xf32>, tensor<1048576x8xf32>) -> tensor<1048576x1048576xf32>
  %1 = fuse.softmax %0 dim 0 : tensor<1048576x1048576xf32> -> tensor<1048576x1048576xf32>
  %2 = fuse.softmax %1 dim 1 : tensor<1048576x1048576xf32> -> tensor<1048576x1048576xf32>
  %3 = fuse.reduce max %2 dims [1] : tensor<1048576x1048576xf32> -> tensor<1048576xf32>
  return %3 : tensor<1048576xf32>
}""",
}


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("name", LARGE)
def test_memory(name, device, tmp_path):
    (tmp_path / "in.mlir").write_text(LARGE[name])
    found = refuse("fuse-run", "in.mlir", "--device=" + device, cwd=tmp_path)
    assert re.search(r"in\.mlir: error: .* would take \d+ GB; this machine has \d+", found)

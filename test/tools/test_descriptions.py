"""What the .td files must say: a sentence for every op, operand, result and attribute,
and for every pass IR before and after, a count of what it did, a test and an errors test."""

import glob
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LLVM = "/usr/lib/llvm-22"


def read_records(path):
    text = subprocess.run(
        [LLVM + "/bin/llvm-tblgen", "-dump-json", "-I" + LLVM + "/include", "-I" + ROOT,
         os.path.join(ROOT, path)], check=True, capture_output=True, text=True).stdout
    records = json.loads(text)
    return records, records["!instanceof"]


@pytest.mark.parametrize("path", ["dialects/Fuse/FuseOps.td", "dialects/Tile/TileOps.td"])
def test_ops(path):
    records, instances = read_records(path)
    assert len(instances["Op"]) > 30
    for name in instances["Op"]:
        op = records[name]
        assert op["summary"] and "```mlir" in op["description"], name
        for value, variable in op["arguments"]["args"] + op["results"]["args"]:
            record = records[value["def"]]
            assert "OpVariable" in record["!superclasses"] and record["summary"], (name, variable)


PASSES = [
    (os.path.basename(os.path.dirname(path)), os.path.relpath(path, ROOT))
    for path in sorted(glob.glob(os.path.join(ROOT, "passes", "*", "Passes.td")))
]


@pytest.mark.parametrize("stage, path", PASSES)
def test_passes(stage, path):
    records, instances = read_records(path)
    for name in instances["PassBase"]:
        one = records[name]
        argument = one["argument"]
        blocks = re.findall(r"```mlir\n(.*?)```", one["description"], re.DOTALL)
        assert one["summary"], argument
        assert len(blocks) > 1 or any("// " in block for block in blocks), argument
        assert one["statistics"], argument
        stem = re.sub(r"^(fuse|tile)-", "", argument)
        for test in (stem + ".mlir", stem + "-errors.mlir"):
            assert os.path.exists(os.path.join(ROOT, "test", stage, test)), test
            with open(os.path.join(ROOT, "test", stage, test), encoding="utf-8") as file:
                assert "--" + argument in file.read(), test


# Structure, not computation: the kernel itself, its end, and a change of view.
STRUCTURE = {"KernelOp", "YieldOp", "ReshapeOp"}


def test_passes_know_interfaces_not_ops():
    """No stage behind the simplification names an op of the graph dialect."""
    _, instances = read_records("dialects/Fuse/FuseOps.td")
    classes = "|".join(sorted(set(instances["Op"]) - STRUCTURE))
    named = re.compile(r"\bfuse::(?:%s)\b|\"fuse\.(?!anchor\b|alias_result\b)\w+\"" % classes)
    for stage in ("Fusion", "Tiling", "TileOpt", "TileToNVVM"):
        for path in glob.glob(os.path.join(ROOT, "passes", stage, "*")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            assert "using namespace tilefuse::fuse;" not in text, path
            if not path.endswith(".td"):
                assert not named.search(text), (path, named.search(text))

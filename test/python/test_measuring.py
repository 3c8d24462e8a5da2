"""The training example and the comparison with PyTorch run as a user runs them."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command):
    environment = dict(os.environ)
    environment.setdefault("TILEFUSE_LIBRARY_DIR", str(pathlib.Path(
        os.environ.get("TILEFUSE_BUILD", ROOT / "build" / "release")).resolve() / "lib"))
    return subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=300)


def test_training_follows_eager():
    result = run("examples/python/train_cnn.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "largest difference of the smoothed losses" in result.stdout


def test_comparison_and_its_table(tmp_path):
    report = tmp_path / "report.json"
    user = tmp_path / "mine.py"
    user.write_text("import torch\n\n\ndef build(device):\n"
                    "    return torch.nn.Linear(24, 8).to(device), [torch.rand(6, 24)]\n")
    options = ["benchmarks/compare.py", report, "--device", "cpu", "--small", "--rounds", 3,
               "--candidates", "tilefuse,eager", "--names"]
    result = run(*options, "linear-bn-swish-small", "--warm-up-processes", 2)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "warm-up [2/2]" in result.stdout and "Error" not in result.stdout
    # Goes on with what is there, as far as it is told.
    result = run(*options, f"linear-bn-swish-small,{user}", "--limit", 0)
    assert result.returncode == 3 and "2 rows left" in result.stdout, result.stdout + result.stderr
    result = run(*options, f"linear-bn-swish-small,{user}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "going on with 2 rows" in result.stdout
    rows = json.loads(report.read_text())["results"]
    assert [(r["name"], r["mode"]) for r in rows] == [
        (n, m) for n in ("linear-bn-swish-small", "mine") for m in ("forward", "step")]
    for row in rows:
        assert row["right"] and not row["fallbacks"]
        assert len(row["candidates"]["tilefuse"]["samples_ms"]) == 3
    table = run("benchmarks/report.py", report).stdout
    assert "| mine |" in table and "geometric mean" in table
    assert "| mine |" in run("benchmarks/report.py", report, "--summary").stdout


def test_comparison_sees_a_wrong_result():
    """A candidate that computes something else is judged wrong."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import accuracy
    import torch
    exact = {"y": torch.rand(64, dtype=torch.float64)}
    own = {"y": exact["y"].float()}
    rows = accuracy.judge({"y": own["y"] * 1.0001}, own, exact, exact)
    assert not rows[0]["right"]
    assert accuracy.judge(own, own, exact, exact)[0]["right"]

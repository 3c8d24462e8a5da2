"""The same program gives the same bits: in every run, on any number of threads, whatever
was in the memory it writes, and in another process."""

import json
import os
import subprocess
import sys

import pytest

import fuserun
import sweep

SCRIPT = fuserun.ROOT / "test" / "gpu" / "bits.py"
SMALL = sorted(map(str, (fuserun.ROOT / "examples" / "mlir" / "small").glob("*.mlir")))
TARGETS = {"cpu": [], "sm_90a": ["--schedule-target=sm_90a"]}


def digests(rounds, *arguments):
    environment = dict(os.environ, TILEFUSE_BUILD=str(fuserun.find_build()))
    # Hashes of Python strings differ from process to process, as addresses do.
    environment.pop("PYTHONHASHSEED", None)
    done = subprocess.run([sys.executable, str(SCRIPT), f"--rounds={rounds}", *arguments],
                          capture_output=True, text=True, timeout=600, env=environment,
                          check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("target, rounds", [
    ("cpu", 20), ("sm_90a", 4), pytest.param("sm_90a", 20, marks=pytest.mark.slow)])
def test_examples(target, rounds):
    assert digests(rounds, *TARGETS[target], *SMALL) == digests(1, *TARGETS[target], *SMALL)


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("target", TARGETS)
def test_random_graphs(target, count, seed, tmp_path):
    paths = []
    for at in range(seed, seed + count):
        path = tmp_path / f"{at}.mlir"
        path.write_text(sweep.make_graph(at).text())
        paths.append(str(path))
    assert digests(8, *TARGETS[target], *paths) == digests(1, *TARGETS[target], *paths)

"""Runs graphs through fuse-run, many in one process, and judges what comes back."""

import dataclasses
import json
import math
import os
import pathlib
import subprocess

import numpy
import torch

from graphs import SHAKE

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_build():
    """TILEFUSE_BUILD, or the build folder whose fuse-run is newest."""
    if "TILEFUSE_BUILD" in os.environ:
        return pathlib.Path(os.environ["TILEFUSE_BUILD"])
    built = sorted(ROOT.glob("build/*/bin/fuse-run"), key=lambda p: p.stat().st_mtime)
    assert built, "build fuse-run first"
    return built[-1].parents[1]


FUSE_RUN = find_build() / "bin" / "fuse-run"
FUSE_COMPILE = find_build() / "bin" / "fuse-compile"
FUSE_OPT = find_build() / "bin" / "fuse-opt"
JOBS = os.cpu_count() or 1

# e of one rounding to the type: with few elements, e is no statistic.
FLOORS = {torch.float16: 2.0 ** -11, torch.bfloat16: 2.0 ** -8}


def run(*arguments, timeout=120):
    """One fuse-run; returns the finished process."""
    return subprocess.run([str(FUSE_RUN), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, check=False)


@dataclasses.dataclass
class Case:
    """One graph with its inputs. `flags` go to fuse-run."""
    name: str
    graph: object
    inputs: list
    flags: tuple = ()


@dataclasses.dataclass
class Outcome:
    case: Case
    outputs: list
    kernels: int = 0
    failure: str = ""


def save(path, tensor):
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.to(torch.float32)
    numpy.save(path, tensor.contiguous().numpy())


def run_cases(cases, folder, flags=(), jobs=None, timeout=600):
    """Runs every case in one batch; returns an Outcome each, in order."""
    folder = pathlib.Path(folder)
    lines = []
    for i, case in enumerate(cases):
        place = folder / str(i)
        place.mkdir(parents=True, exist_ok=True)
        (place / "graph.mlir").write_text(case.graph.text())
        line = [str(place / "graph.mlir"), "--json", f"--output-dir={place}", *flags,
                *case.flags]
        for k, tensor in enumerate(case.inputs):
            save(place / f"in{k}.npy", tensor)
            line.append(f"--input={place}/in{k}.npy")
        lines.append(" ".join(line))
    batch = folder / "batch.txt"
    batch.write_text("\n".join(lines) + "\n")
    process = subprocess.run([str(FUSE_RUN), f"--batch={batch}", f"--jobs={jobs or JOBS}"],
                             capture_output=True, text=True, timeout=timeout, check=False)
    outcomes = [Outcome(case, [], failure="no answer: " + process.stderr[-300:])
                for case in cases]
    for line in process.stdout.splitlines():
        answer = json.loads(line)
        outcome = outcomes[answer["line"]]
        if answer["exit"] != 0 or "result" not in answer:
            signal = f"signal {answer['signal']} " if answer["signal"] else ""
            outcome.failure = signal + (answer["errors"] or answer.get("output", ""))[:2000]
            continue
        outcome.failure = ""
        outcome.kernels = sum(not launch["finish"]
                              for launch in answer["result"].get("launches", []))
        outcome.outputs = [torch.from_numpy(numpy.load(folder / str(answer["line"]) /
                                                       f"out{k}.npy"))
                           for k in range(len(outcome.case.graph.results))]
    return outcomes


def special_class(x):
    """0 finite, 1 NaN, 2 and 3 the infinities."""
    zero = torch.zeros(x.shape, dtype=torch.int8)
    return zero + torch.isnan(x) + 2 * torch.isposinf(x) + 3 * torch.isneginf(x)


def relative_error(found, expected):
    """L2, over the elements that are finite in both."""
    finite = torch.isfinite(found) & torch.isfinite(expected)
    difference = torch.where(finite, found - expected, 0).norm().item()
    norm = torch.where(finite, expected, 0).norm().item()
    return difference / norm if norm > 0 else difference


# Of tiny errors; of one element, few say little.
DRAWS = 32


def estimate_rounding(graph, inputs, expected, i):
    """The error that rounding to f32 may make in result i, by how far tiny errors in each
    tensor carry: the root mean square of draws that are the same each time. Sums round on
    the way as well: four times that is not much."""
    with torch.random.fork_rng():
        torch.manual_seed(i)
        noise = [relative_error(graph.evaluate(inputs, "shaken")[i], expected)
                 for _ in range(DRAWS)]
    return 4 * math.hypot(*noise) / math.sqrt(DRAWS) / SHAKE * 2.0 ** -24


def judge(outcome, floor=1e-6, cancels=False):
    """Why an outcome is wrong, or an empty string. `cancels`: sums of a random graph may
    all but vanish, and one draw of PyTorch's rounding errors says little of the next."""
    if outcome.failure:
        return outcome.failure
    case = outcome.case
    exact = case.graph.evaluate(case.inputs, "exact")
    rounded = case.graph.evaluate(case.inputs, "rounded")
    own = case.graph.evaluate(case.inputs, "own")
    problems = []
    for i, (value, found) in enumerate(zip(case.graph.results, outcome.outputs)):
        expected = exact[i]
        if tuple(found.shape) != value.shape:
            problems.append(f"out{i}: shape {tuple(found.shape)}, expected {value.shape}")
            continue
        if not expected.is_floating_point():
            wrong = (found.to(torch.int64) != expected.to(torch.int64)).sum().item()
            flipped = (rounded[i].to(torch.int64) != expected.to(torch.int64)).sum().item()
            if wrong > 1.1 * flipped + 3 * math.sqrt(flipped):
                problems.append(f"out{i}: {wrong} of {expected.numel()} integers differ")
            continue
        found = found.to(torch.float64)
        classes = special_class(found)
        if not torch.all((classes == special_class(rounded[i])) |
                         (classes == special_class(expected)) |
                         (classes == special_class(own[i].to(torch.float64)))):
            problems.append(f"out{i}: NaN or infinities at other positions")
            continue
        kind = {"f16": torch.float16, "bf16": torch.bfloat16}.get(value.dtype)
        least = max(floor, FLOORS.get(kind, 0))
        error = relative_error(found, expected)
        bound = 1.1 * max(relative_error(rounded[i], expected), least,
                          0 if value.dtype == "f64" else
                          relative_error(own[i].to(torch.float64), expected))
        if cancels and not error <= bound:
            bound = max(bound, estimate_rounding(case.graph, case.inputs, expected, i))
        if not error <= bound:
            problems.append(f"out{i} ({value.type}): error {error:.3e}, bound {bound:.3e}")
    return "; ".join(problems)


def assert_right(outcomes, floor=1e-6, cancels=False):
    wrong = []
    for outcome in outcomes:
        if problem := judge(outcome, floor, cancels):
            wrong.append(f"{outcome.case.name}: {problem}\n{outcome.case.graph.text()}")
    assert not wrong, f"{len(wrong)} of {len(outcomes)} wrong\n" + "\n".join(wrong[:5])

"""The main job: each subgraph of examples/mlir, forward and backward, at full size to
PTX for sm_90a; run and checked at the small size on the CPU; run and checked at full
size on the GPU when there is one. Prints one row a run.

    python scripts/demo.py build/release [NAME...]
"""

import ctypes
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES = os.path.join(ROOT, "examples", "mlir")
COLUMNS = ("subgraph", "kernels", "DRAM MB fused", "unfused", "compile ms", "error",
           "backward kernels", "gradient error", "device")


def find_gpu():
    """The first CUDA device's name, or None. Asks the driver, not a toolkit."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, name = ctypes.c_int(), ctypes.create_string_buffer(100)
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return None
    return name.value.decode() if not cuda.cuDeviceGetName(name, 100, 0) else None


def run(command):
    """(last line's JSON or None, stderr and stdout of a failure)"""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    text = result.stdout.strip()
    start = text.find("{")
    try:
        value = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        value = {}
    if result.returncode:
        return value, "%s\n%s%s" % (" ".join(command), result.stderr, result.stdout)
    return value, None


def megabytes(count):
    return "-" if count is None else "%.1f" % (count / 1e6)


def kernels(plan):
    text = str(plan.get("kernels", "-"))
    if plan.get("finishes"):
        text += " + %d finish%s" % (plan["finishes"],
                                    "" if plan["finishes"] == 1 else "es")
    return text


def main():
    build = os.path.join(ROOT, sys.argv[1])
    tool = lambda name: os.path.join(build, "bin", name)
    names = sys.argv[2:] or sorted(
        name[:-5] for name in os.listdir(EXAMPLES) if name.endswith(".mlir"))
    output = os.path.join(ROOT, "build", "demo")
    os.makedirs(output, exist_ok=True)
    gpu = find_gpu()

    rows, problems = [], []
    start = time.time()
    for name in names:
        print("%s ..." % name, flush=True)
        source = os.path.join(EXAMPLES, name + ".mlir")
        small = os.path.join(EXAMPLES, "small", name + ".mlir")
        # The forward pass alone, and a training program.
        plans = []
        for suffix, flags in (("", []), ("-training", ["--grad"])):
            stem = os.path.join(output, name + suffix)
            _, problem = run([tool("fuse-compile"), source, "--target=sm_90a", "--emit=ptx",
                              "--json=" + stem + ".json", "-o", stem + ".ptx"] + flags)
            plans.append({})
            if problem:
                problems.append(problem)
            else:
                with open(stem + ".json") as file:
                    plans[-1] = json.load(file)
        plan = plans[0]
        backward = (plans[1].get("other_entries") or [{}])[0]
        compiled = (kernels(plan), megabytes(plan.get("fused_bytes")),
                    megabytes(plan.get("unfused_bytes")),
                    "%.0f" % plan["compile_ms"] if "compile_ms" in plan else "-")
        # Outputs and gradients are checked in one run; gradients at the small size, where
        # a float64 reference of all of them takes seconds.
        runs = [([small, "--device=cpu", "--grad"], "CPU, small size")]
        if gpu:
            runs.append(([small, "--device=cuda", "--grad"], gpu + ", small size"))
            runs.append(([source, "--device=cuda"], gpu + ", full size"))
        for arguments, device in runs:
            report, problem = run([tool("fuse-run")] + arguments + ["--check", "--json"])
            if problem:
                problems.append(problem)
            rows.append((name,) + compiled + (
                describe_error(report, problem, "out"), kernels(backward),
                describe_error(report, problem, "grad_"), device))

    widths = [max(len(row[i]) for row in rows + [COLUMNS]) for i in range(len(COLUMNS))]
    print()
    for row in [COLUMNS, tuple("-" * width for width in widths)] + rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\nPTX and plans are in build/demo. Kernels and modelled bytes are of the full "
          "size;\nerror is the largest ||out - ref|| / ||ref|| of a run's outputs, and of "
          "its gradients,\nagainst float64.%s  (%.0f s)"
          % ("" if gpu else "\nNo GPU here: nothing was run on one.", time.time() - start))
    for problem in problems:
        print("\nfailed: " + problem.strip(), file=sys.stderr)
    return 1 if problems else 0


def describe_error(report, problem, prefix):
    """The largest relative error of the checked outputs whose names begin so."""
    outputs = [output for output in report.get("check", {}).get("outputs", [])
               if output.get("name", "").startswith(prefix)]
    errors = [output["error"] for output in outputs if output.get("error") is not None]
    if not errors:
        return "failed" if problem else "-"
    right = all(output.get("passed") for output in outputs)
    return "%.1e%s" % (max(errors), "" if right else " WRONG")


if __name__ == "__main__":
    sys.exit(main())

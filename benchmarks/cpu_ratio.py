"""The CPU target beside PyTorch on the same CPU, at the examples' small size.

    python benchmarks/cpu_ratio.py [--build build/release] [--seconds 2]

One process, through the Python layer; candidates take turns; medians. The CPU
target is there to try and test programs without a GPU, so the ratio is reported,
not bounded.
"""

import argparse
import os
import statistics
import sys
import time

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "python_bindings"))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))
EXAMPLES = os.path.join(ROOT, "examples", "mlir", "small")


def measure(candidates, seconds):
    """Median seconds of each candidate, interleaved; at least 5 rounds."""
    for function in candidates:
        function()
    times = [[] for _ in candidates]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for function, samples in zip(candidates, times):
            start = time.perf_counter()
            function()
            samples.append(time.perf_counter() - start)
    return [statistics.median(samples) for samples in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    os.environ["TILEFUSE_LIBRARY_DIR"] = os.path.join(
        os.path.abspath(arguments.build), "lib")
    import tilefuse
    import yardstick

    print("%d threads, PyTorch %s" % (torch.get_num_threads(), torch.__version__))
    print("%-8s %12s %12s %24s" % ("", "tilefuse ms", "PyTorch ms", "PyTorch / tilefuse"))
    for name in sorted(yardstick.NAMES):
        graph = yardstick.make(name)
        with open(os.path.join(EXAMPLES, name + ".mlir"), encoding="utf-8") as file:
            program = tilefuse.compile(file.read(), target="cpu")
        graph.shapes = [info.shape for info in program.inputs]
        inputs = graph.make_inputs(0, "cpu")
        with torch.no_grad():
            ours, theirs = measure([lambda: program(*inputs), lambda: graph.eager(*inputs)],
                                   arguments.seconds)
        print("%-8s %12.2f %12.2f %24.2f" % (name, ours * 1e3, theirs * 1e3,
                                            theirs / ours))


if __name__ == "__main__":
    main()

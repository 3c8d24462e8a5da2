"""How long and how much memory from text to PTX, for each full-size example.

    python benchmarks/compile_speed.py [--build build/release] [--runs 5]

Each run is a process of its own: wall time of `fuse-compile --emit=ptx` from start
to exit, and the largest resident size. The bars: under 1 s, under 500 MB. Exits
with 1 when one is missed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLES = os.path.join(ROOT, "examples", "mlir")
SECONDS_BAR = 1.0
MEGABYTES_BAR = 500.0


def measure(command):
    """(seconds, peak MB, exit code) of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    return seconds, usage.ru_maxrss / 1000.0, os.waitstatus_to_exitcode(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    tool = os.path.join(arguments.build, "bin", "fuse-compile")

    missed = False
    print("%-8s %10s %10s %10s" % ("", "median s", "worst s", "peak MB"))
    for name in sorted(os.listdir(EXAMPLES)):
        if not name.endswith(".mlir"):
            continue
        runs = [measure([tool, os.path.join(EXAMPLES, name), "--target=sm_90a",
                         "--emit=ptx"]) for _ in range(arguments.runs)]
        seconds = [run[0] for run in runs]
        peak = max(run[1] for run in runs)
        failed = any(run[2] for run in runs)
        bad = failed or statistics.median(seconds) > SECONDS_BAR or peak > MEGABYTES_BAR
        missed |= bad
        print("%-8s %10.3f %10.3f %10.0f%s" % (
            name[:-5], statistics.median(seconds), max(seconds), peak,
            "  does not compile" if failed else "  over the bar" if bad else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

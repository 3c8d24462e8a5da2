#!/usr/bin/env python3
"""Markdown tables from what gpu_forward.py and gpu_step.py wrote.

    report.py benchmarks/results/h200-forward.json benchmarks/results/h200-step.json
"""

import json
import statistics
import sys


def spread(samples):
    """Half the distance between the quartiles, in percent of the median."""
    low, middle, high = statistics.quantiles(samples, n=4)
    return 50 * (high - low) / middle


def table(path):
    with open(path) as file:
        report = json.load(file)
    names = []
    for row in report["results"]:
        names += [n for n in row.get("samples_ms", {}) if n not in names]
    print(f"`{path}`: {report['gpu']}, commit {report['commit']}, PyTorch {report['torch']}, "
          f"cuDNN {report['cudnn']}, seed {report['seed']}. Medians in ms.\n")
    print("| | launches | " + " | ".join(names) + " | x best | spread % | error / bound |")
    print("|---" * (len(names) + 5) + "|")
    for row in report["results"]:
        if "failure" in row:
            print(f"| {row['name']} | failed: {row['failure']} |")
            continue
        worst = max(r["error"] / r["bound"] for r in row.get("accuracy", row.get("gradients"))
                    if "error" in r)
        launches = row["launches"]
        launches = " + ".join(map(str, launches)) if isinstance(launches, list) else launches
        times = " | ".join(f"{row['median_ms'][n]:.3f}" if n in row["median_ms"] else ""
                           for n in names)
        print(f"| {row['name']} | {launches} | {times} | {row['speedup_over_best']:.2f} | "
              f"{spread(row['samples_ms']['tilefuse']):.1f} | {worst:.2f} |")
    print()


for argument in sys.argv[1:]:
    table(argument)

#!/usr/bin/env python3
"""Markdown tables, and a plot, of what compare.py wrote.

    report.py OUT.json... [--plot PICTURE.svg] [--summary]

--summary prints one short table, with a line a graph, as README has it. The plot shows the speedup over the fastest PyTorch candidate and the fraction of the
floor that tilefuse reaches; it needs matplotlib.
"""

import argparse
import json
import math
import statistics


def spread(samples):
    """Half the distance between the quartiles, in percent of the median."""
    low, middle, high = statistics.quantiles(samples, n=4)
    return 50 * (high - low) / middle


def worst_ratio(row):
    """The largest error over its bound."""
    ratios = [r["error"] / r["bound"] for r in row.get("accuracy", []) if "error" in r]
    return max(ratios) if ratios else math.nan


def title(row):
    return row["name"] + (" (TF32 products)" if row["products"] == "tf32" else "")


def cell(entry):
    if not entry:
        return ""
    return f"{entry['median_ms']:.3f}" if "median_ms" in entry else "failed"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(report, path):
    """A table a mode; rows that failed or are wrong say so."""
    print(f"`{path}`: {report['device']}, commit {report['commit']}, PyTorch {report['torch']}, "
          f"cuDNN {report['cudnn']}, seed {report['seed']}. Medians in ms.\n")
    for mode in dict.fromkeys(row["mode"] for row in report["results"]):
        rows = [row for row in report["results"] if row["mode"] == mode]
        names = list(dict.fromkeys(n for row in rows for n in row["candidates"]))
        print(f"| {mode} | " + " | ".join(names) +
              " | x best | floor | of floor | spread % | error / bound | peak GB ours/eager |")
        print("|---" * (len(names) + 7) + "|")
        for row in rows:
            candidates = row["candidates"]
            ours = candidates.get("tilefuse", {})
            cells = [title(row)] + [cell(candidates.get(n)) for n in names]
            if "median_ms" in ours:
                peaks = [candidates.get(n, {}).get("peak_bytes") for n in ("tilefuse", "eager")]
                cells += [f"{row.get('speedup_over_best', math.nan):.2f}", f"{row['floor_ms']:.3f}",
                          f"{row['floor_ms'] / ours['median_ms']:.2f}",
                          f"{spread(ours['samples_ms']):.1f}",
                          f"{worst_ratio(row):.2f}" + ("" if row.get("right") else " WRONG"),
                          " / ".join("-" if p is None else f"{p / 1e9:.2f}" for p in peaks)]
            if row["fallbacks"]:
                cells[0] += f" ({len(row['fallbacks'])} left to PyTorch)"
            print("| " + " | ".join(cells) + " |")
        speedups = [row["speedup_over_best"] for row in rows if "speedup_over_best" in row]
        if speedups:
            print(f"\n{mode}: geometric mean {geometric_mean(speedups):.2f}x the best PyTorch, "
                  f"least {min(speedups):.2f}x, {len(speedups)} of {len(rows)} rows.\n")


def best_pytorch(row):
    """The fastest candidate that is not ours."""
    return min((c["median_ms"] for n, c in row["candidates"].items()
                if n != "tilefuse" and "median_ms" in c), default=math.nan)


def summary(report):
    """One line a graph: each mode's time, the best PyTorch's, and the ratio."""
    modes = list(dict.fromkeys(row["mode"] for row in report["results"]))
    graphs = {}
    for row in report["results"]:
        graphs.setdefault(title(row), {})[row["mode"]] = row
    print("| ms | " + " | ".join(f"{mode} | best PyTorch | ratio" for mode in modes) +
          " | peak GB of a step, eager |")
    print("|---" * (3 * len(modes) + 2) + "|")
    for name, rows in graphs.items():
        cells = [name]
        for mode in modes:
            row = rows.get(mode, {"candidates": {}})
            best = best_pytorch(row)
            cells += [cell(row["candidates"].get("tilefuse")),
                      "" if math.isnan(best) else f"{best:.3g}",
                      f"{row['speedup_over_best']:.2f}" if "speedup_over_best" in row else ""]
        peaks = [rows.get("step", {"candidates": {}})["candidates"].get(n, {}).get("peak_bytes")
                 for n in ("tilefuse", "eager")]
        cells.append(", ".join("-" if p is None else f"{p / 1e9:.2g}" for p in peaks))
        print("| " + " | ".join(cells) + " |")
    for mode in modes:
        speedups = [row["speedup_over_best"] for row in report["results"]
                    if row["mode"] == mode and "speedup_over_best" in row]
        if speedups:
            slower = sum(ratio < 0.8 for ratio in speedups)
            print(f"\n{mode}: geometric mean {geometric_mean(speedups):.2f} times the best PyTorch, "
                  f"least {min(speedups):.2f}, {slower} of {len(speedups)} below 0.8.")


def plot(reports, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    rows = [row for report in reports for row in report["results"] if "speedup_over_best" in row]
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    names = list(dict.fromkeys(title(row) for row in rows))
    figure, (left, right) = pyplot.subplots(
        1, 2, sharey=True, figsize=(9, 1.2 + 0.32 * len(names)), layout="constrained")
    for index, mode in enumerate(modes):
        for row in (r for r in rows if r["mode"] == mode):
            y = names.index(title(row)) + 0.36 * (index - (len(modes) - 1) / 2)
            fraction = row["floor_ms"] / row["candidates"]["tilefuse"]["median_ms"]
            left.barh(y, row["speedup_over_best"], 0.34, color=f"C{index}")
            right.barh(y, fraction, 0.34, color=f"C{index}")
    left.set_xscale("log")
    for which in (left.xaxis.set_major_formatter, left.xaxis.set_minor_formatter):
        which(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    left.axvline(1, color="black", linewidth=0.8)
    left.set_xlabel("speedup over the fastest PyTorch")
    right.set_xlabel("fraction of the floor")
    right.set_xlim(0, 1)
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.4, -0.6)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=f"C{i}") for i in range(len(modes))]
    figure.legend(handles, modes, loc="outside upper right", ncols=len(modes))
    figure.suptitle(reports[0]["device"], x=0.02, ha="left")
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("reports", nargs="+")
    parser.add_argument("--plot", metavar="PICTURE.svg")
    parser.add_argument("--summary", action="store_true", help="one short table")
    arguments = parser.parse_args()
    reports = []
    for path in arguments.reports:
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))
        if arguments.summary:
            summary(reports[-1])
        else:
            table(reports[-1], path)
    if arguments.plot:
        plot(reports, arguments.plot)


if __name__ == "__main__":
    main()

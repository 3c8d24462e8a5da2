#!/usr/bin/env python3
"""Writes docs/torch-coverage.md: PyTorch's own samples of each operator through the backend.

    scripts/torch-coverage.py [--samples N] [--only NAME...] [-o docs/torch-coverage.md]

Every float32 sample of the operators in test/python/opinfo.py runs on the CPU, forward and
backward. Exits with 1 when one fails.
"""

import argparse
import collections
import logging
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "python"))
import conftest  # noqa: E402,F401  (finds the library)
import opinfo  # noqa: E402

HEAD = """# PyTorch operators

PyTorch's own samples (OpInfo, `torch.testing._internal`) of each operator, through the
`torch.compile` backend on the CPU in float32, forward and backward, by OpInfo's own
tolerances against eager (or against float64, where eager is further off than they allow).
Written by `scripts/torch-coverage.py` with PyTorch {version}; a test runs three samples of
each. {share}

- *passed*: compiled by tilefuse, forward and backward, and right
- *fell back*: some operation of the sample stayed in PyTorch, which says why in its log
- *failed*: wrong, or an error

**{passed} of {total} samples passed ({percent:.1f} %), {fell} fell back, {failed} failed.**
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, help="at most so many of each operator")
    parser.add_argument("--only", nargs="*", help="these operators; writes nothing")
    parser.add_argument("-o", "--output", default=ROOT / "docs" / "torch-coverage.md")
    options = parser.parse_args()
    logging.getLogger("tilefuse.torch").setLevel(logging.ERROR)
    rows, totals = [], collections.Counter()
    for family, names in opinfo.OPERATORS.items():
        chosen = [n for n in names.split() if not options.only or n in options.only]
        for name in chosen:
            counts, details = measure(name, options.samples)
            totals.update(counts)
            rows.append((family, name, counts, details))
            print(name, dict(counts), *details, sep="  ", flush=True)
    if not options.only:
        pathlib.Path(options.output).write_text(page(rows, totals, options.samples))
    sys.exit(1 if totals["failed"] else 0)


def measure(name, limit):
    """Counts of verdicts, and why samples did not pass, most frequent first."""
    counts, reasons = collections.Counter(), collections.Counter()
    for op, sample in opinfo.samples(name, limit):
        verdict, detail = opinfo.run(op, sample)
        counts[verdict] += 1
        if verdict in ("fell back", "failed"):
            reasons[detail.split("\n")[0]] += 1
    return counts, [reason for reason, _ in reasons.most_common(2)]


def page(rows, totals, limit):
    share = f"Here are at most {limit} of each, evenly spread." if limit else "Here are all of them."
    total = sum(totals[v] for v in ("passed", "fell back", "failed"))
    lines = [HEAD.rstrip().format(share=share, version=opinfo.torch.__version__.split("+")[0], passed=totals["passed"],
                         total=total, percent=100 * totals["passed"] / max(1, total),
                         fell=totals["fell back"], failed=totals["failed"])]
    current = None
    for family, name, counts, details in rows:
        if family != current:
            current = family
            lines += [f"\n## {family.capitalize()}\n",
                      "| operator | passed | fell back | failed | why |",
                      "|---|---|---|---|---|"]
        why = "; ".join(details).replace("|", "\\|")
        lines.append(f"| `{name}` | {counts['passed']} | {counts['fell back']} | "
                     f"{counts['failed']} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

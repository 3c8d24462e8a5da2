#!/usr/bin/env python3
"""Measures compiled programs of the five subgraphs on a CUDA GPU, forward.

    gpu_forward.py PROGRAMS OUT.json [--names p82,p54] [--rounds N] [--compile]

PROGRAMS is a folder of NAME.tfp files (fuse-compile). For each: the error of
every output against float64 (with PyTorch's own and that of rounded
multiplicands beside it), bit-reproducibility over 20 runs, and interleaved
times against PyTorch, L2 flushed. Writes environment and raw samples.
"""

import argparse
import gc
import json
import pathlib
import platform
import statistics
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python_bindings"))
import yardstick  # noqa: E402
import tilefuse  # noqa: E402


def relative_error(out, ref):
    """||out - ref|| / ||ref||, chunked so that float64 copies stay small."""
    if (~torch.isfinite(out) != ~torch.isfinite(ref)).any():
        return float("nan")
    top = bottom = 0.0
    for o, r in zip(out.reshape(-1).split(1 << 26), ref.reshape(-1).split(1 << 26)):
        top += (o.double() - r.double()).square().sum().item()
        bottom += r.double().square().sum().item()
    return (top / bottom) ** 0.5 if bottom else top ** 0.5


def reference(graph, inputs, rounded):
    """Float64 results; graphs without batch statistics go image by image to save memory."""
    if graph.name in ("p73", "p97"):
        return [t.float() for t in graph.reference(*inputs, rounded=rounded)]
    parts = []
    for piece in inputs[0].split(8):
        parts.append([t.float() for t in graph.reference(piece, *inputs[1:], rounded=rounded)])
    return [torch.cat(column) for column in zip(*parts)]


def check(graph, program, inputs):
    """Errors of tilefuse and PyTorch per output, and the bound of the accuracy rule."""
    out = program(*inputs)
    torch.cuda.synchronize()
    stable = True
    for _ in range(20):
        again = program(*inputs)
        stable &= all(torch.equal(a, b) for a, b in zip(out, again))
    eager = graph.eager(*[t.clone() for t in inputs])
    ref = reference(graph, inputs, rounded=False)
    rounded = reference(graph, inputs, rounded=True) if graph.is_tf32 else ref
    rows = []
    for info, o, e, r, q in zip(program.outputs, out, eager, ref, rounded):
        error, torch_error = relative_error(o, r), relative_error(e, r)
        bound = 1.1 * max(torch_error, relative_error(q, r), 1e-6)
        rows.append({"output": info.name, "error": error, "pytorch": torch_error,
                     "rounded": relative_error(q, r), "bound": bound,
                     "right": bool(error <= bound)})
    return rows, stable


def candidates(graph, program, inputs, use_compile):
    """Name -> function of one forward run."""
    outputs = program(*inputs)
    scratch = torch.empty(program.workspace_bytes + 256, dtype=torch.uint8, device="cuda")
    address = -(-scratch.data_ptr() // 256) * 256
    stream = torch.cuda.current_stream().cuda_stream
    addresses = [[t.data_ptr() for t in tensors] for tensors in (inputs, outputs)]
    runs = {
        "tilefuse": lambda: program.launch(0, stream, *addresses, address),
        "eager": lambda: graph.eager(*inputs),
    }
    if inputs[0].dim() == 4:
        last = [t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
                for t in inputs]
        runs["channels_last"] = lambda: graph.eager(*last)
    if use_compile:
        compiled = torch.compile(graph.eager)
        runs["compile"] = lambda: compiled(*inputs)
    return runs, (scratch, outputs)


def time_runs(runs, rounds, grad=False):
    """Interleaved samples in ms, the L2 cache flushed before each."""
    flush = torch.empty(64 << 20, dtype=torch.int32, device="cuda")
    samples = {name: [] for name in runs}
    with torch.set_grad_enabled(grad):
        for _ in range(3):
            for run in runs.values():
                run()
        for _ in range(rounds):
            for name, run in runs.items():
                flush.zero_()
                start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                start.record()
                run()
                stop.record()
                torch.cuda.synchronize()
                samples[name].append(start.elapsed_time(stop))
    return samples


def measure(name, folder, args):
    graph = yardstick.make(name)
    program = tilefuse.Program.load(folder / f"{name}.tfp")
    graph.shapes = [info.shape for info in program.inputs]
    inputs = graph.make_inputs(args.seed, "cuda")
    result = {"name": name, "launches": program.num_launches}
    with torch.no_grad():
        result["accuracy"], result["reproducible"] = check(graph, program, inputs)
        torch.cuda.empty_cache()
        runs, keep = candidates(graph, program, inputs, args.compile)
        result["samples_ms"] = time_runs(runs, args.rounds)
    result["median_ms"] = {k: statistics.median(v) for k, v in result["samples_ms"].items()}
    best = min(v for k, v in result["median_ms"].items() if k != "tilefuse")
    result["speedup_over_best"] = best / result["median_ms"]["tilefuse"]
    return result


def describe(row):
    """A text for people, and whether everything is right."""
    errors = "; ".join(f"{a['output']} {a['error']:.2e} (torch {a['pytorch']:.2e}, "
                       f"bound {a['bound']:.2e}){'' if a['right'] else ' WRONG'}"
                       for a in row["accuracy"])
    times = ", ".join(f"{k} {v:.3f}" for k, v in row["median_ms"].items())
    right = all(a["right"] for a in row["accuracy"]) and row["reproducible"]
    return (f"{row['name']}: {'right' if right else 'WRONG'}, "
            f"{'same bits' if row['reproducible'] else 'BITS DIFFER'}, {row['launches']} launches"
            f"\n  {errors}\n  ms: {times}; {row['speedup_over_best']:.2f}x best"), right


def run(description, measure, describe, flags=()):
    """The command line of both benchmarks: measures each graph and writes the report."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--names", default=",".join(yardstick.NAMES))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commit", default="unknown")
    for flag, text in flags:
        parser.add_argument(flag, action="store_true", help=text)
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    report = {"commit": args.commit, "gpu": torch.cuda.get_device_name(),
              "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(),
              "python": platform.python_version(), "seed": args.seed, "results": []}
    failed = False
    for name in args.names.split(","):
        try:
            row = measure(name, args.programs, args)
            text, right = describe(row)
        except Exception as error:  # one broken subgraph must not hide the others
            row = {"name": name, "failure": f"{type(error).__name__}: {error}"}
            text, right = f"{name}: FAILED {row['failure'][:600]}", False
        failed |= not right
        report["results"].append(row)
        args.output.write_text(json.dumps(report, indent=1))
        print(text, flush=True)
        gc.collect()
        torch.cuda.empty_cache()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run(__doc__.split("\n")[0], measure, describe,
                 [("--compile", "torch.compile as well")]))

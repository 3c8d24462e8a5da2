#!/usr/bin/env python3
"""Measures training programs of the five subgraphs on a CUDA GPU: forward + backward.

    gpu_step.py PROGRAMS OUT.json [--names p82,p54] [--rounds N]

PROGRAMS is a folder of NAME.tfp files (fuse-compile --grad). For each: the error of
every gradient against float64, bit-reproducibility, peak memory, and interleaved
times of a step against PyTorch's, L2 flushed. Writes environment and raw samples.
"""

import gc
import pathlib
import statistics
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python_bindings"))
import tilefuse  # noqa: E402
import yardstick  # noqa: E402
from gpu_forward import relative_error, run, time_runs  # noqa: E402


class Step:
    """One forward and backward run of a training program."""

    def __init__(self, program, name, num_results):
        self.forward = program.select(f"{name}_forward")
        self.backward = program.select(f"{name}_backward")
        self.sources = self.backward.saved
        self.num_results = num_results

    def __call__(self, inputs, cotangent):
        outputs = self.forward(*inputs)
        lists = {"argument": inputs, "result": outputs, "residual": outputs[self.num_results:]}
        saved = [lists[kind][index] for kind, index in self.sources]
        return outputs, self.backward(*saved, cotangent)


def torch_gradients(function, inputs, wanted, cotangent):
    """Gradients of the first result in the wanted inputs."""
    leaves = [t.detach().requires_grad_(i in wanted) for i, t in enumerate(inputs)]
    result = function(*leaves)[0]
    return torch.autograd.grad(result, [leaves[i] for i in wanted], cotangent)


def check(graph, step, inputs, wanted, cotangent):
    """A row per gradient; a bias in front of batch-norm is judged absolutely."""
    found = step(inputs, cotangent)[1]
    stable = all(torch.equal(a, b) for _ in range(20)
                 for a, b in zip(found, step(inputs, cotangent)[1]))
    eager = torch_gradients(graph.eager, inputs, wanted, cotangent)
    wide = [t.double() for t in inputs]
    exact = torch_gradients(graph.reference, wide, wanted, cotangent.double())
    rounded = torch_gradients(lambda *t: graph.reference(*t, rounded=True), wide, wanted,
                              cotangent.double()) if graph.is_tf32 else exact
    rows = []
    for info, f, e, x, q in zip(step.backward.outputs, found, eager, exact, rounded):
        if x.double().norm() < 1e-6 * cotangent.double().norm():
            rows.append({"gradient": info.name, "absolute": f.abs().max().item(),
                         "pytorch": e.abs().max().item(),
                         "right": bool(f.abs().max() <= e.abs().max() + 1e-6)})
            continue
        error, own = relative_error(f, x), relative_error(e, x)
        bound = 1.1 * max(own, relative_error(q, x), 1e-6)
        rows.append({"gradient": info.name, "error": error, "pytorch": own,
                     "rounded": relative_error(q, x), "bound": bound,
                     "right": bool(error <= bound)})
    return rows, stable


def peak(run):
    """Peak bytes a run allocates above what is there."""
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def measure(name, folder, args):
    graph = yardstick.make(name)
    program = tilefuse.Program.load(folder / f"{name}.tfp")
    step = Step(program, name, 3 if name in ("p73", "p97") else 1)
    infos = step.forward.inputs
    graph.shapes = [info.shape for info in infos]
    inputs = graph.make_inputs(args.seed, "cuda")
    wanted = [i for i, info in enumerate(infos) if info.alias_result < 0]
    generator = torch.Generator(device="cuda").manual_seed(args.seed)
    cotangent = torch.randn(step.forward.outputs[0].shape, device="cuda", generator=generator)
    result = {"name": name, "launches": [step.forward.num_launches, step.backward.num_launches]}
    result["gradients"], result["reproducible"] = check(graph, step, inputs, wanted, cotangent)
    gc.collect()
    torch.cuda.empty_cache()
    runs = {"tilefuse": lambda: step(inputs, cotangent),
            "eager": lambda: torch_gradients(graph.eager, inputs, wanted, cotangent)}
    if inputs[0].dim() == 4:
        last = [t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
                for t in inputs]
        runs["channels_last"] = lambda: torch_gradients(graph.eager, last, wanted, cotangent)
    result["peak_bytes"] = {key: peak(run) for key, run in runs.items()}
    result["samples_ms"] = time_runs(runs, args.rounds, grad=True)
    result["median_ms"] = {k: statistics.median(v) for k, v in result["samples_ms"].items()}
    best = min(v for k, v in result["median_ms"].items() if k != "tilefuse")
    result["speedup_over_best"] = best / result["median_ms"]["tilefuse"]
    return result


def describe(row):
    parts = []
    for g in row["gradients"]:
        value = (f"|.| {g['absolute']:.1e} (torch {g['pytorch']:.1e})" if "absolute" in g else
                 f"{g['error']:.2e} (torch {g['pytorch']:.2e}, bound {g['bound']:.2e})")
        parts.append(f"{g['gradient']} {value}{'' if g['right'] else ' WRONG'}")
    times = ", ".join(f"{k} {v:.3f}" for k, v in row["median_ms"].items())
    memory = ", ".join(f"{k} {v / 1e9:.2f}" for k, v in row["peak_bytes"].items())
    right = all(g["right"] for g in row["gradients"]) and row["reproducible"]
    return (f"{row['name']}: {'right' if right else 'WRONG'}, "
            f"{'same bits' if row['reproducible'] else 'BITS DIFFER'}, "
            f"launches {row['launches']}\n  " + "\n  ".join(parts) +
            f"\n  ms: {times}; {row['speedup_over_best']:.2f}x best; peak GB: {memory}"), right


if __name__ == "__main__":
    sys.exit(run(__doc__.split("\n")[0], measure, describe))

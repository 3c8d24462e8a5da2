#!/usr/bin/env python3
"""tilefuse beside PyTorch on one GPU, in one process: forward and training step.

    compare.py OUT.json [--names five|cases|all|p82,p54,FILE.py...] [--modes forward,step]
               [--candidates eager,channels_last,compile,max-autotune,tilefuse]
               [--rounds 20] [--seed 0] [--tf32-products] [--device cuda|cpu] [--small]
               [--commit C]

Candidates take turns, the L2 cache is flushed before each run, CUDA events time it;
medians of at least 20 rounds, raw samples in OUT.json. `forward` runs under no_grad in
training mode; `step` is forward and backward with the gradients of the input and of
every parameter. FILE.py defines build(device) -> (module, inputs). report.py turns
OUT.json into a Markdown table and a plot. `--device cpu --small` tries the whole way
without a GPU; its times say little.
"""

import argparse
import copy
import gc
import json
import logging
import pathlib
import platform
import statistics
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python_bindings"))
import accuracy  # noqa: E402
import models  # noqa: E402

# Rates of the floors: bytes/s measured by a copy on an H200, multiply-adds by the
# datasheet; fp32-accurate products take three TF32 ones.
BYTES_PER_SECOND = 4.27e12
TF32_FLOPS = 495e12
CANDIDATES = ["tilefuse", "eager", "channels_last", "compile", "max-autotune"]


def make_call(candidate, model):
    """A copy of the model's module, its inputs and its call as the candidate runs it."""
    module, inputs = copy.deepcopy(model.module), list(model.inputs)
    if candidate == "channels_last":
        module = module.to(memory_format=torch.channels_last)
        inputs = [t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
                  for t in inputs]
    if candidate == "compile":
        return module, inputs, torch.compile(module)
    if candidate == "max-autotune":
        return module, inputs, torch.compile(module, mode="max-autotune-no-cudagraphs")
    if candidate == "tilefuse":
        import tilefuse.torch
        return module, inputs, torch.compile(module, backend=tilefuse.torch.backend)
    return module, inputs, module


def floor_ms(model, mode, cotangents, is_tf32):
    """The larger of the bytes that must move and of the multiply-adds, at full rate."""
    def size(tensors):
        return sum(t.numel() * t.element_size() for t in tensors)

    module = copy.deepcopy(model.module)
    parameters = size(module.parameters())
    with FlopCounterMode(display=False) as counter:
        if mode == "forward":
            with torch.no_grad():
                module(*model.inputs)
        else:
            leaf = model.inputs[0].detach().requires_grad_()
            results = module(leaf, *model.inputs[1:])
            torch.autograd.backward(results, cotangents if isinstance(results, tuple) else
                                    cotangents[0])
    moved = size(model.inputs) + parameters + size(cotangents)
    if mode == "step":
        moved += 2 * size(model.inputs[:1]) + size(model.inputs[1:]) + 2 * parameters
        moved += size(cotangents)
    flops = counter.get_total_flops() / (TF32_FLOPS if is_tf32 else TF32_FLOPS / 3)
    return 1e3 * max(moved / BYTES_PER_SECOND, flops)


def synchronize():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_bytes(run):
    """Most bytes a run allocates above inputs and parameters; None on the CPU."""
    if not torch.cuda.is_available():
        run()
        return None
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def time_on_gpu(run, flush):
    """Milliseconds of one run by CUDA events, the L2 cache flushed before."""
    flush.zero_()
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop)


def time_on_cpu(run, _):
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


def time_runs(runs, rounds, device):
    """Interleaved samples in ms."""
    flush = torch.empty(64 << 20, dtype=torch.int32, device=device) if device == "cuda" else None
    timer = time_on_gpu if device == "cuda" else time_on_cpu
    samples = {name: [] for name in runs}
    for _ in range(3):
        for run in runs.values():
            run()
    for _ in range(rounds):
        for name, run in runs.items():
            samples[name].append(timer(run, flush))
    return samples


class FallbackLog(logging.Handler):
    """Keeps what the backend says it left to PyTorch."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def prepare(model, mode, candidates, cotangents, row):
    """Runs of the candidates that work, and the tensors of their first run; notes the rest."""
    runs, tensors = {}, {}
    for candidate in candidates:
        if candidate == "channels_last" and model.inputs[0].dim() != 4:
            continue
        entry = row["candidates"].setdefault(candidate, {})
        try:
            module, inputs, call = make_call(candidate, model)
            synchronize()
            start = time.perf_counter()
            if mode == "forward":
                tensors[candidate] = accuracy.tensors_of_forward(module, call, inputs)

                def run(call=call, inputs=inputs):
                    with torch.no_grad():
                        call(*inputs)
            else:
                tensors[candidate] = accuracy.tensors_of_step(module, call, inputs, cotangents)

                def run(module=module, call=call, inputs=inputs):
                    accuracy.gradient_step(module, call, inputs, cotangents)
            synchronize()
            entry["first_run_s"] = time.perf_counter() - start
            entry["peak_bytes"] = peak_bytes(run)
            runs[candidate] = run
        except Exception as error:  # one candidate's failure is a result
            entry["failure"] = f"{type(error).__name__}: {error}"[:2000]
            torch.cuda.empty_cache()
    return runs, tensors


def measure(model, mode, args, is_tf32):
    row = {"name": model.name, "mode": mode, "candidates": {},
           "products": "tf32" if args.tf32_products else "f32"}
    with torch.no_grad():
        result = copy.deepcopy(model.module)(*model.inputs)
    results = result if isinstance(result, (tuple, list)) else [result]
    generator = torch.Generator(device=args.device).manual_seed(args.seed)
    cotangents = [torch.randn(r.shape, device=args.device, generator=generator) for r in results]
    row["floor_ms"] = floor_ms(model, mode, cotangents, is_tf32)
    log = FallbackLog()
    logging.getLogger("tilefuse.torch").addHandler(log)
    torch._dynamo.reset()
    runs, tensors = prepare(model, mode, args.candidates, cotangents, row)
    logging.getLogger("tilefuse.torch").removeHandler(log)
    row["fallbacks"] = log.lines
    if "tilefuse" in tensors and "eager" in tensors:
        take, more = ((accuracy.tensors_of_forward, ()) if mode == "forward" else
                      (accuracy.tensors_of_step, (cotangents,)))
        exact = accuracy.wide(model, take, *more)
        rounding = accuracy.RoundMultiplicands(args.device == "cuda" and torch.backends.cudnn.allow_tf32,
                                               args.tf32_products)
        rounded = accuracy.wide(model, take, *more, rounding=rounding)
        scale = 1.0 if mode == "forward" else max(c.norm().item() for c in cotangents)
        row["accuracy"] = accuracy.judge(tensors["tilefuse"], tensors["eager"], exact, rounded,
                                         scale)
        row["right"] = all(r["right"] for r in row["accuracy"])
        del exact, rounded
    tensors.clear()
    gc.collect()
    torch.cuda.empty_cache()
    for candidate, samples in time_runs(runs, args.rounds, args.device).items():
        row["candidates"][candidate]["samples_ms"] = samples
        row["candidates"][candidate]["median_ms"] = statistics.median(samples)
    ours = row["candidates"].get("tilefuse", {}).get("median_ms")
    theirs = [c["median_ms"] for n, c in row["candidates"].items()
              if n != "tilefuse" and "median_ms" in c]
    if ours and theirs:
        row["speedup_over_best"] = min(theirs) / ours
    return row


def describe(row):
    """One line for people."""
    times = ", ".join(f"{n} {c['median_ms']:.3f}" if "median_ms" in c else f"{n} FAILED"
                      for n, c in row["candidates"].items())
    verdict = {True: "right", False: "WRONG", None: "unchecked"}[row.get("right")]
    text = f"{row['name']} {row['mode']} ({row['products']} products): {verdict}; ms: {times}"
    if "speedup_over_best" in row:
        text += f"; {row['speedup_over_best']:.2f}x best, floor {row['floor_ms']:.3f}"
    for line in row["fallbacks"]:
        text += f"\n  {line}"
    for c in row["candidates"].values():
        if "failure" in c:
            text += f"\n  {c['failure'][:400]}"
    for r in row.get("accuracy", []):
        if not r["right"]:
            text += f"\n  {r}"
    return text


def names_of(text):
    groups = {"five": list(models.FIVE), "cases": [c["name"] for c in models.CASES],
              "all": models.NAMES}
    return [n for part in text.split(",") for n in groups.get(part, [part])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--names", default="five", type=names_of)
    parser.add_argument("--modes", default="forward,step", type=lambda t: t.split(","))
    parser.add_argument("--candidates", default=",".join(CANDIDATES),
                        type=lambda t: t.split(","))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tf32-products", action="store_true",
                        help="allow TF32 in matrix products, for all candidates")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="small shapes")
    parser.add_argument("--commit", default="unknown")
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = args.tf32_products
    report = {"commit": args.commit, "device": (torch.cuda.get_device_name() if args.device == "cuda" else
                                                 platform.processor()),
              "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(),
              "cuda": torch.version.cuda, "python": platform.python_version(),
              "seed": args.seed, "results": []}
    failed = False
    for index, name in enumerate(args.names):
        for mode in args.modes:
            model = (models.load(name, args.device) if name.endswith(".py") else
                     models.build(name, args.device, args.seed, args.small))
            is_tf32 = args.tf32_products or any(
                isinstance(m, torch.nn.modules.conv._ConvNd) for m in model.module.modules())
            row = measure(model, mode, args, is_tf32)
            failed |= not row.get("right", False)
            report["results"].append(row)
            args.output.write_text(json.dumps(report, indent=1))
            print(f"[{index + 1}/{len(args.names)}] {describe(row)}", flush=True)
            del model
            gc.collect()
            torch.cuda.empty_cache()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

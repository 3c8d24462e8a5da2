#!/usr/bin/env python3
"""tilefuse beside PyTorch on one GPU, in one process: forward and training step.

    compare.py OUT.json [--names five|cases|all|p82,p54,FILE.py...] [--modes forward,step]
               [--candidates eager,channels_last,compile,max-autotune,tilefuse]
               [--max-autotune five] [--rounds 20] [--seed 0] [--tf32-products]
               [--device cuda|cpu] [--small] [--commit C] [--fresh]
               [--warm-up-processes N] [--warm-up-limit S] [--row-limit S] [--limit S]

Candidates take turns, the L2 cache is flushed before each run, CUDA events time it;
medians of at least 20 rounds, raw samples in OUT.json. `forward` runs under no_grad in
training mode; `step` is forward and backward with the gradients of the input and of
every parameter. FILE.py defines build(device) -> (module, inputs). report.py turns
OUT.json into a Markdown table and a plot. `--device cpu --small` tries the whole way
without a GPU; its times say little.

For many graphs in little time: `--warm-up-processes 16` first fills the compilers' disk
caches in parallel; `--row-limit` bounds the preparation of a row, `--limit` the whole run
(exit status 3), and a later run with the same OUT.json, commit and options goes on where
that one stopped, unless `--fresh` is given. max-autotune runs for the graphs it is told.
"""

import argparse
import copy
import gc
import json
import logging
import pathlib
import platform
import signal
import statistics
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python_bindings"))
import accuracy  # noqa: E402
import models  # noqa: E402
import warm_up  # noqa: E402

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


class Deadline:
    """Stops what runs in a `with` when the time of a row is over."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def __enter__(self):
        def stop(*_):
            raise TimeoutError(f"the row took longer than {self.seconds:.0f} s")
        self.before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, max(self.end - time.monotonic(), 1e-3))

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def make_run(candidate, model, mode, cotangents):
    """(What is timed, what gives the tensors to judge) of a candidate."""
    module, inputs, call = make_call(candidate, model)
    if mode == "step":
        return (lambda: accuracy.gradient_step(module, call, inputs, cotangents),
                lambda: accuracy.tensors_of_step(module, call, inputs, cotangents))

    def run():
        with torch.no_grad():
            call(*inputs)
    return run, lambda: accuracy.tensors_of_forward(module, call, inputs)


def prepare(model, mode, candidates, cotangents, row, deadline):
    """Runs of the candidates that work, and the tensors of their first run; notes the rest."""
    runs, tensors = {}, {}
    for candidate in candidates:
        if candidate == "channels_last" and model.inputs[0].dim() != 4:
            continue
        entry = row["candidates"].setdefault(candidate, {})
        try:
            with deadline:
                run, take = make_run(candidate, model, mode, cotangents)
                synchronize()
                start = time.perf_counter()
                tensors[candidate] = take()
                synchronize()
                entry["first_run_s"] = time.perf_counter() - start
                entry["peak_bytes"] = peak_bytes(run)
            runs[candidate] = run
        except Exception as error:  # one candidate's failure is a result
            entry["failure"] = f"{type(error).__name__}: {error}"[:2000]
            torch.cuda.empty_cache()
    return runs, tensors


def make_cotangents(model, args):
    """Random cotangents of a model's results."""
    with torch.no_grad():
        result = copy.deepcopy(model.module)(*model.inputs)
    results = result if isinstance(result, (tuple, list)) else [result]
    generator = torch.Generator(device=args.device).manual_seed(args.seed)
    return [torch.randn(r.shape, device=args.device, generator=generator) for r in results]


def measure(model, mode, args, is_tf32):
    row = {"name": model.name, "mode": mode, "candidates": {},
           "products": "tf32" if args.tf32_products else "f32",
           "warmed_up": args.warm_up_processes > 0}
    began = time.perf_counter()
    cotangents = make_cotangents(model, args)
    row["floor_ms"] = floor_ms(model, mode, cotangents, is_tf32)
    log = FallbackLog()
    logging.getLogger("tilefuse.torch").addHandler(log)
    torch._dynamo.reset()
    runs, tensors = prepare(model, mode, candidates_of(model.name, args), cotangents, row,
                            Deadline(args.row_limit))
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
    row["seconds"] = time.perf_counter() - began
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


def candidates_of(name, args):
    named = {pathlib.Path(n).stem for n in args.max_autotune}
    return [c for c in args.candidates if c != "max-autotune" or pathlib.Path(name).stem in named]


def load(name, args):
    if name.endswith(".py"):
        return models.load(name, args.device)
    return models.build(name, args.device, args.seed, args.small)


def set_precision(args):
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = args.tf32_products


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--names", default="five", type=names_of)
    parser.add_argument("--modes", default="forward,step", type=lambda t: t.split(","))
    parser.add_argument("--candidates", default=",".join(CANDIDATES),
                        type=lambda t: t.split(","))
    parser.add_argument("--max-autotune", default="five", type=names_of, metavar="NAMES",
                        help="the graphs that max-autotune runs for (five)")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tf32-products", action="store_true",
                        help="allow TF32 in matrix products, for all candidates")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="small shapes")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--fresh", action="store_true", help="measure rows of OUT.json again")
    parser.add_argument("--warm-up-processes", type=int, default=0, metavar="N",
                        help="fill the compilers' caches in N processes first")
    parser.add_argument("--warm-up-limit", type=float, default=240, metavar="S",
                        help="seconds for that")
    parser.add_argument("--row-limit", type=float, default=600, metavar="S",
                        help="seconds in which a row's candidates must have run once")
    parser.add_argument("--limit", type=float, default=float("inf"), metavar="S",
                        help="seconds after which no row is begun")
    return parser


def begin_report(args):
    """The head of a report, with the rows of OUT.json when it is of the same kind."""
    report = {"commit": args.commit, "device": (torch.cuda.get_device_name() if args.device == "cuda" else
                                                 platform.processor()),
              "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(),
              "cuda": torch.version.cuda, "python": platform.python_version(),
              "seed": args.seed, "small": args.small, "rounds": args.rounds, "results": []}
    if args.fresh or not args.output.exists():
        return report
    before = json.loads(args.output.read_text())
    if {**before, "results": []} != report:
        raise SystemExit(f"{args.output} is of another commit, machine or set of options; give "
                         "another name, or --fresh")
    print(f"going on with {len(before['results'])} rows of {args.output}", flush=True)
    return before


def find_row(report, name, mode, args):
    """The row if it was measured already, with all its candidates."""
    products = "tf32" if args.tf32_products else "f32"
    wanted = set(candidates_of(name, args)) - {"channels_last"}
    for row in report["results"]:
        if ((row["name"], row["mode"], row["products"]) == (pathlib.Path(name).stem, mode, products)
                and wanted <= row["candidates"].keys()):
            return row
    return None


def main():
    args = make_parser().parse_args()
    began = time.monotonic()
    set_precision(args)
    report = begin_report(args)
    missing = [(name, mode) for name in args.names for mode in args.modes
               if find_row(report, name, mode, args) is None]
    if args.warm_up_processes and missing:
        tasks = [(name, mode, candidate) for name, mode in missing
                 for candidate in candidates_of(name, args) if candidate in warm_up.COMPILED]
        warm_up.warm_up(tasks, args.warm_up_processes, args.warm_up_limit, args)
    for index, (name, mode) in enumerate(missing):
        if time.monotonic() - began > args.limit:
            print(f"{len(missing) - index} rows left when time was over", flush=True)
            return 3
        model = load(name, args)
        is_tf32 = args.tf32_products or any(
            isinstance(m, torch.nn.modules.conv._ConvNd) for m in model.module.modules())
        row = measure(model, mode, args, is_tf32)
        report["results"] = [r for r in report["results"] if
                             any(r[k] != row[k] for k in ("name", "mode", "products"))] + [row]
        args.output.write_text(json.dumps(report, indent=1))
        print(f"[{index + 1}/{len(missing)}, {time.monotonic() - began:.0f} s] {describe(row)}",
              flush=True)
        del model
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    wrong = [row for row in report["results"] if not row.get("right", False)]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Host time of a call: tilefuse's own part, beside a bare PyTorch custom operator.

    call_overhead.py [--device cpu|cuda] [--inputs N] [--json OUT.json] [--limit MICROSECONDS]

The bare operator has the same schema, is registered the same way, and its kernel does what
any must: allocate the output. The graph multiplies N tensors of 16 elements, so
that its kernel takes next to nothing (on the CPU; on a GPU launches are not waited for). With
--limit, exits with 1 when tilefuse's own part of an inference call takes longer.
"""

import argparse
import json
import pathlib
import sys
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "python_bindings")]
import tilefuse  # noqa: E402
from tilefuse.torch.operators import define  # noqa: E402

SHAPE = (4, 4)


def make_text(count):
    """The product of `count` tensors."""
    tensor = "tensor<4x4xf32>"
    lines = [f"func.func @product({', '.join(f'%x{i}: {tensor}' for i in range(count))}) -> {tensor} {{"]
    last = "%x0"
    for i in range(1, count):
        lines.append(f"  %{i} = fuse.mul {last}, %x{i} : ({tensor}, {tensor}) -> {tensor}")
        last = f"%{i}"
    return "\n".join(lines + [f"  return {last} : {tensor}", "}"])


def define_bare(count, device):
    """An operator with the same schema that only allocates; its gradient as well."""
    library = torch.library.Library("bare", "DEF")
    names = [f"x{i}" for i in range(count)]
    library.define(f"f({', '.join('Tensor ' + n for n in names)}) -> Tensor")
    library.define(f"g(Tensor y, Tensor c) -> ({', '.join(['Tensor'] * count)})")
    empty = lambda: torch.empty(SHAPE, dtype=torch.float32, device=device)
    for key in ("CPU", "CUDA"):
        library.impl("f", lambda *x: empty(), key)
        library.impl("g", lambda y, c: tuple(empty() for _ in range(count)), key)
    overload, backward = torch.ops.bare.f.default, torch.ops.bare.g.default

    class Call(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            with torch._C._AutoDispatchBelowAutograd():
                output = overload(*inputs)
            ctx.save_for_backward(output)
            return output

        @staticmethod
        def backward(ctx, cotangent):
            return backward(*ctx.saved_tensors, cotangent)

    def autograd(keyset, *inputs):
        if torch.is_grad_enabled() and any(t.requires_grad for t in inputs):
            return Call.apply(*inputs)
        with torch._C._AutoDispatchBelowAutograd():
            return overload.redispatch(keyset & torch._C._after_autograd_keyset, *inputs)

    library.impl("f", autograd, "Autograd", with_keyset=True)
    return library, overload


def measure(runs, device, rounds=40, calls=500):
    """Microseconds a call, the least of interleaved rounds: what others run only adds."""
    best = {}
    for _ in range(rounds):
        for name, run in runs.items():
            if device == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(calls):
                run()
            elapsed = (time.perf_counter() - start) / calls * 1e6
            best[name] = min(best.get(name, elapsed), elapsed)
    return best


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--inputs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json")
    parser.add_argument("--limit", type=float)
    args = parser.parse_args(argv)

    # One thread: waking another takes longer than this graph.
    torch.set_num_threads(1)
    text = make_text(args.inputs)
    operator = define(text)
    programs = operator.programs(args.device)
    inputs = [torch.rand(SHAPE, device=args.device) for _ in range(args.inputs)]
    leaves = [t.clone().requires_grad_() for t in inputs]
    library, bare = define_bare(args.inputs, args.device)
    cotangent = torch.rand(SHAPE, device=args.device)

    def step(call):
        torch.autograd.grad(call(*leaves), leaves, cotangent)

    times = measure({
        "bare": lambda: bare(*inputs),
        "operator": lambda: operator(*inputs),
        "overload": lambda: operator.overload(*inputs),
        "program": lambda: programs.inference(*inputs),
        "bare_step": lambda: step(bare),
        "operator_step": lambda: step(lambda *leaves: operator(*leaves)[0]),
        "overload_step": lambda: step(operator.overload),
    }, args.device, args.rounds)
    own = times["operator"] - times["bare"]
    own_step = times["operator_step"] - times["bare_step"]
    launches = [p.num_launches for p in (programs.inference, programs.forward, programs.backward)]
    report = {"device": args.device, "inputs": args.inputs, "torch": torch.__version__,
              "python": sys.version.split()[0], "tilefuse": tilefuse.__version__,
              "microseconds": times, "launches": launches, "own": own, "own_step": own_step}
    print(f"{args.inputs} inputs on {args.device}: inference {times['operator']:.1f} us, "
          f"bare {times['bare']:.1f} us, own part {own:.1f} us")
    print(f"forward and backward {times['operator_step']:.1f} us, bare "
          f"{times['bare_step']:.1f} us, own part {own_step:.1f} us (two calls)")
    print(f"launches: inference {launches[0]}, forward {launches[1]}, backward {launches[2]}")
    print(f"through torch.ops: inference {times['overload']:.1f} us, forward and backward "
          f"{times['overload_step']:.1f} us")
    print(f"Program called directly: {times['program']:.1f} us")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=2) + "\n")
    return 1 if args.limit is not None and own > args.limit else 0


if __name__ == "__main__":
    sys.exit(main())

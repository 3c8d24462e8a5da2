"""The bits of training programs: a digest of every output, the same in every run.

    python test/gpu/bits.py [--rounds=N] [--device=cuda] [--schedule-target=T] FILE...

FILE is a graph's text, compiled here with its gradients, or a saved program. Each is run
forward and backward N times (20 at first), on one and on two threads in turn, and every
time its outputs and workspace are filled with another pattern beforehand, NaN first.
Prints one JSON object, FILE to digest; exits with 1, and says where, when two runs differ.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is compiled here must be this build's.
os.environ["TILEFUSE_CACHE_DIR"] = ""
if "TILEFUSE_LIBRARY_DIR" not in os.environ and "TILEFUSE_BUILD" in os.environ:
    os.environ["TILEFUSE_LIBRARY_DIR"] = os.path.join(os.environ["TILEFUSE_BUILD"], "lib")
# A checkout has it in the one, the portable tarball in the other.
sys.path[:0] = [str(ROOT / "python_bindings"), str(ROOT / "python")]
import tilefuse  # noqa: E402

# Bytes: NaN of every float type, zero, 1.0e+13-ish, and what a run before left (None).
PATTERNS = [0xFF, 0x00, 0x57, None]


class Memory:
    """Buffers that are poisoned before each run, 256-byte aligned."""

    def __init__(self, sizes, device):
        self.raw = [torch.zeros(size + 512, dtype=torch.uint8, device=device) for size in sizes]
        self.parts = []
        for raw, size in zip(self.raw, sizes):
            start = -raw.data_ptr() % 256
            self.parts.append(raw[start:start + size])

    def poison(self, pattern):
        if pattern is not None:
            for raw in self.raw:
                raw.fill_(pattern)

    def addresses(self):
        return [part.data_ptr() for part in self.parts]


def count_bytes(info):
    size = torch.empty((), dtype=getattr(torch, info.dtype)).element_size()
    for extent in info.shape:
        size *= extent
    return size


def make_input(info, generator):
    """Positive where a variance may be meant, else of both signs."""
    kind = getattr(torch, info.dtype)
    if not kind.is_floating_point:
        return torch.randint(0, 2, info.shape, generator=generator).to(kind)
    drawn = torch.rand(info.shape, generator=generator, dtype=torch.float64)
    return (drawn + 0.5 if "var" in info.name else drawn * 2 - 1).to(kind)


class Entry:
    """One entry with its outputs and its scratch memory."""

    def __init__(self, program, device):
        self.program, self.device = program, device
        self.outputs = Memory([count_bytes(info) for info in program.outputs], device)
        self.workspace = Memory([program.workspace_bytes], device)

    def run(self, inputs, pattern, threads):
        self.outputs.poison(pattern)
        self.workspace.poison(pattern)
        (scratch,) = self.workspace.addresses()
        if self.device == "cpu":
            self.program.run_on_host(inputs, self.outputs.addresses(), scratch, threads)
        else:
            self.program.launch(torch.cuda.current_device(),
                                torch.cuda.current_stream().cuda_stream, inputs,
                                self.outputs.addresses(), scratch)
            torch.cuda.synchronize()
        return self.outputs.addresses()

    def digests(self):
        return [hashlib.sha256(part.cpu().numpy().tobytes()).hexdigest()
                for part in self.outputs.parts]


def run_file(path, arguments):
    """(digest of everything, what differed)"""
    path = pathlib.Path(path)
    if path.suffix == ".mlir":
        target = "cpu" if arguments.device == "cpu" else "sm_90a"
        program = tilefuse.compile(path.read_text(), target=target, gradients=True,
                                   schedule_target=arguments.schedule_target)
    else:
        program = tilefuse.Program.load(path)
    forward, backward = (Entry(program.select(name), arguments.device)
                         for name in program.entries)
    generator = torch.Generator().manual_seed(11)
    place = lambda tensor: tensor.to(arguments.device).contiguous()
    inputs = [place(make_input(info, generator)) for info in forward.program.inputs]
    saved = backward.program.saved
    cotangents = [place(torch.randn(info.shape, generator=generator, dtype=torch.float64).to(
        getattr(torch, info.dtype))) for info in backward.program.inputs[len(saved):]]
    results = len(forward.program.outputs) - sum(
        info.name.startswith("residual") for info in forward.program.outputs)

    first = None
    names = [info.name for entry in (forward, backward) for info in entry.program.outputs]
    for index in range(arguments.rounds):
        pattern, threads = PATTERNS[index % len(PATTERNS)], 1 + index // 2 % 2
        addresses = [tensor.data_ptr() for tensor in inputs]
        made = forward.run(addresses, pattern, threads)
        source = {"argument": lambda i: addresses[i], "result": lambda i: made[i],
                  "residual": lambda i: made[results + i]}
        backward.run([source[kind](i) for kind, i in saved] +
                     [tensor.data_ptr() for tensor in cotangents], pattern, threads)
        digests = forward.digests() + backward.digests()
        first = first or digests
        wrong = [name for name, one, other in zip(names, first, digests) if one != other]
        if wrong:
            return None, f"{path.name}, run {index}: {', '.join(wrong)} differ"
    # Ends that nobody wrote would have shown: each pattern makes other bits of them.
    return hashlib.sha256("".join(first).encode()).hexdigest(), ""


def main():
    parser = argparse.ArgumentParser(description="the bits of training programs")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--schedule-target")
    arguments = parser.parse_args()
    digests, problems = {}, []
    for path in arguments.files:
        digests[path], problem = run_file(path, arguments)
        problems += [problem] if problem else []
    print(json.dumps(digests))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""Many random graphs, forward and backward, several to a process.

    python test/numerics/sweep.py FIRST COUNT    checks the seeds FIRST, FIRST + 1, ...

Prints one JSON line a seed. `sweep(first, count)` does so in worker processes, and
survives one that crashes: the seed it was at is reported and the rest goes on.
"""

import json
import subprocess
import sys

import fuserun

# f32 and f64 alone: a graph of 16-bit values has too few bits for its gradient to tell a
# wrong rule from a rounding. Casts to 16 bits and back are in them.
DTYPES = ("f32",) * 8 + ("f64",)
# Seconds a worker may take, and for each of its graphs: a busy machine is no failure.
TIMEOUT, TIMEOUT_EACH = 300, 10


def make_graph(seed):
    from chains import make_chain
    return make_chain(seed, dtypes=DTYPES)


def check_seed(seed):
    """What is wrong with one graph: its derivative in f64, then the graph as it is.

    Every other one runs the tile program of the GPU."""
    import gradients
    graph = make_graph(seed)
    target = "sm_90a" if seed % 2 else None
    problems = []
    for wide in (True, False):
        try:
            problems += [("wide " if wide else "native ") + problem
                         for problem in gradients.compare(graph, seed, target, wide)]
        except gradients.tilefuse.Error as error:
            return [str(error)]
    return problems


def work(first, count):
    import torch
    torch.set_num_threads(1)
    for seed in range(first, first + count):
        print(json.dumps({"start": seed}), flush=True)
        print(json.dumps({"seed": seed, "problems": check_seed(seed)}), flush=True)


def sweep(first, count, jobs=None, chunk=50):
    """{seed: problems} of those with any, and how many were checked."""
    jobs = jobs or fuserun.JOBS
    chunk = min(chunk, -(-count // jobs))
    waiting = [(start, min(chunk, first + count - start))
               for start in range(first, first + count, chunk)]
    wrong, checked, running = {}, 0, []
    while waiting or running:
        while waiting and len(running) < jobs:
            start, size = waiting.pop(0)
            running.append((start, size, subprocess.Popen(
                [sys.executable, __file__, str(start), str(size)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
        start, size, process = running.pop(0)
        try:
            out, errors = process.communicate(timeout=TIMEOUT + TIMEOUT_EACH * size)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
            errors = "no answer in time"
        at = start
        for line in out.splitlines():
            answer = json.loads(line)
            if "start" in answer:
                at = answer["start"]
                continue
            checked += 1
            at = answer["seed"] + 1
            if answer["problems"]:
                wrong[answer["seed"]] = answer["problems"]
        if at < start + size:
            wrong[at] = [f"exit {process.returncode}: {errors[-500:]}"]
            checked += 1
            if at + 1 < start + size:
                waiting.append((at + 1, start + size - at - 1))
    return wrong, checked


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]))

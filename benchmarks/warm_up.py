"""Compiles ahead of a measurement, in many processes: their disk caches then serve the one
that measures. Nothing is timed here.

A task is (name, mode, candidate). Each process compiles with one thread, for there are as many
processes as cores; what fails here fails again, and is reported, where it is measured.

What a compiler finds out by timing must not come from here, where the processes share the
GPU: inductor keeps no autotuning results, and max-autotune is no task.
"""

import multiprocessing
import os
import time

#: Candidates that compile ahead, and the environment their caches want.
COMPILED = ("tilefuse", "compile")
ENVIRONMENT = {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
               "TORCHINDUCTOR_AUTOGRAD_CACHE": "1", "OMP_NUM_THREADS": "1"}


def _start(arguments):
    global _arguments
    _arguments = arguments
    import compare
    import torch
    import torch._inductor.config
    compare.set_precision(arguments)
    torch.backends.cudnn.benchmark = False
    torch._inductor.config.autotune_local_cache = False


def _compile(task):
    import compare
    import torch
    name, mode, candidate = task
    start = time.perf_counter()
    failure = None
    try:
        torch._dynamo.reset()
        model = compare.load(name, _arguments)
        cotangents = compare.make_cotangents(model, _arguments)
        compare.make_run(candidate, model, mode, cotangents)[0]()
        compare.synchronize()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}".split("\n")[0]
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return task, time.perf_counter() - start, failure


def warm_up(tasks, processes, seconds, arguments):
    """Runs the tasks, those first that take longest; leaves the rest when time is over."""
    tasks = sorted(tasks, key=lambda task: -COMPILED.index(task[2]))
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    start = time.perf_counter()
    done = 0
    try:
        context = multiprocessing.get_context("spawn")
        with context.Pool(min(processes, len(tasks)), _start, (arguments,)) as pool:
            results = pool.imap_unordered(_compile, tasks)
            while done < len(tasks):
                left = seconds - (time.perf_counter() - start)
                try:
                    (name, mode, candidate), took, failure = results.next(max(left, 0.01))
                except multiprocessing.TimeoutError:
                    print(f"warm-up: {len(tasks) - done} tasks left when time was over", flush=True)
                    break
                done += 1
                print(f"warm-up [{done}/{len(tasks)}] {name} {mode} {candidate}: {took:.1f} s"
                      + (f", {failure[:200]}" if failure else ""), flush=True)
            pool.terminate()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    print(f"warm-up: {time.perf_counter() - start:.0f} s", flush=True)

"""The GPU tier. Needs a CUDA device and python3; PyTorch only for the last tests.

    python3 test/gpu/run.py [--build DIR] [--wheel FILE.whl] [--only PATTERN]

Run from an unpacked bundle (scripts/test.sh --gpu BUNDLE) or a checkout. Prints a
line a test and, at last, `N passed, N failed`.
"""

import argparse
import filecmp
import fnmatch
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples", "mlir")
LIMIT_SECONDS = 280


class Failure(Exception):
    """Why a test failed."""


def run(command, expect=0):
    result = subprocess.run(command, capture_output=True, text=True, check=False,
                            timeout=LIMIT_SECONDS)
    if result.returncode != expect:
        raise Failure("%s\nexit %d, expected %d\n%s%s" % (
            " ".join(command), result.returncode, expect, result.stderr[-3000:],
            result.stdout[-3000:]))
    return result.stdout


def check_example(tools, path):
    """Every output of one graph is right on the GPU."""
    report = json.loads(run([tools["fuse-run"], path, "--device=cuda", "--check", "--json"]))
    errors = [output["error"] for output in report["check"]["outputs"]
              if output.get("error") is not None]
    return "error %.1e" % max(errors) if errors else ""


def check_same_bits(tools, path):
    """Two runs on the same inputs give the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        folders = [os.path.join(folder, str(index)) for index in range(2)]
        for output in folders:
            os.mkdir(output)
            run([tools["fuse-run"], path, "--device=cuda", "--seed=7",
                 "--output-dir=" + output])
        names = sorted(os.listdir(folders[0]))
        if not names:
            raise Failure("no outputs were written")
        for name in names:
            if not filecmp.cmp(*[os.path.join(f, name) for f in folders], shallow=False):
                raise Failure(name + " differs between two runs")


def check_gradient_bits(build, paths):
    """Outputs and gradients are the same bits in 20 runs with poisoned memory, and in
    another process."""
    os.environ["TILEFUSE_LIBRARY_DIR"] = os.path.join(build, "lib")
    script = os.path.join(ROOT, "test", "gpu", "bits.py")
    digests = [json.loads(run([sys.executable, script, "--device=cuda", "--rounds=%d" % rounds]
                              + paths)) for rounds in (20, 2)]
    if digests[0] != digests[1]:
        raise Failure("two processes give other bits: %s" % digests)


def sanitize(tools, path, checker):
    """compute-sanitizer finds nothing in the inference kernels, nor in those of a
    training step, and says so itself."""
    for more in ([], ["--grad"]):
        output = run([tools["compute-sanitizer"], "--tool", checker, "--error-exitcode", "9",
                      tools["fuse-run"], path, "--device=cuda"] + more)
        summary = re.findall("SUMMARY: .*", output)
        if not summary or not re.match("SUMMARY: 0 (errors|hazards)", summary[-1]):
            raise Failure("no clean summary of %s: %s" % (checker, output[-300:]))
    return summary[-1]


def write_integers(path, values):
    """A .npy file of int32."""
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header = header.ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                   + struct.pack("<%di" % len(values), *values))


def check_diagnostics(tools):
    """tile.debug_print prints every element once; a false tile.assert is an error."""
    program = os.path.join(ROOT, "test", "gpu", "diagnostics.mlir")
    with tempfile.TemporaryDirectory() as folder:
        values = os.path.join(folder, "x.npy")
        command = [tools["fuse-run"], program, "--device=cuda", "--input=" + values]
        write_integers(values, [0, -7, 2])
        output = run(command)
        for block in range(2):
            for line in ["v = [0] 0", "v = [1] -7", "v = [2] 2", "100%:  2.5"]:
                if output.count("(%d, 0, 0) %s\n" % (block, line)) != 1:
                    raise Failure("'%s' is not printed once:\n%s" % (line, output))
        write_integers(values, [0, 5, 2])
        run(command, expect=1)


def check_wrong_program(tools, path, changed):
    """A miscompiled tile program is noticed."""
    with tempfile.TemporaryDirectory() as folder:
        tile = os.path.join(folder, "tile.mlir")
        run([tools["fuse-compile"], path, "--target=sm_90a", "--emit=tile", "-o", tile])
        with open(tile) as file:
            text = file.read()
        if changed[0] not in text:
            raise Failure("the tile text has no " + changed[0])
        with open(tile, "w") as file:
            file.write(text.replace(*changed))
        run([tools["fuse-run"], tile, "--device=cuda", "--check=" + path], expect=1)


def check_python_layer(build):
    """The Python layer: the caller's stream, a CUDA graph replayed 100 times."""
    code = """
import sys, torch
sys.path[:0] = [%r, %r]
import tilefuse
text = open(%r).read()
program = tilefuse.compile(text, target="sm_90a")
torch.manual_seed(5)
arguments = [torch.rand(i.shape, device="cuda") for i in program.inputs]
stream = torch.cuda.Stream()
with torch.cuda.stream(stream):
    first = program(*arguments)
stream.synchronize()
graph = torch.cuda.CUDAGraph()
with torch.cuda.graph(graph):
    again = program(*arguments)
for _ in range(100):
    graph.replay()
torch.cuda.synchronize()
as_tuple = lambda value: value if isinstance(value, (tuple, list)) else (value,)
for a, b in zip(as_tuple(first), as_tuple(again)):
    assert torch.equal(a, b), "a replayed graph gives other bits"
""" % (os.path.join(ROOT, "python"), os.path.join(ROOT, "python_bindings"),
       sorted(glob.glob(os.path.join(EXAMPLES, "small", "*.mlir")))[0])
    os.environ["TILEFUSE_LIBRARY_DIR"] = os.path.join(build, "lib")
    run([sys.executable, "-c", code])


def check_operators(build):
    """Programs and operators on PyTorch's tensors: test/gpu/operators.py."""
    os.environ["TILEFUSE_LIBRARY_DIR"] = os.path.join(build, "lib")
    output = run([sys.executable, os.path.join(ROOT, "test", "gpu", "operators.py")])
    return output.strip().splitlines()[-1]


def check_backend_by_name(folder):
    """torch.compile(model, backend="tilefuse") with the package in a folder and no more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TILEFUSE")}
    os.environ.clear()
    os.environ.update(kept, PYTHONPATH=folder)
    output = run([sys.executable, os.path.join(ROOT, "test", "gpu", "by_name.py"), "cuda"])
    if not output.startswith(folder):
        raise Failure("another tilefuse ran: " + output)
    return output.removeprefix(folder).strip()


def check_wheel(wheel):
    """The same with what is in a wheel."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(wheel, folder, "zip")
        return check_backend_by_name(folder)


def list_tests(tools, build, wheel):
    """(name, function) in the order they run: cheap and telling first."""
    small = sorted(glob.glob(os.path.join(EXAMPLES, "small", "*.mlir")))
    full = sorted(glob.glob(os.path.join(EXAMPLES, "*.mlir")))
    name = lambda path: os.path.basename(path)[:-5]
    tests = []
    for path in small:
        tests.append(("small/" + name(path), lambda p=path: check_example(tools, p)))
        tests.append(("same-bits/" + name(path), lambda p=path: check_same_bits(tools, p)))
    tests.append(("diagnostics", lambda: check_diagnostics(tools)))
    tests.append(("wrong-program", lambda: check_wrong_program(
        tools, os.path.join(EXAMPLES, "small", "p82.mlir"),
        ("dense<2.000000e+00>", "dense<2.500000e+00>"))))
    for path in full:
        tests.append(("full/" + name(path), lambda p=path: check_example(tools, p)))
    tests.append(("same-bits/gradients", lambda: check_gradient_bits(build, small)))
    for path in small[:1]:
        tests.append(("python", lambda: check_python_layer(build)))
        tests.append(("operators", lambda: check_operators(build)))
    bundled = os.path.join(ROOT, "python")
    if glob.glob(os.path.join(bundled, "tilefuse-*.dist-info")):
        tests.append(("backend-by-name", lambda: check_backend_by_name(bundled)))
    if wheel:
        tests.append(("wheel", lambda: check_wheel(wheel)))
    if tools.get("compute-sanitizer"):
        for path in small:
            for checker in ("memcheck", "racecheck"):
                tests.append(("%s/%s" % (checker, name(path)),
                              lambda p=path, c=checker: sanitize(tools, p, c)))
    return tests


def find_tools(build):
    tools = {name: os.path.join(build, "bin", name)
             for name in ("fuse-opt", "fuse-compile", "fuse-run")}
    sanitizer = shutil.which("compute-sanitizer", path=os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
        + glob.glob("/usr/local/cuda-*/bin")))
    tools["compute-sanitizer"] = sanitizer
    return tools


def main():
    parser = argparse.ArgumentParser(description="the GPU tier")
    parser.add_argument("--build", help="a folder with bin/; the bundle's own by default")
    parser.add_argument("--wheel", help="a wheel of scripts/make-wheel.sh, used by its name")
    parser.add_argument("--only", default="*", help="names to run, such as 'full/*'")
    arguments = parser.parse_args()
    build = arguments.build or (
        ROOT if os.path.isdir(os.path.join(ROOT, "bin"))
        else os.path.join(ROOT, "build", "release"))
    tools = find_tools(build)
    commit = os.path.join(ROOT, "COMMIT")
    if os.path.exists(commit):
        with open(commit) as file:
            print("commit " + file.read().strip())
    if not tools["compute-sanitizer"]:
        print("no compute-sanitizer here: memcheck and racecheck are not run")

    passed = failed = 0
    for name, function in list_tests(tools, build, arguments.wheel):
        if not fnmatch.fnmatch(name, arguments.only):
            continue
        start = time.time()
        try:
            note, ok = function() or "", True
        except (Failure, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            note, ok = "%s: %s" % (type(error).__name__, error), False
        passed, failed = passed + ok, failed + (not ok)
        print("%-6s %-24s %6.1f s  %s" % ("ok" if ok else "FAILED", name,
                                          time.time() - start, note), flush=True)
    if passed + failed == 0:
        failed = 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

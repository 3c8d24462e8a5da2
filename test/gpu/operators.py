"""Programs and operators on PyTorch's CUDA tensors.

    operators.py [--save DIR | --programs DIR] [--only NAME]

One line a test, then `N passed, N failed`. With --save, no GPU is needed: the programs are
compiled into DIR. With --programs, they are read from there, and no compiler is needed.
"""

import argparse
import copy
import hashlib
import pathlib
import pickle
import sys
import threading
import traceback

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "python_bindings"), str(ROOT / "benchmarks")]
import accuracy  # noqa: E402
import call_overhead  # noqa: E402
import tilefuse  # noqa: E402
from tilefuse import _compiler  # noqa: E402
from tilefuse.torch import direct  # noqa: E402
from tilefuse.torch.operators import define  # noqa: E402

TARGET = "sm_90a"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def stack(tensor, channels):
    """A bias and a tanh behind a 3x3 convolution."""
    return f"""func.func @conv(%x: tensor<8x16x34x34x{tensor}>, %w: tensor<{channels}x16x3x3x{tensor}>,
    %b: tensor<{channels}x1x1x{tensor}>) -> tensor<8x{channels}x32x32x{tensor}> {{
  %0 = fuse.conv2d %x, %w : (tensor<8x16x34x34x{tensor}>, tensor<{channels}x16x3x3x{tensor}>) -> tensor<8x{channels}x32x32x{tensor}>
  %1 = fuse.add %0, %b : (tensor<8x{channels}x32x32x{tensor}>, tensor<{channels}x1x1x{tensor}>) -> tensor<8x{channels}x32x32x{tensor}>
  %2 = fuse.tanh %1 : tensor<8x{channels}x32x32x{tensor}>
  return %2 : tensor<8x{channels}x32x32x{tensor}>
}}"""


CONV = stack("f32", 32)
NORM = """func.func @norm(%x: tensor<16x24x20x20xf32>, %g: tensor<24xf32>, %b: tensor<24xf32>,
    %m: tensor<24xf32> {fuse.alias_result = 1 : i64}, %v: tensor<24xf32> {fuse.alias_result = 2 : i64})
    -> (tensor<16x24x20x20xf32>, tensor<24xf32>, tensor<24xf32>) {
  %y:3 = fuse.batch_norm %x, %g, %b, %m, %v : (tensor<16x24x20x20xf32>, tensor<24xf32>, tensor<24xf32>, tensor<24xf32>, tensor<24xf32>) -> (tensor<16x24x20x20xf32>, tensor<24xf32>, tensor<24xf32>)
  return %y#0, %y#1, %y#2 : tensor<16x24x20x20xf32>, tensor<24xf32>, tensor<24xf32>
}"""
SUM = call_overhead.make_text(4)
# What the tests compile: text and arguments to differentiate.
PROGRAMS = [(CONV, ()), (CONV, (0, 1, 2)), (CONV, (1, 2)), (NORM, ()), (NORM, (0, 1, 2)),
            (SUM, ()), (SUM, (0, 1, 2, 3))]


def file_name(*key):
    return hashlib.sha256(repr(key).encode()).hexdigest()[:16]


def save(folder):
    """Compiles what the tests need."""
    folder.mkdir(parents=True, exist_ok=True)
    for text, wanted in PROGRAMS:
        program = tilefuse.compile(text, TARGET, gradients=wanted or False)
        program.save(folder / f"{file_name(text, TARGET, wanted)}.tfp")
        (folder / f"{file_name(text)}.pickle").write_bytes(pickle.dumps(tilefuse.describe(text)))


def use_saved(folder):
    """Replaces the compiler by a folder."""
    loaded = {}

    def compile(text, target, schedule_target=None, gradients=False):
        name = file_name(text, target, gradients or ())
        if name not in loaded:
            loaded[name] = tilefuse.Program.load(folder / f"{name}.tfp")
        return loaded[name]

    _compiler.compile = compile
    _compiler.describe = lambda text: pickle.loads((folder / f"{file_name(text)}.pickle").read_bytes())


def make_inputs(text, seed=0):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    inputs = [torch.randn(info.shape, device="cuda", generator=generator)
              for info in _compiler.describe(text)[0].inputs]
    if text == NORM:
        inputs[4].abs_()
    return inputs


def leaves(text, seed=0):
    return [t.requires_grad_(not (text == NORM and i > 2))
            for i, t in enumerate(make_inputs(text, seed))]


def make_cotangent(result):
    generator = torch.Generator(device="cuda").manual_seed(99)
    return torch.randn(result.shape, device="cuda", generator=generator).to(result.dtype)


def step(operator, inputs):
    """Results, gradients and state of one training step."""
    inputs = [t.detach().clone().requires_grad_(t.requires_grad) for t in inputs]
    result = operator(*inputs)[0]
    cotangent = make_cotangent(result)
    wanted = [t for t in inputs if t.requires_grad]
    return [result.detach(), *torch.autograd.grad(result, wanted, cotangent),
            *[t for t in inputs if not t.requires_grad]]


def same(a, b, what):
    assert len(a) == len(b)
    for i, (x, y) in enumerate(zip(a, b)):
        assert torch.equal(x, y), f"{what}: tensor {i} differs"


def error(value, exact):
    return ((value.double() - exact).norm() / exact.norm()).item()


@test
def right_results():
    """As accurate as PyTorch, or as products whose operands are rounded to TF32."""
    def eager(*t):
        return (torch.tanh(torch.conv2d(t[0], t[1]) + t[2]),)

    inputs = leaves(CONV)
    got = step(define(CONV), inputs)
    own = step(eager, inputs)
    wide = [t.detach().double().requires_grad_() for t in inputs]
    want = step(eager, wide)
    with accuracy.RoundMultiplicands(convolutions=True, products=False):
        rounded = step(eager, wide)
    errors = [(error(g, e), max(error(o, e), error(r, e)))
              for g, o, r, e in zip(got, own, rounded, want)]
    for mine, allowed in errors:
        assert mine <= 1.1 * max(allowed, 1e-6), errors
    return " ".join(f"{mine:.1e} ({allowed:.1e})" for mine, allowed in errors)


@test
def state_is_updated():
    inputs = leaves(NORM)
    norm = torch.nn.BatchNorm2d(24, device="cuda", dtype=torch.float64)
    got = step(define(NORM), inputs)
    wide = [t.detach().double() for t in inputs]
    x, gamma, beta = [t.requires_grad_() for t in wide[:3]]
    result = torch.nn.functional.batch_norm(x, wide[3], wide[4], gamma, beta, training=True)
    cotangent = make_cotangent(result)
    want = [result, *torch.autograd.grad(result, (x, gamma, beta), cotangent), *wide[3:]]
    worst = max(error(g, e) for g, e in zip(got, want))
    assert worst < 1e-5, worst
    return f"error {worst:.1e}"


@test
def direct_calls():
    """Calls like earlier ones, with state updated in place, give the bits of the first way."""
    operator = define(NORM)
    calls = [leaves(NORM, seed) for seed in range(4)]
    limit, direct.LIMIT = direct.LIMIT, 0
    try:
        want = [step(define(NORM, name="general"), inputs) for inputs in calls]
    finally:
        direct.LIMIT = limit
    for inputs, expected in zip(calls, want):
        same(step(operator, inputs), expected, "direct")
    assert operator.direct._calls[True], "no call was direct"
    marked = operator.programs("cuda", [t.requires_grad for t in calls[0]]).forward.inputs
    return f"{sum(info.in_place for info in marked)} of 2 states in place"


@test
def strange_layouts():
    operator = define(CONV)
    inputs = make_inputs(CONV)
    dense = operator(*inputs)[0]
    last = [t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for t in inputs]
    shifted = [torch.cat([t.new_zeros(1), t.flatten()])[1:].view(t.shape) for t in inputs]
    assert shifted[0].data_ptr() % 16 == 4
    strided = [torch.stack([t, t], -1)[..., 0] for t in inputs]
    for name, strange in (("channels_last", last), ("misaligned", shifted), ("strided", strided)):
        assert torch.equal(operator(*strange)[0], dense), name
    assert dense.is_contiguous()


@test
def nothing_synchronises():
    operator = define(NORM)
    inputs = leaves(NORM)
    step(operator, inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        step(operator, inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    # The host is far ahead of the device.
    torch.cuda._sleep(200_000_000)
    done = torch.cuda.Event()
    operator(*inputs)
    done.record()
    assert not done.query(), "a call waited for the device"
    torch.cuda.synchronize()


@test
def runs_on_the_current_stream():
    operator = define(CONV)
    inputs = make_inputs(CONV)
    want = operator(*inputs)[0]
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        late = torch.full_like(inputs[0], float("nan"))
        torch.cuda._sleep(100_000_000)
        late.copy_(inputs[0])
        got = operator(late, *inputs[1:])[0]
    stream.synchronize()
    assert torch.equal(got, want)


@test
def memory_is_pytorchs():
    operator = define(CONV)
    inputs = make_inputs(CONV)
    operator(*inputs)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    free = torch.cuda.mem_get_info()[0]
    result = operator(*inputs)[0]
    assert torch.cuda.memory_allocated() - before == result.numel() * 4
    for _ in range(50):
        result = operator(*inputs)[0]
    torch.cuda.synchronize()
    assert torch.cuda.mem_get_info()[0] == free, "memory outside PyTorch's pool"


@test
def graph_of_inference():
    operator = define(CONV)
    inputs = make_inputs(CONV)
    operator.load("cuda")
    with torch.no_grad():
        static = [t.clone() for t in inputs]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = operator(*static)[0]
        for seed in range(5):
            fresh = make_inputs(CONV, seed)
            for to, source in zip(static, fresh):
                to.copy_(source)
            graph.replay()
            assert torch.equal(result, operator(*fresh)[0]), f"replay {seed}"


@test
def graph_of_a_step():
    """Forward, backward and state in one captured graph, replayed 100 times."""
    operator = define(NORM)
    inputs = leaves(NORM)
    static = [t.detach().clone().requires_grad_(t.requires_grad) for t in inputs]
    cotangent = torch.randn(static[0].shape, device="cuda")

    def run(tensors):
        result = operator(*tensors)[0]
        return (result, *torch.autograd.grad(result, tensors[:3], cotangent))

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        run([t.detach().clone().requires_grad_(t.requires_grad) for t in inputs])
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = run(static)
    state = [t.clone() for t in static[3:]]
    for _ in range(100):
        graph.replay()
    eager = [t.detach().clone().requires_grad_(t.requires_grad) for t in inputs]
    eager[3:] = state
    for _ in range(100):
        want = run(eager)
    torch.cuda.synchronize()
    same([t.detach() for t in captured], [t.detach() for t in want], "captured")
    same(static[3:], eager[3:], "state")


@test
def two_threads_two_streams():
    operator = define(NORM)
    alone = [step(operator, leaves(NORM, seed)) for seed in range(2)]
    torch.cuda.synchronize()
    failures = []

    def work(seed):
        try:
            with torch.cuda.stream(torch.cuda.Stream()):
                for _ in range(50):
                    got = step(operator, leaves(NORM, seed))
                    torch.cuda.current_stream().synchronize()
                    same(got, alone[seed], f"thread {seed}")
        except BaseException as caught:  # noqa: BLE001
            failures.append(caught)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@test
def same_bits_twice():
    for text in (CONV, NORM):
        operator = define(text)
        first = step(operator, leaves(text))
        for _ in range(20):
            same(step(operator, leaves(text)), first, "run")


@test
def dlpack():
    class Exporter:
        def __init__(self, tensor):
            self.tensor = tensor

        def __dlpack__(self, **arguments):
            return self.tensor.__dlpack__(**arguments)

        def __dlpack_device__(self):
            return self.tensor.__dlpack_device__()

    inputs = make_inputs(CONV)
    program = define(CONV).programs("cuda").inference
    want = program(*inputs)[0]
    assert torch.equal(program(*map(Exporter, inputs))[0], want)
    out = torch.empty_like(want)
    assert program(*inputs, out=[out])[0] is out and torch.equal(out, want)


@test
def inputs_without_gradient():
    operator = define(CONV, gradients=(False, True, True))
    x, w, b = leaves(CONV)
    got = step(operator, (x.detach(), w, b))
    want = step(define(CONV), (x, w, b))
    same([got[0], *got[1:3]], [want[0], *want[2:4]], "gradients")


@test
def wrong_devices():
    x, w, b = make_inputs(CONV)
    program = define(CONV).programs("cuda").inference
    for wrong in ((x.cpu(), w, b), (x, w.cpu(), b)):
        try:
            program(*wrong)
        except tilefuse.ArgumentError:
            continue
        raise AssertionError("a tensor on the CPU was taken")


@test
def passes_opcheck():
    torch.library.opcheck(define(SUM).overload, leaves(SUM))
    torch.library.opcheck(define(NORM).overload, leaves(NORM))


@test
def modules_train_in_two_copies():
    """Copies of a module share its operator."""
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            _, w, b = make_inputs(CONV)
            self.w, self.b = torch.nn.Parameter(w), torch.nn.Parameter(b)
            self.operator = define(CONV, gradients=(False, True, True))

        def forward(self, x):
            return self.operator(x, self.w, self.b)[0]

    layer = Layer()
    twin = copy.deepcopy(layer)
    x = make_inputs(CONV)[0]
    for module in (layer, twin):
        module(x).square().mean().backward()
    same([layer.w.grad], [twin.w.grad], "copies")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--save", type=pathlib.Path)
    parser.add_argument("--programs", type=pathlib.Path)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    if args.save:
        save(args.save)
        return 0
    if args.programs:
        use_saved(args.programs)
    torch.backends.cuda.matmul.allow_tf32 = False
    passed = failed = 0
    for function in TESTS:
        if args.only not in function.__name__:
            continue
        try:
            note = function() or ""
            passed += 1
            print(f"ok     {function.__name__}  {note}", flush=True)
        except Exception:  # noqa: BLE001
            failed += 1
            print(f"FAILED {function.__name__}\n{traceback.format_exc()}", flush=True)
    if not args.only:
        call_overhead.main(["--device", "cuda"])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

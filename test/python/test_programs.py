"""Programs on NumPy arrays, tensors and DLPack objects; diagnostics; files; threads."""

import concurrent.futures
import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tilefuse
import torch
from operator_texts import chain, convolution, scalar_sum, two_results

WRONG = """func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = fuse.relu %x : tensor<3xf32>
  return %0 : tensor<3xf32>
}"""


def make_arrays(seed=3):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape).astype(np.float32)
            for shape in ((5, 7), (7, 6), (6,))]


def expected(x, w, b):
    return np.tanh(np.float64(x) @ np.float64(w) + b) * 2


def test_numpy():
    arrays = make_arrays()
    result, = tilefuse.compile(chain())(*arrays)
    assert isinstance(result, np.ndarray) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected(*arrays), rtol=1e-5, atol=1e-6)


def test_tensors_are_the_same_bits_as_arrays():
    arrays = make_arrays()
    program = tilefuse.compile(chain())
    result, = program(*map(torch.from_numpy, arrays))
    assert isinstance(result, torch.Tensor) and not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), program(*arrays)[0])


class Exporter:
    """An object that offers nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack():
    arrays = make_arrays()
    program = tilefuse.compile(chain())
    result, = program(*map(Exporter, arrays))
    np.testing.assert_array_equal(result, program(*arrays)[0])
    mixed, = program(torch.from_numpy(arrays[0]), Exporter(arrays[1]), arrays[2])
    np.testing.assert_array_equal(mixed.numpy(), result)


def misalign(array):
    """The same values, four bytes off any alignment."""
    memory = np.empty(array.size + 64, array.dtype)
    start = next(i for i in range(64) if memory[i:].ctypes.data % 16 == 4)
    result = memory[start:start + array.size].reshape(array.shape)
    result[...] = array
    return result


@pytest.mark.parametrize("to", [lambda a: a, torch.from_numpy], ids=["numpy", "torch"])
def test_layouts(to):
    arrays = make_arrays()
    program = tilefuse.compile(chain())
    dense, = program(*arrays)
    layouts = {"transposed": [np.asfortranarray(a) for a in arrays],
               "strided": [np.repeat(a, 2, axis=-1)[..., ::2] for a in arrays],
               "misaligned": [misalign(a) for a in arrays]}
    for name, strange in layouts.items():
        np.testing.assert_array_equal(np.asarray(program(*map(to, strange))[0]), dense, name)


def test_channels_last_and_negative_bit():
    program = tilefuse.compile(convolution())
    x, w = torch.randn(2, 3, 8, 9), torch.randn(4, 3, 3, 3)
    dense, = program(x, w)
    last, = program(x.contiguous(memory_format=torch.channels_last),
                    w.contiguous(memory_format=torch.channels_last))
    assert torch.equal(last, dense) and last.is_contiguous()
    negated, = program(torch._neg_view(-x), w)
    assert torch.equal(negated, dense)


def test_contiguous_inputs_are_not_copied(monkeypatch):
    import tilefuse._tensors as tensors

    monkeypatch.setattr(tensors, "_copy", lambda tensor: pytest.fail("an input was copied"))
    tilefuse.compile(chain())(*map(torch.from_numpy, make_arrays()))
    # A dim of size 1 may have any stride.
    wide = torch.randn(7, 2)[:, :1]
    program = tilefuse.compile(chain(columns=1))
    program(torch.randn(5, 7), wide.contiguous().as_strided((7, 1), (1, 99)), torch.randn(1))


@pytest.mark.parametrize("to", [lambda a: a, torch.from_numpy], ids=["numpy", "torch"])
def test_given_outputs(to):
    arrays = [to(a) for a in make_arrays()]
    program = tilefuse.compile(chain())
    given = to(np.full((5, 6), np.nan, np.float32))
    result, = program(*arrays, out=[given])
    assert result is given
    np.testing.assert_array_equal(np.asarray(given), np.asarray(program(*arrays)[0]))
    with pytest.raises(tilefuse.ArgumentError, match="output 'out0' must be"):
        program(*arrays, out=[to(np.zeros((6, 5), np.float32)).T])


def test_scalars_and_several_results():
    total, = tilefuse.compile(scalar_sum())(np.arange(37, dtype=np.float32))
    assert total.shape == () and total == 666
    x, y = np.random.default_rng(1).standard_normal((2, 3, 4)).astype(np.float32)
    product, double = tilefuse.compile(two_results())(x, y)
    np.testing.assert_array_equal(product, x * y)
    np.testing.assert_array_equal(double, x + x)


@pytest.mark.parametrize("change, message", [
    (lambda a: a[:2], "expected 3 inputs, found 2"),
    (lambda a: [a[0], a[1], a[2].astype(np.float64)],
     r"input 'b' must be float32\[6\], found float64\[6\]"),
    (lambda a: [a[0].T, a[1], a[2]], r"input 'x' must be float32\[5, 7\], found float32\[7, 5\]"),
    (lambda a: [a[0], "w", a[2]], "input 'w' must be an array, found str"),
    (lambda a: [torch.from_numpy(a[0]), torch.from_numpy(a[1]).to("meta"), a[2]],
     "every input must be on cpu, found cpu, meta"),
], ids=["count", "dtype", "shape", "kind", "device"])
def test_wrong_arguments(change, message):
    with pytest.raises(tilefuse.ArgumentError, match=message) as caught:
        tilefuse.compile(chain())(*change(make_arrays()))
    assert isinstance(caught.value, ValueError)


def test_diagnostics_are_the_compilers():
    with pytest.raises(tilefuse.CompileError) as caught:
        tilefuse.compile(WRONG)
    error = caught.value
    assert error.location == "<source>:2:18"
    assert "'%x' expects different type than prior uses" in error.diagnostic
    assert str(error) == f"{error.location}: {error.diagnostic}"
    with pytest.raises(tilefuse.ArgumentError, match="unknown target 'sm_1'"):
        tilefuse.compile(chain(), target="sm_1")
    with pytest.raises(tilefuse.ArgumentError, match="unknown stage 'nonsense'"):
        tilefuse.emit(chain(), "nonsense")
    with pytest.raises(tilefuse.NotFoundError, match="no entry 'g'"):
        tilefuse.compile(chain()).select("g")


def test_hostile_text_does_not_abort():
    with pytest.raises(tilefuse.CompileError):
        tilefuse.compile("[" * 60000)
    with pytest.raises(tilefuse.CompileError):
        tilefuse.describe("module {")


def test_describe_and_emit():
    signature, = tilefuse.describe(chain())
    program = tilefuse.compile(chain())
    assert signature.inputs == program.inputs and signature.entry == program.entry == "chain"
    assert [info.shape for info in signature.outputs] == [(5, 6)]
    assert "fuse.kernel" in tilefuse.emit(chain(), "kernels")
    assert ".target sm_90a" in tilefuse.emit(chain(), "ptx", target="sm_90a")
    assert program.launches[0].kernel.startswith("chain") and program.num_launches >= 1


def test_gradients_of_chosen_arguments():
    program = tilefuse.compile(chain("f64"), gradients=[2, 0])
    backward = program.select("chain_backward")
    assert [info.name for info in backward.outputs] == ["grad_b", "grad_x"]
    with pytest.raises(tilefuse.ArgumentError, match="names no argument"):
        tilefuse.compile(chain(), gradients=[])
    with pytest.raises(tilefuse.CompileError, match="'wrt' names argument 3"):
        tilefuse.compile(chain(), gradients=[3])


def test_files(tmp_path):
    arrays = make_arrays()
    program = tilefuse.compile(chain())
    program.save(tmp_path / "f.tfp")
    assert (tmp_path / "f.tfp").read_bytes() == program.serialize()
    again = tilefuse.Program.load(tmp_path / "f.tfp")
    np.testing.assert_array_equal(again(*arrays)[0], program(*arrays)[0])
    with pytest.raises(tilefuse.ProgramError, match="truncated"):
        tilefuse.Program.deserialize(program.serialize()[:-1])
    with pytest.raises(tilefuse.ProgramError, match="not a tilefuse program"):
        tilefuse.Program.deserialize(b"")


def test_copies():
    program = tilefuse.compile(chain(), gradients=True).select("chain_backward")
    assert copy.deepcopy(program) is program
    other = pickle.loads(pickle.dumps(program))
    assert other.inputs == program.inputs and other.entry == program.entry


def test_equal_texts_share_a_program():
    assert tilefuse.compile(chain()) is tilefuse.compile(chain())
    assert tilefuse.compile(chain()) is not tilefuse.compile(chain(), cache=False)
    assert tilefuse.compile(chain()) is not tilefuse.compile(chain(), gradients=True)


def test_threads_share_a_program():
    program = tilefuse.compile(chain(rows=64, inner=65, columns=66))
    arrays = [np.random.default_rng(9).standard_normal(info.shape).astype(np.float32)
              for info in program.inputs]
    alone, = program(*arrays, threads=1)

    def run(_):
        return all(np.array_equal(program(*arrays)[0], alone) for _ in range(20))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, range(4)))


def test_threads_compile_at_once():
    def run(size):
        return tilefuse.compile(chain(rows=size), cache=False).inputs[0].shape

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(1, 9))) == [(size, 7) for size in range(1, 9)]


def test_importing_needs_no_framework():
    code = ("import sys, tilefuse; tilefuse.describe('func.func @f(%x: tensor<2xf32>) -> "
            "tensor<2xf32> { return %x : tensor<2xf32> }'); "
            "assert not {'torch', 'numpy'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, env={
        **__import__("os").environ, "PYTHONPATH": tilefuse.__path__[0] + "/.."})


def test_a_gpu_program_says_what_it_needs():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    program = tilefuse.compile(chain(), target="sm_90a")
    with pytest.raises(tilefuse.ArgumentError, match="the program is for sm_90a"):
        program(*map(torch.from_numpy, make_arrays()))
    with pytest.raises((tilefuse.NotFoundError, tilefuse.DeviceError)):
        program.load_on(0)

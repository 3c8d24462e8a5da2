// Compiles a graph from text and runs it on the CPU; no GPU needed.

#include <tilefuse/Compile.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

static const char *source = R"(
func.func @scale_tanh(%x: tensor<1000xf32>) -> tensor<1000xf32> {
  %two = fuse.constant dense<2.0> : tensor<f32>
  %t = fuse.tanh %x : tensor<1000xf32>
  %y = fuse.mul %t, %two : (tensor<1000xf32>, tensor<f32>) -> tensor<1000xf32>
  return %y : tensor<1000xf32>
}
)";

static int fail(const tilefuse::Error &error) {
  std::fprintf(stderr, "error: %s\n", error.toString().c_str());
  return 1;
}

int main() {
  tilefuse::CompileOptions options;
  options.target = "cpu";
  auto program = tilefuse::compile(source, options);
  if (!program)
    return fail(program.error());

  // A saved program carries its source and is compiled again where it runs.
  auto loaded = tilefuse::Program::deserialize(program->serialize());
  if (!loaded)
    return fail(loaded.error());
  auto ready = tilefuse::recompile(*loaded);
  if (!ready)
    return fail(ready.error());

  // 64-byte aligned memory, as the signature may ask for up to that.
  auto allocate = [](size_t bytes) {
    return std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  };
  const auto &signature = ready->signature();
  auto *x = static_cast<float *>(allocate(signature.inputs[0].getByteSize()));
  auto *y = static_cast<float *>(allocate(signature.outputs[0].getByteSize()));
  void *workspace =
      ready->workspaceBytes() ? allocate(ready->workspaceBytes()) : nullptr;
  for (int i = 0; i < 1000; ++i)
    x[i] = (i - 500) * 0.01f;

  const void *inputs[] = {x};
  void *outputs[] = {y};
  if (auto ok = ready->runOnHost(inputs, outputs, workspace); !ok)
    return fail(ok.error());

  double worst = 0;
  for (int i = 0; i < 1000; ++i)
    worst = std::fmax(worst, std::fabs(y[i] - 2.0 * std::tanh(x[i])));
  std::printf("%zu launch(es), worst error %.2g\n", ready->launches().size(),
              worst);
  return worst < 1e-6 ? 0 : 1;
}

// Runs a saved GPU program with the runtime alone (no LLVM):
//
//   fuse-compile graph.mlir -o graph.tfp
//   run_program graph.tfp [ROUNDS [ENTRY]]
//
// f32 inputs are random, others zero; prints a checksum of each f32 output and
// the median time.

#include <tilefuse/Runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

static int fail(const tilefuse::Error &error) {
  std::fprintf(stderr, "error: %s\n", error.toString().c_str());
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: run_program PROGRAM [ROUNDS [ENTRY]]\n");
    return 1;
  }
  auto program = tilefuse::Program::load(argv[1]);
  if (!program)
    return fail(program.error());
  if (argc > 3) {
    program = program->select(argv[3]);
    if (!program)
      return fail(program.error());
  }
  const tilefuse::Signature &signature = program->signature();

  std::mt19937 generator(0);
  std::uniform_real_distribution<float> uniform(0.5f, 1.0f);
  std::vector<std::vector<float>> inputs, outputs;
  for (const auto &info : signature.inputs) {
    inputs.emplace_back((info.getByteSize() + 3) / 4);
    if (info.dtype == tilefuse::DType::F32)
      for (float &value : inputs.back())
        value = uniform(generator);
  }
  for (const auto &info : signature.outputs)
    outputs.emplace_back((info.getByteSize() + 3) / 4);

  std::vector<const void *> inputAddresses;
  std::vector<void *> outputAddresses;
  for (auto &input : inputs)
    inputAddresses.push_back(input.data());
  for (auto &output : outputs)
    outputAddresses.push_back(output.data());

  unsigned rounds = argc > 2 ? std::atoi(argv[2]) : 0;
  auto times = tilefuse::runOnDevice(*program, /*device=*/0, inputAddresses,
                                     outputAddresses, rounds);
  if (!times)
    return fail(times.error());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (signature.outputs[i].dtype != tilefuse::DType::F32)
      continue;
    double sum = 0;
    for (float value : outputs[i])
      sum += value;
    std::printf("%s: sum %.9g\n", signature.outputs[i].name.c_str(), sum);
  }
  if (!times->empty()) {
    std::sort(times->begin(), times->end());
    std::printf("median %.3f ms over %zu runs\n", (*times)[times->size() / 2],
                times->size());
  }
  return 0;
}

// Trains a small network on the CPU with gradients that tilefuse derives, and
// prints its loss curve:
//
//   train_cnn [STEPS]
//
// Two blocks of convolution, batch normalisation, relu and max-pool, then a
// linear layer and the cross-entropy. The graph below is all there is of it:
// the forward and the backward pass are compiled from it, fused; the optimiser,
// SGD with momentum, is plain C++.

#include <tilefuse/Compile.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

// Convolutions of f32 multiply in TF32 unless told otherwise, as PyTorch's on a
// GPU do. Here they are told. `fuse.alias_result = i` says that an argument is
// state whose next value is result i: the running statistics are updated in
// place and have no gradient.
static const char *source = R"(
func.func @loss(%x: tensor<64x1x16x16xf32>, %target: tensor<64x4xf32>,
    %w1: tensor<8x1x3x3xf32>, %gamma1: tensor<8xf32>, %beta1: tensor<8xf32>,
    %mean1: tensor<8xf32> {fuse.alias_result = 1}, %var1: tensor<8xf32> {fuse.alias_result = 2},
    %w2: tensor<16x8x3x3xf32>, %gamma2: tensor<16xf32>, %beta2: tensor<16xf32>,
    %mean2: tensor<16xf32> {fuse.alias_result = 3}, %var2: tensor<16xf32> {fuse.alias_result = 4},
    %w3: tensor<4x256xf32>, %b3: tensor<4xf32>)
    -> (tensor<f32>, tensor<8xf32>, tensor<8xf32>, tensor<16xf32>, tensor<16xf32>) {
  %c1 = fuse.conv2d %x, %w1 padding [1, 1] precision f32
      : (tensor<64x1x16x16xf32>, tensor<8x1x3x3xf32>) -> tensor<64x8x16x16xf32>
  %n1, %m1, %v1 = fuse.batch_norm %c1, %gamma1, %beta1, %mean1, %var1
      : (tensor<64x8x16x16xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
      -> (tensor<64x8x16x16xf32>, tensor<8xf32>, tensor<8xf32>)
  %r1 = fuse.relu %n1 : tensor<64x8x16x16xf32>
  %p1 = fuse.max_pool2d %r1 kernel [2, 2] : tensor<64x8x16x16xf32> -> tensor<64x8x8x8xf32>

  %c2 = fuse.conv2d %p1, %w2 padding [1, 1] precision f32
      : (tensor<64x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<64x16x8x8xf32>
  %n2, %m2, %v2 = fuse.batch_norm %c2, %gamma2, %beta2, %mean2, %var2
      : (tensor<64x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
      -> (tensor<64x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>)
  %r2 = fuse.relu %n2 : tensor<64x16x8x8xf32>
  %p2 = fuse.max_pool2d %r2 kernel [2, 2] : tensor<64x16x8x8xf32> -> tensor<64x16x4x4xf32>

  %flat = fuse.reshape %p2 : tensor<64x16x4x4xf32> -> tensor<64x256xf32>
  %h = fuse.matmul %flat, %w3 transpose_b
      : (tensor<64x256xf32>, tensor<4x256xf32>) -> tensor<64x4xf32>
  %logits = fuse.add %h, %b3 : (tensor<64x4xf32>, tensor<4xf32>) -> tensor<64x4xf32>
  %logs = fuse.log_softmax %logits dim 1 : tensor<64x4xf32> -> tensor<64x4xf32>
  %hits = fuse.mul %logs, %target : tensor<64x4xf32>
  %sum = fuse.reduce sum %hits dims [0, 1] : tensor<64x4xf32> -> tensor<f32>
  %scale = fuse.constant dense<-0.015625> : tensor<f32>
  %loss = fuse.mul %sum, %scale : tensor<f32>
  return %loss, %m1, %v1, %m2, %v2
      : tensor<f32>, tensor<8xf32>, tensor<8xf32>, tensor<16xf32>, tensor<16xf32>
}
)";

namespace {

constexpr int numBatches = 4, batchSize = 64, numClasses = 4, side = 16;
/// The loss and four running statistics.
constexpr size_t numResults = 5;
constexpr float learningRate = 0.02f, momentum = 0.9f;

int fail(const tilefuse::Error &error) {
  std::fprintf(stderr, "error: %s\n", error.toString().c_str());
  return 1;
}

/// Zeroed memory, aligned as any signature may ask for.
class Buffer {
public:
  explicit Buffer(size_t bytes = 0)
      : data(std::aligned_alloc(256, (bytes + 256) / 256 * 256), std::free) {
    std::fill_n(get<char>(), bytes, 0);
  }
  template <typename T = float> T *get() const {
    return static_cast<T *>(data.get());
  }

private:
  std::unique_ptr<void, decltype(&std::free)> data;
};

/// Numbers in [0, 1), the same everywhere: the standard fixes the generator's
/// bits, but not what its distributions make of them.
class Uniform {
public:
  explicit Uniform(uint32_t seed) : generator(seed) {}
  float operator()() { return float(generator() * 0x1p-32); }

private:
  std::mt19937 generator;
};

/// Noise, and in each image a bright bar: level or upright, in one half or the
/// other. Which of the four is the class.
void makeBatch(Uniform &uniform, float *images, float *target) {
  for (int n = 0; n < batchSize; ++n) {
    int kind = int(uniform() * numClasses);
    int place = int(uniform() * (side / 2)) + (kind % 2) * (side / 2);
    for (int i = 0; i < side * side; ++i) {
      int row = i / side, column = i % side;
      bool isBar = (kind < 2 ? row : column) == place;
      images[n * side * side + i] = uniform() + (isBar ? 0.5f : 0.0f);
    }
    for (int c = 0; c < numClasses; ++c)
      target[n * numClasses + c] = c == kind;
  }
}

/// PyTorch's initialisation of a layer: uniform up to 1 / sqrt(fan in).
void initialise(Uniform &uniform, const tilefuse::ArgumentInfo &info,
                float *values) {
  int64_t count = info.getNumElements();
  int64_t fanIn = info.name == "b3" ? 256 : count / info.shape[0];
  float bound = 1.0f / std::sqrt(float(fanIn));
  bool isWeight = info.name[0] == 'w' || info.name == "b3";
  bool isOne = info.name.starts_with("gamma") || info.name.starts_with("var");
  for (int64_t i = 0; i < count; ++i)
    values[i] = isWeight ? (2 * uniform() - 1) * bound : isOne ? 1.0f : 0.0f;
}

/// One entry of a program with the memory it writes.
struct Entry {
  explicit Entry(tilefuse::Program program)
      : program(std::move(program)), workspace(this->program.workspaceBytes()) {
    for (const auto &info : this->program.signature().outputs)
      outputs.emplace_back(info.getByteSize());
  }

  tilefuse::Expected<void> run(const std::vector<const void *> &inputs) {
    std::vector<void *> addresses;
    for (const Buffer &output : outputs)
      addresses.push_back(output.get<void>());
    return program.runOnHost(inputs, addresses, workspace.get<void>());
  }

  tilefuse::Program program;
  Buffer workspace;
  std::vector<Buffer> outputs;
};

} // namespace

int main(int argc, char **argv) {
  int steps = argc > 1 ? std::atoi(argv[1]) : 60;

  tilefuse::CompileOptions options;
  options.target = "cpu";
  options.gradients = true;
  // The parameters; not the images, and state has none.
  options.gradientArguments = {2, 3, 4, 7, 8, 9, 12, 13};
  auto compiled = tilefuse::compile(source, options);
  if (!compiled)
    return fail(compiled.error());
  auto selectedForward = compiled->select("loss_forward");
  auto selectedBackward = compiled->select("loss_backward");
  if (!selectedForward || !selectedBackward)
    return fail((selectedForward ? selectedBackward : selectedForward).error());
  Entry forward(*selectedForward), backward(*selectedBackward);
  const tilefuse::Signature &signature = forward.program.signature();
  std::fprintf(stderr, "%zu forward and %zu backward launches\n",
               forward.program.launches().size(),
               backward.program.launches().size());

  // Arguments: images and classes, then parameters and running statistics. What
  // is state shares its memory with the result that is its next value.
  Uniform uniform(1);
  std::vector<Buffer> images, targets, arguments, velocities;
  for (int i = 0; i < numBatches; ++i) {
    images.emplace_back(signature.inputs[0].getByteSize());
    targets.emplace_back(signature.inputs[1].getByteSize());
    makeBatch(uniform, images[i].get(), targets[i].get());
  }
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    const tilefuse::ArgumentInfo &info = signature.inputs[i];
    arguments.emplace_back(info.getByteSize());
    velocities.emplace_back(info.getByteSize());
    if (i >= 2)
      initialise(uniform, info, arguments[i].get());
    if (info.aliasResult >= 0)
      std::swap(arguments[i], forward.outputs[info.aliasResult]);
  }
  Buffer cotangent(sizeof(float));
  *cotangent.get() = 1.0f;

  for (int step = 0; step < steps; ++step) {
    std::vector<const void *> inputs = {images[step % numBatches].get(),
                                        targets[step % numBatches].get()};
    for (size_t i = 2; i < arguments.size(); ++i) {
      int64_t state = signature.inputs[i].aliasResult;
      inputs.push_back(
          (state >= 0 ? forward.outputs[state] : arguments[i]).get());
    }
    if (auto ok = forward.run(inputs); !ok)
      return fail(ok.error());

    // The backward entry says where each of its inputs comes from.
    std::vector<const void *> saved;
    for (const tilefuse::SavedSource &from :
         backward.program.signature().saved) {
      using Kind = tilefuse::SavedSource::Kind;
      if (from.kind == Kind::Argument)
        saved.push_back(inputs[from.index]);
      else
        saved.push_back(
            forward
                .outputs[from.index +
                         (from.kind == Kind::Residual ? numResults : 0)]
                .get());
    }
    saved.push_back(cotangent.get());
    if (auto ok = backward.run(saved); !ok)
      return fail(ok.error());

    for (size_t k = 0; k < options.gradientArguments.size(); ++k) {
      size_t i = options.gradientArguments[k];
      const float *gradient = backward.outputs[k].get();
      float *velocity = velocities[i].get(), *value = arguments[i].get();
      for (int64_t e = 0; e < signature.inputs[i].getNumElements(); ++e) {
        velocity[e] = momentum * velocity[e] + gradient[e];
        value[e] -= learningRate * velocity[e];
      }
    }
    std::printf("%d %.6f\n", step, *forward.outputs[0].get());
  }
  return 0;
}

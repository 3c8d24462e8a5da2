//===- Inputs.cpp - reading and making inputs -------------------*- C++ -*-===//

#include "lib/Reference/Npy.h"
#include "tools/fuse-run/Run.h"

#include <unistd.h>

using namespace tilefuse::reference;

namespace tilefuse::run {

static Error makeError(const std::string &path, const llvm::Twine &message) {
  return Error{ErrorCode::InvalidArgument, message.str(), path};
}

Expected<void> checkMemory(const std::string &name, const llvm::Twine &what,
                           double bytes) {
  double memory = double(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  if (memory <= 0 || bytes <= memory)
    return {};
  auto gigabytes = [](double bytes) {
    return std::to_string(static_cast<int64_t>(bytes / 1e9));
  };
  return Error{ErrorCode::Unsupported,
               (what + " would take " + gigabytes(bytes) + " GB; this machine has " +
                gigabytes(memory) + " GB")
                   .str(),
               name};
}

Expected<void> checkEvaluation(const std::string &name,
                               mlir::func::FuncOp function) {
  double largest = 0;
  function.walk([&](mlir::Operation *op) {
    for (mlir::Type type : op->getResultTypes())
      if (auto shaped = llvm::dyn_cast<mlir::ShapedType>(type);
          shaped && shaped.hasStaticShape())
        largest = std::max(largest, double(shaped.getNumElements()));
  });
  return checkMemory(name, "a float64 evaluation", 2 * 8 * largest);
}

/// Whether a file of type `found` may stand for an argument of type `wanted`:
/// bf16 has no NumPy type and is given as f32; unsigned bytes read as i8.
static bool isAcceptable(DType found, DType wanted) {
  return found == wanted || (wanted == DType::BF16 && found == DType::F32) ||
         (wanted == DType::I1 && found == DType::I8);
}

static Expected<Tensor> readInput(const std::string &path,
                                  const Argument &argument) {
  auto tensor = readNpy(path);
  if (!tensor)
    return tensor.error();
  if (tensor->getShape() != llvm::ArrayRef<int64_t>(argument.shape) ||
      !isAcceptable(tensor->getType(), argument.type))
    return makeError(
        path, "argument '" + argument.name + "': expected " +
                  formatShape(argument.shape, argument.type) + ", found " +
                  formatShape(tensor->getShape(), tensor->getType()));
  return tensor->convert(argument.type);
}

/// Splits `NAME=FILE` when NAME is an argument.
static std::pair<std::optional<size_t>, std::string>
splitInput(const std::string &text, const Source &source) {
  auto [name, path] = llvm::StringRef(text).split('=');
  if (!path.empty())
    for (auto [i, argument] : llvm::enumerate(source.inputs))
      if (argument.name == name)
        return {i, path.str()};
  return {std::nullopt, text};
}

Expected<std::vector<Tensor>> makeInputs(const Source &source,
                                         const Options &options) {
  std::vector<std::optional<Tensor>> given(source.inputs.size());
  size_t next = 0;
  for (const std::string &text : options.inputs) {
    auto [index, path] = splitInput(text, source);
    size_t at = index ? *index : next++;
    if (at >= given.size())
      return makeError(path, "one input too many: '" + source.entry +
                                 "' takes " + llvm::Twine(given.size()));
    if (given[at])
      return makeError(path, "argument '" + source.inputs[at].name +
                                 "' is given twice");
    auto tensor = readInput(path, source.inputs[at]);
    if (!tensor)
      return tensor.error();
    given[at] = std::move(*tensor);
  }
  // 2^40 elements pass the dialect's verifier, but not every machine.
  double bytes = 0;
  for (const Argument &argument : source.inputs) {
    bytes += double(getNumElements(argument.shape)) *
             getElementBytes(argument.type);
    auto fits = checkMemory(source.name,
                            "argument '" + argument.name + "' (" +
                                formatShape(argument.shape, argument.type) +
                                ") and those before it",
                            bytes);
    if (!fits)
      return fits.error();
  }
  std::vector<Tensor> inputs;
  for (auto [i, argument] : llvm::enumerate(source.inputs)) {
    if (given[i]) {
      inputs.push_back(std::move(*given[i]));
      continue;
    }
    Tensor tensor(argument.type, argument.shape);
    fillRandom(tensor, argument.initializer, options.seed, i);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

} // namespace tilefuse::run

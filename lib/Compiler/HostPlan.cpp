//===- HostPlan.cpp - the entry function as a launch plan -----------------===//

#include "HostPlan.h"

#include "dialects/Tile/Tile.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tilefuse {

std::optional<DType> getDType(Type type) {
  return llvm::TypeSwitch<Type, std::optional<DType>>(type)
      .Case<Float32Type>([](auto) { return DType::F32; })
      .Case<Float16Type>([](auto) { return DType::F16; })
      .Case<BFloat16Type>([](auto) { return DType::BF16; })
      .Case<Float64Type>([](auto) { return DType::F64; })
      .Case<IntegerType>([](IntegerType type) -> std::optional<DType> {
        switch (type.getWidth()) {
        case 1:
          return DType::I1;
        case 8:
          return DType::I8;
        case 32:
          return DType::I32;
        case 64:
          return DType::I64;
        default:
          return std::nullopt;
        }
      })
      .Default([](Type) { return std::nullopt; });
}

namespace {

constexpr uint64_t ConstantAlignment = 256;
/// What a GPU's grid takes along its first axis.
constexpr uint64_t MaxInstances = 0x7fffffff;

class PlanReader {
public:
  explicit PlanReader(ProgramData &data) : data(data) {}

  Expected<void> read(func::FuncOp function) {
    entry = function;
    plan = &data.entries.emplace_back();
    if (auto ok = readSignature(); !ok)
      return ok;
    if (auto ok = readSaved(); !ok)
      return ok;
    if (auto workspace = entry->getAttrOfType<IntegerAttr>("tile.workspace"))
      plan->workspaceBytes = workspace.getInt();
    for (Operation &op : entry.getBody().front()) {
      if (auto launch = dyn_cast<tile::LaunchOp>(op))
        if (auto ok = readLaunch(launch); !ok)
          return ok;
      auto alloc = dyn_cast<tile::AllocOp>(op);
      if (alloc && alloc.getOffset()) {
        auto view = cast<tile::ViewType>(alloc.getResult().getType());
        uint64_t size = tilefuse::getByteSize(*getDType(view.getElementType()));
        plan->buffers.push_back(
            {*alloc.getOffset(), size * view.getNumElements()});
      }
    }
    return {};
  }

private:
  Error invalid(const Twine &message) { return invalidAt(entry, message); }

  Error invalidAt(Operation *op, const Twine &message) {
    std::string place;
    if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
      place = (file.getFilename().getValue() + ":" + Twine(file.getLine()) +
               ":" + Twine(file.getColumn()))
                  .str();
    return Error{ErrorCode::InvalidSource,
                 ("function '" + entry.getName() + "': " + message).str(),
                 place};
  }

  Expected<void> readSignature() {
    auto numInputs = entry->getAttrOfType<IntegerAttr>("tile.num_inputs");
    if (!numInputs || numInputs.getInt() < 0 ||
        numInputs.getInt() > entry.getNumArguments())
      return invalid("the host program has no 'tile.num_inputs'");
    plan->signature.entry = entry.getName();
    unsigned count = numInputs.getInt();
    for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes())) {
      auto view = dyn_cast<tile::ViewType>(type);
      std::optional<DType> dtype =
          view ? getDType(view.getElementType()) : std::nullopt;
      if (!dtype)
        return invalid("argument " + Twine(i) +
                       " is not a view of a supported element type");
      ArgumentInfo info;
      bool isInput = i < count;
      auto name = entry.getArgAttrOfType<StringAttr>(i, "fuse.name");
      info.name = name ? name.str()
                       : (isInput ? "arg" + std::to_string(i)
                                  : "out" + std::to_string(i - count));
      info.dtype = *dtype;
      info.shape.assign(view.getShape().begin(), view.getShape().end());
      info.strides.assign(view.getStrides().begin(), view.getStrides().end());
      info.alignment = ArgumentAlignment;
      if (auto alias =
              entry.getArgAttrOfType<IntegerAttr>(i, "fuse.alias_result"))
        info.aliasResult = alias.getInt();
      info.inPlace = bool(entry.getArgAttr(i, "tile.in_place"));
      (isInput ? plan->signature.inputs : plan->signature.outputs)
          .push_back(std::move(info));
    }
    return {};
  }

  // `fuse.saved = ["arg 0", "result 1", "residual 0"]`.
  Expected<void> readSaved() {
    auto sources = entry->getAttrOfType<ArrayAttr>("fuse.saved");
    if (!sources)
      return {};
    for (Attribute attribute : sources) {
      auto text = dyn_cast<StringAttr>(attribute);
      auto [kind, number] =
          (text ? text.getValue() : llvm::StringRef()).split(' ');
      SavedSource source;
      if (number.getAsInteger(10, source.index))
        return invalid("'fuse.saved' is malformed");
      if (kind == "arg")
        source.kind = SavedSource::Kind::Argument;
      else if (kind == "result")
        source.kind = SavedSource::Kind::Result;
      else if (kind == "residual")
        source.kind = SavedSource::Kind::Residual;
      else
        return invalid("'fuse.saved' is malformed");
      plan->signature.saved.push_back(source);
    }
    if (plan->signature.saved.size() > plan->signature.inputs.size())
      return invalid("'fuse.saved' names more values than there are inputs");
    return {};
  }

  // Where a view of the host program lives; casts add up to an offset.
  Expected<BufferRef> locate(Value view) {
    uint64_t offset = 0;
    while (auto cast = view.getDefiningOp<tile::ViewCastOp>()) {
      DType dtype =
          *getDType(cast.getView().getType().getElementType());
      offset += cast.getOffset() * tilefuse::getByteSize(dtype);
      view = cast.getView();
    }
    if (auto argument = dyn_cast<BlockArgument>(view)) {
      uint32_t numInputs = plan->signature.inputs.size();
      uint32_t index = argument.getArgNumber();
      if (index < numInputs)
        return BufferRef{BufferKind::Input, index, offset};
      return BufferRef{BufferKind::Output, index - numInputs, offset};
    }
    if (auto alloc = view.getDefiningOp<tile::AllocOp>()) {
      if (!alloc.getOffset())
        return invalid("a buffer has no place in the workspace yet");
      return BufferRef{BufferKind::Workspace, 0, *alloc.getOffset() + offset};
    }
    if (auto constant = view.getDefiningOp<tile::ConstantOp>()) {
      Expected<uint64_t> start = place(constant);
      if (!start)
        return start.error();
      return BufferRef{BufferKind::Constant, 0, *start + offset};
    }
    return invalid("a launch uses a value that is no buffer");
  }

  Expected<uint64_t> place(tile::ConstantOp constant) {
    auto [entry, isNew] = constantOffsets.try_emplace(constant.getValue(), 0);
    if (!isNew)
      return entry->second;
    uint64_t start =
        llvm::alignTo(data.constants.size(), ConstantAlignment);
    auto view = cast<tile::ViewType>(constant.getType());
    size_t width = tilefuse::getByteSize(*getDType(view.getElementType()));
    data.constants.resize(start + view.getNumElements() * width);
    std::byte *out = data.constants.data() + start;
    auto write = [&](const APInt &bits) {
      uint64_t word = bits.getZExtValue();
      std::memcpy(out, &word, width);
      out += width;
    };
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements)
      return invalid("a constant is not dense");
    if (isa<FloatType>(view.getElementType())) {
      for (const APFloat &value : elements.getValues<APFloat>())
        write(value.bitcastToAPInt());
    } else {
      for (const APInt &value : elements.getValues<APInt>())
        write(value);
    }
    entry->second = start;
    return start;
  }

  Expected<uint32_t> placeKernel(tile::FuncOp function) {
    auto [entry, isNew] =
        kernelIndices.try_emplace(function.getName(), data.kernels.size());
    if (!isNew)
      return entry->second;
    KernelData kernel;
    kernel.name = function.getName();
    uint64_t instances = 1;
    for (auto [axis, extent] : llvm::enumerate(function.getGrid())) {
      kernel.grid[axis] = extent;
      instances = llvm::SaturatingMultiply<uint64_t>(instances, extent);
    }
    if (instances > MaxInstances)
      return invalidAt(function,
                       "the grid of kernel '" + function.getName() +
                           "' has more than 2^31 - 1 program instances");
    kernel.threads = function.getWarps() * 32;
    data.kernels.push_back(std::move(kernel));
    return static_cast<uint32_t>(entry->second);
  }

  Expected<void> readLaunch(tile::LaunchOp op) {
    auto function =
        SymbolTable::lookupNearestSymbolFrom<tile::FuncOp>(op, op.getKernelAttr());
    if (!function)
      return invalid("there is no kernel '" + op.getKernel() + "'");
    Expected<uint32_t> kernel = placeKernel(function);
    if (!kernel)
      return kernel.error();
    LaunchData launch;
    launch.kernel = *kernel;
    launch.bytes = op.getBytes().value_or(0);
    launch.isFinish = op.getFinish();
    for (Value operand : op->getOperands()) {
      Expected<BufferRef> ref = locate(operand);
      if (!ref)
        return ref.error();
      launch.arguments.push_back(*ref);
    }
    plan->launches.push_back(std::move(launch));
    return {};
  }

  ProgramData &data;
  func::FuncOp entry;
  EntryData *plan = nullptr;
  llvm::MapVector<Attribute, uint64_t> constantOffsets;
  llvm::StringMap<uint32_t> kernelIndices;
};

} // namespace

Expected<std::shared_ptr<ProgramData>>
readHostPlan(ArrayRef<func::FuncOp> entries) {
  auto data = std::make_shared<ProgramData>();
  PlanReader reader(*data);
  for (func::FuncOp entry : entries)
    if (auto ok = reader.read(entry); !ok)
      return ok.error();
  return data;
}

} // namespace tilefuse

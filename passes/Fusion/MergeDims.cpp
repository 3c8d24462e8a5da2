//===- MergeDims.cpp - images of few columns as lines -----------*- C++ -*-===//
//
// Tiles are powers of two, and so a tile of whole rows is mostly padding where
// rows are short: 28 columns fill 32, and 28 rows fill 32 once more. Where
// nothing in a kernel tells rows from columns (no window, no filter larger than
// a point), its images are lines of 784 as well, which lie in one piece in
// memory: tiles fill, a store is not cut at the end of each row, and reads are
// aligned.
//
// The last two dims of the kernel's tensors are merged when every op reads and
// writes them at the same two dims of its own iteration space, and nothing else
// at either. Ranks stay (28 x 28 becomes 1 x 784), so that no other dim is
// renamed.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"
#include "passes/Fusion/Passes.h"
#include "passes/Fusion/ScheduleHeuristic.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEMERGEDIMS
#include "passes/Fusion/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

/// Rows of this many elements are whole pieces of what a warp reads at once.
constexpr int64_t kWholeRow = 32;

/// The images of one kernel: tensors whose last two dims have these extents.
struct Images {
  int64_t rows = 1, columns = 1;

  bool contain(Type type) const {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() >= 2 &&
           tensor.getShape().take_back(2) == ArrayRef({rows, columns});
  }

  Type merge(Type type) const {
    if (!contain(type))
      return type;
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<int64_t> shape(tensor.getShape());
    shape[shape.size() - 2] = 1;
    shape.back() = rows * columns;
    return tensor.clone(shape);
  }
};

/// The largest tensor of the kernel says what its images are.
Images findImages(fuse::KernelOp kernel) {
  Images images;
  int64_t most = 0;
  auto look = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.getRank() < 2 || type.getNumElements() <= most)
      return;
    most = type.getNumElements();
    ArrayRef<int64_t> last = type.getShape().take_back(2);
    images = {last[0], last[1]};
  };
  for (Value argument : kernel.getBody().front().getArguments())
    look(argument);
  for (Operation &op : kernel.getBody().front())
    for (Value result : op.getResults())
      look(result);
  return images;
}

/// The dims of an iteration space that walk rows and columns.
struct ImageDims {
  std::optional<unsigned> row, column;
};

/// Where an access of an image reads at two dims and nothing else, these.
std::optional<ImageDims> getImageDims(ArrayRef<AffineExpr> exprs) {
  auto row = dyn_cast<AffineDimExpr>(exprs[exprs.size() - 2]);
  auto column = dyn_cast<AffineDimExpr>(exprs.back());
  if (!row || !column || row == column)
    return std::nullopt;
  return ImageDims{row.getPosition(), column.getPosition()};
}

/// Whether an op is the same on lines as on images.
bool mayMerge(Operation &op, const Images &images) {
  auto isImage = [&](Value value) { return images.contain(value.getType()); };
  if (llvm::none_of(op.getOperands(), isImage) &&
      llvm::none_of(op.getResults(), isImage))
    return true;
  DenseElementsAttr elements;
  if (matchPattern(&op, m_Constant(&elements)))
    return elements.isSplat();
  auto pointwise = dyn_cast<fuse::PointwiseOpInterface>(op);
  auto spaced = dyn_cast<fuse::IterationSpaceOpInterface>(op);
  if (!spaced || (pointwise && pointwise.needsIndex()))
    return false;
  fuse::IterationSpace space = spaced.getIterationSpace();
  // A dim of one point adds nothing to an index.
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> points;
  for (auto [dim, bound] : llvm::enumerate(space.bounds))
    points.push_back(bound == 1 ? getAffineConstantExpr(0, context)
                                : getAffineDimExpr(dim, context));
  struct Access {
    SmallVector<AffineExpr> exprs;
    bool isImage;
  };
  SmallVector<Access> accesses;
  auto add = [&](AffineMap map, Value value) {
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults())
      exprs.push_back(
          simplifyAffineExpr(expr.replaceDims(points), map.getNumDims(), 0));
    accesses.push_back({std::move(exprs), isImage(value)});
  };
  for (auto [access, operand] : llvm::zip(space.operands, op.getOperands())) {
    if (isImage(operand) &&
        llvm::any_of(ArrayRef(access.divisors).take_back(2),
                     [](int64_t divisor) { return divisor != 1; }))
      return false;
    add(access.map, operand);
  }
  for (auto [map, result] : llvm::zip(space.results, op.getResults()))
    add(map, result);
  ImageDims dims;
  for (const Access &access : accesses) {
    if (!access.isImage)
      continue;
    std::optional<ImageDims> own = getImageDims(access.exprs);
    if (!own ||
        (dims.row && (dims.row != own->row || dims.column != own->column)))
      return false;
    dims = *own;
  }
  if (space.isReduction[*dims.row] != space.isReduction[*dims.column])
    return false;
  return llvm::all_of(accesses, [&](const Access &access) {
    ArrayRef<AffineExpr> others(access.exprs);
    if (access.isImage)
      others = others.drop_back(2);
    return llvm::none_of(others, [&](AffineExpr expr) {
      return expr.isFunctionOfDim(*dims.row) ||
             expr.isFunctionOfDim(*dims.column);
    });
  });
}

class MergeDims : public tilefuse::impl::FuseMergeDimsBase<MergeDims> {
public:
  using FuseMergeDimsBase::FuseMergeDimsBase;

  void runOnOperation() override {
    CostModel model(fuse::TargetAttr::lookup(getOperation()));
    // A CPU's tiles have any extents.
    if (!model.isGPU())
      return;
    SmallVector<fuse::KernelOp> kernels;
    getOperation()->walk(
        [&](fuse::KernelOp kernel) { kernels.push_back(kernel); });
    for (fuse::KernelOp kernel : kernels) {
      Images images = findImages(kernel);
      if (kernel.getScheduleAttr() || images.rows == 1 ||
          images.columns % kWholeRow == 0 ||
          !llvm::all_of(kernel.getBody().front(), [&](Operation &op) {
            return isa<fuse::YieldOp>(op) || mayMerge(op, images);
          }))
        continue;
      numMerged += merge(kernel, images, model);
    }
    // Images that the next kernel took as lines.
    for (auto reshape :
         llvm::make_early_inc_range(getOperation().getOps<fuse::ReshapeOp>()))
      if (reshape->use_empty())
        reshape->erase();
  }

private:
  /// Gives a constant the elements of its result's new type.
  static void resizeConstant(Operation &op) {
    DenseElementsAttr elements;
    if (!matchPattern(&op, m_Constant(&elements)) || !elements.isSplat())
      return;
    auto type = cast<ShapedType>(op.getResult(0).getType());
    for (NamedAttribute named : op.getAttrs())
      if (named.getValue() == elements)
        op.setAttr(named.getName(), elements.resizeSplat(type));
  }

  /// Puts a kernel on lines in the place of `kernel`, if it is legal.
  static bool merge(fuse::KernelOp kernel, const Images &images,
                    const CostModel &model) {
    OpBuilder b(kernel);
    Location loc = kernel.getLoc();
    SmallVector<Operation *> reshapes;
    OperationState state(loc, fuse::KernelOp::getOperationName());
    for (Value input : kernel.getInputs()) {
      Type type = images.merge(input.getType());
      auto reshape = input.getDefiningOp<fuse::ReshapeOp>();
      if (reshape && reshape.getInput().getType() == type) {
        input = reshape.getInput();
      } else if (type != input.getType()) {
        input = fuse::ReshapeOp::create(b, loc, type, input);
        reshapes.push_back(input.getDefiningOp());
      }
      state.addOperands(input);
    }
    for (Type type : kernel.getResultTypes())
      state.addTypes(images.merge(type));
    state.addAttributes(kernel->getAttrs());
    IRMapping mapping;
    kernel.getBody().cloneInto(state.addRegion(), mapping);
    auto merged = cast<fuse::KernelOp>(b.create(state));
    auto retype = [&](Value value) {
      value.setType(images.merge(value.getType()));
    };
    for (Value argument : merged.getBody().front().getArguments())
      retype(argument);
    for (Operation &op : merged.getBody().front()) {
      llvm::for_each(op.getResults(), retype);
      resizeConstant(op);
    }
    if (!isLegal(merged, model)) {
      merged->erase();
      for (Operation *reshape : reshapes)
        reshape->erase();
      return false;
    }
    for (auto [old, result] :
         llvm::zip(kernel.getResults(), merged.getResults())) {
      Value value = result;
      if (value.getType() != old.getType())
        value = fuse::ReshapeOp::create(b, loc, old.getType(), value);
      old.replaceAllUsesWith(value);
    }
    kernel->erase();
    return true;
  }

  /// Whether a schedule can be found for a kernel whose ops all accept their
  /// types.
  static bool isLegal(fuse::KernelOp kernel, const CostModel &model) {
    ScopedDiagnosticHandler quiet(kernel.getContext(),
                                  [](Diagnostic &) { return success(); });
    std::string reason;
    if (failed(verify(kernel)))
      return false;
    fuse::KernelGroup group = fuse::KernelGroup::fromKernel(kernel);
    FailureOr<fuse::KernelStructure> structure =
        fuse::KernelStructure::analyze(group, {}, reason);
    if (failed(structure))
      return false;
    FailureOr<fuse::ScheduleAttr> schedule =
        chooseSchedule(*structure, model, reason);
    return succeeded(schedule) && succeeded(fuse::KernelStructure::analyze(
                                      group, schedule->getBlock(), reason));
  }
};

} // namespace

//===- MarkUpdates.cpp - state that a program may update in place ---------===//
//
// New running statistics are results that alias the arguments with the old ones.
// Giving both one memory spares a copy, and is right when no element is read
// after it was written. Here that is proved in the small:
//
//   - One launch alone uses the argument, and the same launch writes the result.
//   - Its kernel reads the argument only where it writes the result: same offsets,
//     same shape, same block of code. Two instances never write one element
//     (tile.store), so no instance reads what another writes.
//   - The old values go through elementwise ops into the store and nowhere else.
//     Threads that hold a copy of an element may read it late, but then nobody
//     uses what they read: one thread alone stores an element.
//
//===----------------------------------------------------------------------===//

#include "passes/Plan/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tilefuse {
#define GEN_PASS_DEF_TILEMARKUPDATES
#include "passes/Plan/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

/// The only launch that uses a view of the host program, and the kernel's
/// argument that it is there.
struct SoleUse {
  tile::LaunchOp launch;
  BlockArgument argument;

  static std::optional<SoleUse> find(Value view, SymbolTable &symbols) {
    if (!view.hasOneUse())
      return std::nullopt;
    OpOperand &use = *view.getUses().begin();
    auto launch = dyn_cast<tile::LaunchOp>(use.getOwner());
    if (!launch)
      return std::nullopt;
    auto kernel = symbols.lookup<tile::FuncOp>(launch.getKernel());
    if (!kernel || kernel.getBody().empty() ||
        kernel.getBody().front().getNumArguments() != launch->getNumOperands())
      return std::nullopt;
    return SoleUse{launch, kernel.getBody().front().getArgument(
                               use.getOperandNumber())};
  }
};

/// Whether an op gives each element from the same element of its operands.
bool isElementwise(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) && isMemoryEffectFree(op) &&
         op->getNumRegions() == 0;
}

/// Whether what a load reads goes elementwise into `store`, and nowhere else.
bool feedsOnly(tile::LoadOp load, tile::StoreOp store) {
  llvm::SetVector<Operation *> reached;
  reached.insert(load);
  for (size_t i = 0; i < reached.size(); ++i)
    for (Operation *user : reached[i]->getUsers()) {
      if (user == store)
        continue;
      if (user->getBlock() != store->getBlock() || !isElementwise(user))
        return false;
      reached.insert(user);
    }
  // As the stored value, not as the mask.
  return llvm::all_of(store->getOperands(), [&](Value operand) {
    return operand == store.getValue() ||
           !reached.contains(operand.getDefiningOp());
  });
}

bool readsWhereItWrites(BlockArgument input, BlockArgument output) {
  if (!output.hasOneUse() || input.getType() != output.getType())
    return false;
  auto store = dyn_cast<tile::StoreOp>(*output.getUsers().begin());
  if (!store || store.getView() != output)
    return false;
  return llvm::all_of(input.getUsers(), [&](Operation *user) {
    auto load = dyn_cast<tile::LoadOp>(user);
    return load && load->getBlock() == store->getBlock() &&
           load->isBeforeInBlock(store) && !load.getMask() &&
           load.getOffsets() == store.getOffsets() &&
           load.getStepsAttr() == store.getStepsAttr() &&
           load.getResult().getType() == store.getValue().getType() &&
           feedsOnly(load, store);
  });
}

class MarkUpdates : public tilefuse::impl::TileMarkUpdatesBase<MarkUpdates> {
public:
  using TileMarkUpdatesBase::TileMarkUpdatesBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      auto count = function->getAttrOfType<IntegerAttr>("tile.num_inputs");
      // A count that is none of the arguments is refused where it is needed.
      if (!function->hasAttr("tile.entry") || function.isExternal() || !count ||
          count.getInt() > function.getNumArguments())
        continue;
      for (int64_t i = 0; i < count.getInt(); ++i)
        if (mayUpdate(function, i, count.getInt(), symbols)) {
          function.setArgAttr(i, "tile.in_place",
                              UnitAttr::get(&getContext()));
          ++numUpdates;
        }
    }
  }

private:
  bool mayUpdate(func::FuncOp function, int64_t index, int64_t numInputs,
                 SymbolTable &symbols) {
    auto alias =
        function.getArgAttrOfType<IntegerAttr>(index, "fuse.alias_result");
    if (!alias || alias.getInt() < 0 ||
        alias.getInt() >= function.getNumArguments() - numInputs)
      return false;
    auto read = SoleUse::find(function.getArgument(index), symbols);
    auto written = SoleUse::find(
        function.getArgument(numInputs + alias.getInt()), symbols);
    return read && written && read->launch == written->launch &&
           readsWhereItWrites(read->argument, written->argument);
  }
};

} // namespace

//===- SetTarget.cpp - say which machine to compile for ---------*- C++ -*-===//

#include "passes/Passes.h"

#include "dialects/Fuse/Fuse.h"

#include "mlir/IR/BuiltinOps.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSESETTARGET
#include "passes/Passes.h.inc"

namespace {
struct SetTarget : impl::FuseSetTargetBase<SetTarget> {
  using FuseSetTargetBase::FuseSetTargetBase;

  void getDependentDialects(mlir::DialectRegistry &registry) const override {
    registry.insert<fuse::FuseDialect>();
  }

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    constexpr llvm::StringLiteral name = "fuse.target";
    if (module->hasAttr(name) && !overrideTarget)
      return;
    fuse::TargetAttr target = fuse::TargetAttr::getNamed(&getContext(), arch);
    if (!target) {
      module.emitError("unknown target '")
          << arch << "', expected 'cpu' or a GPU such as 'sm_90a'";
      return signalPassFailure();
    }
    module->setAttr(name, target);
  }
};
} // namespace
} // namespace tilefuse

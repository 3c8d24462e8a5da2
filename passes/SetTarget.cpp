//===- SetTarget.cpp - say which machine to compile for ---------*- C++ -*-===//

#include "passes/Passes.h"

#if __has_include("dialects/Fuse/FuseDialect.cpp")
#include "dialects/Fuse/Fuse.h"
#define HAVE_FUSE 1
#endif

#include "mlir/IR/BuiltinOps.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSESETTARGET
#include "passes/Passes.h.inc"

namespace {
struct SetTarget : impl::FuseSetTargetBase<SetTarget> {
  using FuseSetTargetBase::FuseSetTargetBase;

#ifdef HAVE_FUSE
  void getDependentDialects(mlir::DialectRegistry &registry) const override {
    registry.insert<fuse::FuseDialect>();
  }
#endif

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    constexpr llvm::StringLiteral name = "fuse.target";
    if (module->hasAttr(name) && !overrideTarget)
      return;
#ifdef HAVE_FUSE
    fuse::TargetAttr target = fuse::TargetAttr::getNamed(&getContext(), arch);
    if (!target) {
      module.emitError("unknown target '")
          << arch << "', expected 'cpu' or a GPU such as 'sm_90a'";
      return signalPassFailure();
    }
    module->setAttr(name, target);
#endif
  }
};
} // namespace
} // namespace tilefuse

//===- DumpPhase.cpp - write the module to a file ---------------*- C++ -*-===//

#include "passes/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSEDUMPPHASE
#include "passes/Passes.h.inc"

namespace {
struct DumpPhase : impl::FuseDumpPhaseBase<DumpPhase> {
  using FuseDumpPhaseBase::FuseDumpPhaseBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (file == "-") {
      getOperation().print(llvm::errs());
      return;
    }
    std::string message;
    auto output = mlir::openOutputFile(file, &message);
    if (!output) {
      getOperation().emitError("cannot write the dump of this phase: ") << message;
      return signalPassFailure();
    }
    getOperation().print(output->os());
    output->keep();
  }
};
} // namespace
} // namespace tilefuse

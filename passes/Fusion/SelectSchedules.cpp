//===- SelectSchedules.cpp - a schedule for every kernel --------*- C++ -*-===//

#include "passes/Fusion/Passes.h"
#include "passes/Fusion/ScheduleHeuristic.h"

namespace tilefuse {
#define GEN_PASS_DEF_FUSESELECTSCHEDULES
#include "passes/Fusion/Passes.h.inc"
} // namespace tilefuse

using namespace mlir;
using namespace tilefuse;

namespace {

class SelectSchedules : public tilefuse::impl::FuseSelectSchedulesBase<SelectSchedules> {
public:
  using FuseSelectSchedulesBase::FuseSelectSchedulesBase;

  void runOnOperation() override {
    CostModel model(fuse::TargetAttr::lookup(getOperation()));
    WalkResult result = getOperation()->walk([&](fuse::KernelOp kernel) {
      return failed(select(kernel, model)) ? WalkResult::interrupt()
                                           : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult select(fuse::KernelOp kernel, const CostModel &model) {
    std::string reason;
    fuse::KernelGroup group = fuse::KernelGroup::fromKernel(kernel);
    FailureOr<fuse::KernelStructure> structure =
        fuse::KernelStructure::analyze(group, {}, reason);
    if (failed(structure))
      return kernel.emitOpError("is no legal kernel: ") << reason;
    if (fuse::ScheduleAttr given = kernel.getScheduleAttr()) {
      ++numGiven;
      if (failed(checkSchedule(*structure, given, model, reason)) ||
          failed(fuse::KernelStructure::analyze(group, given.getBlock(),
                                                reason)))
        return kernel.emitOpError("has an illegal schedule: ") << reason;
      return success();
    }
    FailureOr<fuse::ScheduleAttr> chosen =
        chooseSchedule(*structure, model, reason);
    if (failed(chosen))
      return kernel.emitOpError("has no schedule that fits the target: ")
             << reason;
    if (failed(fuse::KernelStructure::analyze(group, chosen->getBlock(),
                                              reason)))
      return kernel.emitOpError("cannot be tiled: ") << reason;
    kernel.setScheduleAttr(*chosen);
    ++numChosen;
    return success();
  }
};

} // namespace

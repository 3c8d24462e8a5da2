//===- FuseAttrs.cpp - targets, schedules, initial values -------*- C++ -*-===//

#include "dialects/Fuse/Fuse.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tilefuse;
using namespace tilefuse::fuse;

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

namespace {
struct Description {
  StringLiteral arch;
  int64_t units, sharedMemory, registers, dram, fp32, tensor;
};
} // namespace

// NVIDIA's data sheets: SMs, shared memory a block may have, registers per SM,
// GB/s, and GFLOP/s of FMA and of dense TF32. The CPU row is a mid-size server:
// cores, L2 per core, vector registers in bytes, GB/s, GFLOP/s.
static constexpr Description descriptions[] = {
    {"cpu", 16, 1048576, 2048, 100, 1500, 1500},
    {"sm_80", 108, 166912, 65536, 1935, 19500, 156000},
    {"sm_86", 84, 101376, 65536, 768, 29700, 74000},
    {"sm_89", 142, 101376, 65536, 864, 91600, 183000},
    {"sm_90", 132, 232448, 65536, 4270, 51000, 410000},
    {"sm_90a", 132, 232448, 65536, 4270, 51000, 410000},
    {"sm_100a", 148, 232448, 65536, 7700, 75000, 1100000},
    {"sm_120a", 188, 101376, 65536, 1792, 110000, 250000},
};

TargetAttr TargetAttr::getNamed(MLIRContext *context, StringRef arch) {
  for (const Description &d : descriptions)
    if (d.arch == arch)
      return get(context, d.arch, d.units, d.sharedMemory, d.registers, d.dram,
                 d.fp32, d.tensor);
  return {};
}

TargetAttr TargetAttr::lookup(Operation *op) {
  for (Operation *scope = op; scope; scope = scope->getParentOp())
    if (auto target = scope->getAttrOfType<TargetAttr>("fuse.target"))
      return target;
  return getNamed(op->getContext(), "sm_90a");
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef arch, int64_t units,
                                 int64_t sharedMemory, int64_t registers,
                                 int64_t dram, int64_t fp32, int64_t tensor) {
  StringRef number = arch;
  bool isGPU = number.consume_front("sm_");
  number.consume_back("a");
  unsigned version;
  if (arch != "cpu" && (!isGPU || number.getAsInteger(10, version)))
    return emitError() << "expected arch `cpu` or `sm_NN[a]`, but found \""
                       << arch << "\"";
  constexpr int64_t limit = int64_t(1) << 40;
  for (auto [name, value] : {std::pair<StringRef, int64_t>{"units", units},
                             {"shared_memory", sharedMemory},
                             {"registers", registers},
                             {"dram", dram},
                             {"fp32", fp32},
                             {"tensor", tensor}})
    if (value < 1 || value > limit)
      return emitError() << "expected " << name << " from 1 to 2^40, but found "
                         << value;
  return success();
}

//===----------------------------------------------------------------------===//
// Schedule
//===----------------------------------------------------------------------===//

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   ArrayRef<int64_t> block, int64_t warps,
                                   int64_t stages, int64_t cluster, MmaKind,
                                   int64_t splits, int64_t tiles) {
  constexpr int64_t limit = (int64_t(1) << 31) - 1;
  for (int64_t extent : block)
    if (extent < 1 || extent > limit)
      return emitError()
             << "expected block extents from 1 to 2^31 - 1, but found "
             << extent;
  if (!llvm::isPowerOf2_64(warps) || warps < 1 || warps > 32)
    return emitError() << "expected 1, 2, 4, 8, 16 or 32 warps, but found "
                       << warps;
  if (stages < 1 || stages > 32)
    return emitError() << "expected 1 to 32 stages, but found " << stages;
  if (!llvm::isPowerOf2_64(cluster) || cluster < 1 || cluster > 16)
    return emitError() << "expected a cluster of 1, 2, 4, 8 or 16 blocks, but "
                          "found "
                       << cluster;
  if (splits < 1 || splits > limit)
    return emitError() << "expected 1 to 2^31 - 1 splits, but found " << splits;
  if (tiles < 1 || tiles > limit)
    return emitError() << "expected 1 to 2^31 - 1 tiles, but found " << tiles;
  return success();
}

//===----------------------------------------------------------------------===//
// Init
//===----------------------------------------------------------------------===//

Attribute InitAttr::parse(AsmParser &parser, Type) {
  StringRef kind;
  double a, b;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&kind) || parser.parseComma() ||
      parser.parseFloat(a) || parser.parseComma() || parser.parseFloat(b) ||
      parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    kind, APFloat(a), APFloat(b));
}

void InitAttr::print(AsmPrinter &printer) const {
  printer << '<' << getKind() << ", ";
  printer.printFloat(getFirst());
  printer << ", ";
  printer.printFloat(getSecond());
  printer << '>';
}

LogicalResult InitAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringRef kind, APFloat first, APFloat second) {
  if (&first.getSemantics() != &APFloat::IEEEdouble() ||
      &second.getSemantics() != &APFloat::IEEEdouble())
    return emitError() << "expected f64 parameters";
  double a = first.convertToDouble(), b = second.convertToDouble();
  if (kind != "uniform" && kind != "normal")
    return emitError() << "expected `uniform` or `normal`, but found `" << kind
                       << "`";
  if (!std::isfinite(a) || !std::isfinite(b))
    return emitError() << "expected finite parameters, but found " << a
                       << " and " << b;
  if (kind == "uniform" && a > b)
    return emitError() << "expected bounds in order, but found " << a
                       << " above " << b;
  if (kind == "normal" && b < 0)
    return emitError()
           << "expected a standard deviation of 0 or more, but found " << b;
  return success();
}

//===- Rules.h - the meaning of each op -------------------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_REFERENCE_RULES_H
#define TILEFUSE_LIB_REFERENCE_RULES_H

#include "lib/Reference/Array.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <optional>

namespace tilefuse::reference {

/// What is wanted of one result; none: nothing.
using Demand = std::optional<Grid>;

/// How the interpreter runs one op. Both functions see the wanted grid of each
/// result. `demand` says which grid of each operand that takes; `compute` gets
/// the operands on exactly those grids and returns the results on theirs (an
/// empty array where nothing is wanted).
struct Rule {
  std::function<llvm::SmallVector<Grid>(mlir::Operation *,
                                        llvm::ArrayRef<Demand>)>
      demand;
  std::function<std::vector<Array>(mlir::Operation *,
                                   llvm::ArrayRef<const Array *>,
                                   llvm::ArrayRef<Demand>, bool rounded)>
      compute;
};

/// Rules by op name.
using RuleTable = llvm::StringMap<Rule>;

void addPointwiseRules(RuleTable &table);
void addShapeRules(RuleTable &table);
void addContractionRules(RuleTable &table);
void addReductionRules(RuleTable &table);
void addWindowRules(RuleTable &table);
void addNormalizationRules(RuleTable &table);

/// Cuts an integer to the width of its type, with its sign.
int64_t truncateInteger(int64_t value, DType type);

/// Shape of a value; empty for a scalar tensor.
llvm::ArrayRef<int64_t> getShape(mlir::Value value);
/// Element type of a value; the dialect's verifiers allow no others.
DType getElementType(mlir::Value value);

} // namespace tilefuse::reference

#endif // TILEFUSE_LIB_REFERENCE_RULES_H

//===- FuseInterfaces.td - how passes see fuse ops ---------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSEINTERFACES
#define TILEFUSE_DIALECTS_FUSE_FUSEINTERFACES

include "mlir/IR/OpBase.td"

def IterationSpaceOpInterface : OpInterface<"IterationSpaceOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    An op whose results are affine functions of its operands' elements: parallel
    and reduction dims; per operand an affine map, a divisor and a fill value
    outside the bounds. Fusion legality, cost and tiling are written against it.
    Every fuse op has it once composite ops are decomposed.
  }];
  let methods = [
    InterfaceMethod<"The iteration space of this op.",
      "::tilefuse::fuse::IterationSpace", "getIterationSpace", (ins)>,
  ];
}

def PointwiseOpInterface : OpInterface<"PointwiseOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    An op that computes each result element from one element of each operand.
    Shape ops (transpose, slice, pad, broadcast, reshape) implement it too: the
    element passes through and the iteration space says where it comes from.
  }];
  let methods = [
    InterfaceMethod<[{
        Emits arith/math code for one element, or for a block of them: the
        operands are scalars or tensors of one common block shape (never
        broadcast here), and the result has the same shape. `index` gives, per
        iteration dim, the position of the element (i64 scalars or blocks); it
        is empty unless needsIndex().
      }],
      "::mlir::Value", "emitElement",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::ValueRange":$operands, "::mlir::ValueRange":$index)>,
    InterfaceMethod<"Whether emitElement reads the element's position.",
      "bool", "needsIndex", (ins), "", "return false;">,
    InterfaceMethod<[{
        +1 when the result never decreases as the operand grows, -1 when it
        never increases, 0 when neither is known. NaN maps to NaN. For a binary
        op, in the given operand with the others held fixed.
      }],
      "int", "getMonotonicity", (ins "unsigned":$operand), "", "return 0;">,
    InterfaceMethod<"Modelled arithmetic operations per element.",
      "int64_t", "getElementCost", (ins), "", "return 1;">,
  ];
}

def ReductionOpInterface : OpInterface<"ReductionOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    An op that folds its reduction dims. The state is one or more accumulators:
    `lift` makes the state of one element, `combine` merges two states (it is
    associative and commutative up to rounding), `finalize` turns the state into
    the results. Sum, product, max, min, argmax and moments (count, mean, M2 with
    Chan's merge) fit alike, in one block, across blocks and across kernels.
  }];
  let methods = [
    InterfaceMethod<"Element types of the accumulators.",
      "::llvm::SmallVector<::mlir::Type>", "getAccumulatorTypes", (ins)>,
    InterfaceMethod<"The state of no elements, one scalar per accumulator.",
      "::llvm::SmallVector<::mlir::TypedAttr>", "getNeutral", (ins)>,
    InterfaceMethod<[{
        How many accumulators a state must keep where many states are merged.
        Those after them sharpen the result by less than the merge averages out;
        a merge may take their neutral values instead.
      }],
      "unsigned", "getNumEssential", (ins), "",
      "return $_op.getAccumulatorTypes().size();">,
    InterfaceMethod<[{
        The state of single elements: scalars or blocks. `index` is the i64
        position in the reduction dims, flattened row-major; null unless
        needsReductionIndex().
      }],
      "::llvm::SmallVector<::mlir::Value>", "lift",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::ValueRange":$elements, "::mlir::Value":$index)>,
    InterfaceMethod<"Whether lift reads the position (argmax).",
      "bool", "needsReductionIndex", (ins), "", "return false;">,
    InterfaceMethod<"Merges two states: scalars or blocks of one shape.",
      "::llvm::SmallVector<::mlir::Value>", "combine",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::ValueRange":$lhs, "::mlir::ValueRange":$rhs)>,
    InterfaceMethod<"Results from the final state: scalars or blocks.",
      "::llvm::SmallVector<::mlir::Value>", "finalize",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::ValueRange":$state)>,
    InterfaceMethod<[{
        The state of a whole block: lift, mask with the neutral state, reduce.
        Ops with a cheaper or more accurate way (moments: a sum, then a sum of
        squared deviations) override it.
      }],
      "::llvm::SmallVector<::mlir::Value>", "reduceBlock",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::ValueRange":$elements,
           "::tilefuse::fuse::BlockReducer &":$reducer), "", [{
        return ::tilefuse::fuse::defaultReduceBlock($_op, b, loc, elements,
                                                    reducer);
      }]>,
  ];
}

def ContractionOpInterface : OpInterface<"ContractionOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    A sum of products of two operands over the reduction dims: convolutions,
    their transposes and gradients, matrix products. The iteration space says
    everything else.
  }];
  let methods = [
    InterfaceMethod<"Contract on the precision of the multiplicands.",
      "::tilefuse::fuse::Precision", "getContractionPrecision", (ins)>,
    InterfaceMethod<"Element type of the running sum: f32, or f64 for f64.",
      "::mlir::Type", "getSumType", (ins)>,
  ];
}

def CompositeOpInterface : OpInterface<"CompositeOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    An op defined by simpler fuse ops (softmax, batch_norm, layer_norm, ...).
  }];
  let methods = [
    InterfaceMethod<"Builds the defining ops; returns one value per result.",
      "::llvm::SmallVector<::mlir::Value>", "decompose",
      (ins "::mlir::OpBuilder &":$b)>,
  ];
}

def DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::tilefuse::fuse";
  let description = [{
    An op with a reverse-mode rule: its vector-Jacobian product, built out of
    fuse ops. The rules stand in the *Gradients.cpp files, one per op family.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the gradient of each operand for which `wanted` is set.
        `cotangents` has one value per result, null where the result does not
        reach the loss. Appends one value per operand to `gradients`, null for
        a zero gradient. `b` inserts at the end of the joint graph. Fails where
        the op has no rule for these attributes.
      }],
      "::llvm::LogicalResult", "buildGradients",
      (ins "::tilefuse::fuse::GradientBuilder &":$b,
           "::mlir::ValueRange":$cotangents,
           "::llvm::ArrayRef<bool>":$wanted,
           "::llvm::SmallVectorImpl<::mlir::Value> &":$gradients)>,
  ];
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEINTERFACES

//===- FuseBase.td - types and op classes of the dialect ---*- tablegen -*-===//
//
// What the op families share: the tensor types, and classes that give an op its
// interfaces from a few parameters, so that an op's own entry holds only what
// is its own.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSEBASE
#define TILEFUSE_DIALECTS_FUSE_FUSEBASE

include "dialects/Fuse/FuseAttrs.td"
include "dialects/Fuse/FuseInterfaces.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

// Static shape, no zero extent, no encoding, every extent below 2^31 and at
// most 2^40 elements: then no index or byte count overflows 64 bits.
class Fuse_TensorOf<string elements, string what>
    : Type<CPred<"::tilefuse::fuse::isTensorOf($_self, "
                 "::tilefuse::fuse::Elements::" # elements # ")">,
           "static, non-empty tensor of " # what # " elements (extents below "
           "2^31, at most 2^40 elements)",
           "::mlir::RankedTensorType">;

def Fuse_Tensor : Fuse_TensorOf<"Any", "f32, f16, bf16, f64, i1, i8, i32 or i64">;
def Fuse_FloatTensor : Fuse_TensorOf<"Float", "f32, f16, bf16 or f64">;
def Fuse_NumberTensor : Fuse_TensorOf<"Number", "f32, f16, bf16, f64, i8, i32 or i64">;
def Fuse_IntTensor : Fuse_TensorOf<"Integer", "i1, i8, i32 or i64">;
def Fuse_IndexTensor : Fuse_TensorOf<"Index", "i8, i32 or i64">;
def Fuse_BoolTensor : Fuse_TensorOf<"Bool", "i1">;

def Fuse_Elements : Attr<
    CPred<"::llvm::isa<::mlir::DenseElementsAttr>($_self)">, "dense elements"> {
  let storageType = "::mlir::DenseElementsAttr";
  let returnType = "::mlir::DenseElementsAttr";
  let convertFromStorage = "$_self";
}

// Two integers, [h, w].
class Fuse_PairOf<string values>
    : DefaultValuedAttr<DenseI64ArrayAttr, values>;

//===----------------------------------------------------------------------===//
// Op classes
//===----------------------------------------------------------------------===//

class Fuse_Op<string mnemonic, list<Trait> traits = []>
    : Op<Fuse_Dialect, mnemonic, traits>;

// An op whose `inferReturnTypes` is at the same time its whole verifier: it
// checks operands and attributes, names the op in its message, and gives the
// result types, which `verify` compares with the actual ones.
class Fuse_InferredCode {
  code declaration = [{
    /// `verify` reports what inference finds; the trait need not repeat it.
    static ::llvm::LogicalResult refineReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>,
        ::mlir::ValueRange, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
  }];
  code definition = [{
    ::llvm::LogicalResult $cppClass::verify() {
      return ::tilefuse::fuse::verifyInferredTypes(*this);
    }
  }];
}

class Fuse_InferredOp<string mnemonic, list<Trait> traits = []>
    : Fuse_Op<mnemonic, !listconcat([Pure, InferTypeOpAdaptor], traits)> {
  let hasVerifier = 1;
  code inferredDeclaration = Fuse_InferredCode<>.declaration;
  code inferredDefinition = Fuse_InferredCode<>.definition;
  let extraClassDeclaration = inferredDeclaration;
  let extraClassDefinition = inferredDefinition;
}

// A pointwise op computes one element in `emit`. Floats narrower than f32 are
// widened in front of it and narrowed behind it.
//   monotone   C++ expression for getMonotonicity (may name `operand`)
//   cost       modelled arithmetic operations per element
class Fuse_PointwiseCode<string monotone, int cost> {
  code declaration = [{
    /// One element, or a block of them, from f32 (f64) or integer operands.
    ::mlir::Value emit(::tilefuse::fuse::ElementBuilder &e,
                       ::mlir::ValueRange x);
  }];
  code definition = [{
    ::tilefuse::fuse::IterationSpace $cppClass::getIterationSpace() {
      return ::tilefuse::fuse::getPointwiseSpace(*this);
    }
    ::mlir::Value $cppClass::emitElement(::mlir::OpBuilder &b,
        ::mlir::Location loc, ::mlir::ValueRange operands, ::mlir::ValueRange) {
      return ::tilefuse::fuse::emitWide(b, loc, operands,
          ::mlir::getElementTypeOrSelf((*this)->getResult(0).getType()),
          [&](::tilefuse::fuse::ElementBuilder &e, ::mlir::ValueRange x) {
            return emit(e, x);
          });
    }
    int $cppClass::getMonotonicity(unsigned operand) {
      (void)operand;
      return }] # monotone # [{;
    }
    int64_t $cppClass::getElementCost() { return }] # cost # [{; }
  }];
}

// Result of the operand's own type.
class Fuse_UnaryOp<string mnemonic, Type tensor, string monotone = "0",
                   int cost = 1, list<Trait> traits = []>
    : Fuse_Op<mnemonic, !listconcat([
        Pure, SameOperandsAndResultType,
        DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
        DeclareOpInterfaceMethods<PointwiseOpInterface,
                                  ["getMonotonicity", "getElementCost"]>],
        traits)> {
  dag operand = (ins Arg<tensor, "elements to map">:$input);
  let arguments = operand;
  let results = (outs Res<tensor, "one element per element of `input`">:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
  let extraClassDeclaration = Fuse_PointwiseCode<monotone, cost>.declaration;
  let extraClassDefinition = Fuse_PointwiseCode<monotone, cost>.definition;
  let hasFolder = 1;
}

// Operands broadcast by NumPy's rules.
class Fuse_BroadcastingOp<string mnemonic, string monotone, int cost,
                          list<Trait> traits = []>
    : Fuse_InferredOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
        DeclareOpInterfaceMethods<PointwiseOpInterface,
                                  ["getMonotonicity", "getElementCost"]>],
        traits)> {
  let extraClassDeclaration =
      inferredDeclaration # Fuse_PointwiseCode<monotone, cost>.declaration;
  let extraClassDefinition =
      inferredDefinition # Fuse_PointwiseCode<monotone, cost>.definition;
}

class Fuse_BinaryOp<string mnemonic, Type tensor, string monotone = "0",
                    int cost = 1, list<Trait> traits = []>
    : Fuse_BroadcastingOp<mnemonic, monotone, cost, traits> {
  let arguments = (ins Arg<tensor, "left operand">:$lhs,
                       Arg<tensor, "right operand, of the same element type">:$rhs);
  let results = (outs Res<tensor, "of the broadcast shape">:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:`
    custom<PointwiseTypes>(type($lhs), type($rhs), type($result))
  }];
  let hasFolder = 1;
}

// The element passes through; the iteration space says where it comes from.
class Fuse_ShapeOp<string mnemonic, list<Trait> traits = []>
    : Fuse_Op<mnemonic, !listconcat([
        Pure, DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
        DeclareOpInterfaceMethods<PointwiseOpInterface,
                                  ["getMonotonicity", "getElementCost"]>],
        traits)> {
  code shapeDeclaration = "";
  code shapeDefinition = [{
    ::mlir::Value $cppClass::emitElement(::mlir::OpBuilder &, ::mlir::Location,
        ::mlir::ValueRange operands, ::mlir::ValueRange) {
      return operands[0];
    }
    int $cppClass::getMonotonicity(unsigned) { return 1; }
    int64_t $cppClass::getElementCost() { return 0; }
  }];
  let extraClassDefinition = shapeDefinition;
  let hasFolder = 1;
}

class Fuse_InferredShapeOp<string mnemonic, list<Trait> traits = []>
    : Fuse_ShapeOp<mnemonic, !listconcat([InferTypeOpAdaptor], traits)> {
  let hasVerifier = 1;
  code inferredDeclaration = Fuse_InferredCode<>.declaration;
  let extraClassDeclaration = inferredDeclaration;
  let extraClassDefinition =
      shapeDefinition # Fuse_InferredCode<>.definition;
}

// A sum of products of two operands.
class Fuse_ContractionOp<string mnemonic, list<Trait> traits = []>
    : Fuse_InferredOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
        DeclareOpInterfaceMethods<ContractionOpInterface>], traits)> {
  let extraClassDefinition = inferredDefinition # [{
    ::mlir::Type $cppClass::getSumType() {
      return ::tilefuse::fuse::getWideType(
          ::mlir::getElementTypeOrSelf((*this)->getOperand(0).getType()));
    }
  }];
}

class Fuse_ReductionOp<string mnemonic, list<string> overridden = [],
                       list<Trait> traits = []>
    : Fuse_InferredOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
        DeclareOpInterfaceMethods<ReductionOpInterface, overridden>], traits)>;

// Defined by simpler ops.
class Fuse_CompositeOp<string mnemonic, list<Trait> traits = []>
    : Fuse_InferredOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<CompositeOpInterface>], traits)>;

#endif // TILEFUSE_DIALECTS_FUSE_FUSEBASE

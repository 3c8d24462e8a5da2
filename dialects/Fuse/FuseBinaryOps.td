//===- FuseBinaryOps.td - functions of two or three elements *- tablegen -*-===//
//
// Operands broadcast against each other by NumPy's rules; element types do not
// mix (use `fuse.cast`).
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSEBINARYOPS
#define TILEFUSE_DIALECTS_FUSE_FUSEBINARYOPS

include "dialects/Fuse/FuseBase.td"

def AddOp : Fuse_BinaryOp<"add", Fuse_NumberTensor,
    "1", 1, [Commutative]> {
  let summary = "The sum";
  let description = [{
    ```mlir
    %y = fuse.add %a, %b : tensor<4x8xf32>
    %z = fuse.add %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def SubOp : Fuse_BinaryOp<"sub", Fuse_NumberTensor,
    "operand == 0 ? 1 : -1", 1> {
  let summary = "The difference";
  let description = [{
    ```mlir
    %y = fuse.sub %a, %b : tensor<4x8xf32>
    %z = fuse.sub %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def MulOp : Fuse_BinaryOp<"mul", Fuse_NumberTensor,
    "::tilefuse::fuse::getFactorMonotonicity(*this, operand)", 1, [Commutative]> {
  let summary = "The product";
  let description = [{
    ```mlir
    %y = fuse.mul %a, %b : tensor<4x8xf32>
    %z = fuse.mul %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def DivOp : Fuse_BinaryOp<"div", Fuse_NumberTensor,
    "::tilefuse::fuse::getFactorMonotonicity(*this, operand)", 4> {
  let summary = "The quotient";
  let description = [{
    Of floats: IEEE. Of integers: towards zero; a quotient by 0 is 0.

    ```mlir
    %y = fuse.div %a, %b : tensor<4x8xf32>
    %z = fuse.div %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def MaximumOp : Fuse_BinaryOp<"maximum", Fuse_NumberTensor,
    "1", 1, [Commutative]> {
  let summary = "The larger element; NaN when either is NaN";
  let description = [{
    ```mlir
    %y = fuse.maximum %a, %b : tensor<4x8xf32>
    %z = fuse.maximum %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def MinimumOp : Fuse_BinaryOp<"minimum", Fuse_NumberTensor,
    "1", 1, [Commutative]> {
  let summary = "The smaller element; NaN when either is NaN";
  let description = [{
    ```mlir
    %y = fuse.minimum %a, %b : tensor<4x8xf32>
    %z = fuse.minimum %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def PowOp : Fuse_BinaryOp<"pow", Fuse_FloatTensor,
    "0", 24> {
  let summary = "`lhs` to the power of `rhs`";
  let description = [{
    ```mlir
    %y = fuse.pow %a, %b : tensor<4x8xf32>
    %z = fuse.pow %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def RemainderOp : Fuse_BinaryOp<"remainder", Fuse_NumberTensor,
    "0", 8> {
  let summary = "The remainder with the sign of the divisor";
  let description = [{
    Python's `%`. An integer remainder by 0 is 0.

    ```mlir
    %y = fuse.remainder %a, %b : tensor<4x8xf32>
    %z = fuse.remainder %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def Atan2Op : Fuse_BinaryOp<"atan2", Fuse_FloatTensor,
    "0", 24> {
  let summary = "The angle of the point (`rhs`, `lhs`)";
  let description = [{
    ```mlir
    %y = fuse.atan2 %a, %b : tensor<4x8xf32>
    %z = fuse.atan2 %a, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def AndOp : Fuse_BinaryOp<"and", Fuse_IntTensor,
    "0", 1, [Commutative]> {
  let summary = "Bitwise and; logical for i1";
  let description = [{
    ```mlir
    %y = fuse.and %a, %b : tensor<4x8xi1>
    %z = fuse.and %a, %c : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
    ```
  }];
}

def OrOp : Fuse_BinaryOp<"or", Fuse_IntTensor,
    "0", 1, [Commutative]> {
  let summary = "Bitwise or; logical for i1";
  let description = [{
    ```mlir
    %y = fuse.or %a, %b : tensor<4x8xi1>
    %z = fuse.or %a, %c : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
    ```
  }];
}

def XorOp : Fuse_BinaryOp<"xor", Fuse_IntTensor,
    "0", 1, [Commutative]> {
  let summary = "Bitwise exclusive or; logical for i1";
  let description = [{
    ```mlir
    %y = fuse.xor %a, %b : tensor<4x8xi1>
    %z = fuse.xor %a, %c : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
    ```
  }];
}

def CompareOp : Fuse_BroadcastingOp<"compare", "0", 1> {
  let summary = "Whether a comparison holds";
  let description = [{
    Signed for integers, unsigned for i1. With NaN only `ne` holds.

    ```mlir
    %m = fuse.compare lt %a, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xi1>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_PredicateAttr, "`eq`, `ne`, `lt`, `le`, `gt` or `ge`">:$predicate,
    Arg<Fuse_Tensor, "left operand">:$lhs,
    Arg<Fuse_Tensor, "right operand, of the same element type">:$rhs);
  let results = (outs Res<Fuse_BoolTensor, "of the broadcast shape">:$result);
  let assemblyFormat = [{
    `` $predicate $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def SelectOp : Fuse_BroadcastingOp<"select", "operand == 0 ? 0 : 1", 1> {
  let summary = "One of two elements, by a condition";
  let description = [{
    ```mlir
    %y = fuse.select %m, %a, %b
        : (tensor<4x8xi1>, tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_BoolTensor, "which element to take">:$condition,
    Arg<Fuse_Tensor, "elements where the condition holds">:$lhs,
    Arg<Fuse_Tensor, "elements elsewhere, of the same element type">:$rhs);
  let results = (outs Res<Fuse_Tensor, "of the broadcast shape">:$result);
  let assemblyFormat = [{
    $condition `,` $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEBINARYOPS

//===- FuseUnaryOps.td - functions of one element ----------*- tablegen -*-===//
//
// PyTorch's semantics, NaN and infinities included. f16 and bf16 elements are
// computed in f32 and rounded once.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSEUNARYOPS
#define TILEFUSE_DIALECTS_FUSE_FUSEUNARYOPS

include "dialects/Fuse/FuseBase.td"

//===----------------------------------------------------------------------===//
// Functions without parameters
//===----------------------------------------------------------------------===//

def NegOp : Fuse_UnaryOp<"neg", Fuse_NumberTensor, "-1", 1> {
  let summary = "The negative of each element";
  let description = [{
    ```mlir
    %y = fuse.neg %x : tensor<4x8xf32>
    ```
  }];
}

def AbsOp : Fuse_UnaryOp<"abs", Fuse_NumberTensor, "0", 1> {
  let summary = "The absolute value of each element";
  let description = [{
    ```mlir
    %y = fuse.abs %x : tensor<4x8xf32>
    ```
  }];
}

def SquareOp : Fuse_UnaryOp<"square", Fuse_NumberTensor, "0", 1> {
  let summary = "The square of each element";
  let description = [{
    ```mlir
    %y = fuse.square %x : tensor<4x8xf32>
    ```
  }];
}

def SignOp : Fuse_UnaryOp<"sign", Fuse_NumberTensor, "0", 2> {
  let summary = "1, 0 or -1 by the sign of each element; 0 for NaN";
  let description = [{
    ```mlir
    %y = fuse.sign %x : tensor<4x8xf32>
    ```
  }];
}

def ExpOp : Fuse_UnaryOp<"exp", Fuse_FloatTensor, "1", 8> {
  let summary = "e to the power of each element";
  let description = [{
    ```mlir
    %y = fuse.exp %x : tensor<4x8xf32>
    ```
  }];
}

def Exp2Op : Fuse_UnaryOp<"exp2", Fuse_FloatTensor, "1", 8> {
  let summary = "2 to the power of each element";
  let description = [{
    ```mlir
    %y = fuse.exp2 %x : tensor<4x8xf32>
    ```
  }];
}

def Expm1Op : Fuse_UnaryOp<"expm1", Fuse_FloatTensor, "1", 10> {
  let summary = "`exp(x) - 1`, accurate near 0";
  let description = [{
    ```mlir
    %y = fuse.expm1 %x : tensor<4x8xf32>
    ```
  }];
}

def LogOp : Fuse_UnaryOp<"log", Fuse_FloatTensor, "0", 10> {
  let summary = "The natural logarithm of each element";
  let description = [{
    NaN for negative elements: monotone over part of the numbers only.

    ```mlir
    %y = fuse.log %x : tensor<4x8xf32>
    ```
  }];
}

def Log2Op : Fuse_UnaryOp<"log2", Fuse_FloatTensor, "0", 10> {
  let summary = "The logarithm to base 2 of each element";
  let description = [{
    ```mlir
    %y = fuse.log2 %x : tensor<4x8xf32>
    ```
  }];
}

def Log1pOp : Fuse_UnaryOp<"log1p", Fuse_FloatTensor, "0", 12> {
  let summary = "`log(1 + x)`, accurate near 0";
  let description = [{
    ```mlir
    %y = fuse.log1p %x : tensor<4x8xf32>
    ```
  }];
}

def SqrtOp : Fuse_UnaryOp<"sqrt", Fuse_FloatTensor, "0", 4> {
  let summary = "The square root of each element";
  let description = [{
    ```mlir
    %y = fuse.sqrt %x : tensor<4x8xf32>
    ```
  }];
}

def RsqrtOp : Fuse_UnaryOp<"rsqrt", Fuse_FloatTensor, "0", 4> {
  let summary = "`1 / sqrt(x)`";
  let description = [{
    ```mlir
    %y = fuse.rsqrt %x : tensor<4x8xf32>
    ```
  }];
}

def ReciprocalOp : Fuse_UnaryOp<"reciprocal", Fuse_FloatTensor, "0", 4> {
  let summary = "`1 / x`";
  let description = [{
    ```mlir
    %y = fuse.reciprocal %x : tensor<4x8xf32>
    ```
  }];
}

def SinOp : Fuse_UnaryOp<"sin", Fuse_FloatTensor, "0", 16> {
  let summary = "The sine of each element";
  let description = [{
    ```mlir
    %y = fuse.sin %x : tensor<4x8xf32>
    ```
  }];
}

def CosOp : Fuse_UnaryOp<"cos", Fuse_FloatTensor, "0", 16> {
  let summary = "The cosine of each element";
  let description = [{
    ```mlir
    %y = fuse.cos %x : tensor<4x8xf32>
    ```
  }];
}

def TanhOp : Fuse_UnaryOp<"tanh", Fuse_FloatTensor, "1", 12> {
  let summary = "The hyperbolic tangent of each element";
  let description = [{
    ```mlir
    %y = fuse.tanh %x : tensor<4x8xf32>
    ```
  }];
}

def ErfOp : Fuse_UnaryOp<"erf", Fuse_FloatTensor, "1", 16> {
  let summary = "The error function of each element";
  let description = [{
    ```mlir
    %y = fuse.erf %x : tensor<4x8xf32>
    ```
  }];
}

def SigmoidOp : Fuse_UnaryOp<"sigmoid", Fuse_FloatTensor, "1", 12> {
  let summary = "`1 / (1 + exp(-x))`";
  let description = [{
    ```mlir
    %y = fuse.sigmoid %x : tensor<4x8xf32>
    ```
  }];
}

def LogSigmoidOp : Fuse_UnaryOp<"log_sigmoid", Fuse_FloatTensor, "1", 20> {
  let summary = "`log(sigmoid(x))`, without cancellation";
  let description = [{
    ```mlir
    %y = fuse.log_sigmoid %x : tensor<4x8xf32>
    ```
  }];
}

def ReluOp : Fuse_UnaryOp<"relu", Fuse_NumberTensor, "1", 1> {
  let summary = "`max(x, 0)`; NaN stays NaN";
  let description = [{
    ```mlir
    %y = fuse.relu %x : tensor<4x8xf32>
    ```
  }];
}

def Relu6Op : Fuse_UnaryOp<"relu6", Fuse_FloatTensor, "1", 2> {
  let summary = "`min(max(x, 0), 6)`; NaN stays NaN";
  let description = [{
    ```mlir
    %y = fuse.relu6 %x : tensor<4x8xf32>
    ```
  }];
}

def SeluOp : Fuse_UnaryOp<"selu", Fuse_FloatTensor, "1", 12> {
  let summary = "The scaled exponential linear unit";
  let description = [{
    `scale * x` for positive x, else `scale * alpha * expm1(x)`, with PyTorch's
    constants.

    ```mlir
    %y = fuse.selu %x : tensor<4x8xf32>
    ```
  }];
}

def SiluOp : Fuse_UnaryOp<"silu", Fuse_FloatTensor, "0", 13> {
  let summary = "`x * sigmoid(x)`";
  let description = [{
    Computed as `x / (1 + exp(-x))`; NaN for minus infinity, as in PyTorch.

    ```mlir
    %y = fuse.silu %x : tensor<4x8xf32>
    ```
  }];
}

def MishOp : Fuse_UnaryOp<"mish", Fuse_FloatTensor, "0", 30> {
  let summary = "`x * tanh(softplus(x))`";
  let description = [{
    ```mlir
    %y = fuse.mish %x : tensor<4x8xf32>
    ```
  }];
}

def HardswishOp : Fuse_UnaryOp<"hardswish", Fuse_FloatTensor, "0", 4> {
  let summary = "`x * relu6(x + 3) / 6`";
  let description = [{
    ```mlir
    %y = fuse.hardswish %x : tensor<4x8xf32>
    ```
  }];
}

def HardsigmoidOp : Fuse_UnaryOp<"hardsigmoid", Fuse_FloatTensor, "1", 3> {
  let summary = "`relu6(x + 3) / 6`";
  let description = [{
    ```mlir
    %y = fuse.hardsigmoid %x : tensor<4x8xf32>
    ```
  }];
}

def FloorOp : Fuse_UnaryOp<"floor", Fuse_FloatTensor, "1", 1> {
  let summary = "The largest integer not above each element";
  let description = [{
    ```mlir
    %y = fuse.floor %x : tensor<4x8xf32>
    ```
  }];
}

def CeilOp : Fuse_UnaryOp<"ceil", Fuse_FloatTensor, "1", 1> {
  let summary = "The smallest integer not below each element";
  let description = [{
    ```mlir
    %y = fuse.ceil %x : tensor<4x8xf32>
    ```
  }];
}

def RoundOp : Fuse_UnaryOp<"round", Fuse_FloatTensor, "1", 1> {
  let summary = "The nearest integer, halves to even";
  let description = [{
    ```mlir
    %y = fuse.round %x : tensor<4x8xf32>
    ```
  }];
}

def TruncOp : Fuse_UnaryOp<"trunc", Fuse_FloatTensor, "1", 1> {
  let summary = "The integer part of each element";
  let description = [{
    ```mlir
    %y = fuse.trunc %x : tensor<4x8xf32>
    ```
  }];
}

def NotOp : Fuse_UnaryOp<"not", Fuse_IntTensor, "0", 1> {
  let summary = "The bitwise complement; logical for i1";
  let description = [{
    ```mlir
    %y = fuse.not %x : tensor<4x8xi1>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Functions with parameters
//===----------------------------------------------------------------------===//

def LeakyReluOp : Fuse_UnaryOp<"leaky_relu", Fuse_FloatTensor, "getSlope().convertToDouble() >= 0 ? 1 : 0", 2> {
  let summary = "x for positive x, else `slope * x`";
  let description = [{
    ```mlir
    %y = fuse.leaky_relu %x slope 2.000000e-01 : tensor<4x8xf32>
    ```
  }];
  let arguments = !con(operand, (ins
    Arg<DefaultValuedAttr<F64Attr, "0.01">, "factor of negative elements">:$slope));
  let assemblyFormat = [{
    $input (`slope` $slope^)? attr-dict `:` type($result)
  }];
}

def EluOp : Fuse_UnaryOp<"elu", Fuse_FloatTensor, "getAlpha().convertToDouble() >= 0 ? 1 : 0", 11> {
  let summary = "x for positive x, else `alpha * expm1(x)`";
  let description = [{
    ```mlir
    %y = fuse.elu %x alpha 5.000000e-01 : tensor<4x8xf32>
    ```
  }];
  let arguments = !con(operand, (ins
    Arg<DefaultValuedAttr<F64Attr, "1.0">, "minus the limit at minus infinity">:$alpha));
  let assemblyFormat = [{
    $input (`alpha` $alpha^)? attr-dict `:` type($result)
  }];
}

def CeluOp : Fuse_UnaryOp<"celu", Fuse_FloatTensor, "getAlpha().convertToDouble() > 0 ? 1 : 0", 12> {
  let summary = "x for positive x, else `alpha * expm1(x / alpha)`";
  let description = [{
    `alpha` must not be 0.

    ```mlir
    %y = fuse.celu %x alpha 5.000000e-01 : tensor<4x8xf32>
    ```
  }];
  let hasVerifier = 1;
  let arguments = !con(operand, (ins
    Arg<DefaultValuedAttr<F64Attr, "1.0">, "minus the limit at minus infinity">:$alpha));
  let assemblyFormat = [{
    $input (`alpha` $alpha^)? attr-dict `:` type($result)
  }];
}

def GeluOp : Fuse_UnaryOp<"gelu", Fuse_FloatTensor, "0", 20> {
  let summary = "`x * P(X <= x)` for a standard normal X";
  let description = [{
    By erf, or by the approximation
    `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.

    ```mlir
    %y = fuse.gelu %x approximate tanh : tensor<4x8xf32>
    ```
  }];
  let arguments = !con(operand, (ins
    Arg<DefaultValuedAttr<Fuse_GeluKindAttr, "::tilefuse::fuse::GeluKind::none">, "`none` (erf) or `tanh`">:$approximate));
  let assemblyFormat = [{
    $input (`approximate` `` $approximate^)? attr-dict `:` type($result)
  }];
}

def SoftplusOp : Fuse_UnaryOp<"softplus", Fuse_FloatTensor, "0", 20> {
  let summary = "`log(1 + exp(beta x)) / beta`";
  let description = [{
    x itself where `beta x > threshold`.

    ```mlir
    %y = fuse.softplus %x beta 2.000000e+00 : tensor<4x8xf32>
    ```
  }];
  let hasVerifier = 1;
  let arguments = !con(operand, (ins
    Arg<DefaultValuedAttr<F64Attr, "1.0">, "sharpness; not 0">:$beta,
    Arg<DefaultValuedAttr<F64Attr, "20.0">, "where the function becomes linear">:$threshold));
  let assemblyFormat = [{
    $input (`beta` $beta^)? (`threshold` $threshold^)? attr-dict `:` type($result)
  }];
}

def ClampOp : Fuse_UnaryOp<"clamp", Fuse_FloatTensor, "1", 2> {
  let summary = "`min(max(x, min), max)`; NaN stays NaN";
  let description = [{
    At least one bound is given. Where `min` exceeds `max` the result is `max`, as
    in PyTorch. hardtanh is `clamp min -1.0 max 1.0`.

    ```mlir
    %y = fuse.clamp %x min -1.000000e+00 max 1.000000e+00 : tensor<4x8xf32>
    ```
  }];
  let hasVerifier = 1;
  let arguments = !con(operand, (ins
    Arg<OptionalAttr<F64Attr>, "lower bound; none when absent">:$min,
    Arg<OptionalAttr<F64Attr>, "upper bound; none when absent">:$max));
  let assemblyFormat = [{
    $input (`min` $min^)? (`max` $max^)? attr-dict `:` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Functions with a result of another type
//===----------------------------------------------------------------------===//

def IsNanOp : Fuse_BroadcastingOp<"isnan", "0", 1> {
  let summary = "Whether each element is NaN";
  let description = [{
    ```mlir
    %m = fuse.isnan %x : tensor<4xf32> -> tensor<4xi1>
    ```
  }];
  let arguments = (ins Arg<Fuse_FloatTensor, "elements to test">:$input);
  let results = (outs Res<Fuse_BoolTensor, "true where the element is NaN">:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def CastOp : Fuse_Op<"cast", [
    Pure, SameOperandsAndResultShape,
    DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
    DeclareOpInterfaceMethods<PointwiseOpInterface, ["getMonotonicity"]>]> {
  let summary = "Each element in another type";
  let description = [{
    Between floats: rounds to nearest even. Float to integer: towards zero,
    saturating, NaN to 0. To i1: whether the element differs from 0. From i1: 0
    or 1. Between integers: sign-extended, or the low bits.

    ```mlir
    %h = fuse.cast %x : tensor<4xf32> -> tensor<4xf16>
    ```
  }];
  let arguments = (ins Arg<Fuse_Tensor, "elements to convert">:$input);
  let results = (outs Res<Fuse_Tensor, "the same shape, another element type">:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::tilefuse::fuse::IterationSpace $cppClass::getIterationSpace() {
      return ::tilefuse::fuse::getPointwiseSpace(*this);
    }
  }];
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEUNARYOPS

//===- FuseShapeOps.td - constants and moved elements ------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSESHAPEOPS
#define TILEFUSE_DIALECTS_FUSE_FUSESHAPEOPS

include "dialects/Fuse/FuseBase.td"

def ConstantOp : Fuse_Op<"constant", [
    Pure, ConstantLike, AllTypesMatch<["value", "result"]>,
    DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
    DeclareOpInterfaceMethods<PointwiseOpInterface, ["getElementCost"]>]> {
  let summary = "A tensor known when compiling";
  let description = [{
    A splat (all elements equal) is a pointwise op without operands: its
    `emitElement` gives a scalar, or a block of the shape of `index[0]` when an
    index is given. A constant with different elements is a buffer; its
    `emitElement` gives null.

    ```mlir
    %two = fuse.constant dense<2.0> : tensor<f32>
    ```
  }];
  let arguments = (ins Arg<Fuse_Elements, "the elements">:$value);
  let results = (outs Res<Fuse_Tensor, "the tensor">:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def IotaOp : Fuse_Op<"iota", [
    Pure, DeclareOpInterfaceMethods<IterationSpaceOpInterface>,
    DeclareOpInterfaceMethods<PointwiseOpInterface,
                              ["needsIndex", "getElementCost"]>]> {
  let summary = "Each element's position along a dim";
  let description = [{
    ```mlir
    %i = fuse.iota dim 1 : tensor<2x3xi32>   // [[0, 1, 2], [0, 1, 2]]
    ```
  }];
  let arguments = (ins Arg<I64Attr, "the dim that counts">:$dim);
  let results = (outs Res<Fuse_NumberTensor, "positions, from 0">:$result);
  let assemblyFormat = "`dim` $dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def ReshapeOp : Fuse_ShapeOp<"reshape"> {
  let summary = "The same elements in row-major order, in another shape";
  let description = [{
    ```mlir
    %y = fuse.reshape %b : tensor<64xf32> -> tensor<64x1x1xf32>
    ```
  }];
  let arguments = (ins Arg<Fuse_Tensor, "elements">:$input);
  let results = (outs Res<Fuse_Tensor, "as many elements, of the same type">:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def BroadcastOp : Fuse_ShapeOp<"broadcast"> {
  let summary = "Repeats elements along new or size-1 dims";
  let description = [{
    By NumPy's rules: shapes are aligned at their last dims.

    ```mlir
    %y = fuse.broadcast %b : tensor<64x1x1xf32> -> tensor<2x64x8x8xf32>
    ```
  }];
  let arguments = (ins Arg<Fuse_Tensor, "elements">:$input);
  let results = (outs Res<Fuse_Tensor, "of the larger shape">:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def TransposeOp : Fuse_InferredShapeOp<"transpose"> {
  let summary = "Permutes dims";
  let description = [{
    Dim i of the result is dim `permutation[i]` of the operand.

    ```mlir
    %t = fuse.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_Tensor, "elements">:$input,
    Arg<DenseI64ArrayAttr, "source dim of each result dim">:$permutation);
  let results = (outs Res<Fuse_Tensor, "the permuted tensor">:$result);
  let assemblyFormat = [{
    $input `permutation` $permutation attr-dict `:` type($input) `->` type($result)
  }];
}

def SliceOp : Fuse_InferredShapeOp<"slice"> {
  let summary = "A strided box of elements";
  let description = [{
    Element i of the result is element `offsets + i * strides` of the operand.

    ```mlir
    %s = fuse.slice %x offsets [0, 2] sizes [4, 3] strides [1, 2]
        : tensor<4x8xf32> -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_Tensor, "elements">:$input,
    Arg<DenseI64ArrayAttr, "first position per dim">:$offsets,
    Arg<DenseI64ArrayAttr, "elements per dim">:$sizes,
    Arg<DenseI64ArrayAttr, "step per dim, at least 1">:$strides);
  let results = (outs Res<Fuse_Tensor, "the box">:$result);
  let assemblyFormat = [{
    $input `offsets` $offsets `sizes` $sizes `strides` $strides attr-dict
    `:` type($input) `->` type($result)
  }];
}

def PadOp : Fuse_InferredShapeOp<"pad"> {
  let summary = "Adds elements of one value around, and between, the elements";
  let description = [{
    The adjoint of a strided slice: `interior` elements go between neighbours.

    ```mlir
    %p = fuse.pad %x low [0, 1] high [0, 2] value 0.0 : tensor<4x8xf32> -> tensor<4x11xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_Tensor, "elements">:$input,
    Arg<DenseI64ArrayAttr, "elements added in front, per dim">:$low,
    Arg<DenseI64ArrayAttr, "elements added behind, per dim">:$high,
    Arg<OptionalAttr<DenseI64ArrayAttr>,
        "elements added between neighbours, per dim; 0 when absent">:$interior,
    Arg<TypedAttrInterface, "the added value, of the element type">:$value);
  let results = (outs Res<Fuse_Tensor, "the padded tensor">:$result);
  let assemblyFormat = [{
    $input `low` $low `high` $high (`interior` $interior^)? `value` $value
    attr-dict `:` type($input) `->` type($result)
  }];
}

def ConcatOp : Fuse_CompositeOp<"concat"> {
  let summary = "Tensors one behind the other along a dim";
  let description = [{
    ```mlir
    %c = fuse.concat %a, %b dim 1
        : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<4x5xf32>
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Fuse_Tensor>, "one or more tensors that agree in the other dims">:$inputs,
    Arg<I64Attr, "the dim to concatenate along">:$dim);
  let results = (outs Res<Fuse_Tensor, "the joined tensor">:$result);
  let assemblyFormat = [{
    $inputs `dim` $dim attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSESHAPEOPS

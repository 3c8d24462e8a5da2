//===- FuseStructuredOps.td - contractions, windows, reductions *- tablegen -*-===//
//
// Ops with reduction dims. Each entry states its iteration space (see
// IterationSpace.h), parallel dims | reduction dims.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSESTRUCTUREDOPS
#define TILEFUSE_DIALECTS_FUSE_FUSESTRUCTUREDOPS

include "dialects/Fuse/FuseBase.td"

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

def Conv2dOp : Fuse_ContractionOp<"conv2d"> {
  let summary = "Convolution of images (cross-correlation, as in PyTorch)";
  let description = [{
    Dims (n, co, oh, ow | ci, r, s); with several groups (n, g, co, oh, ow | ci,
    r, s) with co and ci inside the group, where co is left out when a group has
    one output channel. x is read at
    `(n, ci, oh*stride + r*dilation - padding, ...)`, 0 outside. Asymmetric
    padding is a `fuse.pad` in front; a bias is a `fuse.add` behind.

    ```mlir
    %y = fuse.conv2d %x, %w stride [2, 2] padding [1, 1]
        : (tensor<2x8x32x32xf32>, tensor<64x8x3x3xf32>) -> tensor<2x64x16x16xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "images, N x Ci x H x W">:$x,
    Arg<Fuse_FloatTensor, "filters, Co x Ci/groups x R x S">:$w,
    Arg<Fuse_PairOf<"{1, 1}">, "step between windows, [h, w]">:$stride,
    Arg<Fuse_PairOf<"{0, 0}">, "zeros around the image, [h, w], on both sides">:$padding,
    Arg<Fuse_PairOf<"{1, 1}">, "step between taps, [h, w]">:$dilation,
    Arg<DefaultValuedAttr<I64Attr, "1">, "groups of channels">:$groups,
    Arg<OptionalAttr<Fuse_PrecisionAttr>,
        "contract on the multiplicands; tf32 for f32 elements when absent, else the elements' type">:$precision);
  let results = (outs Res<Fuse_FloatTensor, "N x Co x OH x OW">:$result);
  let assemblyFormat = [{
    $x `,` $w (`stride` $stride^)? (`padding` $padding^)? (`dilation` $dilation^)?
    (`groups` $groups^)? (`precision` `` $precision^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def ConvTranspose2dOp : Fuse_ContractionOp<"conv_transpose2d"> {
  let summary = "Transposed convolution of images";
  let description = [{
    The adjoint of `conv2d` in x. Dims as there; x is read at
    `(n, ci, (oh + padding - r*dilation) / stride, ...)`, 0 outside and where the
    division is not exact. OH is
    `(H-1)*stride - 2*padding + dilation*(R-1) + output_padding + 1`.

    ```mlir
    %y = fuse.conv_transpose2d %x, %w stride [2, 2] padding [1, 1] output_padding [1, 1]
        : (tensor<2x64x8x8xf32>, tensor<64x128x4x4xf32>) -> tensor<2x128x17x17xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "images, N x Ci x H x W">:$x,
    Arg<Fuse_FloatTensor, "filters, Ci x Co/groups x R x S">:$w,
    Arg<Fuse_PairOf<"{1, 1}">, "step of the convolution that this transposes, [h, w]">:$stride,
    Arg<Fuse_PairOf<"{0, 0}">, "rows and columns cut off on both sides, [h, w]">:$padding,
    Arg<Fuse_PairOf<"{0, 0}">, "rows and columns added behind, [h, w]; below stride or dilation">:$output_padding,
    Arg<Fuse_PairOf<"{1, 1}">, "step between taps, [h, w]">:$dilation,
    Arg<DefaultValuedAttr<I64Attr, "1">, "groups of channels">:$groups,
    Arg<OptionalAttr<Fuse_PrecisionAttr>,
        "contract on the multiplicands; tf32 for f32 elements when absent, else the elements' type">:$precision);
  let results = (outs Res<Fuse_FloatTensor, "N x Co x OH x OW">:$result);
  let assemblyFormat = [{
    $x `,` $w (`stride` $stride^)? (`padding` $padding^)?
    (`output_padding` $output_padding^)? (`dilation` $dilation^)?
    (`groups` $groups^)? (`precision` `` $precision^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def Conv2dWeightGradOp : Fuse_ContractionOp<"conv2d_weight_grad"> {
  let summary = "Gradient of a convolution in its filters";
  let description = [{
    Dims (co, ci, r, s | n, oh, ow); with several groups (g, co, ci, r, s | n,
    oh, ow), co left out when a group has one output channel. x is read as in
    `conv2d`, dy at (n, co, oh, ow). The gradient of `conv_transpose2d` in its
    filters is this op with its operands' roles exchanged.

    ```mlir
    %dw = fuse.conv2d_weight_grad %x, %dy kernel [3, 3] padding [1, 1]
        : (tensor<2x8x16x16xf32>, tensor<2x64x16x16xf32>) -> tensor<64x8x3x3xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "the convolution's images, N x Ci x H x W">:$x,
    Arg<Fuse_FloatTensor, "gradient of its result, N x Co x OH x OW">:$dy,
    Arg<DenseI64ArrayAttr, "size of the filters, [R, S]">:$kernel,
    Arg<Fuse_PairOf<"{1, 1}">, "stride of the convolution, [h, w]">:$stride,
    Arg<Fuse_PairOf<"{0, 0}">, "padding of the convolution, [h, w]">:$padding,
    Arg<Fuse_PairOf<"{1, 1}">, "dilation of the convolution, [h, w]">:$dilation,
    Arg<DefaultValuedAttr<I64Attr, "1">, "groups of channels">:$groups,
    Arg<OptionalAttr<Fuse_PrecisionAttr>,
        "contract on the multiplicands; tf32 for f32 elements when absent, else the elements' type">:$precision);
  let results = (outs Res<Fuse_FloatTensor, "Co x Ci/groups x R x S">:$result);
  let assemblyFormat = [{
    $x `,` $dy `kernel` $kernel (`stride` $stride^)? (`padding` $padding^)?
    (`dilation` $dilation^)? (`groups` $groups^)? (`precision` `` $precision^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def MatmulOp : Fuse_ContractionOp<"matmul"> {
  let summary = "Matrix product, with broadcast batch dims";
  let description = [{
    Dims (batch..., m, n | k). Leading dims broadcast by NumPy's rules.

    ```mlir
    %y = fuse.matmul %x, %w transpose_b
        : (tensor<1024x512xf32>, tensor<256x512xf32>) -> tensor<1024x256xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "batch... x M x K, or batch... x K x M if transposed">:$lhs,
    Arg<Fuse_FloatTensor, "batch... x K x N, or batch... x N x K if transposed">:$rhs,
    Arg<UnitAttr, "the last two dims of lhs are exchanged">:$transpose_a,
    Arg<UnitAttr, "the last two dims of rhs are exchanged">:$transpose_b,
    Arg<OptionalAttr<Fuse_PrecisionAttr>,
        "contract on the multiplicands; the elements' type when absent">:$precision);
  let results = (outs Res<Fuse_FloatTensor, "batch... x M x N">:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)?
    (`precision` `` $precision^)? attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

defvar windowDeclaration = [{
  /// The attributes with their defaults, one value per window dim.
  ::llvm::SmallVector<int64_t> getStrides();
  ::llvm::SmallVector<int64_t> getLows();
  ::llvm::SmallVector<int64_t> getHighs();
  ::llvm::SmallVector<int64_t> getDilations();
}];

def WindowReduceOp : Fuse_ReductionOp<"window_reduce", ["needsReductionIndex"]> {
  let summary = "Maximum, minimum or sum over a sliding window";
  let description = [{
    The window spans as many trailing dims as it has sizes. Dims (lead..., o... |
    w...); the input is read at `o*stride + w*dilation - padding_low`, the
    neutral value (-inf, inf, 0) outside. Max and min propagate NaN.

    With `argmax` the second result holds the first position in the window, in
    row-major order, of the extreme element (or of the first NaN); an i8 holds
    positions up to 255, unsigned.

    ```mlir
    %y = fuse.window_reduce max %x window [4, 4] stride [4, 4]
        : tensor<2x8x16x16xf32> -> tensor<2x8x4x4xf32>
    %z:2 = fuse.window_reduce max %x window [2, 2] argmax i8
        : tensor<2x8x16x16xf32> -> tensor<2x8x15x15xf32>, tensor<2x8x15x15xi8>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_WindowKindAttr, "`max`, `min` or `sum`">:$kind,
    Arg<Fuse_NumberTensor, "elements">:$input,
    Arg<DenseI64ArrayAttr, "size of the window, per trailing dim">:$window,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between windows; 1 when absent">:$stride,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "neutral elements in front; 0 when absent">:$padding_low,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "neutral elements behind; 0 when absent">:$padding_high,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between taps; 1 when absent">:$dilation,
    Arg<OptionalAttr<TypeAttr>, "element type (i8 or i32) of the position; no second result when absent">:$argmax);
  let results = (outs Res<Variadic<Fuse_NumberTensor>,
      "the reduced windows and, with `argmax`, the positions">:$results);
  let assemblyFormat = [{
    `` $kind $input `window` $window (`stride` $stride^)?
    (`padding_low` $padding_low^)? (`padding_high` $padding_high^)?
    (`dilation` $dilation^)? (`argmax` $argmax^)? attr-dict
    `:` type($input) `->` type($results)
  }];
  let extraClassDeclaration = !strconcat(inferredDeclaration, windowDeclaration);
}

class Fuse_WindowGradOp<string mnemonic, dag operands,
                        list<string> overridden = []>
    : Fuse_ReductionOp<mnemonic, overridden> {
  dag attributes = (ins
    Arg<DenseI64ArrayAttr, "extents of the window's input, per window dim">:$input_size,
    Arg<DenseI64ArrayAttr, "size of the window">:$window,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between windows; 1 when absent">:$stride,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "padding in front; 0 when absent">:$padding_low,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "padding behind; 0 when absent">:$padding_high,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between taps; 1 when absent">:$dilation);
  let arguments = !con(operands, attributes);
  let results = (outs Res<Fuse_FloatTensor, "gradient of the window's input">:$result);
  let extraClassDeclaration = !strconcat(inferredDeclaration, windowDeclaration);
}

def WindowSumGradOp : Fuse_WindowGradOp<"window_sum_grad",
    (ins Arg<Fuse_FloatTensor, "gradient of the window sums">:$dy)> {
  let summary = "Gradient of a window sum in its input";
  let description = [{
    Dims (lead..., h... | w...); dy is read at
    `(h + padding_low - w*dilation) / stride`, 0 outside and where the division
    is not exact.

    ```mlir
    %dx = fuse.window_sum_grad %dy input_size [16, 16] window [2, 2] stride [2, 2]
        : tensor<2x8x8x8xf32> -> tensor<2x8x16x16xf32>
    ```
  }];
  let assemblyFormat = [{
    $dy `input_size` $input_size `window` $window (`stride` $stride^)?
    (`padding_low` $padding_low^)? (`padding_high` $padding_high^)?
    (`dilation` $dilation^)? attr-dict `:` type($dy) `->` type($result)
  }];
}

def WindowMaxGradOp : Fuse_WindowGradOp<"window_max_grad",
    (ins Arg<Fuse_FloatTensor, "gradient of the window maxima">:$dy,
         Arg<Fuse_IndexTensor, "position of each maximum in its window (i8 or i32)">:$argmax),
    ["needsReductionIndex"]> {
  let summary = "Gradient of a window maximum (or minimum) in its input";
  let description = [{
    As `window_sum_grad`, of those windows whose extreme element this is.

    ```mlir
    %dx = fuse.window_max_grad %dy, %argmax input_size [16, 16] window [2, 2] stride [2, 2]
        : (tensor<2x8x8x8xf32>, tensor<2x8x8x8xi8>) -> tensor<2x8x16x16xf32>
    ```
  }];
  let assemblyFormat = [{
    $dy `,` $argmax `input_size` $input_size `window` $window (`stride` $stride^)?
    (`padding_low` $padding_low^)? (`padding_high` $padding_high^)?
    (`dilation` $dilation^)? attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Reductions over whole dims
//===----------------------------------------------------------------------===//

def ReduceOp : Fuse_ReductionOp<"reduce", ["needsReductionIndex", "reduceBlock",
                                    "getNumEssential"]> {
  let summary = "Folds whole dims";
  let description = [{
    Dims (kept... | reduced...). Sums and products of f16 and bf16 accumulate in
    f32. Max, min and argmax: NaN wins, and argmax gives the first such position,
    i64, flattened row-major over the reduced dims. `moments` has two results,
    the mean and the sum of squared deviations from it, in f32 (f64 for f64).
    `split_moments` has a third: mean + rest is the mean to about twice the
    type's digits. Values far larger than their spread need it: half an ulp of
    their mean is many ulps of a deviation from it.

    ```mlir
    %s = fuse.reduce sum %x dims [1] keepdims : tensor<4x8xf32> -> tensor<4x1xf32>
    %mean, %m2 = fuse.reduce moments %x dims [0, 2, 3]
        : tensor<2x64x8x8xf32> -> tensor<64xf32>, tensor<64xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_ReduceKindAttr, "`sum`, `max`, `min`, `prod`, `argmax`, `moments` or `split_moments`">:$kind,
    Arg<Fuse_Tensor, "elements">:$input,
    Arg<DenseI64ArrayAttr, "the dims to fold, ascending">:$dims,
    Arg<UnitAttr, "folded dims stay, with extent 1">:$keepdims);
  let results = (outs Res<Variadic<Fuse_Tensor>,
      "the folded tensor; the mean, the sum of squared deviations (and the rest of the mean) for moments">:$results);
  let assemblyFormat = [{
    `` $kind $input `dims` $dims (`keepdims` $keepdims^)? attr-dict
    `:` type($input) `->` type($results)
  }];
  let extraClassDeclaration = inferredDeclaration # [{
    /// Number of elements folded into one.
    int64_t getCount();
  }];
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSESTRUCTUREDOPS

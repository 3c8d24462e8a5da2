//===- FuseCompositeOps.td - ops defined by simpler ones ---*- tablegen -*-===//
//
// Each decomposes through CompositeOpInterface. f16 and bf16 inputs compute in
// f32 between the casts at both ends, as in PyTorch.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_DIALECTS_FUSE_FUSECOMPOSITEOPS
#define TILEFUSE_DIALECTS_FUSE_FUSECOMPOSITEOPS

include "dialects/Fuse/FuseBase.td"

//===----------------------------------------------------------------------===//
// Normalisations
//===----------------------------------------------------------------------===//

def BatchNormOp : Fuse_CompositeOp<"batch_norm"> {
  let summary = "Batch normalisation, training mode";
  let description = [{
    Over all dims but dim 1. y uses the biased variance of the batch; the running
    variance moves towards the unbiased one:
    `running' = (1 - momentum) * running + momentum * batch`. One value per
    channel is refused, as in PyTorch. Parameters have x's element type, or f32.

    ```mlir
    %y, %m, %v = fuse.batch_norm %x, %gamma, %beta, %mean, %var eps 1.0e-05 momentum 1.0e-01
        : (tensor<2x64x8x8xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> (tensor<2x64x8x8xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "N x C x ...">:$x,
    Arg<Fuse_FloatTensor, "scale per channel, C">:$gamma,
    Arg<Fuse_FloatTensor, "shift per channel, C">:$beta,
    Arg<Fuse_FloatTensor, "running mean, C">:$running_mean,
    Arg<Fuse_FloatTensor, "running variance, C">:$running_var,
    Arg<DefaultValuedAttr<F64Attr, "1e-5">, "added to the variance">:$eps,
    Arg<DefaultValuedAttr<F64Attr, "0.1">, "weight of the batch in the running statistics">:$momentum);
  let results = (outs
    Res<Fuse_FloatTensor, "the normalised tensor">:$y,
    Res<Fuse_FloatTensor, "the updated running mean">:$new_mean,
    Res<Fuse_FloatTensor, "the updated running variance">:$new_var);
  let assemblyFormat = [{
    $x `,` $gamma `,` $beta `,` $running_mean `,` $running_var (`eps` $eps^)?
    (`momentum` $momentum^)? attr-dict `:` functional-type(operands, results)
  }];
}

def BatchNormInferenceOp : Fuse_CompositeOp<"batch_norm_inference"> {
  let summary = "Batch normalisation, evaluation mode";
  let description = [{
    `(x - mean) / sqrt(var + eps) * gamma + beta`, per channel (dim 1).

    ```mlir
    %y = fuse.batch_norm_inference %x, %gamma, %beta, %mean, %var
        : (tensor<2x64x8x8xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> tensor<2x64x8x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "N x C x ...">:$x,
    Arg<Fuse_FloatTensor, "scale per channel, C">:$gamma,
    Arg<Fuse_FloatTensor, "shift per channel, C">:$beta,
    Arg<Fuse_FloatTensor, "mean per channel, C">:$mean,
    Arg<Fuse_FloatTensor, "variance per channel, C">:$var,
    Arg<DefaultValuedAttr<F64Attr, "1e-5">, "added to the variance">:$eps);
  let results = (outs Res<Fuse_FloatTensor, "the normalised tensor">:$y);
  let assemblyFormat = [{
    $x `,` $gamma `,` $beta `,` $mean `,` $var (`eps` $eps^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def LayerNormOp : Fuse_CompositeOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "Normalisation over trailing dims";
  let description = [{
    `(x - mean) / sqrt(var + eps) * gamma + beta` with the biased variance over
    the last `num_dims` dims.

    ```mlir
    %y = fuse.layer_norm %x num_dims 1 gamma %g beta %b
        : (tensor<4x16x32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<4x16x32xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "the tensor">:$x,
    Arg<Optional<Fuse_FloatTensor>, "scale, of the trailing dims' shape; 1 when absent">:$gamma,
    Arg<Optional<Fuse_FloatTensor>, "shift, of the trailing dims' shape; 0 when absent">:$beta,
    Arg<I64Attr, "how many trailing dims are normalised over">:$num_dims,
    Arg<DefaultValuedAttr<F64Attr, "1e-5">, "added to the variance">:$eps);
  let results = (outs Res<Fuse_FloatTensor, "the normalised tensor">:$y);
  let assemblyFormat = [{
    $x `num_dims` $num_dims (`gamma` $gamma^)? (`beta` $beta^)? (`eps` $eps^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def GroupNormOp : Fuse_CompositeOp<"group_norm", [AttrSizedOperandSegments]> {
  let summary = "Normalisation over groups of channels";
  let description = [{
    Over the dims behind dim 1 and the channels of a group, with the biased
    variance. As many groups as channels is instance normalisation.

    ```mlir
    %y = fuse.group_norm %x groups 4 gamma %g beta %b
        : (tensor<2x8x16x16xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x16x16xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "N x C x ...">:$x,
    Arg<Optional<Fuse_FloatTensor>, "scale per channel, C; 1 when absent">:$gamma,
    Arg<Optional<Fuse_FloatTensor>, "shift per channel, C; 0 when absent">:$beta,
    Arg<I64Attr, "number of groups, a divisor of C">:$groups,
    Arg<DefaultValuedAttr<F64Attr, "1e-5">, "added to the variance">:$eps);
  let results = (outs Res<Fuse_FloatTensor, "the normalised tensor">:$y);
  let assemblyFormat = [{
    $x `groups` $groups (`gamma` $gamma^)? (`beta` $beta^)? (`eps` $eps^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Softmax and means
//===----------------------------------------------------------------------===//

class Fuse_SoftmaxOp<string mnemonic> : Fuse_CompositeOp<mnemonic> {
  let arguments = (ins
    Arg<Fuse_FloatTensor, "the logits">:$x,
    Arg<I64Attr, "the dim to normalise over">:$dim);
  let results = (outs Res<Fuse_FloatTensor, "of x's type">:$y);
  let assemblyFormat = "$x `dim` $dim attr-dict `:` type($x) `->` type($y)";
}

def SoftmaxOp : Fuse_SoftmaxOp<"softmax"> {
  let summary = "exp(x) over its sum along a dim";
  let description = [{
    Shifted by the maximum, so that nothing overflows.

    ```mlir
    %y = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def LogSoftmaxOp : Fuse_SoftmaxOp<"log_softmax"> {
  let summary = "The logarithm of the softmax along a dim";
  let description = [{
    ```mlir
    %y = fuse.log_softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

class Fuse_FloatReductionOp<string mnemonic> : Fuse_CompositeOp<mnemonic> {
  let arguments = (ins
    Arg<Fuse_FloatTensor, "elements">:$x,
    Arg<DenseI64ArrayAttr, "the dims to fold, ascending">:$dims,
    Arg<UnitAttr, "folded dims stay, with extent 1">:$keepdims);
  let results = (outs Res<Fuse_FloatTensor, "the folded tensor">:$y);
  let assemblyFormat = [{
    $x `dims` $dims (`keepdims` $keepdims^)? attr-dict `:` type($x) `->` type($y)
  }];
}

def LogSumExpOp : Fuse_FloatReductionOp<"logsumexp"> {
  let summary = "The logarithm of the sum of exponentials over dims";
  let description = [{
    ```mlir
    %y = fuse.logsumexp %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
    ```
  }];
}

def MeanOp : Fuse_FloatReductionOp<"mean"> {
  let summary = "The mean over dims";
  let description = [{
    ```mlir
    %y = fuse.mean %x dims [2, 3] keepdims : tensor<2x8x4x4xf32> -> tensor<2x8x1x1xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

def MaxPool2dOp : Fuse_CompositeOp<"max_pool2d"> {
  let summary = "Maximum over windows of the last two dims";
  let description = [{
    NaN wins. Padding is at most half the window, as in PyTorch.

    ```mlir
    %y = fuse.max_pool2d %x kernel [3, 3] stride [2, 2] padding [1, 1]
        : tensor<2x8x16x16xf32> -> tensor<2x8x8x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "images, ... x H x W, of rank 3 or 4">:$x,
    Arg<DenseI64ArrayAttr, "size of the window, [h, w]">:$kernel,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between windows; the kernel's size when absent">:$stride,
    Arg<Fuse_PairOf<"{0, 0}">, "padding by minus infinity, [h, w], on both sides">:$padding,
    Arg<Fuse_PairOf<"{1, 1}">, "step between taps, [h, w]">:$dilation,
    Arg<UnitAttr, "a last window may reach over the end">:$ceil_mode);
  let results = (outs Res<Fuse_FloatTensor, "... x OH x OW">:$y);
  let assemblyFormat = [{
    $x `kernel` $kernel (`stride` $stride^)? (`padding` $padding^)?
    (`dilation` $dilation^)? (`ceil_mode` $ceil_mode^)? attr-dict
    `:` type($x) `->` type($y)
  }];
}

def AvgPool2dOp : Fuse_CompositeOp<"avg_pool2d"> {
  let summary = "Mean over windows of the last two dims";
  let description = [{
    Padding counts as elements unless `count_include_pad` is false; the part of a
    window behind the padding (with `ceil_mode`) never counts. As in PyTorch.

    ```mlir
    %y = fuse.avg_pool2d %x kernel [2, 2]
        : tensor<2x8x16x16xf32> -> tensor<2x8x8x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Fuse_FloatTensor, "images, ... x H x W, of rank 3 or 4">:$x,
    Arg<DenseI64ArrayAttr, "size of the window, [h, w]">:$kernel,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "step between windows; the kernel's size when absent">:$stride,
    Arg<Fuse_PairOf<"{0, 0}">, "padding by zeros, [h, w], on both sides">:$padding,
    Arg<UnitAttr, "a last window may reach over the end">:$ceil_mode,
    Arg<DefaultValuedAttr<BoolAttr, "true">, "whether padding counts as elements">:$count_include_pad);
  let results = (outs Res<Fuse_FloatTensor, "... x OH x OW">:$y);
  let assemblyFormat = [{
    $x `kernel` $kernel (`stride` $stride^)? (`padding` $padding^)?
    (`ceil_mode` $ceil_mode^)? (`count_include_pad` $count_include_pad^)?
    attr-dict `:` type($x) `->` type($y)
  }];
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSECOMPOSITEOPS

//===- Passes.td - passes of the Simplify stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_SIMPLIFY_PASSES
#define TILEFUSE_PASSES_SIMPLIFY_PASSES

include "mlir/Pass/PassBase.td"

def FuseSimplify : Pass<"fuse-simplify"> {
  let summary = "Algebra that removes bytes or flops; composite ops decomposed";
  let description = [{
    Runs, in this order, `fuse-absorb-bias`, `fuse-decompose-composites`, then
    folding, `fuse-fold-moves`, `fuse-fold-sums`, `fuse-fold-scalars` and
    `fuse-sink-monotone`, and last the removal of common subexpressions. Every op
    left has an iteration space.

    ```mlir
    // before
    %c = fuse.conv2d %x, %w : ...
    %t = fuse.tanh %c : tensor<2x64x36x68xf32>
    %y = fuse.max_pool2d %t kernel [4, 4] : tensor<2x64x36x68xf32> -> tensor<2x64x9x17xf32>
    // after
    %c = fuse.conv2d %x, %w : ...
    %p = fuse.window_reduce max %c window [4, 4] stride [4, 4] ...
    %y = fuse.tanh %p : tensor<2x64x9x17xf32>
    ```
  }];
  let statistics = [
    Statistic<"numOps", "ops", "Ops of the graph that are left">
  ];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
}

def FuseDecomposeComposites : Pass<"fuse-decompose-composites"> {
  let summary = "Replaces composite ops by the ops that define them";
  let description = [{
    Whatever implements CompositeOpInterface: normalisations, softmax, means,
    pools, concat. Afterwards every fuse op has an iteration space.

    ```mlir
    // before
    %y = fuse.softmax %x dim 1 : tensor<4x8xf32> -> tensor<4x8xf32>
    // after
    %m = fuse.reduce max %x dims [1] keepdims : tensor<4x8xf32> -> tensor<4x1xf32>
    %d = fuse.sub %x, %m : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
    %e = fuse.exp %d : tensor<4x8xf32>
    %s = fuse.reduce sum %e dims [1] keepdims : tensor<4x8xf32> -> tensor<4x1xf32>
    %r = fuse.reciprocal %s : tensor<4x1xf32>
    %y = fuse.mul %e, %r : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numDecomposed", "decomposed", "Composite ops decomposed">
  ];
}

def FuseAbsorbBias : Pass<"fuse-absorb-bias"> {
  let summary = "Takes a bias out of the input of a training batch-norm";
  let description = [{
    A value per channel added in front of a training-mode batch-norm leaves its
    output unchanged, since the mean is subtracted again; it shifts the running
    mean by `momentum * bias`. An infinite bias, which would have made the output
    NaN, no longer does.

    ```mlir
    // before
    %a = fuse.add %x, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    %y, %m, %v = fuse.batch_norm %a, %gamma, %beta, %mean, %var : ...
    // after
    %y, %m0, %v = fuse.batch_norm %x, %gamma, %beta, %mean, %var : ...
    %s = fuse.mul %b, %momentum : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
    %m = fuse.add %m0, %s : tensor<8xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numAbsorbed", "absorbed", "Biases taken out of a batch-norm">
  ];
}

def FuseFoldScalars : Pass<"fuse-fold-scalars"> {
  let summary = "Folds chains of scalar constants together";
  let description = [{
    Scalar factors, divisors and signs in a row become one factor, scalar summands
    one summand, powers with small exponents products and roots (as PyTorch
    computes them), a division by a power of two a product, and a scalar factor
    beside a factor of fewer elements (values per channel) is part of that. One rounding replaces two, so a result
    may differ from the unfolded one in its last bit, and an intermediate overflow
    disappears; neither is farther from the exact value.

    ```mlir
    // before
    %a = fuse.mul %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    %y = fuse.mul %a, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    // after
    %y = fuse.mul %x, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numFolded", "folded", "Pointwise ops folded into another">
  ];
}

def FuseFoldSums : Pass<"fuse-fold-sums"> {
  let summary = "Takes what does not vary out of sums";
  let description = [{
    Factors, divisors and signs of a summand that are the same all along the dims
    of the sum go behind it; a sum of what was broadcast is a multiple; a sum of a
    sum is one sum. Fewer elements are multiplied, sums of the same thing become
    the same op, and the derivative of a batch-norm needs two reductions,
    `sum(ds)` and `sum(ds * (z - mean))`, whatever the graph does with them. Only in
    types that sums are kept in (f32, f64). An infinite factor multiplies the sum
    here and not each summand, so summands of both signs give an infinity instead
    of NaN.

    ```mlir
    // before
    %p = fuse.mul %x, %c : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    %n = fuse.neg %p : tensor<4x8xf32>
    %s = fuse.reduce sum %n dims [0] : tensor<4x8xf32> -> tensor<8xf32>
    // after
    %p = fuse.reduce sum %x dims [0] : tensor<4x8xf32> -> tensor<8xf32>
    %n = fuse.mul %p, %c : tensor<8xf32>
    %s = fuse.neg %n : tensor<8xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numFolded", "folded", "Sums rewritten">
  ];
}

def FuseFoldMoves : Pass<"fuse-fold-moves"> {
  let summary = "Folds pads and transposes into the ops that read them";
  let description = [{
    A transpose of the last two dims turns a flag of the matrix product that reads
    it; zeros around a convolution's images and neutral values around a window's
    input become padding of the op; pads by one value join; a reader that broadcasts
    does without leading dims of 1. What was moved is then read where it was, and
    values that differed by such a move only are one.

    ```mlir
    // before
    %t = fuse.transpose %w permutation [1, 0] : tensor<16x8xf32> -> tensor<8x16xf32>
    %y = fuse.matmul %x, %t : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
    // after
    %y = fuse.matmul %x, %w transpose_b
        : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numFolded", "folded", "Pads, transposes and reshapes folded">
  ];
}

def FuseSinkMonotone : Pass<"fuse-sink-monotone"> {
  let summary = "Moves monotone pointwise functions behind max and min windows";
  let description = [{
    The maximum of f(x) over a window is f of the maximum of x where f never
    decreases, and f of the minimum where it never increases; f then runs on fewer
    elements and the producer's values go to the window directly. Exact in
    floating point, since a rounded monotone function is monotone; NaN passes both
    ways. Other operands of f must be constant over the window (scalars, values
    per channel); an infinite one meeting the opposite infinity is the one case
    where the NaN that would come from it can be missed.

    ```mlir
    // before
    %t = fuse.tanh %x : tensor<2x8x16x16xf32>
    %y = fuse.window_reduce max %t window [4, 4] stride [4, 4]
        : tensor<2x8x16x16xf32> -> tensor<2x8x4x4xf32>
    // after
    %p = fuse.window_reduce max %x window [4, 4] stride [4, 4]
        : tensor<2x8x16x16xf32> -> tensor<2x8x4x4xf32>
    %y = fuse.tanh %p : tensor<2x8x4x4xf32>
    ```
  }];
  let dependentDialects = ["::tilefuse::fuse::FuseDialect"];
  let statistics = [
    Statistic<"numSunk", "sunk", "Pointwise ops moved behind a window">
  ];
}

#endif // TILEFUSE_PASSES_SIMPLIFY_PASSES

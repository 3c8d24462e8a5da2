//===- Passes.td - passes of the Autodiff stage --------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_AUTODIFF_PASSES
#define TILEFUSE_PASSES_AUTODIFF_PASSES

include "mlir/Pass/PassBase.td"

def FuseDifferentiate : Pass<"fuse-differentiate", "::mlir::ModuleOp"> {
  let summary = "Add reverse-mode derivatives: the joint graph";
  let description = [{
    Reverse mode over SSA. Every function with a body is replaced by its joint
    graph: the arguments, then one cotangent per differentiable result, give the
    results, then the gradient of every argument in `wrt`. Each op's rule comes
    from DifferentiableOpInterface; an op on the way that has none is an error.
    Results that an argument aliases (`fuse.alias_result`, running statistics)
    are state: they have no cotangent. Values that do not reach a wanted argument
    are not differentiated, nor are ops with the unit attribute
    `fuse.stop_gradient`. Equal extremes of a reduction share its gradient, as in
    PyTorch's `amax`; with the unit attribute `fuse.first_extreme`, over one dim,
    the first has all of it, as in `max(dim)`.

    Composite ops must be decomposed (`fuse-simplify`).

    Before:
    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = fuse.tanh %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<4xf32>, %dy: tensor<4xf32>)
        -> (tensor<4xf32>, tensor<4xf32>) attributes {fuse.joint =
          {num_inputs = 1 : i64, num_results = 1 : i64, wrt = array<i64: 0>}} {
      %one = fuse.constant dense<1.0> : tensor<f32>
      %y = fuse.tanh %x : tensor<4xf32>
      %yy = fuse.mul %y, %y : tensor<4xf32>
      %s = fuse.sub %one, %yy : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
      %dx = fuse.mul %dy, %s : tensor<4xf32>
      return %y, %dx : tensor<4xf32>, tensor<4xf32>
    }
    ```
    Afterwards every function carries `fuse.joint`.
  }];
  let options = [
    ListOption<"wrt", "wrt", "int64_t",
               "arguments to differentiate; all float arguments that no result "
               "aliases when empty">
  ];
  let statistics = [
    Statistic<"gradientOps", "gradient-ops", "ops added for gradients">
  ];
}

def FusePartition : Pass<"fuse-partition", "::mlir::ModuleOp"> {
  let summary = "Split joint graphs in forward and backward functions";
  let description = [{
    `@f` becomes `@f_forward(arguments) -> (results, residuals)` and
    `@f_backward(saved, cotangents) -> gradients`. Which forward values the
    backward pass reads from memory and which it computes again is a minimum cut:
    saving costs a write and a read at the target's bandwidth (a read alone for
    arguments and results, which are there anyway; more for a write in pieces of
    sectors), computing again costs the op's time. The cut is exact for this cost.

    `fuse.saved` on the backward function names the source of each saved value:
    `["arg i", "result j", "residual k"]`. An op with the unit attribute
    `fuse.save` (`fuse.recompute`) is always saved (computed again). A remark per
    residual gives its bytes and what computing it again would have cost.

    Before:
    ```mlir
    func.func @f(%x, %dy) -> (%y, %dx) attributes {fuse.joint = {...}}
    ```
    After:
    ```mlir
    func.func @f_forward(%x: tensor<4xf32>) -> tensor<4xf32>
    func.func @f_backward(%y: tensor<4xf32>, %dy: tensor<4xf32>)
        -> tensor<4xf32> attributes {fuse.saved = ["result 0"]}
    ```
    Afterwards no function carries `fuse.joint`.
  }];
  let options = [
    Option<"remarks", "remarks", "bool", "false",
           "a remark per residual">
  ];
  let statistics = [
    Statistic<"residuals", "residuals", "values saved beside arguments and results">,
    Statistic<"residualBytes", "residual-bytes", "their bytes">
  ];
}

#endif // TILEFUSE_PASSES_AUTODIFF_PASSES

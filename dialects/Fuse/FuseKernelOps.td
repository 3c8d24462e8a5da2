//===- FuseKernelOps.td - kernels of the graph dialect -----*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSEKERNELOPS
#define TILEFUSE_DIALECTS_FUSE_FUSEKERNELOPS

include "dialects/Fuse/FuseBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def KernelOp : Fuse_Op<"kernel", [
    IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "A group of ops that runs as one kernel";
  let description = [{
    One main launch and at most one finish. The body holds ops on full logical
    tensors; one of them may be the anchor (unit attribute `fuse.anchor`), the op
    whose iteration space the schedule tiles.

    ```mlir
    %y = fuse.kernel @f_k0 (%a = %x) : (tensor<4xf32>) -> (tensor<4xf32>) {
      %t = fuse.tanh %a : tensor<4xf32>
      fuse.yield %t : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins
    Arg<StrAttr, "name of the kernel, unique in its function">:$name,
    Arg<Variadic<Fuse_Tensor>, "what the body reads">:$inputs,
    Arg<OptionalAttr<Fuse_ScheduleAttr>, "what decides its tile program; absent before schedules are selected">:$schedule);
  let results = (outs Res<Variadic<Fuse_Tensor>, "what the body yields">:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The op marked `fuse.anchor`, or null.
    ::mlir::Operation *getAnchor();
    /// The body's terminator.
    ::tilefuse::fuse::YieldOp getYield();
  }];
}

def YieldOp : Fuse_Op<"yield", [Pure, Terminator, ReturnLike,
                               HasParent<"KernelOp">]> {
  let summary = "Results of a kernel";
  let description = [{
    Ends the body of a `fuse.kernel`.

    ```mlir
    fuse.yield %y, %sums : tensor<64x128xf32>, tensor<128xf32>
    ```
  }];
  let arguments = (ins Arg<Variadic<Fuse_Tensor>, "one value per result of the kernel">:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEKERNELOPS

//===- FuseOps.td - kernels of the graph dialect -----------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSEOPS
#define TILEFUSE_DIALECTS_FUSE_FUSEOPS

include "dialects/Fuse/FuseAttrs.td"
include "dialects/Fuse/FuseInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Fuse_Op<string mnemonic, list<Trait> traits = []>
    : Op<Fuse_Dialect, mnemonic, traits>;

def Fuse_Tensor : StaticShapeTensorOf<[F32, F16, BF16, F64, I1, I8, I32, I64]>;

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
    StrAttr:$name,
    Variadic<Fuse_Tensor>:$inputs,
    OptionalAttr<Fuse_ScheduleAttr>:$schedule);
  let results = (outs Variadic<Fuse_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The op marked `fuse.anchor`, or null.
    ::mlir::Operation *getAnchor();
  }];
}

def YieldOp : Fuse_Op<"yield", [Pure, Terminator, ReturnLike,
                               HasParent<"KernelOp">]> {
  let summary = "Results of a kernel";
  let arguments = (ins Variadic<Fuse_Tensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEOPS

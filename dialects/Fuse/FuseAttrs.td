//===- FuseAttrs.td - attributes of the graph dialect ------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_FUSE_FUSEATTRS
#define TILEFUSE_DIALECTS_FUSE_FUSEATTRS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Fuse_Dialect : Dialect {
  let name = "fuse";
  let cppNamespace = "::tilefuse::fuse";
  let summary = "Tensor graphs: what to compute";
  let description = [{
    Operations on statically shaped tensors with PyTorch's semantics:
    convolutions, matrix products, window and dim reductions, pointwise functions
    with NumPy broadcasting, shape ops, and composite ops that decompose into
    these. Passes see them through interfaces.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// Adds the ops; in the file of their classes.
    void registerOps();
  }];
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
}

def Fuse_PrecisionEnum : I32EnumAttr<"Precision",
    "precision of the multiplicands; sums are f32 (f64 for f64)", [
      I32EnumAttrCase<"f32", 0>,   // as accurate as an fp32 FMA loop
      I32EnumAttrCase<"tf32", 1>,  // round to nearest, ties to even, 10 bits
      I32EnumAttrCase<"bf16", 2>,
      I32EnumAttrCase<"f16", 3>,
      I32EnumAttrCase<"f64", 4>]> {
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_PrecisionAttr : EnumAttr<Fuse_Dialect, Fuse_PrecisionEnum, "precision">;

def Fuse_MmaKindEnum : I32EnumAttr<"MmaKind", "instruction of a contraction", [
      I32EnumAttrCase<"fma", 0>,       // scalar fused multiply-add
      I32EnumAttrCase<"mma_sync", 1>,  // one warp, operands in registers
      I32EnumAttrCase<"wgmma", 2>]> {  // one warpgroup, Hopper
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_MmaKindAttr : EnumAttr<Fuse_Dialect, Fuse_MmaKindEnum, "mma">;

def Fuse_ReduceKindEnum : I32EnumAttr<"ReduceKind", "what a dim reduction computes", [
      I32EnumAttrCase<"sum", 0>,
      I32EnumAttrCase<"max", 1>,      // NaN wins
      I32EnumAttrCase<"min", 2>,      // NaN wins
      I32EnumAttrCase<"prod", 3>,
      I32EnumAttrCase<"argmax", 4>,   // first of equal elements; NaN wins
      I32EnumAttrCase<"moments", 5>,  // mean and sum of squared deviations
      I32EnumAttrCase<"split_moments", 6>]> { // and what the mean's rounding lost
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_ReduceKindAttr : EnumAttr<Fuse_Dialect, Fuse_ReduceKindEnum, "reduce">;

def Fuse_WindowKindEnum : I32EnumAttr<"WindowKind", "what a window computes", [
      I32EnumAttrCase<"max", 0>,      // NaN wins
      I32EnumAttrCase<"min", 1>,      // NaN wins
      I32EnumAttrCase<"sum", 2>]> {
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_WindowKindAttr : EnumAttr<Fuse_Dialect, Fuse_WindowKindEnum, "window">;

def Fuse_PredicateEnum : I32EnumAttr<"Predicate", "comparison", [
      I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>,
      I32EnumAttrCase<"lt", 2>, I32EnumAttrCase<"le", 3>,
      I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]> {
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_PredicateAttr : EnumAttr<Fuse_Dialect, Fuse_PredicateEnum, "predicate">;

def Fuse_GeluKindEnum : I32EnumAttr<"GeluKind", "form of gelu", [
      I32EnumAttrCase<"none", 0>,     // by erf
      I32EnumAttrCase<"tanh", 1>]> {  // the tanh approximation
  let cppNamespace = "::tilefuse::fuse";
  let genSpecializedAttr = 0;
}
def Fuse_GeluKindAttr : EnumAttr<Fuse_Dialect, Fuse_GeluKindEnum, "gelu">;

class Fuse_Attr<string name, string attrMnemonic>
    : AttrDef<Fuse_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Fuse_TargetAttr : Fuse_Attr<"Target", "target"> {
  let summary = "What cost-driven passes know of the machine";
  let description = [{
    Set on the module as `fuse.target`; every cost-driven pass reads it, so each
    runs alone. `arch` is `cpu` or `sm_NN[a]`. Bandwidths in GB/s, rates in
    GFLOP/s, memory in bytes.

    ```mlir
    module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132,
      shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000,
      tensor = 410000>} {}
    ```
  }];
  let parameters = (ins
    StringRefParameter<"`cpu` or `sm_NN[a]`">:$arch,
    AttrParameter<"int64_t", "multiprocessors, or cores">:$units,
    AttrParameter<"int64_t", "bytes a block may share; L2 cache per core">:$shared_memory,
    AttrParameter<"int64_t", "32-bit registers per multiprocessor; bytes of vector registers per core">:$registers,
    AttrParameter<"int64_t", "memory bandwidth, GB/s">:$dram,
    AttrParameter<"int64_t", "f32 multiply-adds, GFLOP/s">:$fp32,
    AttrParameter<"int64_t", "dense TF32 tensor cores, GFLOP/s">:$tensor);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isGPU() const { return getArch().starts_with("sm_"); }
    /// The description of `arch`, or null for an unknown one.
    static TargetAttr getNamed(::mlir::MLIRContext *context,
                               ::llvm::StringRef arch);
    /// The module's `fuse.target`; sm_90a when it has none.
    static TargetAttr lookup(::mlir::Operation *op);
  }];
}

def Fuse_ScheduleAttr : Fuse_Attr<"Schedule", "schedule"> {
  let summary = "Everything that decides a kernel's tile program";
  let description = [{
    `block` has one extent per dim of the anchor's iteration space (parallel
    dims: the tile of one program instance; reduction dims: the step of its
    loop; the full extent means no loop). `warps` per program instance, `stages`
    of the copy pipeline, `cluster` blocks per instance, `mma` the contraction's
    instruction, `splits` how many instances share one tile's reduction. One
    instance computes `tiles` tiles one after another (1 where it is not written):
    what they have in common, such as the weights of a convolution whose step is
    the whole reduction, is loaded once.

    ```mlir
    #fuse.schedule<block = [1, 64, 8, 32, 8, 3, 3], warps = 8, stages = 2,
                   cluster = 1, mma = mma_sync, splits = 1>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t", "extent of the tile per iteration dim">:$block,
    AttrParameter<"int64_t", "warps per program instance">:$warps,
    AttrParameter<"int64_t", "stages of the copy pipeline">:$stages,
    AttrParameter<"int64_t", "blocks per program instance">:$cluster,
    EnumParameter<Fuse_MmaKindEnum>:$mma,
    AttrParameter<"int64_t", "instances that share one tile's reduction">:$splits,
    DefaultValuedParameter<"int64_t", "1",
                           "tiles of one instance, one after another">:$tiles);
  let assemblyFormat = [{
    `<` `block` `=` custom<Extents>($block) `,` `warps` `=` $warps `,` `stages` `=` $stages
    `,` `cluster` `=` $cluster `,` `mma` `=` $mma `,` `splits` `=` $splits
    (`,` `tiles` `=` $tiles^)? `>`
  }];
  let genVerifyDecl = 1;
}

def Fuse_InitAttr : Fuse_Attr<"Init", "init"> {
  let summary = "How a missing input of a run is filled";
  let description = [{
    `kind` is `uniform` (low and high) or `normal` (mean and standard deviation).

    ```mlir
    func.func @f(%x: tensor<4xf32> {fuse.init = #fuse.init<uniform, 0.0, 1.0>})
    ```
  }];
  let parameters = (ins
    StringRefParameter<"`uniform` or `normal`">:$kind,
    APFloatParameter<"lower bound or mean">:$first,
    APFloatParameter<"upper bound or standard deviation">:$second);
  let extraClassDeclaration = [{
    double getA() const { return getFirst().convertToDouble(); }
    double getB() const { return getSecond().convertToDouble(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // TILEFUSE_DIALECTS_FUSE_FUSEATTRS

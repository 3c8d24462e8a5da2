//===- TileAttrs.td - attributes of the tile dialect -------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_TILE_TILEATTRS
#define TILEFUSE_DIALECTS_TILE_TILEATTRS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::tilefuse::tile";
  let summary = "What one program instance does with blocks of tensors";
  let description = [{
    Values are builtin tensors of a block's shape; pointwise code is arith and
    math on them; control flow is scf. A `tile.func` is one kernel, run once per
    point of its grid. Views describe global memory. The first level is
    value-semantic and runs on the CPU; the second level (layouts as tensor
    encodings, shared-memory tiles, async copies, barriers) is legal only after
    `tile-assign-layouts`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
  let extraClassDeclaration = [{
    /// Unit attribute of a function that was a tile.func.
    static ::llvm::StringRef getLoweredAttrName() { return "tile.lowered"; }

    void registerAttributes();
    void registerTypes();
  }];
}

class Tile_Attr<string name, string attrMnemonic>
    : AttrDef<Tile_Dialect, name> {
  let mnemonic = attrMnemonic;
}

class Tile_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::tilefuse::tile";
  let genSpecializedAttr = 0;
}

def Tile_PrecisionEnum : Tile_Enum<"Precision",
    "precision of a dot's multiplicands; `ieee` is the operands' own", [
      I32EnumAttrCase<"ieee", 0>,   // f32 means as accurate as fp32 FMA
      I32EnumAttrCase<"tf32", 1>,
      I32EnumAttrCase<"bf16", 2>,
      I32EnumAttrCase<"f16", 3>]>;
def Tile_PrecisionAttr : EnumAttr<Tile_Dialect, Tile_PrecisionEnum, "precision">;

def Tile_MmaKindEnum : Tile_Enum<"MmaKind", "instruction of a dot", [
      I32EnumAttrCase<"fma", 0>,
      I32EnumAttrCase<"mma_sync", 1>,
      I32EnumAttrCase<"wgmma", 2>]>;
def Tile_MmaKindAttr : EnumAttr<Tile_Dialect, Tile_MmaKindEnum, "mma">;

def Tile_AtomicKindEnum : Tile_Enum<"AtomicKind", "integer read-modify-write", [
      I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"max", 1>,
      I32EnumAttrCase<"min", 2>, I32EnumAttrCase<"And", 3, "and">,
      I32EnumAttrCase<"Or", 4, "or">, I32EnumAttrCase<"Xor", 5, "xor">]>;
def Tile_AtomicKindAttr : EnumAttr<Tile_Dialect, Tile_AtomicKindEnum, "atomic">;

#endif // TILEFUSE_DIALECTS_TILE_TILEATTRS

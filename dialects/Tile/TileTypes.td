//===- TileTypes.td - types of the tile dialect ------------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_TILE_TILETYPES
#define TILEFUSE_DIALECTS_TILE_TILETYPES

include "dialects/Tile/TileAttrs.td"
include "mlir/IR/BuiltinTypeInterfaces.td"

class Tile_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Tile_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Tile_ViewType : Tile_Type<"View", "view", [ShapedTypeInterface]> {
  let summary = "A strided array in global memory";
  let description = [{
    Shape, element type and strides in elements (0 repeats). Without strides the
    array is dense and row-major. A view is the only way to global memory; its base is
    64-bit, and offsets inside one block of it are 32-bit. An i1 is a byte.

    ```mlir
    !tile.view<128x8x256x256xf32>
    !tile.view<64x64xf32, strides = [1, 64]>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t", "extents">:$shape,
    "::mlir::Type":$elementType,
    ArrayRefParameter<"int64_t", "strides in elements">:$strides);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::llvm::ArrayRef<int64_t>":$shape,
                                        "::mlir::Type":$elementType), [{
      return $_get(elementType.getContext(), shape, elementType,
                   getDenseStrides(shape));
    }]>,
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    // ShapedType.
    bool hasRank() const { return true; }
    /// Dense when the shape changes.
    ::mlir::ShapedType cloneWith(
        ::std::optional<::llvm::ArrayRef<int64_t>> shape,
        ::mlir::Type elementType) const;
    using ::mlir::ShapedType::Trait<ViewType>::getRank;
    using ::mlir::ShapedType::Trait<ViewType>::getNumElements;
    /// Dense row-major strides of `shape`.
    static ::llvm::SmallVector<int64_t> getDenseStrides(
        ::llvm::ArrayRef<int64_t> shape);
    bool isDense() const;
    /// Elements from the first to behind the last, strides included.
    int64_t getSpan() const;
  }];
}

def Tile_SharedType : Tile_Type<"Shared", "shared"> {
  let summary = "A tile in shared memory (second level)";
  let description = [{
    Shape, element type and a shared layout attribute that maps coordinates to
    byte offsets (swizzle, offset and integer strides).

    ```mlir
    !tile.shared<8x10x34xf32, #tile.shared_layout<...>>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t", "extents">:$shape,
    "::mlir::Type":$elementType,
    "::mlir::Attribute":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Tile_TokenType : Tile_Type<"Token", "token"> {
  let summary = "Completion of asynchronous copies (second level)";
}

def Tile_BlockTensor
    : Type<CPred<"::tilefuse::tile::isBlockType($_self)">,
           "block: a static tensor of f16, bf16, f32, f64, i1, i8, i16, i32, i64 "
           "or index with 1 to 2^31 - 1 elements",
           "::mlir::RankedTensorType">;

#endif // TILEFUSE_DIALECTS_TILE_TILETYPES

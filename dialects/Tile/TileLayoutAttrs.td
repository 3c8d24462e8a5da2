//===- TileLayoutAttrs.td - layouts as attributes ----------*- tablegen -*-===//

#ifndef TILEFUSE_DIALECTS_TILE_TILELAYOUTATTRS
#define TILEFUSE_DIALECTS_TILE_TILELAYOUTATTRS

include "dialects/Tile/TileAttrs.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/TensorEncoding.td"

def Tile_DistributedAttr : AttrDef<Tile_Dialect, "Distributed", [
    OpAsmAttrInterface, DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "distributed";
  let summary = "Which register, lane and warp hold which element of a block";
  let description = [{
    The encoding of block tensors at the second level. `[[16], [2, 17]]` are the
    factors, fastest first, of each dim's padded extent; then the coordinates
    that each register, lane and warp bit stands for, combined by XOR; odd
    factors lie in registers. `dialects/Tile/Layout/DistributedLayout.h` explains.

    ```mlir
    // accumulator of mma.sync m16n8
    #tile.distributed<[[16], [8]], register = [[0, 1], [8, 0]],
      lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]]>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t", "factors in each dim">:$factorCounts,
    ArrayRefParameter<"int64_t", "factors of all dims">:$factors,
    ArrayRefParameter<"int64_t", "coordinates of register bits">:$registers,
    ArrayRefParameter<"int64_t", "coordinates of lane bits">:$lanes,
    ArrayRefParameter<"int64_t", "coordinates of warp bits">:$warps,
    ArrayRefParameter<"int64_t", "coordinates of block bits">:$blocks,
    "unsigned":$laneBits, "unsigned":$warpBits);
  let hasCustomAssemblyFormat = 1;
  let genMnemonicAlias = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static DistributedAttr get(::mlir::MLIRContext *context,
                               const DistributedLayout &layout);
    /// The layout that this attribute spells.
    DistributedLayout getLayout() const;
    /// The layout of a block tensor; nothing without one.
    static ::std::optional<DistributedLayout> lookup(::mlir::Type type);
  }];
}

def Tile_SharedLayoutAttr : AttrDef<Tile_Dialect, "SharedLayout",
    [OpAsmAttrInterface]> {
  let mnemonic = "shared_layout";
  let summary = "Where an element of a shared tile lies";
  let description = [{
    Position in elements = swizzle(offset + sum of coordinate * stride). The
    swizzle `[bits, base, shift]` XORs `bits` bits at `base + shift` onto `base`.

    ```mlir
    #tile.shared_layout<[360, 34, 1]>
    #tile.shared_layout<[360, 34, 1], offset = 35, swizzle = [3, 2, 3]>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t", "elements per step of each dim">:$strides,
    "int64_t":$offset,
    "unsigned":$swizzleBits, "unsigned":$swizzleBase, "unsigned":$swizzleShift);
  let hasCustomAssemblyFormat = 1;
  let genMnemonicAlias = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static SharedLayoutAttr get(::mlir::MLIRContext *context,
                                const SharedLayout &layout);
    SharedLayout getLayout() const;
  }];
}

#endif // TILEFUSE_DIALECTS_TILE_TILELAYOUTATTRS

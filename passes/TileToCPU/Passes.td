//===- Passes.td - passes of the TileToCPU stage ----------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_TILETOCPU_PASSES
#define TILEFUSE_PASSES_TILETOCPU_PASSES

include "mlir/Pass/PassBase.td"

def TileRoundDotOperands : Pass<"tile-round-dot-operands", "::mlir::ModuleOp"> {
  let summary = "Spell out the precision of tile.dot operands";
  let description = [{
    Rounds f32 operands to the dot's precision and widens 16-bit operands to f32,
    once per block: behind windows, reshapes and transpositions, where the block
    is made. Afterwards every dot multiplies f32 or f64 with precision `ieee`.

    ```mlir
    %w = tile.window %p [0, 1] strides [1, 1] : tensor<8x34xf32> -> tensor<8x32xf32>
    %r = tile.dot %a, %w, %acc ... {precision = #tile<precision bf16>}
    // becomes
    %t = arith.truncf %p : tensor<8x34xf32> to tensor<8x34xbf16>
    %q = arith.extf %t : tensor<8x34xbf16> to tensor<8x34xf32>
    %w = tile.window %q [0, 1] strides [1, 1] : tensor<8x34xf32> -> tensor<8x32xf32>
    %r = tile.dot %a2, %w, %acc ...
    ```
  }];
  let statistics = [
    Statistic<"numRounded", "rounded", "Blocks rounded or widened">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::tilefuse::tile::TileDialect"];
}

def TileGroupPointwise : Pass<"tile-group-pointwise", "::mlir::ModuleOp"> {
  let summary = "Turn chains of pointwise ops into linalg.generic";
  let description = [{
    Arithmetic on blocks, with splats, constants, iotas and broadcasts as its
    leaves, becomes one linalg.generic per value that something other than
    pointwise code of the same block uses. Afterwards no arith or math op works on
    tensors.

    ```mlir
    %b = tile.broadcast %bias : tensor<64x1xf32> -> tensor<64x32xf32>
    %s = arith.addf %acc, %b : tensor<64x32xf32>
    %t = math.tanh %s : tensor<64x32xf32>
    // becomes
    %t = linalg.generic {indexing_maps = [(i, j) -> (i, j), (i, j) -> (i, 0),
                                          (i, j) -> (i, j)], ...}
        ins(%acc, %bias) outs(%empty) {
      ^bb0(%x: f32, %y: f32, %out: f32):
        %s = arith.addf %x, %y : f32
        %t = math.tanh %s : f32
        linalg.yield %t : f32
    }
    ```
  }];
  let statistics = [
    Statistic<"numGroups", "groups", "Loop nests made of pointwise ops">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ConvertTileToLinalg : Pass<"convert-tile-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Turn tile.func into func.func on memrefs";
  let description = [{
    Views become memrefs (an i1 is an i8), the instance's position three index
    arguments. Loads copy the part of the block that lies inside the view;
    stores write that part. Dots, reductions and scans become linalg.generic
    on tensors, windows and reshapes slices and shapes of the tensor dialect.
    Afterwards kernels hold no tile op; they keep the unit attribute
    `tile.lowered`.

    ```mlir
    tile.func @k(%x: !tile.view<100xf32>) grid [4] warps 1 { ... }
    // becomes
    func.func @k(%x: memref<100xf32>, %id0: index, %id1: index, %id2: index)
        attributes {tile.lowered} { ... }
    ```
  }];
  let statistics = [Statistic<"numKernels", "kernels", "Kernels lowered">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def TilePlaceBuffers : Pass<"tile-place-buffers", "::mlir::func::FuncOp"> {
  let summary = "Give every buffer of a CPU kernel its place and its end";
  let description = [{
    Small buffers go to the stack, at the function's entry. Larger ones are
    allocated outside all loops, just before the first op of the body that uses
    them, and freed behind the last one. Copies become loops.

    ```mlir
    scf.for ... { %b = memref.alloc() : memref<4096xf32> ... }
    // becomes
    %b = memref.alloc() : memref<4096xf32>
    scf.for ... { ... }
    memref.dealloc %b : memref<4096xf32>
    ```
  }];
  let options = [
    Option<"maxStackBytes", "max-stack-bytes", "int64_t", "2048",
           "size up to which a buffer goes to the stack">];
  let statistics = [
    Statistic<"numStack", "stack-buffers", "Buffers on the stack">,
    Statistic<"numHeap", "heap-buffers", "Buffers allocated and freed">,
    Statistic<"numBytes", "buffer-bytes", "Size of all buffers">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def TileVectorizeDots : Pass<"tile-vectorize-dots", "::mlir::func::FuncOp"> {
  let summary = "Turn products of blocks into loops over register tiles";
  let description = [{
    Works on the linalg.generic ops marked `tile.dot`, on memrefs. A register tile
    is a few rows by a few vectors of the product; its sums stay in registers
    while the contracting dims are walked. What does not fit (no contiguous
    dim) stays as it is.

    ```mlir
    linalg.generic ... ins(%a, %b : memref<64x32xf32>, memref<32x64xf32>)
                       outs(%c : memref<64x64xf32>) attrs = {tile.dot}
    // becomes
    scf.for %j = 0 to 64 step 32 {
      scf.for %i = 0 to 64 step 4 {
        %sums:8 = scf.for %k = 0 to 32 iter_args(...) { vector.fma ... }
        vector.store ...
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "0",
           "width of a vector register, 64 to 4096; 0 means the host's">];
  let statistics = [
    Statistic<"numVectorized", "vectorized", "Products made of vectors">,
    Statistic<"numLeft", "left", "Products left as they are">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertKernelsToLLVM : Pass<"convert-kernels-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Turn lowered kernels into LLVM functions of one signature";
  let description = [{
    Converts functions with `tile.lowered`, which hold loops as branches and
    memrefs, to the LLVM dialect. Whatever the kernel, the function takes an array
    of base addresses, one per view, and the instance's position. The host
    program is left alone.

    ```mlir
    func.func @k(%x: memref<100xf32>, %id0: index, %id1: index, %id2: index)
    // becomes
    llvm.func @k(%args: !llvm.ptr, %id0: i64, %id1: i64, %id2: i64)
    ```
  }];
  let statistics = [Statistic<"numKernels", "kernels", "Kernels converted">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TILEFUSE_PASSES_TILETOCPU_PASSES

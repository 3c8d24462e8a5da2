//===- TileDialect.cpp - registration of the tile dialect -----------------===//

#include "dialects/Tile/Tile.h"

using namespace mlir;
using namespace tilefuse::tile;

#include "dialects/Tile/TileDialect.cpp.inc"

void TileDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "dialects/Tile/TileOps.cpp.inc"
      >();
}

Operation *TileDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

void tilefuse::registerTileDialect(DialectRegistry &registry) {
  registry.insert<TileDialect>();
}

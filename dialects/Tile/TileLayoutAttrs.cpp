//===- TileLayoutAttrs.cpp - layouts as attributes ------------------------===//

#include "dialects/Tile/Tile.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilefuse::tile;

//===----------------------------------------------------------------------===//
// distributed
//===----------------------------------------------------------------------===//

/// The layout that an attribute's parameters spell, or a sentence on what is
/// wrong with them.
static std::optional<DistributedLayout>
decode(ArrayRef<int64_t> factorCounts, ArrayRef<int64_t> factors,
       ArrayRef<int64_t> registers, ArrayRef<int64_t> lanes,
       ArrayRef<int64_t> warps, ArrayRef<int64_t> blocks, unsigned laneBits,
       unsigned warpBits, std::string &error) {
  SmallVector<SmallVector<int64_t, 4>> dims;
  for (int64_t count : factorCounts) {
    if (count < 0 || count > int64_t(factors.size())) {
      error = "factors do not match their dims";
      return std::nullopt;
    }
    dims.emplace_back(factors.take_front(count));
    factors = factors.drop_front(count);
  }
  size_t rank = dims.size();
  auto split = [&](ArrayRef<int64_t> flat, unsigned bits) {
    DistributedLayout::Bases bases;
    for (unsigned i = 0; i < bits; ++i)
      bases.emplace_back(flat.slice(i * rank, rank));
    return bases;
  };
  size_t unit = rank ? rank : 1;
  if (laneBits > 16 || warpBits > 16 || lanes.size() != laneBits * rank ||
      warps.size() != warpBits * rank || registers.size() % unit ||
      blocks.size() % unit) {
    error = "bases have other ranks than the block";
    return std::nullopt;
  }
  std::vector<DistributedLayout::Bases> bases = {
      split(registers, registers.size() / unit), split(lanes, laneBits),
      split(warps, warpBits), split(blocks, blocks.size() / unit)};
  return DistributedLayout::get(dims, bases, error);
}

LogicalResult
DistributedAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        ArrayRef<int64_t> factorCounts,
                        ArrayRef<int64_t> factors, ArrayRef<int64_t> registers,
                        ArrayRef<int64_t> lanes, ArrayRef<int64_t> warps,
                        ArrayRef<int64_t> blocks, unsigned laneBits,
                        unsigned warpBits) {
  std::string error;
  if (!decode(factorCounts, factors, registers, lanes, warps, blocks, laneBits,
              warpBits, error))
    return emitError() << "distributed layout: " << error;
  return success();
}

DistributedAttr DistributedAttr::get(MLIRContext *context,
                                     const DistributedLayout &layout) {
  SmallVector<int64_t> counts, factors, flat[numHardware];
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    auto own = layout.getFactors(dim);
    counts.push_back(own.size());
    factors.append(own.begin(), own.end());
  }
  for (unsigned part = 0; part < numHardware; ++part)
    for (const auto &basis : layout.getBases(Hardware(part)))
      flat[part].append(basis.begin(), basis.end());
  return get(context, counts, factors, flat[0], flat[1], flat[2], flat[3],
             layout.getNumBits(Hardware::Lane),
             layout.getNumBits(Hardware::Warp));
}

DistributedLayout DistributedAttr::getLayout() const {
  std::string error;
  auto layout =
      decode(getFactorCounts(), getFactors(), getRegisters(), getLanes(),
             getWarps(), getBlocks(), getLaneBits(), getWarpBits(), error);
  return layout ? *layout : DistributedLayout();
}

std::optional<DistributedLayout> DistributedAttr::lookup(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto attr = tensor ? dyn_cast_or_null<DistributedAttr>(tensor.getEncoding())
                     : nullptr;
  return attr ? std::optional(attr.getLayout()) : std::nullopt;
}

LogicalResult DistributedAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type elementType,
    function_ref<InFlightDiagnostic()> emitError) const {
  DistributedLayout layout = getLayout();
  if (layout.getRank() != shape.size())
    return emitError() << "layout of rank " << layout.getRank()
                       << " on a block of rank " << shape.size();
  for (auto [dim, size] : llvm::enumerate(shape))
    if (layout.getExtent(dim) < size)
      return emitError() << "layout covers " << layout.getExtent(dim) << " of "
                         << size << " elements of dim " << dim;
  if (layout.getNumBits(Hardware::Lane) != 5)
    return emitError() << "layout has " << layout.getNumBits(Hardware::Lane)
                       << " lane bits, not 5";
  return success();
}

/// [[a, b], [c]] with any number of inner lists.
static ParseResult parseLists(AsmParser &parser,
                              SmallVectorImpl<SmallVector<int64_t>> &lists) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    SmallVector<int64_t> &list = lists.emplace_back();
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
      return parser.parseInteger(list.emplace_back());
    });
  });
}

static constexpr StringRef partNames[] = {"register", "lane", "warp", "block"};

// <[[16], [2, 17]], register = [[0, 1]], lane = [...], warp = [...]>
Attribute DistributedAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<SmallVector<int64_t>> factors;
  if (parser.parseLess() || parseLists(parser, factors))
    return {};
  SmallVector<int64_t> counts, flatFactors, flat[numHardware];
  unsigned bits[numHardware] = {};
  bool seen[numHardware] = {};
  for (const auto &own : factors) {
    counts.push_back(own.size());
    flatFactors.append(own.begin(), own.end());
  }
  while (succeeded(parser.parseOptionalComma())) {
    StringRef name;
    SmallVector<SmallVector<int64_t>> bases;
    SMLoc nameLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual() ||
        parseLists(parser, bases))
      return {};
    auto part = llvm::find(partNames, name) - std::begin(partNames);
    if (part == numHardware || seen[part]) {
      parser.emitError(nameLoc, "expected one of register, lane, warp, block, "
                                "each once");
      return {};
    }
    seen[part] = true;
    bits[part] = bases.size();
    for (const auto &basis : bases) {
      if (basis.size() != factors.size()) {
        parser.emitError(nameLoc, "a basis has ")
            << basis.size() << " coordinates, the block " << factors.size()
            << " dims";
        return {};
      }
      flat[part].append(basis.begin(), basis.end());
    }
  }
  if (parser.parseGreater())
    return {};
  using List = ArrayRef<int64_t>;
  DistributedAttr attr =
      getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                 List(counts), List(flatFactors), List(flat[0]), List(flat[1]),
                 List(flat[2]), List(flat[3]), bits[1], bits[2]);
  // One spelling for each layout.
  return attr ? get(parser.getContext(), attr.getLayout()) : attr;
}

void DistributedAttr::print(AsmPrinter &printer) const {
  printer << '<' << getLayout().str() << '>';
}

//===----------------------------------------------------------------------===//
// shared_layout
//===----------------------------------------------------------------------===//

LogicalResult
SharedLayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         ArrayRef<int64_t> strides, int64_t offset,
                         unsigned swizzleBits, unsigned swizzleBase,
                         unsigned swizzleShift) {
  // Larger numbers fit no shared memory; the bound keeps sums in 64 bits.
  constexpr int64_t limit = int64_t(1) << 32;
  if (offset < 0 || offset > limit)
    return emitError() << "shared layout: offset " << offset
                       << " must be between 0 and 2^32";
  for (int64_t stride : strides)
    if (stride < 0 || stride > limit)
      return emitError() << "shared layout: stride " << stride
                         << " must be between 0 and 2^32";
  if (swizzleBits > 5 || swizzleBase > 16 || swizzleShift > 16 ||
      (swizzleBits && swizzleShift < swizzleBits))
    return emitError() << "shared layout: swizzle [" << swizzleBits << ", "
                       << swizzleBase << ", " << swizzleShift
                       << "] must be at most [5, 16, 16], and its shift at "
                          "least its bits";
  return success();
}

SharedLayoutAttr SharedLayoutAttr::get(MLIRContext *context,
                                       const SharedLayout &layout) {
  const Swizzle &swizzle = layout.getSwizzle();
  return get(context, layout.getStrides(), layout.getOffset(), swizzle.bits,
             swizzle.base, swizzle.shift);
}

SharedLayout SharedLayoutAttr::getLayout() const {
  return SharedLayout(
      getStrides(), getOffset(),
      Swizzle{getSwizzleBits(), getSwizzleBase(), getSwizzleShift()});
}

// <[360, 34, 1], offset = 35, swizzle = [3, 2, 3]>
Attribute SharedLayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> strides, swizzle;
  int64_t offset = 0;
  auto parseList = [&](SmallVectorImpl<int64_t> &list) {
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
      return parser.parseInteger(list.emplace_back());
    });
  };
  if (parser.parseLess() || parseList(strides))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("offset"))) {
      if (parser.parseEqual() || parser.parseInteger(offset))
        return {};
    } else if (parser.parseKeyword("swizzle") || parser.parseEqual() ||
               parseList(swizzle)) {
      return {};
    }
  }
  if (parser.parseGreater())
    return {};
  if (swizzle.empty())
    swizzle.assign(3, 0);
  if (swizzle.size() != 3 ||
      llvm::any_of(swizzle, [](int64_t v) { return v < 0 || v > 64; })) {
    parser.emitError(loc, "swizzle is [bits, base, shift], small and not "
                          "negative");
    return {};
  }
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(),
                    ArrayRef<int64_t>(strides), offset, unsigned(swizzle[0]),
                    unsigned(swizzle[1]), unsigned(swizzle[2]));
}

void SharedLayoutAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getStrides(), printer.getStream());
  printer << ']';
  if (getOffset())
    printer << ", offset = " << getOffset();
  if (getSwizzleBits())
    printer << ", swizzle = [" << getSwizzleBits() << ", " << getSwizzleBase()
            << ", " << getSwizzleShift() << ']';
  printer << '>';
}

//===- BankConflicts.cpp - passes over the banks, and paddings ---*- C++
//-*-===//

#include "dialects/Tile/Layout/SharedLayout.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <map>
#include <vector>

using namespace tilefuse::tile;

static constexpr int64_t numBanks = 32;
static constexpr int64_t bankBytes = 4;
/// Warps that a count looks at; the others are shifted copies.
static constexpr int64_t sampledWarps = 4;

int64_t tilefuse::tile::countPasses(llvm::ArrayRef<int64_t> byteAddresses,
                                    int64_t bytesPerLane) {
  // Wide accesses go in groups of lanes that move 128 bytes together.
  size_t group = std::min<int64_t>(32, numBanks * bankBytes /
                                           std::max(bytesPerLane, bankBytes));
  int64_t passes = 0;
  for (size_t first = 0; first < byteAddresses.size(); first += group) {
    // Distinct words of each bank; lanes that share a word share its pass.
    int64_t words[numBanks][numBanks], load[numBanks] = {}, most = 0;
    for (int64_t address : byteAddresses.slice(
             first, std::min(group, byteAddresses.size() - first)))
      for (int64_t word = address / bankBytes;
           word * bankBytes < address + bytesPerLane; ++word) {
        int64_t bank = word % numBanks, &count = load[bank];
        if (std::find(words[bank], words[bank] + count, word) !=
            words[bank] + count)
          continue;
        words[bank][count++] = word;
        most = std::max(most, count);
      }
    passes += most;
  }
  return passes;
}

/// Coordinates of each access of a warp: one list of lanes for each group of
/// `vector` registers and sampled warp, padding left out.
static llvm::SmallVector<llvm::SmallVector<Coords>>
listAccesses(const DistributedLayout &threads, llvm::ArrayRef<int64_t> shape,
             int64_t vector, int64_t maxRegisters) {
  llvm::SmallVector<llvm::SmallVector<Coords>> accesses;
  int64_t warps = std::min(threads.getNumWarps(), sampledWarps);
  int64_t registers = std::min(threads.getNumRegisters(), maxRegisters);
  for (int64_t warp = 0; warp < warps; ++warp)
    for (int64_t reg = 0; reg + vector <= registers; reg += vector) {
      llvm::SmallVector<Coords> lanes;
      for (int64_t lane = 0; lane < threads.getNumLanes(); ++lane) {
        Coords coords = threads.getCoords(reg, lane, warp);
        if (llvm::all_of(llvm::zip(coords, shape), [](auto pair) {
              return std::get<0>(pair) < std::get<1>(pair);
            }))
          lanes.push_back(coords);
      }
      if (!lanes.empty())
        accesses.push_back(std::move(lanes));
    }
  return accesses;
}

static BankCount countPasses(const SharedLayout &layout,
                             llvm::ArrayRef<llvm::SmallVector<Coords>> accesses,
                             int64_t elementBytes, int64_t vector) {
  BankCount count;
  int64_t bytes = elementBytes * vector;
  int64_t group =
      std::min<int64_t>(32, numBanks * bankBytes / std::max(bytes, bankBytes));
  for (const auto &lanes : accesses) {
    llvm::SmallVector<int64_t, 32> addresses;
    for (const Coords &coords : lanes)
      addresses.push_back(layout.getPosition(coords) * elementBytes);
    count.passes += countPasses(addresses, bytes);
    count.ideal += (addresses.size() + group - 1) / group;
  }
  return count;
}

BankCount tilefuse::tile::countBankPasses(const SharedLayout &layout,
                                          const DistributedLayout &threads,
                                          llvm::ArrayRef<int64_t> shape,
                                          int64_t elementBytes,
                                          int64_t vector) {
  return ::countPasses(layout, listAccesses(threads, shape, vector, INT64_MAX),
                       elementBytes, vector);
}

/// Whether every `vector` positions from the first on are neighbours from an
/// aligned one; -1 is padding, of which a group is all or nothing.
static bool areVectors(llvm::ArrayRef<int64_t> positions, int64_t vector) {
  if (positions.size() % vector)
    return false;
  for (; !positions.empty(); positions = positions.drop_front(vector)) {
    int64_t first = positions.front();
    if (first >= 0 && first % vector)
      return false;
    for (int64_t i = 1; i < vector; ++i)
      if (positions[i] != (first < 0 ? first : first + i))
        return false;
  }
  return true;
}

int64_t tilefuse::tile::getSharedVector(const SharedLayout &layout,
                                        const DistributedLayout &threads,
                                        llvm::ArrayRef<int64_t> shape,
                                        int64_t elementBytes,
                                        int64_t maxBytes) {
  int64_t vector = 1;
  while (2 * vector * elementBytes <= maxBytes)
    vector *= 2;
  llvm::SmallVector<int64_t> positions(threads.getNumRegisters());
  for (int64_t warp = 0; warp < threads.getNumWarps(); ++warp)
    for (int64_t lane = 0; lane < threads.getNumLanes() && vector > 1; ++lane) {
      for (auto [reg, position] : llvm::enumerate(positions)) {
        Coords coords = threads.getCoords(reg, lane, warp);
        bool real = llvm::all_of(llvm::zip(coords, shape), [](auto pair) {
          return std::get<0>(pair) < std::get<1>(pair);
        });
        position = real ? layout.getPosition(coords) : -1;
      }
      while (vector > 1 && !areVectors(positions, vector))
        vector /= 2;
    }
  return vector;
}

/// The width of wide accesses by strides alone: registers run along a dim of
/// stride 1, and every other stride keeps the alignment.
static int64_t getWidth(const SharedLayout &layout,
                        const DistributedLayout &threads,
                        int64_t elementBytes) {
  for (int64_t vector = 16 / elementBytes; vector > 1; vector /= 2)
    for (unsigned dim = 0; dim < threads.getRank(); ++dim) {
      bool fits = layout.getStrides()[dim] == 1 &&
                  threads.getContiguity(dim) >= vector &&
                  layout.getOffset() % vector == 0;
      for (unsigned other = 0; other < threads.getRank(); ++other)
        fits &= other == dim || threads.getExtent(other) == 1 ||
                layout.getStrides()[other] % vector == 0;
      if (fits)
        return vector;
    }
  return 1;
}

SharedLayout
tilefuse::tile::chooseSharedLayout(llvm::ArrayRef<int64_t> shape,
                                   int64_t elementBytes,
                                   llvm::ArrayRef<SharedAccess> accesses) {
  // A sample of registers is enough to tell paddings apart. For each access and
  // width: its lanes, made when first needed.
  constexpr int64_t sampledRegisters = 8;
  using AccessList = llvm::SmallVector<llvm::SmallVector<Coords>>;
  std::vector<std::map<int64_t, AccessList>> lists(accesses.size());

  unsigned rank = shape.size();
  llvm::SmallVector<llvm::SmallVector<int64_t>> orders(1);
  for (unsigned dim = rank; dim-- > 0;)
    orders[0].push_back(dim);
  for (int64_t fastest = int64_t(rank) - 2; fastest >= 0; --fastest) {
    if (shape[fastest] == 1)
      continue;
    llvm::SmallVector<int64_t> order{fastest};
    for (int64_t dim : orders[0])
      if (dim != fastest)
        order.push_back(dim);
    orders.push_back(order);
  }

  std::optional<SharedLayout> best;
  int64_t bestCost = 0, bestSpan = 0;
  auto consider = [&](const SharedLayout &candidate) {
    int64_t cost = 0;
    for (auto [access, list] : llvm::zip(accesses, lists)) {
      std::optional<SharedLayout> seen = access.view(candidate);
      if (!seen)
        return;
      int64_t vector =
          access.wide ? getWidth(*seen, access.threads, elementBytes) : 1;
      auto [entry, isNew] = list.try_emplace(vector);
      if (isNew)
        entry->second = listAccesses(access.threads, access.shape, vector,
                                     sampledRegisters);
      BankCount count =
          ::countPasses(*seen, entry->second, elementBytes, vector);
      // An instruction costs about half a pass.
      int64_t samples = std::max<int64_t>(1, access.threads.getNumRegisters() /
                                                 sampledRegisters);
      cost += access.weight * samples *
              (2 * count.getConflicts() + int64_t(entry->second.size()));
      if (best && cost > bestCost)
        return;
    }
    int64_t span = candidate.getSpan(shape);
    if (best && (cost > bestCost || (cost == bestCost && span >= bestSpan)))
      return;
    best = candidate;
    bestCost = cost;
    bestSpan = span;
  };
  int64_t step = std::max<int64_t>(1, bankBytes / elementBytes);
  for (const auto &order : orders) {
    consider(SharedLayout::getPadded(shape, order, {}));
    for (unsigned level = 0; level + 1 < rank; ++level) {
      int64_t outside = 1;
      for (unsigned i = level + 1; i < rank; ++i)
        outside *= shape[order[i]];
      if (outside == 1)
        break;
      llvm::SmallVector<int64_t> padding(level + 1, 0);
      for (int64_t pad = 1; pad <= numBanks; ++pad) {
        padding[level] = pad * step;
        consider(SharedLayout::getPadded(shape, order, padding));
      }
    }
  }
  return best ? *best : SharedLayout::getDense(shape);
}

//===- MinCut.h - minimum cut of a directed graph ---------------*- C++ -*-===//
#ifndef TILEFUSE_PASSES_AUTODIFF_MINCUT_H
#define TILEFUSE_PASSES_AUTODIFF_MINCUT_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace tilefuse {

/// A minimum cut between a source and a sink by Dinic's algorithm: O(V^2 E) at
/// worst, near linear on the shallow graphs it is used for. Deterministic.
class MinCut {
public:
  /// Capacity that no cut pays while a finite one exists.
  static constexpr int64_t Infinite = int64_t(1) << 50;

  MinCut() {
    source = addNode();
    sink = addNode();
  }

  unsigned addNode() {
    edgesOf.emplace_back();
    return edgesOf.size() - 1;
  }
  unsigned getSource() const { return source; }
  unsigned getSink() const { return sink; }

  /// A directed edge; cutting it costs `capacity` (clamped to Infinite).
  void addEdge(unsigned from, unsigned to, int64_t capacity);

  /// Finds the cut; returns its cost.
  int64_t solve();

  /// After solve(): whether `node` is on the source's side. Of several minimum
  /// cuts, the one with the smallest source side.
  bool isOnSourceSide(unsigned node) const { return level[node] >= 0; }

private:
  struct Edge {
    unsigned to;
    int64_t rest;
  };

  bool findLevels();
  int64_t push(unsigned node, int64_t limit);

  unsigned source, sink;
  /// Edge 2i and its reverse 2i+1.
  llvm::SmallVector<Edge> edges;
  llvm::SmallVector<llvm::SmallVector<unsigned, 4>> edgesOf;
  llvm::SmallVector<int> level;
  llvm::SmallVector<unsigned> next;
};

} // namespace tilefuse

#endif // TILEFUSE_PASSES_AUTODIFF_MINCUT_H

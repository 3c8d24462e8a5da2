//===- MinCut.cpp - minimum cut of a directed graph -----------------------===//
//
// Dinic's algorithm: levels by breadth-first search, then blocking flows by
// depth-first search along rising levels, until the sink has no level. The
// nodes that still have one are the source's side.
//
//===----------------------------------------------------------------------===//

#include "passes/Autodiff/MinCut.h"

#include <algorithm>

using namespace tilefuse;

void MinCut::addEdge(unsigned from, unsigned to, int64_t capacity) {
  edgesOf[from].push_back(edges.size());
  edges.push_back({to, std::clamp<int64_t>(capacity, 0, Infinite)});
  edgesOf[to].push_back(edges.size());
  edges.push_back({from, 0});
}

bool MinCut::findLevels() {
  level.assign(edgesOf.size(), -1);
  level[source] = 0;
  llvm::SmallVector<unsigned> queue = {source};
  for (size_t i = 0; i < queue.size(); ++i)
    for (unsigned index : edgesOf[queue[i]]) {
      const Edge &edge = edges[index];
      if (edge.rest > 0 && level[edge.to] < 0) {
        level[edge.to] = level[queue[i]] + 1;
        queue.push_back(edge.to);
      }
    }
  return level[sink] >= 0;
}

int64_t MinCut::push(unsigned node, int64_t limit) {
  if (node == sink)
    return limit;
  for (; next[node] < edgesOf[node].size(); ++next[node]) {
    unsigned index = edgesOf[node][next[node]];
    Edge &edge = edges[index];
    if (edge.rest <= 0 || level[edge.to] != level[node] + 1)
      continue;
    if (int64_t flow = push(edge.to, std::min(limit, edge.rest))) {
      edge.rest -= flow;
      edges[index ^ 1].rest += flow;
      return flow;
    }
  }
  return 0;
}

int64_t MinCut::solve() {
  int64_t total = 0;
  while (findLevels()) {
    next.assign(edgesOf.size(), 0);
    while (int64_t flow = push(source, Infinite))
      total += flow;
  }
  return total;
}

"""Which nodes go together into one program.

Every node gets a level: along any path, it grows by one where supported and
unsupported nodes meet. Nodes of one (even) level are a region. Regions are convex
because a path that leaves one through an unsupported node comes back at a higher level,
and there are as few of them as a chain of nodes allows. Nodes whose results are read by
later regions only sink there, so that nothing is computed early and carried along.
"""

from __future__ import annotations

import operator
from collections.abc import Container

from torch.fx import Graph, Node


def is_call(node: Node) -> bool:
    return node.op == "call_function"


def levels(graph: Graph, supported: Container[Node]) -> dict[Node, int]:
    """{node: level} of the calls of a graph; even levels are supported ones."""
    level: dict[Node, int] = {}
    for node in graph.nodes:
        if not is_call(node):
            continue
        if node.target is operator.getitem:
            level[node] = level[node.args[0]]
            continue
        before = [level[i] for i in node.all_input_nodes if i in level]
        highest = max(before, default=0)
        wanted = 0 if node in supported else 1
        level[node] = highest if highest % 2 == wanted else highest + 1
    _sink(graph, supported, level)
    return level


def _sink(graph: Graph, supported: Container[Node], level: dict[Node, int]) -> None:
    for node in reversed(graph.nodes):
        if node not in supported:
            continue
        readers = [u for u in node.users]
        readers += [u for g in node.users if g.target is operator.getitem for u in g.users]
        readers = [u for u in readers if u.target is not operator.getitem]
        if any(u.op == "output" for u in readers) or not readers:
            continue
        target = min(level[u] for u in readers)
        # An unsupported reader needs the value before it runs.
        target = target if target % 2 == 0 else target - 1
        if target > level[node]:
            level[node] = target
            for user in node.users:
                if user.target is operator.getitem:
                    level[user] = target


def regions(graph: Graph, supported: Container[Node]) -> tuple[list[list[Node]], dict[Node, int]]:
    """Lists of nodes (getitems of their tuples included), in the order they must run."""
    level = levels(graph, supported)
    groups: dict[int, list[Node]] = {}
    for node in graph.nodes:
        owner = node.args[0] if is_call(node) and node.target is operator.getitem else node
        if owner in supported:
            groups.setdefault(level[owner], []).append(node)
    return [groups[k] for k in sorted(groups)], level

"""The pieces of the backend by themselves: partition, text, precision, capture, explain."""

import operator
import random

import pytest
import torch
from torch import nn
from torch.fx import Graph, GraphModule

import tilefuse.torch
from tilefuse.torch import partition, precision
from tilefuse.torch.capture import capture
from tilefuse.torch.text import Builder, Unsupported, number


def random_graph(seed):
    """A random graph of additions and the nodes that count as supported."""
    chooser = random.Random(seed)
    graph = Graph()
    nodes = [graph.placeholder("x")]
    supported = set()
    for _ in range(30):
        node = graph.call_function(operator.add, (chooser.choice(nodes[-8:]),
                                                  chooser.choice(nodes[-8:])))
        nodes.append(node)
        if chooser.random() < 0.7:
            supported.add(node)
    graph.output(tuple(n for n in nodes[1:] if not n.users))
    return graph, supported


@pytest.mark.parametrize("seed", range(20))
def test_regions_are_convex(seed):
    """Run level by level, every value is there before it is read."""
    graph, supported = random_graph(seed)
    regions, level = partition.regions(graph, supported)
    assert sorted(n.name for r in regions for n in r) == sorted(n.name for n in supported)
    for node in level:
        for source in node.all_input_nodes:
            if source in level:
                assert level[source] <= level[node]
                if (source in supported) != (node in supported):
                    assert level[source] < level[node]


def test_one_region_without_obstacles():
    graph, _ = random_graph(0)
    calls = {n for n in graph.nodes if n.op == "call_function"}
    assert len(partition.regions(graph, calls)[0]) == 1


def test_numbers():
    assert number(2) == "2.0"
    assert number(-3, torch.int64) == "-3"
    assert number(True, torch.bool) == "true"
    assert number(float("inf"), torch.float32) == "0x7F800000"
    assert float(number(1e-30)) == 1e-30 and "." in number(1e-30)


def test_unsupported_types_say_so():
    b = Builder(precision.Precision(), torch.device("cpu"))
    with pytest.raises(Unsupported, match="uint8"):
        b.fresh((2,), torch.uint8)
    with pytest.raises(Unsupported, match="empty"):
        b.fresh((2, 0), torch.float32)


def test_transposed_operand_is_a_flag():
    b = Builder(precision.Precision(), torch.device("cpu"))
    x, w = b.fresh((4, 8), torch.float32), b.fresh((16, 8), torch.float32)
    y = b.matmul(x, b.transpose(w, [1, 0]))
    assert y.shape == (4, 16) and "transpose_b precision f32" in b.lines[-1]


def test_precision_follows_the_switches(monkeypatch):
    assert precision.current(torch.device("cpu")) == precision.Precision("f32", "f32")
    monkeypatch.setattr(precision, "_allows_tf32", lambda new, old: old())
    cuda = torch.device("cuda")
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        for convolutions, products in ((True, False), (False, True)):
            torch.backends.cuda.matmul.allow_tf32 = products
            with torch.backends.cudnn.flags(allow_tf32=convolutions):
                assert precision.current(cuda) == precision.Precision(
                    "tf32" if convolutions else "f32", "tf32" if products else "f32")
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def captured(function, *examples):
    graph = Graph()
    inputs = [graph.placeholder(f"x{i}") for i in range(len(examples))]
    graph.output(graph.call_function(function, tuple(inputs)))
    return capture(GraphModule({}, graph), examples)


def test_statistics_become_results():
    found = captured(lambda x, m, v: nn.functional.batch_norm(x, m, v, training=True),
                     torch.randn(4, 3), torch.zeros(3), torch.ones(3))
    assert any(n.target is torch.ops.tilefuse.batch_norm_train.default
               for n in found.module.graph.nodes)
    assert [place.name for place, _ in found.mutations] == ["arg1_1", "arg2_1"]


def test_mutations_leave_the_graph():
    found = captured(lambda x, y: x.add_(y).relu(), torch.randn(3), torch.randn(3))
    names = [n.target.name() for n in found.module.graph.nodes if n.op == "call_function"]
    assert names == ["aten::add.Tensor", "aten::relu"]
    assert len(found.mutations) == 1


def test_explain():
    torch._dynamo.reset()
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    before = {k: v.clone() for k, v in module.state_dict().items()}
    found = tilefuse.torch.explain(module, torch.randn(2, 2, 6, 6))
    assert found.graphs == 1 and len(found.regions) == 1 and not found.fallbacks
    region = found.regions[0]
    assert region.forward and region.backward and region.saved
    assert "func.func" in region.text and "batch_norm_train" in region.ops
    assert all(k.bytes > 0 for k in region.forward)
    assert "1 region(s)" in str(found)
    # The call did not change the module.
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_explain_names_what_fell_back():
    torch._dynamo.reset()
    found = tilefuse.torch.explain(lambda x: torch.cumsum(x.tanh(), 0) * 2, torch.randn(4))
    assert found.fallbacks == (("aten::cumsum", "no fuse form", 1),)
    assert len(found.regions) == 2


def test_explain_says_where_dynamo_stopped():
    torch._dynamo.reset()
    found = tilefuse.torch.explain(lambda x: x.tanh() if x.sum() > 0 else x.exp(), torch.ones(4))
    assert found.graphs == 2 and len(found.breaks) == 1
    assert "data-dependent" in found.breaks[0].lower()
    found = tilefuse.torch.explain(nn.LSTM(3, 4), torch.ones(2, 3))
    assert found.graphs == 0 and "LSTM" in found.breaks[0]
    assert "the whole call" in str(found) and found.breaks[0] in str(found)
